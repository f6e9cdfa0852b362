/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_OPTIONS_H
#define UNIXMSG_TOOLS_TAP_OPTIONS_H

/* The command line of unixmsg-tap. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/tap/show.h"

struct network;

struct tap_options {
	const char *address;           /* of the server */
	const char *front;             /* of --listen: no takeover; or NULL */
	const struct network *network; /* NULL: it is to be found */
	const char *file;              /* of --write, or NULL */
	bool is_showing;
	enum show_format format;
	const char *dissector; /* of --decode, or NULL */
	size_t snap;           /* bytes of a message that are recorded */
	size_t size_max;       /* of a message that is passed on */
	uint64_t messages_max; /* 0: no end */
	bool is_stats_wanted;
	bool is_restoring;
	const char *replay; /* a recording to be sent again, or NULL */
	double speed;       /* 2: twice as fast; 0: without pauses */
};

/*
 * Reads the command line into options. Returns -1 if the tool shall go on; else
 * the exit status, after it printed the help, the version or a complaint.
 */
int tap_options_read(struct tap_options *options, int argc, char **argv);

#endif
