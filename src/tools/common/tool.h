/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TOOL_H
#define UNIXMSG_TOOLS_TOOL_H

/*
 * Code of every tool: its name, its messages on standard error, and the signals
 * that end it.
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
	TOOL_NORMAL,  /* and messages for people */
	TOOL_VERBOSE, /* and each event */
};

/* Call it first: it also replaces standard descriptors that are closed. */
void tool_init(const char *name);
void tool_set_level(enum tool_level level);
enum tool_level tool_get_level(void);

/*
 * From now on, leaves a line out instead of waiting if standard error has no
 * room, because others depend on this process. The next line tells how many are
 * missing.
 */
void tool_hurry(bool is_hurried);

/* True if a short write to fd would not wait. */
bool tool_has_room(int fd);

/* Prints one line on standard error, "tool: ...", at any level. Returns -1. */
int tool_complain(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The same if the level is at least level. */
void tool_say(enum tool_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Shows the progress of a long job now and then, on a terminal only; call it
 * often. The next message or tool_wipe_progress removes the line.
 */
void tool_show_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void tool_wipe_progress(void);

/*
 * From now on tool_get_stops counts SIGINT, SIGTERM and SIGHUP, which no longer
 * end the process, and tool_take_report reports SIGUSR1. SIGPIPE becomes an
 * error of write(2). Returns 0, or -1 with errno.
 */
int tool_catch_signals(void);

/* The number of signals to stop so far. */
int tool_get_stops(void);

/* True if SIGUSR1 has arrived since the last call. */
bool tool_take_report(void);

/*
 * A descriptor that is readable after a signal to stop, and one that is
 * readable after a second. Both stay readable.
 */
int tool_get_stop_fd(void);
int tool_get_second_stop_fd(void);

/* Readable while a SIGUSR1 waits for tool_take_report. */
int tool_get_report_fd(void);

/* Raises our limit of open descriptors as far as the system allows. */
void tool_raise_descriptor_limit(void);

/* The timeout for a poll(2) that must end at until_us. */
int tool_get_patience_ms(int64_t until_us);

/* Returns CLOCK_MONOTONIC in nanoseconds. */
uint64_t tool_now_ns(void);

#endif
