/* SPDX-License-Identifier: MIT */
/*
 * What the tests of Go's net package pin down for the calls on Unix sockets:
 * each test here names one such behaviour, its sister check_go_rules.c those of
 * names and addresses. Where ours differs on purpose the comment says so, and
 * ours is tested.
 */
#include <config.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/talk.h"

static const int64_t short_us = 30000;

/* Go's "unixpacket" and "unix": messages over either, by the same calls. */
static const struct {
	const char *name;
	int type;
} networks[] = {
	{ "unixpacket", SOCK_SEQPACKET },
	{ "unix", SOCK_STREAM },
};

static const char *network;
static struct unixconn *near, *far;

static void link_up(int i)
{
	network = networks[i].name;
	make_pair(network, &near, &far);
}

static void hang_up(void)
{
	end_conn(&near);
	end_conn(&far);
}

static int receive(struct unixconn *end, int64_t until)
{
	char bytes[64];

	return unixconn_recv(end, bytes, sizeof(bytes), NULL, until);
}

static void pass(struct unixconn *from, struct unixconn *to, const char *text)
{
	send_text(from, text);
	await_text(to, text);
}

static const char *choose_name(int i)
{
	return i % 2 == 0 ? support_path("server") : support_abstract("server");
}

static int send_between(struct unixconn *from, struct unixconn *to,
	const char *text)
{
	struct unixaddr addr;

	ck_assert_int_eq(unixconn_get_address(to, &addr), 0);
	return unixconn_send_to(from, &addr, text, strlen(text), UNIXMSG_NOW);
}

/* Messages with ancillary data */

static void set_fd(struct unixmsg *msg, struct iovec *part, int *fd)
{
	static char byte[] = "x";

	unixmsg_init(msg);
	*part = (struct iovec){ byte, 1 };
	msg->parts = part;
	msg->parts_count = 1;
	msg->fds = fd;
	msg->fds_count = 1;
}

/*
 * Go: all forms of sending to an address fail on a connected datagram socket,
 * that with ancillary data among them; a plain write works.
 */
START_TEST(a_dialled_endpoint_refuses_an_address_with_descriptors_too)
{
	const char *name = choose_name(_i);
	struct unixconn *server = open_gram(name), *client;
	int fd = STDERR_FILENO;
	struct unixaddr addr;
	struct unixmsg msg;
	struct iovec part;

	client = unixconn_dial("unixgram", name, NULL, UNIXMSG_NOW);
	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_get_address(server, &addr), 0);
	set_fd(&msg, &part, &fd);
	msg.addr = &addr;
	ck_assert_errno(unixconn_send_msg(client, &msg, UNIXMSG_NOW), EISCONN);
	msg.addr = NULL;
	ck_assert_int_eq(unixconn_send_msg(client, &msg, UNIXMSG_NOW), 1);
	expect_text(server, "x");
	unixconn_close(client);
	unixconn_close(server);
}
END_TEST

/*
 * Go: on one that is not connected they work, and a plain write fails; a
 * destination of nil is an error and no crash.
 */
