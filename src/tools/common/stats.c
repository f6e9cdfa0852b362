/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "tools/common/network.h"
#include "tools/common/stats.h"
#include "tools/common/tool.h"

struct field {
	const char *name;
	uint64_t value;
};

static int print_object(const struct network *network,
	const struct field *fields, size_t count)
{
	size_t i;

	printf("{\"network\":\"%s\",\"role\":\"client\"", network->name);
	for (i = 0; i < count; i++)
		printf(",\"%s\":%" PRIu64, fields[i].name, fields[i].value);
	printf("}\n");
	return fflush(stdout) == 0 ? 0 : -1;
}

int stats_print_server(const struct unixservice_counters *counters,
	const struct network *network)
{
	char text[4096];

	unixservice_format_counters(counters, text, sizeof(text));
	/* Its members follow ours. */
	printf("{\"network\":\"%s\",\"role\":\"server\",%s\n", network->name,
		text + 1);
	return fflush(stdout) == 0 ? 0 : -1;
}

int stats_print_client(const struct client_stats *stats,
	const struct network *network)
{
	const struct histogram *trips = &stats->round_trips;
	const struct field fields[] = {
		{ "sent", stats->sent },
		{ "sent_bytes", stats->sent_bytes },
		{ "received", stats->received },
		{ "received_bytes", stats->received_bytes },
		{ "lost", stats->lost },
		{ "altered", stats->altered },
		{ "round_trip_min_ns", histogram_get_min(trips) },
		{ "round_trip_median_ns", histogram_get_quantile(trips, 0.5) },
		{ "round_trip_p99_ns", histogram_get_quantile(trips, 0.99) },
		{ "round_trip_max_ns", histogram_get_max(trips) },
	};

	return print_object(network, fields,
		sizeof(fields) / sizeof(fields[0]));
}

static double to_us(uint64_t ns)
{
	return (double)ns / 1000;
}

void stats_say_client(const struct client_stats *stats)
{
	const struct histogram *trips = &stats->round_trips;

	tool_say(TOOL_NORMAL,
		"%" PRIu64 " sent, %" PRIu64 " received, %" PRIu64
		" lost, %" PRIu64 " altered",
		stats->sent, stats->received, stats->lost, stats->altered);
	if (histogram_get_count(trips) == 0)
		return;
	tool_say(TOOL_NORMAL,
		"round trip min %.1f, median %.1f, p99 %.1f, max %.1f us",
		to_us(histogram_get_min(trips)),
		to_us(histogram_get_quantile(trips, 0.5)),
		to_us(histogram_get_quantile(trips, 0.99)),
		to_us(histogram_get_max(trips)));
}
