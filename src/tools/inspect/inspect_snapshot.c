/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/inspect/inspect_snapshot.h"

int inspect_grow(void *array, size_t *room, size_t count, size_t item_size)
{
	void *old, *grown;
	size_t wanted = *room == 0 ? 64 : 2 * *room;

	if (count < *room)
		return 0;
	memcpy(&old, array, sizeof(old));
	grown = reallocarray(old, wanted, item_size);
	if (grown == NULL)
		return -1;
	memcpy(array, &grown, sizeof(grown));
	*room = wanted;
	return 0;
}

/* A snapshot that grows, with the room of its arrays. */
struct making {
	struct inspect_snapshot *snapshot;
	size_t sockets_room;
	size_t holders_room;
	size_t processes_room;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_sockets(const void *a, const void *b)
{
	const struct inspect_socket *left = a, *right = b;

	return compare(left->told.ino, right->told.ino);
}

static int compare_targets(const void *a, const void *b)
{
	const struct inspect_socket *left = *(struct inspect_socket *const *)a;
	const struct inspect_socket *right = *(struct inspect_socket *const *)b;
	int order = compare(left->told.peer, right->told.peer);

	return order != 0 ? order : compare_sockets(left, right);
}

static int compare_holders(const void *a, const void *b)
{
	const struct unixholder *left = a, *right = b;
	int order = compare(left->ino, right->ino);

	if (order == 0)
		order = compare((uint64_t)left->pid, (uint64_t)right->pid);
	if (order == 0)
		order = compare((uint64_t)left->fd, (uint64_t)right->fd);
	return order;
}

static int compare_processes(const void *a, const void *b)
{
	const struct inspect_process *left = a, *right = b;

	return compare((uint64_t)left->pid, (uint64_t)right->pid);
}

static int compare_files(const struct unixdiag_file *a,
	const struct unixdiag_file *b)
{
	int order = compare(a->dev, b->dev);

	return order != 0 ? order : compare(a->ino, b->ino);
}

static int compare_addresses(const struct unixaddr *a, const struct unixaddr *b)
{
	size_t a_size, b_size;
	const char *a_name = unixaddr_get_name(a, &a_size);
	const char *b_name = unixaddr_get_name(b, &b_size);
	int order = memcmp(a_name, b_name, a_size < b_size ? a_size : b_size);

	return order != 0 ? order : compare(a_size, b_size);
}

static bool has_file(const struct inspect_socket *it)
{
	return (it->told.has & UNIXDIAG_HAS_FILE) != 0;
}

/* Compares the file of a bound path, not the text of the path. */
static int compare_keys(const struct inspect_socket *a,
	const struct inspect_socket *b)
{
	if (has_file(a) != has_file(b))
		return has_file(a) ? -1 : 1;
	if (has_file(a))
		return compare_files(&a->told.file, &b->told.file);
	return compare_addresses(&a->told.addr, &b->told.addr);
}

static int rank_state(const struct inspect_socket *it)
{
	if (it->told.state == UNIXDIAG_LISTENING)
		return 0;
	return it->told.state == UNIXDIAG_BOUND ? 1 : 2;
}

static int compare_names(const void *a, const void *b)
{
	const struct inspect_socket *left = *(struct inspect_socket *const *)a;
	const struct inspect_socket *right = *(struct inspect_socket *const *)b;
	int order = compare_keys(left, right);

	if (order == 0)
		order = left->told.type - right->told.type;
	if (order == 0)
		order = rank_state(left) - rank_state(right);
	return order != 0 ? order : compare_sockets(left, right);
}

static int take_socket(void *context, const struct unixdiag_socket *socket)
{
	struct making *making = context;
	struct inspect_snapshot *snapshot = making->snapshot;
	struct inspect_socket *it;

	if (socket == NULL) {
		snapshot->sockets_count = 0;
		return 0;
	}
	if (inspect_grow(&snapshot->sockets, &making->sockets_room,
		    snapshot->sockets_count, sizeof(*it)) < 0)
		return -1;
	it = &snapshot->sockets[snapshot->sockets_count++];
	memset(it, 0, sizeof(*it));
	it->told = *socket;
	it->told.pending = NULL;
	it->told.pending_count = 0;
	return 0;
}

static int take_pending(void *context, const struct unixdiag_socket *socket)
{
	const struct making *making = context;
	struct inspect_socket *listener, *client;
	size_t i;

	/* The kernel repeats entries when its list begins again. */
	if (socket == NULL)
		return 0;
	listener = inspect_snapshot_find(making->snapshot, socket->ino);
	if (listener == NULL)
		return 0;
	for (i = 0; i < socket->pending_count; i++) {
		client = inspect_snapshot_find(making->snapshot,
			unixdiag__get_pending(socket, i));
		if (client != NULL)
			client->waits_for = listener;
	}
	return 0;
}

static int take_holder(void *context, const struct unixholder *holder)
{
	struct making *making = context;
	struct inspect_snapshot *snapshot = making->snapshot;

	/* Sockets of other families have inodes too. */
	if (holder->ino > UINT32_MAX ||
		inspect_snapshot_find(snapshot, (uint32_t)holder->ino) == NULL)
		return 0;
	if (inspect_grow(&snapshot->holders, &making->holders_room,
		    snapshot->holders_count, sizeof(*holder)) < 0)
		return -1;
	snapshot->holders[snapshot->holders_count++] = *holder;
	return 0;
}

static bool is_process_known(const struct inspect_snapshot *snapshot, pid_t pid)
{
	size_t count = snapshot->processes_count;

	/* The descriptors of one process follow each other. */
	return count > 0 && snapshot->processes[count - 1].pid == pid;
}

static int add_process(struct making *making, pid_t pid)
{
	struct inspect_snapshot *snapshot = making->snapshot;
	struct inspect_process *process;

	if (is_process_known(snapshot, pid))
		return 0;
	if (inspect_grow(&snapshot->processes, &making->processes_room,
		    snapshot->processes_count, sizeof(*process)) < 0)
		return -1;
	process = &snapshot->processes[snapshot->processes_count];
	*process = (struct inspect_process){ .pid = pid };
	if (unixholder__read_process(pid, &process->told) == 0)
		snapshot->processes_count++;
	return 0;
}

static int add_processes(struct making *making)
{
	const struct inspect_snapshot *snapshot = making->snapshot;
	size_t i;

	for (i = 0; i < snapshot->holders_count; i++)
		if (add_process(making, snapshot->holders[i].pid) < 0)
			return -1;
	return 0;
}

static int list_holders(struct making *making)
{
	struct inspect_snapshot *snapshot = making->snapshot;

	if (unixholder__list(take_holder, making, &snapshot->denied) < 0)
		return -1;
	if (add_processes(making) < 0)
		return -1;
	if (snapshot->holders_count > 0)
		qsort(snapshot->holders, snapshot->holders_count,
			sizeof(*snapshot->holders), compare_holders);
	if (snapshot->processes_count > 0)
		qsort(snapshot->processes, snapshot->processes_count,
			sizeof(*snapshot->processes), compare_processes);
	return 0;
}

static bool has_name(const struct inspect_socket *it)
{
	return unixaddr_get_kind(&it->told.addr) != UNIXADDR_UNNAMED;
}

static bool has_peer(const struct inspect_socket *it)
{
	return it->told.peer != 0;
}

/* Makes an array of the sockets that is_wanted accepts, in that order. */
static struct inspect_socket **make_index(const struct inspect_snapshot
						  *snapshot,
	bool (*is_wanted)(const struct inspect_socket *),
	int (*order)(const void *, const void *), size_t *count)
{
	struct inspect_socket **index;
	size_t i;

	index = calloc(snapshot->sockets_count + 1,
		sizeof(struct inspect_socket *));
	if (index == NULL)
		return NULL;
	*count = 0;
	for (i = 0; i < snapshot->sockets_count; i++)
		if (is_wanted(&snapshot->sockets[i]))
			index[(*count)++] = &snapshot->sockets[i];
	qsort(index, *count, sizeof(*index), order);
	return index;
}

static void count_connection(struct inspect_socket *to,
	const struct inspect_socket *it)
{
	to->connections++;
	to->unread_bytes += it->told.receive_queue;
	to->charged_bytes += it->told.send_queue;
}

/* A listener comes before all connections that it has accepted. */
static void find_listeners(struct inspect_snapshot *snapshot)
{
	struct inspect_socket *last = NULL;
	size_t i;

	for (i = 0; i < snapshot->names_count; i++) {
		struct inspect_socket *it = snapshot->names[i];

		if (it->told.state == UNIXDIAG_LISTENING)
			last = it;
		if (it->told.state != UNIXDIAG_CONNECTED || last == NULL ||
			it->told.type != last->told.type ||
			compare_keys(it, last) != 0)
			continue;
		it->listener = last;
		count_connection(last, it);
	}
}

static void find_peers(struct inspect_snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < snapshot->targets_count; i++) {
		struct inspect_socket *it = snapshot->targets[i];

		it->peer = inspect_snapshot_find(snapshot, it->told.peer);
		if (it->peer != NULL && it->told.type == SOCK_DGRAM)
			count_connection(it->peer, it);
	}
}

