/* SPDX-License-Identifier: MIT */
/* adopt: sockets that were made elsewhere, and their names. */
#ifndef UNIXMSG_ADOPT_H
#define UNIXMSG_ADOPT_H

#include "base/endpoint.h"

struct network;

/* Returns the network of a socket, or NULL with ENOTSOCK, EBADF or EAFNOSUPPORT
 * (no Unix socket). */
const struct network *unixadopt__find_network(int fd);

/*
 * Makes an endpoint of fd, which then belongs to it and becomes close-on-exec.
 * type is that of its network, SOCK_.... On failure fd stays the caller's:
 * EINVAL (it listens and should not, or the reverse).
 */
int unixadopt__socket(struct endpoint *end, int fd, int type,
	bool is_listening);

/*
 * Sets whether close removes the file that end is bound to. For an adopted
 * socket it first finds the file and checks in the kernel's list of sockets
 * that it is the right one: ENOENT if there is none at its path, ESTALE if it
 * is another one, EINVAL for a relative path, or an errno of sock_diag.
 */
int unixadopt__set_unlink(struct endpoint *end, bool is_wanted);

#endif
