/* SPDX-License-Identifier: MIT */
/*
 * link: a client's end of any of the three networks, with the same calls for
 * all of them. Nothing waits but link_dial. Errors are those of the library.
 */
#ifndef UNIXMSG_TESTS_LINK_H
#define UNIXMSG_TESTS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "unixmsg.h"

enum link_network { LINK_GRAM, LINK_PACKET, LINK_STREAM, LINK_NETWORKS };

/* Closed when all is zero. */
struct link {
	enum link_network network;
	struct unixconn *conn;
	int fd;
};

/* As unixservice_listen calls it. */
const char *link_get_network(enum link_network network);

int link_dial(struct link *link, enum link_network network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us);

/* EAGAIN: the same message has to be tried again. Part of it may have gone. */
int link_send(struct link *link, const void *data, size_t size);

/* 1, 0 at the end of a connection, -1. */
int link_recv(struct link *link, void *data, size_t room, size_t *size);

/* Leaves it closed. */
int link_close(struct link *link);

#endif
