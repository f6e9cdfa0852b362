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

/* Stores value at place. Returns 0, or -1 after a complaint. */
typedef int usage_read_value(const struct usage_option *option,
	const char *value, void *place);

struct usage_option {
	int letter;       /* 0: none */
	const char *name; /* the long one; NULL ends a table */
	/* The value's name in --help; "[=NAME]": it may be left out, and is
	 * NULL then. NULL: the option takes none. */
	const char *value;
	const char *help; /* lines of at most 48 characters */
	usage_read_value *read;
	size_t place; /* an offset in the options of the tool */
	uint64_t least, most;
	const char *const *words; /* for usage_read_word, up to a NULL */
	unsigned int marks;       /* see struct usage_words */
};

struct usage_group {
	const char *title; /* NULL: the options follow the group before */
	const struct usage_option *options; /* NULL ends the groups */
};

struct usage {
	const char *const *synopses; /* behind the tool's name, up to a NULL */
	const char *about;
	const struct usage_group *groups; /* -q, -h, -V follow by themselves */
	const char *foot;
	/* All words after that many operands are operands, too. */
	int leading;
	/* True if the first operand is an extra one, before these; may be
	 * NULL. */
	bool (*is_extra)(const char *operand);
};

enum { USAGE_MARKS = 16 };

/* The rest of the command line. */
struct usage_words {
	char **operands;
	int operands_count;
	/* For each bit in marks: the name of the last such option, or NULL. */
	const char *given[USAGE_MARKS];
};

/*
 * Reads the command line. Returns -1 if the tool shall go on; else the exit
 * status, after it printed the help, the version or a complaint.
 */
int usage_read(const struct usage *usage, void *options,
	struct usage_words *words, int argc, char **argv);

/* Complains: "--NAME: 'value' is not wanted". wanted is for example "a known
 * user". Returns -1. */
int usage_complain(const struct usage_option *option, const char *value,
	const char *wanted);

/* Set a bool to true; set the bits in least of an unsigned int. */
usage_read_value usage_read_flag;
usage_read_value usage_read_bits;

/* Calls tool_set_level(least). */
usage_read_value usage_read_level;

/* Stores a pointer to the value in a const char *. */
usage_read_value usage_read_text;

/* Stores the bytes for a lane in a uint64_t: a power of two from least to most,
 * 65536 if the value is left out. */
usage_read_value usage_read_lane;

/* Store a whole number from least to most. */
usage_read_value usage_read_count; /* uint64_t */
usage_read_value usage_read_size;  /* size_t */
usage_read_value usage_read_uint;  /* unsigned int */

/* Stores an octal number in a mode_t. */
usage_read_value usage_read_mode;

/* Store microseconds in an int64_t, at least least of them. The value is in
 * seconds, or in microseconds. */
usage_read_value usage_read_seconds;
usage_read_value usage_read_us;

/* Stores the index of the value in words, in an enum. */
usage_read_value usage_read_word;

/* Store a user or group, given by name or number, in a uid_t or gid_t. */
usage_read_value usage_read_user;
usage_read_value usage_read_group;

#endif
