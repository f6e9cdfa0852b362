/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"
#include "tools/common/record.h"
#include "tools/common/utf8.h"

/* A string literal with the NULs in it, and its size. */
#define BYTES(text) text, sizeof(text) - 1

enum { MAX_SIZE = 64 };

static const uint64_t seed = 0x13198a2e03707344;

static int input[2];
static int stop[2];
static struct record_reader *reader;

static void open_pipes(void)
{
	ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
}

static void close_all(void)
{
	record_reader_free(reader);
	reader = NULL;
	support_close(&input[0]);
	support_close(&input[1]);
	support_close(&stop[0]);
	support_close(&stop[1]);
}

static void start(enum record_format format, size_t max_size)
{
	record_reader_free(reader);
	reader = record_reader_new(input[0], format, max_size, stop[0]);
	ck_assert_ptr_nonnull(reader);
}

static void feed(const void *data, size_t size)
{
	ck_assert_int_eq(write(input[1], data, size), (ssize_t)size);
}

/* All there will be. */
static void feed_last(const void *data, size_t size)
{
	feed(data, size);
	support_close(&input[1]);
}

static void restart(enum record_format format, const char *data, size_t size)
{
	close_all();
	open_pipes();
	start(format, MAX_SIZE);
	feed_last(data, size);
}

static void expect_record(const void *expected, size_t expected_size)
{
	const void *data = NULL;
	size_t size = SIZE_MAX;
	int got = record_read(reader, true, &data, &size);

	ck_assert_msg(got == 1, "%d: %s", got, record_reader_explain(reader));
	ck_assert_uint_eq(size, expected_size);
	ck_assert_ptr_nonnull(data);
	if (size > 0)
		ck_assert_mem_eq(data, expected, size);
}

static void expect_end(void)
{
	const void *data;
	size_t size;

	ck_assert_int_eq(record_read(reader, true, &data, &size), 0);
}

static void expect_errno(bool wait, int error)
{
	const void *data;
	size_t size;

	errno = 0;
	ck_assert_int_eq(record_read(reader, wait, &data, &size), -1);
	ck_assert_int_eq(errno, error);
}

/* Errors of the input stay, so every one is asked for twice. */
static void expect_error(int error, const char *explanation)
{
	expect_errno(true, error);
	ck_assert_str_eq(record_reader_explain(reader), explanation);
	expect_errno(false, error);
	ck_assert_str_eq(record_reader_explain(reader), explanation);
}

static void write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t wrote = write(fd, data, size);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			_exit(1);
		data += wrote;
		size -= (size_t)wrote;
	}
}

/* A child writes @data, @piece bytes a time, and then closes the pipe. */
static pid_t feed_from_child(const char *data, size_t size, size_t piece)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child > 0) {
		support_close(&input[1]);
		return child;
	}
	for (size_t at = 0; at < size; at += piece)
		write_all(input[1], data + at,
			piece < size - at ? piece : size - at);
	_exit(0);
}

static void join(pid_t child)
{
	int status;

	ck_assert_int_eq(support_waitpid(child, &status), child);
	ck_assert_int_eq(status, 0);
}

static void write_a_line(int number)
{
	(void)!write(input[1], "late\n", number > 0 ? 5 : 0);
}

static void write_a_stop(int number)
{
	(void)!write(stop[1], "!", number > 0 ? 1 : 0);
}

/* Soon, @handler runs: whether the wait has begun by then makes no odds. */
static void interrupt_with(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };
	struct itimerval soon = { .it_value.tv_usec = 20000 };

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
}

START_TEST(each_format_has_its_word)
{
	ck_assert_str_eq(record_formats[RECORD_TEXT], "text");
	ck_assert_str_eq(record_formats[RECORD_HEX], "hex");
	ck_assert_str_eq(record_formats[RECORD_JSON], "json");
	ck_assert_str_eq(record_formats[RECORD_FRAMES], "frames");
	ck_assert_ptr_null(record_formats[RECORD_FORMATS]);
}
END_TEST

START_TEST(freeing_nothing_is_allowed)
{
	record_reader_free(NULL);
}
END_TEST

