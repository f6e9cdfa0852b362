/* SPDX-License-Identifier: MIT */
/*
 * What holds for a message on both networks that keep boundaries. Each test
 * runs on every kind of link below: what marks the messages of a connection
 * depends on how its receiving side came to be.
 */
#include <config.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/support.h"

static const int64_t short_us = 30000;

static struct ends ends;

/* A stop descriptor that is readable from the start. */
static int make_stop(void)
{
	int fd = eventfd(1, EFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void set_parts(struct unixmsg *msg, struct iovec *parts, size_t count)
{
	unixmsg_init(msg);
	msg->parts = parts;
	msg->parts_count = count;
}

/* Sizes */

static void exchange(size_t size, unsigned int seed)
{
	unsigned char *sent = make_payload(size, seed);
	unsigned char *got = make_payload(size, seed + 1);
	size_t got_size = SIZE_MAX;

	ck_assert_int_eq(unixconn_send(ends.sender, sent, size, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv(ends.receiver, got, size, &got_size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(got_size, size);
	ck_assert_int_eq(memcmp(sent, got, size), 0);
	free(sent);
	free(got);
}

START_TEST(messages_of_every_size_arrive_whole)
{
	size_t most, i;

	ends_make(&ends, _i);
	most = ends_get_size_max(&ends);
	{
		const size_t sizes[] = { 0, 1, 2, 4095, 65536, most - 1, most };

		for (i = 0; i < COUNT(sizes); i++)
			exchange(sizes[i], (unsigned int)i);
	}
}
END_TEST

START_TEST(a_message_that_is_too_large_is_refused_and_not_sent)
{
	size_t most, beyond;
	unsigned char *bytes;

	ends_make(&ends, _i);
	most = ends_get_size_max(&ends);
	bytes = make_payload(2 * most, 0);
	for (beyond = most + 1; beyond <= 2 * most; beyond += most - 1)
		ck_assert_errno(unixconn_send(ends.sender, bytes, beyond,
					UNIXMSG_NOW),
			EMSGSIZE);
	expect_nothing(ends.receiver);
	send_text(ends.sender, "after");
	expect_text(ends.receiver, "after");
	free(bytes);
}
END_TEST

START_TEST(the_largest_size_follows_the_send_buffer)
{
	int bytes = 65536;
	size_t before;

	ends_make(&ends, _i);
	before = ends_get_size_max(&ends);
	ck_assert_int_eq(setsockopt(unixconn_get_fd(ends.sender), SOL_SOCKET,
				 SO_SNDBUF, &bytes, sizeof(bytes)),
		0);
	ck_assert_uint_ne(ends_get_size_max(&ends), before);
	exchange(ends_get_size_max(&ends), 0);
}
END_TEST

START_TEST(several_parts_are_gathered_into_one_message)
{
	char a[] = "one", c[] = "three";
	struct iovec parts[] = { { a, 3 }, { NULL, 0 }, { c, 5 } };
	struct unixmsg msg;

	ends_make(&ends, _i);
	set_parts(&msg, parts, COUNT(parts));
	ck_assert_int_eq(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW), 1);
	expect_text(ends.receiver, "onethree");
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(one_message_is_scattered_over_several_parts)
{
	char a[4] = "", b[1] = "", c[8] = "";
	struct iovec parts[] = { { a, 3 }, { b, 1 }, { NULL, 0 }, { c, 7 } };
	struct unixmsg msg;

	ends_make(&ends, _i);
	set_parts(&msg, parts, COUNT(parts));
	send_text(ends.sender, "onetwo");
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.size, 6);
	ck_assert_uint_eq(msg.flags, 0);
	ck_assert_str_eq(a, "one");
	ck_assert_int_eq(b[0], 't');
	ck_assert_str_eq(c, "wo");
}
END_TEST

START_TEST(a_message_may_have_as_many_parts_as_the_kernel_takes)
{
	static char bytes[IOV_MAX];
	struct iovec parts[IOV_MAX];
	struct unixmsg msg;
	size_t i, size;

	ends_make(&ends, _i);
	for (i = 0; i < IOV_MAX; i++)
		parts[i] = (struct iovec){ bytes + i, 1 };
	memset(bytes, 'p', sizeof(bytes));
	set_parts(&msg, parts, IOV_MAX);
	ck_assert_int_eq(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, IOV_MAX);
	memset(bytes, 0, sizeof(bytes));
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.size, IOV_MAX);
	for (i = 0; i < IOV_MAX; i++)
		ck_assert_int_eq(bytes[i], 'p');
}
END_TEST

START_TEST(a_message_of_more_parts_is_refused)
{
	struct iovec parts[IOV_MAX + 1] = { { .iov_base = NULL } };
	struct unixmsg msg;

	ends_make(&ends, _i);
	set_parts(&msg, parts, COUNT(parts));
	ck_assert_errno(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW),
		EINVAL);
	ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		EINVAL);
	expect_nothing(ends.receiver);
}
END_TEST

/* Messages that are cut */

START_TEST(a_cut_message_is_an_error_and_the_next_is_intact)
{
	char bytes[4] = "";
	size_t size = 0;

	ends_make(&ends, _i);
	send_text(ends.sender, "too long");
	send_text(ends.sender, "next");
	ck_assert_errno(unixconn_recv(ends.receiver, bytes, 4, &size,
				UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(size, 8);
	expect_text(ends.receiver, "next");
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(a_cut_message_may_go_without_its_size)
{
	char byte;

	ends_make(&ends, _i);
	send_text(ends.sender, "too long");
	ck_assert_errno(unixconn_recv(ends.receiver, &byte, 1, NULL,
				UNIXMSG_NOW),
		EMSGSIZE);
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(the_beginning_of_a_long_message_is_delivered_when_asked_for)
{
	char bytes[5] = "";
	struct iovec part = { bytes, 4 };
	struct unixmsg msg;

	ends_make(&ends, _i);
	set_parts(&msg, &part, 1);
	msg.flags = UNIXMSG_PREFIX;
	send_text(ends.sender, "long enough");
	send_text(ends.sender, "fits");
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.size, 11);
	ck_assert_uint_eq(msg.flags, UNIXMSG_PREFIX | UNIXMSG_CUT);
	ck_assert_str_eq(bytes, "long");
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.size, 4);
	ck_assert_uint_eq(msg.flags, UNIXMSG_PREFIX);
	ck_assert_str_eq(bytes, "fits");
}
END_TEST

START_TEST(a_cut_message_leaves_its_mark_without_the_prefix_too)
{
	char bytes[4];
	struct iovec part = { bytes, 4 };
	struct unixmsg msg;

	ends_make(&ends, _i);
	set_parts(&msg, &part, 1);
	send_text(ends.sender, "long enough");
	ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(msg.size, 11);
	ck_assert_uint_eq(msg.flags, UNIXMSG_CUT);
}
END_TEST

START_TEST(without_room_only_an_empty_message_fits)
{
	struct unixmsg msg;
	size_t size = 7;

	ends_make(&ends, _i);
	unixmsg_init(&msg);
	send_text(ends.sender, "");
	send_text(ends.sender, "one");
	send_text(ends.sender, "");
	send_text(ends.sender, "three");
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.size, 0);
	ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(msg.size, 3);
	ck_assert_int_eq(unixconn_recv(ends.receiver, NULL, 0, &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 0);
	ck_assert_errno(unixconn_recv(ends.receiver, NULL, 0, &size,
				UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(size, 5);
	expect_nothing(ends.receiver);
}
END_TEST

/* What the caller may not ask for */

START_TEST(unknown_flags_are_refused_and_nothing_is_moved)
{
	const unsigned int received =
		UNIXMSG_CUT | UNIXMSG_CUT_CONTROL | UNIXMSG_HAS_CRED;
	const unsigned int known = UNIXMSG_PREFIX | UNIXMSG_PEEK | received;
	struct unixmsg msg;
	unsigned int bit;

	ends_make(&ends, _i);
	send_text(ends.sender, "stays");
	for (bit = 1; bit != 0; bit <<= 1) {
		unixmsg_init(&msg);
		msg.flags = bit;
		if ((bit & known) == 0)
			ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg,
						UNIXMSG_NOW),
				EINVAL);
		if ((bit & received) == 0)
			ck_assert_errno(unixconn_send_msg(ends.sender, &msg,
						UNIXMSG_NOW),
				EINVAL);
	}
	expect_text(ends.receiver, "stays");
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(reserved_fields_must_be_zero)
{
	struct unixmsg msg;
	size_t i;

	ends_make(&ends, _i);
	send_text(ends.sender, "stays");
	for (i = 0; i < COUNT(msg.reserved); i++) {
		unixmsg_init(&msg);
		msg.reserved[i] = UINT64_C(1) << (i * 9);
		ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg,
					UNIXMSG_NOW),
			EINVAL);
		ck_assert_errno(unixconn_send_msg(ends.sender, &msg,
					UNIXMSG_NOW),
			EINVAL);
	}
	expect_text(ends.receiver, "stays");
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(what_was_received_can_be_sent_on)
{
	char bytes[3];
	struct iovec part = { bytes, 3 };
	struct unixmsg msg;

	ends_make(&ends, _i);
	set_parts(&msg, &part, 1);
	msg.flags = UNIXMSG_CUT | UNIXMSG_CUT_CONTROL | UNIXMSG_HAS_CRED;
	memcpy(bytes, "abc", 3);
	ck_assert_int_eq(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.flags, 0);
	ck_assert_int_eq(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW), 1);
	expect_text(ends.receiver, "abc");
}
END_TEST

START_TEST(an_initialised_message_is_empty)
{
	static const struct unixmsg empty;
	struct unixmsg msg;

	memset(&msg, 0xff, sizeof(msg));
	unixmsg_init(&msg);
	ck_assert_ptr_null(msg.parts);
	ck_assert_uint_eq(msg.parts_count, 0);
	ck_assert_uint_eq(msg.size, 0);
	ck_assert_ptr_null(msg.addr);
	ck_assert_uint_eq(msg.flags, 0);
	ck_assert_ptr_null(msg.fds);
	ck_assert_uint_eq(msg.fds_room, 0);
	ck_assert_uint_eq(msg.fds_count, 0);
	ck_assert_uint_eq(msg.fds_lost, 0);
	ck_assert_int_eq(msg.pidfd, -1);
	ck_assert_mem_eq(msg.reserved, empty.reserved, sizeof(msg.reserved));
}
END_TEST

START_TEST(connections_refuse_a_destination)
{
	struct unixaddr addr;
	struct unixmsg msg;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixaddr_parse(&addr, "@somebody"), 0);
	unixmsg_init(&msg);
	msg.addr = &addr;
	ck_assert_errno(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW),
		EINVAL);
	expect_nothing(ends.receiver);
}
END_TEST

