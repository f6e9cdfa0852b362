/* SPDX-License-Identifier: MIT */
/*
 * turn: what one thread does at a time. The one whose turn it is works for a
 * moment, for which the others wait, or waits for a message itself: then the
 * others fail at once, since they would get nothing before it does.
 *
 *	if (unixturn__take(&turn) < 0)
 *		return -1;
 *	work();
 *	unixturn__begin_wait(&turn);
 *	sleep();
 *	unixturn__end_wait(&turn);
 *	unixturn__give(&turn);
 *
 * All zero is a turn that nobody has.
 */
#ifndef UNIXMSG_TURN_H
#define UNIXMSG_TURN_H

#include <stdatomic.h>
#include <stdbool.h>

enum turn_state { TURN_FREE, TURN_WORKING, TURN_WAITING };

struct turn {
	atomic_int state;
};

/* As unixturn__take where somebody else has it. */
int unixturn__await(struct turn *turn);

/* Takes it if nobody has it. */
static inline bool unixturn__try(struct turn *turn)
{
	int state = TURN_FREE;

	return atomic_compare_exchange_strong_explicit(&turn->state, &state,
		TURN_WORKING, memory_order_acquire, memory_order_relaxed);
}

/* 0, or -1 with EAGAIN: the thread that has it waits. errno is kept on success.
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

#endif
