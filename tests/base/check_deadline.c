/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline_private.h"
#include "base/wait.h"
#include "support/support.h"
#include "unixmsg/conn.h"

static const int64_t millisecond = 1000;
static const int64_t second = 1000000;
static const int64_t hour = INT64_C(3600000000);

/* A pipe to wait at, and an eventfd that stops. */
static int ends[2];
static int stop;

static void open_all(void)
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	stop = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_ge(stop, 0);
}

static void close_all(void)
{
	close(ends[0]);
	close(ends[1]);
	close(stop);
}

static void make_ready(void)
{
	ck_assert_int_eq(write(ends[1], "", 1), 1);
}

static void tell_stop(void)
{
	ck_assert_int_eq(eventfd_write(stop, 1), 0);
}

static int64_t past_us(void)
{
	return unixdeadline_now_us() - second;
}

START_TEST(now_is_the_monotonic_clock)
{
	struct timespec before, after;
	int64_t now_us;

	clock_gettime(CLOCK_MONOTONIC, &before);
	now_us = unixdeadline_now_us();
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_ge(now_us,
		before.tv_sec * second + before.tv_nsec / 1000);
	ck_assert_int_le(now_us, after.tv_sec * second + after.tv_nsec / 1000);
}
END_TEST

START_TEST(now_is_never_unixmsg_now)
{
	ck_assert_int_gt(unixdeadline_now_us(), UNIXMSG_NOW);
}
END_TEST

START_TEST(after_is_so_far_ahead)
{
	const int64_t timeouts[] = { 1, 999, second, hour, INT64_C(1) << 60 };
	int64_t before_us = unixdeadline_now_us();
	int64_t deadline_us = unixdeadline_after_us(timeouts[_i]);

	ck_assert_int_ge(deadline_us, before_us + timeouts[_i]);
	ck_assert_int_le(deadline_us, unixdeadline_now_us() + timeouts[_i]);
}
END_TEST

START_TEST(no_time_at_all_is_now)
{
	const int64_t timeouts[] = { 0, -1, -second, INT64_MIN };

	ck_assert_int_eq(unixdeadline_after_us(timeouts[_i]), UNIXMSG_NOW);
	ck_assert_int_eq(unixdeadline_after_ms(timeouts[_i]), UNIXMSG_NOW);
	ck_assert_int_eq(unixdeadline_after_s(timeouts[_i]), UNIXMSG_NOW);
}
END_TEST

START_TEST(what_lies_beyond_the_range_is_forever)
{
	const int64_t less[] = { 0, 1, second };

	ck_assert_int_eq(unixdeadline_after_us(INT64_MAX - less[_i]),
		UNIXMSG_FOREVER);
	ck_assert_int_eq(unixdeadline_after_ms(INT64_MAX - less[_i]),
		UNIXMSG_FOREVER);
	ck_assert_int_eq(unixdeadline_after_s(INT64_MAX - less[_i]),
		UNIXMSG_FOREVER);
}
END_TEST

/* A product of such a time and its unit may be a time that is past. */
START_TEST(what_no_microseconds_can_hold_is_forever)
{
	const int64_t most_ms = INT64_MAX / 1000;
	const int64_t most_s = INT64_MAX / 1000000;

	ck_assert_int_eq(unixdeadline_after_ms(most_ms + 1), UNIXMSG_FOREVER);
	ck_assert_int_eq(unixdeadline_after_ms(2 * most_ms + 3),
		UNIXMSG_FOREVER);
	ck_assert_int_eq(unixdeadline_after_s(most_s + 1), UNIXMSG_FOREVER);
	ck_assert_int_eq(unixdeadline_after_s(2 * most_s + 3), UNIXMSG_FOREVER);
}
END_TEST

START_TEST(units_tell_the_same_moment)
{
	const int64_t before_us = unixdeadline_after_us(hour);
	const int64_t ms_us = unixdeadline_after_ms(hour / millisecond);
	const int64_t s_us = unixdeadline_after_s(hour / second);
	const int64_t after_us = unixdeadline_after_us(hour);

	ck_assert_int_le(before_us, ms_us);
	ck_assert_int_le(ms_us, s_us);
	ck_assert_int_le(s_us, after_us);
}
END_TEST

START_TEST(the_last_moments_are_not_passed_over)
{
	int64_t timeout_us = INT64_MAX - unixdeadline_now_us() - hour;

	ck_assert_int_lt(unixdeadline_after_us(timeout_us), UNIXMSG_FOREVER);
	ck_assert_int_gt(unixdeadline_after_us(timeout_us),
		UNIXMSG_FOREVER - 2 * hour);
}
END_TEST

