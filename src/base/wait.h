/* SPDX-License-Identifier: MIT */
/*
 * wait: how a call on an endpoint waits. It tries, perhaps spins, and sleeps:
 * in the system call itself if only success can end that, else in poll(2).
 *
 *	unixwait__begin(&wait, end, POLLIN, deadline_us);
 *	while ((size = recvmsg(end->fd, &header, wait.flags)) < 0)
 *		if (unixwait__again(&wait) < 0)
 *			return -1;
 *	unixwait__end(&wait);
 *
 * The caller restores errno.
 */
#ifndef UNIXMSG_WAIT_H
#define UNIXMSG_WAIT_H

#include <poll.h>
#include <sys/socket.h>

#include "base/deadline_private.h"
#include "base/endpoint.h"
#include "base/spin.h"

struct wait {
	struct endpoint *end;
	int64_t deadline_us;
	int64_t spin_until_us; /* 0: it does not spin, or no longer */
	int flags;             /* MSG_DONTWAIT, or 0 */
	short events;
	bool has_spun;
	bool has_slept;
};

static inline void unixwait__begin(struct wait *wait, struct endpoint *end,
	short events, int64_t deadline_us)
{
	wait->end = end;
	wait->deadline_us = deadline_us;
	wait->events = events;
	wait->has_spun = false;
	wait->has_slept = false;
	wait->spin_until_us = 0;
	/* A full queue takes longer than microseconds. */
	if (events == POLLIN)
		wait->spin_until_us = unixspin__begin(&end->spin, deadline_us);
	wait->flags = MSG_DONTWAIT;
	if (wait->spin_until_us == 0 &&
		unixdeadline__is_endless(end->stop_fd, deadline_us))
		wait->flags = 0;
}

/*
 * Waits after a system call has failed. Returns 0 to call it again, -1 when the
 * failure was no reason to wait, or the deadline or the stop has come.
 */
int unixwait__again(struct wait *wait);

/*
 * Tells whether a process that shares the socket has ended receiving by
 * shutdown(2). Returns false, with the reason in errno, when that cannot be
 * known.
 */
bool unixwait__is_shut(int fd);

/* Tells whether an empty datagram without a known sender is a phantom: the
 * kernel returns one to a call that sleeps when the socket is shut down. */
static inline bool unixwait__is_woken_by_shutdown(const struct wait *wait)
{
	return wait->flags == 0 && wait->end->type == SOCK_DGRAM &&
		unixwait__is_shut(wait->end->fd);
}

static inline void unixwait__end(struct wait *wait)
{
	if (wait->has_spun)
		unixspin__note(&wait->end->spin, true);
}

#endif
