/* SPDX-License-Identifier: MIT */
/*
 * unixdial: how a client reaches a server, on all networks.
 *
 * unixconn_dial takes the server's address as text, a pointer to struct
 * unixdial_options or NULL for the defaults, and a deadline. A path may be
 * longer than 108 bytes. The errors, besides those of socket(2) and connect(2):
 *
 *   EINVAL        no such network, a malformed address (or "@" alone), options
 *                 that make no sense, a negative deadline
 *   ENAMETOOLONG  an abstract name, or an address of our own, is too long
 *   ENOENT        the path does not exist
 *   ENOSYS        a path of more than 108 bytes needs /proc, which is missing
 *   ECONNREFUSED  no live socket has the name, or its owner does not listen
 *   EPROTOTYPE    the owner is on another of the three networks. For an
 *                 abstract name that is ECONNREFUSED, since each network has
 *                 abstract names of its own.
 *   ENOTSUP       UNIXMSG_WANT_PIDFD before Linux 6.5; an option that the
 *                 network does not have
 *   EAGAIN, ETIMEDOUT, ECANCELED  see unixmsg/deadline.h; on unixpacket and
 *                 unix the dial waits while the listener's backlog is full
 */
#ifndef UNIXMSG_DIAL_H
#define UNIXMSG_DIAL_H

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Tries again on ENOENT and ECONNREFUSED until the deadline, and a few times on
 * EACCES: the server may still be starting. Fails with ETIMEDOUT if no server
 * appeared, with EAGAIN for UNIXMSG_NOW.
 */
#define UNIXMSG_DIAL_WAIT 0x1u

/*
 * unixgram only: a send that finds the server gone (ECONNREFUSED, ENOTCONN)
 * connects again to its address and then sends the message. Until its own
 * deadline the send waits for the server as if UNIXMSG_DIAL_WAIT were set. The
 * messages that the old server had not read are lost, and so are its answers
 * that we had not received. The new server reaches us only after that send, see
 * unixmsg/conn.h.
 */
#define UNIXMSG_DIAL_RECONNECT 0x2u

/*
 * unixgram only: binds no address of our own. The server cannot answer, and
 * knows the sender by its credentials only. Use it for a client that only
 * sends, for example to a log.
 */
#define UNIXMSG_DIAL_UNNAMED 0x4u

/*
 * unixpacket only, without options->own: asks the server for a lane, see
 * unixconn_is_lane. If the server offers none, the connection works without.
 */
#define UNIXMSG_DIAL_LANE 0x8u

/*
 * A structure of zeros has the defaults. EINVAL: unknown flags, a mode above
 * 0777, a value below zero other than a stop_fd of -1, own together with
 * UNIXMSG_DIAL_UNNAMED or UNIXMSG_DIAL_LANE.
 */
struct unixdial_options {
	/* An address of our own, as text; unixconn_close removes its file.
	 * NULL, the default, leaves a connection unnamed, and gives a datagram
	 * socket an address that the server can answer to, see unixmsg/conn.h.
	 * "@" is any free abstract name. On unixpacket a name saves the server
	 * time: it can receive by recvfrom(2), but it needs recvmsg(2) for a
	 * client without a name. */
	const char *own;
	/* UNIXMSG_DIAL_..., default 0. */
	unsigned int flags;
	/* The stop descriptor, see unixmsg/deadline.h, also for the dial
	 * itself; 0, the default, and -1 for none. */
	int stop_fd;
	/* unixgram only: the permissions of the file at own, at most 0777, as
	 * in unixmsg/listen.h. 0, the default, is 0600 for a server of our own
	 * user, else 0666, see unixmsg/conn.h. */
	mode_t own_mode;
	/* The parts of a message to receive besides the payload, from the
	 * server's first message on: UNIXMSG_WANT_..., see unixmsg/msg.h;
	 * default 0. If the server sends at once, unixconn_want after the dial
	 * is too late. Before unixconn_want the kernel refuses descriptors from
	 * the server (the server's send fails with EPERM, Linux 6.16), and the
	 * server's messages have no credentials. */
	unsigned int wants;
	/* The time that calls spin before they sleep, see unixmsg/deadline.h;
	 * default 0. */
	int64_t spin_us;
	/* For later versions: 0. */
	uint64_t reserved[6];
};

#define UNIXMSG_DIAL_OPTIONS_INIT \
	{                         \
		0                 \
	}

#ifdef __cplusplus
}
#endif
#endif
