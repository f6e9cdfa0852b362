/* SPDX-License-Identifier: MIT */
/*
 * frame: the head of each message between two relays, big endian:
 *
 *	version u8 | type u8 | flags u16 | 0 u32 | sequence u64 | credit u64
 *
 * In FRAME_DATAGRAM and FRAME_DATA the bytes of a client's message follow.
 * Other frames end with the head.
 */
#ifndef UNIXMSG_RELAY_FRAME_H
#define UNIXMSG_RELAY_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD_SIZE 24
#define FRAME_VERSION 1

enum frame_type {
	FRAME_DATAGRAM = 1,
	FRAME_OPEN,   /* a client has connected, with the credit for answers */
	FRAME_ACCEPT, /* the service has, too, with the credit for messages */
	FRAME_REFUSE, /* the service is not there */
	FRAME_DATA,
	FRAME_CREDIT,
	FRAME_FIN,   /* that was the last message of this direction */
	FRAME_RESET, /* the session is over: messages may be lost */
	FRAME_PING,  /* with what may have been lost: sequence, credit */
	FRAME_PONG,
};

struct frame {
	enum frame_type type;
	/* The number of a message in its direction, from 1; 0 in frames without
	 * one. A ping and a pong have that of the last message before. */
	uint64_t sequence;
	/* How far the sender of this frame lets the other side send, see
	 * window.h; 0 in frames without credit. */
	uint64_t credit;
	const void *data;
	size_t size;
};

/* Writes the head; data is sent behind it. */
void frame_encode(unsigned char head[FRAME_HEAD_SIZE],
	const struct frame *frame);

/*
 * Reads a message; frame->data points into it. Returns 0, or -1 with EPROTO:
 * too short, another version, an unknown type or flag, or something in a frame
 * that has no such thing.
 */
int frame_decode(struct frame *frame, const void *message, size_t size);

#endif
