/* SPDX-License-Identifier: MIT */
/* A datagram client whose server goes away and perhaps comes back. */
#include <config.h>

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"
#include "support/talk.h"

static const int64_t short_us = 50000;

static struct unixconn *server, *client;
static const char *name;

static void start_server(void)
{
	server = unixconn_open("unixgram", name, NULL);
	ck_assert_msg(server != NULL, "%s: %s", name, strerror(errno));
}

static void stop_server(void)
{
	close_conn(server);
	server = NULL;
}

static void restart_server(void)
{
	stop_server();
	start_server();
}

/* A server on a path, and one on an abstract name. */
enum { SERVERS = 2 };

static void begin_with(int i, unsigned int flags)
{
	struct unixdial_options options;

	name = i == 0 ? support_path("server") : support_abstract("server");
	start_server();
	memset(&options, 0, sizeof(options));
	options.flags = flags;
	client = unixconn_dial("unixgram", name, &options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
}

static void begin(int i)
{
	begin_with(i, UNIXMSG_DIAL_RECONNECT);
}

static void finish(void)
{
	end_conn(&client);
	end_conn(&server);
}

static int send_until(int64_t until)
{
	return unixconn_send(client, "hello", 5, until);
}

static void expect_counters(uint64_t sent, uint64_t dropped, uint64_t failed,
	uint64_t reconnects)
{
	struct unixconn_counters counters;

	unixconn_get_counters(client, &counters);
	ck_assert_uint_eq(counters.sent, sent);
	ck_assert_uint_eq(counters.dropped, dropped);
	ck_assert_uint_eq(counters.failed, failed);
	ck_assert_uint_eq(counters.reconnects, reconnects);
}

START_TEST(without_the_wish_a_restarted_server_is_lost)
{
	begin_with(_i, 0);
	restart_server();
	ck_assert_errno(send_until(UNIXMSG_FOREVER), ECONNREFUSED);
	ck_assert_errno(send_until(UNIXMSG_FOREVER), ENOTCONN);
	ck_assert_errno(send_until(UNIXMSG_NOW), ENOTCONN);
	expect_nothing(server);
	expect_counters(0, 0, 3, 0);
}
END_TEST

START_TEST(with_the_wish_messages_go_on)
{
	static const int64_t deadlines_us[] = { UNIXMSG_NOW, UNIXMSG_FOREVER,
		2 };
	size_t i;

	begin(_i);
	for (i = 0; i < COUNT(deadlines_us); i++) {
		ck_assert_int_eq(send_until(deadlines_us[i]), 1);
		expect_text(server, "hello");
		restart_server();
		errno = EXDEV;
		ck_assert_int_eq(send_until(deadlines_us[i]), 1);
		ck_assert_int_eq(errno, EXDEV);
		expect_text(server, "hello");
		expect_nothing(server);
		expect_counters(2 * i + 2, 0, 0, i + 1);
	}
}
END_TEST

START_TEST(a_client_keeps_its_address_and_can_be_answered)
{
	struct unixaddr before, after, from;

	begin(_i);
	ck_assert_int_eq(unixconn_get_address(client, &before), 0);
	restart_server();
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_get_address(client, &after), 0);
	ck_assert(unixaddr_is_equal(&before, &after));
	receive_text(server, "hello", &from, UNIXMSG_NOW);
	ck_assert(unixaddr_is_equal(&before, &from));
	ck_assert_int_eq(unixconn_send_to(server, &from, "answer", 6,
				 UNIXMSG_NOW),
		1);
	expect_text(client, "answer");
}
END_TEST

/* The kernel tells a client once that its server has turned away from it. */
START_TEST(a_server_that_turns_away_is_sent_to_still)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct unixaddr addr;
	const struct sockaddr *sa;
	socklen_t length;

	begin(_i);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	sa = unixaddr_get_sockaddr(&addr, &length);
	ck_assert_int_eq(connect(unixconn_get_fd(server), sa, length), 0);
	ck_assert_int_eq(connect(unixconn_get_fd(server), &nobody,
				 sizeof(nobody)),
		0);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	expect_text(server, "hello");
}
END_TEST

