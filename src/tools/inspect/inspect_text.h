/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_TEXT_H
#define UNIXMSG_TOOLS_INSPECT_TEXT_H

/*
 * Names as people read them, in printable ASCII only. What is returned without
 * a buffer of the caller's is good until the next call of the same function.
 */

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "unixmsg/addr.h"

/* Room for the text of every path, its NUL included. */
#define INSPECT_PATH_TEXT_SIZE (4 * PATH_MAX + 4)

/* A path of any length, as unixaddr_format would write it. */
const char *inspect_text_path(const char *path, char *text, size_t room);

/* Anything else: bytes that are not printable are escaped. */
const char *inspect_text_bytes(const char *bytes, size_t size, char *text,
	size_t room);

/* The text of addr; "-" for an unnamed one. */
const char *inspect_text_address(const struct unixaddr *addr);

/* The name, else the number. */
const char *inspect_text_user(uid_t user);
const char *inspect_text_group(gid_t group);

/* unixgram, unixpacket, unix, after the type of a socket. */
const char *inspect_text_network(int type);

#endif
