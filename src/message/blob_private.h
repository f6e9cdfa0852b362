/* SPDX-License-Identifier: MIT */
/* blob: what else maps memory files of others. */
#ifndef UNIXMSG_BLOB_PRIVATE_H
#define UNIXMSG_BLOB_PRIVATE_H

/*
 * Tells whether fd is ordinary memory with all the wanted seals (F_SEAL_...).
 * With F_SEAL_SHRINK among them, reading a mapping of it cannot raise SIGBUS.
 * 0, or -1 with EPERM: it is not.
 */
int unixblob__check(int fd, int wanted);

#endif
