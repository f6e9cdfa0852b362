/* SPDX-License-Identifier: MIT */
/*
 * Connections. A client of an import is a session, and so is our own connection
 * to the service of an export:
 *
 *	import					export
 *	a client connects: OPEN ->		connects to the service
 *	reads the client	<- ACCEPT, or REFUSE
 *	DATA ->					sends it, or queues it
 *				<- CREDIT once it is sent
 *	the client ends: FIN ->			ends that direction, in order
 *	the client is gone: FIN, RESET ->	closes, when all is sent
 *	it was cut off: RESET ->		closes at once
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "relay/session.h"
#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_front.h"
#include "tools/relay/relay_post.h"

enum {
	CHAINS = 1024, /* a power of two; our own numbers fill them evenly */
	TICK_US = 1000000,
	/* A session is asked after this time of silence, and is reset after
	 * SILENT_US. */
	PING_US = 1000000,
	SILENT_US = 4000000,
	/* The time for which a service with a full backlog is dialled, and the
	 * pause between two dials. */
	DIAL_MOST_US = 3000000,
	DIAL_AGAIN_US = 5000,
	/* The least window that is worth a session. */
	WINDOW_LEAST = 4096,
};

/* The most bytes of all windows and messages beside them. */
static const uint64_t windows_most = UINT64_C(3) << 29;

struct entry {
	struct session session;
	uint64_t number;
	uint64_t peer;       /* 0: not yet, or no longer */
	struct frame accept; /* sent once the service is connected */
	bool is_paused;
	bool is_holding; /* a message waits for the engine */
	bool is_leaving; /* to be closed once its queue is sent */
	/* Messages that the service has queued, and their bytes. */
	uint64_t queued;
	uint64_t queued_bytes;
	uint64_t cost; /* of its window */
	uid_t user;    /* of the client */
	int64_t began_us;
	struct entry *next; /* of its chain */
};

struct sessions {
	struct entry *chains[CHAINS];
	uint64_t last; /* number */
	uint64_t windows;
	int64_t tick_us;
	bool is_dialling; /* a connection of our own is being opened */
};

static struct sessions *get(const struct relay *relay)
{
	return relay->state;
}

static void count(struct relay *relay, enum relay_count reason)
{
	relay->books.counts[reason]++;
}

/* --- All sessions --------------------------------------------------------- */

static struct entry **find_place(const struct relay *relay, uint64_t number)
{
	struct entry **place = &get(relay)->chains[number & (CHAINS - 1)];

	while (*place != NULL && (*place)->number != number)
		place = &(*place)->next;
	return place;
}

static void forget(struct relay *relay, struct entry *entry)
{
	*find_place(relay, entry->number) = entry->next;
	get(relay)->windows -= entry->cost;
	relay->books.open--;
	free(entry);
}

/* Returns the bytes that the sessions of one user may take. */
static uint64_t get_used(const struct relay *relay, uid_t user)
{
	const struct sessions *sessions = get(relay);
	const struct entry *it;
	uint64_t used = 0;
	size_t i;

	for (i = 0; i < CHAINS; i++)
		for (it = sessions->chains[i]; it != NULL; it = it->next)
			if (it->user == user)
				used += it->cost;
	return used;
}

/* One user of an import may take half of the memory. */
static uint64_t get_left(const struct relay *relay, uid_t user)
{
	const uint64_t left = windows_most - get(relay)->windows;
	uint64_t used;

	if (!relay_is_import(relay))
		return left;
	used = get_used(relay, user);
	if (used >= windows_most / 2)
		return 0;
	return windows_most / 2 - used < left ? windows_most / 2 - used : left;
}

/* Beside its window, a session may have a message that exceeds the window, and
 * one that waits for the engine. */
static uint64_t get_messages_size(const struct relay *relay)
{
	return UINT64_C(2) * relay->options->base.size_max;
}

/* Returns a window, which is smaller when little memory is left; 0 if there is
 * too little. */
static size_t grant(const struct relay *relay, uid_t user)
{
	const uint64_t messages = get_messages_size(relay);
	uint64_t left = get_left(relay, user);

	if (left < (messages + WINDOW_LEAST) * 2)
		return 0;
	left = (left - messages) / 8;
	return left < relay->options->window ? left : relay->options->window;
}

