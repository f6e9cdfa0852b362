/* SPDX-License-Identifier: MIT */
/*
 * unixconn: a connection, or a socket for datagrams, on any of the three
 * networks, with the same calls for all of them. What a network cannot do is
 * ENOTSUP.
 *
 *	struct unixconn *conn = unixconn_dial("unixpacket", "/run/x.sock",
 *		NULL, unixdeadline_after_s(10));
 *
 * Networks are named as Go names them; the names in brackets are taken, too.
 *
 * "unixgram" ("dgram"): datagrams, SOCK_DGRAM. They are reliable and in order
 * here, but a receiver whose queue is full makes senders wait, or fail with
 * EAGAIN. A server opens a socket bound to a name, receives with the sender's
 * address and sends to it. A client dials: its socket is connected to the
 * server, so that it takes messages from nobody else, and has an address that
 * the server can answer to. There is no end of a connection: receiving gives 1
 * or -1, never 0. A client is not woken when its server dies; its next send
 * fails with ECONNREFUSED, those after it with ENOTCONN, unless it connects
 * again (UNIXMSG_DIAL_RECONNECT). In between nobody's messages get to it, and
 * what was in its queue is gone: the kernel would let in everybody, so that
 * send connects it to a socket of nobody's. Without a descriptor for that,
 * receiving fails with ENOTCONN. A thread that receives at the very moment when
 * another's send fails may still get what was sent in between.
 *
 * Another process that holds the same socket can shut it down for all, see
 * shutdown(2). The messages that are in the queue are received; a call that
 * would then wait fails with ESHUTDOWN, since no message can come any more.
 * With UNIXMSG_NOW that is EAGAIN as ever: poll(2) tells by POLLRDHUP. An empty
 * message of an unnamed sender that is the last in the queue of a socket that
 * was shut down looks like nothing, and is lost with ESHUTDOWN where the call
 * has no deadline and no stop descriptor. Sends fail with EPIPE.
 *
 * "unixpacket" ("seqpacket"): connections that keep message boundaries,
 * SOCK_SEQPACKET. What one side sends in one call the other receives in one
 * call, in order, nothing lost while both live, and the end of the connection
 * is told.
 *
 * "unix" ("unixstream", "stream"): byte streams, SOCK_STREAM, and whole
 * messages on them for peers that have only streams. Choose one way for a
 * connection: unixconn_read and _write carry bytes as they come; the other
 * calls carry messages, each preceded by its length in four bytes, big-endian.
 *
 * Empty messages are messages on all networks. Two sides that both send without
 * receiving wait for each other once both send buffers are full: a client that
 * sends many messages before it takes the answers sends with UNIXMSG_NOW, and
 * takes an answer on EAGAIN.
 *
 * Connections come from unixconn_dial, and from unixlistener_accept, see
 * unixmsg/listener.h. Every call with a deadline fails with EINVAL where it is
 * negative, see unixmsg/deadline.h.
 *
 * Threads: as unixmsg.h says, but on one "unix" connection only one thread at a
 * time may receive or read, and only one send or write, since a message may
 * take several system calls.
 */
#ifndef UNIXMSG_CONN_H
#define UNIXMSG_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "buffer.h"
#include "deadline.h"
#include "dial.h"
#include "listen.h"
#include "msg.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unixconn;

/* What a send does when there is no room for the message. */
enum unixconn_policy {
	/* Wait until the deadline of the call; the default. */
	UNIXCONN_WAIT,
	/* Drop it, count it, and give 0. Of unix a message of which part has
	 * gone already cannot be dropped: EINPROGRESS, and the next call, with
	 * that message, waits until its deadline. */
	UNIXCONN_DROP,
	/* Fail with EAGAIN, whatever the deadline; of unix as above. */
	UNIXCONN_FAIL,
};

/* What has happened so far; each send ends up in sent, dropped or failed. */
struct unixconn_counters {
	uint64_t sent;
	uint64_t dropped;
	uint64_t failed;     /* errors of any kind, deadlines too */
	uint64_t waited;     /* unixgram: sends that had to wait for room */
	uint64_t reconnects; /* see UNIXMSG_DIAL_RECONNECT */
	uint64_t received;
	uint64_t cut; /* received, but larger than the room for it */
	uint64_t reserved[9];
};

