/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of clients here. Each client is a peer of the service, and its
 * reply subject has the number of that peer: an answer finds the client by this
 * number. Clients without an address have the number 0.
 *
 * Several relays may export the service. Because a service may know its
 * clients, a client stays with one of these relays while that relay has its
 * service. Messages of clients without an address go to any of them. When a
 * client is closed, its relay learns that, and forgets the client, too.
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_front.h"
#include "tools/relay/relay_grams.h"
#include "tools/relay/relay_post.h"

enum { EXPORTERS_MOST = 16, STALE_US = 1000000 };

/* A relay that exports the service. */
struct exporter {
	bool is_there;
	int64_t heard_us;
	char subject[SUBJECT_ROOM]; /* for messages of its clients */
};

struct imported {
	struct exporter exporters[EXPORTERS_MOST];
	struct exporter none; /* of clients that have sent nothing yet */
	size_t next;          /* the next one to get a client */
	int64_t forgot_us;    /* the time when an exporter was forgotten */
};

static struct imported *get(const struct relay *relay)
{
	return relay->state;
}

/* --- Exports -------------------------------------------------------------- */

/* Returns the time for which an answer of an export is trusted. */
static int64_t get_trust_us(const struct relay *relay)
{
	return relay->options->grace_us + 2000000;
}

static bool is_alive(const struct relay *relay, const struct exporter *exporter)
{
	return exporter->is_there &&
		unixdeadline_now_us() - exporter->heard_us <
		get_trust_us(relay);
}

/* Returns the place of the export with that subject, or a free one, or NULL. */
static struct exporter *find_place(struct relay *relay, const char *subject)
{
	struct exporter *it = get(relay)->exporters, *found = NULL;
	size_t i;

	for (i = 0; i < EXPORTERS_MOST; i++, it++) {
		if (strcmp(it->subject, subject) == 0)
			return it;
		if (!is_alive(relay, it))
			found = it;
	}
	return found;
}

/* An export's subject for clients differs from that of its answer only by the
 * number. */
static int make_subject(char *text, const struct relay *relay,
	const char *answer)
{
	if (subject_prove(answer, &relay->names, SUBJECT_REPLY) < 0)
		return -1;
	snprintf(text, SUBJECT_ROOM, "%.*s.%" PRIu64,
		(int)(strrchr(answer, '.') - answer), answer,
		RELAY_GRAMS_NUMBER);
	return 0;
}

static void take_health(struct relay *relay, const char *subject, bool is_there)
{
	char text[SUBJECT_ROOM];
	struct exporter *exporter;

	if (make_subject(text, relay, subject) < 0)
		return;
	exporter = find_place(relay, text);
	if (exporter == NULL)
		return;
	exporter->is_there = is_there;
	memcpy(exporter->subject, text, strlen(text) + 1);
	exporter->heard_us = unixdeadline_now_us();
}

static struct exporter *deal_out(struct relay *relay)
{
	struct imported *imported = get(relay);
	size_t tries = EXPORTERS_MOST;
	struct exporter *it;

	while (tries-- > 0) {
		it = &imported->exporters[imported->next++ % EXPORTERS_MOST];
		if (is_alive(relay, it))
			return it;
	}
	return NULL;
}

/* Returns the context of a peer: its export, or &none. NULL if no peer has this
 * number. */
static struct exporter *get_exporter(const struct relay *relay, uint64_t peer)
{
	return unixservice_get_context(relay->service, peer);
}

static const char *choose_subject(struct relay *relay, uint64_t peer,
	char *common)
{
	struct exporter *exporter = NULL;

	subject_format(common, &relay->names, SUBJECT_DATAGRAM, 0);
	if (peer == 0)
		return common;
	exporter = get_exporter(relay, peer);
	if (exporter == NULL || !is_alive(relay, exporter))
		exporter = deal_out(relay);
	if (exporter == NULL)
		return common;
	unixservice_set_context(relay->service, peer, exporter);
	return exporter->subject;
}

/* Older datagrams of a client may come back after it has moved to another
 * export. So after one return, others within STALE_US forget no export. */
static void forget_exporter(struct relay *relay, uint64_t peer)
{
	struct imported *imported = get(relay);
	struct exporter *exporter = get_exporter(relay, peer);
	const int64_t now_us = unixdeadline_now_us();

	if (exporter == NULL || now_us - imported->forgot_us < STALE_US)
		return;
	exporter->is_there = false;
	imported->forgot_us = now_us;
}

