/* SPDX-License-Identifier: MIT */
/*
 * servers: the addresses that the engine tries in turn: those that were
 * configured, then those that a server has told of.
 *
 * Addresses are numeric: HOST:PORT, [HOST]:PORT for IPv6, or localhost:PORT,
 * with 4222 if there is no port. A name would have to be looked up, which may
 * take any time. An address that is not on loopback is refused, or ignored if a
 * server names it, unless the options allow it: nothing is encrypted.
 */
#ifndef UNIXMSG_RELAY_SERVERS_H
#define UNIXMSG_RELAY_SERVERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "relay/nats_info.h"

#define SERVERS_MAX 16

struct server {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t length;
	char text[NATS_URL_ROOM]; /* as it was given, for messages */
};

struct servers {
	struct server all[SERVERS_MAX];
	size_t configured; /* these come first, and stay */
	size_t count;
	size_t next;
	bool is_any_allowed;
};

/*
 * Reads a list with commas. Returns 0, or -1 with
 *
 *   EINVAL   not such an address, or none
 *   EPERM    not on loopback
 *   E2BIG    more than SERVERS_MAX
 */
int servers_init(struct servers *servers, const char *list,
	bool is_any_allowed);

/* Replaces the servers that were learned before. */
void servers_learn(struct servers *servers, const struct nats_info *info);

/* Returns the next one, after the last the first; it is valid until the next
 * servers_learn. */
const struct server *servers_take(struct servers *servers);

#endif
