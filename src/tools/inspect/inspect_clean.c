/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/addr_private.h"
#include "base/fd.h"
#include "name/name_private.h"
#include "tools/common/tool.h"
#include "tools/inspect/inspect_clean.h"
#include "unixmsg/deadline.h"

/* The longest wait for the lock on a directory. */
static const int64_t lock_us = 5000000;

static void say(const struct inspect_clean *clean,
	const struct inspect_finding *finding, const char *what)
{
	if (!clean->is_quiet)
		printf("%s: %s\n", finding->address, what);
}

static void complain(struct inspect_clean *clean,
	const struct inspect_finding *finding, const char *why)
{
	clean->has_failed = true;
	tool_complain("%s: kept: %s", finding->address, why);
}

/* Opens the directory of path, and sets *leaf to the last part. */
static int open_directory(char *path, const char **leaf)
{
	char *slash = strrchr(path, '/');
	const char *directory = path;

	if (slash == NULL) {
		*leaf = path;
		directory = ".";
	} else {
		*leaf = slash + 1;
		*slash = '\0';
		if (slash == path)
			directory = "/";
	}
	return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Fails if the name leads to another file than before. */
static int check_is_that(int dir_fd, const char *leaf,
	const struct inspect_file *file)
{
	struct stat found;

	if (fstatat(dir_fd, leaf, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (found.st_dev == file->status.st_dev &&
		found.st_ino == file->status.st_ino)
		return 0;
	errno = EADDRINUSE;
	return -1;
}

static int remove_file(const struct inspect_finding *finding)
{
	char path[PATH_MAX];
	const char *leaf;
	size_t size;
	int dir_fd, result;

	if (unixaddr__decode(finding->address, path, sizeof(path), &size) < 0)
		return -1;
	dir_fd = open_directory(path, &leaf);
	if (dir_fd < 0)
		return -1;
	result = check_is_that(dir_fd, leaf, finding->file);
	if (result == 0)
		result = unixname__remove_dead(dir_fd, NULL, leaf,
			finding->file->fd, unixdeadline_after_us(lock_us));
	return fd_close_with(dir_fd, result);
}

static void explain_failure(struct inspect_clean *clean,
	const struct inspect_finding *finding)
{
	switch (errno) {
	case EADDRINUSE:
		say(clean, finding, "kept: alive: a server has just appeared");
		return;
	case ENOENT:
		say(clean, finding, "gone already");
		return;
	case ETIMEDOUT:
		clean->is_locked_out = true;
		complain(clean, finding,
			"somebody holds the lock on the directory");
		return;
	default:
		complain(clean, finding, strerror(errno));
	}
}

static void clean_dead(struct inspect_clean *clean,
	const struct inspect_finding *finding)
{
	if (finding->file->is_link)
		say(clean, finding, "kept: a symbolic link");
	else if (clean->is_dry_run)
		say(clean, finding, "would be removed");
	else if (clean->is_locked_out)
		complain(clean, finding,
			"somebody holds the lock on the directory");
	else if (remove_file(finding) == 0)
		say(clean, finding, "removed");
	else
		explain_failure(clean, finding);
}

void inspect_clean_show(void *context, const struct inspect_finding *finding)
{
	struct inspect_clean *clean = context;

	switch (finding->state) {
	case INSPECT_DEAD:
		clean_dead(clean, finding);
		return;
	case INSPECT_UNKNOWN:
		complain(clean, finding, finding->why);
		return;
	case INSPECT_NOBODY:
		clean->has_failed = true;
		tool_complain("%s: %s", finding->address, finding->why);
		return;
	case INSPECT_NOT_A_SOCKET:
		say(clean, finding, "kept: not a socket");
		return;
	default:
		say(clean, finding,
			finding->file == NULL ? "kept: no file"
					      : "kept: alive");
	}
}
