/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_OUTPUT_H
#define UNIXMSG_TOOLS_OUTPUT_H

/* Where messages are printed: standard output, and the file of --tee. */

#include <stdbool.h>

#include "tools/common/options.h"
#include "tools/common/record.h"

struct output {
	struct record_writer *printer; /* NULL: nothing is printed */
	struct record_writer *copier;  /* of --tee, or NULL */
	const char *tee;
	int tee_fd;
	bool is_lost; /* told: it takes no more */
};

/*
 * stop_fd is that of record_writer_new. 0, or -1 told. The file is made with
 * the mode 0600, or appended to.
 */
int output_open(struct output *output, const struct options *options,
	int stop_fd);
void output_close(struct output *output);

/* 0, or -1 told, once. */
int output_print(struct output *output, const struct record *record);
int output_flush(struct output *output);

#endif
