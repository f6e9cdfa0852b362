/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_UTF8_H
#define UNIXMSG_TOOLS_UTF8_H

/*
 * UTF-8 as in RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Returns the size of the first character of @text, 1 to 4; 0 if it is not
 * valid or @size ends inside it.
 */
size_t utf8_measure(const void *text, size_t size);

bool utf8_is_valid(const void *text, size_t size);

/*
 * Writes @code, which must be a Unicode scalar value, to @text; returns the
 * bytes written, 1 to 4.
 */
size_t utf8_encode(uint32_t code, char *text);

#endif
