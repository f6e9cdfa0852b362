/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/record.h"
#include "tools/common/record_put.h"
#include "tools/common/utf8.h"

struct record_writer {
	int fd;
	int stop_fd;
	enum record_format format;
	bool is_terminal;
	size_t used;
	char buffer[64 * 1024];
};

struct record_writer *record_writer_new(int fd, enum record_format format,
	int stop_fd)
{
	struct record_writer *writer = malloc(sizeof(*writer));

	if (!writer)
		return NULL;
	writer->fd = fd;
	writer->stop_fd = stop_fd;
	writer->format = format;
	writer->is_terminal = isatty(fd) == 1;
	writer->used = 0;
	return writer;
}

void record_writer_free(struct record_writer *writer)
{
	free(writer);
}

static int wait_writable(const struct record_writer *writer)
{
	struct pollfd fds[] = {
		{ .fd = writer->fd, .events = POLLOUT },
		{ .fd = writer->stop_fd, .events = POLLIN },
	};
	int ready;

	do {
		ready = poll(fds, 2, -1);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -1;
	if (fds[0].revents)
		return 0;
	errno = ECANCELED;
	return -1;
}

/*
 * A pipe that poll reports as writable accepts PIPE_BUF bytes without blocking,
 * and perhaps no more. The writer writes pieces of that size: a longer write
 * would block in the kernel, where stop_fd cannot end it.
 */
static size_t get_piece(const struct record_writer *writer, size_t left)
{
	if (writer->stop_fd >= 0 && left > PIPE_BUF)
		return PIPE_BUF;
	return left;
}

static bool is_for_now(int error)
{
	return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

/* Writes all of the buffer, or sets *done to the bytes written. */
static int write_out(const struct record_writer *writer, size_t *done)
{
	*done = 0;
	while (*done < writer->used) {
		size_t left = writer->used - *done;
		ssize_t wrote;

		if (wait_writable(writer) < 0)
			return -1;
		wrote = write(writer->fd, writer->buffer + *done,
			get_piece(writer, left));
		if (wrote >= 0)
			*done += (size_t)wrote;
		else if (!is_for_now(errno))
			return -1;
	}
	return 0;
}

int record_flush(struct record_writer *writer)
{
	size_t done;
	int result = write_out(writer, &done);

	writer->used -= done;
	memmove(writer->buffer, writer->buffer + done, writer->used);
	return result;
}

int record_put(struct record_writer *writer, const void *data, size_t size)
{
	const char *from = data;

	while (size > 0) {
		size_t room = sizeof(writer->buffer) - writer->used;
		size_t step = size < room ? size : room;

		if (step == 0) {
			if (record_flush(writer) < 0)
				return -1;
			continue;
		}
		memcpy(writer->buffer + writer->used, from, step);
		writer->used += step;
		from += step;
		size -= step;
	}
	return 0;
}

int record_put_text(struct record_writer *writer, const char *text)
{
	return record_put(writer, text, strlen(text));
}

int record_put_hex(struct record_writer *writer, const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *byte = data;

	for (size_t i = 0; i < size; i++) {
		char pair[] = { digits[byte[i] >> 4], digits[byte[i] & 15] };

		if (record_put(writer, pair, sizeof(pair)) < 0)
			return -1;
	}
	return 0;
}

/* The control characters of Unicode: C0, DEL, and the two bytes of C1. */
static bool is_control(const unsigned char *text, size_t size)
{
	if (size == 2)
		return text[0] == 0xc2 && text[1] < 0xa0;
	return size == 1 && (text[0] < 0x20 || text[0] == 0x7f);
}

/* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069: they forge lines. */
static bool is_turning(const unsigned char *text, size_t size)
{
	if (size != 3 || text[0] != 0xe2)
		return false;
	if (text[1] == 0x80)
		return text[2] == 0x8e || text[2] == 0x8f ||
			(text[2] >= 0xa8 && text[2] <= 0xae);
	return text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9;
}

/* The text may reach a terminal, so it must not control one. */
static int put_escape(struct record_writer *writer, unsigned int code)
{
	static const char codes[] = "\"\\\b\f\n\r\t";
	static const char names[] = "\"\\bfnrt";
	const char *known = code ? strchr(codes, (int)code) : NULL;
	char text[sizeof("\\u0000")];

	if (known)
		snprintf(text, sizeof(text), "\\%c", names[known - codes]);
	else
		snprintf(text, sizeof(text), "\\u%04x", code & 0xffff);
	return record_put_text(writer, text);
}

/* The leading bytes of @text that a JSON string holds unescaped. */
static size_t measure_plain(const unsigned char *text, size_t size)
{
	size_t plain = 0;

	while (plain < size && text[plain] != '"' && text[plain] != '\\') {
		size_t step = utf8_measure(text + plain, size - plain);

		if (step == 0 || is_control(text + plain, step) ||
			is_turning(text + plain, step))
			break;
		plain += step;
	}
	return plain;
}

/* The code of a character where measure_plain stops: three bytes at most. */
static unsigned int get_code(const unsigned char *text, size_t size)
{
	if (size == 3)
		return (text[0] & 0x0fU) << 12 | (text[1] & 0x3fU) << 6 |
			(text[2] & 0x3fU);
	return size == 2 ? text[1] : text[0];
}

/* Escapes the character where measure_plain stopped; its size, or -1. */
static int put_special(struct record_writer *writer, const unsigned char *text,
	size_t size)
{
	size_t step = utf8_measure(text, size);

	if (step == 0)
		return put_escape(writer, 0xfffd) < 0 ? -1 : 1;
	return put_escape(writer, get_code(text, step)) < 0 ? -1 : (int)step;
}

static int put_characters(struct record_writer *writer, const void *text,
	size_t size)
{
	const unsigned char *at = text;
	size_t done = 0;

	while (done < size) {
		size_t plain = measure_plain(at + done, size - done);
		int special;

		if (record_put(writer, at + done, plain) < 0)
			return -1;
		done += plain;
		if (done == size)
			break;
		special = put_special(writer, at + done, size - done);
		if (special < 0)
			return -1;
		done += (size_t)special;
	}
	return 0;
}

int record_put_string(struct record_writer *writer, const void *text,
	size_t size)
{
	if (record_put_text(writer, "\"") < 0 ||
		put_characters(writer, text, size) < 0)
		return -1;
	return record_put_text(writer, "\"");
}

static int put_string_member(struct record_writer *writer, const char *key,
	const void *text, size_t size)
{
	if (record_put_text(writer, key) < 0)
		return -1;
	return record_put_string(writer, text, size);
}

static int put_number_member(struct record_writer *writer, const char *key,
	size_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", number);
	return record_put_text(writer, key) < 0 ? -1
						: record_put_text(writer, text);
}

static int put_payload(struct record_writer *writer,
	const struct record *record)
{
	if (utf8_is_valid(record->data, record->size))
		return put_string_member(writer, ",\"data\":", record->data,
			record->size);
	if (record_put_text(writer, ",\"hex\":\"") < 0 ||
		record_put_hex(writer, record->data, record->size) < 0)
		return -1;
	return record_put_text(writer, "\"");
}

static int put_writer(struct record_writer *writer, const struct record *record)
{
	if (!record->has_writer)
		return 0;
	if (put_number_member(writer, ",\"uid\":", record->uid) < 0)
		return -1;
	return put_number_member(writer, ",\"pid\":", (size_t)record->pid);
}

static int write_json(struct record_writer *writer, const struct record *record)
{
	if (put_number_member(writer, "{\"size\":", record->size) < 0 ||
		put_payload(writer, record) < 0)
		return -1;
	if (record->sender &&
		put_string_member(writer, ",\"sender\":", record->sender,
			strlen(record->sender)) < 0)
		return -1;
	if (record->is_cut &&
		put_number_member(writer,
			",\"cut\":true,\"true_size\":", record->true_size) < 0)
		return -1;
	if (put_writer(writer, record) < 0)
		return -1;
	if (record->fds > 0 &&
		put_number_member(writer, ",\"fds\":", record->fds) < 0)
		return -1;
	return record_put_text(writer, "}\n");
}

static int write_frame(struct record_writer *writer,
	const struct record *record)
{
	size_t size = record->size;
	unsigned char prefix[] = {
		(unsigned char)(size >> 24),
		(unsigned char)(size >> 16),
		(unsigned char)(size >> 8),
		(unsigned char)size,
	};

	if (size > UINT32_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (record_put(writer, prefix, sizeof(prefix)) < 0)
		return -1;
	return record_put(writer, record->data, size);
}

static int write_hex(struct record_writer *writer, const struct record *record)
{
	if (record_put_hex(writer, record->data, record->size) < 0)
		return -1;
	return record_put_text(writer, "\n");
}

/* The size of the character, or 0 if a terminal must not get it. */
static size_t measure_harmless(const unsigned char *text, size_t size)
{
	size_t step = utf8_measure(text, size);

	if (step == 0 || *text == '\\' || is_control(text, step) ||
		is_turning(text, step))
		return 0;
	return step;
}

/* The lines of a stream are no records, so newlines can forge none. */
static size_t measure_shown(const struct record_writer *writer,
	const unsigned char *text, size_t size)
{
	if (writer->format == RECORD_SHOWN_BYTES &&
		(*text == '\n' || *text == '\t'))
		return 1;
	return measure_harmless(text, size);
}

int record_put_harmless(struct record_writer *writer, const void *data,
	size_t size)
{
	const unsigned char *text = data;
	size_t done, step;

	for (done = 0; done < size; done += step) {
		step = measure_shown(writer, text + done, size - done);
		if (step > 0) {
			if (record_put(writer, text + done, step) < 0)
				return -1;
			continue;
		}
		step = 1;
		if (text[done] == '\\') {
			if (record_put_text(writer, "\\\\") < 0)
				return -1;
		} else if (record_put_text(writer, "\\x") < 0 ||
			record_put_hex(writer, text + done, 1) < 0) {
			return -1;
		}
	}
	return 0;
}

/* A peer may neither control a terminal nor make two lines of a record. */
static int put_line(struct record_writer *writer, const struct record *record)
{
	if (writer->is_terminal &&
		(writer->format == RECORD_TEXT ||
			writer->format == RECORD_SHOWN_BYTES))
		return record_put_harmless(writer, record->data, record->size);
	return record_put(writer, record->data, record->size);
}

static int write_text(struct record_writer *writer, const struct record *record)
{
	if (put_line(writer, record) < 0)
		return -1;
	return record_put_text(writer, "\n");
}

int record_write(struct record_writer *writer, const struct record *record)
{
	switch (writer->format) {
	case RECORD_HEX:
		return write_hex(writer, record);
	case RECORD_JSON:
		return write_json(writer, record);
	case RECORD_FRAMES:
		return write_frame(writer, record);
	case RECORD_BYTES:
	case RECORD_SHOWN_BYTES:
		return put_line(writer, record);
	case RECORD_TEXT:
	case RECORD_RAW:
	default:
		return write_text(writer, record);
	}
}
