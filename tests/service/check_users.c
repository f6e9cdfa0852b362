/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "service/users.h"
#include "support/support.h"

static const int64_t second_us = 1000000;

/* A machine that has been up for ten years. */
static const int64_t late_us = INT64_C(10) * 366 * 24 * 3600 * 1000000;

static struct users users;

static void set_up(void)
{
	unixusers__init(&users, 0, 0);
}

static void tear_down(void)
{
	unixusers__free(&users);
}

static struct user *get(uid_t uid, int64_t now_us)
{
	struct user *user = unixusers__get(&users, uid, now_us);

	ck_assert_ptr_nonnull(user);
	ck_assert_uint_eq(user->uid, uid);
	return user;
}

static size_t count_users(void)
{
	const struct user *user;
	size_t i, count = 0;

	for (i = 0; i < USERS_BUCKETS; i++)
		for (user = users.buckets[i]; user != NULL; user = user->next)
			count++;
	return count;
}

/* The table */

START_TEST(a_user_with_peers_is_the_same_each_time)
{
	struct user *user = get(1000, 1);
	struct member peer = { 0 };

	unixusers__add_peer(user, &peer);
	get(1000 + USERS_BUCKETS, 2);
	get(1000 + 2 * USERS_BUCKETS, 3);
	ck_assert_ptr_eq(get(1000, 4), user);
	ck_assert_uint_eq(user->peers_count, 1);
}
END_TEST

static const uid_t uids[] = { 0, 1, 63, 64, INT_MAX, 0x80000000u, UINT_MAX };

START_TEST(every_uid_has_a_user_of_its_own)
{
	struct user *found[COUNT(uids)];
	size_t i, j;

	for (i = 0; i < COUNT(uids); i++) {
		found[i] = get(uids[i], 1);
		found[i]->holds++;
	}
	for (i = 0; i < COUNT(uids); i++)
		for (j = 0; j < COUNT(uids); j++)
			ck_assert((get(uids[i], 1) == found[j]) == (i == j));
}
END_TEST

START_TEST(users_of_whom_nothing_is_known_are_cleared_up)
{
	uid_t uid;

	for (uid = 0; uid < 100000; uid++)
		get(uid, 1);
	ck_assert_uint_le(count_users(), USERS_BUCKETS);
}
END_TEST

START_TEST(a_user_who_is_held_is_kept)
{
	struct user *user = get(1, 1);

	user->holds++;
	get(1 + USERS_BUCKETS, late_us);
	ck_assert_ptr_eq(get(1, late_us), user);
	user->holds--;
	get(1 + 2 * USERS_BUCKETS, late_us);
	ck_assert_uint_eq(count_users(), 1);
}
END_TEST

START_TEST(a_user_whose_messages_are_unread_is_kept)
{
	struct user *user = get(1, 1);

	user->unread_count++;
	get(1 + USERS_BUCKETS, late_us);
	ck_assert_ptr_eq(get(1, late_us), user);
	user->unread_count--;
	get(1 + 2 * USERS_BUCKETS, late_us);
	ck_assert_uint_eq(count_users(), 1);
}
END_TEST

START_TEST(a_user_who_is_ahead_of_his_rate_is_kept_until_he_is_not)
{
	struct user *user;

	unixusers__init(&users, 2, 10);
	user = get(1, second_us);
	unixusers__count(&users, user, second_us);
	get(1 + USERS_BUCKETS, second_us + second_us / 2 - 1);
	ck_assert_uint_eq(count_users(), 2);
	get(1 + 2 * USERS_BUCKETS, second_us + second_us / 2);
	ck_assert_uint_eq(count_users(), 1);
}
END_TEST

START_TEST(one_bucket_is_cleared_up_on_both_sides_of_those_who_stay)
{
	struct user *user;
	uid_t i;

	for (i = 0; i < 9; i++) {
		user = get(i * USERS_BUCKETS, 1);
		user->holds = 1;
	}
	for (i = 0; i < 9; i++)
		get(i * USERS_BUCKETS, 1)->holds = i == 4;
	get(9 * USERS_BUCKETS, 1)->holds = 1;
	ck_assert_uint_eq(count_users(), 2);
	ck_assert_uint_eq(get(4 * USERS_BUCKETS, 1)->holds, 1);
	ck_assert_uint_eq(get(9 * USERS_BUCKETS, 1)->holds, 1);
}
END_TEST

/* The peers of a user */

static void expect_peers(const struct user *user, struct member *const *peers,
	size_t count)
{
	const struct member *peer = user->oldest, *before = NULL;
	size_t i;

	ck_assert_uint_eq(user->peers_count, count);
	for (i = 0; i < count; i++) {
		ck_assert_ptr_eq(peer, peers[i]);
		ck_assert_ptr_eq(peer->older, before);
		before = peer;
		peer = peer->newer;
	}
	ck_assert_ptr_null(peer);
	ck_assert_ptr_eq(user->newest, before);
}

