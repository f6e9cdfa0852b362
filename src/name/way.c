/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "name/way.h"

/* A walk fails if somebody renames files at that moment. */
enum { CACHED_TRIES = 4 };

/* The kernel follows no more. */
enum { LINKS_MOST = 40 };

static int refuse(void)
{
	errno = EPERM;
	return -1;
}

/* The servers of these file systems may keep us waiting for ever. */
static bool is_distant(const char *type)
{
	static const char *const types[] = { "9p", "afs", "autofs", "ceph",
		"cifs", "coda", "fuse", "gfs2", "lustre", "nfs", "ocfs2",
		"orangefs", "smb", "virtiofs" };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncmp(type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

/* Tells whether text begins with an escape of mountinfo, \040: see proc(5). */
static bool is_escaped(const char *text, unsigned int *byte)
{
	int i;

	*byte = 0;
	if (text[0] != '\\')
		return false;
	for (i = 1; i <= 3; i++) {
		if (text[i] < '0' || text[i] > '7')
			return false;
		*byte = *byte * 8 + (unsigned int)(text[i] - '0');
	}
	return true;
}

static void unescape(char *text)
{
	unsigned int byte;
	char *to = text;

	for (; *text != '\0'; text++, to++) {
		if (is_escaped(text, &byte)) {
			*to = (char)byte;
			text += 3;
		} else {
			*to = *text;
		}
	}
	*to = '\0';
}

static bool is_below(const char *path, const char *mount)
{
	const size_t size = strlen(mount);

	return strncmp(path, mount, size) == 0 &&
		(size == 1 || path[size] == '/' || path[size] == '\0');
}

/* In a line of mountinfo the fifth field is the mount point, and the type
 * follows " - ". */
static bool is_hindrance(char *line, const char *path)
{
	const char *type = strstr(line, " - ");
	char *mount = line, *end;
	int i;

	for (i = 0; i < 4 && mount != NULL; i++)
		mount = strchr(mount + (i > 0), ' ');
	if (mount == NULL || type == NULL || !is_distant(type + 3))
		return false;
	end = strchr(++mount, ' ');
	if (end == NULL)
		return false;
	*end = '\0';
	unescape(mount);
	return is_below(path, mount);
}

/* If some lines may not have been read, errno tells why. */
static int find_hindrance(FILE *file, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	bool is_found = false;
	int saved;

	while (!is_found && getline(&line, &room, file) > 0)
		is_found = is_hindrance(line, path);
	saved = errno;
	free(line);
	errno = saved;
	if (is_found)
		return refuse();
	return feof(file) ? 0 : -1;
}

/* Without /proc every path passes, as nothing is known; in a shortage, none. */
static int check_hindrances(const char *path)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	int result, saved;

	if (file == NULL)
		return errno == ENOENT ? 0 : -1;
	result = find_hindrance(file, path);
	saved = errno;
	fclose(file);
	errno = saved;
	return result;
}

static int walk(const char *path, uint64_t resolve, uint64_t flags)
{
	const struct kernel_open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = resolve | KERNEL_RESOLVE_NO_MAGICLINKS,
	};

	return fd_lift(kernel_openat2(AT_FDCWD, path, &how));
}

/*
 * A file that a socket is bound to is in the kernel's cache, with all
 * directories above it. So no file system has to be asked.
 */