/* errno */

START_TEST(success_keeps_errno)
{
	size_t size;
	char bytes[8];

	ends_make(&ends, _i);
	errno = EXDEV;
	ck_assert_int_eq(unixconn_send(ends.sender, "kept", 4, UNIXMSG_FOREVER),
		1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(unixconn_recv(ends.receiver, bytes, 8, &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Descriptors that nobody asked for */

/*
 * A foreign program sends text with count descriptors, as it can where the
 * kernel does not refuse them for us, or did not while they were wanted.
 */
static void send_descriptors(const char *text, size_t count)
{
	ck_assert_int_eq(unixconn_want(ends.receiver, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_want(ends.receiver, 0), 0);
	support_let_fds_through(unixconn_get_fd(ends.receiver));
	ck_assert_int_eq(support_send_fds(unixconn_get_fd(ends.sender), text,
				 strlen(text), STDERR_FILENO, count),
		(ssize_t)strlen(text));
}

static const size_t floods[] = { 1, 2, 8, 253 };

/* Takes one message in a way of its own. */
static void take_by_recv(const char *text)
{
	expect_text(ends.receiver, text);
}

static void take_by_msg(const char *text)
{
	char bytes[16];
	struct iovec part = { bytes, sizeof(bytes) };
	struct unixmsg msg;

	set_parts(&msg, &part, 1);
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.flags, UNIXMSG_CUT_CONTROL);
	ck_assert_uint_eq(msg.size, strlen(text));
	ck_assert_int_eq(memcmp(bytes, text, msg.size), 0);
}

static void take_a_part(const char *text)
{
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.flags = UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.size, strlen(text));
	ck_assert(msg.flags & UNIXMSG_CUT_CONTROL);
}

static void take_with_an_error(const char *text)
{
	struct unixmsg msg;

	unixmsg_init(&msg);
	if (*text != '\0')
		ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg,
					UNIXMSG_NOW),
			EMSGSIZE);
	else
		ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg,
					 UNIXMSG_NOW),
			1);
	ck_assert(msg.flags & UNIXMSG_CUT_CONTROL);
}