static void count_waiting(struct inspect_snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < snapshot->sockets_count; i++) {
		const struct inspect_socket *it = &snapshot->sockets[i];

		if (it->waits_for != NULL)
			it->waits_for->waiting_bytes += it->told.send_queue;
	}
}

static int connect_sockets(struct inspect_snapshot *snapshot)
{
	snapshot->names = make_index(snapshot, has_name, compare_names,
		&snapshot->names_count);
	if (snapshot->names == NULL)
		return -1;
	snapshot->targets = make_index(snapshot, has_peer, compare_targets,
		&snapshot->targets_count);
	if (snapshot->targets == NULL)
		return -1;
	find_listeners(snapshot);
	find_peers(snapshot);
	count_waiting(snapshot);
	return 0;
}

static int list_sockets(struct making *making)
{
	struct inspect_snapshot *snapshot = making->snapshot;

	if (unixdiag__list(take_socket, making) < 0) {
		snapshot->error = errno;
		snapshot->sockets_count = 0;
		return errno == ENOMEM ? -1 : 0;
	}
	if (snapshot->sockets_count > 0)
		qsort(snapshot->sockets, snapshot->sockets_count,
			sizeof(*snapshot->sockets), compare_sockets);
	/* No error: the snapshot can do without waiting connections. */
	unixdiag__list_pending(take_pending, making);
	return 0;
}

