/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_CLEAN_H
#define UNIXMSG_TOOLS_INSPECT_CLEAN_H

/* Removes dead socket files, and says of every file what became of it. */

#include "tools/inspect/inspect_finding.h"

struct inspect_clean {
	bool is_quiet;
	bool is_dry_run;
	/* The lock on the directory cannot be had: do not wait for it again. */
	bool is_locked_out;
	bool has_failed; /* a dead file is still there, or may be */
};

/* An inspect_show: a struct inspect_clean is the context. */
void inspect_clean_show(void *context, const struct inspect_finding *finding);

#endif
