/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_books.h"
#include "tools/relay/relay_front.h"
#include "tools/relay/relay_notify.h"
#include "tools/relay/relay_post.h"
#include "tools/relay/relay_run.h"

/*
 * After a signal to stop, drain_us is the time for open sessions to end,
 * linger_us the time for answers to datagrams, and for the last frames to reach
 * the engine.
 */
static const int64_t drain_us = 5000000;
static const int64_t linger_us = 1000000;

/* The interval between replacements of the file of --metrics. */
static const int64_t metrics_us = 5000000;

/* --- The engine ----------------------------------------------------------- */

static void take_own(struct relay *relay, const struct nats_event *event,
	const struct frame *frame)
{
	uint64_t number;

	if (subject_read(event->subject, &relay->names, relay->way->own,
		    &number) < 0) {
		relay->books.counts[RELAY_STRANGE]++;
		return;
	}
	if (number != RELAY_FRONT_NUMBER)
		relay->way->take(relay, number, event, frame);
	else if (relay->front != NULL)
		relay_front_take(relay, event, frame);
}

static void on_message(void *context, const struct nats_event *event)
{
	struct relay *relay = context;
	struct frame decoded, *frame = NULL;

	/* The relay causes no other status. */
	if (event->status != 0 && event->status != NATS_NO_RESPONDERS) {
		relay->books.counts[RELAY_STRANGE]++;
		return;
	}
	if (event->status == 0 && event->data != NULL &&
		frame_decode(&decoded, event->data, event->size) == 0)
		frame = &decoded;
	if (event->number == (uint64_t)relay->common)
		relay->way->take_new(relay, event, frame);
	else if (event->number == (uint64_t)relay->health)
		relay_front_answer(relay, event, frame);
	else
		take_own(relay, event, frame);
}

static void take_up(struct relay *relay)
{
	if (relay_is_import(relay))
		relay_front_engine_up(relay);
	else
		relay_notify_ready(relay);
}

static void take_down(struct relay *relay)
{
	if (relay->way->engine_down != NULL)
		relay->way->engine_down(relay);
	if (relay_is_import(relay))
		relay_front_engine_down(relay);
}

/* Reports a change once, not every failed try or equal refusal. */
static void say_change(enum engine_change change, const char *why)
{
	static enum engine_change last = ENGINE_UP;
	static char refused[200];
	const bool is_again = change == ENGINE_FAILED && last == ENGINE_FAILED;

	if (change == ENGINE_UP)
		tool_say(TOOL_VERBOSE, "the engine is up: %s", why);
	else if (change != ENGINE_REFUSED)
		tool_say(is_again ? TOOL_VERBOSE : TOOL_NORMAL, "engine: %s",
			why);
	else if (strcmp(refused, why) != 0)
		tool_complain("the engine refuses: %s", why);
	if (change == ENGINE_REFUSED)
		snprintf(refused, sizeof(refused), "%s", why);
	else
		last = change;
}

static void on_change(void *context, enum engine_change change, const char *why)
{
	struct relay *relay = context;

	say_change(change, why);
	if (change == ENGINE_UP)
		take_up(relay);
	else if (change == ENGINE_DOWN)
		take_down(relay);
}

/* --- The service ---------------------------------------------------------- */

static int take(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	struct relay *relay = context;

	(void)service;
	relay->books.counts[RELAY_TAKEN]++;
	relay->books.counts[RELAY_TAKEN_BYTES] += msg->size;
	/* Without its descriptors a message would have another meaning. */
	if (msg->fds_count > 0 || (msg->flags & UNIXMSG_CUT_CONTROL) != 0) {
		relay->way->lose(relay, peer, RELAY_LOST_DESCRIPTORS);
		return UNIXSERVICE_DONE;
	}
	/* Held messages are older. */
	if (relay->held == NULL &&
		relay->way->pass(relay, peer, msg->data, msg->size) == 0)
		return UNIXSERVICE_DONE;
	if (relay_post_hold(relay, peer, msg->data, msg->size) == 0)
		relay->way->hold(relay, peer);
	else
		relay->way->lose(relay, peer, RELAY_LOST_MEMORY);
	return UNIXSERVICE_DONE;
}

static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	struct relay *relay = context;
	char text[640];

	(void)service;
	/* The handler does not get these messages. */
	if (event->kind == UNIXSERVICE_CUT ||
		(event->kind == UNIXSERVICE_LIMITED && event->msg != NULL))
		relay->books.counts[RELAY_TAKEN]++;
	if (event->kind != UNIXSERVICE_FLUSHED &&
		event->kind != UNIXSERVICE_ROUND)
		tool_say(TOOL_VERBOSE, "%s",
			unixservice_format_event(event, text, sizeof(text)));
	relay->way->watch(relay, event);
}

