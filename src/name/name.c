/* SPDX-License-Identifier: MIT */
/*
 * A name is known by its directory, which stays open, and by the inode of its
 * file. Nothing that is renamed, removed or linked meanwhile makes us act on
 * another file than our own. file.c does the removing.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/aside.h"
#include "name/file.h"
#include "name/name_private.h"
#include "unixmsg/deadline.h"

/* The longest wait for the lock on the directory; then we go on without it. */
static const int64_t release_lock_us = 1000000;

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

	if (flags & UNIXMSG_LISTEN_UNSAFE_DIRECTORY)
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
	int fd = fd_lift(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (fd < 0 && errno == EACCES)
		fd = fd_lift(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
	return fd;
}

int unixname__close(struct unixname *name, int result)
{
	result = fd_close_with(name->dir_fd, result);
	free(name);
	return result;
}

struct unixname *unixname__open(const char *path, unsigned int flags)
{
	char dir[PATH_MAX];
	struct unixname *name = calloc(1, sizeof(*name));

	if (name == NULL)
		return NULL;
	name->dir_fd = -1;
	name->is_kept = (flags & UNIXMSG_LISTEN_KEEP) != 0;
	if (split_path(path, dir, name->leaf) < 0)
		goto close_name;
	if (strlen(dir) < sizeof(name->dir))
		strcpy(name->dir, dir);
	name->dir_fd = open_directory(dir);
	if (name->dir_fd < 0)
		goto close_name;
	if (check_directory(name->dir_fd, flags) < 0)
		goto close_name;
	return name;

close_name:
	unixname__close(name, -1);
	return NULL;
}

int unixname__open_leaf(const struct unixname *name)
{
	return fd_lift(openat(name->dir_fd, name->leaf,
		O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

void unixname__remember(struct unixname *name, const struct stat *found)
{
	name->dev = found->st_dev;
	name->ino = found->st_ino;
	name->pid = getpid();
}

void unixname__set_kept(struct unixname *name, bool is_kept)
{
	if (name != NULL)
		name->is_kept = is_kept;
}

/* Returns 1 if it is, 0 if it is gone or another's, -1 if that is unknown. */
static int is_still_ours(const struct unixname *name)
{
	struct stat found;

	if (fstatat(name->dir_fd, name->leaf, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return unixfile__is_same(&found, name->dev, name->ino);
}

int unixname__take_up(const char *path, int path_fd, struct unixname **name)
{
	struct stat found;
	struct unixname *made;
	int is_ours;

	if (fstat(path_fd, &found) < 0)
		return -1;
	made = unixname__open(path, UNIXMSG_LISTEN_UNSAFE_DIRECTORY);
	if (made == NULL)
		return -1;
	unixname__remember(made, &found);
	is_ours = is_still_ours(made);
	if (is_ours == 0)
		errno = ESTALE;
	if (is_ours != 1)
		return unixname__close(made, -1);
	*name = made;
	return 0;
}

int unixname__take_on(struct unixname *name)
{
	int is_ours;

	if (name->pid == getpid())
		return 0;
	is_ours = is_still_ours(name);
	if (is_ours == 0)
		errno = ESTALE;
	if (is_ours != 1)
		return -1;
	name->pid = getpid();
	return 0;
}

/* The close of a client waits for nobody. */
static int64_t get_lock_end(const struct unixname *name)
{
	return name->is_client ? UNIXMSG_NOW
			       : unixdeadline_after_us(release_lock_us);
}

/*
 * Leaves alone a file that has replaced ours. Goes on without the lock too, so
 * that its holder cannot keep our file there. Unlocks at once, because a child
 * of fork(2) may have the same directory open.
 */
static int remove_ours(const struct unixname *name)
{
	int result = is_still_ours(name);

	if (result != 1)
		return result;
	if (name->is_fresh)
		return unlinkat(name->dir_fd, name->leaf, 0);
	unixfile__lock(name->dir_fd, get_lock_end(name));
	result = unixfile__remove(name->dir_fd, name->leaf, name->dev,
		name->ino);
	unixfile__unlock(name->dir_fd);
	return result < 0 && errno == EADDRINUSE ? 0 : result;
}

static bool is_to_be_removed(const struct unixname *name)
{
	return !name->is_kept && name->pid == getpid();
}

int unixname__release(struct unixname *name)
{
	int result = 0, saved = errno;

	if (name == NULL)
		return 0;
	if (is_to_be_removed(name))
		result = remove_ours(name);
	result = unixname__close(name, result);
	if (result == 0)
		errno = saved;
	return result;
}

int unixname__check_proc(void)
{
	int saved = errno;

	if (faccessat(AT_FDCWD, "/proc/self/fd", F_OK, 0) == 0) {
		errno = saved;
		return 0;
	}
	errno = ENOSYS;
	return -1;
}

/* Makes a path that leads the kernel to the file of an O_PATH descriptor. */
static void set_descriptor_path(struct unixaddr *addr, int fd)
{
	char path[64];
	int size = snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	unixaddr_set_path(addr, path, (size_t)size);
}

static int find_path(const char *path, struct unixname_target *target)
{
	size_t size = strlen(path);

	if (size <= UNIXMSG_NAME_SIZE_MAX)
		return unixaddr_set_path(&target->addr, path, size);
	if (unixname__check_proc() < 0)
		return -1;
	target->fd = fd_lift(open(path, O_PATH | O_CLOEXEC));
	if (target->fd < 0)
		return -1;
	set_descriptor_path(&target->addr, target->fd);
	return 0;
}

int unixname__find(const char *text, struct unixname_target *target)
{
	char path[PATH_MAX];
	size_t size;

	target->fd = -1;
	if (strcmp(text, "@") == 0) {
		errno = EINVAL;
		return -1;
	}
	if (unixaddr__decode(text, path, sizeof(path), &size) < 0)
		return -1;
	if (path[0] == '\0')
		return unixaddr_parse(&target->addr, text);
	return find_path(path, target);
}

static int open_aside(const char *path)
{
	char dir[PATH_MAX], leaf[NAME_MAX + 1];
	int dir_fd, fd;

	if (split_path(path, dir, leaf) < 0)
		return -1;
	dir_fd = fd_lift(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (dir_fd < 0)
		return -1;
	fd = unixaside__open(dir_fd, leaf);
	fd_close(dir_fd);
	return fd;
}

int unixname__find_aside(const char *text, struct unixname_target *target)
{
	char path[PATH_MAX];
	size_t size;

	target->fd = -1;
	if (unixaddr__decode(text, path, sizeof(path), &size) < 0)
		return -1;
	if (path[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	/* The name alone could lead to another file by then. */
	if (unixname__check_proc() < 0)
		return -1;
	target->fd = open_aside(path);
	if (target->fd < 0)
		return -1;
	set_descriptor_path(&target->addr, target->fd);
	return 0;
}

int unixname__look(const char *text, struct stat *found)
{
	struct unixname_target target;
	char path[PATH_MAX];
	size_t size;
	int result;

	if (unixaddr__decode(text, path, sizeof(path), &size) < 0)
		return -1;
	if (stat(path, found) == 0)
		return 0;
	if (errno != ENOENT || unixname__find_aside(text, &target) < 0)
		return -1;
	result = fstat(target.fd, found);
	unixname__target_close(&target);
	return result;
}

void unixname__target_close(struct unixname_target *target)
{
	target->fd = fd_close(target->fd);
}
