/* SPDX-License-Identifier: MIT */
/*
 * yield: lets others have the processor before it sleeps, where that pays.
 *
 * A process that sleeps is woken by the first message, and takes the processor
 * away from its peer for it. A process that yields lets a peer on the same
 * processor work in bulk. But a third process, which computes, may keep the
 * processor for milliseconds. So after a yield that was no gain, the process
 * sleeps without a yield, for many times as long as that yield has taken.
 *
 *	since_us = unixyield__begin(&yield);
 *	if (since_us > 0) {
 *		sched_yield();
 *		if (there is nothing yet || unixyield__is_late(since_us))
 *			unixyield__rest(&yield, since_us);
 *	}
 *
 * A structure of zeros may yield at once. Several threads may use it at once.
 */
#ifndef UNIXMSG_YIELD_H
#define UNIXMSG_YIELD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct yield {
	atomic_int_least64_t rest_until_us;
};

/* Returns the time at which a yield begins, or 0 during a rest. */
int64_t unixyield__begin(const struct yield *yield);

/* Returns true if the yield took longer than a peer that works in bulk. */
bool unixyield__is_late(int64_t since_us);

void unixyield__rest(struct yield *yield, int64_t since_us);

#endif
