/* SPDX-License-Identifier: MIT */
/* A recording may come from anywhere: every size is checked before it is
 * used. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tap/pcapng.h"
#include "tools/tap/pcapng_format.h"

/* The rest of a block. */
struct cursor {
	const unsigned char *at;
	size_t left;
};

static int refuse(struct pcapng_reader *reader, const char *why)
{
	reader->why = why;
	errno = EBADMSG;
	return -1;
}

static int refuse_foreign(struct pcapng_reader *reader)
{
	return refuse(reader, "is no recording of unixmsg-tap");
}

static int refuse_cut(struct pcapng_reader *reader)
{
	return refuse(reader, "is cut: its last packet is not complete");
}

static uint64_t get_number(const unsigned char *at, size_t size)
{
	uint64_t number = 0;

	while (size-- > 0)
		number = number << 8 | at[size];
	return number;
}

static const unsigned char *take(struct cursor *cursor, size_t size)
{
	const unsigned char *at = cursor->at;

	if (size > cursor->left)
		return NULL;
	cursor->at += size;
	cursor->left -= size;
	return at;
}

static const unsigned char *take_padded(struct cursor *cursor, size_t size)
{
	if (size > cursor->left)
		return NULL;
	return take(cursor, size + (-size & 3));
}

/* Returns 1; 0 at the end of the file; or -1. */
static int read_bytes(struct pcapng_reader *reader, void *data, size_t size)
{
	const size_t got = fread(data, 1, size, reader->file);

	if (got == size)
		return 1;
	if (ferror(reader->file))
		return -1;
	return got == 0 ? 0 : refuse_cut(reader);
}

static int make_room(struct pcapng_reader *reader, size_t size)
{
	unsigned char *block;

	if (size <= reader->room)
		return 0;
	block = realloc(reader->block, size);
	if (block == NULL)
		return -1;
	reader->block = block;
	reader->room = size;
	return 0;
}

/* Reads a whole block, and sets *body to its body. Returns 1; 0 at the end of
 * the file; or -1. */
static int read_block(struct pcapng_reader *reader, uint32_t *type,
	struct cursor *body)
{
	unsigned char head[8];
	size_t size;
	int result = read_bytes(reader, head, sizeof(head));

	if (result <= 0)
		return result;
	*type = (uint32_t)get_number(head, 4);
	size = get_number(head + 4, 4);
	if (size < PCAPNG_FRAME_SIZE || size % 4 != 0 ||
		size > PCAPNG_BLOCK_MOST)
		return refuse_foreign(reader);
	if (make_room(reader, size - 8) < 0)
		return -1;
	result = read_bytes(reader, reader->block, size - 8);
	if (result <= 0)
		return result < 0 ? -1 : refuse_cut(reader);
	*body = (struct cursor){ reader->block, size - PCAPNG_FRAME_SIZE };
	if (get_number(body->at + body->left, 4) != size)
		return refuse_foreign(reader);
	return 1;
}

/* Returns the first option of that kind, or NULL. */
static const unsigned char *find_option(struct cursor options,
	enum pcapng_option wanted, size_t *size)
{
	const unsigned char *head, *value;

	while ((head = take(&options, 4)) != NULL &&
		get_number(head, 2) != PCAPNG_END) {
		*size = get_number(head + 2, 2);
		value = take_padded(&options, *size);
		if (value == NULL)
			return NULL;
		if (get_number(head, 2) == (uint64_t)wanted)
			return value;
	}
	return NULL;
}

/* Copies the value of a text option, with a NUL. Returns false if there is
 * none, or no room for it. */
static bool get_text(struct cursor options, enum pcapng_option wanted,
	char *text, size_t room)
{
	size_t size;
	const unsigned char *value = find_option(options, wanted, &size);

	if (value == NULL || size >= room)
		return false;
	memcpy(text, value, size);
	text[size] = '\0';
	return strlen(text) == size;
}

static int read_section(struct pcapng_reader *reader)
{
	struct cursor body;
	const unsigned char *head;
	char program[64];
	uint32_t type;
	int result = read_block(reader, &type, &body);

	if (result <= 0)
		return result < 0 ? -1 : refuse_foreign(reader);
	if (type != PCAPNG_SECTION || (head = take(&body, 16)) == NULL ||
		get_number(head, 4) != PCAPNG_ORDER ||
		get_number(head + 4, 2) != 1 ||
		!get_text(body, PCAPNG_APPLICATION, program, sizeof(program)) ||
		strncmp(program, PCAPNG_PROGRAM " ", sizeof(PCAPNG_PROGRAM)) !=
			0)
		return refuse_foreign(reader);
	return 0;
}

/* Without that option the times would be in microseconds. */
static bool has_nanoseconds(struct cursor options)
{
	size_t size;
	const unsigned char *value =
		find_option(options, PCAPNG_RESOLUTION, &size);

	return value != NULL && size == 1 && *value == PCAPNG_NANOSECONDS;
}

