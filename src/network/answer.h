/* SPDX-License-Identifier: MIT */
/*
 * answer: binds a unixgram client to an address, even if it asks for none, so
 * that its server can answer.
 */
#ifndef UNIXMSG_ANSWER_H
#define UNIXMSG_ANSWER_H

#include "base/endpoint.h"
#include "unixmsg/dial.h"

/*
 * Binds end, which is connected to server (text), to dial->own, or to an
 * address of our choice when that is NULL: see unixconn_dial.
 */
int unixanswer__bind(struct endpoint *end, const char *server,
	const struct unixdial_options *dial, int64_t deadline_us);

/* See unixconn_check_answer. */
int unixanswer__check(const struct endpoint *end);

#endif
