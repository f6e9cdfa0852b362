/* SPDX-License-Identifier: MIT */
/* addr: calls for the rest of the library, besides unixmsg/addr.h. */
#ifndef UNIXMSG_ADDR_PRIVATE_H
#define UNIXMSG_ADDR_PRIVATE_H

#include "unixmsg/addr.h"

/*
 * Room for an address from the kernel: more than struct sockaddr_un has, so
 * that the NUL behind a path of 108 bytes arrives.
 */
#define UNIXMSG_ADDR_ROOM \
	(sizeof(struct sockaddr_un) + sizeof(((struct unixaddr *)0)->spare))

/*
 * Decodes the escapes in text. name gets the bytes as in sun_path, a NUL first
 * for an abstract name, and one NUL at the end. Errors: EINVAL, ENAMETOOLONG
 * (more than room - 1 bytes).
 */
int unixaddr__decode(const char *text, char *name, size_t room, size_t *size);

/* Room for the text of one piece, and a NUL: \xHH\{N}. */
#define UNIXADDR_PIECE_SIZE 28

/*
 * Writes the text of the first byte, or of several first bytes if they are
 * equal; size is 1 or more. Returns the number of those bytes; *used is the
 * length of the text, which has no NUL at its end.
 */
size_t unixaddr__encode(const char *bytes, size_t size,
	char text[UNIXADDR_PIECE_SIZE], size_t *used);

/*
 * Corrects an address that the kernel has filled in. length is the kernel's: 0
 * for an unbound sender.
 */
void unixaddr__correct(struct unixaddr *addr, socklen_t length);

/*
 * Returns the same number for equal addresses. It spreads names well, but has
 * no secret key: peers can choose names for one bucket, so bound the length of
 * each bucket.
 */
uint64_t unixaddr__hash(const struct unixaddr *addr);

#endif
