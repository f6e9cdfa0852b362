/* SPDX-License-Identifier: MIT */
/*
 * unixdial: how a client reaches a server, on all networks.
 *
 * unixconn_dial takes the server's address as text, struct unixdial_options or
 * NULL for the defaults, and a deadline. A path may be longer than 108 bytes.
 * Its errors besides those of socket(2) and connect(2):
 *   EINVAL        no such network, a malformed address ("@" names nobody),
 *                 options that cannot be meant, a negative deadline
 *   ENAMETOOLONG  an abstract name, or an own address, that has no room
 *   ENOENT        there is no such name
 *   ENOSYS        a path of more than 108 bytes takes /proc, which is missing
 *   ECONNREFUSED  nobody owns it, or the owner does not listen
 *   EPROTOTYPE    the owner speaks another of the three networks. Of abstract
 *                 names each network has its own: ECONNREFUSED there.
 *   ENOTSUP       UNIXMSG_WANT_PIDFD before Linux 6.5
 *   EAGAIN, ETIMEDOUT, ECANCELED  see unixmsg/deadline.h; a listener whose
 *                 backlog is full makes connections wait
 */
#ifndef UNIXMSG_DIAL_H
#define UNIXMSG_DIAL_H

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Try again on ENOENT and ECONNREFUSED until the deadline, and a few times on
 * EACCES: the server may still be on its way. ETIMEDOUT when none came, EAGAIN
 * with UNIXMSG_NOW. */
#define UNIXMSG_DIAL_WAIT 0x1u

/* unixgram only: when a send finds that the server is gone (ECONNREFUSED,
 * ENOTCONN), connect again to its address, waiting for it as above until the
 * deadline of that send, and send the message then. What the old server had
 * not read is lost, and so are its answers that we had not received. Between
 * the loss and that send nothing is received, see unixmsg/conn.h. */
#define UNIXMSG_DIAL_RECONNECT 0x2u

/* unixgram only: no own address. The server cannot answer, nor tell who has
 * sent but by credentials: for what is only ever sent, as to a log. */
#define UNIXMSG_DIAL_UNNAMED 0x4u

/* All zero is the defaults. EINVAL: unknown flags, a mode above 0777, anything
 * below zero. */
struct unixdial_options {
	/* An address of our own, as text; it belongs to the connection and its
	 * file is removed by unixconn_close. NULL, the default: connections
	 * stay unnamed, unixgram gets one that can be answered, see
	 * unixmsg/conn.h. "@": any free abstract name. */
	const char *own;
	/* UNIXMSG_DIAL_..., default 0. */
	unsigned int flags;
	/* The stop descriptor, see unixmsg/deadline.h, from the dial itself
	 * on; 0, the default, and -1 for none. */
	int stop_fd;
	/* unixgram only: permissions of the file of own, to 0777, as in
	 * unixmsg/listen.h; 0, the default: 0600 for a server of our own user,
	 * else 0666, see unixmsg/conn.h. */
	mode_t own_mode;
	/* What is received besides the payload, from the server's first message
	 * on: UNIXMSG_WANT_..., see unixmsg/msg.h; default 0. unixconn_want
	 * after the dial misses what a server sends at once: its descriptors
	 * are refused until then (EPERM to it, Linux 6.16), and its messages do
	 * not tell who wrote them. */
	unsigned int wants;
	/* How long calls try before they sleep, see unixmsg/deadline.h; default
	 * 0. */
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
