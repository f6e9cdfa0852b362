/* SPDX-License-Identifier: MIT */
/* probe: finds out, unnoticed, whether a socket file has an owner. */
#ifndef UNIXMSG_PROBE_H
#define UNIXMSG_PROBE_H

/*
 * Returns 0 when no socket, in any network namespace, is bound to the socket
 * file of path_fd (O_PATH). Returns -1 with errno: EADDRINUSE when a socket is
 * bound, or may be; EREMOTE when none answers, on a file system where that
 * proves nothing; ENOSYS when it cannot find out without /proc; or another
 * errno when it could not try.
 *
 * dir and leaf name the file as text, for systems without /proc; dir may be
 * NULL.
 */
int unixprobe__is_dead(int path_fd, const char *dir, const char *leaf);

/* Returns 0 when a socket is bound to that file for certain. Returns -1 with
 * errno otherwise: then the owner may be alive or dead. */
int unixprobe__is_alive(int path_fd, const char *dir, const char *leaf);

#endif
