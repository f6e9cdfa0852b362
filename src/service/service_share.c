/* SPDX-License-Identifier: MIT */
/*
 * Memory that peers have us hold: answers that are kept for them, and messages
 * of framed streams that have not come whole. Where there is too much of it,
 * the user who has most pays, by one peer: not the one who needs a little.
 */
#include <config.h>

#include <errno.h>

#include "service/service_private.h"

/* The peer of user that has most kept, but for the one being handled. */
static struct peer *find_most_kept(const struct unixservice *service,
	const struct user *user)
{
	struct peer *peer, *most = NULL;

	for (peer = unixservice__get_peer(user->silent); peer != NULL;
		peer = unixservice__get_peer(peer->member.livelier))
		if (peer != service->call.peer && peer->outbox.bytes > 0 &&
			(most == NULL ||
				peer->outbox.bytes > most->outbox.bytes))
			most = peer;
	return most;
}

/* An answer in the middle of a connection is lost only with all of it. */
static void lose_answers(struct unixservice *service, struct peer *peer)
{
	uint64_t *counter = &service->counters.dropped;

	if (peer->sort->is_memory_only) {
		unixservice__lose_kept(service, peer, counter, ENOBUFS);
		return;
	}
	unixservice__drop_all(service, peer, counter);
	service->counters.evicted++;
	unixservice__part(service, peer, ENOBUFS);
}

bool unixservice__relieve(struct unixservice *service, const struct user *user,
	size_t bytes)
{
	const struct user *most = unixusers__get_most_kept(&service->users);
	struct peer *peer;

	if (most == NULL || most == user ||
		most->kept_bytes <= user->kept_bytes + bytes)
		return false;
	peer = find_most_kept(service, most);
	if (peer == NULL)
		return false;
	lose_answers(service, peer);
	return true;
}

/* A message of the largest size comes through in any case. */
static uint64_t get_partial_max(const struct unixservice *service)
{
	const uint64_t least =
		8 * (uint64_t)service->options.size_max + (1 << 20);
	const uint64_t most = service->options.partial_bytes_max;

	if (most == 0)
		return UINT64_MAX;
	return most < least ? least : most;
}

/* One has half of all at most, and the others what is left then. */
static const struct user *find_hoarder(const struct unixservice *service,
	const struct user *user)
{
	const uint64_t most = get_partial_max(service);

	if (user->partial_bytes > most / 2)
		return user;
	if (service->counters.partial_bytes > most)
		return unixusers__get_most_partial(&service->users);
	return NULL;
}

/* Who goes on sending keeps what it has sent. */
static struct peer *find_silent_partial(const struct user *user)
{
	struct peer *peer = unixservice__get_peer(user->silent);

	while (peer != NULL && peer->partial_bytes == 0)
		peer = unixservice__get_peer(peer->member.livelier);
	return peer;
}

void unixservice__note_partial(struct unixservice *service, struct peer *peer,
	size_t bytes)
{
	const struct user *hoarder;

	if (bytes > peer->partial_bytes)
		unixservice__enliven(service, peer);
	unixservice__count_partial(service, peer, bytes);
	while (bytes > 0 && !unixservice__is_gone(peer) &&
		(hoarder = find_hoarder(service, peer->user)) != NULL) {
		service->counters.partials_closed++;
		unixservice__part(service, find_silent_partial(hoarder),
			ENOBUFS);
	}
}
