/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_REPLAY_H
#define UNIXMSG_TOOLS_TAP_REPLAY_H

struct tap_options;

/* Sends what the clients of a recording have sent, and compares the answers up
 * to the first difference. Returns the exit status. */
int tap_replay(const struct tap_options *options);

#endif
