/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "base/spin.h"
#include "unixmsg/deadline.h"

static const int64_t limit_most_us = 1000000;

/* A spin rests after this many misses in a row. */
static const uint32_t misses_most = 4;

/* Waking a process on another CPU takes about this long. */
static const int64_t wake_us = 50;

/* The first rest lasts 16 times as long as a trial, each next one twice as long
 * as the one before, up to 256 trials. */
static const uint32_t rest_first_bits = 4;
static const uint32_t rest_most_bits = 8;

static uint32_t get(const atomic_uint_least32_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void set(atomic_uint_least32_t *value, uint32_t wanted)
{
	atomic_store_explicit(value, wanted, memory_order_relaxed);
}

static void rest_until(struct spin *spin, int64_t moment_us)
{
	atomic_store_explicit(&spin->rest_until_us, moment_us,
		memory_order_relaxed);
}

/* The first spin is a trial, as if spins before it had been in vain. */
void unixspin__set(struct spin *spin, int64_t limit_us)
{
	if (limit_us < 0)
		limit_us = 0;
	if (limit_us > limit_most_us)
		limit_us = limit_most_us;
	set(&spin->limit_us, (uint32_t)limit_us);
	set(&spin->misses, misses_most);
	rest_until(spin, 0);
}

int64_t unixspin__get(const struct spin *spin)
{
	return get(&spin->limit_us);
}

/*
 * Returns how long to spin. If both sides sleep, each has to be woken before it
 * answers. A spin that is shorter than a wake-up would never find them awake
 * again.
 */
static int64_t get_length(const struct spin *spin)
{
	const int64_t limit_us = unixspin__get(spin);

	return limit_us < wake_us && get(&spin->misses) >= misses_most
		? wake_us
		: limit_us;
}

static void rest(struct spin *spin, int64_t now_us)
{
	uint32_t bits = get(&spin->misses) - misses_most + rest_first_bits;

	if (bits > rest_most_bits)
		bits = rest_most_bits;
	rest_until(spin, now_us + (get_length(spin) << bits));
}

static void note_miss(struct spin *spin)
{
	uint32_t misses = get(&spin->misses) + 1;

	if (misses > misses_most + rest_most_bits)
		misses = misses_most + rest_most_bits;
	set(&spin->misses, misses);
	if (misses >= misses_most)
		rest(spin, unixdeadline_now_us());
}

int64_t unixspin__begin_now(struct spin *spin, int64_t deadline_us)
{
	int64_t now_us, until_us;

	if (deadline_us == UNIXMSG_NOW)
		return 0;
	now_us = unixdeadline_now_us();
	if (now_us < atomic_load_explicit(&spin->rest_until_us,
			     memory_order_relaxed))
		return 0;
	until_us = now_us + get_length(spin);
	return until_us < deadline_us ? until_us : deadline_us;
}

bool unixspin__goes_on(int64_t until_us)
{
	return until_us > 0 && unixdeadline_now_us() < until_us;
}

void unixspin__note(struct spin *spin, bool has_paid)
{
	if (!has_paid)
		note_miss(spin);
	else if (get(&spin->misses) > 0)
		set(&spin->misses, 0);
}
