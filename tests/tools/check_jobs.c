/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support/scene.h"
#include "tools/cat/jobs.h"

enum { JOBS_MOST = 4, OUTPUT_MOST = 16 };

static const int64_t limit_us = 60000000;

static struct jobs *jobs;
static size_t ended; /* jobs whose output was taken */

static void take(uint64_t owner, const void *data, size_t size, void *context)
{
	(void)owner;
	(void)size;
	(void)context;
	ck_assert_ptr_nonnull(data);
	ended++;
}

static void open_jobs(void)
{
	ended = 0;
	jobs = jobs_new(JOBS_MOST, limit_us, OUTPUT_MOST, take, NULL);
	ck_assert_ptr_nonnull(jobs);
}

static void close_jobs(void)
{
	jobs_free(jobs);
}

static int wait_at_gate(const void *context)
{
	const int *gate = context;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return read(gate[0], &byte, 1) == 1 ? 0 : 1;
}

static void start_at_gate(int gate[2])
{
	const struct job job = {
		.owner = 1,
		.input = "",
		.run = wait_at_gate,
		.context = gate,
	};

	support_ready_init(gate);
	ck_assert_int_eq(jobs_start(jobs, &job), 0);
}

static void look_until_ended(size_t count)
{
	struct pollfd fd = { .fd = jobs_get_fd(jobs), .events = POLLIN };

	while (ended < count) {
		ck_assert_int_eq(support_poll(&fd, 1, -1), 1);
		jobs_look(jobs);
	}
}

START_TEST(a_job_that_has_ended_wakes_nobody_while_a_later_one_runs)
{
	int first[2], later[2];

	start_at_gate(first);
	start_at_gate(later);
	support_ready_tell(first);
	look_until_ended(1);
	ck_assert(!support_is_readable(jobs_get_fd(jobs)));
	support_ready_tell(later);
	look_until_ended(2);
	ck_assert(!support_is_readable(jobs_get_fd(jobs)));
	close_pipe(first);
	close_pipe(later);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("jobs", open_jobs, close_jobs);

	tcase_add_test(tcase,
		a_job_that_has_ended_wakes_nobody_while_a_later_one_runs);
	return support_run_cases("jobs", tcase);
}