/* Returns NULL if there are too many sessions, or no memory. */
static struct entry *begin(struct relay *relay, uid_t user)
{
	struct sessions *sessions = get(relay);
	const size_t window = grant(relay, user);
	struct entry *entry = NULL;

	if (window > 0 && relay->books.open < relay->options->base.clients_max)
		entry = calloc(1, sizeof(*entry));
	if (entry == NULL) {
		count(relay, RELAY_LIMITED);
		return NULL;
	}
	entry->number = ++sessions->last;
	entry->user = user;
	entry->cost = window + get_messages_size(relay);
	entry->began_us = unixdeadline_now_us();
	session_init(&entry->session, window, entry->began_us);
	*find_place(relay, entry->number) = entry;
	sessions->windows += entry->cost;
	relay->books.open++;
	count(relay, RELAY_SESSIONS);
	relay_wake_at(relay, entry->began_us + PING_US);
	return entry;
}

/* --- Frames out ----------------------------------------------------------- */

static void get_own_subject(const struct relay *relay,
	const struct entry *entry, char *text)
{
	subject_format(text, &relay->names, SUBJECT_SESSION, entry->number);
}

static void send_control(struct relay *relay, const struct entry *entry,
	const struct frame *frame)
{
	char own[SUBJECT_ROOM];

	if (*entry->session.peer == '\0')
		return;
	get_own_subject(relay, entry, own);
	relay_post_control(relay, entry->session.peer, own, frame);
}

static void send_reset(struct relay *relay, const struct entry *entry)
{
	const struct frame frame = { .type = FRAME_RESET };

	send_control(relay, entry, &frame);
}

static void send_fin(struct relay *relay, struct entry *entry)
{
	struct frame frame;

	session_make_fin(&entry->session, &frame);
	send_control(relay, entry, &frame);
}

/* --- Ends ----------------------------------------------------------------- */

/* A session whose directions have both ended waits only for its peer here. */
static bool is_going_on(const struct entry *entry)
{
	return entry->session.state != SESSION_OVER &&
		!session_is_finished(&entry->session);
}

static void say_end(const struct entry *entry, const char *why)
{
	tool_say(TOOL_VERBOSE, "session %ju: %s", (uintmax_t)entry->number,
		why);
}

/* Cuts the peer here off, and frees the entry. */
static void cut_off(struct relay *relay, struct entry *entry)
{
	if (entry->peer == 0 ||
		unixservice_reset_peer(relay->service, entry->peer) < 0)
		forget(relay, entry);
}

/*
 * After our FIN, the relay reads only the end of the peer. After the end of the
 * session it reads and loses everything. May free the entry, because a peer
 * that cannot be paused is closed.
 */
static void pause_or_resume(struct relay *relay, struct entry *entry)
{
	const struct session *session = &entry->session;
	const bool is_paused = session->state != SESSION_OVER &&
		(entry->is_holding ||
			(!session->has_sent_fin && !session_can_send(session)));

	if (entry->peer == 0 || entry->is_paused == is_paused)
		return;
	entry->is_paused = is_paused;
	if (is_paused)
		unixservice_pause_peer(relay->service, entry->peer);
	else
		unixservice_resume_peer(relay->service, entry->peer);
}

/*
 * Closes the peer here once it has received all messages that have arrived.
 * Resumes it first, because it may wait until its own messages are read. May
 * free the entry.
 */
static void let_go(struct relay *relay, struct entry *entry)
{
	if (unixservice_get_queued(relay->service, entry->peer) > 0) {
		entry->is_leaving = true;
		pause_or_resume(relay, entry);
	} else if (unixservice_close_peer(relay->service, entry->peer) < 0) {
		forget(relay, entry);
	}
}

static void end(struct relay *relay, struct entry *entry,
	enum relay_count reason, const char *why, bool is_told)
{
	if (is_told)
		send_reset(relay, entry);
	session_reset(&entry->session, why);
	count(relay, reason);
	say_end(entry, why);
}

/* If the other side has ended its direction, all its messages have arrived, and
 * the peer here still gets them. May free the entry. */
