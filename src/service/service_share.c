/* SPDX-License-Identifier: MIT */
/*
 * Memory that peers make the service use: answers queued for them, and
 * incomplete messages of framed streams. When it gets too much, the user with
 * the most of it pays with one peer, not the user who needs a little.
 */
#include <config.h>

#include <errno.h>

#include "service/service_private.h"

/* Returns the peer of user with the most queued bytes, but not the one that is
 * being handled. */
static struct peer *find_most_queued(const struct unixservice *service,
	const struct user *user)
{
	struct peer *peer, *most = NULL;

	for (peer = unixservice__get_peer(user->oldest); peer != NULL;
		peer = unixservice__get_peer(peer->member.newer))
		if (peer != service->call.peer && peer->outbox.bytes > 0 &&
			(most == NULL ||
				peer->outbox.bytes > most->outbox.bytes))
			most = peer;
	return most;
}

/* A connection must not miss an answer in the middle, so it is closed. */
static void lose_answers(struct unixservice *service, struct peer *peer)
{
	uint64_t *counter = &service->counters.dropped;

	if (peer->sort->is_memory_only) {
		unixservice__lose_queued(service, peer, counter, ENOBUFS);
		/* A program that waits for room would wait for ever. */
		unixservice__tell_of(service, UNIXSERVICE_FLUSHED, peer, 0);
		return;
	}
	unixservice__drop_all(service, peer, counter);
	service->counters.evicted++;
	unixservice__disconnect(service, peer, ENOBUFS);
}

bool unixservice__relieve(struct unixservice *service, const struct user *user,
	size_t bytes)
{
	const struct user *most = unixusers__get_most_queued(&service->users);
	struct peer *peer;

	if (most == user || most->queued_bytes <= user->queued_bytes + bytes)
		return false;
	peer = find_most_queued(service, most);
	if (peer == NULL)
		return false;
	lose_answers(service, peer);
	return true;
}

/* The limit leaves room for messages of the largest size in any case. */
static uint64_t get_partial_max(const struct unixservice *service)
{
	const uint64_t least =
		8 * (uint64_t)service->options.size_max + (1 << 20);
	const uint64_t most = service->options.partial_bytes_max;

	return most < least ? least : most;
}

/* One user may have half of the limit at most, the others the rest. */
static const struct user *find_heaviest_user(const struct unixservice *service,
	const struct user *user)
{
	const uint64_t most = get_partial_max(service);

	if (user->partial_bytes > most / 2)
		return user;
	if (service->counters.partial_bytes > most)
		return unixusers__get_most_partial(&service->users);
	return NULL;
}

/* A peer that goes on sending keeps its incomplete message. */
static struct peer *find_silent_partial(const struct user *user)
{
	struct peer *peer = unixservice__get_peer(user->oldest);

	while (peer != NULL && peer->partial_bytes == 0)
		peer = unixservice__get_peer(peer->member.newer);
	return peer;
}

void unixservice__note_partial(struct unixservice *service, struct peer *peer,
	size_t bytes)
{
	const struct user *heaviest;

	if (bytes > peer->partial_bytes)
		unixservice__note_activity(service, peer);
	unixservice__count_partial(service, peer, bytes);
	while (bytes > 0 && !unixservice__is_gone(peer) &&
		(heaviest = find_heaviest_user(service, peer->user)) != NULL) {
		service->counters.partials_closed++;
		unixservice__disconnect(service, find_silent_partial(heaviest),
			ENOBUFS);
	}
}
