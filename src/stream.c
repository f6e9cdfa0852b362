/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "adopt.h"
#include "endpoint.h"
#include "listener_private.h"
#include "stream_private.h"
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

struct unixstream {
	struct endpoint end;
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

struct unixlistener *unixstream_listen(const char *address, int backlog,
	const struct unixname_options *options)
{
	return unixlistener_new(SOCK_STREAM, address, backlog, options, 0);
}

struct unixstream *unixstream_accept(struct unixlistener *listener,
	int64_t deadline_us)
{
	struct unixstream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	if (unixlistener_accept(listener, SOCK_STREAM, &stream->end,
		    deadline_us) == 0)
		return stream;
	free(stream);
	return NULL;
}

struct unixstream *unixstream_dial(const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct unixstream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	if (unixendpoint_dial(&stream->end, SOCK_STREAM, address, options,
		    deadline_us) == 0)
		return stream;
	free(stream);
	return NULL;
}

struct unixstream *unixstream_adopt(int fd)
{
	struct unixstream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	if (unixadopt_socket(&stream->end, fd, SOCK_STREAM, false) == 0 &&
		unixendpoint_mark_messages(&stream->end) == 0)
		return stream;
	free(stream);
	return NULL;
}

int unixstream_pair(struct unixstream *pair[2])
{
	struct unixstream *a = calloc(1, sizeof(*a));
	struct unixstream *b = calloc(1, sizeof(*b));

	if (a == NULL || b == NULL ||
		unixendpoint_open_pair(&a->end, &b->end, SOCK_STREAM) < 0) {
		free(a);
		free(b);
		return -1;
	}
	pair[0] = a;
	pair[1] = b;
	return 0;
}

int unixstream_close(struct unixstream *stream)
{
	int result;

	if (stream == NULL)
		return 0;
	result = unixendpoint_close(&stream->end);
	free(stream->input);
	free(stream);
	return result;
}

int unixstream_get_fd(const struct unixstream *stream)
{
	return stream->end.fd;
}

void unixstream_set_stop_fd(struct unixstream *stream, int stop_fd)
{
	stream->end.stop_fd = stop_fd;
}

void unixstream_set_spin_us(struct unixstream *stream, int64_t spin_us)
{
	unixspin_set(&stream->end.spin, spin_us);
}

int unixstream_get_address(const struct unixstream *stream,
	struct unixaddr *addr)
{
	return unixendpoint_get_address(&stream->end, addr);
}

int unixstream_get_peer(const struct unixstream *stream, struct unixaddr *addr)
{
	return unixendpoint_get_peer(&stream->end, addr);
}

int unixstream_shutdown(struct unixstream *stream, int how)
{
	return shutdown(stream->end.fd, how);
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

/* Takes count bytes off the front of two parts. */
static void advance(struct iovec parts[2], size_t count)
{
	size_t first = count < parts[0].iov_len ? count : parts[0].iov_len;

	advance_part(&parts[0], first);
	advance_part(&parts[1], count - first);
}

/* Two parts; where there is one, without a structure, see msg.c. */
static ssize_t transmit(int fd, struct iovec parts[2], int flags)
{
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };

	if (parts[1].iov_len == 0)
		return send(fd, parts[0].iov_base, parts[0].iov_len, flags);
	return sendmsg(fd, &header, flags);
}

/* Writes two parts; what is left of them when it fails has not been taken. */
static int write_socket(struct endpoint *end, struct iovec parts[2],
	int64_t deadline_us)
{
	struct wait wait;
	int saved = errno;
	ssize_t put;

	unixwait_begin(&wait, end, POLLOUT, deadline_us);
	while (parts[0].iov_len + parts[1].iov_len > 0) {
		put = transmit(end->fd, parts, MSG_NOSIGNAL | wait.flags);
		if (put >= 0)
			advance(parts, (size_t)put);
		else if (unixwait_again(&wait) < 0)
			return -1;
	}
	errno = saved;
	return 0;
}

int unixstream_write(struct unixstream *stream, const void *data, size_t size,
	size_t *written, int64_t deadline_us)
{
	struct iovec parts[2] = {
		{ .iov_base = (void *)data, .iov_len = size },
		{ .iov_base = NULL, .iov_len = 0 },
	};
	int result = write_socket(&stream->end, parts, deadline_us);

	if (written != NULL)
		*written = size - parts[0].iov_len;
	return result;
}

/* A small message in one piece, which costs less than a second part. */
static int write_small(struct endpoint *end, struct iovec parts[2],
	int64_t deadline_us)
{
	unsigned char piece[PREFIX_SIZE + SMALL_SIZE];
	struct iovec one[2] = {
		{ .iov_base = piece },
		{ .iov_base = NULL },
	};
	size_t size = parts[0].iov_len + parts[1].iov_len;
	int result;

	memcpy(piece, parts[0].iov_base, parts[0].iov_len);
	if (parts[1].iov_len > 0)
		memcpy(piece + parts[0].iov_len, parts[1].iov_base,
			parts[1].iov_len);
	one[0].iov_len = size;
	result = write_socket(end, one, deadline_us);
	advance(parts, size - one[0].iov_len);
	return result;
}

static int write_message(struct endpoint *end, struct iovec parts[2],
	int64_t deadline_us)
{
	if (parts[1].iov_len <= SMALL_SIZE)
		return write_small(end, parts, deadline_us);
	return write_socket(end, parts, deadline_us);
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
static int interrupt_message(struct unixstream *stream, size_t size,
	const struct iovec parts[2])
{
	size_t rest = parts[0].iov_len + parts[1].iov_len;

	stream->sent = 0;
	if (errno != EAGAIN && errno != ETIMEDOUT && errno != ECANCELED)
		return -1;
	stream->sent = PREFIX_SIZE + size - rest;
	stream->sent_of = size;
	if (stream->sent > 0)
		errno = EINPROGRESS;
	return -1;
}

int unixstream_send(struct unixstream *stream, const void *data, size_t size,
	int64_t deadline_us)
{
	unsigned char prefix[PREFIX_SIZE];
	struct iovec parts[2] = {
		{ .iov_base = prefix, .iov_len = sizeof(prefix) },
		{ .iov_base = (void *)data, .iov_len = size },
	};

	if (size > UINT32_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (stream->sent > 0 && size != stream->sent_of) {
		errno = EINVAL;
		return -1;
	}
	set_prefix(prefix, size);
	advance(parts, stream->sent);
	if (write_message(&stream->end, parts, deadline_us) < 0)
		return interrupt_message(stream, size, parts);
	stream->sent = 0;
	return 0;
}

static size_t get_buffered(const struct unixstream *stream)
{
	return stream->input_end - stream->input_begin;
}

static void consume(struct unixstream *stream, size_t size)
{
	stream->input_begin += size;
	if (stream->input_begin == stream->input_end) {
		stream->input_begin = 0;
		stream->input_end = 0;
	}
}

static void take(struct unixstream *stream, void *data, size_t size)
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

int unixstream_read(struct unixstream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	size_t got = get_buffered(stream);
	int result = 1;

	if (got > room)
		got = room;
	if (got > 0)
		take(stream, data, got);
	else if (room > 0)
		result =
			read_bytes(&stream->end, data, room, &got, deadline_us);
	if (size != NULL)
		*size = got;
	return result;
}

bool unixstream_has_input(const struct unixstream *stream)
{
	return get_buffered(stream) > 0;
}

size_t unixstream_trim(struct unixstream *stream)
{
	if (get_buffered(stream) > 0)
		return get_buffered(stream);
	free(stream->input);
	stream->input = NULL;
	stream->input_room = 0;
	return 0;
}

static int grow_input(struct unixstream *stream)
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
static int make_room(struct unixstream *stream)
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
static int end_input(const struct unixstream *stream)
{
	if (get_buffered(stream) == 0 && stream->skip == 0)
		return ENDED;
	errno = EPROTO;
	return -1;
}

static int read_ahead(struct unixstream *stream, int64_t deadline_us)
{
	size_t got;
	int result;

	if (make_room(stream) < 0)
		return -1;
	result = read_bytes(&stream->end, stream->input + stream->input_end,
		stream->input_room - stream->input_end, &got, deadline_us);
	if (result < 0)
		return -1;
	if (result == 0)
		return end_input(stream);
	stream->input_end += got;
	return READ;
}

/* Puts what was read elsewhere behind what was read ahead. */
static void keep(struct unixstream *stream, const void *data, size_t size)
{
	if (size == 0)
		return;
	memcpy(stream->input + stream->input_end, data, size);
	stream->input_end += size;
}

static bool is_room(const struct unixstream *stream, size_t size, size_t room)
{
	return size <= room && PREFIX_SIZE + size <= stream->input_room;
}

static bool is_read_direct(const struct unixstream *stream, size_t room)
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

	advance(parts, direct->arrived);
	result = read_socket(end, parts, &got, deadline_us);
	if (result != 1)
		return result;
	direct->arrived += got;
	if (direct->arrived >= PREFIX_SIZE)
		direct->size = get_prefix(direct->prefix);
	return 1;
}

/* What is not of a whole message, as if it had been read ahead. */
static void keep_rest(struct unixstream *stream, const struct direct *direct)
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
static int read_direct(struct unixstream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	struct direct direct = { .data = data, .size = stream->last_size };
	int result;

	do
		result = read_part(&stream->end, &direct, deadline_us);
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
static void skip_input(struct unixstream *stream)
{
	size_t size = get_buffered(stream);

	if (size > stream->skip)
		size = stream->skip;
	stream->skip -= size;
	consume(stream, size);
}

/*
 * Looks at what was read ahead: 1 a message, now in data; 0 there is none yet;
 * -1 it is too large.
 */
static int take_message(struct unixstream *stream, void *data, size_t room,
	size_t *size)
{
	skip_input(stream);
	if (get_buffered(stream) < PREFIX_SIZE)
		return 0;
	*size = get_prefix(stream->input + stream->input_begin);
	if (*size > room) {
		consume(stream, PREFIX_SIZE);
		stream->skip = *size;
		errno = EMSGSIZE;
		return -1;
	}
	if (get_buffered(stream) - PREFIX_SIZE < *size)
		return 0;
	consume(stream, PREFIX_SIZE);
	take(stream, data, *size);
	stream->last_size = *size;
	return RECEIVED;
}

int unixstream_recv(struct unixstream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	size_t true_size = 0;
	int result;

	while ((result = take_message(stream, data, room, &true_size)) == 0) {
		true_size = 0;
		result = is_read_direct(stream, room)
			? read_direct(stream, data, room, &true_size,
				  deadline_us)
			: read_ahead(stream, deadline_us);
		if (result != READ)
			break;
	}
	if (size != NULL)
		*size = true_size;
	return result;
}
