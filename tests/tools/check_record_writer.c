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
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"
#include "tools/common/record.h"

/* A string literal with the NULs in it, and its size. */
#define BYTES(text) text, sizeof(text) - 1

static int output[2];
static int stop[2];
static struct record_writer *writer;

static void open_pipes(void)
{
	ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
}

static void close_all(void)
{
	record_writer_free(writer);
	close(output[0]);
	close(output[1]);
	close(stop[0]);
	close(stop[1]);
}

static void start(enum record_format format)
{
	record_writer_free(writer);
	writer = record_writer_new(output[1], format, stop[0]);
	ck_assert_ptr_nonnull(writer);
}

static void put(const char *data, size_t size)
{
	struct record record = { .data = data, .size = size };

	ck_assert_int_eq(record_write(writer, &record), 0);
}

static size_t count_arrived(void)
{
	int count;

	ck_assert_int_eq(ioctl(output[0], FIONREAD, &count), 0);
	return (size_t)count;
}

static void expect_output(const char *expected, size_t size)
{
	char found[512];

	ck_assert_int_eq(record_flush(writer), 0);
	ck_assert_uint_eq(count_arrived(), size);
	ck_assert_int_eq(read(output[0], found, sizeof(found)), (ssize_t)size);
	ck_assert_mem_eq(found, expected, size);
}

static void expect_json(const struct record *record, const char *expected)
{
	start(RECORD_JSON);
	ck_assert_int_eq(record_write(writer, record), 0);
	expect_output(expected, strlen(expected));
}

START_TEST(each_format_has_its_look)
{
	static const struct {
		enum record_format format;
		const char *text;
		size_t size;
	} table[] = {
		{ RECORD_TEXT, BYTES("a\0\n\n\n\n") },
		{ RECORD_HEX, BYTES("6100\n\n0a\n") },
		{ RECORD_JSON,
			BYTES("{\"size\":2,\"data\":\"a\\u0000\"}\n"
			      "{\"size\":0,\"data\":\"\"}\n"
			      "{\"size\":1,\"data\":\"\\n\"}\n") },
		{ RECORD_FRAMES, BYTES("\0\0\0\2a\0\0\0\0\0\0\0\0\1\n") },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		start(table[i].format);
		put("a\0", 2);
		put(NULL, 0);
		put("\n", 1);
		expect_output(table[i].text, table[i].size);
	}
}
END_TEST

static bool open_terminal(int *master, int *slave)
{
	*slave = -1;
	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0)
		return false;
	if (grantpt(*master) == 0 && unlockpt(*master) == 0)
		*slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave >= 0)
		return true;
	close(*master);
	return false;
}

static bool has_terminals(void)
{
	int master, slave;

	if (!open_terminal(&master, &slave))
		return false;
	close(slave);
	close(master);
	return true;
}

/* What the other side of a terminal gets to see of text in that format. */
static void expect_shown(enum record_format format, const char *data,
	size_t size, const char *expected)
{
	char found[512];
	int master, slave;
	ssize_t got;
	struct record record = { .data = data, .size = size };

	ck_assert(open_terminal(&master, &slave));
	record_writer_free(writer);
	writer = record_writer_new(slave, format, stop[0]);
	ck_assert_ptr_nonnull(writer);
	ck_assert_int_eq(record_write(writer, &record), 0);
	ck_assert_int_eq(record_flush(writer), 0);
	got = read(master, found, sizeof(found));
	ck_assert_int_eq(got, (ssize_t)strlen(expected));
	ck_assert_mem_eq(found, expected, (size_t)got);
	close(slave);
	close(master);
}

