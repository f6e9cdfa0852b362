/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_SERVE_H
#define UNIXMSG_TOOLS_CAT_SERVE_H

struct cat_options;

/* Prints and answers messages. Returns the exit status. */
int cat_serve(struct cat_options *options);

#endif
