/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "torture.h"

static void hear(const char *byte)
{
	ck_assert_int_eq(*byte, '?');
}

static void be_served_by_gram(struct server *server, const char *address)
{
	struct unixgram *client = unixgram_dial(address, NULL, UNIXMSG_NOW);
	struct unixaddr from;
	char byte = '\0';

	ck_assert_msg(client != NULL, "dial: %s", strerror(errno));
	ck_assert_int_eq(unixgram_send(client, "?", 1, UNIXMSG_NOW), 0);
	ck_assert_int_eq(unixgram_recv(server->gram, &byte, 1, NULL, &from,
				 UNIXMSG_NOW),
		1);
	hear(&byte);
	ck_assert_int_eq(unixgram_send_to(server->gram, &from, "?", 1,
				 UNIXMSG_NOW),
		0);
	byte = '\0';
	ck_assert_int_eq(unixgram_recv(client, &byte, 1, NULL, NULL,
				 UNIXMSG_NOW),
		1);
	hear(&byte);
	ck_assert_int_eq(unixgram_close(client), 0);
}

static void be_served_by_packet(struct server *server, const char *address)
{
	struct unixpacket *client = unixpacket_dial(address, NULL, UNIXMSG_NOW);
	struct unixpacket *link;
	char byte = '\0';

	ck_assert_msg(client != NULL, "dial: %s", strerror(errno));
	link = unixpacket_accept(server->listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(link);
	ck_assert_int_eq(unixpacket_send(client, "?", 1, UNIXMSG_NOW), 0);
	ck_assert_int_eq(unixpacket_recv(link, &byte, 1, NULL, UNIXMSG_NOW), 1);
	hear(&byte);
	ck_assert_int_eq(unixpacket_send(link, "?", 1, UNIXMSG_NOW), 0);
	byte = '\0';
	ck_assert_int_eq(unixpacket_recv(client, &byte, 1, NULL, UNIXMSG_NOW),
		1);
	hear(&byte);
	ck_assert_int_eq(unixpacket_close(link), 0);
	ck_assert_int_eq(unixpacket_close(client), 0);
}

static void be_served_by_stream(struct server *server, const char *address)
{
	struct unixstream *client = unixstream_dial(address, NULL, UNIXMSG_NOW);
	struct unixstream *link;
	char byte = '\0';

	ck_assert_msg(client != NULL, "dial: %s", strerror(errno));
	link = unixstream_accept(server->listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(link);
	ck_assert_int_eq(unixstream_send(client, "?", 1, UNIXMSG_NOW), 0);
	ck_assert_int_eq(unixstream_recv(link, &byte, 1, NULL, UNIXMSG_NOW), 1);
	hear(&byte);
	ck_assert_int_eq(unixstream_send(link, "?", 1, UNIXMSG_NOW), 0);
	byte = '\0';
	ck_assert_int_eq(unixstream_recv(client, &byte, 1, NULL, UNIXMSG_NOW),
		1);
	hear(&byte);
	ck_assert_int_eq(unixstream_close(link), 0);
	ck_assert_int_eq(unixstream_close(client), 0);
}

void torture_be_served(struct server *server, int type, const char *address)
{
	if (type == SOCK_DGRAM)
		be_served_by_gram(server, address);
	else if (type == SOCK_SEQPACKET)
		be_served_by_packet(server, address);
	else
		be_served_by_stream(server, address);
}
