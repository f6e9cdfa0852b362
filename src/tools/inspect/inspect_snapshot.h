/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_SNAPSHOT_H
#define UNIXMSG_TOOLS_INSPECT_SNAPSHOT_H

/*
 * All Unix sockets of this network namespace and the processes that hold
 * them, as they were within some milliseconds: the kernel has no way to ask
 * for everything at one instant.
 */

#include "name/diag.h"
#include "name/holder.h"

struct inspect_socket {
	struct unixdiag_socket told; /* without pending */
	struct inspect_socket *peer; /* NULL: none, or not to be seen */
	/* The one that we were accepted from: its name is ours. */
	struct inspect_socket *listener;
	/* The one in whose backlog we wait. */
	struct inspect_socket *waits_for;
	/* Accepted from us; of a datagram socket: connected to us. */
	size_t connections;
	/* What those hold for us: bytes to read, and charged to the senders. */
	uint64_t unread_bytes;
	uint64_t charged_bytes;
	/* Charged to those who wait: nobody has the other end, to be asked. */
	uint64_t waiting_bytes;
};

struct inspect_process {
	pid_t pid;
	struct unixholder_process told;
};

struct inspect_snapshot {
	struct inspect_socket *sockets; /* by inode number */
	size_t sockets_count;
	struct inspect_socket **names; /* those with a name, by name */
	size_t names_count;
	struct inspect_socket **targets; /* those with a peer, by peer */
	size_t targets_count;
	struct unixholder *holders; /* by socket, process, descriptor */
	size_t holders_count;
	struct inspect_process *processes; /* by PID */
	size_t processes_count;
	unsigned int denied; /* processes that we may not look into */
	int error;           /* why there is no list of sockets, or 0 */
};

/* Room that grows; -1 when there is no more. It sets errno. */
int inspect_grow(void *array, size_t *room, size_t count, size_t item_size);

/*
 * -1 with errno when there is no memory. All else is told in the snapshot.
 * inspect_snapshot_take_names leaves out the processes, which take longest.
 */
int inspect_snapshot_take(struct inspect_snapshot *snapshot);
int inspect_snapshot_take_names(struct inspect_snapshot *snapshot);

void inspect_snapshot_free(struct inspect_snapshot *snapshot);

/* NULL when there is none. */
struct inspect_socket *inspect_snapshot_find(const struct inspect_snapshot
						     *snapshot,
	uint32_t ino);

/*
 * The sockets of one name stand together in names, those that listen first.
 * These give where they begin, and how many there are.
 */
size_t inspect_snapshot_find_file(const struct inspect_snapshot *snapshot,
	const struct unixdiag_file *file, size_t *count);
size_t inspect_snapshot_find_abstract(const struct inspect_snapshot *snapshot,
	const struct unixaddr *addr, size_t *count);

/* The sockets whose peer is that one stand together in targets. */
size_t inspect_snapshot_find_targets(const struct inspect_snapshot *snapshot,
	uint32_t ino, size_t *count);

/*
 * The process after the one given, NULL at first, that holds the socket. A
 * process is told once, however many descriptors it has.
 */
const struct inspect_process *
inspect_snapshot_next_holder(const struct inspect_snapshot *snapshot,
	uint32_t ino, const struct inspect_process *last);

/* What is accepted, and thus named after its listener. */
static inline bool inspect_socket_is_accepted(const struct inspect_socket *it)
{
	return it->listener != NULL;
}

/* How many may wait: the kernel compares with >, so there is room for one. */
static inline uint64_t inspect_socket_get_waiting_most(
	const struct inspect_socket *it)
{
	return (uint64_t)it->told.send_queue + 1;
}

/*
 * Whether a newcomer can find it by its name: not when it is what is left of
 * a listener, an accepted connection.
 */
bool inspect_socket_is_owner(const struct inspect_socket *it);

#endif
