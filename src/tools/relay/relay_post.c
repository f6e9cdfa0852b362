/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/network.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_post.h"

enum {
	/* The most bytes of a control frame: two subjects and a head. */
	CONTROL_SIZE = 2 * SUBJECT_ROOM + FRAME_HEAD_SIZE + 40,
	/* Each client may have three control frames waiting: credit, ping,
	 * end. */
	CONTROLS = 3,
	/* The most bytes of held datagrams. A session holds one message at
	 * most, for which its budget has room. */
	HELD_MOST = 16 << 20,
};

struct relay_held {
	struct relay_held *next;
	uint64_t peer;
	size_t size;
	char data[];
};

static size_t get_message_room(size_t size_max)
{
	return 1048576 + size_max + CONTROL_SIZE;
}

size_t relay_post_get_room(size_t size_max, unsigned int clients_max)
{
	return get_message_room(size_max) +
		(size_t)clients_max * CONTROLS * CONTROL_SIZE;
}

static int publish(struct relay *relay, const char *subject, const char *reply,
	const struct frame *frame)
{
	unsigned char head[FRAME_HEAD_SIZE];
	const struct iovec parts[] = {
		{ head, sizeof(head) },
		{ (void *)frame->data, frame->size },
	};

	frame_encode(head, frame);
	return engine_publish(relay->engine, subject, reply, parts,
		frame->size > 0 ? 2 : 1);
}

static bool has_room(const struct relay *relay, size_t size)
{
	return engine_get_waiting(relay->engine) + size + CONTROL_SIZE <=
		get_message_room(relay->options->base.size_max);
}

int relay_post(struct relay *relay, const char *subject, const char *reply,
	const struct frame *frame)
{
	/* engine_flush might free the session of the caller. */
	if (!has_room(relay, frame->size))
		engine_push(relay->engine);
	if (engine_is_up(relay->engine) && !has_room(relay, frame->size)) {
		errno = EAGAIN;
		return -1;
	}
	return publish(relay, subject, reply, frame);
}

void relay_post_control(struct relay *relay, const char *subject,
	const char *reply, const struct frame *frame)
{
	if (publish(relay, subject, reply, frame) < 0 && errno == EAGAIN)
		relay->books.counts[RELAY_CONTROLS_LOST]++;
}

static bool may_hold(const struct relay *relay, size_t size)
{
	return relay->options->base.network->is_connected ||
		relay->held_bytes + size <= HELD_MOST;
}

int relay_post_hold(struct relay *relay, uint64_t peer, const void *data,
	size_t size)
{
	struct relay_held **place = &relay->held;
	struct relay_held *held;

	errno = ENOMEM;
	if (!may_hold(relay, size))
		return -1;
	held = malloc(sizeof(*held) + size);
	if (held == NULL)
		return -1;
	relay->held_bytes += size;
	held->next = NULL;
	held->peer = peer;
	held->size = size;
	if (size > 0)
		memcpy(held->data, data, size);
	while (*place != NULL)
		place = &(*place)->next;
	*place = held;
	return 0;
}

static void drop_first(struct relay *relay)
{
	struct relay_held *held = relay->held;

	relay->held = held->next;
	relay->held_bytes -= held->size;
	free(held);
}

void relay_post_flush(struct relay *relay)
{
	uint64_t peer;

	while (relay->held != NULL) {
		peer = relay->held->peer;
		if (relay->way->pass(relay, peer, relay->held->data,
			    relay->held->size) < 0)
			return;
		drop_first(relay);
		relay->way->release(relay, peer);
	}
}

void relay_post_clear(struct relay *relay)
{
	while (relay->held != NULL) {
		relay->books.counts[RELAY_LOST_ENGINE_DOWN]++;
		drop_first(relay);
	}
}
