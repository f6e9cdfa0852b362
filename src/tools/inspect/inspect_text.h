/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_TEXT_H
#define UNIXMSG_TOOLS_INSPECT_TEXT_H

/*
 * Names for people, in printable ASCII only. A result without a buffer of the
 * caller is valid until the next call of the same function.
 */

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "unixmsg/addr.h"

/* Room for the text of every path, its NUL included. */
#define INSPECT_PATH_TEXT_SIZE (4 * PATH_MAX + 4)

/* Formats a path of any length, like unixaddr_format. */
const char *inspect_text_path(const char *path, char *text, size_t room);

/* Formats any other bytes, and escapes those that are not printable. */
const char *inspect_text_bytes(const char *bytes, size_t size, char *text,
	size_t room);

/* Returns the text of addr; "-" for an unnamed one. */
const char *inspect_text_address(const struct unixaddr *addr);

/* Returns the name, or the number if there is none. */
const char *inspect_text_user(uid_t user);
const char *inspect_text_group(gid_t group);

/* Returns unixgram, unixpacket or unix, for the type of a socket. */
const char *inspect_text_network(int type);

#endif
