/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timers.h"
#include "support/support.h"
#include "unixmsg/deadline.h"

static const uint64_t seed = 0x452821e638d01377;

/* More than the first room of the heap, and than the second. */
enum { MANY = 100 };

static struct timers timers;
static struct timer some[MANY];

static void set_up(void)
{
	size_t i;

	memset(&timers, 0, sizeof(timers));
	memset(some, 0, sizeof(some));
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(unixtimers__reserve(&timers), 0);
}

static void tear_down(void)
{
	unixtimers__free(&timers);
}

static void set(size_t index, int64_t at_us)
{
	unixtimers__set(&timers, &some[index], at_us);
}

/* The moments in the order in which they are taken, and nothing else. */
static void expect_taken(const int64_t *moments, size_t count)
{
	const struct timer *timer;
	size_t i;

	for (i = 0; i < count; i++) {
		ck_assert_int_eq(unixtimers__get_next(&timers), moments[i]);
		timer = unixtimers__take(&timers, INT64_MAX - 1);
		ck_assert_ptr_nonnull(timer);
		ck_assert_int_eq(timer->at_us, moments[i]);
		ck_assert_uint_eq(timer->place, 0);
	}
	ck_assert_ptr_null(unixtimers__take(&timers, INT64_MAX - 1));
}

START_TEST(without_timers_the_next_moment_never_comes)
{
	struct timers none = { 0 };

	ck_assert_int_eq(unixtimers__get_next(&none), UNIXMSG_FOREVER);
	ck_assert_ptr_null(unixtimers__take(&none, INT64_MAX - 1));
	unixtimers__free(&none);
}
END_TEST

START_TEST(nothing_is_taken_at_the_end_of_time_when_none_is_set)
{
	struct timers none = { 0 };

	ck_assert_ptr_null(unixtimers__take(&none, INT64_MAX));
	ck_assert_ptr_null(unixtimers__take(&timers, INT64_MAX));
}
END_TEST

START_TEST(a_timer_is_taken_at_its_moment_and_not_before)
{
	set(0, 1000);
	ck_assert_ptr_null(unixtimers__take(&timers, 999));
	ck_assert_int_eq(unixtimers__get_next(&timers), 1000);
	ck_assert_ptr_eq(unixtimers__take(&timers, 1000), &some[0]);
	ck_assert_ptr_null(unixtimers__take(&timers, 1000));
	ck_assert_int_eq(unixtimers__get_next(&timers), UNIXMSG_FOREVER);
}
END_TEST

START_TEST(the_earliest_timer_is_taken_first)
{
	static const int64_t sorted[] = { INT64_MIN, -1, 0, 0, 7, 7, 7, 9 };

	set(0, 7);
	set(1, 0);
	set(2, 9);
	set(3, 7);
	set(4, -1);
	set(5, 7);
	set(6, 0);
	set(7, INT64_MIN);
	expect_taken(sorted, COUNT(sorted));
}
END_TEST

START_TEST(a_timer_that_is_set_anew_has_one_moment_only)
{
	static const int64_t sorted[] = { 1, 2, 5, 8 };

	set(0, 4);
	set(1, 5);
	set(2, 6);
	set(3, 7);
	set(3, 1);
	set(0, 8);
	set(2, 6);
	set(2, 2);
	expect_taken(sorted, COUNT(sorted));
}
END_TEST

START_TEST(a_timer_that_was_taken_may_be_set_again)
{
	set(0, 1);
	set(1, 2);
	ck_assert_ptr_eq(unixtimers__take(&timers, 1), &some[0]);
	set(0, 3);
	ck_assert_ptr_eq(unixtimers__take(&timers, 9), &some[1]);
	ck_assert_ptr_eq(unixtimers__take(&timers, 9), &some[0]);
}
END_TEST

START_TEST(clearing_takes_out_that_timer_alone)
{
	static const int64_t sorted[] = { 1, 2, 4, 5 };
	size_t i;

	for (i = 0; i < 5; i++)
		set(i, (int64_t)i + 1);
	unixtimers__clear(&timers, &some[2]);
	ck_assert_uint_eq(some[2].place, 0);
	expect_taken(sorted, COUNT(sorted));
}
END_TEST

START_TEST(clearing_what_is_not_set_does_nothing)
{
	static const int64_t sorted[] = { 1 };

	set(0, 1);
	set(1, 2);
	unixtimers__clear(&timers, &some[2]);
	unixtimers__clear(&timers, &some[1]);
	unixtimers__clear(&timers, &some[1]);
	expect_taken(sorted, COUNT(sorted));
	unixtimers__clear(&timers, &some[0]);
}
END_TEST

/* The last of the heap takes the place, and may have to rise from there. */
START_TEST(the_order_holds_when_a_late_branch_gets_an_early_timer)
{
	static const int64_t moments[] = { 1, 10, 2, 20, 30, 3, 4, 40 };
	static const int64_t sorted[] = { 1, 2, 3, 4, 10, 20, 40 };
	size_t i;

	for (i = 0; i < COUNT(moments); i++)
		set(i, moments[i]);
	unixtimers__clear(&timers, &some[4]);
	expect_taken(sorted, COUNT(sorted));

	for (i = 0; i < 7; i++)
		set(i, moments[i]);
	/* 4, the last, goes where 20 was, below 10. */
	unixtimers__clear(&timers, &some[3]);
	ck_assert_uint_lt(some[6].place, some[1].place * 2);
	ck_assert_ptr_eq(unixtimers__take(&timers, 1), &some[0]);
	ck_assert_ptr_eq(unixtimers__take(&timers, 2), &some[2]);
	ck_assert_ptr_eq(unixtimers__take(&timers, 3), &some[5]);
	ck_assert_ptr_eq(unixtimers__take(&timers, 4), &some[6]);
}
END_TEST

