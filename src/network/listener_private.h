/* SPDX-License-Identifier: MIT */
/* listener: what the service uses besides unixmsg/listener.h. */
#ifndef UNIXMSG_LISTENER_PRIVATE_H
#define UNIXMSG_LISTENER_PRIVATE_H

#include "unixmsg/listener.h"

/* As unixlistener_open; what connections are to receive is in force before the
 * first. */
struct unixlistener *unixlistener__open_wanting(const char *network,
	const char *address, const struct unixlisten_options *options,
	unsigned int wants);

unsigned int unixlistener__get_wants(const struct unixlistener *listener);

/* SOCK_STREAM or SOCK_SEQPACKET. */
int unixlistener__get_type(const struct unixlistener *listener);

/* See unixdial__retire. */
int unixlistener__retire(struct unixlistener *listener, bool *is_shared);

#endif
