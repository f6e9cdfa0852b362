/* SPDX-License-Identifier: MIT */
/* adopt: sockets that somebody else has made, and their names. */
#ifndef UNIXMSG_ADOPT_H
#define UNIXMSG_ADOPT_H

#include "base/endpoint.h"

struct network;

/* The network of a socket: NULL with ENOTSOCK, EBADF, EAFNOSUPPORT (no Unix
 * socket). */
const struct network *unixadopt__find_network(int fd);

/*
 * Makes end of fd, which belongs to it then. type is SOCK_.... fd becomes
 * close-on-exec. On failure fd stays the caller's: ENOTSOCK, EAFNOSUPPORT (no
 * Unix socket), EPROTOTYPE (another type), EINVAL (listening where it should
 * not be, or not where it should).
 */
int unixadopt__socket(struct endpoint *end, int fd, int type,
	bool is_listening);

/*
 * Whether close removes the file of the name that end is bound to. For a
 * socket that was adopted that begins with finding the file and making sure,
 * by the kernel's list of sockets, that it is the one: ENOENT if there is none
 * at its path, ESTALE if it is another one, EINVAL for a relative path, or
 * those of sock_diag.
 */
int unixadopt__set_unlink(struct endpoint *end, bool is_wanted);

#endif
