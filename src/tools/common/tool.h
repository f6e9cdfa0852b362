/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TOOL_H
#define UNIXMSG_TOOLS_TOOL_H

/*
 * What every tool has: its name, a way to say things on standard error, and
 * the signals that end it.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
};

enum tool_level {
	TOOL_QUIET,   /* errors only */
	TOOL_NORMAL,  /* and what a person wants to know */
	TOOL_VERBOSE, /* and each event */
};

/* First of all: it also sees to standard descriptors that are closed. */
void tool_init(const char *name);
void tool_set_level(enum tool_level level);
enum tool_level tool_get_level(void);

/* One line on standard error, "tool: ...", whatever the level. Returns -1. */
int tool_complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The same when the level is at least that. */
void tool_say(enum tool_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * How far a long job is: to be called often. Shown now and then, on a terminal
 * only, in a line that the next thing said takes away, or tool_wipe_progress.
 */
void tool_show_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void tool_wipe_progress(void);

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the process but are told
 * by tool_get_stops, and SIGUSR1 by tool_take_report. SIGPIPE becomes an
 * error of write(2). 0, or -1 with errno.
 */
int tool_catch_signals(void);

/* How many signals to stop have come. */
int tool_get_stops(void);

/* Whether SIGUSR1 has come since the last call. */
bool tool_take_report(void);

/*
 * A descriptor that is readable once a signal to stop has come, and one that
 * is readable once a second has. Both stay readable.
 */
int tool_get_stop_fd(void);
int tool_get_second_stop_fd(void);

/* Readable while a SIGUSR1 waits for tool_take_report. */
int tool_get_report_fd(void);

/* As many open descriptors as we may have. */
void tool_raise_descriptor_limit(void);

/* The timeout of a poll(2) that shall not last longer than until_us. */
int tool_get_patience_ms(int64_t until_us);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t tool_now_ns(void);

#endif
