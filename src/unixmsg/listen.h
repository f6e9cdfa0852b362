/* SPDX-License-Identifier: MIT */
/*
 * unixlisten: how a server gets its name, and gives it up again.
 *
 * unixlistener_open, unixconn_open and unixservice_listen take struct
 * unixlisten_options, or NULL for the defaults. What they do with a path:
 *
 * - A live owner keeps it: EADDRINUSE. Whether anybody is there is found out
 *   by connecting with another socket type, which no owner notices (the
 *   kernel answers EPROTOTYPE, see unix_find_other in net/unix/af_unix.c), so
 *   one that is bound and does not listen yet counts as alive too.
 * - A socket file whose owner is gone is removed and the name taken. Whether
 *   he is gone can be told only of files that we may write to: one without
 *   write permission for us counts as alive. Nor can it be told on file
 *   systems that others have a part in, where the owner may be in another
 *   kernel or have another inode: NFS, 9p, FUSE, virtiofs, and all that are not
 *   known to be local (statfs(2)). A file that is there counts as alive, too:
 *   EADDRINUSE; remove it, or claim it with UNIXMSG_LISTEN_REPLACE. The kernel
 *   does not tell that a directory is a layer of an overlay: let all that use
 *   a name reach it through the same mount.
 * - Anything else there is not touched: ENOTSOCK. A symbolic link is such a
 *   thing, and is never followed.
 * - Of many that claim one path at once exactly one gets it; the others get
 *   EADDRINUSE. Claims and releases take a lock, flock(2) on the directory,
 *   which leaves nothing behind. Anybody who may read the directory can hold
 *   that lock for ever, in /tmp too: so they wait a second for it at most, a
 *   dial not beyond its deadline, and go on without it. Without the lock a
 *   claim of a dead name looks again at what it has set aside, and puts a live
 *   owner's file back. A server that binds between the two looks is missing
 *   under its name for that moment; it loses the name if a third server binds
 *   in that moment, or if the claim is killed then and nobody claims again.
 *   Claims of one dead name at the same moment may all fail with EADDRINUSE.
 * - A server that takes no lock may remove our file at once and put its own
 *   there. If that is so before the claim is done it has won: EADDRINUSE, and
 *   its file is left alone. The kernel tells which file is ours, over
 *   NETLINK_SOCK_DIAG, also where the file system shows it as another user's.
 *   Where it cannot be asked, a file that a server of our own user makes in
 *   the moment of bind(2) is taken for ours, and one of another user for
 *   his: EADDRINUSE.
 * - A file that is to be removed or replaced first gets the name .unixmsg-NAME,
 *   for a moment. A process that is killed then (SIGKILL) leaves it there: the
 *   next claim of NAME removes it when nobody owns it, and gives NAME back to
 *   a live owner who was not replaced yet. Until then unixconn_dial
 *   reach him, and programs that only know connect(2) do not. In a sticky
 *   directory that holds for our own files alone. Where .unixmsg-NAME is taken,
 *   or the file system has no RENAME_NOREPLACE (rename(2)), the name for that
 *   moment is .unixmsg. and 16 digits. That one tells no NAME: what a killed
 *   process leaves there stays until somebody removes it, except in the
 *   directory of a user's own clients, where later clients do.
 * - Owner, group and mode are in force before the first peer can get in. The
 *   process's umask does not matter and is not changed. Some file systems
 *   accept a mode or an owner and keep their own: when the file lets more
 *   users write than was asked for, or shows another owner, the claim fails
 *   with ENOTSUP and leaves no file. Users whom a default access list of the
 *   directory names, see acl(5), get in where mode lets the group.
 * - A directory that everybody may write to and that has no sticky bit is
 *   refused: EPERM. There anybody could put his own socket in the place of
 *   yours.
 * - A path may be longer than 108 bytes; its file name then up to 90.
 * - Without /proc a longer path is ENOSYS, as is a mode that the umask is in
 *   the way of, before Linux 6.6, or a dead file whose way has no room in an
 *   address. All else does without.
 * - The kernel is told the absolute path where it has room for it, so that
 *   ss(8), lsof(8) and peers see that one.
 *
 * _close removes the file if it is still the one that was made (same device
 * and inode), and only in the process that made it: a child of fork(2) that
 * closes its copy takes nothing away.
 *
 * An abstract name is bound as it stands and goes with its last descriptor;
 * owner, group and mode do not apply, and everybody in the network namespace
 * can reach it.
 */
#ifndef UNIXMSG_LISTEN_H
#define UNIXMSG_LISTEN_H

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of struct unixlisten_options. */

/* _close leaves the socket file where it is. */
#define UNIXMSG_LISTEN_KEEP 0x1u
/* Bind in a directory that everybody may write to, sticky bit or not. */
#define UNIXMSG_LISTEN_UNSAFE_DIRECTORY 0x2u
/* Take the name over from a live owner too. It notices nothing, keeps its
 * connections, and gets no new ones; its close leaves our file alone. Clients
 * that connect at that moment may find nobody listening, and those that do not
 * use unixconn_dial the name missing: UNIXMSG_DIAL_WAIT bridges it. An abstract
 * name cannot be taken over. */
#define UNIXMSG_LISTEN_REPLACE 0x4u
/* user, and group, are meant. Without the flag they are 0, which alone would
 * be root. */
#define UNIXMSG_LISTEN_USER 0x8u
#define UNIXMSG_LISTEN_GROUP 0x10u
/* unixservice_listen only, of "unix": hand over bytes as they come, instead of
 * framed messages. */
#define UNIXMSG_LISTEN_BYTES 0x20u

/*
 * All zero is the defaults: fill in what you need,
 *
 *	struct unixlisten_options options = { .mode = 0660, .backlog = 64 };
 *
 * EINVAL is what cannot be meant: unknown flags, a mode above 0777, an id
 * without its flag, anything below zero.
 */
struct unixlisten_options {
	/* Permissions of the socket file, to 0777. Only the write bits count:
	 * who has one may connect and send. 0, the default, is 0600; for root
	 * alone say 0400. */
	mode_t mode;
	/* Owner and group of the file, with UNIXMSG_LISTEN_USER and
	 * UNIXMSG_LISTEN_GROUP; else they are left as they are. */
	uid_t user;
	gid_t group;
	/* UNIXMSG_LISTEN_..., default 0. */
	unsigned int flags;
	/* Connections that may wait to be accepted; default 0, the system's
	 * largest (net.core.somaxconn). Of no meaning for datagrams. */
	int backlog;
	/* The stop descriptor, see unixmsg/deadline.h; 0, the default, and -1
	 * for none. Accepted connections begin with it too. */
	int stop_fd;
	/* What is received besides the payload, from the first message on:
	 * UNIXMSG_WANT_..., see unixmsg/msg.h; default 0. A service adds what
	 * its own options want. */
	unsigned int wants;
	unsigned int unused; /* 0 */
	/* How long calls try before they sleep, see unixmsg/deadline.h; default
	 * 0. Accepting does not spin, but accepted connections do. */
	int64_t spin_us;
	/* A number of your own, by which a service tells the sockets apart that
	 * it serves, see unixservice_get_tag. */
	uint64_t tag;
	/* For later versions: 0. */
	uint64_t reserved[7];
};

#define UNIXMSG_LISTEN_OPTIONS_INIT \
	{                           \
		0                   \
	}

#ifdef __cplusplus
}
#endif
#endif
