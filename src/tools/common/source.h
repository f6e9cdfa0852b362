/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_SOURCE_H
#define UNIXMSG_TOOLS_SOURCE_H

/*
 * Where a client's messages come from: its arguments, standard input, or
 * nowhere, when they are made up.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/common/options.h"

struct source {
	const struct options *options;
	struct record_reader *reader; /* standard input */
	int argument;                 /* the next one */
	char *line;                   /* an argument, decoded */
	unsigned char *made;          /* the message made last */
	uint64_t made_count;
	int64_t next_us; /* not before that moment */
};

/* 0, or -1 with errno. */
int source_open(struct source *source, const struct options *options);
void source_close(struct source *source);

/*
 * The next message: 1, valid until the next call; 0 there will be no more; -1
 * with EAGAIN (it has not come yet) or another errno, see source_complain.
 */
int source_next(struct source *source, const void **data, size_t *size);

/* What to poll for the next message after EAGAIN: stdin, or -1, and until. */
int source_get_fd(const struct source *source);
int64_t source_get_moment(const struct source *source);

/*
 * Counts the messages that are left, without waiting for any. *is_all: there
 * are no more, not even later.
 */
uint64_t source_count_rest(struct source *source, bool *is_all);

/* Says why source_next failed. */
void source_complain(const struct source *source, int error);

/*
 * Which of the made up messages data is, counted from 0; UINT64_MAX when it is
 * none, or too short to tell.
 */
uint64_t source_identify(const struct source *source, const void *data,
	size_t size);

#endif
