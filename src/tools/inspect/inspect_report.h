/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_REPORT_H
#define UNIXMSG_TOOLS_INSPECT_REPORT_H

/* All about one finding, for people: a paragraph each. */

#include "tools/inspect/inspect_finding.h"

struct inspect_report {
	const struct inspect_snapshot *snapshot;
	bool is_verbose; /* name every peer */
	bool has_begun;  /* an empty line goes before the next */
};

/* An inspect_show: a struct inspect_report is the context. */
void inspect_report_show(void *context, const struct inspect_finding *finding);

#endif
