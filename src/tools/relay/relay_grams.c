/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "tools/relay/relay.h"
#include "tools/relay/relay_grams.h"
#include "tools/relay/relay_post.h"

int relay_grams_pass(struct relay *relay, const char *subject, uint64_t number,
	const struct frame *frame)
{
	uint64_t *counts = relay->books.counts;
	char own[SUBJECT_ROOM];

	subject_format(own, &relay->names, SUBJECT_REPLY, number);
	if (relay_post(relay, subject, own, frame) == 0)
		counts[RELAY_PUBLISHED]++;
	else if (errno == EAGAIN)
		return -1;
	else if (errno == EMSGSIZE)
		counts[RELAY_LOST_TOO_LARGE]++;
	else
		counts[RELAY_LOST_ENGINE_DOWN]++;
	return 0;
}

void relay_grams_deliver(struct relay *relay, uint64_t peer,
	const struct frame *frame)
{
	/* The watcher gets all other errors, or they count as lost with the
	 * peer. */
	if (unixservice_push(relay->service, peer, frame->data, frame->size) <
			0 &&
		errno == EMSGSIZE)
		relay->books.counts[RELAY_LOST_TOO_LARGE]++;
}

static bool is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ECONNREFUSED ||
		error == ENOENT || error == ENOTCONN;
}

void relay_grams_note_loss(struct relay *relay,
	const struct unixservice_event *event)
{
	uint64_t *counts = relay->books.counts;

	if (event->error == ENOBUFS)
		counts[RELAY_LOST_QUEUE]++;
	else if (event->error == ETIMEDOUT)
		counts[RELAY_LOST_LATE]++;
	else if (!is_gone(event->error))
		counts[RELAY_LOST_FAILED]++;
}
