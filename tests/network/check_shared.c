/* SPDX-License-Identifier: MIT */
/*
 * Sockets that several processes hold: what one of them does to the socket is
 * done to all, and must cost the others neither a deadline nor a name.
 */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/scene.h"

static const int64_t short_us = 20000;

/* The listeners of both networks that have them. */
static const int connected_types[] = { SOCK_SEQPACKET, SOCK_STREAM };

static struct unixlistener *listen_there(int i)
{
	struct server server;

	ck_assert_int_eq(open_server(&server, connected_types[i],
				 support_path("socket"), NULL),
		0);
	return server.listener;
}

/* 0 when a connection was accepted (and closed), else the errno. */
static int try_accept(struct unixlistener *listener, int i, int64_t deadline_us)
{
	struct unixconn *packet;
	struct unixconn *stream;

	errno = 0;
	if (connected_types[i] == SOCK_SEQPACKET) {
		packet = unixlistener_accept(listener, deadline_us);
		if (packet == NULL)
			return errno;
		unixconn_close(packet);
	} else {
		stream = unixlistener_accept(listener, deadline_us);
		if (stream == NULL)
			return errno;
		unixconn_close(stream);
	}
	return 0;
}

/* Shut down by another holder */

static const int hows[] = { SHUT_RD, SHUT_RDWR };

enum { SHUT_KINDS = (int)(COUNT(connected_types) * COUNT(hows)) };

static struct unixlistener *listen_and_shut(int i)
{
	struct unixlistener *listener = listen_there(i % 2);
	int fd = dup(unixlistener_get_fd(listener));

	ck_assert_int_eq(shutdown(fd, hows[i / 2]), 0);
	close(fd);
	return listener;
}

START_TEST(a_listener_that_was_shut_down_is_told)
{
	struct unixlistener *listener = listen_and_shut(_i);

	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_NOW), EINVAL);
	ck_assert_int_eq(try_accept(listener, _i % 2,
				 unixdeadline_after_us(short_us)),
		EINVAL);
	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_FOREVER), EINVAL);
	unixlistener_close(listener);
}
END_TEST

START_TEST(who_connected_before_it_was_shut_down_is_accepted)
{
	struct unixlistener *listener = listen_there(_i % 2);
	int fd = open_socket(connected_types[_i % 2]);

	ck_assert_int_eq(connect_to(fd, support_path("socket")), 0);
	ck_assert_int_eq(shutdown(unixlistener_get_fd(listener), hows[_i / 2]),
		0);
	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_NOW), 0);
	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_NOW), EINVAL);
	close(fd);
	unixlistener_close(listener);
}
END_TEST

START_TEST(who_waits_to_accept_is_woken_by_the_shutdown)
{
	struct unixlistener *listener = listen_there(_i % 2);
	int how = hows[_i / 2], ready[2];
	pid_t pid;

	support_ready_init(ready);
	pid = support_fork();
	if (pid == 0) {
		support_ready_tell(ready);
		_exit(try_accept(listener, _i % 2, UNIXMSG_FOREVER) != EINVAL);
	}
	support_ready_wait(ready);
	ck_assert_int_eq(shutdown(unixlistener_get_fd(listener), how), 0);
	support_wait_exit(pid, 0);
	close_pipe(ready);
	unixlistener_close(listener);
}
END_TEST

/* Datagrams: the calls that receive. 0 or the errno, *size of what came. */

static int try_recv(struct unixconn *gram, int64_t deadline_us, size_t *size)
{
	char data[16];

	return unixconn_recv(gram, data, sizeof(data), size, deadline_us);
}

static int try_recv_from(struct unixconn *gram, int64_t deadline_us,
	size_t *size)
{
	struct unixaddr from;
	char data[16];

	return unixconn_recv_from(gram, data, sizeof(data), size, &from,
		deadline_us);
}

static int try_recv_msg(struct unixconn *gram, int64_t deadline_us,
	size_t *size)
{
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.flags = UNIXMSG_PREFIX;
	result = unixconn_recv_msg(gram, &msg, deadline_us);
	*size = msg.size;
	return result;
}

static int try_recv_buffer(struct unixconn *gram, int64_t deadline_us,
	size_t *size)
{
	struct unixbuffer buffer;
	int result, saved;

	unixbuffer_init(&buffer, 16);
	result = unixconn_recv_buffer(gram, &buffer, NULL, deadline_us);
	saved = errno;
	*size = buffer.size;
	unixbuffer_free(&buffer);
	errno = saved;
	return result;
}

