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
 * mode is that of the server's file, see stat(2), so that the same clients may
 * connect. If needed, set its owner and group, too.
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
 * with UNIXMSG_LISTEN_REPLACE. If the hidden name exists already, its server is
 * alive, and no other live socket has the name, then an earlier takeover was
 * killed: this one continues it.
 *
 * From now on the takeover is at work, until it is closed or the process ends.
 * A child of fork(2) keeps it at work, too, until the child calls execve(2) or
 * ends.
 *
 * Returns NULL on failure, and changes nothing: ECONNREFUSED (no live socket
 * has the name), ENOENT, ENOTSOCK, EBUSY (another takeover of this name is at
 * work, or was killed and another live socket has the name since), EACCES (the
 * directory may not be read), EPERM (everybody may rename files in that
 * directory, or the hidden name or the server's file belongs to another user),
 * ENOTSUP (an abstract name, or a file system that does not show whether the
 * server is alive), EAGAIN or ETIMEDOUT (another process held the lock of the
 * directory until deadline_us), or an error of link(2), open(2) or fcntl(2).
 */
struct unixtakeover *unixtakeover_open(const char *address,
	int64_t deadline_us);

/*
 * Returns the address that reaches the server meanwhile, as text for
 * unixconn_dial. The text belongs to the takeover. It is relative if address
 * was: do not call chdir(2) meanwhile.
 */
const char *unixtakeover_get_address(const struct unixtakeover *takeover);

/*
 * Gives the name back. fd is the caller's socket at that name, still open, or
 * -1 if it has none; fd stays the caller's. The name leads to a socket at every
 * moment. The call waits one second at most for the lock of the directory. A
 * program whose descriptors are all in use can call it, too: the takeover has
 * kept the three that it needs, unless another thread is faster.
 *
 * Returns 1 if the server has its name back; 0 if the server has ended
 * meanwhile. In that case the call removes the hidden name, and a dead file at
 * the name; the close of the caller's socket removes the caller's file. Returns
 * -1 with EADDRINUSE if another program has taken the name: the server has lost
 * it, and the hidden name is removed. Returns -1 with ESTALE if the hidden name
 * no longer leads to the server. After these, the takeover can only be closed;
 * another call fails with ESTALE.
 *
 * After other errors, those of open(2), rename(2), connect(2) and of
 * sock_diag(7), which tells the file of fd, the takeover is as before: call
 * again later, for example when descriptors were closed (EMFILE, ENFILE).
 */
int unixtakeover_give_back(struct unixtakeover *takeover, int fd);

/*
 * Gives the name back, as unixtakeover_give_back does, unless that was done,
 * and frees the takeover, which may be NULL. Returns as that call does; 0 if
 * nothing was left to do. The takeover is freed after each error, too. After
 * those that unixtakeover_give_back can be called again for, the hidden name
 * stays for the next takeover.
 */
int unixtakeover_close(struct unixtakeover *takeover, int fd);

#ifdef __cplusplus
}
#endif
#endif
