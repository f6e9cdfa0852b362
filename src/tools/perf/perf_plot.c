/* SPDX-License-Identifier: MIT */
/*
 * Draws the picture. For times it shows the whole distribution, with a scale
 * that shows the last of ten thousand messages as well as the middle; for rates
 * it shows the rate by size. Each network has one colour, plain calls are
 * dashed.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tools/perf/perf_report.h"

/* The scale of slower messages ends at 1 in so many. */
static const double scale_most = 1e6;

int perf_plot_begin(struct perf_plot *plot)
{
	memset(plot, 0, sizeof(*plot));
	plot->script = open_memstream(&plot->text, &plot->text_size);
	if (plot->script != NULL)
		return 0;
	tool_complain("--plot: %s", strerror(errno));
	return -1;
}

/* Plots the time that one of n messages exceeds, 40 steps a decade. */
static void put_distribution(FILE *script, const struct histogram *histogram)
{
	double one_of, count = (double)histogram_get_count(histogram);

	for (one_of = 1; one_of <= count && one_of <= scale_most;
		one_of *= 1.0592537)
		fprintf(script, "%.4f %.3f\n", one_of,
			(double)histogram_get_quantile(histogram,
				1 - 1 / one_of) /
				1e3);
}

static void begin_block(FILE *script, size_t index, size_t panel)
{
	fprintf(script, "$case%zu_%zu << END_OF_DATA\n", index, panel);
}

static void end_block(FILE *script)
{
	fputs("END_OF_DATA\n", script);
}

static bool is_by_size(const struct perf_plan *plan)
{
	return plan->options->mode == PERF_THROUGHPUT;
}

void perf_plot_show(struct perf_plot *plot, const struct perf_plan *plan,
	size_t size)
{
	double *rates = plot->rates[plot->shown];
	const struct perf_case *it;
	size_t i;

	for (i = 0; i < plan->count; i++) {
		it = &plan->cases[i];
		rates[i] = 0;
		if (it->is_left_out)
			continue;
		rates[i] = 1e3 / perf_case_get_figure(plan, it) * (double)size;
		if (is_by_size(plan))
			continue;
		begin_block(plot->script, i, plot->shown);
		put_distribution(plot->script, &it->histogram);
		end_block(plot->script);
	}
	plot->shown++;
}

static void put_quoted(FILE *script, const char *text)
{
	fputc('\'', script);
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputc('\'', script);
		fputc(*text < ' ' && *text > 0 ? '?' : *text, script);
	}
	fputc('\'', script);
}

static void put_head(struct perf_plot *plot, const struct perf_plan *plan)
{
	const char *file = plan->options->plot;
	bool is_svg = strcmp(file + strlen(file) - 4, ".svg") == 0;
	size_t panels = is_by_size(plan) ? 1 : plot->shown;

	fprintf(plot->script,
		"set terminal %s size 960,%zu font 'sans,%d'\n"
		"set output ",
		is_svg ? "svg dynamic background 'white'" : "pngcairo",
		60 + 460 * panels, is_svg ? 13 : 11);
	put_quoted(plot->script, file);
	fputs("\nset border 3\n"
	      "set tics nomirror out\n"
	      "set grid xtics ytics lc rgb '#d8d8d8' lw 1\n"
	      "set key left top Left reverse spacing 1.1\n"
	      "set logscale xy\n",
		plot->script);
}

static const char *const colours[PERF_NETWORKS] = {
	[PERF_UNIXGRAM] = "#0072b2",
	[PERF_UNIXPACKET] = "#d55e00",
	[PERF_UNIX] = "#009e73",
	[PERF_TCP] = "#444444",
	[PERF_UDP] = "#aaaaaa",
};

/* The servers of --server share a network, so each gets a colour. */
static const char *const server_colours[PERF_SERVERS_MAX] = {
	"#0072b2",
	"#d55e00",
	"#009e73",
	"#cc79a7",
	"#e69f00",
	"#56b4e9",
	"#999999",
	"#8c564b",
};

static void put_style(FILE *script, const struct perf_plan *plan, size_t index)
{
	const struct perf_case *it = &plan->cases[index];
	const char *colour = colours[it->network];

	if (it->address != NULL)
		colour = server_colours[(index - 1) % PERF_SERVERS_MAX];
	else if (plan->options->servers_count > 0)
		colour = "#000000";
	fprintf(script, " lw 2 lc rgb '%s' dt %d title ", colour,
		perf_case_is_told(plan, it) ? 1 : 2);
}