static int try_recv_batch(struct unixconn *gram, int64_t deadline_us,
	size_t *size)
{
	char data[16];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct unixmsg msg;
	size_t received;
	int result;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	result = unixconn_recv_batch(gram, &msg, 1, &received, deadline_us);
	ck_assert_uint_eq(received, result == 1);
	*size = msg.size;
	return result;
}

static int try_next_size(struct unixconn *gram, int64_t deadline_us,
	size_t *size)
{
	return unixconn_get_next_size(gram, size, deadline_us);
}

static int (*const receivers[])(struct unixconn *gram, int64_t deadline_us,
	size_t *size) = {
	try_recv,
	try_recv_from,
	try_recv_msg,
	try_recv_buffer,
	try_recv_batch,
	try_next_size,
};

enum {
	RECEIVERS = (int)COUNT(receivers),
	/* Those of them that leave no message in the queue. */
	TAKERS = RECEIVERS - 1,
	GRAM_KINDS = RECEIVERS * (int)COUNT(hows),
};

static int try_to_receive(struct unixconn *gram, int i, int64_t deadline_us,
	size_t *size)
{
	errno = 0;
	return receivers[i % RECEIVERS](gram, deadline_us, size) == 1 ? 0
								      : errno;
}

/* By another holder. */
static void shut(const struct unixconn *gram, int how)
{
	int fd = dup(unixconn_get_fd(gram));

	ck_assert_int_eq(shutdown(fd, how), 0);
	close(fd);
}

START_TEST(a_datagram_socket_that_was_shut_down_is_told)
{
	struct unixconn *gram = open_gram(support_path("socket"));
	int i, stop[2];
	size_t size;

	ck_assert_int_eq(pipe(stop), 0);
	shut(gram, hows[_i / RECEIVERS]);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(try_to_receive(gram, _i, UNIXMSG_FOREVER,
					 &size),
			ESHUTDOWN);
		ck_assert_int_eq(try_to_receive(gram, _i,
					 unixdeadline_after_us(60000000),
					 &size),
			ESHUTDOWN);
		ck_assert_int_eq(try_to_receive(gram, _i, UNIXMSG_NOW, &size),
			EAGAIN);
		unixconn_set_stop_fd(gram, stop[0]);
	}
	close_pipe(stop);
	close_gram(gram);
}
END_TEST

START_TEST(what_was_sent_before_the_shutdown_is_received)
{
	const int64_t deadlines[] = { UNIXMSG_FOREVER, 60000000 };
	struct unixconn *gram = open_gram(support_path("socket"));
	int receiver = _i % TAKERS;
	size_t i, size;

	for (i = 0; i < COUNT(deadlines); i++)
		send_to(support_path("socket"));
	shut(gram, hows[_i / TAKERS]);
	for (i = 0; i < COUNT(deadlines); i++) {
		ck_assert_int_eq(try_to_receive(gram, receiver,
					 i == 0 ? UNIXMSG_FOREVER
						: unixdeadline_after_us(
							  deadlines[i]),
					 &size),
			0);
		ck_assert_uint_eq(size, 1);
	}
	ck_assert_int_eq(try_to_receive(gram, receiver, UNIXMSG_FOREVER, &size),
		ESHUTDOWN);
	close_gram(gram);
}
END_TEST

START_TEST(an_empty_message_of_nobody_is_no_shutdown)
{
	struct unixconn *gram = open_gram(support_path("socket"));
	struct unixaddr to = address_of(support_path("socket"));
	int fd = open_socket(SOCK_DGRAM);
	size_t size;

	ck_assert_int_eq(sendto(fd, NULL, 0, 0, (struct sockaddr *)&to.sun,
				 to.length),
		0);
	ck_assert_int_eq(try_to_receive(gram, _i, UNIXMSG_FOREVER, &size), 0);
	ck_assert_uint_eq(size, 0);
	close(fd);
	close_gram(gram);
}
END_TEST

START_TEST(who_waits_for_a_datagram_is_woken_by_the_shutdown)
{
	struct unixconn *gram = open_gram(support_path("socket"));
	int ready[2];
	size_t size;
	pid_t pid;

	support_ready_init(ready);
	pid = support_fork();
	if (pid == 0) {
		support_ready_tell(ready);
		_exit(try_to_receive(gram, _i, UNIXMSG_FOREVER, &size) !=
			ESHUTDOWN);
	}
	support_ready_wait(ready);
	shut(gram, hows[_i / RECEIVERS]);
	support_wait_exit(pid, 0);
	close_pipe(ready);
	close_gram(gram);
}
END_TEST