static int walk_cached(const char *path, uint64_t resolve, uint64_t flags)
{
	int fd = -1, i;

	for (i = 0; i < CACHED_TRIES; i++) {
		fd = walk(path, resolve | KERNEL_RESOLVE_CACHED, flags);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* Kernels before 5.12 lack the cached walk, and before 5.6 openat2(2). */
static bool is_other_walk_needed(void)
{
	return errno == EAGAIN || errno == EINVAL || errno == ENOSYS ||
		errno == EPERM;
}

/* A cached walk also fails on permissions that were not yet looked up. */
static int walk_slowly(const char *path)
{
	int fd;

	if (check_hindrances(path) < 0)
		return -1;
	fd = walk(path, KERNEL_RESOLVE_NO_SYMLINKS, 0);
	if (fd >= 0 || !is_other_walk_needed())
		return fd;
	if (is_below(path, "/proc"))
		return refuse();
	return fd_lift(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

/* A path that is followed by hand: the walked part has no link in it. */
struct trail {
	char walked[PATH_MAX];
	size_t size;
	char rest[PATH_MAX + 1];
	int links;
};

/* Moves the next name from the rest to the walked part. */
static int step(struct trail *trail)
{
	const char *name = trail->rest + 1, *end = strchr(name, '/');
	size_t size = end == NULL ? strlen(name) : (size_t)(end - name);

	if (trail->size + size + 1 >= sizeof(trail->walked)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (size == 2 && memcmp(name, "..", 2) == 0) {
		while (trail->size > 0 && trail->walked[--trail->size] != '/')
			continue;
	} else if (size > 0 && !(size == 1 && *name == '.')) {
		memcpy(trail->walked + trail->size, trail->rest, size + 1);
		trail->size += size + 1;
	}
	trail->walked[trail->size] = '\0';
	memmove(trail->rest, name + size, strlen(name + size) + 1);
	return 0;
}

/* Replaces the link by its target, which is still to be walked. */
static int turn(struct trail *trail, int link_fd)
{
	char target[PATH_MAX];
	ssize_t size;
	int both;

	if (++trail->links > LINKS_MOST) {
		errno = ELOOP;
		return -1;
	}
	if (is_below(trail->walked, "/proc"))
		return refuse();
	if (check_hindrances(trail->walked) < 0)
		return -1;
	size = readlinkat(link_fd, "", target, sizeof(target));
	if (size < 0)
		return -1;
	both = snprintf(target + size, sizeof(target) - (size_t)size, "%s",
		trail->rest);
	if ((size_t)size + (size_t)both + 1 >= sizeof(target)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	while (target[0] != '/' && trail->walked[--trail->size] != '/')
		continue;
	if (target[0] == '/')
		trail->size = 0;
	trail->walked[trail->size] = '\0';
	snprintf(trail->rest, sizeof(trail->rest), "%s%s",
		target[0] == '/' ? "" : "/", target);
	return 0;
}

/* Opens the file at the walked part. Of a link, O_NOFOLLOW opens the link
 * itself; without it, the error is ELOOP. */
static int open_walked(const struct trail *trail, uint64_t flags)
{
	const char *path = trail->size == 0 ? "/" : trail->walked;
	int fd = walk_cached(path, KERNEL_RESOLVE_NO_SYMLINKS, flags);

	if (fd >= 0 || errno != EAGAIN)
		return fd;
	if (check_hindrances(path) < 0)
		return -1;
	return walk(path, KERNEL_RESOLVE_NO_SYMLINKS, flags);
}

/* Opens the walked part, or turns where a link there leads. */
static int open_or_turn(struct trail *trail)
{
	int fd = open_walked(trail, 0);

	if (fd >= 0 || errno != ELOOP)
		return fd;
	fd = open_walked(trail, O_NOFOLLOW);
	if (fd < 0 || turn(trail, fd) < 0)
		return fd_close_with(fd, -1);
	return fd;
}

/*
 * A cached walk cannot record when a link was last read, and fails when the
 * kernel must: once a day, or each time, depending on the mount. Then we read
 * the links one by one, and none on a file system that may hang.
 */
static int follow(const char *path)
{
	struct trail trail = { .size = 0 };
	int fd = -1;

	snprintf(trail.rest, sizeof(trail.rest), "%s", path);
	while (trail.rest[0] != '\0') {
		fd_close(fd);
		if (step(&trail) < 0)
			return -1;
		fd = open_or_turn(&trail);
		if (fd < 0)
			return -1;
	}
	if (check_hindrances(trail.walked) < 0)
		return fd_close_with(fd, -1);
	return fd;
}

int unixway__open(const char *path, bool may_follow)
{
	int fd = walk_cached(path, KERNEL_RESOLVE_NO_SYMLINKS, 0);

	if (fd >= 0)
		return fd;
	if (errno == ELOOP && may_follow) {
		fd = walk_cached(path, 0, 0);
		return fd < 0 && errno == EAGAIN ? follow(path) : fd;
	}
	if (is_other_walk_needed())
		return walk_slowly(path);
	return fd;
}

static bool is_held_by(const char *dir, uid_t user)
{
	struct stat found;

	if (stat(dir, &found) < 0 ||
		(found.st_uid != 0 && found.st_uid != user))
		return false;
	return (found.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
		(found.st_mode & S_ISVTX) != 0;
}

bool unixway__is_safe(const char *path, uid_t user)
{
	char dir[PATH_MAX];
	char *slash;
	int saved = errno;
	bool is_safe = is_held_by("/", user);

	snprintf(dir, sizeof(dir), "%s", path);
	for (slash = strchr(dir + 1, '/'); is_safe && slash != NULL;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		is_safe = is_held_by(dir, user);
		*slash = '/';
	}
	errno = saved;
	return is_safe;
}
