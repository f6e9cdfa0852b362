/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "tools/common/json.h"
#include "tools/common/record_line.h"
#include "tools/common/utf8.h"

/* A string literal with the NULs in it, and its size. */
#define BYTES(text) text, sizeof(text) - 1

struct good {
	const char *line;
	size_t line_size;
	const char *payload;
	size_t payload_size;
};

struct bad {
	const char *line;
	size_t line_size;
	size_t column;
	const char *why;
};

static char *copy;

static void drop_copy(void)
{
	free(copy);
	copy = NULL;
}

/* Decodes a copy that ends where its memory does, so that no byte is behind. */
static int decode(struct record_line *line, enum record_format format,
	const char *text, size_t size)
{
	drop_copy();
	copy = malloc(size);
	ck_assert(copy || size == 0);
	memcpy(copy, text, size);
	*line = (struct record_line){ .data = copy, .size = size };
	errno = 0;
	return record_line_decode(line, format);
}

static void assert_good(const struct good *good, enum record_format format)
{
	struct record_line line;

	ck_assert_msg(decode(&line, format, good->line, good->line_size) == 1,
		"%s: %s", good->line, line.why);
	ck_assert_uint_eq(line.size, good->payload_size);
	if (line.size > 0)
		ck_assert_mem_eq(line.data, good->payload, line.size);
}

static void assert_bad(const struct bad *bad, enum record_format format)
{
	struct record_line line;

	ck_assert_msg(decode(&line, format, bad->line, bad->line_size) == -1,
		"%s is taken", bad->line);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_msg(strcmp(line.why, bad->why) == 0, "%s: %s", bad->line,
		line.why);
	ck_assert_msg(line.column == bad->column, "%s: column %zu", bad->line,
		line.column);
}

START_TEST(text_stays_what_it_is)
{
	static const struct good good = { BYTES("a\0b\xff"),
		BYTES("a\0b\xff") };

	assert_good(&good, RECORD_TEXT);
}
END_TEST

