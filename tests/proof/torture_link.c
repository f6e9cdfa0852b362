/* SPDX-License-Identifier: MIT */
/* Connections, with boundaries and without. */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proof/torture.h"
#include "support/talk.h"

/* What both kinds of connections call the same, chosen by kind. */
enum { PACKET, STREAM, LINKS };

static const int link_types[LINKS] = { SOCK_SEQPACKET, SOCK_STREAM };
static const char *const networks[LINKS] = { "unixpacket", "unix" };

static struct unixlistener *listen_at(int kind, const char *name)
{
	struct server server;

	ck_assert_int_eq(open_server(&server, link_types[kind], name, NULL), 0);
	return server.listener;
}

static struct unixconn *dial(int kind, const char *name,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return unixconn_dial(networks[kind], name, options, deadline_us);
}

static int send_on(struct unixconn *link, const char *text, int64_t deadline_us)
{
	return unixconn_send(link, text, strlen(text), deadline_us);
}

static void talk(struct unixconn *a, struct unixconn *b)
{
	pass_text(a, b, "ping");
	pass_text(b, a, "pong");
}

/* A connection, without anything failing. */
static void connect_both(int kind, struct unixconn *links[2])
{
	const char *name = support_abstract("both");
	struct unixlistener *listener = listen_at(kind, name);

	links[0] = dial_conn(networks[kind], name);
	links[1] = accept_conn(listener);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void close_both(struct unixconn *links[2])
{
	close_conn(links[0]);
	close_conn(links[1]);
}

/* Who was given up half way, and waits to be accepted, is passed over. */
static struct unixconn *accept_last(struct unixlistener *listener)
{
	struct unixconn *link = NULL, *next;

	while ((next = unixlistener_accept(listener, UNIXMSG_NOW)) != NULL) {
		unixconn_close(link);
		link = next;
	}
	ck_assert_int_eq(errno, EAGAIN);
	return link;
}

static void dial_whatever_fails(int kind, const char *name,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct unixlistener *listener = listen_at(kind, name);
	struct unixconn *client, *link;

	torture_begin();
	client = dial(kind, name, options, deadline_us);
	if (!torture_end_made(client))
		client = dial(kind, name, options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	link = accept_last(listener);
	talk(client, link);
	close_conn(client);
	close_conn(link);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void a_client_dials(int kind)
{
	dial_whatever_fails(kind, support_path("server"), NULL,
		UNIXMSG_FOREVER);
}

static void a_client_dials_at_once(int kind)
{
	dial_whatever_fails(kind, support_abstract("server"), NULL,
		UNIXMSG_NOW);
}

static void a_client_with_a_deadline_dials(int kind)
{
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_WAIT };

	dial_whatever_fails(kind, support_path("server"), &options,
		unixdeadline_after_us(10000));
}

static void a_client_dials_with_an_address_of_its_own(int kind)
{
	struct unixdial_options options;

	memset(&options, 0, sizeof(options));
	options.own = support_path("own");
	options.wants = UNIXMSG_WANT_FDS;
	dial_whatever_fails(kind, support_path("server"), &options,
		UNIXMSG_NOW);
}

static void a_client_dials_to_a_long_path(int kind)
{
	char path[PATH_MAX + 1];

	snprintf(path, sizeof(path), "%s", make_long_path(300));
	dial_whatever_fails(kind, path, NULL, UNIXMSG_NOW);
}

/* The connection that could not be accepted still waits. */
static void a_listener_accepts(int kind)
{
	const char *name = support_path("server");
	struct unixlistener *listener = listen_at(kind, name);
	struct unixconn *client = dial(kind, name, NULL, UNIXMSG_NOW), *link;

	torture_begin();
	link = unixlistener_accept(listener, unixdeadline_after_us(10000));
	if (!torture_end_made(link))
		link = unixlistener_accept(listener, UNIXMSG_NOW);
	talk(client, link);
	close_conn(client);
	close_conn(link);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

/* There is more to do for what such a listener accepts. */
static void an_adopted_listener_accepts(int kind)
{
	const char *name = support_abstract("server");
	struct unixlistener *listener =
		unixlistener_adopt(open_listening(link_types[kind], name));
	struct unixconn *client = dial(kind, name, NULL, UNIXMSG_NOW), *link;

	torture_begin();
	link = unixlistener_accept(listener, unixdeadline_after_us(10000));
	if (!torture_end_made(link)) {
		close_conn(client);
		client = dial(kind, name, NULL, UNIXMSG_NOW);
		link = accept_last(listener);
	}
	talk(client, link);
	close_conn(client);
	close_conn(link);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void nobody_is_there_to_accept(int kind)
{
	const char *name = support_abstract("server");
	struct unixlistener *listener = listen_at(kind, name);
	struct unixconn *link, *client;

	torture_begin();
	link = unixlistener_accept(listener, unixdeadline_after_us(10000));
	torture_end_refused(link == NULL ? -1 : 0, ETIMEDOUT);
	client = dial(kind, name, NULL, UNIXMSG_NOW);
	link = unixlistener_accept(listener, UNIXMSG_NOW);
	talk(client, link);
	close_conn(client);
	close_conn(link);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void a_pair_is_made(int kind)
{
	struct unixconn *pair[2];

	torture_try(unixconn_pair(networks[kind], pair), 0);
	talk(pair[0], pair[1]);
	close_both(pair);
}

static void a_connection_is_adopted(int kind)
{
	struct unixconn *ends[2];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, link_types[kind] | SOCK_CLOEXEC, 0,
				 fds),
		0);
	ends[0] = unixconn_adopt(fds[0]);
	torture_begin();
	ends[1] = unixconn_adopt(fds[1]);
	if (!torture_end_made(ends[1]))
		ends[1] = unixconn_adopt(fds[1]);
	talk(ends[0], ends[1]);
	close_both(ends);
}

static void a_client_with_an_own_address_closes(int kind)
{
	const char *name = support_abstract("server");
	struct unixlistener *listener = listen_at(kind, name);
	struct unixdial_options options = { .own = support_path("own") };
	struct unixconn *client;

	client = dial(kind, name, &options, UNIXMSG_NOW);
	torture_begin();
	if (!torture_end(unixconn_close(client), 0))
		torture_allow_files(NULL);
	close_conn(accept_last(listener));
	client = dial(kind, name, &options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	close_conn(client);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void one_direction_is_ended(int kind)
{
	struct unixconn *links[2];
	char byte;

	connect_both(kind, links);
	torture_begin();
	if (!torture_end(unixconn_shutdown(links[0], SHUT_WR), 0)) {
		talk(links[0], links[1]);
		ck_assert_int_eq(unixconn_shutdown(links[0], SHUT_WR), 0);
	}
	ck_assert_int_eq(unixconn_recv(links[1], &byte, 1, NULL, UNIXMSG_NOW),
		0);
	ck_assert_int_eq(send_on(links[1], "back", UNIXMSG_NOW), 1);
	expect_text(links[0], "back");
	close_both(links);
}

static int get_addresses(struct unixconn *link, struct unixaddr *own,
	struct unixaddr *peer)
{
	return unixconn_get_address(link, own) < 0
		? -1
		: unixconn_get_peer(link, peer);
}

static void both_addresses_are_told(int kind)
{
	struct unixaddr own, peer;
	struct unixconn *links[2];

	connect_both(kind, links);
	torture_try(get_addresses(links[0], &own, &peer), 0);
	ck_assert_int_eq(unixaddr_get_kind(&own), UNIXADDR_UNNAMED);
	ck_assert_int_eq(unixaddr_get_kind(&peer), UNIXADDR_ABSTRACT);
	talk(links[0], links[1]);
	close_both(links);
}

/* What was not sent has not come; what was begun goes on. */
static void a_message_is_sent(int kind)
{
	struct unixconn *links[2];

	connect_both(kind, links);
	torture_begin();
	if (torture_end(send_on(links[0], "once", unixdeadline_after_us(10000)),
		    1))
		expect_text(links[1], "once");
	talk(links[0], links[1]);
	close_both(links);
}

/* What could not be received stays. */
static void a_message_is_received(int kind)
{
	struct unixconn *links[2];
	char data[8] = "";
	size_t size;

	connect_both(kind, links);
	ck_assert_int_eq(send_on(links[0], "once", UNIXMSG_NOW), 1);
	torture_begin();
	if (torture_end(unixconn_recv(links[1], data, sizeof(data), &size,
				unixdeadline_after_us(10000)),
		    1))
		ck_assert_str_eq(data, "once");
	else
		expect_text(links[1], "once");
	talk(links[0], links[1]);
	close_both(links);
}

/* Without memory or an address the message stays in the queue. */
static void a_message_is_received_into_a_buffer(int kind)
{
	struct unixconn *links[2];
	struct unixbuffer buffer;
	struct unixaddr from;

	connect_both(kind, links);
	ck_assert_int_eq(send_on(links[0], "once", UNIXMSG_NOW), 1);
	unixbuffer_init(&buffer, 100000);
	torture_begin();
	if (!torture_end(unixconn_recv_buffer(links[1], &buffer, &from,
				 unixdeadline_after_us(10000)),
		    1))
		ck_assert_int_eq(unixconn_recv_buffer(links[1], &buffer, &from,
					 UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(buffer.size, 4);
	ck_assert_int_eq(memcmp(buffer.data, "once", 4), 0);
	unixbuffer_free(&buffer);
	talk(links[0], links[1]);
	close_both(links);
}

static int receive_with_address(struct unixconn *link, bool is_in_parts,
	int64_t deadline_us)
{
	char data[8];
	struct unixaddr from;
	struct unixmsg msg = {
		.data = data,
		.room = sizeof(data),
		.addr = &from,
	};

	if (is_in_parts)
		return unixconn_recv_msg(link, &msg, deadline_us);
	return unixconn_recv_from(link, data, sizeof(data), &msg.size, &from,
		deadline_us);
}

static void a_message_is_received_with_an_address(int kind)
{
	const bool is_in_parts = kind >= LINKS;
	struct unixconn *links[2];

	connect_both(kind % LINKS, links);
	ck_assert_int_eq(send_on(links[0], "once", UNIXMSG_NOW), 1);
	torture_begin();
	if (!torture_end(receive_with_address(links[1], is_in_parts,
				 unixdeadline_after_us(10000)),
		    1))
		ck_assert_int_eq(receive_with_address(links[1], is_in_parts,
					 UNIXMSG_NOW),
			1);
	talk(links[0], links[1]);
	close_both(links);
}

/* A descriptor and credentials; what could not be received comes later. */
static void all_that_comes_with_a_message_is_received(int kind)
{
	const unsigned int wants = UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED;
	struct unixconn *links[2];
	char data[8];
	int fd, got = -1;
	size_t count = 1;

	connect_both(kind, links);
	ck_assert_int_eq(unixconn_want(links[1], wants), 0);
	fd = unixconn_get_fd(links[0]);
	ck_assert_int_eq(unixconn_send_fds(links[0], "with", 4, &fd, 1,
				 UNIXMSG_NOW),
		1);
	torture_begin();
	if (!torture_end(unixconn_recv_fds(links[1], data, 8, NULL, &got,
				 &count, unixdeadline_after_us(10000)),
		    1))
		ck_assert_int_eq(unixconn_recv_fds(links[1], data, 8, NULL,
					 &got, &count, UNIXMSG_NOW),
			1);
	if (count == 1)
		close(got);
	talk(links[0], links[1]);
	close_both(links);
}

static void the_end_is_told(int kind)
{
	struct unixconn *links[2];
	char byte;

	connect_both(kind, links);
	close_conn(links[0]);
	torture_begin();
	if (!torture_end(unixconn_recv(links[1], &byte, 1, NULL,
				 unixdeadline_after_us(10000)),
		    0))
		ck_assert_int_eq(unixconn_recv(links[1], &byte, 1, NULL,
					 UNIXMSG_NOW),
			0);
	close_conn(links[1]);
}

static void nothing_is_there_to_receive(int kind)
{
	struct unixconn *links[2];
	char byte;

	connect_both(kind, links);
	torture_begin();
	torture_end_refused(unixconn_recv(links[1], &byte, 1, NULL,
				    unixdeadline_after_us(10000)),
		ETIMEDOUT);
	talk(links[0], links[1]);
	close_both(links);
}

/* Bytes that were taken are there, in order, and no others. */
static void bytes_are_written(int kind)
{
	static char bytes[300000], there[300000];
	struct unixconn *streams[2];
	size_t written = 7, got, sum = 0;

	(void)kind;
	connect_both(STREAM, streams);
	torture_begin();
	if (torture_end(unixconn_write(streams[0], bytes, 100000, &written,
				unixdeadline_after_us(10000)),
		    1))
		ck_assert_uint_eq(written, 100000);
	while (unixconn_read(streams[1], there, sizeof(there), &got,
		       UNIXMSG_NOW) == 1)
		sum += got;
	ck_assert_uint_eq(sum, written);
	talk(streams[0], streams[1]);
	close_both(streams);
}

static void bytes_are_read(int kind)
{
	struct unixconn *streams[2];
	char data[8] = "";
	size_t size = 0;

	(void)kind;
	connect_both(STREAM, streams);
	ck_assert_int_eq(unixconn_write(streams[0], "bytes", 5, NULL,
				 UNIXMSG_NOW),
		1);
	torture_begin();
	if (!torture_end(unixconn_read(streams[1], data, 8, &size,
				 unixdeadline_after_us(10000)),
		    1))
		ck_assert_int_eq(unixconn_read(streams[1], data, 8, &size,
					 UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(size, 5);
	ck_assert_str_eq(data, "bytes");
	talk(streams[0], streams[1]);
	close_both(streams);
}

static char large[150000], there[sizeof(large)];

static void send_large(struct unixconn *stream)
{
	memset(large, 'm', sizeof(large));
	memset(there, 0, sizeof(there));
	ck_assert_int_eq(unixconn_send(stream, large, sizeof(large),
				 UNIXMSG_NOW),
		1);
}

static int receive_large(struct unixconn *stream, size_t *size,
	int64_t deadline_us)
{
	return unixconn_recv(stream, there, sizeof(there), size, deadline_us);
}

static void assert_large(size_t size)
{
	ck_assert_uint_eq(size, sizeof(large));
	ck_assert_int_eq(memcmp(large, there, sizeof(there)), 0);
}

/*
 * It comes in several parts. Memory for them has to grow, or it is the second
 * one, which comes to where it is wanted.
 */
static void a_large_message_is_received(int kind)
{
	struct unixconn *streams[2];
	size_t size;

	connect_both(STREAM, streams);
	if (kind > 0) {
		send_large(streams[0]);
		ck_assert_int_eq(receive_large(streams[1], &size, UNIXMSG_NOW),
			1);
	}
	send_large(streams[0]);
	torture_begin();
	if (!torture_end(receive_large(streams[1], &size,
				 unixdeadline_after_us(10000)),
		    1))
		ck_assert_int_eq(receive_large(streams[1], &size, UNIXMSG_NOW),
			1);
	assert_large(size);
	talk(streams[0], streams[1]);
	close_both(streams);
}

const struct scene torture_link_scenes[] = {
	{ "a client dials", a_client_dials, LINKS },
	{ "a client dials at once", a_client_dials_at_once, LINKS },
	{ "a client with a deadline dials", a_client_with_a_deadline_dials,
		LINKS },
	{ "a client dials with an address of its own",
		a_client_dials_with_an_address_of_its_own, LINKS },
	{ "a client dials to a long path", a_client_dials_to_a_long_path,
		LINKS },
	{ "a listener accepts", a_listener_accepts, LINKS },
	{ "an adopted listener accepts", an_adopted_listener_accepts, LINKS },
	{ "nobody is there to accept", nobody_is_there_to_accept, LINKS },
	{ "a pair is made", a_pair_is_made, LINKS },
	{ "a connection is adopted", a_connection_is_adopted, LINKS },
	{ "a client with an own address closes",
		a_client_with_an_own_address_closes, LINKS },
	{ "one direction is ended", one_direction_is_ended, LINKS },
	{ "both addresses are told", both_addresses_are_told, LINKS },
	{ "a message is sent", a_message_is_sent, LINKS },
	{ "a message is received", a_message_is_received, LINKS },
	{ "a message is received into a buffer",
		a_message_is_received_into_a_buffer, LINKS },
	{ "a message is received with an address",
		a_message_is_received_with_an_address, 2 * LINKS },
	{ "all that comes with a message is received",
		all_that_comes_with_a_message_is_received, LINKS },
	{ "the end is told", the_end_is_told, LINKS },
	{ "nothing is there to receive", nothing_is_there_to_receive, LINKS },
	{ "bytes are written", bytes_are_written, 1 },
	{ "bytes are read", bytes_are_read, 1 },
	{ "a large message is received", a_large_message_is_received, 2 },
	{ NULL, NULL, 0 },
};
