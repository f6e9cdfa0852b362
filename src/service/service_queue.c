/* SPDX-License-Identifier: MIT */
/*
 * Sends a message to one peer, queues it until there is room, or loses it, by
 * the limits and the policy of the service.
 */
#include <config.h>

#include <errno.h>

#include "service/service_private.h"

static bool is_below(uint64_t value, uint64_t limit)
{
	return limit == 0 || value <= limit;
}

/*
 * A connection must not miss an answer in the middle. So its first answer is
 * queued even above the limit, and the connection is not read until that is
 * sent. All such answers together may double the limit.
 */
static bool may_exceed(const struct unixservice *service,
	const struct peer *peer, size_t bytes)
{
	return !peer->sort->is_memory_only && peer->outbox.count == 0 &&
		is_below((service->counters.queued_bytes + bytes + 1) / 2,
			service->options.queue_total_bytes_max);
}

static bool is_room_in_all(struct unixservice *service, const struct peer *peer,
	size_t bytes)
{
	while (!is_below(service->counters.queued_bytes + bytes,
		service->options.queue_total_bytes_max))
		if (!unixservice__relieve(service, peer->user, bytes))
			return may_exceed(service, peer, bytes);
	return true;
}

static bool is_room(struct unixservice *service, const struct peer *peer,
	size_t size)
{
	const struct unixservice_options *options = &service->options;
	const struct outbox *outbox = &peer->outbox;
	const size_t bytes = size + UNIXOUTBOX_OVERHEAD;

	if (!is_room_in_all(service, peer, bytes))
		return false;
	if (outbox->count == 0)
		return true;
	return is_below(outbox->count + 1, options->queue_messages_max) &&
		is_below(outbox->bytes + bytes, options->queue_bytes_max);
}

/* Drops the oldest message that is wholly unsent. Returns whether it could. */
static bool drop_oldest(struct unixservice *service, struct peer *peer)
{
	struct queued **place = &peer->outbox.first;
	bool is_answer;

	if (*place != NULL && (*place)->is_begun)
		place = &(*place)->next;
	if (*place == NULL)
		return false;
	is_answer = (*place)->is_answer;
	unixservice__remove_queued(service, peer, place);
	unixservice__lose(service, peer, is_answer, &service->counters.dropped,
		ENOBUFS);
	return true;
}

/* Makes room for size bytes if the policy allows. Returns whether it could. */
static bool make_room(struct unixservice *service, struct peer *peer,
	size_t size)
{
	while (!is_room(service, peer, size))
		if (service->options.policy != UNIXSERVICE_DROP_OLDEST ||
			!drop_oldest(service, peer))
			return false;
	return true;
}

/* A connection without room for its first answer is closed, so that its client
 * notices the loss. */
static bool must_close_peer(const struct unixservice *service,
	const struct peer *peer)
{
	return service->options.policy == UNIXSERVICE_DROP_PEER ||
		(!peer->sort->is_memory_only && peer->outbox.count == 0);
}

static int drop_newest(struct unixservice *service, struct peer *peer,
	bool is_answer)
{
	unixservice__lose(service, peer, is_answer, &service->counters.dropped,
		ENOBUFS);
	if (!must_close_peer(service, peer))
		return 0;
	unixservice__disconnect(service, peer, ENOBUFS);
	errno = ENOTCONN;
	return -1;
}

/* The lost message is in no queue, so nothing else would keep the error, and
 * UNIXSERVICE_CLOSED would say 0. */
static void stop_sending_with_loss(struct unixservice *service,
	struct peer *peer, int error)
{
	unixservice__stop_sending(service, peer, error);
	if (peer->send_error == 0)
		peer->send_error = error;
}

/* There is no memory for the message. */
static int lose_unqueued(struct unixservice *service, struct peer *peer,
	bool is_begun, bool is_answer)
{
	const int saved = errno;

	unixservice__lose(service, peer, is_answer, &service->counters.dropped,
		saved);
	/* The peer will never get the rest of the message. */
	peer->is_broken = is_begun;
	if (is_begun)
		stop_sending_with_loss(service, peer, saved);
	errno = saved;
	return -1;
}