START_TEST(a_server_that_does_not_come_back_is_waited_for_until_the_deadline)
{
	int64_t deadline_us;

	begin(_i);
	stop_server();
	ck_assert_int_eq(send_until(UNIXMSG_NOW), -1);
	ck_assert(errno == ECONNREFUSED || errno == ENOENT);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_errno(send_until(deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_errno(send_until(-1), EINVAL);
	expect_counters(0, 0, 3, 0);
	start_server();
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	expect_text(server, "hello");
	expect_counters(1, 0, 3, 1);
}
END_TEST

START_TEST(the_stop_ends_the_wait_for_a_server)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	begin(_i);
	stop_server();
	unixconn_set_stop_fd(client, stop_fd);
	ck_assert_errno(send_until(UNIXMSG_FOREVER), ECANCELED);
	close(stop_fd);
}
END_TEST

/* A server in another process, that takes one message. */
static void serve_once(void)
{
	char bytes[16];

	start_server();
	_exit(unixconn_recv(server, bytes, sizeof(bytes), NULL, in_time()) !=
		1);
}

START_TEST(a_server_that_is_late_gets_the_message)
{
	pid_t pid;

	begin(_i);
	stop_server();
	pid = support_fork();
	if (pid == 0)
		serve_once();
	ck_assert_int_eq(send_until(in_time()), 1);
	support_wait_exit(pid, 0);
	expect_counters(1, 0, 0, 1);
}
END_TEST

START_TEST(a_killed_server_may_come_back)
{
	pid_t pid;

	begin(_i);
	stop_server();
	pid = support_fork();
	if (pid == 0) {
		start_server();
		/* Its file stays behind. */
		_exit(0);
	}
	support_wait_exit(pid, 0);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), -1);
	start_server();
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	expect_text(server, "hello");
}
END_TEST

/* Policies speak of room, and a server that is not there has none to give. */
START_TEST(a_missing_server_is_an_error_under_every_policy)
{
	static const enum unixconn_policy policies[] = { UNIXCONN_DROP,
		UNIXCONN_FAIL };
	size_t i;

	begin(_i);
	stop_server();
	for (i = 0; i < COUNT(policies); i++) {
		ck_assert_int_eq(unixconn_set_policy(client, policies[i]), 0);
		ck_assert_int_eq(send_until(UNIXMSG_FOREVER), -1);
		ck_assert(errno == ECONNREFUSED || errno == ENOENT);
	}
	expect_counters(0, 0, 2, 0);
	start_server();
	ck_assert_int_eq(send_until(UNIXMSG_FOREVER), 1);
	expect_text(server, "hello");
	expect_counters(1, 0, 2, 1);
}
END_TEST

START_TEST(after_coming_back_a_full_queue_is_a_full_queue)
{
	uint64_t count = 1;

	begin(_i);
	restart_server();
	ck_assert_int_eq(unixconn_set_policy(client, UNIXCONN_DROP), 0);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	while (send_until(UNIXMSG_NOW) == 1)
		count++;
	expect_counters(count, 1, 0, 1);
}
END_TEST

START_TEST(after_coming_back_strangers_are_kept_out)
{
	struct unixconn *stranger = unixconn_open("unixgram", "@", NULL);
	struct unixaddr addr;

	begin(_i);
	restart_server();
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	ck_assert_errno(unixconn_send_to(stranger, &addr, "x", 1, UNIXMSG_NOW),
		EPERM);
	unixconn_close(stranger);
}
END_TEST

/* While there was no server anybody could send to the client. */
START_TEST(what_strangers_sent_meanwhile_is_not_received)
{
	struct unixconn *stranger = unixconn_open("unixgram", "@", NULL);
	struct unixaddr addr;

	begin(_i);
	stop_server();
	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), -1);
	unixconn_send_to(stranger, &addr, "forged", 6, UNIXMSG_NOW);
	start_server();
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	expect_text(server, "hello");
	expect_nothing(client);
	unixconn_close(stranger);
}
END_TEST

/* The kernel would let in everybody. */
static void expect_to_be_shut(void)
{
	struct unixconn *stranger = unixconn_open("unixgram", "@", NULL);
	struct unixaddr addr;

	stop_server();
	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), -1);
	ck_assert_errno(unixconn_send_to(stranger, &addr, "x", 1, UNIXMSG_NOW),
		EPERM);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), -1);
	ck_assert_errno(unixconn_send_to(stranger, &addr, "x", 1, UNIXMSG_NOW),
		EPERM);
	ck_assert_errno(unixconn_get_peer(client, &addr), ENOTCONN);
	ck_assert_errno(unixconn_check_answer(client), ENOTCONN);
	expect_nothing(client);
	unixconn_close(stranger);
}

