/* SPDX-License-Identifier: MIT */
/*
 * unixactivation: sockets that a supervisor has opened for this program.
 *
 * systemd and others open a service's sockets before they start it, so that
 * clients need not wait for it, nothing is lost while it restarts, and it needs
 * no right to bind its names. The descriptors are 3 and those behind it, and
 * variables tell of them: LISTEN_FDS how many, LISTEN_PID for which process,
 * LISTEN_FDNAMES what each is called, LISTEN_PIDFDID that process once more,
 * by a number that is never used again. See sd_listen_fds(3). Nothing of
 * systemd's is needed here; any supervisor that sets these will do.
 *
 *   activation = unixactivation_new();
 *   if (unixactivation_get_count(activation) == 0)
 *           conn = unixconn_open("unixgram", "/run/service.sock", NULL);
 *   else
 *           conn = unixactivation_take_conn(activation, NULL, "unixgram");
 *   unixactivation_close(activation);
 *
 * An endpoint that is taken is one that was adopted: its file belongs to the
 * supervisor, which goes on listening when we have ended, and _close leaves it
 * alone (see unixconn_set_unlink_on_close). Have the supervisor make the user
 * that the service runs as the owner of a datagram socket's file: clients that
 * dial take an address that the owner may write to, see unixconn_dial.
 *
 * Where the socket is on standard input instead (systemd's
 * StandardInput=socket, inetd), no variable tells of it and the count is 0:
 * unixconn_adopt(0), or unixlistener_adopt(0) for one that listens. Adopt a
 * copy of it (F_DUPFD_CLOEXEC) and give 0, 1 and 2 to /dev/null where they are
 * that socket, too: what the program prints would reach the peer.
 *
 * How the supervisor is told that all is ready: see unixmsg/notify.h.
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

/* What a descriptor is. */
enum unixactivation_kind {
	/* Of any kind: what is looked for, never what is there. */
	UNIXACTIVATION_ANY,
	/* No Unix socket: a FIFO, a file, a socket of another family. */
	UNIXACTIVATION_OTHER,
	/* For unixlistener_adopt. */
	UNIXACTIVATION_LISTENER,
	/* For unixconn_adopt: a socket for datagrams, or a connection, as of
	 * systemd's Accept=yes, or its descriptor store. */
	UNIXACTIVATION_CONN,
};

struct unixactivation_item {
	/* At most 255 printable ASCII characters and no colon, and "unknown"
	 * when the supervisor gives no names. It lives as long as the
	 * activation. systemd's default is the name of the .socket unit,
	 * "connection" for an accepted one, "stored" for its store; several
	 * may have the same. */
	const char *name;
	/* Never UNIXACTIVATION_ANY. */
	enum unixactivation_kind kind;
	/* "unixgram", "unixpacket", "unix"; NULL for UNIXACTIVATION_OTHER. */
	const char *network;
	/* To look at, not to close: for that it is taken, and -1 then. */
	int fd;
	/* For later versions: 0. */
	uint64_t reserved[3];
};

/*
 * Takes over all descriptors that the environment names, and makes them
 * close-on-exec. The four variables are removed from the environment in any
 * case, so that no program that we start takes them for its own, and so that a
 * second call finds none.
 *
 * Call it once, at the beginning of main: before a thread is started, since
 * changing the environment is not safe beside any other use of it; before
 * another program is started, since until then the descriptors are inherited;
 * and before you open anything, since where one of the descriptors is missing
 * another of yours would have its number, and be taken for it.
 *
 * A count of 0 is no error: no variables, or variables for another process, or
 * a program that was started set-user-ID or set-group-ID, which believes none
 * of them. NULL with
 *
 *   EPROTO  the variables are malformed, or the names not as many as the
 *           descriptors
 *   EBADF   one of the descriptors is not open
 *   ENOMEM
 *
 * and then no descriptor was touched, nor is any of them known to be ours.
 */
struct unixactivation *unixactivation_new(void);

/*
 * Closes the descriptors that nobody has taken, frees activation, which may be
 * NULL. What was taken lives on.
 */
void unixactivation_close(struct unixactivation *activation);

/* How many descriptors were handed over, in the supervisor's order. */
size_t unixactivation_get_count(const struct unixactivation *activation);

/* What stands at index, from 0. Errors: EINVAL (not below the count). */
int unixactivation_get_item(const struct unixactivation *activation,
	size_t index, struct unixactivation_item *item);

/*
 * How many have not been taken that have this name, are of this kind and of
 * this network; NULL and UNIXACTIVATION_ANY for any. Who takes "the one
 * datagram socket, whatever its name" asks this first: 0 is none, more than 1
 * is not clear which.
 */
size_t unixactivation_count_left(const struct unixactivation *activation,
	const char *name, enum unixactivation_kind kind, const char *network);

/*
 * Each takes the first that has not been taken, has this name and is of this
 * network, NULL for any, and makes a connection or a listener of it, which is
 * yours to close. Call it again for the next one. NULL with
 *
 *   ENOENT      none is left of that name
 *   EPROTOTYPE  some are, and none is of this kind and network
 *   EINVAL      there is no such network
 *
 * or those of the matching _adopt; it has not been taken then.
 */
struct unixconn *unixactivation_take_conn(struct unixactivation *activation,
	const char *name, const char *network);
struct unixlistener *unixactivation_take_listener(struct unixactivation
							  *activation,
	const char *name, const char *network);

/*
 * The same for a plain descriptor, which is yours to close; kind says which,
 * and may be UNIXACTIVATION_ANY. -1 with errno as above.
 */
int unixactivation_take_fd(struct unixactivation *activation, const char *name,
	enum unixactivation_kind kind);

#ifdef __cplusplus
}
#endif
#endif
