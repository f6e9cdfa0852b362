/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "base/wait.h"

/* The last try of the spin has failed: from now on the wait sleeps. */
static void stop_spinning(struct wait *wait)
{
	wait->spin_until_us = 0;
	wait->has_spun = false;
	unixspin__note(&wait->end->spin, false);
	if (unixdeadline__is_endless(wait->end->stop_fd, wait->deadline_us))
		wait->flags = 0;
}

bool unixwait__is_shut(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLRDHUP };
	int count;

	do
		count = poll(&ready, 1, 0);
	while (count < 0 && errno == EINTR);
	return count == 1 && (ready.revents & POLLRDHUP) != 0;
}

/*
 * A datagram socket that was shut down stays readable, and gives no message. We
 * check for that only after a wake-up in vain, which otherwise happens rarely:
 * when another reader was quicker.
 */
static int sleep_until_ready(struct wait *wait)
{
	if (wait->has_slept && wait->events == POLLIN &&
		wait->end->type == SOCK_DGRAM &&
		unixwait__is_shut(wait->end->fd)) {
		errno = ESHUTDOWN;
		return -1;
	}
	wait->has_slept = true;
	return unixdeadline__wait(wait->end->fd, wait->events,
		wait->end->stop_fd, wait->deadline_us);
}

int unixwait__again(struct wait *wait)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -1;
	if (unixspin__goes_on(wait->spin_until_us)) {
		wait->has_spun = true;
		return 0;
	}
	if (wait->spin_until_us > 0) {
		stop_spinning(wait);
		if (wait->flags == 0)
			return 0;
	}
	return sleep_until_ready(wait);
}