static int take(struct inspect_snapshot *snapshot, bool has_holders)
{
	struct making making = { .snapshot = snapshot };

	memset(snapshot, 0, sizeof(*snapshot));
	if (list_sockets(&making) == 0 &&
		(!has_holders || list_holders(&making) == 0) &&
		connect_sockets(snapshot) == 0)
		return 0;
	inspect_snapshot_free(snapshot);
	return -1;
}

int inspect_snapshot_take(struct inspect_snapshot *snapshot)
{
	return take(snapshot, true);
}

int inspect_snapshot_take_names(struct inspect_snapshot *snapshot)
{
	return take(snapshot, false);
}

void inspect_snapshot_free(struct inspect_snapshot *snapshot)
{
	int saved = errno;

	free(snapshot->sockets);
	free(snapshot->names);
	free(snapshot->targets);
	free(snapshot->holders);
	free(snapshot->processes);
	memset(snapshot, 0, sizeof(*snapshot));
	errno = saved;
}

struct inspect_socket *inspect_snapshot_find(const struct inspect_snapshot
						     *snapshot,
	uint32_t ino)
{
	struct inspect_socket key = { .told.ino = ino };

	if (snapshot->sockets_count == 0)
		return NULL;
	return bsearch(&key, snapshot->sockets, snapshot->sockets_count,
		sizeof(key), compare_sockets);
}

/* The number of names before key. */
static size_t count_before(const struct inspect_snapshot *snapshot,
	const struct inspect_socket *key)
{
	size_t low = 0, high = snapshot->names_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(snapshot->names[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t find_key(const struct inspect_snapshot *snapshot,
	const struct inspect_socket *key, size_t *count)
{
	size_t first = count_before(snapshot, key), end = first;

	while (end < snapshot->names_count &&
		compare_keys(snapshot->names[end], key) == 0)
		end++;
	*count = end - first;
	return first;
}

size_t inspect_snapshot_find_file(const struct inspect_snapshot *snapshot,
	const struct unixdiag_file *file, size_t *count)
{
	const struct inspect_socket key = {
		.told.has = UNIXDIAG_HAS_FILE,
		.told.file = *file,
	};

	return find_key(snapshot, &key, count);
}

size_t inspect_snapshot_find_abstract(const struct inspect_snapshot *snapshot,
	const struct unixaddr *addr, size_t *count)
{
	const struct inspect_socket key = { .told.addr = *addr };

	return find_key(snapshot, &key, count);
}

size_t inspect_snapshot_find_targets(const struct inspect_snapshot *snapshot,
	uint32_t ino, size_t *count)
{
	size_t low = 0, high = snapshot->targets_count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->targets[middle]->told.peer < ino)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < snapshot->targets_count; end++)
		if (snapshot->targets[end]->told.peer != ino)
			break;
	*count = end - low;
	return low;
}

struct inspect_process *inspect_snapshot_find_process(
	const struct inspect_snapshot *snapshot, pid_t pid)
{
	struct inspect_process key = { .pid = pid };

	if (snapshot->processes_count == 0)
		return NULL;
	return bsearch(&key, snapshot->processes, snapshot->processes_count,
		sizeof(key), compare_processes);
}

/* The number of holders before that one. */
static size_t count_holders_before(const struct inspect_snapshot *snapshot,
	const struct unixholder *key)
{
	size_t low = 0, high = snapshot->holders_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_holders(&snapshot->holders[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct inspect_process *
inspect_snapshot_next_holder(const struct inspect_snapshot *snapshot,
	uint32_t ino, const struct inspect_process *last)
{
	const struct unixholder key = {
		.ino = ino,
		.pid = last == NULL ? 0 : last->pid + 1,
	};
	const struct inspect_process *process;
	size_t i = count_holders_before(snapshot, &key);

	for (; i < snapshot->holders_count; i++) {
		if (snapshot->holders[i].ino != ino)
			return NULL;
		process = inspect_snapshot_find_process(snapshot,
			snapshot->holders[i].pid);
		if (process != NULL)
			return process;
	}
	return NULL;
}

bool inspect_socket_is_owner(const struct inspect_socket *it)
{
	return it->told.type == SOCK_DGRAM ||
		it->told.state != UNIXDIAG_CONNECTED;
}