START_TEST(no_input_is_no_record_in_any_format)
{
	for (int i = RECORD_TEXT; i <= RECORD_FRAMES; i++) {
		restart((enum record_format)i, "", 0);
		expect_end();
		expect_end();
		ck_assert_str_eq(record_reader_explain(reader), "");
	}
}
END_TEST

START_TEST(a_line_is_a_record_without_its_newline)
{
	restart(RECORD_TEXT, BYTES("one\ntwo\n"));
	expect_record("one", 3);
	expect_record("two", 3);
	expect_end();
}
END_TEST

START_TEST(a_last_line_without_newline_is_a_record)
{
	restart(RECORD_TEXT, BYTES("one\ntwo"));
	expect_record("one", 3);
	expect_record("two", 3);
	expect_end();
	expect_end();
}
END_TEST

START_TEST(an_empty_line_is_an_empty_record)
{
	restart(RECORD_TEXT, BYTES("\n\nx\n\n"));
	expect_record("", 0);
	expect_record("", 0);
	expect_record("x", 1);
	expect_record("", 0);
	expect_end();
}
END_TEST

START_TEST(every_byte_but_the_newline_passes_through)
{
	char bytes[256];
	size_t size = 0;

	for (int i = 0; i < 256; i++)
		if (i != '\n')
			bytes[size++] = (char)i;
	start(RECORD_TEXT, sizeof(bytes));
	feed_last(bytes, size);
	expect_record(bytes, size);
	expect_end();
}
END_TEST

START_TEST(a_line_of_the_largest_size_is_a_record)
{
	char line[MAX_SIZE + 1];

	memset(line, 'x', MAX_SIZE);
	line[MAX_SIZE] = '\n';
	start(RECORD_TEXT, MAX_SIZE);
	feed(line, sizeof(line));
	feed_last(line, MAX_SIZE);
	expect_record(line, MAX_SIZE);
	expect_record(line, MAX_SIZE);
	expect_end();
}
END_TEST

START_TEST(a_larger_line_is_refused_before_its_end_arrives)
{
	char line[MAX_SIZE + 1];

	memset(line, 'x', sizeof(line));
	start(RECORD_TEXT, MAX_SIZE);
	feed("one\n", 4);
	feed(line, sizeof(line));
	expect_record("one", 3);
	expect_error(EMSGSIZE, "line 2: more than the 64 bytes of --max-size");
	feed("\n", 1);
	expect_error(EMSGSIZE, "line 2: more than the 64 bytes of --max-size");
}
END_TEST

START_TEST(a_larger_line_is_refused_in_the_same_words_with_its_end)
{
	char line[MAX_SIZE + 8];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	restart(RECORD_TEXT, line, sizeof(line));
	expect_error(EMSGSIZE, "line 1: more than the 64 bytes of --max-size");
}
END_TEST

START_TEST(only_empty_records_fit_where_nothing_is_allowed)
{
	static const struct {
		enum record_format format;
		const char *text;
		size_t size;
		const char *explanation;
	} table[] = {
		{ RECORD_TEXT, BYTES("\na\n"),
			"line 2: more than the 0 bytes of --max-size" },
		{ RECORD_HEX, BYTES("\n00\n"),
			"line 2: 1 bytes, more than the 0 allowed" },
		{ RECORD_JSON, BYTES("{\"data\":\"\"}\n{\"data\":\"a\"}"),
			"line 2: 1 bytes, more than the 0 allowed" },
		{ RECORD_FRAMES, BYTES("\0\0\0\0\0\0\0\1"),
			"record 2: 1 bytes, more than the 0 allowed" },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		restart(table[i].format, table[i].text, table[i].size);
		start(table[i].format, 0);
		expect_record("", 0);
		expect_error(EMSGSIZE, table[i].explanation);
	}
}
END_TEST

START_TEST(hex_lines_are_records)
{
	restart(RECORD_HEX, BYTES("00FF\n\n \t\n61 62\t63 \n0a"));
	expect_record("\0\xff", 2);
	expect_record("", 0);
	expect_record("", 0);
	expect_record("abc", 3);
	expect_record("\n", 1);
	expect_end();
}
END_TEST

