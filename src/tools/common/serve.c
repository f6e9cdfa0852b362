/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/inherit.h"
#include "tools/common/network.h"
#include "tools/common/options.h"
#include "tools/common/output.h"
#include "tools/common/record.h"
#include "tools/common/serve.h"
#include "tools/common/stats.h"
#include "tools/common/tool.h"

/* The time to send answers after a signal to stop. */
static const int64_t drain_us = 5000000;

/* The interval of checks for a signal that cannot end the wait. */
static const int64_t look_us = 100000;

/* The longest wait for a supervisor that does not read. */
static const int64_t notify_us = 100000;

/* A client may receive nothing for this long: it may write to a pager. */
static const int64_t rest_most_us = 60000000;

struct server {
	const struct options *options;
	const struct serve_way *way;
	struct unixservice *service;
	struct output output;
	uint64_t taken;
	/* Readable after a signal to stop or to report, or when the way needs
	 * a look. */
	int wakes_fd;
	/* The same during the drain, for the second signal to stop. */
	int drain_fd;
	bool is_failed;
};

static void stop_serving(struct server *server)
{
	server->is_failed = true;
	unixservice_stop(server->service, unixdeadline_after_us(drain_us));
}

/* A server that prints ends when nobody reads its output, for example when
 * head(1) has ended. */
static void lose_printer(struct server *server)
{
	output_close(&server->output);
	stop_serving(server);
}

static void print_message(struct server *server, const struct unixmsg *msg)
{
	const size_t room = msg->room;
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct record record = {
		.data = msg->data,
		.size = msg->size < room ? msg->size : room,
		.true_size = msg->size,
		.is_cut = msg->size > room,
		.has_writer = (msg->flags & UNIXMSG_HAS_CRED) != 0,
		.pid = msg->cred.pid,
		.uid = msg->cred.uid,
		.fds = msg->fds_count + msg->fds_lost,
	};

	if (server->output.printer == NULL)
		return;
	if (msg->addr != NULL &&
		unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED)
		record.sender = unixaddr_format(msg->addr, text, sizeof(text));
	if (output_print(&server->output, &record) < 0)
		lose_printer(server);
}

/* Messages after the last of --max-messages get no answer. */
static bool is_full(const struct server *server)
{
	const uint64_t most = server->options->messages_max;

	return most > 0 && server->taken >= most;
}

static void complain_of_name(struct server *server)
{
	tool_complain("%s: could not be removed: %s",
		server->options->address == NULL
			? "the socket"
			: explain_text(server->options->address),
		strerror(errno));
	server->is_failed = true;
}

static void count_message(struct server *server)
{
	server->taken++;
	if (is_full(server) &&
		unixservice_stop(server->service,
			unixdeadline_after_us(drain_us)) < 0)
		complain_of_name(server);
}

static int take(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	struct server *server = context;

	if (is_full(server))
		return UNIXSERVICE_DONE;
	count_message(server);
	print_message(server, msg);
	return server->way->answer(service, peer, msg, server->way->context);
}

static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	if (peer == 0)
		tool_say(TOOL_VERBOSE,
			"a message of %zu bytes from a sender without an "
			"address cannot be answered",
			msg->size);
	return UNIXSERVICE_DONE;
}

const struct serve_way serve_echo = { .answer = echo };

static void flush_printer(struct server *server)
{
	if (output_flush(&server->output) < 0)
		lose_printer(server);
}

static void take_cut(struct server *server, const struct unixmsg *msg)
{
	count_message(server);
	print_message(server, msg);
	tool_say(TOOL_VERBOSE,
		"a message of %zu bytes is more than the %zu of --max-size: "
		"no answer",
		msg->size, msg->room);
}

/* Stops after the loss of its socket: a supervisor can open a new one. */
static void lose_socket(struct server *server, const char *text)
{
	tool_complain("%s", text);
	stop_serving(server);
}

/* Ends a server that was given only connections with its last peer: nobody else
 * can connect. */
static void leave_after_the_last(struct unixservice *service)
{
	struct unixservice_counters counters;
	struct unixaddr addr;

	if (unixservice_get_address(service, &addr) == 0)
		return;
	unixservice_get_counters(service, &counters);
	/* The peer of this event still counts. */
	if (counters.peers <= 1)
		unixservice_stop(service, unixdeadline_after_us(drain_us));
}

