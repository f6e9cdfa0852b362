/* SPDX-License-Identifier: MIT */
/*
 * unlink(2) cannot check the inode of the file that it removes. So we rename
 * the file to a name that nobody else uses, look at it there, and put it back
 * if it is the wrong one, but never over another file. Our own processes are
 * kept apart by the lock on the directory; the detour is for other programs,
 * which do not take it.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/deadline_private.h"
#include "name/file.h"
#include "unixmsg/addr.h"

static const int tries_most = 3;

bool unixfile__is_same(const struct stat *found, dev_t dev, ino_t ino)
{
	return found->st_dev == dev && found->st_ino == ino;
}

static int lock(int dir_fd, int operation, int64_t deadline_us)
{
	while (flock(dir_fd, operation | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return 0;
		if (unixdeadline__pause(1000, -1, deadline_us) < 0)
			return -1;
	}
	return 0;
}

int unixfile__lock(int dir_fd, int64_t deadline_us)
{
	return lock(dir_fd, LOCK_EX, deadline_us);
}

int unixfile__lock_shared(int dir_fd, int64_t deadline_us)
{
	return lock(dir_fd, LOCK_SH, deadline_us);
}

void unixfile__unlock(int dir_fd)
{
	int saved = errno;

	flock(dir_fd, LOCK_UN);
	errno = saved;
}

/* A longer leaf is cut, but no socket can be bound to a longer one. */
void unixfile__name_aside(const char *leaf, char aside[UNIXFILE_ASIDE_SIZE])
{
	snprintf(aside, UNIXFILE_ASIDE_SIZE, "%s%.*s", UNIXFILE_ASIDE_START,
		UNIXMSG_NAME_SIZE_MAX, leaf);
}

/* The dot makes it differ from the hidden name of any file. */
static int make_any_name(char aside[UNIXFILE_ASIDE_SIZE])
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) < 0)
		return -1;
	snprintf(aside, UNIXFILE_ASIDE_SIZE, "%s%016" PRIx64,
		UNIXFILE_ASIDE_ANY, random);
	return 0;
}

/*
 * The first name may be taken, by processes without the lock or by an attacker,
 * and some file systems lack RENAME_NOREPLACE. Then a random name has to do.
 */
static int hide(int dir_fd, const char *leaf, char aside[UNIXFILE_ASIDE_SIZE])
{
	unixfile__name_aside(leaf, aside);
	if (syscall(SYS_renameat2, dir_fd, leaf, dir_fd, aside,
		    RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == ENOENT || make_any_name(aside) < 0)
		return -1;
	return renameat(dir_fd, leaf, dir_fd, aside);
}

/*
 * link(2) never replaces a file either, so it serves on file systems without
 * RENAME_NOREPLACE. But only owners may link where fs.protected_hardlinks is
 * set. Not every libc wraps renameat2(2).
 */
int unixfile__put_back(int dir_fd, const char *aside, const char *leaf)
{
	int saved = errno;

	if (syscall(SYS_renameat2, dir_fd, aside, dir_fd, leaf,
		    RENAME_NOREPLACE) < 0) {
		if (errno == EEXIST ||
			linkat(dir_fd, aside, dir_fd, leaf, 0) < 0)
			return -1;
		unlinkat(dir_fd, aside, 0);
	}
	errno = saved;
	return 0;
}

static int check_leaf(int dir_fd, const char *leaf, dev_t dev, ino_t ino)
{
	struct stat found;

	if (fstatat(dir_fd, leaf, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (unixfile__is_same(&found, dev, ino))
		return 0;
	errno = EADDRINUSE;
	return -1;
}

/* The first check spares a wrong file the detour; the second is certain. */
int unixfile__set_aside(int dir_fd, const char *leaf, dev_t dev, ino_t ino,
	char aside[UNIXFILE_ASIDE_SIZE])
{
	int saved;

	if (check_leaf(dir_fd, leaf, dev, ino) < 0 ||
		hide(dir_fd, leaf, aside) < 0)
		return -1;
	if (check_leaf(dir_fd, aside, dev, ino) == 0)
		return 0;
	/* It is the wrong file, or we cannot check it. */
	saved = errno;
	unixfile__put_back(dir_fd, aside, leaf);
	errno = saved;
	return -1;
}

static int exchange(int dir_fd, const char *aside, const char *leaf)
{
	return (int)syscall(SYS_renameat2, dir_fd, aside, dir_fd, leaf,
		RENAME_EXCHANGE);
}

int unixfile__put_over(int dir_fd, const char *aside, const char *leaf,
	dev_t dev, ino_t ino)
{
	int saved;

	if (exchange(dir_fd, aside, leaf) < 0)
		return -1;
	if (check_leaf(dir_fd, aside, dev, ino) == 0)
		return unlinkat(dir_fd, aside, 0);
	/* Another file, or one that could not be looked at. */
	saved = errno;
	exchange(dir_fd, aside, leaf);
	errno = saved;
	return -1;
}

/* Nobody would look for the file under a random hidden name. */
int unixfile__remove_aside(int dir_fd, const char *aside, const char *leaf)
{
	int saved;

	if (unlinkat(dir_fd, aside, 0) == 0)
		return 0;
	saved = errno;
	unixfile__put_back(dir_fd, aside, leaf);
	errno = saved;
	return -1;
}

/* Without the lock another process may put back what we have just set aside. */
int unixfile__remove(int dir_fd, const char *leaf, dev_t dev, ino_t ino)
{
	char aside[UNIXFILE_ASIDE_SIZE];
	int result, tries = 0;

	do {
		if (unixfile__set_aside(dir_fd, leaf, dev, ino, aside) < 0)
			return errno == ENOENT ? 0 : -1;
		result = unixfile__remove_aside(dir_fd, aside, leaf);
	} while (result < 0 && errno == ENOENT && ++tries < tries_most);
	return result;
}
