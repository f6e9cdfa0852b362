/* SPDX-License-Identifier: MIT */
/* blob: the check of a memory file that a peer has sent. */
#ifndef UNIXMSG_BLOB_PRIVATE_H
#define UNIXMSG_BLOB_PRIVATE_H

/*
 * Checks that fd is ordinary memory with all the wanted seals (F_SEAL_...).
 * With F_SEAL_SHRINK among them, reading a mapping of it cannot raise SIGBUS.
 * Returns 0; -1 with EPERM if it is not, or with an error of fcntl(2) or
 * fstatfs(2).
 */
int unixblob__check(int fd, int wanted);

#endif
