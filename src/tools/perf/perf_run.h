/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_RUN_H
#define UNIXMSG_TOOLS_PERF_RUN_H

#include "tools/perf/perf_worker.h"

/*
 * All rounds with messages of that size. The cases take turns in each, forward
 * and backward by turns, so that whatever else the machine does meets all of
 * them. 0, or -1 told why.
 */
int perf_run_size(struct perf_plan *plan, struct perf_worker *worker,
	size_t size);

#endif
