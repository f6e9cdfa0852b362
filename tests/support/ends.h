/* SPDX-License-Identifier: MIT */
/*
 * ends: two ends of a link that keeps boundaries, of every kind there is. What
 * marks the messages of a connection depends on how its receiving side came to
 * be, hence the kinds.
 *
 * As with support.h, a failed step is a failed test.
 */
#ifndef UNIXMSG_TESTS_ENDS_H
#define UNIXMSG_TESTS_ENDS_H

#include "unixmsg.h"

enum ends_kind {
	ENDS_GRAM_PAIR,
	ENDS_GRAM_TO_SERVER,
	ENDS_PACKET_PAIR,
	ENDS_PACKET_TO_SERVER,
	ENDS_PACKET_TO_CLIENT,
	ENDS_KINDS,
};

struct ends {
	bool is_packet;
	struct unixconn *sender;
	struct unixconn *receiver;
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