static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	struct server *server = context;
	char text[640];

	if (event->kind == UNIXSERVICE_CLOSED && server->options->is_inherited)
		leave_after_the_last(service);
	if (event->kind == UNIXSERVICE_CLOSED && server->way->forget != NULL)
		server->way->forget(event->peer, server->way->context);
	if (event->kind == UNIXSERVICE_ROUND)
		flush_printer(server);
	else if (event->kind == UNIXSERVICE_CUT)
		take_cut(server, event->msg);
	else if (event->kind == UNIXSERVICE_SHUT)
		lose_socket(server,
			unixservice_format_event(event, text, sizeof(text)));
	else if (event->kind != UNIXSERVICE_FLUSHED)
		tool_say(TOOL_VERBOSE, "%s",
			unixservice_format_event(event, text, sizeof(text)));
}

static void report(struct server *server)
{
	struct unixservice_counters counters;

	flush_printer(server);
	unixservice_get_counters(server->service, &counters);
	if (stats_print_server(&counters, server->options->network) == 0)
		return;
	tool_complain("standard output: %s", strerror(errno));
	server->is_failed = true;
}

/* The interval of the watchdog messages: half the supervisor's time. */
static int64_t get_beat_us(void)
{
	int64_t period_us;

	return unixnotify_get_watchdog_us(&period_us) == 1 ? period_us / 2 : 0;
}

static void look(struct server *server)
{
	if (server->way->look != NULL)
		server->way->look(server->service, server->way->context);
}

/* Without memory for the stop descriptor the loop wakes up and checks. */
static int64_t get_deadline(struct server *server, int64_t beat_us)
{
	if (unixservice_set_stop_fd(server->service, server->wakes_fd) < 0)
		return unixdeadline_after_us(look_us);
	return beat_us > 0 ? unixdeadline_after_us(beat_us) : UNIXMSG_FOREVER;
}

/*
 * Serves until a signal to stop, or until --max-messages were received. Any
 * signal ends the wait. Returns 0, or -1 with errno.
 */
static int run(struct server *server)
{
	const int64_t beat_us = get_beat_us();

	while (tool_get_stops() == 0) {
		if (unixservice_run(server->service,
			    get_deadline(server, beat_us)) == 0)
			return 0;
		if (errno == ETIMEDOUT)
			unixnotify_watchdog(unixdeadline_after_us(notify_us));
		else if (errno != ECANCELED)
			return -1;
		if (tool_take_report())
			report(server);
		look(server);
	}
	return 0;
}

/* Still calls look, because pending answers may depend on it. */
static int drain_until(struct server *server, int64_t end_us)
{
	while (tool_get_stops() < 2) {
		unixservice_set_stop_fd(server->service, server->drain_fd);
		if (unixservice_drain(server->service, end_us) == 0)
			return 0;
		if (errno != ECANCELED)
			return -1;
		look(server);
	}
	return 0;
}

/* Ends at once on the second signal, or at the end of the time. */
static void drain(struct server *server)
{
	tool_say(TOOL_VERBOSE, "stopping");
	unixnotify_stopping(unixdeadline_after_us(notify_us));
	if (server->way->stop != NULL)
		server->way->stop(server->service, server->way->context);
	if (drain_until(server, unixdeadline_after_us(drain_us)) < 0)
		complain_of_name(server);
}

/* The address as it was typed, or as the kernel reports it. */
static const char *get_address(const struct options *options,
	const struct unixaddr *addr, char *text, size_t room)
{
	if (options->address != NULL && strcmp(options->address, "@") != 0)
		return explain_text(options->address);
	return addr == NULL ? "its socket" : unixaddr_format(addr, text, room);
}

/* The server goes on without a supervisor that does not listen. */
void serve_announce(const struct options *options, const struct unixaddr *addr)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE], status[UNIXMSG_ADDR_TEXT_SIZE + 16];
	const char *address = get_address(options, addr, text, sizeof(text));

	tool_say(TOOL_NORMAL, "listening on %s", address);
	snprintf(status, sizeof(status), "listening on %s", address);
	if (unixnotify_status(status, unixdeadline_after_us(notify_us)) < 0 ||
		unixnotify_ready(unixdeadline_after_us(notify_us)) < 0)
		tool_complain("the supervisor could not be told: %s",
			strerror(errno));
}

int serve_complain(const struct options *options, int error)
{
	const unsigned int given = UNIXMSG_LISTEN_USER | UNIXMSG_LISTEN_GROUP;

	return tool_complain("%s: %s", explain_text(options->address),
		explain_listen(options->address,
			(options->listen.flags & given) != 0, error));
}

/* An echo server handles bytes, even if the client sends frames. */
static unsigned int get_flags(const struct options *options)
{
	return options->network->is_stream && !options->is_framed
		? UNIXMSG_LISTEN_BYTES
		: 0;
}

