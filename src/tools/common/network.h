/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_NETWORK_H
#define UNIXMSG_TOOLS_NETWORK_H

/* What the tools say and decide by the network. */

#include <stdbool.h>
#include <stddef.h>

struct network {
	const char *name;
	const char *tool; /* the program for it */
	int type;         /* of its sockets: SOCK_DGRAM ... */
	/* Whether a server has connections, or one socket for all. */
	bool is_connected;
	/* Whether connections carry bytes, and messages only in frames. */
	bool is_stream;
};

extern const struct network network_unixgram;
extern const struct network network_unixpacket;
extern const struct network network_unixstream;

/* The networks in the order in which a server's is looked for, up to a NULL. */
extern const struct network *const networks[];

/* By its own name or another that the library takes; NULL: there is none. */
const struct network *network_find(const char *name);

/* The largest message that a socket carries by default, 0 if unknown. */
size_t network_get_size_max(const struct network *network);

#endif