/* Made blocking by another holder */

static void make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	ck_assert_int_eq(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK), 0);
}

static bool is_nonblocking(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static int64_t get_receive_timeout_us(int fd)
{
	struct timeval timeout;
	socklen_t length = sizeof(timeout);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
				 &length),
		0);
	return (int64_t)timeout.tv_sec * 1000000 + timeout.tv_usec;
}

/* Opened by us, or adopted. */
static struct unixlistener *listen_or_adopt(int i)
{
	struct unixlistener *listener = listen_there(i % 2);
	struct unixlistener *adopted;

	if (i / 2 == 0)
		return listener;
	adopted = unixlistener_adopt(dup(unixlistener_get_fd(listener)));
	ck_assert_ptr_nonnull(adopted);
	unixlistener_set_unlink_on_close(listener, false);
	unixlistener_close(listener);
	return adopted;
}

START_TEST(a_blocking_listener_keeps_deadlines_and_stops)
{
	struct unixlistener *listener = listen_or_adopt(_i);
	int fd = unixlistener_get_fd(listener), stop[2];

	ck_assert_int_eq(pipe(stop), 0);
	make_blocking(fd);
	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_NOW), EAGAIN);
	make_blocking(fd);
	ck_assert_int_eq(try_accept(listener, _i % 2,
				 unixdeadline_after_us(short_us)),
		ETIMEDOUT);
	unixlistener_set_stop_fd(listener, stop[0]);
	ck_assert_int_eq(write(stop[1], "", 1), 1);
	make_blocking(fd);
	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_FOREVER),
		ECANCELED);
	close_pipe(stop);
	unixlistener_close(listener);
}
END_TEST

/* Between the look at the flag and the call nobody can be caught in a test:
 * that the kernel's time-out is there is what can be seen. */
START_TEST(a_listener_that_was_made_blocking_is_bounded_from_then_on)
{
	struct unixlistener *listener = listen_or_adopt(_i);
	int fd = unixlistener_get_fd(listener);
	int client = open_socket(connected_types[_i % 2]);

	ck_assert_int_eq(connect_to(client, support_path("socket")), 0);
	ck_assert_int_eq(get_receive_timeout_us(fd), 0);
	make_blocking(fd);
	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_NOW), 0);
	ck_assert(is_nonblocking(fd));
	ck_assert_int_gt(get_receive_timeout_us(fd), 0);
	ck_assert_int_le(get_receive_timeout_us(fd), 20000);
	close(client);
	unixlistener_close(listener);
}
END_TEST

START_TEST(the_next_holder_of_a_listener_waits_as_long_as_he_likes)
{
	struct unixlistener *listener = listen_or_adopt(_i);
	int fd = dup(unixlistener_get_fd(listener));
	int client = open_socket(connected_types[_i % 2]);

	ck_assert_int_eq(connect_to(client, support_path("socket")), 0);
	make_blocking(fd);
	ck_assert_int_eq(try_accept(listener, _i % 2, UNIXMSG_NOW), 0);
	unixlistener_close(listener);
	ck_assert_int_eq(get_receive_timeout_us(fd), 0);
	close(client);
	close(fd);
}
END_TEST

START_TEST(other_flags_of_a_listener_stay)
{
	struct unixlistener *listener = listen_there(_i), *adopted;
	int fd = dup(unixlistener_get_fd(listener));

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_ASYNC), 0);
	adopted = unixlistener_adopt(fd);
	ck_assert_ptr_nonnull(adopted);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_ASYNC | O_NONBLOCK),
		O_ASYNC | O_NONBLOCK);
	unixlistener_close(adopted);
	unixlistener_close(listener);
}
END_TEST

/* Into the background: who removes the file */

/* Of all types: _i. */
static void open_there(struct server *server, int i)
{
	ck_assert_int_eq(open_server(server, types[i], support_path("socket"),
				 NULL),
		0);
}

START_TEST(a_child_that_closes_leaves_the_file)
{
	struct server server;
	pid_t pid;

	open_there(&server, _i);
	pid = support_fork();
	if (pid == 0)
		_exit(close_server(&server) != 0);
	support_wait_exit(pid, 0);
	assert_is_socket(support_path("socket"));
	close_server(&server);
	assert_missing(support_path("socket"));
}
END_TEST

