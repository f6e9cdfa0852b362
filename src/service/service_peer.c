/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/cred_private.h"
#include "service/service_private.h"

static uint64_t make_id(uint32_t index, uint32_t generation)
{
	return (uint64_t)generation << 32 | (index + 1);
}

struct peer *unixservice__find_any(const struct unixservice *service,
	uint64_t id)
{
	uint32_t index = (uint32_t)id - 1;
	const struct place *place;

	if (index < service->places_count) {
		place = &service->places[index];
		if (place->peer != NULL && place->generation == id >> 32)
			return place->peer;
	}
	errno = ENOTCONN;
	return NULL;
}

struct peer *unixservice__find(const struct unixservice *service, uint64_t id)
{
	struct peer *peer = unixservice__find_any(service, id);

	if (peer != NULL && !unixservice__is_gone(peer))
		return peer;
	errno = ENOTCONN;
	return NULL;
}

uint64_t unixservice_get_next_peer(const struct unixservice *service,
	uint64_t id)
{
	/* The lower half of an id is the index of its place + 1. */
	uint32_t i;
	const struct peer *peer;

	for (i = (uint32_t)id; i < service->places_count; i++) {
		peer = service->places[i].peer;
		if (peer != NULL && !unixservice__is_gone(peer))
			return peer->id;
	}
	return 0;
}

static int grow_places(struct unixservice *service)
{
	uint32_t i, count = service->places_count;
	uint32_t more = count == 0 ? 16 : count * 2;
	struct place *places =
		reallocarray(service->places, more, sizeof(*places));

	if (places == NULL)
		return -1;
	memset(places + count, 0, (more - count) * sizeof(*places));
	for (i = count; i < more; i++)
		places[i].next_free = i + 1 < more ? i + 2 : 0;
	service->places = places;
	service->places_count = more;
	service->first_free = count + 1;
	return 0;
}

static int take_place(struct unixservice *service, struct peer *peer)
{
	struct place *place;

	if (service->first_free == 0 && grow_places(service) < 0)
		return -1;
	place = &service->places[service->first_free - 1];
	peer->id = make_id(service->first_free - 1, ++place->generation);
	place->peer = peer;
	service->first_free = place->next_free;
	return 0;
}

static void leave_place(struct unixservice *service, const struct peer *peer)
{
	uint32_t index = (uint32_t)peer->id - 1;
	struct place *place = &service->places[index];

	place->peer = NULL;
	/* The place has used up its ids, and no id may be used twice. */
	if (place->generation == UINT32_MAX)
		return;
	place->next_free = service->first_free;
	service->first_free = index + 1;
}

/* Peers whose unread messages are looked up for one new peer. */
enum { QUESTIONS_MOST = 4 };

static bool is_free_of_duties(const struct peer *peer)
{
	return peer->outbox.first == NULL && peer->owed == 0;
}

static bool is_dispensable(const struct unixservice *service,
	const struct peer *peer, bool is_connection_too)
{
	return is_free_of_duties(peer) && peer != service->call.peer &&
		(unixservice__is_light(peer) || is_connection_too);
}

static bool has_unread(struct unixservice *service, struct peer *peer)
{
	return peer->sort->has_unread != NULL &&
		peer->sort->has_unread(service, peer);
}

/*
 * Returns the longest silent peer of user that another may replace. A datagram
 * sender loses nothing: it gets a new place with its next message. But a sender
 * with unread answers keeps its place, or its user could use up our send buffer
 * with ever new names.
 */
static struct peer *find_dispensable(struct unixservice *service,
	struct user *user, bool is_connection_too)
{
	struct peer *peer, *next;
	int questions = 0;

	/* Spares the walk while a flood of connections is refused. */
	if (!is_connection_too && user->light_count == 0)
		return NULL;
	for (peer = unixservice__get_peer(user->oldest); peer != NULL;
		peer = next) {
		next = unixservice__get_peer(peer->member.newer);
		if (!is_dispensable(service, peer, is_connection_too))
			continue;
		if (!has_unread(service, peer))
			return peer;
		/* The next call asks other peers first. */
		unixusers__remove_peer(user, &peer->member);
		unixusers__add_peer(user, &peer->member);
		if (++questions == QUESTIONS_MOST)
			break;
	}
	return NULL;
}

/* Returns the longest silent peer, even with queued and due answers. */
static struct peer *find_least_active(const struct unixservice *service,
	const struct user *user, bool is_connection_wanted)
{
	struct peer *peer;

	for (peer = unixservice__get_peer(user->oldest); peer != NULL;
		peer = unixservice__get_peer(peer->member.newer))
		if (peer != service->call.peer &&
			!(is_connection_wanted && peer->sort->is_memory_only))
			return peer;
	return NULL;
}

static bool evict_peer(struct unixservice *service, struct peer *peer)
{
	if (peer == NULL)
		return false;
	if (!unixservice__is_light(peer))
		service->counters.evicted++;
	unixservice__disconnect(service, peer, EDQUOT);
	return true;
}

