/* SPDX-License-Identifier: MIT */
/* Uses the library without deadlines, because the plain calls have none. */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/perf/perf_way.h"

/* Makes a unique name. It is abstract, so it ends with its socket. */
static void make_name(struct perf_end *service)
{
	static unsigned int number;

	snprintf(service->name, sizeof(service->name), "@unixmsg-perf-%ld-%u",
		(long)getpid(), number++);
}

/* The received message must have the size of the sent one. */
static int check_size(int result, size_t got, size_t size)
{
	if (result < 1 || got == size)
		return result;
	errno = EBADMSG;
	return -1;
}

static int open_datagrams(struct perf_end *service, enum perf_network network)
{
	make_name(service);
	service->link = unixconn_open(perf_network_get_name(network),
		service->name, NULL);
	return service->link == NULL ? -1 : 0;
}

static int open_listener(struct perf_end *service, enum perf_network network)
{
	struct unixlisten_options options = { 0 };

	if (network == PERF_UNIXPACKET)
		options.lane_bytes = service->lane_bytes;
	make_name(service);
	service->link = unixlistener_open(perf_network_get_name(network),
		service->name, &options);
	return service->link == NULL ? -1 : 0;
}

static int dial(struct perf_end *client, const struct perf_end *service,
	enum perf_network network, int64_t spin_us)
{
	struct unixdial_options options = { .spin_us = spin_us };

	if (network == PERF_UNIXPACKET && service->lane_bytes > 0)
		options.flags = UNIXMSG_DIAL_LANE;
	client->link = unixconn_dial(perf_network_get_name(network),
		service->name, &options, UNIXMSG_FOREVER);
	return client->link == NULL ? -1 : 0;
}

static int dial_datagrams(struct perf_end *client,
	const struct perf_end *service, int64_t spin_us)
{
	/* A datagram service is its own link. */
	unixconn_set_spin_us(service->link, spin_us);
	return dial(client, service, PERF_UNIXGRAM, spin_us);
}

static int dial_packet(struct perf_end *client, const struct perf_end *service,
	int64_t spin_us)
{
	return dial(client, service, PERF_UNIXPACKET, spin_us);
}

static int dial_stream(struct perf_end *client, const struct perf_end *service,
	int64_t spin_us)
{
	return dial(client, service, PERF_UNIX, spin_us);
}

static int accept_link(struct perf_end *link, const struct perf_end *service,
	int64_t spin_us)
{
	link->link = unixlistener_accept(service->link, UNIXMSG_FOREVER);
	if (link->link == NULL)
		return -1;
	unixconn_set_spin_us(link->link, spin_us);
	link->fd = unixconn_get_fd(link->link);
	return 0;
}

static void close_link(struct perf_end *end)
{
	unixconn_close(end->link);
	end->link = NULL;
}

static void close_listener(struct perf_end *service)
{
	unixlistener_close(service->link);
	service->link = NULL;
}

static int send_one(struct perf_end *end, const void *data, size_t size)
{
	return unixconn_send(end->link, data, size, UNIXMSG_FOREVER);
}

static int recv_one(struct perf_end *end, void *data, size_t size)
{
	size_t got = 0;
	int result =
		unixconn_recv(end->link, data, size, &got, UNIXMSG_FOREVER);

	return check_size(result, got, size);
}

static int recv_from(struct perf_end *end, void *data, size_t size)
{
	size_t got = 0;
	int result = unixconn_recv_from(end->link, data, size, &got, &end->addr,
		UNIXMSG_FOREVER);

	return check_size(result, got, size);
}

static int send_back(struct perf_end *end, const void *data, size_t size)
{
	return unixconn_send_to(end->link, &end->addr, data, size,
		UNIXMSG_FOREVER);
}

/* Messages with the same part. */
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

/* Reuses the messages of the last batch, as a program would. */
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

static int send_many(struct perf_end *end, void *data, size_t size,
	size_t count)
{
	size_t sent;

	return unixconn_send_batch(end->link, get_batch(data, size, count),
		count, &sent, UNIXMSG_FOREVER);
}

static int recv_many(struct perf_end *end, void *data, size_t size,
	size_t count, size_t *received)
{
	struct unixmsg *msgs = get_batch(data, size, count);
	int result = unixconn_recv_batch(end->link, msgs, count, received,
		UNIXMSG_FOREVER);

	return check_batch(result, msgs, *received, size);
}

static const struct perf_way ways[] = {
	{
		.network = PERF_UNIXGRAM,
		.open = open_datagrams,
		.dial = dial_datagrams,
		.close = close_link,
		.close_service = close_link,
		.send = send_one,
		.recv = recv_one,
		.recv_from = recv_from,
		.send_back = send_back,
		.send_batch = send_many,
		.recv_batch = recv_many,
	},
	{
		.network = PERF_UNIXPACKET,
		.open = open_listener,
		.dial = dial_packet,
		.accept = accept_link,
		.close = close_link,
		.close_service = close_listener,
		.send = send_one,
		.recv = recv_one,
		.send_batch = send_many,
		.recv_batch = recv_many,
	},
	{
		.network = PERF_UNIX,
		.open = open_listener,
		.dial = dial_stream,
		.accept = accept_link,
		.close = close_link,
		.close_service = close_listener,
		.send = send_one,
		.recv = recv_one,
	},
};

const struct perf_way *perf_way_of_library(enum perf_network network)
{
	return network <= PERF_UNIX ? &ways[network] : NULL;
}
