/* SPDX-License-Identifier: MIT */
/*
 * A datagram socket with its senders. When one has no room for an answer
 * nothing can be polled: poll(2) tells of our send buffer, never of another's
 * queue. So what is kept for a sender is tried again in steps of time.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "budget.h"
#include "gram_private.h"
#include "service_private.h"

enum {
	TURN = 64, /* messages before the others' turn */
	BUCKETS_FIRST = 64,
	/* Names are chosen by the peers, who may have them all in one. */
	BUCKET_MOST = 64,
	/* Fewer messages at once cost more by recvmmsg(2) than one by one. */
	QUEUE_LEAST = 4,
};

static const int64_t pause_first_us = 1000;
/* Who did not read for a while waits at most as long again. */
static const int64_t pause_most_us = 128000;

/* How long nothing is received when the kernel has no memory for it. */
static const int64_t rest_us = 10000;

/* A sender that is silent for so long is forgotten. */
static const int64_t silence_us = 60000000;

struct sender {
	struct peer peer;
	struct grams *grams;
	struct sender *next; /* in its bucket */
	struct unixaddr addr;
	struct holding holding;
	int64_t pause_us;
	int64_t tried_us; /* to send what is kept, as its messages came */
	bool is_refusal_told;
};

struct grams {
	struct source source;
	struct unixgram *gram;
	struct budget budget;
	struct sender **buckets;
	size_t buckets_count; /* a power of two */
	size_t senders_count;
	struct eagerness eagerness;
	struct eagerness batching;
	bool is_batched;
	bool is_queue; /* the last batch has shown one */
	bool is_resting;
};

static struct sender **get_bucket(const struct grams *grams,
	const struct unixaddr *addr)
{
	return &grams->buckets[unixaddr_hash(addr) &
		(grams->buckets_count - 1)];
}

static struct sender *find_sender(const struct grams *grams,
	const struct unixaddr *addr)
{
	struct sender *sender = *get_bucket(grams, addr);

	while (sender != NULL && !unixaddr_is_equal(&sender->addr, addr))
		sender = sender->next;
	return sender;
}

static bool is_bucket_full(const struct grams *grams,
	const struct unixaddr *addr)
{
	const struct sender *sender;
	int count = 0;

	for (sender = *get_bucket(grams, addr); sender != NULL;
		sender = sender->next)
		count++;
	return count >= BUCKET_MOST;
}

static void insert(struct grams *grams, struct sender *sender)
{
	struct sender **bucket = get_bucket(grams, &sender->addr);

	sender->next = *bucket;
	*bucket = sender;
	grams->senders_count++;
}

static void take_out(struct grams *grams, struct sender *sender)
{
	struct sender **place = get_bucket(grams, &sender->addr);

	while (*place != sender)
		place = &(*place)->next;
	*place = sender->next;
	grams->senders_count--;
}

/* Without memory for more buckets they are only longer. */
static void grow(struct grams *grams)
{
	const size_t count = grams->buckets_count;
	struct sender **old = grams->buckets, *sender, *next;
	size_t i;

	grams->buckets = calloc(2 * count, sizeof(*old));
	if (grams->buckets == NULL) {
		grams->buckets = old;
		return;
	}
	grams->buckets_count = 2 * count;
	grams->senders_count = 0;
	for (i = 0; i < count; i++)
		for (sender = old[i]; sender != NULL; sender = next) {
			next = sender->next;
			insert(grams, sender);
		}
	free(old);
}

static void note_socket(void *context, const struct unixaddr *addr,
	uint32_t ino, uint64_t cookie)
{
	struct sender *sender = find_sender(context, addr);

	if (sender == NULL)
		return;
	sender->holding.ino = ino;
	sender->holding.cookie = cookie;
}

static bool is_within_budget(struct sender *sender, size_t size)
{
	struct grams *grams = sender->grams;
	bool is_list_wanted;

	if (unixbudget_allows(&grams->budget, &sender->holding, size,
		    &is_list_wanted))
		return true;
	if (!is_list_wanted ||
		unixbudget_list(&grams->budget, note_socket, grams) < 0)
		return false;
	return unixbudget_allows(&grams->budget, &sender->holding, size,
		&is_list_wanted);
}

