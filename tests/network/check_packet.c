/* SPDX-License-Identifier: MIT */
/*
 * Connections that keep boundaries, above all: an empty message is not the
 * end. What they share with streams is in check_listener.c.
 */
#include <config.h>

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/talk.h"

/* Two ends of one connection; which is which depends on the test's index. */
static struct unixconn *near, *far;

static struct unixlistener *listen_at(const char *address)
{
	struct unixlistener *listener = unixlistener_open("unixpacket", address,
		&(struct unixlisten_options){ .backlog = 8 });

	ck_assert_msg(listener != NULL, "%s: %s", address, strerror(errno));
	return listener;
}

static void connect_through(const char *address, struct unixconn **server,
	struct unixconn **client)
{
	struct unixlistener *listener = listen_at(address);

	*client = dial_conn("unixpacket", address);
	*server = accept_conn(listener);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

/* near is: accepted on a path, dialled to one, the same with abstract names,
 * and one of a pair. */
enum { LINKS = 5 };

static void link_up(int i)
{
	if (i == 0)
		connect_through(support_path("packet"), &near, &far);
	else if (i == 1)
		connect_through(support_path("packet"), &far, &near);
	else if (i == 2)
		connect_through(support_abstract("packet"), &near, &far);
	else if (i == 3)
		connect_through(support_abstract("packet"), &far, &near);
	else
		make_pair("unixpacket", &near, &far);
}

static void unlink_all(void)
{
	end_conn(&near);
	end_conn(&far);
}

/* The end is told by every call, again and again. */
static void expect_end(struct unixconn *packet)
{
	struct unixmsg msg;
	size_t size = 7;
	char byte;
	int i;

	unixmsg_init(&msg);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(unixconn_recv(packet, &byte, 1, &size,
					 in_time()),
			0);
		ck_assert_uint_eq(size, 0);
		ck_assert_int_eq(unixconn_recv_msg(packet, &msg, UNIXMSG_NOW),
			0);
		ck_assert_int_eq(unixconn_get_next_size(packet, &size,
					 UNIXMSG_NOW),
			0);
		ck_assert_uint_eq(size, 0);
	}
}

static void end_sending(struct unixconn *packet)
{
	ck_assert_int_eq(unixconn_shutdown(packet, SHUT_WR), 0);
}

/* Empty messages */

/* First, between, last; NULL ends the list. */
static const char *const mixed[] = { "", "", "one", "", "two", "three", "", "",
	"", NULL };

static void send_all(struct unixconn *packet, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		send_text(packet, *texts);
}

static void expect_all(struct unixconn *packet, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		await_text(packet, *texts);
}

START_TEST(an_empty_message_is_not_the_end)
{
	link_up(_i);
	send_all(far, mixed);
	expect_all(near, mixed);
	expect_nothing(near);
}
END_TEST

START_TEST(empty_messages_before_a_half_close_are_messages)
{
	link_up(_i);
	send_all(far, mixed);
	end_sending(far);
	expect_all(near, mixed);
	expect_end(near);
}
END_TEST

START_TEST(empty_messages_before_a_close_are_messages)
{
	link_up(_i);
	send_all(far, mixed);
	end_conn(&far);
	expect_all(near, mixed);
	expect_end(near);
}
END_TEST

