/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_NETWORK_H
#define UNIXMSG_TOOLS_NETWORK_H

/* Texts and decisions of the tools that depend on the network. */

#include <stdbool.h>
#include <stddef.h>

struct network {
	const char *name;
	const char *tool; /* the program for it */
	int type;         /* of its sockets: SOCK_DGRAM ... */
	/* A server has connections, not one socket for all clients. */
	bool is_connected;
	/* Connections carry bytes, and messages only in frames. */
	bool is_stream;
};

extern const struct network network_unixgram;
extern const struct network network_unixpacket;
extern const struct network network_unixstream;

/* The networks in the order in which a client tries them, up to a NULL. */
extern const struct network *const networks[];

/* Finds a network by its name, or by another name that the library accepts;
 * NULL if there is none. */
const struct network *network_find(const char *name);

/* Finds the network of the server at address, which does not notice; NULL if it
 * is unknown. */
const struct network *network_find_at(const char *address);

/* Returns the largest message of a socket by default, 0 if unknown. */
size_t network_get_size_max(const struct network *network);

#endif