/* --- The loop ------------------------------------------------------------- */

static void report(struct relay *relay)
{
	if (relay_books_print(relay, relay_front_is_service_up(relay)) < 0)
		relay->has_failed = true;
}

static int write_books(const struct relay *relay)
{
	return relay_books_write(relay, relay_front_is_service_up(relay));
}

/* Writes the file at intervals; run() writes it once more at the end. */
static void write_metrics(struct relay *relay, int64_t now_us)
{
	static int64_t due_us;

	if (relay->options->metrics == NULL)
		return;
	if (now_us >= due_us) {
		if (write_books(relay) < 0)
			relay->has_failed = true;
		due_us = now_us + metrics_us;
	}
	relay_wake_at(relay, due_us);
}

static void look(struct relay *relay)
{
	const int64_t now_us = unixdeadline_now_us();

	if (now_us < relay->wake_us)
		return;
	relay->wake_us = UNIXMSG_FOREVER;
	if (relay->front != NULL)
		relay_front_look(relay, now_us);
	else
		relay_front_probe(relay, now_us);
	if (relay->way->look != NULL)
		relay->way->look(relay, now_us);
	write_metrics(relay, now_us);
	relay_notify_beat(relay, now_us);
}

static int64_t get_deadline_us(const struct relay *relay)
{
	const int64_t engine_us = engine_get_deadline_us(relay->engine);

	return engine_us < relay->wake_us ? engine_us : relay->wake_us;
}

enum { SERVICE, ENGINE, REPORT, STOP, WATCHED };

/* Polls all descriptors once, handles them, and then sends all frames of the
 * round together. */
static int run_once(struct relay *relay)
{
	const int stop_fd = tool_get_stops() == 0 ? tool_get_stop_fd()
						  : tool_get_second_stop_fd();
	struct pollfd fds[WATCHED] = {
		[SERVICE] = { unixservice_get_fd(relay->service), POLLIN, 0 },
		[ENGINE] = { engine_get_fd(relay->engine), POLLIN, 0 },
		[REPORT] = { tool_get_report_fd(), POLLIN, 0 },
		[STOP] = { stop_fd, POLLIN, 0 },
	};

	if (poll(fds, WATCHED, tool_get_patience_ms(get_deadline_us(relay))) <
			0 &&
		errno != EINTR)
		return tool_complain("poll: %s", strerror(errno));
	if (fds[SERVICE].revents != 0 &&
		unixservice_dispatch(relay->service) < 0)
		return tool_complain("serving: %s", explain_error(errno));
	if (fds[ENGINE].revents != 0 ||
		engine_get_deadline_us(relay->engine) <= unixdeadline_now_us())
		engine_run(relay->engine);
	relay_post_flush(relay);
	look(relay);
	engine_flush(relay->engine);
	if (tool_take_report())
		report(relay);
	return 0;
}

static int serve(struct relay *relay)
{
	while (tool_get_stops() == 0 && !relay->is_stopping)
		if (run_once(relay) < 0)
			return -1;
	return 0;
}

/* A closed address may still have messages of clients without an address, which
 * are no peers. */
static bool is_received(const struct relay *relay)
{
	struct pollfd fd = { unixservice_get_fd(relay->service), POLLIN, 0 };

	return poll(&fd, 1, 0) == 0;
}

static bool is_confirmed(const struct relay *relay)
{
	return engine_is_confirmed(relay->engine);
}

static bool is_drained(const struct relay *relay)
{
	return relay->way->is_empty(relay) && is_received(relay) &&
		relay->held == NULL;
}

/* Goes on until is_done, the end of the time, or a second signal. */
static int run_until(struct relay *relay,
	bool (*is_done)(const struct relay *relay), int64_t end_us)
{
	while (tool_get_stops() < 2 && unixdeadline_now_us() < end_us &&
		!is_done(relay)) {
		relay_wake_at(relay, end_us);
		if (run_once(relay) < 0)
			return -1;
	}
	return 0;
}

/* Serves open connections until they end, or the time is over. */
static int drain(struct relay *relay)
{
	const int64_t end_us = unixdeadline_after_us(
		relay->options->base.network->is_connected ? drain_us
							   : linger_us);

	relay->is_stopping = true;
	relay_notify_stopping();
	if (relay->front != NULL)
		relay_front_leave(relay);
	else
		engine_set_subscribed(relay->engine, relay->common, false);
	if (run_until(relay, is_drained, end_us) < 0)
		return -1;
	if (relay->way->reset != NULL)
		relay->way->reset(relay);
	engine_confirm(relay->engine);
	return run_until(relay, is_confirmed, end_us + linger_us);
}

