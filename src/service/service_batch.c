/* SPDX-License-Identifier: MIT */
/* Batches of datagrams: one system call receives many messages. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "network/network.h"
#include "service/service_private.h"

struct batch {
	const struct unixconn *owner; /* the socket of arrived */
	size_t used;                  /* entries of arrived to prepare again */
	size_t next; /* the first of them that is not handled yet */
	struct unixmsg arrived[UNIXMSG_BATCH_MAX];
	struct unixaddr addrs[UNIXMSG_BATCH_MAX]; /* of arrived */
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
	batch->owner = NULL;
	batch->used = options->batch;
	batch->next = options->batch;
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

size_t unixservice__recv_batch(struct unixservice *service,
	struct unixconn *gram, size_t count)
{
	struct batch *batch = service->batch;

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