/*
 * Opens a socket for datagrams ("unixgram") bound to address, see
 * unixmsg/addr.h and unixmsg/listen.h; options may be NULL. May wait for the
 * lock on the directory, no longer than unixmsg/listen.h says. NULL on failure,
 * nothing is left behind. Errors: EINVAL (also: no such network, options that
 * cannot be meant), ENOTSUP (a network of connections: see unixlistener_open),
 * ENAMETOOLONG, EADDRINUSE, ENOTSOCK, EPERM, and those of socket(2), bind(2),
 * open(2), chown(2), malloc(3).
 */
struct unixconn *unixconn_open(const char *network, const char *address,
	const struct unixlisten_options *options);

/*
 * Connects to the server at address, see unixmsg/dial.h for options, which may
 * be NULL, and errors; waits while a listener's backlog is full. NULL on
 * failure, nothing is left behind. ENOTSUP: options that are for unixgram only.
 *
 * The own address of a datagram client, without options->own, is one that can
 * be answered:
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
 * There a path in options->own is made absolute, and is ENAMETOOLONG when that
 * does not fit into an address: the server could not answer. What was sent
 * before the return is nothing: nobody can slip a message in between.
 */
struct unixconn *unixconn_dial(const char *network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us);

/*
 * Two ends that are each other's peer, for a parent and a child. pair[0] and
 * pair[1] are untouched on failure. Errors: EINVAL (no such network), those of
 * socketpair(2), malloc(3).
 */
int unixconn_pair(const char *network, struct unixconn *pair[2]);

/*
 * Makes a connection of a descriptor that somebody else has opened: inherited
 * from a supervisor, received, or duplicated; the network is read from the
 * socket. It belongs to the connection then, and becomes close-on-exec; its
 * file is not removed on close unless asked for. Of unixpacket messages are
 * told apart from the end from then on. NULL on failure, fd stays yours:
 * ENOTSOCK, EAFNOSUPPORT (no Unix socket), EINVAL (it listens: see
 * unixlistener_adopt), EBADF, or those of malloc(3).
 */
struct unixconn *unixconn_adopt(int fd);

/*
 * Removes the file of its own address if it has one that is still ours, closes
 * the descriptor, frees conn, which may be NULL, and what it has read ahead.
 * The peer of a connection still receives what was sent; if messages of its own
 * lay unread here it is told ECONNRESET, before that of unixpacket, behind it
 * of unix. -1 with errno when a file could not be removed; conn is gone all the
 * same.
 */
int unixconn_close(struct unixconn *conn);

/*
 * The opposite of unixconn_adopt: gives the descriptor, which is yours from
 * then on, and frees conn. The file of its own address stays, a client's too,
 * and is yours to remove; so do options of the socket that unixconn_want has
 * set, and SO_PASSRIGHTS, SO_TIMESTAMPNS and SO_PASSCRED as they are. A dialled
 * datagram client is no longer kept from strangers when its server dies. -1
 * with EBUSY, and conn is as before: of unix it is in the middle of a message,
 * or bytes were read ahead.
 */
int unixconn_release(struct unixconn *conn);

/* The descriptor, for poll(2) and socket options. It stays conn's. */
int unixconn_get_fd(const struct unixconn *conn);

/* A number of your own, by which a service tells messages apart, see
 * unixservice_get_tag; of struct unixlisten_options, or 0, at the beginning. */
void unixconn_set_tag(struct unixconn *conn, uint64_t tag);

/* "unixgram", "unixpacket" or "unix". */
const char *unixconn_get_network(const struct unixconn *conn);

/* See unixmsg/deadline.h. 0 or -1 for none. */
void unixconn_set_stop_fd(struct unixconn *conn, int stop_fd);

/* See unixmsg/deadline.h, for one that came without options. 0 for off. */
void unixconn_set_spin_us(struct unixconn *conn, int64_t spin_us);

/*
 * Whether unixconn_close removes the socket file: by default yes, unless
 * UNIXMSG_LISTEN_KEEP was given, the socket was adopted, or a fork(2) came
 * after it was bound, where the parent's close removes it. For an adopted one
 * the file is looked up at its address and must be the one it is bound to:
 * ESTALE when it is not, ENOENT when there is none, EINVAL for a relative path,
 * or those of sock_diag(7). 0 without effect where there is no path. true in a
 * child of fork(2) makes the child the owner of the file, see
 * unixlistener_set_unlink_on_close.
 */
