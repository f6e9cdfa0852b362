/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_STATS_H
#define UNIXMSG_TOOLS_STATS_H

/* The counters of the echo tools, and their output. */

#include <stdint.h>

#include "tools/common/histogram.h"
#include "unixmsg.h"

struct network;

/* The counters of a client. */
struct client_stats {
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t received; /* answers */
	uint64_t received_bytes;
	uint64_t lost;    /* no answer came in time */
	uint64_t altered; /* the answer is not the message */
	struct histogram round_trips;
};

/* Prints one JSON object and a newline on standard output. Returns 0, or -1
 * with errno. */
int stats_print_server(const struct unixservice_counters *counters,
	const struct network *network);
int stats_print_client(const struct client_stats *stats,
	const struct network *network);

/* Prints the summary for people on standard error. */
void stats_say_client(const struct client_stats *stats);

#endif
