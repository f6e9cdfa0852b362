/* SPDX-License-Identifier: MIT */
/*
 * poll(2) reports room in our send buffer, but not in the queue of a datagram
 * receiver. So messages queued for a sender are tried again after growing
 * pauses.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "network/network.h"
#include "service/service_sender.h"

enum {
	BUCKETS_FIRST = 64,
	/* Peers choose their names, and may choose them all for one bucket. */
	BUCKET_MOST = 64,
};

static const int64_t pause_first_us = 1000;
/* The pause doubles up to this limit. So a peer that reads again waits at most
 * as long as it has not read. */
static const int64_t pause_most_us = 128000;

int unixsenders__init(struct senders *senders, struct unixconn *gram,
	size_t bytes)
{
	if (unixbudget__init(&senders->budget, unixconn_get_fd(gram), bytes) <
		0)
		return -1;
	senders->gram = gram;
	senders->count = 0;
	unixunread__init(&senders->unread);
	senders->buckets_count = BUCKETS_FIRST;
	senders->buckets = calloc(BUCKETS_FIRST, sizeof(*senders->buckets));
	if (senders->buckets == NULL)
		return -1;
	if (unixproofs__init(&senders->proofs) == 0)
		return 0;
	free(senders->buckets);
	return -1;
}

void unixsenders__free(struct senders *senders)
{
	unixbudget__free(&senders->budget);
	unixproofs__free(&senders->proofs);
	unixunread__free(&senders->unread);
	free(senders->buckets);
}

static struct sender **get_bucket(const struct senders *senders,
	const struct unixaddr *addr)
{
	return &senders->buckets[unixaddr__hash(addr) &
		(senders->buckets_count - 1)];
}

struct sender *unixsenders__find(const struct senders *senders,
	const struct unixaddr *addr)
{
	struct sender *sender = *get_bucket(senders, addr);

	while (sender != NULL && !unixaddr_is_equal(&sender->addr, addr))
		sender = sender->next;
	return sender;
}

bool unixsenders__is_full(const struct senders *senders,
	const struct unixaddr *addr)
{
	const struct sender *sender;
	int count = 0;

	for (sender = *get_bucket(senders, addr); sender != NULL;
		sender = sender->next)
		count++;
	return count >= BUCKET_MOST;
}

static void insert(struct senders *senders, struct sender *sender)
{
	struct sender **bucket = get_bucket(senders, &sender->addr);

	sender->next = *bucket;
	*bucket = sender;
	senders->count++;
}

static void take_out(struct senders *senders, struct sender *sender)
{
	struct sender **place = get_bucket(senders, &sender->addr);

	while (*place != sender)
		place = &(*place)->next;
	*place = sender->next;
	senders->count--;
}

/* Without memory for more buckets the lists only grow longer. */
static void grow(struct senders *senders)
{
	const size_t count = senders->buckets_count;
	struct sender **old = senders->buckets, *sender, *next;
	size_t i;

	senders->buckets = calloc(2 * count, sizeof(*old));
	if (senders->buckets == NULL) {
		senders->buckets = old;
		return;
	}
	senders->buckets_count = 2 * count;
	senders->count = 0;
	for (i = 0; i < count; i++)
		for (sender = old[i]; sender != NULL; sender = next) {
			next = sender->next;
			insert(senders, sender);
		}
	free(old);
}

static void note_socket(void *context, const struct unixaddr *addr,
	uint32_t ino, uint64_t cookie)
{
	struct sender *sender = unixsenders__find(context, addr);

	if (sender == NULL)
		return;
	sender->account.ino = ino;
	sender->account.cookie = cookie;
}

static bool is_within_budget(struct sender *sender, size_t size)
{
	struct senders *senders = sender->senders;
	bool is_list_wanted;

	if (unixbudget__allows(&senders->budget, &sender->account, size,
		    &is_list_wanted))
		return true;
	if (!is_list_wanted ||
		unixbudget__list(&senders->budget, note_socket, senders) < 0)
		return false;
	return unixbudget__allows(&senders->budget, &sender->account, size,
		&is_list_wanted);
}

