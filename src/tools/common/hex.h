/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_HEX_H
#define UNIXMSG_TOOLS_HEX_H

#include <stddef.h>

/* 0 to 15; -1 when @digit is no hex digit, of either case. */
int hex_get_value(char digit);

/*
 * Decodes hex digits, with spaces and tabs between bytes, where they stand:
 * *size becomes that of the bytes. Returns 0; or -1 with EBADMSG and in *why
 * and *column, counted from 1, what is wrong and where; column 0 says that it
 * is wrong as a whole.
 */
int hex_decode(char *text, size_t *size, const char **why, size_t *column);

#endif
