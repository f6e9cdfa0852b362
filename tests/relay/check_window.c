/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "relay/window.h"
#include "support/support.h"

enum { SIZE = 4000 };

/* Where counters are that were not made for it wrap around. */
static const uint64_t starts[] = { 0, UINT32_MAX - 2000, UINT32_MAX,
	INT64_MAX - 2000, INT64_MAX, UINT64_MAX - 2000, UINT64_MAX };

static const uint64_t seed = 0x5eed0f3c91d2a7b4;

static struct window_out out;
static struct window_in in;

static void open_at(uint64_t start)
{
	window_out_init(&out, start);
	window_in_init(&in, SIZE, start);
}

/* The sender learns of the receiver's credit. */
static void tell(void)
{
	ck_assert_int_eq(window_out_raise(&out, window_in_tell(&in)), 0);
}

static void pass(size_t size)
{
	ck_assert(window_out_is_open(&out));
	window_out_charge(&out, size);
	ck_assert_int_eq(window_in_charge(&in, size), 0);
}

START_TEST(without_credit_nothing_is_sent)
{
	open_at(starts[_i]);
	ck_assert(!window_out_is_open(&out));
	ck_assert(window_in_is_due(&in));
	tell();
	ck_assert(window_out_is_open(&out));
	ck_assert(!window_in_is_due(&in));
}
END_TEST

START_TEST(empty_messages_use_up_the_credit)
{
	int count = 0;

	open_at(starts[_i]);
	tell();
	for (; window_out_is_open(&out); count++)
		pass(0);
	ck_assert_int_eq(count, SIZE / WINDOW_OVERHEAD + 1);
}
END_TEST

START_TEST(a_message_may_be_larger_than_the_window)
{
	open_at(starts[_i]);
	tell();
	pass(100000);
	ck_assert(!window_out_is_open(&out));
	ck_assert(!window_in_is_due(&in));
	window_in_release(&in, 100000);
	ck_assert(window_in_is_due(&in));
	tell();
	ck_assert(window_out_is_open(&out));
}
END_TEST

START_TEST(credit_is_told_by_quarters)
{
	open_at(starts[_i]);
	tell();
	pass(SIZE / 4 - WINDOW_OVERHEAD - 1);
	pass(1);
	window_in_release(&in, SIZE / 4 - WINDOW_OVERHEAD - 1);
	ck_assert(!window_in_is_due(&in));
	window_in_release(&in, 1);
	ck_assert(window_in_is_due(&in));
}
END_TEST

START_TEST(a_later_credit_makes_up_for_a_lost_one)
{
	open_at(starts[_i]);
	tell();
	pass(1000);
	window_in_release(&in, 1000);
	window_in_tell(&in);
	pass(1000);
	window_in_release(&in, 1000);
	tell();
	ck_assert_uint_eq(out.credit - out.sent, SIZE);
}
END_TEST

START_TEST(an_old_credit_changes_nothing)
{
	uint64_t old;

	open_at(starts[_i]);
	old = window_in_tell(&in);
	ck_assert_int_eq(window_out_raise(&out, old), 0);
	pass(1000);
	window_in_release(&in, 1000);
	tell();
	ck_assert_int_eq(window_out_raise(&out, old), 0);
	ck_assert_int_eq(window_out_raise(&out, starts[_i]), 0);
	ck_assert_uint_eq(out.credit - out.sent, SIZE);
}
END_TEST

START_TEST(a_sender_without_credit_is_found_out)
{
	open_at(starts[_i]);
	ck_assert_errno(window_in_charge(&in, 0), EPROTO);
	tell();
	pass(SIZE);
	ck_assert_errno(window_in_charge(&in, 0), EPROTO);
	ck_assert_uint_eq(in.received - starts[_i], SIZE + WINDOW_OVERHEAD);
}
END_TEST

START_TEST(a_credit_beyond_all_bounds_is_refused)
{
	open_at(starts[_i]);
	ck_assert_errno(window_out_raise(&out,
				starts[_i] + WINDOW_SIZE_MAX + 1),
		EPROTO);
	ck_assert(!window_out_is_open(&out));
	ck_assert_errno(window_out_raise(&out, starts[_i] + INT64_MAX), EPROTO);
	ck_assert_int_eq(window_out_raise(&out, starts[_i] + WINDOW_SIZE_MAX),
		0);
	ck_assert(window_out_is_open(&out));
}
END_TEST

/* More than 4 GiB in all, with messages on their way and credits that are lost:
 * the receiver never holds more than the window and one message. */
START_TEST(a_long_stream_stays_within_its_bound)
{
	enum { ON_WAY = 16, LARGEST = 212960 };
	size_t sizes[ON_WAY], begin = 0, end = 0;
	uint64_t state = seed, held = 0, all = 0;

	printf("seed %#" PRIx64 "\n", seed);
	open_at(starts[_i]);
	tell();
	while (all < UINT64_C(5) << 30) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		if (window_out_is_open(&out) && end - begin < ON_WAY) {
			size_t size = (size_t)(state >> 33) % LARGEST;

			pass(size);
			sizes[end++ % ON_WAY] = size;
			all += size;
			held += size + WINDOW_OVERHEAD;
			ck_assert_uint_le(held,
				SIZE + LARGEST + WINDOW_OVERHEAD);
			continue;
		}
		ck_assert_uint_lt(begin, end);
		held -= sizes[begin % ON_WAY] + WINDOW_OVERHEAD;
		window_in_release(&in, sizes[begin++ % ON_WAY]);
		if (!window_in_is_due(&in))
			continue;
		if (begin < end && state >> 63)
			window_in_tell(&in);
		else
			tell();
	}
	ck_assert_uint_eq(in.received, out.sent);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("window");
	int count = (int)COUNT(starts);

	tcase_add_loop_test(tcase, without_credit_nothing_is_sent, 0, count);
	tcase_add_loop_test(tcase, empty_messages_use_up_the_credit, 0, count);
	tcase_add_loop_test(tcase, a_message_may_be_larger_than_the_window, 0,
		count);
	tcase_add_loop_test(tcase, credit_is_told_by_quarters, 0, count);
	tcase_add_loop_test(tcase, a_later_credit_makes_up_for_a_lost_one, 0,
		count);
	tcase_add_loop_test(tcase, an_old_credit_changes_nothing, 0, count);
	tcase_add_loop_test(tcase, a_sender_without_credit_is_found_out, 0,
		count);
	tcase_add_loop_test(tcase, a_credit_beyond_all_bounds_is_refused, 0,
		count);
	tcase_add_loop_test(tcase, a_long_stream_stays_within_its_bound, 0,
		count);
	return support_run_cases("window", tcase);
}
