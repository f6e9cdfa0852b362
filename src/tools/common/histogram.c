/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <float.h>
#include <string.h>

#include "tools/common/histogram.h"

enum {
	PER_OCTAVE_BITS = 6,
	PER_OCTAVE = 1 << PER_OCTAVE_BITS,
	EXACT = 2 * PER_OCTAVE, /* values below have a bucket each */
};

void histogram_init(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

/* The buckets of the value's octave are 2^shift wide. */
static unsigned int get_shift(uint64_t value)
{
	unsigned int exponent = 63 - (unsigned int)__builtin_clzll(value);

	return exponent - PER_OCTAVE_BITS;
}

static unsigned int get_bucket(uint64_t value)
{
	unsigned int shift;

	if (value < EXACT)
		return (unsigned int)value;
	/* The leading bit is set in value >> shift: the octave before ends. */
	shift = get_shift(value);
	return shift * PER_OCTAVE + (unsigned int)(value >> shift);
}

static uint64_t get_middle(unsigned int bucket)
{
	unsigned int shift;
	uint64_t step;

	if (bucket < EXACT)
		return bucket;
	shift = bucket / PER_OCTAVE - 1;
	step = bucket % PER_OCTAVE + PER_OCTAVE;
	return (step << shift) + ((UINT64_C(1) << shift) >> 1);
}

void histogram_add(struct histogram *histogram, uint64_t value_ns)
{
	histogram->buckets[get_bucket(value_ns)]++;
	histogram->count++;
	if (value_ns < histogram->min)
		histogram->min = value_ns;
	if (value_ns > histogram->max)
		histogram->max = value_ns;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->buckets[i] += other->buckets[i];
	histogram->count += other->count;
	if (other->min < histogram->min)
		histogram->min = other->min;
	if (other->max > histogram->max)
		histogram->max = other->max;
}

uint64_t histogram_get_count(const struct histogram *histogram)
{
	return histogram->count;
}

uint64_t histogram_get_min(const struct histogram *histogram)
{
	return histogram->count > 0 ? histogram->min : 0;
}

uint64_t histogram_get_max(const struct histogram *histogram)
{
	return histogram->max;
}

/*
 * Returns ceil(q * count). Most shares have no exact double: 0.07 * 100 is
 * above 7. One bit less keeps the product at the whole number that it means,
 * and needs no libm.
 */
static uint64_t get_rank(uint64_t count, double q)
{
	double product = q * (1 - DBL_EPSILON) * (double)count;
	uint64_t rank = (uint64_t)product;

	return (double)rank < product ? rank + 1 : rank;
}

static uint64_t clamp(uint64_t value, uint64_t min, uint64_t max)
{
	if (value < min)
		return min;
	return value > max ? max : value;
}

static uint64_t find_rank(const struct histogram *histogram, uint64_t rank)
{
	unsigned int bucket = 0;
	uint64_t below = histogram->buckets[0];

	while (below < rank && bucket + 1 < HISTOGRAM_BUCKETS)
		below += histogram->buckets[++bucket];
	return clamp(get_middle(bucket), histogram->min, histogram->max);
}

uint64_t histogram_get_quantile(const struct histogram *histogram, double q)
{
	/* Not-a-number is no share, and returns here. */
	if (histogram->count == 0 || !(q > 0))
		return histogram_get_min(histogram);
	if (q >= 1)
		return histogram->max;
	return find_rank(histogram, get_rank(histogram->count, q));
}
