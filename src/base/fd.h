/* SPDX-License-Identifier: MIT */
/*
 * fd: closes descriptors and keeps errno, keeps ours away from the first three
 * numbers, and recognises a shortage.
 */
#ifndef UNIXMSG_FD_H
#define UNIXMSG_FD_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* Closes fd, which may be -1, and returns -1 to store in its place. */
static inline int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

/* Closes fd and returns result, with its errno. */
static inline int fd_close_with(int fd, int result)
{
	fd_close(fd);
	return result;
}

/*
 * Moves fd above the first three numbers, which costs nothing if it is there
 * already. A program that runs with one of these closed would get our socket
 * there, and what it prints would reach a peer as a message. fd may be -1; on
 * failure it is closed, and the call returns -1 like fcntl(2).
 */
static inline int fd_lift(int fd)
{
	int lifted;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	lifted = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd_close_with(fd, lifted);
}

/* Tells whether a call failed for a passing lack of descriptors or memory. */
static inline bool fd_is_shortage(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		errno == ENOBUFS;
}

#endif
