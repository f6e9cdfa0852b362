/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RECORD_LINE_H
#define UNIXMSG_TOOLS_RECORD_LINE_H

#include <stddef.h>

#include "tools/common/record.h"

/*
 * A line that is decoded in place: data and size describe first the line, and
 * after record_line_decode the payload.
 */
struct record_line {
	char *data;
	size_t size;
	const char *why; /* the mistake in it */
	size_t column;   /* its column, from 1; 0 for the whole line */
};

/* The most characters of a line with a record of @max_size bytes. */
size_t record_line_get_limit(enum record_format format, size_t max_size);

/*
 * Returns 1 for a record, 0 for a blank line, -1 with EBADMSG; then it has set
 * why and column.
 */
int record_line_decode(struct record_line *line, enum record_format format);

#endif
