/* SPDX-License-Identifier: MIT */
/*
 * link: a client's end of any of the three networks, with the same calls for
 * all of them. Only link_dial waits. Errors are those of the library.
 */
#ifndef UNIXMSG_TESTS_LINK_H
#define UNIXMSG_TESTS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "unixmsg.h"

enum link_network { LINK_GRAM, LINK_PACKET, LINK_STREAM, LINK_NETWORKS };

/* A link of zeros is closed. */
struct link {
	enum link_network network;
	struct unixconn *conn;
	int fd;
};

/* Returns the name of the network for unixservice_listen. */
const char *link_get_network(enum link_network network);

int link_dial(struct link *link, enum link_network network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us);

/* After EAGAIN, send the same message again: a part of it may have been
 * sent. */
int link_send(struct link *link, const void *data, size_t size);

/* Returns 1; 0 at the end of a connection; or -1. */
int link_recv(struct link *link, void *data, size_t room, size_t *size);

/* Closes the link. */
int link_close(struct link *link);

#endif
