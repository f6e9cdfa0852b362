/* SPDX-License-Identifier: MIT */
/*
 * unixgram: datagrams (SOCK_DGRAM). They are reliable and in order here, but
 * a receiver whose queue is full makes senders wait, or fail with EAGAIN.
 *
 * A server opens an endpoint bound to a name, receives with the sender's
 * address and sends to it. A client dials: its endpoint is connected to the
 * server, so that it takes messages from nobody else, and has an address that
 * the server can answer to.
 *
 * A datagram has no end of connection: receiving gives 1 or -1, never 0. A
 * client is not woken when its server dies; its next send fails with
 * ECONNREFUSED, those after it with ENOTCONN, unless it connects again
 * (UNIXMSG_DIAL_RECONNECT). In between nobody's messages get to it, and what
 * was in its queue is gone: the kernel would let in everybody, so that send
 * connects it to a socket of nobody's. Without a descriptor for that, receiving
 * fails with ENOTCONN. A thread that receives at the very moment when another's
 * send fails may still get what was sent in between.
 *
 * Another process that holds the same socket can shut it down for all, see
 * shutdown(2). The messages that are in the queue are received; a call that
 * would then wait fails with ESHUTDOWN, since no message can come any more. With
 * UNIXMSG_NOW that is EAGAIN as ever: poll(2) tells by POLLRDHUP. An empty
 * message of an unnamed sender that is the last in the queue of a socket that
 * was shut down looks like nothing, and is lost with ESHUTDOWN where the call
 * has no deadline and no stop descriptor. Sends fail with EPIPE.
 */
#ifndef UNIXMSG_GRAM_H
#define UNIXMSG_GRAM_H

#include "addr.h"
#include "buffer.h"
#include "deadline.h"
#include "dial.h"
#include "msg.h"
#include "name.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unixgram;

/* What a send does when there is no room for the message. */
enum unixgram_policy {
	/* Wait until the deadline of the call; the default. */
	UNIXGRAM_WAIT,
	/* Drop it, count it, and give 1. */
	UNIXGRAM_DROP,
	/* Fail with EAGAIN, whatever the deadline. */
	UNIXGRAM_FAIL,
};

/* What has happened so far; each send ends up in sent, dropped or failed. */
struct unixgram_counters {
	uint64_t sent;
	uint64_t dropped;
	uint64_t failed;     /* errors of any kind, deadlines too */
	uint64_t waited;     /* sends that had to wait for room */
	uint64_t reconnects; /* see UNIXMSG_DIAL_RECONNECT */
	uint64_t received;
	uint64_t cut; /* received, but larger than the room for it */
	uint64_t reserved[9];
};

/*
 * Opens an endpoint bound to address, see unixmsg/addr.h and unixmsg/name.h;
 * options may be NULL. May wait for the lock on the directory, no longer than
 * unixmsg/name.h says. NULL on failure, nothing is left behind. Errors:
 * EINVAL, ENAMETOOLONG, EADDRINUSE, ENOTSOCK, EPERM, and those of socket(2),
 * bind(2), open(2), chown(2), malloc(3).
 */
struct unixgram *unixgram_open(const char *address,
	const struct unixname_options *options);

/*
 * Opens an endpoint connected to server, see unixmsg/dial.h; options may be
 * NULL. Its own address, without options->own, is one that can be answered:
 *
 * - An abstract server: a free abstract name, chosen by the kernel.
 * - A server on a path: a socket file of our own, in a directory unixmsg-UID,
 *   which is made when needed, under the first of $XDG_RUNTIME_DIR, if that is
 *   ours, $TMPDIR, if it is ours or root's and not open to everybody without
 *   the sticky bit, and /tmp, that all users may pass; if there is none, the
 *   first that will do. Should the directory be another user's, the file is
 *   beside it, unixmsg-UID.*. Its
 *   mode is 0666: it is the connection that keeps all but the server out. Who
 *   serves need not be who owns the server's file: supervisors hand sockets
 *   over, and daemons give up their rights. Only where file and socket are of
 *   our own user, which is not root, $XDG_RUNTIME_DIR is taken in any case and
 *   the mode is 0600. Files of clients that were killed lie there until later
 *   clients of the same user remove them, up to 64 a dial.
 *   Nobody waits for that, nor for a lock that others hold on the directory.
 *
 * A path in options->own is made absolute, and is ENAMETOOLONG when that does
 * not fit into an address: the server could not answer. What was sent before
 * the return is nothing: nobody can slip a message in between.
 *
 * Waits only with UNIXMSG_DIAL_WAIT. NULL on failure, nothing is left behind.
 * Errors: those of unixmsg/dial.h and of unixgram_open.
 */
