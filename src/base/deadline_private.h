/* SPDX-License-Identifier: MIT */
/* deadline: the waits of the library. */
#ifndef UNIXMSG_DEADLINE_PRIVATE_H
#define UNIXMSG_DEADLINE_PRIVATE_H

#include <errno.h>
#include <stdbool.h>

#include "unixmsg/deadline.h"

/*
 * Waits until fd is ready for events (see poll(2)), in error, or hung up: the
 * next system call tells which. Returns 0, or -1 with EAGAIN, ETIMEDOUT,
 * ECANCELED (stop_fd, which may be -1, became readable), or an errno of
 * ppoll(2).
 */
int unixdeadline__wait(int fd, short events, int stop_fd, int64_t deadline_us);

/*
 * Waits when nothing can be polled: for pause_us at most, or until the deadline
 * or the stop. Returns 0 when another try is worth it, else as above.
 */
int unixdeadline__pause(int64_t pause_us, int stop_fd, int64_t deadline_us);

/* Fails with EINVAL for a negative deadline: that is poll(2)'s "for ever" or a
 * time span, and never a future time. */
static inline int unixdeadline__check(int64_t deadline_us)
{
	if (deadline_us >= 0)
		return 0;
	errno = EINVAL;
	return -1;
}

/* Tells whether nothing can end a wait, so a call may sleep in the kernel. */
static inline bool unixdeadline__is_endless(int stop_fd, int64_t deadline_us)
{
	return deadline_us == UNIXMSG_FOREVER && stop_fd < 0;
}

#endif
