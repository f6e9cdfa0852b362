/* SPDX-License-Identifier: MIT */
/*
 * Claims a name. Every step is relative to the directory, and works on
 * descriptors (O_PATH) of the files found there. Nothing that is renamed,
 * removed or linked meanwhile makes us act on another file than the one that we
 * have looked at. file.c does the removing.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline_private.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "name/aside.h"
#include "name/diag.h"
#include "name/file.h"
#include "name/name_private.h"
#include "name/probe.h"

/*
 * The longest wait for the lock on the directory; then we go on without it.
 * Anybody who may open the directory can hold it for ever. Our own processes
 * hold it for milliseconds.
 */
static const int64_t lock_us = 1000000;

/* How often we look for our file, which another process may have set aside. */
static const int looks_most = 20;
static const int64_t look_pause_us = 1000;

/* Only our own sweeps can have set aside a name that only we know. */
static const int looks_most_fresh = 1000;

/* Bounds the tries when others take the name and free it again and again. */
static const int tries_most = 100;

struct claim {
	int fd;
	const char *path;
	bool is_answered;
	bool is_fresh; /* nobody else has had this name */
	bool is_bound;
	bool is_locked;
	int64_t lock_end_us; /* of all waits for the lock together */
	struct unixname_options options;
	struct unixaddr addr;
	struct unixname *name;
	/* The name of a live owner's file while we replace it. */
	char aside[UNIXFILE_ASIDE_SIZE];
};

void unixname__options_init(struct unixname_options *options)
{
	memset(options, 0, sizeof(*options));
	options->mode = 0600;
	options->user = (uid_t)-1;
	options->group = (gid_t)-1;
}

/* An owner about whom nothing can be found out counts as alive. */
static int probe(int path_fd, const char *dir, const char *leaf)
{
	int result = unixprobe__is_dead(path_fd, dir, leaf);

	if (result < 0 && errno == EREMOTE)
		errno = EADDRINUSE;
	return result;
}

