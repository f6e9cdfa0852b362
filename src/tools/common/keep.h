/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_KEEP_H
#define UNIXMSG_TOOLS_KEEP_H

#include <stddef.h>

/* No more files are made in one directory, and no larger ones. */
enum { KEEP_FILES_MOST = 1000, KEEP_SIZE_MOST = 64 << 20 };

/*
 * Copies the regular files behind count descriptors from first on to new files
 * fd-1 and so on in dir, of mode 0600; no file is overwritten. May wait as long
 * as the file systems of others do: for a process of its own. 0, or -1 when
 * something was told.
 */
int keep_fds(const char *dir, int first, size_t count);

#endif
