/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/recorder.h"
#include "tools/tap/tap.h"
#include "tools/tap/tap_front.h"
#include "tools/tap/tap_name.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_pair.h"
#include "tools/tap/tap_run.h"
#include "tools/tap/tap_sinks.h"

enum { PAIRS_MOST = 4096 };

/* The time for answers to datagrams after the name was given back, because
 * nothing tells whether more will come. */
static const int64_t linger_us = 1000000;

/* The longest wait at the end for a server that has no room. */
static const int64_t patience_us = 5000000;

static void print_count(const char *name, const struct tap_count *count)
{
	printf(",\"messages_to_%s\":%" PRIu64 ",\"bytes_to_%s\":%" PRIu64, name,
		count->messages, name, count->bytes);
}

static int report(struct tap *tap)
{
	tap_sinks_count(tap);
	printf("{\"network\":\"%s\",\"connections\":%" PRIu64
	       ",\"open\":%zu,\"refused\":%" PRIu64,
		tap->network->name, tap->connections, tap->pairs_count,
		tap->refused);
	print_count("server", &tap->counts[0]);
	print_count("client", &tap->counts[1]);
	printf(",\"descriptors\":%" PRIu64 ",\"not_shown\":%" PRIu64
	       ",\"not_recorded\":%" PRIu64 "}\n",
		tap->fds_count, tap->not_shown, tap->not_recorded);
	if (fflush(stdout) == 0)
		return 0;
	return tool_complain("standard output: %s", strerror(errno));
}

static void stop_ready(struct tap_watch *watch, uint32_t events)
{
	struct tap *tap = watch->context;

	(void)events;
	tap_unwatch(tap, watch);
	tap_stop(tap,
		"the name is given back, and open connections are served "
		"to their end");
}

/* The loop checks the number of signals. */
static void second_ready(struct tap_watch *watch, uint32_t events)
{
	(void)events;
	tap_unwatch(watch->context, watch);
}

static void report_ready(struct tap_watch *watch, uint32_t events)
{
	struct tap *tap = watch->context;

	(void)events;
	/* Standard output may be the recording. */
	if (!tool_take_report() || !tap->options->is_stats_wanted)
		return;
	if (!tool_has_room(STDOUT_FILENO))
		tool_complain("standard output is full: no counters now");
	else if (report(tap) < 0)
		tap->has_failed = true;
}

static int watch_signals(struct tap *tap)
{
	static struct tap_watch first, second, reports;

	first = (struct tap_watch){ tool_get_stop_fd(), stop_ready, tap, false,
		0 };
	second = (struct tap_watch){ tool_get_second_stop_fd(), second_ready,
		tap, false, 0 };
	reports = (struct tap_watch){ tool_get_report_fd(), report_ready, tap,
		false, 0 };
	if (tap_watch(tap, &first, EPOLLIN) < 0 ||
		tap_watch(tap, &second, EPOLLIN) < 0)
		return -1;
	return tap_watch(tap, &reports, EPOLLIN);
}

/* Takes one event at a time, because its handler may free the watch of another
 * event. */
static int wait(struct tap *tap)
{
	struct epoll_event event;
	struct tap_watch *watch;
	int ready = epoll_wait(tap->epoll_fd, &event, 1,
		tool_get_patience_ms(tap->wake_us));

	if (ready < 0 && errno != EINTR)
		return tool_complain("epoll: %s", strerror(errno));
	if (ready == 1) {
		watch = event.data.ptr;
		watch->ready(watch, event.events);
	}
	return 0;
}

static void look(struct tap *tap, struct tap_front *front)
{
	if (tap->wake_us > unixdeadline_now_us())
		return;
	tap->wake_us = UNIXMSG_FOREVER;
	tap_front_look(front);
}

/* True if time_us has passed since the first call. */
static bool has_passed(struct tap *tap, int64_t *end_us, int64_t time_us)
{
	if (*end_us == 0)
		*end_us = unixdeadline_after_us(time_us);
	if (unixdeadline_now_us() >= *end_us)
		return true;
	tap_wake_at(tap, *end_us);
	return false;
}

struct ending {
	int64_t late_us, end_us;
};

/* True if nothing is left to pass on. */
static bool finish(struct tap *tap, struct tap_front *front,
	struct ending *ending)
{
	if (!tap->is_stopping ||
		!tap_front_finish(front,
			has_passed(tap, &ending->late_us, patience_us)))
		return false;
	if (tap->network->is_connected)
		return tap->pairs_count == 0;
	return has_passed(tap, &ending->end_us, linger_us);
}

static int serve(struct tap *tap, struct tap_front *front)
{
	struct ending ending = { 0 };

	while (tool_get_stops() < 2 && !finish(tap, front, &ending)) {
		if (wait(tap) < 0)
			return -1;
		if (tap->wake_us != UNIXMSG_FOREVER)
			look(tap, front);
	}
	return 0;
}

static int run_front(struct tap *tap)
{
	struct tap_name *name = tap_name_take(tap);
	struct tap_front *front;
	int result = -1;

	if (name == NULL)
		return -1;
	front = tap_front_open(tap, name);
	tool_hurry(true);
	if (front != NULL)
		result = serve(tap, front);
	tap_front_close(front);
	tap_pair_close_all(tap);
	tool_hurry(false);
	tap_name_close(name);
	return result;
}

/* A pair has two descriptors, and messages that wait hold some. */
static void set_bounds(struct tap *tap)
{
	struct rlimit limit;

	tool_raise_descriptor_limit();
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		limit.rlim_cur = 1024;
	tap->fds_most = limit.rlim_cur / 8;
	tap->pairs_most =
		tap->fds_most < PAIRS_MOST ? tap->fds_most : PAIRS_MOST;
}

static int prepare(struct tap *tap)
{
	set_bounds(tap);
	tap_learn_user();
	tap->room = malloc(tap->options->size_max + TAP_GATHERED);
	tap->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (tap->room == NULL || tap->epoll_fd < 0)
		return tool_complain("%s", strerror(errno));
	return watch_signals(tap);
}

/* Starts the recorders before it opens sockets and the takeover. They would
 * inherit these, and keep the takeover at work if the tap was killed. */
static int run(struct tap *tap)
{
	int result = -1;

	if (tap_name_look(tap) < 0)
		return -1;
	if (tap_sinks_open(tap) == 0 && prepare(tap) == 0 &&
		tap_sinks_watch(tap) == 0)
		result = run_front(tap);
	if (tap_sinks_close(tap) < 0)
		result = -1;
	if (tap->options->is_stats_wanted && report(tap) < 0)
		result = -1;
	return result;
}

int tap_run(const struct tap_options *options)
{
	struct tap tap = {
		.options = options,
		.epoll_fd = -1,
		.wake_us = UNIXMSG_FOREVER,
	};
	int result = run(&tap);

	if (tap.epoll_fd >= 0)
		close(tap.epoll_fd);
	free(tap.room);
	return result < 0 || tap.has_failed ? TOOL_FAILED : TOOL_OK;
}
