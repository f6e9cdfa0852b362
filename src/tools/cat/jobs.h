/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_JOBS_H
#define UNIXMSG_TOOLS_JOBS_H

/*
 * Processes of our own that handle messages: a bounded number of them at once,
 * each with a bounded time and a bounded output.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jobs;

/* What a process gets. Nothing of it is needed after jobs_start. */
struct job {
	uint64_t owner; /* whom the output is for */
	const void *input;
	size_t input_size;
	const int *fds; /* are 3 and so on in the process */
	size_t fds_count;
	/* Runs in the process: standard input and output are the job's. What
	 * it returns is the exit status. */
	int (*run)(const void *context);
	const void *context;
};

/*
 * The output of a job, which has ended well. size may be 0. For a job that
 * has failed, which was told, data is NULL.
 */
typedef void jobs_taker(uint64_t owner, const void *data, size_t size,
	void *context);

/* NULL with errno. Jobs that take longer than limit_us are killed. */
struct jobs *jobs_new(unsigned int most, int64_t limit_us, size_t output_max,
	jobs_taker *taker, void *context);

/* Kills what still runs. jobs may be NULL. */
void jobs_free(struct jobs *jobs);

/*
 * Starts a process. While there are as many as may be it waits for the end of
 * one: who sends too much waits, and nothing is lost. 0, or -1 told.
 */
int jobs_start(struct jobs *jobs, const struct job *job);

/* Whether it would not wait; and how many are owner's, who is not 0. */
bool jobs_has_place(const struct jobs *jobs);
unsigned int jobs_count(const struct jobs *jobs, uint64_t owner);

/* Readable when jobs_look has something to do. */
int jobs_get_fd(const struct jobs *jobs);
void jobs_look(struct jobs *jobs);

/* Waits for the end of all, or for a second signal to stop, or a moment. */
void jobs_finish(struct jobs *jobs, int64_t deadline_us);

/* Nobody waits any more for what is owner's: it is owner 0's. */
void jobs_disown(struct jobs *jobs, uint64_t owner);

#endif
