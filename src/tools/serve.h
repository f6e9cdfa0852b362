/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_SERVE_H
#define UNIXMSG_TOOLS_SERVE_H

struct options;

/* Serves until a signal or --max-messages ends it. The exit status. */
int serve(const struct options *options);

#endif
