/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_RELAY_H
#define UNIXMSG_TOOLS_CAT_RELAY_H

#include "tools/cat/cat_program.h"

/* A connection and its program. */
struct cat_relay {
	const struct cat_options *options;
	const struct cat_program *program;
	struct unixconn *conn;
	struct cat_caller caller;
};

/*
 * Runs the program with the messages of conn as its input, and sends its
 * output. Call it in a process of its own: it waits for both, and forks.
 * Returns the program's exit status, or 1 after another complaint.
 */
int cat_relay(const struct cat_relay *relay);

#endif