static void take_after_a_look(const char *text)
{
	size_t size = SIZE_MAX;

	ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, strlen(text));
	expect_text(ends.receiver, text);
}

static void flood(void (*take)(const char *), const char *text)
{
	int before = support_count_fds();
	size_t i;

	for (i = 0; i < COUNT(floods); i++) {
		send_descriptors(text, floods[i]);
		take(text);
		ck_assert_int_eq(support_count_fds(), before);
	}
}

START_TEST(whoever_sends_descriptors_unasked_is_told)
{
	size_t i;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(floods); i++)
		ck_assert_errno(support_send_fds(unixconn_get_fd(ends.sender),
					"refused", 7, STDERR_FILENO, floods[i]),
			EPERM);
	expect_nothing(ends.receiver);
	send_text(ends.sender, "after");
	expect_text(ends.receiver, "after");
}
END_TEST

START_TEST(descriptors_sent_unasked_are_never_installed)
{
	static void (*const ways[])(const char *) = {
		take_by_recv,
		take_by_msg,
		take_a_part,
		take_with_an_error,
		take_after_a_look,
	};
	size_t i;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(ways); i++) {
		flood(ways[i], "payload");
		flood(ways[i], "");
	}
}
END_TEST

START_TEST(cut_control_is_told_of_one_message_only)
{
	struct unixmsg msg;

	ends_make(&ends, _i);
	unixmsg_init(&msg);
	send_descriptors("", 1);
	send_text(ends.sender, "");
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.flags, UNIXMSG_CUT_CONTROL);
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.flags, 0);
}
END_TEST

