/* SPDX-License-Identifier: MIT */
/* Closing descriptors without losing the errno of what went before. */
#ifndef UNIXMSG_FD_H
#define UNIXMSG_FD_H

#include <errno.h>
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

#endif
