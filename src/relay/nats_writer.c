/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/nats_writer.h"
#include "tools/common/utf8.h"

/* The server takes no longer line. */
enum { LINE_ROOM = 4096 };

static int fail(int error)
{
	errno = error;
	return -1;
}

int nats_writer_init(struct nats_writer *writer, size_t bound)
{
	memset(writer, 0, sizeof(*writer));
	writer->bound = bound;
	writer->data = malloc(2 * bound);
	return writer->data == NULL ? -1 : 0;
}

void nats_writer_free(struct nats_writer *writer)
{
	free(writer->data);
	writer->data = NULL;
}

void nats_writer_reset(struct nats_writer *writer)
{
	writer->begin = writer->end = 0;
}

void nats_writer_set_payload_most(struct nats_writer *writer, size_t size)
{
	writer->payload_most = size;
}

const void *nats_writer_get(const struct nats_writer *writer, size_t *size)
{
	*size = writer->end - writer->begin;
	return writer->data + writer->begin;
}

void nats_writer_sent(struct nats_writer *writer, size_t size)
{
	writer->begin += size;
	if (writer->begin == writer->end)
		nats_writer_reset(writer);
}

/*
 * Makes room behind what waits. With twice the bound, bytes are moved only
 * after as many were sent: a stuck server costs no move for each command.
 */
static int reserve(struct nats_writer *writer, size_t size)
{
	size_t waiting = writer->end - writer->begin;

	if (size > writer->bound)
		return fail(EMSGSIZE);
	if (size > writer->bound - waiting)
		return fail(EAGAIN);
	if (size <= 2 * writer->bound - writer->end)
		return 0;
	memmove(writer->data, writer->data + writer->begin, waiting);
	writer->begin = 0;
	writer->end = waiting;
	return 0;
}

/* The room was reserved. */
static void add(struct nats_writer *writer, const void *data, size_t size)
{
	/* An empty part may have no address. */
	if (size == 0)
		return;
	memcpy(writer->data + writer->end, data, size);
	writer->end += size;
}

static int put_line(struct nats_writer *writer, const char *line)
{
	if (reserve(writer, strlen(line)) < 0)
		return -1;
	add(writer, line, strlen(line));
	return 0;
}

/* Subjects are made of checked names, see subject.h. This is the last check for
 * bytes that the server would take for the end of the subject. */
bool nats_is_subject(const char *text)
{
	size_t size = strlen(text);

	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return size > 0 && size < LINE_ROOM / 4;
}

static bool is_subject_or_none(const char *text)
{
	return text == NULL || nats_is_subject(text);
}

/* A text that is built in a line. */
struct text {
	char line[LINE_ROOM];
	size_t size;
};

static void append(struct text *text, const char *more)
{
	size_t size = strlen(more);

	memcpy(text->line + text->size, more, size + 1);
	text->size += size;
}

static void append_escaped(struct text *text, const char *more)
{
	char escape[sizeof("\\u0000")] = "";

	for (; *more != '\0'; more++) {
		if (*more == '"' || *more == '\\')
			snprintf(escape, sizeof(escape), "\\%c", *more);
		else if ((unsigned char)*more < ' ' || *more == '\x7f')
			snprintf(escape, sizeof(escape), "\\u%04x",
				(unsigned char)*more);
		else
			snprintf(escape, sizeof(escape), "%c", *more);
		append(text, escape);
	}
}

static void append_member(struct text *text, const char *name,
	const char *value)
{
	if (value == NULL)
		return;
	append(text, ",\"");
	append(text, name);
	append(text, "\":\"");
	append_escaped(text, value);
	append(text, "\"");
}

/* So short that the line has room for three, escaped. */
static bool is_login_text(const char *text)
{
	_Static_assert(3 * (sizeof("\\u0000") - 1) * NATS_LOGIN_MAX <
			LINE_ROOM - 512,
		"the line is too short");

	return text == NULL ||
		(strlen(text) <= NATS_LOGIN_MAX &&
			utf8_is_valid(text, strlen(text)));
}

int nats_put_connect(struct nats_writer *writer, const struct nats_login *login)
{
	struct text text = { .size = 0 };

	if (!is_login_text(login->name) || !is_login_text(login->user) ||
		!is_login_text(login->password))
		return fail(EINVAL);
	append(&text,
		"CONNECT {\"verbose\":false,\"pedantic\":false,"
		"\"echo\":false,\"headers\":true,\"no_responders\":true,"
		"\"protocol\":1,\"tls_required\":false,\"lang\":\"c\","
		"\"version\":\"" PACKAGE_VERSION "\"");
	append_member(&text, "name", login->name);
	append_member(&text, "user", login->user);
	append_member(&text, "pass", login->password);
	append(&text, "}\r\n");
	return put_line(writer, text.line);
}

int nats_put_subscribe(struct nats_writer *writer, const char *subject,
	const char *queue, uint64_t number)
{
	char line[LINE_ROOM];

	if (!nats_is_subject(subject) || !is_subject_or_none(queue))
		return fail(EINVAL);
	snprintf(line, sizeof(line), "SUB %s%s%s %" PRIu64 "\r\n", subject,
		queue == NULL ? "" : " ", queue == NULL ? "" : queue, number);
	return put_line(writer, line);
}

int nats_put_unsubscribe(struct nats_writer *writer, uint64_t number)
{
	char line[64];

	snprintf(line, sizeof(line), "UNSUB %" PRIu64 "\r\n", number);
	return put_line(writer, line);
}

static int add_up(const struct iovec *parts, size_t count, size_t *size)
{
	size_t i;

	for (*size = 0, i = 0; i < count; i++)
		if (__builtin_add_overflow(*size, parts[i].iov_len, size))
			return fail(EMSGSIZE);
	return 0;
}

/* A payload beyond max_payload would end the connection. */
static int check_size(const struct nats_writer *writer, size_t size)
{
	if (size > writer->bound ||
		(writer->payload_most > 0 && size > writer->payload_most))
		return fail(EMSGSIZE);
	return 0;
}

int nats_put_publish(struct nats_writer *writer, const char *subject,
	const char *reply, const struct iovec *parts, size_t parts_count)
{
	char line[LINE_ROOM];
	size_t size, i;

	if (!nats_is_subject(subject) || !is_subject_or_none(reply))
		return fail(EINVAL);
	if (add_up(parts, parts_count, &size) < 0 ||
		check_size(writer, size) < 0)
		return -1;
	snprintf(line, sizeof(line), "PUB %s%s%s %zu\r\n", subject,
		reply == NULL ? "" : " ", reply == NULL ? "" : reply, size);
	if (reserve(writer, strlen(line) + size + strlen("\r\n")) < 0)
		return -1;
	add(writer, line, strlen(line));
	for (i = 0; i < parts_count; i++)
		add(writer, parts[i].iov_base, parts[i].iov_len);
	add(writer, "\r\n", strlen("\r\n"));
	return 0;
}

int nats_put_ping(struct nats_writer *writer)
{
	return put_line(writer, "PING\r\n");
}

int nats_put_pong(struct nats_writer *writer)
{
	return put_line(writer, "PONG\r\n");
}