static int send_to(const struct sender *sender, const struct unixmsg *msg)
{
	struct unixgram *gram = sender->grams->gram;
	struct unixmsg addressed;

	if (unixservice_is_plain(msg))
		return unixgram_send_to(gram, &sender->addr,
			msg->parts[0].iov_base, msg->parts[0].iov_len,
			UNIXMSG_NOW);
	addressed = *msg;
	addressed.addr = (struct unixaddr *)&sender->addr;
	return unixgram_send_msg(gram, &addressed, UNIXMSG_NOW);
}

static int sender_send(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done)
{
	struct sender *sender = (struct sender *)peer;
	const size_t size = unixoutbox_get_size(msg);
	int result;

	(void)service;
	(void)done;
	if (!is_within_budget(sender, size)) {
		errno = EAGAIN;
		return -1;
	}
	result = send_to(sender, msg);
	/* An endpoint of UNIXGRAM_DROP has dropped it: here it is kept. */
	if (result > 0)
		errno = EAGAIN;
	if (result != 0)
		return -1;
	unixbudget_charge(&sender->grams->budget, &sender->holding, size);
	sender->pause_us = pause_first_us;
	return 0;
}

static const struct unixaddr *sender_reserve(const struct unixservice *service,
	struct peer *peer, size_t size)
{
	struct sender *sender = (struct sender *)peer;
	struct grams *grams = sender->grams;

	if (grams->gram != unixservice_get_gathering(service) ||
		!unixbudget_reserve(&grams->budget, size))
		return NULL;
	return &sender->addr;
}

static void sender_settle(struct peer *peer, size_t size, bool is_sent)
{
	struct sender *sender = (struct sender *)peer;
	struct grams *grams = sender->grams;

	unixbudget_release(&grams->budget, size);
	if (!is_sent)
		return;
	unixbudget_charge(&grams->budget, &sender->holding, size);
	sender->pause_us = pause_first_us;
}

static int sender_await(struct unixservice *service, struct peer *peer)
{
	struct sender *sender = (struct sender *)peer;

	unixservice_set_peer_timer(service, peer,
		service->now_us + sender->pause_us);
	if (sender->pause_us < pause_most_us)
		sender->pause_us *= 2;
	return 0;
}

static int sender_resume(struct unixservice *service, struct peer *peer)
{
	struct sender *sender = (struct sender *)peer;

	sender->pause_us = pause_first_us;
	unixservice_set_peer_timer(service, peer, peer->active_us + silence_us);
	return 0;
}

static void forget_if_silent(struct unixservice *service, struct peer *peer)
{
	unixservice_part_if_done(service, peer);
	if (peer->is_gone)
		return;
	/* That we owe it an answer is not its silence. */
	if (peer->owed > 0)
		peer->active_us = service->now_us;
	if (service->now_us - peer->active_us >= silence_us)
		unixservice_part(service, peer, 0);
	else
		unixservice_set_peer_timer(service, peer,
			peer->active_us + silence_us);
}

static void retry(struct unixservice *service, struct peer *peer)
{
	const int64_t patience_us = service->options.patience_us;

	if (patience_us > 0)
		unixservice_drop_late(service, peer,
			service->now_us - patience_us);
	if (!peer->is_gone)
		unixservice_flush(service, peer);
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

	if (unixgram_get_size_max(sender->grams->gram, &size) < 0)
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

	(void)service;
	take_out(sender->grams, sender);
}

static const struct peer_sort sender_sort = {
	.network = "unixgram",
	.fds_max = UNIXMSG_FDS_MAX,
	.is_memory_only = true,
	.send = sender_send,
	.reserve = sender_reserve,
	.settle = sender_settle,
	.await = sender_await,
	.resume = sender_resume,
	.wake = sender_wake,
	.get_size_max = sender_get_size_max,
	.get_address = sender_get_address,
	.close = sender_close,
};

/*
 * A full bucket has the most silent one leave whose end costs it nothing: who
 * chooses names that all fall into one must not keep others out of it.
 */
static bool make_place_in_bucket(struct unixservice *service,
	const struct grams *grams, const struct unixaddr *addr)
{
	struct sender *sender, *silent = NULL;

	if (!is_bucket_full(grams, addr))
		return true;
	/* As for a place among all peers. */
	unixservice_send_gathered(service);
	for (sender = *get_bucket(grams, addr); sender != NULL;
		sender = sender->next)
		if (sender->peer.outbox.first == NULL &&
			sender->peer.owed == 0 &&
			(silent == NULL ||
				sender->peer.active_us <
					silent->peer.active_us))
			silent = sender;
	if (silent == NULL)
		return false;
	unixservice_part(service, &silent->peer, EDQUOT);
	return true;
}

