/* SPDX-License-Identifier: MIT */
/*
 * unixlistener: a socket that listens for connections, on "unixpacket" or
 * "unix", see unixmsg/conn.h for the networks.
 *
 * Several processes may hold one listening socket: after fork(2), inherited
 * from a supervisor, or received in a message. They share the state of the
 * socket:
 *
 * - O_NONBLOCK. A listener has to be non-blocking, since accept4(2) has no
 *   deadline. Another holder may make it blocking (systemd does when it starts
 *   a unit without NonBlocking=yes). Each accept makes it non-blocking again.
 *   If an accept finds it blocking, the socket also gets a receive time-out
 *   (SO_RCVTIMEO) of a millisecond, until _close. An accept may then return a
 *   millisecond and one tick of the kernel's clock after its deadline, or later
 *   if the processors are busy. Another holder that relies on a blocking
 *   accept(2) gets EAGAIN.
 * - shutdown(2). It shuts the listener down for all holders: accept fails with
 *   EINVAL.
 * - Closing. _close closes our descriptor only; the socket goes on listening
 *   while others hold it.
 * - The socket file. The process that has bound the socket removes the file,
 *   its children do not: see unixlistener_set_unlink_on_close.
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
 * NULL. It may wait a second for the lock on the directory, see
 * unixmsg/listen.h. Returns NULL on failure, and leaves nothing behind, with
 *
 *   EINVAL   a malformed address, no such network, options that make no sense
 *   ENOTSUP  unixgram: see unixconn_open
 *   ENAMETOOLONG, EADDRINUSE, ENOTSOCK, EPERM, ENOTSUP, ENOSYS
 *            see unixmsg/listen.h
 *
 * or an error of socket(2), bind(2), listen(2), open(2), chown(2), malloc(3).
 */
struct unixlistener *unixlistener_open(const char *network, const char *address,
	const struct unixlisten_options *options);

/*
 * Accepts the next connection; several threads may wait for one. The connection
 * inherits the listener's stop descriptor. Returns NULL with
 *
 *   EAGAIN, ETIMEDOUT, ECANCELED  see unixmsg/deadline.h
 *   EMFILE, ENFILE  the connection stays in the backlog, and the listener stays
 *                   readable: pause before you poll again
 *   EINVAL          a negative deadline; or another holder has shut the
 *                   listener down, so that nobody can connect any more
 *
 * or an error of accept(2), malloc(3); for an adopted listener also of
 * setsockopt(2), and then the connection is closed.
 */
struct unixconn *unixlistener_accept(struct unixlistener *listener,
	int64_t deadline_us);

/*
 * Makes a listener of a listening socket that is open already: inherited from a
 * supervisor, received, or duplicated. The type of the socket decides the
 * network. On success fd belongs to the listener, and is close-on-exec and
 * non-blocking (the latter for all holders, see above); unixlistener_close does
 * not remove its file, unless unixlistener_set_unlink_on_close asks for that.
 * Returns NULL on failure, and fd stays yours:
 *
 *   ENOTSOCK      it is no socket
 *   EAFNOSUPPORT  it is no Unix socket
 *   EPROTOTYPE    it is a datagram socket
 *   EINVAL        it does not listen
 *   EBADF         it is not open
 *
 * or an error of malloc(3), fcntl(2), getsockopt(2) or setsockopt(2). Then fd
 * may already be close-on-exec, and have options that a listener needs.
 */
struct unixlistener *unixlistener_adopt(int fd);

/*
 * Removes the socket file if it is still ours (but see
 * unixlistener_set_unlink_on_close), closes the descriptor, and frees listener,
 * which may be NULL. Accepted connections stay open; the kernel resets those in
 * the backlog, unless another process holds the socket. May wait a second for
 * the lock on the directory. Returns -1 with errno if the file could not be
 * removed; listener is freed all the same.
 */
int unixlistener_close(struct unixlistener *listener);

/* Returns the descriptor, for poll(2). It belongs to the listener, and is
 * non-blocking. */
int unixlistener_get_fd(const struct unixlistener *listener);

/* Sets the tag of later connections, see unixconn_set_tag. */
void unixlistener_set_tag(struct unixlistener *listener, uint64_t tag);

/*
 * Offers a lane to later connections whose clients ask for one, see
 * unixconn_is_lane. bytes is the size of the memory for each direction: a power
 * of two, at least 4096 and at least the page size, at most 64 MiB. A message
 * smaller than half of that memory goes through it while there is room; other
 * messages go by the socket. For the direction from the client to the server
 * the memory is 1 MiB at most, even if bytes is larger. A service limits the
 * memory of all its connections (lane_bytes_max in unixmsg/service.h). Without
 * a service, limit the number of connections yourself. 0 ends the offer.
 * Returns 0, or -1 with
 *
 *   EINVAL   no such size
 *   ENOTSUP  the listener is not of unixpacket
 */
int unixlistener_set_lane(struct unixlistener *listener, uint64_t bytes);

/* Returns "unixpacket" or "unix". */
const char *unixlistener_get_network(const struct unixlistener *listener);

/* Sets the stop descriptor, see unixmsg/deadline.h; 0 or -1 for none. Later
 * connections inherit it. */
void unixlistener_set_stop_fd(struct unixlistener *listener, int stop_fd);

/*
 * Sets what later connections receive besides the payload, see unixconn_want,
 * with the same errors. A connection in the backlog may have the old setting:
 * the kernel copies it when a client connects (before Linux 6.16: at the
 * accept). To cover every client, set wants in the options of
 * unixlistener_open, or call unixconn_want after each accept.
 */
int unixlistener_want(struct unixlistener *listener, unsigned int wants);

/*
 * Sets whether unixlistener_close removes the socket file. By default it does,
 * with three exceptions: the options had UNIXMSG_LISTEN_KEEP; the socket was
 * adopted; or this process is a child of fork(2) after bind(2), since the close
 * in the parent removes the file. For an adopted socket this call looks for the
 * file at the socket's address. Returns 0, without effect if the address is no
 * path; for true, -1 with
 *
 *   ESTALE  the socket is bound to another file than the one there
 *   ENOENT  there is no file
 *   EINVAL  the path is relative
 *
 * or an error of sock_diag(7).
 *
 * If a child of fork(2) calls this with true, the close in the child removes
 * the file. Use it in a program that first listens and then goes into the
 * background (daemon(3)). In such a child ESTALE also means that the file is
 * gone. If the parent keeps running, it must call this with false.
 */
int unixlistener_set_unlink_on_close(struct unixlistener *listener,
	bool is_wanted);

/* Stores the address that the listener is bound to. Errors: those of
 * getsockname(2). */
int unixlistener_get_address(const struct unixlistener *listener,
	struct unixaddr *addr);

#ifdef __cplusplus
}
#endif
#endif
