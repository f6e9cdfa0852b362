/* SPDX-License-Identifier: MIT */
/* timers: times to come, the earliest first, in a heap of pointers. */
#ifndef UNIXMSG_TIMERS_H
#define UNIXMSG_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* Part of the object that it wakes. */
struct timer {
	int64_t at_us;
	size_t place; /* in the heap, from 1 on; 0: not set */
};

struct timers {
	struct timer **heap; /* from 1 on */
	size_t count;
	size_t room;
	size_t promised;
};

/*
 * Reserves room for one more timer, so that setting it cannot fail. Its owner
 * gives the room back at its end. Returns 0, or -1 with ENOMEM.
 */
int unixtimers__reserve(struct timers *timers);
void unixtimers__unreserve(struct timers *timers);

/* Sets timer, or sets it anew. */
void unixtimers__set(struct timers *timers, struct timer *timer, int64_t at_us);

/* Clears timer, or does nothing if it is not set. */
void unixtimers__clear(struct timers *timers, struct timer *timer);

/* Returns the earliest time, UNIXMSG_FOREVER when there is none. */
int64_t unixtimers__get_next(const struct timers *timers);

/* Removes and returns a timer that is due; NULL when there is none. */
struct timer *unixtimers__take(struct timers *timers, int64_t now_us);

void unixtimers__free(struct timers *timers);

#endif
