/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_HISTOGRAM_H
#define UNIXMSG_TOOLS_HISTOGRAM_H

/*
 * Round-trip times in bounded memory. Values below 128 ns have a bucket each;
 * from there on 64 buckets of the same width share every power of two, so that
 * a bucket is never wider than 1/64 of the values in it, and its middle never
 * further than 1/128 (0.8 %) from any of them. All of uint64_t is covered.
 *
 * Nothing allocates and nothing fails. One thread at a time may use a
 * histogram.
 */

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 128 + 57 * 64 };

/* 30 KiB; its members are for histogram.c only. */
struct histogram {
	uint64_t count;
	uint64_t min;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram);

void histogram_add(struct histogram *histogram, uint64_t value_ns);

/* Adds all values of @other, which stays as it is, to @histogram. */
void histogram_merge(struct histogram *histogram,
	const struct histogram *other);

uint64_t histogram_get_count(const struct histogram *histogram);

/* These two are exact; 0 when there is no value. */
uint64_t histogram_get_min(const struct histogram *histogram);
uint64_t histogram_get_max(const struct histogram *histogram);

/*
 * The quantile by nearest rank: of n values in order, the ceil(q * n)-th, so
 * that at least the share @q of all values is not above it. Within 1 % of
 * that value, and never outside minimum and maximum; exactly the minimum for
 * @q of 0 or less, exactly the maximum for 1 or more; 0 when there is no value.
 */
uint64_t histogram_get_quantile(const struct histogram *histogram, double q);

#endif
