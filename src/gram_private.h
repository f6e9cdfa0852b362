/* SPDX-License-Identifier: MIT */
/* gram: what the other rooms of the library use besides unixmsg/gram.h. */
#ifndef UNIXMSG_GRAM_PRIVATE_H
#define UNIXMSG_GRAM_PRIVATE_H

#include "unixmsg/gram.h"

/* As unixgram_open; what is wanted is in force before the first message. */
struct unixgram *unixgram_open_wanting(const char *address,
	const struct unixname_options *options, unsigned int wants);

unsigned int unixgram_get_wants(const struct unixgram *gram);

/* See unixendpoint_is_shared and unixendpoint_retire. */
bool unixgram_is_shared(const struct unixgram *gram);
int unixgram_retire(struct unixgram *gram, bool *is_shared);

#endif
