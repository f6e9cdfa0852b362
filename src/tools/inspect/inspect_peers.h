/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_PEERS_H
#define UNIXMSG_TOOLS_INSPECT_PEERS_H

/* Who talks to a socket, one after the other. */

#include "tools/inspect/inspect_snapshot.h"

struct inspect_peers {
	const struct inspect_snapshot *snapshot;
	const struct inspect_socket *socket;
	struct inspect_socket *const *at; /* in names or in targets */
	struct inspect_socket *const *end;
};

/*
 * Of a listener: those that it has accepted. Of a datagram socket: those that
 * are connected to it. Of any other: its peer.
 */
void inspect_peers_begin(struct inspect_peers *peers,
	const struct inspect_snapshot *snapshot,
	const struct inspect_socket *socket);

/*
 * False at the end. client is the next one's own socket: NULL when it is not
 * to be seen, being in another network namespace or just gone.
 */
bool inspect_peers_next(struct inspect_peers *peers,
	const struct inspect_socket **client);

#endif
