/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_DOT_H
#define UNIXMSG_TOOLS_INSPECT_DOT_H

/*
 * Prints findings as a digraph for Graphviz: processes as boxes, sockets in the
 * colour of their type, and lines from clients to servers.
 */

#include "tools/inspect/inspect_dot_print.h"

/* A socket that gets a node. */
struct inspect_dot_socket {
	const struct inspect_socket *socket;
	bool is_asked;  /* show it in any case */
	bool is_folded; /* a client's own address: part of its line only */
};

struct inspect_dot {
	const struct inspect_snapshot *snapshot;
	bool has_pairs; /* also draw connections without a name */
	struct inspect_dot_socket *sockets;
	size_t sockets_count;
	size_t sockets_room;
	struct inspect_dot_edge *edges;
	size_t edges_count;
	size_t edges_room;
	size_t files_count; /* printed already */
	bool is_short;      /* of memory */
};

/* is_everything: draws all sockets of the snapshot, not only those shown, and
 * also connections without a name. */
void inspect_dot_begin(struct inspect_dot *dot,
	const struct inspect_snapshot *snapshot, bool is_everything);

/* An inspect_show; its context is a struct inspect_dot. */
void inspect_dot_show(void *context, const struct inspect_finding *finding);

/* Prints the digraph. Returns -1 without memory. */
int inspect_dot_end(struct inspect_dot *dot);

#endif
