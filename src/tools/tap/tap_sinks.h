/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_SINKS_H
#define UNIXMSG_TOOLS_TAP_SINKS_H

/* sinks: the outputs for events: standard output and the file of --write. */

#include "tools/tap/tap.h"

/* Starts tap->printer and tap->writer as the options say. Returns 0, or -1
 * after a complaint. */
int tap_sinks_open(struct tap *tap);

/* Watches for an early end of either. Returns 0, or -1 after a complaint. */
int tap_sinks_watch(struct tap *tap);

/* Stores in tap how many events were left out so far. */
void tap_sinks_count(struct tap *tap);

/* Waits until all events are written. Returns 0, or -1 if some could not be. */
int tap_sinks_close(struct tap *tap);

#endif
