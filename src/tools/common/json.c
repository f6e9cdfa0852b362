/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tools/common/hex.h"
#include "tools/common/json.h"
#include "tools/common/utf8.h"

void json_init(struct json *json, char *text, size_t size)
{
	json->at = text;
	json->end = text + size;
	json->why = NULL;
}

int json_fail(struct json *json, const char *why)
{
	json->why = why;
	errno = EBADMSG;
	return -1;
}

/* Returns the next character, or NUL at the end: no JSON begins with NUL. */
static char peek(const struct json *json)
{
	return json->at < json->end ? *json->at : '\0';
}

void json_skip_blanks(struct json *json)
{
	while (json->at < json->end && memchr(" \t\r\n", *json->at, 4))
		json->at++;
}

bool json_reach_end(struct json *json)
{
	json_skip_blanks(json);
	return json->at == json->end;
}

bool json_accept(struct json *json, char token)
{
	if (json_reach_end(json) || *json->at != token)
		return false;
	json->at++;
	return true;
}

int json_expect(struct json *json, char token, const char *why)
{
	return json_accept(json, token) ? 0 : json_fail(json, why);
}

/* Reads the four digits after \u. */
static int take_unit(struct json *json, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		int value = hex_get_value(peek(json));

		if (value < 0)
			return json_fail(json, "not a hex digit after \\u");
		*unit = *unit << 4 | (uint32_t)value;
		json->at++;
	}
	return 0;
}

static bool is_high_surrogate(uint32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(uint32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Reads the other half of a character that began with @high. */
static int take_low_surrogate(struct json *json, uint32_t high, uint32_t *code)
{
	uint32_t low;

	if (json->end - json->at < 2 || memcmp(json->at, "\\u", 2) != 0)
		return json_fail(json, "surrogate without its pair");
	json->at += 2;
	if (take_unit(json, &low) < 0)
		return -1;
	if (!is_low_surrogate(low))
		return json_fail(json, "surrogate without its pair");
	*code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

static int take_unicode(struct json *json, char **out)
{
	uint32_t code;

	json->at++;
	if (take_unit(json, &code) < 0)
		return -1;
	if (is_low_surrogate(code))
		return json_fail(json, "surrogate without its pair");
	if (is_high_surrogate(code) &&
		take_low_surrogate(json, code, &code) < 0)
		return -1;
	*out += utf8_encode(code, *out);
	return 0;
}

static int take_escape(struct json *json, char **out)
{
	static const char names[] = { '"', '\\', '/', 'b', 'f', 'n', 'r', 't' };
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *name = memchr(names, peek(json), sizeof(names));

	if (peek(json) == 'u')
		return take_unicode(json, out);
	if (!name)
		return json_fail(json, "unknown escape in a string");
	*(*out)++ = values[name - names];
	json->at++;
	return 0;
}

static int take_character(struct json *json, char **out)
{
	size_t size = utf8_measure(json->at, (size_t)(json->end - json->at));

	if (size == 0)
		return json_fail(json, "invalid UTF-8");
	if ((unsigned char)*json->at < 0x20)
		return json_fail(json, "raw control character in a string");
	if (*json->at == '\\') {
		json->at++;
		return take_escape(json, out);
	}
	memmove(*out, json->at, size);
	*out += size;
	json->at += size;
	return 0;
}

int json_take_string(struct json *json, char **data, size_t *size)
{
	char *out;

	if (json_expect(json, '"', "expected a string") < 0)
		return -1;
	*data = out = json->at;
	while (json->at < json->end && *json->at != '"')
		if (take_character(json, &out) < 0)
			return -1;
	if (json->at == json->end)
		return json_fail(json, "string without an end");
	json->at++;
	*size = (size_t)(out - *data);
	return 0;
}

static int skip_string(struct json *json)
{
	char *data;
	size_t size;

	return json_take_string(json, &data, &size);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int skip_digits(struct json *json)
{
	if (!is_digit(peek(json)))
		return json_fail(json, "expected a digit");
	while (is_digit(peek(json)))
		json->at++;
	return 0;
}

static int skip_exponent(struct json *json)
{
	if (peek(json) != 'e' && peek(json) != 'E')
		return 0;
	json->at++;
	if (peek(json) == '+' || peek(json) == '-')
		json->at++;
	return skip_digits(json);
}

static int skip_number(struct json *json)
{
	if (peek(json) == '-')
		json->at++;
	/* The caller rejects a digit after a leading zero. */
	if (peek(json) == '0')
		json->at++;
	else if (skip_digits(json) < 0)
		return -1;
	if (peek(json) == '.') {
		json->at++;
		if (skip_digits(json) < 0)
			return -1;
	}
	return skip_exponent(json);
}

static int skip_literal(struct json *json)
{
	static const char *const literals[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		size_t size = strlen(literals[i]);

		if ((size_t)(json->end - json->at) >= size &&
			memcmp(json->at, literals[i], size) == 0) {
			json->at += size;
			return 0;
		}
	}
	return json_fail(json, "expected a value");
}

static int skip_nested(struct json *json, int depth);

static int skip_member(struct json *json, int depth)
{
	if (skip_string(json) < 0 || json_expect(json, ':', "expected ':'") < 0)
		return -1;
	return skip_nested(json, depth);
}

static int skip_object(struct json *json, int depth)
{
	if (depth > JSON_DEPTH_MAX)
		return json_fail(json, "nested too deep");
	if (json_accept(json, '}'))
		return 0;
	do {
		if (skip_member(json, depth) < 0)
			return -1;
	} while (json_accept(json, ','));
	return json_expect(json, '}', "expected ',' or '}'");
}

static int skip_array(struct json *json, int depth)
{
	if (depth > JSON_DEPTH_MAX)
		return json_fail(json, "nested too deep");
	if (json_accept(json, ']'))
		return 0;
	do {
		if (skip_nested(json, depth) < 0)
			return -1;
	} while (json_accept(json, ','));
	return json_expect(json, ']', "expected ',' or ']'");
}

static int skip_nested(struct json *json, int depth)
{
	if (json_accept(json, '{'))
		return skip_object(json, depth + 1);
	if (json_accept(json, '['))
		return skip_array(json, depth + 1);
	if (peek(json) == '"')
		return skip_string(json);
	if (peek(json) == '-' || is_digit(peek(json)))
		return skip_number(json);
	return skip_literal(json);
}

int json_skip_value(struct json *json)
{
	return skip_nested(json, 0);
}
