/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RECORD_LINE_H
#define UNIXMSG_TOOLS_RECORD_LINE_H

#include <stddef.h>

#include "tools/common/record.h"

/*
 * A line on its way to become a payload: data and size are the line first, and
 * the payload then, decoded where it stood.
 */
struct record_line {
	char *data;
	size_t size;
	const char *why; /* what is wrong with it */
	size_t column;   /* and where, from 1; 0 when it is so as a whole */
};

/* Characters that a record of @max_size bytes may take up in a line. */
size_t record_line_get_limit(enum record_format format, size_t max_size);

/*
 * Returns 1 a record, 0 a blank line that stands for none, or -1 with EBADMSG
 * and why and column set.
 */
int record_line_decode(struct record_line *line, enum record_format format);

#endif
