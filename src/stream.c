/* SPDX-License-Identifier: MIT */
/* unix: byte streams, and messages on them, each behind its length. */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "conn_private.h"
#include "msg_private.h"
#include "wait.h"

/* The length that stands before a message. */
#define PREFIX_SIZE 4

/* A message up to that is copied rather than sent in two parts. */
#define SMALL_SIZE 2048

static const size_t input_first_room = 65536;

/* From that on it pays, by measurement: less is copied as fast as parted. */
static const size_t direct_least = 32768;

/* What a step of receiving has come to, besides -1. */
enum { ENDED, RECEIVED, READ };

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
};

static struct stream *get_stream(struct unixconn *conn)
{
	return (struct stream *)conn;
}

static int stream_dial(struct unixconn *conn, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return unixendpoint_dial(&conn->end, address, options, deadline_us);
}

static int stream_take_over(struct unixconn *conn)
{
	return unixendpoint_mark_messages(&conn->end);
}

static void stream_dispose(struct unixconn *conn)
{
	free(get_stream(conn)->input);
}

/* Two parts; where there is one, without a structure, see msg.c. */
static ssize_t obtain(int fd, struct iovec parts[2], int flags)
{
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	struct iovec *only = &parts[parts[0].iov_len == 0];

	if (parts[0].iov_len == 0 || parts[1].iov_len == 0)
		return recv(fd, only->iov_base, only->iov_len, flags);
	return recvmsg(fd, &header, flags);
}

/* Bytes as they come, at least one: 1; 0 at the end; -1. */
static int read_socket(struct endpoint *end, struct iovec parts[2],
	size_t *size, int64_t deadline_us)
{
	struct wait wait;
	int saved = errno;
	ssize_t got;

	unixwait_begin(&wait, end, POLLIN, deadline_us);
	while ((got = obtain(end->fd, parts, wait.flags)) < 0)
		if (unixwait_again(&wait) < 0)
			return -1;
	unixwait_end(&wait);
	errno = saved;
	*size = (size_t)got;
	return got > 0;
}

static void advance_part(struct iovec *part, size_t count)
{
	/* An empty part may have no address, and nothing is added to that. */
	if (count == 0)
		return;
	part->iov_base = (char *)part->iov_base + count;
	part->iov_len -= count;
}

/* Takes so many bytes off the front of count parts. */
static void advance(struct iovec *parts, size_t count, size_t bytes)
{
	size_t i, taken;

	for (i = 0; i < count && bytes > 0; i++) {
		taken = bytes < parts[i].iov_len ? bytes : parts[i].iov_len;
		advance_part(&parts[i], taken);
		bytes -= taken;
	}
}

/* What is to be written: nothing is left when it has gone. */
struct output {
	struct iovec *parts;
	size_t count;
	size_t left; /* bytes */
};

static void advance_output(struct output *output, size_t bytes)
{
	if (bytes == output->left) {
		output->left = 0;
		return;
	}
	advance(output->parts, output->count, bytes);
	output->left -= bytes;
	while (output->count > 0 && output->parts->iov_len == 0) {
		output->parts++;
		output->count--;
	}
}

/* One part without a structure, see msg.c. */
static ssize_t transmit(int fd, const struct output *output, int flags)
{
	struct msghdr header = { .msg_iov = output->parts };

	if (output->count == 1)
		return send(fd, output->parts->iov_base, output->parts->iov_len,
			flags);
	/* An int or a size_t, as libc will have it; IOV_MAX fits in both. */
	header.msg_iovlen =
		(unsigned short)(output->count < IOV_MAX ? output->count
							 : IOV_MAX);
	return sendmsg(fd, &header, flags);
}

static int write_socket(struct endpoint *end, struct output *output,
	int64_t deadline_us)
{
	struct wait wait;
	int saved = errno;
	ssize_t put;

	unixwait_begin(&wait, end, POLLOUT, deadline_us);
	while (output->left > 0) {
		put = transmit(end->fd, output, MSG_NOSIGNAL | wait.flags);
		if (put >= 0)
			advance_output(output, (size_t)put);
		else if (unixwait_again(&wait) < 0)
			return -1;
	}
	errno = saved;
	return 0;
}

static int stream_write(struct unixconn *conn, const void *data, size_t size,
	size_t *written, int64_t deadline_us)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = size };
	struct output output = { .parts = &part, .count = 1, .left = size };
	int result = write_socket(&conn->end, &output, deadline_us);

	*written = size - output.left;
	return result;
}

