/* SPDX-License-Identifier: MIT */
/* Messages that are written and read in place: unixmsg/lane.h. */
#include <config.h>

#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/kernel.h"
#include "network/handshake.h"
#include "support/scene.h"
#include "support/talk.h"

enum { RING = 65536, ENOUGH = 40, LARGE = RING / 2 };

static struct unixconn *client, *server;
static char large[LARGE];

static void talk(void)
{
	int i;

	for (i = 0; i < ENOUGH; i++) {
		pass_text(client, server, "ping");
		pass_text(server, client, "pong");
	}
}

static void open_both(uint64_t lane_bytes)
{
	connect_lane(lane_bytes, &client, &server);
	talk();
	ck_assert_int_eq(unixconn_is_lane(client), lane_bytes > 0);
}

static void set_up(void)
{
	open_both(RING);
}

static void tear_down(void)
{
	unixconn_close(client);
	unixconn_close(server);
}

static void *reserve(size_t size)
{
	void *data = NULL;

	ck_assert_int_eq(unixlane_reserve(client, size, &data, UNIXMSG_NOW), 1);
	ck_assert_ptr_nonnull(data);
	return data;
}

static int commit(size_t size)
{
	return unixlane_commit(client, size, UNIXMSG_NOW);
}

static void write_text(const char *text)
{
	memcpy(reserve(strlen(text)), text, strlen(text));
	ck_assert_int_eq(commit(strlen(text)), 1);
}