static int open_address(struct server *server)
{
	const struct options *options = server->options;
	struct unixlisten_options how = options->listen;

	how.flags |= get_flags(options);
	how.backlog = (int)options->backlog;
	if (unixservice_listen(server->service, options->network->name,
		    options->address, &how) == 0)
		return 0;
	return serve_complain(options, errno);
}

static int open_sockets(struct server *server)
{
	if (server->options->is_inherited)
		return inherit(server->service, server->options->network,
			get_flags(server->options));
	return open_address(server);
}

static int serve_address(struct server *server)
{
	struct unixaddr addr;
	bool is_known;

	if (open_sockets(server) < 0)
		return TOOL_FAILED;
	is_known = unixservice_get_address(server->service, &addr) == 0;
	serve_announce(server->options, is_known ? &addr : NULL);
	if (run(server) < 0) {
		tool_complain("serving: %s", strerror(errno));
		server->is_failed = true;
	}
	drain(server);
	if (server->options->is_stats_wanted)
		report(server);
	flush_printer(server);
	return server->is_failed ? TOOL_FAILED : TOOL_OK;
}

/* Asks for descriptors only to count them in printed records. */
static unsigned int get_wants(const struct options *options)
{
	if (options->is_printing && options->format == RECORD_JSON)
		return UNIXMSG_WANT_CRED | UNIXMSG_WANT_FDS;
	return 0;
}

static struct unixservice *make_service(struct server *server)
{
	const struct options *options = server->options;
	struct unixservice_options how = {
		.watcher = watch,
		.wants = get_wants(options) | server->way->wants,
		.fds_max = server->way->fds_max,
		.size_max = options->size_max,
		.peers_max = options->clients_max > 0 ? options->clients_max
						      : UINT_MAX,
		.peers_per_user_max = options->clients_per_user_max,
		.idle_us = options->idle_us,
		.spin_us = options->spin_us,
		.batch = options->batch,
	};

	if (options->network->is_connected)
		how.patience_us = rest_most_us;
	return unixservice_new(take, server, &how);
}

static int set_access(struct server *server)
{
	const struct options *options = server->options;
	size_t i;

	for (i = 0; i < options->users_count; i++)
		if (unixservice_allow_user(server->service, options->users[i]) <
			0)
			return -1;
	for (i = 0; i < options->groups_count; i++)
		if (unixservice_allow_group(server->service,
			    options->groups[i]) < 0)
			return -1;
	if (options->is_anyone_allowed)
		unixservice_allow_anyone(server->service);
	return 0;
}

static int watch_fd(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* Makes a descriptor that is readable when fd or that of the way is. */
static int make_wakes(const struct server *server, int fd)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_fd < 0)
		return -1;
	if (watch_fd(epoll_fd, fd) == 0 &&
		(server->way->look == NULL ||
			watch_fd(epoll_fd, server->way->fd) == 0))
		return epoll_fd;
	close(epoll_fd);
	return -1;
}

/* Without a look only the second signal has to wake the server. */
static int make_drain_wakes(const struct server *server)
{
	return server->way->look == NULL
		? tool_get_second_stop_fd()
		: make_wakes(server, tool_get_second_stop_fd());
}

static int prepare(struct server *server)
{
	server->service = make_service(server);
	server->wakes_fd = make_wakes(server, tool_get_stop_fd());
	server->drain_fd = make_drain_wakes(server);
	if (server->service == NULL || server->wakes_fd < 0 ||
		server->drain_fd < 0 ||
		watch_fd(server->wakes_fd, tool_get_report_fd()) < 0 ||
		set_access(server) < 0)
		return tool_complain("cannot serve: %s", explain_error(errno));
	if (!server->options->is_printing)
		return 0;
	return output_open(&server->output, server->options,
		tool_get_second_stop_fd());
}

static void clean_up(struct server *server)
{
	unixservice_close(server->service);
	output_close(&server->output);
	if (server->wakes_fd >= 0)
		close(server->wakes_fd);
	if (server->way->look != NULL && server->drain_fd >= 0)
		close(server->drain_fd);
}

int serve(const struct options *options, const struct serve_way *way)
{
	struct server server = {
		.options = options,
		.way = way,
		.output = { .tee_fd = -1 },
		.wakes_fd = -1,
		.drain_fd = -1,
	};
	int status = TOOL_FAILED;

	tool_raise_descriptor_limit();
	if (prepare(&server) == 0)
		status = serve_address(&server);
	clean_up(&server);
	return status;
}