static void reset(struct relay *relay, struct entry *entry,
	enum relay_count reason, const char *why, bool is_told)
{
	end(relay, entry, reason, why, is_told);
	if (entry->session.has_received_fin)
		let_go(relay, entry);
	else
		cut_off(relay, entry);
}

/* True if the peer was read to its end. */
static bool is_orderly(int error)
{
	return error == 0 || error == EPIPE || error == ECONNRESET;
}

/* Handles a peer that the service or we have closed. */
static void take_closed(struct relay *relay, struct entry *entry, int error)
{
	struct session *session = &entry->session;
	const bool is_open = session->state == SESSION_OPEN;

	entry->peer = 0;
	if (is_open && is_orderly(error) && !entry->is_holding &&
		!session->has_sent_fin)
		send_fin(relay, entry);
	if (session_is_finished(session))
		count(relay, RELAY_ENDED);
	else if (is_open) {
		send_reset(relay, entry);
		count(relay,
			session->has_sent_fin ? RELAY_ENDED : RELAY_RESET_HERE);
	} else if (session->state == SESSION_OPENING) {
		count(relay, RELAY_RESET_HERE);
	}
	forget(relay, entry);
}

/* --- From here to there --------------------------------------------------- */

static struct entry *find_peer(const struct relay *relay, uint64_t peer)
{
	return unixservice_get_context(relay->service, peer);
}

static int pass(struct relay *relay, uint64_t peer, const void *data,
	size_t size)
{
	struct entry *entry = find_peer(relay, peer);
	struct session saved;
	char own[SUBJECT_ROOM];
	struct frame frame;

	if (entry == NULL || entry->session.state == SESSION_OVER) {
		count(relay, RELAY_LOST_UNKNOWN);
		return 0;
	}
	saved = entry->session;
	get_own_subject(relay, entry, own);
	session_make_data(&entry->session, &frame, data, size);
	if (relay_post(relay, entry->session.peer, own, &frame) == 0) {
		count(relay, RELAY_PUBLISHED);
		pause_or_resume(relay, entry);
		return 0;
	}
	entry->session = saved;
	if (errno == EAGAIN)
		return -1;
	relay->way->lose(relay, peer,
		errno == EMSGSIZE ? RELAY_LOST_TOO_LARGE
				  : RELAY_LOST_ENGINE_DOWN);
	return 0;
}

static void hold(struct relay *relay, uint64_t peer)
{
	struct entry *entry = find_peer(relay, peer);

	if (entry == NULL)
		return;
	entry->is_holding = true;
	pause_or_resume(relay, entry);
}

static void release(struct relay *relay, uint64_t peer)
{
	struct entry *entry = find_peer(relay, peer);

	if (entry == NULL)
		return;
	entry->is_holding = false;
	pause_or_resume(relay, entry);
}

/* A message that cannot be passed on ends the session: none may be missing. */
static void lose(struct relay *relay, uint64_t peer, enum relay_count reason)
{
	struct entry *entry = find_peer(relay, peer);

	count(relay, reason);
	if (entry != NULL)
		reset(relay, entry, RELAY_RESET_MESSAGE,
			"a message that cannot be passed on", true);
}

/* --- From there to here --------------------------------------------------- */

/* Sends credit for messages that the kernel has now. */
static void release_window(struct relay *relay, struct entry *entry,
	uint64_t messages, uint64_t bytes)
{
	struct frame frame, last;
	bool is_due = false;

	for (; messages > 0; messages--, bytes = 0)
		if (session_release(&entry->session, bytes, &frame)) {
			last = frame;
			is_due = true;
		}
	if (is_due)
		send_control(relay, entry, &last);
}

/* Returns 0, or why the message is lost; without a limit no queue is full. */
static int push(struct relay *relay, uint64_t peer, const struct frame *frame)
{
	const int result = unixservice_push(relay->service, peer, frame->data,
		frame->size);

	if (result == 0)
		return ENOBUFS;
	return result < 0 ? errno : 0;
}

static void lose_arrived(struct relay *relay, struct entry *entry, int error)
{
	const bool is_too_large = error == EMSGSIZE;

	if (is_too_large)
		count(relay, RELAY_LOST_TOO_LARGE);
	reset(relay, entry,
		is_too_large ? RELAY_RESET_MESSAGE : RELAY_RESET_MEMORY,
		explain_error(error), true);
}

