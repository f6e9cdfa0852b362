/* SPDX-License-Identifier: MIT */
/* What the supervisor hears: here the test, by a datagram endpoint. */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/scene.h"

static void set(const char *name, const char *value)
{
	ck_assert_int_eq(setenv(name, value, 1), 0);
}

static void unset(const char *name)
{
	ck_assert_int_eq(unsetenv(name), 0);
}

static struct unixconn *open_supervisor(const char *address)
{
	struct unixconn *supervisor = open_gram(address);

	set("NOTIFY_SOCKET", address);
	return supervisor;
}

/* One datagram is there, and this is all of it. */
static void assert_hears(struct unixconn *supervisor, const char *text)
{
	char data[8192];
	size_t size;

	ck_assert_int_eq(unixconn_recv(supervisor, data, sizeof(data) - 1,
				 &size, UNIXMSG_NOW),
		1);
	data[size] = '\0';
	ck_assert_str_eq(data, text);
}

static void assert_silence(struct unixconn *supervisor)
{
	ck_assert_errno(unixconn_recv(supervisor, NULL, 0, NULL, UNIXMSG_NOW),
		EAGAIN);
}

/* Who listens. */

static struct unixconn *open_odd(void)
{
	/* The variable's bytes are the name; the library's text has escapes. */
	struct unixconn *supervisor = open_gram(support_path("a\\\\x41"));

	set("NOTIFY_SOCKET", support_path("a\\x41"));
	return supervisor;
}

START_TEST(the_supervisor_hears_all_of_it)
{
	struct unixconn *supervisor;

	if (_i == 0)
		supervisor = open_supervisor(support_path("notify"));
	else if (_i == 1)
		supervisor = open_supervisor(support_abstract("notify"));
	else
		supervisor = open_odd();
	errno = EXDEV;
	ck_assert_int_eq(unixnotify_ready(UNIXMSG_NOW), 1);
	assert_hears(supervisor, "READY=1");
	ck_assert_int_eq(unixnotify_stopping(UNIXMSG_NOW), 1);
	assert_hears(supervisor, "STOPPING=1");
	ck_assert_int_eq(unixnotify_watchdog(UNIXMSG_NOW), 1);
	assert_hears(supervisor, "WATCHDOG=1");
	ck_assert_int_eq(unixnotify_extend_us(UINT64_MAX, UNIXMSG_NOW), 1);
	assert_hears(supervisor, "EXTEND_TIMEOUT_USEC=18446744073709551615");
	ck_assert_int_eq(unixnotify_status("idle", UNIXMSG_NOW), 1);
	assert_hears(supervisor, "STATUS=idle");
	ck_assert_int_eq(unixnotify_send("MAINPID=1\nX=2\n", UNIXMSG_NOW), 1);
	assert_hears(supervisor, "MAINPID=1\nX=2\n");
	ck_assert_int_eq(unixnotify_unstore("a b", UNIXMSG_NOW), 1);
	assert_hears(supervisor, "FDSTOREREMOVE=1\nFDNAME=a b");
	assert_silence(supervisor);
	close_gram(supervisor);
}
END_TEST

START_TEST(reloading_carries_the_present_time)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	int64_t before_us = unixdeadline_now_us(), told_us = 0;
	char data[100];
	size_t size;

	ck_assert_int_eq(unixnotify_reloading(UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(supervisor, data, sizeof(data) - 1,
				 &size, UNIXMSG_NOW),
		1);
	data[size] = '\0';
	ck_assert_int_eq(sscanf(data, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64,
				 &told_us),
		1);
	ck_assert_int_ge(told_us, before_us);
	ck_assert_int_le(told_us, unixdeadline_now_us());
	close_gram(supervisor);
}
END_TEST

START_TEST(who_has_sent_is_known_and_has_no_name)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	struct unixaddr from;
	struct unixmsg msg;

	ck_assert_int_eq(unixconn_want(supervisor, UNIXMSG_WANT_CRED), 0);
	ck_assert_int_eq(unixnotify_ready(UNIXMSG_NOW), 1);
	unixmsg_init(&msg);
	msg.addr = &from;
	msg.flags = UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_msg(supervisor, &msg, UNIXMSG_NOW), 1);
	ck_assert(msg.flags & UNIXMSG_HAS_CRED);
	ck_assert_int_eq(msg.cred.pid, getpid());
	ck_assert_int_eq(msg.cred.uid, getuid());
	close_gram(supervisor);
}
END_TEST

