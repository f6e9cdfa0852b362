/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_GRAMS_H
#define UNIXMSG_TOOLS_TAP_GRAMS_H

/*
 * Datagrams. Each client with an address gets its own socket, connected to the
 * server, so that answers find the client. The server sees the address of that
 * socket. Clients without an address share a socket without an address.
 */

#include "tools/tap/tap.h"

struct tap_grams;

/* Begins to pass on messages that arrive at front, which stays the caller's.
 * Returns NULL after a complaint. */
struct tap_grams *tap_grams_open(struct tap *tap, struct unixconn *front);

/* grams may be NULL. */
void tap_grams_close(struct tap_grams *grams);

/* Tries again to send messages that had no room. */
void tap_grams_look(struct tap_grams *grams);

/* Passes on messages in the queue of front. Returns false if some are left. */
bool tap_grams_finish(struct tap_grams *grams);

#endif
