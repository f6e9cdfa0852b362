/* SPDX-License-Identifier: MIT */
/* listen: checks the options of a server. */
#ifndef UNIXMSG_LISTEN_PRIVATE_H
#define UNIXMSG_LISTEN_PRIVATE_H

#include "name/name_private.h"
#include "unixmsg/listen.h"

/* Gets the options to claim the name with. Returns 0, or -1 with EINVAL for
 * invalid options. */
int unixlisten__get_name(const struct unixlisten_options *options,
	struct unixname_options *name);

#endif
