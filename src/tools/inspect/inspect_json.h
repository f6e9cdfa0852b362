/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_JSON_H
#define UNIXMSG_TOOLS_INSPECT_JSON_H

/*
 * Prints findings as one JSON document. Every member is always there, null if
 * it does not apply or is unknown. All text is ASCII; names are those of
 * unixaddr_format.
 */

#include "tools/inspect/inspect_finding.h"

struct inspect_json {
	const struct inspect_snapshot *snapshot;
	bool has_begun;
};

void inspect_json_begin(struct inspect_json *json,
	const struct inspect_snapshot *snapshot);

/* An inspect_show; its context is a struct inspect_json. */
void inspect_json_show(void *context, const struct inspect_finding *finding);

void inspect_json_end(struct inspect_json *json);

#endif
