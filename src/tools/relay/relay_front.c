/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/explain.h"
#include "tools/common/inherit.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_front.h"
#include "tools/relay/relay_notify.h"
#include "tools/relay/relay_post.h"

enum {
	ASK_MOST_US = 1000000,
	ASK_LEAST_US = 50000,
	/* Without any answer, the grace is longer by this time. */
	LATE_US = 2 * ASK_MOST_US,
	/* The pause between questions while clients find no server. */
	ASK_SOON_US = 200000,
	/* The time for which an export trusts its last probe. */
	KNOWN_US = 20000,
};

struct relay_front {
	int64_t ask_us;      /* when to ask again */
	int64_t interval_us; /* between two questions */
	int64_t there_us;    /* when the service was there */
	bool is_doubted;     /* the last answer was no */
	bool is_serving;     /* the address is there */
	bool is_paused;      /* clients at the address have to wait */
	bool is_held;        /* because a message waits for the engine */
	bool is_waiting;     /* because the engine or the service is away */
	bool is_inherited;   /* a supervisor owns the sockets */
	bool has_complained;
	bool has_left;
};

/* --- The address ---------------------------------------------------------- */

static unsigned int get_flags(const struct network *network)
{
	return network->is_stream ? UNIXMSG_LISTEN_BYTES : 0;
}

/* An abstract name is free only when its socket is closed. A datagram socket
 * stays open while the service has peers, because it sends to them. */
static void free_name(struct relay *relay)
{
	const struct options *options = &relay->options->base;
	uint64_t peer;

	if (options->network->is_connected || *options->address != '@')
		return;
	/* Datagrams that are still queued may add new peers. */
	unixservice_dispatch(relay->service);
	while ((peer = unixservice_get_next_peer(relay->service, 0)) != 0)
		unixservice_reset_peer(relay->service, peer);
	unixservice_dispatch(relay->service);
}

static int serve_address(struct relay *relay)
{
	const struct options *options = &relay->options->base;
	struct unixlisten_options how = options->listen;
	const unsigned int given = UNIXMSG_LISTEN_USER | UNIXMSG_LISTEN_GROUP;
	int saved;

	free_name(relay);
	how.flags |= get_flags(options->network);
	if (unixservice_listen(relay->service, options->network->name,
		    options->address, &how) == 0)
		return 0;
	saved = errno;
	if (!relay->front->has_complained)
		tool_complain("%s: %s", explain_text(options->address),
			explain_listen(options->address,
				(options->listen.flags & given) != 0, saved));
	relay->front->has_complained = true;
	return -1;
}

static void pause_or_resume(struct relay *relay)
{
	struct relay_front *front = relay->front;
	const bool is_wanted = front->is_held || front->is_waiting;

	if (!front->is_serving || front->is_paused == is_wanted)
		return;
	front->is_paused = is_wanted;
	if (is_wanted)
		unixservice_pause_socket(relay->service, 0);
	else
		unixservice_resume_socket(relay->service, 0);
}

static void set_waiting(struct relay *relay, bool is_wanted)
{
	relay->front->is_waiting = is_wanted;
	pause_or_resume(relay);
}

void relay_front_hold(struct relay *relay, bool is_wanted)
{
	relay->front->is_held = is_wanted;
	pause_or_resume(relay);
}

bool relay_front_is_service_up(const struct relay *relay)
{
	return relay->front != NULL ? relay->front->is_serving
				    : !relay->is_away;
}

bool relay_front_is_waiting(const struct relay *relay)
{
	return relay->front->is_serving && relay->front->is_waiting;
}

static void begin_serving(struct relay *relay)
{
	struct relay_front *front = relay->front;

	if (front->is_serving) {
		set_waiting(relay, false);
		relay_notify_ready(relay);
		return;
	}
	if (serve_address(relay) < 0) {
		/* At the start somebody waits until we are ready: so fail. */
		relay->has_failed |= !relay->is_announced;
		relay->is_stopping |= !relay->is_announced;
		return;
	}
	front->is_serving = true;
	front->is_paused = front->is_waiting = false;
	front->has_complained = false;
	pause_or_resume(relay);
	if (relay->is_announced)
		tool_say(TOOL_NORMAL, "the service is there again");
	relay_notify_ready(relay);
}