START_TEST(a_wait_ends_when_the_descriptor_is_ready)
{
	const int64_t deadlines[] = { UNIXMSG_FOREVER, UNIXMSG_FOREVER - 1,
		unixdeadline_after_us(hour) };

	make_ready();
	ck_assert_int_eq(unixdeadline__wait(ends[0], POLLIN, -1, deadlines[_i]),
		0);
	ck_assert_int_eq(unixdeadline__wait(ends[0], POLLIN, stop,
				 deadlines[_i]),
		0);
}
END_TEST

START_TEST(a_wait_may_be_for_room)
{
	ck_assert_int_eq(unixdeadline__wait(ends[1], POLLOUT, -1,
				 UNIXMSG_FOREVER),
		0);
}
END_TEST

START_TEST(a_wait_ends_when_the_peer_hangs_up)
{
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_int_eq(unixdeadline__wait(ends[0], POLLIN, -1,
				 UNIXMSG_FOREVER),
		0);
	ends[1] = eventfd(0, EFD_CLOEXEC);
}
END_TEST

START_TEST(a_wait_ends_in_an_error)
{
	ck_assert_int_eq(close(ends[0]), 0);
	ck_assert_int_eq(unixdeadline__wait(ends[1], 0, -1, UNIXMSG_FOREVER),
		0);
	ends[0] = eventfd(0, EFD_CLOEXEC);
}
END_TEST

START_TEST(a_wait_ends_when_another_process_writes)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		make_ready();
		_exit(0);
	}
	ck_assert_int_eq(unixdeadline__wait(ends[0], POLLIN, stop,
				 UNIXMSG_FOREVER),
		0);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(now_does_not_wait)
{
	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, -1, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, stop, UNIXMSG_NOW),
		EAGAIN);
}
END_TEST

START_TEST(a_moment_that_is_past_ends_a_wait_at_once)
{
	const int64_t deadlines[] = { past_us(), 1, -1, INT64_MIN + 1,
		INT64_MIN };

	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, -1, deadlines[_i]),
		ETIMEDOUT);
}
END_TEST

/* However short it is, the deadline lies behind us when the wait ends. */
START_TEST(a_wait_never_ends_before_its_deadline)
{
	const int64_t timeouts[] = { 1, 100, 1500, 30 * millisecond };
	int64_t deadline_us = unixdeadline_after_us(timeouts[_i]);

	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, stop, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
}
END_TEST

START_TEST(a_stop_ends_a_wait)
{
	const int64_t deadlines[] = { UNIXMSG_FOREVER,
		unixdeadline_after_us(hour) };

	tell_stop();
	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, stop,
				deadlines[_i]),
		ECANCELED);
}
END_TEST

START_TEST(a_stop_by_another_process_ends_a_wait)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		tell_stop();
		_exit(0);
	}
	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, stop,
				UNIXMSG_FOREVER),
		ECANCELED);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_stop_goes_before_what_is_ready)
{
	make_ready();
	tell_stop();
	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, stop,
				UNIXMSG_FOREVER),
		ECANCELED);
}
END_TEST

