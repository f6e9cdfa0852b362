/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_PROGRAM_H
#define UNIXMSG_TOOLS_CAT_PROGRAM_H

/*
 * The user of this tool has typed the program of --exec. A peer contributes
 * only bytes: messages on standard input, and values of variables that the
 * library has formatted. No shell reads any of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "unixmsg.h"

struct cat_options;

enum { CAT_PROGRAM_WORDS_MOST = 64 };

struct cat_program {
	char *text;
	char *words[CAT_PROGRAM_WORDS_MOST + 1];
};

/* The client of the program. */
struct cat_caller {
	uint64_t peer; /* a number; 0: none */
	bool has_cred;
	struct unixcred cred;
	const struct unixmsg *msg; /* NULL: a whole connection */
};

/* Splits the value of --exec. Returns 0, or -1 after a complaint. */
int cat_program_read(struct cat_program *program, const char *text);
void cat_program_free(struct cat_program *program);

/* Becomes the program, or complains and returns the exit status. */
int cat_program_run(const struct cat_program *program,
	const struct cat_options *options, const struct cat_caller *caller);

#endif
