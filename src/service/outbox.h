/* SPDX-License-Identifier: MIT */
/* outbox: what waits to be sent to one peer, in order. */
#ifndef UNIXMSG_OUTBOX_H
#define UNIXMSG_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unixmsg/msg.h"

/* What one that is kept costs besides its size. */
#define UNIXOUTBOX_OVERHEAD 64

struct kept {
	struct kept *next;
	int64_t since_us;
	size_t size;
	size_t done; /* of a byte stream */
	/* Whether part of it has gone already: it cannot be dropped. */
	bool is_begun;
	/* Whether a message is answered by it. */
	bool is_answer;
	size_t fds_count;
	int *fds; /* behind data; ours, they go with it */
	char data[];
};

struct outbox {
	struct kept *first;
	struct kept **last;
	unsigned int count;
	unsigned int count_most;
	size_t bytes; /* with UNIXOUTBOX_OVERHEAD for each */
};

void unixoutbox__init(struct outbox *outbox);

/*
 * Copies msg, with its descriptors, to the end. NULL with ENOMEM, or those of
 * fcntl(2): EMFILE, EBADF.
 */
struct kept *unixoutbox__add(struct outbox *outbox, const struct unixmsg *msg);

/* How many bytes the payload of msg has; SIZE_MAX when that overflows. */
size_t unixoutbox__get_size(const struct unixmsg *msg);

/* Frees the one behind place, &outbox->first for the first. */
void unixoutbox__remove(struct outbox *outbox, struct kept **place);

#endif