START_TEST(a_stop_descriptor_is_never_read)
{
	eventfd_t value;

	tell_stop();
	ck_assert_errno(unixdeadline__wait(ends[0], POLLIN, stop,
				UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_errno(unixdeadline__pause(second, stop, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_int_eq(eventfd_read(stop, &value), 0);
	ck_assert_uint_eq(value, 1);
}
END_TEST

START_TEST(a_pipe_that_is_closed_stops_too)
{
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_errno(unixdeadline__wait(stop, POLLIN, ends[0],
				UNIXMSG_FOREVER),
		ECANCELED);
	ends[1] = eventfd(0, EFD_CLOEXEC);
}
END_TEST

static volatile sig_atomic_t signals;

/* Enough of them to be sure that waits were interrupted. */
static void count_signal(int signal)
{
	(void)signal;
	signals++;
	if (signals == 30 && write(ends[1], "", 1) != 1)
		_exit(1);
}

START_TEST(signals_do_not_end_a_wait)
{
	support_set_alarms(1000, count_signal);
	ck_assert_int_eq(unixdeadline__wait(ends[0], POLLIN, stop,
				 UNIXMSG_FOREVER),
		0);
	support_set_alarms(0, count_signal);
	ck_assert_int_ge(signals, 30);
}
END_TEST

START_TEST(signals_do_not_put_a_deadline_off)
{
	int64_t deadline_us;

	support_set_alarms(1000, count_signal);
	deadline_us = unixdeadline_after_us(20 * millisecond);
	ck_assert_errno(unixdeadline__wait(stop, POLLIN, -1, deadline_us),
		ETIMEDOUT);
	support_set_alarms(0, count_signal);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_int_ge(signals, 1);
}
END_TEST

START_TEST(a_pause_takes_its_time)
{
	const int64_t deadlines[] = { UNIXMSG_FOREVER,
		unixdeadline_after_us(hour) };
	int64_t before_us = unixdeadline_now_us();

	ck_assert_int_eq(unixdeadline__pause(5 * millisecond, stop,
				 deadlines[_i]),
		0);
	ck_assert_int_ge(unixdeadline_now_us(), before_us + 5 * millisecond);
}
END_TEST

START_TEST(a_pause_of_nothing_is_over_at_once)
{
	ck_assert_int_eq(unixdeadline__pause(0, stop, UNIXMSG_FOREVER), 0);
}
END_TEST

/* It is worth a last try then; the pause after that is refused. */
START_TEST(a_pause_is_over_when_the_deadline_comes)
{
	int64_t deadline_us = unixdeadline_after_us(5 * millisecond);

	ck_assert_int_eq(unixdeadline__pause(hour, stop, deadline_us), 0);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_errno(unixdeadline__pause(second, stop, deadline_us),
		ETIMEDOUT);
}
END_TEST

START_TEST(a_pause_is_refused_when_there_is_no_time)
{
	ck_assert_errno(unixdeadline__pause(1, -1, UNIXMSG_NOW), EAGAIN);
	ck_assert_errno(unixdeadline__pause(1, -1, past_us()), ETIMEDOUT);
	ck_assert_errno(unixdeadline__pause(1, -1, -1), ETIMEDOUT);
}
END_TEST

START_TEST(a_stop_ends_a_pause)
{
	tell_stop();
	ck_assert_errno(unixdeadline__pause(hour, stop, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_errno(unixdeadline__pause(0, stop, UNIXMSG_FOREVER),
		ECANCELED);
}
END_TEST

START_TEST(errno_is_kept_on_success)
{
	make_ready();
	errno = EXDEV;
	unixdeadline_now_us();
	unixdeadline_after_us(1);
	unixdeadline_after_us(INT64_MAX);
	unixdeadline__wait(ends[0], POLLIN, stop, UNIXMSG_FOREVER);
	unixdeadline__pause(1, stop, UNIXMSG_FOREVER);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(errno_is_kept_after_signals)
{
	errno = EXDEV;
	support_set_alarms(1000, count_signal);
	unixdeadline__wait(ends[0], POLLIN, -1, UNIXMSG_FOREVER);
	unixdeadline__pause(3 * millisecond, -1, UNIXMSG_FOREVER);
	support_set_alarms(0, count_signal);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(a_call_may_sleep_when_nothing_can_end_it)
{
	ck_assert(unixdeadline__is_endless(-1, UNIXMSG_FOREVER));
	ck_assert(!unixdeadline__is_endless(stop, UNIXMSG_FOREVER));
	ck_assert(!unixdeadline__is_endless(-1, UNIXMSG_FOREVER - 1));
	ck_assert(!unixdeadline__is_endless(-1, UNIXMSG_NOW));
}
END_TEST

/* The rules as a caller sees them, at a pair of datagram sockets. */

static struct unixconn *pair[2];

static void open_pair(void)
{
	open_all();
	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	unixconn_set_stop_fd(pair[0], stop);
}

static void close_pair(void)
{
	ck_assert_int_eq(unixconn_close(pair[0]), 0);
	ck_assert_int_eq(unixconn_close(pair[1]), 0);
	close_all();
}

static int receive(int64_t deadline_us)
{
	char byte;

	return unixconn_recv(pair[0], &byte, 1, NULL, deadline_us);
}

/* Neither the deadline nor the stop matters to what need not wait. */
START_TEST(what_can_be_done_at_once_is_done)
{
	const int64_t deadlines[] = { UNIXMSG_NOW, past_us(), 1, 2,
		UNIXMSG_FOREVER };

	tell_stop();
	ck_assert_int_eq(unixconn_send(pair[1], "x", 1, deadlines[_i]), 1);
	ck_assert_int_eq(receive(deadlines[_i]), 1);
}
END_TEST

START_TEST(what_would_wait_fails)
{
	const int64_t deadlines[] = { UNIXMSG_NOW, past_us(), 1,
		unixdeadline_after_us(millisecond) };
	const int errors[] = { EAGAIN, ETIMEDOUT, ETIMEDOUT, ETIMEDOUT };

	ck_assert_errno(receive(deadlines[_i]), errors[_i]);
}
END_TEST

START_TEST(what_would_wait_is_stopped)
{
	tell_stop();
	ck_assert_errno(receive(UNIXMSG_FOREVER), ECANCELED);
}
END_TEST

START_TEST(one_stop_is_good_for_many)
{
	char byte;

	unixconn_set_stop_fd(pair[1], stop);
	tell_stop();
	ck_assert_errno(receive(UNIXMSG_FOREVER), ECANCELED);
	ck_assert_errno(receive(UNIXMSG_FOREVER), ECANCELED);
	ck_assert_errno(unixconn_recv(pair[1], &byte, 1, NULL, UNIXMSG_FOREVER),
		ECANCELED);
}
END_TEST

/* A peer that goes elsewhere with unread messages is an error at the other. */
START_TEST(an_error_is_no_shutdown)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds),
		0);
	ck_assert_int_eq(send(fds[0], "", 1, 0), 1);
	ck_assert_int_eq(connect(fds[1], &nobody, sizeof(nobody)), 0);
	ck_assert(!unixwait__is_shut(fds[0]));
	ck_assert_int_eq(shutdown(fds[0], SHUT_RD), 0);
	ck_assert(unixwait__is_shut(fds[0]));
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static TCase *make_moments(void)
{
	TCase *tcase = make_tcase_with("moments", open_all, close_all);

	tcase_add_test(tcase, now_is_the_monotonic_clock);
	tcase_add_test(tcase, now_is_never_unixmsg_now);
	tcase_add_loop_test(tcase, after_is_so_far_ahead, 0, 5);
	tcase_add_loop_test(tcase, no_time_at_all_is_now, 0, 4);
	tcase_add_loop_test(tcase, what_lies_beyond_the_range_is_forever, 0, 3);
	tcase_add_test(tcase, what_no_microseconds_can_hold_is_forever);
	tcase_add_test(tcase, units_tell_the_same_moment);
	tcase_add_test(tcase, the_last_moments_are_not_passed_over);
	tcase_add_test(tcase, a_call_may_sleep_when_nothing_can_end_it);
	return tcase;
}

static TCase *make_waits(void)
{
	TCase *tcase = make_tcase_with("waits", open_all, close_all);

	tcase_add_loop_test(tcase, a_wait_ends_when_the_descriptor_is_ready, 0,
		3);
	tcase_add_test(tcase, a_wait_may_be_for_room);
	tcase_add_test(tcase, a_wait_ends_when_the_peer_hangs_up);
	tcase_add_test(tcase, a_wait_ends_in_an_error);
	tcase_add_test(tcase, a_wait_ends_when_another_process_writes);
	tcase_add_test(tcase, now_does_not_wait);
	tcase_add_loop_test(tcase, a_moment_that_is_past_ends_a_wait_at_once, 0,
		5);
	tcase_add_loop_test(tcase, a_wait_never_ends_before_its_deadline, 0, 4);
	tcase_add_test(tcase, signals_do_not_end_a_wait);
	tcase_add_test(tcase, signals_do_not_put_a_deadline_off);
	tcase_add_test(tcase, errno_is_kept_on_success);
	tcase_add_test(tcase, errno_is_kept_after_signals);
	tcase_add_test(tcase, an_error_is_no_shutdown);
	return tcase;
}

static TCase *make_stops(void)
{
	TCase *tcase = make_tcase_with("stops", open_all, close_all);

	tcase_add_loop_test(tcase, a_stop_ends_a_wait, 0, 2);
	tcase_add_test(tcase, a_stop_by_another_process_ends_a_wait);
	tcase_add_test(tcase, a_stop_goes_before_what_is_ready);
	tcase_add_test(tcase, a_stop_descriptor_is_never_read);
	tcase_add_test(tcase, a_pipe_that_is_closed_stops_too);
	return tcase;
}

static TCase *make_pauses(void)
{
	TCase *tcase = make_tcase_with("pauses", open_all, close_all);

	tcase_add_loop_test(tcase, a_pause_takes_its_time, 0, 2);
	tcase_add_test(tcase, a_pause_of_nothing_is_over_at_once);
	tcase_add_test(tcase, a_pause_is_over_when_the_deadline_comes);
	tcase_add_test(tcase, a_pause_is_refused_when_there_is_no_time);
	tcase_add_test(tcase, a_stop_ends_a_pause);
	return tcase;
}

static TCase *make_calls(void)
{
	TCase *tcase = make_tcase_with("calls", open_pair, close_pair);

	tcase_add_loop_test(tcase, what_can_be_done_at_once_is_done, 0, 5);
	tcase_add_loop_test(tcase, what_would_wait_fails, 0, 4);
	tcase_add_test(tcase, what_would_wait_is_stopped);
	tcase_add_test(tcase, one_stop_is_good_for_many);
	return tcase;
}

int main(void)
{
	return support_run_cases("deadline", make_moments(), make_waits(),
		make_stops(), make_pauses(), make_calls());
}
