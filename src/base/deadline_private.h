/* SPDX-License-Identifier: MIT */
/* deadline: the waits of the library. */
#ifndef UNIXMSG_DEADLINE_PRIVATE_H
#define UNIXMSG_DEADLINE_PRIVATE_H

#include <errno.h>
#include <stdbool.h>

#include "unixmsg/deadline.h"

/*
 * Waits until fd is ready for events (see poll(2)), in error, or hung up: all
 * of them are for the next system call to tell. 0, or -1 with EAGAIN,
 * ETIMEDOUT, ECANCELED (stop_fd, which may be -1, became readable), or what
 * ppoll(2) says.
 */
int unixdeadline__wait(int fd, short events, int stop_fd, int64_t deadline_us);

/*
 * Waits where nothing can be polled: for pause_us at most, or until the
 * deadline or the stop. 0 when it is worth trying again, else as above.
 */
int unixdeadline__pause(int64_t pause_us, int stop_fd, int64_t deadline_us);

/* Whether a call may sleep in the kernel itself: nothing can end its wait. */
/* EINVAL for a negative one: poll(2)'s "for ever", or a time span, and never a
 * moment to come. */
static inline int unixdeadline__check(int64_t deadline_us)
{
	if (deadline_us >= 0)
		return 0;
	errno = EINVAL;
	return -1;
}

static inline bool unixdeadline__is_endless(int stop_fd, int64_t deadline_us)
{
	return deadline_us == UNIXMSG_FOREVER && stop_fd < 0;
}

#endif
