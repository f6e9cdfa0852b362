/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_OPTIONS_H
#define UNIXMSG_TOOLS_INSPECT_OPTIONS_H

/* The command line of unixmsg-inspect. */

#include <stdbool.h>

#include "tools/common/tool.h"

enum inspect_format {
	INSPECT_TEXT,
	INSPECT_JSON,
	INSPECT_DOT,
	INSPECT_NAMES,
};

struct inspect_options {
	enum inspect_format format;
	bool is_cleaning;
	bool is_dry_run;
	char **names; /* addresses and directories */
	int names_count;
};

/*
 * Reads the command line into options. Returns -1 if the tool shall go on; else
 * the exit status, after it printed the help, the version or a complaint.
 */
int inspect_options_read(struct inspect_options *options, int argc,
	char **argv);

#endif
