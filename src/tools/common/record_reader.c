/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/record.h"
#include "tools/common/record_line.h"

/*
 * The reader fills one buffer in big pieces, and its records point into the
 * buffer. An incomplete record moves to the front once before the next read,
 * and no byte is searched for a newline twice. So the work is linear for any
 * input.
 */

enum {
	FIRST_BYTES = 64 * 1024, /* the default size of a pipe */
	ROOM_BYTES = FIRST_BYTES / 2,
	PREFIX_BYTES = 4,
};

/* A result of functions below, besides those of record_read. */
enum { NEEDS_MORE = 2, SKIPPED = 3 };

struct record_reader {
	int fd;
	int stop_fd;
	enum record_format format;
	size_t max_size;
	size_t limit; /* bytes of input that one record can need */

	char *buffer;
	size_t capacity;
	size_t start;   /* of the bytes not yet returned */
	size_t end;     /* of the bytes read */
	size_t scanned; /* bytes from start on without a newline */
	bool is_at_eof;

	uint64_t count; /* lines or frames returned or skipped */
	int error;      /* EBADMSG or EMSGSIZE, for all later calls */
	char explanation[160];
};

struct record_reader *record_reader_new(int fd, enum record_format format,
	size_t max_size, int stop_fd)
{
	struct record_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->buffer = malloc(FIRST_BYTES);
	if (!reader->buffer) {
		free(reader);
		return NULL;
	}
	reader->capacity = FIRST_BYTES;
	reader->fd = fd;
	reader->stop_fd = stop_fd;
	reader->format = format;
	reader->max_size = max_size;
	reader->limit = record_line_get_limit(format, max_size);
	return reader;
}

void record_reader_free(struct record_reader *reader)
{
	if (!reader)
		return;
	free(reader->buffer);
	free(reader);
}

const char *record_reader_explain(const struct record_reader *reader)
{
	return reader->explanation;
}

static size_t get_left(const struct record_reader *reader)
{
	return reader->end - reader->start;
}

/* The number of the line or frame at start, from 1. */
static uintmax_t get_number(const struct record_reader *reader)
{
	return reader->count + 1;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

__attribute__((format(printf, 3, 4))) static int
fail_for_good(struct record_reader *reader, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->explanation, sizeof(reader->explanation), format,
		arguments);
	va_end(arguments);
	reader->error = error;
	return fail(error);
}

static int fail_size(struct record_reader *reader, const char *noun,
	size_t size)
{
	return fail_for_good(reader, EMSGSIZE,
		"%s %ju: %zu bytes, more than the %zu allowed", noun,
		get_number(reader), size, reader->max_size);
}

/*
 * Leaves out the length of the line, which may not be known yet: the text must
 * be the same however the input arrives.
 */
static int fail_long_line(struct record_reader *reader)
{
	if (reader->format == RECORD_TEXT || reader->format == RECORD_RAW)
		return fail_for_good(reader, EMSGSIZE,
			"line %ju: more than the %zu bytes of --max-size",
			get_number(reader), reader->max_size);
	return fail_for_good(reader, EMSGSIZE,
		"line %ju: longer than a record of %zu bytes can be",
		get_number(reader), reader->max_size);
}

static int fail_line(struct record_reader *reader,
	const struct record_line *line)
{
	if (line->column == 0)
		return fail_for_good(reader, EBADMSG, "line %ju: %s",
			get_number(reader), line->why);
	return fail_for_good(reader, EBADMSG, "line %ju, column %zu: %s",
		get_number(reader), line->column, line->why);
}

/* Finds the next line. Returns 1 with its size, else as record_read. */
static int cut_line(struct record_reader *reader, size_t *size)
{
	size_t left = get_left(reader);
	const char *line = reader->buffer + reader->start;
	const char *newline = NULL;

	if (left > reader->scanned)
		newline = memchr(line + reader->scanned, '\n',
			left - reader->scanned);
	*size = newline ? (size_t)(newline - line) : left;
	reader->scanned = *size;
	if (*size > reader->limit)
		return fail_long_line(reader);
	if (!newline && !reader->is_at_eof)
		return NEEDS_MORE;
	if (!newline && left == 0)
		return 0;

	reader->scanned = 0;
	reader->start += *size + (newline ? 1 : 0);
	return 1;
}

static int take_line(struct record_reader *reader, const void **data,
	size_t *size)
{
	struct record_line line = { .data = reader->buffer + reader->start };
	int got = cut_line(reader, &line.size);

	if (got != 1)
		return got;
	got = record_line_decode(&line, reader->format);
	if (got < 0)
		return fail_line(reader, &line);
	if (got == 0)
		return SKIPPED;
	if (line.size > reader->max_size)
		return fail_size(reader, "line", line.size);
	*data = line.data;
	*size = line.size;
	return 1;
}

static size_t get_prefix(const struct record_reader *reader)
{
	const unsigned char *byte =
		(const unsigned char *)reader->buffer + reader->start;

	return (size_t)byte[0] << 24 | (size_t)byte[1] << 16 |
		(size_t)byte[2] << 8 | byte[3];
}

