/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of clients here. Each client is a peer of the service; the number
 * of its reply subject is that of the peer, and 0 for clients without an
 * address. An answer finds the client by that number.
 */
#include <config.h>

#include <errno.h>

#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_front.h"
#include "tools/relay/relay_grams.h"

static int open_way(struct relay *relay)
{
	(void)relay;
	return 0;
}

static void do_nothing(struct relay *relay)
{
	(void)relay;
}

/* While clients wait for the engine, so do messages that were received. */
static int pass(struct relay *relay, uint64_t peer, const void *data,
	size_t size)
{
	const struct frame frame = {
		.type = FRAME_DATAGRAM,
		.data = data,
		.size = size,
	};
	char subject[SUBJECT_ROOM];

	if (!engine_is_up(relay->engine) && relay_front_is_waiting(relay)) {
		errno = EAGAIN;
		return -1;
	}
	subject_format(subject, &relay->names, SUBJECT_DATAGRAM, 0);
	return relay_grams_pass(relay, subject, peer, &frame);
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

static void watch(struct relay *relay, const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_OPENED)
		/* Tells peers from numbers that are none. */
		unixservice_set_context(relay->service, event->peer, relay);
	else if (event->kind == UNIXSERVICE_CUT)
		lose(relay, event->peer, RELAY_LOST_TOO_LARGE);
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
		return;
	}
	if (frame == NULL || frame->type != FRAME_DATAGRAM) {
		counts[RELAY_STRANGE]++;
		return;
	}
	counts[RELAY_ARRIVED]++;
	counts[RELAY_ARRIVED_BYTES] += frame->size;
	if (unixservice_get_context(relay->service, number) == NULL)
		counts[RELAY_LOST_UNKNOWN]++;
	else
		relay_grams_deliver(relay, number, frame);
}

static void look(struct relay *relay, int64_t now_us)
{
	(void)relay;
	(void)now_us;
}

/* Nobody tells whether there will be an answer. */
static bool is_empty(const struct relay *relay)
{
	return unixservice_get_next_peer(relay->service, 0) == 0;
}

const struct relay_way relay_imported_way = {
	.own = SUBJECT_REPLY,
	.common = SUBJECT_DATAGRAM,
	.open = open_way,
	.close = do_nothing,
	.pass = pass,
	.hold = hold,
	.release = release,
	.lose = lose,
	.watch = watch,
	.take = take,
	.engine_down = do_nothing,
	.look = look,
	.is_empty = is_empty,
	.reset = do_nothing,
};
