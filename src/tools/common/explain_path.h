/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_EXPLAIN_PATH_H
#define UNIXMSG_TOOLS_EXPLAIN_PATH_H

/*
 * Finds the obstacle on the way to a path after a call has failed. These
 * functions find nothing for abstract names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Room for a user's name or number and a NUL. */
enum { EXPLAIN_USER_SIZE = 64 };

/* Writes the user's name to text, or the number if no name is printable. */
const char *explain_user(uid_t user, char text[EXPLAIN_USER_SIZE]);

/*
 * Returns the error of the directory of address: ENOENT, ENOTDIR, EACCES or
 * another errno; 0 if access(2) allows the mode.
 */
int explain_path_get_error(const char *address, int mode);

/* True for a path that ends in /, which no socket can have. */
bool explain_path_is_directory(const char *address);

/* True if the modes of the file let us send to it. */
bool explain_path_is_open(const char *address);

/*
 * explain_path_is_kept: true if the sticky bit protects a file of another user
 * there; writes that user to why. explain_path_is_unsafe: true if every user
 * may replace files in the directory.
 */
bool explain_path_is_kept(const char *address, char *why, size_t room);
bool explain_path_is_unsafe(const char *address);

/* True if we may not write to the socket file; writes its user to why. */
bool explain_path_is_closed(const char *address, char *why, size_t room);

/* Writes to why, which has room bytes, the reason why a dial or a bind
 * fails. */
void explain_path_denied_dial(const char *address, char *why, size_t room);
void explain_path_denied_listen(const char *address, char *why, size_t room);

#endif
