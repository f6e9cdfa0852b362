/* SPDX-License-Identifier: MIT */
/* outbox: the messages queued for one peer, in order. */
#ifndef UNIXMSG_OUTBOX_H
#define UNIXMSG_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unixmsg/msg.h"

/* The memory that a queued message costs besides its size. */
#define UNIXOUTBOX_OVERHEAD 64

struct queued {
	struct queued *next;
	int64_t since_us;
	size_t size;
	size_t done; /* bytes already sent, in a byte stream */
	/* Part of it was sent already, so it cannot be dropped. */
	bool is_begun;
	/* It answers a message. */
	bool is_answer;
	/* cred is sent with it. */
	bool has_cred;
	struct unixcred cred;
	size_t fds_count;
	int *fds; /* behind data; ours, closed with it */
	char data[];
};

struct outbox {
	struct queued *first;
	struct queued **last;
	unsigned int count;
	unsigned int count_most;
	size_t bytes; /* including UNIXOUTBOX_OVERHEAD for each */
};

void unixoutbox__init(struct outbox *outbox);

/*
 * Appends a copy of msg, with its descriptors. Returns NULL with ENOMEM, or an
 * errno of fcntl(2): EMFILE, EBADF.
 */
struct queued *unixoutbox__add(struct outbox *outbox,
	const struct unixmsg *msg);

/* Returns the size of msg's payload; SIZE_MAX when that overflows. */
size_t unixoutbox__get_size(const struct unixmsg *msg);

/* Closes the descriptors of queued: they are sent. */
void unixoutbox__close_fds(struct queued *queued);

/* Frees the message at *place, &outbox->first for the first. */
void unixoutbox__remove(struct outbox *outbox, struct queued **place);

#endif
