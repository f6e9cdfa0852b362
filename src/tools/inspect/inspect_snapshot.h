/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_SNAPSHOT_H
#define UNIXMSG_TOOLS_INSPECT_SNAPSHOT_H

/*
 * All Unix sockets of this network namespace and the processes that hold them,
 * as the kernel reports them over some milliseconds: it cannot report all at
 * one moment.
 */

#include "name/diag.h"
#include "name/holder.h"

/* Shared memory, see inspect_lanes.h. */
struct inspect_lanes {
	size_t count; /* of connections */
	uint64_t bytes;
	uint64_t resident_bytes;
};

struct inspect_socket {
	struct unixdiag_socket told; /* without pending */
	struct inspect_socket *peer; /* NULL: none, or invisible */
	/* The listener that has accepted this one, which has its name. */
	struct inspect_socket *listener;
	/* The listener with this one in its backlog. */
	struct inspect_socket *waits_for;
	/* Accepted from this one; for a datagram socket: connected to it. */
	size_t connections;
	/* The bytes to read in those, and the bytes charged to senders. */
	uint64_t unread_bytes;
	uint64_t charged_bytes;
	/* Charged to waiting clients, because no process has the other end. */
	uint64_t waiting_bytes;
	/* The lane by which it sends; for a listener: the lanes by which the
	 * connections send that it has accepted. */
	struct inspect_lanes lanes;
};

struct inspect_process {
	pid_t pid;
	struct unixholder_process told;
	bool has_connections; /* of unixpacket */
};

struct inspect_snapshot {
	struct inspect_socket *sockets; /* by inode number */
	size_t sockets_count;
	struct inspect_socket **names; /* sockets with a name, by name */
	size_t names_count;
	struct inspect_socket **targets; /* sockets with a peer, by peer */
	size_t targets_count;
	struct unixholder *holders; /* by socket, process, descriptor */
	size_t holders_count;
	struct inspect_process *processes; /* by PID */
	size_t processes_count;
	unsigned int denied; /* processes that we may not look into */
	int error;           /* why there is no list of sockets, or 0 */
};

/* Makes room for one more item. Returns -1 with errno without memory. */
int inspect_grow(void *array, size_t *room, size_t count, size_t item_size);

/*
 * Returns -1 with errno without memory; the snapshot has all other errors.
 * inspect_snapshot_take_names leaves out the processes, which take longest.
 */
int inspect_snapshot_take(struct inspect_snapshot *snapshot);
int inspect_snapshot_take_names(struct inspect_snapshot *snapshot);

void inspect_snapshot_free(struct inspect_snapshot *snapshot);

/* Returns NULL if there is none. */
struct inspect_socket *inspect_snapshot_find(const struct inspect_snapshot
						     *snapshot,
	uint32_t ino);

struct inspect_process *inspect_snapshot_find_process(
	const struct inspect_snapshot *snapshot, pid_t pid);

/*
 * The sockets of one name are neighbours in names, listeners first. These
 * functions return the index of the first, and their number.
 */
size_t inspect_snapshot_find_file(const struct inspect_snapshot *snapshot,
	const struct unixdiag_file *file, size_t *count);
size_t inspect_snapshot_find_abstract(const struct inspect_snapshot *snapshot,
	const struct unixaddr *addr, size_t *count);

/* The sockets with the same peer are neighbours in targets. */
size_t inspect_snapshot_find_targets(const struct inspect_snapshot *snapshot,
	uint32_t ino, size_t *count);

/*
 * Returns the next process that holds the socket; begin with NULL. Returns each
 * process once, even if it has several descriptors.
 */
const struct inspect_process *
inspect_snapshot_next_holder(const struct inspect_snapshot *snapshot,
	uint32_t ino, const struct inspect_process *last);

/* True for an accepted connection, which has the name of its listener. */
static inline bool inspect_socket_is_accepted(const struct inspect_socket *it)
{
	return it->listener != NULL;
}

/* The most that may wait: the kernel compares with >, so one more fits. */
static inline uint64_t inspect_socket_get_waiting_most(
	const struct inspect_socket *it)
{
	return (uint64_t)it->told.send_queue + 1;
}

/*
 * True if a new client can reach it by its name; false for an accepted
 * connection that its listener has left.
 */
bool inspect_socket_is_owner(const struct inspect_socket *it);

#endif
