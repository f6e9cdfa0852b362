/* SPDX-License-Identifier: MIT */
/*
 * A line stays as it is until all of its message is there, so a message that
 * comes in pieces is read anew from its line each time: nothing has to be
 * remembered in between.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "relay/nats_reader.h"

static const char version[] = "NATS/1.0";

/* CR LF, and the empty line that ends a header. */
static const size_t end_size = 2;
static const char blank_line[] = "\r\n\r\n";
static const size_t blank_size = sizeof(blank_line) - 1;

enum { FIELDS_MAX = 6 };

/* Part of a line; the byte behind it belongs to the line, too. */
struct field {
	char *text;
	size_t size;
};

struct line {
	char *text;
	size_t size; /* without its end */
	struct field fields[FIELDS_MAX];
	size_t count;
};

static int fail(void)
{
	errno = EPROTO;
	return -1;
}

int nats_reader_init(struct nats_reader *reader, size_t payload_most)
{
	memset(reader, 0, sizeof(*reader));
	/* An INFO line, or a line with a header and a payload. */
	reader->room = NATS_INFO_MAX + payload_most + 2 * end_size;
	reader->payload_most = payload_most;
	reader->data = malloc(reader->room);
	return reader->data == NULL ? -1 : 0;
}

void nats_reader_free(struct nats_reader *reader)
{
	free(reader->data);
	reader->data = NULL;
}

void nats_reader_reset(struct nats_reader *reader)
{
	reader->begin = reader->end = reader->seen = reader->skipped = 0;
	reader->is_broken = false;
}

void *nats_reader_get_room(struct nats_reader *reader, size_t *room)
{
	size_t size = reader->end - reader->begin;

	if (reader->begin > 0)
		memmove(reader->data, reader->data + reader->begin, size);
	reader->begin = 0;
	reader->end = size;
	*room = reader->room - size;
	return reader->data + size;
}

void nats_reader_add(struct nats_reader *reader, size_t size)
{
	reader->end += size;
}

static void consume(struct nats_reader *reader, size_t size)
{
	reader->begin += size;
	reader->seen = 0;
}

/* Drops what nobody wants, as far as it is there. */
static void skip(struct nats_reader *reader)
{
	size_t size = reader->end - reader->begin;

	if (size > reader->skipped)
		size = reader->skipped;
	reader->skipped -= size;
	reader->begin += size;
}

static bool has_begin(const char *text, size_t size, const char *word)
{
	return size >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

static size_t get_line_max(const char *text, size_t size)
{
	return has_begin(text, size, "INFO ") ? NATS_INFO_MAX : NATS_LINE_MAX;
}

/* Returns 1 for a whole line, 0 if its end is still to come. */
static int find_line(struct nats_reader *reader, struct line *line)
{
	char *text = reader->data + reader->begin;
	size_t size = reader->end - reader->begin;
	char *end = memchr(text + reader->seen, '\n', size - reader->seen);

	line->text = text;
	line->size = end == NULL ? size : (size_t)(end - text);
	if (line->size > get_line_max(text, line->size))
		return fail();
	reader->seen = end == NULL ? size : 0;
	if (end == NULL)
		return 0;
	if (line->size == 0 || text[--line->size] != '\r')
		return fail();
	return memchr(text, '\r', line->size) == NULL ? 1 : fail();
}

static bool is_word(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == '\x7f')
			return false;
	return size > 0;
}

/* Fields have one blank between them. */
static int split(struct line *line)
{
	char *text = line->text, *end = line->text + line->size, *blank;

	for (line->count = 0; line->count < FIELDS_MAX; text = blank + 1) {
		struct field *field = &line->fields[line->count++];

		blank = memchr(text, ' ', (size_t)(end - text));
		field->text = text;
		field->size = (size_t)((blank == NULL ? end : blank) - text);
		if (!is_word(field->text, field->size))
			return fail();
		if (blank == NULL)
			return 0;
	}
	return fail();
}

/* A server writes decimal digits, without a zero before them. */
static int read_number(const struct field *field, uint64_t *number)
{
	size_t i;

	*number = 0;
	if (field->size > 1 && field->text[0] == '0')
		return fail();
	for (i = 0; i < field->size; i++) {
		char digit = field->text[i];

		if (digit < '0' || digit > '9' ||
			__builtin_mul_overflow(*number, 10, number) ||
			__builtin_add_overflow(*number, (uint64_t)(digit - '0'),
				number))
			return fail();
	}
	return 0;
}

