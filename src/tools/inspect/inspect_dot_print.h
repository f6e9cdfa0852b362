/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_DOT_PRINT_H
#define UNIXMSG_TOOLS_INSPECT_DOT_PRINT_H

/* Prints the nodes and lines of the digraph. */

#include "tools/inspect/inspect_finding.h"

/* One end of a line: 'p' and a PID, 's' and an inode, 'u' and a UID. */
struct inspect_dot_node {
	char sort;
	uint64_t id;
};

enum inspect_dot_line {
	INSPECT_DOT_OWNS,
	INSPECT_DOT_TALKS,
	INSPECT_DOT_WAITS,
	INSPECT_DOT_PAIR,
};

struct inspect_dot_edge {
	struct inspect_dot_node from;
	struct inspect_dot_node to;
	enum inspect_dot_line line;
	int type; /* of the sockets */
};

void inspect_dot_print_head(void);
void inspect_dot_print_foot(void);

void inspect_dot_print_socket(const struct inspect_socket *it);

/* A file without a live socket; number makes its node unique. */
void inspect_dot_print_file(size_t number,
	const struct inspect_finding *finding);

/* A process, or the processes of a user that we cannot see. */
void inspect_dot_print_process(const struct inspect_process *process);
void inspect_dot_print_unseen(uid_t user);

/* count lines between the same two nodes. */
void inspect_dot_print_edge(const struct inspect_dot_edge *edge, size_t count);

#endif
