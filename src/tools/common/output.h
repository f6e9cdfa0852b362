/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_OUTPUT_H
#define UNIXMSG_TOOLS_OUTPUT_H

/* Prints messages to standard output and to the file of --tee. */

#include <stdbool.h>

#include "tools/common/options.h"
#include "tools/common/record.h"

struct output {
	struct record_writer *printer; /* NULL: nothing is printed */
	struct record_writer *copier;  /* of --tee, or NULL */
	const char *tee;
	int tee_fd;
	bool is_lost; /* it accepts no more, which was reported */
};

/*
 * Makes the file with the mode 0600, or appends to it. stop_fd is that of
 * record_writer_new. Returns 0, or -1 after a complaint.
 */
int output_open(struct output *output, const struct options *options,
	int stop_fd);
void output_close(struct output *output);

/* Returns 0, or -1 after a complaint, which is printed once. */
int output_print(struct output *output, const struct record *record);
int output_flush(struct output *output);

#endif
