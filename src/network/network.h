/* SPDX-License-Identifier: MIT */
/*
 * network: the calls that differ between unixgram, unixpacket and unix. This is
 * their only table: conn.c is written once for all networks.
 */
#ifndef UNIXMSG_NETWORK_H
#define UNIXMSG_NETWORK_H

#include <stdatomic.h>

#include "base/endpoint.h"
#include "base/threads.h"
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

/* The first member of each network's own struct for a connection. */
struct unixconn {
	struct endpoint end;
	const struct network *network;
	enum unixconn_policy policy;
	uint64_t tag; /* see struct unixlisten_options */
	struct conn_counts counts;
};

/*
 * The calls are those of unixmsg/conn.h, without the checks of arguments, the
 * policy and the counters, which conn_messages.c adds. A send returns 0 or -1.
 * NULL means ENOTSUP.
 */
struct network {
	const char *name;
	int type;    /* of the socket, SOCK_... */
	size_t size; /* of the struct that begins with struct unixconn */
	/* Connects conn, which has no socket yet. */
	int (*dial)(struct unixconn *conn, const char *address,
		const struct unixdial_options *options, int64_t deadline_us);
	/* Prepares conn for a socket made elsewhere. NULL: nothing to do. */
	int (*take_over)(struct unixconn *conn);
	/* Frees the network's own memory, while the descriptor is still open.
	 * NULL: nothing to do. */
	void (*dispose)(struct unixconn *conn);
	/* Tells whether the descriptor alone has all that was received and
	 * sent. NULL: it has. */
	bool (*is_whole)(const struct unixconn *conn);
	/* NULL: it never has a lane. */
	bool (*is_lane)(const struct unixconn *conn);
	/* NULL: as shutdown(2). */
	int (*shutdown)(struct unixconn *conn, int how);
	/* Checks that it has a peer. NULL: the kernel knows. */
	int (*check_peer)(const struct unixconn *conn);

	int (*send)(struct unixconn *conn, const void *data, size_t size,
		int64_t deadline_us);
	int (*send_to)(struct unixconn *conn, const struct unixaddr *to,
		const void *data, size_t size, int64_t deadline_us);
	int (*send_msg)(struct unixconn *conn, const struct unixmsg *msg,
		int64_t deadline_us);
	int (*send_batch)(struct unixconn *conn, const struct unixmsg *msgs,
		size_t count, size_t *sent, int64_t deadline_us);
	/* size is not NULL, from may be NULL; msg was reset. */
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
	/* The calls of unixmsg/lane.h; release, commit and cancel return 0. */
	int (*reserve)(struct unixconn *conn, size_t size, void **data,
		int64_t deadline_us);
	int (*commit)(struct unixconn *conn, size_t size, int64_t deadline_us);
	int (*cancel)(struct unixconn *conn);
	int (*peek)(struct unixconn *conn, const void **data, size_t *size,
		int64_t deadline_us);
	int (*release)(struct unixconn *conn);
	int (*want)(struct unixconn *conn, unsigned int wants);
	/* NULL: as the kernel says. */
	int (*get_unread)(const struct unixconn *conn, size_t *bytes);
	int (*get_size_max)(const struct unixconn *conn, size_t *size);
	int (*raise_size_max)(struct unixconn *conn, size_t wanted,
		size_t *reached);
};

extern const struct network unixnetwork__gram;
extern const struct network unixnetwork__packet;
extern const struct network unixnetwork__packet_lane;
extern const struct network unixnetwork__stream;

/* Find a network by any of its names, or by the type of a socket. Return NULL
 * with EINVAL if there is none. */
const struct network *unixnetwork__find(const char *name);
const struct network *unixnetwork__find_type(int type);

/* Returns the network with lanes, or NULL with ENOTSUP if it has none. */
const struct network *unixnetwork__find_lane(const struct network *network);

static inline void unixnetwork__note(atomic_uint_fast64_t *counter,
	uint64_t more)
{
	if (threads_is_single()) {
		atomic_store_explicit(counter,
			atomic_load_explicit(counter, memory_order_relaxed) +
				more,
			memory_order_relaxed);
		return;
	}
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

#endif
