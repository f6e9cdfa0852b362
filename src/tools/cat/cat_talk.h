/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_TALK_H
#define UNIXMSG_TOOLS_CAT_TALK_H

struct cat_options;

/* Sends, and prints messages received. Returns the exit status. */
int cat_talk(struct cat_options *options);

#endif
