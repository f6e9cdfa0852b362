/* SPDX-License-Identifier: MIT */
/*
 * spin: trying for a while before sleeping, where that pays.
 *
 * Being woken up costs a process on another CPU tens of microseconds, many
 * times what a message costs; who tries again and again meanwhile pays with a
 * CPU instead. It pays when what is waited for comes soon, and never where
 * both share a CPU, since then nobody can send while we try. So a spin that
 * was in vain several times in a row rests, for longer and longer, and is
 * tried now and then; trials take less than a hundredth of the time. That is
 * all the evidence there is: how many CPUs we may use tells nothing of the
 * other side, which may be pinned to the same or to another.
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
 * Several threads may use one struct spin at once: what they note gets mixed,
 * and nothing worse.
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
 * From now on spins last limit_us: not at all when that is 0 or less, and a
 * second at most.
 */
void unixspin__set(struct spin *spin, int64_t limit_us);

int64_t unixspin__get(const struct spin *spin);

/* unixspin__begin where it is switched on. */
int64_t unixspin__begin_now(struct spin *spin, int64_t deadline_us);

/*
 * The moment until which to try before sleeping; 0: sleep at once. Costs
 * nothing while it is switched off, else a look at the clock.
 */
static inline int64_t unixspin__begin(struct spin *spin, int64_t deadline_us)
{
	if (atomic_load_explicit(&spin->limit_us, memory_order_relaxed) == 0)
		return 0;
	return unixspin__begin_now(spin, deadline_us);
}

/* Whether to try once more. until_us may be 0. */
bool unixspin__goes_on(int64_t until_us);

/* How a spin has ended: what was waited for has come, or the time is over. */
void unixspin__note(struct spin *spin, bool has_paid);

#endif
