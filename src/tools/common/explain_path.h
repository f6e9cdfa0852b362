/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_EXPLAIN_PATH_H
#define UNIXMSG_TOOLS_EXPLAIN_PATH_H

/*
 * What stands in the way to a path, found by looking again after a call has
 * failed. Of abstract names nothing is said.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Room for a user's name, or number, and a NUL. */
enum { EXPLAIN_USER_SIZE = 64 };

/* text, with the user's name, or the number where there is no printable one. */
const char *explain_user(uid_t user, char text[EXPLAIN_USER_SIZE]);

/*
 * What is wrong with the directory that address is in: ENOENT, ENOTDIR, EACCES
 * or another errno; 0 when it can be used as the mode of access(2) says.
 */
int explain_path_get_error(const char *address, int mode);

/* A path that ends in / can be no socket's. */
bool explain_path_is_directory(const char *address);

/* Whether we may send to what stands there, as far as modes tell. */
bool explain_path_is_open(const char *address);

/*
 * The sticky bit keeps a file there that is another user's: false, or into why
 * whose. The other, that everybody may replace files in the directory.
 */
bool explain_path_is_kept(const char *address, char *why, size_t room);
bool explain_path_is_unsafe(const char *address);

/* A socket file that we may not ask: into why whose it is, or false. */
bool explain_path_is_closed(const char *address, char *why, size_t room);

/* Why we may not connect to address, or bind it, into the room bytes at why. */
void explain_path_denied_dial(const char *address, char *why, size_t room);
void explain_path_denied_listen(const char *address, char *why, size_t room);

#endif