START_TEST(text_commands_no_terminal)
{
	static const struct {
		const char *data;
		size_t size;
		const char *shown;
	} table[] = {
		{ BYTES("plain ~"), "plain ~\r\n" },
		{ BYTES(""), "\r\n" },
		{ BYTES("\033[2J\a\t\r"), "\\x1b[2J\\x07\\x09\\x0d\r\n" },
		{ BYTES("one\ntwo"), "one\\x0atwo\r\n" },
		{ BYTES("a\0b\177"), "a\\x00b\\x7f\r\n" },
		{ BYTES("\\x1b"), "\\\\x1b\r\n" },
		{ BYTES("\303\244\342\202\254"), "\303\244\342\202\254\r\n" },
		{ BYTES("\302\2331m\302\240"), "\\xc2\\x9b1m\302\240\r\n" },
		{ BYTES("\233\377\303"), "\\x9b\\xff\\xc3\r\n" },
		{ BYTES("\342\200\256\342\201\246\342\200\217"),
			"\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x80\\x8f"
			"\r\n" },
		{ BYTES("\342\200\220\342\201\252"),
			"\342\200\220\342\201\252\r\n" },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		expect_shown(RECORD_TEXT, table[i].data, table[i].size,
			table[i].shown);
}
END_TEST

START_TEST(raw_is_raw_on_a_terminal)
{
	expect_shown(RECORD_RAW, BYTES("\033[2J\\x\377"), "\033[2J\\x\377\r\n");
}
END_TEST

START_TEST(bytes_get_no_newline)
{
	start(RECORD_BYTES);
	put(BYTES("a\0\033"));
	put(BYTES("b"));
	expect_output(BYTES("a\0\033b"));
}
END_TEST

START_TEST(bytes_are_escaped_where_they_are_shown)
{
	expect_shown(RECORD_SHOWN_BYTES, BYTES("\033[2J\ta\nb\\\n"),
		"\\x1b[2J\ta\r\nb\\\\\r\n");
}
END_TEST

START_TEST(hex_is_lower_case_without_spaces)
{
	start(RECORD_HEX);
	put(BYTES("\x01\x9a\xbc\xde\xf0\xff"));
	expect_output(BYTES("019abcdef0ff\n"));
}
END_TEST

START_TEST(only_json_prints_more_than_the_payload)
{
	static const char *const texts[] = { "x\n", "78\n" };
	struct record record = {
		.data = "x",
		.size = 1,
		.sender = "@peer",
		.true_size = 9,
		.is_cut = true,
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		start((enum record_format)i);
		ck_assert_int_eq(record_write(writer, &record), 0);
		expect_output(texts[i], strlen(texts[i]));
	}
}
END_TEST

START_TEST(text_in_json_is_escaped_where_it_could_harm)
{
	static const struct {
		const char *data;
		const char *text;
	} table[] = {
		{ "hello", "\"size\":5,\"data\":\"hello\"" },
		{ "\"\\/", "\"size\":3,\"data\":\"\\\"\\\\/\"" },
		{ "\b\f\n\r\t", "\"size\":5,\"data\":\"\\b\\f\\n\\r\\t\"" },
		{ "\x1b[0m", "\"size\":4,\"data\":\"\\u001b[0m\"" },
		{ "\x01\x7f~", "\"size\":3,\"data\":\"\\u0001\\u007f~\"" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0",
			"\"size\":6,\"data\":\"\\u0080\\u009f\xc2\xa0\"" },
		{ "\xe2\x80\x8e\xe2\x80\xae\xe2\x81\xa9\xe2\x81\xaa",
			"\"size\":12,\"data\":\"\\u200e\\u202e\\u2069"
			"\xe2\x81\xaa\"" },
		{ "\xe2\x82\xac\xf0\x9f\x98\x80",
			"\"size\":7,"
			"\"data\":\"\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "\xff", "\"size\":1,\"hex\":\"ff\"" },
		{ "ok\xc3", "\"size\":3,\"hex\":\"6f6bc3\"" },
		{ "\xed\xa0\x80", "\"size\":3,\"hex\":\"eda080\"" },
	};
	char expected[256];

	for (size_t i = 0; i < COUNT(table); i++) {
		struct record record = { .data = table[i].data };

		record.size = strlen(table[i].data);
		snprintf(expected, sizeof(expected), "{%s}\n", table[i].text);
		expect_json(&record, expected);
	}
}
END_TEST

START_TEST(json_tells_the_sender)
{
	struct record record = { .data = "x", .size = 1 };

	record.sender = "/run/\\x01\"";
	expect_json(&record,
		"{\"size\":1,\"data\":\"x\","
		"\"sender\":\"/run/\\\\x01\\\"\"}\n");
	record.sender = "";
	expect_json(&record, "{\"size\":1,\"data\":\"x\",\"sender\":\"\"}\n");
}
END_TEST

START_TEST(json_stays_json_whatever_the_sender_is)
{
	struct record record = { .sender = "a\xff\xc3z" };

	expect_json(&record,
		"{\"size\":0,\"data\":\"\","
		"\"sender\":\"a\\ufffd\\ufffdz\"}\n");
}
END_TEST

START_TEST(json_tells_that_a_payload_is_cut)
{
	struct record record = {
		.data = "x",
		.size = 1,
		.true_size = 70000,
		.is_cut = true,
	};

	expect_json(&record,
		"{\"size\":1,\"data\":\"x\","
		"\"cut\":true,\"true_size\":70000}\n");
}
END_TEST

START_TEST(a_frame_that_cannot_tell_its_size_is_refused)
{
	struct record record = { .data = "x" };

	record.size = (size_t)UINT32_MAX + 1;
	if (record.size == 0)
		return;
	start(RECORD_FRAMES);
	errno = 0;
	ck_assert_int_eq(record_write(writer, &record), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	put("a", 1);
	expect_output(BYTES("\0\0\0\1a"));
}
END_TEST

START_TEST(nothing_is_written_before_it_is_flushed)
{
	start(RECORD_TEXT);
	put("hello", 5);
	ck_assert_uint_eq(count_arrived(), 0);
	expect_output(BYTES("hello\n"));
	ck_assert_int_eq(record_flush(writer), 0);
	ck_assert_uint_eq(count_arrived(), 0);
}
END_TEST

START_TEST(a_full_buffer_is_written)
{
	static char data[80000];

	ck_assert_int_ge(fcntl(output[1], F_SETPIPE_SZ, 1 << 18), 1 << 18);
	start(RECORD_TEXT);
	put(data, sizeof(data));
	ck_assert_uint_gt(count_arrived(), 0);
	ck_assert_uint_lt(count_arrived(), sizeof(data));
	ck_assert_int_eq(record_flush(writer), 0);
	ck_assert_uint_eq(count_arrived(), sizeof(data) + 1);
}
END_TEST

START_TEST(freeing_neither_flushes_nor_closes)
{
	start(RECORD_TEXT);
	put("hello", 5);
	record_writer_free(writer);
	writer = NULL;
	ck_assert_uint_eq(count_arrived(), 0);
	ck_assert_int_ge(fcntl(output[1], F_GETFD), 0);
	record_writer_free(NULL);
}
END_TEST

START_TEST(errors_of_write_are_passed_on)
{
	signal(SIGPIPE, SIG_IGN);
	start(RECORD_TEXT);
	put("hello", 5);
	close(output[0]);
	errno = 0;
	ck_assert_int_eq(record_flush(writer), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(output[1]);
	errno = 0;
	ck_assert_int_eq(record_flush(writer), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

static ssize_t read_byte(char *byte)
{
	return TEMP_FAILURE_RETRY(read(output[0], byte, 1));
}

/* A child takes all of the output; 0 when it is @count zeros and a newline. */
static pid_t start_reader(size_t count)
{
	pid_t child = fork();
	char byte;

	ck_assert_int_ge(child, 0);
	if (child > 0)
		return child;
	close(output[1]);
	for (size_t i = 0; i < count; i++)
		if (read_byte(&byte) != 1 || byte != 0)
			_exit(1);
	if (read_byte(&byte) != 1 || byte != '\n')
		_exit(1);
	_exit(read_byte(&byte) == 0 ? 0 : 1);
}

static void expect_slow_reader_gets_all(void)
{
	static const char data[200000];
	pid_t child = start_reader(sizeof(data));
	int status;

	put(data, sizeof(data));
	ck_assert_int_eq(record_flush(writer), 0);
	close(output[1]);
	ck_assert_int_eq(support_waitpid(child, &status), child);
	ck_assert_int_eq(status, 0);
}

START_TEST(a_slow_reader_gets_all_of_it)
{
	start(RECORD_TEXT);
	expect_slow_reader_gets_all();
}
END_TEST

START_TEST(a_slow_reader_gets_all_through_a_non_blocking_pipe)
{
	ck_assert_int_eq(fcntl(output[1], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_ge(fcntl(output[1], F_SETPIPE_SZ, 4096), 4096);
	start(RECORD_TEXT);
	expect_slow_reader_gets_all();
}
END_TEST

START_TEST(a_writer_needs_nothing_to_stop_it)
{
	writer = record_writer_new(output[1], RECORD_TEXT, -1);
	ck_assert_ptr_nonnull(writer);
	expect_slow_reader_gets_all();
}
END_TEST

START_TEST(a_stop_does_not_hold_back_what_can_be_written)
{
	start(RECORD_TEXT);
	put("hello", 5);
	ck_assert_int_eq(write(stop[1], "!", 1), 1);
	expect_output(BYTES("hello\n"));
}
END_TEST

static void make_stop(int number)
{
	(void)!write(stop[1], "!", number > 0 ? 1 : 0);
}

START_TEST(a_stop_ends_the_wait_for_a_full_pipe)
{
	struct sigaction action = { .sa_handler = make_stop };
	static const char data[60000];

	ck_assert_int_ge(fcntl(output[1], F_SETPIPE_SZ, 4096), 4096);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	start(RECORD_TEXT);
	put(data, sizeof(data));
	ck_assert_uint_eq(ualarm(20000, 0), 0);
	errno = 0;
	ck_assert_int_eq(record_flush(writer), -1);
	ck_assert_int_eq(errno, ECANCELED);
}
END_TEST

START_TEST(what_a_stop_left_behind_can_be_written_later)
{
	static const char data[60000];
	static char found[sizeof(data) + 1];
	size_t size;

	ck_assert_int_ge(fcntl(output[1], F_SETPIPE_SZ, 4096), 4096);
	start(RECORD_TEXT);
	put(data, sizeof(data));
	make_stop(1);
	ck_assert_int_eq(record_flush(writer), -1);
	ck_assert_int_eq(errno, ECANCELED);
	size = (size_t)read(output[0], found, sizeof(found));
	ck_assert_int_ge(fcntl(output[1], F_SETPIPE_SZ, 1 << 16), 1 << 16);
	ck_assert_int_eq(record_flush(writer), 0);
	while (size < sizeof(found)) {
		ssize_t got =
			read(output[0], found + size, sizeof(found) - size);

		ck_assert_int_gt(got, 0);
		size += (size_t)got;
	}
	ck_assert_uint_eq(count_arrived(), 0);
	ck_assert_mem_eq(found, data, sizeof(data));
	ck_assert_int_eq(found[sizeof(data)], '\n');
}
END_TEST

static const char no_terminals[] = "no pseudo terminal can be had here";

static TCase *make_looks(void)
{
	TCase *tcase = make_tcase_with("looks", open_pipes, close_all);

	tcase_add_test(tcase, each_format_has_its_look);
	support_add_test_if(tcase, text_commands_no_terminal, has_terminals(),
		no_terminals);
	support_add_test_if(tcase, raw_is_raw_on_a_terminal, has_terminals(),
		no_terminals);
	tcase_add_test(tcase, bytes_get_no_newline);
	support_add_test_if(tcase, bytes_are_escaped_where_they_are_shown,
		has_terminals(), no_terminals);
	tcase_add_test(tcase, hex_is_lower_case_without_spaces);
	tcase_add_test(tcase, only_json_prints_more_than_the_payload);
	tcase_add_test(tcase, text_in_json_is_escaped_where_it_could_harm);
	tcase_add_test(tcase, json_tells_the_sender);
	tcase_add_test(tcase, json_stays_json_whatever_the_sender_is);
	tcase_add_test(tcase, json_tells_that_a_payload_is_cut);
	tcase_add_test(tcase, a_frame_that_cannot_tell_its_size_is_refused);
	return tcase;
}

static TCase *make_output(void)
{
	TCase *tcase = make_tcase_with("output", open_pipes, close_all);

	tcase_add_test(tcase, nothing_is_written_before_it_is_flushed);
	tcase_add_test(tcase, a_full_buffer_is_written);
	tcase_add_test(tcase, freeing_neither_flushes_nor_closes);
	tcase_add_test(tcase, errors_of_write_are_passed_on);
	tcase_add_test(tcase, a_slow_reader_gets_all_of_it);
	tcase_add_test(tcase,
		a_slow_reader_gets_all_through_a_non_blocking_pipe);
	tcase_add_test(tcase, a_writer_needs_nothing_to_stop_it);
	tcase_add_test(tcase, a_stop_does_not_hold_back_what_can_be_written);
	tcase_add_test(tcase, a_stop_ends_the_wait_for_a_full_pipe);
	tcase_add_test(tcase, what_a_stop_left_behind_can_be_written_later);
	return tcase;
}

int main(void)
{
	return support_run_cases("record_writer", make_looks(), make_output());
}