static void deliver(struct relay *relay, struct entry *entry,
	const struct frame *frame)
{
	const uint64_t peer = entry->peer;
	int error;

	count(relay, RELAY_ARRIVED);
	relay->books.counts[RELAY_ARRIVED_BYTES] += frame->size;
	error = push(relay, peer, frame);
	/* The push may have closed the peer, and freed the entry. */
	if (find_peer(relay, peer) != entry)
		return;
	/* EPIPE: the peer receives no more, but its own messages are still
	 * read. */
	if (error != 0 && error != EPIPE) {
		lose_arrived(relay, entry, error);
		return;
	}
	if (unixservice_get_queued(relay->service, peer) == 0) {
		release_window(relay, entry, 1, frame->size);
		return;
	}
	entry->queued++;
	entry->queued_bytes += frame->size;
}

/* The queued messages were sent, or were lost because the peer receives no
 * more. */
static void take_emptied(struct relay *relay, struct entry *entry)
{
	const uint64_t messages = entry->queued, bytes = entry->queued_bytes;

	entry->queued = entry->queued_bytes = 0;
	release_window(relay, entry, messages, bytes);
	if (entry->is_leaving)
		let_go(relay, entry);
}

/* After a FIN, the RESET of the other relay is an orderly end. */
static void take_reset(struct relay *relay, struct entry *entry)
{
	if (!entry->session.has_received_fin) {
		reset(relay, entry, RELAY_RESET_THERE, entry->session.why,
			false);
		return;
	}
	/* A finished session counts when its peer here is closed. */
	if (!session_is_finished(&entry->session))
		count(relay, RELAY_ENDED);
	let_go(relay, entry);
}

static void answer_ping(struct relay *relay, struct entry *entry)
{
	struct frame frame;

	session_make_pong(&entry->session, &frame);
	send_control(relay, entry, &frame);
}

/* True if the service is not connected yet: the other side may not send
 * then. */
static bool is_too_early(const struct entry *entry, int event)
{
	return entry->peer == 0 && event != SESSION_RESET &&
		event != SESSION_STRANGE;
}

static void take_event(struct relay *relay, struct entry *entry,
	const struct frame *frame, int event)
{
	if (is_too_early(entry, event)) {
		reset(relay, entry, RELAY_RESET_GAP,
			"a frame before the service was connected", true);
		return;
	}
	switch (event) {
	case SESSION_REFUSED:
		count(relay, RELAY_REFUSED);
		cut_off(relay, entry);
		return;
	case SESSION_MESSAGE:
		deliver(relay, entry, frame);
		return;
	case SESSION_FIN:
		unixservice_shutdown_peer(relay->service, entry->peer);
		return;
	case SESSION_PINGED:
		answer_ping(relay, entry);
		break;
	case SESSION_RESET:
		take_reset(relay, entry);
		return;
	case SESSION_STRANGE:
		count(relay, RELAY_STRANGE);
		return;
	default:
		break;
	}
	pause_or_resume(relay, entry);
}

/* Tells another relay that we do not have its session. */
static void turn_away(struct relay *relay, const char *own, const char *reply,
	const struct frame *frame)
{
	const struct frame answer = { .type = FRAME_RESET };

	if (frame->type == FRAME_RESET || reply == NULL ||
		subject_prove(reply, &relay->names, SUBJECT_SESSION) < 0) {
		count(relay, RELAY_STRANGE);
		return;
	}
	relay_post_control(relay, reply, own, &answer);
}

/* The engine has found nobody at the subject of the other relay. */
static void take_status(struct relay *relay, struct entry *entry)
{
	if (entry->session.state == SESSION_OPENING)
		reset(relay, entry, RELAY_REFUSED, "no relay has the service",
			false);
	else if (is_going_on(entry))
		reset(relay, entry, RELAY_RESET_ABSENT,
			"the other relay is gone", false);
}

