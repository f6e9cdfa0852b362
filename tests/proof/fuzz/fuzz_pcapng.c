/* SPDX-License-Identifier: MIT */
/*
 * Recordings of unixmsg-tap. The blocks are counted a second time, byte by
 * byte; and the events that were read are written, and read again.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tools/tap/pcapng.h"

const char fuzz_noun[] = "pcapng";

enum { EVENTS_MOST = 64, SIZE_MOST = 1 << 30 };

struct noted {
	struct event event;
	void *data;
};

/* What was read of a file. */
struct story {
	char network[PCAPNG_NETWORK_SIZE];
	struct noted events[EVENTS_MOST];
	size_t count; /* the first EVENTS_MOST of them are noted */
	int result;   /* the last one */
	int error;
};

static void note(struct story *story, const struct event *event,
	const void *data)
{
	struct noted *noted = &story->events[story->count];

	fuzz_expect(event->kept <= event->size);
	if (story->count++ >= EVENTS_MOST)
		return;
	noted->event = *event;
	noted->data = fuzz_copy(data, event->kept);
}

static void tell(struct story *story, const void *bytes, size_t size)
{
	FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");
	struct pcapng_reader reader;
	struct event event;
	const void *data;

	memset(story, 0, sizeof(*story));
	fuzz_expect(file != NULL);
	story->result = pcapng_read_begin(&reader, file);
	if (story->result == 0) {
		memcpy(story->network, reader.network, sizeof(story->network));
		while ((story->result = pcapng_read(&reader, &event, &data)) ==
			1)
			note(story, &event, data);
	}
	story->error = errno;
	fuzz_expect(reader.packets == story->count);
	fuzz_expect(story->result == 0 ||
		(story->error == EBADMSG && reader.why != NULL));
	pcapng_read_end(&reader);
	fclose(file);
}

static void forget(struct story *story)
{
	size_t i;

	for (i = 0; i < story->count && i < EVENTS_MOST; i++)
		free(story->events[i].data);
}

/* --- The second reader ---------------------------------------------------- */

static size_t read_slowly(const uint8_t *bytes)
{
	return bytes[0] + ((size_t)bytes[1] << 8) + ((size_t)bytes[2] << 16) +
		((size_t)bytes[3] << 24);
}

/* Whether the bytes are blocks to the end; counts the packets. */
static bool count_packets(const uint8_t *bytes, size_t size, size_t *count)
{
	size_t block;

	for (*count = 0; size > 0; bytes += block, size -= block) {
		if (size < 12)
			return false;
		block = read_slowly(bytes + 4);
		if (block < 12 || block > size || block % 4 != 0 ||
			read_slowly(bytes + block - 4) != block)
			return false;
		*count += read_slowly(bytes) == 6;
	}
	return true;
}

/* --- Written and read again ----------------------------------------------- */

/* How many packets were left out is an event of its own for the writer. */
static void write_one(struct pcapng_writer *writer, const struct noted *noted)
{
	const struct event gap = {
		.kind = EVENT_LEFT_OUT,
		.left_out = noted->event.left_out,
	};

	fuzz_expect(pcapng_write(writer, &gap, NULL) == 0);
	fuzz_expect(pcapng_write(writer, &noted->event, noted->data) == 0);
}

static char *write_story(const struct story *story, size_t *size)
{
	struct pcapng_writer writer = {
		.network = story->network,
		.address = "",
	};
	char *bytes;
	size_t i;

	writer.file = open_memstream(&bytes, size);
	fuzz_expect(writer.file != NULL);
	fuzz_expect(pcapng_write_begin(&writer) == 0);
	for (i = 0; i < story->count; i++)
		write_one(&writer, &story->events[i]);
	fuzz_expect(pcapng_write_end(&writer) == 0);
	fclose(writer.file);
	return bytes;
}

static void compare(const struct noted *a, const struct noted *b)
{
	fuzz_expect(a->event.kind == b->event.kind);
	fuzz_expect(a->event.is_answer == b->event.is_answer);
	fuzz_expect(a->event.connection == b->event.connection);
	fuzz_expect(a->event.time_ns == b->event.time_ns);
	fuzz_expect(a->event.size == b->event.size);
	fuzz_expect(a->event.kept == b->event.kept);
	fuzz_expect(a->event.fds == b->event.fds);
	fuzz_expect(a->event.left_out == b->event.left_out);
	fuzz_expect(memcmp(a->data, b->data, a->event.kept) == 0);
}

/* A size near 4 GiB has no room in a packet once tags are added. */
static bool is_writable(const struct story *story)
{
	size_t i;

	if (story->result != 0 || story->count > EVENTS_MOST)
		return false;
	for (i = 0; i < story->count; i++)
		if (story->events[i].event.size > SIZE_MOST)
			return false;
	return true;
}

static void write_and_read(const struct story *story)
{
	struct story again;
	char *bytes;
	size_t size, i;

	bytes = write_story(story, &size);
	tell(&again, bytes, size);
	fuzz_expect(again.result == 0 && again.count == story->count);
	fuzz_expect(strcmp(again.network, story->network) == 0);
	for (i = 0; i < story->count; i++)
		compare(&again.events[i], &story->events[i]);
	forget(&again);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	struct story story;
	size_t packets;

	/* fmemopen(3) opens nothing of no size. */
	if (size == 0)
		return 0;
	copy = fuzz_copy(data, size);
	tell(&story, copy, size);
	if (story.result == 0)
		fuzz_expect(count_packets(copy, size, &packets) &&
			packets == story.count);
	if (is_writable(&story))
		write_and_read(&story);
	forget(&story);
	free(copy);
	return 0;
}
