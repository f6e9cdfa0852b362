/* SPDX-License-Identifier: MIT */
/*
 * offer: what both sides say on the socket until they have a lane. A client
 * that wants one shows it by its name, which means nothing to others. All that
 * is said bears the number in that name, which only the two of them know, so
 * that nobody's message is taken for it. Neither call waits.
 *
 *	client                          server
 *	name with a number
 *	                                HELLO, with its memory
 *	ACCEPT, with its own
 *	                                GO: what I send from here on is the
 *	                                lane's
 *	GO: and what I send
 *
 * Each side may say NO instead, and the connection stays what it is.
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

/* A name with a number that cannot be guessed. -1: there is no randomness. */
int unixoffer__make_name(struct unixaddr *addr, uint64_t *number);

/* Whether addr is such a name. */
bool unixoffer__read_name(const struct unixaddr *addr, uint64_t *number);

/* memory_fd goes with it, unless it is -1, and stays the caller's. 0, or -1
 * with EAGAIN (not now) and those of sendmsg(2). */
int unixoffer__send(int fd, enum offer_kind kind, uint64_t number,
	int memory_fd);

/* What is first on the socket of all that: OFFER_NONE, something else, or
 * nothing. 0, or -1 with those of recv(2), but for EAGAIN. */
int unixoffer__peek(int fd, uint64_t number, enum offer_kind *kind);

/* Takes it, with its descriptor, which is the caller's, or -1 where none came
 * with it. 0, or -1 with those of recvmsg(2): it is there still. */
int unixoffer__take(int fd, int *memory_fd);

#endif
