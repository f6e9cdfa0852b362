/* SPDX-License-Identifier: MIT */
/*
 * The code of a program that needs only speed: blocking calls, no unneeded
 * addresses, no control data. The library is compared with it, so add nothing
 * here that only a careful program needs.
 */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/perf/perf_way.h"

static int get_type(enum perf_network network)
{
	switch (network) {
	case PERF_UNIXGRAM:
	case PERF_UDP:
		return SOCK_DGRAM;
	case PERF_UNIXPACKET:
		return SOCK_SEQPACKET;
	default:
		return SOCK_STREAM;
	}
}

static bool is_internet(enum perf_network network)
{
	return network == PERF_TCP || network == PERF_UDP;
}

static int fail(struct perf_end *end)
{
	int saved = errno;

	close(end->fd);
	end->fd = -1;
	errno = saved;
	return -1;
}

static int open_socket(struct perf_end *end, enum perf_network network)
{
	int family = is_internet(network) ? AF_INET : AF_UNIX;

	end->fd = socket(family, get_type(network) | SOCK_CLOEXEC, 0);
	return end->fd < 0 ? -1 : 0;
}

/* The kernel chooses a free abstract name, or a port. */
static int bind_anywhere(struct perf_end *end, enum perf_network network)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (is_internet(network))
		return bind(end->fd, (struct sockaddr *)&in, sizeof(in));
	return bind(end->fd, (struct sockaddr *)&un,
		offsetof(struct sockaddr_un, sun_path));
}

/* Raises the buffer of UDP, which drops messages that have no room. */
static void widen(const struct perf_end *end, enum perf_network network)
{
	const int bytes = 4 << 20;

	if (network == PERF_UDP)
		setsockopt(end->fd, SOL_SOCKET, SO_RCVBUF, &bytes,
			sizeof(bytes));
}

