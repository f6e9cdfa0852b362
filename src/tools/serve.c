/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/explain.h"
#include "tools/network.h"
#include "tools/record.h"
#include "tools/serve.h"
#include "tools/server.h"
#include "tools/tool.h"

/* After a signal to stop, answers may take this long to be delivered. */
static const int64_t drain_us = 5000000;

enum { EVENTS_MOST = 64 };

int server_watch(struct server *server, struct watcher *watcher,
	uint32_t events)
{
	struct epoll_event event = {
		.events = events,
		.data.ptr = watcher,
	};
	int operation = watcher->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (watcher->events == events)
		return 0;
	if (epoll_ctl(server->epoll_fd, operation, watcher->fd, &event) < 0)
		return -1;
	watcher->events = events;
	return 0;
}

void server_wake_at(struct server *server, int64_t moment_us)
{
	if (moment_us < server->wake_us)
		server->wake_us = moment_us;
}

bool server_is_full(const struct server *server)
{
	uint64_t most = server->options->messages_max;

	return most > 0 && server->stats.received >= most;
}

void server_prepare(const struct server *server, struct unixmsg *msg,
	struct iovec *part, struct unixaddr *addr)
{
	part->iov_base = server->buffer;
	part->iov_len = server->room;
	unixmsg_init(msg);
	msg->parts = part;
	msg->parts_count = 1;
	msg->addr = addr;
}

/* Descriptors are asked for only to be counted, where they are printed. */
unsigned int server_get_wants(const struct server *server)
{
	unsigned int wants = 0;

	if (!server->options->access.is_anyone)
		wants |= UNIXMSG_WANT_CRED;
	if (server->options->is_printing &&
		server->options->format == RECORD_JSON)
		wants |= UNIXMSG_WANT_CRED | UNIXMSG_WANT_FDS;
	return wants;
}

static void lose_printer(struct server *server)
{
	tool_complain("standard output: %s", strerror(errno));
	record_writer_free(server->printer);
	server->printer = NULL;
	server->is_failed = true;
}

static void print_message(struct server *server, const struct unixmsg *msg,
	const char *sender)
{
	const struct record record = {
		.data = server->buffer,
		.size = msg->size < server->room ? msg->size : server->room,
		.sender = sender,
		.true_size = msg->size,
		.is_cut = msg->size > server->room,
		.has_writer = (msg->flags & UNIXMSG_HAS_CRED) != 0,
		.pid = msg->cred.pid,
		.uid = msg->cred.uid,
		.fds = msg->fds_lost,
	};

	if (server->printer != NULL &&
		record_write(server->printer, &record) < 0)
		lose_printer(server);
}

static void take_cut(struct server *server, size_t size)
{
	server->stats.cut++;
	tool_say(TOOL_VERBOSE,
		"a message of %zu bytes is more than the %zu of --max-size: "
		"no answer",
		size, server->room);
}

void server_take(struct server *server, const struct unixmsg *msg,
	const char *sender)
{
	server->stats.received++;
	server->stats.received_bytes += msg->size;
	if (msg->size > server->room)
		take_cut(server, msg->size);
	print_message(server, msg, sender);
}

void server_count_answer(struct server *server, size_t size)
{
	server->stats.answered++;
	server->stats.answered_bytes += size;
}

static void flush_printer(struct server *server)
{
	if (server->printer != NULL && record_flush(server->printer) < 0)
		lose_printer(server);
}

static void report(struct server *server)
{
	flush_printer(server);
	if (stats_print_server(&server->stats, server->options->network) == 0)
		return;
	tool_complain("standard output: %s", strerror(errno));
	server->is_failed = true;
}

/* It is enough that the loop wakes up: tool_get_stops tells the rest. */
static void ready_to_stop(struct server *server, struct watcher *watcher)
{
	struct epoll_event none = { 0 };

	epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, watcher->fd, &none);
}

static int watch_stops(struct server *server, struct watcher watchers[2])
{
	int i;

	watchers[0].fd = tool_get_stop_fd();
	watchers[1].fd = tool_get_second_stop_fd();
	for (i = 0; i < 2; i++) {
		watchers[i].ready = ready_to_stop;
		watchers[i].events = 0;
		if (server_watch(server, &watchers[i], EPOLLIN) < 0)
			return -1;
	}
	return 0;
}

