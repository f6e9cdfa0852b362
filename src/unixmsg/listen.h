/* SPDX-License-Identifier: MIT */
/*
 * unixlisten: how a server claims its name, and releases it.
 *
 * unixlistener_open, unixconn_open and unixservice_listen claim a name, and
 * _close releases it. They take a pointer to struct unixlisten_options, or NULL
 * for the defaults. The owner of a name is the process whose socket has it. The
 * rules for a path:
 *
 * - A live owner keeps its name, and the claim fails with EADDRINUSE. The claim
 *   finds the owner by a connect(2) with another socket type. No owner notices
 *   that: the kernel answers EPROTOTYPE, see unix_find_other in Linux's
 *   net/unix/af_unix.c. So an owner that is bound and does not listen yet
 *   counts as alive, too.
 * - A claim removes the socket file of a dead owner, and takes the name. It can
 *   tell that an owner is dead only if we may write to the file; else the owner
 *   counts as alive. It can never tell on a file system that other machines or
 *   programs share (NFS, 9p, FUSE, virtiofs, and all others that statfs(2) does
 *   not show to be local): the owner may be in another kernel, or its socket
 *   may have another inode. Every owner counts as alive there, and the claim
 *   fails with EADDRINUSE; remove the file, or claim it with
 *   UNIXMSG_LISTEN_REPLACE. Nor does the kernel tell that a directory is a
 *   layer of an overlay, so let all users of a name reach it through the same
 *   mount.
 * - A claim leaves any other file alone, and fails with ENOTSOCK. That includes
 *   a symbolic link, which a claim never follows.
 * - If several processes claim one path at once, exactly one gets it; the
 *   others get EADDRINUSE. Claims and releases lock the directory by flock(2),
 *   which leaves nothing behind. Any user who may read the directory can hold
 *   that lock for ever, even in /tmp. So claims, releases, and dials with
 *   options->own wait for the lock a second at most, and these dials no longer
 *   than until their deadline; then they go on without it. Without the lock, a
 *   claim of a dead name first sets the file aside, then looks at it again, and
 *   puts it back if its owner is alive. So a server that binds between the two
 *   looks has no name for a moment. It loses the name if a third server binds
 *   in that moment, or if the claim is killed then and nobody claims the name
 *   again. Several claims of one dead name at the same moment may all fail with
 *   EADDRINUSE.
 * - A server that takes no lock may remove our file at once and put its own
 *   there. If it does so before our claim is complete, it wins: the claim fails
 *   with EADDRINUSE and leaves that file alone. The kernel tells which file is
 *   ours by NETLINK_SOCK_DIAG, even if the file system shows another owner. If
 *   the kernel does not answer, the owner of the file decides: a file of our
 *   own user counts as ours, even if another server of that user made it at the
 *   moment of our bind(2), and a file of another user fails the claim with
 *   EADDRINUSE.
 * - A claim or a release renames the file NAME to .unixmsg-NAME for a moment
 *   before it removes or replaces it. A process that is killed then (SIGKILL)
 *   leaves that file. The next claim of NAME removes it if its owner is dead,
 *   and gives NAME back to a live owner that was not replaced yet. Until then
 *   unixconn_dial reaches that owner, but connect(2) does not. In a sticky
 *   directory all this holds only for files of our own user and of root. If
 *   .unixmsg-NAME exists already, or the file system has no RENAME_NOREPLACE
 *   (rename(2)), the temporary name is .unixmsg.N with 16 digits, and does not
 *   contain NAME. The file of a killed process then stays until somebody
 *   removes it. Only in the directory where unixconn_dial puts the files of
 *   clients, later clients of the same user remove it.
 * - Owner, group and mode are in force before the first peer can connect. The
 *   process's umask has no effect, and does not change. Some file systems
 *   accept a mode or an owner, and keep their own. If the file then lets more
 *   users write than the options do, or shows another owner, the claim fails
 *   with ENOTSUP and leaves no file. The default access list of the directory,
 *   see acl(5), also applies: its users may connect if mode lets the group
 *   connect.
 * - A claim fails with EPERM in a directory that everybody may write to and
 *   that has no sticky bit. Anybody could replace your socket there.
 * - A path may be longer than 108 bytes; its file name may then have 90 bytes
 *   at most.
 * - Without /proc a claim fails with ENOSYS for a longer path, for a mode that
 *   the umask forbids (before Linux 6.6), and for a dead file whose path does
 *   not fit into an address. Everything else works without /proc.
 * - The kernel gets the absolute path if that fits into an address, so ss(8),
 *   lsof(8) and peers see that path.
 *
 * _close removes the file if it is still the same (device and inode), and only
 * in the process that made it: a child of fork(2) that closes its copy removes
 * nothing.
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

/* Makes _close leave the socket file where it is. */
#define UNIXMSG_LISTEN_KEEP 0x1u
/* Allows a directory that everybody may write to, with or without a sticky
 * bit. */