/* Each of them, where the variable decides and nothing is sent. */
static void assert_all(int expected, int error)
{
	const int fd = STDERR_FILENO;
	int results[11], *next = results;
	size_t i;

	errno = error;
	*next++ = unixnotify_ready(UNIXMSG_NOW);
	*next++ = unixnotify_reloading(UNIXMSG_NOW);
	*next++ = unixnotify_stopping(UNIXMSG_NOW);
	*next++ = unixnotify_watchdog(UNIXMSG_NOW);
	*next++ = unixnotify_extend_us(1, UNIXMSG_NOW);
	*next++ = unixnotify_status("text", UNIXMSG_NOW);
	*next++ = unixnotify_send("READY=1", UNIXMSG_NOW);
	*next++ = unixnotify_store("name", &fd, 1, 0, UNIXMSG_NOW);
	*next++ = unixnotify_unstore("name", UNIXMSG_NOW);
	*next++ = unixnotify_barrier(UNIXMSG_FOREVER);
	*next++ = unixnotify_send("READY=1", UNIXMSG_FOREVER);
	ck_assert_int_eq(errno, error);
	for (i = 0; i < COUNT(results); i++)
		ck_assert_int_eq(results[i], expected);
}

START_TEST(without_a_supervisor_nothing_happens)
{
	if (_i == 0)
		unset("NOTIFY_SOCKET");
	else
		set("NOTIFY_SOCKET", "");
	assert_all(0, EXDEV);
}
END_TEST

static const struct {
	const char *value;
	int error;
} no_addresses[] = {
	{ "notify", EAFNOSUPPORT },
	{ "./notify", EAFNOSUPPORT },
	{ " /notify", EAFNOSUPPORT },
	{ "3", EAFNOSUPPORT },
	{ "vsock:2:1234", EAFNOSUPPORT },
	{ "vsock-stream:2:1234", EAFNOSUPPORT },
	{ "unix:/notify", EAFNOSUPPORT },
	{ "@", EINVAL },
	{ "/no/such/directory/notify", ENOENT },
	{ "/dev/null", ECONNREFUSED },
	{ "@unixmsg-test-nobody-has-this-name", ECONNREFUSED },
};

START_TEST(other_addresses_are_errors)
{
	set("NOTIFY_SOCKET", no_addresses[_i].value);
	ck_assert_errno(unixnotify_ready(UNIXMSG_FOREVER),
		no_addresses[_i].error);
	assert_all(-1, no_addresses[_i].error);
}
END_TEST

START_TEST(an_address_is_never_cut)
{
	char value[200] = "";
	const int fits = _i == 0 ? 108 : 107;

	value[0] = _i == 0 ? '/' : '@';
	memset(value + 1, 'n', (size_t)fits);
	set("NOTIFY_SOCKET", value);
	ck_assert_errno(unixnotify_ready(UNIXMSG_NOW),
		_i == 0 ? ENAMETOOLONG : ECONNREFUSED);
	value[fits] = _i == 0 ? '\0' : 'n';
	value[fits + 1] = _i == 0 ? '\0' : 'n';
	set("NOTIFY_SOCKET", value);
	ck_assert_errno(unixnotify_ready(UNIXMSG_NOW),
		_i == 0 ? ENOENT : ENAMETOOLONG);
}
END_TEST

START_TEST(a_supervisor_that_has_gone_is_told)
{
	make_dead(SOCK_DGRAM, support_path("notify"));
	set("NOTIFY_SOCKET", support_path("notify"));
	assert_all(-1, ECONNREFUSED);
}
END_TEST

START_TEST(a_socket_of_another_type_is_told)
{
	int fd = open_listening(SOCK_STREAM, support_path("notify"));

	set("NOTIFY_SOCKET", support_path("notify"));
	assert_all(-1, EPROTOTYPE);
	close(fd);
}
END_TEST

