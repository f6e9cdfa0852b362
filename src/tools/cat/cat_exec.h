/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_EXEC_H
#define UNIXMSG_TOOLS_CAT_EXEC_H

struct cat_options;

/* Serves, and for each message runs the program of --exec, or the process that
 * copies descriptors. Returns the exit status. */
int cat_exec(struct cat_options *options);

#endif
