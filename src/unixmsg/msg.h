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
 * A message is received with nothing but its payload, unless unixconn_want or
 * the options ask for more. The kernel refuses descriptors that nobody asked
 * for (Linux 6.16: the sender gets EPERM); before that the library closes them.
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
 * and unixpacket each call gives new copies of its descriptors; on unix they
 * come with the message itself. Not for batches.
 */
#define UNIXMSG_PEEK 0x2u

/* Flags that the caller sets before sending. */

/*
 * Sends cred with the message, instead of the credentials that the kernel would
 * add. It may be our own process and our real, effective or saved user and
 * group; EPERM for others without CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID. Not
 * for batches.
 */
#define UNIXMSG_SEND_CRED 0x4u

/* Flags that receiving sets. */

/* The payload was longer than the room; size is its true size. */
#define UNIXMSG_CUT 0x100u
/* Descriptors or other control data are lost: nobody had asked for them, fds
 * had no room, or the process may open no more descriptors. */
#define UNIXMSG_CUT_CONTROL 0x200u
/* cred is valid. */
#define UNIXMSG_HAS_CRED 0x400u

/* Requests for more than the payload, for unixconn_want. */

/* Descriptors, as many as fds has room for. */
#define UNIXMSG_WANT_FDS 0x1u
/*
 * The credentials of the writer: its real user and group when it wrote the
 * message. The kernel gives a socket without a name an abstract one, when it
 * connects or sends with this set.
 */
#define UNIXMSG_WANT_CRED 0x2u
/* A pidfd of the writer. Linux 6.5, else ENOTSUP. */
#define UNIXMSG_WANT_PIDFD 0x4u

/* Bounds. */

/* The most descriptors that the kernel passes in one message; musl sends one
 * less, or fails with ENOMEM. */
#define UNIXMSG_FDS_MAX 253

/* The most messages that one system call of a batch sends or receives. */
#define UNIXMSG_BATCH_MAX 64

struct unixmsg {
	/* The payload, to send or to receive: room bytes at data, or, unless
	 * parts is NULL, several parts, at most 1024 (IOV_MAX), more are
	 * EINVAL. All of it stays yours. */
	void *data;
	size_t room;
	struct iovec *parts;
	size_t parts_count;
	/* Receiving stores the true size of the message in bytes, also if the
	 * message was truncated. */
	size_t size;
	/* The address of a datagram: receiving stores the sender, sending takes
	 * the receiver. NULL if it is not wanted, or to send to the connected
	 * peer. Receiving on a connection stores the peer's address; sending
	 * there is EINVAL unless this is NULL. */
	struct unixaddr *addr;
	/* Before sending: UNIXMSG_SEND_CRED or 0. Before receiving:
	 * UNIXMSG_PREFIX, UNIXMSG_PEEK or 0; afterwards also the flags that
	 * receiving sets. A call ignores and clears those at its beginning;
	 * unknown bits are EINVAL. */
	unsigned int flags;
	/* Sending: fds_count descriptors go with the message, at most
	 * UNIXMSG_FDS_MAX. They stay yours, and open. Receiving: fds has room
	 * for fds_room descriptors; fds_room must be 0 without UNIXMSG_WANT_FDS
	 * (EINVAL). When the call gives 1, fds_count of them are set,
	 * close-on-exec, and yours to close. The call closes all others, and
	 * sets fds_lost to their number. UNIXMSG_CUT_CONTROL is set then, and
	 * also if the kernel lost some earlier. */
	int *fds;
	size_t fds_room;
	size_t fds_count;
	size_t fds_lost;
	/* Receiving, with UNIXMSG_HAS_CRED: the writer of the message. It is
	 * the real user, not the effective one of unixpeer_get_cred; root may
	 * write any credentials there. Without that flag nothing is known: the
	 * message is older than the request, or the writer's user and process
	 * have no number here, as in another container. */
	struct unixcred cred;
	/* Receiving, with UNIXMSG_WANT_PIDFD: a pidfd of the writer,
	 * close-on-exec, yours to close. -1 if there is none, as for a writer
	 * that is dead and reaped. */
	int pidfd;
	/* For later versions: 0. */
	uint64_t reserved[8];
};

/*
 * Makes msg an empty message: no payload, no address, no descriptors, no flags.
 * All zero is an empty message, too. Use one message again and again for
 * receiving.
 *
 *	struct unixmsg msg = { .data = bytes, .room = sizeof(bytes) };
 */
void unixmsg_init(struct unixmsg *msg);

/* Closes the descriptors and the pidfd of a received message, and forgets them.
 * For a caller that needs none of them any more. */
void unixmsg_close_fds(struct unixmsg *msg);

#ifdef __cplusplus
}
#endif
#endif