START_TEST(peers_are_in_the_order_of_their_silence)
{
	struct user *user = get(1, 1);
	struct member a = { 0 }, b = { 0 }, c = { 0 };

	expect_peers(user, NULL, 0);
	unixusers__add_peer(user, &a);
	unixusers__add_peer(user, &b);
	unixusers__add_peer(user, &c);
	expect_peers(user, (struct member *[]){ &a, &b, &c }, 3);
}
END_TEST

START_TEST(any_peer_can_be_taken_out_and_added_again)
{
	struct user *user = get(1, 1);
	struct member peers[3] = { 0 };
	struct member *first = &peers[(_i + 1) % 3], *second;
	int i;

	for (i = 0; i < 3; i++)
		unixusers__add_peer(user, &peers[i]);
	first = &peers[_i == 0 ? 1 : 0];
	second = &peers[_i == 2 ? 1 : 2];
	unixusers__remove_peer(user, &peers[_i]);
	expect_peers(user, (struct member *[]){ first, second }, 2);
	unixusers__add_peer(user, &peers[_i]);
	expect_peers(user, (struct member *[]){ first, second, &peers[_i] }, 3);
	unixusers__remove_peer(user, first);
	unixusers__remove_peer(user, &peers[_i]);
	expect_peers(user, &second, 1);
	unixusers__remove_peer(user, second);
	expect_peers(user, NULL, 0);
}
END_TEST

START_TEST(the_greatest_user_has_most_peers)
{
	struct member peers[6] = { 0 };
	struct user *one = get(1, 1), *two, *three;

	unixusers__add_peer(one, &peers[0]);
	two = get(1 + USERS_BUCKETS, 1);
	unixusers__add_peer(two, &peers[1]);
	unixusers__add_peer(two, &peers[2]);
	three = get(7, 1);
	unixusers__add_peer(three, &peers[3]);
	ck_assert_ptr_eq(unixusers__get_greatest(&users), two);
	unixusers__add_peer(three, &peers[4]);
	unixusers__add_peer(three, &peers[5]);
	ck_assert_ptr_eq(unixusers__get_greatest(&users), three);
}
END_TEST

START_TEST(without_users_none_is_the_greatest)
{
	ck_assert_ptr_null(unixusers__get_greatest(&users));
}
END_TEST

/* Rates */

static bool is_allowed(const struct user *user, int64_t now_us)
{
	return unixusers__get_next_us(&users, user) <= now_us;
}

/* How many he can send at that moment. */
static unsigned int spend(struct user *user, int64_t now_us, unsigned int most)
{
	unsigned int count = 0;

	while (count < most && is_allowed(user, now_us)) {
		unixusers__count(&users, user, now_us);
		count++;
	}
	return count;
}

START_TEST(without_a_rate_there_is_no_limit)
{
	struct user *user;

	unixusers__init(&users, 0, _i == 0 ? 0 : UINT_MAX);
	user = get(1, 1);
	ck_assert_uint_eq(spend(user, 1, 100000), 100000);
	ck_assert_int_eq(unixusers__get_next_us(&users, user), 0);
}
END_TEST

static const struct {
	unsigned int rate;
	unsigned int burst;
	unsigned int at_once;
	int64_t next_us; /* from then on */
} rates[] = {
	{ 1, 0, 1, 1000000 },
	{ 1, 1, 1, 1000000 },
	{ 1, 2, 2, 1000000 },
	{ 1, 1000, 1000, 1000000 },
	{ 10, 5, 5, 100000 },
	{ 3, 1, 1, 333334 },
	{ 1000, 100, 100, 1000 },
	{ 1000000, 10, 10, 1 },
};

static const int64_t moments_us[] = { 1, 1000000, 86400000000, 0 };

START_TEST(a_burst_goes_at_once_and_the_rest_at_the_rate)
{
	const size_t row = (size_t)_i % COUNT(rates);
	int64_t now_us = moments_us[(size_t)_i / COUNT(rates)];
	struct user *user;
	int i;

	if (now_us == 0)
		now_us = late_us;
	unixusers__init(&users, rates[row].rate, rates[row].burst);
	user = get(1, now_us);
	ck_assert_uint_eq(spend(user, now_us, 100000), rates[row].at_once);
	ck_assert_int_eq(unixusers__get_next_us(&users, user),
		now_us + rates[row].next_us);
	for (i = 0; i < 10; i++) {
		now_us = unixusers__get_next_us(&users, user);
		ck_assert(!is_allowed(user, now_us - 1));
		ck_assert_uint_eq(spend(user, now_us, 10), 1);
	}
}
END_TEST

START_TEST(silence_earns_one_burst_and_no_more)
{
	struct user *user;

	unixusers__init(&users, 100, 7);
	user = get(1, second_us);
	ck_assert_uint_eq(spend(user, second_us, 1000), 7);
	ck_assert_uint_eq(spend(user, second_us + 30000, 1000), 3);
	ck_assert_uint_eq(spend(user, late_us, 1000), 7);
	ck_assert_uint_eq(spend(user, late_us, 1000), 0);
}
END_TEST