/* --- Beginning and end ---------------------------------------------------- */

static struct unixservice *make_service(struct relay *relay)
{
	const struct options *base = &relay->options->base;
	struct unixservice_options how = {
		.watcher = watch,
		.event_rate = UINT_MAX,
		.size_max = base->size_max,
		.wants = UNIXMSG_WANT_FDS,
		.peers_max = base->clients_max,
		.peers_per_user_max = base->clients_per_user_max,
		.forget_us = relay->options->silence_us,
		.queue_messages_max = 64,
		.queue_bytes_max = 262144,
		.queue_total_bytes_max = SIZE_MAX,
		.keep_ended = true,
		.read_while_queued = true,
		.delivery_is_activity = true,
	};

	/* The windows bound the queues of connections. */
	if (base->network->is_connected) {
		how.patience_us = UNIXMSG_FOREVER;
		how.queue_messages_max = UINT_MAX;
		how.queue_bytes_max = SIZE_MAX;
	}
	return unixservice_new(take, relay, &how);
}

static int set_access(struct relay *relay)
{
	const struct options *base = &relay->options->base;
	size_t i;

	for (i = 0; i < base->users_count; i++)
		if (unixservice_allow_user(relay->service, base->users[i]) < 0)
			return -1;
	for (i = 0; i < base->groups_count; i++)
		if (unixservice_allow_group(relay->service, base->groups[i]) <
			0)
			return -1;
	if (base->is_anyone_allowed)
		unixservice_allow_anyone(relay->service);
	return 0;
}

static struct engine *make_engine(struct relay *relay)
{
	const struct relay_options *options = relay->options;
	struct engine_options how;

	engine_options_init(&how);
	how.servers = options->servers;
	how.is_any_allowed = options->is_any_engine_allowed;
	how.credentials = options->credentials;
	how.user = options->engine_user;
	how.output_most = relay_post_get_room(options->base.size_max,
		options->base.clients_max);
	how.on_message = on_message;
	how.on_change = on_change;
	how.context = relay;
	return engine_new(&how);
}

static int subscribe(struct relay *relay)
{
	char subject[SUBJECT_ROOM];

	subject_format_all(subject, &relay->names, relay->way->own);
	if (engine_subscribe(relay->engine, subject, NULL) < 0)
		return -1;
	if (relay_is_import(relay))
		return 0;
	subject_format(subject, &relay->names, SUBJECT_HEALTH, 0);
	relay->health = engine_subscribe(relay->engine, subject, NULL);
	subject_format(subject, &relay->names, relay->way->common, 0);
	relay->common = engine_subscribe(relay->engine, subject,
		relay->options->service);
	return relay->health < 0 || relay->common < 0 ? -1 : 0;
}

static const struct relay_way *choose_way(const struct relay *relay)
{
	if (relay->options->base.network->is_connected)
		return &relay_sessions_way;
	return relay_is_import(relay) ? &relay_imported_way
				      : &relay_exported_way;
}

static int prepare(struct relay *relay)
{
	const struct relay_options *options = relay->options;

	tool_raise_descriptor_limit();
	relay->way = choose_way(relay);
	if (subject_make_incarnation(relay->incarnation) < 0)
		return tool_complain("%s", strerror(errno));
	relay->names = (struct subject_names){ options->prefix,
		options->service, options->host, relay->incarnation };
	relay->service = make_service(relay);
	if (relay->service == NULL || set_access(relay) < 0)
		return tool_complain("cannot serve: %s", explain_error(errno));
	relay->engine = make_engine(relay);
	if (relay->engine == NULL || subscribe(relay) < 0)
		return tool_complain("engine: %s", explain_error(errno));
	if (relay->way->open(relay) < 0)
		return -1;
	return relay_is_import(relay) ? relay_front_open(relay) : 0;
}

static int run(struct relay *relay)
{
	int result = serve(relay);

	if (drain(relay) < 0)
		result = -1;
	relay_post_clear(relay);
	if (relay->options->base.is_stats_wanted)
		report(relay);
	if (write_books(relay) < 0)
		result = -1;
	return result;
}

/* The service reports no event for the peers that it closes here. */
static void clean_up(struct relay *relay)
{
	relay_post_clear(relay);
	if (relay->way != NULL)
		relay->way->close(relay);
	relay_front_close(relay);
	unixservice_close(relay->service);
	engine_close(relay->engine);
}

int relay_run(const struct relay_options *options)
{
	struct relay relay = { .options = options };
	int result = prepare(&relay);

	if (result == 0)
		result = run(&relay);
	clean_up(&relay);
	return result < 0 || relay.has_failed ? TOOL_FAILED : TOOL_OK;
}
