/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "tools/tap/pcapng.h"
#include "tools/tap/pcapng_format.h"

/*
 * A part of a block, never full: measure() bounds the texts. Only size is set
 * at the beginning, because clearing the bytes would take longer than filling
 * them.
 */
struct part {
	size_t size;
	unsigned char bytes[2048];
};

static void put(struct part *part, const void *data, size_t size)
{
	if (size == 0 || size > sizeof(part->bytes) - part->size)
		return;
	memcpy(part->bytes + part->size, data, size);
	part->size += size;
}

static void put_number(struct part *part, uint64_t number, size_t size)
{
	unsigned char bytes[8];
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = (unsigned char)(number >> 8 * i);
	put(part, bytes, size);
}

static size_t get_padding(size_t size)
{
	return -size & 3;
}

static void put_padding(struct part *part, size_t size)
{
	put_number(part, 0, get_padding(size));
}

static void put_option(struct part *part, enum pcapng_option option,
	const void *data, size_t size)
{
	put_number(part, option, 2);
	put_number(part, size, 2);
	put(part, data, size);
	put_padding(part, size);
}

/* Returns how many bytes of the text are recorded. */
static size_t measure(const char *text)
{
	const size_t size = strlen(text);

	return size < 512 ? size : 512;
}

static void put_text_option(struct part *part, enum pcapng_option option,
	const char *text)
{
	put_option(part, option, text, measure(text));
}

static void put_number_option(struct part *part, enum pcapng_option option,
	uint64_t number, size_t size)
{
	put_number(part, option, 2);
	put_number(part, size, 2);
	put_number(part, number, size);
	put_padding(part, size);
}

/* The size of a tag includes the padding. */
static void put_tag(struct part *part, enum pcapng_tag tag, const void *data,
	size_t size)
{
	const size_t whole = size + get_padding(size);
	const unsigned char head[] = {
		(unsigned char)(tag >> 8),
		(unsigned char)tag,
		(unsigned char)(whole >> 8),
		(unsigned char)whole,
	};

	put(part, head, sizeof(head));
	put(part, data, size);
	put_padding(part, size);
}

static void put_text_tag(struct part *part, enum pcapng_tag tag,
	const char *text)
{
	put_tag(part, tag, text, measure(text));
}

static int write_bytes(struct pcapng_writer *writer, const void *data,
	size_t size)
{
	return size == 0 || fwrite(data, size, 1, writer->file) == 1 ? 0 : -1;
}

/* Writes a block that holds head, data and tail; data may be long. */
static int write_block(struct pcapng_writer *writer, enum pcapng_block type,
	const struct part *head, const void *data, size_t size,
	const struct part *tail)
{
	const size_t whole = PCAPNG_FRAME_SIZE + head->size + size +
		get_padding(head->size + size) + tail->size;
	struct part first, last;

	first.size = last.size = 0;
	put_number(&first, type, 4);
	put_number(&first, whole, 4);
	put(&first, head->bytes, head->size);
	put_padding(&last, head->size + size);
	put(&last, tail->bytes, tail->size);
	put_number(&last, whole, 4);
	if (write_bytes(writer, first.bytes, first.size) < 0 ||
		write_bytes(writer, data, size) < 0)
		return -1;
	return write_bytes(writer, last.bytes, last.size);
}

static int write_section(struct pcapng_writer *writer)
{
	struct part head, tail;

	head.size = tail.size = 0;
	put_number(&head, PCAPNG_ORDER, 4);
	put_number(&head, 1, 2);
	put_number(&head, 0, 2);
	put_number(&head, UINT64_MAX, 8);
	put_text_option(&head, PCAPNG_APPLICATION,
		PCAPNG_PROGRAM " " PACKAGE_VERSION);
	put_number_option(&head, PCAPNG_END, 0, 0);
	return write_block(writer, PCAPNG_SECTION, &head, NULL, 0, &tail);
}

static int write_interface(struct pcapng_writer *writer)
{
	struct part head, tail;

	head.size = tail.size = 0;
	put_number(&head, PCAPNG_UPPER_PDU, 4);
	put_number(&head, 0, 4);
	put_text_option(&head, PCAPNG_NAME, writer->network);
	put_text_option(&head, PCAPNG_DESCRIPTION, writer->address);
	put_number_option(&head, PCAPNG_RESOLUTION, PCAPNG_NANOSECONDS, 1);
	put_number_option(&head, PCAPNG_END, 0, 0);
	return write_block(writer, PCAPNG_INTERFACE, &head, NULL, 0, &tail);
}