START_TEST(an_open_endpoint_sends_descriptors_where_it_is_told)
{
	struct unixconn *server = open_gram(choose_name(_i));
	struct unixconn *other = open_gram("@");
	int fd = STDERR_FILENO;
	struct unixaddr addr;
	struct unixmsg msg;
	struct iovec part;

	ck_assert_int_eq(unixconn_want(server, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_get_address(server, &addr), 0);
	set_fd(&msg, &part, &fd);
	ck_assert_errno(unixconn_send_msg(other, &msg, UNIXMSG_NOW), ENOTCONN);
	msg.addr = &addr;
	ck_assert_int_eq(unixconn_send_msg(other, &msg, UNIXMSG_NOW), 1);
	expect_text(server, "x");
	unixaddr_set_unnamed(&addr);
	ck_assert_errno(unixconn_send_msg(other, &msg, UNIXMSG_NOW), EINVAL);
	ck_assert_errno(unixconn_send_to(other, NULL, "x", 1, UNIXMSG_NOW),
		ENOTCONN);
	unixconn_close(other);
	unixconn_close(server);
}
END_TEST

/*
 * Go: a descriptor that was received is close-on-exec, and on a stream one that
 * comes with an empty payload has a byte sent along. Ours needs none: messages
 * may be empty.
 */
START_TEST(a_received_descriptor_is_closed_on_exec_and_needs_no_payload)
{
	struct unixconn *pair[2];
	int fd = STDERR_FILENO, got = -1;
	struct unixmsg msg;
	struct iovec part;

	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	ck_assert_int_eq(unixconn_want(pair[1], UNIXMSG_WANT_FDS), 0);
	set_fd(&msg, &part, &fd);
	msg.parts_count = 0;
	ck_assert_int_eq(unixconn_send_msg(pair[0], &msg, UNIXMSG_NOW), 1);
	unixmsg_init(&msg);
	msg.fds = &got;
	msg.fds_room = 1;
	ck_assert_int_eq(unixconn_recv_msg(pair[1], &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 0);
	ck_assert_uint_eq(msg.fds_count, 1);
	ck_assert_int_eq(fcntl(got, F_GETFD), FD_CLOEXEC);
	unixmsg_close_fds(&msg);
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

/* Datagram sockets */

/* Go: two packet sockets exchange both ways, and know their addresses. */
START_TEST(two_datagram_sockets_exchange_both_ways)
{
	struct unixconn *a = open_gram(support_path("a"));
	struct unixconn *b = open_gram(support_abstract("b"));

	ck_assert_int_eq(send_between(a, b, "there"), 1);
	ck_assert_int_eq(send_between(b, a, "back"), 1);
	expect_text(b, "there");
	expect_text(a, "back");
	unixconn_close(a);
	unixconn_close(b);
}
END_TEST

/*
 * Go: a datagram client without a name of its own gets no reply. Ours is given
 * one when it dials, and gets it.
 */
START_TEST(a_client_that_chose_no_name_is_answered)
{
	const char *name = choose_name(_i);
	struct unixconn *server = open_gram(name);
	struct unixconn *client =
		unixconn_dial("unixgram", name, NULL, UNIXMSG_NOW);
	struct unixaddr from;

	ck_assert_ptr_nonnull(client);
	ck_assert_int_eq(unixconn_send(client, "q", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_from(server, NULL, 0, NULL, &from,
				 UNIXMSG_NOW),
		-1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(unixconn_send_to(server, &from, "a", 1, UNIXMSG_NOW),
		1);
	expect_text(client, "a");
	unixconn_close(client);
	unixconn_close(server);
}
END_TEST

/*
 * Go: a datagram socket may be dialled with a local address and no remote one,
 * and have its buffers set. Ours is opened then; it sends and receives.
 */
START_TEST(a_datagram_socket_without_a_peer_is_one_that_was_opened)
{
	struct unixconn *a = open_gram(support_path("a"));
	struct unixconn *b = open_gram(support_path("b"));
	int size = 65536;

	ck_assert_int_eq(setsockopt(unixconn_get_fd(a), SOL_SOCKET, SO_RCVBUF,
				 &size, sizeof(size)),
		0);
	ck_assert_int_eq(setsockopt(unixconn_get_fd(a), SOL_SOCKET, SO_SNDBUF,
				 &size, sizeof(size)),
		0);
	ck_assert_int_eq(send_between(a, b, "message"), 1);
	expect_text(b, "message");
	unixconn_close(a);
	unixconn_close(b);
}
END_TEST

/*
 * Go: reading from a packet socket that was closed gives 0 and an error. Ours
 * is gone with its descriptor, and whoever sends to it is told.
 */
START_TEST(a_closed_datagram_socket_is_gone)
{
	struct unixconn *a = open_gram("@"), *b = open_gram("@");
	struct unixaddr addr;
	int fd = unixconn_get_fd(b);

	ck_assert_int_eq(unixconn_get_address(b, &addr), 0);
	close_conn(b);
	ck_assert_errno(fcntl(fd, F_GETFD), EBADF);
	ck_assert_errno(unixconn_send_to(a, &addr, "x", 1, UNIXMSG_NOW),
		ECONNREFUSED);
	unixconn_close(a);
}
END_TEST

/* Listeners */

enum { ACCEPTORS = 3, CLIENTS = 6, ROUNDS = 20 };

static struct unixlistener *listener;

static void *serve(void *context)
{
	char bytes[64];
	size_t size;
	void *end;
	int served = 0;

	(void)context;
	while ((end = unixlistener_accept(listener, in_time())) != NULL) {
		while (unixconn_recv(end, bytes, sizeof(bytes), &size,
			       in_time()) == 1)
			if (unixconn_send(end, bytes, size, in_time()) < 0)
				return &listener;
		unixconn_close(end);
		served++;
	}
	return errno == ECANCELED ? NULL : &listener;
}

static void ask(const char *name)
{
	void *end = unixconn_dial(network, name, NULL, in_time());
	int i;

	ck_assert_ptr_nonnull(end);
	for (i = 0; i < ROUNDS; i++) {
		ck_assert_int_eq(unixconn_send(end, "ping", 4, in_time()), 1);
		ck_assert_int_eq(receive(end, in_time()), 1);
	}
	unixconn_close(end);
	_exit(0);
}

/*
 * Go: an echo server and several clients, for a path and for an abstract name,
 * three acceptors on one listener, all with timeouts.
 */
START_TEST(three_acceptors_serve_several_clients)
{
	const char *name = choose_name(_i);
	int stop_fd = eventfd(0, EFD_CLOEXEC), i;
	pthread_t threads[ACCEPTORS];
	pid_t clients[CLIENTS];
	void *failed;

	network = networks[_i / 2].name;
	listener = unixlistener_open(network, name, NULL);
	ck_assert_ptr_nonnull(listener);
	for (i = 0; i < CLIENTS; i++) {
		clients[i] = support_fork();
		if (clients[i] == 0)
			ask(name);
	}
	unixlistener_set_stop_fd(listener, stop_fd);
	for (i = 0; i < ACCEPTORS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, serve, NULL),
			0);
	for (i = 0; i < CLIENTS; i++)
		support_wait_exit(clients[i], 0);
	ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
	for (i = 0; i < ACCEPTORS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	close(stop_fd);
	unixlistener_close(listener);
}
END_TEST

/*
 * Go: the address of a listener is told, and a deadline a few nanoseconds ahead
 * makes accepting time out.
 */
START_TEST(a_deadline_that_is_nearly_past_ends_an_accept)
{
	const char *name = choose_name(_i);
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr;

	network = networks[_i / 2].name;
	listener = unixlistener_open(network, name, NULL);
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_get_address(listener, &addr), 0);
	ck_assert_str_eq(unixaddr_format(&addr, text, sizeof(text)), name);
	ck_assert_ptr_null(
		unixlistener_accept(listener, unixdeadline_after_us(1)));
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_ptr_null(unixlistener_accept(listener, UNIXMSG_NOW));
	ck_assert_int_eq(errno, EAGAIN);
	unixlistener_close(listener);
}
END_TEST

/*
 * Go: accepting on a listener that was closed fails. Ours is gone, nobody can
 * reach it, and what waited there is told.
 */
START_TEST(a_closed_listener_is_gone)
{
	const char *name = choose_name(_i);
	void *end;
	int fd;

	network = networks[_i / 2].name;
	listener = unixlistener_open(network, name, NULL);
	fd = unixlistener_get_fd(listener);
	end = unixconn_dial(network, name, NULL, in_time());
	ck_assert_ptr_nonnull(end);
	ck_assert_int_eq(unixlistener_close(listener), 0);
	ck_assert_errno(fcntl(fd, F_GETFD), EBADF);
	ck_assert_errno(receive(end, in_time()), ECONNRESET);
	ck_assert_ptr_null(unixconn_dial(network, name, NULL, in_time()));
	ck_assert_int_eq(errno, _i % 2 == 0 ? ENOENT : ECONNREFUSED);
	unixconn_close(end);
}
END_TEST

/* Ends of connections */

/* Go: after closing to read, reading gives 0 and an error. */
START_TEST(closed_to_read_is_the_end)
{
	link_up(_i);
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_RD), 0);
	ck_assert_int_eq(receive(near, in_time()), 0);
}
END_TEST

/* Go: after closing to write on both sides, each reads the end, and its own
 * writes fail. */
START_TEST(closed_to_write_on_both_sides_is_the_end_of_both)
{
	link_up(_i);
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_WR), 0);
	ck_assert_int_eq(unixconn_shutdown(far, SHUT_WR), 0);
	ck_assert_int_eq(receive(near, in_time()), 0);
	ck_assert_int_eq(receive(far, in_time()), 0);
	ck_assert_errno(unixconn_send(near, "x", 1, in_time()), EPIPE);
	ck_assert_errno(unixconn_send(far, "x", 1, in_time()), EPIPE);
}
END_TEST

