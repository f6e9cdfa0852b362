/* SPDX-License-Identifier: MIT */
/*
 * Nothing here depends on how long something takes: a rest is tried with
 * limits so long, or waits so many, that it does not matter.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/deadline_private.h"
#include "base/endpoint.h"
#include "base/spin.h"
#include "support/ends.h"
#include "support/scene.h"
#include "support/support.h"

static const int64_t second_us = 1000000;

/* So many misses in a row are needed for a rest. */
enum { MISSES = 4 };

static struct spin spin;

static void switch_on(void)
{
	unixspin__set(&spin, second_us);
}

static bool is_resting(void)
{
	return unixspin__begin(&spin, UNIXMSG_FOREVER) == 0;
}

START_TEST(it_is_off_at_the_beginning)
{
	struct spin fresh = { 0 };

	ck_assert_int_eq(unixspin__get(&fresh), 0);
	ck_assert_int_eq(unixspin__begin(&fresh, UNIXMSG_FOREVER), 0);
}
END_TEST

START_TEST(a_limit_is_kept_within_its_range)
{
	const int64_t given[] = { INT64_MIN, -1, 0, 1, second_us, second_us + 1,
		INT64_MAX };
	const int64_t kept[] = { 0, 0, 0, 1, second_us, second_us, second_us };

	unixspin__set(&spin, given[_i]);
	ck_assert_int_eq(unixspin__get(&spin), kept[_i]);
}
END_TEST

START_TEST(nothing_spins_until_now)
{
	ck_assert_int_eq(unixspin__begin(&spin, UNIXMSG_NOW), 0);
	ck_assert(!unixspin__goes_on(0));
}
END_TEST

START_TEST(a_spin_ends_with_its_limit)
{
	int64_t before_us = unixdeadline_now_us();
	int64_t until_us = unixspin__begin(&spin, UNIXMSG_FOREVER);

	ck_assert_int_ge(until_us, before_us + second_us);
	ck_assert_int_le(until_us, unixdeadline_now_us() + second_us);
	ck_assert(unixspin__goes_on(until_us) ||
		unixdeadline_now_us() >= until_us);
	ck_assert(!unixspin__goes_on(before_us));
}
END_TEST

START_TEST(a_spin_ends_with_the_deadline)
{
	int64_t deadline_us = unixdeadline_now_us() + 1;

	ck_assert_int_eq(unixspin__begin(&spin, deadline_us), deadline_us);
}
END_TEST

START_TEST(misses_in_a_row_make_it_rest)
{
	int i;

	unixspin__note(&spin, true);
	for (i = 0; i < MISSES; i++) {
		ck_assert(!is_resting());
		unixspin__note(&spin, false);
	}
	ck_assert(is_resting());
}
END_TEST

START_TEST(a_hit_in_between_keeps_it_awake)
{
	int i;

	for (i = 0; i < 10 * MISSES; i++) {
		unixspin__note(&spin, i % MISSES == 0);
		ck_assert(!is_resting());
	}
}
END_TEST

START_TEST(a_trial_that_misses_rests_again)
{
	unixspin__note(&spin, false);
	ck_assert(is_resting());
}
END_TEST

/* Or both sides would sleep for ever after they have done so once. */
START_TEST(a_trial_lasts_until_a_sleeper_is_awake)
{
	int64_t before_us = unixdeadline_now_us();

	unixspin__set(&spin, 1);
	ck_assert_int_ge(unixspin__begin(&spin, UNIXMSG_FOREVER),
		before_us + 50);
}
END_TEST

START_TEST(what_is_no_trial_keeps_the_limit)
{
	unixspin__set(&spin, 1);
	unixspin__note(&spin, true);
	ck_assert_int_le(unixspin__begin(&spin, UNIXMSG_FOREVER),
		unixdeadline_now_us() + 1);
}
END_TEST

START_TEST(spins_pay_until_one_is_in_vain)
{
	ck_assert(!unixspin__pays(&spin));
	unixspin__note(&spin, true);
	ck_assert(unixspin__pays(&spin));
	unixspin__note(&spin, false);
	ck_assert(!unixspin__pays(&spin));
	unixspin__note(&spin, true);
	unixspin__set(&spin, 0);
	ck_assert(!unixspin__pays(&spin));
}
END_TEST