/* Returns 0 for a socket file that nobody owns. */
static int check_is_dead(int path_fd, const char *dir, const char *leaf,
	struct stat *found)
{
	if (fstat(path_fd, found) < 0)
		return -1;
	if (!S_ISSOCK(found->st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	return probe(path_fd, dir, leaf);
}

/*
 * bind(2) does not take our lock. If somebody has bound the name meanwhile,
 * nobody could reach the file that was set aside any more.
 */
static void put_back_or_remove(int dir_fd, const char *aside, const char *leaf)
{
	if (unixfile__put_back(dir_fd, aside, leaf) < 0 && errno == EEXIST)
		unlinkat(dir_fd, aside, 0);
}

/* Without the lock another process may have removed it. */
static int remove_dead_aside(int dir_fd, const char *aside, const char *leaf)
{
	if (unixfile__remove_aside(dir_fd, aside, leaf) == 0 || errno == ENOENT)
		return 0;
	return -1;
}

/*
 * While path_fd is open no other file can get this inode's number. bind(2)
 * makes the file before its socket can be found, so a live owner looks dead for
 * a moment. But bind(2) locks the directory meanwhile, so a second probe, after
 * the rename, tells the truth.
 */
static int remove_if_dead(int dir_fd, const char *dir, const char *leaf,
	int path_fd)
{
	char aside[UNIXFILE_ASIDE_SIZE];
	struct stat found;
	int error;

	if (check_is_dead(path_fd, dir, leaf, &found) < 0)
		return -1;
	if (unixfile__set_aside(dir_fd, leaf, found.st_dev, found.st_ino,
		    aside) < 0)
		return errno == ENOENT ? 0 : -1;
	if (probe(path_fd, dir, aside) == 0)
		return remove_dead_aside(dir_fd, aside, leaf);
	error = errno;
	put_back_or_remove(dir_fd, aside, leaf);
	errno = error;
	return -1;
}

int unixname__remove_dead(int dir_fd, const char *dir, const char *leaf,
	int path_fd, int64_t deadline_us)
{
	int result;

	if (unixfile__lock(dir_fd, deadline_us) < 0)
		return -1;
	result = remove_if_dead(dir_fd, dir, leaf, path_fd);
	unixfile__unlock(dir_fd);
	return result;
}

/*
 * Sets the file of a live owner aside, if the options say so. If we have done
 * that before, somebody has bound the name since. The first owner has lost it
 * by that, so the first file is removed.
 */
static int move_owner_aside(struct claim *claim, const struct stat *found)
{
	struct unixname *name = claim->name;
	char aside[UNIXFILE_ASIDE_SIZE];

	if ((claim->options.flags & UNIXMSG_LISTEN_REPLACE) == 0) {
		errno = EADDRINUSE;
		return -1;
	}
	if (claim->aside[0] != '\0')
		unlinkat(name->dir_fd, claim->aside, 0);
	claim->aside[0] = '\0';
	if (unixfile__set_aside(name->dir_fd, name->leaf, found->st_dev,
		    found->st_ino, aside) < 0)
		return errno == ENOENT ? 0 : -1;
	strcpy(claim->aside, aside);
	return 0;
}

static int clear_file(struct claim *claim, int path_fd)
{
	struct unixname *name = claim->name;
	struct stat found;

	if (check_is_dead(path_fd, name->dir, name->leaf, &found) < 0)
		return errno == EADDRINUSE ? move_owner_aside(claim, &found)
					   : -1;
	return remove_if_dead(name->dir_fd, name->dir, name->leaf, path_fd);
}

/* Deals with the file that is in our way. Returns 0 to try bind(2) again. */
static int clear_way(struct claim *claim)
{
	int fd = unixname__open_leaf(claim->name);

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	return fd_close_with(fd, clear_file(claim, fd));
}

/* Fails at once if there is no hope, whoever holds the lock. */
static int check_way(const struct claim *claim)
{
	bool is_replaced = (claim->options.flags & UNIXMSG_LISTEN_REPLACE) != 0;
	const struct unixname *name = claim->name;
	int fd = unixname__open_leaf(name);
	struct stat found;
	int result;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	result = fd_close_with(fd,
		check_is_dead(fd, name->dir, name->leaf, &found));
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
 * Sets the mode that the file is created with. The kernel takes it from the
 * socket, less the umask. So fchmod(2) before bind(2) may make it too narrow
 * but never too wide. If the file is to get another owner, mode 0 keeps all
 * clients out until then.
 */
static int set_birth_mode(const struct claim *claim)
{
	mode_t mode = claim->options.mode;

	if (is_owner_wanted(&claim->options))
		mode = 0;
	return fchmod(claim->fd, mode);
}

/*
 * chmod(2) takes no O_PATH descriptors, and follows links in a path. The call
 * that needs no /proc is new, Linux 6.6, and not in every libc.
 */
static int set_mode(int path_fd, mode_t mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	if (chmod(path, mode) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	return (int)syscall(SYS_fchmodat2, path_fd, "", mode, AT_EMPTY_PATH);
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

static bool is_owner_in_force(const struct stat *found,
	const struct unixname_options *options)
{
	return (options->user == (uid_t)-1 || options->user == found->st_uid) &&
		(options->group == (gid_t)-1 ||
			options->group == found->st_gid);
}

/*
 * Some file systems accept an owner and a mode but keep their own. A client's
 * file needs no check: the client is connected, so the kernel refuses all
 * senders but its server.
 */
static int check_is_in_force(const struct claim *claim, int path_fd)
{
	const mode_t writers = S_IWUSR | S_IWGRP | S_IWOTH;
	struct stat found;

	if (claim->is_answered)
		return 0;
	if (fstat(path_fd, &found) < 0)
		return -1;
	if ((found.st_mode & writers & ~claim->options.mode) == 0 &&
		is_owner_in_force(&found, &claim->options))
		return 0;
	errno = ENOTSUP;
	return -1;
}

/*
 * Tells whether the file there is another's: it is dead, or somebody is bound
 * to it under these numbers. The probe comes first: while bind(2) is at work, a
 * file looks dead and nobody is bound to it yet.
 */
static bool is_another_there(const struct unixname *name)
{
	int fd = unixname__open_leaf(name);
	bool is_there;

	if (fd < 0)
		return errno == ENOENT;
	is_there = unixprobe__is_dead(fd, name->dir, name->leaf) == 0 ||
		errno == EREMOTE || unixdiag__is_bound(fd) == 1;
	close(fd);
	return is_there;
}

/* bind(2) gives the file to the file system user, see setfsuid(2). */
static bool is_owner_ours(const struct stat *found)
{
	return found->st_uid == geteuid() ||
		found->st_uid == (uid_t)setfsuid((uid_t)-1);
}

/*
 * A server that does not take the lock may have replaced our file since
 * bind(2): the kernel tells which file our socket has made. On some file
 * systems stat(2) gives other numbers, so different numbers prove nothing. If
 * the kernel tells nothing, only stat(2) is left. Other file systems show every
 * file as another user's: there the same number is enough. A name that nobody
 * else has needs no check.
 */
static bool is_anothers(const struct claim *claim, const struct stat *found)
{
	struct unixdiag_file ours;

	if (claim->is_fresh && is_owner_ours(found))
		return false;
	if (unixdiag__find_file(claim->fd, &ours) < 0)
		return !is_owner_ours(found);
	if (ours.ino == (uint32_t)found->st_ino)
		return false;
	return !is_owner_ours(found) || is_another_there(claim->name);
}

/* If our file is gone, somebody else has taken the name. */
static int tell_of_loss(void)
{
	if (errno == ENOENT)
		errno = EADDRINUSE;
	return -1;
}

/*
 * Without the lock another process may have taken our file for a dead one and
 * set it aside. It puts the file back when it has looked again.
 */
static int look_for_ours(const struct claim *claim, struct stat *found)
{
	const struct unixname *name = claim->name;
	int looks = claim->is_fresh ? looks_most_fresh : looks_most;

	if (claim->is_locked)
		looks = 1;
	while (fstatat(name->dir_fd, name->leaf, found, AT_SYMLINK_NOFOLLOW) <
		0) {
		if (errno != ENOENT || --looks == 0)
			return -1;
		unixdeadline__pause(look_pause_us, -1, UNIXMSG_FOREVER);
	}
	return 0;
}

/* Records which file bind(2) has made. */
static int identify(const struct claim *claim, mode_t *mode)
{
	struct unixname *name = claim->name;
	struct stat found;

	if (look_for_ours(claim, &found) < 0)
		return tell_of_loss();
	if (!S_ISSOCK(found.st_mode) || is_anothers(claim, &found)) {
		errno = EADDRINUSE;
		return -1;
	}
	unixname__remember(name, &found);
	*mode = found.st_mode & 07777;
	return 0;
}

static int change(const struct claim *claim, int path_fd)
{
	struct stat found;

	if (fstat(path_fd, &found) < 0)
		return -1;
	if (!unixfile__is_same(&found, claim->name->dev, claim->name->ino)) {
		errno = EADDRINUSE;
		return -1;
	}
	if (set_owner_and_mode(path_fd, &claim->options) < 0)
		return -1;
	return check_is_in_force(claim, path_fd);
}

/* Gives the file its owner and mode, unless it was made with them. */
static int finish_owner_and_mode(const struct claim *claim)
{
	mode_t mode;
	int fd;

	if (identify(claim, &mode) < 0)
		return -1;
	if (mode == claim->options.mode && !is_owner_wanted(&claim->options))
		return 0;
	fd = unixname__open_leaf(claim->name);
	if (fd < 0)
		return tell_of_loss();
	return fd_close_with(fd, change(claim, fd));
}

/* Makes path absolute, by the working directory. */
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

static int set_proc_path(struct unixaddr *addr, const struct unixname *name)
{
	char path[NAME_MAX + 64];
	int size = snprintf(path, sizeof(path), "/proc/self/fd/%d/%s",
		name->dir_fd, name->leaf);

	return unixaddr_set_path(addr, path, (size_t)size);
}

/*
 * Chooses the address that the kernel passes on to peers: the absolute path if
 * it fits. A peer that answers would look up a relative path in its own
 * directory, not in ours.
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
	if (unixname__check_proc() < 0)
		return -1;
	return set_proc_path(&claim->addr, claim->name);
}

/* Completes the file that bind(2) has made, or removes it. */
static int finish_file(const struct claim *claim)
{
	struct unixname *name = claim->name;
	mode_t mode;
	int saved;

	if (finish_owner_and_mode(claim) == 0)
		return 0;
	saved = errno;
	if (name->ino != 0 || identify(claim, &mode) == 0)
		unixfile__remove(name->dir_fd, name->leaf, name->dev,
			name->ino);
	errno = saved;
	return -1;
}

static int bind_over(struct claim *claim)
{
	int i;

	for (i = 0; i < tries_most; i++) {
		if (bind_address(claim) == 0) {
			claim->is_bound = true;
			return finish_file(claim);
		}
		if (errno != EADDRINUSE || clear_way(claim) < 0)
			return -1;
	}
	errno = EADDRINUSE;
	return -1;
}

/* Tells whether the file there is ours, but could not be looked at. */
static bool is_unseen(const struct claim *claim, int error)
{
	return claim->is_bound && claim->name->ino == 0 && error != EADDRINUSE;
}

/* Removes the file of the replaced owner, or puts it back on failure. */
static int finish_aside(const struct claim *claim, int result)
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
 * The lock keeps processes that remove and replace files away until we know
 * which file is ours. A process that holds it longer cannot keep us from going
 * on.
 */
static int claim_free(struct claim *claim, bool *is_free)
{
	int dir_fd = claim->name->dir_fd, result;

	claim->is_locked =
		unixfile__lock_shared(dir_fd, claim->lock_end_us) == 0;
	result = bind_address(claim);
	*is_free = result == 0;
	if (*is_free)
		result = finish_file(claim);
	unixfile__unlock(dir_fd);
	return result;
}

/* Puts right what a killed process has left here. Mostly there is none,
 * which a look without the lock shows. */
static void repair_last(struct claim *claim)
{
	const struct unixname *name = claim->name;

	if (!unixaside__is_there(name->dir_fd, name->leaf))
		return;
	unixfile__lock(name->dir_fd, claim->lock_end_us);
	unixaside__repair(name->dir_fd, name->dir, name->leaf);
	unixfile__unlock(name->dir_fd);
}

/*
 * Two processes that remove the same dead file at once may each set aside the
 * file that the other has bound, and put it back. The lock makes that rare.
 * Even without it bind(2) decides who wins, as no file is removed before it was
 * looked at under a name that nobody else uses.
 */
static int claim_taken(struct claim *claim)
{
	int result;

	claim->is_locked =
		unixfile__lock(claim->name->dir_fd, claim->lock_end_us) == 0;
	result = finish_aside(claim, bind_over(claim));
	unixfile__unlock(claim->name->dir_fd);
	return result;
}

static int claim_file(struct claim *claim)
{
	bool is_free;

	if (choose_address(claim) < 0 || set_birth_mode(claim) < 0)
		return -1;
	if (!claim->is_fresh)
		repair_last(claim);
	if (claim_free(claim, &is_free) == 0)
		return 0;
	if (is_free || errno != EADDRINUSE || check_way(claim) < 0)
		return -1;
	return claim_taken(claim);
}

static void set_options(struct claim *claim,
	const struct unixname_options *options)
{
	if (options == NULL)
		unixname__options_init(&claim->options);
	else
		claim->options = *options;
}

static int64_t get_lock_end(int64_t deadline_us)
{
	int64_t end_us;

	if (deadline_us == UNIXMSG_NOW)
		return UNIXMSG_NOW;
	end_us = unixdeadline_after_us(lock_us);
	return end_us < deadline_us ? end_us : deadline_us;
}

static int claim_path(struct claim *claim,
	const struct unixname_options *options, struct unixname **name)
{
	int saved = errno;

	set_options(claim, options);
	claim->name = unixname__open(claim->path, claim->options.flags);
	if (claim->name == NULL)
		return -1;
	claim->name->is_client = claim->is_answered;
	claim->name->is_fresh = claim->is_fresh;
	if (claim_file(claim) < 0)
		return unixname__close(claim->name, -1);
	*name = claim->name;
	errno = saved;
	return 0;
}

int unixname__claim_fresh(int fd, const char *path,
	const struct unixname_options *options, struct unixname **name)
{
	struct claim claim = {
		.fd = fd,
		.path = path,
		.is_answered = true,
		.is_fresh = true,
		.lock_end_us = UNIXMSG_NOW,
	};

	return claim_path(&claim, options, name);
}

static int claim_abstract(struct claim *claim, const char *text,
	const struct unixname_options *options)
{
	set_options(claim, options);
	if (unixaddr_parse(&claim->addr, text) < 0)
		return -1;
	return bind_address(claim);
}

int unixname__claim(int fd, const char *text, bool is_answered,
	const struct unixname_options *options, int64_t deadline_us,
	struct unixname **name)
{
	char path[PATH_MAX];
	struct claim claim = {
		.fd = fd,
		.path = path,
		.is_answered = is_answered,
		.lock_end_us = get_lock_end(deadline_us),
	};
	size_t size;

	*name = NULL;
	if (unixaddr__decode(text, path, sizeof(path), &size) < 0)
		return -1;
	if (path[0] == '\0')
		return claim_abstract(&claim, text, options);
	return claim_path(&claim, options, name);
}