static int send_to(const struct sender *sender, const struct unixmsg *msg)
{
	struct unixconn *gram = sender->senders->gram;
	struct unixmsg addressed;

	if (unixservice__is_plain(msg))
		return gram->network->send_to(gram, &sender->proof.to,
			msg->data, msg->room, UNIXMSG_NOW);
	addressed = *msg;
	addressed.addr = (struct unixaddr *)&sender->proof.to;
	return gram->network->send_msg(gram, &addressed, UNIXMSG_NOW);
}

static int prove(struct sender *sender)
{
	struct senders *senders = sender->senders;

	return unixproofs__prove(&senders->proofs, sender,
		unixconn_get_fd(senders->gram));
}

static int sender_send(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done)
{
	struct sender *sender = (struct sender *)peer;
	const size_t size = unixoutbox__get_size(msg);

	(void)service;
	(void)done;
	if (!is_within_budget(sender, size)) {
		errno = EAGAIN;
		return -1;
	}
	if (!sender->is_proved && prove(sender) < 0)
		return -1;
	if (send_to(sender, msg) < 0)
		return -1;
	unixbudget__charge(&sender->senders->budget, &sender->account, size);
	sender->pause_us = pause_first_us;
	return 0;
}

static int sender_await(struct unixservice *service, struct peer *peer)
{
	struct sender *sender = (struct sender *)peer;

	unixservice__set_peer_timer(service, peer,
		service->now_us + sender->pause_us);
	if (sender->pause_us < pause_most_us)
		sender->pause_us *= 2;
	return 0;
}

static bool is_forgotten_at(const struct unixservice *service,
	const struct peer *peer, int64_t *at_us)
{
	const int64_t forget_us = service->options.forget_us;

	if (forget_us == 0 || peer->is_kept ||
		forget_us >= UNIXMSG_FOREVER - peer->active_us)
		return false;
	*at_us = peer->active_us + forget_us;
	return true;
}

/* Queued messages use the timer first. */
static void sender_look_at_silence(struct unixservice *service,
	struct peer *peer)
{
	int64_t at_us;

	if (peer->outbox.first != NULL || peer->life == PEER_ENDED)
		return;
	if (is_forgotten_at(service, peer, &at_us))
		unixservice__set_peer_timer(service, peer, at_us);
	else
		unixtimers__clear(&service->peer_timers, &peer->timer);
}

static int sender_resume(struct unixservice *service, struct peer *peer)
{
	struct sender *sender = (struct sender *)peer;

	sender->pause_us = pause_first_us;
	sender_look_at_silence(service, peer);
	return 0;
}

static bool sender_has_unread(struct unixservice *service, struct peer *peer)
{
	struct sender *sender = (struct sender *)peer;
	struct senders *senders = sender->senders;
	bool is_list_wanted;

	(void)service;
	if (!unixbudget__is_held(&senders->budget, &sender->account,
		    &is_list_wanted))
		return false;
	if (!is_list_wanted ||
		unixbudget__list(&senders->budget, note_socket, senders) < 0)
		return true;
	return unixbudget__is_held(&senders->budget, &sender->account,
		&is_list_wanted);
}

static void forget_if_silent(struct unixservice *service, struct peer *peer)
{
	int64_t at_us;

	unixservice__disconnect_if_done(service, peer);
	if (unixservice__is_gone(peer))
		return;
	/* A peer is not silent while we owe it an answer. */
	if (peer->owed > 0)
		peer->active_us = service->now_us;
	if (!is_forgotten_at(service, peer, &at_us) || at_us > service->now_us)
		sender_look_at_silence(service, peer);
	else if (sender_has_unread(service, peer))
		unixservice__set_peer_timer(service, peer,
			service->now_us + service->options.forget_us);
	else
		unixservice__disconnect(service, peer, 0);
}

static void retry(struct unixservice *service, struct peer *peer)
{
	const int64_t patience_us = service->options.patience_us;

	if (patience_us > 0)
		unixservice__drop_late(service, peer,
			service->now_us - patience_us);
	unixservice__flush(service, peer);
}

static void sender_wake(struct unixservice *service, struct peer *peer)
{
	if (peer->outbox.first == NULL)
		forget_if_silent(service, peer);
	else
		retry(service, peer);
}

