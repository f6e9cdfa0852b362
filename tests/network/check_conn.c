/* SPDX-License-Identifier: MIT */
/*
 * What is the same on all networks: each test runs on unixgram, unixpacket and
 * unix, and has no word for what differs.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"
#include "support/talk.h"

static const struct {
	const char *name;
	const char *other;
	int type;
} networks[] = {
	{ "unixgram", "dgram", SOCK_DGRAM },
	{ "unixpacket", "seqpacket", SOCK_SEQPACKET },
	{ "unix", "unixstream", SOCK_STREAM },
};

enum { STREAM = 2, NETWORKS = sizeof(networks) / sizeof(networks[0]) };

static struct unixconn *near, *far;

static void link_up(int network)
{
	make_pair(networks[network].name, &near, &far);
}

static void close_pair(void)
{
	end_conn(&near);
	end_conn(&far);
}

/* How they come to be. */

START_TEST(a_network_has_another_name)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair(networks[_i].other, pair), 0);
	ck_assert_str_eq(unixconn_get_network(pair[0]), networks[_i].name);
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

START_TEST(what_is_no_network_is_refused)
{
	static const char *const wrong[] = { NULL, "", "tcp", "Unix",
		"unixgram ", "datagram" };
	struct unixconn *pair[2];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_errno(unixconn_pair(wrong[i], pair), EINVAL);
		ck_assert_null_errno(unixconn_open(wrong[i], "@", NULL),
			EINVAL);
		ck_assert_null_errno(unixconn_dial(wrong[i], "@x", NULL,
					     UNIXMSG_NOW),
			EINVAL);
		ck_assert_null_errno(unixlistener_open(wrong[i], "@", NULL),
			EINVAL);
	}
}
END_TEST

START_TEST(an_adopted_socket_tells_its_network)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, networks[_i].type, 0, fds), 0);
	near = unixconn_adopt(fds[0]);
	far = unixconn_adopt(fds[1]);
	ck_assert_ptr_nonnull(near);
	ck_assert_ptr_nonnull(far);
	ck_assert_str_eq(unixconn_get_network(near), networks[_i].name);
	send_text(near, "hello");
	expect_text(far, "hello");
}
END_TEST

/* A client of a server, without a word that is only for one network. */
static void serve(const char *network, const char *name,
	const struct unixlisten_options *options)
{
	struct unixlistener *listener;

	if (strcmp(network, "unixgram") == 0) {
		far = unixconn_open(network, name, options);
		near = unixconn_dial(network, name, NULL, UNIXMSG_NOW);
		ck_assert_ptr_nonnull(far);
		ck_assert_ptr_nonnull(near);
		return;
	}
	listener = unixlistener_open(network, name, options);
	ck_assert_ptr_nonnull(listener);
	near = dial_conn(network, name);
	far = accept_conn(listener);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

/* A program whose standard input is at its end: all zero means no stop. */
START_TEST(options_that_are_all_zero_have_no_stop)
{
	static const struct unixlisten_options options = { 0 };
	int null = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(dup2(null, STDIN_FILENO), STDIN_FILENO);
	close(null);
	serve(networks[_i].name, support_abstract("server"), &options);
	unixconn_set_stop_fd(far, 0);
	ck_assert_errno(unixconn_recv(far, NULL, 0, NULL,
				unixdeadline_after_ms(1)),
		ETIMEDOUT);
}
END_TEST

START_TEST(the_stop_of_the_options_ends_waits)
{
	struct unixlisten_options options = { 0 };

	options.stop_fd = eventfd(1, EFD_CLOEXEC);
	serve(networks[_i].name, support_abstract("server"), &options);
	ck_assert_errno(unixconn_recv(far, NULL, 0, NULL, UNIXMSG_FOREVER),
		ECANCELED);
	close_pair();
	close(options.stop_fd);
}
END_TEST

START_TEST(dial_options_that_cannot_be_meant_are_refused)
{
	static const struct unixdial_options wrong[] = {
		{ .flags = 16 },
		{ .flags = UNIXMSG_DIAL_UNNAMED, .own = "@" },
		{ .stop_fd = -2 },
		{ .own_mode = 01000 },
		{ .wants = 8 },
		{ .spin_us = -1 },
		{ .reserved = { 1 } },
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_null_errno(unixconn_dial(networks[_i].name, "@x",
					     &wrong[i], UNIXMSG_NOW),
			EINVAL);
}
END_TEST

START_TEST(only_datagram_clients_lose_servers_and_have_names)
{
	static const struct unixdial_options wrong[] = {
		{ .flags = UNIXMSG_DIAL_RECONNECT },
		{ .flags = UNIXMSG_DIAL_UNNAMED },
		{ .own_mode = 0600 },
	};
	size_t i;

	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_null_errno(unixconn_dial(networks[_i].name, "@x",
					     &wrong[i], UNIXMSG_NOW),
			ENOTSUP);
}
END_TEST

/* Deadlines */

START_TEST(a_negative_deadline_is_refused_whatever_is_there)
{
	static const int64_t wrong_us[] = { -1, -5000000, INT64_MIN };
	struct unixbuffer buffer;
	struct unixmsg msg;
	size_t i, size;

	link_up(_i);
	send_text(near, "hello");
	unixmsg_init(&msg);
	unixbuffer_init(&buffer, 64);
	for (i = 0; i < 3; i++) {
		ck_assert_errno(unixconn_send(near, "x", 1, wrong_us[i]),
			EINVAL);
		ck_assert_errno(unixconn_send_msg(near, &msg, wrong_us[i]),
			EINVAL);
		ck_assert_errno(unixconn_send_batch(near, &msg, 1, &size,
					wrong_us[i]),
			EINVAL);
		ck_assert_uint_eq(size, 0);
		ck_assert_errno(unixconn_recv(far, NULL, 0, NULL, wrong_us[i]),
			EINVAL);
		ck_assert_errno(unixconn_recv_msg(far, &msg, wrong_us[i]),
			EINVAL);
		ck_assert_errno(unixconn_recv_batch(far, &msg, 1, &size,
					wrong_us[i]),
			EINVAL);
		ck_assert_errno(unixconn_recv_buffer(far, &buffer, NULL,
					wrong_us[i]),
			EINVAL);
		ck_assert_errno(unixconn_get_next_size(far, &size, wrong_us[i]),
			EINVAL);
		ck_assert_null_errno(unixconn_dial(networks[_i].name, "@x",
					     NULL, wrong_us[i]),
			EINVAL);
	}
	expect_text(far, "hello");
	expect_nothing(far);
}
END_TEST

/* Messages with their structure. */

static void set_parts(struct unixmsg *msg, struct iovec parts[3], char *bytes,
	size_t each)
{
	size_t i;

	unixmsg_init(msg);
	for (i = 0; i < 3; i++)
		parts[i] = (struct iovec){ bytes + i * each, each };
	msg->parts = parts;
	msg->parts_count = 3;
}

START_TEST(a_message_of_several_parts_is_one_message)
{
	const size_t each = _i < NETWORKS ? 2 : 10000;
	char *out = malloc(3 * each), *in = malloc(3 * each);
	struct iovec parts[3];
	struct unixmsg msg;

	link_up(_i % NETWORKS);
	memset(out, 'a', each);
	memset(out + each, 'b', each);
	memset(out + 2 * each, 'c', each);
	set_parts(&msg, parts, out, each);
	ck_assert_int_eq(unixconn_send_msg(near, &msg, UNIXMSG_NOW), 1);
	set_parts(&msg, parts, in, each);
	msg.flags = UNIXMSG_CUT;
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 3 * each);
	ck_assert_uint_eq(msg.flags, 0);
	ck_assert_mem_eq(in, out, 3 * each);
	expect_nothing(far);
	close_pair();
	free(out);
	free(in);
}
END_TEST

START_TEST(a_message_without_parts_is_empty)
{
	struct unixmsg msg;
	size_t size = 1;

	link_up(_i);
	unixmsg_init(&msg);
	ck_assert_int_eq(unixconn_send_msg(near, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_get_next_size(far, &size, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 0);
	expect_nothing(far);
}
END_TEST

START_TEST(a_structure_that_is_all_zero_is_a_message)
{
	char bytes[8];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct unixmsg msg = { .parts = &part, .parts_count = 1 };

	link_up(_i);
	ck_assert_int_eq(unixconn_send_msg(near, &msg, UNIXMSG_NOW), 1);
	unixmsg_close_fds(&msg);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD) < 0 && errno == EBADF, 0);
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(msg.pidfd, -1);
}
END_TEST

/* After one that was too large the next one is as it was sent. */
START_TEST(a_message_that_does_not_fit_is_told_and_gone)
{
	char bytes[4];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct unixmsg msg = { .parts = &part, .parts_count = 1 };

	link_up(_i);
	send_text(near, "hello");
	send_text(near, "next");
	ck_assert_errno(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), EMSGSIZE);
	ck_assert_uint_eq(msg.size, 5);
	expect_text(far, "next");
	expect_nothing(far);
}
END_TEST

