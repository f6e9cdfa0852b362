/* SPDX-License-Identifier: MIT */
/*
 * offer: the messages by which both sides agree on a lane, on the socket. A
 * client that wants a lane binds a name that shows it. The name means nothing
 * to other programs. No call waits.
 *
 *	client                          server
 *	name with a number
 *	                                HELLO, with its segment
 *	ACCEPT, with its segment
 *	                                GO: from now on I send by the lane
 *	GO: so do I
 *
 * Each side may send NO instead; the connection then stays without a lane.
 *
 * Every message of the offer has the number that is in the name. Everybody on
 * this machine can read that, so it proves nothing: handshake.c says what does.
 * HELLO is proved by its segment. All others have the secret that is in that
 * segment, and only the two sides can read it.
 */
#ifndef UNIXMSG_OFFER_H
#define UNIXMSG_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "lane/segment.h"
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

/* Finds out in which network namespace the client was when it made the socket
 * fd, or the one that fd is connected to. Returns 0; -1 before Linux 5.14. */
int unixoffer__get_space(int fd, uint64_t *space);

/*
 * Sends one message of the offer. If memory_fd is not -1, sends it too, with
 * the credentials of this process; it stays the caller's. Returns 0; -1 with
 * EAGAIN (no room now) or an error of sendmsg(2).
 */
int unixoffer__send(int fd, enum offer_kind kind, const struct segment_key *key,
	int memory_fd);

/*
 * Looks at the first message on the socket, and stores its kind. OFFER_NONE: it
 * belongs to no offer, or to that of another connection. Returns 0; -1 with
 * EAGAIN (there is none) or another error of recv(2).
 */
int unixoffer__peek(int fd, const struct segment_key *key,
	enum offer_kind *kind);

/* The memory and the writer of a message. */
struct offer_memory {
	int fd;       /* the caller's, or -1 */
	bool is_lost; /* there was one, and no descriptor was free for it */
	bool has_writer;
	uid_t writer;
};

/*
 * Receives that message, or only looks at what comes with it if flags is
 * MSG_PEEK. Returns 0; -1 with an error of recvmsg(2): the message is still
 * there, and memory has no descriptor.
 */
int unixoffer__receive(int fd, int flags, struct offer_memory *memory);

/* Receives that message and drops it. Returns 0; -1 with an error of recv(2):
 * the message is still there. */
int unixoffer__drop(int fd);

#endif
