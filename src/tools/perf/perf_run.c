/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tools/common/tool.h"
#include "tools/perf/perf_run.h"

/* The first messages of a round find cold caches and a waking service. */
static const size_t cold_share = 10;

static void add_samples(struct histogram *histogram, const uint64_t *samples,
	size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		histogram_add(histogram, samples[i]);
}

/* Returns the figure of the case in this round, in nanoseconds a message. */
static double get_figure(const struct perf_plan *plan, uint64_t *samples,
	size_t count, uint64_t duration_ns, size_t received)
{
	if (count > 0 && plan->options->mode != PERF_FAN)
		return perf_get_median_ns(samples, count);
	/* UDP may have lost all of them. */
	return (double)duration_ns / (double)(received > 0 ? received : 1);
}

static int run_case(struct perf_plan *plan, struct perf_worker *worker,
	const struct perf_job *job, double *figure, bool is_counted)
{
	struct perf_case *it = &plan->cases[job->index];
	uint64_t duration_ns, *samples;
	size_t received, count, cold;

	if (perf_worker_run(worker, plan, job, &duration_ns, &received,
		    &count) < 0)
		return -1;
	cold = count / cold_share;
	samples = plan->samples + cold;
	if (!is_counted)
		return 0;
	add_samples(&it->histogram, samples, count - cold);
	it->lost += job->count - received;
	*figure =
		get_figure(plan, samples, count - cold, duration_ns, received);
	return 0;
}

static int run_round(struct perf_plan *plan, struct perf_worker *worker,
	size_t size, size_t round)
{
	size_t i, warm_up = plan->options->warm_up;
	bool is_counted = round >= warm_up;
	struct perf_job job = {
		.size = size,
		.count = perf_options_get_count(plan->options, size),
	};
	struct perf_case *it;

	for (i = 0; i < plan->count; i++) {
		job.index = round % 2 == 0 ? i : plan->count - 1 - i;
		it = &plan->cases[job.index];
		if (it->is_left_out)
			continue;
		if (run_case(plan, worker, &job,
			    &it->figures[is_counted ? round - warm_up : 0],
			    is_counted) < 0)
			return -1;
	}
	return 0;
}

int perf_run_size(struct perf_plan *plan, struct perf_worker *worker,
	size_t size)
{
	size_t round, rounds = plan->options->warm_up + plan->options->rounds;
	int result = 0;

	if (perf_plan_begin_size(plan, size) < 0)
		return -1;
	for (round = 0; round < rounds && result == 0; round++) {
		tool_show_progress("%s, %zu bytes: round %zu of %zu",
			perf_mode_get_name(plan->options->mode), size,
			round + 1, rounds);
		result = run_round(plan, worker, size, round);
	}
	tool_wipe_progress();
	return result;
}
