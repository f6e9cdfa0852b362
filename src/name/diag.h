/* SPDX-License-Identifier: MIT */
/*
 * diag: what the kernel tells of the Unix sockets of this network namespace,
 * over NETLINK_SOCK_DIAG. Nothing is connected to, no owner notices.
 */
#ifndef UNIXMSG_DIAG_H
#define UNIXMSG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unixmsg/addr.h"

/* States, with the numbers that the kernel borrows from TCP. */
enum unixdiag_state {
	UNIXDIAG_CONNECTED = 1,
	UNIXDIAG_BOUND = 7, /* or not even that: neither of the others */
	UNIXDIAG_LISTENING = 10,
};

/* What the kernel told, of the members of struct unixdiag_socket. */
enum {
	UNIXDIAG_HAS_FILE = 0x1,
	UNIXDIAG_HAS_PEER = 0x2,
	UNIXDIAG_HAS_QUEUE = 0x4,
	UNIXDIAG_HAS_MEMORY = 0x8,
	UNIXDIAG_HAS_SHUTDOWN = 0x10,
	UNIXDIAG_HAS_USER = 0x20,
	UNIXDIAG_HAS_PENDING = 0x40,
};

/*
 * A file as sock_diag identifies it. The device is that of the file system's
 * superblock, and there are but 32 bits for the inode number.
 */
struct unixdiag_file {
	dev_t dev;
	uint32_t ino;
};

struct unixdiag_socket {
	unsigned int has; /* UNIXDIAG_HAS_... */
	int type;         /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	int state;        /* enum unixdiag_state */
	uint32_t ino;     /* what "socket:[N]" in /proc/PID/fd says */
	uint64_t cookie;
	struct unixaddr addr;
	struct unixdiag_file file; /* that the name stands for */
	/* Its inode number; 0 for a peer that nobody has accepted yet. */
	uint32_t peer;
	/*
	 * Listening: connections that wait, and how many may. Else the bytes
	 * to read, of a datagram socket those of the first message only; and
	 * what was sent and not read, as the kernel charges for it.
	 */
	uint32_t receive_queue;
	uint32_t send_queue;
	uint32_t receive_limit_bytes;
	uint32_t send_limit_bytes;
	unsigned int shutdown; /* 1: does not receive, 2: does not send */
	uid_t user;            /* who made it */
	/* The clients that wait, see unixdiag__get_pending. */
	const unsigned char *pending;
	size_t pending_count;
};

/* The inode number of the client that waits in place index. */
uint32_t unixdiag__get_pending(const struct unixdiag_socket *socket,
	size_t index);

enum unixdiag_kind {
	UNIXDIAG_SOCKET,
	UNIXDIAG_END,   /* error: 0, or why the list ends too early */
	UNIXDIAG_ERROR, /* error: why there is no list */
	UNIXDIAG_OTHER,
};

/* One netlink message. */
struct unixdiag_message {
	enum unixdiag_kind kind;
	bool is_interrupted; /* the list changed while it was made */
	uint32_t sequence;
	int error;
	struct unixdiag_socket socket;
};

/*
 * Reads the message at the beginning of data, and returns how many bytes to
 * go on by. message points into data. -1 with EBADMSG when it is malformed or
 * does not end within size bytes. It asks the kernel nothing.
 */
ssize_t unixdiag__parse(const void *data, size_t size,
	struct unixdiag_message *message);

/*
 * Called for each socket, which is valid during the call; with NULL when the
 * list begins anew and all that came so far has to be forgotten. -1 with errno
 * ends the list.
 */
typedef int unixdiag_take(void *context, const struct unixdiag_socket *socket);

/*
 * Lists all Unix sockets of this network namespace, in no order. Clients that
 * wait are not among what is told. -1 with errno: EBADMSG, what take gave, or
 * what the kernel says (ENOENT, EPROTONOSUPPORT: it has no sock_diag; EINTR:
 * the list changed again and again while it was made).
 */
int unixdiag__list(unixdiag_take *take, void *context);

/* The same, but of each only what it is and its address: half the work. */
int unixdiag__list_names(unixdiag_take *take, void *context);

/* The same, and the file that it is bound to, and the user. */
int unixdiag__list_bindings(unixdiag_take *take, void *context);

/*
 * Tells the user, nothing else, of the socket that socket_fd, which is ours, is
 * connected to. -1 with ENOENT when there is none, or it belongs to another
 * network namespace; or as above.
 */
int unixdiag__find_peer(int socket_fd, struct unixdiag_socket *peer);

/*
 * Tells of one socket what waits to be read (UNIXDIAG_HAS_QUEUE), nothing
 * else. -1 with ENOENT or ESTALE when it is no more, or as above.
 */
int unixdiag__find(uint32_t ino, uint64_t cookie, unixdiag_take *take,
	void *context);

/*
 * The same for who asks often: fd, from unixdiag__open, is kept and closed by
 * the caller, and sequence is another one each time. The kernel goes through
 * all sockets until it has found that one: 0.01 us for each.
 */
int unixdiag__open(void);
int unixdiag__find_by(int fd, uint32_t sequence, uint32_t ino, uint64_t cookie,
	unixdiag_take *take, void *context);

/*
 * Lists the listening sockets with the clients that wait. It is apart because
 * the kernel silently leaves out a socket of which there is more to tell than
 * fits into 32 KiB: a listener for which 8,150 clients wait is one.
 */
int unixdiag__list_pending(unixdiag_take *take, void *context);

/*
 * A mount whose device is known; {0} at the beginning. It saves work when
 * many files of one directory are identified.
 */
struct unixdiag_mount {
	uint64_t id;
	dev_t dev;
};

/* How sock_diag identifies the file that path_fd (O_PATH) names. */
int unixdiag__identify(int path_fd, struct unixdiag_mount *mount,
	struct unixdiag_file *file);

/*
 * The file that a Unix socket of ours is bound to, wherever that is by now. -1
 * with ENOENT when it is bound to none, or belongs to another network
 * namespace; else as unixdiag__list.
 */
int unixdiag__find_file(int socket_fd, struct unixdiag_file *file);

/*
 * 1 when a socket of this network namespace is bound to the file that path_fd
 * (O_PATH) names, 0 when none is. -1 with errno as unixdiag__list.
 */
int unixdiag__is_bound(int path_fd);

#endif
