/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_SERVICE_H
#define UNIXMSG_TOOLS_PERF_SERVICE_H

/*
 * Services with many clients, that send back what comes. How the library
 * serves them is told here and nowhere else. 0, or -1 with errno.
 */

#include "tools/perf/perf_case.h"

/* Prepares for the links of it, which are accepted, and takes them over. */
int perf_service_open(struct perf_case *it);

/* Sends back so many bytes; no message is larger than room. */
int perf_service_run(struct perf_case *it, void *data, size_t room,
	size_t bytes);

/* Closes what was opened, and the links that it has taken over. */
void perf_service_close(struct perf_case *it);

#endif
