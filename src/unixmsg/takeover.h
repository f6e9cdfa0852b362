/* SPDX-License-Identifier: MIT */
/*
 * unixtakeover: takes over the name of a running server, keeps that server
 * reachable, and gives the name back. It is for programs that stand in front
 * of a server for a while, to show its traffic or to forward it. The server
 * notices nothing: its file keeps inode, owner and mode, and connections that
 * are open stay open.
 *
 *	takeover = unixtakeover_open("/run/server.sock", deadline_us);
 *	listener = unixlistener_open("unixpacket", "/run/server.sock",
 *		&(struct unixlisten_options){ .flags = UNIXMSG_LISTEN_REPLACE,
 *			.mode = mode });
 *	server = unixconn_dial("unixpacket",
 *		unixtakeover_get_address(takeover), NULL, deadline_us);
 *	...
 *	unixtakeover_close(takeover, unixlistener_get_fd(listener));
 *	unixlistener_close(listener);
 *
 * After kill -9 in between, the server has lost its name, but keeps the hidden
 * one. unixtakeover_open and unixtakeover_close, with -1 for the descriptor,
 * give the name back then.
 *
 * Abstract names cannot be taken over, and clients that are connected already
 * do not come by the new name. A server that removes its file blindly when it
 * starts again takes the name away, which unixtakeover_close reports.
 */
#ifndef UNIXMSG_TAKEOVER_H
#define UNIXMSG_TAKEOVER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unixtakeover;

/*
 * Gives the socket file of the server at address a second, hidden name in the
 * same directory: ".unixmsg=" and its name. The caller then listens at address
 * with UNIXMSG_LISTEN_REPLACE. If the hidden name is there already, and its
 * server is alive while nobody has the name, an earlier takeover was killed:
 * this one goes on in its place.
 *
 * Returns NULL on failure, with nothing changed: ECONNREFUSED (nobody owns the
 * name), ENOENT, ENOTSOCK, EBUSY (another takeover of this name is at work),
 * EPERM (everybody may rename files in that directory, the hidden name is
 * another user's file, or the server's file is), ENOTSUP (an abstract name, or
 * a file system where nobody can tell whether the server is alive), EAGAIN or
 * ETIMEDOUT (somebody holds the lock of the directory until deadline_us), and
 * the errors of link(2) and open(2).
 */
struct unixtakeover *unixtakeover_open(const char *address,
	int64_t deadline_us);

/*
 * Returns the address at which the server is reachable meanwhile, as text for
 * unixconn_dial. It belongs to the takeover.
 */
const char *unixtakeover_get_address(const struct unixtakeover *takeover);

/*
 * Gives the name back and frees the takeover, which may be NULL. fd is the
 * caller's socket at that name, still open, or -1 if it has none; it stays the
 * caller's. There is no moment at which the name leads nowhere. It waits one
 * second at most for the lock of the directory.
 *
 * Returns 1 when the server has its name back, and 0 when the server has ended
 * meanwhile: then the hidden name is removed, the caller's file goes with its
 * socket, and a dead file is removed for fd -1. Returns -1 when neither is
 * possible. EADDRINUSE: another program has taken the name, so that the server
 * has lost it, and the hidden name is removed. ESTALE: the hidden name is no
 * more the server's. With other errors, those of rename(2) and of asking the
 * kernel for fd's file (sock_diag(7)), the hidden name stays for another try.
 */
int unixtakeover_close(struct unixtakeover *takeover, int fd);

#ifdef __cplusplus
}
#endif
#endif
