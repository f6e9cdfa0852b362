/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_CONNECTIONS_H
#define UNIXMSG_TOOLS_CAT_CONNECTIONS_H

struct cat_options;

/* Serves, and runs the program of --exec for each connection. Returns the exit
 * status. */
int cat_connections(const struct cat_options *options);

#endif
