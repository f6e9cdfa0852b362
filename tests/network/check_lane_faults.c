/* SPDX-License-Identifier: MIT */
/*
 * A connection with a lane when a system call fails at a moment that is known,
 * or when its peer writes nonsense at one. See check_torture.c for all others.
 */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>

#include "network/conn_private.h"
#include "network/handshake.h"
#include "proof/fault.h"
#include "support/scene.h"
#include "support/talk.h"

enum { RING = 65536, ENOUGH = 40, LARGE = RING / 2, MANY = 40, EACH = 2000 };

static struct unixconn *client, *server;
static char bytes[LARGE], got[LARGE];

static struct lane *get_lane(struct unixconn *conn)
{
	return &unixhandshake__get(conn)->lane;
}

static int send_size(struct unixconn *from, size_t size)
{
	return unixconn_send(from, bytes, size, UNIXMSG_NOW);
}

static int recv_size(struct unixconn *to, size_t *size)
{
	return unixconn_recv(to, got, sizeof(got), size, UNIXMSG_NOW);
}

static void expect_size(struct unixconn *to, size_t wanted)
{
	size_t size;

	ck_assert_int_eq(recv_size(to, &size), 1);
	ck_assert_uint_eq(size, wanted);
}

static void talk(void)
{
	int i;

	for (i = 0; i < ENOUGH; i++) {
		ck_assert_int_eq(send_size(client, 1), 1);
		expect_size(server, 1);
		ck_assert_int_eq(send_size(server, 1), 1);
		expect_size(client, 1);
	}
}

static void set_up(void)
{
	connect_lane(RING, &client, &server);
	talk();
	ck_assert(unixconn_is_lane(client));
}

static void set_up_plain(void)
{
	connect_lane(RING, &client, &server);
}

static void tear_down(void)
{
	unixconn_close(client);
	unixconn_close(server);
}

static void expect_failure(void)
{
	fault_stop();
	ck_assert_uint_eq(fault_get_hits(), 1);
}

/* Sending */

static const int shortages[] = { ENOBUFS, ENOMEM };

/* The server sleeps, and the next call of the client wakes it. */
START_TEST(a_bell_without_memory_is_rung_by_the_next_call)
{
	expect_nothing(server);
	fault_fail_one("send", 0, shortages[_i]);
	ck_assert_int_eq(send_size(client, 1), 1);
	expect_failure();
	ck_assert(!support_is_readable(unixconn_get_fd(server)));
	ck_assert_int_eq(send_size(client, 2), 1);
	ck_assert(support_is_readable(unixconn_get_fd(server)));
	expect_size(server, 1);
	expect_size(server, 2);
	expect_nothing(server);
}
END_TEST

START_TEST(a_bell_that_was_interrupted_is_rung)
{
	expect_nothing(server);
	fault_fail_one("send", 0, EINTR);
	ck_assert_int_eq(send_size(client, 1), 1);
	expect_failure();
	ck_assert(support_is_readable(unixconn_get_fd(server)));
}
END_TEST

static int send_again(void)
{
	return send_size(client, 2);
}

static int commit(void)
{
	return unixlane_commit(client, 2, UNIXMSG_NOW);
}

/* Nothing is sent while the server has to hear of an earlier message. */
START_TEST(a_bell_that_is_due_comes_first)
{
	int (*const call)(void) = _i == 0 ? send_again : commit;
	void *data;

	if (call == commit)
		ck_assert_int_eq(unixlane_reserve(client, 2, &data,
					 UNIXMSG_NOW),
			1);
	get_lane(client)->is_bell_due = true;
	fault_fail_one("send", 0, EPIPE);
	ck_assert_errno(call(), EPIPE);
	expect_failure();
	expect_nothing(server);
	ck_assert_errno(unixlane_cancel(client), EINVAL);
}
END_TEST

/* The ring is full in the middle of the batch, and the server does not know of
 * its beginning yet. */
