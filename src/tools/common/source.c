/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/record.h"
#include "tools/common/record_line.h"
#include "tools/common/source.h"
#include "tools/common/tool.h"

/* Input without an end is counted up to here. */
static const uint64_t rest_max = 10000000;

int source_open(struct source *source, const struct options *options)
{
	memset(source, 0, sizeof(*source));
	source->options = options;
	if (options->count > 0) {
		source->made = calloc(1, options->made_size + 1);
		return source->made == NULL ? -1 : 0;
	}
	if (options->messages_count > 0)
		return 0;
	source->reader = record_reader_new(STDIN_FILENO, options->input,
		options->input_max, tool_get_stop_fd());
	return source->reader == NULL ? -1 : 0;
}

void source_close(struct source *source)
{
	record_reader_free(source->reader);
	free(source->line);
	free(source->made);
}

/* A generated message begins with its number; a pattern follows. */
static void fill(unsigned char *data, size_t size, uint64_t number)
{
	size_t i, head = size < sizeof(number) ? size : sizeof(number);

	memcpy(data, &number, head);
	for (i = head; i < size; i++)
		data[i] = (unsigned char)(number + i);
}

static int make(struct source *source, const void **data, size_t *size)
{
	const struct options *options = source->options;

	if (source->made_count == options->count)
		return 0;
	if (source->next_us > unixdeadline_now_us()) {
		errno = EAGAIN;
		return -1;
	}
	if (options->interval_us > 0)
		source->next_us = unixdeadline_after_us(options->interval_us);
	fill(source->made, options->made_size, source->made_count);
	source->made_count++;
	*data = source->made;
	*size = options->made_size;
	return 1;
}

/* An argument is the message itself, except in hex and json. */
static int decode(struct source *source, const char *argument,
	const void **data, size_t *size)
{
	enum record_format format = source->options->input;
	struct record_line line;

	*data = argument;
	*size = strlen(argument);
	if (format != RECORD_HEX && format != RECORD_JSON)
		return 1;
	free(source->line);
	source->line = strdup(argument);
	if (source->line == NULL)
		return -1;
	line.data = source->line;
	line.size = *size;
	if (record_line_decode(&line, format) != 1) {
		errno = EBADMSG;
		return -1;
	}
	*data = line.data;
	*size = line.size;
	return 1;
}

static int take_argument(struct source *source, const void **data, size_t *size)
{
	const struct options *options = source->options;

	if (source->argument == options->messages_count)
		return 0;
	return decode(source, options->messages[source->argument++], data,
		size);
}

/* Returns as record_read; a message is valid until the next call. */
static int read_next(struct source *source, const void **data, size_t *size)
{
	if (source->made != NULL)
		return make(source, data, size);
	if (source->reader != NULL)
		return record_read(source->reader, false, data, size);
	return take_argument(source, data, size);
}

static void complain_of_argument(const struct source *source, int error)
{
	const char *why = error == EBADMSG ? "not a message in that format"
					   : strerror(error);

	if (source->name != NULL)
		tool_complain("%s: %s", source->name, why);
	else
		tool_complain("MESSAGE %d: %s", source->argument, why);
}

static void complain(const struct source *source, int error)
{
	if (source->reader == NULL)
		complain_of_argument(source, error);
	else if (error == EBADMSG || error == EMSGSIZE)
		tool_complain("standard input: %s",
			record_reader_explain(source->reader));
	else
		tool_complain("standard input: %s", strerror(error));
}

void source_take(struct source *source)
{
	source->is_there = false;
}

void source_give_up(struct source *source)
{
	source->is_lost = source->is_there;
	source->is_there = false;
	source->is_over = true;
	source->is_bad = true;
}

bool source_is_empty(const struct source *source)
{
	return source->is_over && !source->is_there && !source->is_lost;
}

bool source_fetch(struct source *source)
{
	int result;

	if (source->is_there || source->is_over)
		return source->is_there;
	result = read_next(source, &source->data, &source->size);
	source->is_there = result == 1;
	source->is_over = result == 0;
	if (result < 0 && errno != EAGAIN) {
		complain(source, errno);
		source_give_up(source);
	}
	return source->is_there;
}

static uint64_t count_records(struct source *source, bool *is_all)
{
	uint64_t count = 0;
	const void *data;
	size_t size;
	int result;

	while ((result = record_read(source->reader, false, &data, &size)) ==
			1 &&
		count < rest_max)
		count++;
	*is_all = result == 0;
	return count;
}

uint64_t source_count_rest(struct source *source, bool *is_all)
{
	const struct options *options = source->options;
	const uint64_t next = source->is_there || source->is_lost ? 1 : 0;

	*is_all = true;
	if (source->made != NULL)
		return next + options->count - source->made_count;
	if (source->reader == NULL)
		return next +
			(uint64_t)(options->messages_count - source->argument);
	source->counted += count_records(source, is_all);
	return next + source->counted;
}

int source_get_fd(const struct source *source)
{
	return source->reader != NULL ? STDIN_FILENO : -1;
}

int64_t source_get_moment(const struct source *source)
{
	return source->made != NULL ? source->next_us : UNIXMSG_FOREVER;
}

uint64_t source_identify(const struct source *source, const void *data,
	size_t size)
{
	uint64_t number;

	if (source->made == NULL || size < sizeof(number) ||
		size != source->options->made_size)
		return UINT64_MAX;
	memcpy(&number, data, sizeof(number));
	return number < source->made_count ? number : UINT64_MAX;
}