/* Go: the first close of a connection succeeds; reading afterwards never
 * hangs. Ours is gone with its descriptor; its peer reads the end. */
START_TEST(a_closed_connection_is_the_end_for_its_peer)
{
	int fd;

	link_up(_i);
	fd = unixconn_get_fd(near);
	close_conn(near);
	near = NULL;
	ck_assert_errno(fcntl(fd, F_GETFD), EBADF);
	ck_assert_int_eq(receive(far, UNIXMSG_FOREVER), 0);
	ck_assert_errno(unixconn_send(far, "x", 1, UNIXMSG_FOREVER), EPIPE);
}
END_TEST

/*
 * Go: a read of no bytes on a live, idle connection gives 0 and no error at
 * once. So does ours on a stream of bytes.
 */
START_TEST(reading_no_bytes_of_a_stream_gives_none_at_once)
{
	struct unixconn *pair[2];
	size_t size = 7;
	int i;

	ck_assert_int_eq(unixconn_pair("unix", pair), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(unixconn_read(pair[i], NULL, 0, &size,
					 UNIXMSG_FOREVER),
			1);
		ck_assert_uint_eq(size, 0);
		ck_assert_int_eq(unixconn_write(pair[i], NULL, 0, &size,
					 UNIXMSG_FOREVER),
			1);
		ck_assert_uint_eq(size, 0);
	}
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

/*
 * On connections with boundaries ours differs: no message is there, and a
 * message of no bytes is one. So the call waits, and loses nothing.
 */
START_TEST(receiving_into_no_room_waits_for_an_empty_message)
{
	link_up(_i);
	ck_assert_errno(unixconn_recv(near, NULL, 0, NULL, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_errno(unixconn_recv(near, NULL, 0, NULL,
				unixdeadline_after_us(short_us)),
		ETIMEDOUT);
	ck_assert_int_eq(unixconn_send(far, NULL, 0, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(near, NULL, 0, NULL, UNIXMSG_FOREVER),
		1);
}
END_TEST

/*
 * Go: a result of no bytes is the end, on unixpacket as well: there an empty
 * message looks like the end. Ours tells them apart, which is better.
 */
START_TEST(an_empty_message_is_not_the_end)
{
	size_t size = 7;
	int i;

	link_up(_i);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(unixconn_send(near, NULL, 0, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(near, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(near, NULL, 0, UNIXMSG_NOW), 1);
	close_conn(near);
	near = NULL;
	for (i = 0; i < 5; i++) {
		char byte;

		ck_assert_int_eq(unixconn_recv(far, &byte, 1, &size, in_time()),
			1);
		ck_assert_uint_eq(size, i == 3);
	}
	ck_assert_int_eq(receive(far, in_time()), 0);
	ck_assert_int_eq(receive(far, in_time()), 0);
}
END_TEST

/* Go: for datagrams it is not the end either. */
START_TEST(an_empty_datagram_is_not_the_end)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	ck_assert_int_eq(unixconn_send(pair[0], NULL, 0, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(pair[0], "x", 1, UNIXMSG_NOW), 1);
	expect_text(pair[1], "");
	expect_text(pair[1], "x");
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

/* Deadlines and blocked calls */

/* Go: a deadline in the past fails at once, a future one when it comes. */
START_TEST(deadlines_of_the_past_and_the_future_end_a_read)
{
	int64_t deadline_us;

	link_up(_i);
	ck_assert_errno(receive(near, 1), ETIMEDOUT);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_errno(receive(near, deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	/* The connection is as good as before. */
	pass(far, near, "after");
}
END_TEST

/* Go: a read that times out does not disturb writing, nor the other way. */
START_TEST(a_read_that_times_out_does_not_disturb_writing)
{
	int i;

	link_up(_i);
	for (i = 0; i < 5; i++) {
		ck_assert_errno(receive(near, 1), ETIMEDOUT);
		pass(near, far, "out");
	}
}
END_TEST

START_TEST(a_write_that_times_out_does_not_disturb_reading)
{
	static char bytes[4096];
	int result;

	link_up(_i);
	do
		result = unixconn_send(near, bytes, sizeof(bytes), 1);
	while (result == 1);
	/* A stream may be in the middle of a message. */
	ck_assert(errno == ETIMEDOUT || errno == EINPROGRESS);
	ck_assert_int_eq(unixconn_send(far, "in", 2, UNIXMSG_NOW), 1);
	ck_assert_int_eq(receive(near, UNIXMSG_NOW), 1);
}
END_TEST

static void *receive_endlessly(void *end)
{
	return receive(end, UNIXMSG_FOREVER) == -1 && errno == ECANCELED ? end
									 : NULL;
}

/*
 * Go: closing, or a deadline of the past set by another thread, ends calls that
 * are blocked. Ours are ended by the stop descriptor, and then closed.
 */
START_TEST(the_stop_ends_a_blocked_call_before_a_close)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_t thread;
	void *result;

	link_up(_i);
	unixconn_set_stop_fd(near, stop_fd);
	ck_assert_int_eq(pthread_create(&thread, NULL, receive_endlessly, near),
		0);
	ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, near);
	close(stop_fd);
}
END_TEST

enum { MANY = 3000, LARGE = 8192 };

static void fill(unsigned char *bytes, int number)
{
	memset(bytes, number % 256, LARGE);
}

static void *send_and_spoil(void *end)
{
	unsigned char bytes[LARGE];
	int i;

	for (i = 0; i < MANY; i++) {
		fill(bytes, i);
		if (unixconn_send(end, bytes, sizeof(bytes), in_time()) < 0)
			return NULL;
		fill(bytes, i + 128);
	}
	return end;
}

/* Go: a buffer may be used anew as soon as the write has returned. */
START_TEST(a_buffer_is_free_when_its_send_returns)
{
	unsigned char bytes[LARGE], expected[LARGE];
	pthread_t thread;
	void *result;
	size_t size;
	int i;

	link_up(_i);
	ck_assert_int_eq(pthread_create(&thread, NULL, send_and_spoil, far), 0);
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(unixconn_recv(near, bytes, LARGE, &size,
					 in_time()),
			1);
		ck_assert_uint_eq(size, LARGE);
		fill(expected, i);
		ck_assert_int_eq(memcmp(bytes, expected, LARGE), 0);
	}
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, far);
}
END_TEST

static void *answer(void *end)
{
	int i, number;

	for (i = 0; i < MANY; i++) {
		if (unixconn_recv(end, &number, sizeof(number), NULL,
			    in_time()) != 1)
			return NULL;
		number++;
		if (unixconn_send(end, &number, sizeof(number), in_time()) < 0)
			return NULL;
	}
	return end;
}

/* Go: a number goes to and fro, and each side adds one. */
START_TEST(ping_and_pong_take_turns)
{
	pthread_t thread;
	int i, number = 0;
	void *result;

	link_up(_i);
	ck_assert_int_eq(pthread_create(&thread, NULL, answer, far), 0);
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(unixconn_send(near, &number, sizeof(number),
					 in_time()),
			1);
		ck_assert_int_eq(unixconn_recv(near, &number, sizeof(number),
					 NULL, in_time()),
			1);
	}
	ck_assert_int_eq(number, MANY);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, far);
}
END_TEST

/* Descriptors */

/*
 * Go: a hook is called with the raw descriptor between socket() and bind() or
 * connect(). Ours has none, and needs none: whoever wants to do something to a
 * socket first makes it, and has it adopted.
 */
START_TEST(a_socket_may_be_prepared_before_it_is_ours)
{
	int fds[2], size = 65536, found;
	socklen_t length = sizeof(found);

	network = networks[_i].name;
	ck_assert_int_eq(socketpair(AF_UNIX, networks[_i].type | SOCK_CLOEXEC,
				 0, fds),
		0);
	ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof(size)),
		0);
	near = unixconn_adopt(fds[0]);
	far = unixconn_adopt(fds[1]);
	ck_assert_ptr_nonnull(near);
	ck_assert_ptr_nonnull(far);
	ck_assert_int_eq(getsockopt(unixconn_get_fd(near), SOL_SOCKET,
				 SO_SNDBUF, &found, &length),
		0);
	ck_assert_int_eq(found, 2 * size);
	pass(near, far, "prepared");
	pass(far, near, "both ways");
}
END_TEST

START_TEST(a_listening_socket_may_be_prepared_before_it_is_ours)
{
	const char *name = support_abstract("prepared");

	network = networks[_i].name;
	listener = unixlistener_adopt(open_listening(networks[_i].type, name));
	ck_assert_ptr_nonnull(listener);
	near = unixconn_dial(network, name, NULL, in_time());
	far = unixlistener_accept(listener, in_time());
	pass(near, far, "prepared");
	pass(near, far, "");
	hang_up();
	unixlistener_close(listener);
}
END_TEST

/* Go: the raw descriptor can be read, written and controlled. */
START_TEST(the_descriptor_can_be_used_by_itself)
{
	char byte;
	int found;
	socklen_t length = sizeof(found);

	link_up(_i);
	ck_assert_int_eq(getsockopt(unixconn_get_fd(near), SOL_SOCKET, SO_TYPE,
				 &found, &length),
		0);
	ck_assert_int_eq(found, networks[_i].type);
	ck_assert_int_eq(write(unixconn_get_fd(near), "x", 1), 1);
	ck_assert_int_eq(read(unixconn_get_fd(far), &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	pass(near, far, "and by us");
}
END_TEST

/* The list of tests */

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, (int)COUNT(networks));
}

/* On both networks, for a path and for an abstract name. */
static void add_for_names(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, 2 * (int)COUNT(networks));
}