struct unixgram *unixgram_dial(const char *server,
	const struct unixdial_options *options, int64_t deadline_us);

/*
 * Two endpoints connected to each other, for a parent and a child. pair[0] and
 * pair[1] are untouched on failure. Errors: those of socketpair(2), malloc(3).
 */
int unixgram_pair(struct unixgram *pair[2]);

/*
 * Makes an endpoint of a descriptor that somebody else has opened: inherited
 * from a supervisor, received, or duplicated. It belongs to the endpoint then,
 * and becomes close-on-exec; its file is not removed on close unless asked
 * for. NULL on failure, fd stays yours: ENOTSOCK, EAFNOSUPPORT (no Unix
 * socket), EPROTOTYPE (not SOCK_DGRAM), EBADF, or those of malloc(3).
 */
struct unixgram *unixgram_adopt(int fd);

/*
 * Removes the socket file if it is still ours, closes the descriptor, frees
 * gram, which may be NULL. -1 with errno when the file could not be removed;
 * gram is gone all the same.
 */
int unixgram_close(struct unixgram *gram);

/* The descriptor, for poll(2) and socket options. It stays gram's. */
int unixgram_get_fd(const struct unixgram *gram);

/* See unixmsg/deadline.h. -1 for none. */
void unixgram_set_stop_fd(struct unixgram *gram, int stop_fd);

/* See unixmsg/deadline.h. 0 for off. */
void unixgram_set_spin_us(struct unixgram *gram, int64_t spin_us);

/*
 * Whether unixgram_close removes the socket file: by default yes, unless
 * UNIXMSG_NAME_KEEP was given, the socket was adopted, or a fork(2) came after
 * it was bound, where the parent's close removes it. For an adopted one the
 * file is looked up at its address and must be the one it is bound to: ESTALE
 * when it is not, ENOENT when there is none, EINVAL for a relative path, or
 * those of sock_diag(7). 0 without effect where there is no path. true in a
 * child of fork(2) makes the child the owner of the file, see
 * unixlistener_set_unlink_on_close.
 */
int unixgram_set_unlink_on_close(struct unixgram *gram, bool is_wanted);

/*
 * What shall be received besides the payload: UNIXMSG_WANT_... of
 * unixmsg/msg.h, 0 at the beginning. Messages that are in the queue already may
 * lack it. Errors: EINVAL (unknown bits), ENOTSUP (UNIXMSG_WANT_PIDFD before
 * Linux 6.5); nothing has changed then.
 */
int unixgram_want(struct unixgram *gram, unsigned int wants);

/* The address it is bound to. Errors: those of getsockname(2). */
int unixgram_get_address(const struct unixgram *gram, struct unixaddr *addr);

/* The address it is connected to. Errors: ENOTCONN. */
int unixgram_get_peer(const struct unixgram *gram, struct unixaddr *addr);

/*
 * Whether the server can answer a client that has dialled. -1 with EACCES: only
 * our own user, and root with all its rights, may write to our address or get
 * there, and the server may run as another; ENOENT or ESTALE: our file is gone,
 * or another one stands there now; ENOTCONN. 0: it can, or nothing can be known
 * (abstract names, other namespaces).
 */
int unixgram_check_answer(const struct unixgram *gram);

/*
 * The largest message in bytes that can be sent: the kernel bounds it by the
 * sender's SO_SNDBUF less 32, and never does much above 4 MiB. Errors: those
 * of getsockopt(2).
 */
int unixgram_get_size_max(const struct unixgram *gram, size_t *size);