static size_t sender_get_size_max(const struct peer *peer)
{
	const struct sender *sender = (const struct sender *)peer;
	size_t size;

	if (unixconn_get_size_max(sender->senders->gram, &size) < 0)
		return SIZE_MAX;
	return size;
}

static void sender_get_address(const struct peer *peer, struct unixaddr *addr)
{
	*addr = ((const struct sender *)peer)->addr;
}

static void sender_close(struct unixservice *service, struct peer *peer)
{
	struct sender *sender = (struct sender *)peer;

	/* Unread messages do not matter when the service itself is closed. */
	if (service->epoll_fd >= 0 && sender_has_unread(service, peer))
		unixunread__add(&sender->senders->unread, sender);
	unixproofs__forget(&sender->senders->proofs, sender);
	take_out(sender->senders, sender);
}

static const struct peer_sort sender_sort = {
	.network = "unixgram",
	.is_memory_only = true,
	.send = sender_send,
	.await = sender_await,
	.resume = sender_resume,
	.wake = sender_wake,
	.has_unread = sender_has_unread,
	.look_at_silence = sender_look_at_silence,
	.get_size_max = sender_get_size_max,
	.get_address = sender_get_address,
	.close = sender_close,
};

int unixsenders__check(struct senders *senders, const struct unixaddr *addr,
	const struct unixcred *writer)
{
	struct unixproof proof;

	if (unixproofs__find(&senders->proofs, &proof,
		    unixconn_get_fd(senders->gram), addr, writer, 0) < 0)
		return -1;
	fd_close(proof.fd);
	return 0;
}

/* Tells whether sender may be closed for a new peer of other: it loses nothing
 * by that, or its user has more peers than other will have. */
static bool may_leave(const struct sender *sender, const struct user *other)
{
	const struct user *user = sender->peer.user;

	if (sender->peer.outbox.first == NULL && sender->peer.owed == 0 &&
		!sender->peer.is_kept)
		return true;
	return user != other && user->peers_count > other->peers_count + 1;
}

/*
 * Closes the longest silent sender in a full bucket that may be closed. A user
 * who chooses names for one bucket must not keep others out of it.
 */
static bool make_place_in_bucket(struct unixservice *service,
	const struct senders *senders, const struct unixaddr *addr,
	const struct user *other)
{
	struct sender *sender, *silent = NULL;

	if (!unixsenders__is_full(senders, addr))
		return true;
	for (sender = *get_bucket(senders, addr); sender != NULL;
		sender = sender->next)
		if (may_leave(sender, other) &&
			(silent == NULL ||
				sender->peer.active_us <
					silent->peer.active_us))
			silent = sender;
	if (silent == NULL)
		return false;
	unixservice__disconnect(service, &silent->peer, EDQUOT);
	return true;
}

static bool make_place(struct unixservice *service,
	const struct senders *senders, const struct unixaddr *addr,
	struct user *user)
{
	if (!unixsenders__is_full(senders, addr) &&
		unixservice__has_place(service, user))
		return true;
	return make_place_in_bucket(service, senders, addr, user) &&
		unixservice__make_place(service, user);
}

struct sender *unixsenders__add(struct unixservice *service,
	struct senders *senders, const struct unixaddr *addr, struct user *user,
	const struct unixcred *cred)
{
	if (make_place(service, senders, addr, user))
		return unixsenders__enter(service, senders, addr, user, cred);
	errno = EDQUOT;
	return NULL;
}

struct sender *unixsenders__enter(struct unixservice *service,
	struct senders *senders, const struct unixaddr *addr, struct user *user,
	const struct unixcred *cred)
{
	struct sender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return NULL;
	sender->senders = senders;
	sender->addr = *addr;
	sender->proof.fd = -1;
	sender->pause_us = pause_first_us;
	sender->peer.tag = senders->gram->tag;
	if (unixservice__enter(service, &sender->peer, &sender_sort, user,
		    cred) < 0) {
		free(sender);
		return NULL;
	}
	if (senders->count >= 2 * senders->buckets_count)
		grow(senders);
	insert(senders, sender);
	unixunread__resume(&senders->unread, sender);
	sender_look_at_silence(service, &sender->peer);
	return sender;
}