/*
 * Closes a peer that loses nothing, if there is one. Else the user with the
 * most peers loses one with queued or due answers, before another user is
 * refused.
 */
static bool evict(struct unixservice *service, struct user *user)
{
	struct user *greatest = unixusers__get_greatest(&service->users);
	const bool is_unfair = greatest->peers_count > user->peers_count + 1;
	struct peer *peer = find_dispensable(service, user, false);

	if (peer == NULL)
		peer = find_dispensable(service, greatest, is_unfair);
	if (peer == NULL && is_unfair)
		peer = find_least_active(service, greatest, false);
	return evict_peer(service, peer);
}

bool unixservice__make_descriptor(struct unixservice *service,
	const struct user *user)
{
	const struct user *greatest =
		unixusers__get_most_connected(&service->users);

	if (unixusers__count_connections(greatest) <=
		unixusers__count_connections(user) + 1)
		return false;
	return evict_peer(service, find_least_active(service, greatest, true));
}

static bool is_below(uint64_t count, unsigned int limit)
{
	return limit == 0 || count < limit;
}

/* Closed peers with unread messages still use up places of their user. */
static bool is_within_places(const struct unixservice *service,
	const struct user *user)
{
	return is_below((uint64_t)user->peers_count + user->unread_count,
		service->options.peers_per_user_max);
}

static void look_at_unread(struct unixservice *service, const struct user *user)
{
	struct source *source;

	if (user->unread_count == 0)
		return;
	for (source = service->sources; source != NULL; source = source->next)
		if (source->sort->look_at_unread != NULL)
			source->sort->look_at_unread(source, user);
}

bool unixservice__has_place(const struct unixservice *service,
	const struct user *user)
{
	const struct unixservice_options *options = &service->options;

	return is_within_places(service, user) &&
		is_below(service->counters.peers, options->peers_max);
}

bool unixservice__make_place(struct unixservice *service, struct user *user)
{
	const struct unixservice_options *options = &service->options;
	struct peer *peer;

	if (unixservice__has_place(service, user))
		return true;
	look_at_unread(service, user);
	if (!is_within_places(service, user)) {
		peer = find_dispensable(service, user, false);
		if (peer == NULL)
			return false;
		unixservice__disconnect(service, peer, EDQUOT);
	}
	if (is_below(service->counters.peers, options->peers_max))
		return true;
	return evict(service, user);
}

int unixservice__enter(struct unixservice *service, struct peer *peer,
	const struct peer_sort *sort, struct user *user,
	const struct unixcred *cred)
{
	struct unixservice_counters *counters = &service->counters;

	if (unixtimers__reserve(&service->peer_timers) < 0)
		return -1;
	if (take_place(service, peer) < 0) {
		unixtimers__unreserve(&service->peer_timers);
		return -1;
	}
	peer->sort = sort;
	peer->has_cred = cred != NULL;
	peer->cred = cred != NULL ? *cred : unixcred__get_unknown();
	peer->opened_us = service->now_us;
	peer->active_us = service->now_us;
	unixoutbox__init(&peer->outbox);
	peer->user = user;
	unixusers__add_peer(user, &peer->member);
	user->light_count += sort->is_memory_only;
	counters->peers++;
	if (counters->peers > counters->peers_most)
		counters->peers_most = counters->peers;
	return 0;
}

void unixservice__note_activity(struct unixservice *service, struct peer *peer)
{
	peer->active_us = service->now_us;
	if (peer->user->newest == &peer->member)
		return;
	unixusers__remove_peer(peer->user, &peer->member);
	unixusers__add_peer(peer->user, &peer->member);
}

void unixservice__give_to(struct peer *peer, struct user *user)
{
	const bool is_light = unixservice__is_light(peer);

	unixusers__remove_peer(peer->user, &peer->member);
	peer->user->light_count -= is_light;
	peer->user->queued_bytes -= peer->outbox.bytes;
	peer->user = user;
	user->queued_bytes += peer->outbox.bytes;
	user->light_count += is_light;
	unixusers__add_peer(user, &peer->member);
}

int unixservice_keep_peer(struct unixservice *service, uint64_t id,
	bool is_wanted)
{
	struct peer *peer = unixservice__find(service, id);

	if (peer == NULL)
		return -1;
	peer->user->light_count -= unixservice__is_light(peer);
	peer->is_kept = is_wanted;
	peer->user->light_count += unixservice__is_light(peer);
	peer->sort->look_at_silence(service, peer);
	return 0;
}

/*
 * The watcher is called while it can still ask about the peer. The peer is GONE
 * by then, so calls of the watcher do not close it again.
 */
