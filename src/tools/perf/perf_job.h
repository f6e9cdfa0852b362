/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_JOB_H
#define UNIXMSG_TOOLS_PERF_JOB_H

/*
 * The part of one case in a round: the job of its client, and that of its
 * service in another process. Functions return 0, or -1 with errno.
 */

#include "tools/perf/perf_case.h"

struct perf_job {
	size_t index; /* of the case */
	size_t size;
	size_t count;
};

/* Opens all ends of a case: both processes inherit them. */
int perf_job_open(struct perf_plan *plan, struct perf_case *it);

/* Closes the open ends of this process. */
void perf_job_close(struct perf_case *it);

/*
 * Runs the client. Sets plan->samples to the time of each message, *samples of
 * them, if messages are measured one by one.
 */
int perf_job_run(struct perf_plan *plan, const struct perf_job *job,
	size_t *samples);

/* Runs the service; *received is the number of messages that have arrived. */
int perf_job_serve(struct perf_plan *plan, const struct perf_job *job,
	size_t *received);

/*
 * True if messages may be lost, so that the service cannot count them to the
 * last. perf_job_tell_end then sends the end to the service.
 */
bool perf_job_is_lossy(const struct perf_plan *plan,
	const struct perf_job *job);
int perf_job_tell_end(struct perf_plan *plan, const struct perf_job *job);

/* Drops the messages that such a job has left: the end may have been sent more
 * than once. */
void perf_job_drain(struct perf_plan *plan, const struct perf_job *job);

#endif
