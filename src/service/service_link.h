/* SPDX-License-Identifier: MIT */
/* service_link_send.c: how messages are sent to a link. */
#ifndef UNIXMSG_SERVICE_LINK_H
#define UNIXMSG_SERVICE_LINK_H

#include "service/service_private.h"

/* The pause in sending to a peer when the kernel has no memory for it, and in
 * receiving when no descriptor is free. */
enum { UNIXLINK_SHORTAGE_US = 10000 };

struct link {
	struct peer peer;
	struct watch watch;
	struct unixconn *conn;
	bool is_stream;
	bool is_gram; /* a datagram socket that is connected to the peer */
	/* When it may be read again, and sent to: 0 now, UNIXMSG_FOREVER once
	 * the program resumes it. */
	int64_t read_us;
	int64_t write_us;
	bool is_bytes;
	bool is_duplex;        /* it is read while messages to it are queued */
	bool has_lane;         /* or may get one */
	bool is_awake;         /* its lane is not armed */
	int64_t spin_until_us; /* looks at its lane without arming it, or 0 */
	bool is_reset; /* the kernel has reported that, which it does once */
	struct backoff backoff;
};

/* Only one process at a time may use a lane, and the parent may do so. */
static inline bool unixlink__is_of_parent(const struct link *link)
{
	return link->has_lane && link->peer.is_inherited;
}

/* The calls of struct peer_sort. */
int unixlink__send_to_stream(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done);
int unixlink__send_to_packet(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done);
int unixlink__send_by_lane(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done);
bool unixlink__stream_carries(const struct peer *peer,
	const struct unixmsg *msg);
size_t unixlink__get_size_max(const struct peer *peer);

#endif
