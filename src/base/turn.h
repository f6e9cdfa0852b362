/* SPDX-License-Identifier: MIT */
/*
 * turn: work that only one thread does at a time. The thread that has the turn
 * works for a moment, and the others wait for that. Or it waits for a message:
 * then the others fail at once, since they would get nothing before it does.
 *
 *	if (unixturn__take(&turn) < 0)
 *		return -1;
 *	work();
 *	unixturn__begin_wait(&turn);
 *	sleep();
 *	unixturn__end_wait(&turn);
 *	unixturn__give(&turn);
 *
 * A call may also hold the turn for a later call. Until that one comes, all
 * others fail, since they are in the wrong order.
 *
 * A structure of zeros is a turn that no thread has.
 */
#ifndef UNIXMSG_TURN_H
#define UNIXMSG_TURN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/threads.h"

enum turn_state { TURN_FREE, TURN_WORKING, TURN_WAITING, TURN_HELD };

struct turn {
	atomic_int state;
};

/* Does the work of unixturn__take if another thread has the turn. */
int unixturn__await(struct turn *turn);

/* Begins to work if the turn is in that state. Returns whether it was. */
static inline bool unixturn__begin(struct turn *turn, int state)
{
	if (threads_is_single()) {
		if (atomic_load_explicit(&turn->state, memory_order_relaxed) !=
			state)
			return false;
		atomic_store_explicit(&turn->state, TURN_WORKING,
			memory_order_relaxed);
		return true;
	}
	return atomic_compare_exchange_strong_explicit(&turn->state, &state,
		TURN_WORKING, memory_order_acquire, memory_order_relaxed);
}

/* Takes the turn if no thread has it. Returns whether it did. */
static inline bool unixturn__try(struct turn *turn)
{
	return unixturn__begin(turn, TURN_FREE);
}

/*
 * Takes the turn. Returns 0, and keeps errno; -1 with EAGAIN if the thread that
 * has it waits for a message, or with EINVAL if it is held. The caller sees all
 * that was done before the turn was given or held.
 */
static inline int unixturn__take(struct turn *turn)
{
	return unixturn__try(turn) ? 0 : unixturn__await(turn);
}

static inline void unixturn__give(struct turn *turn)
{
	atomic_store_explicit(&turn->state, TURN_FREE, memory_order_release);
}

static inline void unixturn__begin_wait(struct turn *turn)
{
	atomic_store_explicit(&turn->state, TURN_WAITING, memory_order_relaxed);
}

static inline void unixturn__end_wait(struct turn *turn)
{
	atomic_store_explicit(&turn->state, TURN_WORKING, memory_order_relaxed);
}

static inline void unixturn__hold(struct turn *turn)
{
	atomic_store_explicit(&turn->state, TURN_HELD, memory_order_release);
}

/* Takes the turn that is held. Returns whether it was. */
static inline bool unixturn__resume(struct turn *turn)
{
	return unixturn__begin(turn, TURN_HELD);
}

#endif
