/* SPDX-License-Identifier: MIT */
/* unix: messages on byte streams, each after its length. */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "message/buffer_private.h"
#include "message/msg_private.h"
#include "network/stream_private.h"

/* The length in front of a message. */
#define PREFIX_SIZE 4

/* A message up to this size is copied rather than sent in two parts. */
#define SMALL_SIZE 2048

static const size_t input_first_room = 65536;

/* Measured: a smaller message is copied as fast as it is read in parts. */
static const size_t direct_least = 32768;

/* The result of one step of receiving, besides -1. */
enum { ENDED, RECEIVED, READ };

static void set_prefix(unsigned char prefix[PREFIX_SIZE], size_t size)
{
	prefix[0] = (unsigned char)(size >> 24);
	prefix[1] = (unsigned char)(size >> 16);
	prefix[2] = (unsigned char)(size >> 8);
	prefix[3] = (unsigned char)size;
}

static size_t get_prefix(const unsigned char prefix[PREFIX_SIZE])
{
	return (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 |
		(size_t)prefix[2] << 8 | (size_t)prefix[3];
}

/* Records how much of the message was sent, if the rest may follow. */
static int interrupt_message(struct stream *stream, size_t size, size_t left)
{
	stream->sent = 0;
	/* The peer does not read any more, so the rest cannot follow. */
	if (errno == EPIPE || errno == ECONNRESET)
		return -1;
	stream->sent = PREFIX_SIZE + size - left;
	stream->sent_of = size;
	if (stream->sent > 0)
		errno = EINPROGRESS;
	return -1;
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

static void gather(unsigned char *piece, const struct iovec *parts,
	size_t count)
{
	const struct iovec *part;

	for (part = parts; part < parts + count; part++) {
		if (part->iov_len > 0)
			memcpy(piece, part->iov_base, part->iov_len);
		piece += part->iov_len;
	}
}

static int write_message(struct stream *stream, struct output *output,
	size_t size, int64_t deadline_us)
{
	if (unixstream__write_output(&stream->conn.end, output, deadline_us) <
		0)
		return interrupt_message(stream, size, output->left);
	stream->sent = 0;
	return 0;
}

/* Copies a small message into one piece: cheaper than a second part. */
static int send_small(struct stream *stream, const struct iovec *parts,
	size_t count, size_t size, const struct unixmsg *with,
	int64_t deadline_us)
{
	unsigned char piece[PREFIX_SIZE + SMALL_SIZE];
	struct iovec part = { .iov_base = piece,
		.iov_len = PREFIX_SIZE + size };
	struct output output = { .parts = &part,
		.count = 1,
		.left = part.iov_len,
		.with = with };

	set_prefix(piece, size);
	gather(piece + PREFIX_SIZE, parts, count);
	return write_message(stream, &output, size, deadline_us);
}

/* Also goes on with a message that was sent in part. */
static int send_large(struct stream *stream, struct iovec *parts, size_t count,
	size_t size, const struct unixmsg *with, int64_t deadline_us)
{
	unsigned char prefix[PREFIX_SIZE];
	struct output output = {
		.parts = parts,
		.count = count,
		.left = PREFIX_SIZE + size,
		.with = stream->sent == 0 ? with : NULL,
	};

	if (size > UINT32_MAX)
		return refuse(EMSGSIZE);
	if (stream->sent > 0 && size != stream->sent_of)
		return refuse(EINVAL);
	set_prefix(prefix, size);
	parts[0].iov_base = prefix;
	parts[0].iov_len = sizeof(prefix);
	if (stream->sent > 0)
		unixstream__advance_output(&output, stream->sent);
	return write_message(stream, &output, size, deadline_us);
}

/* Sends parts: the first is for the length, the others have size bytes. with
 * has the control data to send, or is NULL. */
static int send_parts(struct stream *stream, struct iovec *parts, size_t count,
	size_t size, const struct unixmsg *with, int64_t deadline_us)
{
	if (stream->sent == 0 && size <= SMALL_SIZE)
		return send_small(stream, parts + 1, count - 1, size, with,
			deadline_us);
	return send_large(stream, parts, count, size, with, deadline_us);
}

int unixframe__send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us)
{
	struct iovec parts[2];

	parts[1].iov_base = (void *)data;
	parts[1].iov_len = size;
	return send_parts(unixstream__get(conn), parts, 2, size, NULL,
		deadline_us);
}

/* Lists the parts of msg behind one for the length. Returns their number, and
 * the size of the message in *size. */
static size_t list_parts(const struct unixmsg *msg, struct iovec *parts,
	size_t *size)
{
	size_t i;

	*size = msg->room;
	if (msg->parts == NULL) {
		parts[1].iov_base = msg->data;
		parts[1].iov_len = msg->room;
		return 2;
	}
	*size = 0;
	for (i = 0; i < msg->parts_count; i++) {
		parts[1 + i] = msg->parts[i];
		if (__builtin_add_overflow(*size, msg->parts[i].iov_len, size))
			*size = SIZE_MAX;
	}
	return 1 + i;
}

int unixframe__send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	struct iovec parts[1 + IOV_MAX];
	size_t count, size;

	if (unixmsg__check_to_send(&conn->end, msg) < 0)
		return -1;
	count = list_parts(msg, parts, &size);
	return send_parts(unixstream__get(conn), parts, count, size,
		unixcontrol__is_needed(msg) ? msg : NULL, deadline_us);
}

