/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_RELAY_H
#define UNIXMSG_TOOLS_INSPECT_RELAY_H

/*
 * What a process says of itself, if it is an unixmsg-relay: by its name and its
 * command line, both of which it can change. No other process can.
 */

#include <stdbool.h>

#include "relay/subject.h"
#include "tools/inspect/inspect_snapshot.h"

struct inspect_relay {
	bool is_import;
	char service[SUBJECT_NAME_MAX + 1];
};

/* False if it is none, or says nothing that a relay could say. */
bool inspect_relay_find(const struct inspect_process *process,
	struct inspect_relay *relay);

#endif
