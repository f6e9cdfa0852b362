/* SPDX-License-Identifier: MIT */
/* file: a socket file in an open directory, and that one and no other. */
#ifndef UNIXMSG_FILE_H
#define UNIXMSG_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Room for the name that a file has while it is set aside. */
#define UNIXFILE_ASIDE_SIZE (NAME_MAX + 1)
/* And its beginning, before the name that the file had. */
#define UNIXFILE_ASIDE_START ".unixmsg-"
/* The same where that is taken: a name that does not tell whose it was. */
#define UNIXFILE_ASIDE_ANY ".unixmsg."

bool unixfile__is_same(const struct stat *found, dev_t dev, ino_t ino);

/*
 * The lock of all who remove files from a directory; flock(2) leaves nothing
 * behind. It is missing where a directory may be written and not read, and on
 * file systems that have none for directories: 0 then as well. -1 with EAGAIN
 * or ETIMEDOUT, see unixmsg/deadline.h. Anybody who may open the directory can
 * hold it: so a deadline is near, and what follows is right without the lock,
 * which only makes races among ourselves rare.
 */
int unixfile__lock(int dir_fd, int64_t deadline_us);

/* Many may have this one, and nobody the other meanwhile. */
int unixfile__lock_shared(int dir_fd, int64_t deadline_us);

void unixfile__unlock(int dir_fd);

/*
 * The name under which leaf is set aside: whoever comes after a process that
 * was killed finds it there, see aside.h.
 */
void unixfile__name_aside(const char *leaf, char aside[UNIXFILE_ASIDE_SIZE]);

/*
 * Renames leaf to a name that only we know, aside, if it is that file: the one
 * above, or any when that is taken. Keep the file open or bound meanwhile, or
 * another may get its inode's number. -1 with EADDRINUSE when it is another
 * one, which then still stands there; ENOENT; or those of rename(2).
 */
int unixfile__set_aside(int dir_fd, const char *leaf, dev_t dev, ino_t ino,
	char aside[UNIXFILE_ASIDE_SIZE]);

/* The way back. -1 with EEXIST when another file stands there now. */
int unixfile__put_back(int dir_fd, const char *aside, const char *leaf);

/*
 * Removes what was set aside. When that fails leaf has its name again, unless
 * another file stands there now.
 */
int unixfile__remove_aside(int dir_fd, const char *aside, const char *leaf);

/* Removes leaf if it is that file. 0 also when it is gone already. */
int unixfile__remove(int dir_fd, const char *leaf, dev_t dev, ino_t ino);

#endif
