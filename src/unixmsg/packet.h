/* SPDX-License-Identifier: MIT */
/*
 * unixpacket: connections that keep message boundaries (SOCK_SEQPACKET).
 *
 * What one side sends in one call the other receives in one call, in order,
 * nothing lost while both live, and the end of the connection is told. Empty
 * messages are messages.
 *
 * Two sides that both send without receiving wait for each other once both
 * send buffers are full: a client that sends many messages before it takes the
 * answers sends with UNIXMSG_NOW, and takes an answer on EAGAIN.
 */
#ifndef UNIXMSG_PACKET_H
#define UNIXMSG_PACKET_H

#include "addr.h"
#include "buffer.h"
#include "deadline.h"
#include "dial.h"
#include "listener.h"
#include "msg.h"
#include "name.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unixpacket;

/*
 * Listens at address, see unixmsg/addr.h and unixmsg/name.h; what is made is
 * ended by unixlistener_close, see unixmsg/listener.h. backlog is how many
 * connections may wait to be accepted, 0 or less for the system's largest
 * (net.core.somaxconn); options may be NULL. May wait for the lock on the
 * directory, no longer than unixmsg/name.h says. NULL on failure, nothing is
 * left behind. Errors: EINVAL, ENAMETOOLONG, EADDRINUSE, ENOTSOCK, EPERM, and
 * those of socket(2), bind(2), listen(2), open(2), chown(2), malloc(3).
 */
struct unixlistener *unixpacket_listen(const char *address, int backlog,
	const struct unixname_options *options);

/*
 * Takes the next connection; several threads may wait in it. The connection
 * begins with the listener's stop descriptor. NULL with EAGAIN, ETIMEDOUT,
 * ECANCELED, EPROTOTYPE (a listener for streams), EMFILE or ENFILE (the
 * connection goes on waiting in the backlog, and the listener stays readable:
 * pause before you poll again), EINVAL (somebody who shares the listener has
 * shut it down: nobody can connect any more, and no wait would end), or those
 * of accept(2), malloc(3).
 */
struct unixpacket *unixpacket_accept(struct unixlistener *listener,
	int64_t deadline_us);

/*
 * Connects to the listener at address, see unixmsg/dial.h for options, which
 * may be NULL, and errors. Waits while the listener's backlog is full. NULL on
 * failure, nothing is left behind.
 */
struct unixpacket *unixpacket_dial(const char *address,
	const struct unixdial_options *options, int64_t deadline_us);

/*
 * Makes a connection of a descriptor that somebody else has opened, and
 * connected, or its calls fail with ENOTCONN: inherited, received, or
 * duplicated. It belongs to the connection then, and becomes close-on-exec.
 * Messages are told apart from the end from then on. NULL on failure, fd stays
 * yours: ENOTSOCK, EAFNOSUPPORT (no Unix socket), EPROTOTYPE (another type),
 * EINVAL (it listens), EBADF, or those of malloc(3).
 */
struct unixpacket *unixpacket_adopt(int fd);

/*
 * Two connections that are each other's peer, for a parent and a child. pair
 * is untouched on failure. Errors: those of socketpair(2), malloc(3).
 */
int unixpacket_pair(struct unixpacket *pair[2]);

/*
 * Closes the descriptor, removes the file of its own address if it has one,
 * frees packet, which may be NULL. The peer still receives what was sent. -1
 * with errno when a file could not be removed; packet is gone all the same.
 */
int unixpacket_close(struct unixpacket *packet);

/* The descriptor, for poll(2) and socket options. It stays packet's. */
int unixpacket_get_fd(const struct unixpacket *packet);

/* See unixmsg/deadline.h. -1 for none. */
void unixpacket_set_stop_fd(struct unixpacket *packet, int stop_fd);

/* See unixmsg/deadline.h. 0 for off. */
void unixpacket_set_spin_us(struct unixpacket *packet, int64_t spin_us);

/*
 * What shall be received besides the payload: UNIXMSG_WANT_... of
 * unixmsg/msg.h, 0 at the beginning. Messages that are in the queue already may
 * lack it. Errors: EINVAL (unknown bits), ENOTSUP (UNIXMSG_WANT_PIDFD before
 * Linux 6.5); nothing has changed then.
 */
int unixpacket_want(struct unixpacket *packet, unsigned int wants);

/* Our address and the peer's: unnamed for a client that has bound none.
 * Errors: those of getsockname(2) and getpeername(2). */
int unixpacket_get_address(const struct unixpacket *packet,
	struct unixaddr *addr);