/* Clients that wait at a closed address are still received. Sockets of a
 * supervisor stay open, and their clients wait. */
static void end_serving(struct relay *relay, const char *why)
{
	struct relay_front *front = relay->front;

	if (!front->is_serving)
		return;
	if (front->is_inherited && !front->has_left) {
		if (!front->is_waiting)
			tool_say(TOOL_NORMAL, "%s: clients wait", why);
		set_waiting(relay, true);
		return;
	}
	front->is_held = false;
	set_waiting(relay, false);
	front->is_serving = false;
	if (why != NULL)
		tool_say(TOOL_NORMAL, "%s: clients find no server", why);
	if (unixservice_unlisten(relay->service) < 0) {
		tool_complain("%s: could not be removed: %s",
			explain_text(relay->options->base.address),
			strerror(errno));
		relay->has_failed = true;
	}
}

/* --- Asking --------------------------------------------------------------- */

static int64_t get_pause_us(const struct relay_front *front)
{
	return !front->is_serving && front->interval_us > ASK_SOON_US
		? ASK_SOON_US
		: front->interval_us;
}

static void ask(struct relay *relay)
{
	const struct frame frame = { .type = FRAME_PING };
	char subject[SUBJECT_ROOM], reply[SUBJECT_ROOM];

	subject_format(subject, &relay->names, SUBJECT_HEALTH, 0);
	subject_format(reply, &relay->names, relay->way->own,
		RELAY_FRONT_NUMBER);
	relay_post_control(relay, subject, reply, &frame);
	relay->front->ask_us =
		unixdeadline_after_us(get_pause_us(relay->front));
	relay_wake_at(relay, relay->front->ask_us);
}

static bool may_end(const struct relay *relay)
{
	return engine_is_up(relay->engine) ||
		relay->options->on_down == RELAY_REFUSE;
}

/*
 * If the service is away, its relay or the engine answers no at once. If there
 * is no answer at all, the machine may only be busy, so that takes longer,
 * however short the grace is.
 */
static int64_t get_end_us(const struct relay *relay)
{
	const struct relay_front *front = relay->front;
	const int64_t late_us = front->is_doubted ? 0 : LATE_US;

	return front->there_us + relay->options->grace_us + late_us;
}

void relay_front_look(struct relay *relay, int64_t now_us)
{
	struct relay_front *front = relay->front;

	if (front->has_left)
		return;
	if (engine_is_up(relay->engine)) {
		if (now_us >= front->ask_us)
			ask(relay);
		relay_wake_at(relay, front->ask_us);
	}
	if (!front->is_serving || !may_end(relay))
		return;
	if (now_us >= get_end_us(relay))
		end_serving(relay,
			engine_is_up(relay->engine) ? "the service is not there"
						    : "the engine is down");
	else
		relay_wake_at(relay, get_end_us(relay));
}

static void say_absent(const struct relay *relay)
{
	if (!relay->front->is_doubted && !relay->is_announced)
		tool_say(TOOL_NORMAL, "the service %s is not there yet",
			relay->options->service);
}

/* Ignores the no of one relay just after the yes of another one. */
static void doubt(struct relay *relay, int64_t now_us)
{
	struct relay_front *front = relay->front;

	if (front->is_serving && now_us - front->there_us < front->interval_us)
		return;
	say_absent(relay);
	front->is_doubted = true;
}

void relay_front_take(struct relay *relay, const struct nats_event *event,
	const struct frame *frame)
{
	struct relay_front *front = relay->front;
	const int64_t now_us = unixdeadline_now_us();
	const bool is_there = frame != NULL && frame->type == FRAME_PONG;

	if (front->has_left)
		return;
	if (relay->way->take_health != NULL && event->reply != NULL)
		relay->way->take_health(relay, event->reply, is_there);
	if (is_there) {
		front->there_us = now_us;
		front->is_doubted = false;
		begin_serving(relay);
	} else {
		doubt(relay, now_us);
	}
	relay_front_look(relay, now_us);
}

void relay_front_engine_up(struct relay *relay)
{
	struct relay_front *front = relay->front;

	/* The service's silence while the engine was down does not count. */
	front->there_us = unixdeadline_now_us();
	front->is_doubted = false;
	ask(relay);
}

