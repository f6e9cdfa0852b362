/* SPDX-License-Identifier: MIT */
/*
 * fault: calls that fail because a test wants them to. The programs that link
 * fault.c, fault_table.c and fault_calls.c with the linker's --wrap (the list
 * is fault.wrap) have each call of that list pass through here: it is counted,
 * and fails without being made when it is the one whose turn it is.
 *
 * Only the thread that has called fault_start is concerned.
 */
#ifndef UNIXMSG_TESTS_FAULT_H
#define UNIXMSG_TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAULT_ERRORS_MOST = 12 };

/* A call, and each errno that it can give us. */
struct fault_call {
	const char *name;
	int errors[FAULT_ERRORS_MOST]; /* 0 behind the last, if there is room */
};

/* NULL when the table has no such call. */
const struct fault_call *fault_find(const char *name);

/* Not a certain call: the next one of that name, behind skip of them. */
#define FAULT_NEXT 0xffffffffu

/*
 * Whether calls go by the names that the table has. Where 64 bits for files and
 * times are not what libc has by itself, the linker sees fstat64 and the like.
 */
bool fault_is_able(void);

/* What shall fail: number 0 is nothing. */
struct fault {
	unsigned int number; /* the how manieth call, from 1 on */
	const char *call;    /* it has to be this one */
	int error;
	bool is_forever;   /* and all of that name that follow */
	unsigned int skip; /* with FAULT_NEXT */
};

/* A call that has been made, and from where. */
struct fault_record {
	const char *call;
	const void *site;
};

/* Begins anew at number 1. */
void fault_start(const struct fault *fault);
void fault_stop(void);

/* The next call of that name fails, behind skip of them. Or it does, and all
 * behind it. */
void fault_fail_one(const char *call, unsigned int skip, int error);
void fault_fail_all(const char *call, int error);

/* The same calls go on to be counted. */
void fault_continue(void);

/* Whether what is called now is the library, or a tool. */
bool fault_is_on(void);

/* How many calls have failed since fault_start. */
unsigned int fault_get_hits(void);

/* What has been called since fault_start; valid until the next one. */
const struct fault_record *fault_get_records(unsigned int *count);

/*
 * Blocks of memory that this program's own objects have and not freed. What
 * the C library allocates and frees by itself is not among them.
 */
long fault_get_blocks(void);

/* For fault_calls.c: whether the call has to fail, errno is set then. */
bool fault_strikes(const char *name, const void *site);
void fault_count_blocks(long more);

/* In a new process, and when it ends by _exit(2). */
void fault_begin_child(void);
void fault_end_child(void);

/* While calls may fail nobody else does anything: time passes by waiting. */
bool fault_is_time_ours(void);
void fault_pass_time(int64_t time_ns);

/* A tool has others who do: it sleeps the haste's part of a time instead. */
int fault_get_haste(void);
int64_t fault_get_passed_ns(void);

#endif