START_TEST(many_messages_with_descriptors_leave_none)
{
	int before, i;

	ends_make(&ends, _i);
	before = support_count_fds();
	for (i = 0; i < 1000; i++) {
		send_descriptors("flood", 253);
		expect_text(ends.receiver, "flood");
	}
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

/* The size of the next message */

START_TEST(the_next_size_is_told_and_the_message_stays)
{
	size_t size = SIZE_MAX;
	int i;

	ends_make(&ends, _i);
	send_text(ends.sender, "");
	send_text(ends.sender, "four");
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
					 UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(size, 0);
	expect_text(ends.receiver, "");
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
					 UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(size, 4);
	expect_text(ends.receiver, "four");
	ck_assert_errno(unixconn_get_next_size(ends.receiver, &size,
				UNIXMSG_NOW),
		EAGAIN);
}
END_TEST

/* Waiting */

static int receive_until(int64_t deadline_us)
{
	char byte;

	return unixconn_recv(ends.receiver, &byte, 1, NULL, deadline_us);
}

static int look_until(int64_t deadline_us)
{
	size_t size;

	return unixconn_get_next_size(ends.receiver, &size, deadline_us);
}

static int send_until(int64_t deadline_us)
{
	return unixconn_send(ends.sender, "x", 1, deadline_us);
}

static int fill(void)
{
	int count = 0;

	while (send_until(UNIXMSG_NOW) == 1)
		ck_assert_int_lt(count++, 100000);
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

static int drain(void)
{
	int count = 0;

	while (receive_until(UNIXMSG_NOW) == 1)
		count++;
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

/* What wait does when it would have to wait. */
static void expect_deadlines(int (*wait)(int64_t))
{
	int64_t begin_us, deadline_us;

	ck_assert_errno(wait(UNIXMSG_NOW), EAGAIN);
	ck_assert_errno(wait(1), ETIMEDOUT);
	ck_assert_errno(wait(-1), EINVAL);
	ck_assert_errno(wait(INT64_MIN), EINVAL);
	begin_us = unixdeadline_now_us();
	ck_assert_errno(wait(begin_us), ETIMEDOUT);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_errno(wait(deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
}

static void expect_stops(struct unixconn *end, int (*wait)(int64_t))
{
	int stop_fd = make_stop();

	unixconn_set_stop_fd(end, stop_fd);
	ck_assert_errno(wait(UNIXMSG_FOREVER), ECANCELED);
	ck_assert_errno(wait(unixdeadline_after_us(60000000)), ECANCELED);
	ck_assert_errno(wait(UNIXMSG_NOW), EAGAIN);
	unixconn_set_stop_fd(end, -1);
	ck_assert_errno(wait(unixdeadline_after_us(1000)), ETIMEDOUT);
	close(stop_fd);
}

START_TEST(receiving_from_an_empty_queue_keeps_to_its_deadline)
{
	ends_make(&ends, _i);
	expect_deadlines(receive_until);
	expect_deadlines(look_until);
}
END_TEST

START_TEST(sending_to_a_full_queue_keeps_to_its_deadline)
{
	int count;

	ends_make(&ends, _i);
	count = fill();
	expect_deadlines(send_until);
	ck_assert_int_eq(drain(), count);
}
END_TEST

START_TEST(the_stop_ends_a_wait_to_receive)
{
	ends_make(&ends, _i);
	expect_stops(ends.receiver, receive_until);
	expect_stops(ends.receiver, look_until);
}
END_TEST

START_TEST(the_stop_ends_a_wait_to_send)
{
	int count;

	ends_make(&ends, _i);
	count = fill();
	expect_stops(ends.sender, send_until);
	ck_assert_int_eq(drain(), count);
}
END_TEST

START_TEST(what_can_be_done_at_once_minds_neither_deadline_nor_stop)
{
	static const int64_t deadlines_us[] = { UNIXMSG_NOW, 1,
		UNIXMSG_FOREVER };
	int stop_fd = make_stop();
	size_t i;

	ends_make(&ends, _i);
	unixconn_set_stop_fd(ends.sender, stop_fd);
	unixconn_set_stop_fd(ends.receiver, stop_fd);
	for (i = 0; i < COUNT(deadlines_us); i++) {
		ck_assert_int_eq(send_until(deadlines_us[i]), 1);
		ck_assert_int_eq(look_until(deadlines_us[i]), 1);
		ck_assert_int_eq(receive_until(deadlines_us[i]), 1);
	}
	ends_close(&ends);
	close(stop_fd);
}
END_TEST

START_TEST(a_closed_pipe_is_a_stop_too)
{
	int pipe[2];

	ends_make(&ends, _i);
	support_ready_init(pipe);
	unixconn_set_stop_fd(ends.receiver, pipe[0]);
	close(pipe[1]);
	ck_assert_errno(receive_until(UNIXMSG_FOREVER), ECANCELED);
	close(pipe[0]);
}
END_TEST

static void write_to(int fd)
{
	const uint64_t one = 1;

	ck_assert_int_eq(write(fd, &one, sizeof(one)), sizeof(one));
}

START_TEST(a_stop_wakes_a_call_that_waits_already)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC);
	pid_t test = getpid(), pid;

	ends_make(&ends, _i);
	unixconn_set_stop_fd(ends.receiver, stop_fd);
	pid = support_fork();
	if (pid == 0) {
		support_wait_until_asleep(test);
		write_to(stop_fd);
		_exit(0);
	}
	ck_assert_errno(receive_until(UNIXMSG_FOREVER), ECANCELED);
	support_wait_exit(pid, 0);
	close(stop_fd);
}
END_TEST

static void wake_by_message(int stop_fd, int64_t deadline_us)
{
	pid_t test = getpid(), pid;

	unixconn_set_stop_fd(ends.receiver, stop_fd);
	pid = support_fork();
	if (pid == 0) {
		support_wait_until_asleep(test);
		_exit(send_until(UNIXMSG_NOW) != 1);
	}
	errno = EXDEV;
	ck_assert_int_eq(receive_until(deadline_us), 1);
	ck_assert_int_eq(errno, EXDEV);
	support_wait_exit(pid, 0);
}

START_TEST(a_message_wakes_the_one_who_waits_for_it)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC);

	ends_make(&ends, _i);
	wake_by_message(-1, UNIXMSG_FOREVER);
	wake_by_message(-1, unixdeadline_after_us(60000000));
	wake_by_message(stop_fd, UNIXMSG_FOREVER);
	close(stop_fd);
}
END_TEST

static void wake_by_room(int stop_fd, int64_t deadline_us)
{
	pid_t test = getpid(), pid;
	int count = fill();

	unixconn_set_stop_fd(ends.sender, stop_fd);
	pid = support_fork();
	if (pid == 0) {
		support_wait_until_asleep(test);
		while (count-- > 0)
			ck_assert_int_eq(receive_until(UNIXMSG_NOW), 1);
		_exit(0);
	}
	errno = EXDEV;
	ck_assert_int_eq(send_until(deadline_us), 1);
	ck_assert_int_eq(errno, EXDEV);
	support_wait_exit(pid, 0);
	ck_assert_int_eq(drain(), 1);
}

START_TEST(room_in_the_queue_wakes_the_one_who_waits_for_it)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC);

	ends_make(&ends, _i);
	wake_by_room(-1, UNIXMSG_FOREVER);
	wake_by_room(-1, unixdeadline_after_us(60000000));
	wake_by_room(stop_fd, UNIXMSG_FOREVER);
	close(stop_fd);
}
END_TEST

