/* SPDX-License-Identifier: MIT */
/* unix: byte streams, and messages in frames on them. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "message/control.h"
#include "network/dial_private.h"
#include "network/stream_private.h"

static int stream_dial(struct unixconn *conn, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return unixdial__open(&conn->end, address, options, deadline_us);
}

static int stream_take_over(struct unixconn *conn)
{
	return unixendpoint__mark_messages(&conn->end);
}

static void stream_dispose(struct unixconn *conn)
{
	struct stream *stream = unixstream__get(conn);

	unixstream__drop_ancillary(stream);
	free(stream->ancillary);
	free(stream->input);
}

static int stream_want(struct unixconn *conn, unsigned int wants)
{
	return unixendpoint__want(&conn->end, wants);
}

static int stream_write(struct unixconn *conn, const void *data, size_t size,
	size_t *written, int64_t deadline_us)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = size };
	struct output output = { .parts = &part, .count = 1, .left = size };
	int result = unixstream__write_output(&conn->end, &output, deadline_us);

	*written = size - output.left;
	return result;
}

static void take_bytes(struct stream *stream, void *data, size_t size)
{
	memcpy(data, stream->input + stream->input_begin, size);
	unixstream__consume(stream, size);
}

static int read_bytes(struct endpoint *end, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	struct iovec parts[2] = { { .iov_base = data, .iov_len = room } };

	return unixstream__read_parts(end, parts, size, deadline_us);
}

static int stream_read(struct unixconn *conn, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	struct stream *stream = unixstream__get(conn);
	size_t got = unixstream__get_buffered(stream);
	int result = 1;

	if (got > room)
		got = room;
	if (got > 0)
		take_bytes(stream, data, got);
	else if (room > 0)
		result = read_bytes(&conn->end, data, room, &got, deadline_us);
	*size = got;
	return result;
}

bool unixstream__has_input(const struct unixconn *conn)
{
	return unixstream__get_buffered((const struct stream *)conn) > 0;
}

size_t unixstream__get_sent(const struct unixconn *conn)
{
	return ((const struct stream *)conn)->sent;
}

int unixstream__recv_bytes(struct unixconn *conn, struct unixmsg *msg)
{
	struct stream *stream = unixstream__get(conn);
	int result;

	if (conn->end.wants == 0 || unixstream__has_input(conn))
		return stream_read(conn, msg->data, msg->room, &msg->size,
			UNIXMSG_NOW);
	result = unixstream__read_ancillary(stream, msg->data, msg->room,
		&msg->size, UNIXMSG_NOW);
	if (result == 1)
		unixstream__hand_over(stream, msg);
	return result;
}

int unixstream__send_bytes(struct unixconn *conn, const struct unixmsg *msg,
	size_t *done)
{
	struct iovec part = {
		.iov_base = (char *)msg->data + *done,
		.iov_len = msg->room - *done,
	};
	struct output output = {
		.parts = &part,
		.count = 1,
		.left = part.iov_len,
		.with = *done == 0 && unixcontrol__is_needed(msg) ? msg : NULL,
	};
	int result = unixstream__write_output(&conn->end, &output, UNIXMSG_NOW);

	*done = msg->room - output.left;
	return result;
}

/* No message is partly sent or received, and nothing was read ahead. */
static bool stream_is_whole(const struct unixconn *conn)
{
	return !unixstream__has_input(conn) &&
		unixstream__get_sent(conn) == 0 &&
		((const struct stream *)conn)->skip == 0;
}

size_t unixstream__trim(struct unixconn *conn)
{
	struct stream *stream = unixstream__get(conn);

	if (unixstream__get_buffered(stream) > 0)
		return unixstream__get_buffered(stream);
	free(stream->input);
	stream->input = NULL;
	stream->input_room = 0;
	return 0;
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

const struct network unixnetwork__stream = {
	.name = "unix",
	.type = SOCK_STREAM,
	.size = sizeof(struct stream),
	.dial = stream_dial,
	.take_over = stream_take_over,
	.dispose = stream_dispose,
	.is_whole = stream_is_whole,
	.send = unixframe__send,
	.send_msg = unixframe__send_msg,
	.send_batch = unixframe__send_batch,
	.recv = unixframe__recv,
	.recv_msg = unixframe__recv_msg,
	.recv_batch = unixframe__recv_batch,
	.recv_buffer = unixframe__recv_buffer,
	.get_next_size = unixframe__get_next_size,
	.want = stream_want,
	.read = stream_read,
	.write = stream_write,
	.get_size_max = stream_get_size_max,
	.raise_size_max = stream_raise_size_max,
};
