/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_HEX_H
#define UNIXMSG_TOOLS_HEX_H

#include <stddef.h>

/* Returns 0 to 15; -1 if @digit is no hex digit, of either case. */
int hex_get_value(char digit);

/*
 * Decodes hex digits in place, with spaces and tabs between bytes, and sets
 * *size to the number of bytes. Returns 0; or -1 with EBADMSG, the mistake in
 * *why and its column, from 1, in *column. Column 0 means the whole text.
 */
int hex_decode(char *text, size_t *size, const char **why, size_t *column);

#endif
