/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_PEERS_H
#define UNIXMSG_TOOLS_INSPECT_PEERS_H

/* Iterates over the peers of a socket. */

#include "tools/inspect/inspect_snapshot.h"

struct inspect_peers {
	const struct inspect_snapshot *snapshot;
	const struct inspect_socket *socket;
	struct inspect_socket *const *at; /* in names or in targets */
	struct inspect_socket *const *end;
};

/*
 * The peers of a listener are the connections that it has accepted, those of a
 * datagram socket the sockets that are connected to it. Any other socket has
 * one peer.
 */
void inspect_peers_begin(struct inspect_peers *peers,
	const struct inspect_snapshot *snapshot,
	const struct inspect_socket *socket);

/*
 * False at the end. client is the socket of the next peer, or NULL if we cannot
 * see it: it is in another network namespace, or has just closed.
 */
bool inspect_peers_next(struct inspect_peers *peers,
	const struct inspect_socket **client);

#endif
