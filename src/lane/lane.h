/* SPDX-License-Identifier: MIT */
/*
 * lane: whole messages through shared memory, beside a unixpacket connection.
 * Each direction has a ring, see ring.h. The socket of the connection stays: it
 * wakes the receiver (the bell). It carries messages that are too large for the
 * ring or find no room there, descriptors and credentials. It reports the death
 * of the peer. Programs go on using the descriptor: poll(2) reports it as
 * readable whenever a message is there, at the latest when the send has
 * returned, and now and then when none is.
 *
 * On the socket, the first byte is the kind: a bell, or a message. A marker in
 * the ring keeps the place of that message among the records.
 *
 * How poll(2) stays right. A receiver that finds the ring empty arms itself: it
 * writes down the position where it will sleep, and looks again. A sender that
 * publishes a record there rings the bell. Until the receiver is armed, the
 * first entry on the socket stays there, bell or message, received or not: it
 * is the sign that there is more. So the receiver gets a message by peeking at
 * it. It removes the message when no sign is needed: when it is armed, and the
 * ring is empty.
 *
 * A bell that finds no room is no loss: the socket is full, so it is readable,
 * and stays so when the receiver removes one message. That is true only if a
 * single message never fills the socket, see UNIXLANE_SPARE.
 *
 * Threads take turns, see base/turn.h. After fork(2) several processes may use
 * the lane, but only one at a time. When the process that set it up closes it,
 * only the socket goes on.
 */
#ifndef UNIXMSG_LANE_PRIVATE_H
#define UNIXMSG_LANE_PRIVATE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/endpoint.h"
#include "base/turn.h"
#include "base/yield.h"
#include "lane/ring.h"
#include "unixmsg/buffer.h"

/*
 * The bytes of the socket's send buffer that stay free behind its largest
 * message. They have room for what the kernel adds to the message, and for a
 * bell.
 */
enum { UNIXLANE_SPARE = 32768 };

struct lane {
	struct turn sending;
	struct ring_out out;
	atomic_bool is_mute; /* we send nothing more through the ring */
	atomic_bool is_deaf; /* we receive nothing more */
	bool is_bell_due;    /* the kernel had no memory for a bell */
	uint64_t bells;      /* bells that we have rung */
	uint64_t detours;    /* messages that we have sent by the socket */
	struct yield for_room;
	atomic_size_t size_max; /* of a message, by the ring or the socket */
	char *reserved;         /* room, while the turn to send is held */
	size_t reserved_size;
	struct unixbuffer spare; /* for what the ring has no room for */
	struct turn receiving;
	struct ring_in in;
	struct yield for_news;
	struct ring_record peeked; /* the last one; it may hold the turn */
	int error; /* of the socket, to return when nothing is there */
	atomic_bool has_failed; /* the peer has broken a rule */
	atomic_bool was_reset;  /* one was ignored, see unixlane__try_again */
	const struct endpoint *end; /* the connection, not ours */
	pid_t owner;                /* the process that set it up */
	struct segment mine;
	struct segment theirs;
};

/*
 * Stores the size of the largest message that the lane of end would send, 0 if
 * the send buffer is too small for any. The socket sets it, since a message for
 * which the ring has no room goes there. Returns 0, or -1 with an error of
 * getsockopt(2).
 */
int unixlane__get_size_max(const struct endpoint *end, size_t *size);

/* Finds out the size of the largest message anew, in your turn to send. Returns
 * 0, or -1 as above. */
int unixlane__learn_size_max(struct lane *lane);

/*
 * Sets up a lane beside the connection end, which stays the caller's. lane is
 * all zero, except for turns that the caller may have. On success the lane owns
 * what both segments describe, and the caller's copies are empty. Returns 0; -1
 * with ENOBUFS (no message fits with UNIXLANE_SPARE behind it) or an error of
 * getsockopt(2): the segments stay the caller's.
 */
int unixlane__set_up(struct lane *lane, const struct endpoint *end,
	struct segment *mine, struct segment *theirs);

/*
 * Ends the lane. Call it before you close the descriptor. The peer can still
 * read everything that was sent, and learns that we read no more.
 */
void unixlane__close(struct lane *lane);

/* Frees the memory of a lane that was never used. */
void unixlane__forget(struct lane *lane);

/*
 * Ends sending, or receiving, or both through the ring. how is as for
 * shutdown(2), which the caller calls next.
 */
void unixlane__shutdown(struct lane *lane, int how);

/*
 * Makes the peer send everything by the socket from now on, where the kernel
 * adds the credentials of the writer.
 */
void unixlane__shut_ring(struct lane *lane);

/*
 * Wakes the peer. If there is no room, the socket is readable without the bell.
 * If there is no memory, the next call tries again. Returns 0, or -1 with an
 * error of send(2).
 */
int unixlane__ring_bell(struct lane *lane);

/*
 * Sends as many of count messages as there is room for, without waiting. If
 * is_patient, it gives the reader a little time to make room. The first part of
 * each message is the lane's. Messages with control data go by the socket.
 * *sent is the number of messages sent. Returns 0 if all were sent; -1 with
 * EAGAIN, EMSGSIZE, EPIPE, EPROTO (the peer has broken a rule) or an error of
 * sendmsg(2). The lane notices a killed peer only when it has to wake the peer,
 * or when the ring is full: the messages sent before are lost.
 */
int unixlane__send(struct lane *lane, const struct msghdr *headers,
	size_t count, size_t *sent, bool is_patient);

/*
 * Sends a message in one piece if the ring has room for it: the short way.
 * Returns 1; 0 if it was not sent, and unixlane__send has to send it; -1 with
 * EPIPE or another error of send(2). Keeps errno otherwise.
 */
static inline int unixlane__send_data(struct lane *lane, const void *data,
	size_t size);

