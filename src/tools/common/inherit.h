/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INHERIT_H
#define UNIXMSG_TOOLS_INHERIT_H

struct network;
struct unixservice;

/*
 * Reads the sockets that a supervisor has passed. Call it first in main, before
 * a descriptor of ours can get the number of a missing one.
 */
void inherit_begin(void);

/* Call it last: closes the sockets that were not taken. */
void inherit_end(void);

/*
 * Adds to the service all sockets of network that a supervisor has passed,
 * listeners and connections; without any, the socket on standard input. flags
 * are those of unixservice_add_conn. Returns 0, or -1 after a complaint, also
 * if there is no socket.
 */
int inherit(struct unixservice *service, const struct network *network,
	unsigned int flags);

#endif