static void put_title(FILE *script, const struct perf_case *it)
{
	char title[128];

	snprintf(title, sizeof(title), "%s, %s",
		perf_network_get_name(it->network), it->label);
	put_quoted(script, title);
	fputs(" noenhanced", script);
}

static void put_panel(struct perf_plot *plot, const struct perf_plan *plan,
	size_t panel)
{
	const char *separator = "";
	FILE *script = plot->script;
	size_t i;

	fprintf(script, "set title '%s, %zu bytes' noenhanced\nplot ",
		perf_mode_get_name(plan->options->mode),
		plan->options->sizes[panel]);
	for (i = 0; i < plan->count; i++) {
		if (plot->rates[panel][i] == 0)
			continue;
		fprintf(script, "%s$case%zu_%zu with lines", separator, i,
			panel);
		separator = ", \\\n\t";
		put_style(script, plan, i);
		put_title(script, &plan->cases[i]);
	}
	fputc('\n', script);
}

static void put_panels(struct perf_plot *plot, const struct perf_plan *plan)
{
	size_t i;

	fprintf(plot->script,
		"set xlabel 'share of messages that are faster'\n"
		"set ylabel 'microseconds'\n"
		"set xtics ('0' 1, '50%%%%' 2, '90%%%%' 10, '99%%%%' 100, "
		"'99.9%%%%' 1000, '99.99%%%%' 1e4, '99.999%%%%' 1e5)\n"
		"set multiplot layout %zu,1\n",
		plot->shown);
	for (i = 0; i < plot->shown; i++)
		put_panel(plot, plan, i);
	fputs("unset multiplot\n", plot->script);
}

static void put_rates(struct perf_plot *plot, const struct perf_plan *plan,
	size_t index)
{
	size_t i;

	begin_block(plot->script, index, 0);
	for (i = 0; i < plot->shown; i++)
		if (plot->rates[i][index] > 0)
			fprintf(plot->script, "%zu %.3f\n",
				plan->options->sizes[i], plot->rates[i][index]);
	end_block(plot->script);
}

/* False if all messages of the case were too large. */
static bool has_rates(const struct perf_plot *plot, size_t index)
{
	size_t i;

	for (i = 0; i < plot->shown; i++)
		if (plot->rates[i][index] > 0)
			return true;
	return false;
}

static void put_lines_by_size(struct perf_plot *plot,
	const struct perf_plan *plan)
{
	const char *separator = "plot ";
	FILE *script = plot->script;
	size_t i;

	fputs("set xlabel 'bytes in a message'\n"
	      "set ylabel 'MB a second'\n"
	      "set logscale x 2\n"
	      "set title 'throughput, one way'\n",
		script);
	for (i = 0; i < plan->count; i++)
		put_rates(plot, plan, i);
	for (i = 0; i < plan->count; i++) {
		if (!has_rates(plot, i))
			continue;
		fprintf(script, "%s$case%zu_0 with linespoints pt 7 ps 0.6",
			separator, i);
		separator = ", \\\n\t";
		put_style(script, plan, i);
		put_title(script, &plan->cases[i]);
	}
	fputc('\n', script);
}

static int complain(const char *file, int status)
{
	if (status == -1)
		tool_complain("--plot: %s", strerror(errno));
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		tool_complain("--plot: gnuplot is not installed");
	else
		tool_complain("--plot: gnuplot could not draw %s", file);
	return -1;
}

/* Hides gnuplot's own errors, which name a script that the user never saw. */
static int run_gnuplot(const struct perf_plot *plot, const char *file)
{
	FILE *pipe;
	int status;

	fflush(stdout);
	pipe = popen("exec gnuplot 2>/dev/null", "w");
	if (pipe == NULL)
		return complain(file, -1);
	fwrite(plot->text, 1, plot->text_size, pipe);
	status = pclose(pipe);
	return status == 0 ? 0 : complain(file, status);
}

int perf_plot_end(struct perf_plot *plot, const struct perf_plan *plan)
{
	int result = -1;

	put_head(plot, plan);
	if (is_by_size(plan))
		put_lines_by_size(plot, plan);
	else
		put_panels(plot, plan);
	if (fclose(plot->script) == 0)
		result = run_gnuplot(plot, plan->options->plot);
	free(plot->text);
	return result;
}
