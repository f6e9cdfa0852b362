/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_SHOW_H
#define UNIXMSG_TOOLS_SHOW_H

/*
 * show: prints a line for each event. No byte of a peer ends a line or controls
 * a terminal.
 */

#include <stdbool.h>
#include <stdint.h>

#include "tools/common/explain_path.h"
#include "tools/tap/event.h"

struct record_writer;

enum show_format { SHOW_TEXT, SHOW_HEX, SHOW_JSON };

/* The names of the formats, up to a NULL. */
extern const char *const show_formats[];

struct show {
	struct record_writer *writer; /* of format RECORD_TEXT */
	enum show_format format;
	bool has_colours;
	int64_t last_ns; /* the time of the last line; 0: there was none */
	/* The client of the last line, and the text that stood for it. */
	uint64_t connection;
	struct unixcred cred;
	char who[EXPLAIN_USER_SIZE + 64];
};

/* Returns 0, or -1 with an errno of record_put. */
int show_event(struct show *show, const struct event *event, const void *data);

#endif
