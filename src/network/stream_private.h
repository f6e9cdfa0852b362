/* SPDX-License-Identifier: MIT */
/*
 * stream: its bytes in stream_bytes.c, the messages that frame.c makes of them,
 * and the network itself in stream.c.
 */
#ifndef UNIXMSG_STREAM_PRIVATE_H
#define UNIXMSG_STREAM_PRIVATE_H

#include <string.h>
#include <sys/uio.h>

#include "network/conn_private.h"

/*
 * What has come beside the bytes of the message that is on its way. The kernel
 * ends a read with the bytes that descriptors came with, so where any are
 * wanted no more is read than that message: what comes is its own.
 */
struct carried {
	struct unixmsg msg; /* descriptors, credentials and pidfd of it */
	int fds[UNIXMSG_FDS_MAX];
};

struct stream {
	struct unixconn conn;
	/* What was read ahead of a message, from input_begin to input_end. */
	unsigned char *input;
	size_t input_room;
	size_t input_begin;
	size_t input_end;
	/* How much is still to come of a message that was too large. */
	size_t skip;
	size_t last_size; /* of the message before */
	/* How far a message of sent_of bytes has gone, its prefix included; 0
	 * between two messages. */
	size_t sent;
	size_t sent_of;
	struct carried *carried; /* NULL until something may come */
};

/* What is to be written: nothing is left when it has gone. */
struct output {
	struct iovec *parts;
	size_t count;
	size_t left;                /* bytes */
	const struct unixmsg *with; /* what goes beside the first, or NULL */
};

static inline struct stream *unixstream__get(struct unixconn *conn)
{
	return (struct stream *)conn;
}

static inline size_t unixstream__get_buffered(const struct stream *stream)
{
	return stream->input_end - stream->input_begin;
}

static inline void unixstream__consume(struct stream *stream, size_t size)
{
	stream->input_begin += size;
	if (stream->input_begin == stream->input_end) {
		stream->input_begin = 0;
		stream->input_end = 0;
	}
}

/* stream_bytes.c */

/* Takes so many bytes off the front of count parts, or of output. */
void unixstream__advance(struct iovec *parts, size_t count, size_t bytes);
void unixstream__advance_output(struct output *output, size_t bytes);

/* Writes all of output: 0; -1, and what is left of it has not gone. */
int unixstream__write_output(struct endpoint *end, struct output *output,
	int64_t deadline_us);

/* Bytes as they come into two parts, at least one: 1; 0 at the end; -1. */
int unixstream__read_parts(struct endpoint *end, struct iovec parts[2],
	size_t *size, int64_t deadline_us);

/* The same into one, and what came with them goes to stream->carried. */
int unixstream__read_carried(struct stream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us);

/* Closes what has come with a message that nobody wants. */
void unixstream__drop_carried(struct stream *stream);

/* frame.c: the calls of struct network that are about messages. */

int unixframe__send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us);
int unixframe__send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us);
int unixframe__send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us);
int unixframe__recv(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us);
int unixframe__recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us);
int unixframe__recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us);
int unixframe__recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us);
int unixframe__get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us);

#endif