int unixframe__send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	if (unixmsg__check_batch_to_send(&conn->end, msgs, count) < 0)
		return -1;
	for (; *sent < count; ++*sent)
		if (unixframe__send_msg(conn, &msgs[*sent], deadline_us) < 0)
			return -1;
	return 0;
}

static int grow_input(struct stream *stream)
{
	size_t room = stream->input_room * 2;
	unsigned char *input;

	if (room == 0)
		room = input_first_room;
	input = realloc(stream->input, room);
	if (input == NULL)
		return -1;
	stream->input = input;
	stream->input_room = room;
	return 0;
}

/* Makes room behind the bytes that are there. The buffer is full only with part
 * of one message. */
static int make_room(struct stream *stream)
{
	size_t buffered = unixstream__get_buffered(stream);

	if (stream->input_end < stream->input_room)
		return 0;
	if (stream->input_begin == 0)
		return grow_input(stream);
	memmove(stream->input, stream->input + stream->input_begin, buffered);
	stream->input_begin = 0;
	stream->input_end = buffered;
	return 0;
}

/* The end of file inside a message is an error. */
static int end_input(const struct stream *stream)
{
	if (unixstream__get_buffered(stream) == 0 && stream->skip == 0)
		return ENDED;
	errno = EPROTO;
	return -1;
}

/* Returns the missing size of the message, to read no more: see struct
 * ancillary. */
static size_t get_missing(const struct stream *stream)
{
	const size_t buffered = unixstream__get_buffered(stream);

	if (stream->skip > 0)
		return stream->skip;
	if (buffered < PREFIX_SIZE)
		return PREFIX_SIZE - buffered;
	return get_prefix(stream->input + stream->input_begin) -
		(buffered - PREFIX_SIZE);
}

static int read_into_room(struct stream *stream, size_t *got,
	int64_t deadline_us)
{
	unsigned char *data = stream->input + stream->input_end;
	size_t missing, room = stream->input_room - stream->input_end;
	struct iovec parts[2] = { { .iov_base = data, .iov_len = room } };

	if (stream->conn.end.wants == 0)
		return unixstream__read_parts(&stream->conn.end, parts, got,
			deadline_us);
	missing = get_missing(stream);
	return unixstream__read_ancillary(stream, data,
		missing < room ? missing : room, got, deadline_us);
}

static int read_ahead(struct stream *stream, int64_t deadline_us)
{
	size_t got;
	int result;

	if (make_room(stream) < 0)
		return -1;
	result = read_into_room(stream, &got, deadline_us);
	if (result < 0)
		return -1;
	if (result == 0)
		return end_input(stream);
	stream->input_end += got;
	return READ;
}

/* Appends bytes that were read elsewhere to those that were read ahead. */
static void keep(struct stream *stream, const void *data, size_t size)
{
	if (size == 0)
		return;
	memcpy(stream->input + stream->input_end, data, size);
	stream->input_end += size;
}

static bool is_room(const struct stream *stream, size_t size, size_t room)
{
	return size <= room && PREFIX_SIZE + size <= stream->input_room;
}

static bool is_read_direct(const struct stream *stream, size_t room)
{
	return stream->last_size >= direct_least && stream->input_end == 0 &&
		stream->skip == 0 && stream->conn.end.wants == 0 &&
		is_room(stream, stream->last_size, room);
}

/* A message that is read directly into the caller's buffer. */
struct direct {
	unsigned char prefix[PREFIX_SIZE];
	unsigned char *data;
	size_t size;    /* a guess, until the prefix has arrived */
	size_t arrived; /* bytes, prefix and any bytes behind the message too */
};

static bool is_whole(const struct direct *direct)
{
	return direct->arrived >= PREFIX_SIZE &&
		direct->arrived - PREFIX_SIZE >= direct->size;
}