static void take(struct relay *relay, uint64_t number,
	const struct nats_event *event, const struct frame *frame)
{
	struct entry *entry = *find_place(relay, number);
	int result;

	if (entry == NULL) {
		if (event->status == 0 && frame != NULL)
			turn_away(relay, event->subject, event->reply, frame);
		return;
	}
	if (event->status != 0) {
		take_status(relay, entry);
		return;
	}
	if (frame == NULL) {
		count(relay, RELAY_STRANGE);
		return;
	}
	result = session_take(&entry->session, frame, event->reply,
		&relay->names, unixdeadline_now_us());
	if (result < 0)
		reset(relay, entry, RELAY_RESET_GAP, entry->session.why, true);
	else
		take_event(relay, entry, frame, result);
}

/* --- Beginning: import ---------------------------------------------------- */

static void open_session(struct relay *relay,
	const struct unixservice_event *event)
{
	struct entry *entry = NULL;
	char subject[SUBJECT_ROOM], own[SUBJECT_ROOM];
	struct frame frame;

	if (engine_is_up(relay->engine))
		entry = begin(relay, event->cred.uid);
	if (entry == NULL ||
		unixservice_set_context(relay->service, event->peer, entry) <
			0) {
		if (entry != NULL)
			forget(relay, entry);
		unixservice_reset_peer(relay->service, event->peer);
		return;
	}
	entry->peer = event->peer;
	session_make_open(&entry->session, &frame);
	subject_format(subject, &relay->names, SUBJECT_OPEN, 0);
	get_own_subject(relay, entry, own);
	relay_post_control(relay, subject, own, &frame);
	pause_or_resume(relay, entry);
}

/* --- Beginning: export ---------------------------------------------------- */

static void refuse(struct relay *relay, struct entry *entry)
{
	const struct frame frame = { .type = FRAME_REFUSE };

	count(relay, RELAY_REFUSED);
	send_control(relay, entry, &frame);
	forget(relay, entry);
}

static unsigned int get_flags(const struct relay *relay)
{
	return relay->options->base.network->is_stream ? UNIXMSG_LISTEN_BYTES
						       : 0;
}

/* The service must be connected before the client may send. */
static void dial(struct relay *relay, struct entry *entry)
{
	const struct options *base = &relay->options->base;
	int result;

	get(relay)->is_dialling = true;
	result = unixservice_open_peer(relay->service, base->network->name,
		base->address, get_flags(relay), &entry->peer);
	get(relay)->is_dialling = false;
	if (result == 0) {
		unixservice_set_context(relay->service, entry->peer, entry);
		entry->session.heard_us = unixdeadline_now_us();
		send_control(relay, entry, &entry->accept);
		pause_or_resume(relay, entry);
		return;
	}
	entry->peer = 0;
	if (errno == EAGAIN &&
		unixdeadline_now_us() < entry->began_us + DIAL_MOST_US) {
		relay_wake_at(relay, unixdeadline_after_us(DIAL_AGAIN_US));
		return;
	}
	tool_say(TOOL_VERBOSE, "%s: %s", explain_text(base->address),
		explain_error(errno));
	relay_front_miss(relay);
	refuse(relay, entry);
}

static void refuse_at_once(struct relay *relay, const char *reply)
{
	const struct frame frame = { .type = FRAME_REFUSE };
	char own[SUBJECT_ROOM];

	subject_format(own, &relay->names, SUBJECT_SESSION, 0);
	if (reply != NULL &&
		subject_prove(reply, &relay->names, SUBJECT_SESSION) == 0)
		relay_post_control(relay, reply, own, &frame);
}

static void take_new(struct relay *relay, const struct nats_event *event,
	const struct frame *frame)
{
	struct entry *entry = NULL;

	if (frame == NULL) {
		count(relay, RELAY_STRANGE);
		return;
	}
	if (!relay->is_stopping)
		entry = begin(relay, 0);
	if (entry == NULL) {
		refuse_at_once(relay, event->reply);
		return;
	}
	if (session_accept(&entry->session, frame, event->reply, &relay->names,
		    &entry->accept) < 0) {
		count(relay, RELAY_STRANGE);
		forget(relay, entry);
		return;
	}
	dial(relay, entry);
}

/* --- Events of the service ------------------------------------------------ */