int unixconn_set_unlink_on_close(struct unixconn *conn, bool is_wanted);

/*
 * What shall be received besides the payload: UNIXMSG_WANT_... of
 * unixmsg/msg.h, 0 at the beginning. Messages that are in the queue already may
 * lack it. Of unix it goes for messages, not for unixconn_read, and costs two
 * system calls a message: nothing is read ahead then, so that all that comes is
 * of that message. Errors: EINVAL (unknown bits), ENOTSUP (UNIXMSG_WANT_PIDFD
 * before Linux 6.5); nothing has changed then.
 */
int unixconn_want(struct unixconn *conn, unsigned int wants);

/* Our address, unnamed for a client that has bound none. Errors: those of
 * getsockname(2). */
int unixconn_get_address(const struct unixconn *conn, struct unixaddr *addr);

/* The peer's address. Errors: ENOTCONN. */
int unixconn_get_peer(const struct unixconn *conn, struct unixaddr *addr);

/*
 * Ends one direction, or both: how is SHUT_WR, SHUT_RD or SHUT_RDWR as for
 * shutdown(2). After SHUT_WR the peer of a connection receives what was sent
 * and then the end; it can still send. Errors: EINVAL, ENOTCONN.
 */
int unixconn_shutdown(struct unixconn *conn, int how);

/*
 * The largest message in bytes that can be sent: the kernel bounds it by the
 * sender's SO_SNDBUF less 32, and never does much above 4 MiB; of unix it is
 * what the length before a message can tell, 4 GiB - 1. Errors: those of
 * getsockopt(2).
 */
int unixconn_get_size_max(const struct unixconn *conn, size_t *size);

/*
 * Raises the largest message that can be sent to wanted bytes, or to as much
 * as the system allows: *reached tells, 0 either way. It never lowers it. See
 * net.core.wmem_max; CAP_NET_ADMIN passes it. Errors: those of getsockopt(2).
 */
int unixconn_raise_size_max(struct unixconn *conn, size_t wanted,
	size_t *reached);

/*
 * How much of what was sent has not been read yet, in bytes as the kernel
 * charges for it (SIOCOUTQ): some 768 for a small message. It is the only
 * honest figure, the receiver's shows its first message at most. Errors: those
 * of ioctl(2).
 */
int unixconn_get_unread(const struct unixconn *conn, size_t *bytes);

/*
 * Sends size bytes at data, which may be 0, as one message to the peer. Waits
 * while there is no room for it.
 *
 *   1   it was sent
 *   0   it was dropped, see UNIXCONN_DROP
 *  -1   nothing was sent, but for EINPROGRESS:
 *
 *   EMSGSIZE      larger than unixconn_get_size_max
 *   EPIPE         the peer of a connection has closed, or SHUT_WR was called
 *   ECONNRESET    the same, and it has left messages unread
 *   ECONNREFUSED  unixgram: the peer is gone
 *   ENOTCONN      there is none
 *   EAGAIN, ETIMEDOUT, ECANCELED  see unixmsg/deadline.h
 *   EINPROGRESS   unix: the deadline, the stop or a shortage came in the
 *                 middle of the message. Call again with the same message, and
 *                 the rest of it goes; with one of another size that is EINVAL.
 *                 If you close instead, the peer is told with EPROTO.
 *   or those of sendmsg(2).
 */
int unixconn_send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us);

/*
 * The same to any address, by a socket for datagrams that is not connected:
 * EISCONN on one that is. An address that a message came from leads where its
 * sender likes: see unixconn_prove_sender. The kernel finds the way to a path,
 * and waits for a file system that hangs, whatever the deadline. Also EINVAL
 * (an unnamed address: that sender cannot be answered), ENOENT, EACCES,
 * EPROTOTYPE, EPERM (it is connected to another). When the receiver's queue is
 * full the kernel gives nothing to wait for: waiting is then trying again after
 * pauses of 0.25 to 16 ms.
 */
int unixconn_send_to(struct unixconn *conn, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us);

