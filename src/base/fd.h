/* SPDX-License-Identifier: MIT */
/*
 * Closing descriptors without losing the errno of what went before; keeping
 * ours away from the first three numbers; and whether they are short.
 */
#ifndef UNIXMSG_FD_H
#define UNIXMSG_FD_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* Closes fd, which may be -1, and gives -1 to store in its place. */
static inline int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

/* Closes fd and passes on result, with its errno. */
static inline int fd_close_with(int fd, int result)
{
	fd_close(fd);
	return result;
}

/*
 * A program that runs with one of the first three closed would get our socket
 * there, and what it prints would reach a peer as a message. Moves fd above
 * them, which costs nothing where it is. fd may be -1; on failure it is closed,
 * and -1 as fcntl(2).
 */
static inline int fd_lift(int fd)
{
	int lifted;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	lifted = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd_close_with(fd, lifted);
}

/* Whether a call has failed for want of descriptors or memory: it passes. */
static inline bool fd_is_shortage(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		errno == ENOBUFS;
}

#endif
