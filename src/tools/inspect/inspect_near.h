/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_NEAR_H
#define UNIXMSG_TOOLS_INSPECT_NEAR_H

/*
 * Finds other names that the user may mean, by the common mistakes with socket
 * addresses.
 */

#include "tools/inspect/inspect_snapshot.h"

#define INSPECT_NEARS_MOST 8

struct inspect_near {
	const struct inspect_socket *socket;
	char why[160];
};

struct inspect_nears {
	size_t count;
	struct inspect_near near[INSPECT_NEARS_MOST];
};

/* The name of the request, in raw bytes, without the NUL before it. */
struct inspect_name {
	const char *bytes;
	size_t size;
	bool is_abstract;
	/* The file at the name, or NULL: its own sockets are no near-miss. */
	const struct unixdiag_file *file;
};

void inspect_nears_find(struct inspect_nears *nears,
	const struct inspect_snapshot *snapshot,
	const struct inspect_name *asked);

#endif
