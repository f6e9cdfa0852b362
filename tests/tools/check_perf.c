/* SPDX-License-Identifier: MIT */
/* unixmsg-perf: what it makes of its command line, and of its figures. */
#include <config.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "support/support.h"
#include "tools/common/network.h"
#include "tools/common/stats.h"
#include "tools/perf/perf_case.h"
#include "tools/perf/perf_report.h"

static struct perf_options options;
static struct perf_plan plan;

/* The words of line, which must be right. */
static void read_line(const char *line)
{
	static char text[256], name[] = "unixmsg-perf";
	char *words[32], *word;
	int count = 1;

	words[0] = name;
	strcpy(text, line);
	for (word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
		words[count++] = word;
	words[count] = NULL;
	optind = 0;
	ck_assert_int_eq(perf_options_read(&options, count, words), -1);
}

static void make_plan(const char *line)
{
	read_line(line);
	ck_assert_int_eq(perf_plan_make(&plan, &options), 0);
}

static void free_plan(void)
{
	perf_plan_free(&plan);
}

static const struct perf_case *find(enum perf_network network,
	const char *label)
{
	size_t i;

	for (i = 0; i < plan.count; i++)
		if (plan.cases[i].network == network &&
			strcmp(plan.cases[i].label, label) == 0)
			return &plan.cases[i];
	return NULL;
}

START_TEST(each_network_of_ours_stands_beside_plain_calls)
{
	enum perf_network i;

	make_plan("");
	ck_assert_uint_eq(plan.count, 2 * 3 + 2);
	for (i = PERF_UNIXGRAM; i <= PERF_UNIX; i++) {
		ck_assert_ptr_nonnull(find(i, "unixmsg"));
		ck_assert_ptr_eq(find(i, "unixmsg")->base, find(i, "plain"));
		ck_assert_ptr_eq(find(i, "unixmsg")->reference,
			find(PERF_TCP, "plain"));
	}
	ck_assert_ptr_null(find(PERF_TCP, "unixmsg"));
	ck_assert_ptr_null(find(PERF_TCP, "plain")->reference);
}
END_TEST

START_TEST(without_a_baseline_nothing_is_compared)
{
	make_plan("--baseline none unixgram unixpacket");
	ck_assert_uint_eq(plan.count, 2);
	ck_assert_ptr_null(plan.cases[0].base);
	ck_assert_ptr_null(plan.cases[0].reference);
}
END_TEST

START_TEST(many_clients_are_held_against_one)
{
	make_plan("--mode fan --clients 7");
	ck_assert_uint_eq(plan.count, 3);
	ck_assert_uint_eq(plan.cases[0].clients_count, 7);
	ck_assert_uint_eq(plan.cases[0].base->clients_count, 7);
	ck_assert_uint_eq(plan.cases[0].reference->clients_count, 1);
	ck_assert_uint_eq(perf_options_get_count(&options, 64), 200);
}
END_TEST

START_TEST(a_server_stands_beside_plain_calls)
{
	make_plan("--server one=@a --server two=@b unix");
	ck_assert_uint_eq(plan.count, 3);
	ck_assert_str_eq(find(PERF_UNIX, "two")->address, "@b");
	ck_assert_ptr_eq(find(PERF_UNIX, "two")->base,
		find(PERF_UNIX, "plain"));
	ck_assert_ptr_eq(find(PERF_UNIX, "two")->reference,
		find(PERF_UNIX, "one"));
	ck_assert(perf_case_is_told(&plan, find(PERF_UNIX, "one")));
	ck_assert(!perf_case_is_told(&plan, find(PERF_UNIX, "plain")));
}
END_TEST

START_TEST(sizes_have_units)
{
	read_line("--size 1,2k,3K,1M unixgram --count 5");
	ck_assert_uint_eq(options.sizes_count, 4);
	ck_assert_uint_eq(options.sizes[1], 2048);
	ck_assert_uint_eq(options.sizes[2], 3072);
	ck_assert_uint_eq(options.sizes[3], 1048576);
	ck_assert_uint_eq(perf_options_get_count(&options, 1), 5);
}
END_TEST

START_TEST(a_size_that_does_not_fit_is_left_out)
{
	make_plan("-q --size 64,100k unixpacket udp");
	perf_plan_begin_size(&plan, options.sizes[1]);
	ck_assert(find(PERF_UDP, "plain")->is_left_out);
	ck_assert(!find(PERF_UNIXPACKET, "plain")->is_left_out);
	perf_plan_begin_size(&plan, options.sizes[0]);
	ck_assert(!find(PERF_UDP, "plain")->is_left_out);
}
END_TEST

START_TEST(the_median_is_the_middle)
{
	double three[] = { 3, 1, 2 };
	double four[] = { 4, 1, 3, 2 };
	uint64_t two[] = { 5, 2 };

	ck_assert_double_eq(perf_get_median(three, 3), 2);
	ck_assert_double_eq(perf_get_median(four, 4), 2.5);
	ck_assert_double_eq(perf_get_median(four, 0), 0);
	ck_assert_double_eq(perf_get_median_ns(two, 2), 3.5);
}
END_TEST

/* Rounds whose ratios are 0.5, 1, 1.5, 2, 4, in no order, twice as slow. */
static void fill(const struct perf_case *it)
{
	const double ratios[] = { 2, 0.5, 4, 1, 1.5 };
	size_t i;

	for (i = 0; i < COUNT(ratios); i++) {
		it->base->figures[i] = 100 * (double)(i + 1);
		it->figures[i] = ratios[i] * it->base->figures[i];
	}
}

START_TEST(ratios_are_of_times_and_round_by_round)
{
	struct perf_ratio ratio;

	make_plan("--rounds 5 unixgram");
	fill(&plan.cases[0]);
	ck_assert(perf_case_compare(&plan, &plan.cases[0], plan.cases[0].base,
		&ratio));
	ck_assert_double_eq(ratio.median, 1.5);
	ck_assert_double_eq(ratio.low, 1);
	ck_assert_double_eq(ratio.high, 2);
}
END_TEST

START_TEST(ratios_of_rates_are_the_other_way_round)
{
	struct perf_ratio ratio;

	make_plan("--rounds 5 --mode throughput unixgram");
	fill(&plan.cases[0]);
	ck_assert(perf_case_compare(&plan, &plan.cases[0], plan.cases[0].base,
		&ratio));
	ck_assert_double_eq(ratio.median, 1 / 1.5);
	ck_assert_double_eq(ratio.low, 0.5);
	ck_assert_double_eq(ratio.high, 1);
}
END_TEST

/* Of a thousand times each figure has a value of its own. */
static void add_times(struct histogram *histogram)
{
	static const struct {
		int times;
		uint64_t ns;
	} steps[] = { { 1, 5000 }, { 499, 10000 }, { 400, 20000 },
		{ 90, 30000 }, { 9, 40000 }, { 1, 50000 } };
	size_t i;
	int j;

	histogram_init(histogram);
	for (i = 0; i < COUNT(steps); i++)
		for (j = 0; j < steps[i].times; j++)
			histogram_add(histogram, steps[i].ns);
}

/* What is written to a descriptor from now on, until it is read. */
static int capture(FILE *stream, int *saved)
{
	int fd = memfd_create("printed", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	fflush(stream);
	*saved = dup(fileno(stream));
	ck_assert_int_ge(dup2(fd, fileno(stream)), 0);
	return fd;
}

static const char *read_captured(FILE *stream, int fd, int saved)
{
	static char text[8192];
	ssize_t size;

	fflush(stream);
	size = pread(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(dup2(saved, fileno(stream)), 0);
	close(saved);
	close(fd);
	ck_assert_int_gt(size, 0);
	text[size] = '\0';
	return text;
}

/* The number behind name; a histogram is right within one percent. */
static void expect_figure(const char *text, const char *name, double wanted)
{
	const char *place = strstr(text, name);
	double figure;

	ck_assert_msg(place != NULL, "no %s in: %s", name, text);
	ck_assert_int_eq(sscanf(place + strlen(name), " %lf", &figure), 1);
	ck_assert_double_ge(figure, wanted * 0.99);
	ck_assert_double_le(figure, wanted * 1.01);
}

static void measure(const char *line)
{
	make_plan(line);
	ck_assert_int_eq(perf_plan_begin_size(&plan, 64), 0);
	add_times(&plan.cases[0].histogram);
}

START_TEST(a_table_has_each_figure_under_its_name)
{
	const char *text, *line;
	int fd, saved, end = 0;

	measure("--baseline none unixgram");
	fd = capture(stdout, &saved);
	perf_table_show(&plan, 64);
	text = read_captured(stdout, fd, saved);
	ck_assert_ptr_nonnull(strstr(text, "SERVICE       MEDIAN       P99"));
	line = strstr(text, "\nunixgram");
	ck_assert_ptr_nonnull(line);
	expect_figure(line, " unixmsg", 10);
	sscanf(line, " unixgram unixmsg %*f%n", &end);
	ck_assert_int_gt(end, 0);
	expect_figure(line + end, "", 30);
}
END_TEST

START_TEST(json_has_each_figure_under_its_name)
{
	const char *text;
	int fd, saved;

	measure("--baseline none unixgram");
	fd = capture(stdout, &saved);
	perf_json_begin(&plan);
	perf_json_show(&plan, 64);
	perf_json_end();
	text = read_captured(stdout, fd, saved);
	expect_figure(text, "\"min_ns\":", 5000);
	expect_figure(text, "\"median_ns\":", 10000);
	expect_figure(text, "\"p90_ns\":", 20000);
	expect_figure(text, "\"p99_ns\":", 30000);
	expect_figure(text, "\"p999_ns\":", 40000);
	expect_figure(text, "\"max_ns\":", 50000);
}
END_TEST

/* What the echo tools say of the times of a client. */
static void summarise(struct client_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	add_times(&stats->round_trips);
}

START_TEST(the_summary_of_a_client_has_each_figure_under_its_name)
{
	struct client_stats stats;
	const char *text;
	int fd, saved;

	summarise(&stats);
	fd = capture(stderr, &saved);
	stats_say_client(&stats);
	text = read_captured(stderr, fd, saved);
	expect_figure(text, " min", 5);
	expect_figure(text, " median", 10);
	expect_figure(text, " p99", 30);
	expect_figure(text, " max", 50);
}
END_TEST

START_TEST(the_counters_of_a_client_have_each_figure_under_its_name)
{
	struct client_stats stats;
	const char *text;
	int fd, saved;

	summarise(&stats);
	fd = capture(stdout, &saved);
	ck_assert_int_eq(stats_print_client(&stats, &network_unixgram), 0);
	text = read_captured(stdout, fd, saved);
	expect_figure(text, "\"round_trip_min_ns\":", 5000);
	expect_figure(text, "\"round_trip_median_ns\":", 10000);
	expect_figure(text, "\"round_trip_p99_ns\":", 30000);
	expect_figure(text, "\"round_trip_max_ns\":", 50000);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("perf", NULL, free_plan);

	tcase_add_test(tcase, each_network_of_ours_stands_beside_plain_calls);
	tcase_add_test(tcase, without_a_baseline_nothing_is_compared);
	tcase_add_test(tcase, many_clients_are_held_against_one);
	tcase_add_test(tcase, a_server_stands_beside_plain_calls);
	tcase_add_test(tcase, sizes_have_units);
	tcase_add_test(tcase, a_size_that_does_not_fit_is_left_out);
	tcase_add_test(tcase, the_median_is_the_middle);
	tcase_add_test(tcase, ratios_are_of_times_and_round_by_round);
	tcase_add_test(tcase, ratios_of_rates_are_the_other_way_round);
	tcase_add_test(tcase, a_table_has_each_figure_under_its_name);
	tcase_add_test(tcase, json_has_each_figure_under_its_name);
	tcase_add_test(tcase,
		the_summary_of_a_client_has_each_figure_under_its_name);
	tcase_add_test(tcase,
		the_counters_of_a_client_have_each_figure_under_its_name);
	return support_run_cases("perf", tcase);
}
