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
	 * 1; or -1 with errno, as unixconn_send_msg. A part of msg may be sent
	 * with EAGAIN: then msg is what is left. Its descriptors stay the
	 * caller's.
	 */
	int (*send)(struct unixconn *conn, struct unixmsg *msg);
};

const struct tap_carrier *tap_carrier_find(const struct network *network);

#endif
