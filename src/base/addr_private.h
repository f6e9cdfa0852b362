/* SPDX-License-Identifier: MIT */
/* addr: what the other rooms of the library use besides unixmsg/addr.h. */
#ifndef UNIXMSG_ADDR_PRIVATE_H
#define UNIXMSG_ADDR_PRIVATE_H

#include "unixmsg/addr.h"

/*
 * What the kernel may fill in: more than struct sockaddr_un has, so that the
 * NUL behind a path of 108 bytes arrives.
 */
#define UNIXMSG_ADDR_ROOM \
	(sizeof(struct sockaddr_un) + sizeof(((struct unixaddr *)0)->spare))

/*
 * Takes the escapes out of text: name gets the bytes as sun_path holds them,
 * a NUL first for an abstract name, and one NUL behind. Errors: EINVAL,
 * ENAMETOOLONG (more than room - 1 bytes).
 */
int unixaddr__decode(const char *text, char *name, size_t room, size_t *size);

/* Room for the text of one piece, and a NUL: \xHH\{N}. */
#define UNIXADDR_PIECE_SIZE 28

/*
 * Writes the text of the first of these bytes, of which there is at least one,
 * or of more where they are equal. Returns how many they are; *used is the
 * length of the text, which has no NUL behind it.
 */
size_t unixaddr__encode(const char *bytes, size_t size,
	char text[UNIXADDR_PIECE_SIZE], size_t *used);

/*
 * Puts right what the kernel wrote into addr, length being what it said:
 * nothing for an unbound sender.
 */
void unixaddr__settle(struct unixaddr *addr, socklen_t length);

#endif