START_TEST(the_beginning_of_a_message_may_be_enough)
{
	char bytes[4];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct unixmsg msg = {
		.parts = &part,
		.parts_count = 1,
		.flags = UNIXMSG_PREFIX,
	};

	link_up(_i);
	send_text(near, "hello");
	send_text(near, "next");
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 5);
	ck_assert_uint_eq(msg.flags, UNIXMSG_PREFIX | UNIXMSG_CUT);
	ck_assert_mem_eq(bytes, "hell", 4);
	expect_text(far, "next");
	expect_nothing(far);
}
END_TEST

START_TEST(unknown_flags_of_a_message_are_refused)
{
	struct unixmsg msg = { .flags = 8 };

	link_up(_i);
	ck_assert_errno(unixconn_send_msg(near, &msg, UNIXMSG_NOW), EINVAL);
	ck_assert_errno(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), EINVAL);
	msg.flags = 0;
	msg.reserved[7] = 1;
	ck_assert_errno(unixconn_send_msg(near, &msg, UNIXMSG_NOW), EINVAL);
	ck_assert_errno(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), EINVAL);
}
END_TEST

START_TEST(the_next_size_is_told_again_and_again)
{
	size_t size = 0;
	int i;

	link_up(_i);
	ck_assert_errno(unixconn_get_next_size(far, &size, UNIXMSG_NOW),
		EAGAIN);
	send_text(near, "hello");
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(unixconn_get_next_size(far, &size,
					 UNIXMSG_NOW),
			1);
		ck_assert_uint_eq(size, 5);
	}
	expect_text(far, "hello");
}
END_TEST

START_TEST(the_largest_message_of_a_stream_is_what_it_is)
{
	size_t size = 0, reached = 0;

	link_up(STREAM);
	ck_assert_int_eq(unixconn_get_size_max(near, &size), 0);
	ck_assert_int_eq(unixconn_raise_size_max(near, 1000000, &reached), 0);
	ck_assert_uint_eq(reached, size);
	ck_assert_uint_ge(size, 1000000);
}
END_TEST

