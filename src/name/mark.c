/* SPDX-License-Identifier: MIT */
/*
 * The mark is a lock of one byte of the directory, see F_OFD_SETLK in fcntl(2).
 * Nothing is ever read or written there. The byte depends on the name. A
 * directory cannot be open for writing, so the lock is a read lock, which
 * excludes nobody: a process that sets it then looks for others.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "name/mark.h"

/* FNV-1a. 31 bits fit into off_t wherever the other process was built. */
static off_t get_place(const char *leaf)
{
	uint32_t hash = 2166136261;

	for (; *leaf != '\0'; leaf++)
		hash = (hash ^ (unsigned char)*leaf) * 16777619;
	return (off_t)(hash & INT32_MAX);
}

static int lock(int dir_fd, int command, struct flock *lock)
{
	if (fcntl(dir_fd, command, lock) == 0)
		return 0;
	if (errno == EBADF)
		errno = EACCES;
	return -1;
}

int unixmark__set(int dir_fd, const char *leaf)
{
	struct flock ours = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = get_place(leaf),
		.l_len = 1,
	};
	struct flock others = ours;

	/* The kernel tells of the locks in the way of this one, but not of our
	 * own. */
	others.l_type = F_WRLCK;
	if (lock(dir_fd, F_OFD_SETLK, &ours) < 0 ||
		lock(dir_fd, F_OFD_GETLK, &others) < 0)
		return -1;
	if (others.l_type == F_UNLCK)
		return 0;
	errno = EBUSY;
	return -1;
}
