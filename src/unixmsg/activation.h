/* SPDX-License-Identifier: MIT */
/*
 * unixactivation: sockets that a supervisor has opened for this program.
 *
 * systemd and others open a service's sockets before they start it. So clients
 * need not wait for it, nothing is lost while it restarts, and it needs no
 * right to bind its names. The descriptors begin at 3. Variables describe them:
 * LISTEN_FDS is their number, LISTEN_PID the process that they are for,
 * LISTEN_FDNAMES their names, and LISTEN_PIDFDID the same process by a number
 * that is never reused. See sd_listen_fds(3). Any supervisor that sets these
 * will do; nothing of systemd is needed.
 *
 *   activation = unixactivation_new();
 *   if (unixactivation_get_count(activation) == 0)
 *           conn = unixconn_open("unixgram", "/run/service.sock", NULL);
 *   else
 *           conn = unixactivation_take_conn(activation, NULL, "unixgram");
 *   unixactivation_close(activation);
 *
 * A socket that is taken counts as adopted. Its file belongs to the supervisor,
 * which goes on listening after our end, and _close leaves the file alone (see
 * unixconn_set_unlink_on_close). Have the supervisor give the file of a
 * datagram socket to the user that the service runs as: clients that dial
 * choose an address that the owner of the file may write to, see unixconn_dial.
 *
 * A socket on standard input (systemd's StandardInput=socket, inetd) has no
 * variables, and the count is 0: adopt it by unixconn_adopt(0), or by
 * unixlistener_adopt(0) if it listens. Better adopt a copy (F_DUPFD_CLOEXEC),
 * and replace 0, 1 and 2 by /dev/null if they are that socket: else the peer
 * receives everything that the program prints.
 *
 * unixmsg/notify.h tells the supervisor that the service is ready.
 *
 * None of these functions waits. One thread at a time uses an activation.
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
	/* Any kind: in a search only, never of an item. */
	UNIXACTIVATION_ANY,
	/* No Unix socket: a FIFO, a file, a socket of another family. */
	UNIXACTIVATION_OTHER,
	/* For unixlistener_adopt. */
	UNIXACTIVATION_LISTENER,
	/* For unixconn_adopt: a socket for datagrams, or a connection, for
	 * example from systemd's Accept=yes, or from its descriptor store. */
	UNIXACTIVATION_CONN,
};

struct unixactivation_item {
	/* At most 255 printable ASCII characters and no colon; "unknown" if the
	 * supervisor gives no names. It lives as long as the activation.
	 * systemd's default is the name of the .socket unit, "connection" for
	 * an accepted one, "stored" for its store. Several items may have the
	 * same name. */
	const char *name;
	/* Never UNIXACTIVATION_ANY. */
	enum unixactivation_kind kind;
	/* "unixgram", "unixpacket", "unix"; NULL for UNIXACTIVATION_OTHER. */
	const char *network;
	/* The descriptor, to look at and not to close; -1 once it is taken. */
	int fd;
	/* For later versions: 0. */
	uint64_t reserved[3];
};

/*
 * Takes over all descriptors that the environment names, and makes them
 * close-on-exec. Always removes the four variables from the environment, so
 * that no program that we start takes them for its own, and a second call finds
 * none.
 *
 * Call it once, at the beginning of main: before you start a thread, since
 * changing the environment is not safe beside any other use of it; before you
 * start another program, since it would inherit the descriptors; and before you
 * open anything, since your descriptor could get the number of a missing one,
 * and be taken for it.
 *
 * A count of 0 is no error: there are no variables, or they are for another
 * process, or the program was started set-user-ID or set-group-ID, and then
 * trusts none of them. Returns NULL with
 *
 *   EPROTO  the variables are malformed, or there are not as many names as
 *           descriptors
 *   EBADF   one of the descriptors is not open
 *   ENOMEM
 *
 * It has touched no descriptor then, and none is known to be ours.
 */
struct unixactivation *unixactivation_new(void);

/* Closes all descriptors that were not taken, and frees activation, which may
 * be NULL. Taken ones stay open. */
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
 * and network; NULL and UNIXACTIVATION_ANY match all. Ask this before you take
 * "the one datagram socket, whatever its name": 0 is none, and more than 1
 * leaves open which one is meant.
 */
size_t unixactivation_count_left(const struct unixactivation *activation,
	const char *name, enum unixactivation_kind kind, const char *network);

/*
 * Takes the first descriptor that is not taken and has this name and network,
 * NULL for any, and makes a connection or a listener of it, which is yours to
 * close. Call it again for the next one. Returns NULL, and takes nothing, with
 *
 *   ENOENT      none of that name is left
 *   EPROTOTYPE  some are left, but none of this kind and network
 *   EINVAL      there is no such network
 *
 * or an error of the matching _adopt.
 */
struct unixconn *unixactivation_take_conn(struct unixactivation *activation,
	const char *name, const char *network);
struct unixlistener *unixactivation_take_listener(struct unixactivation
							  *activation,
	const char *name, const char *network);

/* Takes a plain descriptor of this kind, or of any with UNIXACTIVATION_ANY, in
 * the same way; it is yours to close. Returns -1 with errno as above. */
int unixactivation_take_fd(struct unixactivation *activation, const char *name,
	enum unixactivation_kind kind);

#ifdef __cplusplus
}
#endif
#endif
