/* SPDX-License-Identifier: MIT */
/* packet_lane_send.c: the sending half of packet_lane.c. */
#ifndef UNIXMSG_PACKET_LANE_H
#define UNIXMSG_PACKET_LANE_H

#include <limits.h>
#include <string.h>
#include <sys/uio.h>

#include "network/handshake.h"

/* The parts of a message; the first one is the lane's. */
struct parts {
	struct iovec all[1 + IOV_MAX];
};

/* Puts the payload behind the first part. */
static inline void unixpacketlane__shift_parts(struct msghdr *header,
	struct iovec *all)
{
	memcpy(all + 1, header->msg_iov,
		header->msg_iovlen * sizeof(struct iovec));
	header->msg_iov = all;
	header->msg_iovlen++;
}

/* The calls of struct network. */
int unixpacketlane__send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us);
int unixpacketlane__send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us);
int unixpacketlane__send_batch(struct unixconn *conn,
	const struct unixmsg *msgs, size_t count, size_t *sent,
	int64_t deadline_us);

#endif
