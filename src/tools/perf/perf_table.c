/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "tools/common/explain.h"
#include "tools/perf/perf_report.h"

static const char *const titles[] = {
	[PERF_LATENCY] = "round trip, microseconds",
	[PERF_THROUGHPUT] = "one way, messages a second",
	[PERF_CONNECT] = "dial, accept and close, microseconds",
	[PERF_FAN] = "round trips of clients in turn, messages a second",
};

static double to_rate(double ns)
{
	return 1e9 / ns;
}

/* Prints the median of a case, and the p99 of times or the MB/s. */
static void print_figures(const struct perf_plan *plan,
	const struct perf_case *it, size_t size)
{
	double ns;

	if (it == NULL) {
		printf("  %10s %9s", "-", "-");
		return;
	}
	ns = perf_case_get_figure(plan, it);
	if (perf_mode_is_rate(plan->options->mode))
		printf("  %10.0f %9.1f", to_rate(ns),
			to_rate(ns) * (double)size / 1e6);
	else
		printf("  %10.2f %9.2f",
			(double)histogram_get_quantile(&it->histogram, 0.5) /
				1e3,
			(double)histogram_get_quantile(&it->histogram, 0.99) /
				1e3);
}

static void print_ratio(const struct perf_plan *plan,
	const struct perf_case *it, const struct perf_case *other)
{
	struct perf_ratio ratio;

	if (other == NULL || other->is_left_out ||
		!perf_case_compare(plan, it, other, &ratio)) {
		printf("  %16s", "-");
		return;
	}
	printf("  %4.2f %4.2f..%-5.2f", ratio.median, ratio.low, ratio.high);
}

static bool has_references(const struct perf_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (plan->cases[i].reference != NULL)
			return true;
	return false;
}

static const char *get_reference_title(const struct perf_options *options)
{
	if (options->servers_count > 0)
		return "TO THE FIRST";
	return options->mode == PERF_FAN ? "TO ONE CLIENT" : "TO TCP";
}

static void print_head(const struct perf_plan *plan, size_t size)
{
	const struct perf_options *options = plan->options;
	bool is_rate = perf_mode_is_rate(options->mode);

	printf("%s: %s; %zu bytes, %zu rounds of %zu",
		perf_mode_get_name(options->mode), titles[options->mode], size,
		options->rounds, perf_options_get_count(options, size));
	if (options->mode == PERF_FAN)
		printf(", %zu clients", options->clients);
	if (options->mode == PERF_THROUGHPUT && options->batch > 1)
		printf(", batches of %zu", options->batch);
	if (options->spin_us > 0)
		printf(", spin %" PRId64, options->spin_us);
	if (options->lane_bytes > 0)
		printf(", lanes of %" PRIu64, options->lane_bytes);
	if (options->cpus[0] >= 0)
		printf(", CPUs %d and %d", options->cpus[0], options->cpus[1]);
	printf("\n%-10s %-8s  %10s %9s  %10s %9s  %-16s", "NETWORK", "SERVICE",
		is_rate ? "RATE" : "MEDIAN", is_rate ? "MB/S" : "P99", "PLAIN",
		is_rate ? "MB/S" : "P99", "RATIO TO PLAIN");
	if (has_references(plan))
		printf("  %s", get_reference_title(options));
	printf("\n");
}

static void print_case(const struct perf_plan *plan, const struct perf_case *it,
	size_t size)
{
	/* Without the library there are only plain calls. */
	const bool is_plain =
		it->base == NULL && !it->is_library && it->address == NULL;

	printf("%-10s %-8s", perf_network_get_name(it->network),
		explain_text(it->label));
	print_figures(plan, is_plain ? NULL : it, size);
	print_figures(plan, is_plain ? it : it->base, size);
	print_ratio(plan, it, it->base);
	if (has_references(plan))
		print_ratio(plan, it, it->reference);
	if (it->lost > 0)
		printf("  %" PRIu64 " lost", it->lost);
	printf("\n");
}

void perf_table_show(const struct perf_plan *plan, size_t size)
{
	const struct perf_case *it;
	size_t i;

	if (size != plan->options->sizes[0])
		printf("\n");
	print_head(plan, size);
	for (i = 0; i < plan->count; i++) {
		it = &plan->cases[i];
		if (!it->is_left_out && perf_case_is_told(plan, it))
			print_case(plan, it, size);
	}
}
