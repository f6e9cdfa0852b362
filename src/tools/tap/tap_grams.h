/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_GRAMS_H
#define UNIXMSG_TOOLS_TAP_GRAMS_H

/*
 * Datagrams: each client that has an address gets a socket of its own that is
 * connected to the server, so that answers go to the right one. The server sees
 * that socket's address. Clients without an address share one without an
 * address.
 */

#include "tools/tap/tap.h"

struct tap_grams;

/* Begins to pass on what comes to front, which stays the caller's. NULL after a
 * complaint. */
struct tap_grams *tap_grams_open(struct tap *tap, struct unixconn *front);

/* grams may be NULL. */
void tap_grams_close(struct tap_grams *grams);

/* Tries again what could not be sent. */
void tap_grams_look(struct tap_grams *grams);

/* Passes on what waits in the queue of front; false while that takes longer. */
bool tap_grams_finish(struct tap_grams *grams);

#endif
