/* SPDX-License-Identifier: MIT */
/* Messages, on every kind of link that keeps their boundaries. */
#include <config.h>

#include <fcntl.h>
#include <unistd.h>

#include "proof/torture.h"
#include "support/ends.h"

/* The virtual clock makes it short. */
static int64_t soon(void)
{
	return unixdeadline_after_us(10000);
}

/* Without its server a dialled client lets nobody in: it is of no use then. */
static void replace_if_lost(struct ends *ends)
{
	const struct fault *fault = torture_get_fault();
	struct unixaddr peer;

	if (ends->is_packet || unixconn_get_peer(ends->sender, &peer) == 0)
		return;
	ck_assert_int_eq(errno, ENOTCONN);
	ck_assert_int_gt(fault_get_hits(), 0);
	ck_assert(fault->error == ECONNREFUSED || fault->error == ENOTCONN);
	ck_assert_errno(unixconn_send(ends->sender, "x", 1, UNIXMSG_NOW),
		ENOTCONN);
	ends_close(ends);
	ends_make(ends, ENDS_GRAM_TO_SERVER);
}

static void go_on(struct ends *ends)
{
	replace_if_lost(ends);
	send_text(ends->sender, "next");
	expect_text(ends->receiver, "next");
	expect_nothing(ends->receiver);
	ends_close(ends);
}

static void a_message_is_sent(int kind)
{
	struct ends ends;

	ends_make(&ends, kind);
	torture_begin();
	if (torture_end(unixconn_send(ends.sender, "once", 4, soon()), 1))
		expect_text(ends.receiver, "once");
	expect_nothing(ends.receiver);
	go_on(&ends);
}

static void a_message_is_received(int kind)
{
	struct ends ends;
	char data[8] = "";
	size_t size;

	ends_make(&ends, kind);
	send_text(ends.sender, "once");
	torture_begin();
	if (torture_end(unixconn_recv(ends.receiver, data, 8, &size, soon()),
		    1))
		ck_assert_str_eq(data, "once");
	else
		expect_text(ends.receiver, "once");
	go_on(&ends);
}

static void nothing_is_there_to_receive(int kind)
{
	struct ends ends;

	ends_make(&ends, kind);
	torture_begin();
	torture_end_refused(unixconn_recv(ends.receiver, NULL, 0, NULL, soon()),
		ETIMEDOUT);
	go_on(&ends);
}

static void want_all(const struct ends *ends)
{
	ck_assert_int_eq(unixconn_want(ends->receiver,
				 UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED |
					 UNIXMSG_WANT_PIDFD),
		0);
}

static void fill(struct unixmsg *msg, struct iovec *part, int *fd)
{
	unixmsg_init(msg);
	*part = (struct iovec){ .iov_base = (void *)"with", .iov_len = 4 };
	msg->parts = part;
	msg->parts_count = 1;
	msg->fds = fd;
	msg->fds_count = 1;
}

static int expect_all(const struct ends *ends, int64_t until)
{
	char data[8];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct unixmsg msg;
	int fds[2], result;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.fds = fds;
	msg.fds_room = 2;
	result = unixconn_recv_msg(ends->receiver, &msg, until);
	if (until != UNIXMSG_NOW)
		result = torture_end(result, 1);
	if (result == 1) {
		ck_assert_uint_eq(msg.size, 4);
		ck_assert_uint_eq(msg.fds_count, 1);
		ck_assert(msg.flags & UNIXMSG_HAS_CRED);
		ck_assert_int_ge(msg.pidfd, 0);
	}
	unixmsg_close_fds(&msg);
	return result;
}

static void a_message_with_a_descriptor_is_sent(int kind)
{
	struct ends ends;
	struct unixmsg msg;
	struct iovec part;
	int fd;

	ends_make(&ends, kind);
	want_all(&ends);
	fd = unixconn_get_fd(ends.sender);
	fill(&msg, &part, &fd);
	torture_begin();
	if (torture_end(unixconn_send_msg(ends.sender, &msg, soon()), 1))
		ck_assert_int_eq(expect_all(&ends, UNIXMSG_NOW), 1);
	go_on(&ends);
}

static void all_that_comes_with_a_message_is_received(int kind)
{
	struct ends ends;
	struct unixmsg msg;
	struct iovec part;
	int fd;

	ends_make(&ends, kind);
	want_all(&ends);
	fd = unixconn_get_fd(ends.sender);
	fill(&msg, &part, &fd);
	ck_assert_int_eq(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW), 1);
	torture_begin();
	if (expect_all(&ends, soon()) != 1)
		ck_assert_int_eq(expect_all(&ends, UNIXMSG_NOW), 1);
	go_on(&ends);
}

enum { BATCH = 4 };