START_TEST(a_batch_ends_where_the_peer_cannot_be_woken)
{
	struct unixmsg msgs[MANY];
	size_t i, sent;

	for (i = 0; i < MANY; i++) {
		unixmsg_init(&msgs[i]);
		msgs[i].data = bytes;
		msgs[i].room = EACH;
	}
	expect_nothing(server);
	fault_fail_one("send", 0, EPIPE);
	ck_assert_errno(unixconn_send_batch(client, msgs, MANY, &sent,
				UNIXMSG_FOREVER),
		EPIPE);
	expect_failure();
	ck_assert_uint_gt(sent, 0);
	ck_assert_uint_lt(sent, MANY);
	for (i = 0; i < sent; i++)
		expect_size(server, EACH);
	expect_nothing(server);
}
END_TEST

/* The lane joins them, as it adds a part of its own. */
START_TEST(the_most_parts_without_memory_are_not_sent)
{
	static struct iovec parts[IOV_MAX];
	const struct unixmsg msg = { .parts = parts, .parts_count = IOV_MAX };

	parts[0] = (struct iovec){ bytes, LARGE };
	fault_fail_one("realloc", 0, ENOMEM);
	ck_assert_errno(unixconn_send_msg(client, &msg, UNIXMSG_NOW), ENOMEM);
	expect_failure();
	expect_nothing(server);
	ck_assert_int_eq(unixconn_send_msg(client, &msg, UNIXMSG_NOW), 1);
	expect_size(server, LARGE);
}
END_TEST

/* The thread that receives has found that out. */
START_TEST(nothing_is_committed_to_a_lane_that_has_failed)
{
	void *data;
	size_t size;

	ck_assert_int_eq(unixlane_reserve(client, 2, &data, UNIXMSG_NOW), 1);
	get_lane(server)->mine.page->tail += 1;
	ck_assert_errno(recv_size(client, &size), EPROTO);
	ck_assert_errno(commit(), EPROTO);
	ck_assert_errno(unixlane_cancel(client), EINVAL);
}
END_TEST

/* Receiving */

/* The sign that there was a message could not be removed. */
START_TEST(an_error_after_a_message_is_told_by_the_next_call)
{
	size_t size;

	expect_nothing(server);
	ck_assert_int_eq(send_size(client, LARGE), 1);
	fault_fail_one("recv", 0, ENOMEM);
	expect_size(server, LARGE);
	expect_failure();
	ck_assert_errno(recv_size(server, &size), ENOMEM);
	expect_nothing(server);
	ck_assert(!support_is_readable(unixconn_get_fd(server)));
}
END_TEST

START_TEST(a_close_does_not_mind_a_sign_that_stays)
{
	expect_nothing(server);
	ck_assert_int_eq(send_size(client, LARGE), 1);
	fault_fail_one("recv", 0, ENOMEM);
	expect_size(server, LARGE);
	expect_failure();
	fault_fail_one("recv", 0, ENOMEM);
	close_conn(server);
	server = NULL;
	expect_failure();
}
END_TEST

/* Nothing is unread, so the first one is passed over. */
START_TEST(a_reset_without_end_is_told)
{
	size_t size;

	fault_fail_all("recv", ECONNRESET);
	ck_assert_errno(recv_size(server, &size), ECONNRESET);
	fault_stop();
	ck_assert_uint_eq(fault_get_hits(), 2);
	expect_nothing(server);
}
END_TEST

static const struct {
	const char *call;
	unsigned int skip;
} steps[] = {
	{ "recv", 0 },    /* the sign before it is removed */
	{ "recvmsg", 0 }, /* the message is looked at */
	{ "recvmsg", 1 }, /* its descriptors are received */
};

