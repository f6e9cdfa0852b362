/* SPDX-License-Identifier: MIT */
/*
 * unixmsg: one message, with all that belongs to it.
 *
 * The plain calls (unixconn_send, unixconn_recv) take a buffer and a size.
 * Their _msg forms take this structure for more: a payload in several parts, an
 * address, descriptors, the writer's credentials and pidfd, a prefix of a
 * message that is too long, and what the kernel tells about what it had to cut.
 *
 * Nothing but the payload is received unless it was asked for, by
 * unixconn_want or the options. Descriptors that were not asked for are refused
 * by the kernel where it can (Linux 6.16: the sender gets EPERM), and never
 * kept elsewhere.
 */
#ifndef UNIXMSG_MSG_H
#define UNIXMSG_MSG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "addr.h"
#include "cred.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Flags that the caller sets before receiving. */

/* A message longer than the room is no error: its beginning is delivered. */
#define UNIXMSG_PREFIX 0x1u
/* The message stays in the queue: the next call gives it again. Of unixgram and
 * unixpacket copies of its descriptors are given each time, of unix they come
 * with the message itself. Not for batches. */
#define UNIXMSG_PEEK 0x2u

/* Flags that the caller sets before sending. */

/* cred goes with the message, instead of what the kernel would say of its
 * writer: our own process, our real, effective or saved user and group; EPERM
 * for others without CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID. Not for batches. */
#define UNIXMSG_SEND_CRED 0x4u

/* Flags that receiving sets. */

/* The payload was longer than the room; size tells how long. */
#define UNIXMSG_CUT 0x100u
/* Descriptors or other control data are lost: nobody had asked for them, there
 * was no room in fds, or the process may have no more descriptors open. */
#define UNIXMSG_CUT_CONTROL 0x200u
/* cred is valid. */
#define UNIXMSG_HAS_CRED 0x400u

/* What may be received besides the payload, for unixconn_want. */

/* Descriptors, as many as fds has room for. */
#define UNIXMSG_WANT_FDS 0x1u
/* The credentials of whoever wrote the message: his real user and group at
 * that time. A socket without a name gets an abstract one by the kernel when
 * it connects or sends with this set. */
#define UNIXMSG_WANT_CRED 0x2u
/* A pidfd of whoever wrote the message. Linux 6.5, else ENOTSUP. */
#define UNIXMSG_WANT_PIDFD 0x4u

/* Bounds. */

/* The kernel passes no more in one message; musl sends one less, or ENOMEM. */
#define UNIXMSG_FDS_MAX 253

/* No more messages go out, or come in, by one system call of a batch. */
#define UNIXMSG_BATCH_MAX 64

struct unixmsg {
	/* The payload: read when sending, filled when receiving. It is in one
	 * piece, room bytes at data; or, unless parts is NULL, in parts, at
	 * most 1024 (IOV_MAX), more are EINVAL. All of it stays yours. */
	void *data;
	size_t room;
	struct iovec *parts;
	size_t parts_count;
	/* Receiving sets it to the true size of the message in bytes, also
	 * when the message was cut. */
	size_t size;
	/* Datagrams: the sender of a received one is stored here; one is sent
	 * there; NULL: not wanted, or to the connected peer. Connections store
	 * the peer's address here when receiving, and refuse to send: EINVAL
	 * unless it is NULL. */
	struct unixaddr *addr;
	/* Before sending: UNIXMSG_SEND_CRED or 0. Before receiving:
	 * UNIXMSG_PREFIX, UNIXMSG_PEEK or 0; after it also those that receiving
	 * sets. Unknown bits are EINVAL; the flags that receiving sets are
	 * ignored and cleared. */
	unsigned int flags;
	/* Sending: fds_count descriptors go with the message, at most
	 * UNIXMSG_FDS_MAX. They stay yours, and open. Receiving: fds has room
	 * for fds_room, which without UNIXMSG_WANT_FDS must be 0 (EINVAL);
	 * fds_count of them are set, close-on-exec, and yours to close when
	 * the call gives 1. More than that are closed: fds_lost tells how
	 * many; UNIXMSG_CUT_CONTROL is set then, and also when some never got
	 * here. */
	int *fds;
	size_t fds_room;
	size_t fds_count;
	size_t fds_lost;
	/* Receiving, with UNIXMSG_HAS_CRED: who wrote the message. The real
	 * user, not the effective one that unixpeer_get_cred tells; root may
	 * write what it likes there. Without that flag nothing is known: a
	 * message from before anybody asked, or from where neither its user
	 * nor its process has a number here, as in another container. */
	struct unixcred cred;
	/* Receiving: with UNIXMSG_WANT_PIDFD a pidfd of whoever wrote the
	 * message, close-on-exec, yours to close; -1 when there is none, as
	 * when he is dead and reaped. */
	int pidfd;
	/* For later versions: 0. */
	uint64_t reserved[8];
};

/*
 * An empty message, as all zero is one, too: no payload, no address, no
 * descriptors, no flags. Use it again and again for receiving.
 *
 *	struct unixmsg msg = { .data = bytes, .room = sizeof(bytes) };
 */
void unixmsg_init(struct unixmsg *msg);

/*
 * Closes the descriptors and the pidfd that a message was received with, and
 * forgets them. For whoever has no more use for any of them.
 */
void unixmsg_close_fds(struct unixmsg *msg);

#ifdef __cplusplus
}
#endif
#endif
