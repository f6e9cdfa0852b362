/* SPDX-License-Identifier: MIT */
/*
 * offer: the messages by which both sides agree on a lane, on the socket. A
 * client that wants a lane binds a name that shows it. The name means nothing
 * to other programs. Every message of the offer has the number that is in the
 * name. The number is random, so no other message is taken for one by chance.
 * No call waits.
 *
 *	client                          server
 *	name with a number
 *	                                HELLO, with its segment
 *	ACCEPT, with its segment
 *	                                GO: from now on I send by the lane
 *	GO: so do I
 *
 * Each side may send NO instead; the connection then stays without a lane.
 */
#ifndef UNIXMSG_OFFER_H
#define UNIXMSG_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "unixmsg/addr.h"

enum offer_kind {
	OFFER_NONE,
	OFFER_HELLO,
	OFFER_ACCEPT,
	OFFER_GO,
	OFFER_NO,
};

/* Makes a name with a random number. Returns 0, or -1 with an error of
 * getrandom(2). */
int unixoffer__make_name(struct unixaddr *addr, uint64_t *number);

/* Returns true if addr is such a name, and stores its number. */
bool unixoffer__read_name(const struct unixaddr *addr, uint64_t *number);

/*
 * Sends one message of the offer, with memory_fd unless that is -1; memory_fd
 * stays the caller's. Returns 0; -1 with EAGAIN (no room now) or an error of
 * sendmsg(2).
 */
int unixoffer__send(int fd, enum offer_kind kind, uint64_t number,
	int memory_fd);

/*
 * Looks at the first message on the socket, and stores its kind. OFFER_NONE: it
 * belongs to no offer. Returns 0; -1 with EAGAIN (there is none) or another
 * error of recv(2).
 */
int unixoffer__peek(int fd, uint64_t number, enum offer_kind *kind);

/*
 * Receives that message, and stores its descriptor, which is the caller's, or
 * -1 if it has none. Returns 0; -1 with an error of recvmsg(2): the message is
 * still there.
 */
int unixoffer__take(int fd, int *memory_fd);

#endif
