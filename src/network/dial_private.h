/* SPDX-License-Identifier: MIT */
/* dial: how an endpoint gets its name and its peer, and gives them up. */
#ifndef UNIXMSG_DIAL_PRIVATE_H
#define UNIXMSG_DIAL_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "unixmsg/dial.h"

struct unixname_options;

/* Removes the name, closes the descriptor. -1: the file is still there. */
int unixdial__close(struct endpoint *end);

/* The same for an end that has failed to come to be: -1, errno as it was. */
int unixdial__give_up(struct endpoint *end);

/*
 * Gives up the name, and lets nothing in any more: who sends or connects gets
 * an error at once, and what has come can still be taken. The file goes now, an
 * abstract name when the socket is closed. A socket that is shared is not shut.
 * Our own is, for our children too. 0, or -1 when the file is still there.
 */
int unixdial__retire(struct endpoint *end, bool *is_shared);

/* Binds end to what text names, see unixname__claim. */
int unixdial__bind(struct endpoint *end, const char *text, bool is_answered,
	const struct unixname_options *options, int64_t deadline_us);

/*
 * Opens an end, binds it to options->own if there is one, and connects it to
 * what text names. For datagrams it connects first, see gram.c.
 */
int unixdial__open(struct endpoint *end, const char *text,
	const struct unixdial_options *options, int64_t deadline_us);

/* EINVAL unless options may be meant. */
int unixdial__check(const struct unixdial_options *options);

/* Connects an open end. */
int unixdial__connect(struct endpoint *end, const char *text,
	unsigned int flags, int64_t deadline_us);

/* Connects a datagram socket to addr, which is none of a server. */
int unixdial__connect_to(const struct endpoint *end,
	const struct unixaddr *addr);

#endif