/* NULL when there is no place, EDQUOT, or no memory. */
static struct sender *add_sender(struct unixservice *service,
	struct grams *grams, const struct unixaddr *addr, struct user *user,
	const struct unixcred *cred)
{
	struct sender *sender;

	if (!make_place_in_bucket(service, grams, addr) ||
		!unixservice_make_place(service, user)) {
		errno = EDQUOT;
		return NULL;
	}
	sender = calloc(1, sizeof(*sender));
	if (sender == NULL)
		return NULL;
	sender->grams = grams;
	sender->addr = *addr;
	sender->pause_us = pause_first_us;
	if (unixservice_enter(service, &sender->peer, &sender_sort, user,
		    cred) < 0) {
		free(sender);
		return NULL;
	}
	if (grams->senders_count >= 2 * grams->buckets_count)
		grow(grams);
	insert(grams, sender);
	unixservice_set_peer_timer(service, &sender->peer,
		service->now_us + silence_us);
	return sender;
}

/* Who has sent a message, as far as that is known. */
struct origin {
	const struct unixcred *cred; /* NULL: nobody vouches for him */
	struct user *user;
	bool is_named;
	struct sender *sender; /* NULL: not named, or there is no place */
	int error;             /* why there is none */
};

/*
 * The sender of that name, if it is the user's still: what was owed to another
 * who had it, and what the program knows of him, is not for its new owner.
 */
static struct sender *find_own_sender(struct unixservice *service,
	struct grams *grams, const struct unixaddr *addr,
	const struct origin *origin, bool is_allowed)
{
	struct sender *sender = find_sender(grams, addr);

	if (sender == NULL || sender->peer.user == origin->user)
		return sender;
	if (is_allowed)
		unixservice_part(service, &sender->peer, ESTALE);
	return NULL;
}

static void find_origin(struct unixservice *service, struct grams *grams,
	const struct unixmsg *msg, struct origin *origin, bool is_allowed)
{
	uid_t uid = origin->cred == NULL ? (uid_t)-1 : origin->cred->uid;

	origin->is_named = unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED;
	origin->sender = NULL;
	origin->user = unixusers_get(&service->users, uid, service->now_us);
	origin->error = origin->user == NULL ? errno : EDQUOT;
	if (origin->user == NULL || !origin->is_named)
		return;
	origin->user->holds++;
	origin->sender =
		find_own_sender(service, grams, msg->addr, origin, is_allowed);
	if (origin->sender != NULL && origin->cred != NULL)
		origin->sender->peer.cred = *origin->cred;
	/* Who may not talk takes nobody's place. */
	if (origin->sender == NULL &&
		(is_allowed ||
			(unixservice_has_place(service, origin->user) &&
				!is_bucket_full(grams, msg->addr)))) {
		origin->sender = add_sender(service, grams, msg->addr,
			origin->user, origin->cred);
		if (origin->sender == NULL)
			origin->error = errno;
	}
	origin->user->holds--;
}

static void make_event(struct unixservice_event *event,
	enum unixservice_event_kind kind, const struct origin *origin,
	const struct unixmsg *msg)
{
	unixservice_event_init(event, kind,
		origin->sender == NULL ? NULL : &origin->sender->peer, 0);
	if (origin->is_named)
		event->addr = msg->addr;
	if (origin->cred == NULL)
		return;
	event->has_cred = true;
	event->cred = *origin->cred;
}

static void refuse(struct unixservice *service, const struct origin *origin,
	struct unixmsg *msg)
{
	struct sender *sender = origin->sender;
	bool is_told = sender != NULL && sender->is_refusal_told;
	struct unixservice_event event;

	make_event(&event, UNIXSERVICE_REFUSED, origin, msg);
	event.error = EPERM;
	if (sender != NULL)
		sender->is_refusal_told = true;
	unixservice_reject(service, &service->counters.refused, msg,
		is_told ? NULL : &event);
}

static void limit(struct unixservice *service, const struct origin *origin,
	struct unixmsg *msg)
{
	struct unixservice_event event;

	make_event(&event, UNIXSERVICE_LIMITED, origin, msg);
	event.error = origin->error;
	unixservice_reject(service, &service->counters.limited, msg, &event);
}

static void cut(struct unixservice *service, const struct origin *origin,
	struct unixmsg *msg)
{
	struct unixservice_event event;

