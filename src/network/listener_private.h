/* SPDX-License-Identifier: MIT */
/* listener: calls for the service, besides unixmsg/listener.h. */
#ifndef UNIXMSG_LISTENER_PRIVATE_H
#define UNIXMSG_LISTENER_PRIVATE_H

#include "unixmsg/listener.h"

/* Does the same as unixlistener_open, with wants set before any connection. */
struct unixlistener *unixlistener__open_wanting(const char *network,
	const char *address, const struct unixlisten_options *options,
	unsigned int wants);

unsigned int unixlistener__get_wants(const struct unixlistener *listener);

uint64_t unixlistener__get_tag(const struct unixlistener *listener);

/* Returns SOCK_STREAM or SOCK_SEQPACKET. */
int unixlistener__get_type(const struct unixlistener *listener);

/* Has later connections wait with their offer of a lane, see
 * unixhandshake__hold. */
void unixlistener__hold_lanes(struct unixlistener *listener);

/* See unixdial__retire. */
int unixlistener__retire(struct unixlistener *listener, bool *is_shared);

#endif