START_TEST(the_next_size_tells_an_empty_message_from_the_end)
{
	size_t size = 7;

	link_up(_i);
	send_text(far, "");
	end_sending(far);
	ck_assert_int_eq(unixconn_get_next_size(near, &size, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(size, 0);
	await_text(near, "");
	expect_end(near);
}
END_TEST

enum { MANY = 1000 };

static void send_empty(struct unixconn *packet, int count)
{
	while (count-- > 0)
		send_text(packet, "");
}

static void expect_empty(struct unixconn *packet, int count)
{
	while (count-- > 0)
		await_text(packet, "");
}

/* It answers each of the messages with as empty a one. */
static void echo_empty(struct unixconn *packet)
{
	int i;

	for (i = 0; i < MANY; i++) {
		await_text(packet, "");
		send_text(packet, "");
	}
	expect_end(packet);
	send_empty(packet, MANY);
	_exit(0);
}

START_TEST(a_thousand_empty_messages_go_both_ways)
{
	pid_t pid;
	int i;

	link_up(_i);
	pid = support_fork();
	if (pid == 0) {
		end_conn(&near);
		echo_empty(far);
	}
	end_conn(&far);
	for (i = 0; i < MANY; i++) {
		send_text(near, "");
		await_text(near, "");
	}
	end_sending(near);
	expect_empty(near, MANY);
	expect_end(near);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_thousand_empty_messages_in_a_row_are_counted)
{
	pid_t pid;

	link_up(_i);
	pid = support_fork();
	if (pid == 0) {
		end_conn(&near);
		send_empty(far, MANY);
		_exit(0);
	}
	end_conn(&far);
	expect_empty(near, MANY);
	expect_end(near);
	support_wait_exit(pid, 0);
}
END_TEST

static void send_foreign(int fd, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		ck_assert_int_eq(send(fd, *texts, strlen(*texts), 0),
			(ssize_t)strlen(*texts));
}

static void expect_foreign(int fd, const char *const *texts)
{
	char bytes[64];

	for (; *texts != NULL; texts++) {
		ck_assert_int_eq(recv(fd, bytes, sizeof(bytes), 0),
			(ssize_t)strlen(*texts));
		ck_assert_int_eq(memcmp(bytes, *texts, strlen(*texts)), 0);
	}
}

static void expect_mixed(struct unixlistener *listener, int fd)
{
	near = accept_conn(listener);
	send_foreign(fd, mixed);
	expect_all(near, mixed);
	send_all(near, mixed);
	expect_foreign(fd, mixed);
	send_foreign(fd, mixed);
	close(fd);
	expect_all(near, mixed);
	expect_end(near);
	end_conn(&near);
}

START_TEST(a_foreign_client_may_send_empty_messages)
{
	const char *name = support_path("packet");
	struct unixlistener *listener = listen_at(name);

	expect_mixed(listener, open_connected(SOCK_SEQPACKET, name));
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

START_TEST(a_foreign_client_with_a_name_may_send_empty_messages)
{
	const char *name = support_path("packet");
	struct unixlistener *listener = listen_at(name);
	int fd = open_socket(SOCK_SEQPACKET);

	ck_assert_int_eq(bind_to(fd, support_abstract("client")), 0);
	ck_assert_int_eq(connect_to(fd, name), 0);
	expect_mixed(listener, fd);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* The server has accepted a client without a name. */
START_TEST(a_client_may_take_a_name_between_empty_messages)
{
	const char *name = support_path("packet");
	struct unixlistener *listener = listen_at(name);
	int fd = open_connected(SOCK_SEQPACKET, name);

	near = accept_conn(listener);
	send_foreign(fd, mixed);
	ck_assert_int_eq(bind_to(fd, support_abstract("client")), 0);
	send_foreign(fd, mixed);
	close(fd);
	expect_all(near, mixed);
	expect_all(near, mixed);
	expect_end(near);
	end_conn(&near);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

START_TEST(a_server_knows_what_a_client_with_a_name_has_cut)
{
	const char *name = support_path("packet");
	struct unixlistener *listener = listen_at(name);
	const struct unixdial_options options = { .own = "@" };
	char bytes[4];
	size_t size;

	far = unixconn_dial("unixpacket", name, &options, in_time());
	ck_assert_ptr_nonnull(far);
	near = accept_conn(listener);
	ck_assert_int_eq(unixconn_send(far, "long one", 8, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(far, "", 0, UNIXMSG_NOW), 1);
	end_conn(&far);
	ck_assert_int_eq(unixconn_recv(near, bytes, sizeof(bytes), &size,
				 UNIXMSG_NOW),
		-1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_uint_eq(size, 8);
	ck_assert_int_eq(unixconn_recv(near, bytes, sizeof(bytes), &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 0);
	expect_end(near);
	end_conn(&near);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* A server that uses nothing of ours, and marks nothing. */
START_TEST(a_foreign_server_may_send_empty_messages)
{
	const char *name = support_abstract("packet");
	int listener = open_listening(SOCK_SEQPACKET, name), fd;

	near = dial_conn("unixpacket", name);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	send_foreign(fd, mixed);
	shutdown(fd, SHUT_WR);
	expect_all(near, mixed);
	expect_end(near);
	send_all(near, mixed);
	expect_foreign(fd, mixed);
	end_conn(&near);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(empty_messages_may_come_before_the_accept)
{
	const char *name = support_path("packet");
	struct unixlistener *listener = listen_at(name);

	far = dial_conn("unixpacket", name);
	send_all(far, mixed);
	end_conn(&far);
	near = accept_conn(listener);
	expect_all(near, mixed);
	expect_end(near);
	end_conn(&near);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

START_TEST(a_peer_that_comes_and_goes_is_the_end_at_once)
{
	const char *name = support_path("packet");
	struct unixlistener *listener = listen_at(name);

	close_conn(dial_conn("unixpacket", name));
	near = accept_conn(listener);
	expect_end(near);
	end_conn(&near);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* Ends of connections */

START_TEST(a_half_closed_connection_still_receives)
{
	link_up(_i);
	send_text(near, "last");
	end_sending(near);
	ck_assert_errno(unixconn_send(near, "x", 1, UNIXMSG_FOREVER), EPIPE);
	await_text(far, "last");
	expect_end(far);
	send_text(far, "answer");
	await_text(near, "answer");
	expect_nothing(near);
	end_sending(far);
	expect_end(near);
}
END_TEST

START_TEST(closed_to_receive_is_the_end_here_and_a_broken_pipe_there)
{
	link_up(_i);
	send_text(far, "queued");
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_RD), 0);
	await_text(near, "queued");
	expect_end(near);
	ck_assert_errno(unixconn_send(far, "x", 1, UNIXMSG_FOREVER), EPIPE);
	send_text(near, "open");
	await_text(far, "open");
}
END_TEST

START_TEST(closed_both_ways_is_the_end_on_both_sides)
{
	link_up(_i);
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_RDWR), 0);
	expect_end(near);
	expect_end(far);
	ck_assert_errno(unixconn_send(near, "x", 1, UNIXMSG_FOREVER), EPIPE);
	ck_assert_errno(unixconn_send(far, "x", 1, UNIXMSG_FOREVER), EPIPE);
}
END_TEST

START_TEST(an_unknown_direction_is_refused)
{
	link_up(_i);
	ck_assert_errno(unixconn_shutdown(near, 3), EINVAL);
	ck_assert_errno(unixconn_shutdown(near, -1), EINVAL);
	send_text(near, "open");
	await_text(far, "open");
}
END_TEST

START_TEST(sending_to_a_peer_that_has_closed_is_a_broken_pipe)
{
	link_up(_i);
	end_conn(&far);
	ck_assert_errno(unixconn_send(near, "", 0, UNIXMSG_FOREVER), EPIPE);
	ck_assert_errno(unixconn_send(near, "x", 1, UNIXMSG_NOW), EPIPE);
	expect_end(near);
}
END_TEST

START_TEST(a_reset_comes_once_before_what_the_peer_has_sent)
{
	link_up(_i);
	send_text(near, "never read");
	send_text(far, "first");
	send_text(far, "");
	end_conn(&far);
	ck_assert_errno(unixconn_recv(near, NULL, 0, NULL, UNIXMSG_FOREVER),
		ECONNRESET);
	await_text(near, "first");
	await_text(near, "");
	expect_end(near);
}
END_TEST

START_TEST(a_reset_is_told_by_the_next_size_too)
{
	size_t size = 7;

	link_up(_i);
	send_text(near, "never read");
	send_text(far, "first");
	end_conn(&far);
	ck_assert_errno(unixconn_get_next_size(near, &size, UNIXMSG_NOW),
		ECONNRESET);
	ck_assert_int_eq(unixconn_get_next_size(near, &size, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(size, 5);
	await_text(near, "first");
	expect_end(near);
}
END_TEST

START_TEST(a_reset_is_told_to_who_sends)
{
	link_up(_i);
	send_text(near, "never read");
	end_conn(&far);
	ck_assert_errno(unixconn_send(near, "x", 1, UNIXMSG_NOW), ECONNRESET);
	ck_assert_errno(unixconn_send(near, "x", 1, UNIXMSG_NOW), EPIPE);
	expect_end(near);
}
END_TEST

static void end_when_asleep(pid_t test, struct unixconn *packet)
{
	end_conn(&near);
	support_wait_until_asleep(test);
	close_conn(packet);
	_exit(0);
}

START_TEST(the_end_wakes_the_one_who_waits_for_a_message)
{
	pid_t test = getpid(), pid;

	link_up(_i);
	pid = support_fork();
	if (pid == 0)
		end_when_asleep(test, far);
	end_conn(&far);
	ck_assert_int_eq(unixconn_recv(near, NULL, 0, NULL, UNIXMSG_FOREVER),
		0);
	support_wait_exit(pid, 0);
}
END_TEST

static void fill(struct unixconn *packet)
{
	int count = 0;

	while (unixconn_send(packet, "x", 1, UNIXMSG_NOW) == 1)
		ck_assert_int_lt(count++, 100000);
	ck_assert_int_eq(errno, EAGAIN);
}

/* The kernel tells the sender that its messages were thrown away. */
static void expect_loss(int64_t deadline_us)
{
	ck_assert_int_eq(unixconn_send(near, "x", 1, deadline_us), -1);
	ck_assert(errno == EPIPE || errno == ECONNRESET);
}

START_TEST(the_end_wakes_the_one_who_waits_for_room)
{
	pid_t test = getpid(), pid;

	link_up(_i);
	fill(near);
	pid = support_fork();
	if (pid == 0)
		end_when_asleep(test, far);
	end_conn(&far);
	expect_loss(in_time());
	support_wait_exit(pid, 0);
}
END_TEST

/* Addresses of messages */

START_TEST(receiving_stores_the_address_of_the_peer)
{
	struct unixdial_options options;
	struct unixlistener *listener = listen_at(support_path("packet"));
	struct unixaddr addr, own;
	struct unixmsg msg;

	memset(&options, 0, sizeof(options));
	options.own = support_path("own");
	far = unixconn_dial("unixpacket", support_path("packet"), &options,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(far);
	near = accept_conn(listener);
	send_text(far, "");
	unixmsg_init(&msg);
	msg.addr = &addr;
	ck_assert_int_eq(unixconn_recv_msg(near, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_get_address(far, &own), 0);
	ck_assert(unixaddr_is_equal(&addr, &own));
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* The list of tests */

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, LINKS);
}

static TCase *make_empty(void)
{
	TCase *tcase = make_tcase_with("empty messages", NULL, unlink_all);

	add(tcase, an_empty_message_is_not_the_end);
	add(tcase, empty_messages_before_a_half_close_are_messages);
	add(tcase, empty_messages_before_a_close_are_messages);
	add(tcase, the_next_size_tells_an_empty_message_from_the_end);
	add(tcase, a_thousand_empty_messages_go_both_ways);
	add(tcase, a_thousand_empty_messages_in_a_row_are_counted);
	tcase_add_test(tcase, a_foreign_client_may_send_empty_messages);
	tcase_add_test(tcase,
		a_foreign_client_with_a_name_may_send_empty_messages);
	tcase_add_test(tcase, a_client_may_take_a_name_between_empty_messages);
	tcase_add_test(tcase, a_server_knows_what_a_client_with_a_name_has_cut);
	tcase_add_test(tcase, a_foreign_server_may_send_empty_messages);
	tcase_add_test(tcase, empty_messages_may_come_before_the_accept);
	tcase_add_test(tcase, a_peer_that_comes_and_goes_is_the_end_at_once);
	return tcase;
}

static TCase *make_ends(void)
{
	TCase *tcase = make_tcase_with("ends", NULL, unlink_all);

	add(tcase, a_half_closed_connection_still_receives);
	add(tcase, closed_to_receive_is_the_end_here_and_a_broken_pipe_there);
	add(tcase, closed_both_ways_is_the_end_on_both_sides);
	add(tcase, an_unknown_direction_is_refused);
	add(tcase, sending_to_a_peer_that_has_closed_is_a_broken_pipe);
	/* A lane tells of it behind what has come, see check_lane. */
	if (!support_has_lanes()) {
		add(tcase, a_reset_comes_once_before_what_the_peer_has_sent);
		add(tcase, a_reset_is_told_by_the_next_size_too);
	}
	add(tcase, a_reset_is_told_to_who_sends);
	add(tcase, the_end_wakes_the_one_who_waits_for_a_message);
	add(tcase, the_end_wakes_the_one_who_waits_for_room);
	tcase_add_test(tcase, receiving_stores_the_address_of_the_peer);
	return tcase;
}

int main(void)
{
	return support_run_cases("packet", make_empty(), make_ends());
}
