/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_JOB_H
#define UNIXMSG_TOOLS_PERF_JOB_H

/*
 * One case's share of a round: what its client does, and what its service in
 * another process. Functions give 0, or -1 with errno.
 */

#include "tools/perf/perf_case.h"

struct perf_job {
	size_t index; /* of the case */
	size_t size;
	size_t count;
};

/* Opens all ends of a case: both processes inherit them. */
int perf_job_open(struct perf_plan *plan, struct perf_case *it);

/* Closes those of this process, as far as they have come to be. */
void perf_job_close(struct perf_case *it);

/*
 * The client's side. In plan->samples is left how long each message took,
 * where one is measured for itself: *samples of them.
 */
int perf_job_run(struct perf_plan *plan, const struct perf_job *job,
	size_t *samples);

/* The service's side; *received: how many messages have come. */
int perf_job_serve(struct perf_plan *plan, const struct perf_job *job,
	size_t *received);

/*
 * Whether messages may be lost on the way, so that the service cannot know by
 * counting when all have come; and telling it that they have.
 */
bool perf_job_is_lossy(const struct perf_plan *plan,
	const struct perf_job *job);
int perf_job_tell_end(struct perf_plan *plan, const struct perf_job *job);

/* Throws away what such a job before has left: it may be told more than once
 * that there are no more. */
void perf_job_drain(struct perf_plan *plan, const struct perf_job *job);

#endif
