/* SPDX-License-Identifier: MIT */
/*
 * files: directories, and what /proc tells of a process. Nothing asserts, so
 * that programs without Check use it too.
 */
#ifndef UNIXMSG_TESTS_FILES_H
#define UNIXMSG_TESTS_FILES_H

#include <stddef.h>
#include <sys/types.h>

/* Removes dir and all that is in it. */
void files_remove(const char *dir);

/* How many files are in a directory, or -1 with errno. */
int files_count(const char *path);

/* How many descriptors the process has open, or -1 with errno. */
int files_count_fds(pid_t pid);

/* The memory of the process, by a name of smaps_rollup, see proc(5): 0 if that
 * cannot be told. */
size_t files_get_kib(pid_t pid, const char *kind);

#endif
