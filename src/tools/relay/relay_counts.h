/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_COUNTS_H
#define UNIXMSG_TOOLS_RELAY_COUNTS_H

/*
 * relay_counts: what a relay has counted. Messages of the two directions, when
 * nothing waits:
 *
 *	taken = published + the lost ones of this direction
 *	arrived = delivered + the lost ones of that direction
 *
 * returned counts published datagrams that the engine could give to nobody.
 */

#include <stdint.h>

enum relay_count {
	/* From the peers here to the engine. */
	RELAY_TAKEN,
	RELAY_TAKEN_BYTES,
	RELAY_PUBLISHED,
	RELAY_RETURNED,
	RELAY_LOST_ENGINE_DOWN,
	RELAY_LOST_TOO_LARGE,
	RELAY_LOST_DESCRIPTORS,
	RELAY_LOST_MEMORY,
	RELAY_LOST_UNKNOWN, /* of a session that is over, or to a client that
			     * is forgotten */
	/* From the engine to the peers here. */
	RELAY_ARRIVED,
	RELAY_ARRIVED_BYTES,
	RELAY_LOST_QUEUE,   /* the queue of its peer is full */
	RELAY_LOST_LATE,    /* in that queue for too long */
	RELAY_LOST_REFUSED, /* the service is not there */
	RELAY_LOST_CLIENTS, /* too many clients */
	RELAY_LOST_FAILED,  /* the kernel has refused it */
	RELAY_STRANGE,      /* no frame, or for nobody */
	RELAY_CONTROLS_LOST,
	RELAY_REPLACED, /* remote datagram clients, by new ones */
	/* Sessions. */
	RELAY_SESSIONS,
	RELAY_ENDED,         /* in order */
	RELAY_REFUSED,       /* no service there */
	RELAY_LIMITED,       /* too many, or no room for a window */
	RELAY_RESET_HERE,    /* the peer here was closed */
	RELAY_RESET_THERE,   /* by the other relay */
	RELAY_RESET_ABSENT,  /* the other relay is gone (503) */
	RELAY_RESET_SILENT,  /* the other relay is silent */
	RELAY_RESET_ENGINE,  /* our engine went down */
	RELAY_RESET_GAP,     /* a message is missing */
	RELAY_RESET_MESSAGE, /* a message cannot be passed on */
	RELAY_RESET_MEMORY,
	RELAY_COUNTS,
};

struct relay_books {
	uint64_t counts[RELAY_COUNTS];
	uint64_t open; /* sessions, or remote datagram clients, now */
};

#endif
