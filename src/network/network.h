/* SPDX-License-Identifier: MIT */
/*
 * network: what unixgram, unixpacket and unix do each in its own way. This is
 * the one table of it: conn.c is written once for all of them.
 */
#ifndef UNIXMSG_NETWORK_H
#define UNIXMSG_NETWORK_H

#include <stdatomic.h>

#include "base/endpoint.h"
#include "unixmsg/conn.h"

/* Two threads may send at once, and a third receive. */
struct conn_counts {
	atomic_uint_fast64_t sent;
	atomic_uint_fast64_t dropped;
	atomic_uint_fast64_t failed;
	atomic_uint_fast64_t waited;
	atomic_uint_fast64_t reconnects;
	atomic_uint_fast64_t received;
	atomic_uint_fast64_t cut;
};

/* The first member of what a network keeps of a connection. */
struct unixconn {
	struct endpoint end;
	const struct network *network;
	enum unixconn_policy policy;
	uint64_t tag; /* see struct unixlisten_options */
	struct conn_counts counts;
};

/*
 * The calls are those of unixmsg/conn.h, after the arguments were checked and
 * before the policy and the counts: a send gives 0 or -1. NULL: ENOTSUP.
 */
struct network {
	const char *name;
	int type;    /* of the socket, SOCK_... */
	size_t size; /* of what begins with struct unixconn */
	/* Connects conn, on which nothing is open yet. */
	int (*dial)(struct unixconn *conn, const char *address,
		const struct unixdial_options *options, int64_t deadline_us);
	/* conn has just got a socket that somebody else had before. NULL:
	 * nothing to do. */
	int (*take_over)(struct unixconn *conn);
	/* Frees what it has besides. NULL: nothing to do. */
	void (*dispose)(struct unixconn *conn);
	/* Whether it has a peer. NULL: as the kernel says. */
	int (*check_peer)(const struct unixconn *conn);

	int (*send)(struct unixconn *conn, const void *data, size_t size,
		int64_t deadline_us);
	int (*send_to)(struct unixconn *conn, const struct unixaddr *to,
		const void *data, size_t size, int64_t deadline_us);
	int (*send_msg)(struct unixconn *conn, const struct unixmsg *msg,
		int64_t deadline_us);
	int (*send_batch)(struct unixconn *conn, const struct unixmsg *msgs,
		size_t count, size_t *sent, int64_t deadline_us);
	/* size is there, from may be NULL; msg was reset. */
	int (*recv)(struct unixconn *conn, void *data, size_t room,
		size_t *size, struct unixaddr *from, int64_t deadline_us);
	int (*recv_msg)(struct unixconn *conn, struct unixmsg *msg,
		int64_t deadline_us);
	int (*recv_batch)(struct unixconn *conn, struct unixmsg *msgs,
		size_t count, size_t *received, int64_t deadline_us);
	int (*recv_buffer)(struct unixconn *conn, struct unixbuffer *buffer,
		struct unixaddr *from, int64_t deadline_us);
	int (*get_next_size)(struct unixconn *conn, size_t *size,
		int64_t deadline_us);
	int (*read)(struct unixconn *conn, void *data, size_t room,
		size_t *size, int64_t deadline_us);
	int (*write)(struct unixconn *conn, const void *data, size_t size,
		size_t *written, int64_t deadline_us);
	int (*want)(struct unixconn *conn, unsigned int wants);
	int (*get_size_max)(const struct unixconn *conn, size_t *size);
	int (*raise_size_max)(struct unixconn *conn, size_t wanted,
		size_t *reached);
};

extern const struct network unixnetwork__gram;
extern const struct network unixnetwork__packet;
extern const struct network unixnetwork__stream;

/* By name, or another name for it; by the type of a socket. NULL with EINVAL:
 * there is none. */
const struct network *unixnetwork__find(const char *name);
const struct network *unixnetwork__find_type(int type);

static inline void unixnetwork__note(atomic_uint_fast64_t *counter,
	uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

#endif
