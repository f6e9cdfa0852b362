/* SPDX-License-Identifier: MIT */
/*
 * handshake: how a unixpacket connection gets its lane, see lane/offer.h. If
 * one side does not ask for a lane, neither side notices anything. A failure on
 * the way leaves the connection without a lane, and is no error.
 */
#ifndef UNIXMSG_HANDSHAKE_H
#define UNIXMSG_HANDSHAKE_H

#include "lane/lane.h"
#include "lane/offer.h"
#include "network/network.h"

enum handshake_stage {
	HANDSHAKE_OVER,     /* there is a lane, or there will be none */
	HANDSHAKE_COUNTING, /* server: too few messages so far */
	HANDSHAKE_READY,    /* server: enough, see unixhandshake__hold */
	HANDSHAKE_ASKED,    /* client: has bound its name, awaits HELLO */
	HANDSHAKE_OFFERED,  /* server: has sent HELLO */
	HANDSHAKE_ACCEPTED, /* client: has sent ACCEPT */
	HANDSHAKE_OPEN,     /* server: has sent GO */
};

struct packet {
	struct unixconn conn;
	atomic_bool is_out; /* we send by the lane */
	atomic_bool is_in;  /* we receive by the lane */
	struct lane lane;
	atomic_int stage;
	bool is_held;
	pid_t process; /* that has dialled or accepted it */
	struct segment_key key;
	uid_t server; /* the user that the client takes for the server's */
	int spare_fd; /* for the client to receive one more */
	uint32_t ring_size;  /* of the server's ring */
	struct segment mine; /* offered, until the lane owns it */
	enum offer_kind due; /* to send when there is room */
	int due_fd;          /* to send with it */
	atomic_uint sent;    /* messages without a lane */
	atomic_uint received;
	atomic_uint looked; /* sent, when we last looked for an offer */
};

static inline struct packet *unixhandshake__get(struct unixconn *conn)
{
	return (struct packet *)conn;
}

/* Binds the socket to a name that asks for a lane. Call it before the dial. */
void unixhandshake__ask(struct packet *packet);

/* Call it after unixendpoint__want, which refuses descriptors: the lane's
 * memory may still come. */
void unixhandshake__let_memory_in(struct packet *packet);

/* Tells, after the dial, whether an offer of the server could be proved: the
 * server's user has a uid in our user namespace. */
bool unixhandshake__can_be_proved(struct packet *packet);

/*
 * Prepares an accepted connection for a lane. ring_size is the size of our
 * ring, and the most for the client's. server is the user that the client takes
 * for ours: the one that called listen(2).
 */
void unixhandshake__await(struct packet *packet, uint32_t ring_size,
	uid_t server);

/*
 * After _hold the service decides about the lane: when _is_ready returns true,
 * it calls _offer or _decline, as one of its calls that send or receive.
 * _has_none returns true if there will be no lane, and no memory is in use.
 */
void unixhandshake__hold(struct packet *packet);
void unixhandshake__offer(struct packet *packet);
void unixhandshake__decline(struct packet *packet);
bool unixhandshake__has_none(const struct packet *packet);

static inline bool unixhandshake__is_ready(const struct packet *packet)
{
	return packet->stage == HANDSHAKE_READY;
}

/* Call the first after a message was sent without a lane, and the second
 * before. Call both in your turn to send. */
void unixhandshake__note_sent(struct packet *packet);
void unixhandshake__say_due(struct packet *packet);

/*
 * Receives a message of the offer, if that is the first on the socket, and
 * answers it. Returns 1 if there was one: the next message may then come by the
 * lane. Returns 0 if the first one is no message of the offer; -1 with EAGAIN
 * if there is no message, or an error of the socket, which the socket reports
 * only once. EMFILE: the first one may be of the offer, but no descriptor is
 * free to prove that; it stays there. After EAGAIN and EMFILE do not receive
 * without another look: a message of the offer may have come since. Call it in
 * your turn to receive.
 */
int unixhandshake__hear(struct packet *packet);
void unixhandshake__note_received(struct packet *packet);

/* Ends the lane, if there is one. Call it before you close the descriptor. */
void unixhandshake__dispose(struct packet *packet);

#endif
