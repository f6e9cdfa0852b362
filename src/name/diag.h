/* SPDX-License-Identifier: MIT */
/*
 * diag: the kernel's list of the Unix sockets in this network namespace, by
 * NETLINK_SOCK_DIAG. It connects to no socket, so no owner notices.
 */
#ifndef UNIXMSG_DIAG_H
#define UNIXMSG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unixmsg/addr.h"

/* States, by the numbers that the kernel borrows from TCP. */
enum unixdiag_state {
	UNIXDIAG_CONNECTED = 1,
	UNIXDIAG_BOUND = 7, /* any other state, even unbound */
	UNIXDIAG_LISTENING = 10,
};

/* The members of struct unixdiag_socket that the kernel has filled in. */
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
 * superblock, and the inode number has only 32 bits.
 */
struct unixdiag_file {
	dev_t dev;
	uint32_t ino;
};

struct unixdiag_socket {
	unsigned int has; /* UNIXDIAG_HAS_... */
	int type;         /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	int state;        /* enum unixdiag_state */
	uint32_t ino;     /* N of "socket:[N]" in /proc/PID/fd */
	uint64_t cookie;
	struct unixaddr addr;
	struct unixdiag_file file; /* that it is bound to */
	/* The inode number of its peer; 0 for a peer not accepted yet. */
	uint32_t peer;
	/*
	 * In a listener: the connections that wait, and their limit. In other
	 * sockets: the bytes to read, of a datagram socket those of the first
	 * message only; and the bytes sent and not yet read, as the kernel
	 * charges them.
	 */
	uint32_t receive_queue;
	uint32_t send_queue;
	uint32_t receive_limit_bytes;
	uint32_t send_limit_bytes;
	unsigned int shutdown; /* 1: does not receive, 2: does not send */
	uid_t user;            /* its creator */
	/* The clients that wait to be accepted, see unixdiag__get_pending. */
	const unsigned char *pending;
	size_t pending_count;
};

/* Returns the inode number of the waiting client with that index. */
uint32_t unixdiag__get_pending(const struct unixdiag_socket *socket,
	size_t index);

enum unixdiag_kind {
	UNIXDIAG_SOCKET,
	UNIXDIAG_END,   /* error: 0, or why the list ends early */
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
 * Parses the message at the beginning of data and returns the offset of the
 * next one. message points into data. Returns -1 with EBADMSG if the message is
 * malformed or does not end within size bytes. It does not ask the kernel.
 */
ssize_t unixdiag__parse(const void *data, size_t size,
	struct unixdiag_message *message);

/*
 * Called for each socket, which is valid during the call. A call with NULL says
 * that the list starts again, and that everything so far must be dropped. A
 * return of -1 with errno ends the list.
 */
typedef int unixdiag_take(void *context, const struct unixdiag_socket *socket);

/*
 * Lists all Unix sockets of this network namespace, in no order and without
 * their waiting clients. Returns -1 with errno: EBADMSG, an errno of take, or
 * one of the kernel (ENOENT, EPROTONOSUPPORT: it has no sock_diag; EINTR: the
 * list changed at every try).
 */
int unixdiag__list(unixdiag_take *take, void *context);

/* Does the same with the state and the address only: half the work. */
int unixdiag__list_names(unixdiag_take *take, void *context);

/* Does the same, and adds the file that it is bound to, and the user. */
int unixdiag__list_bindings(unixdiag_take *take, void *context);

/*
 * Gets the user, and nothing else, of the peer of our own socket_fd. Returns -1
 * with ENOENT when it has none, or one in another network namespace; or with an
 * errno as above.
 */
int unixdiag__find_peer(int socket_fd, struct unixdiag_socket *peer);

/*
 * Gives take the queue of one socket (UNIXDIAG_HAS_QUEUE), and nothing else.
 * Returns -1 with ENOENT or ESTALE when the socket no longer exists, or with an
 * errno as above.
 */
int unixdiag__find(uint32_t ino, uint64_t cookie, unixdiag_take *take,
	void *context);

/*
 * Does the same for a caller that asks often. fd is from unixdiag__open, the
 * caller closes it; sequence must be another number each time. The kernel
 * searches all its sockets, at 0.01 us each.
 */
int unixdiag__open(void);
int unixdiag__find_by(int fd, uint32_t sequence, uint32_t ino, uint64_t cookie,
	unixdiag_take *take, void *context);

/*
 * Lists the listening sockets with the clients that wait. It is a separate call
 * because the kernel silently leaves out a socket with more data than fits into
 * 32 KiB, such as a listener with 8,150 waiting clients.
 */
int unixdiag__list_pending(unixdiag_take *take, void *context);

/*
 * A mount with its device; {0} at the beginning. It saves work when many files
 * of one directory are identified.
 */
struct unixdiag_mount {
	uint64_t id;
	dev_t dev;
};

/* Identifies the file of path_fd (O_PATH) as sock_diag does. */
int unixdiag__identify(int path_fd, struct unixdiag_mount *mount,
	struct unixdiag_file *file);

/*
 * Finds the file that our Unix socket is bound to, wherever the file is now.
 * Returns -1 with ENOENT when it is bound to none, or is in another network
 * namespace; else like unixdiag__list.
 */
int unixdiag__find_file(int socket_fd, struct unixdiag_file *file);

/*
 * Returns 1 when a socket of this network namespace is bound to the file of
 * path_fd (O_PATH), 0 when none is, or -1 like unixdiag__list.
 */
int unixdiag__is_bound(int path_fd);

#endif
