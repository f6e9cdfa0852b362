/* SPDX-License-Identifier: MIT */
/* probe: is anybody there? Asked without the one who is there noticing. */
#ifndef UNIXMSG_PROBE_H
#define UNIXMSG_PROBE_H

/*
 * path_fd (O_PATH) names a socket file. 0 when no socket is bound to it, in
 * whatever network namespace. -1 with errno: EADDRINUSE when somebody is
 * there, or may be; else there was no way to ask.
 */
int unixprobe_is_dead(int path_fd);

#endif
