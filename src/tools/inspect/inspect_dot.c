/* SPDX-License-Identifier: MIT */
/*
 * Collects all findings before it prints: the lines depend on all sockets that
 * have a node.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "tools/inspect/inspect_dot.h"
#include "tools/inspect/inspect_peers.h"

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_sockets(const void *a, const void *b)
{
	const struct inspect_dot_socket *left = a, *right = b;
	int order = compare(left->socket->told.ino, right->socket->told.ino);

	/* The one that was asked for comes before its duplicate. */
	return order != 0 ? order : right->is_asked - left->is_asked;
}

static int compare_nodes(const struct inspect_dot_node *a,
	const struct inspect_dot_node *b)
{
	return a->sort != b->sort ? a->sort - b->sort : compare(a->id, b->id);
}

static int compare_edges(const void *a, const void *b)
{
	const struct inspect_dot_edge *left = a, *right = b;
	int order = compare_nodes(&left->from, &right->from);

	if (order == 0)
		order = compare_nodes(&left->to, &right->to);
	if (order == 0)
		order = (int)left->line - (int)right->line;
	return order != 0 ? order : left->type - right->type;
}

static void add_socket(struct inspect_dot *dot, const struct inspect_socket *it,
	bool is_asked)
{
	if (inspect_grow(&dot->sockets, &dot->sockets_room, dot->sockets_count,
		    sizeof(*dot->sockets)) < 0) {
		dot->is_short = true;
		return;
	}
	dot->sockets[dot->sockets_count++] = (struct inspect_dot_socket){
		.socket = it,
		.is_asked = is_asked,
	};
}

static void add_edge(struct inspect_dot *dot, struct inspect_dot_node from,
	struct inspect_dot_node to, enum inspect_dot_line line, int type)
{
	if (inspect_grow(&dot->edges, &dot->edges_room, dot->edges_count,
		    sizeof(*dot->edges)) < 0) {
		dot->is_short = true;
		return;
	}
	dot->edges[dot->edges_count++] = (struct inspect_dot_edge){
		.from = from,
		.to = to,
		.line = line,
		.type = type,
	};
}

/* The socket that names the peer, or NULL. */
static const struct inspect_socket *get_target(const struct inspect_socket *it)
{
	const struct inspect_socket *peer = it->peer;

	if (peer != NULL && peer->listener != NULL)
		peer = peer->listener;
	if (peer == NULL ||
		unixaddr_get_kind(&peer->told.addr) == UNIXADDR_UNNAMED)
		return NULL;
	return peer;
}

void inspect_dot_begin(struct inspect_dot *dot,
	const struct inspect_snapshot *snapshot, bool is_everything)
{
	memset(dot, 0, sizeof(*dot));
	dot->snapshot = snapshot;
	dot->has_pairs = is_everything;
	inspect_dot_print_head();
}

void inspect_dot_show(void *context, const struct inspect_finding *finding)
{
	struct inspect_dot *dot = context;

	if (finding->socket == NULL) {
		inspect_dot_print_file(dot->files_count++, finding);
		return;
	}
	add_socket(dot, finding->socket, finding->is_asked);
	if (get_target(finding->socket) != NULL)
		add_socket(dot, get_target(finding->socket), false);
}

static void remove_doubles(struct inspect_dot *dot)
{
	size_t i, kept = 0;

	if (dot->sockets_count == 0)
		return;
	qsort(dot->sockets, dot->sockets_count, sizeof(*dot->sockets),
		compare_sockets);
	for (i = 0; i < dot->sockets_count; i++)
		if (kept == 0 ||
			dot->sockets[kept - 1].socket != dot->sockets[i].socket)
			dot->sockets[kept++] = dot->sockets[i];
	dot->sockets_count = kept;
}

