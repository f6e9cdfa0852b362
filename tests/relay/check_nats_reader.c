/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/nats_reader.h"
#include "support/support.h"

enum { PAYLOAD_MOST = 1000 };

#define BYTES(text) text, sizeof(text) - 1

static struct nats_reader reader;
static struct nats_event event;

static void set_up(void)
{
	ck_assert_int_eq(nats_reader_init(&reader, PAYLOAD_MOST), 0);
}

static void tear_down(void)
{
	nats_reader_free(&reader);
}

static void feed(const char *data, size_t size)
{
	size_t room, step;

	while (size > 0) {
		void *place = nats_reader_get_room(&reader, &room);

		ck_assert_uint_gt(room, 0);
		step = size < room ? size : room;
		memcpy(place, data, step);
		nats_reader_add(&reader, step);
		data += step;
		size -= step;
	}
}

static void feed_text(const char *text)
{
	feed(text, strlen(text));
}

static void expect_kind(enum nats_kind kind)
{
	ck_assert_int_eq(nats_reader_take(&reader, &event), 1);
	ck_assert_int_eq(event.kind, kind);
}

static void expect_nothing(void)
{
	ck_assert_int_eq(nats_reader_take(&reader, &event), 0);
}

static void expect_message(const char *subject, const char *reply,
	const char *data)
{
	expect_kind(NATS_MESSAGE);
	ck_assert_str_eq(event.subject, subject);
	ck_assert_pstr_eq(event.reply, reply);
	ck_assert_ptr_nonnull(event.data);
	ck_assert_uint_eq(event.size, strlen(data));
	ck_assert_mem_eq(event.data, data, strlen(data));
}

/* What there is */

START_TEST(a_message_has_subject_subscription_and_bytes)
{
	feed_text("MSG a.b 7 5\r\nhello\r\n");
	expect_message("a.b", NULL, "hello");
	ck_assert_uint_eq(event.number, 7);
	ck_assert_uint_eq(event.status, 0);
	expect_nothing();
}
END_TEST

START_TEST(a_message_may_have_a_reply_subject)
{
	feed_text("MSG a.b 7 c.d 5\r\nhello\r\n");
	expect_message("a.b", "c.d", "hello");
}
END_TEST

START_TEST(a_message_may_be_empty)
{
	feed_text("MSG a 1 0\r\n\r\nMSG b 1 r 0\r\n\r\n");
	expect_message("a", NULL, "");
	expect_message("b", "r", "");
}
END_TEST

START_TEST(any_bytes_are_a_payload)
{
	static const char bytes[] = "\0\r\nPING\r\n\xff";

	feed(BYTES("MSG a 1 10\r\n\0\r\nPING\r\n\xff\r\n"));
	expect_kind(NATS_MESSAGE);
	ck_assert_uint_eq(event.size, sizeof(bytes) - 1);
	ck_assert_mem_eq(event.data, bytes, sizeof(bytes) - 1);
	expect_nothing();
}
END_TEST

