/* SPDX-License-Identifier: MIT */
/*
 * A datagram socket as a source: finds the sender of each message, checks that
 * it may talk, and hands the message to the handler.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/wait.h"
#include "network/conn_private.h"
#include "service/service_sender.h"

enum {
	TURN = 64, /* messages before other sockets get their turn */
	/* For fewer messages recvmmsg(2) costs more than one call each. */
	QUEUE_LEAST = 4,
};

/* The pause in receiving when the kernel has no memory for it. */
static const int64_t rest_us = 10000;

struct grams {
	struct source source;
	struct unixconn *gram;
	struct senders senders;
	struct backoff backoff;
	struct backoff batching;
	bool is_batched;
	bool is_queue;   /* the last batch has found one */
	bool is_resting; /* a pause began in this turn */
	/* The queue may hold messages without credentials. */
	bool is_early;
};

/* The sender of a message, as far as it is known. */
struct origin {
	const struct unixcred *cred; /* NULL: the message has none */
	struct user *user;
	bool is_named;
	bool is_impostor;      /* the address is that of another user's peer */
	struct sender *sender; /* NULL: unnamed, or no place for it */
	int error;             /* why there is no place */
};

/* The first message shows the user of a peer that the program has opened. */
static struct sender *note_heard(struct sender *sender,
	const struct origin *origin)
{
	sender->is_only_opened = false;
	sender->peer.has_cred = true;
	unixservice__give_to(&sender->peer, origin->user);
	return sender;
}

/*
 * Returns the sender at addr if it still belongs to the same user. A new owner
 * of the address must get neither the answers due to the old one nor the
 * program's context for it. But the new sender only claims the address, so it
 * is proved first.
 */
static struct sender *find_own_sender(struct unixservice *service,
	struct grams *grams, const struct unixaddr *addr, struct origin *origin,
	bool is_allowed)
{
	struct sender *sender = unixsenders__find(&grams->senders, addr);

	if (sender == NULL ||
		(sender->peer.user == origin->user && !sender->is_only_opened))
		return sender;
	if (!is_allowed ||
		unixsenders__check(&grams->senders, addr, origin->cred) < 0)
		origin->is_impostor = true;
	else if (sender->is_only_opened)
		return note_heard(sender, origin);
	else
		unixservice__disconnect(service, &sender->peer, ESTALE);
	return NULL;
}

static void find_origin(struct unixservice *service, struct grams *grams,
	const struct unixmsg *msg, struct origin *origin, bool is_allowed)
{
	uid_t uid = origin->cred == NULL ? (uid_t)-1 : origin->cred->uid;

	origin->is_named = unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED;
	origin->sender = NULL;
	origin->user = unixusers__get(&service->users, uid, service->now_us);
	origin->error = origin->user == NULL ? errno : EDQUOT;
	if (origin->user == NULL || !origin->is_named)
		return;
	origin->user->holds++;
	origin->sender =
		find_own_sender(service, grams, msg->addr, origin, is_allowed);
	if (origin->sender != NULL && origin->cred != NULL)
		origin->sender->peer.cred = *origin->cred;
	/* A sender without permission must not replace another peer. */
	if (origin->sender == NULL && !origin->is_impostor &&
		(is_allowed ||
			(unixservice__has_place(service, origin->user) &&
				!unixsenders__is_full(&grams->senders,
					msg->addr)))) {
		origin->sender = unixsenders__add(service, &grams->senders,
			msg->addr, origin->user, origin->cred);
		if (origin->sender == NULL)
			origin->error = errno;
		else
			origin->sender->is_early =
				grams->is_early && origin->cred == NULL;
	}
	origin->user->holds--;
}