static void fill_batch(struct unixmsg msgs[BATCH], struct iovec parts[BATCH],
	char data[BATCH])
{
	size_t i;

	for (i = 0; i < BATCH; i++) {
		unixmsg_init(&msgs[i]);
		parts[i].iov_base = &data[i];
		parts[i].iov_len = 1;
		msgs[i].parts = &parts[i];
		msgs[i].parts_count = 1;
	}
}

/* As many have come as it says. */
static void a_batch_is_sent(int kind)
{
	struct unixmsg msgs[BATCH];
	struct iovec parts[BATCH];
	char data[BATCH] = { 'a', 'b', 'c', 'd' }, text[2] = "a";
	struct ends ends;
	size_t i, sent = 7;

	ends_make(&ends, kind);
	fill_batch(msgs, parts, data);
	torture_begin();
	if (torture_end(unixconn_send_batch(ends.sender, msgs, BATCH, &sent,
				soon()),
		    1))
		ck_assert_uint_eq(sent, BATCH);
	for (i = 0; i < sent; i++, text[0]++)
		expect_text(ends.receiver, text);
	go_on(&ends);
}

static void a_batch_is_received(int kind)
{
	struct unixmsg msgs[BATCH];
	struct iovec parts[BATCH];
	char data[BATCH];
	struct ends ends;
	size_t received = 7;

	ends_make(&ends, kind);
	send_text(ends.sender, "a");
	send_text(ends.sender, "b");
	fill_batch(msgs, parts, data);
	torture_begin();
	if (!torture_end(unixconn_recv_batch(ends.receiver, msgs, BATCH,
				 &received, soon()),
		    1)) {
		ck_assert_uint_eq(received, 0);
		ck_assert_int_eq(unixconn_recv_batch(ends.receiver, msgs, BATCH,
					 &received, UNIXMSG_NOW),
			1);
	}
	ck_assert_uint_eq(received, 2);
	ck_assert_int_eq(memcmp(data, "ab", 2), 0);
	go_on(&ends);
}