	make_event(&event, UNIXSERVICE_CUT, origin, msg);
	event.error = EMSGSIZE;
	unixservice_reject(service, &service->counters.cut, msg, &event);
}

static bool is_limited(struct unixservice *service, const struct origin *origin)
{
	if (origin->user == NULL ||
		(origin->is_named && origin->sender == NULL))
		return true;
	if (unixusers_get_next_us(&service->users, origin->user) >
		service->now_us)
		return true;
	unixusers_count(&service->users, origin->user, service->now_us);
	return false;
}

/*
 * Who goes on sending may well have read something: not to wait for the timer
 * is what keeps it going. Once a round, or a flood would have us busy.
 */
static void try_kept(struct unixservice *service, struct sender *sender)
{
	if (sender->peer.outbox.first == NULL ||
		sender->tried_us == service->now_us)
		return;
	sender->tried_us = service->now_us;
	unixservice_flush(service, &sender->peer);
}

/* Whether it is there: the watcher may close who has just come. */
static bool open_sender(struct unixservice *service, struct sender *sender)
{
	if (sender == NULL || sender->peer.is_opened)
		return true;
	sender->peer.is_opened = true;
	unixservice_tell_of(service, UNIXSERVICE_OPENED, &sender->peer, 0);
	return !sender->peer.is_gone;
}

static void take_message(struct unixservice *service, struct grams *grams,
	struct unixmsg *msg)
{
	struct origin origin = {
		.cred = msg->flags & UNIXMSG_HAS_CRED ? &msg->cred : NULL,
	};
	struct peer *peer;
	bool is_allowed;

	is_allowed = unixaccess_is_allowed(&service->access,
		grams->source.is_abstract, origin.cred, -1);
	find_origin(service, grams, msg, &origin, is_allowed);
	peer = origin.sender == NULL ? NULL : &origin.sender->peer;
	unixservice_count(service, peer, msg);
	if (!is_allowed) {
		refuse(service, &origin, msg);
	} else if (is_limited(service, &origin)) {
		limit(service, &origin, msg);
	} else if (msg->flags & UNIXMSG_CUT) {
		cut(service, &origin, msg);
	} else if (!open_sender(service, origin.sender)) {
		unixservice_reject(service, &service->counters.gone, msg, NULL);
	} else {
		unixservice_take(service, peer, msg);
		if (peer != NULL && !peer->is_gone)
			try_kept(service, origin.sender);
	}
}

/* It stays readable: looking away is what keeps us from spinning. */
static void rest(struct unixservice *service, struct grams *grams)
{
	unixservice_watch(service, &grams->source.watch, 0);
	unixservice_set_source_timer(service, &grams->source,
		service->now_us + rest_us);
	grams->is_resting = true;
}

static void grams_wake(struct unixservice *service, struct source *source)
{
	struct grams *grams = (struct grams *)source;

	grams->is_resting = false;
	if (!source->is_done &&
		unixservice_watch(service, &source->watch, EPOLLIN) < 0)
		rest(service, grams);
}

/* How many there were: one or none. */
static int take_one(struct unixservice *service, struct grams *grams)
{
	struct unixaddr addr;
	struct unixmsg msg;
	struct iovec part;

	unixservice_prepare(service, &msg, &part, &addr);
	if (unixgram_recv_msg(grams->gram, &msg, UNIXMSG_NOW) == 1) {
		take_message(service, grams, &msg);
		return 1;
	}
	if (errno != EAGAIN)
		rest(service, grams);
	return 0;
}

static void note_batch(struct grams *grams, size_t count, size_t most)
{
	grams->is_queue = count >= QUEUE_LEAST || count == most;
	unixservice_note_another(&grams->batching, grams->is_queue);
}

/* The same of up to most. */
static int take_batch(struct unixservice *service, struct grams *grams,
	int most)
{
	struct unixmsg *msgs;
	size_t i,
		count = unixservice_begin_batch(service, grams->gram,
			(size_t)most, &msgs);

	if (count == 0 && errno != EAGAIN)
		rest(service, grams);
	note_batch(grams, count, (size_t)most);
	for (i = 0; i < count; i++)
		take_message(service, grams, &msgs[i]);
	unixservice_end_batch(service);
	return (int)count;
}

/*
 * How many to receive at once. Nothing tells of a queue but what comes: several
 * one after the other may be one, or a client who is quicker than we are. So a
 * batch is tried then, less and less often while it brings nothing.
 */
