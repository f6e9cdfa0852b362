/* SPDX-License-Identifier: MIT */
/*
 * handshake: how a connection of packets comes to its lane, see lane/offer.h.
 * A side that has asked for none, or whose peer has not, notices nothing. What
 * goes wrong on the way leaves the connection without a lane, and is no error.
 */
#ifndef UNIXMSG_HANDSHAKE_H
#define UNIXMSG_HANDSHAKE_H

#include "lane/lane.h"
#include "lane/offer.h"
#include "network/network.h"

enum handshake_stage {
	HANDSHAKE_OVER,     /* there is a lane, or there will be none */
	HANDSHAKE_COUNTING, /* server: too few messages so far */
	HANDSHAKE_ASKED,    /* client: has its name, and hears what comes */
	HANDSHAKE_OFFERED,  /* server: has said HELLO */
	HANDSHAKE_ACCEPTED, /* client: has said ACCEPT */
	HANDSHAKE_OPEN,     /* server: has said GO */
};

struct packet {
	struct unixconn conn;
	atomic_bool is_out; /* what is sent goes by the lane */
	atomic_bool is_in;  /* what is received comes by it */
	struct lane lane;
	atomic_int stage;
	uint64_t number;     /* in the client's name */
	uint32_t ring_size;  /* of the server's memory */
	struct segment mine; /* offered, until lane has it */
	enum offer_kind due; /* to be said when there is room */
	int due_fd;          /* with that */
	atomic_uint sent;    /* messages without a lane */
	atomic_uint received;
};

static inline struct packet *unixhandshake__get(struct unixconn *conn)
{
	return (struct packet *)conn;
}

/* Before the dial: its socket gets a name that asks for a lane. */
void unixhandshake__ask(struct packet *packet);

/* A connection that was accepted: ring_size is that of both rings. */
void unixhandshake__await(struct packet *packet, uint32_t ring_size);

/* A message was sent without a lane; before one is. The caller's turn. */
void unixhandshake__note_sent(struct packet *packet);
void unixhandshake__say_due(struct packet *packet);

/*
 * Hears what the peer says, and answers. 1: something was said, and what comes
 * next may come another way. 0: nothing was. -1: the error of the socket, which
 * it tells but once. In the caller's turn to receive.
 */
int unixhandshake__hear(struct packet *packet);
void unixhandshake__note_received(struct packet *packet);

/* Before the descriptor is closed. */
void unixhandshake__dispose(struct packet *packet);

#endif
