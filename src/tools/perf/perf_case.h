/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_CASE_H
#define UNIXMSG_TOOLS_PERF_CASE_H

/*
 * What one run measures: cases, which take turns in every round. A case is one
 * way to do the job that all of them have, with its ends and its results.
 */

#include "tools/common/histogram.h"
#include "tools/perf/perf_options.h"
#include "tools/perf/perf_way.h"

/* Of each network: the library, plain calls, plain calls of one client. */
enum { PERF_CASES_MAX = 3 * PERF_NETWORKS + PERF_SERVERS_MAX };

struct perf_service;

struct perf_case {
	enum perf_network network;
	const char *label;   /* who serves: unixmsg, plain, or a server's */
	const char *address; /* of a server of somebody else's, or NULL */
	bool is_library;
	const struct perf_way *way;    /* of the service */
	const struct perf_way *client; /* and of its clients */
	/* What it is compared with, round by round; NULL for nothing. */
	const struct perf_case *base;
	const struct perf_case *reference;
	size_t clients_count;
	struct perf_end service;
	struct perf_end *clients;
	struct perf_end *links; /* what the service has accepted */
	/* Of a service with many links. */
	int epoll;
	struct perf_service *own; /* the library's */
	/* Of the present size. */
	bool is_left_out;           /* messages of that size do not fit */
	struct histogram histogram; /* of single times, where there are any */
	double *figures;            /* nanoseconds a message, by round */
	uint64_t lost;
};

struct perf_plan {
	const struct perf_options *options;
	struct perf_case *cases;
	size_t count;
	unsigned char *data; /* what is sent, and received into */
	uint64_t *samples;   /* the times of one round, in nanoseconds */
};

/* 0, or -1 told why. */
int perf_plan_make(struct perf_plan *plan, const struct perf_options *options);

void perf_plan_free(struct perf_plan *plan);

/* Forgets results: the next ones are for messages of size bytes. 0, or -1 told
 * why. */
int perf_plan_begin_size(struct perf_plan *plan, size_t size);

/* Ratios of the case's figures to another's, round by round. */
struct perf_ratio {
	double median;
	double low;  /* a quarter of them is below, and a quarter */
	double high; /* above that */
};

/* Above 1: of times more time, of rates a higher rate. False: no memory. */
bool perf_case_compare(const struct perf_plan *plan, const struct perf_case *it,
	const struct perf_case *other, struct perf_ratio *ratio);

/* The median of the rounds, in nanoseconds a message. NAN: no memory. */
double perf_case_get_figure(const struct perf_plan *plan,
	const struct perf_case *it);

/* Whether a line of the report is about it: what nothing compares itself to. */
bool perf_case_is_told(const struct perf_plan *plan,
	const struct perf_case *it);

/* Sorts values; their middle. */
double perf_get_median(double *values, size_t count);
double perf_get_median_ns(uint64_t *values, size_t count);

#endif
