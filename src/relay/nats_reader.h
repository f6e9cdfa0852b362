/* SPDX-License-Identifier: MIT */
/*
 * nats_reader: what a nats-server sends, in the text protocol of its clients.
 * It is fed with bytes, cut anywhere, and gives events.
 *
 *	place = nats_reader_get_room(reader, &room);
 *	nats_reader_add(reader, recv(fd, place, room, 0));
 *	while ((result = nats_reader_take(reader, &event)) == 1)
 *		use(&event);
 *
 * Lines are bounded, and so is what is kept of a payload. Anything that is not
 * exactly the protocol is EPROTO, and ends the connection.
 */
#ifndef UNIXMSG_RELAY_NATS_READER_H
#define UNIXMSG_RELAY_NATS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/nats_info.h"

/* The most bytes of a line: of the one with INFO, which lists the servers of a
 * cluster, and of others. */
#define NATS_INFO_MAX 32768
#define NATS_LINE_MAX 4096

/* The status of a message that the server sends back because there is nobody to
 * receive it. */
#define NATS_NO_RESPONDERS 503

enum nats_kind {
	NATS_INFO,
	NATS_MESSAGE,
	NATS_PING,
	NATS_PONG,
	NATS_OK,
	NATS_ERROR,
};

/* Its pointers are valid until the next call with the reader. */
struct nats_event {
	enum nats_kind kind;
	const struct nats_info *info; /* of NATS_INFO */
	const char *text;             /* of NATS_ERROR: printable ASCII */
	/* The members of NATS_MESSAGE. */
	const char *subject;
	const char *reply;   /* NULL: none */
	uint64_t number;     /* of the subscription */
	unsigned int status; /* in its header; 0: none */
	const void *data; /* NULL: the payload is too large, and is skipped */
	size_t size;
};

struct nats_reader {
	char *data;
	size_t room;
	size_t payload_most;
	size_t begin, end; /* what is there and not taken */
	size_t seen;       /* so much of it has no end of a line */
	size_t skipped;    /* bytes to come that nobody wants */
	bool is_broken;
	struct nats_info info;
};

/*
 * Payloads up to payload_most are kept. Returns 0, or -1 with ENOMEM. The
 * memory is one piece of fixed size, which the kernel gives as it is used.
 */
int nats_reader_init(struct nats_reader *reader, size_t payload_most);
void nats_reader_free(struct nats_reader *reader);

/* Forgets all that is there, for another connection. */
void nats_reader_reset(struct nats_reader *reader);

/* Returns where to put the next bytes, and for how many there is room: at least
 * one if nats_reader_take has returned 0. */
void *nats_reader_get_room(struct nats_reader *reader, size_t *room);

/* Adds bytes that were put there. */
void nats_reader_add(struct nats_reader *reader, size_t size);

/* Takes the next event. Returns 1, 0 if more bytes are needed, or -1 with
 * EPROTO, and then for ever. */
int nats_reader_take(struct nats_reader *reader, struct nats_event *event);

#endif
