/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "support/ends.h"
#include "support/support.h"

static void make_gram_pair(struct ends *ends)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	ends->sender = pair[0];
	ends->receiver = pair[1];
}

static void make_gram_to_server(struct ends *ends)
{
	const char *name = support_abstract("ends");

	ends->receiver = unixconn_open("unixgram", name, NULL);
	ck_assert_ptr_nonnull(ends->receiver);
	ends->sender = unixconn_dial("unixgram", name, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(ends->sender);
}

static void make_packet_pair(struct ends *ends)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	ends->sender = pair[0];
	ends->receiver = pair[1];
}

static void make_packet_to_server(struct ends *ends)
{
	const char *name = support_abstract("ends");
	struct unixlistener *listener = unixlistener_open("unixpacket", name,
		&(struct unixlisten_options){ .backlog = 1 });

	ck_assert_ptr_nonnull(listener);
	ends->sender = unixconn_dial("unixpacket", name, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(ends->sender);
	ends->receiver = unixlistener_accept(listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(ends->receiver);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void make_packet_to_client(struct ends *ends)
{
	struct unixconn *server;

	make_packet_to_server(ends);
	server = ends->receiver;
	ends->receiver = ends->sender;
	ends->sender = server;
}

void ends_make(struct ends *ends, int kind)
{
	static void (*const makers[])(struct ends *) = {
		[ENDS_GRAM_PAIR] = make_gram_pair,
		[ENDS_GRAM_TO_SERVER] = make_gram_to_server,
		[ENDS_PACKET_PAIR] = make_packet_pair,
		[ENDS_PACKET_TO_SERVER] = make_packet_to_server,
		[ENDS_PACKET_TO_CLIENT] = make_packet_to_client,
	};

	ends->is_packet = kind >= ENDS_PACKET_PAIR;
	makers[kind](ends);
}

void ends_close(struct ends *ends)
{
	ck_assert_int_eq(unixconn_close(ends->sender), 0);
	ck_assert_int_eq(unixconn_close(ends->receiver), 0);
	ends->sender = NULL;
	ends->receiver = NULL;
}

void ends_send_text(const struct ends *ends, const char *text)
{
	ck_assert_int_eq(unixconn_send(ends->sender, text, strlen(text),
				 UNIXMSG_NOW),
		1);
}

void ends_expect_text(const struct ends *ends, const char *text)
{
	char bytes[256];
	size_t size = SIZE_MAX;

	ck_assert_int_eq(unixconn_recv(ends->receiver, bytes, sizeof(bytes),
				 &size, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_int_eq(memcmp(bytes, text, size), 0);
}

void ends_expect_nothing(const struct ends *ends)
{
	ck_assert_errno(unixconn_recv(ends->receiver, NULL, 0, NULL,
				UNIXMSG_NOW),
		EAGAIN);
}
