/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_SERVICE_H
#define UNIXMSG_TOOLS_PERF_SERVICE_H

/*
 * Echo services for many clients, the only place here that uses the library's
 * service. Functions return 0, or -1 with errno.
 */

#include "tools/perf/perf_case.h"

/* Prepares the service for the accepted links of it, and takes them over. */
int perf_service_open(struct perf_case *it);

/* Sends back that many bytes; no message is larger than room. */
int perf_service_run(struct perf_case *it, void *data, size_t room,
	size_t bytes);

/* Closes the service and the links that it has taken over. */
void perf_service_close(struct perf_case *it);

#endif
