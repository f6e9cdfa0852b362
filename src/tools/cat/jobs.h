/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_JOBS_H
#define UNIXMSG_TOOLS_JOBS_H

/*
 * Child processes that handle messages: a bounded number at once, each with
 * bounded time and output.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jobs;

/* The input of a process. The caller may free it after jobs_start. */
struct job {
	uint64_t owner; /* of the output */
	const void *input;
	size_t input_size;
	const int *fds; /* 3 and up in the process */
	size_t fds_count;
	/* Runs in the process, with the job's standard input and output.
	 * Returns the exit status. */
	int (*run)(const void *context);
	const void *context;
};

/*
 * Takes the output of a job that has succeeded; size may be 0. data is NULL for
 * a job that has failed, after a complaint.
 */
typedef void jobs_taker(uint64_t owner, const void *data, size_t size,
	void *context);

/* Makes the table of jobs, or returns NULL with errno. Kills each job after
 * limit_us. */
struct jobs *jobs_new(unsigned int most, int64_t limit_us, size_t output_max,
	jobs_taker *taker, void *context);

/* Kills all processes. jobs may be NULL. */
void jobs_free(struct jobs *jobs);

/*
 * Starts a process. At the limit it first waits for the end of one, so fast
 * senders wait, and nothing is lost. Returns 0, or -1 after a complaint.
 */
int jobs_start(struct jobs *jobs, const struct job *job);

/* True if jobs_start would not wait; and the number of owner's jobs, owner not
 * 0. */
bool jobs_has_place(const struct jobs *jobs);
unsigned int jobs_count(const struct jobs *jobs, uint64_t owner);

/* A descriptor that is readable when jobs_look has something to do. */
int jobs_get_fd(const struct jobs *jobs);
void jobs_look(struct jobs *jobs);

/* Waits for the end of all, a second signal to stop, or the deadline. */
void jobs_finish(struct jobs *jobs, int64_t deadline_us);

/* The owner waits for its jobs no longer: their owner becomes 0. */
void jobs_disown(struct jobs *jobs, uint64_t owner);

#endif
