/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_CLEAN_H
#define UNIXMSG_TOOLS_INSPECT_CLEAN_H

/* Removes dead socket files, and prints the result for every file. */

#include "tools/inspect/inspect_finding.h"

struct inspect_clean {
	bool is_quiet;
	bool is_dry_run;
	/* The wait for the lock on the directory has failed: do not repeat. */
	bool is_locked_out;
	bool has_failed; /* a dead file is left, or may be */
};

/* An inspect_show; its context is a struct inspect_clean. */
void inspect_clean_show(void *context, const struct inspect_finding *finding);

#endif