START_TEST(a_supervisor_of_somebody_else_is_told)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	pid_t pid = support_fork();

	if (pid == 0) {
		support_as_nobody();
		assert_all(-1, EACCES);
		_exit(EXIT_SUCCESS);
	}
	support_wait_exit(pid, EXIT_SUCCESS);
	assert_silence(supervisor);
	close_gram(supervisor);
}
END_TEST

/* A supervisor that does not read. */

static void fill(void)
{
	int result, count = 0;

	do {
		result = unixnotify_send("X=1", UNIXMSG_NOW);
		count += result == 1;
	} while (result == 1);
	ck_assert_int_gt(count, 0);
	ck_assert_errno(result, EAGAIN);
}

START_TEST(a_full_queue_ends_at_the_deadline)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));

	ck_assert_int_eq(unixconn_want(supervisor, UNIXMSG_WANT_FDS), 0);
	fill();
	ck_assert_errno(unixnotify_ready(UNIXMSG_NOW), EAGAIN);
	ck_assert_errno(unixnotify_barrier(UNIXMSG_NOW), EAGAIN);
	ck_assert_errno(unixnotify_ready(unixdeadline_after_us(20000)),
		ETIMEDOUT);
	ck_assert_errno(unixnotify_barrier(unixdeadline_after_us(20000)),
		ETIMEDOUT);
	close_gram(supervisor);
}
END_TEST

START_TEST(room_in_the_queue_is_waited_for)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	char data[100];
	size_t size;
	pid_t pid;

	fill();
	pid = support_fork();
	if (pid == 0)
		_exit(unixnotify_ready(UNIXMSG_FOREVER) == 1 ? 0 : 1);
	do
		ck_assert_int_eq(unixconn_recv(supervisor, data, sizeof(data),
					 &size, UNIXMSG_FOREVER),
			1);
	while (size != strlen("READY=1"));
	support_wait_exit(pid, 0);
	close_gram(supervisor);
}
END_TEST

/* What is told. */

static const struct {
	const char *text;
	const char *heard;
} statuses[] = {
	{ "", "STATUS=" },
	{ "all = well", "STATUS=all = well" },
	{ "a\nREADY=1", "STATUS=a\\x0aREADY=1" },
	{ "a\r\n\tb\x1b[0m\x7f", "STATUS=a\\x0d\\x0a\\x09b\\x1b[0m\\x7f" },
	{ "back\\slash", "STATUS=back\\slash" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		"STATUS=gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xc2\x80\xc2\x9f\xc2\xa0", "STATUS=\\xc2\\x80\\xc2\\x9f\xc2\xa0" },
	{ "\xc3", "STATUS=\\xc3" },
	{ "\xe2\x82", "STATUS=\\xe2\\x82" },
	{ "\xf0\x9f\x98\n", "STATUS=\\xf0\\x9f\\x98\\x0a" },
	{ "\x80\xbf\xff\xfe", "STATUS=\\x80\\xbf\\xff\\xfe" },
	{ "\xc0\x8a\xc1\xbf", "STATUS=\\xc0\\x8a\\xc1\\xbf" },
	{ "\xe0\x80\x8a\xe0\x9f\xbf\xe0\xa0\x80",
		"STATUS=\\xe0\\x80\\x8a\\xe0\\x9f\\xbf\xe0\xa0\x80" },
	{ "\xed\x9f\xbf\xed\xa0\x80", "STATUS=\xed\x9f\xbf\\xed\\xa0\\x80" },
	{ "\xf0\x8f\xbf\xbf\xf0\x90\x80\x80",
		"STATUS=\\xf0\\x8f\\xbf\\xbf\xf0\x90\x80\x80" },
	{ "\xf4\x8f\xbf\xbf\xf4\x90\x80\x80",
		"STATUS=\xf4\x8f\xbf\xbf\\xf4\\x90\\x80\\x80" },
	{ "\xf5\x80\x80\x80", "STATUS=\\xf5\\x80\\x80\\x80" },
};

