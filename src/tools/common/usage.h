/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_USAGE_H
#define UNIXMSG_TOOLS_USAGE_H

/*
 * The command line of every tool: a table of options, which --help prints and
 * usage_read follows.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usage_option;

/* Reads value into place. 0, or -1 when the mistake was told. */
typedef int usage_read_value(const struct usage_option *option,
	const char *value, void *place);

struct usage_option {
	int letter;        /* 0: none */
	const char *name;  /* the long one; NULL ends a table */
	const char *value; /* as --help calls it; NULL: the option takes none */
	const char *help;  /* its lines are 48 characters at most */
	usage_read_value *read;
	size_t place; /* in the options of the tool */
	uint64_t least, most;
	const char *const *words; /* of usage_read_word, up to a NULL */
	unsigned int marks;       /* see struct usage_words */
};

struct usage_group {
	const char *title; /* NULL: the options follow the group before */
	const struct usage_option *options; /* NULL ends the groups */
};

struct usage {
	const char *const *synopses; /* behind the tool's name, up to a NULL */
	const char *about;
	const struct usage_group *groups; /* -q, -h and -V are added to all */
	const char *foot;
	/* Behind so many operands no options are looked for. */
	int leading;
	/* Whether the first operand is one more before those; may be NULL. */
	bool (*is_extra)(const char *operand);
};

enum { USAGE_MARKS = 16 };

/* What else was on the command line. */
struct usage_words {
	char **operands;
	int operands_count;
	/* Of each bit in marks: "--name" of the last such option, or NULL. */
	const char *given[USAGE_MARKS];
};

/*
 * -1: go on. Else the status to exit with: help or version were printed, or
 * the mistake was told.
 */
int usage_read(const struct usage *usage, void *options,
	struct usage_words *words, int argc, char **argv);

/* Says that value is not what is wanted, and returns -1. */
int usage_complain(const struct usage_option *option, const char *value,
	const char *wanted);

/* A bool becomes true; bits of an unsigned int are set, those in least. */
usage_read_value usage_read_flag;
usage_read_value usage_read_bits;

/* tool_set_level(least) */
usage_read_value usage_read_level;

/* A const char * points to the value. */
usage_read_value usage_read_text;

/* Whole numbers from least to most. */
usage_read_value usage_read_count; /* uint64_t */
usage_read_value usage_read_size;  /* size_t */
usage_read_value usage_read_uint;  /* unsigned int */

/* Of a mode_t, octal. */
usage_read_value usage_read_mode;

/* Microseconds in an int64_t, read in seconds or as they are. */
usage_read_value usage_read_seconds;
usage_read_value usage_read_us;

/* Of an enum, the place of the word in words. */
usage_read_value usage_read_word;

/* A name or number, in a uid_t or gid_t. */
usage_read_value usage_read_user;
usage_read_value usage_read_group;

#endif