/* Sets TCP_NODELAY, as programs with small messages do. */
static void hurry(const struct perf_end *end, int family)
{
	const int on = 1;

	if (family == AF_INET)
		setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int plain_open(struct perf_end *service, enum perf_network network)
{
	if (open_socket(service, network) < 0)
		return -1;
	widen(service, network);
	service->plain_addr_size = sizeof(service->plain_addr);
	if (bind_anywhere(service, network) < 0 ||
		getsockname(service->fd,
			(struct sockaddr *)&service->plain_addr,
			&service->plain_addr_size) < 0)
		return fail(service);
	if (perf_network_is_connected(network) &&
		listen(service->fd, SOMAXCONN) < 0)
		return fail(service);
	return 0;
}

static int dial(struct perf_end *client, enum perf_network network,
	const struct sockaddr *to, socklen_t size)
{
	if (open_socket(client, network) < 0)
		return -1;
	/* A datagram client needs an address for its answers. */
	if (network == PERF_UNIXGRAM && bind_anywhere(client, network) < 0)
		return fail(client);
	if (connect(client->fd, to, size) < 0)
		return fail(client);
	if (network == PERF_TCP)
		hurry(client, AF_INET);
	return 0;
}

static enum perf_network get_network(const struct perf_end *service)
{
	int type = 0;
	socklen_t size = sizeof(type);

	getsockopt(service->fd, SOL_SOCKET, SO_TYPE, &type, &size);
	if (service->plain_addr.ss_family == AF_INET)
		return type == SOCK_DGRAM ? PERF_UDP : PERF_TCP;
	if (type == SOCK_DGRAM)
		return PERF_UNIXGRAM;
	return type == SOCK_SEQPACKET ? PERF_UNIXPACKET : PERF_UNIX;
}

static int plain_dial(struct perf_end *client, const struct perf_end *service,
	int64_t spin_us)
{
	(void)spin_us;
	return dial(client, get_network(service),
		(const struct sockaddr *)&service->plain_addr,
		service->plain_addr_size);
}

int perf_plain_dial_address(struct perf_end *client, enum perf_network network,
	const char *address)
{
	const struct sockaddr *to;
	struct unixaddr addr;
	socklen_t size;

	if (unixaddr_parse(&addr, address) < 0)
		return -1;
	to = unixaddr_get_sockaddr(&addr, &size);
	return dial(client, network, to, size);
}

static int plain_accept(struct perf_end *link, const struct perf_end *service,
	int64_t spin_us)
{
	(void)spin_us;
	link->fd = accept4(service->fd, NULL, NULL, SOCK_CLOEXEC);
	if (link->fd < 0)
		return -1;
	hurry(link, service->plain_addr.ss_family);
	return 0;
}

static void plain_close(struct perf_end *end)
{
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
}

static int plain_send(struct perf_end *end, const void *data, size_t size)
{
	return send(end->fd, data, size, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int check_size(ssize_t got, size_t size)
{
	if (got < 0)
		return -1;
	if ((size_t)got == size)
		return 1;
	if (got == 0)
		return 0;
	errno = EBADMSG;
	return -1;
}

static int plain_recv(struct perf_end *end, void *data, size_t size)
{
	return check_size(recv(end->fd, data, size, 0), size);
}

static int plain_send_bytes(struct perf_end *end, const void *data, size_t size)
{
	size_t sent = 0;
	ssize_t put;

	while (sent < size) {
		put = send(end->fd, (const char *)data + sent, size - sent,
			MSG_NOSIGNAL);
		if (put < 0)
			return -1;
		sent += (size_t)put;
	}
	return 0;
}

static int plain_recv_bytes(struct perf_end *end, void *data, size_t size)
{
	size_t received = 0;
	ssize_t got;

	do {
		got = recv(end->fd, (char *)data + received, size - received,
			0);
		if (got <= 0)
			return (int)got;
		received += (size_t)got;
	} while (received < size);
	return 1;
}

static int plain_recv_from(struct perf_end *end, void *data, size_t size)
{
	end->plain_addr_size = sizeof(end->plain_addr);
	return check_size(recvfrom(end->fd, data, size, 0,
				  (struct sockaddr *)&end->plain_addr,
				  &end->plain_addr_size),
		size);
}

static int plain_send_back(struct perf_end *end, const void *data, size_t size)
{
	return sendto(end->fd, data, size, MSG_NOSIGNAL,
		       (struct sockaddr *)&end->plain_addr,
		       end->plain_addr_size) < 0
		? -1
		: 0;
}

static const struct perf_way ways[PERF_NETWORKS] = {
	{
		.network = PERF_UNIXGRAM,
		.open = plain_open,
		.dial = plain_dial,
		.close = plain_close,
		.close_service = plain_close,
		.send = plain_send,
		.recv = plain_recv,
		.recv_from = plain_recv_from,
		.send_back = plain_send_back,
	},
	{
		.network = PERF_UNIXPACKET,
		.open = plain_open,
		.dial = plain_dial,
		.accept = plain_accept,
		.close = plain_close,
		.close_service = plain_close,
		.send = plain_send,
		.recv = plain_recv,
	},
	{
		.network = PERF_UNIX,
		.open = plain_open,
		.dial = plain_dial,
		.accept = plain_accept,
		.close = plain_close,
		.close_service = plain_close,
		.send = plain_send_bytes,
		.recv = plain_recv_bytes,
	},
	{
		.network = PERF_TCP,
		.open = plain_open,
		.dial = plain_dial,
		.accept = plain_accept,
		.close = plain_close,
		.close_service = plain_close,
		.send = plain_send_bytes,
		.recv = plain_recv_bytes,
	},
	{
		.network = PERF_UDP,
		.open = plain_open,
		.dial = plain_dial,
		.close = plain_close,
		.close_service = plain_close,
		.send = plain_send,
		.recv = plain_recv,
		.recv_from = plain_recv_from,
		.send_back = plain_send_back,
	},
};

const struct perf_way *perf_way_of_plain(enum perf_network network)
{
	return &ways[network];
}
