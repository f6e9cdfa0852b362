/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/perf/perf_case.h"

static struct perf_case *add_case(struct perf_plan *plan,
	enum perf_network network, const char *label)
{
	struct perf_case *it = &plan->cases[plan->count++];

	it->network = network;
	it->label = label;
	it->clients_count = 1;
	if (plan->options->mode == PERF_FAN)
		it->clients_count = plan->options->clients;
	return it;
}

static struct perf_case *add_plain(struct perf_plan *plan,
	enum perf_network network)
{
	struct perf_case *it = add_case(plan, network, "plain");

	it->way = perf_way_of_plain(network);
	it->client = it->way;
	return it;
}

static struct perf_case *add_library(struct perf_plan *plan,
	enum perf_network network)
{
	struct perf_case *it = add_case(plan, network, "unixmsg");

	it->is_library = true;
	it->way = perf_way_of_library(network);
	it->client = it->way;
	/* This mode measures the service. */
	if (plan->options->mode == PERF_FAN)
		it->client = perf_way_of_plain(network);
	return it;
}

/* The other servers are compared with the first. */
static void add_servers(struct perf_plan *plan, enum perf_network network,
	const struct perf_case *plain)
{
	const struct perf_options *options = plan->options;
	struct perf_case *it, *first = NULL;
	size_t i;

	for (i = 0; i < options->servers_count; i++) {
		it = add_case(plan, network, options->servers[i].label);
		it->address = options->servers[i].address;
		it->client = perf_way_of_plain(network);
		it->base = plain;
		it->reference = first;
		if (first == NULL)
			first = it;
	}
}

static void add_network(struct perf_plan *plan, enum perf_network network)
{
	const struct perf_options *options = plan->options;
	bool has_library = perf_way_of_library(network) != NULL &&
		options->servers_count == 0;
	struct perf_case *library = NULL, *plain = NULL, *one;

	if (has_library)
		library = add_library(plan, network);
	if (options->baseline == PERF_BASELINE_PLAIN || !has_library)
		plain = add_plain(plan, network);
	if (library != NULL)
		library->base = plain;
	add_servers(plan, network, plain);
	if (options->mode != PERF_FAN || plain == NULL)
		return;
	one = add_plain(plan, network);
	one->label = "plain, one client";
	one->clients_count = 1;
	if (library != NULL)
		library->reference = one;
	else
		plain->reference = one;
}

/* Also compares with TCP, which most programs would use. */
static void refer_to_tcp(struct perf_plan *plan)
{
	struct perf_case *tcp = NULL;
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (plan->cases[i].network == PERF_TCP)
			tcp = &plan->cases[i];
	for (i = 0; tcp != NULL && i < plan->count; i++)
		if (&plan->cases[i] != tcp)
			plan->cases[i].reference = tcp;
}

/* Marks all ends as closed. */
static void mark_closed(struct perf_case *it)
{
	size_t i;

	it->service.fd = -1;
	it->epoll = -1;
	for (i = 0; i < it->clients_count; i++) {
		it->clients[i].fd = -1;
		it->links[i].fd = -1;
	}
}

static int allocate_case(const struct perf_plan *plan, struct perf_case *it)
{
	it->figures = calloc(plan->options->rounds, sizeof(*it->figures));
	it->clients = calloc(it->clients_count, sizeof(*it->clients));
	it->links = calloc(it->clients_count, sizeof(*it->links));
	if (it->figures == NULL || it->clients == NULL || it->links == NULL)
		return -1;
	mark_closed(it);
	return 0;
}

static size_t get_largest(const struct perf_options *options)
{
	size_t i, largest = 1;

	for (i = 0; i < options->sizes_count; i++)
		if (options->sizes[i] > largest)
			largest = options->sizes[i];
	return largest;
}

static size_t get_samples_most(const struct perf_options *options)
{
	size_t i, count, most = 1;

	for (i = 0; i < options->sizes_count; i++) {
		count = perf_options_get_count(options, options->sizes[i]);
		if (count > most)
			most = count;
	}
	return most;
}

