/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tools/common/hex.h"
#include "tools/common/json.h"
#include "tools/common/record_line.h"

/* At most @per_byte characters a byte, and @extra more for the line. */
static size_t bound(size_t max_size, size_t per_byte, size_t extra)
{
	size_t limit;

	if (__builtin_mul_overflow(max_size, per_byte, &limit) ||
		__builtin_add_overflow(limit, extra, &limit))
		return SIZE_MAX;
	return limit;
}

size_t record_line_get_limit(enum record_format format, size_t max_size)
{
	if (format == RECORD_HEX)
		return bound(max_size, 4, 4096);
	if (format == RECORD_JSON)
		return bound(max_size, sizeof("\\u0000") - 1, 65536);
	return max_size;
}

static int decode_hex(struct record_line *line)
{
	if (hex_decode(line->data, &line->size, &line->why, &line->column) < 0)
		return -1;
	return 1;
}

struct payload {
	char *data;
	size_t size;
	bool is_hex;
	bool is_there;
};

static bool is_key(const char *key, size_t size, const char *word)
{
	return size == strlen(word) && memcmp(key, word, size) == 0;
}

static int take_payload(struct json *json, struct payload *payload, bool is_hex)
{
	if (payload->is_there)
		return json_fail(json, "more than one \"data\" or \"hex\"");
	payload->is_there = true;
	payload->is_hex = is_hex;
	return json_take_string(json, &payload->data, &payload->size);
}

static int take_member(struct json *json, struct payload *payload)
{
	char *key;
	size_t size;

	if (json_take_string(json, &key, &size) < 0 ||
		json_expect(json, ':', "expected ':'") < 0)
		return -1;
	if (is_key(key, size, "data"))
		return take_payload(json, payload, false);
	if (is_key(key, size, "hex"))
		return take_payload(json, payload, true);
	return json_skip_value(json);
}

static int take_members(struct json *json, struct payload *payload)
{
	if (json_accept(json, '}'))
		return 0;
	do {
		if (take_member(json, payload) < 0)
			return -1;
	} while (json_accept(json, ','));
	return json_expect(json, '}', "expected ',' or '}'");
}

static int take_object(struct json *json, struct payload *payload)
{
	if (json_expect(json, '{', "expected an object") < 0 ||
		take_members(json, payload) < 0)
		return -1;
	if (!json_reach_end(json))
		return json_fail(json, "more after the object");
	return 0;
}

static int fail_whole(struct record_line *line, const char *why)
{
	line->column = 0;
	line->why = why;
	errno = EBADMSG;
	return -1;
}

/* A column in the string is no column of the line. */
static int decode_hex_member(struct record_line *line)
{
	if (decode_hex(line) < 0)
		return fail_whole(line,
			"\"hex\" is not hex digits, two a byte");
	return 1;
}

static int decode_json(struct record_line *line)
{
	struct payload payload = { .is_there = false };
	struct json json;

	json_init(&json, line->data, line->size);
	if (json_reach_end(&json))
		return 0;
	if (take_object(&json, &payload) < 0) {
		line->why = json.why;
		line->column = (size_t)(json.at - line->data) + 1;
		return -1;
	}
	if (!payload.is_there)
		return fail_whole(line, "neither \"data\" nor \"hex\"");
	line->data = payload.data;
	line->size = payload.size;
	return payload.is_hex ? decode_hex_member(line) : 1;
}

int record_line_decode(struct record_line *line, enum record_format format)
{
	if (format == RECORD_HEX)
		return decode_hex(line);
	if (format == RECORD_JSON)
		return decode_json(line);
	return 1;
}
