/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_ECHO_H
#define UNIXMSG_TOOLS_ECHO_H

struct network;

/* The main of an echo tool. */
int echo_main(const char *name, const struct network *network, int argc,
	char **argv);

#endif
