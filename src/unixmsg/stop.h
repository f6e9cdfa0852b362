/* SPDX-License-Identifier: MIT */
/*
 * unixstop: a stop descriptor that signals make readable, see
 * unixmsg/deadline.h. It is for programs that end by a signal.
 */
#ifndef UNIXMSG_STOP_H
#define UNIXMSG_STOP_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Blocks SIGINT and SIGTERM in the calling thread, and returns a descriptor
 * that becomes readable when one of them comes: a signalfd(2), close-on-exec
 * and yours to close. Call it before you start threads: they inherit the
 * blocked signals. Programs that you start inherit them as well: unblock them
 * before the exec, see posix_spawnattr_setsigmask(3). Returns -1 with an error
 * of signalfd(2).
 */
int unixstop_open(void);

#ifdef __cplusplus
}
#endif
#endif
