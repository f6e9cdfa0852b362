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

/* The largest message that a socket carries by default, 0 if unknown. */
size_t network_get_size_max(const struct network *network);

#endif
