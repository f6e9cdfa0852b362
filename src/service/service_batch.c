/* SPDX-License-Identifier: MIT */
/*
 * Batches of datagrams: one system call receives many messages, another sends
 * many. Messages that are sent while a batch is handled are gathered until its
 * last message is handled. Then each is sent, queued or lost, as if it had been
 * sent at once. They are sent earlier if their receiver is about to be closed,
 * or if a message to it cannot be gathered.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "network/conn_private.h"
#include "service/service_private.h"

/* A larger message is sent alone: copying it costs more than a system call. */
enum { GATHERED_SIZE_MOST = 2048 };

struct answer {
	size_t size;
	struct peer *peer;
	bool is_answer;
	char data[GATHERED_SIZE_MOST];
};

struct batch {
	/* The socket of the messages being handled; NULL between batches. */
	struct unixconn *gram;
	const struct unixconn *owner; /* the socket of arrived */
	size_t used;                  /* entries of arrived to prepare again */
	size_t next; /* the first of them that is not handled yet */
	/* Answers from first up to gathered wait to be sent. */
	size_t first;
	size_t gathered;
	bool is_sending;
	struct unixmsg arrived[UNIXMSG_BATCH_MAX];
	struct unixmsg leaving[UNIXMSG_BATCH_MAX];
	struct unixaddr addrs[UNIXMSG_BATCH_MAX]; /* of arrived */
	struct answer answers[UNIXMSG_BATCH_MAX];
	char bytes[]; /* room for the largest message, for each of arrived */
};

static struct batch *allocate(size_t count, size_t size_max)
{
	size_t bytes;

	if (!__builtin_mul_overflow(count, size_max, &bytes) &&
		!__builtin_add_overflow(bytes, sizeof(struct batch), &bytes))
		return malloc(bytes);
	errno = ENOMEM;
	return NULL;
}

/* Most of this memory stays untouched until large messages arrive. */
int unixservice__reserve_batch(struct unixservice *service)
{
	const struct unixservice_options *options = &service->options;
	struct batch *batch;

	if (service->batch != NULL)
		return 0;
	batch = allocate(options->batch, options->size_max);
	if (batch == NULL)
		return -1;
	batch->gram = NULL;
	batch->owner = NULL;
	batch->used = options->batch;
	batch->next = options->batch;
	batch->first = 0;
	batch->gathered = 0;
	batch->is_sending = false;
	service->batch = batch;
	return 0;
}

static void prepare(const struct unixservice *service, struct batch *batch)
{
	size_t i;
	struct unixmsg *msg;

	for (i = 0; i < batch->used; i++) {
		msg = &batch->arrived[i];
		unixservice__prepare(service, msg, &batch->addrs[i]);
		msg->data = batch->bytes + i * service->options.size_max;
	}
}

const struct unixconn *unixservice__get_left(const struct unixservice *service)
{
	const struct batch *batch = service->batch;

	return batch->next < batch->used ? batch->owner : NULL;
}

size_t unixservice__begin_batch(struct unixservice *service,
	struct unixconn *gram, size_t count)
{
	struct batch *batch = service->batch;

	batch->gram = gram;
	if (batch->next < batch->used)
		return batch->used - batch->next;
	prepare(service, batch);
	unixconn_recv_batch(gram, batch->arrived, count, &batch->used,
		UNIXMSG_NOW);
	batch->owner = gram;
	batch->next = 0;
	return batch->used;
}

struct unixmsg *unixservice__take_next(struct unixservice *service)
{
	struct batch *batch = service->batch;

	return batch->next < batch->used ? &batch->arrived[batch->next++]
					 : NULL;
}

void unixservice__end_batch(struct unixservice *service)
{
	unixservice__send_gathered(service);
	service->batch->gram = NULL;
}

const struct unixconn *unixservice__get_gathering(
	const struct unixservice *service)
{
	return service->batch->gram;
}

