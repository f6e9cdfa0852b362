/* SPDX-License-Identifier: MIT */
/*
 * mark: tells other processes that the takeover of a name is at work. A mark
 * leaves nothing behind when its process is killed.
 */
#ifndef UNIXMSG_MARK_H
#define UNIXMSG_MARK_H

/*
 * Marks leaf in an open directory, until dir_fd and all its copies are closed;
 * fork(2) copies it, too. Returns -1 with EBUSY if another descriptor has
 * marked that name, EACCES if dir_fd cannot read the directory (O_PATH), or an
 * errno of fcntl(2). After a failure close dir_fd: the mark may be there. If
 * two mark a name at the same moment, both may fail. Anybody who may open
 * the directory can mark its names, as with the lock of file.h.
 */
int unixmark__set(int dir_fd, const char *leaf);

#endif