START_TEST(rests_grow_and_do_not_grow_for_ever)
{
	int64_t rest_us = 0, before_us, last_us = 0;
	int i;

	for (i = 0; i < 100; i++) {
		before_us = unixdeadline_now_us();
		unixspin__note(&spin, false);
		rest_us = atomic_load(&spin.rest_until_us) - before_us;
		ck_assert_int_ge(rest_us, last_us);
		if (i < 2)
			last_us = rest_us;
	}
	ck_assert_int_gt(rest_us, 100 * second_us);
	ck_assert_int_lt(rest_us, 1000 * second_us);
}
END_TEST

START_TEST(a_rest_ends)
{
	unixspin__set(&spin, 1);
	unixspin__note(&spin, false);
	while (is_resting())
		continue;
	unixspin__note(&spin, true);
	unixspin__note(&spin, false);
	ck_assert(!is_resting());
}
END_TEST

START_TEST(a_new_limit_ends_a_rest)
{
	unixspin__note(&spin, false);
	ck_assert(is_resting());
	switch_on();
	ck_assert(!is_resting());
}
END_TEST

/* The same for endpoints, whoever spins in them. */

static void set_spin(const struct ends *ends, int64_t spin_us)
{
	if (ends->is_packet)
		unixconn_set_spin_us(ends->receiver, spin_us);
	else
		unixconn_set_spin_us(ends->receiver, spin_us);
}

/* Until then the receiver has slept, or gone on trying. */
static pid_t answer_later(const struct ends *ends, useconds_t later_us)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		usleep(later_us);
		send_text(ends->sender, "late");
		_exit(0);
	}
	return pid;
}

static int receive(const struct ends *ends, int64_t deadline_us)
{
	char text[8];
	size_t size = 0;
	int result = unixconn_recv(ends->receiver, text, sizeof(text), &size,
		deadline_us);

	if (result == 1)
		ck_assert_uint_eq(size, 4);
	return result;
}

START_TEST(a_message_ends_a_spin)
{
	struct ends ends;
	pid_t pid;

	ends_make(&ends, _i);
	set_spin(&ends, second_us);
	pid = answer_later(&ends, 1000);
	errno = EBADMSG;
	ck_assert_int_eq(receive(&ends, UNIXMSG_FOREVER), 1);
	ck_assert_int_eq(errno, EBADMSG);
	support_wait_exit(pid, 0);
	ends_close(&ends);
}
END_TEST

START_TEST(a_message_is_awaited_after_a_spin)
{
	struct ends ends;
	int64_t deadline_us = UNIXMSG_FOREVER;
	pid_t pid;

	ends_make(&ends, _i / 2);
	if (_i % 2 == 1)
		deadline_us = unixdeadline_after_us(60 * second_us);
	set_spin(&ends, 1);
	pid = answer_later(&ends, 20000);
	errno = EBADMSG;
	ck_assert_int_eq(receive(&ends, deadline_us), 1);
	ck_assert_int_eq(errno, EBADMSG);
	support_wait_exit(pid, 0);
	ends_close(&ends);
}
END_TEST

START_TEST(a_deadline_ends_a_spin)
{
	struct ends ends;

	ends_make(&ends, _i);
	set_spin(&ends, second_us);
	ck_assert_errno(receive(&ends, unixdeadline_after_us(1000)), ETIMEDOUT);
	ck_assert_errno(receive(&ends, UNIXMSG_NOW), EAGAIN);
	ends_close(&ends);
}
END_TEST

START_TEST(a_stop_is_seen_after_a_spin)
{
	struct ends ends;
	int stop = eventfd(1, EFD_CLOEXEC);

	ends_make(&ends, _i);
	unixconn_set_stop_fd(ends.receiver, stop);
	set_spin(&ends, 1000);
	ck_assert_errno(receive(&ends, UNIXMSG_FOREVER), ECANCELED);
	ends_close(&ends);
	close(stop);
}
END_TEST