static int read_interface(struct pcapng_reader *reader)
{
	struct cursor body;
	const unsigned char *head;
	uint32_t type;
	int result = read_block(reader, &type, &body);

	if (result <= 0)
		return result < 0 ? -1 : refuse_cut(reader);
	if (type != PCAPNG_INTERFACE || (head = take(&body, 8)) == NULL ||
		get_number(head, 2) != PCAPNG_UPPER_PDU ||
		!has_nanoseconds(body) ||
		!get_text(body, PCAPNG_NAME, reader->network,
			sizeof(reader->network)))
		return refuse_foreign(reader);
	return 0;
}

int pcapng_read_begin(struct pcapng_reader *reader, FILE *file)
{
	memset(reader, 0, sizeof(*reader));
	reader->file = file;
	return read_section(reader) < 0 ? -1 : read_interface(reader);
}

/* Skips the tags before a payload. */
static bool skip_tags(struct cursor *payload)
{
	const unsigned char *head;

	while ((head = take(payload, 4)) != NULL) {
		const size_t size = (size_t)head[2] << 8 | head[3];

		if (take(payload, size) == NULL)
			return false;
		if (head[0] == 0 && head[1] == PCAPNG_TAG_END)
			return true;
	}
	return false;
}

/* Takes word away from the beginning of *text. */
static bool skip_word(const char **text, const char *word)
{
	const size_t size = strlen(word);

	if (strncmp(*text, word, size) != 0)
		return false;
	*text += size;
	return true;
}

/* A decimal number, as the writer prints it. */
static bool skip_number(const char **text, uint64_t *number)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0;
}

static bool parse_kind(const char *text, struct event *event)
{
	uint64_t number;

	if (skip_word(&text, "opened")) {
		event->kind = EVENT_OPENED;
	} else if (skip_word(&text, "end")) {
		event->kind = EVENT_ENDED;
	} else if (skip_word(&text, "closed")) {
		event->kind = EVENT_CLOSED;
	} else if (skip_number(&text, &number) && skip_word(&text, " bytes")) {
		event->kind = EVENT_MESSAGE;
	} else {
		return false;
	}
	if (skip_word(&text, ", ") && skip_number(&text, &number) &&
		skip_word(&text, " descriptors"))
		event->fds = (size_t)number;
	return true;
}

/* Parses the text that describe in pcapng_write.c has written. */
static bool parse_comment(const char *text, struct event *event)
{
	if (!skip_word(&text, "connection ") ||
		!skip_number(&text, &event->connection) ||
		!skip_word(&text, ", to the "))
		return false;
	event->is_answer = skip_word(&text, "client");
	if (!event->is_answer && !skip_word(&text, "server"))
		return false;
	return skip_word(&text, ": ") && parse_kind(text, event);
}

static uint64_t get_drop_count(struct cursor options)
{
	size_t size;
	const unsigned char *value =
		find_option(options, PCAPNG_DROP_COUNT, &size);

	return value != NULL && size == 8 ? get_number(value, 8) : 0;
}

static int parse_packet(struct pcapng_reader *reader, struct cursor body,
	struct event *event, const void **data)
{
	const unsigned char *head = take(&body, PCAPNG_PACKET_SIZE);
	struct cursor payload;
	char comment[256];
	size_t size, kept;

	memset(event, 0, sizeof(*event));
	/* There is one interface: it has the number 0. */
	if (head == NULL || get_number(head, 4) != 0)
		return refuse_foreign(reader);
	kept = get_number(head + 12, 4);
	size = get_number(head + 16, 4);
	payload.at = take_padded(&body, kept);
	payload.left = kept;
	if (payload.at == NULL || size < kept || !skip_tags(&payload) ||
		!get_text(body, PCAPNG_COMMENT, comment, sizeof(comment)) ||
		!parse_comment(comment, event))
		return refuse_foreign(reader);
	event->left_out = get_drop_count(body);
	event->time_ns = (int64_t)(get_number(head + 4, 4) << 32 |
		get_number(head + 8, 4));
	event->kept = payload.left;
	event->size = size - (kept - payload.left);
	*data = payload.at;
	reader->packets++;
	return 1;
}

int pcapng_read(struct pcapng_reader *reader, struct event *event,
	const void **data)
{
	struct cursor body;
	uint32_t type;
	int result;

	do
		result = read_block(reader, &type, &body);
	while (result == 1 && type == PCAPNG_STATISTICS);
	if (result <= 0)
		return result;
	if (type != PCAPNG_PACKET)
		return refuse_foreign(reader);
	return parse_packet(reader, body, event, data);
}

void pcapng_read_end(struct pcapng_reader *reader)
{
	free(reader->block);
	reader->block = NULL;
}
