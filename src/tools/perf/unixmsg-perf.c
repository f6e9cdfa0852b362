/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/common/explain.h"
#include "tools/perf/perf_report.h"
#include "tools/perf/perf_run.h"

/* The server of --server must already run. */
static const char *explain_opening(const struct perf_case *it)
{
	if (it->address != NULL && (errno == ECONNREFUSED || errno == ENOENT))
		return "nobody serves there; start it first";
	return explain_error(errno);
}

static int complain_of_opening(const struct perf_case *it)
{
	const char *why = explain_opening(it);

	tool_complain("%s, %s%s%s: %s", perf_network_get_name(it->network),
		it->label, it->address != NULL ? "=" : "",
		it->address != NULL ? explain_text(it->address) : "", why);
	return -1;
}

static int open_cases(struct perf_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (perf_job_open(plan, &plan->cases[i]) < 0)
			return complain_of_opening(&plan->cases[i]);
	return 0;
}

static void close_cases(struct perf_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		perf_job_close(&plan->cases[i]);
}

static int measure(struct perf_plan *plan, struct perf_worker *worker,
	struct perf_plot *plot)
{
	const struct perf_options *options = plan->options;
	size_t i;

	for (i = 0; i < options->sizes_count; i++) {
		if (perf_run_size(plan, worker, options->sizes[i]) < 0)
			return -1;
		if (options->is_json)
			perf_json_show(plan, options->sizes[i]);
		else
			perf_table_show(plan, options->sizes[i]);
		fflush(stdout);
		if (options->plot != NULL)
			perf_plot_show(plot, plan, options->sizes[i]);
	}
	return 0;
}

static int run_with(struct perf_plan *plan, struct perf_worker *worker)
{
	const struct perf_options *options = plan->options;
	struct perf_plot plot;
	int result;

	if (options->plot != NULL && perf_plot_begin(&plot) < 0)
		return -1;
	if (options->is_json)
		perf_json_begin(plan);
	result = measure(plan, worker, &plot);
	perf_worker_stop(worker);
	if (options->is_json)
		perf_json_end();
	if (result == 0 && options->plot != NULL)
		result = perf_plot_end(&plot, plan);
	return result;
}

static int run(struct perf_plan *plan)
{
	struct perf_worker worker;

	if (open_cases(plan) < 0 || perf_worker_start(&worker, plan) < 0 ||
		run_with(plan, &worker) < 0)
		return TOOL_FAILED;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return TOOL_OK;
	tool_complain("standard output: %s", strerror(errno));
	return TOOL_FAILED;
}

int main(int argc, char **argv)
{
	struct perf_options options;
	struct perf_plan plan;
	int status;

	tool_init("unixmsg-perf");
	status = perf_options_read(&options, argc, argv);
	if (status >= 0)
		return status;
	tool_raise_descriptor_limit();
	if (perf_plan_make(&plan, &options) < 0)
		return TOOL_FAILED;
	status = run(&plan);
	close_cases(&plan);
	perf_plan_free(&plan);
	return status;
}
