/* SPDX-License-Identifier: MIT */
/*
 * way: opens a path that a peer has chosen. The peer can lead us neither to our
 * own files in /proc nor into a file system that hangs.
 */
#ifndef UNIXMSG_WAY_H
#define UNIXMSG_WAY_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Opens (O_PATH) the file at path, which is absolute. Errors besides those of
 * open(2): ELOOP (a symbolic link is on the way, and may_follow is false),
 * EPERM (the file cannot be reached without waiting for a file system that may
 * hang, or it is one of ours in /proc).
 */
int unixway__open(const char *path, bool may_follow);

/*
 * Tells whether only root and user can replace the file at path, which is
 * absolute and has no symbolic link in it.
 */
bool unixway__is_safe(const char *path, uid_t user);

#endif