START_TEST(in_ten_seconds_nobody_gets_more_than_his_rate)
{
	static const unsigned int these[] = { 1, 7, 1000, 30000 };
	const unsigned int rate = these[_i];
	struct user *user;
	int64_t now_us = second_us, end_us = now_us + 10 * second_us;
	unsigned int count = 0;

	unixusers__init(&users, rate, 5);
	user = get(1, now_us);
	for (; now_us < end_us; now_us += 97)
		count += spend(user, now_us, 1000);
	ck_assert_uint_le(count, rate * 10 + 5);
	ck_assert_uint_ge(count, rate * 10);
}
END_TEST

/* More than one in a nanosecond are not counted. */
START_TEST(a_rate_beyond_the_clock_is_no_limit)
{
	static const unsigned int these[] = { 1000000001, 4000000000,
		UINT_MAX };
	struct user *user;

	unixusers__init(&users, these[_i], UINT_MAX);
	user = get(1, 1);
	ck_assert_uint_eq(spend(user, 1, 100000), 100000);
}
END_TEST

static const struct {
	unsigned int rate;
	unsigned int burst;
} extremes[] = {
	{ 1, UINT_MAX },
	{ 1, 4000000000 },
	{ 2, UINT_MAX },
	{ 999999999, UINT_MAX },
	{ 1000000000, UINT_MAX },
};

START_TEST(the_largest_burst_overflows_nothing)
{
	struct user *user;
	int64_t full_ns;

	unixusers__init(&users, extremes[_i].rate, extremes[_i].burst);
	ck_assert_int_ge(users.ahead_ns, 0);
	user = get(1, late_us);
	ck_assert_uint_eq(spend(user, late_us, 100000), 100000);
	/* As if he had sent all of it. */
	full_ns = late_us * 1000 + users.ahead_ns;
	user->due_ns = full_ns;
	ck_assert(is_allowed(user, late_us));
	unixusers__count(&users, user, late_us);
	ck_assert_int_gt(user->due_ns, full_ns);
	ck_assert(!is_allowed(user, late_us));
}
END_TEST

START_TEST(a_clock_that_stands_at_zero_is_a_moment_too)
{
	struct user *user;

	unixusers__init(&users, 10, 3);
	user = get(1, 0);
	ck_assert_uint_eq(spend(user, 0, 100), 3);
	ck_assert_uint_eq(spend(user, 100000, 100), 1);
}
END_TEST

static TCase *make_table(void)
{
	TCase *tcase = make_tcase_with("table", set_up, tear_down);

	tcase_add_test(tcase, a_user_with_peers_is_the_same_each_time);
	tcase_add_test(tcase, every_uid_has_a_user_of_its_own);
	tcase_add_test(tcase, users_of_whom_nothing_is_known_are_cleared_up);
	tcase_add_test(tcase, a_user_who_is_held_is_kept);
	tcase_add_test(tcase, a_user_whose_messages_are_unread_is_kept);
	tcase_add_test(tcase,
		a_user_who_is_ahead_of_his_rate_is_kept_until_he_is_not);
	tcase_add_test(tcase,
		one_bucket_is_cleared_up_on_both_sides_of_those_who_stay);
	return tcase;
}

static TCase *make_peers(void)
{
	TCase *tcase = make_tcase_with("peers", set_up, tear_down);

	tcase_add_test(tcase, peers_are_in_the_order_of_their_silence);
	tcase_add_loop_test(tcase, any_peer_can_be_taken_out_and_added_again, 0,
		3);
	tcase_add_test(tcase, the_greatest_user_has_most_peers);
	tcase_add_test(tcase, without_users_none_is_the_greatest);
	return tcase;
}

static TCase *make_rates(void)
{
	TCase *tcase = make_tcase_with("rates", set_up, tear_down);

	tcase_add_loop_test(tcase, without_a_rate_there_is_no_limit, 0, 2);
	tcase_add_loop_test(tcase,
		a_burst_goes_at_once_and_the_rest_at_the_rate, 0,
		(int)(COUNT(rates) * COUNT(moments_us)));
	tcase_add_test(tcase, silence_earns_one_burst_and_no_more);
	tcase_add_loop_test(tcase,
		in_ten_seconds_nobody_gets_more_than_his_rate, 0, 4);
	tcase_add_loop_test(tcase, a_rate_beyond_the_clock_is_no_limit, 0, 3);
	tcase_add_loop_test(tcase, the_largest_burst_overflows_nothing, 0,
		(int)COUNT(extremes));
	tcase_add_test(tcase, a_clock_that_stands_at_zero_is_a_moment_too);
	return tcase;
}

int main(void)
{
	return support_run_cases("users", make_table(), make_peers(),
		make_rates());
}
