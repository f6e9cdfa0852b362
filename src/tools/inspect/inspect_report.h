/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_REPORT_H
#define UNIXMSG_TOOLS_INSPECT_REPORT_H

/* Prints all about each finding in a paragraph, for people. */

#include "tools/inspect/inspect_finding.h"

struct inspect_report {
	const struct inspect_snapshot *snapshot;
	bool is_verbose; /* name every peer */
	bool has_begun;  /* print an empty line before the next */
};

/* An inspect_show; its context is a struct inspect_report. */
void inspect_report_show(void *context, const struct inspect_finding *finding);

#endif
