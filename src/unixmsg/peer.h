/* SPDX-License-Identifier: MIT */
/*
 * unixpeer: the identity of the process at the other end of a connection.
 *
 * The kernel recorded this identity when the peer called connect(2), listen(2)
 * or socketpair(2): the effective user and group of that moment. The record
 * stays the same after the process has changed its user, has handed the
 * descriptor to another process, or has died. The writer of a message may be
 * another process: see cred of struct unixmsg, which has the real user.
 *
 * The functions take a descriptor (unixconn_get_fd). They do not wait, and
 * several threads may call them at once. They fail with ENOTSUP for datagram
 * sockets, connected ones too, for which the kernel's answer has no meaning.
 * Pairs of socketpair(2) are the exception.
 */
#ifndef UNIXMSG_PEER_H
#define UNIXMSG_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cred.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Stores the credentials of the peer. Leaves cred alone on failure:
 *
 *   ENOTSUP  there is no peer: not connected, a listener, a datagram socket
 *   ENOTSOCK, EBADF
 */
int unixpeer_get_cred(int fd, struct unixcred *cred);

/*
 * Stores the supplementary groups of the peer in groups, which has room for
 * room of them, and their number in *count. groups may be NULL if room is 0.
 * Errors: ERANGE if *count is more than room; ENOTSUP also before Linux 4.13;
 * else as above.
 */
int unixpeer_get_groups(int fd, gid_t *groups, size_t room, size_t *count);

/* Returns 1 if group is the peer's own group or a supplementary one, 0 if not,
 * or -1 with ENOMEM or as above. */
int unixpeer_is_in_group(int fd, gid_t group);

/*
 * Stores the security label (SELinux context and the like) as a string in
 * label, with a NUL at the end. ERANGE: it does not fit into room bytes.
 * ENOTSUP: no security module gives one.
 */
int unixpeer_get_label(int fd, char *label, size_t room);

/*
 * Returns a pidfd of the peer's process, close-on-exec, yours to close. The
 * pidfd never leads to another process, unlike a pid. ENOTSUP: the kernel has
 * no such call (before Linux 6.5), or gives none because the peer is dead;
 * ESRCH: the peer is dead.
 */
int unixpeer_open_pidfd(int fd);

/*
 * Returns 1 if the process of a pidfd is alive, 0 if it has ended, -1 with
 * EBADF or another error of poll(2). The call needs no rights, see
 * pidfd_open(2).
 */
int unixpeer_is_alive(int pidfd);

#ifdef __cplusplus
}
#endif
#endif
