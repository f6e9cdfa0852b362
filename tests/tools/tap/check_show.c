/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"
#include "tools/common/record.h"
#include "tools/tap/show.h"

static struct show show;
static int output[2];

static const struct event message = {
	.kind = EVENT_MESSAGE,
	.connection = 3,
	.time_ns = 1764457200000000000,
	.size = 5,
	.kept = 5,
};

static void open_all(void)
{
	ck_assert_int_eq(pipe2(output, O_CLOEXEC | O_NONBLOCK), 0);
	memset(&show, 0, sizeof(show));
	show.writer = record_writer_new(output[1], RECORD_TEXT, -1);
	ck_assert_ptr_nonnull(show.writer);
}

static void close_all(void)
{
	record_writer_free(show.writer);
	close(output[0]);
	close(output[1]);
}

static void expect_shown(const struct event *event, const void *data,
	const char *wanted)
{
	char found[4096];
	ssize_t got;

	ck_assert_int_eq(show_event(&show, event, data), 0);
	ck_assert_int_eq(record_flush(show.writer), 0);
	got = read(output[0], found, sizeof(found) - 1);
	ck_assert_int_gt(got, 0);
	found[got] = '\0';
	ck_assert_str_eq(found, wanted);
}

START_TEST(a_line_has_time_connection_direction_size_and_message)
{
	struct event answer = message;

	expect_shown(&message, "hello", "+0.000000  3 > 5  hello\n");
	answer.is_answer = true;
	answer.time_ns += 1000123456;
	expect_shown(&answer, "hello", "+1.000123  3 < 5  hello\n");
}
END_TEST

START_TEST(a_line_tells_who_has_connected)
{
	struct event event = message;

	event.has_cred = true;
	event.cred = (struct unixcred){ .pid = 77, .uid = 4000000001 };
	expect_shown(&event, "hello",
		"+0.000000  3 4000000001[77] > 5  hello\n");
}
END_TEST

START_TEST(a_line_tells_descriptors_and_what_was_not_kept)
{
	struct event event = message;

	event.fds = 2;
	event.kept = 3;
	expect_shown(&event, "hello", "+0.000000  3 > 5 +2 fds  hel...\n");
	event.kept = 0;
	expect_shown(&event, "hello", "+0.000000  3 > 5 +2 fds...\n");
}
END_TEST

START_TEST(an_empty_message_is_no_end)
{
	struct event event = message;

	event.size = event.kept = 0;
	expect_shown(&event, NULL, "+0.000000  3 > 0\n");
	event.kind = EVENT_ENDED;
	expect_shown(&event, NULL, "+0.000000  3 > end\n");
}
END_TEST

START_TEST(a_connection_is_opened_and_closed)
{
	struct event event = { .kind = EVENT_OPENED, .connection = 3 };

	expect_shown(&event, NULL, "+0.000000  3  opened\n");
	event.kind = EVENT_CLOSED;
	expect_shown(&event, NULL, "+0.000000  3  closed\n");
}
END_TEST

START_TEST(what_was_left_out_is_a_line)
{
	const struct event event = { .kind = EVENT_LEFT_OUT, .left_out = 12 };

	expect_shown(&event, NULL,
		"... 12 left out: this output is too slow\n");
	show.format = SHOW_JSON;
	expect_shown(&event, NULL,
		"{\"event\":\"left out\",\"left_out\":12}\n");
}
END_TEST

/* Of a terminal or not: the output may be read by one later. */
START_TEST(no_byte_of_a_peer_makes_a_line_or_controls_a_terminal)
{
	static const char data[] = "a\n\033[2J\\\xff\xe2\x80\xae";
	struct event event = message;

	event.size = event.kept = sizeof(data) - 1;
	expect_shown(&event, data,
		"+0.000000  3 > 11  "
		"a\\x0a\\x1b[2J\\\\\\xff\\xe2\\x80\\xae\n");
}
END_TEST

START_TEST(a_clock_that_is_set_back_gives_no_negative_time)
{
	struct event event = message;

	expect_shown(&message, "hello", "+0.000000  3 > 5  hello\n");
	event.time_ns -= 1000000000;
	expect_shown(&event, "hello", "+0.000000  3 > 5  hello\n");
}
END_TEST

START_TEST(colours_tell_the_direction)
{
	struct event event = message;

	show.has_colours = true;
	expect_shown(&event, "hello",
		"+0.000000\033[33m  3 > 5\033[0m  hello\n");
	event.is_answer = true;
	expect_shown(&event, "hello",
		"+0.000000\033[36m  3 < 5\033[0m  hello\n");
}
END_TEST

START_TEST(hex_has_two_digits_a_byte)
{
	show.format = SHOW_HEX;
	expect_shown(&message, "\x00\x7f\xff\n ",
		"+0.000000  3 > 5  007fff0a20\n");
}
END_TEST

START_TEST(json_has_the_members_of_the_other_tools)
{
	struct event event = message;

	show.format = SHOW_JSON;
	event.fds = 1;
	event.has_cred = true;
	event.cred = (struct unixcred){ .pid = 7, .uid = 8, .gid = 9 };
	expect_shown(&event, "h\"l\no",
		"{\"event\":\"message\",\"time\":1764457200.000000000,"
		"\"connection\":3,\"from\":\"client\","
		"\"uid\":8,\"gid\":9,\"pid\":7,"
		"\"size\":5,\"data\":\"h\\\"l\\no\",\"fds\":1}\n");
}
END_TEST

START_TEST(json_tells_bytes_that_are_no_text_in_hex)
{
	struct event event = message;

	show.format = SHOW_JSON;
	event.is_answer = true;
	event.kept = 2;
	expect_shown(&event, "\xff\x00",
		"{\"event\":\"message\",\"time\":1764457200.000000000,"
		"\"connection\":3,\"from\":\"server\","
		"\"size\":2,\"hex\":\"ff00\",\"cut\":true,\"true_size\":5}\n");
}
END_TEST

static TCase *make_show(void)
{
	TCase *tcase = make_tcase_with("show", open_all, close_all);

	tcase_add_test(tcase,
		a_line_has_time_connection_direction_size_and_message);
	tcase_add_test(tcase, a_line_tells_who_has_connected);
	tcase_add_test(tcase, a_line_tells_descriptors_and_what_was_not_kept);
	tcase_add_test(tcase, an_empty_message_is_no_end);
	tcase_add_test(tcase, a_connection_is_opened_and_closed);
	tcase_add_test(tcase, what_was_left_out_is_a_line);
	tcase_add_test(tcase,
		no_byte_of_a_peer_makes_a_line_or_controls_a_terminal);
	tcase_add_test(tcase, a_clock_that_is_set_back_gives_no_negative_time);
	tcase_add_test(tcase, colours_tell_the_direction);
	tcase_add_test(tcase, hex_has_two_digits_a_byte);
	tcase_add_test(tcase, json_has_the_members_of_the_other_tools);
	tcase_add_test(tcase, json_tells_bytes_that_are_no_text_in_hex);
	return tcase;
}

int main(void)
{
	return support_run_cases("show", make_show());
}