static int allocate(struct perf_plan *plan)
{
	size_t i;

	plan->data = calloc(1, get_largest(plan->options));
	plan->samples =
		calloc(get_samples_most(plan->options), sizeof(*plan->samples));
	if (plan->data == NULL || plan->samples == NULL)
		return -1;
	for (i = 0; i < plan->count; i++)
		if (allocate_case(plan, &plan->cases[i]) < 0)
			return -1;
	return 0;
}

int perf_plan_make(struct perf_plan *plan, const struct perf_options *options)
{
	size_t i;

	memset(plan, 0, sizeof(*plan));
	plan->options = options;
	plan->cases = calloc(PERF_CASES_MAX, sizeof(*plan->cases));
	if (plan->cases == NULL) {
		tool_complain("%s", strerror(errno));
		return -1;
	}
	for (i = 0; i < options->networks_count; i++)
		add_network(plan, options->networks[i]);
	if (options->mode != PERF_FAN)
		refer_to_tcp(plan);
	if (allocate(plan) == 0)
		return 0;
	tool_complain("%s", strerror(errno));
	perf_plan_free(plan);
	return -1;
}

void perf_plan_free(struct perf_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		free(plan->cases[i].figures);
		free(plan->cases[i].clients);
		free(plan->cases[i].links);
	}
	free(plan->cases);
	free(plan->data);
	free(plan->samples);
}

static int begin_case(const struct perf_plan *plan, struct perf_case *it,
	size_t size)
{
	const char *name = perf_network_get_name(it->network);
	size_t most = perf_network_get_size_max(it->network);

	if (most == 0) {
		tool_complain(
			"%s: cannot find the size of the largest message: %s",
			name, strerror(errno));
		return -1;
	}
	histogram_init(&it->histogram);
	it->lost = 0;
	it->is_left_out = size > most;
	if (it->is_left_out && perf_case_is_told(plan, it))
		tool_say(TOOL_NORMAL,
			"%s: left out: %zu bytes are more than one "
			"message holds",
			name, size);
	return 0;
}

int perf_plan_begin_size(struct perf_plan *plan, size_t size)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (begin_case(plan, &plan->cases[i], size) < 0)
			return -1;
	return 0;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

double perf_get_median(double *values, size_t count)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), compare_doubles);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double perf_get_median_ns(uint64_t *values, size_t count)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), compare_numbers);
	return ((double)values[(count - 1) / 2] + (double)values[count / 2]) /
		2;
}

bool perf_case_compare(const struct perf_plan *plan, const struct perf_case *it,
	const struct perf_case *other, struct perf_ratio *ratio)
{
	size_t i, rounds = plan->options->rounds;
	bool is_rate = perf_mode_is_rate(plan->options->mode);
	double *ratios = malloc(rounds * sizeof(*ratios));

	if (ratios == NULL)
		return false;
	for (i = 0; i < rounds; i++)
		ratios[i] = is_rate ? other->figures[i] / it->figures[i]
				    : it->figures[i] / other->figures[i];
	ratio->median = perf_get_median(ratios, rounds);
	ratio->low = ratios[(rounds - 1) / 4];
	ratio->high = ratios[(rounds - 1) - (rounds - 1) / 4];
	free(ratios);
	return true;
}

double perf_case_get_figure(const struct perf_plan *plan,
	const struct perf_case *it)
{
	size_t rounds = plan->options->rounds;
	double *figures = malloc(rounds * sizeof(*figures));
	double median;

	if (figures == NULL)
		return NAN;
	memcpy(figures, it->figures, rounds * sizeof(*figures));
	median = perf_get_median(figures, rounds);
	free(figures);
	return median;
}

bool perf_case_is_told(const struct perf_plan *plan, const struct perf_case *it)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		if (plan->cases[i].base == it)
			return false;
		if (plan->cases[i].reference == it &&
			plan->options->mode == PERF_FAN)
			return false;
	}
	return true;
}
