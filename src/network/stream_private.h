/* SPDX-License-Identifier: MIT */
/*
 * stream: stream_bytes.c moves the bytes, frame.c makes messages of them, and
 * stream.c is the network.
 */
#ifndef UNIXMSG_STREAM_PRIVATE_H
#define UNIXMSG_STREAM_PRIVATE_H

#include <string.h>
#include <sys/uio.h>

#include "network/conn_private.h"

/*
 * The descriptors and credentials of the message that is being received. The
 * kernel ends a read after the bytes that carry descriptors. So if any are
 * wanted, no read goes beyond the message, and all that arrives belongs to it.
 */
struct ancillary {
	struct unixmsg msg; /* its descriptors, credentials and pidfd */
	int fds[UNIXMSG_FDS_MAX];
};

struct stream {
	struct unixconn conn;
	/* Bytes read ahead, from input_begin to input_end. */
	unsigned char *input;
	size_t input_room;
	size_t input_begin;
	size_t input_end;
	/* Bytes still to come of a message that was too large. */
	size_t skip;
	size_t last_size; /* of the last message */
	/* Bytes sent of a message of sent_of bytes, prefix included; 0 between
	 * two messages. */
	size_t sent;
	size_t sent_of;
	struct ancillary *ancillary; /* NULL until anything may arrive */
};

/* Data to write; nothing is left once all of it is sent. */
struct output {
	struct iovec *parts;
	size_t count;
	size_t left; /* bytes */
	/* Its control data is sent with the first byte; or NULL. */
	const struct unixmsg *with;
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

/* Advances count parts, or output, by so many bytes. */
void unixstream__advance(struct iovec *parts, size_t count, size_t bytes);
void unixstream__advance_output(struct output *output, size_t bytes);

/* Writes all of output. Returns 0, or -1 with the unsent rest in output. */
int unixstream__write_output(struct endpoint *end, struct output *output,
	int64_t deadline_us);

/* Reads at least one byte into two parts. Returns 1, 0 at the end, or -1. */
int unixstream__read_parts(struct endpoint *end, struct iovec parts[2],
	size_t *size, int64_t deadline_us);

/* Does the same into one buffer, and adds control data to stream->ancillary. */
int unixstream__read_ancillary(struct stream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us);

/* Gives msg what has come with its bytes, as far as there is room. */
void unixstream__hand_over(struct stream *stream, struct unixmsg *msg);

/* Closes the descriptors of a message that nobody wants. */
void unixstream__drop_ancillary(struct stream *stream);

/* frame.c: the calls of struct network for messages. */

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