static void watch(struct relay *relay, const struct unixservice_event *event)
{
	struct entry *entry = find_peer(relay, event->peer);

	if (event->kind == UNIXSERVICE_OPENED) {
		if (!get(relay)->is_dialling)
			open_session(relay, event);
		return;
	}
	if (event->kind == UNIXSERVICE_LIMITED)
		count(relay, RELAY_LIMITED);
	if (entry == NULL)
		return;
	if (event->kind == UNIXSERVICE_FLUSHED ||
		event->kind == UNIXSERVICE_LOST)
		take_emptied(relay, entry);
	else if (event->kind == UNIXSERVICE_CLOSED)
		take_closed(relay, entry, event->error);
	else if (event->kind == UNIXSERVICE_CUT)
		lose(relay, event->peer, RELAY_LOST_TOO_LARGE);
	else if (event->kind == UNIXSERVICE_ENDED &&
		entry->session.state == SESSION_OPEN)
		send_fin(relay, entry);
}

/* --- Time ----------------------------------------------------------------- */

static void ping(struct relay *relay, struct entry *entry, int64_t now_us)
{
	struct frame frame;

	if (entry->session.state != SESSION_OPEN || entry->peer == 0 ||
		now_us - entry->session.heard_us < PING_US)
		return;
	session_make_ping(&entry->session, &frame);
	send_control(relay, entry, &frame);
}

/* Once both directions have ended, the session waits only for the peer here. */
static void look_at(struct relay *relay, struct entry *entry, int64_t now_us)
{
	if (!is_going_on(entry))
		return;
	if (entry->peer == 0)
		dial(relay, entry);
	else if (session_is_silent(&entry->session, now_us, SILENT_US))
		reset(relay, entry, RELAY_RESET_SILENT,
			"the other relay is silent", true);
	else if (now_us >= get(relay)->tick_us)
		ping(relay, entry, now_us);
}

/* Calls function for each entry, which it may remove. */
static void for_each(struct relay *relay,
	void (*function)(struct relay *relay, struct entry *entry,
		int64_t now_us),
	int64_t now_us)
{
	struct entry *it, *next;
	size_t i;

	for (i = 0; i < CHAINS; i++)
		for (it = get(relay)->chains[i]; it != NULL; it = next) {
			next = it->next;
			function(relay, it, now_us);
		}
}

static void look(struct relay *relay, int64_t now_us)
{
	struct sessions *sessions = get(relay);

	if (relay->books.open == 0)
		return;
	for_each(relay, look_at, now_us);
	if (now_us >= sessions->tick_us)
		sessions->tick_us = now_us + TICK_US;
	relay_wake_at(relay, sessions->tick_us);
}

static void lose_engine(struct relay *relay, struct entry *entry,
	int64_t now_us)
{
	(void)now_us;
	if (is_going_on(entry))
		reset(relay, entry, RELAY_RESET_ENGINE, "the engine is down",
			false);
}

static void engine_down(struct relay *relay)
{
	for_each(relay, lose_engine, 0);
	relay_post_clear(relay);
}

static void reset_at_end(struct relay *relay, struct entry *entry,
	int64_t now_us)
{
	(void)now_us;
	if (is_going_on(entry))
		end(relay, entry, RELAY_RESET_HERE, "the relay ends", true);
	cut_off(relay, entry);
}

static void reset_all(struct relay *relay)
{
	for_each(relay, reset_at_end, 0);
}

static bool is_empty(const struct relay *relay)
{
	return relay->books.open == 0;
}

static int open_way(struct relay *relay)
{
	relay->state = calloc(1, sizeof(struct sessions));
	if (relay->state == NULL)
		return tool_complain("%s", strerror(errno));
	return 0;
}

static void close_way(struct relay *relay)
{
	if (relay->state != NULL)
		reset_all(relay);
	free(relay->state);
	relay->state = NULL;
}

const struct relay_way relay_sessions_way = {
	.own = SUBJECT_SESSION,
	.common = SUBJECT_OPEN,
	.open = open_way,
	.close = close_way,
	.pass = pass,
	.hold = hold,
	.release = release,
	.lose = lose,
	.watch = watch,
	.take = take,
	.take_new = take_new,
	.engine_down = engine_down,
	.look = look,
	.is_empty = is_empty,
	.reset = reset_all,
};
