/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_FRONT_H
#define UNIXMSG_TOOLS_TAP_FRONT_H

/* front: the socket that clients find in the place of the server's. */

#include <stdbool.h>

#include "tools/tap/tap.h"

struct tap_front;
struct tap_name;

/* Listens at name, which stays the caller's and is given back when the front is
 * closed, and says so. NULL after a complaint. */
struct tap_front *tap_front_open(struct tap *tap, struct tap_name *name);

/* Does what is due without an event. */
void tap_front_look(struct tap_front *front);

/*
 * Serves what waits at the name, gives the name back, and lets nobody more in.
 * Call it again until it returns true: the server may have no room for a while.
 * is_late drops what still waits, after a complaint.
 */
bool tap_front_finish(struct tap_front *front, bool is_late);

/* front may be NULL. */
void tap_front_close(struct tap_front *front);

#endif
