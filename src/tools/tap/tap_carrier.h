/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_CARRIER_H
#define UNIXMSG_TOOLS_TAP_CARRIER_H

/* How the tap receives and sends messages, or the bytes of a stream, with their
 * descriptors and without waiting. */

#include "unixmsg.h"

struct network;

struct tap_carrier {
	/* Returns 1; 0 at the end; or -1 with errno, as unixconn_recv_msg. */
	int (*receive)(struct unixconn *conn, struct unixmsg *msg);
	/*
	 * Sends count messages, TAP_BATCH_MAX at most, and returns how many
	 * were sent. If not all were sent, errno is that of the next message,
	 * as of unixconn_send_msg. With EAGAIN, a part of that message may have
	 * been sent: then it holds only the rest. Descriptors stay the
	 * caller's.
	 */
	size_t (*send)(struct unixconn *conn, struct unixmsg *msgs,
		size_t count);
	/* The most messages to gather before they are sent. */
	size_t batch;
};

const struct tap_carrier *tap_carrier_find(const struct network *network);

#endif
