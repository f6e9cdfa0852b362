/* SPDX-License-Identifier: MIT */
/*
 * Every step on a path is taken relative to its directory, opened once, and
 * on descriptors of the files found there (O_PATH), so that nothing that is
 * renamed, removed or linked meanwhile makes us act on another file than the
 * one we looked at. Removing is file.c's matter.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag.h"
#include "fd.h"
#include "file.h"
#include "name_private.h"
#include "probe.h"

/*
 * How long we wait for the lock on the directory: to take something away, and
 * where we go on without it.
 */
static const int64_t claim_lock_us = 5000000;
static const int64_t release_lock_us = 1000000;

/* A name that is taken and set free again and again by others gets us here. */
static const int tries_most = 100;

struct unixname {
	int dir_fd;
	dev_t dev;
	ino_t ino;
	pid_t pid;
	bool is_kept;
	char leaf[NAME_MAX + 1];
};

struct claim {
	int fd;
	const char *path;
	bool is_answered;
	bool is_bound;
	struct unixname_options options;
	struct unixaddr addr;
	struct unixname *name;
	/* The name of a live owner's file while we take its place. */
	char aside[UNIXFILE_ASIDE_SIZE];
};

void unixname_set_kept(struct unixname *name, bool is_kept)
{
	if (name != NULL)
		name->is_kept = is_kept;
}

void unixname_options_init(struct unixname_options *options)
{
	memset(options, 0, sizeof(*options));
	options->mode = 0600;
	options->user = (uid_t)-1;
	options->group = (gid_t)-1;
}

