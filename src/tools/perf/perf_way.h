/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_WAY_H
#define UNIXMSG_TOOLS_PERF_WAY_H

/*
 * The ways for messages to go that are measured: the networks of the library,
 * and the same jobs in plain system calls that block and do nothing else; TCP
 * and UDP on the loopback device in plain calls only.
 *
 * Functions give 0, or -1 with errno; those that send or receive may give 1. A
 * plain receive of a way that carries bytes goes on until all of a message
 * has come.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "unixmsg.h"

enum perf_network {
	PERF_UNIXGRAM,
	PERF_UNIXPACKET,
	PERF_UNIX,
	PERF_TCP,
	PERF_UDP,
	PERF_NETWORKS,
};

/* One end: that of a client, a listener, or what it has accepted. */
struct perf_end {
	int fd;
	void *link; /* of the library */
	/* Of a service: where it is. Of datagrams that were received: from. */
	struct sockaddr_storage plain_addr;
	socklen_t plain_addr_size;
	struct unixaddr addr;
	char name[64]; /* of a service of the library */
};

struct perf_way {
	enum perf_network network;
	/* Opens a service, which listens where there are connections. */
	int (*open)(struct perf_end *service, enum perf_network network);
	int (*dial)(struct perf_end *client, const struct perf_end *service,
		int64_t spin_us);
	int (*accept)(struct perf_end *link, const struct perf_end *service,
		int64_t spin_us);
	/* An end that is closed, or was never opened, may be closed again. */
	void (*close)(struct perf_end *end);
	void (*close_service)(struct perf_end *service);
	int (*send)(struct perf_end *end, const void *data, size_t size);
	int (*recv)(struct perf_end *end, void *data, size_t size);
	/* A datagram service: receives from anybody, and answers to him. */
	int (*recv_from)(struct perf_end *end, void *data, size_t size);
	int (*send_back)(struct perf_end *end, const void *data, size_t size);
	/* count messages of that size, all from or to the same memory; NULL
	 * where there are no batches. *received may be less than count. */
	int (*send_batch)(struct perf_end *end, void *data, size_t size,
		size_t count);
	int (*recv_batch)(struct perf_end *end, void *data, size_t size,
		size_t count, size_t *received);
};

/* NULL where the library has no such network. */
const struct perf_way *perf_way_of_library(enum perf_network network);

const struct perf_way *perf_way_of_plain(enum perf_network network);

/* A plain client of a service that somebody else runs, at a Unix address. */
int perf_plain_dial_address(struct perf_end *client, enum perf_network network,
	const char *address);

const char *perf_network_get_name(enum perf_network network);

/* -1 when there is no such network. */
int perf_network_find(const char *name);

/* Whether it has connections; whether it carries bytes, not messages. */
bool perf_network_is_connected(enum perf_network network);
bool perf_network_is_stream(enum perf_network network);

/* The largest message. */
size_t perf_network_get_size_max(enum perf_network network);

#endif