START_TEST(a_message_that_could_not_be_received_stays)
{
	int fds[1] = { 0 };
	size_t size, count = 1;

	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(send_size(client, LARGE), 1);
	ck_assert_int_eq(unixconn_send_fds(client, "fd", 2, fds, 1,
				 UNIXMSG_NOW),
		1);
	expect_size(server, LARGE);
	fault_fail_one(steps[_i].call, steps[_i].skip, ENOMEM);
	ck_assert_errno(unixconn_recv_fds(server, got, sizeof(got), &size, fds,
				&count, UNIXMSG_NOW),
		ENOMEM);
	expect_failure();
	count = 1;
	ck_assert_int_eq(unixconn_recv_fds(server, got, sizeof(got), &size, fds,
				 &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 2);
	ck_assert_uint_eq(count, 1);
	close(fds[0]);
	expect_nothing(server);
}
END_TEST

/* The server has seen the tail, and learns it anew behind the message. */
START_TEST(a_tail_that_cannot_be_behind_a_message_ends_the_connection)
{
	size_t size;

	ck_assert_int_eq(send_size(client, LARGE), 1);
	ck_assert_int_eq(unixconn_get_next_size(server, &size, UNIXMSG_NOW), 1);
	get_lane(client)->mine.page->tail += 1;
	ck_assert_errno(recv_size(server, &size), EPROTO);
	ck_assert_errno(send_size(client, 1), EPIPE);
}
END_TEST

static void announce(void)
{
	size_t size;

	unixring__mark(&get_lane(client)->out);
	expect_nothing(server);
	ck_assert_errno(unixconn_get_next_size(server, &size, UNIXMSG_NOW),
		EAGAIN);
}

START_TEST(a_tail_that_cannot_be_behind_a_marker_ends_the_connection)
{
	size_t size;

	announce();
	get_lane(client)->mine.page->tail += 1;
	ck_assert_errno(recv_size(server, &size), EPROTO);
}
END_TEST

/* The most parts are received as one. */
START_TEST(a_message_of_the_most_parts_that_is_announced_has_not_come)
{
	static struct iovec parts[IOV_MAX];
	struct unixmsg msg = { .parts = parts, .parts_count = IOV_MAX };

	announce();
	ck_assert_errno(unixconn_recv_msg(server, &msg, UNIXMSG_NOW), EAGAIN);
}
END_TEST

START_TEST(a_message_of_the_most_parts_stays_after_an_error)
{
	static struct iovec parts[IOV_MAX];
	struct unixmsg msg = { .parts = parts, .parts_count = IOV_MAX };

	parts[0] = (struct iovec){ got, sizeof(got) };
	ck_assert_int_eq(send_size(client, LARGE), 1);
	fault_fail_one("recvmsg", (unsigned int)_i, ENOMEM);
	ck_assert_errno(unixconn_recv_msg(server, &msg, UNIXMSG_NOW), ENOMEM);
	expect_failure();
	ck_assert_int_eq(unixconn_recv_msg(server, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, LARGE);
}
END_TEST

/* A look at the ring without a system call, before the call waits. */
START_TEST(a_spin_that_pays_looks_at_the_ring_first)
{
	const void *data;
	size_t size;

	unixconn_set_spin_us(server, 100);
	server->end.spin.misses = 0;
	ck_assert_errno(unixconn_recv(server, got, sizeof(got), &size,
				unixdeadline_after_ms(1)),
		ETIMEDOUT);
	ck_assert_int_eq(send_size(client, 1), 1);
	ck_assert_int_eq(unixlane_peek(server, &data, &size, UNIXMSG_NOW), 1);
	server->end.spin.misses = 0;
	ck_assert_errno(unixconn_recv(server, got, sizeof(got), &size,
				unixdeadline_after_ms(1)),
		EINVAL);
	ck_assert_int_eq(unixlane_release(server), 0);
}
END_TEST

/* Before there is a lane */

START_TEST(a_size_that_cannot_be_checked_is_not_sent)
{
	fault_fail_one("getsockopt", 0, ENOMEM);
	ck_assert_errno(send_size(client, 1), ENOMEM);
	expect_failure();
	expect_nothing(server);
}
END_TEST

/* Another thread has it, and waits for a message. */
START_TEST(who_has_not_the_turn_to_receive_fails_at_once)
{
	struct turn *receiving = &get_lane(client)->receiving;
	int i;

	ck_assert(unixturn__try(receiving));
	unixturn__begin_wait(receiving);
	expect_nothing(client);
	/* Sends go on, also where they would look for an offer. */
	for (i = 0; i < ENOUGH; i++) {
		ck_assert_int_eq(send_size(client, 1), 1);
		expect_size(server, 1);
	}
	unixturn__give(receiving);
	ck_assert_int_eq(send_size(server, 1), 1);
	expect_size(client, 1);
}
END_TEST

/* Nothing of an offer is sent in the middle of what holds the turn. */
START_TEST(who_has_not_the_turn_to_send_offers_nothing)
{
	struct packet *packet = unixhandshake__get(server);
	struct turn *sending = &packet->lane.sending;

	unixhandshake__hold(packet);
	talk();
	ck_assert(unixhandshake__is_ready(packet));
	ck_assert(unixturn__try(sending));
	unixturn__hold(sending);
	unixhandshake__offer(packet);
	unixhandshake__decline(packet);
	ck_assert(unixhandshake__is_ready(packet));
	ck_assert_errno(send_size(server, 1), EINVAL);
	ck_assert_int_eq(send_size(client, 1), 1);
	expect_size(server, 1);
	ck_assert(unixturn__resume(sending));
	unixturn__give(sending);
	unixhandshake__offer(packet);
	ck_assert_int_eq(packet->stage, HANDSHAKE_OFFERED);
}
END_TEST

/* The client may have stopped looking for one. */
START_TEST(an_offer_that_comes_too_late_is_not_made)
{
	struct packet *packet = unixhandshake__get(server);
	int i;

	unixhandshake__hold(packet);
	for (i = 0; i < 4; i++)
		talk();
	ck_assert(unixhandshake__is_ready(packet));
	unixhandshake__offer(packet);
	ck_assert(unixhandshake__has_none(packet));
	talk();
}
END_TEST

static TCase *make_sends(void)
{
	TCase *tcase = make_tcase_with("sends", set_up, tear_down);

	tcase_add_loop_test(tcase,
		a_bell_without_memory_is_rung_by_the_next_call, 0,
		COUNT(shortages));
	tcase_add_test(tcase, a_bell_that_was_interrupted_is_rung);
	tcase_add_loop_test(tcase, a_bell_that_is_due_comes_first, 0, 2);
	tcase_add_test(tcase, a_batch_ends_where_the_peer_cannot_be_woken);
	tcase_add_test(tcase, the_most_parts_without_memory_are_not_sent);
	tcase_add_test(tcase, nothing_is_committed_to_a_lane_that_has_failed);
	return tcase;
}

static TCase *make_receives(void)
{
	TCase *tcase = make_tcase_with("receives", set_up, tear_down);

	tcase_add_test(tcase,
		an_error_after_a_message_is_told_by_the_next_call);
	tcase_add_test(tcase, a_close_does_not_mind_a_sign_that_stays);
	tcase_add_test(tcase, a_reset_without_end_is_told);
	tcase_add_loop_test(tcase, a_message_that_could_not_be_received_stays,
		0, COUNT(steps));
	tcase_add_test(tcase,
		a_tail_that_cannot_be_behind_a_message_ends_the_connection);
	tcase_add_test(tcase,
		a_tail_that_cannot_be_behind_a_marker_ends_the_connection);
	tcase_add_test(tcase,
		a_message_of_the_most_parts_that_is_announced_has_not_come);
	tcase_add_loop_test(tcase,
		a_message_of_the_most_parts_stays_after_an_error, 0, 2);
	tcase_add_test(tcase, a_spin_that_pays_looks_at_the_ring_first);
	return tcase;
}

static TCase *make_plain(void)
{
	TCase *tcase = make_tcase_with("plain", set_up_plain, tear_down);

	tcase_add_test(tcase, a_size_that_cannot_be_checked_is_not_sent);
	tcase_add_test(tcase, who_has_not_the_turn_to_receive_fails_at_once);
	tcase_add_test(tcase, who_has_not_the_turn_to_send_offers_nothing);
	tcase_add_test(tcase, an_offer_that_comes_too_late_is_not_made);
	return tcase;
}

int main(void)
{
	if (!fault_is_able()) {
		fprintf(stderr, "skip: calls have other names here\n");
		return SUPPORT_EXIT_SKIPPED;
	}
	return support_run_cases("lane_faults", make_sends(), make_receives(),
		make_plain());
}
