/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_HISTOGRAM_H
#define UNIXMSG_TOOLS_HISTOGRAM_H

/*
 * Round-trip times in bounded memory. Each value below 128 ns has a bucket of
 * its own. Above that, 64 buckets of equal width cover each power of two. So a
 * bucket is at most 1/64 as wide as its values are large, and its middle is at
 * most 1/128 (0.8 %) away from any of them. The buckets cover all of uint64_t.
 *
 * No function allocates or fails. One thread at a time may use a histogram.
 */

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 128 + 57 * 64 };

/* 30 KiB; only histogram.c uses its members. */
struct histogram {
	uint64_t count;
	uint64_t min;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram);

void histogram_add(struct histogram *histogram, uint64_t value_ns);

/* Adds all values of @other to @histogram; @other does not change. */
void histogram_merge(struct histogram *histogram,
	const struct histogram *other);

uint64_t histogram_get_count(const struct histogram *histogram);

/* Return the exact smallest and largest value, 0 for an empty histogram. */
uint64_t histogram_get_min(const struct histogram *histogram);
uint64_t histogram_get_max(const struct histogram *histogram);

/*
 * Returns the quantile @q by nearest rank: the ceil(q * n)-th of n sorted
 * values, so that at least the share @q of them is no larger. The result is
 * within 1 % of that value, and never outside minimum and maximum. It is the
 * exact minimum if @q is 0 or less, the exact maximum if @q is 1 or more, and 0
 * for an empty histogram.
 */
uint64_t histogram_get_quantile(const struct histogram *histogram, double q);

#endif