/* Memory */

/* Asked by AddressSanitizer, which would end a program that runs out of it. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(a_reservation_that_has_no_memory_changes_nothing)
{
	struct timers full = {
		.room = SIZE_MAX / 4,
		.promised = SIZE_MAX / 4 - 1,
	};

	ck_assert_errno(unixtimers__reserve(&full), ENOMEM);
	ck_assert_uint_eq(full.promised, SIZE_MAX / 4 - 1);
	ck_assert_uint_eq(full.room, SIZE_MAX / 4);
	ck_assert_ptr_null(full.heap);
}
END_TEST

START_TEST(timers_stay_set_while_the_room_grows)
{
	size_t i;

	for (i = 0; i < MANY; i++)
		set(i, (int64_t)(MANY - i));
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(unixtimers__reserve(&timers), 0);
	for (i = 0; i < MANY; i++)
		ck_assert_ptr_eq(unixtimers__take(&timers, MANY),
			&some[MANY - 1 - i]);
}
END_TEST

START_TEST(room_given_back_is_used_again)
{
	size_t i, room = timers.room;

	for (i = 0; i < 10000; i++) {
		unixtimers__unreserve(&timers);
		ck_assert_int_eq(unixtimers__reserve(&timers), 0);
	}
	ck_assert_uint_eq(timers.room, room);
	ck_assert_uint_gt(room, MANY);
}
END_TEST

START_TEST(reserving_keeps_errno)
{
	errno = EXDEV;
	ck_assert_int_eq(unixtimers__reserve(&timers), 0);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Against a list that is searched from end to end. */

static int64_t find_earliest(void)
{
	int64_t earliest_us = UNIXMSG_FOREVER;
	size_t i;

	for (i = 0; i < MANY; i++)
		if (some[i].place != 0 && some[i].at_us < earliest_us)
			earliest_us = some[i].at_us;
	return earliest_us;
}

static size_t count_set(void)
{
	size_t i, count = 0;

	for (i = 0; i < MANY; i++)
		count += some[i].place != 0;
	return count;
}

/* Each knows its place, and none is earlier than the one above. */
static void check_heap(int step)
{
	size_t i;

	ck_assert_uint_eq(timers.count, count_set());
	for (i = 1; i <= timers.count; i++) {
		ck_assert_uint_eq(timers.heap[i]->place, i);
		ck_assert_msg(i == 1 ||
				timers.heap[i / 2]->at_us <=
					timers.heap[i]->at_us,
			"seed %#" PRIx64 ", step %d: place %zu", seed, step, i);
	}
}

static void take_some(int64_t now_us, int step)
{
	int64_t earliest_us = find_earliest();
	const struct timer *timer = unixtimers__take(&timers, now_us);

	ck_assert_msg((timer != NULL) == (earliest_us <= now_us),
		"seed %#" PRIx64 ", step %d", seed, step);
	if (timer != NULL)
		ck_assert_int_eq(timer->at_us, earliest_us);
}

/* Few moments, so that many are the same. */
START_TEST(random_operations_agree_with_a_plain_list)
{
	enum { STEPS = 50000, MOMENTS = 300 };
	uint64_t state = seed;
	int step;

	for (step = 0; step < STEPS; step++) {
		uint64_t number = support_draw(&state);
		size_t index = (size_t)(number / 8 % MANY);
		int64_t moment_us = (int64_t)(number / 4096 % MOMENTS);

		if (number % 8 < 4)
			set(index, moment_us);
		else if (number % 8 < 6)
			unixtimers__clear(&timers, &some[index]);
		else
			take_some(moment_us, step);
		ck_assert_int_eq(unixtimers__get_next(&timers),
			find_earliest());
		check_heap(step);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("timers", set_up, tear_down);

	printf("seed %#" PRIx64 "\n", seed);
	tcase_add_test(tcase, without_timers_the_next_moment_never_comes);
	tcase_add_test(tcase,
		nothing_is_taken_at_the_end_of_time_when_none_is_set);
	tcase_add_test(tcase, a_timer_is_taken_at_its_moment_and_not_before);
	tcase_add_test(tcase, the_earliest_timer_is_taken_first);
	tcase_add_test(tcase, a_timer_that_is_set_anew_has_one_moment_only);
	tcase_add_test(tcase, a_timer_that_was_taken_may_be_set_again);
	tcase_add_test(tcase, clearing_takes_out_that_timer_alone);
	tcase_add_test(tcase, clearing_what_is_not_set_does_nothing);
	tcase_add_test(tcase,
		the_order_holds_when_a_late_branch_gets_an_early_timer);
	tcase_add_test(tcase, a_reservation_that_has_no_memory_changes_nothing);
	tcase_add_test(tcase, timers_stay_set_while_the_room_grows);
	tcase_add_test(tcase, room_given_back_is_used_again);
	tcase_add_test(tcase, reserving_keeps_errno);
	tcase_add_test(tcase, random_operations_agree_with_a_plain_list);
	return support_run_cases("timers", tcase);
}