/* --- The way -------------------------------------------------------------- */

static int open_way(struct relay *relay)
{
	struct imported *imported = calloc(1, sizeof(*imported));

	if (imported == NULL)
		return tool_complain("%s", strerror(errno));
	relay->state = imported;
	return 0;
}

static void close_way(struct relay *relay)
{
	free(relay->state);
	relay->state = NULL;
}

/* While clients wait for the engine, messages received from them wait, too. */
static int pass(struct relay *relay, uint64_t peer, const void *data,
	size_t size)
{
	const struct frame frame = {
		.type = FRAME_DATAGRAM,
		.data = data,
		.size = size,
	};
	char common[SUBJECT_ROOM];

	if (!engine_is_up(relay->engine) && relay_front_is_waiting(relay)) {
		errno = EAGAIN;
		return -1;
	}
	return relay_grams_pass(relay, choose_subject(relay, peer, common),
		peer, &frame);
}

/* All clients share the socket. */
static void hold(struct relay *relay, uint64_t peer)
{
	(void)peer;
	relay_front_hold(relay, true);
}

static void release(struct relay *relay, uint64_t peer)
{
	(void)peer;
	if (relay->held == NULL)
		relay_front_hold(relay, false);
}

static void lose(struct relay *relay, uint64_t peer, enum relay_count reason)
{
	(void)peer;
	relay->books.counts[reason]++;
}

/* Without this, the export would keep a place for the client until --silence is
 * over. */
static void tell_end(struct relay *relay, uint64_t peer)
{
	const struct frame frame = { .type = FRAME_RESET };
	const struct exporter *exporter = get_exporter(relay, peer);
	char own[SUBJECT_ROOM];

	if (exporter == NULL || !is_alive(relay, exporter))
		return;
	subject_format(own, &relay->names, SUBJECT_REPLY, peer);
	relay_post_control(relay, exporter->subject, own, &frame);
}

static void tell_all_ends(struct relay *relay)
{
	uint64_t peer = 0;

	while ((peer = unixservice_get_next_peer(relay->service, peer)) != 0)
		tell_end(relay, peer);
}

static void watch(struct relay *relay, const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_OPENED)
		unixservice_set_context(relay->service, event->peer,
			&get(relay)->none);
	else if (event->kind == UNIXSERVICE_CLOSED)
		tell_end(relay, event->peer);
	else if (event->kind == UNIXSERVICE_CUT)
		lose(relay, event->peer, RELAY_LOST_TOO_LARGE);
	else if (event->kind == UNIXSERVICE_LIMITED)
		lose(relay, event->peer, RELAY_LOST_CLIENTS);
	else if (event->kind == UNIXSERVICE_LOST ||
		(event->kind == UNIXSERVICE_UNPROVED && event->msg == NULL))
		relay_grams_note_loss(relay, event);
}

static void take(struct relay *relay, uint64_t number,
	const struct nats_event *event, const struct frame *frame)
{
	uint64_t *counts = relay->books.counts;

	if (event->status != 0) {
		counts[RELAY_RETURNED]++;
		forget_exporter(relay, number);
		return;
	}
	if (frame == NULL || frame->type != FRAME_DATAGRAM) {
		counts[RELAY_STRANGE]++;
		return;
	}
	counts[RELAY_ARRIVED]++;
	counts[RELAY_ARRIVED_BYTES] += frame->size;
	if (get_exporter(relay, number) == NULL)
		counts[RELAY_LOST_UNKNOWN]++;
	else
		relay_grams_deliver(relay, number, frame);
}

/* Goes by the peers, because no relay knows whether another answer will
 * come. */
static bool is_empty(const struct relay *relay)
{
	return unixservice_get_next_peer(relay->service, 0) == 0;
}

const struct relay_way relay_imported_way = {
	.own = SUBJECT_REPLY,
	.common = SUBJECT_DATAGRAM,
	.open = open_way,
	.close = close_way,
	.pass = pass,
	.hold = hold,
	.release = release,
	.lose = lose,
	.watch = watch,
	.take = take,
	.take_health = take_health,
	.is_empty = is_empty,
	.reset = tell_all_ends,
};
