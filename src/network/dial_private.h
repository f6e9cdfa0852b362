/* SPDX-License-Identifier: MIT */
/* dial: how an endpoint gets its name and its peer, and gives them up. */
#ifndef UNIXMSG_DIAL_PRIVATE_H
#define UNIXMSG_DIAL_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "unixmsg/dial.h"

struct unixname_options;

/* Removes the name, closes the descriptor. Returns -1 if the file remains. */
int unixdial__close(struct endpoint *end);

/* Does the same after a failure to open. Returns -1 and keeps errno. */
int unixdial__give_up(struct endpoint *end);

/*
 * Gives up the name and accepts nothing new: a send or connect fails at once,
 * but messages that have arrived can still be received. A file is removed now,
 * an abstract name when the socket is closed. A socket that is shared is not
 * shut down. Our own is, for our children too. Returns 0, or -1 when the file
 * is still there.
 */
int unixdial__retire(struct endpoint *end, bool *is_shared);

/* Binds end to the name in text, see unixname__claim. */
int unixdial__bind(struct endpoint *end, const char *text, bool is_answered,
	const struct unixname_options *options, int64_t deadline_us);

/*
 * Opens an endpoint, binds it to options->own unless that is NULL, and connects
 * it to the name in text. A datagram socket connects first, see gram.c.
 */
int unixdial__open(struct endpoint *end, const char *text,
	const struct unixdial_options *options, int64_t deadline_us);

/* The two halves of unixdial__open. */
int unixdial__prepare(struct endpoint *end,
	const struct unixdial_options *options);
int unixdial__bind_and_connect(struct endpoint *end, const char *text,
	const struct unixdial_options *options, int64_t deadline_us);

/* Fails with EINVAL unless options are valid. */
int unixdial__check(const struct unixdial_options *options);

/* Connects an open endpoint. */
int unixdial__connect(struct endpoint *end, const char *text,
	unsigned int flags, int64_t deadline_us);

/* Connects a datagram socket to addr, which is not a server's. */
int unixdial__connect_to(const struct endpoint *end,
	const struct unixaddr *addr);

#endif
