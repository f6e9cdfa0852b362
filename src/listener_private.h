/* SPDX-License-Identifier: MIT */
/* listener: what packet and stream make their _listen and _accept of. */
#ifndef UNIXMSG_LISTENER_PRIVATE_H
#define UNIXMSG_LISTENER_PRIVATE_H

#include "endpoint.h"
#include "unixmsg/listener.h"

/* A listener for connections of type SOCK_...: see unixpacket_listen. */
struct unixlistener *unixlistener_new(int type, const char *address,
	int backlog, const struct unixname_options *options);

/*
 * Takes the next connection into end, which nobody has opened yet. EPROTOTYPE
 * when the listener is for another type.
 */
int unixlistener_accept(const struct unixlistener *listener, int type,
	struct endpoint *end, int64_t deadline_us);

#endif