START_TEST(nobody_there_is_a_status)
{
	feed_text("HMSG a.b 7 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
	expect_message("a.b", NULL, "");
	ck_assert_uint_eq(event.status, NATS_NO_RESPONDERS);
}
END_TEST

START_TEST(a_header_is_not_in_the_payload)
{
	feed_text("HMSG a 7 r 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n");
	expect_message("a", "r", "hi");
	ck_assert_uint_eq(event.status, 0);
}
END_TEST

START_TEST(a_status_may_have_a_text)
{
	feed_text("HMSG a 7 21 21\r\nNATS/1.0 100 Idle\r\n\r\n\r\n");
	expect_message("a", NULL, "");
	ck_assert_uint_eq(event.status, 100);
}
END_TEST

START_TEST(short_lines_are_told_apart)
{
	feed_text("PING\r\nPONG\r\n+OK\r\n");
	expect_kind(NATS_PING);
	expect_kind(NATS_PONG);
	expect_kind(NATS_OK);
	expect_nothing();
}
END_TEST

START_TEST(an_error_has_a_printable_text)
{
	feed_text("-ERR 'Permissions Violation for \"a\x1b[2J\xff\"'\r\n"
		  "-ERR ''\r\n");
	expect_kind(NATS_ERROR);
	ck_assert_str_eq(event.text, "Permissions Violation for \"a?[2J?\"");
	expect_kind(NATS_ERROR);
	ck_assert_str_eq(event.text, "");
}
END_TEST

/* INFO */

START_TEST(the_limits_of_the_server_are_read)
{
	feed_text("INFO {\"server_id\":\"X\",\"version\":\"2.9.10\","
		  "\"headers\":true, \"max_payload\" : 1048576,\"proto\":1,"
		  "\"auth_required\":true,\"tls_required\":true,"
		  "\"ldm\":true,\"more\":[{\"a\":null}],"
		  "\"connect_urls\":[\"127.0.0.1:4222\", \"[::1]:1\"]} \r\n");
	expect_kind(NATS_INFO);
	ck_assert_uint_eq(event.info->payload_most, 1048576);
	ck_assert(event.info->has_headers && event.info->wants_tls);
	ck_assert_uint_eq(event.info->urls_count, 2);
	ck_assert_str_eq(event.info->urls[0], "127.0.0.1:4222");
	ck_assert_str_eq(event.info->urls[1], "[::1]:1");
}
END_TEST

START_TEST(what_the_server_does_not_say_is_no)
{
	feed_text("INFO {\"headers\":false}\r\nINFO {}\r\n");
	expect_kind(NATS_INFO);
	ck_assert_uint_eq(event.info->payload_most, 0);
	ck_assert(!event.info->has_headers && !event.info->wants_tls);
	ck_assert_uint_eq(event.info->urls_count, 0);
	expect_kind(NATS_INFO);
}
END_TEST

START_TEST(servers_beyond_our_room_are_ignored)
{
	char line[NATS_INFO_MAX] = "INFO {\"connect_urls\":[\"\",\"a b\"";
	size_t i, size = strlen(line);

	for (i = 0; i < 20; i++)
		size += (size_t)sprintf(line + size, ",\"h%zu:1\",\"%0100d\"",
			i, 1);
	strcpy(line + size, "]}\r\n");
	feed_text(line);
	expect_kind(NATS_INFO);
	ck_assert_uint_eq(event.info->urls_count, NATS_URLS_MAX);
	for (i = 0; i < NATS_URLS_MAX; i++) {
		sprintf(line, "h%zu:1", i);
		ck_assert_str_eq(event.info->urls[i], line);
	}
}
END_TEST

/* Bounds */

START_TEST(a_payload_too_large_is_skipped_and_told)
{
	char payload[3 * NATS_INFO_MAX];

	memset(payload, '\n', sizeof(payload));
	feed_text("MSG a 7 r 98304\r\n");
	expect_kind(NATS_MESSAGE);
	ck_assert_str_eq(event.subject, "a");
	ck_assert_str_eq(event.reply, "r");
	ck_assert_ptr_null(event.data);
	ck_assert_uint_eq(event.size, sizeof(payload));
	for (size_t i = 0; i < 3; i++) {
		feed(payload, NATS_INFO_MAX);
		expect_nothing();
	}
	feed_text("\r\nPING\r\n");
	expect_kind(NATS_PING);
}
END_TEST

START_TEST(a_payload_at_the_limit_is_kept)
{
	char payload[PAYLOAD_MOST + 1] = "";

	memset(payload, 'x', PAYLOAD_MOST);
	feed_text("MSG a 7 1000\r\n");
	feed_text(payload);
	expect_nothing();
	feed_text("\r\nMSG a 7 1001\r\n");
	expect_message("a", NULL, payload);
	expect_kind(NATS_MESSAGE);
	ck_assert_ptr_null(event.data);
}
END_TEST

/* A line of a word and so many bytes more. */
static void feed_line(const char *word, size_t size)
{
	char *line = malloc(size);

	ck_assert_ptr_nonnull(line);
	memset(line, 'x', size);
	memcpy(line, word, strlen(word));
	feed(line, size);
	free(line);
}

START_TEST(a_line_without_an_end_is_bounded)
{
	static const struct {
		const char *word;
		size_t most;
	} lines[] = { { "MSG ", NATS_LINE_MAX }, { "INFO ", NATS_INFO_MAX } };

	feed_line(lines[_i].word, lines[_i].most);
	expect_nothing();
	feed_text("x");
	ck_assert_errno(nats_reader_take(&reader, &event), EPROTO);
}
END_TEST

START_TEST(there_is_room_while_more_is_needed)
{
	char payload[PAYLOAD_MOST] = "";
	size_t room;

	feed_text("MSG ");
	feed_line("s", NATS_LINE_MAX - 20);
	feed_text(" 1 1000\r\n");
	feed(payload, sizeof(payload));
	feed_text("\r");
	expect_nothing();
	nats_reader_get_room(&reader, &room);
	ck_assert_uint_gt(room, 0);
	feed_text("\n");
	expect_kind(NATS_MESSAGE);
}
END_TEST

/* Cuts */

static const char conversation[] =
	"INFO {\"headers\":true,\"max_payload\":64,"
	"\"connect_urls\":[\"127.0.0.1:1\"]}\r\n"
	"PING\r\n"
	"MSG a.b 1 5\r\nhello\r\n"
	"+OK\r\n"
	"MSG a.b 1 r.1 0\r\n\r\n"
	"HMSG c 2 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
	"MSG long 1 1002\r\n%1002d\r\n"
	"HMSG c 2 r.2 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
	"-ERR 'Slow Consumer'\r\n"
	"PONG\r\n";

/* Takes all that is there, and tells it in a text. */
static void tell(char *story)
{
	while (nats_reader_take(&reader, &event) == 1) {
		story += strlen(story);
		sprintf(story, "%d %s %s %s %d %zu %u %.*s\n", event.kind,
			event.subject ? event.subject : "-",
			event.reply ? event.reply : "-",
			event.text ? event.text : "-", (int)event.number,
			event.info ? event.info->payload_most : event.size,
			event.status, event.data ? (int)event.size : 0,
			event.data ? (const char *)event.data : "");
	}
}

static const char the_story[] = "0 - - - 0 64 0 \n"
				"2 - - - 0 0 0 \n"
				"1 a.b - - 1 5 0 hello\n"
				"4 - - - 0 0 0 \n"
				"1 a.b r.1 - 1 0 0 \n"
				"1 c - - 2 0 503 \n"
				"1 long - - 1 1002 0 \n"
				"1 c r.2 - 2 2 0 hi\n"
				"5 - - Slow Consumer 0 0 0 \n"
				"3 - - - 0 0 0 \n";

START_TEST(a_conversation_is_the_same_wherever_it_is_cut)
{
	char text[2048], story[2048];
	int size = snprintf(text, sizeof(text), conversation, 1), cut;

	for (cut = 0; cut <= size; cut++) {
		story[0] = '\0';
		nats_reader_reset(&reader);
		feed(text, (size_t)cut);
		tell(story);
		feed(text + cut, (size_t)(size - cut));
		tell(story + strlen(story));
		ck_assert_str_eq(story, the_story);
	}
}
END_TEST

START_TEST(a_conversation_is_the_same_byte_by_byte)
{
	char text[2048], story[2048] = "";
	int size = snprintf(text, sizeof(text), conversation, 1), i;

	for (i = 0; i < size; i++) {
		feed(text + i, 1);
		tell(story + strlen(story));
	}
	ck_assert_str_eq(story, the_story);
}
END_TEST

/* What is not the protocol */

static const struct {
	const char *text;
	size_t size;
} hostile[] = {
	{ BYTES("\r\n") },
	{ BYTES("\n") },
	{ BYTES("PING\n") },
	{ BYTES("PING \r\n") },
	{ BYTES("ping\r\n") },
	{ BYTES("PINGS\r\n") },
	{ BYTES("PI\rNG\r\n") },
	{ BYTES("+OK!\r\n") },
	{ BYTES("HELLO\r\n") },
	{ BYTES("PUB a 0\r\n\r\n") },
	{ BYTES("CONNECT {}\r\n") },
	{ BYTES("-ERR\r\n") },
	{ BYTES("-ERR '\r\n") },
	{ BYTES("-ERR 'x\r\n") },
	{ BYTES("-ERR x\r\n") },
	{ BYTES("INFO\r\n") },
	{ BYTES("INFO \r\n") },
	{ BYTES("INFO x\r\n") },
	{ BYTES("INFO []\r\n") },
	{ BYTES("INFO {\r\n") },
	{ BYTES("INFO {} {}\r\n") },
	{ BYTES("INFO {\"a\":1,}\r\n") },
	{ BYTES("INFO {\"max_payload\":\"1\"}\r\n") },
	{ BYTES("INFO {\"max_payload\":-1}\r\n") },
	{ BYTES("INFO {\"max_payload\":1.5}\r\n") },
	{ BYTES("INFO {\"max_payload\":1e9}\r\n") },
	{ BYTES("INFO {\"max_payload\":99999999999999999999}\r\n") },
	{ BYTES("INFO {\"max_payload\":null}\r\n") },
	{ BYTES("INFO {\"headers\":1}\r\n") },
	{ BYTES("INFO {\"headers\":null}\r\n") },
	{ BYTES("INFO {\"connect_urls\":\"a\"}\r\n") },
	{ BYTES("INFO {\"connect_urls\":[1]}\r\n") },
	{ BYTES("INFO {\"connect_urls\":[\"a\"}\r\n") },
	{ BYTES("MSG\r\n") },
	{ BYTES("MSG \r\n") },
	{ BYTES("MSG a\r\n") },
	{ BYTES("MSG a 1\r\n") },
	{ BYTES("MSG a 1 r s 0\r\n\r\n") },
	{ BYTES("MSG  a 1 0\r\n\r\n") },
	{ BYTES("MSG a  1 0\r\n\r\n") },
	{ BYTES("MSG a 1 0 \r\n\r\n") },
	{ BYTES("MSG a 1\t0\r\n\r\n") },
	{ BYTES("MSG a\0b 1 0\r\n\r\n") },
	{ BYTES("MSG a x 0\r\n\r\n") },
	{ BYTES("MSG a -1 0\r\n\r\n") },
	{ BYTES("MSG a 18446744073709551616 0\r\n\r\n") },
	{ BYTES("MSG a 01 0\r\n\r\n") },
	{ BYTES("MSG a 1 00\r\n\r\n") },
	{ BYTES("MSG a 1 -1\r\n") },
	{ BYTES("MSG a 1 +1\r\nx\r\n") },
	{ BYTES("MSG a 1 0x1\r\nx\r\n") },
	{ BYTES("MSG a 1 2147483648\r\n") },
	{ BYTES("MSG a 1 99999999999999999999\r\n") },
	{ BYTES("MSG a 1 1\r\nxy\r\n") },
	{ BYTES("MSG a 1 1\r\nx\n\n") },
	{ BYTES("MSG a 1 2\r\nx\r\nP") },
	{ BYTES("HMSG a 1 12\r\nNATS/1.0\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 0 0\r\n\r\n") },
	{ BYTES("HMSG a 1 13 12\r\nNATS/1.0\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 r s 12 12\r\nNATS/1.0\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 11 12\r\nNATS/1.0\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 12 12\r\nNATS/1.1\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 12 12\r\nNATS/1.0\r\nxx\r\n") },
	{ BYTES("HMSG a 1 16 16\r\nNATS/1.0 5x3\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 16 16\r\nNATS/1.0_503\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 15 15\r\nNATS/1.0 50\r\n\r\n\r\n") },
	{ BYTES("HMSG a 1 17 17\r\nNATS/1.0 5033\r\n\r\n\r\n") },
};

START_TEST(what_is_not_the_protocol_is_refused)
{
	feed(hostile[_i].text, hostile[_i].size);
	ck_assert_errno(nats_reader_take(&reader, &event), EPROTO);
}
END_TEST

START_TEST(after_a_mistake_nothing_is_read)
{
	feed_text("INFO {\"a\\/b\":x}\r\n");
	ck_assert_errno(nats_reader_take(&reader, &event), EPROTO);
	feed_text("PING\r\n");
	ck_assert_errno(nats_reader_take(&reader, &event), EPROTO);
	nats_reader_reset(&reader);
	feed_text("PING\r\n");
	expect_kind(NATS_PING);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nats_reader");
	TCase *tcase = make_tcase_with("events", set_up, tear_down);

	tcase_add_test(tcase, a_message_has_subject_subscription_and_bytes);
	tcase_add_test(tcase, a_message_may_have_a_reply_subject);
	tcase_add_test(tcase, a_message_may_be_empty);
	tcase_add_test(tcase, any_bytes_are_a_payload);
	tcase_add_test(tcase, nobody_there_is_a_status);
	tcase_add_test(tcase, a_header_is_not_in_the_payload);
	tcase_add_test(tcase, a_status_may_have_a_text);
	tcase_add_test(tcase, short_lines_are_told_apart);
	tcase_add_test(tcase, an_error_has_a_printable_text);
	tcase_add_test(tcase, the_limits_of_the_server_are_read);
	tcase_add_test(tcase, what_the_server_does_not_say_is_no);
	tcase_add_test(tcase, servers_beyond_our_room_are_ignored);
	suite_add_tcase(suite, tcase);

	tcase = make_tcase_with("bounds", set_up, tear_down);
	tcase_add_test(tcase, a_payload_too_large_is_skipped_and_told);
	tcase_add_test(tcase, a_payload_at_the_limit_is_kept);
	tcase_add_loop_test(tcase, a_line_without_an_end_is_bounded, 0, 2);
	tcase_add_test(tcase, there_is_room_while_more_is_needed);
	tcase_add_test(tcase, a_conversation_is_the_same_wherever_it_is_cut);
	tcase_add_test(tcase, a_conversation_is_the_same_byte_by_byte);
	suite_add_tcase(suite, tcase);

	tcase = make_tcase_with("hostile", set_up, tear_down);
	tcase_add_loop_test(tcase, what_is_not_the_protocol_is_refused, 0,
		(int)COUNT(hostile));
	tcase_add_test(tcase, after_a_mistake_nothing_is_read);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
