/* SPDX-License-Identifier: MIT */
/* listener: what packet and stream make their _listen and _accept of. */
#ifndef UNIXMSG_LISTENER_PRIVATE_H
#define UNIXMSG_LISTENER_PRIVATE_H

#include "endpoint.h"
#include "unixmsg/listener.h"

/*
 * A listener for connections of type SOCK_...: see unixpacket_listen. What its
 * connections are to receive (UNIXMSG_WANT_...) is in force before the first.
 */
struct unixlistener *unixlistener_new(int type, const char *address,
	int backlog, const struct unixname_options *options,
	unsigned int wants);

/*
 * Takes the next connection into end, which nobody has opened yet. EPROTOTYPE
 * when the listener is for another type.
 */
int unixlistener_accept(struct unixlistener *listener, int type,
	struct endpoint *end, int64_t deadline_us);

/* SOCK_STREAM or SOCK_SEQPACKET. */
int unixlistener_get_type(const struct unixlistener *listener);

/* See unixendpoint_retire. */
int unixlistener_retire(struct unixlistener *listener, bool *is_shared);

#endif
