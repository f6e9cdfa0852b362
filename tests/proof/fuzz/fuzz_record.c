/* SPDX-License-Identifier: MIT */
/*
 * Records of the tools. The input is read in each format, at once and in
 * pieces, which must come to the same; text and frames also by a plain second
 * reader. And it is a payload that is written, and must come back.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "tools/common/record.h"

const char fuzz_noun[] = "record";

enum { SIZE_MOST = 4096, PIECES = 8, LARGE = 1 << 20 };

/* All that a reader made of its input: each record with its size before it. */
struct story {
	uint8_t *bytes;
	size_t size;
	int result;
	int error;
	char why[160];
};

static void tell(struct story *story, const void *data, size_t size)
{
	story->bytes = realloc(story->bytes, story->size + sizeof(size) + size);
	fuzz_expect(story->bytes != NULL);
	memcpy(story->bytes + story->size, &size, sizeof(size));
	story->size += sizeof(size);
	if (size > 0)
		memcpy(story->bytes + story->size, data, size);
	story->size += size;
}

static void read_on(struct record_reader *reader, struct story *story)
{
	const void *data;
	size_t size;

	while ((story->result = record_read(reader, false, &data, &size)) ==
		1) {
		fuzz_expect(data != NULL);
		tell(story, data, size);
	}
	story->error = story->result < 0 ? errno : 0;
}

static bool is_waiting(const struct story *story)
{
	return story->result == -1 && story->error == EAGAIN;
}

/* The last word stays the last word. */
static void finish(struct record_reader *reader, struct story *story)
{
	const char *why = record_reader_explain(reader);
	const void *data;
	size_t size;

	read_on(reader, story);
	fuzz_expect(story->result == 0 || story->error == EBADMSG ||
		story->error == EMSGSIZE);
	fuzz_expect((story->result == 0) == (*why == '\0'));
	fuzz_expect(fuzz_is_printable(why, strlen(why)));
	fuzz_expect(record_read(reader, false, &data, &size) == story->result);
	fuzz_expect(story->result == 0 || errno == story->error);
	strcpy(story->why, why);
}

static void read_in_pieces(struct story *story, const uint8_t *data,
	size_t size, enum record_format format, size_t size_most)
{
	size_t at, piece, step = size / PIECES + 1;
	struct record_reader *reader;
	int ends[2];

	memset(story, 0, sizeof(*story));
	fuzz_expect(pipe2(ends, O_CLOEXEC) == 0);
	reader = record_reader_new(ends[0], format, size_most, -1);
	fuzz_expect(reader != NULL);
	for (at = 0; at < size; at += piece) {
		piece = size - at < step ? size - at : step;
		fuzz_expect(write(ends[1], data + at, piece) == (ssize_t)piece);
		read_on(reader, story);
		if (!is_waiting(story))
			break;
	}
	close(ends[1]);
	finish(reader, story);
	record_reader_free(reader);
	close(ends[0]);
}

static void read_at_once(struct story *story, int fd, enum record_format format,
	size_t size_most)
{
	struct record_reader *reader =
		record_reader_new(fd, format, size_most, -1);

	fuzz_expect(reader != NULL);
	fuzz_expect(lseek(fd, 0, SEEK_SET) == 0);
	memset(story, 0, sizeof(*story));
	finish(reader, story);
	record_reader_free(reader);
}

/* The second reader. */

static void read_text_plainly(struct story *story, const uint8_t *data,
	size_t size, size_t size_most)
{
	size_t begin = 0, end;

	while (begin < size && story->error == 0) {
		for (end = begin; end < size && data[end] != '\n';)
			end++;
		if (end - begin > size_most)
			story->error = EMSGSIZE;
		else
			tell(story, data + begin, end - begin);
		begin = end + 1;
	}
}

static void read_frames_plainly(struct story *story, const uint8_t *data,
	size_t size, size_t size_most)
{
	size_t at = 0, length;

	while (at < size) {
		if (size - at < 4) {
			story->error = EBADMSG;
			return;
		}
		length = ((data[at] * 256u + data[at + 1]) * 256u +
				 data[at + 2]) *
				256u +
			data[at + 3];
		at += 4;
		if (length > size_most || length > size - at) {
			story->error = length > size_most ? EMSGSIZE : EBADMSG;
			return;
		}
		tell(story, data + at, length);
		at += length;
	}
}

static void compare(const struct story *a, const struct story *b)
{
	fuzz_expect(a->error == b->error);
	fuzz_expect(a->size == b->size);
	fuzz_expect(a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

static void compare_with_plain(const struct story *story, const uint8_t *data,
	size_t size, enum record_format format, size_t size_most)
{
	struct story plain = { 0 };

	if (format == RECORD_TEXT)
		read_text_plainly(&plain, data, size, size_most);
	else if (format == RECORD_FRAMES)
		read_frames_plainly(&plain, data, size, size_most);
	else
		return;
	compare(story, &plain);
	free(plain.bytes);
}

static void try_read(int fd, const uint8_t *data, size_t size,
	enum record_format format, size_t size_most)
{
	struct story once, pieces;

	read_at_once(&once, fd, format, size_most);
	read_in_pieces(&pieces, data, size, format, size_most);
	compare(&once, &pieces);
	fuzz_expect(strcmp(once.why, pieces.why) == 0);
	compare_with_plain(&once, data, size, format, size_most);
	free(once.bytes);
	free(pieces.bytes);
}

static void write_record(int fd, const uint8_t *data, size_t size,
	enum record_format format)
{
	const struct record record = { .data = data, .size = size };
	struct record_writer *writer = record_writer_new(fd, format, -1);

	fuzz_expect(writer != NULL);
	fuzz_expect(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	fuzz_expect(record_write(writer, &record) == 0);
	fuzz_expect(record_flush(writer) == 0);
	record_writer_free(writer);
}

static void try_write(int fd, const uint8_t *data, size_t size,
	enum record_format format)
{
	struct story story, plain = { 0 };

	write_record(fd, data, size, format);
	read_at_once(&story, fd, format, LARGE);
	tell(&plain, data, size);
	compare(&story, &plain);
	free(story.bytes);
	free(plain.bytes);
}

static bool has_newline(const uint8_t *data, size_t size)
{
	return size > 0 && memchr(data, '\n', size) != NULL;
}

static int get_file(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	fuzz_expect(fd >= 0 && ftruncate(fd, 0) == 0);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = get_file(), free_fd = fuzz_get_free_fd();
	uint8_t *copy;
	enum record_format format;

	if (size > SIZE_MOST)
		size = SIZE_MOST;
	copy = fuzz_copy(data, size);
	fuzz_expect(pwrite(fd, copy, size, 0) == (ssize_t)size);
	for (format = RECORD_TEXT; format <= RECORD_FRAMES; format++) {
		try_read(fd, copy, size, format, LARGE);
		try_read(fd, copy, size, format, size / 4);
	}
	for (format = RECORD_TEXT; format <= RECORD_FRAMES; format++)
		if (format != RECORD_TEXT || !has_newline(copy, size))
			try_write(fd, copy, size, format);
	fuzz_expect(fuzz_get_free_fd() == free_fd);
	free(copy);
	return 0;
}
