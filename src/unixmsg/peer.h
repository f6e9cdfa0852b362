/* SPDX-License-Identifier: MIT */
/*
 * unixpeer: who is at the other end of a connection, as the kernel knows it.
 *
 * All of this is frozen at the moment when the peer called connect(2), or
 * listen(2), or socketpair(2): it is the effective user and group of then, and
 * stays that when the process changes its user, hands the descriptor to
 * another, or dies. Who wrote one message is another question, and answered by
 * the message: see struct unixcred in unixmsg/msg.h, which is the real user.
 *
 * The functions take a descriptor (unixconn_get_fd). They
 * do not wait, and may be called by several threads at once. Datagram sockets
 * have no such peer: ENOTSUP, also for those that are connected, for which the
 * kernel gives an answer that means nothing. Pairs are the exception.
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
 * The credentials of the peer. Errors: ENOTSUP (it has none: not connected, a
 * listener, a datagram socket), ENOTSOCK, EBADF. cred is left alone on failure.
 */
int unixpeer_get_cred(int fd, struct unixcred *cred);

/*
 * The supplementary groups of the peer: at most room of them are stored in
 * groups, and *count is how many he has. ERANGE when that is more than room;
 * else as above. groups may be NULL when room is 0. Linux 4.13.
 */
int unixpeer_get_groups(int fd, gid_t *groups, size_t room, size_t *count);

/*
 * Whether the peer is in group: his own or a supplementary one. 1, 0, or -1
 * with ENOMEM or as above.
 */
int unixpeer_is_in_group(int fd, gid_t group);

/*
 * The security label (SELinux context and the like) as a string in label, NUL
 * at the end. ERANGE: it does not fit into room bytes. ENOTSUP: no security
 * module gives one.
 */
int unixpeer_get_label(int fd, char *label, size_t room);

/*
 * A pidfd of the peer's process, close-on-exec, yours to close: it never means
 * another process. ENOTSUP: the kernel cannot (before Linux 6.5), or the peer
 * has died and it does not give one then; ESRCH: it has died.
 */
int unixpeer_open_pidfd(int fd);

/*
 * Whether the process of a pidfd is still there: 1 yes, 0 it has ended, -1
 * with errno. It is told by polling, see pidfd_open(2), and needs no rights.
 */
int unixpeer_is_alive(int pidfd);

#ifdef __cplusplus
}
#endif
#endif
