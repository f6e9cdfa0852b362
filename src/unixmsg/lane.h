/* SPDX-License-Identifier: MIT */
/*
 * unixlane: sends and receives messages without a copy, on a connection that
 * has a lane: memory that both processes share, see unixconn_is_lane. You write
 * a message into the memory from which the peer reads it, and you read the
 * peer's message in the memory into which the peer has written it. At first no
 * connection has a lane, and all of these calls fail with ENOTSUP.
 * unixconn_send and unixconn_recv work with and without a lane.
 *
 *	if (unixlane_reserve(conn, room, &data, UNIXMSG_FOREVER) < 0)
 *		return -1;
 *	size = write_message(data, room);
 *	if (unixlane_commit(conn, size, UNIXMSG_FOREVER) < 0)
 *		return -1;
 *
 * From unixlane_reserve to unixlane_commit or unixlane_cancel, all sends on the
 * connection fail with EINVAL, in other threads too. After a unixlane_peek that
 * has stored an address, all receives fail with EINVAL until unixlane_release.
 * Sending and receiving do not disturb each other. The peer may use these
 * calls, or any others. Messages keep their order whatever calls you mix, and
 * the counters count them.
 *
 * The peer may change the bytes of a message while you read them. So read each
 * byte once: copy what you check, such as a length or an offset, and then use
 * the copy. If you do not trust the peer, call unixconn_recv instead: it copies
 * the message first. The place and the size that unixlane_peek gives do not
 * change.
 */
#ifndef UNIXMSG_LANE_H
#define UNIXMSG_LANE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unixconn;

/*
 * Reserves memory for a message of at most size bytes, and stores its address,
 * a multiple of 8, in *data. The memory belongs to conn. You may write to it
 * until you call unixlane_commit or unixlane_cancel; at first the bytes have no
 * defined value. The peer may see what you write, even before the commit and
 * after a cancel. With UNIXMSG_NOW the call does not wait. With every other
 * deadline, whatever it is, the call waits a millisecond at most for the peer
 * to make room, and ignores the stop descriptor: so it never fails with EAGAIN,
 * ETIMEDOUT or ECANCELED. If there is no room, or the message is too large for
 * the lane, *data points to private memory, and unixlane_commit sends the
 * message by the socket. Returns 1, or -1 with
 *
 *   EINVAL    something is reserved already, or the deadline is negative
 *   EMSGSIZE  size is more than unixconn_get_size_max tells
 *   ENOMEM    no memory
 *   ENOTSUP   the connection has no lane
 *   EPIPE     the peer does not receive any more; unixlane_commit may tell
 *             that, too
 *   EPROTO    the peer has spoiled the lane, see unixconn_is_lane
 *
 * or an error of send(2), such as ECONNRESET.
 */
int unixlane_reserve(struct unixconn *conn, size_t size, void **data,
	int64_t deadline_us);

/*
 * Sends the first size bytes of the reserved memory as one message. If that
 * memory is private, the call waits for room on the socket. Returns as
 * unixconn_send does: 1; 0 if the policy has dropped the message; -1 with the
 * errors of unixconn_send, or with
 *
 *   EINVAL   nothing is reserved, size is more than was reserved, or the
 *            deadline is negative
 *   ENOTSUP  the connection has no lane
 *
 * After EAGAIN, ETIMEDOUT, ECANCELED and EINVAL the message is still reserved:
 * commit it later, or cancel it. After 1, 0 and all other errors it is not.
 */
int unixlane_commit(struct unixconn *conn, size_t size, int64_t deadline_us);

/* Gives up what was reserved; the peer receives nothing. Returns 0, or -1 with
 * EINVAL if nothing is reserved. */
int unixlane_cancel(struct unixconn *conn);

/*
 * Waits for a message, and stores its address, a multiple of 8, in *data and
 * its size in *size. The memory belongs to conn, is read-only, and stays valid
 * until unixlane_release. Returns 1; 0 at the end of the connection; -1 with
 * the errors of unixconn_recv except EMSGSIZE, or with
 *
 *   EINVAL   a message has not been released, or the deadline is negative
 *   ENOTSUP  the connection has no lane
 *
 * After 0 and -1 there is no message: do not use *data and *size. If the call
 * returns 1 and *data is NULL, the message is on the socket: it was too large
 * for the lane, found no room there, has descriptors, or this side wants
 * credentials. Receive such a message by unixconn_recv_msg or another receiving
 * call, and do not call unixlane_release. *size is the size of the message even
 * if *data is NULL. A message counts as received at its release.
 */
int unixlane_peek(struct unixconn *conn, const void **data, size_t *size,
	int64_t deadline_us);

/* Ends the use of the message that unixlane_peek gave, and makes room for
 * others. Returns 0, or -1 with EINVAL if there is none. */
int unixlane_release(struct unixconn *conn);

#ifdef __cplusplus
}
#endif
#endif
