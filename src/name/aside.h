/* SPDX-License-Identifier: MIT */
/* aside: files that a process had set aside, see file.h, when it was killed. */
#ifndef UNIXMSG_ASIDE_H
#define UNIXMSG_ASIDE_H

#include <stdbool.h>

struct stat;

/* Tells whether a file is set aside from leaf, mostly by a process at work. */
bool unixaside__is_there(int dir_fd, const char *leaf);

/* Tells whether a file with a hidden name can be trusted. In a sticky directory
 * other users may create files with this name, but not rename ours. */
bool unixaside__is_trusted(int dir_fd, const struct stat *found);

/* Opens the file that is set aside from leaf (O_PATH), for clients that dial
 * it. Fails with ENOENT also for a file that cannot be trusted, see above. */
int unixaside__open(int dir_fd, const char *leaf);

/*
 * Puts right a file that was set aside from leaf. Call it under the lock, when
 * no process is at work. Removes the file if nobody owns it. Puts it back if
 * somebody does, unless another live owner has the name since. dir is the
 * directory as text, or NULL. Leaves failures for the next time and keeps
 * errno.
 */
void unixaside__repair(int dir_fd, const char *dir, const char *leaf);

/*
 * Returns the leaf that was set aside as entry, a name found in a directory, or
 * NULL if entry is not such a name.
 */
const char *unixaside__get_leaf(const char *entry);

#endif