static void make_event(struct unixservice_event *event,
	enum unixservice_event_kind kind, const struct origin *origin,
	const struct unixmsg *msg)
{
	unixservice__event_init(event, kind,
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
	unixservice__reject(service, &service->counters.refused, msg,
		is_told ? NULL : &event);
}

static void refuse_unproved(struct unixservice *service,
	const struct origin *origin, struct unixmsg *msg)
{
	struct unixservice_event event;

	make_event(&event, UNIXSERVICE_UNPROVED, origin, msg);
	event.error = EPERM;
	unixservice__reject(service, &service->counters.unproved, msg, &event);
}

static void limit(struct unixservice *service, const struct origin *origin,
	struct unixmsg *msg)
{
	struct unixservice_event event;

	make_event(&event, UNIXSERVICE_LIMITED, origin, msg);
	event.error = origin->error;
	unixservice__reject(service, &service->counters.limited, msg, &event);
}

static void cut(struct unixservice *service, const struct origin *origin,
	struct unixmsg *msg)
{
	struct unixservice_event event;

	make_event(&event, UNIXSERVICE_CUT, origin, msg);
	event.error = EMSGSIZE;
	unixservice__reject(service, &service->counters.cut, msg, &event);
}

static bool is_limited(struct unixservice *service, const struct origin *origin)
{
	if (origin->user == NULL ||
		(origin->is_named && origin->sender == NULL))
		return true;
	if (unixusers__get_next_us(&service->users, origin->user) >
		service->now_us)
		return true;
	unixusers__count(&service->users, origin->user, service->now_us);
	return false;
}

/*
 * A peer that goes on sending has probably read something, so its queued
 * messages are tried before the timer is due. They are tried only once a round,
 * or a flood would keep the service busy.
 */
static void try_queued(struct unixservice *service, struct sender *sender)
{
	if (sender->peer.outbox.first == NULL ||
		sender->tried_us == service->now_us)
		return;
	sender->tried_us = service->now_us;
	unixservice__flush(service, &sender->peer);
}

/* Tells the watcher of a new sender. Returns whether the sender is still open:
 * the watcher may close it. */
static bool open_sender(struct unixservice *service, struct sender *sender)
{
	if (sender == NULL || sender->peer.is_opened)
		return true;
	sender->peer.is_opened = true;
	unixservice__tell_of(service, UNIXSERVICE_OPENED, &sender->peer, 0);
	return !unixservice__is_gone(&sender->peer);
}

static void take_message(struct unixservice *service, struct grams *grams,
	struct unixmsg *msg)
{
	struct origin origin = {
		.cred = msg->flags & UNIXMSG_HAS_CRED ? &msg->cred : NULL,
	};
	struct peer *peer;
	bool is_allowed;

	is_allowed = unixaccess__is_allowed(&service->access,
		grams->source.is_abstract, origin.cred, -1);
	find_origin(service, grams, msg, &origin, is_allowed);
	peer = origin.sender == NULL ? NULL : &origin.sender->peer;
	unixservice__count(service, peer, msg);
	if (!is_allowed) {
		refuse(service, &origin, msg);
	} else if (origin.is_impostor) {
		refuse_unproved(service, &origin, msg);
	} else if (is_limited(service, &origin)) {
		limit(service, &origin, msg);
	} else if (msg->flags & UNIXMSG_CUT) {
		cut(service, &origin, msg);
	} else if (!open_sender(service, origin.sender)) {
		unixservice__reject(service, &service->counters.gone, msg,
			NULL);
	} else {
		unixservice__take(service, peer, grams->gram->tag, msg);
		if (peer != NULL)
			try_queued(service, origin.sender);
	}
}

/* The socket stays readable, so the loop would spin if it watched on. */
static void rest(struct unixservice *service, struct grams *grams)
{
	unixservice__watch(service, &grams->source.watch, 0);
	unixservice__set_source_timer(service, &grams->source,
		service->now_us + rest_us);
	grams->is_resting = true;
}

/* Tells whether messages of its last batch wait for the end of a pause. */
static bool has_left(const struct unixservice *service,
	const struct grams *grams)
{
	return grams->is_batched &&
		unixservice__get_left(service) == grams->gram;
}

/* Tells the same of another socket. */
static bool is_room_taken(const struct unixservice *service,
	const struct grams *grams)
{
	return !has_left(service, grams) &&
		unixservice__get_left(service) != NULL;
}

/* Returns the number of messages: one or none. */
static int take_one(struct unixservice *service, struct grams *grams)
{
	struct unixaddr addr;
	struct unixmsg msg;

	unixservice__prepare(service, &msg, &addr);
	if (grams->gram->network->recv_msg(grams->gram, &msg, UNIXMSG_NOW) ==
		1) {
		take_message(service, grams, &msg);
		return 1;
	}
	if (errno != EAGAIN)
		rest(service, grams);
	else
		grams->is_early = false;
	return 0;
}

static void note_batch(struct grams *grams, size_t count, size_t most)
{
	grams->is_queue = count >= QUEUE_LEAST || count == most;
	unixservice__note_try(&grams->batching, grams->is_queue);
}

/* Does the same for up to most messages. */
static int take_batch(struct unixservice *service, struct grams *grams,
	int most)
{
	struct unixmsg *msg;
	size_t count =
		unixservice__recv_batch(service, grams->gram, (size_t)most);

	if (count == 0 && errno != EAGAIN)
		rest(service, grams);
	note_batch(grams, count, (size_t)most);
	while (!grams->source.is_paused &&
		(msg = unixservice__take_next(service)) != NULL)
		take_message(service, grams, msg);
	return (int)count;
}

/*
 * Returns how many messages to receive at once. The kernel does not tell the
 * length of the queue: several messages in a row may come from a queue, or from
 * a client that is quicker than we are. So the service tries a batch then, but
 * less and less often while it finds too few.
 */
static int get_most(const struct unixservice *service, struct grams *grams,
	int taken)
{
	const int most = (int)service->options.batch;

	if (!grams->is_batched || is_room_taken(service, grams))
		return 1;
	if (!grams->is_queue &&
		(taken < QUEUE_LEAST ||
			!unixservice__is_try_due(&grams->batching)))
		return 1;
	return most < TURN - taken ? most : TURN - taken;
}

/* The rest of a batch comes first. */
static int take_some(struct unixservice *service, struct grams *grams, int most)
{
	return most > 1 || has_left(service, grams)
		? take_batch(service, grams, most)
		: take_one(service, grams);
}

/* No more messages can arrive, and all that did were received. */
static void finish(struct unixservice *service, struct grams *grams)
{
	unixservice__watch(service, &grams->source.watch, 0);
	grams->source.is_done = true;
}

static void grams_ready(struct unixservice *service, struct watch *watch)
{
	struct grams *grams = watch->owner;
	int taken, most = 1, more = 1;

	/* A stop ends a pause early, or the socket would never be finished. */
	grams->is_resting = false;
	/* A call with fewer messages than asked for has emptied the queue. */
	for (taken = 0; taken < TURN && more > 0 &&
		(more == most || grams->source.is_retired);
		taken += more) {
		/* A handler may have stopped the service, or paused this. */
		if (grams->source.is_done || grams->source.is_paused)
			return;
		if (taken == 1 && !grams->source.is_retired &&
			!unixservice__is_try_due(&grams->backoff))
			break;
		most = get_most(service, grams, taken);
		more = take_some(service, grams, most);
		if (taken == 1)
			unixservice__note_try(&grams->backoff, more > 0);
	}
	if (more > 0 || grams->is_resting)
		return;
	if (grams->source.is_retired)
		finish(service, grams);
	else if (taken == 0 && unixwait__is_shut(watch->fd))
		unixservice__lose_source(service, &grams->source);
}

static void grams_wake(struct unixservice *service, struct source *source)
{
	struct grams *grams = (struct grams *)source;

	if (source->is_done || source->is_paused)
		return;
	if (unixservice__watch(service, &source->watch, EPOLLIN) < 0)
		rest(service, grams);
	/* poll(2) does not report what is left of a batch. */
	else if (has_left(service, grams))
		grams_ready(service, &source->watch);
}

static int grams_get_address(const struct source *source, struct unixaddr *addr)
{
	return unixconn_get_address(((const struct grams *)source)->gram, addr);
}

/* Leaves the messages in a shared socket to the other process. */
static int grams_stop(struct unixservice *service, struct source *source)
{
	struct grams *grams = (struct grams *)source;
	bool is_shared;
	int result = unixconn__retire(grams->gram, &is_shared);

	if (is_shared)
		finish(service, grams);
	return result;
}

static int grams_set_unlink(struct source *source, bool is_wanted)
{
	return unixconn_set_unlink_on_close(((struct grams *)source)->gram,
		is_wanted);
}

static bool grams_is_used(const struct source *source)
{
	return ((const struct grams *)source)->senders.count > 0;
}

static void grams_look_at_unread(struct source *source, const struct user *user)
{
	struct senders *senders = &((struct grams *)source)->senders;

	unixunread__look(&senders->unread, &senders->budget, user);
}

static int grams_close(struct source *source)
{
	struct grams *grams = (struct grams *)source;
	int result = unixconn_close(grams->gram);
	int saved = errno;

	unixsenders__free(&grams->senders);
	free(grams);
	errno = saved;
	return result;
}

static const struct source_sort grams_sort = {
	.get_address = grams_get_address,
	.wake = grams_wake,
	.stop = grams_stop,
	.set_unlink = grams_set_unlink,
	.is_used = grams_is_used,
	.look_at_unread = grams_look_at_unread,
	.close = grams_close,
};

/*
 * A batch cannot receive descriptors. If other processes read the socket too,
 * the service receives only the message that it handles next, and leaves them
 * the rest.
 */
static bool may_batch(const struct unixservice *service,
	const struct unixconn *gram)
{
	const unsigned int single = UNIXMSG_WANT_FDS | UNIXMSG_WANT_PIDFD;

	return service->options.batch > 1 &&
		(unixconn__get_wants(gram) & single) == 0 &&
		!unixconn__is_shared(gram);
}

/*
 * Messages may be older than our wish for credentials, or come from the time
 * when another process had the socket. SO_PASSCRED does not tell: that process
 * may have set it meanwhile.
 */
static bool may_have_early(const struct unixconn *gram)
{
	return unixconn__is_shared(gram) ||
		(unixconn__get_wants(gram) & UNIXMSG_WANT_CRED) == 0;
}

/* Always asks for credentials: rules and limits depend on them. */
static int set_up(struct unixservice *service, struct grams *grams)
{
	struct unixaddr peer;

	if (unixconn_get_peer(grams->gram, &peer) == 0) {
		errno = EINVAL;
		return -1;
	}
	if (errno != ENOTCONN)
		return -1;
	grams->is_early = may_have_early(grams->gram);
	if (unixconn_want(grams->gram,
		    service->options.wants | UNIXMSG_WANT_CRED |
			    unixconn__get_wants(grams->gram)) < 0)
		return -1;
	grams->is_batched = may_batch(service, grams->gram);
	if (grams->is_batched && unixservice__reserve_batch(service) < 0)
		return -1;
	if (unixsenders__init(&grams->senders, grams->gram,
		    service->options.send_buffer_bytes) < 0)
		return -1;
	if (unixservice__add_source(service, &grams->source, &grams_sort) == 0)
		return 0;
	unixsenders__free(&grams->senders);
	return -1;
}

int unixservice__add_grams(struct unixservice *service, struct unixconn *gram)
{
	struct grams *grams;
	int saved = errno;

	grams = calloc(1, sizeof(*grams));
	if (grams == NULL)
		return -1;
	grams->gram = gram;
	grams->source.watch.ready = grams_ready;
	grams->source.watch.owner = grams;
	grams->source.watch.fd = unixconn_get_fd(gram);
	grams->source.tag = gram->tag;
	if (set_up(service, grams) == 0) {
		errno = saved;
		return 0;
	}
	free(grams);
	return -1;
}

/* Returns the first socket that still receives messages. */
static struct grams *find_grams(const struct unixservice *service)
{
	struct source *source;

	for (source = service->sources; source != NULL; source = source->next)
		if (source->sort == &grams_sort && !source->is_done &&
			!source->is_retired)
			return (struct grams *)source;
	errno = EINVAL;
	return NULL;
}

int unixservice__open_gram_peer(struct unixservice *service,
	const char *address, uint64_t *id)
{
	struct grams *grams = find_grams(service);

	if (grams == NULL)
		return -1;
	return unixservice__open_sender(service, &grams->senders, address, id);
}