/* True if the socket gets its own node. */
static bool is_drawn(const struct inspect_dot *dot,
	const struct inspect_socket *it)
{
	const struct inspect_dot_socket key = { .socket = it };
	size_t low = 0, high = dot->sockets_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct inspect_dot_socket *at = &dot->sockets[middle];

		if (at->socket == it)
			return !at->is_folded;
		if (at->socket->told.ino < key.socket->told.ino)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Folds a client's address into its line: it exists only to get answers. */
static void fold_clients(struct inspect_dot *dot)
{
	size_t i;

	for (i = 0; i < dot->sockets_count; i++) {
		struct inspect_dot_socket *at = &dot->sockets[i];

		at->is_folded = !at->is_asked && at->socket->connections == 0 &&
			at->socket->told.state != UNIXDIAG_LISTENING &&
			get_target(at->socket) != NULL;
	}
}

static struct inspect_dot_node get_socket_node(const struct inspect_socket *it)
{
	return (struct inspect_dot_node){ 's', it->told.ino };
}

/* The node of the process that holds it, or of the processes of its user that
 * we cannot see. */
static struct inspect_dot_node get_process_node(const struct inspect_dot *dot,
	const struct inspect_socket *it)
{
	const struct inspect_process *process =
		inspect_snapshot_next_holder(dot->snapshot, it->told.ino, NULL);

	if (process == NULL)
		return (struct inspect_dot_node){ 'u', it->told.user };
	return (struct inspect_dot_node){ 'p', (uint64_t)process->pid };
}

static void add_owners(struct inspect_dot *dot, const struct inspect_socket *it)
{
	const struct inspect_process *process = NULL;
	struct inspect_dot_node owner = get_process_node(dot, it);

	if (owner.sort == 'u')
		add_edge(dot, get_socket_node(it), owner, INSPECT_DOT_OWNS,
			it->told.type);
	for (;;) {
		process = inspect_snapshot_next_holder(dot->snapshot,
			it->told.ino, process);
		if (process == NULL)
			return;
		owner.id = (uint64_t)process->pid;
		add_edge(dot, get_socket_node(it), owner, INSPECT_DOT_OWNS,
			it->told.type);
	}
}

static void add_clients(struct inspect_dot *dot,
	const struct inspect_socket *it)
{
	const struct inspect_socket *client;
	struct inspect_peers peers;

	inspect_peers_begin(&peers, dot->snapshot, it);
	while (inspect_peers_next(&peers, &client))
		if (client != NULL && !is_drawn(dot, client))
			add_edge(dot, get_process_node(dot, client),
				get_socket_node(it), INSPECT_DOT_TALKS,
				it->told.type);
}

static void add_lines(struct inspect_dot *dot, const struct inspect_socket *it)
{
	const struct inspect_socket *target = get_target(it);

	add_owners(dot, it);
	add_clients(dot, it);
	if (target != NULL && is_drawn(dot, target))
		add_edge(dot, get_socket_node(it), get_socket_node(target),
			INSPECT_DOT_TALKS, it->told.type);
}

static void add_waiting(struct inspect_dot *dot)
{
	size_t i;

	for (i = 0; i < dot->snapshot->sockets_count; i++) {
		const struct inspect_socket *it = &dot->snapshot->sockets[i];

		if (it->waits_for != NULL && is_drawn(dot, it->waits_for))
			add_edge(dot, get_process_node(dot, it),
				get_socket_node(it->waits_for),
				INSPECT_DOT_WAITS, it->told.type);
	}
}

static bool is_unnamed(const struct inspect_socket *it)
{
	return unixaddr_get_kind(&it->told.addr) == UNIXADDR_UNNAMED;
}

/* Draws each socketpair(2) between two processes once, though both ends are in
 * the list. */
static void add_pairs(struct inspect_dot *dot)
{
	size_t i;

	for (i = 0; dot->has_pairs && i < dot->snapshot->sockets_count; i++) {
		const struct inspect_socket *it = &dot->snapshot->sockets[i];
		struct inspect_dot_node from, to;

		if (it->peer == NULL || it->peer <= it || !is_unnamed(it) ||
			!is_unnamed(it->peer))
			continue;
		from = get_process_node(dot, it);
		to = get_process_node(dot, it->peer);
		if (compare_nodes(&from, &to) != 0)
			add_edge(dot, from, to, INSPECT_DOT_PAIR,
				it->told.type);
	}
}

static void print_edges(struct inspect_dot *dot)
{
	size_t i, end;

	if (dot->edges_count == 0)
		return;
	qsort(dot->edges, dot->edges_count, sizeof(*dot->edges), compare_edges);
	for (i = 0; i < dot->edges_count; i = end) {
		for (end = i + 1; end < dot->edges_count; end++)
			if (compare_edges(&dot->edges[i], &dot->edges[end]) !=
				0)
				break;
		inspect_dot_print_edge(&dot->edges[i], end - i);
	}
}

static bool has_line(const struct inspect_dot *dot, char sort, uint64_t id)
{
	const struct inspect_dot_node node = { sort, id };
	size_t i;

	for (i = 0; i < dot->edges_count; i++)
		if (compare_nodes(&dot->edges[i].from, &node) == 0 ||
			compare_nodes(&dot->edges[i].to, &node) == 0)
			return true;
	return false;
}

static void print_unseen(const struct inspect_dot_node *node, uint64_t *last)
{
	if (node->sort != 'u' || node->id == *last)
		return;
	*last = node->id;
	inspect_dot_print_unseen((uid_t)node->id);
}

/* Graphviz accepts the same node twice. */
static void print_all_unseen(const struct inspect_dot *dot)
{
	uint64_t last = UINT64_MAX;
	size_t i;

	for (i = 0; i < dot->edges_count; i++) {
		print_unseen(&dot->edges[i].from, &last);
		print_unseen(&dot->edges[i].to, &last);
	}
}

static void print_nodes(const struct inspect_dot *dot)
{
	const struct inspect_snapshot *snapshot = dot->snapshot;
	size_t i;

	for (i = 0; i < dot->sockets_count; i++)
		if (!dot->sockets[i].is_folded)
			inspect_dot_print_socket(dot->sockets[i].socket);
	for (i = 0; i < snapshot->processes_count; i++)
		if (has_line(dot, 'p', (uint64_t)snapshot->processes[i].pid))
			inspect_dot_print_process(&snapshot->processes[i]);
	print_all_unseen(dot);
}

int inspect_dot_end(struct inspect_dot *dot)
{
	size_t i;

	remove_doubles(dot);
	fold_clients(dot);
	for (i = 0; i < dot->sockets_count; i++)
		if (!dot->sockets[i].is_folded)
			add_lines(dot, dot->sockets[i].socket);
	add_waiting(dot);
	add_pairs(dot);
	print_edges(dot);
	print_nodes(dot);
	inspect_dot_print_foot();
	free(dot->sockets);
	free(dot->edges);
	return dot->is_short ? -1 : 0;
}
