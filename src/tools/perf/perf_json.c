/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "tools/perf/perf_report.h"

static bool has_shown;

static void print_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++)
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if (*text < ' ' || *text > '~')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	putchar('"');
}

static void print_number(const char *name, uint64_t value)
{
	printf(",\"%s\":%" PRIu64, name, value);
}

static void print_system(void)
{
	struct utsname system;

	if (uname(&system) < 0)
		return;
	printf(",\"kernel\":");
	print_string(system.release);
	printf(",\"machine\":");
	print_string(system.machine);
}

void perf_json_begin(const struct perf_plan *plan)
{
	const struct perf_options *options = plan->options;

	printf("{\"version\":\"%s\",\"mode\":\"%s\",\"better\":\"%s\"",
		PACKAGE_VERSION, perf_mode_get_name(options->mode),
		perf_mode_is_rate(options->mode) ? "higher" : "lower");
	print_system();
	print_number("rounds", options->rounds);
	print_number("clients",
		options->mode == PERF_FAN ? options->clients : 1);
	print_number("batch", options->batch);
	print_number("spin_us", (uint64_t)options->spin_us);
	print_number("lane_bytes", options->lane_bytes);
	if (options->cpus[0] >= 0)
		printf(",\"cpus\":[%d,%d]", options->cpus[0], options->cpus[1]);
	printf(",\"results\":[");
	has_shown = false;
}

static void print_ratio(const struct perf_plan *plan, const char *name,
	const struct perf_case *it, const struct perf_case *other)
{
	struct perf_ratio ratio;

	if (other == NULL || other->is_left_out ||
		!perf_case_compare(plan, it, other, &ratio))
		return;
	printf(",\"%s\":{\"median\":%.4f,\"low\":%.4f,\"high\":%.4f}", name,
		ratio.median, ratio.low, ratio.high);
}

static void print_times(const struct histogram *histogram)
{
	static const struct {
		const char *name;
		double quantile;
	} quantiles[] = {
		{ "median_ns", 0.5 },
		{ "p90_ns", 0.9 },
		{ "p99_ns", 0.99 },
		{ "p999_ns", 0.999 },
	};
	size_t i;

	if (histogram_get_count(histogram) == 0)
		return;
	print_number("min_ns", histogram_get_min(histogram));
	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		print_number(quantiles[i].name,
			histogram_get_quantile(histogram,
				quantiles[i].quantile));
	print_number("max_ns", histogram_get_max(histogram));
}

static const char *get_reference_name(const struct perf_options *options)
{
	if (options->servers_count > 0)
		return "ratio_to_first";
	return options->mode == PERF_FAN ? "ratio_to_one_client"
					 : "ratio_to_tcp";
}

static void print_case(const struct perf_plan *plan, const struct perf_case *it,
	size_t size)
{
	printf("%s\n{\"network\":\"%s\",\"service\":", has_shown ? "," : "",
		perf_network_get_name(it->network));
	has_shown = true;
	print_string(it->label);
	print_number("size", size);
	print_number("clients", it->clients_count);
	printf(",\"ns_per_message\":%.1f", perf_case_get_figure(plan, it));
	print_times(&it->histogram);
	print_number("lost", it->lost);
	print_ratio(plan, "ratio_to_plain", it, it->base);
	print_ratio(plan, get_reference_name(plan->options), it, it->reference);
	printf("}");
}

void perf_json_show(const struct perf_plan *plan, size_t size)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!plan->cases[i].is_left_out)
			print_case(plan, &plan->cases[i], size);
}

void perf_json_end(void)
{
	printf("\n]}\n");
}
