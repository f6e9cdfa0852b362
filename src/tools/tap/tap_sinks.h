/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_SINKS_H
#define UNIXMSG_TOOLS_TAP_SINKS_H

/* sinks: standard output and the file of --write, which get the events. */

#include "tools/tap/tap.h"

/* Starts tap->printer and tap->writer, as the options say. 0, or -1 after a
 * complaint. */
int tap_sinks_open(struct tap *tap);

/* Watches that neither ends early. 0, or -1 after a complaint. */
int tap_sinks_watch(struct tap *tap);

/* Stores in tap how much was left out so far. */
void tap_sinks_count(struct tap *tap);

/* Waits until all is written. 0, or -1 if something could not be. */
int tap_sinks_close(struct tap *tap);

#endif
