/* SPDX-License-Identifier: MIT */
/*
 * session: a connection of a client here that goes on as a connection to the
 * service there, as one of the two relays sees it. No sockets: the caller tells
 * what has arrived, and publishes the frames that are made here to the peer of
 * the session, with its own session subject as the reply subject.
 *
 *	client's relay                    service's relay
 *	session_make_open     OPEN  ->    session_accept, with its answer:
 *	session_take         <- ACCEPT    or REFUSE if there is no service
 *	session_make_data     DATA  ->    session_take: deliver it
 *	session_take         <- CREDIT    session_release, once delivered
 *	session_make_fin      FIN   ->    session_take: shut it down
 *
 * The messages delivered are a prefix of those sent, without gaps. A frame that
 * does not follow from the ones before is EPROTO, and resets the session on
 * both sides. Nothing is ever sent again.
 */
#ifndef UNIXMSG_RELAY_SESSION_H
#define UNIXMSG_RELAY_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/frame.h"
#include "relay/subject.h"
#include "relay/window.h"

enum session_state { SESSION_OPENING, SESSION_OPEN, SESSION_OVER };

struct session {
	enum session_state state;
	char peer[SUBJECT_ROOM]; /* where its frames go; "" while opening */
	const char *why;         /* the session was reset, or NULL */
	struct window_out out;
	struct window_in in;
	uint64_t sent;     /* the number of our last message */
	uint64_t received; /* and of theirs */
	bool has_sent_fin;
	bool has_received_fin;
	int64_t heard_us; /* when the last frame of the peer came */
};

/* The meaning of a frame for the caller. */
enum session_event {
	SESSION_NOTHING,
	SESSION_ACCEPTED, /* read from the client from now on */
	SESSION_REFUSED,  /* it is over: there is no service */
	SESSION_MESSAGE,  /* deliver it, then call session_release */
	SESSION_FIN,      /* no message follows: shut that direction down */
	SESSION_PINGED,   /* answer with session_make_pong */
	SESSION_RESET,    /* it is over: the peer has reset it */
	SESSION_STRANGE,  /* of somebody else: ignore it */
};

/* window is how much the peer may send ahead, see window.h. */
void session_init(struct session *session, uint64_t window, int64_t now_us);

/*
 * Takes the OPEN of another relay, and makes its ACCEPT. reply is the reply
 * subject, which may be NULL. Returns 0, or -1 with EPROTO: not an OPEN, or a
 * subject that is no session of our service.
 */
int session_accept(struct session *session, const struct frame *open,
	const char *reply, const struct subject_names *names,
	struct frame *answer);

/*
 * Takes a frame that has arrived for this session; reply is its reply subject,
 * or NULL. Returns an enum session_event, or -1 with EPROTO: the session is
 * over, session->why tells why, and the caller sends the peer a FRAME_RESET.
 * After each frame, session_can_send may have changed.
 */
int session_take(struct session *session, const struct frame *frame,
	const char *reply, const struct subject_names *names, int64_t now_us);

/* Ends the session: the peer is not there (503), is silent, or the connection
 * here was lost. */
void session_reset(struct session *session, const char *why);

/* True if a message of the client may be read and sent: else pause it. */
bool session_can_send(const struct session *session);

/* Makes the frame of a message, which is charged; session_can_send was true. */
void session_make_data(struct session *session, struct frame *frame,
	const void *data, size_t size);

/* The client has ended its direction. */
void session_make_fin(struct session *session, struct frame *frame);

/* A message was delivered. Returns true if frame, a credit, must be sent. */
bool session_release(struct session *session, size_t size, struct frame *frame);

/* The client has connected. */
void session_make_open(struct session *session, struct frame *frame);

/*
 * Both tell the number of our last message, so that its loss is noticed when
 * none follows, and the credit, which makes up for a lost one.
 */
void session_make_ping(struct session *session, struct frame *frame);
void session_make_pong(struct session *session, struct frame *frame);

/* True if the peer was not heard of for so long. */
bool session_is_silent(const struct session *session, int64_t now_us,
	int64_t limit_us);

/* True once both directions have ended; what has arrived may still wait. */
bool session_is_finished(const struct session *session);

#endif