START_TEST(the_end_of_a_connection_ends_a_spin)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	unixconn_set_spin_us(pair[0], second_us);
	unixconn_close(pair[1]);
	ck_assert_int_eq(unixconn_recv(pair[0], NULL, 0, NULL, UNIXMSG_FOREVER),
		0);
	unixconn_close(pair[0]);
}
END_TEST

START_TEST(a_stream_spins_too)
{
	struct unixconn *pair[2];
	char text[4];
	size_t size;
	pid_t pid;

	ck_assert_int_eq(unixconn_pair("unix", pair), 0);
	unixconn_set_spin_us(pair[0], _i == 0 ? second_us : 1);
	pid = support_fork();
	if (pid == 0) {
		usleep(5000);
		unixconn_send(pair[1], "late", 4, UNIXMSG_FOREVER);
		_exit(0);
	}
	ck_assert_int_eq(unixconn_recv(pair[0], text, sizeof(text), &size,
				 UNIXMSG_FOREVER),
		1);
	ck_assert_uint_eq(size, 4);
	support_wait_exit(pid, 0);
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

START_TEST(accepted_connections_begin_with_the_listeners_spin)
{
	const char *address = support_abstract("spin");
	const struct unixlisten_options options = { .spin_us = second_us };
	struct unixlistener *listener =
		unixlistener_open("unixpacket", address, &options);
	struct unixconn *client, *served;

	ck_assert_ptr_nonnull(listener);
	client = unixconn_dial("unixpacket", address, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	served = unixlistener_accept(listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(served);
	/* It begins with the endpoint. */
	ck_assert_int_eq(unixspin__get(&((struct endpoint *)served)->spin),
		second_us);
	ck_assert_int_eq(unixspin__get(&((struct endpoint *)client)->spin), 0);
	unixconn_close(served);
	unixconn_close(client);
	unixlistener_close(listener);
}
END_TEST

static TCase *make_judgement(void)
{
	TCase *tcase = make_tcase_with("judgement", switch_on, NULL);

	tcase_add_test(tcase, it_is_off_at_the_beginning);
	tcase_add_loop_test(tcase, a_limit_is_kept_within_its_range, 0, 7);
	tcase_add_test(tcase, nothing_spins_until_now);
	tcase_add_test(tcase, a_new_limit_ends_a_rest);
	tcase_add_test(tcase, a_rest_ends);
	tcase_add_test(tcase, a_hit_in_between_keeps_it_awake);
	tcase_add_test(tcase, misses_in_a_row_make_it_rest);
	tcase_add_test(tcase, a_spin_ends_with_the_deadline);
	tcase_add_test(tcase, a_spin_ends_with_its_limit);
	tcase_add_test(tcase, rests_grow_and_do_not_grow_for_ever);
	tcase_add_test(tcase, a_trial_that_misses_rests_again);
	tcase_add_test(tcase, a_trial_lasts_until_a_sleeper_is_awake);
	tcase_add_test(tcase, what_is_no_trial_keeps_the_limit);
	tcase_add_test(tcase, spins_pay_until_one_is_in_vain);
	return tcase;
}

static TCase *make_calls(void)
{
	TCase *tcase = make_tcase("calls");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_message_ends_a_spin, 0, ENDS_KINDS);
	tcase_add_loop_test(tcase, a_message_is_awaited_after_a_spin, 0,
		2 * ENDS_KINDS);
	tcase_add_loop_test(tcase, a_deadline_ends_a_spin, 0, ENDS_KINDS);
	tcase_add_loop_test(tcase, a_stop_is_seen_after_a_spin, 0, ENDS_KINDS);
	tcase_add_test(tcase, the_end_of_a_connection_ends_a_spin);
	tcase_add_loop_test(tcase, a_stream_spins_too, 0, 2);
	tcase_add_test(tcase,
		accepted_connections_begin_with_the_listeners_spin);
	return tcase;
}

int main(void)
{
	return support_run_cases("spin", make_judgement(), make_calls());
}
