/* SPDX-License-Identifier: MIT */
/*
 * unixlistener: a socket that listens for connections, of "unixpacket" or of
 * "unix", see unixmsg/conn.h for the networks.
 *
 * Several processes may hold one listener: after fork(2), inherited from a
 * supervisor, or received. What belongs to the socket belongs to all of them:
 *
 *	O_NONBLOCK. A listener has to be non-blocking, for accept4(2) knows no
 *	deadline. Another holder may make it blocking (systemd does when it
 *	starts a unit without NonBlocking=yes): each accept makes it
 *	non-blocking again, and from the first time until _close the socket has
 *	a receive time-out (SO_RCVTIMEO) of a millisecond. So an accept overruns
 *	its deadline by that and a tick of the kernel's clock, besides what
 *	every wait does when the processors are busy; and a holder who relies on
 *	a blocking accept(2) gets EAGAIN. shutdown(2) shuts it for all: accept
 *	gives EINVAL. _close closes our descriptor only; the socket listens on
 *	while others hold it. The socket file is removed by the process that has
 *	bound it, not by its children: see unixlistener_set_unlink_on_close.
 */
#ifndef UNIXMSG_LISTENER_H
#define UNIXMSG_LISTENER_H

#include <stdint.h>

#include "addr.h"
#include "conn.h"
#include "listen.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unixlistener;

/*
 * Listens at address, see unixmsg/addr.h and unixmsg/listen.h; options may be
 * NULL. May wait for the lock on the directory, no longer than unixmsg/listen.h
 * says. NULL on failure, nothing is left behind. Errors: EINVAL (also: no such
 * network, options that cannot be meant), ENOTSUP (unixgram: see
 * unixconn_open), ENAMETOOLONG, EADDRINUSE, ENOTSOCK, EPERM, and those of
 * socket(2), bind(2), listen(2), open(2), chown(2), malloc(3).
 */
struct unixlistener *unixlistener_open(const char *network, const char *address,
	const struct unixlisten_options *options);

/*
 * Takes the next connection; several threads may wait in it. The connection
 * begins with the listener's stop descriptor. NULL with EAGAIN, ETIMEDOUT,
 * ECANCELED, EMFILE or ENFILE (the connection goes on waiting in the backlog,
 * and the listener stays readable: pause before you poll again), EINVAL (a
 * negative deadline; or somebody who shares the listener has shut it down:
 * nobody can connect any more, and no wait would end), or those of accept(2),
 * malloc(3).
 */
struct unixconn *unixlistener_accept(struct unixlistener *listener,
	int64_t deadline_us);

/*
 * Makes a listener of a listening descriptor that somebody else has opened:
 * inherited from a supervisor, received, or duplicated. It belongs to the
 * listener then, and becomes close-on-exec and non-blocking (the latter for
 * all who share it, see above); its file is not removed on close unless asked
 * for. The network is read from the socket. NULL on failure, fd stays yours:
 * ENOTSOCK, EAFNOSUPPORT (no Unix socket), EPROTOTYPE (a datagram socket),
 * EINVAL (it does not listen), EBADF, or those of malloc(3).
 */
struct unixlistener *unixlistener_adopt(int fd);

/*
 * Removes the socket file if it is still ours, closes the descriptor, frees
 * listener, which may be NULL. Accepted connections live on; those that wait
 * to be accepted are reset. -1 with errno when the file could not be removed;
 * listener is gone all the same.
 */
int unixlistener_close(struct unixlistener *listener);

/* The descriptor, for poll(2). It stays the listener's, and is non-blocking. */
int unixlistener_get_fd(const struct unixlistener *listener);

/* Of its connections from then on, see unixconn_set_tag. */
void unixlistener_set_tag(struct unixlistener *listener, uint64_t tag);

/* "unixpacket" or "unix". */
const char *unixlistener_get_network(const struct unixlistener *listener);

/*
 * See unixmsg/deadline.h; 0 or -1 for none. Connections that are accepted from
 * then on begin with it too.
 */
void unixlistener_set_stop_fd(struct unixlistener *listener, int stop_fd);

/*
 * What connections that are accepted from then on receive besides the payload:
 * see unixconn_want. Ask by the options, before the first client can connect,
 * or by unixconn_want again: the kernel takes the wish when a client connects.
 */
int unixlistener_want(struct unixlistener *listener, unsigned int wants);

/*
 * Whether unixlistener_close removes the socket file: by default yes, unless
 * UNIXMSG_LISTEN_KEEP was given, the socket was adopted, or a fork(2) came
 * after it was bound, where the parent's close removes it. For an adopted one
 * the file is looked up at its address and must be the one it is bound to:
 * ESTALE when it is not, ENOENT when there is none, EINVAL for a relative path,
 * or those of sock_diag(7). 0 without effect where there is no path.
 *
 * true in a child of fork(2) makes the child the owner of the file, as a
 * program needs that listens first and goes into the background then
 * (daemon(3)); ESTALE when another file stands there by now, or none. A parent
 * that lives on says false.
 */
int unixlistener_set_unlink_on_close(struct unixlistener *listener,
	bool is_wanted);

/* The address it is bound to. Errors: those of getsockname(2). */
int unixlistener_get_address(const struct unixlistener *listener,
	struct unixaddr *addr);

#ifdef __cplusplus
}
#endif
#endif
