/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_SOURCE_H
#define UNIXMSG_TOOLS_SOURCE_H

/*
 * The source of a client's messages: its arguments, standard input, or a
 * generator.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/common/options.h"

struct source {
	/* The next message, valid if is_there. It stays valid after
	 * source_take, until the next source_fetch. */
	const void *data;
	size_t size;
	bool is_there;
	bool is_lost; /* it could not be sent */
	bool is_over; /* no message follows */
	bool is_bad;  /* it ended with a mistake, which was reported */
	/* The word for the argument in a complaint; NULL for MESSAGE and its
	 * number. */
	const char *name;
	/* Only source.c uses the rest. */
	const struct options *options;
	struct record_reader *reader; /* standard input */
	int argument;                 /* the next one */
	char *line;                   /* an argument, decoded */
	unsigned char *made;          /* the last generated message */
	uint64_t made_count;
	int64_t next_us;  /* no message before that moment */
	uint64_t counted; /* records that were counted and not sent */
};

/* Returns 0, or -1 with errno. */
int source_open(struct source *source, const struct options *options);
void source_close(struct source *source);

/* Fetches the next message; true if it is there now. Reports a mistake. */
bool source_fetch(struct source *source);

/* Removes the message, which was sent, or given to another sender. */
void source_take(struct source *source);

/* Ends the source after a complaint that the message cannot be sent. */
void source_give_up(struct source *source);

/* True if all messages were taken. */
bool source_is_empty(const struct source *source);

/* Return the descriptor to poll if no message is there, or -1; and the deadline
 * of that poll. */
int source_get_fd(const struct source *source);
int64_t source_get_moment(const struct source *source);

/*
 * Removes and counts the messages that were not sent, without waiting. Sets
 * *is_all to true if no more can follow.
 */
uint64_t source_count_rest(struct source *source, bool *is_all);

/*
 * Returns the number of a generated message, from 0; UINT64_MAX if data is no
 * such message, or is too short.
 */
uint64_t source_identify(const struct source *source, const void *data,
	size_t size);

#endif
