/* SPDX-License-Identifier: MIT */
/* Sockets that somebody else has opened: here the test, by socket(2). */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/talk.h"

static struct unixlistener *adopt_listener(int fd)
{
	struct unixlistener *listener = unixlistener_adopt(fd);

	ck_assert_msg(listener != NULL, "%s", strerror(errno));
	ck_assert_int_eq(unixlistener_get_fd(listener), fd);
	return listener;
}

static struct unixconn *adopt_conn(int fd)
{
	struct unixconn *conn = unixconn_adopt(fd);

	ck_assert_msg(conn != NULL, "%s", strerror(errno));
	ck_assert_int_eq(unixconn_get_fd(conn), fd);
	return conn;
}

/* A named socket of each type, adopted. */
static struct server adopt(int type, int fd)
{
	struct server server;

	ck_assert_msg(adopt_server(&server, type, fd) == 0, "%s",
		strerror(errno));
	ck_assert_int_eq(server_get_fd(&server), fd);
	return server;
}

static void open_pair(int type, int fds[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
}

/* What is adopted works. */

START_TEST(a_datagram_server_answers)
{
	const char *path = support_path("socket");
	struct unixconn *gram = adopt_conn(open_bound(SOCK_DGRAM, path));
	struct unixdial_options options = { .own = support_path("own") };
	struct unixconn *client;
	struct unixaddr from;
	char byte;

	client = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	ck_assert_int_eq(unixconn_send(client, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_from(gram, &byte, 1, NULL, &from,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_send_to(gram, &from, "y", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(byte, 'y');
	close_conn(client);
	close_conn(gram);
}
END_TEST

START_TEST(datagram_ends_of_a_pair_are_connected)
{
	struct unixaddr anybody = address_of(support_path("anybody"));
	struct unixconn *a, *b;
	int fds[2];
	char byte;

	open_pair(SOCK_DGRAM, fds);
	a = adopt_conn(fds[0]);
	b = adopt_conn(fds[1]);
	ck_assert_int_eq(unixconn_send(a, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(b, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_errno(unixconn_send_to(a, &anybody, "x", 1, UNIXMSG_NOW),
		EISCONN);
	close_conn(a);
	close_conn(b);
}
END_TEST

START_TEST(an_unconnected_datagram_socket_is_that)
{
	struct unixconn *gram = adopt_conn(open_socket(SOCK_DGRAM));
	struct unixaddr addr;

	ck_assert_errno(unixconn_send(gram, "x", 1, UNIXMSG_NOW), ENOTCONN);
	ck_assert_errno(unixconn_get_peer(gram, &addr), ENOTCONN);
	ck_assert_int_eq(unixconn_get_address(gram, &addr), 0);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_UNNAMED);
	close_conn(gram);
}
END_TEST

/* An empty message is one, too. */
static void exchange(struct unixconn *a, struct unixconn *b)
{
	ck_assert_int_eq(unixconn_send(a, "x", 1, UNIXMSG_NOW), 1);
	expect_text(b, "x");
	ck_assert_int_eq(unixconn_send(b, "", 0, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(a, NULL, 0, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(b, "y", 1, UNIXMSG_NOW), 1);
	expect_text(a, "y");
}

/* _i: of packets or of streams. */
START_TEST(ends_of_a_pair_work)
{
	struct unixconn *a, *b;
	int fds[2];

	open_pair(types[1 + _i], fds);
	a = adopt_conn(fds[0]);
	b = adopt_conn(fds[1]);
	exchange(a, b);
	close_conn(a);
	ck_assert_int_eq(unixconn_recv(b, NULL, 0, NULL, UNIXMSG_NOW), 0);
	close_conn(b);
}
END_TEST

START_TEST(a_listener_accepts)
{
	const char *path = support_path("socket");
	struct unixlistener *listener =
		adopt_listener(open_listening(types[1 + _i], path));
	struct unixconn *client, *server;

	ck_assert_null_errno(unixlistener_accept(listener, UNIXMSG_NOW),
		EAGAIN);
	client = unixconn_dial(unixlistener_get_network(listener), path, NULL,
		UNIXMSG_NOW);
	server = accept_conn(listener);
	exchange(client, server);
	close_conn(client);
	close_conn(server);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

START_TEST(it_has_the_address_it_was_bound_to)
{
	const char *const texts[] = { support_path("socket"),
		support_abstract("name") };
	struct unixaddr found, wanted = address_of(texts[_i / TYPES]);
	int type = types[_i % TYPES];
	struct server server =
		adopt(type, open_listening(type, texts[_i / TYPES]));

	ck_assert_int_eq(server_get_address(&server, &found), 0);
	ck_assert(unixaddr_is_equal(&found, &wanted));
	end_server(&server);
}
END_TEST

START_TEST(errno_is_kept_on_success)
{
	struct server server;
	int fd = open_listening(types[_i], support_path("socket"));

	errno = EXDEV;
	server = adopt(types[_i], fd);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	ck_assert_int_eq(errno, EXDEV);
	end_server(&server);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* The descriptor. */

static int copy_without_cloexec(int fd)
{
	int copy = dup(fd);

	ck_assert_int_ge(copy, 0);
	ck_assert_int_eq(fcntl(copy, F_GETFD), 0);
	return copy;
}

START_TEST(it_becomes_close_on_exec)
{
	int fd = open_listening(types[_i], support_path("socket"));
	int copy = copy_without_cloexec(fd);
	struct server server = adopt(types[_i], copy);

	ck_assert_int_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
	end_server(&server);
	close(fd);
}
END_TEST

START_TEST(a_connection_becomes_close_on_exec)
{
	struct unixconn *conn;
	int fds[2], copy;

	open_pair(types[_i], fds);
	copy = copy_without_cloexec(fds[0]);
	conn = adopt_conn(copy);
	ck_assert_int_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
	close_conn(conn);
	close_pipe(fds);
}
END_TEST

START_TEST(a_listener_does_not_block)
{
	int type = types[1 + _i];
	int fd = open_listening(type, support_path("socket"));
	struct unixlistener *listener = adopt_listener(fd);

	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

START_TEST(the_original_may_be_closed)
{
	const char *path = support_path("socket");
	int fd = open_listening(types[_i], path), copy = dup(fd);
	struct server server;

	close(fd);
	server = adopt(types[_i], copy);
	ck_assert_int_eq(try_to_reach(path),
		types[_i] == SOCK_DGRAM ? 0 : EPROTOTYPE);
	end_server(&server);
	ck_assert_int_eq(try_to_reach(path), ECONNREFUSED);
}
END_TEST

START_TEST(the_original_lives_on)
{
	const char *path = support_path("socket");
	int fd = open_listening(types[_i], path);
	struct server server = adopt(types[_i], dup(fd));

	end_server(&server);
	ck_assert_int_eq(try_to_reach(path),
		types[_i] == SOCK_DGRAM ? 0 : EPROTOTYPE);
	close(fd);
}
END_TEST

/* What is refused. */

enum { ADOPTERS = 2 };

static int try_to_adopt(int which, int fd)
{
	void *made = which == 0 ? (void *)unixconn_adopt(fd)
				: (void *)unixlistener_adopt(fd);

	return made == NULL ? -1 : 0;
}

static int open_file(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_path(void)
{
	return open("/", O_PATH | O_CLOEXEC);
}

static int open_internet(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int open_internet_listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static int open_gram_socket(void)
{
	return open_bound(SOCK_DGRAM, support_path("socket"));
}

static int open_silent_packet(void)
{
	return open_bound(SOCK_SEQPACKET, support_path("socket"));
}

static int open_silent_stream(void)
{
	return open_bound(SOCK_STREAM, support_path("socket"));
}

static int open_packet_listener(void)
{
	return open_listening(SOCK_SEQPACKET, support_path("socket"));
}

static int open_stream_listener(void)
{
	return open_listening(SOCK_STREAM, support_path("socket"));
}

/* As a connection, as a listener; -1: not asked here. */
static const struct {
	int (*open)(void);
	int errors[ADOPTERS];
} refusals[] = {
	{ open_file, { ENOTSOCK, ENOTSOCK } },
	{ open_path, { EBADF, EBADF } },
	{ open_internet, { EAFNOSUPPORT, EAFNOSUPPORT } },
	{ open_internet_listener, { EAFNOSUPPORT, EAFNOSUPPORT } },
	{ open_gram_socket, { -1, EPROTOTYPE } },
	{ open_silent_packet, { -1, EINVAL } },
	{ open_silent_stream, { -1, EINVAL } },
	{ open_packet_listener, { EINVAL, -1 } },
	{ open_stream_listener, { EINVAL, -1 } },
};

START_TEST(what_does_not_fit_is_refused_and_left_alone)
{
	int i, fd = refusals[_i].open(), flags;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
	flags = fcntl(fd, F_GETFL);
	for (i = 0; i < ADOPTERS; i++)
		if (refusals[_i].errors[i] >= 0)
			ck_assert_errno(try_to_adopt(i, fd),
				refusals[_i].errors[i]);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL), flags);
	close(fd);
}
END_TEST

START_TEST(a_descriptor_that_is_none_is_refused)
{
	ck_assert_errno(try_to_adopt(_i, -1), EBADF);
	ck_assert_errno(try_to_adopt(_i, 1000000), EBADF);
}
END_TEST

/* The end of a connection, and empty messages. */

static void assert_messages_then_end(struct unixconn *packet, int messages)
{
	size_t size;
	int i;

	for (i = 0; i < messages; i++) {
		ck_assert_int_eq(unixconn_recv(packet, NULL, 0, &size,
					 UNIXMSG_NOW),
			1);
		ck_assert_uint_eq(size, 0);
	}
	ck_assert_int_eq(unixconn_recv(packet, NULL, 0, &size, UNIXMSG_NOW), 0);
}

static void send_nothing(int fd)
{
	ck_assert_int_eq(send(fd, "", 0, MSG_NOSIGNAL), 0);
}

/* _i: how many of them were there before. */
START_TEST(empty_messages_are_no_end)
{
	struct unixconn *packet;
	int i, fds[2];

	open_pair(SOCK_SEQPACKET, fds);
	for (i = 0; i < _i; i++)
		send_nothing(fds[1]);
	packet = adopt_conn(fds[0]);
	for (i = _i; i < 2; i++)
		send_nothing(fds[1]);
	close(fds[1]);
	assert_messages_then_end(packet, 2);
	close_conn(packet);
}
END_TEST

/*
 * A supervisor starts the server when the first client is there: what accepted
 * connections inherit from the listener this one has missed.
 */
START_TEST(a_client_from_before_may_send_empty_messages)
{
	const char *path = support_path("socket");
	int fd = open_listening(SOCK_SEQPACKET, path);
	int client = open_socket(SOCK_SEQPACKET);
	struct unixlistener *listener;
	struct unixconn *packet;

	ck_assert_int_eq(connect_to(client, path), 0);
	send_nothing(client);
	listener = adopt_listener(fd);
	packet = unixlistener_accept(listener, UNIXMSG_NOW);
	send_nothing(client);
	close(client);
	assert_messages_then_end(packet, 2);
	close_conn(packet);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* _i: whether the listener was asked for them, or the connection. */
START_TEST(what_a_client_from_before_writes_has_credentials)
{
	const char *path = support_path("socket");
	int fd = open_listening(SOCK_SEQPACKET, path);
	int client = open_socket(SOCK_SEQPACKET);
	struct unixlistener *listener;
	struct unixconn *packet;
	struct unixmsg msg;

	ck_assert_int_eq(connect_to(client, path), 0);
	listener = adopt_listener(fd);
	if (_i == 0)
		ck_assert_int_eq(unixlistener_want(listener, UNIXMSG_WANT_CRED),
			0);
	packet = unixlistener_accept(listener, UNIXMSG_NOW);
	if (_i == 1)
		ck_assert_int_eq(unixconn_want(packet, UNIXMSG_WANT_CRED), 0);
	send_nothing(client);
	unixmsg_init(&msg);
	ck_assert_int_eq(unixconn_recv_msg(packet, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.flags, UNIXMSG_HAS_CRED);
	ck_assert_int_eq(msg.cred.pid, getpid());
	close(client);
	close_conn(packet);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

START_TEST(a_client_from_after_may_send_empty_messages)
{
	const char *path = support_path("socket");
	struct unixlistener *listener =
		adopt_listener(open_listening(SOCK_SEQPACKET, path));
	int client = open_socket(SOCK_SEQPACKET);
	struct unixconn *packet;

	ck_assert_int_eq(connect_to(client, path), 0);
	send_nothing(client);
	packet = unixlistener_accept(listener, UNIXMSG_NOW);
	close(client);
	assert_messages_then_end(packet, 1);
	close_conn(packet);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* The file. */

START_TEST(the_file_stays_by_default)
{
	const char *path = support_path("socket");
	struct server server =
		adopt(types[_i], open_listening(types[_i], path));

	end_server(&server);
	assert_is_socket(path);
	ck_assert_int_eq(try_to_reach(path), ECONNREFUSED);
}
END_TEST

START_TEST(the_file_goes_when_that_is_asked_for)
{
	const char *path = support_path("socket");
	struct server server =
		adopt(types[_i], open_listening(types[_i], path));

	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	assert_is_socket(path);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(the_last_word_counts)
{
	const char *path = support_path("socket");
	struct server server =
		adopt(types[_i], open_listening(types[_i], path));

	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	end_server(&server);
	assert_is_socket(path);
}
END_TEST

START_TEST(a_socket_that_does_not_listen_is_found_too)
{
	const char *path = support_path("socket");
	struct unixconn *gram = adopt_conn(open_bound(SOCK_DGRAM, path));

	ck_assert_int_eq(unixconn_set_unlink_on_close(gram, true), 0);
	close_conn(gram);
	assert_files(0);
}
END_TEST

START_TEST(a_file_that_is_gone_is_told)
{
	const char *path = support_path("socket");
	struct server server =
		adopt(types[_i], open_listening(types[_i], path));

	ck_assert_int_eq(unlink(path), 0);
	ck_assert_errno(server_set_unlink(&server, true), ENOENT);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(another_file_in_its_place_is_told_and_stays)
{
	const char *path = support_path("thing");
	struct server server = adopt(types[_i % TYPES],
		open_listening(types[_i % TYPES], path));
	struct stat before;

	ck_assert_int_eq(unlink(path), 0);
	foreigners[_i / TYPES].make(path);
	before = look_at(path);
	ck_assert_errno(server_set_unlink(&server, true), ESTALE);
	end_server(&server);
	assert_untouched(path, &before);
}
END_TEST

START_TEST(another_socket_in_its_place_is_told_and_stays)
{
	const char *path = support_path("socket");
	struct server server = adopt(types[_i % TYPES],
		open_listening(types[_i % TYPES], path));
	struct stat before;
	int fd;

	ck_assert_int_eq(unlink(path), 0);
	fd = open_listening(types[_i / TYPES], path);
	before = look_at(path);
	ck_assert_errno(server_set_unlink(&server, true), ESTALE);
	end_server(&server);
	assert_untouched(path, &before);
	close(fd);
}
END_TEST

START_TEST(a_name_that_was_taken_over_meanwhile_stays)
{
	const char *path = support_path("socket");
	struct server server =
		adopt(types[_i], open_listening(types[_i], path));
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_REPLACE };
	struct server other;
	struct stat before;

	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	ck_assert_int_eq(open_server(&other, types[_i], path, &options), 0);
	before = look_at(path);
	end_server(&server);
	assert_untouched(path, &before);
	end_server(&other);
	assert_files(0);
}
END_TEST

START_TEST(a_file_that_has_moved_stays)
{
	const char *path = support_path("socket"), *moved = support_path("b");
	struct server server =
		adopt(types[_i], open_listening(types[_i], path));

	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_errno(server_set_unlink(&server, true), ENOENT);
	end_server(&server);
	assert_is_socket(moved);
}
END_TEST

START_TEST(a_relative_path_cannot_be_found)
{
	struct server server;

	ck_assert_int_eq(chdir(support_dir()), 0);
	server = adopt(types[_i], open_listening(types[_i], "./socket"));
	ck_assert_errno(server_set_unlink(&server, true), EINVAL);
	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	end_server(&server);
	assert_is_socket("socket");
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(without_a_file_it_has_no_effect)
{
	struct server server = adopt(types[_i],
		open_listening(types[_i], support_abstract("name")));

	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	end_server(&server);
}
END_TEST

START_TEST(an_unnamed_socket_has_no_file)
{
	struct unixconn *gram = adopt_conn(open_socket(SOCK_DGRAM));

	ck_assert_int_eq(unixconn_set_unlink_on_close(gram, true), 0);
	close_conn(gram);
}
END_TEST

/* Inherited by a child: it belongs to who adopts it and asks for that. */
START_TEST(an_heir_may_remove_the_file)
{
	const char *path = support_path("socket");
	int fd = open_listening(types[_i], path);
	pid_t pid = support_fork();

	if (pid == 0) {
		struct server server = adopt(types[_i], fd);

		ck_assert_int_eq(server_set_unlink(&server, true), 0);
		end_server(&server);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_files(0);
	close(fd);
}
END_TEST

START_TEST(a_child_of_the_adopter_takes_nothing_away)
{
	const char *path = support_path("socket");
	struct server server =
		adopt(types[_i], open_listening(types[_i], path));
	pid_t pid;

	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	pid = support_fork();
	if (pid == 0) {
		end_server(&server);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_is_socket(path);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(only_the_one_that_was_asked_removes_the_file)
{
	const char *path = support_path("socket");
	struct server first = adopt(types[_i], open_listening(types[_i], path));
	struct server second = adopt(types[_i], dup(server_get_fd(&first)));

	ck_assert_int_eq(server_set_unlink(&second, true), 0);
	end_server(&first);
	assert_is_socket(path);
	end_server(&second);
	assert_files(0);
}
END_TEST

static TCase *make_uses(void)
{
	TCase *tcase = make_tcase("uses");

	tcase_add_test(tcase, a_datagram_server_answers);
	tcase_add_test(tcase, datagram_ends_of_a_pair_are_connected);
	tcase_add_test(tcase, an_unconnected_datagram_socket_is_that);
	tcase_add_loop_test(tcase, ends_of_a_pair_work, 0, 2);
	tcase_add_loop_test(tcase, a_listener_accepts, 0, 2);
	tcase_add_loop_test(tcase, it_has_the_address_it_was_bound_to, 0,
		2 * TYPES);
	tcase_add_loop_test(tcase, errno_is_kept_on_success, 0, TYPES);
	return tcase;
}

static TCase *make_descriptors(void)
{
	TCase *tcase = make_tcase("descriptors");

	tcase_add_loop_test(tcase, it_becomes_close_on_exec, 0, TYPES);
	tcase_add_loop_test(tcase, a_connection_becomes_close_on_exec, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_listener_does_not_block, 0, 2);
	tcase_add_loop_test(tcase, the_original_may_be_closed, 0, TYPES);
	tcase_add_loop_test(tcase, the_original_lives_on, 0, TYPES);
	tcase_add_loop_test(tcase, what_does_not_fit_is_refused_and_left_alone,
		0, COUNT(refusals));
	tcase_add_loop_test(tcase, a_descriptor_that_is_none_is_refused, 0,
		ADOPTERS);
	return tcase;
}

static TCase *make_ends(void)
{
	TCase *tcase = make_tcase("ends");

	tcase_add_loop_test(tcase, empty_messages_are_no_end, 0, 3);
	tcase_add_test(tcase, a_client_from_before_may_send_empty_messages);
	tcase_add_loop_test(tcase,
		what_a_client_from_before_writes_has_credentials, 0, 2);
	tcase_add_test(tcase, a_client_from_after_may_send_empty_messages);
	return tcase;
}

static TCase *make_files(void)
{
	TCase *tcase = make_tcase("files");

	tcase_add_loop_test(tcase, the_file_stays_by_default, 0, TYPES);
	tcase_add_loop_test(tcase, the_file_goes_when_that_is_asked_for, 0,
		TYPES);
	tcase_add_loop_test(tcase, the_last_word_counts, 0, TYPES);
	tcase_add_test(tcase, a_socket_that_does_not_listen_is_found_too);
	tcase_add_loop_test(tcase, a_file_that_is_gone_is_told, 0, TYPES);
	tcase_add_loop_test(tcase, another_file_in_its_place_is_told_and_stays,
		0, FOREIGNERS * TYPES);
	tcase_add_loop_test(tcase,
		another_socket_in_its_place_is_told_and_stays, 0,
		TYPES * TYPES);
	tcase_add_loop_test(tcase, a_name_that_was_taken_over_meanwhile_stays,
		0, TYPES);
	tcase_add_loop_test(tcase, a_file_that_has_moved_stays, 0, TYPES);
	tcase_add_loop_test(tcase, a_relative_path_cannot_be_found, 0, TYPES);
	tcase_add_loop_test(tcase, without_a_file_it_has_no_effect, 0, TYPES);
	tcase_add_test(tcase, an_unnamed_socket_has_no_file);
	tcase_add_loop_test(tcase, an_heir_may_remove_the_file, 0, TYPES);
	tcase_add_loop_test(tcase, a_child_of_the_adopter_takes_nothing_away, 0,
		TYPES);
	tcase_add_loop_test(tcase, only_the_one_that_was_asked_removes_the_file,
		0, TYPES);
	return tcase;
}

int main(void)
{
	return support_run_cases("adopt", make_uses(), make_descriptors(),
		make_ends(), make_files());
}