static int check_options(const struct unixname_options *options)
{
	const unsigned int known = UNIXMSG_NAME_KEEP |
		UNIXMSG_NAME_UNSAFE_DIRECTORY | UNIXMSG_NAME_REPLACE;
	size_t i, count = sizeof(options->reserved) / sizeof(uint64_t);
	uint64_t reserved = 0;

	for (i = 0; i < count; i++)
		reserved |= options->reserved[i];
	if (reserved == 0 && (options->flags & ~known) == 0 &&
		(options->mode & ~(mode_t)0777) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

/* The path through which the kernel finds what an O_PATH descriptor names. */
static void set_descriptor_path(struct unixaddr *addr, int fd)
{
	char path[64];
	int size = snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	unixaddr_set_path(addr, path, (size_t)size);
}

/* 0 for a socket file that nobody owns. */
static int check_is_dead(int path_fd, struct stat *found)
{
	if (fstat(path_fd, found) < 0)
		return -1;
	if (!S_ISSOCK(found->st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	return unixprobe_is_dead(path_fd);
}

/*
 * bind(2) takes no lock of ours: should another have got the name meanwhile,
 * the file that was set aside could be reached by nobody any more.
 */
static void put_back_or_remove(int dir_fd, const char *aside, const char *leaf)
{
	if (unixfile_put_back(dir_fd, aside, leaf) < 0 && errno == EEXIST)
		unlinkat(dir_fd, aside, 0);
}

/*
 * While path_fd is open no other file can get this inode's number. bind(2)
 * makes the file before it makes the socket to be found there, and in between
 * a live one looks dead; but it locks the directory meanwhile, so that after
 * the rename a second probe tells the truth.
 */
static int remove_if_dead(int dir_fd, const char *leaf, int path_fd)
{
	char aside[UNIXFILE_ASIDE_SIZE];
	struct stat found;
	int error;

	if (check_is_dead(path_fd, &found) < 0)
		return -1;
	if (unixfile_set_aside(dir_fd, leaf, found.st_dev, found.st_ino,
		    aside) < 0)
		return errno == ENOENT ? 0 : -1;
	if (unixprobe_is_dead(path_fd) == 0)
		return unixfile_remove_aside(dir_fd, aside, leaf);
	error = errno;
	put_back_or_remove(dir_fd, aside, leaf);
	errno = error;
	return -1;
}

int unixname_remove_dead(int dir_fd, const char *leaf, int path_fd)
{
	int result;

	if (unixfile_lock(dir_fd, claim_lock_us) < 0)
		return -1;
	result = remove_if_dead(dir_fd, leaf, path_fd);
	unixfile_unlock(dir_fd);
	return result;
}

/*
 * Sets the file of a live owner aside, when that is wanted. Had we done so
 * before, another has got the name since: the one before him has lost it.
 */
static int displace(struct claim *claim, const struct stat *found)
{
	struct unixname *name = claim->name;
	char aside[UNIXFILE_ASIDE_SIZE];

	if ((claim->options.flags & UNIXMSG_NAME_REPLACE) == 0) {
		errno = EADDRINUSE;
		return -1;
	}
	if (unixfile_set_aside(name->dir_fd, name->leaf, found->st_dev,
		    found->st_ino, aside) < 0)
		return errno == ENOENT ? 0 : -1;
	if (claim->aside[0] != '\0')
		unlinkat(name->dir_fd, claim->aside, 0);
	strcpy(claim->aside, aside);
	return 0;
}

static int clear_file(struct claim *claim, int path_fd)
{
	struct unixname *name = claim->name;
	struct stat found;

	if (check_is_dead(path_fd, &found) < 0)
		return errno == EADDRINUSE ? displace(claim, &found) : -1;
	return remove_if_dead(name->dir_fd, name->leaf, path_fd);
}

static int open_leaf(const struct unixname *name)
{
	return openat(name->dir_fd, name->leaf,
		O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* Sees to what stands in our way. 0: try to bind again. */
static int clear_way(struct claim *claim)
{
	int fd = open_leaf(claim->name);

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	return fd_close_with(fd, clear_file(claim, fd));
}

/* Whether there is hope at all: said at once, whoever holds the lock. */
static int check_way(const struct claim *claim)
{
	bool is_replaced = (claim->options.flags & UNIXMSG_NAME_REPLACE) != 0;
	int fd = open_leaf(claim->name);
	struct stat found;
	int result;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	result = fd_close_with(fd, check_is_dead(fd, &found));
	if (result < 0 && errno == EADDRINUSE && is_replaced)
		return 0;
	return result;
}

static int bind_address(const struct claim *claim)
{
	socklen_t length;
	const struct sockaddr *sa =
		unixaddr_get_sockaddr(&claim->addr, &length);

	return bind(claim->fd, sa, length);
}

static bool is_owner_wanted(const struct unixname_options *options)
{
	return options->user != (uid_t)-1 || options->group != (gid_t)-1;
}

/*
 * The mode that the file is born with. The kernel takes the mode of the socket
 * for it, less the umask: so fchmod(2) before bind(2) can be too narrow but
 * never too wide. With another owner to come nobody gets in before.
 */
static int set_birth_mode(const struct claim *claim)
{
	mode_t mode = claim->options.mode;

	if (is_owner_wanted(&claim->options))
		mode = 0;
	return fchmod(claim->fd, mode);
}

/* chmod(2) knows no O_PATH descriptors, and follows links in a path. */
static int set_mode(int path_fd, mode_t mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	return chmod(path, mode);
}

static int set_owner_and_mode(int path_fd,
	const struct unixname_options *options)
{
	if (is_owner_wanted(options) &&
		fchownat(path_fd, "", options->user, options->group,
			AT_EMPTY_PATH) < 0)
		return -1;
	return set_mode(path_fd, options->mode);
}

static void remember(struct unixname *name, const struct stat *found)
{
	name->dev = found->st_dev;
	name->ino = found->st_ino;
	name->pid = getpid();
}

/*
 * Ours is not dead, and nobody else is bound to it. That comes in this order:
 * where bind(2) is still at work nobody is bound yet, and all looks dead.
 */
static bool is_another_there(const struct unixname *name)
{
	int fd = open_leaf(name);
	bool is_there;

	if (fd < 0)
		return errno == ENOENT;
	is_there = unixprobe_is_dead(fd) == 0 || unixdiag_is_bound(fd) == 1;
	close(fd);
	return is_there;
}

/*
 * A server that knows no lock may have put its own file in the place of ours
 * since bind(2): the kernel tells which one our socket has made. Some file
 * systems have other numbers for stat(2), so that these alone prove nothing;
 * and a kernel that tells nothing leaves us with stat(2).
 */
static bool is_anothers(const struct claim *claim, const struct stat *found)
{
	struct unixdiag_file ours;

	return unixdiag_find_file(claim->fd, &ours) == 0 &&
		ours.ino != (uint32_t)found->st_ino &&
		is_another_there(claim->name);
}

/* Where our file is not there any more, another has taken the name. */
static int tell_of_loss(void)
{
	if (errno == ENOENT)
		errno = EADDRINUSE;
	return -1;
}

/* Remembers which file it is that bind(2) has made. */
static int identify(const struct claim *claim, mode_t *mode)
{
	struct unixname *name = claim->name;
	struct stat found;

	if (fstatat(name->dir_fd, name->leaf, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return tell_of_loss();
	if (!S_ISSOCK(found.st_mode) || found.st_uid != geteuid() ||
		is_anothers(claim, &found)) {
		errno = EADDRINUSE;
		return -1;
	}
	remember(name, &found);
	*mode = found.st_mode & 07777;
	return 0;
}

static int change(const struct claim *claim, int path_fd)
{
	struct stat found;

	if (fstat(path_fd, &found) < 0)
		return -1;
	if (!unixfile_is_same(&found, claim->name->dev, claim->name->ino)) {
		errno = EADDRINUSE;
		return -1;
	}
	return set_owner_and_mode(path_fd, &claim->options);
}

/* Gives the file its owner and mode, where it was not born with them. */
static int dress(const struct claim *claim)
{
	mode_t mode;
	int fd;

	if (identify(claim, &mode) < 0)
		return -1;
	if (mode == claim->options.mode && !is_owner_wanted(&claim->options))
		return 0;
	fd = open_leaf(claim->name);
	if (fd < 0)
		return tell_of_loss();
	return fd_close_with(fd, change(claim, fd));
}

/* Splits path at its last slash; dir has room for PATH_MAX bytes. */
static int split_path(const char *path, char *dir, char leaf[NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	const char *last = slash == NULL ? path : slash + 1;

	if (*last == '\0' || strcmp(last, ".") == 0 ||
		strcmp(last, "..") == 0) {
		errno = ENOTSOCK;
		return -1;
	}
	if (strlen(last) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(leaf, last);
	if (slash == NULL)
		strcpy(dir, ".");
	else if (slash == path)
		strcpy(dir, "/");
	else
		snprintf(dir, PATH_MAX, "%.*s", (int)(slash - path), path);
	return 0;
}

static int check_directory(int dir_fd, unsigned int flags)
{
	struct stat dir;

	if (flags & UNIXMSG_NAME_UNSAFE_DIRECTORY)
		return 0;
	if (fstat(dir_fd, &dir) < 0)
		return -1;
	if ((dir.st_mode & S_IWOTH) == 0 || (dir.st_mode & S_ISVTX) != 0)
		return 0;
	errno = EPERM;
	return -1;
}

static int open_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES)
		fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static int name_close(struct unixname *name, int result)
{
	result = fd_close_with(name->dir_fd, result);
	free(name);
	return result;
}

static struct unixname *name_open(const char *path, unsigned int flags)
{
	char dir[PATH_MAX];
	struct unixname *name = calloc(1, sizeof(*name));

	if (name == NULL)
		return NULL;
	name->dir_fd = -1;
	name->is_kept = (flags & UNIXMSG_NAME_KEEP) != 0;
	if (split_path(path, dir, name->leaf) < 0)
		goto close_name;
	name->dir_fd = open_directory(dir);
	if (name->dir_fd < 0)
		goto close_name;
	if (check_directory(name->dir_fd, flags) < 0)
		goto close_name;
	return name;

close_name:
	name_close(name, -1);
	return NULL;
}

/* path, or path behind the working directory. */
static int make_absolute(const char *path, char *absolute, size_t room)
{
	size_t size;

	if (*path == '/')
		size = 0;
	else if (getcwd(absolute, room) == NULL)
		return -1;
	else
		size = strlen(absolute);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (size + 1 + strlen(path) >= room) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (size > 1)
		absolute[size++] = '/';
	strcpy(absolute + size, path);
	return 0;
}

static int set_detour(struct unixaddr *addr, const struct unixname *name)
{
	char path[NAME_MAX + 64];
	int size = snprintf(path, sizeof(path), "/proc/self/fd/%d/%s",
		name->dir_fd, name->leaf);

	return unixaddr_set_path(addr, path, (size_t)size);
}

/*
 * What the kernel is told, and tells everybody: the absolute path if it has
 * room for it. A relative one would be looked up by a peer that answers in
 * its own directory, not in ours.
 */
static int choose_address(struct claim *claim)
{
	char absolute[PATH_MAX];

	if (make_absolute(claim->path, absolute, sizeof(absolute)) == 0 &&
		unixaddr_set_path(&claim->addr, absolute, strlen(absolute)) ==
			0)
		return 0;
	if (claim->is_answered)
		return -1;
	if (unixaddr_set_path(&claim->addr, claim->path, strlen(claim->path)) ==
		0)
		return 0;
	return set_detour(&claim->addr, claim->name);
}

/* Makes the file that bind(2) has made what it shall be, or removes it. */
static int dress_or_remove(const struct claim *claim)
{
	struct unixname *name = claim->name;
	mode_t mode;
	int saved;

	if (dress(claim) == 0)
		return 0;
	saved = errno;
	if (name->ino != 0 || identify(claim, &mode) == 0)
		unixfile_remove(name->dir_fd, name->leaf, name->dev, name->ino);
	errno = saved;
	return -1;
}

static int bind_over(struct claim *claim)
{
	int i;

	for (i = 0; i < tries_most; i++) {
		if (bind_address(claim) == 0) {
			claim->is_bound = true;
			return dress_or_remove(claim);
		}
		if (errno != EADDRINUSE || clear_way(claim) < 0)
			return -1;
	}
	errno = EADDRINUSE;
	return -1;
}

/* What stands there is ours, and could not be looked at. */
static bool is_unseen(const struct claim *claim, int error)
{
	return claim->is_bound && claim->name->ino == 0 && error != EADDRINUSE;
}

/* The file of the owner whom we replace: it goes when we have succeeded. */
static int settle_aside(const struct claim *claim, int result)
{
	const struct unixname *name = claim->name;
	int saved = errno;

	if (claim->aside[0] == '\0')
		return result;
	if (result == 0)
		unlinkat(name->dir_fd, claim->aside, 0);
	else if (is_unseen(claim, saved))
		renameat(name->dir_fd, claim->aside, name->dir_fd, name->leaf);
	else
		put_back_or_remove(name->dir_fd, claim->aside, name->leaf);
	errno = saved;
	return result;
}

/*
 * The lock keeps those who remove and replace away until we know which file is
 * ours. Whoever holds it longer than they do cannot keep us from going on.
 */
static int claim_free(const struct claim *claim, bool *is_free)
{
	int dir_fd = claim->name->dir_fd, result;

	unixfile_lock_shared(dir_fd, release_lock_us);
	result = bind_address(claim);
	*is_free = result == 0;
	if (*is_free)
		result = dress_or_remove(claim);
	unixfile_unlock(dir_fd);
	return result;
}

/* bind(2) itself decides who wins; the lock is for those who remove. */
static int claim_file(struct claim *claim)
{
	bool is_free;
	int result;

	if (choose_address(claim) < 0 || set_birth_mode(claim) < 0)
		return -1;
	if (claim_free(claim, &is_free) == 0)
		return 0;
	if (is_free || errno != EADDRINUSE || check_way(claim) < 0)
		return -1;
	if (unixfile_lock(claim->name->dir_fd, claim_lock_us) < 0)
		return -1;
	result = settle_aside(claim, bind_over(claim));
	unixfile_unlock(claim->name->dir_fd);
	return result;
}

static int set_options(struct claim *claim,
	const struct unixname_options *options)
{
	if (options == NULL)
		unixname_options_init(&claim->options);
	else
		claim->options = *options;
	return check_options(&claim->options);
}

int unixname_claim_path(int fd, const char *path, bool is_answered,
	const struct unixname_options *options, struct unixname **name)
{
	struct claim claim = {
		.fd = fd,
		.path = path,
		.is_answered = is_answered,
	};
	int saved = errno;

	if (set_options(&claim, options) < 0)
		return -1;
	claim.name = name_open(path, claim.options.flags);
	if (claim.name == NULL)
		return -1;
	if (claim_file(&claim) < 0)
		return name_close(claim.name, -1);
	*name = claim.name;
	errno = saved;
	return 0;
}

static int claim_abstract(int fd, const char *text,
	const struct unixname_options *options)
{
	struct claim claim = { .fd = fd };

	if (set_options(&claim, options) < 0)
		return -1;
	if (unixaddr_parse(&claim.addr, text) < 0)
		return -1;
	return bind_address(&claim);
}

int unixname_claim(int fd, const char *text, bool is_answered,
	const struct unixname_options *options, struct unixname **name)
{
	char path[PATH_MAX];
	size_t size;

	*name = NULL;
	if (unixaddr_decode(text, path, sizeof(path), &size) < 0)
		return -1;
	if (path[0] == '\0')
		return claim_abstract(fd, text, options);
	return unixname_claim_path(fd, path, is_answered, options, name);
}

/* 1 it is, 0 it is gone or another's, -1 that cannot be told. */
static int is_still_ours(const struct unixname *name)
{
	struct stat found;

	if (fstatat(name->dir_fd, name->leaf, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return unixfile_is_same(&found, name->dev, name->ino);
}

int unixname_take_up(const char *path, int path_fd, struct unixname **name)
{
	struct stat found;
	struct unixname *made;
	int is_ours;

	if (fstat(path_fd, &found) < 0)
		return -1;
	made = name_open(path, UNIXMSG_NAME_UNSAFE_DIRECTORY);
	if (made == NULL)
		return -1;
	remember(made, &found);
	is_ours = is_still_ours(made);
	if (is_ours == 0)
		errno = ESTALE;
	if (is_ours != 1)
		return name_close(made, -1);
	*name = made;
	return 0;
}

/*
 * A file that has come into its place is left alone. Without the lock we go on
 * too: nobody may keep our file there by holding it. It is given back at once,
 * since a child of fork(2) may have the same directory open.
 */
static int remove_ours(const struct unixname *name)
{
	int result = is_still_ours(name);

	if (result != 1)
		return result;
	unixfile_lock(name->dir_fd, release_lock_us);
	result =
		unixfile_remove(name->dir_fd, name->leaf, name->dev, name->ino);
	unixfile_unlock(name->dir_fd);
	return result < 0 && errno == EADDRINUSE ? 0 : result;
}

static bool is_to_be_removed(const struct unixname *name)
{
	return !name->is_kept && name->pid == getpid();
}

int unixname_release(struct unixname *name)
{
	int result = 0, saved = errno;

	if (name == NULL)
		return 0;
	if (is_to_be_removed(name))
		result = remove_ours(name);
	result = name_close(name, result);
	if (result == 0)
		errno = saved;
	return result;
}

int unixname_find(const char *text, struct unixname_target *target)
{
	char path[PATH_MAX];
	size_t size;

	target->fd = -1;
	if (strcmp(text, "@") == 0) {
		errno = EINVAL;
		return -1;
	}
	if (unixaddr_decode(text, path, sizeof(path), &size) < 0)
		return -1;
	if (path[0] == '\0' || size <= UNIXMSG_NAME_SIZE_MAX)
		return unixaddr_parse(&target->addr, text);
	target->fd = open(path, O_PATH | O_CLOEXEC);
	if (target->fd < 0)
		return -1;
	set_descriptor_path(&target->addr, target->fd);
	return 0;
}

void unixname_target_close(struct unixname_target *target)
{
	target->fd = fd_close(target->fd);
}
