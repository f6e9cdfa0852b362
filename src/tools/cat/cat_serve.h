/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_SERVE_H
#define UNIXMSG_TOOLS_CAT_SERVE_H

struct cat_options;

/* Prints what comes, and answers it. The exit status. */
int cat_serve(struct cat_options *options);

#endif