START_TEST(objects_are_records_and_blank_lines_are_not)
{
	restart(RECORD_JSON,
		BYTES("\n {\"data\":\"a\"}\r\n\r\n \t\n"
		      "{\"hex\":\"00\",\"size\":9}\n\n"
		      "{\"data\":\"\"}"));
	expect_record("a", 1);
	expect_record("\0", 1);
	expect_record("", 0);
	expect_end();
}
END_TEST

START_TEST(malformed_lines_are_told_by_number)
{
	static const struct {
		enum record_format format;
		const char *text;
		size_t size;
		const char *explanation;
	} table[] = {
		{ RECORD_HEX, BYTES("0"), "line 1: odd number of hex digits" },
		{ RECORD_HEX, BYTES("zz\n"),
			"line 1, column 1: not a hex digit" },
		{ RECORD_JSON, BYTES("x\n"),
			"line 1, column 1: expected an object" },
		{ RECORD_JSON, BYTES("\n\n{}\n"),
			"line 3: neither \"data\" nor \"hex\"" },
		{ RECORD_JSON, BYTES("\n{\"data\":\n\"\"}\n"),
			"line 2, column 9: expected a string" },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		restart(table[i].format, table[i].text, table[i].size);
		expect_error(EBADMSG, table[i].explanation);
	}
}
END_TEST

START_TEST(records_before_a_malformed_one_are_read)
{
	restart(RECORD_HEX, BYTES("61\n62\n6\n63\n"));
	expect_record("a", 1);
	expect_record("b", 1);
	expect_error(EBADMSG, "line 3: odd number of hex digits");
}
END_TEST

START_TEST(a_decoded_record_above_the_size_is_refused)
{
	char hex[2 * MAX_SIZE + 3];
	char json[MAX_SIZE + 32];

	memset(hex, '0', sizeof(hex));
	hex[2 * MAX_SIZE + 2] = '\n';
	restart(RECORD_HEX, hex, sizeof(hex));
	expect_error(EMSGSIZE, "line 1: 65 bytes, more than the 64 allowed");

	snprintf(json, sizeof(json), "{\"data\":\"%.*s\"}", MAX_SIZE + 1, hex);
	restart(RECORD_JSON, json, strlen(json));
	expect_error(EMSGSIZE, "line 1: 65 bytes, more than the 64 allowed");
}
END_TEST

START_TEST(a_record_of_escapes_only_fits)
{
	char json[6 * MAX_SIZE + 32];
	char *at = json + sprintf(json, "{\"data\":\"");
	char nuls[MAX_SIZE] = { 0 };

	for (int i = 0; i < MAX_SIZE; i++)
		at += sprintf(at, "\\u0000");
	strcpy(at, "\"}\n");
	restart(RECORD_JSON, json, strlen(json));
	expect_record(nuls, sizeof(nuls));
}
END_TEST

/* The child is killed by the closed pipe: there is no end to what it writes. */
static void expect_endless_line(enum record_format format)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		support_close(&input[0]);
	while (child == 0)
		write_all(input[1], BYTES("        "));
	start(format, MAX_SIZE);
	expect_error(EMSGSIZE,
		"line 1: longer than a record of 64 bytes can be");
	support_close(&input[0]);
	support_close(&input[1]);
	ck_assert_int_eq(support_waitpid(child, &status), child);
}

START_TEST(an_endless_line_of_hex_is_refused)
{
	expect_endless_line(RECORD_HEX);
}
END_TEST

START_TEST(an_endless_line_of_json_is_refused)
{
	expect_endless_line(RECORD_JSON);
}
END_TEST

START_TEST(frames_are_records_of_any_bytes)
{
	restart(RECORD_FRAMES, BYTES("\0\0\0\3a\n\0\0\0\0\0\0\0\0\1\xff"));
	expect_record("a\n\0", 3);
	expect_record("", 0);
	expect_record("\xff", 1);
	expect_end();
}
END_TEST

START_TEST(the_length_of_a_frame_is_big_endian)
{
	static char frame[4 + 0x10203] = { 0, 1, 2, 3 };
	pid_t child;

	start(RECORD_FRAMES, 0x10203);
	child = feed_from_child(frame, sizeof(frame), sizeof(frame));
	expect_record(frame + 4, 0x10203);
	expect_end();
	join(child);
}
END_TEST