#define UNIXMSG_LISTEN_UNSAFE_DIRECTORY 0x2u
/*
 * Takes over the name of a live owner, too. The owner notices nothing, keeps
 * its connections and gets no new ones; its close leaves our file alone. A
 * client that connects at that moment may find no listener, and one that does
 * not use unixconn_dial may find no file: UNIXMSG_DIAL_WAIT waits for both. Not
 * for abstract names.
 */
#define UNIXMSG_LISTEN_REPLACE 0x4u
/* Applies the user, or the group, of the options. Without its flag each must be
 * 0, since 0 alone would mean root. */
#define UNIXMSG_LISTEN_USER 0x8u
#define UNIXMSG_LISTEN_GROUP 0x10u
/* unixservice_listen only, on "unix": the handler gets plain bytes, as each
 * read gives them, instead of framed messages. */
#define UNIXMSG_LISTEN_BYTES 0x20u

/*
 * A structure of zeros has the defaults. Fill in what you need:
 *
 *	struct unixlisten_options options = { .mode = 0660, .backlog = 64 };
 *
 * EINVAL for options that make no sense: unknown flags, a mode above 0777, an
 * id without its flag, a value below zero.
 */
struct unixlisten_options {
	/* Permissions of the socket file, at most 0777. Only the write bits
	 * matter: they let a user connect and send. 0, the default, is 0600. To
	 * let nobody but root connect, use 0400. */
	mode_t mode;
	/* Owner and group of the file, with UNIXMSG_LISTEN_USER and
	 * UNIXMSG_LISTEN_GROUP; else bind(2) decides. */
	uid_t user;
	gid_t group;
	/* UNIXMSG_LISTEN_..., default 0. */
	unsigned int flags;
	/* The most connections that wait for an accept; default 0, the system's
	 * largest (net.core.somaxconn). It has no effect on datagrams. */
	int backlog;
	/* The stop descriptor, see unixmsg/deadline.h; 0, the default, and -1
	 * for none. Accepted connections inherit it. */
	int stop_fd;
	/* The parts of a message to receive besides the payload, from the first
	 * message on: UNIXMSG_WANT_..., see unixmsg/msg.h; default 0. A service
	 * adds the wants of its own options. */
	unsigned int wants;
	unsigned int unused; /* 0 */
	/* The time that calls spin before they sleep, see unixmsg/deadline.h;
	 * default 0. Accepted connections spin; unixlistener_accept does
	 * not. */
	int64_t spin_us;
	/* A number of your own, which tells the sockets of a service apart, see
	 * unixservice_get_tag. */
	uint64_t tag;
	/* The bytes of memory for each direction of a lane, see
	 * unixlistener_set_lane; default 0, no lanes. ENOTSUP: not of
	 * unixpacket. A service limits the memory of all, see lane_bytes_max
	 * in unixmsg/service.h. */
	uint64_t lane_bytes;
	/* For later versions: 0. */
	uint64_t reserved[6];
};

#define UNIXMSG_LISTEN_OPTIONS_INIT \
	{                           \
		0                   \
	}

#ifdef __cplusplus
}
#endif
#endif