/* Without memory the message stays in the queue. */
static void a_message_is_received_into_a_buffer(int kind)
{
	struct unixbuffer buffer;
	struct ends ends;

	ends_make(&ends, kind);
	send_text(ends.sender, "once");
	unixbuffer_init(&buffer, 100000);
	torture_begin();
	if (!torture_end(unixconn_recv_buffer(ends.receiver, &buffer, NULL,
				 soon()),
		    1))
		ck_assert_int_eq(unixconn_recv_buffer(ends.receiver, &buffer,
					 NULL, UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(buffer.size, 4);
	ck_assert_int_eq(memcmp(buffer.data, "once", 4), 0);
	unixbuffer_free(&buffer);
	go_on(&ends);
}

static void the_next_size_is_told(int kind)
{
	struct ends ends;
	size_t size = 0;

	ends_make(&ends, kind);
	send_text(ends.sender, "once");
	torture_begin();
	if (torture_end(unixconn_get_next_size(ends.receiver, &size, soon()),
		    1))
		ck_assert_uint_eq(size, 4);
	expect_text(ends.receiver, "once");
	go_on(&ends);
}

static void the_largest_size_is_told(int kind)
{
	struct ends ends;
	size_t size = 0;

	ends_make(&ends, kind);
	torture_try(unixconn_get_size_max(ends.sender, &size), 0);
	ck_assert_uint_gt(size, 4096);
	go_on(&ends);
}

static void the_largest_size_is_raised(int kind)
{
	struct ends ends;
	size_t size, reached = 0, present;

	ends_make(&ends, kind);
	ck_assert_int_eq(unixconn_get_size_max(ends.sender, &size), 0);
	torture_begin();
	torture_end(unixconn_raise_size_max(ends.sender, 2 * size, &reached),
		0);
	ck_assert_int_eq(unixconn_get_size_max(ends.sender, &present), 0);
	ck_assert_uint_ge(present, size);
	go_on(&ends);
}

static void what_is_unread_is_told(int kind)
{
	struct ends ends;
	size_t bytes = 7;

	ends_make(&ends, kind);
	torture_try(unixconn_get_unread(ends.sender, &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	go_on(&ends);
}

static void want_fds(const struct ends *ends)
{
	ck_assert_int_eq(unixconn_want(ends->receiver, UNIXMSG_WANT_FDS), 0);
}

static void descriptors_go_in_one_call(int kind)
{
	struct ends ends;
	char data[8];
	int fd, got = -1;
	size_t count = 1;

	ends_make(&ends, kind);
	want_fds(&ends);
	fd = unixconn_get_fd(ends.sender);
	torture_begin();
	if (torture_end(unixconn_send_fds(ends.sender, "with", 4, &fd, 1,
				soon()),
		    1)) {
		ck_assert_int_eq(unixconn_recv_fds(ends.receiver, data, 8, NULL,
					 &got, &count, UNIXMSG_NOW),
			1);
		ck_assert_uint_eq(count, 1);
		close(got);
	}
	go_on(&ends);
}

/* Of those that cannot be had none is left open. */
static void descriptors_come_in_one_call(int kind)
{
	struct ends ends;
	char data[8];
	int fd, got = -1;
	size_t count = 1;

	ends_make(&ends, kind);
	want_fds(&ends);
	fd = unixconn_get_fd(ends.sender);
	ck_assert_int_eq(unixconn_send_fds(ends.sender, "with", 4, &fd, 1,
				 UNIXMSG_NOW),
		1);
	torture_begin();
	if (!torture_end(unixconn_recv_fds(ends.receiver, data, 8, NULL, &got,
				 &count, soon()),
		    1))
		ck_assert_int_eq(unixconn_recv_fds(ends.receiver, data, 8, NULL,
					 &got, &count, UNIXMSG_NOW),
			1);
	if (count == 1)
		close(got);
	go_on(&ends);
}

static void a_message_is_sent_on(int kind)
{
	char data[] = "once and more";
	const struct unixmsg msg = {
		.data = data,
		.room = sizeof(data),
		.size = 4,
	};
	struct ends ends;

	ends_make(&ends, kind);
	torture_begin();
	if (torture_end(unixconn_forward(ends.sender, &msg, soon()), 1))
		expect_text(ends.receiver, "once");
	go_on(&ends);
}

/* The answer is there already. */
static void a_question_is_asked(int kind)
{
	const struct unixmsg request = { .data = (void *)"once", .room = 4 };
	char data[8];
	struct unixmsg answer = { .data = data, .room = sizeof(data) };
	struct ends ends;

	ends_make(&ends, ENDS_PACKET_PAIR + kind);
	ck_assert_int_eq(unixconn_send(ends.receiver, "answer", 6, UNIXMSG_NOW),
		1);
	torture_begin();
	if (torture_end(unixconn_ask(ends.sender, &request, &answer, NULL, NULL,
				soon()),
		    1))
		ck_assert_uint_eq(answer.size, 6);
	while (unixconn_recv(ends.sender, data, 8, NULL, UNIXMSG_NOW) == 1)
		continue;
	while (unixconn_recv(ends.receiver, data, 8, NULL, UNIXMSG_NOW) == 1)
		continue;
	go_on(&ends);
}

/* A wish that fails changes nothing: what nobody asked for does not come. */
static void a_wish_is_granted(int kind)
{
	struct ends ends;

	ends_make(&ends, kind);
	torture_begin();
	torture_end(unixconn_want(ends.receiver,
			    UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED |
				    UNIXMSG_WANT_PIDFD),
		0);
	send_text(ends.sender, "once");
	expect_text(ends.receiver, "once");
	want_all(&ends);
	go_on(&ends);
}

/* A wish that is taken back, or still stands: no descriptor comes unasked. */
static void a_wish_is_taken_back(int kind)
{
	struct ends ends;

	ends_make(&ends, kind);
	want_all(&ends);
	torture_begin();
	torture_end(unixconn_want(ends.receiver, 0), 0);
	send_text(ends.sender, "once");
	expect_text(ends.receiver, "once");
	go_on(&ends);
}

const struct scene torture_message_scenes[] = {
	{ "a message is sent", a_message_is_sent, ENDS_KINDS },
	{ "a message is received", a_message_is_received, ENDS_KINDS },
	{ "nothing is there to receive", nothing_is_there_to_receive,
		ENDS_KINDS },
	{ "a message with a descriptor is sent",
		a_message_with_a_descriptor_is_sent, ENDS_KINDS },
	{ "all that comes with a message is received",
		all_that_comes_with_a_message_is_received, ENDS_KINDS },
	{ "a batch is sent", a_batch_is_sent, ENDS_KINDS },
	{ "a batch is received", a_batch_is_received, ENDS_KINDS },
	{ "a message is received into a buffer",
		a_message_is_received_into_a_buffer, ENDS_KINDS },
	{ "the next size is told", the_next_size_is_told, ENDS_KINDS },
	{ "the largest size is told", the_largest_size_is_told, ENDS_KINDS },
	{ "the largest size is raised", the_largest_size_is_raised,
		ENDS_KINDS },
	{ "what is unread is told", what_is_unread_is_told, ENDS_KINDS },
	{ "descriptors go in one call", descriptors_go_in_one_call,
		ENDS_KINDS },
	{ "descriptors come in one call", descriptors_come_in_one_call,
		ENDS_KINDS },
	{ "a message is sent on", a_message_is_sent_on, ENDS_KINDS },
	{ "a question is asked", a_question_is_asked,
		ENDS_KINDS - ENDS_PACKET_PAIR },
	{ "a wish is granted", a_wish_is_granted, ENDS_KINDS },
	{ "a wish is taken back", a_wish_is_taken_back, ENDS_KINDS },
	{ NULL, NULL, 0 },
};