void unixservice__disconnect(struct unixservice *service, struct peer *peer,
	int error)
{
	if (unixservice__is_gone(peer))
		return;
	peer->life = PEER_GONE;
	unixservice__drop_all(service, peer, &service->counters.gone);
	for (; peer->owed > 0; peer->owed--)
		unixservice__end(service, &service->counters.gone);
	if (peer->is_opened)
		unixservice__tell_of(service, UNIXSERVICE_CLOSED, peer, error);
	leave_place(service, peer);
	unixtimers__clear(&service->peer_timers, &peer->timer);
	unixtimers__unreserve(&service->peer_timers);
	unixservice__count_partial(service, peer, 0);
	unixservice__count_lane(service, peer, 0);
	unixusers__remove_peer(peer->user, &peer->member);
	peer->user->light_count -= unixservice__is_light(peer);
	service->counters.peers--;
	peer->sort->close(service, peer);
	/* The loop may still have an event for it in this round. */
	peer->next_gone = service->gone;
	service->gone = peer;
}

void unixservice__stop_sending(struct unixservice *service, struct peer *peer,
	int error)
{
	if (peer->life >= PEER_WRITE_ONLY || peer->sort->stop_sending == NULL) {
		unixservice__disconnect(service, peer, error);
	} else if (peer->life == PEER_READING) {
		peer->life = PEER_READ_ONLY;
		peer->is_send_shut = true;
		if (peer->outbox.first != NULL)
			peer->send_error = error;
		unixservice__lose_queued(service, peer, &service->counters.gone,
			error);
		if (!unixservice__is_gone(peer))
			peer->sort->stop_sending(service, peer);
	}
}

void unixservice__hang_up(struct unixservice *service, struct peer *peer)
{
	if (peer->life == PEER_WRITE_ONLY && is_free_of_duties(peer))
		unixservice__disconnect(service, peer, 0);
	else
		unixservice__stop_sending(service, peer, EPIPE);
}

/* Returns 0 for a peer that ended by itself without a loss. */
static int get_error_of_end(const struct peer *peer)
{
	if (peer->send_error == 0 && peer->owed > 0)
		return EPIPE;
	return peer->send_error;
}

void unixservice__finish(struct unixservice *service, struct peer *peer)
{
	if (peer->life == PEER_READ_ONLY)
		unixservice__disconnect(service, peer, get_error_of_end(peer));
	if (peer->life == PEER_READING || peer->life == PEER_WRITE_ONLY)
		peer->life = PEER_ENDED;
	unixservice__disconnect_if_done(service, peer);
}

void unixservice__note_end(struct unixservice *service, struct peer *peer)
{
	if (!service->options.keep_ended || service->is_stopping ||
		peer->life != PEER_READING) {
		unixservice__finish(service, peer);
		return;
	}
	peer->life = peer->is_send_shut ? PEER_ENDED : PEER_WRITE_ONLY;
	unixservice__tell_of(service, UNIXSERVICE_ENDED, peer, 0);
	unixservice__disconnect_if_done(service, peer);
}

void unixservice__disconnect_if_done(struct unixservice *service,
	struct peer *peer)
{
	if (peer->life != PEER_ENDED)
		return;
	/* A peer that is shut down can get no answer. */
	if (peer->outbox.first == NULL &&
		(peer->owed == 0 || peer->is_send_shut))
		unixservice__disconnect(service, peer, get_error_of_end(peer));
}

void unixservice__shut_if_done(struct unixservice *service, struct peer *peer)
{
	if (peer->is_send_shut && peer->life == PEER_READING &&
		peer->outbox.first == NULL)
		unixservice__stop_sending(service, peer, 0);
}

int unixservice_reset_peer(struct unixservice *service, uint64_t id)
{
	struct peer *peer = unixservice__find(service, id);
	int saved = errno;

	if (peer == NULL)
		return -1;
	unixservice__disconnect(service, peer, ECANCELED);
	errno = saved;
	return 0;
}

static int set_paused(struct unixservice *service, uint64_t id, bool is_wanted)
{
	struct peer *peer = unixservice__find(service, id);
	int saved = errno;

	if (peer == NULL)
		return -1;
	if (peer->sort->pause == NULL) {
		errno = ENOTSUP;
		return -1;
	}
	unixservice__look_at_clock(service);
	if (peer->sort->pause(service, peer, is_wanted) == 0) {
		errno = saved;
		return 0;
	}
	unixservice__disconnect(service, peer, errno);
	errno = ENOTCONN;
	return -1;
}

int unixservice_pause_peer(struct unixservice *service, uint64_t id)
{
	return set_paused(service, id, true);
}

int unixservice_resume_peer(struct unixservice *service, uint64_t id)
{
	return set_paused(service, id, false);
}

int unixservice_shutdown_peer(struct unixservice *service, uint64_t id)
{
	struct peer *peer = unixservice__find(service, id);
	int saved = errno;

	if (peer == NULL)
		return -1;
	if (peer->sort->stop_sending == NULL) {
		errno = ENOTSUP;
		return -1;
	}
	peer->is_send_shut = true;
	if (peer->life == PEER_WRITE_ONLY)
		peer->life = PEER_ENDED;
	unixservice__shut_if_done(service, peer);
	unixservice__disconnect_if_done(service, peer);
	errno = saved;
	return 0;
}

void unixservice__free_gone(struct unixservice *service)
{
	struct peer *peer;

	while ((peer = service->gone) != NULL) {
		service->gone = peer->next_gone;
		free(peer);
	}
}