START_TEST(a_status_is_one_line_of_text)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));

	ck_assert_int_eq(unixnotify_status(statuses[_i].text, UNIXMSG_NOW), 1);
	assert_hears(supervisor, statuses[_i].heard);
	close_gram(supervisor);
}
END_TEST

START_TEST(what_is_too_long_is_refused_whole)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	char text[4097 + 1] = "";

	memset(text, 'x', 4097);
	ck_assert_errno(unixnotify_send(text, UNIXMSG_NOW), EMSGSIZE);
	ck_assert_errno(unixnotify_status(text + 7, UNIXMSG_NOW), EMSGSIZE);
	text[4096] = '\n';
	ck_assert_errno(unixnotify_status(text + 10, UNIXMSG_NOW), EMSGSIZE);
	assert_silence(supervisor);
	text[4096] = '\0';
	ck_assert_int_eq(unixnotify_send(text, UNIXMSG_NOW), 1);
	assert_hears(supervisor, text);
	ck_assert_int_eq(unixnotify_status(text + 7, UNIXMSG_NOW), 1);
	memcpy(text, "STATUS=", 7);
	assert_hears(supervisor, text);
	close_gram(supervisor);
}
END_TEST

START_TEST(an_empty_datagram_is_never_sent)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));

	ck_assert_errno(unixnotify_send("", UNIXMSG_NOW), EINVAL);
	assert_silence(supervisor);
	close_gram(supervisor);
}
END_TEST

/* Descriptors. */

static void receive_stored(struct unixconn *supervisor, const char *text,
	struct unixmsg *msg)
{
	char data[1024];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) - 1 };

	msg->parts = &part;
	msg->parts_count = 1;
	ck_assert_int_eq(unixconn_recv_msg(supervisor, msg, UNIXMSG_NOW), 1);
	data[msg->size] = '\0';
	ck_assert_str_eq(data, text);
	msg->parts_count = 0;
}

START_TEST(descriptors_are_stored_under_a_name)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	struct unixconn *pair[2], *stored;
	struct unixmsg msg;
	char byte;
	int fds[2], got[4];

	ck_assert_int_eq(unixconn_want(supervisor, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	fds[0] = unixconn_get_fd(pair[0]);
	fds[1] = STDERR_FILENO;
	unixmsg_init(&msg);
	msg.fds = got;
	msg.fds_room = COUNT(got);
	ck_assert_int_eq(unixnotify_store("connections", fds, 2, 0,
				 UNIXMSG_NOW),
		1);
	receive_stored(supervisor, "FDSTORE=1\nFDNAME=connections", &msg);
	ck_assert_uint_eq(msg.fds_count, 2);
	unixmsg_close_fds(&msg);
	ck_assert_int_eq(unixnotify_store("one", fds, 1,
				 UNIXNOTIFY_STORE_CLOSED, UNIXMSG_NOW),
		1);
	receive_stored(supervisor, "FDSTORE=1\nFDNAME=one\nFDPOLL=0", &msg);
	ck_assert_uint_eq(msg.fds_count, 1);
	/* The service ends here, and another one takes the connection up. */
	unixconn_close(pair[0]);
	stored = unixconn_adopt(got[0]);
	ck_assert_ptr_nonnull(stored);
	ck_assert_int_eq(unixconn_send(stored, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(pair[1], &byte, 1, NULL, UNIXMSG_NOW),
		1);
	unixconn_close(stored);
	unixconn_close(pair[1]);
	close_gram(supervisor);
}
END_TEST

START_TEST(what_cannot_be_stored_is_refused)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	const char *const names[] = { "", "a:b", "a\nREADY=1", "\x7f", "\xc3" };
	int fds[254] = { 0 };
	char longest[257] = "";
	size_t i;

	memset(longest, 'n', 256);
	for (i = 0; i < COUNT(names); i++) {
		ck_assert_errno(unixnotify_store(names[i], fds, 1, 0,
					UNIXMSG_NOW),
			EINVAL);
		ck_assert_errno(unixnotify_unstore(names[i], UNIXMSG_NOW),
			EINVAL);
	}
	ck_assert_errno(unixnotify_store(longest, fds, 1, 0, UNIXMSG_NOW),
		EINVAL);
	ck_assert_errno(unixnotify_store("n", fds, 0, 0, UNIXMSG_NOW), EINVAL);
	ck_assert_errno(unixnotify_store("n", fds, 254, 0, UNIXMSG_NOW),
		EINVAL);
	ck_assert_errno(unixnotify_store("n", fds, 1, 0x2, UNIXMSG_NOW),
		EINVAL);
	fds[0] = -1;
	ck_assert_errno(unixnotify_store("n", fds, 1, 0, UNIXMSG_NOW), EBADF);
	assert_silence(supervisor);
	ck_assert_int_eq(unixnotify_unstore(longest + 1, UNIXMSG_NOW), 1);
	close_gram(supervisor);
}
END_TEST

START_TEST(a_supervisor_that_refuses_descriptors_is_told)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	const int fd = STDERR_FILENO;

	ck_assert_errno(unixnotify_store("n", &fd, 1, 0, UNIXMSG_NOW), EPERM);
	ck_assert_errno(unixnotify_barrier(UNIXMSG_FOREVER), EPERM);
	close_gram(supervisor);
}
END_TEST

