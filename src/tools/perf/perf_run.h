/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_RUN_H
#define UNIXMSG_TOOLS_PERF_RUN_H

#include "tools/perf/perf_worker.h"

/*
 * Runs all rounds with messages of that size. The cases take turns in each
 * round, alternately forward and backward, so that other load of the machine
 * affects all of them. Returns 0, or -1 after a complaint.
 */
int perf_run_size(struct perf_plan *plan, struct perf_worker *worker,
	size_t size);

#endif
