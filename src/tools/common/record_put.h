/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RECORD_PUT_H
#define UNIXMSG_TOOLS_RECORD_PUT_H

/*
 * Parts of a line, for a tool whose lines are not those of record_write. They
 * go into the buffer of a record_writer. Return 0; or -1 with ECANCELED or as
 * write(2).
 */

#include <stddef.h>

struct record_writer;

/* Puts the bytes as they are: never those of a peer. */
int record_put(struct record_writer *writer, const void *data, size_t size);
int record_put_text(struct record_writer *writer, const char *text);

/* Hex digits, in lower case without spaces. */
int record_put_hex(struct record_writer *writer, const void *data, size_t size);

/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
int record_put_string(struct record_writer *writer, const void *text,
	size_t size);

/* Text that neither controls a terminal nor begins a line, see record.h. */
int record_put_harmless(struct record_writer *writer, const void *data,
	size_t size);

#endif
