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

#include "fd.h"
#include "kernel.h"
#include "way.h"

/* Somebody who renames files at that moment lets a walk fail. */
enum { CACHED_TRIES = 4 };

static int refuse(void)
{
	errno = EPERM;
	return -1;
}

/* Their servers may keep us waiting for ever. */
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

/* Whether it begins with a byte as mountinfo writes them, \040: see proc(5). */
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

/* A line of mountinfo: the fifth field is where, what follows " - " is what. */
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

/* Where it is not known whether all lines were seen, errno tells why. */
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

/* Without /proc it cannot be told; a shortage is no reason to believe it. */
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

static int walk(const char *path, uint64_t resolve)
{
	const struct kernel_open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = resolve | KERNEL_RESOLVE_NO_MAGICLINKS,
	};

	return fd_lift(kernel_openat2(AT_FDCWD, path, &how));
}

/*
 * A file that a socket is bound to is in the kernel's cache with all that is
 * above it: no file system has to be asked.
 */
static int walk_cached(const char *path, uint64_t resolve)
{
	int fd = -1, i;

	for (i = 0; i < CACHED_TRIES; i++) {
		fd = walk(path, resolve | KERNEL_RESOLVE_CACHED);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* Kernels before 5.12 know no cached walk, before 5.6 no walk without links. */
static bool is_other_walk_needed(void)
{
	return errno == EAGAIN || errno == EINVAL || errno == ENOSYS ||
		errno == EPERM;
}

/* Permissions that were not looked up yet let a cached walk fail, too. */
static int walk_slowly(const char *path)
{
	int fd;

	if (check_hindrances(path) < 0)
		return -1;
	fd = walk(path, KERNEL_RESOLVE_NO_SYMLINKS);
	if (fd >= 0 || !is_other_walk_needed())
		return fd;
	if (is_below(path, "/proc"))
		return refuse();
	return fd_lift(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

int unixway_open(const char *path, bool may_follow)
{
	int fd = walk_cached(path, KERNEL_RESOLVE_NO_SYMLINKS);

	if (fd >= 0)
		return fd;
	if (errno == ELOOP && may_follow)
		fd = walk_cached(path, 0);
	else if (is_other_walk_needed())
		return walk_slowly(path);
	return fd < 0 && errno == EAGAIN ? refuse() : fd;
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

bool unixway_is_safe(const char *path, uid_t user)
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