/* Signals */

enum { ENOUGH_SIGNALS = 20 };

static volatile sig_atomic_t signals;
static int enough[2] = { -1, -1 };

static void count_signal(int number)
{
	int saved = errno;

	(void)number;
	if (++signals == ENOUGH_SIGNALS && enough[1] >= 0 &&
		write(enough[1], "", 1) != 1)
		_exit(EXIT_FAILURE);
	errno = saved;
}

static int64_t choose_deadline(int i)
{
	return i % 2 == 0 ? UNIXMSG_FOREVER : unixdeadline_after_us(60000000);
}

static void send_numbers(int count)
{
	int i;

	for (i = 0; i < count; i++)
		ck_assert_int_eq(unixconn_send(ends.sender, &i, sizeof(i),
					 choose_deadline(i / 3)),
			1);
}

static void receive_numbers(int count)
{
	size_t size;
	int i, got;

	for (i = 0; i < count; i++) {
		ck_assert_int_eq(unixconn_recv(ends.receiver, &got, sizeof(got),
					 &size, choose_deadline(i)),
			1);
		ck_assert_uint_eq(size, sizeof(got));
		ck_assert_int_eq(got, i);
	}
}

START_TEST(signals_change_nothing_in_a_long_exchange)
{
	enum { MESSAGES = 30000 };
	pid_t pid;

	ends_make(&ends, _i);
	pid = support_fork();
	support_set_alarms(1000, count_signal);
	if (pid == 0) {
		send_numbers(MESSAGES);
		_exit(signals == 0);
	}
	receive_numbers(MESSAGES);
	ck_assert_int_gt(signals, 0);
	support_set_alarms(0, count_signal);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(signals_do_not_make_a_deadline_come_early)
{
	int64_t deadline_us;

	ends_make(&ends, _i);
	support_set_alarms(1000, count_signal);
	deadline_us = unixdeadline_after_us(100000);
	ck_assert_errno(receive_until(deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	fill();
	deadline_us = unixdeadline_after_us(100000);
	ck_assert_errno(send_until(deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	support_set_alarms(0, count_signal);
	ck_assert_int_gt(signals, 0);
}
END_TEST

START_TEST(signals_do_not_end_a_wait_without_an_end)
{
	pid_t pid;

	ends_make(&ends, _i);
	support_ready_init(enough);
	pid = support_fork();
	if (pid == 0) {
		support_set_alarms(1000, count_signal);
		_exit(receive_until(UNIXMSG_FOREVER) != 1);
	}
	support_ready_wait(enough);
	send_text(ends.sender, "x");
	support_wait_exit(pid, 0);
	close(enough[0]);
	close(enough[1]);
}
END_TEST

/*
 * Linux raises no SIGPIPE for messages, with and without MSG_NOSIGNAL: that it
 * is asked for none see fault_calls.c, through which the torture sends.
 */
START_TEST(who_sends_to_nobody_is_told)
{
	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_close(ends.receiver), 0);
	ends.receiver = NULL;
	ck_assert_int_eq(unixconn_send(ends.sender, "x", 1, UNIXMSG_FOREVER),
		-1);
	ck_assert_int_eq(errno, ends.is_packet ? EPIPE : ECONNREFUSED);
	ck_assert_int_eq(unixconn_send(ends.sender, "x", 1, UNIXMSG_FOREVER),
		-1);
}
END_TEST

/* The list of tests */

static TCase *make_sizes(void)
{
	TCase *tcase = make_ends_tcase("sizes");

	ends_add(tcase, messages_of_every_size_arrive_whole);
	ends_add(tcase, a_message_that_is_too_large_is_refused_and_not_sent);
	ends_add(tcase, the_largest_size_follows_the_send_buffer);
	ends_add(tcase, several_parts_are_gathered_into_one_message);
	ends_add(tcase, one_message_is_scattered_over_several_parts);
	ends_add(tcase, a_message_may_have_as_many_parts_as_the_kernel_takes);
	ends_add(tcase, a_message_of_more_parts_is_refused);
	ends_add(tcase, a_cut_message_is_an_error_and_the_next_is_intact);
	ends_add(tcase, a_cut_message_may_go_without_its_size);
	ends_add(tcase,
		the_beginning_of_a_long_message_is_delivered_when_asked_for);
	ends_add(tcase, a_cut_message_leaves_its_mark_without_the_prefix_too);
	ends_add(tcase, without_room_only_an_empty_message_fits);
	ends_add(tcase, the_next_size_is_told_and_the_message_stays);
	return tcase;
}

static TCase *make_rules(void)
{
	TCase *tcase = make_ends_tcase("rules");

	tcase_add_test(tcase, an_initialised_message_is_empty);
	ends_add(tcase, unknown_flags_are_refused_and_nothing_is_moved);
	ends_add(tcase, reserved_fields_must_be_zero);
	ends_add(tcase, what_was_received_can_be_sent_on);
	ends_add_packets(tcase, connections_refuse_a_destination);
	ends_add(tcase, success_keeps_errno);
	ends_add(tcase, who_sends_to_nobody_is_told);
	return tcase;
}

static TCase *make_descriptors(void)
{
	TCase *tcase = make_ends_tcase("descriptors");

	support_add_loop_test_if(tcase,
		whoever_sends_descriptors_unasked_is_told, ENDS_KINDS,
		support_can_refuse_fds(), "the kernel cannot refuse them");
	/* They are sent without the library, which has a lane. */
	if (support_has_lanes())
		return tcase;
	ends_add(tcase, descriptors_sent_unasked_are_never_installed);
	ends_add(tcase, cut_control_is_told_of_one_message_only);
	ends_add(tcase, many_messages_with_descriptors_leave_none);
	return tcase;
}

static TCase *make_waits(void)
{
	TCase *tcase = make_ends_tcase("waits");

	ends_add(tcase, receiving_from_an_empty_queue_keeps_to_its_deadline);
	ends_add(tcase, sending_to_a_full_queue_keeps_to_its_deadline);
	ends_add(tcase, the_stop_ends_a_wait_to_receive);
	ends_add(tcase, the_stop_ends_a_wait_to_send);
	ends_add(tcase,
		what_can_be_done_at_once_minds_neither_deadline_nor_stop);
	ends_add(tcase, a_closed_pipe_is_a_stop_too);
	ends_add(tcase, a_stop_wakes_a_call_that_waits_already);
	ends_add(tcase, a_message_wakes_the_one_who_waits_for_it);
	ends_add(tcase, room_in_the_queue_wakes_the_one_who_waits_for_it);
	return tcase;
}

static TCase *make_signals(void)
{
	TCase *tcase = make_ends_tcase("signals");

	tcase_set_tags(tcase, SUPPORT_LOAD);
	ends_add(tcase, signals_change_nothing_in_a_long_exchange);
	ends_add(tcase, signals_do_not_make_a_deadline_come_early);
	ends_add(tcase, signals_do_not_end_a_wait_without_an_end);
	return tcase;
}

int main(void)
{
	return support_run_cases("msg", make_sizes(), make_rules(),
		make_descriptors(), make_waits(), make_signals());
}