static const void *peek(size_t wanted)
{
	const void *data;
	size_t size = 0;

	ck_assert_int_eq(unixlane_peek(server, &data, &size, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(size, wanted);
	return data;
}

static void read_text(const char *text)
{
	const void *data = peek(strlen(text));

	ck_assert_ptr_nonnull(data);
	ck_assert_mem_eq(data, text, strlen(text));
	ck_assert_int_eq(unixlane_release(server), 0);
}

static void peek_nothing(void)
{
	const void *data;
	size_t size;

	ck_assert_errno(unixlane_peek(server, &data, &size, UNIXMSG_NOW),
		EAGAIN);
}

START_TEST(what_is_written_in_place_is_read_in_place)
{
	errno = EBADMSG;
	write_text("first");
	write_text("");
	write_text("third");
	read_text("first");
	read_text("");
	read_text("third");
	ck_assert_int_eq(errno, EBADMSG);
	peek_nothing();
}
END_TEST

START_TEST(a_message_may_be_smaller_than_was_reserved)
{
	memcpy(reserve(100), "small", 5);
	ck_assert_int_eq(commit(5), 1);
	read_text("small");
}
END_TEST

START_TEST(other_calls_send_and_receive_the_same_messages)
{
	write_text("in place");
	send_text(client, "copied");
	expect_text(server, "in place");
	read_text("copied");
}
END_TEST

START_TEST(a_message_that_is_read_stays_until_it_is_released)
{
	const void *data;

	send_text(client, "stays");
	data = peek(5);
	send_text(client, "next");
	ck_assert_mem_eq(data, "stays", 5);
	ck_assert_int_eq(unixlane_release(server), 0);
	read_text("next");
}
END_TEST

START_TEST(a_place_is_aligned)
{
	ck_assert_uint_eq((uintptr_t)reserve(3) % 8, 0);
	ck_assert_int_eq(commit(3), 1);
	ck_assert_uint_eq((uintptr_t)peek(3) % 8, 0);
	ck_assert_int_eq(unixlane_release(server), 0);
}
END_TEST

START_TEST(the_descriptor_is_readable_while_a_message_is_there)
{
	peek_nothing();
	ck_assert(!support_is_readable(unixconn_get_fd(server)));
	write_text("news");
	ck_assert(support_is_readable(unixconn_get_fd(server)));
	peek(4);
	ck_assert_int_eq(unixlane_release(server), 0);
	peek_nothing();
	ck_assert(!support_is_readable(unixconn_get_fd(server)));
}
END_TEST

START_TEST(they_are_counted)
{
	struct unixconn_counters before[2], after[2];

	unixconn_get_counters(client, &before[0]);
	unixconn_get_counters(server, &before[1]);
	write_text("counted");
	read_text("counted");
	unixconn_get_counters(client, &after[0]);
	unixconn_get_counters(server, &after[1]);
	ck_assert_uint_eq(after[0].sent, before[0].sent + 1);
	ck_assert_uint_eq(after[1].received, before[1].received + 1);
}
END_TEST

/* The order of calls */

START_TEST(nothing_is_committed_that_was_not_reserved)
{
	ck_assert_errno(commit(0), EINVAL);
	ck_assert_errno(unixlane_cancel(client), EINVAL);
	write_text("once");
	ck_assert_errno(commit(0), EINVAL);
}
END_TEST

START_TEST(no_more_is_committed_than_was_reserved)
{
	memcpy(reserve(4), "four", 4);
	ck_assert_errno(commit(5), EINVAL);
	ck_assert_int_eq(commit(4), 1);
	read_text("four");
}
END_TEST

START_TEST(nothing_else_is_sent_meanwhile)
{
	void *data;

	reserve(4);
	ck_assert_errno(unixlane_reserve(client, 4, &data, UNIXMSG_NOW),
		EINVAL);
	ck_assert_errno(unixconn_send(client, "x", 1, UNIXMSG_FOREVER), EINVAL);
	ck_assert_int_eq(unixlane_cancel(client), 0);
	send_text(client, "later");
	read_text("later");
}
END_TEST

START_TEST(what_is_cancelled_is_not_sent)
{
	memcpy(reserve(4), "lost", 4);
	ck_assert_int_eq(unixlane_cancel(client), 0);
	peek_nothing();
	write_text("sent");
	read_text("sent");
}
END_TEST

START_TEST(nothing_is_released_that_was_not_read)
{
	ck_assert_errno(unixlane_release(server), EINVAL);
	write_text("once");
	read_text("once");
	ck_assert_errno(unixlane_release(server), EINVAL);
}
END_TEST

START_TEST(nothing_else_is_received_meanwhile)
{
	const void *data;
	size_t size;
	char byte;

	send_text(client, "a");
	send_text(client, "b");
	unixconn_set_spin_us(server, 1000000);
	peek(1);
	ck_assert_errno(unixlane_peek(server, &data, &size, UNIXMSG_FOREVER),
		EINVAL);
	ck_assert_errno(unixconn_recv(server, &byte, 1, NULL, UNIXMSG_FOREVER),
		EINVAL);
	ck_assert_int_eq(unixlane_release(server), 0);
	read_text("b");
}
END_TEST

START_TEST(the_two_directions_do_not_disturb_each_other)
{
	send_text(client, "a");
	peek(1);
	send_text(server, "b");
	expect_text(client, "b");
	reserve(1);
	send_text(server, "c");
	expect_text(client, "c");
	ck_assert_int_eq(unixlane_cancel(client), 0);
	ck_assert_int_eq(unixlane_release(server), 0);
}
END_TEST

START_TEST(a_deadline_before_all_time_is_refused)
{
	const void *data;
	void *place;
	size_t size;

	ck_assert_errno(unixlane_reserve(client, 1, &place, -1), EINVAL);
	ck_assert_errno(unixlane_peek(server, &data, &size, -1), EINVAL);
	reserve(1);
	ck_assert_errno(unixlane_commit(client, 1, -1), EINVAL);
	ck_assert_int_eq(commit(1), 1);
}
END_TEST

/* By the socket */

START_TEST(what_is_too_large_for_the_lane_goes_by_the_socket)
{
	memset(reserve(LARGE), 'x', LARGE);
	ck_assert_int_eq(commit(LARGE), 1);
	write_text("behind");
	ck_assert_ptr_null(peek(LARGE));
	ck_assert_errno(unixlane_release(server), EINVAL);
	ck_assert_int_eq(unixconn_recv(server, large, LARGE, NULL, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(large[LARGE - 1], 'x');
	read_text("behind");
}
END_TEST

START_TEST(what_is_too_large_for_all_is_refused)
{
	size_t most;
	void *data;

	ck_assert_int_eq(unixconn_get_size_max(client, &most), 0);
	ck_assert_errno(unixlane_reserve(client, most + 1, &data, UNIXMSG_NOW),
		EMSGSIZE);
	send_text(client, "fits");
	read_text("fits");
}
END_TEST

static char huge[1 << 19];

static size_t get_size_max(void)
{
	size_t most;

	ck_assert_int_eq(unixconn_get_size_max(client, &most), 0);
	ck_assert_uint_lt(most, sizeof(huge));
	return most;
}

static void expect_size_max(size_t most)
{
	size_t size;
	void *data;

	ck_assert_int_eq(unixconn_send(client, huge, most, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(server, huge, sizeof(huge), &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, most);
	ck_assert_errno(unixconn_send(client, huge, most + 1, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_errno(unixlane_reserve(client, most + 1, &data, UNIXMSG_NOW),
		EMSGSIZE);
}

static void open_with_large_ring(void)
{
	unixconn_close(client);
	unixconn_close(server);
	open_both(4 * sizeof(huge));
}

START_TEST(the_ring_takes_no_more_than_the_socket)
{
	const struct lane *lane;

	open_with_large_ring();
	lane = &unixhandshake__get(client)->lane;
	expect_size_max(get_size_max());
	ck_assert_uint_eq(lane->detours, 0);
	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_CRED), 0);
	expect_size_max(get_size_max());
	ck_assert_uint_eq(lane->detours, 1);
}
END_TEST

START_TEST(the_size_is_raised_for_both)
{
	size_t before, reached;

	open_with_large_ring();
	before = get_size_max();
	ck_assert_int_eq(unixconn_raise_size_max(client, before + 10000,
				 &reached),
		0);
	ck_assert_uint_gt(reached, before);
	ck_assert_uint_eq(get_size_max(), reached);
	expect_size_max(reached);
	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_CRED), 0);
	expect_size_max(reached);
}
END_TEST

START_TEST(the_size_is_raised_while_something_is_reserved)
{
	size_t reached;

	open_with_large_ring();
	reserve(4);
	errno = EBADMSG;
	ck_assert_int_eq(unixconn_raise_size_max(client, get_size_max() + 10000,
				 &reached),
		0);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(unixlane_cancel(client), 0);
	expect_size_max(reached);
}
END_TEST

/* By the program itself. */
START_TEST(the_size_follows_the_send_buffer)
{
	const int bytes = 40000;
	size_t before;

	open_with_large_ring();
	before = get_size_max();
	ck_assert_int_eq(setsockopt(unixconn_get_fd(client), SOL_SOCKET,
				 SO_SNDBUF, &bytes, sizeof(bytes)),
		0);
	ck_assert_uint_lt(get_size_max(), before);
	expect_size_max(get_size_max());
}
END_TEST

START_TEST(descriptors_wait_for_a_call_that_takes_them)
{
	const int fd = STDIN_FILENO;
	struct unixmsg msg;
	char byte;
	int fds[1];

	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_FDS), 0);
	write_text("before");
	ck_assert_int_eq(unixconn_send_fds(client, "f", 1, &fd, 1, UNIXMSG_NOW),
		1);
	write_text("after");
	read_text("before");
	ck_assert_ptr_null(peek(1));
	unixmsg_init(&msg);
	msg.data = &byte;
	msg.room = 1;
	msg.fds = fds;
	msg.fds_room = 1;
	ck_assert_int_eq(unixconn_recv_msg(server, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.fds_count, 1);
	unixmsg_close_fds(&msg);
	read_text("after");
}
END_TEST

START_TEST(a_message_by_the_socket_is_unread_until_it_is_read)
{
	size_t bytes, i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(unixconn_send(client, large, LARGE,
					 UNIXMSG_NOW),
			1);
		ck_assert_int_eq(unixconn_get_unread(client, &bytes), 0);
		ck_assert_uint_gt(bytes, LARGE);
		ck_assert_int_eq(unixconn_recv(server, large, LARGE, NULL,
					 UNIXMSG_NOW),
			1);
		ck_assert_int_eq(unixconn_get_unread(client, &bytes), 0);
		ck_assert_uint_eq(bytes, 0);
	}
}
END_TEST

/* The lane sends and receives one part more. */
START_TEST(a_message_of_the_most_parts_may_have_descriptors)
{
	static char out[2 * IOV_MAX], in[2 * IOV_MAX];
	static struct iovec parts[IOV_MAX];
	int fd = STDIN_FILENO;
	struct unixmsg msg;
	size_t i;

	unixmsg_init(&msg);
	msg.parts = parts;
	msg.parts_count = IOV_MAX;
	for (i = 0; i < IOV_MAX; i++) {
		memset(out + 2 * i, (int)i, 2);
		parts[i] = (struct iovec){ out + 2 * i, 2 };
	}
	msg.fds = &fd;
	msg.fds_count = 1;
	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_send_msg(client, &msg, UNIXMSG_NOW), 1);
	for (i = 0; i < IOV_MAX; i++)
		parts[i].iov_base = in + 2 * i;
	msg.fds_room = 1;
	ck_assert_int_eq(unixconn_recv_msg(server, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, sizeof(out));
	ck_assert_mem_eq(in, out, sizeof(out));
	ck_assert_uint_eq(msg.flags, 0);
	ck_assert_uint_eq(msg.fds_count, 1);
	unixmsg_close_fds(&msg);
	peek_nothing();
}
END_TEST

START_TEST(a_batch_has_a_message_of_the_most_parts_once)
{
	static char in[LARGE];
	static struct iovec parts[IOV_MAX];
	struct unixmsg msgs[2];
	size_t i, count;

	unixmsg_init(&msgs[0]);
	unixmsg_init(&msgs[1]);
	for (i = 0; i < IOV_MAX; i++)
		parts[i] = (struct iovec){ in + i * (LARGE / IOV_MAX),
			LARGE / IOV_MAX };
	msgs[0].parts = parts;
	msgs[0].parts_count = IOV_MAX;
	ck_assert_int_eq(unixconn_send(client, large, LARGE, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_batch(server, msgs, 2, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(msgs[0].size, LARGE);
	ck_assert_uint_eq(msgs[0].flags, 0);
	peek_nothing();
}
END_TEST

/* Before Linux 6.16, as with SO_PASSRIGHTS, the kernel lets in descriptors that
 * nobody wants. */
START_TEST(descriptors_that_nobody_wanted_are_missed)
{
	struct unixconn *from = _i == 0 ? client : server;
	struct unixconn *to = _i == 0 ? server : client;
	const int fd = STDIN_FILENO, on = 1;
	struct unixmsg msg;

	setsockopt(unixconn_get_fd(to), SOL_SOCKET, SO_PASSRIGHTS, &on,
		sizeof(on));
	unixmsg_init(&msg);
	msg.data = large;
	msg.room = LARGE;
	ck_assert_int_eq(unixconn_send_fds(from, "f", 1, &fd, 1, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv_msg(to, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 1);
	ck_assert_uint_eq(msg.flags, UNIXMSG_CUT_CONTROL);
	ck_assert_errno(unixconn_forward(to, &msg, UNIXMSG_NOW), EMSGSIZE);
	ck_assert_int_eq(unixconn_send(from, large, LARGE, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_msg(to, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, LARGE);
	ck_assert_uint_eq(msg.flags, 0);
}
END_TEST

/* Fills ring and socket; returns the number of messages. */
static int fill(void)
{
	int count = 0;
	void *place;

	for (;; count++) {
		place = reserve(LARGE / 4);
		memset(place, count, LARGE / 4);
		if (commit(LARGE / 4) != 1)
			break;
	}
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

static void drain(int from, int count)
{
	int i;

	for (i = from; i < count; i++) {
		ck_assert_int_eq(unixconn_recv(server, large, LARGE, NULL,
					 UNIXMSG_NOW),
			1);
		ck_assert_int_eq(large[LARGE / 4 - 1], (char)i);
	}
}

START_TEST(what_finds_no_room_is_still_reserved)
{
	const int count = fill();

	ck_assert_int_gt(count, 4);
	ck_assert_errno(unixlane_commit(client, LARGE / 4,
				unixdeadline_after_us(1)),
		ETIMEDOUT);
	drain(0, count);
	ck_assert_int_eq(commit(LARGE / 4), 1);
	drain(count, count + 1);
	peek_nothing();
}
END_TEST

START_TEST(what_the_policy_drops_is_not_reserved)
{
	int count = 0;

	unixconn_set_policy(client, UNIXCONN_DROP);
	for (;; count++) {
		memset(reserve(LARGE / 4), count, LARGE / 4);
		if (commit(LARGE / 4) == 0)
			break;
	}
	ck_assert_errno(unixlane_cancel(client), EINVAL);
	drain(0, count);
	peek_nothing();
}
END_TEST

START_TEST(a_side_that_wants_credentials_gets_all_by_the_socket)
{
	reserve(4);
	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_CRED), 0);
	ck_assert_int_eq(commit(4), 1);
	ck_assert_ptr_null(peek(4));
}
END_TEST

/* The end */

START_TEST(the_end_comes_behind_the_last_message)
{
	const void *data;
	size_t size;

	write_text("last");
	ck_assert_int_eq(unixconn_shutdown(client, SHUT_WR), 0);
	read_text("last");
	ck_assert_int_eq(unixlane_peek(server, &data, &size, UNIXMSG_FOREVER),
		0);
}
END_TEST

START_TEST(nothing_is_sent_after_the_end)
{
	reserve(4);
	ck_assert_int_eq(unixconn_shutdown(client, SHUT_WR), 0);
	ck_assert_errno(commit(4), EPIPE);
	ck_assert_errno(unixlane_cancel(client), EINVAL);
}
END_TEST

START_TEST(a_message_can_be_awaited)
{
	const void *data;
	size_t size;
	pid_t pid;

	/* Only one process may go on: that is the child here. */
	pid = support_fork();
	if (pid == 0) {
		write_text("awaited");
		_exit(0);
	}
	ck_assert_int_eq(unixlane_peek(server, &data, &size, UNIXMSG_FOREVER),
		1);
	ck_assert_uint_eq(size, 7);
	ck_assert_int_eq(unixlane_release(server), 0);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_wait_ends_at_its_deadline)
{
	const void *data;
	size_t size;

	ck_assert_errno(unixlane_peek(server, &data, &size,
				unixdeadline_after_us(1)),
		ETIMEDOUT);
}
END_TEST

/* Peers that write what they like */

static struct lane *get_lane(struct unixconn *conn)
{
	return &unixhandshake__get(conn)->lane;
}

/* The last record, as its sender may overwrite it. */
static uint32_t *get_header(struct unixconn *conn, uint32_t length)
{
	struct ring_out *out = &get_lane(conn)->out;

	return (uint32_t *)(out->bytes +
		((out->state->tail - length) & (out->size - 1)));
}

START_TEST(a_size_that_changes_meanwhile_changes_nothing)
{
	write_text("eight...");
	write_text("next");
	peek(8);
	get_header(client, 32)[1] = 24;
	ck_assert_int_eq(unixlane_release(server), 0);
	read_text("next");
}
END_TEST

START_TEST(a_size_that_cannot_be_ends_the_connection)
{
	const void *data;
	size_t size;

	write_text("eight...");
	get_header(client, 16)[1] = RING;
	ck_assert_errno(unixlane_peek(server, &data, &size, UNIXMSG_FOREVER),
		EPROTO);
	ck_assert_errno(unixlane_peek(server, &data, &size, UNIXMSG_FOREVER),
		EPROTO);
	ck_assert_errno(unixlane_release(server), EINVAL);
}
END_TEST

START_TEST(a_head_that_cannot_be_ends_the_connection)
{
	void *data;

	fill();
	ck_assert_int_eq(unixlane_cancel(client), 0);
	get_lane(server)->mine.page->head += 2 * RING;
	ck_assert_errno(unixlane_reserve(client, LARGE / 4, &data, UNIXMSG_NOW),
		EPROTO);
	ck_assert_errno(unixlane_reserve(client, LARGE / 4, &data, UNIXMSG_NOW),
		EPROTO);
}
END_TEST

/* Without a lane */

static void expect_no_calls(struct unixconn *conn)
{
	const void *data;
	void *place;
	size_t size;

	ck_assert_errno(unixlane_reserve(conn, 1, &place, UNIXMSG_NOW),
		ENOTSUP);
	ck_assert_errno(unixlane_commit(conn, 1, UNIXMSG_NOW), ENOTSUP);
	ck_assert_errno(unixlane_cancel(conn), ENOTSUP);
	ck_assert_errno(unixlane_peek(conn, &data, &size, UNIXMSG_NOW),
		ENOTSUP);
	ck_assert_errno(unixlane_release(conn), ENOTSUP);
}

START_TEST(without_a_lane_there_are_no_such_calls)
{
	open_both(0);
	expect_no_calls(client);
	expect_no_calls(server);
	unixconn_close(client);
	unixconn_close(server);
}
END_TEST

START_TEST(other_networks_have_no_such_calls)
{
	static const char *const networks[] = { "unixgram", "unix" };
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair(networks[_i], pair), 0);
	expect_no_calls(pair[0]);
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

static TCase *make_messages(void)
{
	TCase *tcase = make_tcase_with("messages", set_up, tear_down);

	tcase_add_test(tcase, what_is_written_in_place_is_read_in_place);
	tcase_add_test(tcase, a_message_may_be_smaller_than_was_reserved);
	tcase_add_test(tcase, other_calls_send_and_receive_the_same_messages);
	tcase_add_test(tcase,
		a_message_that_is_read_stays_until_it_is_released);
	tcase_add_test(tcase, a_place_is_aligned);
	tcase_add_test(tcase,
		the_descriptor_is_readable_while_a_message_is_there);
	tcase_add_test(tcase, they_are_counted);
	return tcase;
}

static TCase *make_orders(void)
{
	TCase *tcase = make_tcase_with("orders", set_up, tear_down);

	tcase_add_test(tcase, nothing_is_committed_that_was_not_reserved);
	tcase_add_test(tcase, no_more_is_committed_than_was_reserved);
	tcase_add_test(tcase, nothing_else_is_sent_meanwhile);
	tcase_add_test(tcase, what_is_cancelled_is_not_sent);
	tcase_add_test(tcase, nothing_is_released_that_was_not_read);
	tcase_add_test(tcase, nothing_else_is_received_meanwhile);
	tcase_add_test(tcase, the_two_directions_do_not_disturb_each_other);
	tcase_add_test(tcase, a_deadline_before_all_time_is_refused);
	return tcase;
}

static TCase *make_detours(void)
{
	TCase *tcase = make_tcase_with("detours", set_up, tear_down);

	tcase_add_test(tcase,
		what_is_too_large_for_the_lane_goes_by_the_socket);
	tcase_add_test(tcase, what_is_too_large_for_all_is_refused);
	tcase_add_test(tcase, the_ring_takes_no_more_than_the_socket);
	tcase_add_test(tcase, the_size_is_raised_for_both);
	tcase_add_test(tcase, the_size_is_raised_while_something_is_reserved);
	tcase_add_test(tcase, the_size_follows_the_send_buffer);
	tcase_add_test(tcase, descriptors_wait_for_a_call_that_takes_them);
	tcase_add_loop_test(tcase, descriptors_that_nobody_wanted_are_missed, 0,
		2);
	tcase_add_test(tcase,
		a_message_by_the_socket_is_unread_until_it_is_read);
	tcase_add_test(tcase, a_message_of_the_most_parts_may_have_descriptors);
	tcase_add_test(tcase, a_batch_has_a_message_of_the_most_parts_once);
	tcase_add_test(tcase, what_finds_no_room_is_still_reserved);
	tcase_add_test(tcase, what_the_policy_drops_is_not_reserved);
	tcase_add_test(tcase,
		a_side_that_wants_credentials_gets_all_by_the_socket);
	return tcase;
}

static TCase *make_ends(void)
{
	TCase *tcase = make_tcase_with("ends", set_up, tear_down);

	tcase_add_test(tcase, the_end_comes_behind_the_last_message);
	tcase_add_test(tcase, nothing_is_sent_after_the_end);
	tcase_add_test(tcase, a_message_can_be_awaited);
	tcase_add_test(tcase, a_wait_ends_at_its_deadline);
	return tcase;
}

static TCase *make_lies(void)
{
	TCase *tcase = make_tcase_with("lies", set_up, tear_down);

	tcase_add_test(tcase, a_size_that_changes_meanwhile_changes_nothing);
	tcase_add_test(tcase, a_size_that_cannot_be_ends_the_connection);
	tcase_add_test(tcase, a_head_that_cannot_be_ends_the_connection);
	return tcase;
}

static TCase *make_others(void)
{
	TCase *tcase = make_tcase("others");

	tcase_add_test(tcase, without_a_lane_there_are_no_such_calls);
	tcase_add_loop_test(tcase, other_networks_have_no_such_calls, 0, 2);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("lane_calls");

	suite_add_tcase(suite, make_messages());
	suite_add_tcase(suite, make_orders());
	suite_add_tcase(suite, make_detours());
	suite_add_tcase(suite, make_ends());
	suite_add_tcase(suite, make_lies());
	suite_add_tcase(suite, make_others());
	return support_run(suite);
}
