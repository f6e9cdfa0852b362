/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_EXEC_H
#define UNIXMSG_TOOLS_CAT_EXEC_H

struct cat_options;

/* Serves, and runs the program of --exec, or what keeps descriptors, for each
 * message. The exit status. */
int cat_exec(struct cat_options *options);

#endif