START_TEST(a_buffer_grows_to_the_message)
{
	static char data[100000];
	struct unixbuffer buffer;
	struct unixaddr from;

	link_up(_i);
	memset(data, 'x', sizeof(data));
	unixbuffer_init(&buffer, sizeof(data));
	ck_assert_int_eq(unixconn_send(near, data, sizeof(data), UNIXMSG_NOW),
		1);
	send_text(near, "next");
	ck_assert_int_eq(unixconn_recv_buffer(far, &buffer, &from, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(buffer.size, sizeof(data));
	ck_assert_mem_eq(buffer.data, data, sizeof(data));
	ck_assert_int_eq(unixaddr_get_kind(&from), UNIXADDR_UNNAMED);
	unixbuffer_free(&buffer);
	/* And no further than its bound. */
	unixbuffer_init(&buffer, 3);
	ck_assert_errno(unixconn_recv_buffer(far, &buffer, NULL, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(buffer.size, 4);
	expect_nothing(far);
	unixbuffer_free(&buffer);
}
END_TEST

enum { MANY = 5 };

static void set_many(struct unixmsg msgs[MANY], const struct iovec parts[MANY])
{
	int i;

	for (i = 0; i < MANY; i++) {
		unixmsg_init(&msgs[i]);
		msgs[i].parts = (struct iovec *)&parts[i];
		msgs[i].parts_count = 1;
	}
}

/* One of them is larger than its room. */
START_TEST(a_batch_keeps_messages_apart)
{
	static const struct iovec out[MANY] = { { (char *)"a", 1 },
		{ (char *)"", 0 }, { (char *)"ccc", 3 },
		{ (char *)"dddddddd", 8 }, { (char *)"e", 1 } };
	char bytes[MANY][4];
	const struct iovec in[MANY] = { { bytes[0], 4 }, { bytes[1], 4 },
		{ bytes[2], 4 }, { bytes[3], 4 }, { bytes[4], 4 } };
	struct unixmsg msgs[MANY];
	size_t i, count;

	link_up(_i);
	set_many(msgs, out);
	ck_assert_int_eq(unixconn_send_batch(near, msgs, MANY, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, MANY);
	set_many(msgs, in);
	ck_assert_int_eq(unixconn_recv_batch(far, msgs, MANY, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, MANY);
	for (i = 0; i < MANY; i++) {
		ck_assert_uint_eq(msgs[i].size, out[i].iov_len);
		ck_assert_uint_eq(msgs[i].flags, i == 3 ? UNIXMSG_CUT : 0);
		ck_assert_int_eq(memcmp(bytes[i], out[i].iov_base,
					 i == 3 ? 4 : out[i].iov_len),
			0);
	}
	ck_assert_errno(unixconn_recv_batch(far, msgs, MANY, &count,
				UNIXMSG_NOW),
		EAGAIN);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_batch_with_a_message_that_is_none_is_refused)
{
	struct unixmsg msgs[2] = { { .data = (void *)"a", .room = 1 },
		{ .data = (void *)"b", .room = 1, .flags = 8 } };
	size_t count = 7;

	link_up(_i);
	ck_assert_errno(unixconn_send_batch(near, msgs, 2, &count, UNIXMSG_NOW),
		EINVAL);
	ck_assert_uint_eq(count, 0);
	expect_nothing(far);
	send_text(near, "x");
	ck_assert_errno(unixconn_recv_batch(far, msgs, 2, &count, UNIXMSG_NOW),
		EINVAL);
	ck_assert_uint_eq(count, 0);
	expect_text(far, "x");
}
END_TEST

START_TEST(a_batch_of_a_stream_is_no_larger_than_its_bound)
{
	static struct unixmsg msgs[UNIXMSG_BATCH_MAX + 1];
	static const char empties[4 * COUNT(msgs)];
	size_t count = 0;

	link_up(STREAM);
	ck_assert_int_eq(write(unixconn_get_fd(near), empties, sizeof(empties)),
		sizeof(empties));
	ck_assert_int_eq(unixconn_recv_batch(far, msgs, COUNT(msgs), &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, UNIXMSG_BATCH_MAX);
	expect_text(far, "");
	expect_nothing(far);
}
END_TEST

/* A kernel before 6.5 has none to give. */
START_TEST(a_batch_receives_no_pidfds)
{
	struct unixmsg msg;
	size_t count;

	link_up(_i);
	if (unixconn_want(far, UNIXMSG_WANT_PIDFD) < 0) {
		ck_assert_int_eq(errno, ENOTSUP);
		return;
	}
	unixmsg_init(&msg);
	send_text(near, "");
	ck_assert_int_eq(unixconn_recv_batch(far, &msg, 1, &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(msg.pidfd, -1);
}
END_TEST

START_TEST(a_batch_to_a_peer_that_is_gone_is_told)
{
	struct unixmsg msgs[2] = { { .data = (void *)"a", .room = 1 },
		{ .data = (void *)"b", .room = 1 } };
	size_t count = 7;

	link_up(_i);
	close_conn(far);
	far = NULL;
	ck_assert_errno(unixconn_send_batch(near, msgs, 2, &count, UNIXMSG_NOW),
		networks[_i].type == SOCK_DGRAM ? ECONNREFUSED : EPIPE);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_message_that_is_peeked_at_stays)
{
	char bytes[4] = "";
	struct unixmsg msg = { .data = bytes, .room = sizeof(bytes) };
	struct unixconn_counters counters;
	int i;

	link_up(_i);
	send_text(near, "once");
	send_text(near, "next");
	for (i = 0; i < 3; i++) {
		msg.flags = UNIXMSG_PEEK;
		memset(bytes, 0, sizeof(bytes));
		ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
		ck_assert_uint_eq(msg.size, 4);
		ck_assert_mem_eq(bytes, "once", 4);
	}
	/* Its beginning, too; and that there is no room. */
	msg.room = 2;
	msg.flags = UNIXMSG_PEEK;
	ck_assert_errno(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), EMSGSIZE);
	msg.flags = UNIXMSG_PEEK | UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 4);
	ck_assert_uint_eq(msg.flags & UNIXMSG_CUT, UNIXMSG_CUT);
	unixconn_get_counters(far, &counters);
	ck_assert_uint_eq(counters.received + counters.cut, 0);
	expect_text(far, "once");
	expect_text(far, "next");
	expect_nothing(far);
}
END_TEST

/* Room that is larger, several parts, a flag: nothing of that goes along. */
START_TEST(a_message_is_sent_on_as_it_was_received)
{
	char bytes[64];
	struct iovec parts[2] = { { bytes, 3 }, { bytes + 3, 61 } };
	struct unixaddr addr;
	struct unixmsg msg = {
		.parts = parts,
		.parts_count = 2,
		.addr = &addr,
	};

	link_up(_i);
	send_text(near, "hello");
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_forward(near, &msg, UNIXMSG_NOW), 1);
	expect_text(far, "hello");
	send_text(near, "");
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_forward(near, &msg, UNIXMSG_NOW), 1);
	expect_text(far, "");
	/* Of one that was cut the rest is not there. */
	send_text(near, "hello");
	parts[1].iov_len = 1;
	msg.flags = UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_errno(unixconn_forward(near, &msg, UNIXMSG_NOW), EMSGSIZE);
	expect_nothing(far);
}
END_TEST

/* Descriptors */

/* By plain calls, with a descriptor or not. */
static void send_raw(int socket_fd, const char *bytes, size_t size,
	const int *fd)
{
	struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *item;

	if (fd != NULL) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		item = CMSG_FIRSTHDR(&header);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(item), fd, sizeof(int));
	}
	ck_assert_int_eq(sendmsg(socket_fd, &header, 0), (ssize_t)size);
}

START_TEST(a_message_of_too_many_parts_is_not_sent_on)
{
	struct unixmsg msg = { .parts_count = IOV_MAX + 1 };
	struct unixconn_counters counters;

	link_up(_i);
	ck_assert_errno(unixconn_forward(near, &msg, UNIXMSG_NOW), EINVAL);
	unixconn_get_counters(near, &counters);
	ck_assert_uint_eq(counters.failed, 1);
	expect_nothing(far);
}
END_TEST

START_TEST(parts_that_no_memory_could_hold_are_too_large)
{
	struct iovec parts[2] = {
		{ .iov_base = (void *)"x", .iov_len = SIZE_MAX / 2 + 1 },
		{ .iov_base = (void *)"x", .iov_len = SIZE_MAX / 2 + 1 },
	};
	const struct unixmsg msg = { .parts = parts, .parts_count = 2 };

	link_up(STREAM);
	ck_assert_errno(unixconn_send_msg(near, &msg, UNIXMSG_NOW), EMSGSIZE);
	expect_nothing(far);
}
END_TEST

START_TEST(descriptors_go_and_come_in_one_call)
{
	int out[2] = { STDIN_FILENO, STDERR_FILENO }, in[3] = { -1, -1, -1 };
	char bytes[8];
	size_t size, count = 3;

	link_up(_i);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_send_fds(near, "two", 3, out, 2, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv_fds(far, bytes, sizeof(bytes), &size, in,
				 &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 3);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_ge(fcntl(in[0], F_GETFD), 0);
	ck_assert_int_eq(close(in[0]), 0);
	ck_assert_int_eq(close(in[1]), 0);
	/* No room: closed. None there: none told. */
	ck_assert_int_eq(unixconn_send_fds(near, "two", 3, out, 2, UNIXMSG_NOW),
		1);
	count = 0;
	ck_assert_int_eq(unixconn_recv_fds(far, bytes, sizeof(bytes), NULL,
				 NULL, &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 0);
	count = 3;
	ck_assert_errno(unixconn_recv_fds(far, bytes, sizeof(bytes), &size, in,
				&count, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_message_is_sent_on_with_its_descriptors)
{
	int out = STDERR_FILENO, in = -1;
	struct unixmsg msg = { .fds = &in, .fds_room = 1 };
	size_t count = 1;

	link_up(_i);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_send_fds(near, NULL, 0, &out, 1, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_forward(near, &msg, UNIXMSG_NOW), 1);
	unixmsg_close_fds(&msg);
	ck_assert_int_eq(unixconn_recv_fds(far, NULL, 0, NULL, &in, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 1);
	close(in);
}
END_TEST

enum { ROUNDS = 20 };

/* Plain ones between, a large one among them; how many come tells which. */
static void expect_fds(char *bytes, size_t wanted_size, size_t wanted)
{
	size_t size, count = 4;
	int in[4];

	ck_assert_int_eq(unixconn_recv_fds(far, bytes, 100000, &size, in,
				 &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, wanted_size);
	ck_assert_uint_eq(count, wanted);
	while (count > 0)
		ck_assert_int_eq(close(in[--count]), 0);
}

START_TEST(a_descriptor_without_a_place_is_lost_and_told)
{
	struct unixmsg in;
	int fd = -1, out;

	link_up(_i);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_FDS), 0);
	out = unixconn_get_fd(near);
	ck_assert_int_eq(unixconn_send_fds(near, "x", 1, &out, 1, UNIXMSG_NOW),
		1);
	unixmsg_init(&in);
	in.data = (char[1]){ 0 };
	in.room = 1;
	in.fds = &fd;
	in.fds_room = 1;
	support_limit_fds(0);
	ck_assert_int_eq(unixconn_recv_msg(far, &in, UNIXMSG_NOW), 1);
	support_lift_fds_limit();
	ck_assert_uint_eq(in.size, 1);
	ck_assert_uint_eq(in.fds_count, 0);
	ck_assert((in.flags & UNIXMSG_CUT_CONTROL) != 0);
}
END_TEST

START_TEST(each_message_comes_with_its_own_descriptors)
{
	static char large[100000];
	const int out[3] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };
	const size_t sizes[3] = { 1, sizeof(large), 0 };
	int i;

	link_up(_i);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_FDS), 0);
	for (i = 0; i < ROUNDS; i++) {
		const size_t wanted = (size_t)i % 4;

		send_text(near, "plain");
		ck_assert_int_eq(unixconn_send_fds(near, large, sizes[i % 3],
					 out, wanted, UNIXMSG_NOW),
			1);
		send_text(near, "plain");
		expect_fds(large, 5, 0);
		expect_fds(large, sizes[i % 3], wanted);
		expect_fds(large, 5, 0);
	}
}
END_TEST

START_TEST(descriptors_of_a_message_that_is_too_large_are_closed)
{
	int out = STDERR_FILENO, in = -1;
	char bytes[4];
	size_t count = 1;
	int before;

	link_up(_i);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_FDS), 0);
	before = support_count_fds();
	ck_assert_int_eq(unixconn_send_fds(near, "large", 5, &out, 1,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_send_fds(near, "next", 4, &out, 1,
				 UNIXMSG_NOW),
		1);
	ck_assert_errno(unixconn_recv_fds(far, bytes, sizeof(bytes), NULL, &in,
				&count, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(support_count_fds(), before);
	count = 1;
	ck_assert_int_eq(unixconn_recv_fds(far, bytes, sizeof(bytes), NULL, &in,
				 &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 1);
	close(in);
	/* A call that has no place for them. */
	ck_assert_int_eq(unixconn_send_fds(near, "next", 4, &out, 1,
				 UNIXMSG_NOW),
		1);
	expect_text(far, "next");
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

START_TEST(each_message_tells_who_wrote_it)
{
	char byte;
	struct unixmsg msg = { .data = &byte, .room = 1 };
	pid_t pid;

	link_up(_i);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_CRED), 0);
	pid = support_fork();
	if (pid == 0) {
		send_text(near, "c");
		_exit(0);
	}
	support_wait_exit(pid, 0);
	send_text(near, "p");
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.flags, UNIXMSG_HAS_CRED);
	ck_assert_int_eq(msg.cred.pid, pid);
	ck_assert_uint_eq(msg.cred.uid, getuid());
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(byte, 'p');
	ck_assert_int_eq(msg.cred.pid, getpid());
}
END_TEST

/* It is sent by the server before the client could ask for anything. */
START_TEST(what_a_dial_wants_comes_with_the_first_message)
{
	const struct unixdial_options options = {
		.wants = UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED,
	};
	const char *path = support_path("server");
	struct unixlistener *listener =
		unixlistener_open(networks[_i].name, path, NULL);
	int in, out = STDERR_FILENO;
	char byte;
	struct unixmsg msg = { .data = &byte,
		.room = 1,
		.fds = &in,
		.fds_room = 1 };

	near = unixconn_dial(networks[_i].name, path, &options, UNIXMSG_NOW);
	far = unixlistener_accept(listener, UNIXMSG_NOW);
	ck_assert_int_eq(unixconn_send_fds(far, "a", 1, &out, 1, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv_msg(near, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.fds_count, 1);
	ck_assert_uint_eq(msg.flags, UNIXMSG_HAS_CRED);
	ck_assert_int_eq(msg.cred.pid, getpid());
	unixmsg_close_fds(&msg);
	close_pair();
	unixlistener_close(listener);
}
END_TEST

/* The answer to it, and its own address is in nobody's way. */
START_TEST(what_a_datagram_client_wants_comes_with_the_first_answer)
{
	const struct unixdial_options options = {
		.wants = UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED,
	};
	const char *path = support_path("server");
	struct unixaddr from;
	int in, out = STDERR_FILENO;
	char byte;
	struct unixmsg msg = { .data = &byte,
		.room = 1,
		.fds = &in,
		.fds_room = 1 };

	far = unixconn_open("unixgram", path, NULL);
	near = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(near);
	send_text(near, "?");
	ck_assert_int_eq(unixconn_recv_from(far, &byte, 1, NULL, &from,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_send_msg(far,
				 &(struct unixmsg){ .data = &byte,
					 .room = 1,
					 .addr = &from,
					 .fds = &out,
					 .fds_count = 1 },
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv_msg(near, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.fds_count, 1);
	ck_assert_uint_eq(msg.flags, UNIXMSG_HAS_CRED);
	unixmsg_close_fds(&msg);
}
END_TEST

/* Not who wrote it, where he may say so. */
START_TEST(a_writer_may_say_who_he_is)
{
	char byte = 'x';
	struct unixmsg msg = {
		.data = &byte,
		.room = 1,
		.flags = UNIXMSG_SEND_CRED,
		.cred = { getpid(), getuid(), getgid() },
	};
	pid_t pid;

	link_up(_i);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_CRED), 0);
	ck_assert_int_eq(unixconn_send_msg(near, &msg, UNIXMSG_NOW), 1);
	ck_assert_errno(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), EINVAL);
	msg.flags = 0;
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(msg.cred.pid, getpid());
	pid = support_fork();
	if (pid == 0) {
		if (support_is_root())
			support_as_nobody();
		msg.flags = UNIXMSG_SEND_CRED;
		msg.cred = (struct unixcred){ getpid(), 4711, getgid() };
		ck_assert_errno(unixconn_send_msg(near, &msg, UNIXMSG_NOW),
			EPERM);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	expect_nothing(far);
}
END_TEST

/* The peer closes in the middle of a message that has come with some. */
START_TEST(half_a_message_keeps_no_descriptors)
{
	const char half[] = { 0, 0, 0, 9, 'h', 'a', 'l', 'f' };
	int out = STDERR_FILENO, before;
	char bytes[16];

	link_up(2);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_FDS), 0);
	before = support_count_fds();
	send_raw(unixconn_get_fd(near), half, sizeof(half), &out);
	ck_assert_errno(unixconn_recv(far, bytes, sizeof(bytes), NULL,
				UNIXMSG_NOW),
		EAGAIN);
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_WR), 0);
	ck_assert_errno(unixconn_recv(far, bytes, sizeof(bytes), NULL,
				UNIXMSG_NOW),
		EPROTO);
	close_pair();
	ck_assert_int_eq(support_count_fds(), before - 2);
}
END_TEST

/* As a program does that knows nothing of us: two calls, the second of which
 * carries the descriptor; and another message right behind it. */
START_TEST(a_foreign_writer_may_send_the_length_first)
{
	const char length[] = { 0, 0, 0, 4 }, next[] = { 0, 0, 0, 1, 'x' };
	int out = STDERR_FILENO, in = -1;
	char bytes[16];
	size_t size, count = 1;

	link_up(2);
	ck_assert_int_eq(unixconn_want(far, UNIXMSG_WANT_FDS), 0);
	send_raw(unixconn_get_fd(near), length, 4, NULL);
	send_raw(unixconn_get_fd(near), "with", 4, &out);
	send_raw(unixconn_get_fd(near), next, sizeof(next), NULL);
	ck_assert_int_eq(unixconn_recv_fds(far, bytes, sizeof(bytes), &size,
				 &in, &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 4);
	ck_assert_uint_eq(count, 1);
	close(in);
	expect_text(far, "x");
}
END_TEST

/* A message that is too large may arrive byte by byte too. */
START_TEST(the_beginning_of_a_message_is_waited_for)
{
	static const char whole[] = "\0\0\0\5hello";
	char bytes[4];
	struct unixmsg msg = {
		.data = bytes,
		.room = sizeof(bytes),
		.flags = UNIXMSG_PREFIX,
	};
	size_t i;

	link_up(STREAM);
	for (i = 0; i < 8; i++) {
		ck_assert_errno(unixconn_recv_msg(far, &msg, UNIXMSG_NOW),
			EAGAIN);
		ck_assert_int_eq(write(unixconn_get_fd(near), whole + i, 1), 1);
	}
	ck_assert_int_eq(unixconn_recv_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_mem_eq(bytes, "hell", 4);
	ck_assert_uint_eq(msg.size, 5);
	ck_assert_int_eq(write(unixconn_get_fd(near), whole + i, 1), 1);
	send_text(near, "next");
	expect_text(far, "next");
}
END_TEST

/* Asking */

static int fill(void)
{
	static char data[1000];
	int count = 0;

	while (unixconn_send(near, data, sizeof(data), UNIXMSG_NOW) == 1)
		count++;
	return count;
}

/* Answers begin with "a"; what else comes is counted. */
static bool is_answer(struct unixmsg *msg, void *context)
{
	if (msg->size > 0 && *(const char *)msg->data == 'a')
		return true;
	++*(int *)context;
	return false;
}

START_TEST(an_answer_is_found_among_what_else_comes)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	char bytes[16];
	struct unixmsg answer = { .data = bytes, .room = sizeof(bytes) };
	int events = 0;

	link_up(_i);
	/* The other side has said all that before it is asked. */
	ck_assert_int_eq(unixconn_send(far, "event", 5, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(far, "", 0, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(far, "answer", 6, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(far, "later", 5, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_ask(near, &request, &answer, is_answer,
				 &events, unixdeadline_after_s(60)),
		1);
	ck_assert_uint_eq(answer.size, 6);
	ck_assert_mem_eq(bytes, "answer", 6);
	ck_assert_int_eq(events, 2);
	expect_text(far, "?");
	expect_nothing(far);
	/* What came behind the answer is still there. */
	ck_assert_int_eq(unixconn_ask(near, &request, &answer, NULL, NULL,
				 UNIXMSG_NOW),
		1);
	ck_assert_mem_eq(bytes, "later", 5);
}
END_TEST

START_TEST(an_answer_that_does_not_come_is_not_waited_for_without_end)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	const int64_t deadline_us = unixdeadline_after_ms(20);
	char bytes[16];
	struct unixmsg answer = { .data = bytes, .room = sizeof(bytes) };
	int events = 0;

	link_up(_i);
	ck_assert_int_eq(unixconn_send(far, "", 0, UNIXMSG_NOW), 1);
	ck_assert_errno(unixconn_ask(near, &request, &answer, is_answer,
				&events, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_int_eq(events, 1);
}
END_TEST

/* As many as come, and none of them the answer: see what bounds the call. */
static int ask_amid_events(int64_t deadline_us)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	char bytes[16];
	struct unixmsg answer = { .data = bytes, .room = sizeof(bytes) };
	int events = 0, result, saved, how;
	pid_t pid = support_fork();

	if (pid == 0)
		for (;;)
			unixconn_send(far, "event", 5, UNIXMSG_FOREVER);
	result = unixconn_ask(near, &request, &answer, is_answer, &events,
		deadline_us);
	saved = errno;
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(support_waitpid(pid, &how), pid);
	errno = saved;
	return result;
}

START_TEST(events_without_end_do_not_outlast_the_deadline)
{
	link_up(_i);
	ck_assert_errno(ask_amid_events(unixdeadline_after_ms(20)), ETIMEDOUT);
}
END_TEST

START_TEST(events_without_end_do_not_outlast_the_stop)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	link_up(_i);
	unixconn_set_stop_fd(near, stop_fd);
	ck_assert_errno(ask_amid_events(UNIXMSG_FOREVER), ECANCELED);
	close_pair();
	close(stop_fd);
}
END_TEST

/* Without a deadline nothing else would end it. A stream has room for more
 * short messages than the bound; the others never hold so many. */
START_TEST(events_without_end_do_not_outlast_a_call_that_does_not_wait)
{
	static const char event[] = { 0, 0, 0, 1, 'e' };
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	char bytes[2000 * sizeof(event)];
	struct unixmsg answer = { .data = bytes, .room = sizeof(bytes) };
	int events = 0;
	size_t i;

	link_up(STREAM);
	for (i = 0; i < sizeof(bytes); i += sizeof(event))
		memcpy(bytes + i, event, sizeof(event));
	ck_assert_int_eq(write(unixconn_get_fd(far), bytes, sizeof(bytes)),
		sizeof(bytes));
	ck_assert_errno(unixconn_ask(near, &request, &answer, is_answer,
				&events, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_int_gt(events, 1000);
	ck_assert_int_lt(events, 2000);
}
END_TEST

START_TEST(a_question_that_was_dropped_has_no_answer)
{
	static char data[1000];
	const struct unixmsg request = { .data = data, .room = sizeof(data) };
	struct unixmsg answer = { 0 };

	link_up(_i);
	ck_assert_int_eq(unixconn_set_policy(near, UNIXCONN_DROP), 0);
	fill();
	ck_assert_errno(unixconn_ask(near, &request, &answer, NULL, NULL,
				UNIXMSG_FOREVER),
		ENOBUFS);
}
END_TEST

/* What cannot be an answer is told before the request goes. */
START_TEST(an_impossible_answer_is_refused_before_the_question)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	struct unixmsg answer = { .flags = UNIXMSG_PEEK };
	int fd;

	link_up(_i);
	ck_assert_errno(unixconn_ask(near, &request, &answer, NULL, NULL,
				UNIXMSG_NOW),
		EINVAL);
	answer = (struct unixmsg){ .fds = &fd, .fds_room = 1 };
	ck_assert_errno(unixconn_ask(near, &request, &answer, NULL, NULL,
				UNIXMSG_NOW),
		EINVAL);
	expect_nothing(far);
}
END_TEST

/* Else the caller would close what the last answer brought once more. */
START_TEST(a_question_that_is_not_sent_brings_no_descriptors)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	struct unixmsg answer = { .fds_count = 1, .pidfd = 3 };

	link_up(_i);
	ck_assert_errno(unixconn_ask(near, &request, &answer, NULL, NULL, -1),
		EINVAL);
	ck_assert_uint_eq(answer.fds_count, 0);
	ck_assert_int_eq(answer.pidfd, -1);
}
END_TEST

/* An event that is too large is passed over, an answer is told. */
START_TEST(what_is_too_large_is_shown_by_its_beginning)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	char bytes[4];
	struct unixmsg answer = { .data = bytes, .room = sizeof(bytes) };
	int events = 0;

	link_up(_i);
	ck_assert_int_eq(unixconn_send(far, "event", 5, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(far, "answ", 4, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(far, "answer", 6, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_ask(near, &request, &answer, is_answer,
				 &events, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(events, 1);
	ck_assert_mem_eq(bytes, "answ", 4);
	ck_assert_uint_eq(answer.flags, 0);
	ck_assert_errno(unixconn_ask(near, &request, &answer, is_answer,
				&events, UNIXMSG_NOW),
		EMSGSIZE);
}
END_TEST

/* A caller asks again with the same answer after a time-out. */
START_TEST(a_question_in_vain_asks_for_no_beginning_later)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	char bytes[4];
	struct unixmsg answer = { .data = bytes, .room = sizeof(bytes) };

	link_up(_i);
	ck_assert_errno(unixconn_ask(near, &request, &answer, NULL, NULL,
				UNIXMSG_NOW),
		EAGAIN);
	ck_assert_uint_eq(answer.flags, 0);
	ck_assert_int_eq(unixconn_send(far, "answer", 6, UNIXMSG_NOW), 1);
	ck_assert_errno(unixconn_ask(near, &request, &answer, NULL, NULL,
				UNIXMSG_NOW),
		EMSGSIZE);
}
END_TEST

START_TEST(the_beginning_of_an_answer_may_be_enough)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	char bytes[4];
	struct unixmsg answer = {
		.data = bytes,
		.room = sizeof(bytes),
		.flags = UNIXMSG_PREFIX,
	};

	link_up(_i);
	ck_assert_int_eq(unixconn_send(far, "answer", 6, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_ask(near, &request, &answer, NULL, NULL,
				 UNIXMSG_NOW),
		1);
	ck_assert_mem_eq(bytes, "answ", 4);
	ck_assert_uint_eq(answer.flags, UNIXMSG_PREFIX | UNIXMSG_CUT);
}
END_TEST

START_TEST(a_socket_for_anybody_asks_nobody)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	struct unixmsg answer = { 0 };

	near = unixconn_open("unixgram", "@", NULL);
	ck_assert_errno(unixconn_ask(near, &request, &answer, NULL, NULL,
				UNIXMSG_NOW),
		ENOTCONN);
}
END_TEST

START_TEST(a_question_to_a_peer_that_closes_has_no_answer)
{
	const struct unixmsg request = { .data = (void *)"?", .room = 1 };
	char byte;
	struct unixmsg answer = { .data = &byte, .room = 1 };

	link_up(_i);
	ck_assert_int_eq(unixconn_shutdown(far, SHUT_WR), 0);
	ck_assert_int_eq(unixconn_ask(near, &request, &answer, NULL, NULL,
				 UNIXMSG_FOREVER),
		0);
}
END_TEST

/* Giving the descriptor back */

START_TEST(a_descriptor_is_given_back_as_it_was)
{
	int fd, fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, networks[_i].type | SOCK_CLOEXEC,
				 0, fds),
		0);
	near = unixconn_adopt(fds[0]);
	far = unixconn_adopt(fds[1]);
	send_text(near, "hello");
	fd = unixconn_release(near);
	ck_assert_int_eq(fd, fds[0]);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	near = unixconn_adopt(fd);
	expect_text(far, "hello");
	send_text(near, "next");
	expect_text(far, "next");
}
END_TEST

START_TEST(a_descriptor_whose_bytes_were_read_ahead_stays)
{
	static char large[1000000];

	link_up(2);
	send_text(near, "one");
	send_text(near, "two");
	expect_text(far, "one");
	ck_assert_errno(unixconn_release(far), EBUSY);
	expect_text(far, "two");
	/* Nor in the middle of a message, on its way in or out. */
	send_text(near, "large");
	ck_assert_errno(unixconn_recv(far, NULL, 0, NULL, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_errno(unixconn_release(far), EBUSY);
	while (unixconn_send(near, large, sizeof(large), UNIXMSG_NOW) == 1)
		continue;
	if (errno == EAGAIN)
		ck_assert_errno(unixconn_send(near, large, 1, UNIXMSG_NOW),
			EAGAIN);
	else
		ck_assert_errno(unixconn_release(near), EBUSY);
}
END_TEST

START_TEST(a_name_outlives_the_release_of_its_socket)
{
	const char *path = support_path("server");
	struct unixconn *conn = unixconn_open("unixgram", path, NULL);
	int fd;

	ck_assert_ptr_nonnull(conn);
	fd = unixconn_release(conn);
	ck_assert_int_eq(access(path, F_OK), 0);
	near = dial_conn("unixgram", path);
	close(fd);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* As logger(1) and sd_notify(3) send: no file, no name. */
START_TEST(a_datagram_client_may_have_no_address)
{
	const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_UNNAMED,
	};
	const char *path = support_path("server");
	struct unixaddr addr;
	char byte;

	far = unixconn_open("unixgram", path, NULL);
	near = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(near);
	ck_assert_int_eq(unixconn_get_address(near, &addr), 0);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_UNNAMED);
	send_text(near, "x");
	ck_assert_int_eq(unixconn_recv_from(far, &byte, 1, NULL, &addr,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_UNNAMED);
	close_pair();
	ck_assert_null_errno(unixconn_dial("unixpacket", path, &options,
				     UNIXMSG_NOW),
		ENOTSUP);
}
END_TEST

/* The stop that signals make readable */

START_TEST(a_signal_makes_the_stop_readable)
{
	static const int signals[] = { SIGINT, SIGTERM };
	pid_t pid = support_fork();
	int fd;

	if (pid == 0) {
		link_up(0);
		fd = unixstop_open();
		ck_assert_int_gt(fd, STDERR_FILENO);
		unixconn_set_stop_fd(far, fd);
		ck_assert_errno(unixconn_recv(far, NULL, 0, NULL, 1),
			ETIMEDOUT);
		ck_assert_int_eq(raise(signals[_i]), 0);
		ck_assert_errno(unixconn_recv(far, NULL, 0, NULL,
					UNIXMSG_FOREVER),
			ECANCELED);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

/* Policies and counters. */

START_TEST(what_has_no_room_is_dropped_by_the_policy)
{
	struct unixconn_counters counters;
	int count;

	link_up(_i);
	ck_assert_int_eq(unixconn_set_policy(near, UNIXCONN_DROP), 0);
	count = fill();
	/* A stream may be in the middle of a message, and goes on with that. */
	if (strcmp(unixconn_get_network(near), "unix") != 0) {
		errno = EXDEV;
		ck_assert_int_eq(unixconn_send(near, "x", 1, UNIXMSG_FOREVER),
			0);
		ck_assert_int_eq(errno, EXDEV);
	}
	unixconn_get_counters(near, &counters);
	ck_assert_uint_eq(counters.sent, (uint64_t)count);
	ck_assert_uint_ge(counters.dropped + counters.failed, 1);
	ck_assert_int_eq(unixconn_set_policy(near, UNIXCONN_FAIL), 0);
	ck_assert_int_eq(unixconn_send(near, "x", 1, UNIXMSG_FOREVER), -1);
	ck_assert_errno(unixconn_set_policy(near,
				(enum unixconn_policy)(UNIXCONN_FAIL + 1)),
		EINVAL);
}
END_TEST

START_TEST(what_happens_is_counted)
{
	struct unixconn_counters counters;
	char bytes[2];

	link_up(_i);
	send_text(near, "a");
	send_text(near, "b");
	send_text(near, "ccc");
	ck_assert_errno(unixconn_send(near, "x", 1, -1), EINVAL);
	expect_text(far, "a");
	expect_text(far, "b");
	ck_assert_errno(unixconn_recv(far, bytes, sizeof(bytes), NULL,
				UNIXMSG_NOW),
		EMSGSIZE);
	expect_nothing(far);
	unixconn_get_counters(near, &counters);
	ck_assert_uint_eq(counters.sent, 3);
	ck_assert_uint_eq(counters.failed, 1);
	unixconn_get_counters(far, &counters);
	ck_assert_uint_eq(counters.received, 2);
	ck_assert_uint_eq(counters.cut, 1);
}
END_TEST

/* What a network cannot do. */

START_TEST(what_a_network_cannot_do_is_told)
{
	const bool is_gram = networks[_i].type == SOCK_DGRAM;
	const bool is_stream = networks[_i].type == SOCK_STREAM;
	const struct unixcred writer = { 0 };
	struct unixaddr addr, to;
	int held_fd;
	size_t size;

	link_up(_i);
	unixaddr_set_unnamed(&addr);
	if (!is_gram) {
		ck_assert_errno(unixconn_send_to(near, &addr, "x", 1,
					UNIXMSG_NOW),
			ENOTSUP);
		ck_assert_errno(unixconn_check_answer(near), ENOTSUP);
		ck_assert_errno(unixconn_prove_sender(near, &addr, &writer, &to,
					&held_fd),
			ENOTSUP);
	}
	if (!is_stream) {
		ck_assert_errno(unixconn_read(near, NULL, 0, &size,
					UNIXMSG_NOW),
			ENOTSUP);
		size = 7;
		ck_assert_errno(unixconn_write(near, "x", 1, &size,
					UNIXMSG_NOW),
			ENOTSUP);
		ck_assert_uint_eq(size, 0);
	}
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, NETWORKS);
}

static TCase *make_opening(void)
{
	TCase *tcase = make_tcase_with("opening", NULL, close_pair);

	add(tcase, a_network_has_another_name);
	tcase_add_test(tcase, what_is_no_network_is_refused);
	add(tcase, an_adopted_socket_tells_its_network);
	add(tcase, the_stop_of_the_options_ends_waits);
	add(tcase, dial_options_that_cannot_be_meant_are_refused);
	tcase_add_loop_test(tcase,
		only_datagram_clients_lose_servers_and_have_names, 1, NETWORKS);
	add(tcase, a_negative_deadline_is_refused_whatever_is_there);
	return tcase;
}

static TCase *make_messages(void)
{
	TCase *tcase = make_tcase_with("messages", NULL, close_pair);

	tcase_add_loop_test(tcase, a_message_of_several_parts_is_one_message, 0,
		2 * NETWORKS);
	add(tcase, a_message_without_parts_is_empty);
	add(tcase, a_structure_that_is_all_zero_is_a_message);
	add(tcase, a_message_that_does_not_fit_is_told_and_gone);
	add(tcase, the_beginning_of_a_message_may_be_enough);
	add(tcase, unknown_flags_of_a_message_are_refused);
	add(tcase, the_next_size_is_told_again_and_again);
	tcase_add_test(tcase, the_largest_message_of_a_stream_is_what_it_is);
	/* Who asks for a lane has a name. */
	if (!support_has_lanes())
		add(tcase, a_buffer_grows_to_the_message);
	add(tcase, a_message_that_is_peeked_at_stays);
	add(tcase, a_message_is_sent_on_as_it_was_received);
	add(tcase, a_message_of_too_many_parts_is_not_sent_on);
	tcase_add_test(tcase, parts_that_no_memory_could_hold_are_too_large);
	return tcase;
}

static TCase *make_batches(void)
{
	TCase *tcase = make_tcase_with("batches", NULL, close_pair);

	add(tcase, a_batch_keeps_messages_apart);
	add(tcase, a_batch_with_a_message_that_is_none_is_refused);
	tcase_add_test(tcase, a_batch_of_a_stream_is_no_larger_than_its_bound);
	add(tcase, a_batch_receives_no_pidfds);
	add(tcase, a_batch_to_a_peer_that_is_gone_is_told);
	return tcase;
}

static TCase *make_descriptors(void)
{
	TCase *tcase = make_tcase_with("descriptors", NULL, close_pair);

	add(tcase, descriptors_go_and_come_in_one_call);
	add(tcase, a_message_is_sent_on_with_its_descriptors);
	support_add_limited_test(tcase,
		a_descriptor_without_a_place_is_lost_and_told, 0, NETWORKS);
	add(tcase, each_message_comes_with_its_own_descriptors);
	add(tcase, descriptors_of_a_message_that_is_too_large_are_closed);
	/* A lane is one process's: its child cannot send. */
	if (!support_has_lanes())
		add(tcase, each_message_tells_who_wrote_it);
	tcase_add_loop_test(tcase,
		what_a_dial_wants_comes_with_the_first_message, 1, NETWORKS);
	tcase_add_test(tcase,
		what_a_datagram_client_wants_comes_with_the_first_answer);
	add(tcase, a_writer_may_say_who_he_is);
	tcase_add_test(tcase, half_a_message_keeps_no_descriptors);
	tcase_add_test(tcase, a_foreign_writer_may_send_the_length_first);
	tcase_add_test(tcase, the_beginning_of_a_message_is_waited_for);
	return tcase;
}

static TCase *make_questions(void)
{
	TCase *tcase = make_tcase_with("questions", NULL, close_pair);

	add(tcase, an_answer_is_found_among_what_else_comes);
	add(tcase, an_answer_that_does_not_come_is_not_waited_for_without_end);
	add(tcase, events_without_end_do_not_outlast_the_deadline);
	add(tcase, events_without_end_do_not_outlast_the_stop);
	tcase_add_test(tcase,
		events_without_end_do_not_outlast_a_call_that_does_not_wait);
	/* A stream may be in the middle of a message, and a lane has room when
	 * the socket is full. */
	if (!support_has_lanes())
		tcase_add_loop_test(tcase,
			a_question_that_was_dropped_has_no_answer, 0, STREAM);
	add(tcase, an_impossible_answer_is_refused_before_the_question);
	add(tcase, a_question_that_is_not_sent_brings_no_descriptors);
	add(tcase, what_is_too_large_is_shown_by_its_beginning);
	add(tcase, a_question_in_vain_asks_for_no_beginning_later);
	add(tcase, the_beginning_of_an_answer_may_be_enough);
	tcase_add_test(tcase, a_socket_for_anybody_asks_nobody);
	tcase_add_loop_test(tcase,
		a_question_to_a_peer_that_closes_has_no_answer, 1, NETWORKS);
	return tcase;
}

static TCase *make_rest(void)
{
	TCase *tcase = make_tcase_with("rest", NULL, close_pair);

	add(tcase, a_descriptor_is_given_back_as_it_was);
	tcase_add_test(tcase, a_descriptor_whose_bytes_were_read_ahead_stays);
	tcase_add_test(tcase, a_name_outlives_the_release_of_its_socket);
	tcase_add_test(tcase, a_datagram_client_may_have_no_address);
	tcase_add_loop_test(tcase, a_signal_makes_the_stop_readable, 0, 2);
	/* What is small may have room in the ring when the socket is full. */
	if (!support_has_lanes())
		add(tcase, what_has_no_room_is_dropped_by_the_policy);
	add(tcase, what_happens_is_counted);
	add(tcase, what_a_network_cannot_do_is_told);
	return tcase;
}

static TCase *make_input(void)
{
	TCase *tcase = make_tcase_with("input", NULL, close_pair);

	add(tcase, options_that_are_all_zero_have_no_stop);
	return tcase;
}

int main(void)
{
	return support_run_cases("conn", make_opening(), make_messages(),
		make_batches(), make_descriptors(), make_questions(),
		make_rest(), make_input());
}
