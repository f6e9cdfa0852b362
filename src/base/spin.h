/* SPDX-License-Identifier: MIT */
/*
 * spin: tries for a while before it sleeps, where that pays.
 *
 * A wake-up costs a process on another CPU tens of microseconds, many times as
 * much as a message does. A process that tries again and again meanwhile uses
 * up a CPU instead. That pays when the message comes soon, and never when both
 * sides share a CPU, since then nobody can send while we try. So after several
 * spins in vain in a row it rests, for longer and longer, and makes a trial now
 * and then; trials take less than a hundredth of the time. A trial lasts 50 us
 * at least, so that a peer that sleeps can answer. There is no other
 * evidence: the number of CPUs that we may use says nothing about the other
 * side, which may be pinned to the same CPU or to another.
 *
 *	int64_t until_us = unixspin__begin(&spin, deadline_us);
 *
 *	while (!(is_there = try_without_waiting()))
 *		if (!unixspin__goes_on(until_us))
 *			break;
 *	if (until_us > 0 && it was not there at the first try)
 *		unixspin__note(&spin, is_there);
 *	if (!is_there)
 *		sleep();
 *
 * Several threads may use one struct spin at once: their notes get mixed, but
 * nothing worse happens.
 */
#ifndef UNIXMSG_SPIN_H
#define UNIXMSG_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct spin {
	atomic_uint_least32_t limit_us; /* 0: never */
	atomic_uint_least32_t misses;   /* in a row */
	atomic_int_least64_t rest_until_us;
};

/*
 * Sets how long spins last: limit_us, but not at all when that is 0 or less,
 * and a second at most.
 */
void unixspin__set(struct spin *spin, int64_t limit_us);

int64_t unixspin__get(const struct spin *spin);

/* Does the work of unixspin__begin when spins are switched on. */
int64_t unixspin__begin_now(struct spin *spin, int64_t deadline_us);

/*
 * Returns the time until which to try before sleeping; 0: sleep at once. Costs
 * nothing while spins are switched off, else a look at the clock.
 */
static inline int64_t unixspin__begin(struct spin *spin, int64_t deadline_us)
{
	if (atomic_load_explicit(&spin->limit_us, memory_order_relaxed) == 0)
		return 0;
	return unixspin__begin_now(spin, deadline_us);
}

/* Returns true if the last spin has ended with a message. */
static inline bool unixspin__pays(const struct spin *spin)
{
	return atomic_load_explicit(&spin->limit_us, memory_order_relaxed) >
		0 &&
		atomic_load_explicit(&spin->misses, memory_order_relaxed) == 0;
}

/* Tells whether to try once more. until_us may be 0. */
bool unixspin__goes_on(int64_t until_us);

/* Records how a spin has ended: with a message, or in vain. */
void unixspin__note(struct spin *spin, bool has_paid);

#endif