START_TEST(a_frame_that_ends_early_is_malformed)
{
	static const struct {
		const char *text;
		size_t size;
		const char *explanation;
	} table[] = {
		{ BYTES("\0"), "record 1: input ends after 1 of 4 bytes" },
		{ BYTES("\0\0\0"), "record 1: input ends after 3 of 4 bytes" },
		{ BYTES("\0\0\0\2"),
			"record 1: input ends after 4 of 6 bytes" },
		{ BYTES("\0\0\0\2a"),
			"record 1: input ends after 5 of 6 bytes" },
		{ BYTES("\0\0\0\0\0\0"),
			"record 2: input ends after 2 of 4 bytes" },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		const char *first = "";

		restart(RECORD_FRAMES, table[i].text, table[i].size);
		if (strstr(table[i].explanation, "record 2"))
			expect_record(first, 0);
		expect_error(EBADMSG, table[i].explanation);
	}
}
END_TEST

START_TEST(a_frame_that_claims_too_much_is_refused_at_once)
{
	start(RECORD_FRAMES, 65536);
	feed(BYTES("\0\0\0\1a\0\1\x11\x70"));
	expect_record("a", 1);
	expect_error(EMSGSIZE,
		"record 2: 70000 bytes, more than the 65536 allowed");
}
END_TEST

START_TEST(a_frame_gets_no_memory_for_its_claim)
{
	size_t before;

	start(RECORD_FRAMES, SIZE_MAX);
	before = support_get_address_space();
	feed(BYTES("\x7f\xff\xff\xff and a few"));
	expect_errno(false, EAGAIN);
	ck_assert_uint_lt(support_get_address_space() - before, 64 << 20);
	support_close(&input[1]);
	expect_error(EBADMSG,
		"record 1: input ends after 14 of 2147483651 bytes");
}
END_TEST

START_TEST(bytes_are_handed_out_as_they_come)
{
	start(RECORD_BYTES, 4);
	feed(BYTES("ab\n"));
	expect_record(BYTES("ab\n"));
	expect_errno(false, EAGAIN);
	feed_last(BYTES("\0cdefg"));
	expect_record(BYTES("\0cde"));
	expect_record(BYTES("fg"));
	expect_end();
}
END_TEST

START_TEST(blocks_are_full_but_for_the_last)
{
	start(RECORD_BLOCKS, 4);
	feed(BYTES("abc"));
	expect_errno(false, EAGAIN);
	feed_last(BYTES("d\nef"));
	expect_record(BYTES("abcd"));
	expect_record(BYTES("\nef"));
	expect_end();
}
END_TEST

START_TEST(all_of_the_input_is_one_record)
{
	start(RECORD_WHOLE, 8);
	feed(BYTES("ab\n\n"));
	expect_errno(false, EAGAIN);
	feed_last(BYTES("\0cde"));
	expect_record(BYTES("ab\n\n\0cde"));
	expect_end();
	restart(RECORD_WHOLE, "", 0);
	expect_record("", 0);
	expect_end();
}
END_TEST

START_TEST(all_of_the_input_may_be_too_large)
{
	start(RECORD_WHOLE, 4);
	feed(BYTES("abcde"));
	expect_error(EMSGSIZE, "more than the 4 bytes of --max-size");
}
END_TEST

START_TEST(a_record_that_arrives_byte_by_byte_is_one)
{
	static const struct {
		enum record_format format;
		const char *text;
		size_t size;
	} table[] = {
		{ RECORD_TEXT, BYTES("hello\nhello") },
		{ RECORD_HEX, BYTES("68656c6c6f\n68 65 6c 6c 6f\n") },
		{ RECORD_JSON,
			BYTES("{\"data\":\"hello\"}\n"
			      "{\"data\":\"h\\u0065llo\"}") },
		{ RECORD_FRAMES, BYTES("\0\0\0\5hello\0\0\0\5hello") },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		pid_t child;

		close_all();
		open_pipes();
		start(table[i].format, MAX_SIZE);
		child = feed_from_child(table[i].text, table[i].size, 1);
		expect_record("hello", 5);
		expect_record("hello", 5);
		expect_end();
		join(child);
	}
}
END_TEST