/* Room is awaited for the first queued message, and later for the others. */
static int await_room(struct unixservice *service, struct peer *peer,
	const struct queued *queued)
{
	if (queued != peer->outbox.first ||
		peer->sort->await(service, peer) == 0)
		return 1;
	unixservice__disconnect(service, peer, errno);
	errno = ENOTCONN;
	return -1;
}

/* The first bytes have taken its descriptors along. */
static struct queued *add(struct peer *peer, const struct unixmsg *msg,
	size_t done)
{
	struct unixmsg rest = *msg;

	if (done > 0)
		rest.fds_count = 0;
	return unixoutbox__add(&peer->outbox, &rest);
}

/* Queues a message that could not be sent; done bytes of it were. */
static int enqueue(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t done, bool is_begun, bool is_answer)
{
	const size_t size = unixoutbox__get_size(msg);
	struct queued *queued;
	bool is_room_made;

	/* A message that is partly sent cannot be dropped. */
	is_room_made = is_begun || make_room(service, peer, size);
	/* The watcher may have closed the peer when it was told of a loss. */
	if (unixservice__is_gone(peer)) {
		unixservice__count_lost(service, peer, is_answer,
			&service->counters.gone);
		errno = ENOTCONN;
		return -1;
	}
	if (!is_room_made)
		return drop_newest(service, peer, is_answer);
	queued = add(peer, msg, done);
	if (queued == NULL)
		return lose_unqueued(service, peer, is_begun, is_answer);
	queued->since_us = service->now_us;
	queued->done = done;
	queued->is_begun = is_begun;
	queued->is_answer = is_answer;
	unixservice__count_queued(service, peer, size + UNIXOUTBOX_OVERHEAD);
	return await_room(service, peer, queued);
}

static bool is_for_later(const struct peer *peer)
{
	return !peer->is_broken &&
		(errno == EAGAIN || errno == EINPROGRESS || errno == ENOBUFS);
}

/* Tells whether nothing more can ever be sent to the peer. */
static bool is_end(const struct peer *peer)
{
	return peer->is_broken || errno == EPIPE || errno == ECONNRESET ||
		errno == ECONNREFUSED || errno == ENOENT || errno == ENOTCONN;
}

static bool is_mistake(void)
{
	return errno == EINVAL || errno == EMSGSIZE || errno == EBADF;
}

/* A READ_ONLY peer is still read, so ENOTCONN is only for one that is gone. */
static int fail_for_good(const struct peer *peer)
{
	errno = unixservice__is_gone(peer) ? ENOTCONN : EPIPE;
	return -1;
}

static int fail_gone(struct unixservice *service, struct peer *peer,
	bool is_answer, int error)
{
	unixservice__lose(service, peer, is_answer, &service->counters.gone,
		error);
	stop_sending_with_loss(service, peer, error);
	return fail_for_good(peer);
}

/* The messages queued for a peer that is shut down are still sent. */
static int fail_send_shut(struct unixservice *service, struct peer *peer)
{
	const bool is_answer =
		unixservice__count_message(service, peer) != PUSHED;

	unixservice__lose(service, peer, is_answer, &service->counters.gone,
		EPIPE);
	if (peer->send_error == 0)
		peer->send_error = EPIPE;
	return fail_for_good(peer);
}

/* The kernel has refused the message. */
static int fail(struct unixservice *service, struct peer *peer, bool is_answer)
{
	int saved = errno;

	if (is_end(peer))
		return fail_gone(service, peer, is_answer, saved);
	unixservice__lose(service, peer, is_answer,
		unixservice__get_failure(service, peer, saved), saved);
	errno = saved;
	return -1;
}

/*
 * Closes an ended peer after its last answer, but in the next round: the
 * handler may send more messages that belong to the answer.
 */