static void gather(unsigned char *piece, const struct iovec *part,
	const struct iovec *end)
{
	for (; part < end; part++) {
		if (part->iov_len > 0)
			memcpy(piece, part->iov_base, part->iov_len);
		piece += part->iov_len;
	}
}

/* A small message in one piece, which costs less than a second part. */
static int write_small(struct endpoint *end, struct output *output,
	int64_t deadline_us)
{
	unsigned char piece[PREFIX_SIZE + SMALL_SIZE];
	struct iovec part = { .iov_base = piece, .iov_len = output->left };
	struct output one = { .parts = &part,
		.count = 1,
		.left = part.iov_len };
	int result;

	gather(piece, output->parts, output->parts + output->count);
	result = write_socket(end, &one, deadline_us);
	output->left = one.left;
	return result;
}

static int write_message(struct endpoint *end, struct output *output,
	int64_t deadline_us)
{
	if (output->left <= PREFIX_SIZE + SMALL_SIZE)
		return write_small(end, output, deadline_us);
	return write_socket(end, output, deadline_us);
}

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

/* Notes how far the message has got, if the rest of it may follow. */
static int interrupt_message(struct stream *stream, size_t size, size_t left)
{
	stream->sent = 0;
	if (errno != EAGAIN && errno != ETIMEDOUT && errno != ECANCELED)
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

/* The first of the parts is for the length, the others have size bytes. */
static int send_parts(struct stream *stream, struct iovec *parts, size_t count,
	size_t size, int64_t deadline_us)
{
	unsigned char prefix[PREFIX_SIZE];
	struct output output = {
		.parts = parts,
		.count = count,
		.left = PREFIX_SIZE + size,
	};

	if (size > UINT32_MAX)
		return refuse(EMSGSIZE);
	if (stream->sent > 0 && size != stream->sent_of)
		return refuse(EINVAL);
	set_prefix(prefix, size);
	parts[0].iov_base = prefix;
	parts[0].iov_len = PREFIX_SIZE;
	if (stream->sent > 0)
		advance_output(&output, stream->sent);
	if (write_message(&stream->conn.end, &output, deadline_us) < 0)
		return interrupt_message(stream, size, output.left);
	stream->sent = 0;
	return 0;
}

static int stream_send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us)
{
	struct iovec parts[2] = {
		[1] = { .iov_base = (void *)data, .iov_len = size },
	};

	return send_parts(get_stream(conn), parts, 2, size, deadline_us);
}

static int stream_send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	struct iovec parts[1 + IOV_MAX];
	size_t i, size = 0;

	if (unixmsg_check_to_send(&conn->end, msg) < 0)
		return -1;
	if (msg->fds_count > 0)
		return refuse(ENOTSUP);
	if (msg->parts == NULL && msg->parts_count == 0)
		return stream_send(conn, msg->data, msg->room, deadline_us);
	for (i = 0; i < msg->parts_count; i++) {
		parts[1 + i] = msg->parts[i];
		size += msg->parts[i].iov_len;
	}
	return send_parts(get_stream(conn), parts, 1 + msg->parts_count, size,
		deadline_us);
}

static int stream_send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	for (; *sent < count; ++*sent)
		if (stream_send_msg(conn, &msgs[*sent], deadline_us) < 0)
			return -1;
	return 0;
}

static size_t get_buffered(const struct stream *stream)
{
	return stream->input_end - stream->input_begin;
}

static void consume(struct stream *stream, size_t size)
{
	stream->input_begin += size;
	if (stream->input_begin == stream->input_end) {
		stream->input_begin = 0;
		stream->input_end = 0;
	}
}

static void take(struct stream *stream, void *data, size_t size)
{
	if (size == 0)
		return;
	memcpy(data, stream->input + stream->input_begin, size);
	consume(stream, size);
}

static int read_bytes(struct endpoint *end, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	struct iovec parts[2] = { { .iov_base = data, .iov_len = room } };

	return read_socket(end, parts, size, deadline_us);
}

static int stream_read(struct unixconn *conn, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	struct stream *stream = get_stream(conn);
	size_t got = get_buffered(stream);
	int result = 1;

	if (got > room)
		got = room;
	if (got > 0)
		take(stream, data, got);
	else if (room > 0)
		result = read_bytes(&conn->end, data, room, &got, deadline_us);
	*size = got;
	return result;
}