START_TEST(hex_digits_become_bytes)
{
	static const struct good table[] = {
		{ BYTES(""), BYTES("") },
		{ BYTES(" \t"), BYTES("") },
		{ BYTES("00"), BYTES("\0") },
		{ BYTES("00ff7F"), BYTES("\0\xff\x7f") },
		{ BYTES("aAbBcCdDeEfF"), BYTES("\xaa\xbb\xcc\xdd\xee\xff") },
		{ BYTES("01 23\t45  67"), BYTES("\x01\x23\x45\x67") },
		{ BYTES("  89 "), BYTES("\x89") },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_good(&table[i], RECORD_HEX);
}
END_TEST

START_TEST(malformed_hex_is_told_with_its_place)
{
	static const struct bad table[] = {
		{ BYTES("0"), 0, "odd number of hex digits" },
		{ BYTES("00 1"), 0, "odd number of hex digits" },
		{ BYTES("0 1"), 2, "blank inside a byte" },
		{ BYTES("0\t"), 2, "blank inside a byte" },
		{ BYTES("0g"), 2, "not a hex digit" },
		{ BYTES("g0"), 1, "not a hex digit" },
		{ BYTES("00x"), 3, "not a hex digit" },
		{ BYTES("0x00"), 2, "not a hex digit" },
		{ BYTES("00\r"), 3, "not a hex digit" },
		{ BYTES("00\0"), 3, "not a hex digit" },
		{ BYTES("\xc3\xa9"), 1, "not a hex digit" },
		{ BYTES("@0"), 1, "not a hex digit" },
		{ BYTES("/:"), 1, "not a hex digit" },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_bad(&table[i], RECORD_HEX);
}
END_TEST

START_TEST(the_data_of_an_object_is_the_payload)
{
	static const struct good table[] = {
		{ BYTES("{\"data\":\"hello\"}"), BYTES("hello") },
		{ BYTES("{\"data\":\"\"}"), BYTES("") },
		{ BYTES(" { \"data\" :\t\"x\" } \r"), BYTES("x") },
		{ BYTES("{\"data\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}"),
			BYTES("\"\\/\b\f\n\r\t") },
		{ BYTES("{\"data\":\"a\\u0000b\"}"), BYTES("a\0b") },
		{ BYTES("{\"data\":\"\\u00e9\\u00E9\"}"),
			BYTES("\xc3\xa9\xc3\xa9") },
		{ BYTES("{\"data\":\"\\u20ac\"}"), BYTES("\xe2\x82\xac") },
		{ BYTES("{\"data\":\"\\ud83d\\uDE00\"}"),
			BYTES("\xf0\x9f\x98\x80") },
		{ BYTES("{\"data\":\"\\ufffd\\uffff\"}"),
			BYTES("\xef\xbf\xbd\xef\xbf\xbf") },
		{ BYTES("{\"data\":\"\xf0\x9f\x98\x80 \x7f\"}"),
			BYTES("\xf0\x9f\x98\x80 \x7f") },
		{ BYTES("{\"d\\u0061ta\":\"x\"}"), BYTES("x") },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_good(&table[i], RECORD_JSON);
}
END_TEST

START_TEST(the_hex_of_an_object_is_the_payload)
{
	static const struct good table[] = {
		{ BYTES("{\"hex\":\"00ff\"}"), BYTES("\0\xff") },
		{ BYTES("{\"hex\":\"\"}"), BYTES("") },
		{ BYTES("{\"hex\":\"\\u00300 fF\"}"), BYTES("\0\xff") },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_good(&table[i], RECORD_JSON);
}
END_TEST

START_TEST(other_members_of_any_type_are_ignored)
{
	static const char *const values[] = { "0", "-0", "17", "1.5",
		"-1.5e+10", "2E-3", "1e5", "true", "false", "null", "\"\"",
		"\"a\\n\"", "[]", "[ ]", "[1,[2,{}]]", "{}", "{ }", "{\"a\":1}",
		"{\"data\":\"no\"}",
		"[\"hex\", {\"hex\" : 1 , \"b\": [ null ]}]" };
	char text[256];

	for (size_t i = 0; i < COUNT(values); i++) {
		struct good good = { text, 0, BYTES("x") };

		snprintf(text, sizeof(text),
			"{\"size\":%s,\"data\":\"x\", \"\" : %s }", values[i],
			values[i]);
		good.line_size = strlen(text);
		assert_good(&good, RECORD_JSON);
	}
}
END_TEST

START_TEST(a_blank_line_is_no_object)
{
	static const char *const blanks[] = { "", " ", "\t", "\r", " \t \r" };
	struct record_line line;

	for (size_t i = 0; i < COUNT(blanks); i++)
		ck_assert_int_eq(decode(&line, RECORD_JSON, blanks[i],
					 strlen(blanks[i])),
			0);
}
END_TEST

START_TEST(an_object_needs_exactly_one_payload)
{
	static const struct bad table[] = {
		{ BYTES("{}"), 0, "neither \"data\" nor \"hex\"" },
		{ BYTES("{\"size\":1}"), 0, "neither \"data\" nor \"hex\"" },
		{ BYTES("{\"Data\":\"\"}"), 0, "neither \"data\" nor \"hex\"" },
		{ BYTES("{\"a\":{\"data\":\"\"}}"), 0,
			"neither \"data\" nor \"hex\"" },
		{ BYTES("{\"data\":\"\",\"data\":\"\"}"), 19,
			"more than one \"data\" or \"hex\"" },
		{ BYTES("{\"data\":\"\",\"hex\":\"\"}"), 18,
			"more than one \"data\" or \"hex\"" },
		{ BYTES("{\"hex\":\"\",\"hex\":\"\"}"), 17,
			"more than one \"data\" or \"hex\"" },
		{ BYTES("{\"data\":1}"), 9, "expected a string" },
		{ BYTES("{\"data\":null}"), 9, "expected a string" },
		{ BYTES("{\"hex\":[]}"), 8, "expected a string" },
		{ BYTES("{\"hex\":\"0\"}"), 0,
			"\"hex\" is not hex digits, two a byte" },
		{ BYTES("{\"hex\":\"0g\"}"), 0,
			"\"hex\" is not hex digits, two a byte" },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_bad(&table[i], RECORD_JSON);
}
END_TEST

START_TEST(what_is_not_one_object_is_told_with_its_place)
{
	static const struct bad table[] = {
		{ BYTES("hello"), 1, "expected an object" },
		{ BYTES("\"data\""), 1, "expected an object" },
		{ BYTES("[]"), 1, "expected an object" },
		{ BYTES(" \0"), 2, "expected an object" },
		{ BYTES("\xef\xbb\xbf{}"), 1, "expected an object" },
		{ BYTES("{"), 2, "expected a string" },
		{ BYTES("{,}"), 2, "expected a string" },
		{ BYTES("{data:\"\"}"), 2, "expected a string" },
		{ BYTES("{\"data\""), 8, "expected ':'" },
		{ BYTES("{\"data\" \"\"}"), 9, "expected ':'" },
		{ BYTES("{\"data\":\"\""), 11, "expected ',' or '}'" },
		{ BYTES("{\"data\":\"\" \"a\":1}"), 12, "expected ',' or '}'" },
		{ BYTES("{\"data\":\"\",}"), 12, "expected a string" },
		{ BYTES("{\"data\":\"\"}}"), 12, "more after the object" },
		{ BYTES("{\"data\":\"\"} {}"), 13, "more after the object" },
		{ BYTES("{\"data\":\"\"}\0"), 12, "more after the object" },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_bad(&table[i], RECORD_JSON);
}
END_TEST

/* It stands as a string after {"data": and so begins in column 9. */
static void assert_bad_string(struct bad bad)
{
	static const char head[] = "{\"data\":";
	char text[64];

	memcpy(text, head, sizeof(head));
	memcpy(text + sizeof(head) - 1, bad.line, bad.line_size + 1);
	bad.line = text;
	bad.line_size += sizeof(head) - 1;
	assert_bad(&bad, RECORD_JSON);
}

START_TEST(malformed_strings_are_told_with_their_place)
{
	static const struct bad table[] = {
		{ BYTES("\""), 10, "string without an end" },
		{ BYTES("\"a\\\""), 13, "string without an end" },
		{ BYTES("\"\\"), 11, "unknown escape in a string" },
		{ BYTES("\"\\x41\""), 11, "unknown escape in a string" },
		{ BYTES("\"\\ u0041\""), 11, "unknown escape in a string" },
		{ BYTES("\"\\\0\""), 11, "unknown escape in a string" },
		{ BYTES("\"\\u"), 12, "not a hex digit after \\u" },
		{ BYTES("\"\\u12\""), 14, "not a hex digit after \\u" },
		{ BYTES("\"\\u 041\""), 12, "not a hex digit after \\u" },
		{ BYTES("\"\\udc00\""), 16, "surrogate without its pair" },
		{ BYTES("\"\\ud800\""), 16, "surrogate without its pair" },
		{ BYTES("\"\\ud800\\"), 16, "surrogate without its pair" },
		{ BYTES("\"\\ud800x\""), 16, "surrogate without its pair" },
		{ BYTES("\"\\ud800\\n\""), 16, "surrogate without its pair" },
		{ BYTES("\"\\ud800\\u0041\""), 22,
			"surrogate without its pair" },
		{ BYTES("\"\\ud800\\ud800\""), 22,
			"surrogate without its pair" },
		{ BYTES("\"\\ud800\\u12"), 20, "not a hex digit after \\u" },
		{ BYTES("\"\x1f\""), 10, "raw control character in a string" },
		{ BYTES("\"a\0\""), 11, "raw control character in a string" },
		{ BYTES("\"\xff\""), 10, "invalid UTF-8" },
		{ BYTES("\"a\xc3\""), 11, "invalid UTF-8" },
		{ BYTES("\"\xc3"), 10, "invalid UTF-8" },
		{ BYTES("\"\xed\xa0\x80\""), 10, "invalid UTF-8" },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		assert_bad_string(table[i]);
}
END_TEST

/* Each stands as a value after {"a": and before ,"data":""}. */
START_TEST(malformed_values_are_refused_where_they_are_ignored_too)
{
	static const char *const values[] = { "", "tru", "True", "nul",
		"undefined", "NaN", "01", "-", "+1", ".5", "1.", "1.e5", "1e",
		"1e+", "0x10", "-a", "1 2", "'a'", "[", "[1", "[1,]", "[,]",
		"[1 2]", "]", "{", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
		"}", "\"\\q\"", "\"\xff\"", "{\"\x01\":1}", "{\"a\" 1}",
		"[\"\\ud800\"]", "truefalse", "{\"a\":1 \"b\":2}" };
	struct record_line line;
	char text[64];

	for (size_t i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text), "{\"a\":%s,\"data\":\"\"}",
			values[i]);
		ck_assert_msg(decode(&line, RECORD_JSON, text, strlen(text)) ==
				-1,
			"%s is taken", text);
		ck_assert_int_eq(errno, EBADMSG);
	}
}
END_TEST

static size_t make_nested(char *text, size_t depth)
{
	size_t size = 0;

	size += (size_t)sprintf(text, "{\"a\":");
	for (size_t i = 0; i < depth; i++)
		size += (size_t)sprintf(text + size, i % 2 ? "[" : "{\"b\":");
	text[size++] = '1';
	for (size_t i = depth; i-- > 0;)
		text[size++] = i % 2 ? ']' : '}';
	return size + (size_t)sprintf(text + size, ",\"data\":\"x\"}");
}

START_TEST(values_may_be_nested_to_the_limit)
{
	char text[1024];
	struct good good = { text, make_nested(text, JSON_DEPTH_MAX),
		BYTES("x") };

	assert_good(&good, RECORD_JSON);
}
END_TEST

START_TEST(values_nested_deeper_are_refused)
{
	static char text[1024 * 1024];
	struct record_line line;

	for (size_t depth = JSON_DEPTH_MAX + 1; depth < 150000; depth *= 10) {
		size_t size = make_nested(text, depth);

		ck_assert_int_eq(decode(&line, RECORD_JSON, text, size), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_str_eq(line.why, "nested too deep");
	}
}
END_TEST

START_TEST(every_beginning_of_an_object_is_malformed)
{
	static const char text[] =
		"{\"a\":[1.5e3,{\"b\":null}],\"data\":\"\\ud83d\\ude00\\n\"}";
	struct record_line line;

	for (size_t size = 1; size < sizeof(text) - 1; size++) {
		int got = decode(&line, RECORD_JSON, text, size);

		ck_assert_msg(got == -1, "%.*s is taken", (int)size, text);
		ck_assert_int_eq(errno, EBADMSG);
	}
}
END_TEST

START_TEST(limits_of_a_line_follow_the_size_and_never_overflow)
{
	static const enum record_format formats[] = { RECORD_TEXT, RECORD_HEX,
		RECORD_JSON };

	ck_assert_uint_eq(record_line_get_limit(RECORD_TEXT, 100), 100);
	ck_assert_uint_ge(record_line_get_limit(RECORD_HEX, 100), 300);
	ck_assert_uint_ge(record_line_get_limit(RECORD_JSON, 100), 600);
	for (size_t i = 0; i < COUNT(formats); i++)
		ck_assert_uint_eq(record_line_get_limit(formats[i], SIZE_MAX),
			SIZE_MAX);
}
END_TEST

static bool encodes(uint32_t code)
{
	char text[4];
	size_t size = utf8_encode(code, text);

	return utf8_measure(text, size) == size &&
		utf8_measure(text, size - 1) == 0;
}

START_TEST(every_character_is_measured_as_it_is_encoded)
{
	for (uint32_t code = 0; code < 0x110000; code++) {
		bool is_surrogate = code >= 0xd800 && code < 0xe000;

		/* An assertion that holds costs a write(2) too. */
		if (encodes(code) == is_surrogate)
			ck_abort_msg("U+%04X", (unsigned int)code);
	}
}
END_TEST

START_TEST(what_is_no_utf8_is_invalid)
{
	static const struct {
		const char *text;
		size_t size;
	} table[] = {
		{ BYTES("\x80") },
		{ BYTES("\xbf") },
		{ BYTES("\xc0\x80") },
		{ BYTES("\xc1\xbf") },
		{ BYTES("\xe0\x9f\xbf") },
		{ BYTES("\xed\xa0\x80") },
		{ BYTES("\xed\xbf\xbf") },
		{ BYTES("\xf0\x8f\xbf\xbf") },
		{ BYTES("\xf4\x90\x80\x80") },
		{ BYTES("\xf5\x80\x80\x80") },
		{ BYTES("\xff") },
		{ BYTES("\xc3(") },
		{ BYTES("\xe2\x82(") },
		{ BYTES("\xf0\x9f\x98(") },
		{ BYTES("\xe2(\xac") },
		{ BYTES("ok\xc3") },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		ck_assert_msg(!utf8_is_valid(table[i].text, table[i].size),
			"row %zu", i);
}
END_TEST

START_TEST(nothing_at_all_is_valid_utf8)
{
	ck_assert(utf8_is_valid("", 0));
	ck_assert(utf8_is_valid(NULL, 0));
	ck_assert_uint_eq(utf8_measure("", 0), 0);
}
END_TEST

static TCase *make_hex(void)
{
	TCase *tcase = make_tcase_with("text and hex", NULL, drop_copy);

	tcase_add_test(tcase, text_stays_what_it_is);
	tcase_add_test(tcase, hex_digits_become_bytes);
	tcase_add_test(tcase, malformed_hex_is_told_with_its_place);
	tcase_add_test(tcase,
		limits_of_a_line_follow_the_size_and_never_overflow);
	return tcase;
}

static TCase *make_json(void)
{
	TCase *tcase = make_tcase_with("json", NULL, drop_copy);

	tcase_add_test(tcase, the_data_of_an_object_is_the_payload);
	tcase_add_test(tcase, the_hex_of_an_object_is_the_payload);
	tcase_add_test(tcase, other_members_of_any_type_are_ignored);
	tcase_add_test(tcase, a_blank_line_is_no_object);
	tcase_add_test(tcase, an_object_needs_exactly_one_payload);
	tcase_add_test(tcase, what_is_not_one_object_is_told_with_its_place);
	tcase_add_test(tcase, malformed_strings_are_told_with_their_place);
	tcase_add_test(tcase,
		malformed_values_are_refused_where_they_are_ignored_too);
	tcase_add_test(tcase, values_may_be_nested_to_the_limit);
	tcase_add_test(tcase, values_nested_deeper_are_refused);
	tcase_add_test(tcase, every_beginning_of_an_object_is_malformed);
	return tcase;
}

static TCase *make_utf8(void)
{
	TCase *tcase = make_tcase_with("utf8", NULL, drop_copy);

	tcase_add_test(tcase, every_character_is_measured_as_it_is_encoded);
	tcase_add_test(tcase, what_is_no_utf8_is_invalid);
	tcase_add_test(tcase, nothing_at_all_is_valid_utf8);
	return tcase;
}

int main(void)
{
	return support_run_cases("record_line", make_hex(), make_json(),
		make_utf8());
}
