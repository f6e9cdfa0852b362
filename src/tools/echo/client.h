/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CLIENT_H
#define UNIXMSG_TOOLS_CLIENT_H

struct options;

/* Sends messages and prints their answers. Returns the exit status. */
int client(const struct options *options);

#endif
