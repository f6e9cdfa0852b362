/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_PAIR_H
#define UNIXMSG_TOOLS_TAP_PAIR_H

/*
 * A connection of a client, and the connection to the server that belongs to
 * it. The two directions are independent. In each, the tap receives a batch
 * only after it has sent the last one on, so it holds one batch at most. It
 * passes a half-close on. While batches hold more than fds_most descriptors, it
 * receives only messages that it can send on at once.
 */

#include "tools/tap/tap.h"

/*
 * Dials the server for client, whom cred describes, and begins to pass messages
 * on; or closes client after a complaint. Returns false with errno if the
 * server cannot be dialled for the moment: then client stays the caller's, for
 * another try.
 */
bool tap_pair_open(struct tap *tap, struct unixconn *client,
	const struct unixcred *cred);

/*
 * At the limit of connections, closes the newest one of the user who has the
 * most. Returns false, and closes nothing, if that user is uid: then there is
 * no room for its new client.
 */
bool tap_pair_make_room(struct tap *tap, uid_t uid);

void tap_pair_close_all(struct tap *tap);

#endif
