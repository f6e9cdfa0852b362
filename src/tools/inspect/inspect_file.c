/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "tools/inspect/inspect_file.h"
#include "tools/inspect/inspect_text.h"

/* Room for "/proc/self/fd/N". */
#define WAY_SIZE 32

static void set_way(char way[WAY_SIZE], int fd)
{
	snprintf(way, WAY_SIZE, "/proc/self/fd/%d", fd);
}

static bool has_acl(const struct inspect_file *file)
{
	char way[WAY_SIZE];

	set_way(way, file->fd);
	return getxattr(way, "system.posix_acl_access", NULL, 0) > 0;
}

static int read_file(struct inspect_file *file, struct unixdiag_mount *mount)
{
	if (fstat(file->fd, &file->status) < 0)
		return -1;
	if (unixdiag__identify(file->fd, mount, &file->id) < 0)
		return -1;
	file->has_acl = has_acl(file);
	return 0;
}

int inspect_file_open(struct inspect_file *file, int dir_fd, const char *path,
	struct unixdiag_mount *mount)
{
	struct stat link;

	memset(file, 0, sizeof(*file));
	file->fd = -1;
	if (fstatat(dir_fd, path, &link, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	file->is_link = S_ISLNK(link.st_mode);
	file->fd = openat(dir_fd, path, O_PATH | O_CLOEXEC);
	if (file->fd < 0)
		return -1;
	if (read_file(file, mount) == 0)
		return 0;
	file->fd = fd_close(file->fd);
	return -1;
}

void inspect_file_close(struct inspect_file *file)
{
	file->fd = fd_close(file->fd);
}

bool inspect_file_is_socket(const struct inspect_file *file)
{
	return S_ISSOCK(file->status.st_mode);
}

const char *inspect_file_get_kind(const struct inspect_file *file)
{
	switch (file->status.st_mode & S_IFMT) {
	case S_IFSOCK:
		return "socket";
	case S_IFREG:
		return "regular file";
	case S_IFDIR:
		return "directory";
	case S_IFIFO:
		return "fifo";
	case S_IFCHR:
		return "character device";
	case S_IFBLK:
		return "block device";
	case S_IFLNK:
		return "symbolic link";
	default:
		return "file of an unknown kind";
	}
}

/* Not access(2), which checks the real user; connect(2) checks the effective
 * one. */
bool inspect_file_may_send(const struct inspect_file *file)
{
	char way[WAY_SIZE];

	set_way(way, file->fd);
	return euidaccess(way, W_OK) == 0;
}

/*
 * The kernel checks one class only: an owner without the bit may not send, even
 * if all others may.
 */
static void describe_class(const struct stat *status, mode_t bit, char *text,
	size_t room)
{
	const char *user = inspect_text_user(status->st_uid);
	const char *group = inspect_text_group(status->st_gid);
	bool has_user = (status->st_mode & (bit << 6)) != 0;
	bool has_group = (status->st_mode & (bit << 3)) != 0;
	bool has_others = (status->st_mode & bit) != 0;

	if (has_others && has_user && has_group)
		snprintf(text, room, "everybody");
	else if (has_others && !has_user && !has_group)
		snprintf(text, room, "everybody but user %s and group %s", user,
			group);
	else if (has_others)
		snprintf(text, room, "everybody but %s %s",
			has_user ? "group" : "user", has_user ? group : user);
	else if (has_user && has_group)
		snprintf(text, room, "user %s; group %s", user, group);
	else if (has_user || has_group)
		snprintf(text, room, "%s %s", has_user ? "user" : "group",
			has_user ? user : group);
	else
		snprintf(text, room, "nobody but root");
}

void inspect_file_describe_senders(const struct inspect_file *file, char *text,
	size_t room)
{
	size_t used;

	describe_class(&file->status, S_IWOTH, text, room);
	if (!file->has_acl)
		return;
	used = strlen(text);
	snprintf(text + used, room - used,
		", but an access list decides: getfacl(1) shows it");
}

static bool lets_all_through(const struct stat *status)
{
	const mode_t all = S_IXUSR | S_IXGRP | S_IXOTH;

	return (status->st_mode & all) == all;
}

static bool describe_directory(const char *directory, char *text, size_t room)
{
	char shown[256];
	struct stat status;
	int used;

	if (stat(directory, &status) < 0 || lets_all_through(&status))
		return false;
	inspect_text_bytes(directory, strlen(directory), shown, sizeof(shown));
	used = snprintf(text, room, "%s: ", shown);
	if (used < 0 || (size_t)used >= room)
		return false;
	describe_class(&status, S_IXOTH, text + used, room - (size_t)used);
	return true;
}

/* Describes only the directory nearest to the root, which blocks first. */
bool inspect_file_describe_way(const struct inspect_file *file, char *text,
	size_t room)
{
	char way[WAY_SIZE], path[PATH_MAX];
	char *slash;
	ssize_t size;

	set_way(way, file->fd);
	size = readlink(way, path, sizeof(path) - 1);
	if (size <= 0)
		return false;
	path[size] = '\0';
	for (slash = strchr(path + 1, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (describe_directory(path, text, room))
			return true;
		*slash = '/';
	}
	return false;
}
