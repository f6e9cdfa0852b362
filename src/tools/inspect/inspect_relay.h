/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_RELAY_H
#define UNIXMSG_TOOLS_INSPECT_RELAY_H

/*
 * Finds what a process says about itself if it is unixmsg-relay: its name and
 * its command line. The process can change both, other processes cannot.
 */

#include <stdbool.h>

#include "relay/subject.h"
#include "tools/inspect/inspect_snapshot.h"

struct inspect_relay {
	bool is_import;
	char service[SUBJECT_NAME_MAX + 1];
};

/* Returns false if the process is no relay, or if its command line is not that
 * of a relay. */
bool inspect_relay_find(const struct inspect_process *process,
	struct inspect_relay *relay);

#endif