/*
 * Sends size bytes at data, which may be 0, as one message to the connected
 * peer. Waits while its queue, or our send buffer, is full. 0; 1 when it was
 * dropped, see UNIXGRAM_DROP; or -1 with
 * EMSGSIZE (larger than unixgram_get_size_max), ENOTCONN, ECONNREFUSED (the
 * peer is gone), EAGAIN, ETIMEDOUT, ECANCELED, or those of sendmsg(2). On
 * failure nothing was sent.
 */
int unixgram_send(struct unixgram *gram, const void *data, size_t size,
	int64_t deadline_us);

/*
 * The same to any address, for an endpoint that is not connected: EISCONN on
 * one that is. An address that a message came from leads where its sender
 * likes: see unixgram_prove_sender. The kernel finds the way to a path, and
 * waits for a file system that hangs, whatever the deadline. Also EINVAL (an
 * unnamed address: that sender cannot be answered), ENOENT, EACCES, EPROTOTYPE,
 * EPERM (it is connected to another). When the receiver's queue is full the
 * kernel gives nothing to wait for: waiting is then trying again after pauses
 * of 0.25 to 16 ms.
 */
int unixgram_send_to(struct unixgram *gram, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us);

/*
 * Proves that an answer to a message that gram has received gets to its sender,
 * and not to whom else its address leads on our side. from is that address, and
 * writer the credentials that came with it (UNIXMSG_WANT_CRED). 0: *to is where
 * to send by unixgram_send_to, and *held_fd a descriptor that holds the file
 * fast meanwhile, to be closed by close(2) when nothing more is to be sent, or
 * -1. Keep both, a proof costs some ten system calls; unixservice does. Later
 * messages cost no further call. To a held file they are some 0.7 us slower
 * than by a path: the kernel sends a datagram to a name, never to a descriptor,
 * and the one name that stays with a file, /proc/self/fd/N, has two links. -1,
 * to and held_fd are left alone, with EPERM (it cannot be proved: do not
 * answer), EINVAL (from is unnamed), ENOENT and ECONNREFUSED (the sender has
 * gone), or those of open(2), connect(2). A shortage (EMFILE, ENFILE, ENOMEM,
 * ENOBUFS) is told, never taken for a lack of sock_diag(7): try again later.
 * Threads may call it at once.
 *
 * The kernel hands on what the sender has given to bind(2), as text. Where that
 * leads on our side is the sender's choice, by a symbolic link, a name relative
 * to his directory, or a mount namespace of his own: to a socket that only we
 * may write to, to a client that is connected to us and believes all that it
 * gets, or back to ourselves for ever. Proved is
 *
 * - a path that is absolute, not our own address, and leads to a socket whose
 *   file, or better, where sock_diag(7) tells, which itself belongs to the
 *   user who wrote the message; if nobody is connected to it its name must be
 *   that path. Through symbolic links only sock_diag's word counts.
 * - an abstract name where the writer is root or our own user, or which a
 *   socket of the writer's has in our network namespace. Without sock_diag, if
 *   our own name is abstract, too: then his is in the same namespace.
 *
 * Not proved, and not answered: credentials are missing; the writer has
 * another user than his socket (a set-user-ID client; one that has dropped its
 * rights since it was bound; a socket inherited from another user); we are in a
 * user namespace and the writer has no number there. Not to be told apart are
 * two sockets of one user, nor, of one that is connected, who has given its
 * file away by chown(2). So a user can have two services of his own, which
 * answer everything, answer each other for ever: with a message in the name of
 * one, out of a mount or network namespace, or of a client whose name the
 * other has taken since. The kernel tells who wrote, not by which socket, and
 * an answer bears no mark that a service could see. Other users cannot do it.
 * A service that answers answers needs an end of its own, such as a count.
 An abstract name cannot be held fast: when its owner
 * gives it up between message and answer, who has it then gets the answer.
 *
 * It does not wait: files are taken out of the kernel's cache, where those of
 * live sockets are, and what is not there is refused (EPERM) where a mount of a
 * kind that may hang is on the way (FUSE, NFS and the like; Linux 5.12, and
 * /proc). Links, 40 of them at most (ELOOP), are followed the same way. What
 * can still make it wait: a file system that lets the kernel keep its names,
 * and does not answer when it is asked for permissions; and one that begins to
 * hang after the proof holds up the send.
 * Without /proc there is no *held_fd: the file may be replaced at any time.
 */
