/* SPDX-License-Identifier: MIT */
/*
 * ends: two ends of a link that keeps boundaries, of every kind there is, with
 * the same calls for all of them. What marks the messages of a connection
 * depends on how its receiving side came to be, hence the kinds.
 *
 * As with support.h, a failed step is a failed test.
 */
#ifndef UNIXMSG_TESTS_ENDS_H
#define UNIXMSG_TESTS_ENDS_H

#include "unixmsg.h"

struct network {
	int (*send)(void *, const void *, size_t, int64_t);
	int (*recv)(void *, void *, size_t, size_t *, int64_t);
	int (*send_msg)(void *, const struct unixmsg *, int64_t);
	int (*recv_msg)(void *, struct unixmsg *, int64_t);
	int (*send_batch)(void *, const struct unixmsg *, size_t, size_t *,
		int64_t);
	int (*recv_batch)(void *, struct unixmsg *, size_t, size_t *, int64_t);
	int (*recv_buffer)(void *, struct unixbuffer *, int64_t);
	int (*get_next_size)(void *, size_t *, int64_t);
	int (*get_size_max)(void *, size_t *);
	int (*raise_size_max)(void *, size_t, size_t *);
	int (*get_unread)(void *, size_t *);
	int (*want)(void *, unsigned int);
	int (*get_fd)(void *);
	void (*set_stop_fd)(void *, int);
	int (*close)(void *);
};

enum ends_kind {
	ENDS_GRAM_PAIR,
	ENDS_GRAM_TO_SERVER,
	ENDS_PACKET_PAIR,
	ENDS_PACKET_TO_SERVER,
	ENDS_PACKET_TO_CLIENT,
	ENDS_KINDS,
};

struct ends {
	const struct network *net;
	bool is_packet;
	void *sender;
	void *receiver;
};

/* Makes the link that kind (enum ends_kind) tells, the sender connected. */
void ends_make(struct ends *ends, int kind);

/* Closes what is left: either end may be NULL. */
void ends_close(struct ends *ends);

/* Without waiting. */
void ends_send_text(const struct ends *ends, const char *text);
void ends_expect_text(const struct ends *ends, const char *text);

/* The queue is empty, and the connection goes on. */
void ends_expect_nothing(const struct ends *ends);

#endif
