/* SPDX-License-Identifier: MIT */
/*
 * unixnotify: telling the supervisor how this program is doing.
 *
 * A supervisor that wants notifications gives the address of a datagram socket
 * in the variable NOTIFY_SOCKET: a path, or "@" and an abstract name. A
 * notification is one or more assignments, one a line, see sd_notify(3).
 * systemd calls such a service Type=notify. Other supervisors understand at
 * least READY=1.
 *
 * Every function that notifies sends one datagram, and returns
 *
 *   1  it was sent, which does not mean that the supervisor acts on it
 *   0  no supervisor has asked: the variable is not set, or empty, or the
 *      program was started set-user-ID or set-group-ID, and then does not trust
 *      it
 *
 * or -1 with
 *
 *   EAFNOSUPPORT  the variable has neither an absolute path nor an abstract
 *                 name, but for example "vsock:..." of virtual machines
 *   EINVAL        it is "@" alone; or see the function
 *   ENAMETOOLONG  it is longer than an address
 *   EMSGSIZE      more than 4096 bytes: systemd would ignore them
 *   ENOENT, ECONNREFUSED, EACCES, EPROTOTYPE  nobody listens there, or not to
 *                 us, or not to datagrams
 *   EAGAIN, ETIMEDOUT  the supervisor does not read, and the deadline has come,
 *                 see unixmsg/deadline.h
 *
 * or an error of socket(2), connect(2), sendmsg(2).
 *
 * A service that cannot notify goes on: -1 is worth a line in the log. Do not
 * give UNIXMSG_FOREVER if the service must not hang with its supervisor.
 *
 * The kernel adds the sender, which is this process itself. So systemd's
 * NotifyAccess=main, its default, is enough if the main process notifies.
 *
 * Every call reads the variable, so do not change it while one runs; several
 * threads may notify at once. After a chroot(2) the path starts at the new
 * root. Remove the variable from the environment of started programs that shall
 * not speak for the service.
 */
#ifndef UNIXMSG_NOTIFY_H
#define UNIXMSG_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "deadline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reports that start-up or reloading is complete. */
int unixnotify_ready(int64_t deadline_us);

/*
 * Reports that the service reads its configuration again; unixnotify_ready
 * follows. The datagram has the present time, which systemd's
 * Type=notify-reload wants.
 */
int unixnotify_reloading(int64_t deadline_us);

/* Reports that the service has begun to stop. */
int unixnotify_stopping(int64_t deadline_us);

/* Reports that the service is alive, see unixnotify_get_watchdog_us. */
int unixnotify_watchdog(int64_t deadline_us);

/* Reports that starting, reloading or stopping takes more_us microseconds more
 * from now. */
int unixnotify_extend_us(uint64_t more_us, int64_t deadline_us);

/*
 * Sends one line for people, UTF-8 in text. It is a status and nothing else,
 * whatever bytes it has: control characters and bytes that are not UTF-8 become
 * \xHH, so that foreign text in it cannot add assignments.
 */
int unixnotify_status(const char *text, int64_t deadline_us);

/*
 * Sends any assignments, with a newline between two: "READY=1\nSTATUS=idle". It
 * sends them unchanged, so keep foreign text out of them. Also EINVAL: empty
 * text.
 */
int unixnotify_send(const char *assignments, int64_t deadline_us);

/*
 * Stores in *period_us how often the supervisor expects unixnotify_watchdog, in
 * microseconds; otherwise it takes the service for dead. Notify twice as often.
 * Returns 1; 0 if the supervisor expects none, or expects it from another
 * process; -1 with EPROTO if WATCHDOG_USEC or WATCHDOG_PID is malformed.
 */
int unixnotify_get_watchdog_us(int64_t *period_us);

/*
 * Waits until the supervisor has handled all earlier notifications, or closed
 * the descriptor that comes with this one. A program that notifies and ends at
 * once calls it in between: systemd looks up the sender, and ignores a message
 * whose sender is gone. Returns 1, 0 and -1 as above; also ETIMEDOUT or EAGAIN
 * if it was sent, but not handled in time.
 */
int unixnotify_barrier(int64_t deadline_us);

/* Flags of unixnotify_store. */

/* Keeps connections whose peer has closed, too, with their unread messages.
 * Without it systemd drops them; before its version 246 always. */
#define UNIXNOTIFY_STORE_CLOSED 0x1u

/*
 * Gives count descriptors to the supervisor to keep, under one name, so that
 * they outlive this process: connections of a service that restarts, or a memfd
 * with its state. The next process finds them by unixactivation_new. They stay
 * yours and open. Storing one again, by the same name or another, changes
 * nothing. systemd keeps no more than FileDescriptorStoreMax= says, 0 by
 * default, and does not report the ones that it did not keep.
 *
 * name has 1 to 255 printable ASCII characters without a colon. Also
 *
 *   EINVAL  the name, unknown flags, a count of 0 or above 253
 *   EBADF   one of them is not open
 *   EPERM   the supervisor accepts no descriptors (Linux 6.16)
 */
int unixnotify_store(const char *name, const int *fds, size_t count,
	unsigned int flags, int64_t deadline_us);

/* Makes the supervisor close all stored descriptors of that name. Also
 * EINVAL. */
int unixnotify_unstore(const char *name, int64_t deadline_us);

#ifdef __cplusplus
}
#endif
#endif
