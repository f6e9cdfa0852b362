/* SPDX-License-Identifier: MIT */
/*
 * unixstop: a stop descriptor that signals make readable, see
 * unixmsg/deadline.h. It is for programs without a way of their own to end.
 */
#ifndef UNIXMSG_STOP_H
#define UNIXMSG_STOP_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Blocks SIGINT and SIGTERM in the calling thread, and gives a descriptor,
 * close on exec and yours to close, that becomes readable when one of them
 * comes: a signalfd(2). Threads that are started later inherit that, so call it
 * before. Programs that are started inherit it as well: unblock them there, see
 * posix_spawnattr_setsigmask(3). -1 with the errors of signalfd(2).
 */
int unixstop_open(void);

#ifdef __cplusplus
}
#endif
#endif
