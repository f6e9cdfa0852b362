/* SPDX-License-Identifier: MIT */
/*
 * unixdial: how a client reaches a server, on all networks.
 *
 * unixconn_dial takes the server's address as text, struct unixdial_options or
 * NULL for the defaults, and a deadline. A path may be longer than 108 bytes.
 * The errors, besides those of socket(2) and connect(2):
 *
 *   EINVAL        no such network, a malformed address ("@" names nobody),
 *                 options that make no sense, a negative deadline
 *   ENAMETOOLONG  an abstract name, or an address of our own, is too long
 *   ENOENT        there is no such name
 *   ENOSYS        a path of more than 108 bytes needs /proc, which is missing
 *   ECONNREFUSED  nobody owns the name, or its owner does not listen
 *   EPROTOTYPE    the owner speaks another of the three networks. Each network
 *                 has its own abstract names, so there it is ECONNREFUSED.
 *   ENOTSUP       UNIXMSG_WANT_PIDFD before Linux 6.5
 *   EAGAIN, ETIMEDOUT, ECANCELED  see unixmsg/deadline.h; a listener with a
 *                 full backlog makes connections wait
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
 * EACCES: the server may still be starting. ETIMEDOUT if no server came, EAGAIN
 * with UNIXMSG_NOW.
 */
#define UNIXMSG_DIAL_WAIT 0x1u

/*
 * unixgram only: a send that finds the server gone (ECONNREFUSED, ENOTCONN)
 * connects again to its address and then sends the message. It waits for the
 * server as above, until the deadline of that send. Messages that the old
 * server had not read are lost, and so are its answers that we had not
 * received. Between the loss and that send the socket receives nothing, see
 * unixmsg/conn.h.
 */
#define UNIXMSG_DIAL_RECONNECT 0x2u

/*
 * unixgram only: binds no own address. The server cannot answer, and knows the
 * sender by credentials only: for a client that only sends, for example to a
 * log.
 */
#define UNIXMSG_DIAL_UNNAMED 0x4u

/* All zero is the defaults. EINVAL: unknown flags, a mode above 0777, a value
 * below zero. */
struct unixdial_options {
	/* An address of our own, as text; unixconn_close removes its file.
	 * NULL, the default: connections stay unnamed, unixgram gets an address
	 * that the server can answer to, see unixmsg/conn.h. "@": any free
	 * abstract name. */
	const char *own;
	/* UNIXMSG_DIAL_..., default 0. */
	unsigned int flags;
	/* The stop descriptor, see unixmsg/deadline.h, also for the dial
	 * itself; 0, the default, and -1 for none. */
	int stop_fd;
	/* unixgram only: the permissions of the file of own, to 0777, as in
	 * unixmsg/listen.h. 0, the default: 0600 for a server of our own user,
	 * else 0666, see unixmsg/conn.h. */
	mode_t own_mode;
	/* The parts of a message to receive besides the payload, from the
	 * server's first message on: UNIXMSG_WANT_..., see unixmsg/msg.h;
	 * default 0. unixconn_want after the dial is too late for a server that
	 * sends at once: the kernel refuses its descriptors until then (EPERM
	 * to it, Linux 6.16), and its messages have no credentials. */
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
