/* SPDX-License-Identifier: MIT */
/* As a program uses the library: without deadlines, as the plain calls. */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/perf_way.h"

/* A name that no other run has. The sockets die with us and leave nothing. */
static void make_name(struct perf_end *service)
{
	static unsigned int number;

	snprintf(service->name, sizeof(service->name), "@unixmsg-perf-%ld-%u",
		(long)getpid(), number++);
}

/* What has come must be what was sent, at least by its size. */
static int check_size(int result, size_t got, size_t size)
{
	if (result < 1 || got == size)
		return result;
	errno = EBADMSG;
	return -1;
}

static int gram_open(struct perf_end *service, enum perf_network network)
{
	(void)network;
	make_name(service);
	service->link = unixgram_open(service->name, NULL);
	return service->link == NULL ? -1 : 0;
}

static int gram_dial(struct perf_end *client, const struct perf_end *service,
	int64_t spin_us)
{
	client->link = unixgram_dial(service->name, NULL, UNIXMSG_NOW);
	if (client->link == NULL)
		return -1;
	unixgram_set_spin_us(client->link, spin_us);
	/* The service is its own link. */
	unixgram_set_spin_us(service->link, spin_us);
	return 0;
}

static void gram_close(struct perf_end *end)
{
	unixgram_close(end->link);
	end->link = NULL;
}

static int gram_send(struct perf_end *end, const void *data, size_t size)
{
	return unixgram_send(end->link, data, size, UNIXMSG_FOREVER);
}

static int gram_recv(struct perf_end *end, void *data, size_t size)
{
	size_t got = 0;
	int result = unixgram_recv(end->link, data, size, &got, NULL,
		UNIXMSG_FOREVER);

	return check_size(result, got, size);
}

static int gram_recv_from(struct perf_end *end, void *data, size_t size)
{
	size_t got = 0;
	int result = unixgram_recv(end->link, data, size, &got, &end->addr,
		UNIXMSG_FOREVER);

	return check_size(result, got, size);
}

static int gram_send_back(struct perf_end *end, const void *data, size_t size)
{
	return unixgram_send_to(end->link, &end->addr, data, size,
		UNIXMSG_FOREVER);
}

/* Messages that share one part. */
struct batch {
	struct iovec part;
	struct unixmsg msgs[UNIXMSG_BATCH_MAX];
};

static void fill_batch(struct batch *batch, void *data, size_t size,
	size_t count)
{
	size_t i;

	batch->part.iov_base = data;
	batch->part.iov_len = size;
	for (i = 0; i < count; i++) {
		unixmsg_init(&batch->msgs[i]);
		batch->msgs[i].parts = &batch->part;
		batch->msgs[i].parts_count = 1;
	}
}

/* A program keeps its messages from one batch to the next. */
static struct unixmsg *get_batch(void *data, size_t size, size_t count)
{
	static struct batch batch;
	static size_t filled;

	if (batch.part.iov_base != data || batch.part.iov_len != size)
		filled = 0;
	if (filled < count)
		fill_batch(&batch, data, size, count);
	if (filled < count)
		filled = count;
	return batch.msgs;
}

static int check_batch(int result, const struct unixmsg *msgs, size_t received,
	size_t size)
{
	size_t i;

	for (i = 0; i < received; i++)
		if (check_size(1, msgs[i].size, size) < 0)
			return -1;
	return result;
}

static int gram_send_batch(struct perf_end *end, void *data, size_t size,
	size_t count)
{
	size_t sent;

	return unixgram_send_batch(end->link, get_batch(data, size, count),
		count, &sent, UNIXMSG_FOREVER);
}

static int gram_recv_batch(struct perf_end *end, void *data, size_t size,
	size_t count, size_t *received)
{
	struct unixmsg *msgs = get_batch(data, size, count);
	int result = unixgram_recv_batch(end->link, msgs, count, received,
		UNIXMSG_FOREVER);

	return check_batch(result, msgs, *received, size);
}

static void close_listener(struct perf_end *service)
{
	unixlistener_close(service->link);
	service->link = NULL;
}

static int packet_open(struct perf_end *service, enum perf_network network)
{
	(void)network;
	make_name(service);
	service->link = unixpacket_listen(service->name, 0, NULL);
	return service->link == NULL ? -1 : 0;
}

