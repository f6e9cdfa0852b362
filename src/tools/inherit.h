/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INHERIT_H
#define UNIXMSG_TOOLS_INHERIT_H

struct network;
struct unixservice;

/*
 * Has service serve all sockets of network that a supervisor has handed over,
 * listening ones and connections. 0, or -1 when that was told: there are none.
 */
int inherit(struct unixservice *service, const struct network *network);

#endif