/* New clients wait until the grace is over or the engine is up. */
void relay_front_engine_down(struct relay *relay)
{
	struct relay_front *front = relay->front;

	front->is_doubted = true;
	front->there_us = unixdeadline_now_us();
	if (relay->options->on_down != RELAY_DROP)
		set_waiting(relay, true);
	relay_front_look(relay, front->there_us);
}

void relay_front_leave(struct relay *relay)
{
	relay->front->has_left = true;
	end_serving(relay, NULL);
}

static int64_t get_interval_us(int64_t grace_us)
{
	if (grace_us / 2 > ASK_MOST_US)
		return ASK_MOST_US;
	return grace_us / 2 > ASK_LEAST_US ? grace_us / 2 : ASK_LEAST_US;
}

int relay_front_open(struct relay *relay)
{
	const struct options *options = &relay->options->base;
	struct relay_front *front = calloc(1, sizeof(*front));

	if (front == NULL)
		return tool_complain("%s", strerror(errno));
	relay->front = front;
	front->interval_us = get_interval_us(relay->options->grace_us);
	front->is_inherited = options->is_inherited;
	if (!front->is_inherited)
		return 0;
	if (inherit(relay->service, options->network,
		    get_flags(options->network)) < 0)
		return -1;
	front->is_serving = true;
	set_waiting(relay, true);
	return 0;
}

void relay_front_close(struct relay *relay)
{
	free(relay->front);
	relay->front = NULL;
}

/* --- Answering ------------------------------------------------------------ */

/* Dials with a datagram socket, which no owner notices. For a path whose owner
 * has another type of socket, the kernel fails that with EPROTOTYPE. */
static bool is_name_owned(const struct options *options)
{
	const struct unixdial_options how = { .flags = UNIXMSG_DIAL_UNNAMED };
	struct unixconn *conn =
		unixconn_dial("unixgram", options->address, &how, UNIXMSG_NOW);
	struct unixowner owner;

	if (conn != NULL) {
		unixconn_close(conn);
		return !options->network->is_connected;
	}
	if (options->network->is_connected && *options->address != '@')
		return errno == EPROTOTYPE;
	/* Each type of socket has its own abstract names. */
	return options->network->is_connected &&
		unixowner_find(options->address, options->network->type,
			&owner) == 0;
}

/* The engine gives new clients to one of the relays that subscribe. */
static void note_service(struct relay *relay, bool is_there)
{
	if (relay->is_away != is_there ||
		engine_set_subscribed(relay->engine, relay->common, is_there) <
			0)
		return;
	relay->is_away = !is_there;
	tool_say(TOOL_NORMAL,
		is_there ? "%s: the service is there again"
			 : "%s: the service is not there: clients find another "
			   "one, or none",
		explain_text(relay->options->base.address));
}

static void probe(struct relay *relay, int64_t now_us)
{
	note_service(relay, is_name_owned(&relay->options->base));
	relay->known_us = now_us;
	relay->probe_us =
		now_us + (relay->is_away ? ASK_LEAST_US : ASK_MOST_US);
}

void relay_front_probe(struct relay *relay, int64_t now_us)
{
	if (relay->is_stopping)
		return;
	if (now_us >= relay->probe_us)
		probe(relay, now_us);
	relay_wake_at(relay, relay->probe_us);
}

void relay_front_miss(struct relay *relay)
{
	relay->probe_us = 0;
	relay_wake_at(relay, 0);
}

static bool is_service_there(struct relay *relay)
{
	const int64_t now_us = unixdeadline_now_us();

	if (relay->is_stopping)
		return false;
	if (now_us - relay->known_us > KNOWN_US)
		probe(relay, now_us);
	return !relay->is_away;
}

void relay_front_answer(struct relay *relay, const struct nats_event *event,
	const struct frame *frame)
{
	struct frame answer = { .type = FRAME_REFUSE };
	char own[SUBJECT_ROOM];

	if (frame == NULL || frame->type != FRAME_PING ||
		event->reply == NULL ||
		subject_prove(event->reply, &relay->names, relay->way->own) <
			0) {
		relay->books.counts[RELAY_STRANGE]++;
		return;
	}
	if (is_service_there(relay))
		answer.type = FRAME_PONG;
	subject_format(own, &relay->names, relay->way->own, RELAY_FRONT_NUMBER);
	relay_post_control(relay, event->reply, own, &answer);
}
