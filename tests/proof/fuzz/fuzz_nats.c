/* SPDX-License-Identifier: MIT */
/*
 * What a nats-server may send: the input is read at once and in pieces of some
 * size, which must come to the same events. And each event must account for the
 * very bytes that it was read from.
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "relay/nats_reader.h"

const char fuzz_noun[] = "nats";

enum { PAYLOAD_MOST = 256, STORY_ROOM = 1 << 20 };

/* All that came of the input. */
struct story {
	char text[STORY_ROOM];
	size_t size;
	int result;
};

static struct story at_once, in_pieces;

static void tell(struct story *story, const void *data, size_t size)
{
	if (size == 0)
		return;
	fuzz_expect(size < STORY_ROOM - story->size);
	memcpy(story->text + story->size, data, size);
	story->size += size;
}

static void tell_info(struct story *story, const struct nats_info *info)
{
	char line[128];
	size_t i;

	fuzz_expect(info->urls_count <= NATS_URLS_MAX);
	for (i = 0; i < info->urls_count; i++)
		fuzz_expect(fuzz_is_printable(info->urls[i],
			strnlen(info->urls[i], NATS_URL_ROOM)));
	tell(story, line,
		(size_t)snprintf(line, sizeof(line), "%zu %d%d %zu",
			info->payload_most, info->has_headers, info->wants_tls,
			info->urls_count));
}

static void tell_event(struct story *story, const struct nats_event *event)
{
	static char line[3 * NATS_LINE_MAX];

	tell(story, line,
		(size_t)snprintf(line, sizeof(line),
			"%d %s %s %s %" PRIu64 " %u %zu:", (int)event->kind,
			event->text != NULL ? event->text : "-",
			event->subject != NULL ? event->subject : "-",
			event->reply != NULL ? event->reply : "-",
			event->number, event->status, event->size));
	if (event->info != NULL)
		tell_info(story, event->info);
	if (event->data != NULL)
		tell(story, event->data, event->size);
}

/* A message without a header, written anew, is what the server sent. */
static void check_message(const struct nats_event *event, const uint8_t *bytes,
	size_t size)
{
	static char line[NATS_LINE_MAX + 64];
	int length = snprintf(line, sizeof(line),
		"MSG %s %" PRIu64 " %s%s%zu\r\n", event->subject, event->number,
		event->reply != NULL ? event->reply : "",
		event->reply != NULL ? " " : "", event->size);

	fuzz_expect(size >= (size_t)length);
	fuzz_expect(memcmp(bytes, line, (size_t)length) == 0);
	if (event->data == NULL) {
		fuzz_expect(event->size > PAYLOAD_MOST);
		return;
	}
	fuzz_expect(event->size <= PAYLOAD_MOST);
	bytes += length;
	fuzz_expect(size == (size_t)length + event->size + 2);
	fuzz_expect(memcmp(bytes, event->data, event->size) == 0);
	fuzz_expect(memcmp(bytes + event->size, "\r\n", 2) == 0);
}

static void check_event(const struct nats_event *event, const uint8_t *bytes,
	size_t size)
{
	if (event->kind == NATS_MESSAGE && bytes[0] == 'M')
		check_message(event, bytes, size);
	if (event->kind == NATS_ERROR)
		fuzz_expect(
			fuzz_is_printable(event->text, strlen(event->text)));
	if (event->kind == NATS_PING || event->kind == NATS_PONG)
		fuzz_expect(size == 6);
}

static void read_on(struct nats_reader *reader, struct story *story)
{
	struct nats_event event;

	while ((story->result = nats_reader_take(reader, &event)) == 1)
		tell_event(story, &event);
	fuzz_expect(story->result == 0 || errno == EPROTO);
}

static void put(struct nats_reader *reader, const uint8_t *data, size_t size)
{
	size_t room;
	void *place = nats_reader_get_room(reader, &room);

	fuzz_expect(size <= room);
	memcpy(place, data, size);
	nats_reader_add(reader, size);
}

static void read_at_once(struct story *story, const uint8_t *data, size_t size)
{
	struct nats_reader reader;
	struct nats_event event;
	size_t begin = 0;

	fuzz_expect(nats_reader_init(&reader, PAYLOAD_MOST) == 0);
	if (size > 0)
		put(&reader, data, size);
	while (begin = reader.begin + reader.skipped,
		(story->result = nats_reader_take(&reader, &event)) == 1) {
		tell_event(story, &event);
		check_event(&event, data + begin, reader.begin - begin);
	}
	fuzz_expect(story->result == 0 || errno == EPROTO);
	nats_reader_free(&reader);
}

static void read_in_pieces(struct story *story, const uint8_t *data,
	size_t size, size_t piece)
{
	struct nats_reader reader;
	size_t step;

	fuzz_expect(nats_reader_init(&reader, PAYLOAD_MOST) == 0);
	read_on(&reader, story);
	for (; size > 0 && story->result == 0; data += step, size -= step) {
		step = size < piece ? size : piece;
		put(&reader, data, step);
		read_on(&reader, story);
	}
	nats_reader_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece;

	/* All of it has room at once, which the reader need not have. */
	if (size > NATS_INFO_MAX)
		return 0;
	at_once.size = in_pieces.size = 0;
	read_at_once(&at_once, data, size);
	piece = size > 0 ? 1 + data[size - 1] % 40 : 1;
	read_in_pieces(&in_pieces, data, size, piece);
	fuzz_expect(at_once.result == in_pieces.result);
	fuzz_expect(at_once.size == in_pieces.size);
	fuzz_expect(memcmp(at_once.text, in_pieces.text, at_once.size) == 0);
	return 0;
}
