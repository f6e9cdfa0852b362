/* SPDX-License-Identifier: MIT */
/*
 * SIGKILL can arrive between any two calls. It leaves a file under the hidden
 * name: a dead file that was to be removed, or the file of a live owner that
 * was to be replaced. The hidden name contains the name of the file.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/aside.h"
#include "name/file.h"
#include "name/probe.h"

struct aside {
	int dir_fd;
	const char *dir, *leaf;
	char name[UNIXFILE_ASIDE_SIZE];
	int fd; /* O_PATH */
	struct stat found;
};

static int open_name(int dir_fd, const char *name, struct stat *found)
{
	int fd = fd_lift(openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));

	if (fd >= 0 && fstat(fd, found) < 0)
		return fd_close(fd);
	return fd;
}

/*
 * In a sticky directory, where others may create files and cannot rename ours,
 * the file may be theirs: put there to get our name, or the messages of clients
 * that dial it.
 */
bool unixaside__is_trusted(int dir_fd, const struct stat *found)
{
	struct stat dir;

	if (!S_ISSOCK(found->st_mode))
		return false;
	if (found->st_uid == geteuid() || found->st_uid == 0)
		return true;
	return fstat(dir_fd, &dir) == 0 && (dir.st_mode & S_ISVTX) == 0;
}

/* Removes the hidden name: its file, or another one, has the old name. */
static void remove_it(const struct aside *aside)
{
	struct stat found;

	if (fstatat(aside->dir_fd, aside->name, &found, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		unixfile__is_same(&found, aside->found.st_dev,
			aside->found.st_ino))
		unlinkat(aside->dir_fd, aside->name, 0);
}

/* Settles the file of a live owner when there is a file at its old name. */
static void repair_with(const struct aside *aside, int leaf_fd,
	const struct stat *found)
{
	if (unixfile__is_same(found, aside->found.st_dev,
		    aside->found.st_ino)) {
		remove_it(aside);
		return;
	}
	if (!S_ISSOCK(found->st_mode))
		return;
	/* A process that was to replace the owner was killed after bind(2). */
	if (unixprobe__is_dead(leaf_fd, aside->dir, aside->leaf) == 0)
		unixfile__put_over(aside->dir_fd, aside->name, aside->leaf,
			found->st_dev, found->st_ino);
	else if (errno == EADDRINUSE)
		remove_it(aside);
}

static void put_back(const struct aside *aside)
{
	struct stat found;
	int fd;

	if (unixfile__put_back(aside->dir_fd, aside->name, aside->leaf) == 0)
		return;
	fd = open_name(aside->dir_fd, aside->leaf, &found);
	if (fd < 0)
		return;
	repair_with(aside, fd, &found);
	fd_close(fd);
}

static void repair(const struct aside *aside)
{
	if (!unixaside__is_trusted(aside->dir_fd, &aside->found))
		return;
	if (unixprobe__is_dead(aside->fd, aside->dir, aside->name) == 0)
		remove_it(aside);
	else if (errno == EADDRINUSE || errno == EREMOTE)
		put_back(aside);
}

bool unixaside__is_there(int dir_fd, const char *leaf)
{
	char name[UNIXFILE_ASIDE_SIZE];
	int saved = errno;
	bool is_there;

	unixfile__name_aside(leaf, name);
	is_there = faccessat(dir_fd, name, F_OK, 0) == 0;
	errno = saved;
	return is_there;
}

int unixaside__open(int dir_fd, const char *leaf)
{
	struct aside aside = { .dir_fd = dir_fd };

	unixfile__name_aside(leaf, aside.name);
	aside.fd = open_name(dir_fd, aside.name, &aside.found);
	if (aside.fd < 0 || unixaside__is_trusted(dir_fd, &aside.found))
		return aside.fd;
	fd_close(aside.fd);
	errno = ENOENT;
	return -1;
}

void unixaside__repair(int dir_fd, const char *dir, const char *leaf)
{
	struct aside aside = { .dir_fd = dir_fd, .dir = dir, .leaf = leaf };
	int saved = errno;

	unixfile__name_aside(leaf, aside.name);
	aside.fd = open_name(dir_fd, aside.name, &aside.found);
	if (aside.fd >= 0) {
		repair(&aside);
		close(aside.fd);
	}
	errno = saved;
}

const char *unixaside__get_leaf(const char *entry)
{
	const size_t size = strlen(UNIXFILE_ASIDE_START);

	if (strncmp(entry, UNIXFILE_ASIDE_START, size) != 0)
		return NULL;
	return entry + size;
}