static int get_most(const struct unixservice *service, struct grams *grams,
	int taken)
{
	const int most = (int)service->options.batch;

	if (!grams->is_batched)
		return 1;
	if (!grams->is_queue &&
		(taken < QUEUE_LEAST ||
			!unixservice_is_eager(&grams->batching)))
		return 1;
	return most < TURN - taken ? most : TURN - taken;
}

static int take_some(struct unixservice *service, struct grams *grams, int most)
{
	return most > 1 ? take_batch(service, grams, most)
			: take_one(service, grams);
}

/* After _stop nothing more can come in: what was there has been taken. */
static void finish(struct unixservice *service, struct grams *grams)
{
	unixservice_watch(service, &grams->source.watch, 0);
	grams->source.is_done = true;
}

static void grams_ready(struct unixservice *service, struct watch *watch)
{
	struct grams *grams = watch->owner;
	int taken, most = 1, more = 1;

	/* Where fewer come than there was room for there are no more. */
	for (taken = 0; taken < TURN && more > 0 &&
		(more == most || service->is_stopping);
		taken += more) {
		/* A handler may have stopped the service. */
		if (grams->source.is_done)
			return;
		if (taken == 1 && !service->is_stopping &&
			!unixservice_is_eager(&grams->eagerness))
			break;
		most = get_most(service, grams, taken);
		more = take_some(service, grams, most);
		if (taken == 1)
			unixservice_note_another(&grams->eagerness, more > 0);
	}
	if (more == 0 && service->is_stopping && !grams->is_resting)
		finish(service, grams);
}

static int grams_get_address(const struct source *source, struct unixaddr *addr)
{
	return unixgram_get_address(((const struct grams *)source)->gram, addr);
}

/* A shared socket is the next one's too: what waits there is left to him. */
static int grams_stop(struct unixservice *service, struct source *source)
{
	struct grams *grams = (struct grams *)source;
	bool is_shared;
	int result = unixgram_retire(grams->gram, &is_shared);

	if (is_shared)
		finish(service, grams);
	return result;
}

static int grams_close(struct source *source)
{
	struct grams *grams = (struct grams *)source;
	int result = unixgram_close(grams->gram);
	int saved = errno;

	unixbudget_free(&grams->budget);
	free(grams->buckets);
	free(grams);
	errno = saved;
	return result;
}

static const struct source_sort grams_sort = {
	.get_address = grams_get_address,
	.wake = grams_wake,
	.stop = grams_stop,
	.close = grams_close,
};

/*
 * Descriptors do not come in batches. And what waits in a socket that others
 * read too is theirs as well: no more is taken than is handled.
 */
static bool may_batch(const struct unixservice *service,
	const struct unixgram *gram)
{
	const unsigned int single = UNIXMSG_WANT_FDS | UNIXMSG_WANT_PIDFD;

	return service->options.batch > 1 &&
		(service->options.wants & single) == 0 &&
		!unixgram_is_shared(gram);
}

/* Credentials are always wanted: rules and limits are told by them. */
static int set_up(struct unixservice *service, struct grams *grams)
{
	struct unixaddr peer;

	if (unixgram_get_peer(grams->gram, &peer) == 0) {
		errno = EINVAL;
		return -1;
	}
	if (errno != ENOTCONN)
		return -1;
	if (unixgram_want(grams->gram,
		    service->options.wants | UNIXMSG_WANT_CRED) < 0)
		return -1;
	grams->is_batched = may_batch(service, grams->gram);
	if (grams->is_batched && unixservice_reserve_batch(service) < 0)
		return -1;
	if (unixbudget_init(&grams->budget, unixgram_get_fd(grams->gram),
		    service->options.send_buffer_bytes) < 0)
		return -1;
	return unixservice_add_source(service, &grams->source, &grams_sort);
}

int unixservice_add_gram(struct unixservice *service, struct unixgram *gram)
{
	struct grams *grams = calloc(1, sizeof(*grams));
	int saved = errno;

	if (grams == NULL)
		return -1;
	grams->gram = gram;
	grams->buckets_count = BUCKETS_FIRST;
	grams->buckets = calloc(BUCKETS_FIRST, sizeof(*grams->buckets));
	grams->source.watch.ready = grams_ready;
	grams->source.watch.owner = grams;
	grams->source.watch.fd = unixgram_get_fd(gram);
	if (grams->buckets != NULL && set_up(service, grams) == 0) {
		errno = saved;
		return 0;
	}
	free(grams->buckets);
	free(grams);
	return -1;
}
