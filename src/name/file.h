/* SPDX-License-Identifier: MIT */
/* file: a socket file in an open directory, identified by its inode. */
#ifndef UNIXMSG_FILE_H
#define UNIXMSG_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Room for the name that a file has while it is set aside. */
#define UNIXFILE_ASIDE_SIZE (NAME_MAX + 1)
/* The beginning of that name, before the file's own name. */
#define UNIXFILE_ASIDE_START ".unixmsg-"
/* The beginning of a random name, which serves if that one is taken. */
#define UNIXFILE_ASIDE_ANY ".unixmsg."

bool unixfile__is_same(const struct stat *found, dev_t dev, ino_t ino);

/*
 * Takes the lock of all processes that remove files from a directory: flock(2),
 * which leaves nothing behind. Returns 0 even without the lock when the
 * directory may be written but not read, and on file systems that cannot lock
 * directories. Returns -1 with EAGAIN or ETIMEDOUT, see unixmsg/deadline.h.
 * Anybody who may open the directory can hold it. So use a near deadline, and
 * code that is right without the lock, which only makes races between our own
 * processes rare.
 */
int unixfile__lock(int dir_fd, int64_t deadline_us);

/* Takes the same lock as a shared one: several processes may have it, and
 * meanwhile none the exclusive lock. */
int unixfile__lock_shared(int dir_fd, int64_t deadline_us);

void unixfile__unlock(int dir_fd);

/*
 * Makes the name under which leaf is set aside. If the process is killed, the
 * next one finds the file there, see aside.h.
 */
void unixfile__name_aside(const char *leaf, char aside[UNIXFILE_ASIDE_SIZE]);

/*
 * Renames leaf to a name that only we know, if it is the given file. aside
 * receives that name: the one above, or a random one when that is taken. Keep
 * the file open or bound meanwhile, or another file may get its inode's number.
 * Returns -1 with EADDRINUSE when it is another file, which then keeps its
 * name; ENOENT; or an errno of rename(2).
 */
int unixfile__set_aside(int dir_fd, const char *leaf, dev_t dev, ino_t ino,
	char aside[UNIXFILE_ASIDE_SIZE]);

/* Renames it back. Returns -1 with EEXIST if another file has the name. */
int unixfile__put_back(int dir_fd, const char *aside, const char *leaf);

/*
 * Gives a hidden file the name of leaf, if leaf is the file dev and ino, and
 * removes the file that had the name. The name leads to one of the two at any
 * moment. Returns -1 with EADDRINUSE when leaf is another file, which then
 * keeps its name; EINVAL or ENOSYS if the file system cannot exchange; or
 * another errno of rename(2).
 */
int unixfile__put_over(int dir_fd, const char *aside, const char *leaf,
	dev_t dev, ino_t ino);

/*
 * Removes a file that was set aside. If that fails, leaf gets its name back,
 * unless another file has it now.
 */
int unixfile__remove_aside(int dir_fd, const char *aside, const char *leaf);

/* Removes leaf if it is that file. Returns 0 also when it is already gone. */
int unixfile__remove(int dir_fd, const char *leaf, dev_t dev, ino_t ino);

#endif
