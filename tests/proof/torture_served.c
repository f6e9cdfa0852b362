/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "proof/torture.h"

static void hear(const char *byte)
{
	ck_assert_int_eq(*byte, '?');
}

static void be_served_by_gram(struct server *server, const char *address)
{
	struct unixconn *client =
		unixconn_dial("unixgram", address, NULL, UNIXMSG_NOW);
	struct unixaddr from;
	char byte = '\0';

	ck_assert_msg(client != NULL, "dial: %s", strerror(errno));
	ck_assert_int_eq(unixconn_send(client, "?", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_from(server->gram, &byte, 1, NULL, &from,
				 UNIXMSG_NOW),
		1);
	hear(&byte);
	ck_assert_int_eq(unixconn_send_to(server->gram, &from, "?", 1,
				 UNIXMSG_NOW),
		1);
	byte = '\0';
	ck_assert_int_eq(unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW), 1);
	hear(&byte);
	ck_assert_int_eq(unixconn_close(client), 0);
}

static void be_served_by_link(struct server *server, const char *network,
	const char *address)
{
	struct unixconn *client =
		unixconn_dial(network, address, NULL, UNIXMSG_NOW);
	struct unixconn *link;
	char byte = '\0';

	ck_assert_msg(client != NULL, "dial: %s", strerror(errno));
	link = unixlistener_accept(server->listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(link);
	ck_assert_int_eq(unixconn_send(client, "?", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(link, &byte, 1, NULL, UNIXMSG_NOW), 1);
	hear(&byte);
	ck_assert_int_eq(unixconn_send(link, "?", 1, UNIXMSG_NOW), 1);
	byte = '\0';
	ck_assert_int_eq(unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW), 1);
	hear(&byte);
	ck_assert_int_eq(unixconn_close(link), 0);
	ck_assert_int_eq(unixconn_close(client), 0);
}

void torture_be_served(struct server *server, int type, const char *address)
{
	if (type == SOCK_DGRAM)
		be_served_by_gram(server, address);
	else
		be_served_by_link(server,
			type == SOCK_SEQPACKET ? "unixpacket" : "unix",
			address);
}
