/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_SEARCH_H
#define UNIXMSG_TOOLS_INSPECT_SEARCH_H

/* The search for what is at an address, in a directory, or anywhere. */

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
 * Shows what is at the address that text names: a finding for each socket, or
 * one that says that there is none. -1 with errno when it names nothing at
 * all: EINVAL, ENAMETOOLONG. A directory is EISDIR.
 */
int inspect_search_address(struct inspect_search *search, const char *text);

/*
 * Shows each socket file in the directory that text names, by name. -1 with
 * errno when it cannot be read.
 */
int inspect_search_directory(struct inspect_search *search, const char *text);

/*
 * Shows every socket that has a name of its own, by name. -1 with errno when
 * there is no memory.
 */
int inspect_search_all(struct inspect_search *search);

#endif
