/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <sys/socket.h>

#include "tools/inspect/inspect_peers.h"

/* Begins with all sockets of the name; some belong to the listener. */
static void begin_accepted(struct inspect_peers *peers)
{
	const struct inspect_snapshot *snapshot = peers->snapshot;
	const struct unixdiag_socket *told = &peers->socket->told;
	size_t first, count;

	if (told->has & UNIXDIAG_HAS_FILE)
		first = inspect_snapshot_find_file(snapshot, &told->file,
			&count);
	else
		first = inspect_snapshot_find_abstract(snapshot, &told->addr,
			&count);
	peers->at = snapshot->names + first;
	peers->end = peers->at + count;
}

static void begin_targets(struct inspect_peers *peers)
{
	size_t count;
	size_t first = inspect_snapshot_find_targets(peers->snapshot,
		peers->socket->told.ino, &count);

	peers->at = peers->snapshot->targets + first;
	peers->end = peers->at + count;
}

void inspect_peers_begin(struct inspect_peers *peers,
	const struct inspect_snapshot *snapshot,
	const struct inspect_socket *socket)
{
	peers->snapshot = snapshot;
	peers->socket = socket;
	if (socket->told.state == UNIXDIAG_LISTENING)
		begin_accepted(peers);
	else
		begin_targets(peers);
}

bool inspect_peers_next(struct inspect_peers *peers,
	const struct inspect_socket **client)
{
	const struct inspect_socket *it;

	while (peers->at < peers->end) {
		it = *peers->at++;
		if (peers->socket->told.state != UNIXDIAG_LISTENING) {
			*client = it;
			return true;
		}
		if (it->listener == peers->socket) {
			*client = it->peer;
			return true;
		}
	}
	return false;
}