/* The input may end only between frames. */
static int want_more(struct record_reader *reader, size_t size)
{
	if (!reader->is_at_eof)
		return NEEDS_MORE;
	if (get_left(reader) == 0)
		return 0;
	return fail_for_good(reader, EBADMSG,
		"record %ju: input ends after %zu of %zu bytes",
		get_number(reader), get_left(reader), size);
}

static int take_frame(struct record_reader *reader, const void **data,
	size_t *size)
{
	size_t claimed;

	if (get_left(reader) < PREFIX_BYTES)
		return want_more(reader, PREFIX_BYTES);
	claimed = get_prefix(reader);
	if (claimed > reader->max_size)
		return fail_size(reader, "record", claimed);
	if (get_left(reader) - PREFIX_BYTES < claimed)
		return want_more(reader, PREFIX_BYTES + claimed);
	*data = reader->buffer + reader->start + PREFIX_BYTES;
	*size = claimed;
	reader->start += PREFIX_BYTES + claimed;
	return 1;
}

static int hand_out(struct record_reader *reader, size_t most,
	const void **data, size_t *size)
{
	size_t left = get_left(reader);

	*data = reader->buffer + reader->start;
	*size = left < most ? left : most;
	reader->start += *size;
	return 1;
}

/* Returns all bytes that have arrived; a block waits until it is full. */
static int take_bytes(struct record_reader *reader, const void **data,
	size_t *size)
{
	size_t least = reader->format == RECORD_BLOCKS ? reader->max_size : 1;

	if (get_left(reader) < least && !reader->is_at_eof)
		return NEEDS_MORE;
	if (get_left(reader) == 0)
		return 0;
	return hand_out(reader, reader->max_size, data, size);
}

static int take_whole(struct record_reader *reader, const void **data,
	size_t *size)
{
	if (get_left(reader) > reader->max_size)
		return fail_for_good(reader, EMSGSIZE,
			"more than the %zu bytes of --max-size",
			reader->max_size);
	if (!reader->is_at_eof)
		return NEEDS_MORE;
	if (reader->count > 0)
		return 0;
	return hand_out(reader, reader->max_size, data, size);
}

static int take_one(struct record_reader *reader, const void **data,
	size_t *size)
{
	switch (reader->format) {
	case RECORD_FRAMES:
		return take_frame(reader, data, size);
	case RECORD_BYTES:
	case RECORD_SHOWN_BYTES:
	case RECORD_BLOCKS:
		return take_bytes(reader, data, size);
	case RECORD_WHOLE:
		return take_whole(reader, data, size);
	default:
		return take_line(reader, data, size);
	}
}

static int take(struct record_reader *reader, const void **data, size_t *size)
{
	int got;

	do {
		got = take_one(reader, data, size);
		if (got == 1 || got == SKIPPED)
			reader->count++;
	} while (got == SKIPPED);
	return got;
}

static void compact(struct record_reader *reader)
{
	size_t left = get_left(reader);

	if (reader->start == 0)
		return;
	memmove(reader->buffer, reader->buffer + reader->start, left);
	reader->start = 0;
	reader->end = left;
}

/*
 * Doubles a full buffer, so memory stays within twice the data that has
 * arrived, whatever size a frame claims.
 */
static int make_room(struct record_reader *reader)
{
	size_t capacity;
	char *buffer;

	compact(reader);
	if (reader->capacity - reader->end >= ROOM_BYTES)
		return 0;
	if (__builtin_mul_overflow(reader->capacity, 2, &capacity))
		return fail(ENOMEM);
	buffer = realloc(reader->buffer, capacity);
	if (!buffer)
		return -1;
	reader->buffer = buffer;
	reader->capacity = capacity;
	return 0;
}

static int wait_readable(const struct record_reader *reader, bool wait)
{
	struct pollfd fds[] = {
		{ .fd = reader->fd, .events = POLLIN },
		{ .fd = wait ? reader->stop_fd : -1, .events = POLLIN },
	};
	int ready;

	do {
		ready = poll(fds, 2, wait ? -1 : 0);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -1;
	if (ready == 0)
		return fail(EAGAIN);
	return fds[1].revents ? fail(ECANCELED) : 0;
}

static bool is_for_now(int error)
{
	return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

/*
 * Always polls first, even for one descriptor, because other processes may
 * share it and change O_NONBLOCK. If read(2) finds nothing, because another
 * process was faster, polls again.
 */
static int fill(struct record_reader *reader, bool wait)
{
	ssize_t got;

	if (make_room(reader) < 0)
		return -1;
	do {
		if (wait_readable(reader, wait) < 0)
			return -1;
		got = read(reader->fd, reader->buffer + reader->end,
			reader->capacity - reader->end);
	} while (got < 0 && is_for_now(errno));
	if (got < 0)
		return -1;
	reader->end += (size_t)got;
	reader->is_at_eof = got == 0;
	return 0;
}

int record_read(struct record_reader *reader, bool wait, const void **data,
	size_t *size)
{
	int got;

	if (reader->error)
		return fail(reader->error);
	while ((got = take(reader, data, size)) == NEEDS_MORE)
		if (fill(reader, wait) < 0)
			return -1;
	return got;
}
