/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_KEEP_H
#define UNIXMSG_TOOLS_KEEP_H

#include <stddef.h>

/* The most files in one directory, and their largest size. */
enum { KEEP_FILES_MOST = 1000, KEEP_SIZE_MOST = 64 << 20 };

/*
 * Copies the regular files behind count descriptors, from first on, to new
 * files in dir: fd-1, fd-2 and so on, of mode 0600. It overwrites no file. An
 * incomplete copy of fd-1 is called fd-1.part. Call it in a process of its own,
 * because other users' file systems may make it wait. Returns 0, or -1 after a
 * complaint.
 */
int keep_fds(const char *dir, int first, size_t count);

#endif
