/* SPDX-License-Identifier: MIT */
/*
 * unixnotify: tells the supervisor the state of this program.
 *
 * A supervisor that wants notifications puts the address of a datagram socket
 * into the environment variable NOTIFY_SOCKET: a path, or "@" and an abstract
 * name. A notification is one assignment or more, each on its own line, see
 * sd_notify(3). systemd calls such a service Type=notify. Other supervisors
 * understand at least READY=1.
 *
 * Every function that notifies sends one datagram, and returns
 *
 *   1  the notification was sent; the supervisor may still ignore it
 *   0  no supervisor has asked for it: the variable is not set, or empty, or
 *      the program was started set-user-ID or set-group-ID: then the call does
 *      not trust the variable
 *
 * or -1 with
 *
 *   EAFNOSUPPORT  the variable has neither an absolute path nor an abstract
 *                 name, but for example "vsock:...", as in virtual machines
 *   EINVAL        the variable is "@" alone; other causes at each function
 *   ENAMETOOLONG  the variable is longer than an address can be
 *   EMSGSIZE      the notification is longer than 4096 bytes: systemd would
 *                 ignore it
 *   ENOENT, ECONNREFUSED, EACCES, EPROTOTYPE  no socket is at that address, we
 *                 may not send to it, or it takes no datagrams
 *   EAGAIN, ETIMEDOUT  the supervisor does not read, and the deadline has
 *                 passed, see unixmsg/deadline.h
 *
 * or an error of socket(2), connect(2), sendmsg(2).
 *
 * A service that cannot notify should log that, and continue. Do not use
 * UNIXMSG_FOREVER if the service must not hang with its supervisor.
 *
 * The kernel adds the credentials of this process, and no other process sends
 * for it. So systemd's default, NotifyAccess=main, is enough if the main
 * process notifies.
 *
 * Every call reads the variable, so do not change it during a call; several
 * threads may notify at once. After a chroot(2) the path starts at the new
 * root. Remove the variable from the environment of the programs that you
 * start, unless they may speak for the service.
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
 * Reports that the service reads its configuration again. Call unixnotify_ready
 * when that is done. The datagram contains the present time, which systemd's
 * Type=notify-reload needs.
 */
int unixnotify_reloading(int64_t deadline_us);

/* Reports that the service has begun to stop. */
int unixnotify_stopping(int64_t deadline_us);

/* Reports that the service is alive, see unixnotify_get_watchdog_us. */
int unixnotify_watchdog(int64_t deadline_us);

/* Reports that starting, reloading or stopping will take another more_us
 * microseconds from now. */
int unixnotify_extend_us(uint64_t more_us, int64_t deadline_us);

/*
 * Sends text, in UTF-8, as the status line for people. Control characters and
 * bytes that are not UTF-8 become \xHH, so text from strangers cannot add
 * assignments.
 */
int unixnotify_status(const char *text, int64_t deadline_us);

/*
 * Sends any assignments, separated by newlines: "READY=1\nSTATUS=idle". It
 * sends them unchanged, so keep text from strangers out of them. Also EINVAL:
 * empty text.
 */
int unixnotify_send(const char *assignments, int64_t deadline_us);

/*
 * Stores in *period_us the longest time in microseconds between two calls of
 * unixnotify_watchdog. After a longer silence the supervisor takes the service
 * for dead, so notify twice as often. Returns 1; 0 if the supervisor expects no
 * such calls, or expects them from another process; -1 with EPROTO if
 * WATCHDOG_USEC or WATCHDOG_PID is malformed.
 */
int unixnotify_get_watchdog_us(int64_t *period_us);

/*
 * Waits until the supervisor has handled all earlier notifications. It sends a
 * descriptor, and the supervisor closes that when it is done. If the program
 * ends soon after a notification, call it in between: systemd looks up the
 * sender, and ignores a message whose sender is gone. Returns 1, 0 and -1 as
 * above; also ETIMEDOUT or EAGAIN if the descriptor was sent, but the
 * supervisor did not close it in time.
 */
int unixnotify_barrier(int64_t deadline_us);

/* Flags of unixnotify_store. */

/*
 * Keeps a connection even when its peer has closed, with its unread messages.
 * Without this flag systemd drops it; systemd before version 246 always does.
 */
#define UNIXNOTIFY_STORE_CLOSED 0x1u

/*
 * Gives count descriptors to the supervisor to keep, under one name, so that
 * they outlive this process: for example the connections of a service that
 * restarts, or a memfd with its state. The next process finds them by
 * unixactivation_new. They stay yours and open. To store a descriptor again, by
 * the same name or another, changes nothing. systemd keeps at most
 * FileDescriptorStoreMax= of them, 0 by default, and does not report those that
 * it did not keep.
 *
 * name has 1 to 255 printable ASCII characters without a colon. Also
 *
 *   EINVAL  a malformed name, unknown flags, a count of 0 or above 253
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
