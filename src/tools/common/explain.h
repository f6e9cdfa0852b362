/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_EXPLAIN_H
#define UNIXMSG_TOOLS_EXPLAIN_H

/*
 * Explains an errno to the user of a tool, with advice. The texts belong to
 * this file and are valid until the next call.
 */

#include <stdbool.h>
#include <stddef.h>

struct network;

/* Makes later advice name networks of the command line instead of tools. */
void explain_choose_network(void);

/* Returns address in printable ASCII, for a message. */
const char *explain_text(const char *address);

/* Returns the system's text, and advice for some errors. */
const char *explain_error(int error);

/*
 * Explains why address could not be bound. is_given: the command line asks for
 * another user or group of the file.
 */
const char *explain_listen(const char *address, bool is_given, int error);

/* Explains why the dial of address failed; own is our address, or NULL. */
const char *explain_dial(const struct network *network, const char *address,
	const char *own, int error);

/* Explains why a message of size bytes could not be sent. */
const char *explain_send(const struct network *network, size_t size, int error);

/*
 * Returns text to add to a complaint about a server that does not answer, if
 * another user runs it and it may refuse us; else "".
 */
const char *explain_silence(const struct network *network, const char *address);

/* True if a service with PrivateTmp= has its own files at address. */
bool explain_is_temporary(const char *address);

/* Explains why the answers of the server at address may not reach us. */
const char *explain_closed_way(const char *own, int error);

#endif