int unixpacket_get_peer(const struct unixpacket *packet, struct unixaddr *addr);

/*
 * The largest message in bytes that can be sent: the kernel bounds it by the
 * sender's SO_SNDBUF less 32, and never does much above 4 MiB. Errors: those
 * of getsockopt(2).
 */
int unixpacket_get_size_max(const struct unixpacket *packet, size_t *size);

/*
 * Ends one direction, or both: how is SHUT_WR, SHUT_RD or SHUT_RDWR as for
 * shutdown(2). After SHUT_WR the peer receives what was sent and then the end;
 * it can still send. Errors: EINVAL, ENOTCONN.
 */
int unixpacket_shutdown(struct unixpacket *packet, int how);

/*
 * Sends size bytes at data, which may be 0, as one message. Waits while the
 * send buffer is full. 0, or -1 with EMSGSIZE (larger than
 * unixpacket_get_size_max), EPIPE (the peer has closed, or SHUT_WR was
 * called), ECONNRESET, EAGAIN, ETIMEDOUT, ECANCELED, or those of sendmsg(2).
 * On failure nothing was sent.
 */
int unixpacket_send(struct unixpacket *packet, const void *data, size_t size,
	int64_t deadline_us);

/*
 * Receives one message into data, which has room for room bytes, *size being
 * its true size in bytes. size may be NULL.
 *
 *   1   a message, perhaps an empty one
 *   0   the peer has closed, or ended its direction; no message will follow
 *       (mind that _send gives 0 for success)
 *  -1   EMSGSIZE: the message was larger than room, it is gone, *size is set.
 *       ECONNRESET: the peer closed while messages of ours lay unread at its
 *       side. This comes once, before the messages that it has sent.
 *       EAGAIN, ETIMEDOUT, ECANCELED, or those of recvmsg(2).
 */
int unixpacket_recv(struct unixpacket *packet, void *data, size_t room,
	size_t *size, int64_t deadline_us);

/*
 * The same with struct unixmsg. msg->addr must be NULL when sending; receiving
 * stores the peer's address there. Also EINVAL.
 */
int unixpacket_send_msg(struct unixpacket *packet, const struct unixmsg *msg,
	int64_t deadline_us);
int unixpacket_recv_msg(struct unixpacket *packet, struct unixmsg *msg,
	int64_t deadline_us);

/*
 * The size in bytes of the next message, which stays in the queue: 1; 0 at the
 * end; or -1 as unixpacket_recv, but for EMSGSIZE.
 */
int unixpacket_get_next_size(struct unixpacket *packet, size_t *size,
	int64_t deadline_us);

/*
 * Raises the largest message that can be sent to wanted bytes, or to as much
 * as the system allows: *reached tells, 0 either way. It never lowers it. See
 * net.core.wmem_max; CAP_NET_ADMIN passes it. Errors: those of getsockopt(2).
 */
int unixpacket_raise_size_max(struct unixpacket *packet, size_t wanted,
	size_t *reached);

/*
 * How much of what was sent has not been read yet, in bytes as the kernel
 * charges for it (SIOCOUTQ): some 768 for a small message. It is the only
 * honest figure, the receiver's shows its first message at most. Errors: those
 * of ioctl(2).
 */
int unixpacket_get_unread(const struct unixpacket *packet, size_t *bytes);

/*
 * As unixpacket_recv, into a buffer that grows to the message: two system
 * calls, the first asks for the size. EMSGSIZE when it is larger than
 * buffer->room_max: the message is gone, buffer->size tells how large it was.
 * ENOMEM: it stays in the queue. One thread at a time.
 */
int unixpacket_recv_buffer(struct unixpacket *packet, struct unixbuffer *buffer,
	int64_t deadline_us);

/*
 * Sends count messages, up to UNIXMSG_BATCH_MAX with one system call. 0 when
 * all were sent; -1 with errno as for unixpacket_send_msg, and *sent tells how
 * many have gone before. They carry no descriptors: EINVAL.
 */
int unixpacket_send_batch(struct unixpacket *packet, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us);

/*
 * Receives as many messages as are there, at most count and at most
 * UNIXMSG_BATCH_MAX, with one system call; it waits only for the first. 1 and
 * *received; 0 at the end of the connection; -1 as unixpacket_recv_msg. A
 * message that was cut is no error here: look at the flags of each for
 * UNIXMSG_CUT. No descriptors and pidfds are received: fds_room is 0, or
 * EINVAL.
 */
int unixpacket_recv_batch(struct unixpacket *packet, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us);

#ifdef __cplusplus
}
#endif
#endif