static int read_part(struct endpoint *end, struct direct *direct,
	int64_t deadline_us)
{
	struct iovec parts[2] = {
		{ .iov_base = direct->prefix, .iov_len = PREFIX_SIZE },
		{ .iov_base = direct->data, .iov_len = direct->size },
	};
	size_t got;
	int result;

	unixstream__advance(parts, 2, direct->arrived);
	result = unixstream__read_parts(end, parts, &got, deadline_us);
	if (result != 1)
		return result;
	direct->arrived += got;
	if (direct->arrived >= PREFIX_SIZE)
		direct->size = get_prefix(direct->prefix);
	return 1;
}

/* Keeps bytes that belong to no whole message as if they were read ahead. */
static void keep_rest(struct stream *stream, const struct direct *direct)
{
	size_t begun = direct->arrived, used = 0;

	if (begun > PREFIX_SIZE)
		begun = PREFIX_SIZE;
	if (is_whole(direct))
		used = direct->size;
	else
		keep(stream, direct->prefix, begun);
	keep(stream, direct->data + used, direct->arrived - begun - used);
}

/*
 * Large messages often have the same size. So the call guesses that this one is
 * as large as the last, and reads it directly into the caller's buffer, which
 * saves a copy. If the guess is wrong, the input buffer has room for the rest.
 */
static int read_direct(struct stream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	struct direct direct = { .data = data, .size = stream->last_size };
	int result;

	do
		result = read_part(&stream->conn.end, &direct, deadline_us);
	while (result == 1 && !is_whole(&direct) &&
		is_room(stream, direct.size, room));
	keep_rest(stream, &direct);
	if (result < 0)
		return -1;
	if (result == 0)
		return end_input(stream);
	if (!is_whole(&direct))
		return READ;
	stream->last_size = direct.size;
	*size = direct.size;
	return RECEIVED;
}

/* Drops the bytes that have arrived of a message that was too large. */
static void skip_input(struct stream *stream)
{
	size_t size = unixstream__get_buffered(stream);

	if (stream->skip == 0)
		return;
	if (size > stream->skip)
		size = stream->skip;
	stream->skip -= size;
	unixstream__consume(stream, size);
	unixstream__drop_ancillary(stream);
}

/* The caller's buffer for a message: parts, with room bytes in total. */
struct sink {
	const struct iovec *parts;
	size_t count;
	size_t room;
	bool is_prefix_wanted; /* when the message is too large */
	bool is_peeking;       /* the message stays in the queue */
	bool is_cut;
};

static void scatter(const unsigned char *from, const struct sink *sink,
	size_t size)
{
	size_t i, part;

	for (i = 0; i < sink->count && size > 0; i++) {
		part = size < sink->parts[i].iov_len ? size
						     : sink->parts[i].iov_len;
		if (part > 0)
			memcpy(sink->parts[i].iov_base, from, part);
		from += part;
		size -= part;
	}
}

/* Copies size bytes of the first message that was read ahead. */
static void deliver(struct stream *stream, const struct sink *sink, size_t size)
{
	scatter(stream->input + stream->input_begin + PREFIX_SIZE, sink, size);
	if (!sink->is_peeking)
		unixstream__consume(stream, PREFIX_SIZE + size);
}

/* Delivers the beginning of a message that is too large, once it has arrived,
 * and skips the rest. */
static int take_prefix(struct stream *stream, struct sink *sink, size_t size)
{
	if (!sink->is_prefix_wanted && sink->is_peeking)
		return refuse(EMSGSIZE);
	if (!sink->is_prefix_wanted) {
		unixstream__consume(stream, PREFIX_SIZE);
		unixstream__drop_ancillary(stream);
		stream->skip = size;
		return refuse(EMSGSIZE);
	}
	if (unixstream__get_buffered(stream) - PREFIX_SIZE < sink->room)
		return 0;
	deliver(stream, sink, sink->room);
	stream->skip = sink->is_peeking ? 0 : size - sink->room;
	sink->is_cut = true;
	return RECEIVED;
}

/*
 * Looks at the bytes that were read ahead. Returns 1 if a message is now in the
 * sink, 0 if there is none yet, -1 if it is too large.
 */
static int take_message(struct stream *stream, struct sink *sink, size_t *size)
{
	skip_input(stream);
	if (unixstream__get_buffered(stream) < PREFIX_SIZE)
		return 0;
	*size = get_prefix(stream->input + stream->input_begin);
	if (*size > sink->room)
		return take_prefix(stream, sink, *size);
	if (unixstream__get_buffered(stream) - PREFIX_SIZE < *size)
		return 0;
	deliver(stream, sink, *size);
	stream->last_size = *size;
	return RECEIVED;
}

