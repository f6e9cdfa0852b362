/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "wait.h"

/* The last try has failed: from now on the wait sleeps. */
static void stop_spinning(struct wait *wait)
{
	wait->spin_until_us = 0;
	wait->has_spun = false;
	unixspin_note(&wait->end->spin, false);
	if (unixdeadline_is_endless(wait->end->stop_fd, wait->deadline_us))
		wait->flags = 0;
}

int unixwait_again(struct wait *wait)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -1;
	if (unixspin_goes_on(wait->spin_until_us)) {
		wait->has_spun = true;
		return 0;
	}
	if (wait->spin_until_us > 0) {
		stop_spinning(wait);
		if (wait->flags == 0)
			return 0;
	}
	return unixdeadline_wait(wait->end->fd, wait->events,
		wait->end->stop_fd, wait->deadline_us);
}