/*
 * Receives one message into data, which has room for room bytes; *size is its
 * true size in bytes. size may be NULL.
 *
 *   1   a message, perhaps an empty one
 *   0   the peer of a connection has closed, or ended its direction; no message
 *       will follow
 *  -1   EMSGSIZE    it was larger than room: it is gone, *size is set
 *       ECONNRESET  the peer has closed while messages of ours lay unread at
 *                   its side. This comes once, of unixpacket before the
 *                   messages that it has sent.
 *       EPROTO      unix: the peer has closed in the middle of a message
 *       ENOMEM      unix: no memory to read ahead
 *       EAGAIN, ETIMEDOUT, ECANCELED  what has arrived of a message is kept for
 *                   the next call
 *       ESHUTDOWN   unixgram: see above
 *       or those of recvmsg(2).
 *
 * Of unix it reads ahead, into memory of 64 KiB that grows with what has
 * arrived of a message, up to twice room; one of 32 KiB or more behind another
 * of its size comes into data without a copy, and what lies there behind a
 * message, or without one, is of no meaning. poll(2) on the descriptor does not
 * tell of messages that were read ahead, so receive with UNIXMSG_NOW until
 * EAGAIN before you poll.
 */
int unixconn_recv(struct unixconn *conn, void *data, size_t room, size_t *size,
	int64_t deadline_us);

/* The same, and *from is the sender: of a datagram unnamed if it is bound to no
 * name, of a connection the peer. It is set with EMSGSIZE, too. */
int unixconn_recv_from(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us);

/*
 * The same with struct unixmsg: msg->addr may be NULL, and must be when a
 * connection sends; a connection stores the peer's address there when it
 * receives. Also EINVAL. Of unix a message whose sending was interrupted
 * (EINPROGRESS) is to be given again with its descriptors, which have gone
 * already.
 */
int unixconn_send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us);
int unixconn_recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us);

/*
 * Descriptors with a message, in one call: fds_count of them, at most
 * UNIXMSG_FDS_MAX, which stay yours and open. As unixconn_send; also EINVAL.
 */
int unixconn_send_fds(struct unixconn *conn, const void *data, size_t size,
	const int *fds, size_t fds_count, int64_t deadline_us);

/*
 * As unixconn_recv, on a connection that wants descriptors (UNIXMSG_WANT_FDS,
 * else EINVAL): fds has room for *fds_count, and that many at most are stored
 * there, close-on-exec and yours; *fds_count is how many. More than these are
 * closed, which is not told here: see unixconn_recv_msg. On failure, and at the
 * end, *fds_count is 0.
 */
int unixconn_recv_fds(struct unixconn *conn, void *data, size_t room,
	size_t *size, int *fds, size_t *fds_count, int64_t deadline_us);

/*
 * Sends on a message as unixconn_recv_msg has given it: its msg->size bytes,
 * and its descriptors, which stay yours; whom it came from does not matter. As
 * unixconn_send; also EMSGSIZE (bytes or descriptors of it were cut), EINVAL.
 */
int unixconn_forward(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us);

/*
 * Whether a message is the answer to what was asked. Any other is context's to
 * keep, or to drop: an event, or the late answer to what was asked before. To
 * keep descriptors that have come with it, set msg->fds_count to 0, and
 * msg->pidfd to -1; else they are closed.
 */
typedef bool unixconn_matcher(struct unixmsg *msg, void *context);

/*
 * Sends request, and receives until matcher finds the answer, which is in
 * answer then. NULL takes the first message, which is right where nothing else
 * ever comes.
 *
 *	static bool is_answer(struct unixmsg *msg, void *context)
 *	{
 *		return msg->size >= 4 && memcmp(msg->data, context, 4) == 0;
 *	}
 *
 * What comes besides goes to matcher, one message after the other, in answer as
 * well; of one that is larger than its room the beginning, with UNIXMSG_CUT.
 *
 *   1   answer has it
 *   0   the peer of a connection has closed
 *  -1   EMSGSIZE   the answer was larger than its room, and is gone
 *       ENOBUFS    the policy has dropped the request
 *       ENOTCONN   unixgram: the socket is not connected, and would take
 *                  anybody's message for the answer
 *       EINVAL     a request or an answer that is not possible, such as
 *                  UNIXMSG_PEEK in answer->flags: nothing was sent
 *       EAGAIN, ETIMEDOUT, ECANCELED  the answer may still come: a matcher that
 *                  knows numbers of requests sees later that it is late
 *       or as unixconn_send_msg and unixconn_recv_msg; after EINPROGRESS call
 *       again with the same request.
 *
 * One deadline and one stop are for all of it, however many messages come
 * besides; with UNIXMSG_NOW it passes over 1024 of them at most. A client that
 * has dialled with UNIXMSG_DIAL_UNNAMED gets no answer. One thread at a time.
 */