bool unixstream_has_input(const struct unixconn *conn)
{
	return get_buffered((const struct stream *)conn) > 0;
}

size_t unixstream_trim(struct unixconn *conn)
{
	struct stream *stream = get_stream(conn);

	if (get_buffered(stream) > 0)
		return get_buffered(stream);
	free(stream->input);
	stream->input = NULL;
	stream->input_room = 0;
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

/* Room behind what is there. It is full only with part of one message. */
static int make_room(struct stream *stream)
{
	size_t buffered = get_buffered(stream);

	if (stream->input_end < stream->input_room)
		return 0;
	if (stream->input_begin == 0)
		return grow_input(stream);
	memmove(stream->input, stream->input + stream->input_begin, buffered);
	stream->input_begin = 0;
	stream->input_end = buffered;
	return 0;
}

/* Inside of a message the end is an error. */
static int end_input(const struct stream *stream)
{
	if (get_buffered(stream) == 0 && stream->skip == 0)
		return ENDED;
	errno = EPROTO;
	return -1;
}

static int read_ahead(struct stream *stream, int64_t deadline_us)
{
	size_t got;
	int result;

	if (make_room(stream) < 0)
		return -1;
	result = read_bytes(&stream->conn.end,
		stream->input + stream->input_end,
		stream->input_room - stream->input_end, &got, deadline_us);
	if (result < 0)
		return -1;
	if (result == 0)
		return end_input(stream);
	stream->input_end += got;
	return READ;
}

/* Puts what was read elsewhere behind what was read ahead. */
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
		stream->skip == 0 && is_room(stream, stream->last_size, room);
}

/* A message on its way to where it is wanted. */
struct direct {
	unsigned char prefix[PREFIX_SIZE];
	unsigned char *data;
	size_t size;    /* a guess, until the prefix is there */
	size_t arrived; /* with the prefix, and with what may follow */
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

	advance(parts, 2, direct->arrived);
	result = read_socket(end, parts, &got, deadline_us);
	if (result != 1)
		return result;
	direct->arrived += got;
	if (direct->arrived >= PREFIX_SIZE)
		direct->size = get_prefix(direct->prefix);
	return 1;
}

/* What is not of a whole message, as if it had been read ahead. */
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
 * Large messages often have one size: one is read to where it is wanted, as
 * large as the one before was, and no copy has to be made. Where that was
 * wrong the rest is kept, there is room for it.
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

/* Throws away what has arrived of a message that was too large. */
static void skip_input(struct stream *stream)
{
	size_t size = get_buffered(stream);

	if (size > stream->skip)
		size = stream->skip;
	stream->skip -= size;
	consume(stream, size);
}