START_TEST(a_line_of_many_megabytes_is_one_record)
{
	size_t size = 8 << 20;
	char *line = malloc(2 * size + 2);
	pid_t child;

	memset(line, 'x', 2 * size + 2);
	line[size] = line[2 * size + 1] = '\n';
	start(RECORD_TEXT, size);
	child = feed_from_child(line, 2 * size + 2, 1 << 20);
	expect_record(line, size);
	expect_record(line, size);
	expect_end();
	join(child);
	free(line);
}
END_TEST

/* Where the file stands shows how far was read: every step is a read(2). */
START_TEST(many_short_lines_take_few_system_calls)
{
	int file = memfd_create("lines", MFD_CLOEXEC);
	int lines = 100000;
	off_t last = 0;
	int reads = 0;

	ck_assert_int_eq(ftruncate(file, 6 * lines), 0);
	for (int i = 0; i < lines; i++)
		ck_assert_int_eq(pwrite(file, "short\n", 6, 6 * i), 6);
	support_close(&input[0]);
	input[0] = file;
	start(RECORD_TEXT, MAX_SIZE);
	for (int i = 0; i < lines; i++) {
		off_t now;

		expect_record("short", 5);
		now = lseek(file, 0, SEEK_CUR);
		reads += now != last;
		last = now;
	}
	expect_end();
	ck_assert_int_le(reads, 20);
}
END_TEST

START_TEST(without_waiting_there_may_be_nothing_yet)
{
	for (int i = RECORD_TEXT; i <= RECORD_FRAMES; i++) {
		start((enum record_format)i, MAX_SIZE);
		expect_errno(false, EAGAIN);
		ck_assert_str_eq(record_reader_explain(reader), "");
	}
}
END_TEST

START_TEST(without_waiting_a_part_is_kept_until_the_rest_is_there)
{
	start(RECORD_TEXT, MAX_SIZE);
	feed("he", 2);
	expect_errno(false, EAGAIN);
	feed("llo", 3);
	expect_errno(false, EAGAIN);
	feed("\n", 1);
	expect_record("hello", 5);
	expect_errno(false, EAGAIN);
}
END_TEST

START_TEST(without_waiting_a_whole_record_is_read)
{
	const void *data;
	size_t size;

	start(RECORD_TEXT, MAX_SIZE);
	feed("hello\n", 6);
	ck_assert_int_eq(record_read(reader, false, &data, &size), 1);
	ck_assert_uint_eq(size, 5);
	ck_assert_mem_eq(data, "hello", 5);
}
END_TEST

START_TEST(without_waiting_the_end_is_told)
{
	const void *data;
	size_t size;

	restart(RECORD_TEXT, BYTES(""));
	ck_assert_int_eq(record_read(reader, false, &data, &size), 0);
}
END_TEST

START_TEST(a_signal_does_not_end_a_wait)
{
	start(RECORD_TEXT, MAX_SIZE);
	interrupt_with(write_a_line);
	expect_record("late", 4);
}
END_TEST

START_TEST(a_non_blocking_descriptor_is_waited_for)
{
	ck_assert_int_eq(fcntl(input[0], F_SETFL, O_NONBLOCK), 0);
	start(RECORD_TEXT, MAX_SIZE);
	interrupt_with(write_a_line);
	expect_record("late", 4);
	expect_errno(false, EAGAIN);
}
END_TEST

START_TEST(a_stop_ends_a_wait)
{
	start(RECORD_TEXT, MAX_SIZE);
	feed("part", 4);
	interrupt_with(write_a_stop);
	expect_errno(true, ECANCELED);
	ck_assert_str_eq(record_reader_explain(reader), "");
}
END_TEST

START_TEST(a_stop_comes_before_more_input)
{
	start(RECORD_TEXT, MAX_SIZE);
	feed("hello\n", 6);
	write_a_stop(1);
	expect_errno(true, ECANCELED);
}
END_TEST

START_TEST(a_stop_does_not_hold_back_what_was_read)
{
	start(RECORD_TEXT, MAX_SIZE);
	feed("one\ntwo\n", 8);
	expect_record("one", 3);
	write_a_stop(1);
	expect_record("two", 3);
	expect_errno(true, ECANCELED);
}
END_TEST

