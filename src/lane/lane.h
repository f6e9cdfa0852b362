/* SPDX-License-Identifier: MIT */
/*
 * lane: whole messages through shared memory, beside a connection of packets.
 * The socket stays the bell, the way of what is too large for the ring or finds
 * no room there, of descriptors and credentials, and the truth about life and
 * death. What others may do with the descriptor goes on: poll(2) says that it
 * is readable whenever something is there, at the latest when the send has
 * returned; now and then in vain.
 *
 * On the socket each message has one byte in front, which says what it is:
 * a bell, or a message whose place in the ring a marker keeps.
 *
 * How poll(2) stays true. A receiver that has found the ring empty says where
 * it sleeps, and looks again: whoever publishes there rings. Before that, what
 * lies first on the socket stays there, bell or message, taken or not: it is
 * the sign that there is more. So a message is taken by looking at it, and goes
 * when it is a sign no more: when the receiver is armed, and the ring is empty.
 *
 * A bell that finds no room is no loss, since then the socket is readable, and
 * stays so when one message is taken off it. Hence a message alone must never
 * fill it: see UNIXLANE_SPARE.
 *
 * Threads take turns, see base/turn.h. After fork(2) processes may use the lane
 * one after the other, not at once. When the process that has set it up closes
 * it, only the kernel's part goes on.
 */
#ifndef UNIXMSG_LANE_H
#define UNIXMSG_LANE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/endpoint.h"
#include "base/spin.h"
#include "base/turn.h"
#include "lane/ring.h"

/*
 * So many bytes of the socket's send buffer stay free behind its largest
 * message: what the kernel adds to that, and a bell.
 */
enum { UNIXLANE_SPARE = 32768 };

struct lane {
	struct turn sending;
	struct ring_out out;
	atomic_bool is_mute; /* no more is sent through the ring */
	bool is_bell_due;    /* the kernel had no memory for it */
	uint64_t bells;      /* that we have rung */
	uint64_t detours;    /* by the socket, of those that we have sent */
	struct spin yields_for_room;
	struct turn receiving;
	struct ring_in in;
	struct spin yields_for_news;
	int error; /* of the socket, to be told when nothing is there */
	atomic_bool has_failed;     /* the peer has broken a rule */
	const struct endpoint *end; /* of the connection, not ours */
	pid_t owner;                /* the process that has it */
	struct segment mine;
	struct segment theirs;
};

/* The largest message that goes by the socket: 0 where that is too small. */
int unixlane__get_size_max(const struct endpoint *end, size_t *size);

/*
 * A lane beside the connection end, which stays the caller's; segments belong
 * to the lane then, and are empty in the caller's hands. lane is all zero, but
 * for turns that the caller may have. 0, or -1 with ENOBUFS (no message has
 * room with UNIXLANE_SPARE behind it) and those of getsockopt(2): segments stay
 * the caller's.
 */
int unixlane__set_up(struct lane *lane, const struct endpoint *end,
	struct segment *mine, struct segment *theirs);

/*
 * The peer reads to the end what was sent, and learns that nothing is read any
 * more: to be called before fd is closed.
 */
void unixlane__close(struct lane *lane);

/* Of one that was never used: only its memory goes. */
void unixlane__forget(struct lane *lane);

/*
 * Nothing more is sent, or received, through the ring: how is as for
 * shutdown(2), which the caller calls next.
 */
void unixlane__shutdown(struct lane *lane, int how);

/*
 * From now on the peer has to send all by the socket, so that the kernel can
 * say who has written it.
 */
void unixlane__shut_ring(struct lane *lane);

/* Returns the size of a message, without the first part, which is the lane's;
 * SIZE_MAX if no size can hold it. */
size_t unixlane__add_up(const struct msghdr *header);

/*
 * Sends as many of count messages as there is room for, without waiting; who
 * is patient gives the reader a little time to make some. The first part of
 * each is the lane's. Those with control data go by the socket. 0: all, or -1,
 * and *sent tells how many have gone: EAGAIN, EMSGSIZE, EPIPE, EPROTO (the peer
 * breaks the rules), and those of sendmsg(2). A peer who was killed is noticed
 * only when he would have to be woken, or the ring is full: what was sent
 * before is lost.
 */
int unixlane__send(struct lane *lane, const struct msghdr *headers,
	size_t count, size_t *sent, bool is_patient);

/*
 * Sends a message in one piece if the ring has room for it: the short way. 1;
 * 0: it was not sent, unixlane__send has to; -1 with EPIPE and others of
 * send(2). errno is kept otherwise.
 */
int unixlane__send_data(struct lane *lane, const void *data, size_t size);

/*
 * Receives a message into the parts of header but the first one, as recvmsg(2)
 * does: what comes beside it goes to msg_control, and msg_flags tells whether
 * it was cut. *size is its true size. flags are 0, which may sleep, or
 * MSG_DONTWAIT, and MSG_PEEK: it stays. 1; 0: the end of the connection; -1:
 * EAGAIN, EPROTO, and those of recvmsg(2).
 */
int unixlane__recv(struct lane *lane, struct msghdr *header, size_t *size,
	int flags);

/*
 * Receives a message that is in the ring and has room: the short way. False: it
 * did not, unixlane__recv has to. errno is kept.
 */
bool unixlane__recv_data(struct lane *lane, void *data, size_t room,
	size_t *size);

/*
 * Before a receiver sleeps it lets others have the processor, unless that was
 * in vain of late, or took too long.
 */
void unixlane__yield_for_news(struct lane *lane);

/* How many bytes of the ring the peer has not read. */
size_t unixlane__get_unread(const struct lane *lane);

/* Whether there is something in the ring, as far as can be seen at no cost. */
bool unixlane__has_record(struct lane *lane);

#endif
