/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_EXPLAIN_H
#define UNIXMSG_TOOLS_EXPLAIN_H

/*
 * What an errno means for the person who typed the command, and what to do.
 * The results belong to this room and are valid until its next call.
 */

#include <stddef.h>

struct network;

/* address in printable ASCII, for a message. */
const char *explain_text(const char *address);

/* Why address could not be bound. */
const char *explain_listen(const char *address, int error);

/* Why address could not be reached; own is our address, or NULL. */
const char *explain_dial(const struct network *network, const char *address,
	const char *own, int error);

/* Why a message of size bytes could not be sent. */
const char *explain_send(size_t size, size_t size_max, int error);

#endif