static void close_soon(struct unixservice *service, struct peer *peer)
{
	if (peer->life == PEER_ENDED && peer->owed == 0)
		unixservice__set_peer_timer(service, peer, service->now_us);
}

static void note_sent(struct unixservice *service, struct peer *peer,
	size_t size, bool is_answer)
{
	unixservice__count_sent(service, peer, size, is_answer);
	if (service->options.delivery_is_activity)
		unixservice__note_activity(service, peer);
	close_soon(service, peer);
}

/* Queues msg behind the others, to keep the order. */
static int queue_up(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg)
{
	/* The caller must learn now that it can never be sent. */
	if (unixoutbox__get_size(msg) > peer->sort->get_size_max(peer)) {
		errno = EMSGSIZE;
		return -1;
	}
	return enqueue(service, peer, msg, 0, false,
		(unixservice__count_message(service, peer) != PUSHED));
}

static int send_or_keep(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg)
{
	const enum relation relation =
		unixservice__count_message(service, peer);
	const bool is_answer = relation != PUSHED;
	size_t done = 0;

	if (peer->sort->send(service, peer, msg, &done) == 0) {
		note_sent(service, peer, unixoutbox__get_size(msg), is_answer);
		return 1;
	}
	if (is_for_later(peer))
		return enqueue(service, peer, msg, done, errno == EINPROGRESS,
			is_answer);
	if (is_end(peer) || !is_mistake())
		return fail(service, peer, is_answer);
	unixservice__uncount_message(service, peer, relation);
	return -1;
}

int unixservice__send_now(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg)
{
	if (peer->is_send_shut)
		return fail_send_shut(service, peer);
	if (peer->outbox.first != NULL)
		return queue_up(service, peer, msg);
	return send_or_keep(service, peer, msg);
}

static int send_queued(struct unixservice *service, struct peer *peer,
	struct queued *queued)
{
	const struct unixmsg msg = {
		.data = queued->data,
		.room = queued->size,
		.fds = queued->fds,
		.fds_count = queued->fds_count,
		.flags = queued->has_cred ? UNIXMSG_SEND_CRED : 0,
		.cred = queued->cred,
	};

	return peer->sort->send(service, peer, &msg, &queued->done);
}

/* Sends the first queued message. Returns whether to go on with the next. */
static bool flush_first(struct unixservice *service, struct peer *peer)
{
	struct queued *queued = peer->outbox.first;
	const bool is_answer = queued->is_answer;
	const size_t size = queued->size, done = queued->done;
	int error;

	if (send_queued(service, peer, queued) == 0) {
		unixservice__remove_queued(service, peer, &peer->outbox.first);
		unixservice__count_sent(service, peer, size, is_answer);
		unixservice__note_activity(service, peer);
		return true;
	}
	error = errno;
	queued->is_begun |= error == EINPROGRESS;
	if (queued->done > done) {
		unixoutbox__close_fds(queued);
		unixservice__note_activity(service, peer);
	}
	if (is_for_later(peer))
		return false;
	if (is_end(peer)) {
		unixservice__stop_sending(service, peer, error);
		return false;
	}
	unixservice__remove_queued(service, peer, &peer->outbox.first);
	unixservice__lose(service, peer, is_answer,
		unixservice__get_failure(service, peer, error), error);
	return true;
}

void unixservice__flush(struct unixservice *service, struct peer *peer)
{
	while (peer->outbox.first != NULL)
		if (!flush_first(service, peer))
			break;
	if (unixservice__is_gone(peer) || peer->life == PEER_READ_ONLY)
		return;
	if (peer->outbox.first != NULL
			? peer->sort->await(service, peer) < 0
			: peer->sort->resume(service, peer) < 0) {
		unixservice__disconnect(service, peer, errno);
		return;
	}
	if (peer->outbox.first != NULL)
		return;
	unixservice__tell_of(service, UNIXSERVICE_FLUSHED, peer, 0);
	unixservice__shut_if_done(service, peer);
	unixservice__disconnect_if_done(service, peer);
}
