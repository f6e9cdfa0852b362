/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "proof/torture.h"
#include "support/talk.h"

static void be_served_by_gram(struct server *server, const char *address)
{
	struct unixconn *client = dial_conn("unixgram", address);
	struct unixaddr from;

	send_text(client, "?");
	receive_text(server->gram, "?", &from, UNIXMSG_NOW);
	ck_assert_int_eq(unixconn_send_to(server->gram, &from, "?", 1,
				 UNIXMSG_NOW),
		1);
	expect_text(client, "?");
	close_conn(client);
}

static void be_served_by_link(struct server *server, const char *network,
	const char *address)
{
	struct unixconn *client = dial_conn(network, address);
	struct unixconn *link = accept_conn(server->listener);

	pass_text(client, link, "?");
	pass_text(link, client, "?");
	close_conn(link);
	close_conn(client);
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
