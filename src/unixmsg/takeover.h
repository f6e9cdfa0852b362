/* SPDX-License-Identifier: MIT */
/*
 * unixtakeover: takes over the name of a running server, keeps that server
 * reachable, and gives the name back. It is for programs that stand in front of
 * a server for a while, to show its traffic or to forward it. The server
 * notices nothing: its file keeps inode, owner and mode, and open connections
 * stay open.
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
 * Set mode to the mode of the server's file (stat(2) before the first call), so
 * that the same clients may connect to your socket. If needed, set user and
 * group of the options to those of the server's file, too. A datagram server
 * works in the same way: open your own socket by unixconn_open.
 *
 * If the program is killed in between (SIGKILL), the server no longer has its
 * name. Its socket file still exists under a hidden name. Call
 * unixtakeover_open and then unixtakeover_close, with -1 for the descriptor, to
 * give the name back.
 *
 * Abstract names cannot be taken over. Clients that are connected already stay
 * with the server. A server that starts again meanwhile, and removes the file
 * at its name without a check, has the name again; unixtakeover_close then
 * fails with EADDRINUSE.
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
 * same directory: ".unixmsg=" followed by the file name in address. The caller
 * then listens at address with UNIXMSG_LISTEN_REPLACE.
 *
 * If an earlier takeover was killed, the hidden name is there already. If its
 * server is alive, and no other live socket is at address, this call continues
 * that takeover. If its server is dead, the call removes the hidden name, and
 * begins anew.
 *
 * From now on the takeover is at work, until it is closed or the process ends.
 * A child of fork(2) keeps it at work, too, even after the parent has closed
 * it, until the child calls execve(2) or ends.
 *
 * Returns NULL on failure, and leaves the file at address alone, with
 *
 *   EINVAL, ENAMETOOLONG  a malformed address, a negative deadline
 *   ECONNREFUSED  the socket at address is dead, and there is no takeover to
 *             continue, as for the next two errors
 *   ENOENT    nothing is at address
 *   ENOTSOCK  something else than a socket is there
 *   EBUSY     another takeover of this name is at work; or an earlier one was
 *             killed, and another live socket is at address since; or another
 *             socket got the name during this call
 *   EACCES    we may not read the directory
 *   EPERM     everybody may rename files in the directory; or the hidden name
 *             belongs to another user, in a directory with the sticky bit; or
 *             the server's file belongs to another user, and the kernel refuses
 *             it a second name (fs.protected_hardlinks)
 *   ENOTSUP   an abstract name, or a file system that does not show whether the
 *             server is alive
 *   EAGAIN, ETIMEDOUT  another process held the lock of the directory until
 *             deadline_us
 *
 * or an error of open(2), link(2), fcntl(2), connect(2), malloc(3).
 */
struct unixtakeover *unixtakeover_open(const char *address,
	int64_t deadline_us);

/*
 * Returns the address of the server during the takeover, as text for
 * unixconn_dial: the hidden name. The text belongs to the takeover. If address
 * is relative, so is the text: do not call chdir(2) while you use it.
 */
const char *unixtakeover_get_address(const struct unixtakeover *takeover);

/*
 * Gives the name back: puts the server's socket file at address again, in one
 * step. fd is your socket at address, still open, or -1 if you have none; it
 * stays yours. The call waits one second at most for the lock of the directory,
 * and then goes on without it. The takeover keeps three descriptors in reserve,
 * so the call works even if the process has no free descriptor. It can still
 * fail with EMFILE or ENFILE if another thread takes one of the three during
 * the call.
 *
 * Returns 1 if the server has its name back, or 0 if the server has ended. With
 * 0 the call removes the hidden name, and removes the file at address if that
 * is dead. If it is the file of your own socket, it stays: the close of that
 * socket removes it. Returns -1 with
 *
 *   EADDRINUSE  another program has taken the name, for example the server
 *               after a restart. The hidden name is removed, but not if the
 *               other program took the name during this call.
 *   ESTALE      the hidden name no longer leads to the server
 *
 * After 1, 0 and these two errors the takeover is over: close it, since another
 * call fails with ESTALE. After any other error the takeover is still at work:
 * call again later, for example when you have closed descriptors (EMFILE,
 * ENFILE). The other errors are those of open(2), rename(2), connect(2), and of
 * sock_diag(7), by which the call finds the file of fd.
 */
int unixtakeover_give_back(struct unixtakeover *takeover, int fd);

/*
 * Frees takeover, which may be NULL. If it is not over, the call first gives
 * the name back as unixtakeover_give_back does, and returns the same; else it
 * returns 0. takeover is freed after an error, too. After an error other than
 * EADDRINUSE and ESTALE the hidden name stays. When you have closed your own
 * socket, a later unixtakeover_open continues the takeover.
 */
int unixtakeover_close(struct unixtakeover *takeover, int fd);

#ifdef __cplusplus
}
#endif
#endif
