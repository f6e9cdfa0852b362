/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "base/yield.h"
#include "unixmsg/deadline.h"

/* A process that computes keeps the processor for longer than this. */
static const int64_t late_us = 1000;

/* Yields in vain cost a 16th of the time at most. */
static const int64_t rest_factor = 16;

int64_t unixyield__begin(const struct yield *yield)
{
	const int64_t now_us = unixdeadline_now_us();

	return now_us < atomic_load_explicit(&yield->rest_until_us,
				memory_order_relaxed)
		? 0
		: now_us;
}

bool unixyield__is_late(int64_t since_us)
{
	return unixdeadline_now_us() - since_us > late_us;
}

void unixyield__rest(struct yield *yield, int64_t since_us)
{
	const int64_t now_us = unixdeadline_now_us();

	atomic_store_explicit(&yield->rest_until_us,
		now_us + (now_us - since_us + 1) * rest_factor,
		memory_order_relaxed);
}