int unixconn_ask(struct unixconn *conn, const struct unixmsg *request,
	struct unixmsg *answer, unixconn_matcher *matcher, void *context,
	int64_t deadline_us);

/*
 * The size in bytes of the next message, which stays in the queue: 1; 0 at the
 * end of a connection; or -1 as unixconn_recv, but for EMSGSIZE. Of unix it is
 * known, and told, before all of the message has come.
 */
int unixconn_get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us);

/*
 * As unixconn_recv_from, into a buffer that grows to the message; from may be
 * NULL. Two system calls, the first asks for the size. EMSGSIZE when it is
 * larger than buffer->room_max: the message is gone, buffer->size tells how
 * large it was. ENOMEM: it stays in the queue. One thread at a time.
 */
int unixconn_recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us);

/*
 * Sends count messages, up to UNIXMSG_BATCH_MAX with one system call, of unix
 * each with its own. 1 when all were sent; -1 with errno as for
 * unixconn_send_msg, and *sent tells how many have gone before the one that
 * failed. Only that is counted as failed: those behind it were not tried. They
 * carry no descriptors: EINVAL. It does not connect again by itself, does not
 * count in waited, and waits whatever the policy.
 */
int unixconn_send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us);

/*
 * Receives as many messages as are there, at most count and at most
 * UNIXMSG_BATCH_MAX, with one system call; it waits only for the first. 1 and
 * *received; 0 at the end of a connection; -1 as unixconn_recv_msg. A message
 * that was cut is no error here: look at the flags of each for UNIXMSG_CUT. No
 * descriptors and pidfds are received: fds_room is 0, and count is not, or
 * EINVAL.
 */
int unixconn_recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us);

/*
 * unix only: reads what is there, at least one byte, at most room. 1 and *size;
 * 0 when the peer has closed or ended its direction; -1 with ECONNRESET (as
 * unixconn_recv, behind the bytes that the peer has sent), EAGAIN, ETIMEDOUT,
 * ECANCELED, or those of recv(2). With a room of 0 it gives 1 and size 0 at
 * once. size may be NULL.
 */
int unixconn_read(struct unixconn *conn, void *data, size_t room, size_t *size,
	int64_t deadline_us);

/*
 * unix only: writes all size bytes. 1, or -1 with EPIPE, ECONNRESET, EAGAIN,
 * ETIMEDOUT, ECANCELED, or those of send(2). *written, unless NULL, tells in
 * every case how many bytes the kernel has taken: go on behind them.
 */
int unixconn_write(struct unixconn *conn, const void *data, size_t size,
	size_t *written, int64_t deadline_us);

/*
 * Sets what sends do from now on when there is no room. Then they do not wait
 * for a server to come back either (UNIXMSG_DIAL_RECONNECT). EINVAL: no such
 * policy.
 */
int unixconn_set_policy(struct unixconn *conn, enum unixconn_policy policy);

/* The counters, each as of some moment during the call. Bytes that are read and
 * written are in none of them, nor messages that are peeked at. */
void unixconn_get_counters(const struct unixconn *conn,
	struct unixconn_counters *counters);

/*
 * unixgram only: whether the server can answer a client that has dialled. -1
 * with EACCES: only our own user, and root with all its rights, may write to
 * our address or get there, and the server may run as another; ENOENT or
 * ESTALE: our file is gone, or another one stands there now; ENOTCONN; EMFILE,
 * ENFILE, ENOMEM, ENOBUFS: that cannot be found out now. 0: it can, or nothing
 * can be known (abstract names, other namespaces).
 */
int unixconn_check_answer(const struct unixconn *conn);

/*
 * unixgram only: proves that an answer to a message that conn has received gets
 * to its sender,
 * and not to whom else its address leads on our side. from is that address, and
 * writer the credentials that came with it (UNIXMSG_WANT_CRED). 0: *to is where
 * to send by unixconn_send_to, and *held_fd a descriptor that holds the file
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
 * An abstract name cannot be held fast: when its owner
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
int unixconn_prove_sender(const struct unixconn *conn,
	const struct unixaddr *from, const struct unixcred *writer,
	struct unixaddr *to, int *held_fd);

#ifdef __cplusplus
}
#endif
#endif
