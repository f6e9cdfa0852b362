/* SPDX-License-Identifier: MIT */
/*
 * tcp_owner: which user has the other end of a TCP connection on this host. Any
 * user can listen at a port that is free, and be taken for a server that is
 * away.
 *
 * The kernel tells it in /proc/net/tcp: the user of the process that accepted
 * the connection, not of one that listens there by now.
 */
#ifndef UNIXMSG_RELAY_TCP_OWNER_H
#define UNIXMSG_RELAY_TCP_OWNER_H

#include <sys/types.h>

/*
 * Call it when something has arrived on fd: before the server accepts the
 * connection, that seems to be root's. Returns 0, or -1 with ENOENT (the other
 * end is not on this host, or is closed), an errno of getsockname(2) or
 * getpeername(2), or of opening the file.
 */
int tcp_owner_find(int fd, uid_t *user);

#endif
