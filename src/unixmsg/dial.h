/* SPDX-License-Identifier: MIT */
/*
 * unixdial: how a client reaches a server, on all networks.
 *
 * The _dial functions take the server's address as text, struct
 * unixdial_options or NULL for the defaults, and a deadline. A path may be
 * longer than 108 bytes. Their errors besides those of socket(2) and
 * connect(2):
 *   EINVAL        malformed address, unknown flags; "@" names nobody
 *   ENAMETOOLONG  an abstract name, or an own address, that has no room
 *   ENOENT        there is no such name
 *   ENOSYS        a path of more than 108 bytes takes /proc, which is missing
 *   ECONNREFUSED  nobody owns it, or the owner does not listen
 *   EPROTOTYPE    the owner speaks another of the three networks. Of abstract
 *                 names each network has its own: ECONNREFUSED there.
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
 * EACCES: the server may still be on its way. ETIMEDOUT when none came. */
#define UNIXMSG_DIAL_WAIT 0x1u

/* unixgram only: when a send finds that the server is gone (ECONNREFUSED,
 * ENOTCONN), connect again to its address, waiting for it as above until the
 * deadline of that send, and send the message then. What the old server had
 * not read is lost, and so are its answers that we had not received. Between
 * the loss and that send nothing is received, see unixmsg/gram.h. */
#define UNIXMSG_DIAL_RECONNECT 0x2u

struct unixdial_options {
	/* An address of our own, as text; it belongs to the connection and its
	 * file is removed by _close. NULL, the default: connections stay
	 * unnamed, unixgram gets one that can be answered, see
	 * unixmsg/gram.h. "@": any free abstract name. */
	const char *own;
	/* UNIXMSG_DIAL_..., default 0. Unknown bits are EINVAL. */
	unsigned int flags;
	/* The stop descriptor, see unixmsg/deadline.h, from the dial itself
	 * on; default -1, none. */
	int stop_fd;
	/* unixgram only: permissions of the file of own, 0 to 0777, as in
	 * unixmsg/name.h; 0, the default: 0600 for a server of our own user,
	 * else 0666, see unixmsg/gram.h. */
	mode_t own_mode;
	unsigned int unused; /* 0 */
	/* For later versions. Leave them as unixdial_options_init did. */
	uint64_t reserved[7];
};

/* Fills in the defaults. Call it before you set a field. */
void unixdial_options_init(struct unixdial_options *options);

#ifdef __cplusplus
}
#endif
#endif
