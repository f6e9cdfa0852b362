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
	/* The next message, while is_there: until source_fetch is called
	 * after it was taken. */
	const void *data;
	size_t size;
	bool is_there;
	bool is_lost; /* it could not be sent */
	bool is_over; /* no message follows */
	bool is_bad;  /* told: it ended with what cannot be sent */
	/* What a complaint calls the only argument; NULL: MESSAGE and its
	 * number. */
	const char *name;
	/* The rest is source.c's. */
	const struct options *options;
	struct record_reader *reader; /* standard input */
	int argument;                 /* the next one */
	char *line;                   /* an argument, decoded */
	unsigned char *made;          /* the message made last */
	uint64_t made_count;
	int64_t next_us;  /* not before that moment */
	uint64_t counted; /* records that were counted and not sent */
};

/* 0, or -1 with errno. */
int source_open(struct source *source, const struct options *options);
void source_close(struct source *source);

/* The next message: whether it is there now. What is wrong with it is told. */
bool source_fetch(struct source *source);

/* The message was sent, or given to somebody else who does. */
void source_take(struct source *source);

/* The message cannot be sent, which was told, and what follows shall not be. */
void source_give_up(struct source *source);

/* Whether all of it was taken. */
bool source_is_empty(const struct source *source);

/* What to poll for where none is there: stdin, or -1, and until. */
int source_get_fd(const struct source *source);
int64_t source_get_moment(const struct source *source);

/*
 * Counts the messages that were not sent, which takes them, without waiting for
 * any. *is_all: there are no more, not even later.
 */
uint64_t source_count_rest(struct source *source, bool *is_all);

/*
 * Which of the made up messages data is, counted from 0; UINT64_MAX when it is
 * none, or too short to tell.
 */
uint64_t source_identify(const struct source *source, const void *data,
	size_t size);

#endif
