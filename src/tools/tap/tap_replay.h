/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_REPLAY_H
#define UNIXMSG_TOOLS_TAP_REPLAY_H

struct tap_options;

/* Sends the messages of the clients in a recording again, and compares the
 * answers up to the first difference. Returns the exit status. */
int tap_replay(const struct tap_options *options);

#endif
