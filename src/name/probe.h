/* SPDX-License-Identifier: MIT */
/* probe: is anybody there? Asked without the one who is there noticing. */
#ifndef UNIXMSG_PROBE_H
#define UNIXMSG_PROBE_H

/*
 * path_fd (O_PATH) names a socket file. 0 when no socket is bound to it, in
 * whatever network namespace. -1 with errno: EADDRINUSE when somebody is
 * there, or may be; EREMOTE when nobody answers, on a file system where that
 * proves nothing; ENOSYS when it cannot be asked without /proc; else there was
 * no way to ask.
 *
 * dir and leaf are the way to the file as text, for where /proc is missing; dir
 * may be NULL.
 */
int unixprobe__is_dead(int path_fd, const char *dir, const char *leaf);

#endif
