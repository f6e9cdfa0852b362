/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_EVENT_H
#define UNIXMSG_TOOLS_EVENT_H

/* event: one event that the tap observes. Lines and recordings consist of
 * events. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unixmsg/cred.h"

enum event_kind {
	EVENT_OPENED, /* a client has connected, or sent its first datagram */
	EVENT_MESSAGE,
	EVENT_ENDED,    /* nothing more arrives in this direction */
	EVENT_CLOSED,   /* the connection is over */
	EVENT_LEFT_OUT, /* the recording was too slow for left_out events */
};

struct event {
	enum event_kind kind;
	bool is_answer; /* from the server to the client */
	uint64_t connection;
	int64_t time_ns;   /* CLOCK_REALTIME */
	size_t size;       /* of the message, in bytes */
	size_t kept;       /* its first bytes, which are recorded */
	size_t fds;        /* descriptors that came with it */
	uint64_t left_out; /* in a recording: before this one */
	bool has_cred;     /* of the client */
	struct unixcred cred;
};

#endif
