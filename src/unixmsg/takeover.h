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
 * mode is that of the server's file, from stat(2) before the first call: so the
 * same clients may connect. If needed, set its owner and group, too.
 *
 * If the program is killed in between (SIGKILL), the server has lost its name,
 * but keeps the hidden one. Then call unixtakeover_open and unixtakeover_close,
 * with -1 for the descriptor, to give the name back.
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
 * same directory: ".unixmsg=" and its name. The caller then listens at address
 * with UNIXMSG_LISTEN_REPLACE.
 *
 * If an earlier takeover was killed, the hidden name is there already. If its
 * server is alive, and no other live socket is at address, this call continues
 * that takeover. If its server is dead, the call removes the hidden name, and
 * begins anew.
 *
 * From now on the takeover is at work, until it is closed or the process ends.
 * A child of fork(2) keeps it at work, too, until the child calls execve(2) or
 * ends.
 *
 * Returns NULL on failure, and changes nothing else, with
 *
 *   EINVAL, ENAMETOOLONG  a malformed address, a negative deadline
 *   ECONNREFUSED  the socket at address is dead
 *   ENOENT    nothing is at address
 *   ENOTSOCK  something else than a socket is there
 *   EBUSY     another takeover of this name is at work; or an earlier one was
 *             killed, and another live socket is at address since
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
 * Returns the address that reaches the server meanwhile, as text for
 * unixconn_dial. The text belongs to the takeover. If address is relative, so
 * is the text: do not call chdir(2) until the close.
 */
const char *unixtakeover_get_address(const struct unixtakeover *takeover);

/*
 * Gives the name back, with the socket file of the server. At every moment the
 * name leads to a socket. fd is your socket at address, still open, or -1 if
 * you have none; it stays yours. The call waits one second at most for the lock
 * of the directory, and then goes on without it. It works even if all
 * descriptors of the process are in use: the takeover has kept the three that
 * it needs, unless another thread takes one at this moment.
 *
 * Returns 1 if the server has its name back; 0 if the server has ended, and
 * then the call removes the hidden name, and a dead file at address. It leaves
 * the file of your own socket to the close of that socket. Returns -1 with
 *
 *   EADDRINUSE  another program has taken the name, so the server has lost it.
 *               The hidden name is removed, but not if the other program took
 *               the name during this call.
 *   ESTALE      the hidden name no longer leads to the server
 *
 * After 1, 0 and these two errors the takeover is over: close it, since another
 * call fails with ESTALE. After any other error it is as before: call again
 * later, for example when you have closed descriptors (EMFILE, ENFILE). These
 * are errors of open(2), rename(2), connect(2), and of sock_diag(7), which
 * finds the file of fd.
 */
int unixtakeover_give_back(struct unixtakeover *takeover, int fd);

/*
 * Frees takeover, which may be NULL. If it is not over, the call first gives
 * the name back as unixtakeover_give_back does, and returns the same; else it
 * returns 0. takeover is freed after an error, too. If the error is one after
 * which unixtakeover_give_back may be called again, the hidden name stays, and
 * a later unixtakeover_open continues from there.
 */
int unixtakeover_close(struct unixtakeover *takeover, int fd);

#ifdef __cplusplus
}
#endif
#endif
