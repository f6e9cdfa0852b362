/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_CASE_H
#define UNIXMSG_TOOLS_PERF_CASE_H

/*
 * The cases that one run measures. They take turns in every round. A case is
 * one way to do the common job, with its ends and its results.
 */

#include "tools/common/histogram.h"
#include "tools/perf/perf_options.h"
#include "tools/perf/perf_way.h"

/* For each network: the library, plain calls, plain calls of one client. */
enum { PERF_CASES_MAX = 3 * PERF_NETWORKS + PERF_SERVERS_MAX };

struct perf_service;

struct perf_case {
	enum perf_network network;
	const char *label;   /* the service: unixmsg, plain, or a server's */
	const char *address; /* of the server of --server, or NULL */
	bool is_library;
	const struct perf_way *way;    /* of the service */
	const struct perf_way *client; /* and of its clients */
	/* The case to compare it with, round by round, or NULL. */
	const struct perf_case *base;
	const struct perf_case *reference;
	size_t clients_count;
	struct perf_end service;
	struct perf_end *clients;
	struct perf_end *links; /* the accepted connections */
	/* For a service with many links. */
	int epoll;
	struct perf_service *own; /* the library's */
	/* The results for the present size. */
	bool is_left_out;           /* messages of that size do not fit */
	struct histogram histogram; /* of single times, where there are any */
	double *figures;            /* nanoseconds a message, by round */
	uint64_t lost;
};

struct perf_plan {
	const struct perf_options *options;
	struct perf_case *cases;
	size_t count;
	unsigned char *data; /* to send, and to receive into */
	uint64_t *samples;   /* the times of one round, in nanoseconds */
};

/* Returns 0, or -1 after a complaint. */
int perf_plan_make(struct perf_plan *plan, const struct perf_options *options);

void perf_plan_free(struct perf_plan *plan);

/* Clears the results: the next ones are for messages of size bytes. Returns 0,
 * or -1 after a complaint. */
int perf_plan_begin_size(struct perf_plan *plan, size_t size);

/* Ratios of the case's figures to those of another, round by round. */
struct perf_ratio {
	double median;
	double low;  /* a quarter of the ratios is below, a quarter */
	double high; /* above that */
};

/* Above 1 means more time, or a higher rate. Returns false without memory. */
bool perf_case_compare(const struct perf_plan *plan, const struct perf_case *it,
	const struct perf_case *other, struct perf_ratio *ratio);

/* Returns the median of the rounds in nanoseconds a message, or NAN without
 * memory. */
double perf_case_get_figure(const struct perf_plan *plan,
	const struct perf_case *it);

/* True if the report has a line for it: no other case is compared with it. */
bool perf_case_is_told(const struct perf_plan *plan,
	const struct perf_case *it);

/* Sorts values, and returns their middle. */
double perf_get_median(double *values, size_t count);
double perf_get_median_ns(uint64_t *values, size_t count);

#endif