static bool may_gather(const struct unixservice *service,
	const struct peer *peer, const struct unixmsg *msg)
{
	const struct batch *batch = service->batch;

	return batch != NULL && batch->gram != NULL && !batch->is_sending &&
		peer->sort->reserve != NULL && unixservice__is_plain(msg) &&
		msg->room <= GATHERED_SIZE_MOST;
}

static void add(struct batch *batch, const struct unixmsg *msg,
	const struct unixaddr *addr, struct peer *peer, bool is_answer)
{
	struct unixmsg *leaving = &batch->leaving[batch->gathered];
	struct answer *answer = &batch->answers[batch->gathered];

	answer->peer = peer;
	answer->is_answer = is_answer;
	if (msg->room > 0)
		memcpy(answer->data, msg->data, msg->room);
	unixmsg_init(leaving);
	leaving->data = answer->data;
	leaving->room = msg->room;
	answer->size = msg->room;
	leaving->addr = (struct unixaddr *)addr;
	batch->gathered++;
	peer->gathered++;
}

bool unixservice__gather(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg)
{
	struct batch *batch = service->batch;
	const struct unixaddr *addr;

	if (!may_gather(service, peer, msg))
		return false;
	if (batch->gathered == service->options.batch)
		unixservice__send_gathered(service);
	if (!unixservice__is_sendable(peer))
		return false;
	addr = peer->sort->reserve(service, peer, msg->room);
	if (addr == NULL)
		return false;
	add(batch, msg, addr, peer,
		unixservice__claim(service, peer) != PUSHED);
	return true;
}

/* Counts the messages up to the first that cannot be sent now: its peer is
 * gone, or has queued messages before it. */
static size_t count_sendable(const struct batch *batch)
{
	size_t i = batch->first;

	while (i < batch->gathered &&
		unixservice__is_sendable(batch->answers[i].peer))
		i++;
	return i - batch->first;
}

static const struct answer *take_first(struct batch *batch, bool is_sent)
{
	struct answer *answer = &batch->answers[batch->first++];
	struct peer *peer = answer->peer;

	peer->gathered--;
	peer->sort->settle(peer, answer->size, is_sent);
	return answer;
}

static void note_first_sent(struct unixservice *service, struct batch *batch)
{
	const struct answer *answer = take_first(batch, true);

	unixservice__note_sent(service, answer->peer, answer->size,
		answer->is_answer);
}

static void note_first_unsent(struct unixservice *service, struct batch *batch,
	int error)
{
	const struct unixmsg *msg = &batch->leaving[batch->first];
	const struct answer *answer = take_first(batch, false);

	errno = error;
	unixservice__note_unsent(service, answer->peer, msg, answer->is_answer);
}

/* Sends as many as one call can, and completes the first that it cannot. */
static void send_some(struct unixservice *service, struct batch *batch)
{
	const size_t count = count_sendable(batch);
	size_t i, sent = 0;
	int error = EAGAIN;

	if (count > 0 &&
		unixconn_send_batch(batch->gram, &batch->leaving[batch->first],
			count, &sent, UNIXMSG_NOW) < 0)
		error = errno;
	for (i = 0; i < sent; i++)
		note_first_sent(service, batch);
	if (count == 0 || sent < count)
		note_first_unsent(service, batch, error);
}

bool unixservice__is_sending(const struct unixservice *service)
{
	return service->batch->is_sending;
}

void unixservice__leave_gathered(struct unixservice *service)
{
	if (service->batch != NULL)
		service->batch->is_sending = true;
}

/* A watcher that is told of a loss may send and so call this again. */
void unixservice__send_gathered(struct unixservice *service)
{
	struct batch *batch = service->batch;
	bool was_sending;

	if (batch == NULL)
		return;
	was_sending = batch->is_sending;
	batch->is_sending = true;
	while (batch->first < batch->gathered)
		send_some(service, batch);
	batch->is_sending = was_sending;
	if (was_sending)
		return;
	batch->first = 0;
	batch->gathered = 0;
}
