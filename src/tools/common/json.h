/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_JSON_H
#define UNIXMSG_TOOLS_JSON_H

/*
 * A strict reader of JSON text (RFC 8259) that decodes in place: strings are
 * at most as long decoded as they are escaped, so no memory is needed. It is
 * driven from outside, one token at a time, and bounded in depth.
 *
 * Functions return -1 with EBADMSG, and leave in why and at what is wrong and
 * where, when the text is not JSON.
 */

#include <stdbool.h>
#include <stddef.h>

/* Objects and arrays inside each other in a value that is skipped. */
#define JSON_DEPTH_MAX 32

struct json {
	char *at;
	char *end;
	const char *why;
};

void json_init(struct json *json, char *text, size_t size);

int json_fail(struct json *json, const char *why);

/* True when nothing but white space is left. */
bool json_is_at_end(struct json *json);

/* Takes @token when it comes next, after white space; false if it does not. */
bool json_accept(struct json *json, char token);

/* Takes @token, which must come next; @why is told when it does not. */
int json_expect(struct json *json, char token, const char *why);

/*
 * Takes a string, and decodes it where it stands: *data points into the text.
 * It may hold NUL bytes, and has none at its end.
 */
int json_take_string(struct json *json, char **data, size_t *size);

/* Takes a value of any type, and checks all of it. */
int json_skip_value(struct json *json);

#endif
