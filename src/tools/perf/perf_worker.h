/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_WORKER_H
#define UNIXMSG_TOOLS_PERF_WORKER_H

/*
 * The process that has the services' side. One serves all cases, so that what
 * is compared is compared with the same neighbours on the same CPU. It ends
 * with us, however we end; and we end, with a word, when it does, when a
 * signal comes, or when nothing goes on for a minute.
 */

#include "tools/perf/perf_job.h"

struct perf_worker {
	pid_t pid;
	int control;
};

/* Starts it, and gives both processes their CPUs. 0, or -1 told why. */
int perf_worker_start(struct perf_worker *worker, struct perf_plan *plan);

/*
 * Does a job. *duration_ns: until the last message was through; *received of
 * them came; *samples as perf_job_run. 0, or -1 told why.
 */
int perf_worker_run(struct perf_worker *worker, struct perf_plan *plan,
	const struct perf_job *job, uint64_t *duration_ns, size_t *received,
	size_t *samples);

/* Ends it, and waits for its end. */
void perf_worker_stop(struct perf_worker *worker);

#endif
