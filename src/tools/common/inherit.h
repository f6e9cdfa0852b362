/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INHERIT_H
#define UNIXMSG_TOOLS_INHERIT_H

struct network;
struct unixservice;

/*
 * Looks at what a supervisor has handed over: the first thing in main, before
 * a descriptor of ours can have the number of one that is missing.
 */
void inherit_begin(void);

/* The last: what was not taken goes. */
void inherit_end(void);

/*
 * Has service serve all sockets of network that a supervisor has handed over,
 * listening ones and connections; where none was, the one that standard input
 * is. flags are those of unixservice_add_conn. 0, or -1 when that was told:
 * there are none.
 */
int inherit(struct unixservice *service, const struct network *network,
	unsigned int flags);

#endif
