/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_STATS_H
#define UNIXMSG_TOOLS_STATS_H

/* The counters of the echo tools, and how they are told. */

#include <stdint.h>

#include "tools/histogram.h"

struct network;

/*
 * What a server counts. Every message is received, and then in exactly one of
 * the others, but for those on their way. On a stream a message is what one
 * read has given.
 */
struct server_stats {
	uint64_t connections;
	uint64_t received;
	uint64_t received_bytes;
	uint64_t answered;
	uint64_t answered_bytes;
	uint64_t cut;     /* larger than --max-size: no answer */
	uint64_t unnamed; /* from a sender without an address: no answer */
	uint64_t gone;    /* the sender went away before its answer */
	uint64_t dropped; /* the sender did not read its answers */
	uint64_t refused; /* the sender may not talk to us: no answer */
	/* Not of messages: connections of those who may not. */
	uint64_t refused_connections;
};

/* What a client counts. */
struct client_stats {
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t received; /* answers */
	uint64_t received_bytes;
	uint64_t lost;    /* no answer came in time */
	uint64_t altered; /* the answer is not the message */
	struct histogram round_trips;
};

/* One JSON object and a newline on standard output. 0, or -1 with errno. */
int stats_print_server(const struct server_stats *stats,
	const struct network *network);
int stats_print_client(const struct client_stats *stats,
	const struct network *network);

/* The summary for people, on standard error. */
void stats_say_client(const struct client_stats *stats);

#endif
