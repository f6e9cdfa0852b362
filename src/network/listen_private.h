/* SPDX-License-Identifier: MIT */
/* listen: what a server's options come to. */
#ifndef UNIXMSG_LISTEN_PRIVATE_H
#define UNIXMSG_LISTEN_PRIVATE_H

#include "base/endpoint.h"
#include "name/name_private.h"
#include "unixmsg/listen.h"

/* What its name is claimed with. -1 with EINVAL: options cannot be meant. */
int unixlisten__get_name(const struct unixlisten_options *options,
	struct unixname_options *name);

#endif