/* Where a message is wanted: in parts with room bytes together. */
struct sink {
	const struct iovec *parts;
	size_t count;
	size_t room;
	bool is_prefix_wanted; /* of a message that is too large */
	bool is_peeking;       /* it stays */
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

/* So many bytes of the message that begins what was read ahead. */
static void deliver(struct stream *stream, const struct sink *sink, size_t size)
{
	scatter(stream->input + stream->input_begin + PREFIX_SIZE, sink, size);
	if (!sink->is_peeking)
		consume(stream, PREFIX_SIZE + size);
}

/* Its beginning, once that is there; the rest is passed over. */
static int take_prefix(struct stream *stream, struct sink *sink, size_t size)
{
	if (!sink->is_prefix_wanted) {
		consume(stream, PREFIX_SIZE);
		stream->skip = size;
		return refuse(EMSGSIZE);
	}
	if (get_buffered(stream) - PREFIX_SIZE < sink->room)
		return 0;
	deliver(stream, sink, sink->room);
	stream->skip = sink->is_peeking ? 0 : size - sink->room;
	sink->is_cut = true;
	return RECEIVED;
}

/*
 * Looks at what was read ahead: 1 a message, now in the sink; 0 there is none
 * yet; -1 it is too large.
 */
static int take_message(struct stream *stream, struct sink *sink, size_t *size)
{
	skip_input(stream);
	if (get_buffered(stream) < PREFIX_SIZE)
		return 0;
	*size = get_prefix(stream->input + stream->input_begin);
	if (*size > sink->room)
		return take_prefix(stream, sink, *size);
	if (get_buffered(stream) - PREFIX_SIZE < *size)
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

static int stream_recv(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct iovec part = { .iov_base = data, .iov_len = room };
	struct sink sink = { .parts = &part, .count = 1, .room = room };

	*size = 0;
	if (from != NULL && unixendpoint_get_peer(&conn->end, from) < 0)
		return -1;
	return recv_message(get_stream(conn), &sink, size, deadline_us);
}

static int recv_msg(struct stream *stream, struct unixmsg *msg,
	unsigned int flags, int64_t deadline_us)
{
	const struct iovec part = { .iov_base = msg->data,
		.iov_len = msg->room };
	const bool is_in_parts = msg->parts != NULL || msg->parts_count > 0;
	struct sink sink = {
		.parts = is_in_parts ? msg->parts : &part,
		.count = is_in_parts ? msg->parts_count : 1,
		.room = is_in_parts ? 0 : msg->room,
		.is_prefix_wanted = (flags & UNIXMSG_PREFIX) != 0,
		.is_peeking = (flags & UNIXMSG_PEEK) != 0,
	};
	size_t i;
	int result;

	unixmsg_reset(msg);
	for (i = 0; i < msg->parts_count; i++)
		sink.room += msg->parts[i].iov_len;
	if (msg->addr != NULL &&
		unixendpoint_get_peer(&stream->conn.end, msg->addr) < 0)
		return -1;
	result = recv_message(stream, &sink, &msg->size, deadline_us);
	if (sink.is_cut)
		msg->flags |= UNIXMSG_CUT;
	return result;
}

static int stream_recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us)
{
	if (unixmsg_check_to_receive(&conn->end, msg) < 0)
		return -1;
	return recv_msg(get_stream(conn), msg, msg->flags, deadline_us);
}

/* Whether a whole message was read ahead. */
static bool has_message(struct stream *stream)
{
	skip_input(stream);
	return get_buffered(stream) >= PREFIX_SIZE &&
		get_buffered(stream) - PREFIX_SIZE >=
		get_prefix(stream->input + stream->input_begin);
}

/* What was read ahead comes with the first; the others never wait. */
static int stream_recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	struct stream *stream = get_stream(conn);
	int result;

	if (unixmsg_check_batch(msgs, count) < 0)
		return -1;
	result = recv_msg(stream, &msgs[0], UNIXMSG_PREFIX, deadline_us);
	if (result != 1)
		return result;
	for (*received = 1; *received < count && has_message(stream);
		++*received)
		recv_msg(stream, &msgs[*received], UNIXMSG_PREFIX, UNIXMSG_NOW);
	return 1;
}

static int stream_get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us)
{
	struct stream *stream = get_stream(conn);
	int result;

	for (;;) {
		skip_input(stream);
		if (get_buffered(stream) >= PREFIX_SIZE)
			break;
		result = read_ahead(stream, deadline_us);
		if (result != READ)
			return result;
	}
	*size = get_prefix(stream->input + stream->input_begin);
	return 1;
}

static int stream_recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	size_t size;
	int result = stream_get_next_size(conn, &size, deadline_us);

	buffer->size = 0;
	if (result < 1)
		return result;
	if (unixbuffer_reserve(buffer, size) < 0 && errno != EMSGSIZE)
		return -1;
	return stream_recv(conn, buffer->data, buffer->room, &buffer->size,
		from, deadline_us);
}

static int stream_get_size_max(const struct unixconn *conn, size_t *size)
{
	(void)conn;
	*size = UINT32_MAX;
	return 0;
}

static int stream_raise_size_max(struct unixconn *conn, size_t wanted,
	size_t *reached)
{
	(void)wanted;
	return stream_get_size_max(conn, reached);
}

const struct network unixnetwork_stream = {
	.name = "unix",
	.type = SOCK_STREAM,
	.size = sizeof(struct stream),
	.dial = stream_dial,
	.take_over = stream_take_over,
	.dispose = stream_dispose,
	.send = stream_send,
	.send_msg = stream_send_msg,
	.send_batch = stream_send_batch,
	.recv = stream_recv,
	.recv_msg = stream_recv_msg,
	.recv_batch = stream_recv_batch,
	.recv_buffer = stream_recv_buffer,
	.get_next_size = stream_get_next_size,
	.read = stream_read,
	.write = stream_write,
	.get_size_max = stream_get_size_max,
	.raise_size_max = stream_raise_size_max,
};
