/* SPDX-License-Identifier: MIT */
/*
 * unixactivation: the sockets that a supervisor has opened for this program.
 *
 * systemd and other supervisors open the sockets of a service before they start
 * it. So clients need not wait for the service, no message is lost while it
 * restarts, and it needs no right to bind its names. The descriptors begin at
 * 3. Environment variables describe them: LISTEN_FDS is their number,
 * LISTEN_FDNAMES has their names, LISTEN_PID is the process that they are for,
 * and LISTEN_PIDFDID is the same process by a number that is never reused. See
 * sd_listen_fds(3). Any supervisor that sets these variables will do; systemd
 * is not needed.
 *
 *   activation = unixactivation_new();
 *   if (unixactivation_get_count(activation) == 0)
 *           conn = unixconn_open("unixgram", "/run/service.sock", NULL);
 *   else
 *           conn = unixactivation_take_conn(activation, NULL, "unixgram");
 *   unixactivation_close(activation);
 *
 * A socket that you take counts as adopted. Its file belongs to the supervisor,
 * which goes on listening after our end, so _close leaves the file alone (see
 * unixconn_set_unlink_on_close). Let the supervisor give the file of a datagram
 * socket to the user that the service runs as: a client that dials chooses an
 * address that the owner of that file may write to, see unixconn_dial.
 *
 * A socket on standard input (systemd's StandardInput=socket, inetd) has no
 * variables, and the count is 0. Adopt it by unixconn_adopt, or by
 * unixlistener_adopt if it listens: best a copy of it (F_DUPFD_CLOEXEC). If 0,
 * 1 and 2 are that socket, replace them by /dev/null, or the peer receives
 * everything that the program prints.
 *
 * unixmsg/notify.h tells the supervisor that the service is ready.
 *
 * None of these functions waits. Only one thread at a time may use an
 * activation.
 */
#ifndef UNIXMSG_ACTIVATION_H
#define UNIXMSG_ACTIVATION_H

#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "listener.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unixactivation;

/* The kinds of a descriptor. */
enum unixactivation_kind {
	/* Any kind: for searches only, no item has it. */
	UNIXACTIVATION_ANY,
	/* Not a Unix socket: a FIFO, a file, a socket of another family. */
	UNIXACTIVATION_OTHER,
	/* A listening socket, for unixlistener_adopt. */
	UNIXACTIVATION_LISTENER,
	/* A socket for unixconn_adopt: a socket for datagrams, or a connection,
	 * for example from systemd's Accept=yes or its descriptor store. */
	UNIXACTIVATION_CONN,
};

struct unixactivation_item {
	/* The name: at most 255 printable ASCII characters, no colon; "unknown"
	 * if the supervisor gives no names. It lives as long as the activation.
	 * systemd's default is the name of the .socket unit, "connection" for
	 * an accepted connection, "stored" for a descriptor from its store.
	 * Several items may have the same name. */
	const char *name;
	/* Never UNIXACTIVATION_ANY. */
	enum unixactivation_kind kind;
	/* "unixgram", "unixpacket", "unix"; NULL for UNIXACTIVATION_OTHER. */
	const char *network;
	/* The descriptor; do not close it. -1 once it is taken. */
	int fd;
	/* For later versions: 0. */
	uint64_t reserved[3];
};

/*
 * Takes over all descriptors that the environment names, and makes them
 * close-on-exec. Always removes the four variables from the environment: no
 * program that we start shall take them for its own. So a second call finds
 * none.
 *
 * Call it once, at the beginning of main: before you start a thread, since no
 * other thread may use the environment while it changes; before you start
 * another program, since it would inherit the descriptors; and before you open
 * anything, since your descriptor could get the number of a missing one, and
 * the call would take it.
 *
 * A count of 0 is no error: there are no variables, or they are for another
 * process, or the program was started set-user-ID or set-group-ID: then the
 * call does not trust the variables. Returns NULL with
 *
 *   EPROTO  the variables are malformed, or there are not as many names as
 *           descriptors
 *   EBADF   one of the descriptors is not open
 *   ENOMEM
 *
 * After an error it has touched no descriptor; you cannot know which ones are
 * ours.
 */
struct unixactivation *unixactivation_new(void);

/* Closes all descriptors that you did not take, and frees activation, which may
 * be NULL. Those that you took stay open. */
void unixactivation_close(struct unixactivation *activation);

/* Returns the number of descriptors in activation. They are in the supervisor's
 * order. */
size_t unixactivation_get_count(const struct unixactivation *activation);

/* Stores the item at index, from 0. Errors: EINVAL (index is not below the
 * count). */
int unixactivation_get_item(const struct unixactivation *activation,
	size_t index, struct unixactivation_item *item);

/*
 * Returns the number of descriptors that are not taken and have this name, kind
 * and network; NULL and UNIXACTIVATION_ANY match all. Call it before you take
 * "the only datagram socket, whatever its name": 0 means that there is none,
 * and more than 1 that it is unclear which one is meant.
 */
size_t unixactivation_count_left(const struct unixactivation *activation,
	const char *name, enum unixactivation_kind kind, const char *network);

/*
 * Takes the first descriptor that is not taken yet and has this name and
 * network, NULL for any. Makes a connection or a listener of it, which is yours
 * to close. Call it again for the next one. Returns NULL, and takes nothing,
 * with
 *
 *   ENOENT      no descriptor of that name is left
 *   EPROTOTYPE  descriptors of that name are left, but none of this kind and
 *               network
 *   EINVAL      there is no such network
 *
 * or an error of the matching _adopt.
 */
struct unixconn *unixactivation_take_conn(struct unixactivation *activation,
	const char *name, const char *network);
struct unixlistener *unixactivation_take_listener(struct unixactivation
							  *activation,
	const char *name, const char *network);

/*
 * Takes a descriptor of this kind in the same way, as it is; UNIXACTIVATION_ANY
 * matches every kind. The descriptor is yours to close. Returns -1 with errno
 * as above.
 */
int unixactivation_take_fd(struct unixactivation *activation, const char *name,
	enum unixactivation_kind kind);

#ifdef __cplusplus
}
#endif
#endif
