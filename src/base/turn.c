/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <sched.h>

#include "base/deadline_private.h"
#include "base/turn.h"

/* A waiting thread of higher priority can yield for ever without letting the
 * thread at work run. So it sleeps after this many yields. */
static const int yields_most = 64;

static const int64_t pause_us = 50;

int unixturn__await(struct turn *turn)
{
	int i, state;

	for (i = 0;; i++) {
		state = TURN_FREE;
		if (atomic_compare_exchange_weak_explicit(&turn->state, &state,
			    TURN_WORKING, memory_order_acquire,
			    memory_order_acquire))
			return 0;
		if (state == TURN_WAITING || state == TURN_HELD) {
			errno = state == TURN_HELD ? EINVAL : EAGAIN;
			return -1;
		}
		if (i < yields_most)
			sched_yield();
		else
			unixdeadline__pause(pause_us, -1, UNIXMSG_FOREVER);
	}
}