/* How long epoll_wait may wait, in milliseconds, rounded up. */
static int get_patience(const struct server *server)
{
	int64_t left_us;

	if (server->wake_us == UNIXMSG_FOREVER)
		return -1;
	left_us = server->wake_us - unixdeadline_now_us();
	if (left_us <= 0)
		return 0;
	return (int)((left_us + 999) / 1000);
}

static void wake(struct server *server)
{
	if (server->wake_us > unixdeadline_now_us())
		return;
	server->wake_us = UNIXMSG_FOREVER;
	server->service->wake(server, server->state);
}

static int dispatch(struct server *server)
{
	struct epoll_event events[EVENTS_MOST];
	struct watcher *watcher;
	int i,
		count = epoll_wait(server->epoll_fd, events, EVENTS_MOST,
			get_patience(server));

	if (count < 0)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < count; i++) {
		watcher = events[i].data.ptr;
		watcher->ready(server, watcher);
	}
	if (server->wake_us != UNIXMSG_FOREVER)
		wake(server);
	return 0;
}

static void start_draining(struct server *server)
{
	tool_say(TOOL_VERBOSE, "stopping");
	server->is_draining = true;
	server->service->drain(server, server->state);
}

static bool is_drained(const struct server *server, int64_t deadline_us)
{
	if (!server->is_draining)
		return false;
	if (!server->service->is_busy(server->state))
		return true;
	return tool_get_stops() > 1 || unixdeadline_now_us() >= deadline_us;
}

static int run(struct server *server)
{
	int64_t deadline_us = UNIXMSG_FOREVER;

	for (;;) {
		if (tool_take_report())
			report(server);
		if (!server->is_draining &&
			(tool_get_stops() > 0 || server_is_full(server))) {
			start_draining(server);
			deadline_us = unixdeadline_after_us(drain_us);
		}
		flush_printer(server);
		if (is_drained(server, deadline_us))
			return 0;
		if (server->is_draining)
			server_wake_at(server, deadline_us);
		if (dispatch(server) < 0)
			return -1;
	}
}

/* The address as it was typed, or what the kernel has chosen for "@". */
static void announce(const struct server *server)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr;
	const char *address = explain_text(server->options->address);

	if (strcmp(address, "@") == 0 &&
		server->service->get_address(server->state, &addr) == 0)
		address = unixaddr_format(&addr, text, sizeof(text));
	tool_say(TOOL_NORMAL, "listening on %s", address);
}

static int serve_open(struct server *server)
{
	const struct options *options = server->options;
	int error;

	server->state = server->service->open(server);
	if (server->state == NULL) {
		error = errno;
		tool_complain("%s: %s", explain_text(options->address),
			explain_listen(options->address, error));
		return TOOL_FAILED;
	}
	announce(server);
	if (run(server) < 0) {
		tool_complain("epoll: %s", strerror(errno));
		server->is_failed = true;
	}
	if (server->service->close(server->state) < 0) {
		tool_complain("%s: could not be removed: %s",
			explain_text(options->address), strerror(errno));
		server->is_failed = true;
	}
	if (options->is_stats_wanted)
		report(server);
	return server->is_failed ? TOOL_FAILED : TOOL_OK;
}

static int prepare(struct server *server, const struct options *options,
	struct watcher stops[2])
{
	server->room = options->size_max;
	server->buffer = malloc(server->room + 1);
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->buffer == NULL || server->epoll_fd < 0)
		return -1;
	if (options->is_printing) {
		server->printer = record_writer_new(STDOUT_FILENO,
			options->format, tool_get_second_stop_fd());
		if (server->printer == NULL)
			return -1;
	}
	return watch_stops(server, stops);
}

int serve(const struct options *options)
{
	struct server server = {
		.options = options,
		.service = options->network->is_connected ? &service_link
							  : &service_gram,
		.epoll_fd = -1,
		.wake_us = UNIXMSG_FOREVER,
	};
	struct watcher stops[2];
	int status = TOOL_FAILED;

	tool_raise_descriptor_limit();
	if (prepare(&server, options, stops) < 0)
		tool_complain("cannot serve: %s", strerror(errno));
	else
		status = serve_open(&server);
	record_writer_free(server.printer);
	if (server.epoll_fd >= 0)
		close(server.epoll_fd);
	free(server.buffer);
	return status;
}
