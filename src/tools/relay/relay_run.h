/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_RUN_H
#define UNIXMSG_TOOLS_RELAY_RUN_H

struct relay_options;

/* Relays until a signal. Returns the exit status. */
int relay_run(const struct relay_options *options);

#endif
