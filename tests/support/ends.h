/* SPDX-License-Identifier: MIT */
/*
 * ends: two ends of a link that keeps message boundaries, of every kind. The
 * kinds differ in how the receiving side was made, because the marks of
 * messages depend on that.
 *
 * As with support.h, a failed step is a failed test.
 */
#ifndef UNIXMSG_TESTS_ENDS_H
#define UNIXMSG_TESTS_ENDS_H

#include <check.h>

#include "support/talk.h"

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

/* Makes a link of that kind (enum ends_kind), with the sender connected. */
void ends_make(struct ends *ends, int kind);

/* Closes the ends; either may be NULL. */
void ends_close(struct ends *ends);

/* Of a message, in bytes. */
size_t ends_get_size_max(const struct ends *ends);

/*
 * A tcase whose tests need not close what they have made last; it does not lie
 * on a test's stack.
 */
TCase *make_ends_tcase(const char *name);

/* Runs test with each kind, or with each of packets, as _i. */
void ends_add(TCase *tcase, const TTest *test);
void ends_add_packets(TCase *tcase, const TTest *test);

#endif