int pcapng_write_begin(struct pcapng_writer *writer)
{
	writer->packets = writer->left_out = writer->left_out_all = 0;
	return write_section(writer) < 0 ? -1 : write_interface(writer);
}

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t room, const char *format, ...)
{
	const size_t used = strlen(text);
	va_list list;

	va_start(list, format);
	vsnprintf(text + used, room - used, format, list);
	va_end(list);
}

static const char *get_kind(enum event_kind kind)
{
	if (kind == EVENT_OPENED)
		return "opened";
	return kind == EVENT_ENDED ? "end" : "closed";
}

/* pcapng_read.c parses this text, see parse_comment. */
static void describe(const struct event *event, char *text, size_t room)
{
	*text = '\0';
	append(text, room,
		"connection %" PRIu64 ", to the %s: ", event->connection,
		event->is_answer ? "client" : "server");
	if (event->kind == EVENT_MESSAGE)
		append(text, room, "%zu bytes", event->size);
	else
		append(text, room, "%s", get_kind(event->kind));
	if (event->fds > 0)
		append(text, room, ", %zu descriptors", event->fds);
	if (event->has_cred)
		append(text, room, ", client uid %ju gid %ju pid %ju",
			(uintmax_t)event->cred.uid, (uintmax_t)event->cred.gid,
			(uintmax_t)event->cred.pid);
}

static void put_tags(struct part *part, const struct pcapng_writer *writer,
	const struct event *event, const char *text)
{
	const unsigned char direction[] = { 0, 0, 0, event->is_answer };
	const bool is_plain =
		writer->dissector == NULL || event->kind != EVENT_MESSAGE;

	put_text_tag(part, PCAPNG_TAG_DISSECTOR,
		is_plain ? "data" : writer->dissector);
	put_text_tag(part, PCAPNG_TAG_PROTOCOL, writer->network);
	put_tag(part, PCAPNG_TAG_DIRECTION, direction, sizeof(direction));
	put_text_tag(part, PCAPNG_TAG_INFO, text);
	put_tag(part, PCAPNG_TAG_END, NULL, 0);
}

static void put_comments(struct part *part, const struct pcapng_writer *writer,
	const struct event *event, const char *text)
{
	char lost[80];

	put_text_option(part, PCAPNG_COMMENT, text);
	put_number_option(part, PCAPNG_FLAGS,
		event->is_answer ? PCAPNG_INBOUND : PCAPNG_OUTBOUND, 4);
	if (writer->left_out > 0) {
		snprintf(lost, sizeof(lost),
			"%" PRIu64 " packets before this one were left out",
			writer->left_out);
		put_text_option(part, PCAPNG_COMMENT, lost);
		put_number_option(part, PCAPNG_DROP_COUNT, writer->left_out, 8);
	}
	put_number_option(part, PCAPNG_END, 0, 0);
}

static void put_time(struct part *part, int64_t time_ns)
{
	const uint64_t time = (uint64_t)time_ns;

	put_number(part, time >> 32, 4);
	put_number(part, time, 4);
}

int pcapng_write(struct pcapng_writer *writer, const struct event *event,
	const void *data)
{
	struct part head, tags, tail;
	char text[256];

	if (event->kind == EVENT_LEFT_OUT) {
		writer->left_out += event->left_out;
		writer->left_out_all += event->left_out;
		return 0;
	}
	head.size = tags.size = tail.size = 0;
	describe(event, text, sizeof(text));
	put_tags(&tags, writer, event, text);
	put_number(&head, 0, 4);
	put_time(&head, event->time_ns);
	put_number(&head, tags.size + event->kept, 4);
	put_number(&head, tags.size + event->size, 4);
	put(&head, tags.bytes, tags.size);
	put_comments(&tail, writer, event, text);
	writer->left_out = 0;
	writer->packets++;
	return write_block(writer, PCAPNG_PACKET, &head, data, event->kept,
		&tail);
}

int pcapng_write_end(struct pcapng_writer *writer)
{
	struct part head, tail;
	struct timespec now;

	head.size = tail.size = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	put_number(&head, 0, 4);
	put_time(&head, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	put_number_option(&head, PCAPNG_RECEIVED,
		writer->packets + writer->left_out_all, 8);
	put_number_option(&head, PCAPNG_DROPPED, writer->left_out_all, 8);
	put_number_option(&head, PCAPNG_END, 0, 0);
	return write_block(writer, PCAPNG_STATISTICS, &head, NULL, 0, &tail);
}
