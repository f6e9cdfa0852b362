/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_FRONT_H
#define UNIXMSG_TOOLS_TAP_FRONT_H

/* front: the socket that clients find in the place of the server's. */

#include <stdbool.h>

#include "tools/tap/tap.h"

struct tap_front;
struct tap_name;

/* Listens at name, and reports that. name stays the caller's; closing the front
 * gives it back. Returns NULL after a complaint. */
struct tap_front *tap_front_open(struct tap *tap, struct tap_name *name);

/* Does the work that is due without an event. */
void tap_front_look(struct tap_front *front);

/*
 * Serves the clients or messages that wait at the name, gives the name back,
 * and accepts no more. Call it again until it returns true: the server may have
 * no room for a while. With is_late it complains about clients that still wait,
 * and drops them.
 */
bool tap_front_finish(struct tap_front *front, bool is_late);

/* front may be NULL. */
void tap_front_close(struct tap_front *front);

#endif
