/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_OPTIONS_H
#define UNIXMSG_TOOLS_PERF_OPTIONS_H

/* The command line of unixmsg-perf. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/common/tool.h"
#include "tools/perf/perf_way.h"

enum perf_mode {
	PERF_LATENCY,
	PERF_THROUGHPUT,
	PERF_CONNECT,
	PERF_FAN,
};

enum perf_baseline {
	PERF_BASELINE_NONE,
	PERF_BASELINE_PLAIN,
};

enum {
	PERF_SIZES_MAX = 16,
	PERF_SERVERS_MAX = 8,
	PERF_COUNT_MAX = 1000000,
	PERF_ROUNDS_MAX = 100000,
	PERF_CLIENTS_MAX = 100000,
};

/* An echo server that is measured beside ours. */
struct perf_server {
	const char *label;
	const char *address;
};

struct perf_options {
	enum perf_mode mode;
	/* In the order in which they were given. */
	enum perf_network networks[PERF_NETWORKS];
	size_t networks_count;
	size_t sizes[PERF_SIZES_MAX];
	size_t sizes_count;
	struct perf_server servers[PERF_SERVERS_MAX];
	size_t servers_count;
	size_t count; /* messages a round; 0: as it suits mode and size */
	size_t rounds;
	size_t warm_up; /* rounds before those that count */
	size_t clients;
	size_t batch;
	int64_t spin_us;
	uint64_t lane_bytes; /* 0: no lanes */
	int cpus[2];         /* of the client and of the service; -1 for any */
	enum perf_baseline baseline;
	bool is_json;
	const char *plot; /* a file, or NULL */
};

/*
 * Reads the command line into options. Returns -1 if the tool shall go on; else
 * the exit status, after it printed the help, the version or a complaint.
 */
int perf_options_read(struct perf_options *options, int argc, char **argv);

/* Returns the number of messages in a round with that size. */
size_t perf_options_get_count(const struct perf_options *options, size_t size);

const char *perf_mode_get_name(enum perf_mode mode);

/* True if more is better in that mode, false if less is. */
bool perf_mode_is_rate(enum perf_mode mode);

#endif