/* Waiting for the supervisor. */

START_TEST(the_barrier_waits_for_the_supervisor)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	struct unixmsg msg;
	int fd;
	pid_t pid;

	ck_assert_int_eq(unixconn_want(supervisor, UNIXMSG_WANT_FDS), 0);
	pid = support_fork();
	if (pid == 0) {
		close(unixconn_get_fd(supervisor));
		errno = EXDEV;
		if (unixnotify_ready(UNIXMSG_FOREVER) != 1 ||
			unixnotify_barrier(UNIXMSG_FOREVER) != 1)
			_exit(EXIT_FAILURE);
		_exit(errno == EXDEV ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	unixmsg_init(&msg);
	msg.fds = &fd;
	msg.fds_room = 1;
	ck_assert_errno(unixconn_recv(supervisor, NULL, 0, NULL,
				UNIXMSG_FOREVER),
		EMSGSIZE);
	ck_assert_int_eq(unixconn_get_next_size(supervisor, &msg.size,
				 UNIXMSG_FOREVER),
		1);
	receive_stored(supervisor, "BARRIER=1", &msg);
	ck_assert_uint_eq(msg.fds_count, 1);
	unixmsg_close_fds(&msg);
	support_wait_exit(pid, EXIT_SUCCESS);
	close_gram(supervisor);
}
END_TEST

START_TEST(the_barrier_ends_at_its_deadline)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));

	ck_assert_int_eq(unixconn_want(supervisor, UNIXMSG_WANT_FDS), 0);
	ck_assert_errno(unixnotify_barrier(unixdeadline_after_us(20000)),
		ETIMEDOUT);
	ck_assert_errno(unixnotify_barrier(UNIXMSG_NOW), EAGAIN);
	close_gram(supervisor);
}
END_TEST

START_TEST(a_supervisor_that_dies_ends_the_barrier)
{
	struct unixconn *supervisor = open_supervisor(support_path("notify"));
	size_t size;
	pid_t pid;

	ck_assert_int_eq(unixconn_want(supervisor, UNIXMSG_WANT_FDS), 0);
	pid = support_fork();
	if (pid == 0) {
		close(unixconn_get_fd(supervisor));
		_exit(unixnotify_barrier(UNIXMSG_FOREVER) == 1 ? 0 : 1);
	}
	ck_assert_int_eq(unixconn_get_next_size(supervisor, &size,
				 UNIXMSG_FOREVER),
		1);
	close_gram(supervisor);
	support_wait_exit(pid, 0);
}
END_TEST

/* The watchdog. */

static void set_watchdog(const char *period, const char *pid)
{
	char own[32];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	unset("WATCHDOG_USEC");
	unset("WATCHDOG_PID");
	if (period != NULL)
		set("WATCHDOG_USEC", period);
	if (pid != NULL)
		set("WATCHDOG_PID", strcmp(pid, "own") == 0 ? own : pid);
}