static int read_more(struct stream *stream, const struct sink *sink,
	size_t *size, int64_t deadline_us)
{
	if (sink->count == 1 && !sink->is_peeking &&
		is_read_direct(stream, sink->room))
		return read_direct(stream, sink->parts->iov_base, sink->room,
			size, deadline_us);
	return read_ahead(stream, deadline_us);
}

static int recv_message(struct stream *stream, struct sink *sink, size_t *size,
	int64_t deadline_us)
{
	int result;

	while ((result = take_message(stream, sink, size)) == 0) {
		*size = 0;
		result = read_more(stream, sink, size, deadline_us);
		if (result != READ)
			break;
	}
	return result;
}

int unixframe__recv(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct iovec part = { .iov_base = data, .iov_len = room };
	struct sink sink = { .parts = &part, .count = 1, .room = room };
	struct stream *stream = unixstream__get(conn);
	int result;

	*size = 0;
	if (from != NULL && unixendpoint__get_peer(&conn->end, from) < 0)
		return -1;
	result = recv_message(stream, &sink, size, deadline_us);
	if (result == 1)
		unixstream__drop_ancillary(stream);
	return result;
}

static int recv_msg(struct stream *stream, struct unixmsg *msg,
	unsigned int flags, int64_t deadline_us)
{
	const struct iovec part = { .iov_base = msg->data,
		.iov_len = msg->room };
	const bool is_in_parts = msg->parts != NULL;
	struct sink sink = {
		.parts = is_in_parts ? msg->parts : &part,
		.count = is_in_parts ? msg->parts_count : 1,
		.is_prefix_wanted = (flags & UNIXMSG_PREFIX) != 0,
		.is_peeking = (flags & UNIXMSG_PEEK) != 0,
	};
	size_t i;
	int result;

	for (i = 0; i < sink.count; i++)
		sink.room += sink.parts[i].iov_len;
	if (msg->addr != NULL &&
		unixendpoint__get_peer(&stream->conn.end, msg->addr) < 0)
		return -1;
	result = recv_message(stream, &sink, &msg->size, deadline_us);
	if (sink.is_cut)
		msg->flags |= UNIXMSG_CUT;
	if (result == 1 && !sink.is_peeking)
		unixstream__hand_over(stream, msg);
	return result;
}

int unixframe__recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us)
{
	if (unixmsg__check_to_receive(&conn->end, msg) < 0)
		return -1;
	return recv_msg(unixstream__get(conn), msg, msg->flags, deadline_us);
}

/* Tells whether a whole message was read ahead. */
static bool has_message(struct stream *stream)
{
	skip_input(stream);
	return unixstream__get_buffered(stream) >= PREFIX_SIZE &&
		unixstream__get_buffered(stream) - PREFIX_SIZE >=
		get_prefix(stream->input + stream->input_begin);
}

/* Closes a wanted pidfd, as a batch does not return it. */
static int recv_of_batch(struct stream *stream, struct unixmsg *msg,
	int64_t deadline_us)
{
	int result;

	unixmsg__reset(msg);
	result = recv_msg(stream, msg, UNIXMSG_PREFIX, deadline_us);
	unixmsg_close_fds(msg);
	return result;
}

/* Waits for the first message only, and adds those that were read ahead. */
int unixframe__recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	struct stream *stream = unixstream__get(conn);
	int result;

	if (unixmsg__check_batch(msgs, count) < 0)
		return -1;
	if (count > UNIXMSG_BATCH_MAX)
		count = UNIXMSG_BATCH_MAX;
	result = recv_of_batch(stream, &msgs[0], deadline_us);
	if (result != 1)
		return result;
	for (*received = 1; *received < count && has_message(stream);
		++*received)
		recv_of_batch(stream, &msgs[*received], UNIXMSG_NOW);
	return 1;
}

int unixframe__get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us)
{
	struct stream *stream = unixstream__get(conn);
	int result;

	for (;;) {
		skip_input(stream);
		if (unixstream__get_buffered(stream) >= PREFIX_SIZE)
			break;
		result = read_ahead(stream, deadline_us);
		if (result != READ)
			return result;
	}
	*size = get_prefix(stream->input + stream->input_begin);
	return 1;
}

int unixframe__recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	size_t size;
	int result = unixframe__get_next_size(conn, &size, deadline_us);

	buffer->size = 0;
	if (result < 1)
		return result;
	if (unixbuffer__reserve(buffer, size) < 0 && errno != EMSGSIZE)
		return -1;
	return unixframe__recv(conn, buffer->data, buffer->room, &buffer->size,
		from, deadline_us);
}
