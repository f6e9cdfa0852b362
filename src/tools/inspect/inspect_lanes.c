/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/inspect/inspect_lanes.h"

/* A walk through the mappings of one process. */
struct walk {
	struct inspect_snapshot *snapshot;
	const struct inspect_process *process;
	/* The last mapping: its socket, or NULL, and its size. */
	struct inspect_socket *socket;
	uint64_t bytes;
	bool has_lanes;
};

static bool is_connection(const struct inspect_socket *it)
{
	return it != NULL && it->told.type == SOCK_SEQPACKET &&
		it->told.state == UNIXDIAG_CONNECTED;
}

static bool is_holder(const struct inspect_snapshot *snapshot, uint32_t ino,
	pid_t pid)
{
	const struct inspect_process before = { .pid = pid - 1 };
	const struct inspect_process *found =
		inspect_snapshot_next_holder(snapshot, ino, &before);

	return found != NULL && found->pid == pid;
}

static struct inspect_socket *find_connection(const struct walk *walk,
	uint64_t ino)
{
	struct inspect_socket *it;

	if (ino > UINT32_MAX ||
		!is_holder(walk->snapshot, (uint32_t)ino, walk->process->pid))
		return NULL;
	it = inspect_snapshot_find(walk->snapshot, (uint32_t)ino);
	return is_connection(it) ? it : NULL;
}

/* A lane maps its memory from the beginning, and its ring once more. The first
 * mapping has all pages that were written, unless the system has moved them. */
static void take_mapping(struct walk *walk, const char *line)
{
	uint64_t begin, end, offset;
	char rights[5], ino[11];
	int length = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64, &begin, &end,
		    rights, &offset) != 4)
		return;
	walk->socket = NULL;
	if (sscanf(line,
		    "%*s %*s %*s %*s %*s "
		    "/memfd:unixlane:%10[0-9] (deleted)\n%n",
		    ino, &length) != 1 ||
		length == 0 || line[length] != '\0' ||
		strcmp(rights, "rw-s") != 0 || offset != 0)
		return;
	walk->socket = find_connection(walk, strtoull(ino, NULL, 10));
	walk->bytes = end - begin;
	walk->has_lanes |= walk->socket != NULL;
}

/* After fork(2), the largest number of any process counts. */
static void take_resident(const struct walk *walk, uint64_t bytes)
{
	struct inspect_lanes *lanes = &walk->socket->lanes;

	lanes->count = 1;
	lanes->bytes = walk->bytes;
	if (lanes->resident_bytes < bytes)
		lanes->resident_bytes = bytes;
}

static void take_line(struct walk *walk, const char *line)
{
	uint64_t kib;

	if (sscanf(line, "Rss: %" SCNu64 " kB", &kib) != 1)
		take_mapping(walk, line);
	else if (walk->socket != NULL)
		take_resident(walk, kib * 1024);
}

static void read_mappings(struct walk *walk, const char *name)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)walk->process->pid,
		name);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (getline(&line, &room, file) > 0)
		take_line(walk, line);
	free(line);
	fclose(file);
}

/* Only smaps has the resident bytes. The kernel walks through all memory of the
 * process for it, so this reads it only if there is a lane. */
static void look_at(struct inspect_snapshot *snapshot,
	const struct inspect_process *process)
{
	struct walk walk = { .snapshot = snapshot, .process = process };

	read_mappings(&walk, "maps");
	if (walk.has_lanes)
		read_mappings(&walk, "smaps");
}

static void find_processes(struct inspect_snapshot *snapshot)
{
	struct inspect_process *process;
	size_t i;

	for (i = 0; i < snapshot->holders_count; i++) {
		const struct unixholder *holder = &snapshot->holders[i];

		process = inspect_snapshot_find_process(snapshot, holder->pid);
		if (process != NULL &&
			is_connection(inspect_snapshot_find(snapshot,
				(uint32_t)holder->ino)))
			process->has_connections = true;
	}
}

static void add_up(struct inspect_snapshot *snapshot)
{
	struct inspect_lanes *sum;
	size_t i;

	for (i = 0; i < snapshot->sockets_count; i++) {
		const struct inspect_socket *it = &snapshot->sockets[i];

		if (it->listener == NULL)
			continue;
		sum = &it->listener->lanes;
		sum->count += it->lanes.count;
		sum->bytes += it->lanes.bytes;
		sum->resident_bytes += it->lanes.resident_bytes;
	}
}

void inspect_lanes_find(struct inspect_snapshot *snapshot)
{
	size_t i;

	find_processes(snapshot);
	for (i = 0; i < snapshot->processes_count; i++)
		if (snapshot->processes[i].has_connections)
			look_at(snapshot, &snapshot->processes[i]);
	add_up(snapshot);
}
