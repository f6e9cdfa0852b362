/* SPDX-License-Identifier: MIT */
/*
 * unixlisten: how a server gets its name, and gives it up again.
 *
 * unixlistener_open, unixconn_open and unixservice_listen take struct
 * unixlisten_options, or NULL for the defaults. The rules for a path:
 *
 * - A live owner keeps its name: EADDRINUSE. A claim finds it by a connect(2)
 *   with another socket type, which no owner notices: the kernel answers
 *   EPROTOTYPE, see unix_find_other in net/unix/af_unix.c. So an owner that is
 *   bound and does not listen yet counts as alive, too.
 * - A claim removes the socket file of a dead owner, and takes the name. It can
 *   tell that an owner is dead only if we may write to the file; else the owner
 *   counts as alive. Nor can it tell on a file system that other machines or
 *   programs share, since the owner may be in another kernel or have another
 *   inode: NFS, 9p, FUSE, virtiofs, and all that statfs(2) does not show to be
 *   local. There every file counts as alive, too: EADDRINUSE; remove the file,
 *   or claim it with UNIXMSG_LISTEN_REPLACE. The kernel does not tell that a
 *   directory is a layer of an overlay: let all users of a name reach it
 *   through the same mount.
 * - A claim leaves any other file alone: ENOTSOCK. That includes a symbolic
 *   link, which a claim never follows.
 * - If several processes claim one path at once, exactly one gets it; the
 *   others get EADDRINUSE. Claims and releases lock the directory by flock(2),
 *   which leaves nothing behind. Everybody who may read the directory can hold
 *   that lock for ever, in /tmp too. So claims and releases wait for it for a
 *   second at most, and a dial not beyond its deadline; then they go on without
 *   it. Without the lock, a claim of a dead name looks again at the file that
 *   it has set aside, and puts the file of a live owner back. For that moment a
 *   server that binds between the two looks has no name. It loses the name if a
 *   third server binds in that moment, or if the claim is killed then and
 *   nobody claims the name again. Several claims of one dead name at the same
 *   moment may all fail with EADDRINUSE.
 * - A server that takes no lock may remove our file at once and put its own
 *   there. If it does so before our claim is complete, it wins: the claim fails
 *   with EADDRINUSE and leaves that file alone. The kernel tells by
 *   NETLINK_SOCK_DIAG which file is ours, even if the file system shows another
 *   owner. Without that answer, a file that a server of our own user makes at
 *   the moment of our bind(2) counts as ours, and a file of another user as
 *   that user's: EADDRINUSE.
 * - A claim or a release renames a file to .unixmsg-NAME for a moment before it
 *   removes or replaces it. A process that is killed then (SIGKILL) leaves that
 *   file. The next claim of NAME removes it if nobody owns it, and gives NAME
 *   back to a live owner that was not replaced yet. Until then that owner can
 *   be reached by unixconn_dial, but not by programs that only know connect(2).
 *   In a sticky directory that holds for files of our own user and of root
 *   only. If .unixmsg-NAME exists already, or the file system has no
 *   RENAME_NOREPLACE (rename(2)), the temporary name is .unixmsg.N with 16
 *   digits, which does not tell NAME. The file of a killed process then stays
 *   until somebody removes it; in the directory of a user's own clients, later
 *   clients do.
 * - Owner, group and mode are in force before the first peer can connect. The
 *   process's umask has no effect, and does not change. Some file systems
 *   accept a mode or an owner and keep their own. If the file then lets more
 *   users write than the options, or shows another owner, the claim fails with
 *   ENOTSUP and leaves no file. Users in a default access list of the
 *   directory, see acl(5), get in if mode lets the group in.
 * - A claim refuses a directory that everybody may write to and that has no
 *   sticky bit: EPERM. Anybody could replace your socket there.
 * - A path may be longer than 108 bytes; its file name then has 90 at most.
 * - Without /proc, ENOSYS: a longer path; before Linux 6.6 a mode that the
 *   umask forbids; a dead file whose path does not fit into an address.
 *   Everything else works without /proc.
 * - The kernel gets the absolute path if that fits into an address, so ss(8),
 *   lsof(8) and peers see that path.
 *
 * _close removes the file if it is still the one that was made (same device and
 * inode), and only in the process that made it: a child of fork(2) that closes
 * its copy removes nothing.
 *
 * An abstract name is bound byte for byte, and disappears with its last
 * descriptor. Owner, group and mode do not apply, and everybody in the network
 * namespace can reach it.
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
/* Binds in a directory that everybody may write to, sticky bit or not. */
#define UNIXMSG_LISTEN_UNSAFE_DIRECTORY 0x2u
/*
 * Takes the name over from a live owner, too. The owner notices nothing, keeps
 * its connections and gets no new ones; its close leaves our file alone. A
 * client that connects at that moment may find nobody listening, and one that
 * does not use unixconn_dial may find no file: UNIXMSG_DIAL_WAIT bridges that.
 * Not for abstract names.
 */
#define UNIXMSG_LISTEN_REPLACE 0x4u
/* The user, or the group, in the options counts. Without its flag it must be 0,
 * since 0 alone would mean root. */
#define UNIXMSG_LISTEN_USER 0x8u
#define UNIXMSG_LISTEN_GROUP 0x10u
/* unixservice_listen only, on "unix": gives the handler bytes as they come,
 * instead of framed messages. */
#define UNIXMSG_LISTEN_BYTES 0x20u

/*
 * All zero is the defaults: fill in what you need,
 *
 *	struct unixlisten_options options = { .mode = 0660, .backlog = 64 };
 *
 * EINVAL for options that make no sense: unknown flags, a mode above 0777, an
 * id without its flag, a value below zero.
 */
struct unixlisten_options {
	/* Permissions of the socket file, to 0777. Only the write bits count:
	 * they let a user connect and send. 0, the default, is 0600; for root
	 * alone say 0400. */
	mode_t mode;
	/* Owner and group of the file, with UNIXMSG_LISTEN_USER and
	 * UNIXMSG_LISTEN_GROUP; else they stay as they are. */
	uid_t user;
	gid_t group;
	/* UNIXMSG_LISTEN_..., default 0. */
	unsigned int flags;
	/* The most connections that wait for an accept; default 0, the system's
	 * largest (net.core.somaxconn). Without effect on datagrams. */
	int backlog;
	/* The stop descriptor, see unixmsg/deadline.h; 0, the default, and -1
	 * for none. Accepted connections begin with it too. */
	int stop_fd;
	/* The parts of a message to receive besides the payload, from the first
	 * message on: UNIXMSG_WANT_..., see unixmsg/msg.h; default 0. A service
	 * adds the wants of its own options. */
	unsigned int wants;
	unsigned int unused; /* 0 */
	/* The time that calls spin before they sleep, see unixmsg/deadline.h;
	 * default 0. Accepted connections spin, the accept does not. */
	int64_t spin_us;
	/* A number of your own, by which a service tells its sockets apart, see
	 * unixservice_get_tag. */
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
