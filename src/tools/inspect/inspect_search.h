/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_SEARCH_H
#define UNIXMSG_TOOLS_INSPECT_SEARCH_H

/* Searches for sockets at an address, in a directory, or anywhere. */

#include "tools/inspect/inspect_finding.h"

/* Called for each finding, which is valid during the call. */
typedef void inspect_show(void *context, const struct inspect_finding *finding);

struct inspect_search {
	const struct inspect_snapshot *snapshot;
	inspect_show *show;
	void *context;
	struct unixdiag_mount mount; /* {0} */
};

/*
 * Shows the address in text: a finding for each socket, or one without any.
 * Returns -1 with errno: EINVAL or ENAMETOOLONG for no address, EISDIR for a
 * directory.
 */
int inspect_search_address(struct inspect_search *search, const char *text);

/*
 * Shows each socket file in the directory in text, sorted by name. Returns -1
 * with errno if it cannot be read.
 */
int inspect_search_directory(struct inspect_search *search, const char *text);

/*
 * Shows every socket that has its own name, sorted by name. Returns -1 with
 * errno without memory.
 */
int inspect_search_all(struct inspect_search *search);

#endif
