/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_EXPLAIN_H
#define UNIXMSG_TOOLS_EXPLAIN_H

/*
 * What an errno means for the person who typed the command, and what to do.
 * The results belong to this room and are valid until its next call.
 */

#include <stdbool.h>
#include <stddef.h>

struct network;

/* From now on advice names networks of the command line instead of tools. */
void explain_choose_network(void);

/* address in printable ASCII, for a message. */
const char *explain_text(const char *address);

/* The system's text, and for some errors what to do. */
const char *explain_error(int error);

/*
 * Why address could not be bound; is_given tells whether the file was to be
 * another user's or group's.
 */
const char *explain_listen(const char *address, bool is_given, int error);

/* Why address could not be reached; own is our address, or NULL. */
const char *explain_dial(const struct network *network, const char *address,
	const char *own, int error);

/* Why a message of size bytes could not be sent. */
const char *explain_send(const struct network *network, size_t size, int error);

/*
 * What may be behind a server that has given no answer at all, to stand behind
 * the complaint, or "": that it is another user's, and may refuse us.
 */
const char *explain_silence(const struct network *network, const char *address);

/* Whether it is where a service with PrivateTmp= has files of its own. */
bool explain_is_temporary(const char *address);

/* Why the answers of the server at address may not reach us. */
const char *explain_closed_way(const char *own, int error);

#endif