START_TEST(a_child_that_asks_for_it_removes_the_file)
{
	struct server server;
	pid_t pid;

	open_there(&server, _i);
	pid = support_fork();
	if (pid == 0) {
		errno = 0;
		if (server_set_unlink(&server, true) < 0 || errno != 0)
			_exit(1);
		_exit(close_server(&server) != 0);
	}
	support_wait_exit(pid, 0);
	assert_missing(support_path("socket"));
	close_server(&server);
}
END_TEST

START_TEST(a_child_does_not_get_a_file_that_is_anothers)
{
	struct server server, next;
	struct stat before;
	pid_t pid;

	open_there(&server, _i);
	ck_assert_int_eq(unlink(support_path("socket")), 0);
	open_there(&next, _i);
	before = look_at(support_path("socket"));
	pid = support_fork();
	if (pid == 0) {
		if (server_set_unlink(&server, true) == 0 || errno != ESTALE)
			_exit(1);
		_exit(close_server(&server) != 0);
	}
	support_wait_exit(pid, 0);
	assert_untouched(support_path("socket"), &before);
	close_server(&server);
	close_server(&next);
}
END_TEST

START_TEST(a_parent_that_says_no_leaves_it_to_the_child)
{
	struct server server;
	int ready[2];
	pid_t pid;

	support_ready_init(ready);
	open_there(&server, _i);
	pid = support_fork();
	if (pid == 0) {
		if (server_set_unlink(&server, true) < 0)
			_exit(1);
		support_ready_wait(ready);
		if (access(support_path("socket"), F_OK) < 0)
			_exit(2);
		_exit(close_server(&server) != 0);
	}
	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	close_server(&server);
	support_ready_tell(ready);
	support_wait_exit(pid, 0);
	assert_missing(support_path("socket"));
	close_pipe(ready);
}
END_TEST

static TCase *make_datagram_tests(void)
{
	TCase *tcase = make_tcase("datagrams");

	tcase_add_loop_test(tcase, a_datagram_socket_that_was_shut_down_is_told,
		0, GRAM_KINDS);
	tcase_add_loop_test(tcase,
		what_was_sent_before_the_shutdown_is_received, 0,
		TAKERS * (int)COUNT(hows));
	tcase_add_loop_test(tcase, an_empty_message_of_nobody_is_no_shutdown, 0,
		RECEIVERS);
	tcase_add_loop_test(tcase,
		who_waits_for_a_datagram_is_woken_by_the_shutdown, 0,
		GRAM_KINDS);
	return tcase;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("shared");
	TCase *shut = make_tcase("shut");
	TCase *blocking = make_tcase("blocking");
	TCase *background = make_tcase("background");

	tcase_add_loop_test(shut, a_listener_that_was_shut_down_is_told, 0,
		SHUT_KINDS);
	tcase_add_loop_test(shut,
		who_connected_before_it_was_shut_down_is_accepted, 0,
		SHUT_KINDS);
	tcase_add_loop_test(shut, who_waits_to_accept_is_woken_by_the_shutdown,
		0, SHUT_KINDS);
	suite_add_tcase(suite, shut);
	suite_add_tcase(suite, make_datagram_tests());
	tcase_add_loop_test(blocking,
		a_blocking_listener_keeps_deadlines_and_stops, 0, 4);
	tcase_add_loop_test(blocking,
		a_listener_that_was_made_blocking_is_bounded_from_then_on, 0,
		4);
	tcase_add_loop_test(blocking,
		the_next_holder_of_a_listener_waits_as_long_as_he_likes, 0, 4);
	tcase_add_loop_test(blocking, other_flags_of_a_listener_stay, 0, 2);
	suite_add_tcase(suite, blocking);
	tcase_add_loop_test(background, a_child_that_closes_leaves_the_file, 0,
		TYPES);
	tcase_add_loop_test(background,
		a_child_that_asks_for_it_removes_the_file, 0, TYPES);
	tcase_add_loop_test(background,
		a_child_does_not_get_a_file_that_is_anothers, 0, TYPES);
	tcase_add_loop_test(background,
		a_parent_that_says_no_leaves_it_to_the_child, 0, TYPES);
	suite_add_tcase(suite, background);
	return suite;
}

int main(void)
{
	return support_run(make_suite());
}
