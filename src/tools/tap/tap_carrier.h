/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_CARRIER_H
#define UNIXMSG_TOOLS_TAP_CARRIER_H

/* How messages, or the bytes of a stream, are received and sent at once, with
 * their descriptors. */

#include "unixmsg.h"

struct network;

struct tap_carrier {
	/* 1; 0 at the end; -1 with errno, as unixconn_recv_msg. */
	int (*receive)(struct unixconn *conn, struct unixmsg *msg);
	/*
	 * Sends count messages, TAP_BATCH_MAX at most, and returns how many
	 * were sent. If not all, errno is that of the next one, as of
	 * unixconn_send_msg. With EAGAIN a part of that may be sent: then it is
	 * what is left. Descriptors stay the caller's.
	 */
	size_t (*send)(struct unixconn *conn, struct unixmsg *msgs,
		size_t count);
	/* The messages that are worth gathering before they are sent. */
	size_t batch;
};

const struct tap_carrier *tap_carrier_find(const struct network *network);

#endif