START_TEST(a_client_without_its_server_lets_nobody_in)
{
	begin(_i);
	expect_to_be_shut();
}
END_TEST

START_TEST(without_the_wish_to_connect_again_it_lets_nobody_in)
{
	begin(_i);
	unixconn_close(client);
	client = dial_conn("unixgram", name);
	expect_to_be_shut();
}
END_TEST

START_TEST(a_batch_that_finds_no_server_shuts_strangers_out)
{
	struct unixconn *stranger = unixconn_open("unixgram", "@", NULL);
	struct unixaddr addr;
	struct unixmsg msg;
	size_t sent;

	begin(_i);
	unixmsg_init(&msg);
	stop_server();
	ck_assert_errno(unixconn_send_batch(client, &msg, 1, &sent,
				UNIXMSG_NOW),
		ECONNREFUSED);
	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	ck_assert_errno(unixconn_send_to(stranger, &addr, "x", 1, UNIXMSG_NOW),
		EPERM);
	ck_assert_errno(unixconn_send_batch(client, &msg, 1, &sent,
				UNIXMSG_NOW),
		ENOTCONN);
	unixconn_close(stranger);
}
END_TEST

/* Nothing is left to shut it with. */
START_TEST(what_cannot_be_shut_receives_nothing)
{
	struct unixconn *stranger = unixconn_open("unixgram", "@", NULL);
	struct unixaddr addr;
	struct unixbuffer buffer;
	struct unixmsg msg;
	size_t size;
	char byte;

	unixmsg_init(&msg);
	unixbuffer_init(&buffer, 1);
	begin(_i);
	stop_server();
	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	support_limit_fds(0);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), -1);
	support_lift_fds_limit();
	ck_assert_int_eq(unixconn_send_to(stranger, &addr, "x", 1, UNIXMSG_NOW),
		1);
	ck_assert_errno(unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW),
		ENOTCONN);
	ck_assert_errno(unixconn_recv_msg(client, &msg, UNIXMSG_NOW), ENOTCONN);
	ck_assert_errno(unixconn_recv_batch(client, &msg, 1, &size,
				UNIXMSG_NOW),
		ENOTCONN);
	ck_assert_errno(unixconn_recv_buffer(client, &buffer, NULL,
				UNIXMSG_NOW),
		ENOTCONN);
	ck_assert_errno(unixconn_get_next_size(client, &size, UNIXMSG_NOW),
		ENOTCONN);
	unixbuffer_free(&buffer);
	unixconn_close(stranger);
}
END_TEST

START_TEST(a_destination_is_refused_with_or_without_a_server)
{
	struct unixaddr addr;

	begin(_i);
	ck_assert_int_eq(unixaddr_parse(&addr, "@somebody"), 0);
	stop_server();
	ck_assert_int_eq(send_until(UNIXMSG_NOW), -1);
	ck_assert_errno(unixconn_send_to(client, &addr, "x", 1, UNIXMSG_NOW),
		EISCONN);
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, SERVERS);
}

int main(void)
{
	TCase *tcase =
		make_tcase_with("reconnect", support_make_names_here, finish);

	add(tcase, without_the_wish_a_restarted_server_is_lost);
	add(tcase, with_the_wish_messages_go_on);
	add(tcase, a_client_keeps_its_address_and_can_be_answered);
	add(tcase, a_server_that_turns_away_is_sent_to_still);
	add(tcase,
		a_server_that_does_not_come_back_is_waited_for_until_the_deadline);
	add(tcase, the_stop_ends_the_wait_for_a_server);
	add(tcase, a_server_that_is_late_gets_the_message);
	add(tcase, a_killed_server_may_come_back);
	add(tcase, a_missing_server_is_an_error_under_every_policy);
	add(tcase, after_coming_back_a_full_queue_is_a_full_queue);
	add(tcase, after_coming_back_strangers_are_kept_out);
	add(tcase, what_strangers_sent_meanwhile_is_not_received);
	add(tcase, a_client_without_its_server_lets_nobody_in);
	add(tcase, without_the_wish_to_connect_again_it_lets_nobody_in);
	add(tcase, a_batch_that_finds_no_server_shuts_strangers_out);
	add(tcase, what_cannot_be_shut_receives_nothing);
	add(tcase, a_destination_is_refused_with_or_without_a_server);
	return support_run_cases("reconnect", tcase);
}
