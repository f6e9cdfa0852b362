/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_REPORT_H
#define UNIXMSG_TOOLS_PERF_REPORT_H

/*
 * Prints results: begin once, show for each size after its rounds, end once.
 * Functions return 0, or -1 with errno; the plot complains itself.
 */

#include <stdio.h>

#include "tools/perf/perf_case.h"

void perf_table_show(const struct perf_plan *plan, size_t size);

void perf_json_begin(const struct perf_plan *plan);
void perf_json_show(const struct perf_plan *plan, size_t size);
void perf_json_end(void);

/* A script for gnuplot that grows until the end, and runs then. */
struct perf_plot {
	FILE *script;
	char *text;
	size_t text_size;
	size_t shown; /* sizes */
	/* MB a second of the cases shown; 0: it was left out. */
	double rates[PERF_SIZES_MAX][PERF_CASES_MAX];
};

int perf_plot_begin(struct perf_plot *plot);
void perf_plot_show(struct perf_plot *plot, const struct perf_plan *plan,
	size_t size);
int perf_plot_end(struct perf_plot *plot, const struct perf_plan *plan);

#endif
