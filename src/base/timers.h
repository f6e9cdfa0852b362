/* SPDX-License-Identifier: MIT */
/* timers: moments to come, the earliest first, in a heap of pointers. */
#ifndef UNIXMSG_TIMERS_H
#define UNIXMSG_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* Part of what it wakes. */
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
 * Room for one timer more, so that setting it cannot fail; given back when its
 * owner goes. 0, or -1 with ENOMEM.
 */
int unixtimers__reserve(struct timers *timers);
void unixtimers__unreserve(struct timers *timers);

/* Sets timer, or sets it anew. */
void unixtimers__set(struct timers *timers, struct timer *timer, int64_t at_us);

/* Does nothing to one that is not set. */
void unixtimers__clear(struct timers *timers, struct timer *timer);

/* The earliest moment, UNIXMSG_FOREVER when there is none. */
int64_t unixtimers__get_next(const struct timers *timers);

/* Takes out a timer whose moment has come; NULL when there is none. */
struct timer *unixtimers__take(struct timers *timers, int64_t now_us);

void unixtimers__free(struct timers *timers);

#endif