static const struct {
	const char *period;
	const char *pid;
	int result;
	int64_t period_us;
} watchdogs[] = {
	{ NULL, NULL, 0, 0 },
	{ NULL, "own", 0, 0 },
	{ "", "own", 0, 0 },
	{ "3000000", NULL, 1, 3000000 },
	{ "3000000", "", 1, 3000000 },
	{ "3000000", "own", 1, 3000000 },
	{ "9223372036854775807", "own", 1, INT64_MAX },
	{ "3000000", "1", 0, 0 },
	{ "3000000", "one", -1, 0 },
	{ "0", "own", -1, 0 },
	{ "9223372036854775808", "own", -1, 0 },
	{ "18446744073709551615", "own", -1, 0 },
	{ "-1", "own", -1, 0 },
	{ "3s", "own", -1, 0 },
};

START_TEST(the_watchdog_period_is_read)
{
	int64_t period_us = 0;
	int result;

	set_watchdog(watchdogs[_i].period, watchdogs[_i].pid);
	errno = EXDEV;
	result = unixnotify_get_watchdog_us(&period_us);
	ck_assert_int_eq(errno, watchdogs[_i].result < 0 ? EPROTO : EXDEV);
	ck_assert_int_eq(result, watchdogs[_i].result);
	ck_assert_int_eq(period_us, watchdogs[_i].period_us);
}
END_TEST

START_TEST(a_negative_deadline_is_refused)
{
	ck_assert_errno(unixnotify_ready(-1), EINVAL);
	ck_assert_errno(unixnotify_status("up", INT64_MIN), EINVAL);
	ck_assert_errno(unixnotify_extend_us(1, -1), EINVAL);
}
END_TEST

static void add_address_tests(Suite *suite)
{
	TCase *tcase = make_tcase("addresses");

	tcase_add_loop_test(tcase, the_supervisor_hears_all_of_it, 0, 3);
	tcase_add_test(tcase, a_negative_deadline_is_refused);
	tcase_add_test(tcase, who_has_sent_is_known_and_has_no_name);
	tcase_add_loop_test(tcase, without_a_supervisor_nothing_happens, 0, 2);
	tcase_add_loop_test(tcase, other_addresses_are_errors, 0,
		COUNT(no_addresses));
	tcase_add_loop_test(tcase, an_address_is_never_cut, 0, 2);
	tcase_add_test(tcase, a_supervisor_that_has_gone_is_told);
	tcase_add_test(tcase, a_socket_of_another_type_is_told);
	support_add_root_test(tcase, a_supervisor_of_somebody_else_is_told);
	tcase_add_test(tcase, a_full_queue_ends_at_the_deadline);
	tcase_add_test(tcase, room_in_the_queue_is_waited_for);
	suite_add_tcase(suite, tcase);
}

static void add_text_tests(Suite *suite)
{
	TCase *tcase = make_tcase("texts");

	tcase_add_test(tcase, reloading_carries_the_present_time);
	tcase_add_loop_test(tcase, a_status_is_one_line_of_text, 0,
		COUNT(statuses));
	tcase_add_test(tcase, what_is_too_long_is_refused_whole);
	tcase_add_test(tcase, an_empty_datagram_is_never_sent);
	tcase_add_loop_test(tcase, the_watchdog_period_is_read, 0,
		COUNT(watchdogs));
	suite_add_tcase(suite, tcase);
}

static void add_descriptor_tests(Suite *suite)
{
	TCase *tcase = make_tcase("descriptors");

	tcase_add_test(tcase, descriptors_are_stored_under_a_name);
	tcase_add_test(tcase, what_cannot_be_stored_is_refused);
	support_add_test_if(tcase,
		a_supervisor_that_refuses_descriptors_is_told,
		support_can_refuse_fds(), "before Linux 6.16");
	tcase_add_test(tcase, the_barrier_waits_for_the_supervisor);
	tcase_add_test(tcase, the_barrier_ends_at_its_deadline);
	tcase_add_test(tcase, a_supervisor_that_dies_ends_the_barrier);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("notify");

	add_address_tests(suite);
	add_text_tests(suite);
	add_descriptor_tests(suite);
	return support_run(suite);
}