static TCase *make_datagrams(void)
{
	TCase *tcase =
		make_tcase_with("datagrams", support_make_names_here, hang_up);

	tcase_add_loop_test(tcase,
		a_dialled_endpoint_refuses_an_address_with_descriptors_too, 0,
		2);
	tcase_add_loop_test(tcase,
		an_open_endpoint_sends_descriptors_where_it_is_told, 0, 2);
	tcase_add_test(tcase,
		a_received_descriptor_is_closed_on_exec_and_needs_no_payload);
	tcase_add_test(tcase, two_datagram_sockets_exchange_both_ways);
	tcase_add_loop_test(tcase, a_client_that_chose_no_name_is_answered, 0,
		2);
	tcase_add_test(tcase,
		a_datagram_socket_without_a_peer_is_one_that_was_opened);
	tcase_add_test(tcase, a_closed_datagram_socket_is_gone);
	tcase_add_test(tcase, an_empty_datagram_is_not_the_end);
	return tcase;
}

static TCase *make_listeners(void)
{
	TCase *tcase =
		make_tcase_with("listeners", support_make_names_here, hang_up);

	add_for_names(tcase, three_acceptors_serve_several_clients);
	add_for_names(tcase, a_deadline_that_is_nearly_past_ends_an_accept);
	add_for_names(tcase, a_closed_listener_is_gone);
	return tcase;
}

