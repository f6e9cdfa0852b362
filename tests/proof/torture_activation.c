/* SPDX-License-Identifier: MIT */
/*
 * Sockets that a supervisor has opened. The first of them is number 3: main
 * keeps that for us, and we give it back.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proof/torture.h"

enum { HANDED = TORTURE_KEPT_FD };

void torture_keep_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd == HANDED)
		return;
	dup2(fd, HANDED);
	close(fd);
}

static void tell_environment(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "a", 1);
}

static void hand_over(int fd)
{
	dup2(fd, HANDED);
	close(fd);
	tell_environment();
}

static int open_one_end(int type)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	return pair[0];
}

static int open_gram_socket(void)
{
	return open_bound(SOCK_DGRAM, support_abstract("handed"));
}

static int open_packet_listener(void)
{
	return open_listening(SOCK_SEQPACKET, support_abstract("handed"));
}

static int open_stream_listener(void)
{
	return open_listening(SOCK_STREAM, support_abstract("handed"));
}

static int open_packet(void)
{
	return open_one_end(SOCK_SEQPACKET);
}

static int open_stream(void)
{
	return open_one_end(SOCK_STREAM);
}

/* Each takes what was handed over and closes it: 0, or -1. */

static int take_gram(struct unixactivation *activation)
{
	struct unixconn *gram =
		unixactivation_take_conn(activation, NULL, "unixgram");

	return gram == NULL ? -1 : unixconn_close(gram);
}

static int take_packet_listener(struct unixactivation *activation)
{
	struct unixlistener *listener =
		unixactivation_take_listener(activation, "a", "unixpacket");

	return listener == NULL ? -1 : unixlistener_close(listener);
}

static int take_stream_listener(struct unixactivation *activation)
{
	struct unixlistener *listener =
		unixactivation_take_listener(activation, "a", "unix");

	return listener == NULL ? -1 : unixlistener_close(listener);
}

static int take_packet(struct unixactivation *activation)
{
	struct unixconn *packet =
		unixactivation_take_conn(activation, NULL, "unixpacket");

	return packet == NULL ? -1 : unixconn_close(packet);
}

static int take_stream(struct unixactivation *activation)
{
	struct unixconn *stream =
		unixactivation_take_conn(activation, NULL, "unix");

	return stream == NULL ? -1 : unixconn_close(stream);
}

static const struct {
	int (*open)(void);
	int (*take)(struct unixactivation *activation);
	enum unixactivation_kind kind;
	const char *network;
} sorts[] = {
	{ open_gram_socket, take_gram, UNIXACTIVATION_CONN, "unixgram" },
	{ open_packet_listener, take_packet_listener, UNIXACTIVATION_LISTENER,
		"unixpacket" },
	{ open_stream_listener, take_stream_listener, UNIXACTIVATION_LISTENER,
		"unix" },
	{ open_packet, take_packet, UNIXACTIVATION_CONN, "unixpacket" },
	{ open_stream, take_stream, UNIXACTIVATION_CONN, "unix" },
};

/* On failure nothing was touched; the variables are gone in any case. */
static void a_socket_is_handed_over(int kind)
{
	struct unixactivation *activation;
	struct unixactivation_item item;

	hand_over(sorts[kind].open());
	torture_begin();
	activation = unixactivation_new();
	if (!torture_end_made(activation)) {
		ck_assert_ptr_null(getenv("LISTEN_FDS"));
		tell_environment();
		activation = unixactivation_new();
	}
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_uint_eq(unixactivation_get_count(activation), 1);
	ck_assert_int_eq(unixactivation_get_item(activation, 0, &item), 0);
	ck_assert_int_eq(item.fd, HANDED);
	ck_assert_int_eq(fcntl(HANDED, F_GETFD), FD_CLOEXEC);
	ck_assert_uint_eq(unixactivation_count_left(activation, "a", item.kind,
				  item.network),
		1);
	unixactivation_close(activation);
	ck_assert_int_eq(fcntl(HANDED, F_GETFD), -1);
	torture_keep_fd();
}

/* What could not be taken stays. */
static void a_socket_is_taken(int kind)
{
	struct unixactivation *activation;

	hand_over(sorts[kind].open());
	activation = unixactivation_new();
	ck_assert_ptr_nonnull(activation);
	torture_begin();
	if (!torture_end(sorts[kind].take(activation), 0)) {
		ck_assert_uint_eq(unixactivation_count_left(activation, NULL,
					  sorts[kind].kind,
					  sorts[kind].network),
			1);
		ck_assert_int_eq(sorts[kind].take(activation), 0);
	}
	ck_assert_uint_eq(unixactivation_count_left(activation, NULL,
				  UNIXACTIVATION_ANY, NULL),
		0);
	unixactivation_close(activation);
	torture_keep_fd();
}

static void a_plain_descriptor_makes_no_call(int kind)
{
	struct unixactivation *activation;

	(void)kind;
	hand_over(open_gram_socket());
	activation = unixactivation_new();
	ck_assert_ptr_nonnull(activation);
	torture_begin();
	torture_end(unixactivation_take_fd(activation, "a",
			    UNIXACTIVATION_CONN),
		HANDED);
	close(HANDED);
	unixactivation_close(activation);
	torture_keep_fd();
}

static void nothing_is_there_to_be_taken_over(int kind)
{
	struct unixactivation *activation;

	(void)kind;
	torture_begin();
	activation = unixactivation_new();
	if (!torture_end_made(activation))
		activation = unixactivation_new();
	ck_assert_uint_eq(unixactivation_get_count(activation), 0);
	unixactivation_close(activation);
}

const struct scene torture_activation_scenes[] = {
	{ "a socket is handed over", a_socket_is_handed_over, COUNT(sorts) },
	{ "a socket that was handed is taken", a_socket_is_taken,
		COUNT(sorts) },
	{ "a plain descriptor makes no call", a_plain_descriptor_makes_no_call,
		1 },
	{ "nothing is there to be taken over",
		nothing_is_there_to_be_taken_over, 1 },
	{ NULL, NULL, 0 },
};