START_TEST(reading_goes_on_when_the_stop_is_over)
{
	char byte;

	start(RECORD_TEXT, MAX_SIZE);
	feed("hel", 3);
	write_a_stop(1);
	expect_errno(true, ECANCELED);
	ck_assert_int_eq(read(stop[0], &byte, 1), 1);
	feed("lo\n", 3);
	expect_record("hello", 5);
}
END_TEST

START_TEST(a_reader_needs_nothing_to_stop_it)
{
	reader = record_reader_new(input[0], RECORD_TEXT, MAX_SIZE, -1);
	feed_last("hello\n", 6);
	expect_record("hello", 5);
	expect_end();
}
END_TEST

START_TEST(errors_of_read_are_passed_on)
{
	support_close(&input[0]);
	input[0] = open("/", O_RDONLY | O_CLOEXEC);
	start(RECORD_TEXT, MAX_SIZE);
	expect_errno(true, EISDIR);
	support_close(&input[0]);
	expect_errno(true, EBADF);
	expect_errno(false, EBADF);
	ck_assert_str_eq(record_reader_explain(reader), "");
}
END_TEST

struct payload {
	size_t size;
	char data[70000 + 4];
};

static void fill_with_bytes(struct payload *payload, size_t size,
	uint64_t *state)
{
	for (payload->size = 0; payload->size < size; payload->size++)
		payload->data[payload->size] = (char)support_draw(state);
}

static void fill_with_ascii(struct payload *payload, size_t size,
	uint64_t *state)
{
	for (payload->size = 0; payload->size < size; payload->size++)
		payload->data[payload->size] =
			(char)(support_draw(state) % 128);
}

static void fill_with_utf8(struct payload *payload, size_t size,
	uint64_t *state)
{
	payload->size = 0;
	while (payload->size < size) {
		uint32_t code = (uint32_t)(support_draw(state) % 0x110000);

		code >>= support_draw(state) % 21;
		if (code >= 0xd800 && code < 0xe000)
			continue;
		payload->size +=
			utf8_encode(code, payload->data + payload->size);
	}
}

/* Most are short, some are empty, and a few are larger than any buffer. */
static size_t get_random_size(uint64_t *state)
{
	switch (support_draw(state) % 16) {
	case 0:
		return 0;
	case 1:
		return (size_t)(support_draw(state) % 70000);
	default:
		return (size_t)(support_draw(state) % 100);
	}
}

static void make_payload(struct payload *payload, enum record_format format,
	uint64_t *state)
{
	static void (*const fill[])(struct payload *, size_t, uint64_t *) = {
		fill_with_bytes,
		fill_with_ascii,
		fill_with_utf8,
	};

	fill[support_draw(state) % COUNT(fill)](payload, get_random_size(state),
		state);
	if (format != RECORD_TEXT)
		return;
	for (size_t i = 0; i < payload->size; i++)
		if (payload->data[i] == '\n')
			payload->data[i] = ' ';
}

static struct payload payload;
enum { ROUNDS = 300 };

static void write_payloads(enum record_format format)
{
	struct record_writer *writer =
		record_writer_new(input[1], format, stop[0]);
	uint64_t state = seed;
	int failed = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct record record = { .data = payload.data, .sender = "@a" };

		make_payload(&payload, format, &state);
		record.size = payload.size;
		failed |= record_write(writer, &record);
	}
	failed |= record_flush(writer);
	record_writer_free(writer);
	_exit(failed ? 1 : 0);
}

START_TEST(what_is_written_is_read_back)
{
	enum record_format format = (enum record_format)_i;
	uint64_t state = seed;
	pid_t child;

	printf("seed %#jx\n", (uintmax_t)seed);
	fflush(stdout);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		write_payloads(format);
	support_close(&input[1]);
	start(format, sizeof(payload.data));
	for (int i = 0; i < ROUNDS; i++) {
		make_payload(&payload, format, &state);
		expect_record(payload.data, payload.size);
	}
	expect_end();
	join(child);
}
END_TEST

