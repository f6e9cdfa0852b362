/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_WORKER_H
#define UNIXMSG_TOOLS_PERF_WORKER_H

/*
 * The worker is the process of the services. One worker serves all cases, so
 * that all run with the same neighbours on the same CPU. It always ends with
 * the parent. The parent ends with a complaint when the worker ends, when a
 * signal arrives, or after a minute without progress.
 */

#include "tools/perf/perf_job.h"

struct perf_worker {
	pid_t pid;
	int control;
};

/* Starts the worker, and gives both processes their CPUs. Returns 0, or -1
 * after a complaint. */
int perf_worker_start(struct perf_worker *worker, struct perf_plan *plan);

/*
 * Runs a job. *duration_ns is the time to the last message, *received the
 * number of messages that arrived, *samples that of perf_job_run. Returns 0, or
 * -1 after a complaint.
 */
int perf_worker_run(struct perf_worker *worker, struct perf_plan *plan,
	const struct perf_job *job, uint64_t *duration_ns, size_t *received,
	size_t *samples);

/* Ends the worker, and waits for it. */
void perf_worker_stop(struct perf_worker *worker);

#endif
