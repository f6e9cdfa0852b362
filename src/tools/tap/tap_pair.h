/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_PAIR_H
#define UNIXMSG_TOOLS_TAP_PAIR_H

/*
 * A connection of a client and one to the server, which belong together. Each
 * direction goes its own way: what one side has sent is received only when all
 * before it has gone to the other, and a half-close is passed on. So the tap
 * holds one batch of each direction at most. While batches hold more than
 * fds_most descriptors, it receives only what it can pass on at once.
 */

#include "tools/tap/tap.h"

/*
 * Dials the server for client, whom cred describes, and begins to pass on; or
 * closes client, after a complaint. Returns false with errno if the server
 * cannot be dialled for the moment: client stays the caller's, who tries again.
 */
bool tap_pair_open(struct tap *tap, struct unixconn *client,
	const struct unixcred *cred);

/*
 * If there are as many connections as may be, the user with the most loses the
 * newest one. Returns false if that is uid, for whose new client there is no
 * room then.
 */
bool tap_pair_make_room(struct tap *tap, uid_t uid);

void tap_pair_close_all(struct tap *tap);

#endif