/*
 * Receives a message into the parts of header but the first one, as recvmsg(2)
 * does: control data goes to msg_control. In msg_flags MSG_TRUNC means that the
 * message was cut, MSG_CTRUNC that its control data was. *size is its true
 * size. flags are 0, which may sleep, or MSG_DONTWAIT; MSG_PEEK leaves the
 * message there. Returns 1 for a message; 0 at the end of the connection; -1
 * with EAGAIN, EPROTO or an error of recvmsg(2).
 */
int unixlane__recv(struct lane *lane, struct msghdr *header, size_t *size,
	int flags);

/* Receives a message that is in the ring and fits into room: the short way.
 * Returns false if it received none, and unixlane__recv has to. Keeps errno. */
static inline bool unixlane__recv_data(struct lane *lane, void *data,
	size_t room, size_t *size);

/*
 * unixlane__reserve holds the turn to send, until unixlane__commit has sent the
 * message, or has failed with an error other than EAGAIN and EINVAL, or
 * unixlane__cancel gives it up. They return 0, or -1 with the errors of
 * unixmsg/lane.h, and wait no longer than unixlane__send.
 */
int unixlane__reserve(struct lane *lane, size_t size, void **data,
	bool is_patient);
int unixlane__commit(struct lane *lane, size_t size);
int unixlane__cancel(struct lane *lane);

/*
 * Finds the next message. If it is in the ring, unixlane__peek holds the turn
 * to receive, until unixlane__release. *data is NULL if it is on the socket.
 * Returns as unixlane__recv does.
 */
int unixlane__peek(struct lane *lane, const void **data, size_t *size,
	int flags);
int unixlane__release(struct lane *lane);

/* Lets others have the processor before the caller sleeps, see base/yield.h.
 * Keeps errno. */
void unixlane__yield_for_news(struct lane *lane);

/* From now on we receive by the lane: we have read all that the peer had sent
 * before. */
void unixlane__begin_reading(struct lane *lane);

/*
 * Ends the reading behind what has come. Call it after shutdown(2), with or
 * without a lane: a peer that goes on filling the ring would be read for ever.
 */
void unixlane__end_reading(struct lane *lane);

/* Returns true if the peer reads by the lane. */
bool unixlane__is_peer_reading(const struct lane *lane);

/* Returns the number of bytes in the ring that the peer has not read. */
size_t unixlane__get_unread(const struct lane *lane);

/* Returns true if something is in the ring, without a system call, or if the
 * turn is held. Returns false if another thread waits for a message. Keeps
 * errno. */
bool unixlane__has_record(struct lane *lane);

/* The type is int or size_t, by libc. */
static inline size_t unixlane__count_parts(const struct msghdr *header)
{
	return (size_t)header->msg_iovlen;
}

/* Returns the size of a message, without the first part, which is the lane's;
 * SIZE_MAX if it does not fit into a size_t. */
static inline size_t unixlane__add_up(const struct msghdr *header)
{
	const struct iovec *parts = header->msg_iov;
	const size_t count = unixlane__count_parts(header);
	size_t i, size = 0;

	for (i = 1; i < count; i++) {
		size += parts[i].iov_len;
		if (size < parts[i].iov_len)
			return SIZE_MAX;
	}
	return size;
}

static inline bool unixlane__is_ring_shut(const struct lane *lane)
{
	return lane->is_mute ||
		atomic_load_explicit(&lane->theirs.page->is_ring_shut,
			memory_order_relaxed) != 0;
}

static inline int unixlane__send_data(struct lane *lane, const void *data,
	size_t size)
{
	int result = 0;

	if (lane->has_failed || !unixturn__try(&lane->sending))
		return 0;
	if (!unixlane__is_ring_shut(lane) && !lane->is_bell_due &&
		unixring__put(&lane->out, data, size))
		result = unixring__tell(&lane->out) &&
				unixlane__ring_bell(lane) < 0
			? -1
			: 1;
	unixturn__give(&lane->sending);
	return result;
}

static inline bool unixlane__recv_data(struct lane *lane, void *data,
	size_t room, size_t *size)
{
	bool has_one;

	if (lane->has_failed || !unixturn__try(&lane->receiving))
		return false;
	has_one = unixring__take(&lane->in, data, room, size);
	unixturn__give(&lane->receiving);
	return has_one;
}

/* For lane.c and lane_recv.c. */

/* The first byte of each message on the socket. */
enum { UNIXLANE_BELL = 0, UNIXLANE_MESSAGE = 1 };

/* The peer has broken a rule: ends the connection for both sides. */
static inline int unixlane__fail(struct lane *lane)
{
	lane->has_failed = true;
	shutdown(lane->end->fd, SHUT_RDWR);
	errno = EPROTO;
	return -1;
}

/*
 * If a peer dies while a sign is unread, the kernel reports ECONNRESET, once.
 * That is no error if the peer has read all of the ring: try again.
 */
static inline bool unixlane__try_again(struct lane *lane, ssize_t result)
{
	if (result >= 0)
		return false;
	if (errno != ECONNRESET)
		return errno == EINTR;
	return unixring__get_unread(&lane->out) == 0 &&
		!atomic_exchange(&lane->was_reset, true);
}

/* The kernel takes IOV_MAX parts. A caller may use them all, but the first one
 * is ours. */
static inline bool unixlane__has_too_many_parts(const struct msghdr *header)
{
	return unixlane__count_parts(header) > IOV_MAX;
}

/*
 * If a bell, or a message that was received and stayed as a sign, is unread at
 * the close, the kernel reports a reset to the peer. So drops these. If other
 * messages are unread, leaves them: then the reset is true.
 */
void unixlane__drop_signs(struct lane *lane);

#endif
