/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "relay/session.h"

static int fail(struct session *session, const char *why)
{
	session_reset(session, why);
	errno = EPROTO;
	return -1;
}

void session_init(struct session *session, uint64_t window, int64_t now_us)
{
	memset(session, 0, sizeof(*session));
	session->heard_us = now_us;
	window_out_init(&session->out, 0);
	window_in_init(&session->in, window, 0);
}

void session_reset(struct session *session, const char *why)
{
	if (session->state == SESSION_OVER)
		return;
	session->state = SESSION_OVER;
	session->why = why;
}

/* Frames */

static void make(struct frame *frame, enum frame_type type)
{
	memset(frame, 0, sizeof(*frame));
	frame->type = type;
}

void session_make_open(struct session *session, struct frame *frame)
{
	make(frame, FRAME_OPEN);
	frame->credit = window_in_tell(&session->in);
}

void session_make_data(struct session *session, struct frame *frame,
	const void *data, size_t size)
{
	make(frame, FRAME_DATA);
	frame->sequence = ++session->sent;
	frame->data = data;
	frame->size = size;
	window_out_charge(&session->out, size);
}

void session_make_fin(struct session *session, struct frame *frame)
{
	make(frame, FRAME_FIN);
	frame->sequence = ++session->sent;
	session->has_sent_fin = true;
}

static void make_state(struct session *session, struct frame *frame,
	enum frame_type type)
{
	make(frame, type);
	frame->sequence = session->sent;
	frame->credit = window_in_tell(&session->in);
}

void session_make_ping(struct session *session, struct frame *frame)
{
	make_state(session, frame, FRAME_PING);
}

void session_make_pong(struct session *session, struct frame *frame)
{
	make_state(session, frame, FRAME_PONG);
}

bool session_release(struct session *session, size_t size, struct frame *frame)
{
	window_in_release(&session->in, size);
	/* After its end the peer sends nothing that would need credit. */
	if (session->state != SESSION_OPEN || session->has_received_fin ||
		!window_in_is_due(&session->in))
		return false;
	make(frame, FRAME_CREDIT);
	frame->credit = window_in_tell(&session->in);
	return true;
}

/* Beginning */

/* The peer's subject is proved once; later frames must come from the same. */
static int meet(struct session *session, const struct frame *frame,
	const char *reply, const struct subject_names *names)
{
	if (reply == NULL || subject_prove(reply, names, SUBJECT_SESSION) < 0)
		return fail(session, "no session subject to answer to");
	if (window_out_raise(&session->out, frame->credit) < 0)
		return fail(session, "a credit beyond all bounds");
	memcpy(session->peer, reply, strlen(reply) + 1);
	session->state = SESSION_OPEN;
	return 0;
}

int session_accept(struct session *session, const struct frame *open,
	const char *reply, const struct subject_names *names,
	struct frame *answer)
{
	if (open->type != FRAME_OPEN)
		return fail(session, "not the beginning of a session");
	if (meet(session, open, reply, names) < 0)
		return -1;
	make(answer, FRAME_ACCEPT);
	answer->credit = window_in_tell(&session->in);
	return 0;
}

static int take_answer(struct session *session, const struct frame *frame,
	const char *reply, const struct subject_names *names)
{
	if (frame->type == FRAME_ACCEPT)
		return meet(session, frame, reply, names) < 0
			? -1
			: SESSION_ACCEPTED;
	if (frame->type == FRAME_REFUSE) {
		session_reset(session, "there is no service");
		return SESSION_REFUSED;
	}
	return fail(session, "not the answer to a beginning");
}

/* Frames of an open session */

static int take_next_number(struct session *session, const struct frame *frame)
{
	if (session->has_received_fin)
		return fail(session, "a message behind the end");
	if (frame->sequence != session->received + 1)
		return fail(session, "a message is missing, or came twice");
	session->received++;
	return 0;
}

static int take_data(struct session *session, const struct frame *frame)
{
	if (take_next_number(session, frame) < 0)
		return -1;
	if (window_in_charge(&session->in, frame->size) < 0)
		return fail(session, "a message without credit");
	return SESSION_MESSAGE;
}

static int take_fin(struct session *session, const struct frame *frame)
{
	if (take_next_number(session, frame) < 0)
		return -1;
	session->has_received_fin = true;
	return SESSION_FIN;
}

static int take_credit(struct session *session, const struct frame *frame)
{
	if (window_out_raise(&session->out, frame->credit) < 0)
		return fail(session, "a credit beyond all bounds");
	return SESSION_NOTHING;
}

/* Frames of a relay arrive in order: the number is that of the last one. */
static int take_state(struct session *session, const struct frame *frame,
	enum session_event event)
{
	if (frame->sequence != session->received)
		return fail(session, "the last messages are missing");
	return take_credit(session, frame) < 0 ? -1 : (int)event;
}

static int take_open_frame(struct session *session, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_DATA:
		return take_data(session, frame);
	case FRAME_FIN:
		return take_fin(session, frame);
	case FRAME_CREDIT:
		return take_credit(session, frame);
	case FRAME_PING:
		return take_state(session, frame, SESSION_PINGED);
	case FRAME_PONG:
		return take_state(session, frame, SESSION_NOTHING);
	default:
		return fail(session, "a frame out of place");
	}
}

static bool is_of_peer(const struct session *session, const char *reply)
{
	return reply != NULL && strcmp(reply, session->peer) == 0;
}

int session_take(struct session *session, const struct frame *frame,
	const char *reply, const struct subject_names *names, int64_t now_us)
{
	if (session->state == SESSION_OVER)
		return SESSION_STRANGE;
	if (session->state == SESSION_OPEN && !is_of_peer(session, reply))
		return SESSION_STRANGE;
	session->heard_us = now_us;
	if (frame->type == FRAME_RESET) {
		session_reset(session, "the other side has reset it");
		return SESSION_RESET;
	}
	if (session->state == SESSION_OPENING)
		return take_answer(session, frame, reply, names);
	return take_open_frame(session, frame);
}

/* Questions */

bool session_can_send(const struct session *session)
{
	return session->state == SESSION_OPEN && !session->has_sent_fin &&
		window_out_is_open(&session->out);
}

bool session_is_silent(const struct session *session, int64_t now_us,
	int64_t limit_us)
{
	return session->state != SESSION_OVER &&
		now_us - session->heard_us > limit_us;
}

bool session_is_finished(const struct session *session)
{
	return session->has_sent_fin && session->has_received_fin;
}