static TCase *make_connections(void)
{
	TCase *tcase = make_tcase_with("connections", support_make_names_here,
		hang_up);

	add(tcase, closed_to_read_is_the_end);
	add(tcase, closed_to_write_on_both_sides_is_the_end_of_both);
	add(tcase, a_closed_connection_is_the_end_for_its_peer);
	tcase_add_test(tcase, reading_no_bytes_of_a_stream_gives_none_at_once);
	add(tcase, receiving_into_no_room_waits_for_an_empty_message);
	add(tcase, an_empty_message_is_not_the_end);
	add(tcase, deadlines_of_the_past_and_the_future_end_a_read);
	add(tcase, a_read_that_times_out_does_not_disturb_writing);
	add(tcase, a_write_that_times_out_does_not_disturb_reading);
	add(tcase, the_stop_ends_a_blocked_call_before_a_close);
	add(tcase, a_buffer_is_free_when_its_send_returns);
	add(tcase, ping_and_pong_take_turns);
	add(tcase, a_socket_may_be_prepared_before_it_is_ours);
	add(tcase, a_listening_socket_may_be_prepared_before_it_is_ours);
	add(tcase, the_descriptor_can_be_used_by_itself);
	return tcase;
}

int main(void)
{
	return support_run_cases("go_calls", make_datagrams(), make_listeners(),
		make_connections());
}
