/* SPDX-License-Identifier: MIT */
/*
 * unixmsg: one message, with all that belongs to it.
 *
 * The plain calls (unixconn_send, unixconn_recv) take a buffer and a size.
 * Their _msg forms take this structure for more: a payload in several parts, an
 * address, descriptors, the writer's credentials and pidfd, the beginning of a
 * message that is too long, and the kernel's report of everything that it
 * truncated.
 *
 * Receiving gives only the payload, unless unixconn_want or the options ask for
 * more. Since Linux 6.16 the kernel refuses descriptors that nobody asked for,
 * and the sender gets EPERM; on older kernels they are closed, and the message
 * arrives without them.
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

/* Receives the beginning of a message that is longer than the room, without an
 * error. */
#define UNIXMSG_PREFIX 0x1u
/*
 * Leaves the message in the queue: the next call gives it again. On unixgram
 * and unixpacket each call gives new copies of its descriptors; on unix only
 * the call that takes the message gives them. In a batch: EINVAL.
 */
#define UNIXMSG_PEEK 0x2u

/* Flags that the caller sets before sending. */

/*
 * Sends cred with the message, instead of the credentials that the kernel would
 * add. cred may name our own process, and our real, effective or saved user and
 * group. Any other pid needs CAP_SYS_ADMIN, any other user CAP_SETUID, any
 * other group CAP_SETGID; without it the send fails with EPERM. In a batch:
 * EINVAL.
 */
#define UNIXMSG_SEND_CRED 0x4u

/* Flags that receiving sets. */

/* The payload was longer than the room; size is its true size. */
#define UNIXMSG_CUT 0x100u
/* Descriptors or other control data are lost: the caller had not asked for
 * them, fds had no room, or the process can open no more descriptors. */
#define UNIXMSG_CUT_CONTROL 0x200u
/* cred is valid. */
#define UNIXMSG_HAS_CRED 0x400u

/* Requests for more than the payload, for unixconn_want. */

/* Descriptors, as many as fds has room for. */
#define UNIXMSG_WANT_FDS 0x1u
/*
 * The credentials of the writer: its real user and group when it wrote the
 * message. With this set, the kernel gives a socket that has no name an
 * abstract one when it connects or sends.
 */
#define UNIXMSG_WANT_CRED 0x2u
/* A pidfd of the writer. ENOTSUP before Linux 6.5. */
#define UNIXMSG_WANT_PIDFD 0x4u

/* Bounds. */

/* The most descriptors that the kernel passes in one message; musl sends one
 * less, or fails with ENOMEM. */
#define UNIXMSG_FDS_MAX 253

/* The most messages that one system call of a batch sends or receives. */
#define UNIXMSG_BATCH_MAX 64

struct unixmsg {
	/* The payload, to send or to receive: room bytes at data if parts is
	 * NULL, else parts_count parts, at most 1024 (IOV_MAX); EINVAL for
	 * more. The memory stays yours. */
	void *data;
	size_t room;
	struct iovec *parts;
	size_t parts_count;
	/* Receiving stores the true size of the message in bytes, also if the
	 * message was truncated. */
	size_t size;
	/* The address of a datagram: receiving stores the sender there, sending
	 * reads the receiver. NULL if you do not want it, or to send to the
	 * connected peer. Receiving on a connection stores the peer's address.
	 * Sending with an address fails with EINVAL on a connection, and with
	 * EISCONN on a connected datagram socket. */
	struct unixaddr *addr;
	/* Before sending: UNIXMSG_SEND_CRED or 0. Before receiving:
	 * UNIXMSG_PREFIX, UNIXMSG_PEEK or 0; afterwards also the flags that
	 * receiving sets. A call ignores the latter when it begins, and clears
	 * them; unknown bits are EINVAL. */
	unsigned int flags;
	/* Sending: fds_count descriptors go with the message, at most
	 * UNIXMSG_FDS_MAX. They stay yours, and open. Receiving: fds has room
	 * for fds_room descriptors; fds_room must be 0 without UNIXMSG_WANT_FDS
	 * (EINVAL). When the call returns 1, the first fds_count of them are
	 * set: close-on-exec, and yours to close. Otherwise fds_count is 0, and
	 * pidfd -1. The call closes all others, sets fds_lost to their number,
	 * and sets UNIXMSG_CUT_CONTROL. It sets that flag, too, if the kernel
	 * has dropped descriptors itself. */
	int *fds;
	size_t fds_room;
	size_t fds_count;
	size_t fds_lost;
	/* Receiving, with UNIXMSG_HAS_CRED in flags: the writer of the message.
	 * uid is the real user (unixpeer_get_cred gives the effective one);
	 * root may send any credentials. Without the flag the writer is
	 * unknown: the message was sent before you asked for credentials, or
	 * the writer's user and process have no number here, for example in
	 * another container. */
	struct unixcred cred;
	/* Receiving, with UNIXMSG_WANT_PIDFD: a pidfd of the writer,
	 * close-on-exec, yours to close. -1 if there is none, for example if
	 * the writer is dead and reaped. */
	int pidfd;
	/* For later versions: 0. */
	uint64_t reserved[8];
};

/*
 * Makes msg an empty message: no payload, no address, no descriptors, no flags.
 * A structure of zeros is an empty message, too. You may receive into the same
 * msg again and again.
 *
 *	struct unixmsg msg = { .data = bytes, .room = sizeof(bytes) };
 */
void unixmsg_init(struct unixmsg *msg);

/* Closes the descriptors and the pidfd of a received message, and removes them
 * from msg. */
void unixmsg_close_fds(struct unixmsg *msg);

#ifdef __cplusplus
}
#endif
#endif
