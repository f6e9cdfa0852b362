/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_RUN_H
#define UNIXMSG_TOOLS_TAP_RUN_H

struct tap_options;

/* Taps until a signal, --count, or the loss of the name or the server. Returns
 * the exit status. */
int tap_run(const struct tap_options *options);

#endif
