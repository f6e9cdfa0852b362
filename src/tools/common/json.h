/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_JSON_H
#define UNIXMSG_TOOLS_JSON_H

/*
 * A strict reader of JSON text (RFC 8259) that decodes in place: a decoded
 * string is never longer than its escaped form, so no memory is needed. The
 * caller takes one token at a time. The depth of nested values is bounded.
 *
 * When the text is not JSON, functions return -1 with EBADMSG, and leave the
 * mistake in why and its place in at.
 */

#include <stdbool.h>
#include <stddef.h>

/* The most levels of objects and arrays in a value that json_skip_value
 * takes. */
#define JSON_DEPTH_MAX 32

struct json {
	char *at;
	char *end;
	const char *why;
};

void json_init(struct json *json, char *text, size_t size);

int json_fail(struct json *json, const char *why);

void json_skip_blanks(struct json *json);

/* Skips blanks, and returns true if nothing else is left. */
bool json_reach_end(struct json *json);

/* Takes @token if it is next after white space; false otherwise. */
bool json_accept(struct json *json, char token);

/* Takes @token, which must be next; @why is the mistake otherwise. */
int json_expect(struct json *json, char token, const char *why);

/*
 * Takes a string and decodes it in place: *data points into the text. The
 * string may hold NUL bytes, and has none at its end.
 */
int json_take_string(struct json *json, char **data, size_t *size);

/* Takes a value of any type, and checks all of it. */
int json_skip_value(struct json *json);

#endif