static TCase *make_lines(void)
{
	TCase *tcase = make_tcase_with("lines", open_pipes, close_all);

	tcase_add_test(tcase, each_format_has_its_word);
	tcase_add_test(tcase, freeing_nothing_is_allowed);
	tcase_add_test(tcase, no_input_is_no_record_in_any_format);
	tcase_add_test(tcase, a_line_is_a_record_without_its_newline);
	tcase_add_test(tcase, a_last_line_without_newline_is_a_record);
	tcase_add_test(tcase, an_empty_line_is_an_empty_record);
	tcase_add_test(tcase, every_byte_but_the_newline_passes_through);
	tcase_add_test(tcase, a_line_of_the_largest_size_is_a_record);
	tcase_add_test(tcase, hex_lines_are_records);
	tcase_add_test(tcase, objects_are_records_and_blank_lines_are_not);
	tcase_add_test(tcase, malformed_lines_are_told_by_number);
	tcase_add_test(tcase, records_before_a_malformed_one_are_read);
	return tcase;
}

static TCase *make_sizes(void)
{
	TCase *tcase = make_tcase_with("sizes", open_pipes, close_all);

	tcase_add_test(tcase, a_larger_line_is_refused_before_its_end_arrives);
	tcase_add_test(tcase,
		a_larger_line_is_refused_in_the_same_words_with_its_end);
	tcase_add_test(tcase, only_empty_records_fit_where_nothing_is_allowed);
	tcase_add_test(tcase, a_decoded_record_above_the_size_is_refused);
	tcase_add_test(tcase, a_record_of_escapes_only_fits);
	tcase_add_test(tcase, an_endless_line_of_hex_is_refused);
	tcase_add_test(tcase, an_endless_line_of_json_is_refused);
	tcase_add_test(tcase, a_line_of_many_megabytes_is_one_record);
	return tcase;
}

static TCase *make_load(void)
{
	TCase *tcase = make_tcase_with("load", open_pipes, close_all);

	tcase_set_tags(tcase, SUPPORT_LOAD);
	tcase_add_test(tcase, many_short_lines_take_few_system_calls);
	return tcase;
}

static TCase *make_frames(void)
{
	TCase *tcase = make_tcase_with("frames", open_pipes, close_all);

	tcase_add_test(tcase, frames_are_records_of_any_bytes);
	tcase_add_test(tcase, the_length_of_a_frame_is_big_endian);
	tcase_add_test(tcase, a_frame_that_ends_early_is_malformed);
	tcase_add_test(tcase, a_frame_that_claims_too_much_is_refused_at_once);
	tcase_add_test(tcase, a_frame_gets_no_memory_for_its_claim);
	tcase_add_test(tcase, bytes_are_handed_out_as_they_come);
	tcase_add_test(tcase, blocks_are_full_but_for_the_last);
	tcase_add_test(tcase, all_of_the_input_is_one_record);
	tcase_add_test(tcase, all_of_the_input_may_be_too_large);
	return tcase;
}

static TCase *make_waits(void)
{
	TCase *tcase = make_tcase_with("waits", open_pipes, close_all);

	tcase_add_test(tcase, a_record_that_arrives_byte_by_byte_is_one);
	tcase_add_test(tcase, without_waiting_there_may_be_nothing_yet);
	tcase_add_test(tcase,
		without_waiting_a_part_is_kept_until_the_rest_is_there);
	tcase_add_test(tcase, without_waiting_a_whole_record_is_read);
	tcase_add_test(tcase, without_waiting_the_end_is_told);
	tcase_add_test(tcase, a_signal_does_not_end_a_wait);
	tcase_add_test(tcase, a_non_blocking_descriptor_is_waited_for);
	tcase_add_test(tcase, a_stop_ends_a_wait);
	tcase_add_test(tcase, a_stop_comes_before_more_input);
	tcase_add_test(tcase, a_stop_does_not_hold_back_what_was_read);
	tcase_add_test(tcase, reading_goes_on_when_the_stop_is_over);
	tcase_add_test(tcase, a_reader_needs_nothing_to_stop_it);
	tcase_add_test(tcase, errors_of_read_are_passed_on);
	return tcase;
}

static TCase *make_round_trips(void)
{
	TCase *tcase = make_tcase_with("round trips", open_pipes, close_all);

	tcase_add_loop_test(tcase, what_is_written_is_read_back, RECORD_TEXT,
		RECORD_FRAMES + 1);
	return tcase;
}

int main(void)
{
	return support_run_cases("record", make_lines(), make_sizes(),
		make_load(), make_frames(), make_waits(), make_round_trips());
}
