/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_NETWORK_H
#define UNIXMSG_TOOLS_NETWORK_H

/*
 * The three networks as one, for code that is written once for all of them.
 * The functions are those of the library; a link is its struct unixgram,
 * struct unixpacket or struct unixstream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unixmsg.h"

struct network {
	const char *name;
	const char *tool; /* the program for it */
	int type;         /* of its sockets: SOCK_DGRAM ... */
	/* Whether a server has connections, or one socket for all. */
	bool is_connected;
	/* Whether connections carry bytes, and messages only in frames. */
	bool is_stream;

	void *(*dial)(const char *address,
		const struct unixdial_options *options, int64_t deadline_us);
	int (*close)(void *link);
	int (*get_fd)(const void *link);
	int (*get_address)(const void *link, struct unixaddr *addr);
	/* See unixgram_check_answer; NULL where answers need no address. */
	int (*check_answer)(const void *link);
	/* What is received besides the payload; NULL where nothing is. */
	int (*want)(void *link, unsigned int wants);
	void (*set_spin_us)(void *link, int64_t spin_us);
	/* Whole messages; of msg a stream fills in the size only. */
	int (*send)(void *link, const void *data, size_t size,
		int64_t deadline_us);
	int (*recv)(void *link, struct unixmsg *msg, int64_t deadline_us);
};

extern const struct network network_unixgram;
extern const struct network network_unixpacket;
extern const struct network network_unixstream;

/* The largest message that a socket carries by default, 0 if unknown. */
size_t network_get_size_max(const struct network *network);

#endif