int unixgram_prove_sender(const struct unixgram *gram,
	const struct unixaddr *from, const struct unixcred *writer,
	struct unixaddr *to, int *held_fd);

/*
 * Receives one message into data, which has room for room bytes. Gives 1;
 * *size is its true size in bytes, *from the sender, unnamed if it is bound to
 * no name. size and from may be NULL. -1 with EMSGSIZE when the message was
 * larger than room: it is gone, *size and *from are set; EAGAIN, ETIMEDOUT,
 * ECANCELED, ESHUTDOWN (see above), or those of recvmsg(2).
 */
int unixgram_recv(struct unixgram *gram, void *data, size_t room, size_t *size,
	struct unixaddr *from, int64_t deadline_us);

/* The same with struct unixmsg: msg->addr may be NULL. Also EINVAL. */
int unixgram_send_msg(struct unixgram *gram, const struct unixmsg *msg,
	int64_t deadline_us);
int unixgram_recv_msg(struct unixgram *gram, struct unixmsg *msg,
	int64_t deadline_us);

/*
 * The size in bytes of the next message, which stays in the queue. 1, or -1
 * with EAGAIN, ETIMEDOUT, ECANCELED, ESHUTDOWN.
 */
int unixgram_get_next_size(struct unixgram *gram, size_t *size,
	int64_t deadline_us);

/*
 * Raises the largest message that can be sent to wanted bytes, or to as much
 * as the system allows: *reached tells, 0 either way. It never lowers it. See
 * net.core.wmem_max; CAP_NET_ADMIN passes it. Errors: those of getsockopt(2).
 */
int unixgram_raise_size_max(struct unixgram *gram, size_t wanted,
	size_t *reached);

/*
 * How much of what was sent has not been read yet, in bytes as the kernel
 * charges for it (SIOCOUTQ): some 768 for a small message. It is the only
 * honest figure, the receiver's shows its first message at most. Errors: those
 * of ioctl(2).
 */
int unixgram_get_unread(const struct unixgram *gram, size_t *bytes);

/*
 * As unixgram_recv, into a buffer that grows to the message: two system calls,
 * the first asks for the size. EMSGSIZE when it is larger than
 * buffer->room_max: the message is gone, buffer->size tells how large it was.
 * ENOMEM: it stays in the queue. One thread at a time.
 */
int unixgram_recv_buffer(struct unixgram *gram, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us);

/*
 * Sends count messages, up to UNIXMSG_BATCH_MAX with one system call. 0 when
 * all were sent; -1 with errno as for unixgram_send_msg, and *sent tells how
 * many have gone before the one that failed. Only that is counted as failed:
 * those behind it were not tried. They carry no descriptors: EINVAL. It does
 * not connect again by itself, and does not count in waited.
 */
int unixgram_send_batch(struct unixgram *gram, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us);

/*
 * Receives as many messages as are there, at most count and at most
 * UNIXMSG_BATCH_MAX, with one system call; it waits only for the first. 1 and
 * *received; -1 as unixgram_recv_msg. A message that was cut is no error here:
 * look at the flags of each for UNIXMSG_CUT. No descriptors and pidfds are
 * received: fds_room is 0, and count is not, or EINVAL.
 */
int unixgram_recv_batch(struct unixgram *gram, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us);

/*
 * Sets what sends do from now on when there is no room. EINVAL: no such
 * policy. Batches do as UNIXGRAM_WAIT in any case.
 */
int unixgram_set_policy(struct unixgram *gram, enum unixgram_policy policy);

/* The counters, each as of some moment during the call. */
void unixgram_get_counters(const struct unixgram *gram,
	struct unixgram_counters *counters);

#ifdef __cplusplus
}
#endif
#endif