/* No server sends more at once than an int can count. */
static int read_size(const struct field *field, size_t *size)
{
	uint64_t number;

	if (read_number(field, &number) < 0 || number > INT_MAX)
		return fail();
	*size = (size_t)number;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* NATS/1.0[ STATUS[ TEXT]], other lines, and an empty line. */
static int read_header(const char *text, size_t size, unsigned int *status)
{
	const char *at = text + strlen(version);

	*status = 0;
	if (size < strlen(version) + blank_size ||
		!has_begin(text, size, version) ||
		memcmp(text + size - blank_size, blank_line, blank_size) != 0)
		return fail();
	if (*at == '\r')
		return 0;
	if (size < strlen(version) + strlen(" 503") + blank_size ||
		*at != ' ' || !is_digit(at[1]) || !is_digit(at[2]) ||
		!is_digit(at[3]) || (at[4] != ' ' && at[4] != '\r'))
		return fail();
	*status = (unsigned int)((at[1] - '0') * 100 + (at[2] - '0') * 10 +
		(at[3] - '0'));
	return 0;
}

/* Makes strings of the fields that the event shows. */
static void show_names(struct line *line, size_t sizes_count,
	struct nats_event *event)
{
	const struct field *subject = &line->fields[1];
	const struct field *reply = &line->fields[3];

	event->kind = NATS_MESSAGE;
	subject->text[subject->size] = '\0';
	event->subject = subject->text;
	if (line->count < 4 + sizes_count)
		return;
	reply->text[reply->size] = '\0';
	event->reply = reply->text;
}

/* A payload that is too large is skipped; its event tells the size. */
static int give_up_payload(struct nats_reader *reader, struct line *line,
	size_t sizes_count, size_t total, struct nats_event *event)
{
	show_names(line, sizes_count, event);
	event->size = total;
	consume(reader, line->size + end_size);
	reader->skipped = total + end_size;
	return 1;
}

/* Reads what is behind the line, a header and a payload. */
static int read_body(struct nats_reader *reader, struct line *line,
	size_t header, size_t total, struct nats_event *event)
{
	size_t sizes_count = header > 0 ? 2 : 1;
	char *body = line->text + line->size + end_size;
	size_t there = reader->end - reader->begin - line->size - end_size;

	if (total > reader->payload_most)
		return give_up_payload(reader, line, sizes_count, total, event);
	if (there < total + end_size)
		return 0;
	if (memcmp(body + total, "\r\n", end_size) != 0)
		return fail();
	if (header > 0 && read_header(body, header, &event->status) < 0)
		return -1;
	show_names(line, sizes_count, event);
	event->data = body + header;
	event->size = total - header;
	consume(reader, line->size + end_size + total + end_size);
	return 1;
}

/* MSG SUBJECT NUMBER [REPLY] SIZE */
static int read_message(struct nats_reader *reader, struct line *line,
	struct nats_event *event)
{
	size_t total;

	if (split(line) < 0)
		return -1;
	if (line->count < 4 || line->count > 5 ||
		read_number(&line->fields[2], &event->number) < 0 ||
		read_size(&line->fields[line->count - 1], &total) < 0)
		return fail();
	return read_body(reader, line, 0, total, event);
}

/* HMSG SUBJECT NUMBER [REPLY] HEADER-SIZE TOTAL-SIZE */
static int read_message_with_header(struct nats_reader *reader,
	struct line *line, struct nats_event *event)
{
	size_t header, total;

	if (split(line) < 0)
		return -1;
	if (line->count < 5 ||
		read_number(&line->fields[2], &event->number) < 0 ||
		read_size(&line->fields[line->count - 2], &header) < 0 ||
		read_size(&line->fields[line->count - 1], &total) < 0)
		return fail();
	if (header == 0 || header > total)
		return fail();
	return read_body(reader, line, header, total, event);
}

static int end_line(struct nats_reader *reader, const struct line *line,
	struct nats_event *event, enum nats_kind kind)
{
	event->kind = kind;
	consume(reader, line->size + end_size);
	return 1;
}

static int read_info(struct nats_reader *reader, struct line *line,
	struct nats_event *event)
{
	size_t before = strlen("INFO ");

	if (nats_info_read(&reader->info, line->text + before,
		    line->size - before) < 0)
		return -1;
	event->info = &reader->info;
	return end_line(reader, line, event, NATS_INFO);
}

/* -ERR 'TEXT'; a text may quote a subject, of any bytes. */
static int read_error(struct nats_reader *reader, struct line *line,
	struct nats_event *event)
{
	char *text = line->text + strlen("-ERR '");
	char *end = line->text + line->size - 1;

	if (end < text || *end != '\'')
		return fail();
	*end = '\0';
	event->text = text;
	for (; text < end; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
	return end_line(reader, line, event, NATS_ERROR);
}

static int read_ping(struct nats_reader *reader, struct line *line,
	struct nats_event *event)
{
	return end_line(reader, line, event, NATS_PING);
}

static int read_pong(struct nats_reader *reader, struct line *line,
	struct nats_event *event)
{
	return end_line(reader, line, event, NATS_PONG);
}

static int read_ok(struct nats_reader *reader, struct line *line,
	struct nats_event *event)
{
	return end_line(reader, line, event, NATS_OK);
}

struct command {
	const char *word;
	bool is_whole_line;
	int (*read)(struct nats_reader *reader, struct line *line,
		struct nats_event *event);
};

/* The most frequent first. */
static const struct command commands[] = {
	{ "MSG ", false, read_message },
	{ "HMSG ", false, read_message_with_header },
	{ "PING", true, read_ping },
	{ "PONG", true, read_pong },
	{ "+OK", true, read_ok },
	{ "-ERR '", false, read_error },
	{ "INFO ", false, read_info },
};

static int read_line(struct nats_reader *reader, struct line *line,
	struct nats_event *event)
{
	const struct command *command = commands;
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++, command++)
		if (has_begin(line->text, line->size, command->word) &&
			(!command->is_whole_line ||
				line->size == strlen(command->word)))
			return command->read(reader, line, event);
	return fail();
}

int nats_reader_take(struct nats_reader *reader, struct nats_event *event)
{
	struct line line;
	int result;

	memset(event, 0, sizeof(*event));
	if (reader->is_broken)
		return fail();
	skip(reader);
	if (reader->skipped > 0)
		return 0;
	result = find_line(reader, &line);
	if (result == 1)
		result = read_line(reader, &line, event);
	reader->is_broken = result < 0;
	return result;
}
