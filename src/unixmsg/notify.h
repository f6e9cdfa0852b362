/* SPDX-License-Identifier: MIT */
/*
 * unixnotify: telling the supervisor how this program is doing.
 *
 * A supervisor that wants to know gives the address of a datagram socket in
 * the variable NOTIFY_SOCKET: a path, or "@" and an abstract name. What it is
 * told are assignments, one a line, see sd_notify(3); systemd calls such a
 * service Type=notify. Others understand at least READY=1.
 *
 * Every function that tells something sends one datagram, and gives
 *
 *   1   it was sent, which says nothing of what the supervisor makes of it
 *   0   no supervisor has asked: the variable is not set, or empty, or the
 *       program was started set-user-ID or set-group-ID, which does not
 *       believe it
 *  -1   with errno:
 *       EAFNOSUPPORT  the variable holds neither a path from the root nor an
 *                     abstract name: "vsock:..." of virtual machines, say
 *       EINVAL        it holds "@" alone; or as said below
 *       ENAMETOOLONG  it holds more than an address has room for
 *       EMSGSIZE      more than 4096 bytes: systemd would ignore it
 *       ENOENT, ECONNREFUSED, EACCES, EPROTOTYPE  nobody listens there, or not
 *                     to us, or not to datagrams
 *       EAGAIN, ETIMEDOUT  the supervisor does not read, and the deadline has
 *                     come, see unixmsg/deadline.h
 *       or those of socket(2), connect(2), sendmsg(2).
 *
 * A service that cannot tell goes on without: treat -1 as worth a line in the
 * log. Do not give UNIXMSG_FOREVER where the service must not hang with its
 * supervisor.
 *
 * The kernel adds who has sent: the process itself, so systemd's
 * NotifyAccess=main, its default, is enough where the main process tells.
 *
 * The variable is read by every call, and so must not be changed beside one;
 * else several threads may tell at once. After a chroot(2) a path is looked up
 * in the new root. Take the variable out of the environment of programs that
 * are started and are not to speak for the service.
 */
#ifndef UNIXMSG_NOTIFY_H
#define UNIXMSG_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "deadline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Start-up, or reloading, is done. */
int unixnotify_ready(int64_t deadline_us);

/* The configuration is being read again; unixnotify_ready follows. It carries
 * the present time, which systemd's Type=notify-reload wants. */
int unixnotify_reloading(int64_t deadline_us);

/* The end has begun. */
int unixnotify_stopping(int64_t deadline_us);

/* The service is alive, see unixnotify_get_watchdog_us. */
int unixnotify_watchdog(int64_t deadline_us);

/* Starting, reloading or stopping takes more_us microseconds more from now. */
int unixnotify_extend_us(uint64_t more_us, int64_t deadline_us);

/*
 * One line for people, UTF-8 in text. Whatever bytes it holds, it remains the
 * status and nothing else: control characters and what is no UTF-8 become \xHH,
 * so that nobody whose words get into a status can add assignments to it.
 */
int unixnotify_status(const char *text, int64_t deadline_us);

/*
 * Any assignments, a newline between two: "READY=1\nSTATUS=idle". They are sent
 * as they stand; text from elsewhere does not belong in here. Also EINVAL:
 * empty text.
 */
int unixnotify_send(const char *assignments, int64_t deadline_us);

/*
 * How often the supervisor wants to hear unixnotify_watchdog, or else it takes
 * the service for dead: 1 and *period_us, in microseconds; tell twice as
 * often. 0: not at all, or another process. -1 with EPROTO: WATCHDOG_USEC or
 * WATCHDOG_PID is malformed.
 */
int unixnotify_get_watchdog_us(int64_t *period_us);

/*
 * Waits until the supervisor has worked off all that was told before, or
 * closed the descriptor that comes with this. Who tells something and ends at
 * once calls it in between: systemd looks up who has sent, and passes over a
 * message whose sender has gone. 1, 0 and -1 as above; ETIMEDOUT or EAGAIN also
 * when it was sent and not worked off in time.
 */
int unixnotify_barrier(int64_t deadline_us);

/* Flags of unixnotify_store. */

/* Keep connections whose peer has closed, too, with what lies unread in them.
 * Without, systemd drops them; before its version 246 in any case. */
#define UNIXNOTIFY_STORE_CLOSED 0x1u

/*
 * Gives count descriptors to the supervisor to keep, under one name, so that
 * they outlive this process: connections of a service that restarts, a memfd
 * with its state. The next one finds them by unixactivation_new. They stay
 * yours and open; storing one again, by the same name or another, changes
 * nothing. systemd keeps no more than FileDescriptorStoreMax= says, 0 by
 * default, and tells nobody what it did not keep.
 *
 * name: 1 to 255 printable ASCII characters without a colon. Also EINVAL: the
 * name, unknown flags, count is 0 or more than 253; EBADF; EPERM: the
 * supervisor takes no descriptors (Linux 6.16).
 */
int unixnotify_store(const char *name, const int *fds, size_t count,
	unsigned int flags, int64_t deadline_us);

/* Takes all of that name out of the supervisor's keeping. Also EINVAL. */
int unixnotify_unstore(const char *name, int64_t deadline_us);

#ifdef __cplusplus
}
#endif
#endif