static int packet_dial(struct perf_end *client, const struct perf_end *service,
	int64_t spin_us)
{
	client->link = unixpacket_dial(service->name, NULL, UNIXMSG_FOREVER);
	if (client->link == NULL)
		return -1;
	unixpacket_set_spin_us(client->link, spin_us);
	return 0;
}

static int packet_accept(struct perf_end *link, const struct perf_end *service,
	int64_t spin_us)
{
	link->link = unixpacket_accept(service->link, UNIXMSG_FOREVER);
	if (link->link == NULL)
		return -1;
	unixpacket_set_spin_us(link->link, spin_us);
	link->fd = unixpacket_get_fd(link->link);
	return 0;
}

static void packet_close(struct perf_end *end)
{
	unixpacket_close(end->link);
	end->link = NULL;
}

static int packet_send(struct perf_end *end, const void *data, size_t size)
{
	return unixpacket_send(end->link, data, size, UNIXMSG_FOREVER);
}

static int packet_recv(struct perf_end *end, void *data, size_t size)
{
	size_t got = 0;
	int result =
		unixpacket_recv(end->link, data, size, &got, UNIXMSG_FOREVER);

	return check_size(result, got, size);
}

static int packet_send_batch(struct perf_end *end, void *data, size_t size,
	size_t count)
{
	size_t sent;

	return unixpacket_send_batch(end->link, get_batch(data, size, count),
		count, &sent, UNIXMSG_FOREVER);
}

static int packet_recv_batch(struct perf_end *end, void *data, size_t size,
	size_t count, size_t *received)
{
	struct unixmsg *msgs = get_batch(data, size, count);
	int result = unixpacket_recv_batch(end->link, msgs, count, received,
		UNIXMSG_FOREVER);

	return check_batch(result, msgs, *received, size);
}

static int stream_open(struct perf_end *service, enum perf_network network)
{
	(void)network;
	make_name(service);
	service->link = unixstream_listen(service->name, 0, NULL);
	return service->link == NULL ? -1 : 0;
}

static int stream_dial(struct perf_end *client, const struct perf_end *service,
	int64_t spin_us)
{
	client->link = unixstream_dial(service->name, NULL, UNIXMSG_FOREVER);
	if (client->link == NULL)
		return -1;
	unixstream_set_spin_us(client->link, spin_us);
	return 0;
}

static int stream_accept(struct perf_end *link, const struct perf_end *service,
	int64_t spin_us)
{
	link->link = unixstream_accept(service->link, UNIXMSG_FOREVER);
	if (link->link == NULL)
		return -1;
	unixstream_set_spin_us(link->link, spin_us);
	link->fd = unixstream_get_fd(link->link);
	return 0;
}

static void stream_close(struct perf_end *end)
{
	unixstream_close(end->link);
	end->link = NULL;
}

static int stream_send(struct perf_end *end, const void *data, size_t size)
{
	return unixstream_send(end->link, data, size, UNIXMSG_FOREVER);
}

static int stream_recv(struct perf_end *end, void *data, size_t size)
{
	size_t got = 0;
	int result =
		unixstream_recv(end->link, data, size, &got, UNIXMSG_FOREVER);

	return check_size(result, got, size);
}

static const struct perf_way ways[] = {
	{
		.network = PERF_UNIXGRAM,
		.open = gram_open,
		.dial = gram_dial,
		.close = gram_close,
		.close_service = gram_close,
		.send = gram_send,
		.recv = gram_recv,
		.recv_from = gram_recv_from,
		.send_back = gram_send_back,
		.send_batch = gram_send_batch,
		.recv_batch = gram_recv_batch,
	},
	{
		.network = PERF_UNIXPACKET,
		.open = packet_open,
		.dial = packet_dial,
		.accept = packet_accept,
		.close = packet_close,
		.close_service = close_listener,
		.send = packet_send,
		.recv = packet_recv,
		.send_batch = packet_send_batch,
		.recv_batch = packet_recv_batch,
	},
	{
		.network = PERF_UNIX,
		.open = stream_open,
		.dial = stream_dial,
		.accept = stream_accept,
		.close = stream_close,
		.close_service = close_listener,
		.send = stream_send,
		.recv = stream_recv,
	},
};

const struct perf_way *perf_way_of_library(enum perf_network network)
{
	return network <= PERF_UNIX ? &ways[network] : NULL;
}
