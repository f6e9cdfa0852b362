/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PERF_WAY_H
#define UNIXMSG_TOOLS_PERF_WAY_H

/*
 * The ways of sending messages that are measured: the networks of the library,
 * and the same jobs in plain system calls that block and do nothing else. TCP
 * and UDP on the loopback device use plain calls only.
 *
 * Functions return 0, or -1 with errno; those that send or receive may return
 * 1. A plain receive of a way that carries bytes continues until a message is
 * complete.
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

/* One end: a client, a listener, or a connection that it has accepted. */
struct perf_end {
	int fd;
	void *link; /* of the library */
	/* The address of a service, or of the sender of a datagram. */
	struct sockaddr_storage plain_addr;
	socklen_t plain_addr_size;
	struct unixaddr addr;
	char name[64];       /* of a service of the library */
	uint64_t lane_bytes; /* 0: no lanes */
};

struct perf_way {
	enum perf_network network;
	/* Opens a service, which listens if the network has connections. */
	int (*open)(struct perf_end *service, enum perf_network network);
	int (*dial)(struct perf_end *client, const struct perf_end *service,
		int64_t spin_us);
	int (*accept)(struct perf_end *link, const struct perf_end *service,
		int64_t spin_us);
	/* Does nothing to an end that is closed, or was never opened. */
	void (*close)(struct perf_end *end);
	void (*close_service)(struct perf_end *service);
	int (*send)(struct perf_end *end, const void *data, size_t size);
	int (*recv)(struct perf_end *end, void *data, size_t size);
	/* A datagram service receives from any client, and answers it. */
	int (*recv_from)(struct perf_end *end, void *data, size_t size);
	int (*send_back)(struct perf_end *end, const void *data, size_t size);
	/* Sends or receives count messages of that size, all with the same
	 * memory; NULL without batches. *received may be less than count. */
	int (*send_batch)(struct perf_end *end, void *data, size_t size,
		size_t count);
	int (*recv_batch)(struct perf_end *end, void *data, size_t size,
		size_t count, size_t *received);
};

/* Returns NULL if the library has no such network. */
const struct perf_way *perf_way_of_library(enum perf_network network);

const struct perf_way *perf_way_of_plain(enum perf_network network);

/* Opens a plain client of another program's server at a Unix address. */
int perf_plain_dial_address(struct perf_end *client, enum perf_network network,
	const char *address);

const char *perf_network_get_name(enum perf_network network);

/* Returns -1 if there is no such network. */
int perf_network_find(const char *name);

/* True if it has connections; true if it carries bytes, not messages. */
bool perf_network_is_connected(enum perf_network network);
bool perf_network_is_stream(enum perf_network network);

/* Returns the largest message. */
size_t perf_network_get_size_max(enum perf_network network);

#endif
