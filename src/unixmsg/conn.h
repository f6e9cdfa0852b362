/* SPDX-License-Identifier: MIT */
/*
 * unixconn: a connection, or a socket for datagrams, on any of the three
 * networks. The calls are the same on all of them; a call that a network does
 * not have fails with ENOTSUP.
 *
 *	struct unixconn *conn = unixconn_dial("unixpacket", "/run/x.sock",
 *		NULL, unixdeadline_after_s(10));
 *
 * The networks have the names that Go gives them; the names in brackets work,
 * too.
 *
 * "unixgram" ("dgram"): datagrams, SOCK_DGRAM. They are reliable and in order
 * here, but a receiver with a full queue makes senders wait, or fail with
 * EAGAIN. A server opens a socket bound to a name, receives messages with the
 * address of their sender, and sends to that address. A client dials: its
 * socket is connected to the server, so it receives messages from the server
 * only, and it has an address that the server can answer to. Datagrams have no
 * connection that could end: receiving returns 1 or -1, never 0.
 *
 * A datagram client does not wake when its server dies. Its next send fails
 * with ECONNREFUSED, later ones with ENOTCONN, unless it connects again
 * (UNIXMSG_DIAL_RECONNECT). The kernel would then let everybody send to the
 * client. To prevent that, the first failed send connects the client's socket
 * to a private one: until it connects to the server again, the client receives
 * nothing, and its queue is lost. If no descriptor is left for the private
 * socket, receiving fails with ENOTCONN. A thread that receives at the moment
 * when another thread's send fails may still get a message of a stranger.
 *
 * Another process that holds the same datagram socket can shut it down for all,
 * see shutdown(2). Receiving then gives the messages in the queue. Once the
 * queue is empty, a call that may wait fails with ESHUTDOWN, since no message
 * can come any more; with UNIXMSG_NOW it fails with EAGAIN as always. poll(2)
 * reports POLLRDHUP. Sends fail with EPIPE. An empty message from an unnamed
 * sender looks like the shutdown if it is the last one in that queue: a call
 * with UNIXMSG_FOREVER and no stop descriptor loses it, and fails with
 * ESHUTDOWN.
 *
 * "unixpacket" ("seqpacket"): connections that keep message boundaries,
 * SOCK_SEQPACKET. One receive gets the message of one send, in order, and
 * nothing is lost while both sides are alive. Receiving returns 0 at the end of
 * the connection.
 *
 * "unix" ("unixstream", "stream"): byte streams, SOCK_STREAM, and whole
 * messages on them for peers that have only streams. Choose one way for a
 * connection: unixconn_read and _write carry plain bytes; the other calls carry
 * messages, each after its length in four bytes, big-endian.
 *
 * Empty messages are messages on all networks. If both sides send and none
 * receives, they wait for each other once both send buffers are full. So a
 * client that sends many messages before it receives the answers should send
 * with UNIXMSG_NOW, and receive an answer on EAGAIN.
 *
 * unixconn_dial and unixlistener_accept make connections, see
 * unixmsg/listener.h. Every call with a negative deadline fails with EINVAL,
 * see unixmsg/deadline.h.
 *
 * Threads: the rules of unixmsg.h hold, but on one "unix" connection only one
 * thread at a time may receive or read, and only one may send or write, since
 * one message may take several system calls.
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

/* The behaviour of a send that finds no room for its message. */
enum unixconn_policy {
	/* Wait until the deadline of the call; the default. */
	UNIXCONN_WAIT,
	/* Drop the message, count it, and return 0. On unix, a message that is
	 * partly sent cannot be dropped: the send fails with EINPROGRESS, and
	 * the next call, with the same message, waits until its deadline. */
	UNIXCONN_DROP,
	/* Fail with EAGAIN, whatever the deadline; on unix as above. */
	UNIXCONN_FAIL,
};

/* The figures so far; each send counts in sent, dropped or failed. */
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
 * unixmsg/addr.h and unixmsg/listen.h; options may be NULL. It may wait a
 * second for the lock on the directory, see unixmsg/listen.h. Returns NULL on
 * failure, and leaves nothing behind, with
 *
 *   EINVAL   a malformed address, no such network, options that make no sense
 *   ENOTSUP  a network of connections: see unixlistener_open
 *   ENAMETOOLONG, EADDRINUSE, ENOTSOCK, EPERM, ENOTSUP, ENOSYS
 *            see unixmsg/listen.h
 *
 * or an error of socket(2), bind(2), open(2), chown(2), malloc(3).
 */
struct unixconn *unixconn_open(const char *network, const char *address,
	const struct unixlisten_options *options);

/*
 * Connects to the server at address. Waits while the listener's backlog is
 * full. See unixmsg/dial.h for options, which may be NULL, and for the errors.
 * Returns NULL on failure, and leaves nothing behind. Fails with ENOTSUP on a
 * connection if options has something that only unixgram has.
 *
 * A datagram client without options->own gets an address that the server can
 * answer to:
 *
 * - If the server has an abstract name: a free abstract name, which the kernel
 *   chooses.
 * - If the server has a path: a socket file in a directory unixmsg-UID, which
 *   the dial makes if needed. The parent of that directory is the first of
 *   these that all users may search, else the first usable one:
 *   $XDG_RUNTIME_DIR, if it is ours; $TMPDIR, if it belongs to us or to root,
 *   and has the sticky bit if everybody may write to it; /tmp. If another user
 *   owns unixmsg-UID, the file is unixmsg-UID.* beside it. The mode of the file
 *   is 0666, because the server may run as another user than the owner of its
 *   file: supervisors hand sockets over, and daemons give up privileges. Nobody
 *   but the server can send to that socket, since it is connected. If the
 *   server's file and socket belong to our own user, and we are not root, the
 *   mode is 0600, and the parent is $XDG_RUNTIME_DIR if that can be used. The
 *   files of killed clients stay until later clients of the same user remove
 *   them, at most 64 in each dial. Such a dial does not wait for the lock on
 *   the directory: if another process holds it, a later dial removes them.
 *
 * With options->own the dial waits for the lock on the directory, a second at
 * most. A datagram client's dial makes a relative path in options->own
 * absolute. It fails with ENAMETOOLONG if the absolute path does not fit into
 * an address, since the server could not answer. The client receives nothing
 * that was sent to it before the dial returned, so no stranger can place a
 * message there.
 */
struct unixconn *unixconn_dial(const char *network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us);

/*
 * Makes two connections that are peers of each other, for example for a parent
 * and its child. Leaves pair[0] and pair[1] alone on failure. Errors: EINVAL
 * (no such network), or those of socketpair(2), malloc(3).
 */
int unixconn_pair(const char *network, struct unixconn *pair[2]);

/*
 * Makes a connection of a descriptor that is open already: inherited from a
 * supervisor, received, or duplicated. The type of the socket decides the
 * network. On success fd belongs to the connection, and is close-on-exec;
 * unixconn_close does not remove its file, unless unixconn_set_unlink_on_close
 * asks for that. Other holders of the socket notice two options that it sets:
 * SO_PASSRIGHTS goes off, so they receive no descriptors either (Linux 6.16),
 * until unixconn_want asks for them; on unixpacket SO_TIMESTAMPNS goes on. On
 * unixpacket, an empty message that was sent before the adoption looks like the
 * end of the connection. Returns NULL on failure, and fd stays yours:
 *
 *   ENOTSOCK      it is no socket
 *   EAFNOSUPPORT  it is no Unix socket
 *   EINVAL        it listens: see unixlistener_adopt
 *   EBADF         it is not open
 *
 * or an error of getsockopt(2), setsockopt(2), malloc(3). Then fd may already
 * be close-on-exec, and have these options.
 */
struct unixconn *unixconn_adopt(int fd);

/*
 * Closes the descriptor, and frees conn, which may be NULL, with everything
 * that it has read ahead. Also removes the file of its own address, if that
 * file is still ours; for that it may wait a second for the lock on the
 * directory, except for the file that a dial has chosen. The peer of a
 * connection still receives everything that was sent. If we have left messages
 * of the peer unread, the peer gets ECONNRESET: on unixpacket before our
 * messages, on unix after them. Returns -1 with errno if a file could not be
 * removed; conn is freed all the same.
 */
int unixconn_close(struct unixconn *conn);

/*
 * Undoes unixconn_adopt: frees conn and returns its descriptor, which is yours
 * from then on. The file of its own address stays, even that of a client, and
 * is yours to remove. The socket keeps the options that unixconn_want has set,
 * and the values of SO_PASSRIGHTS, SO_TIMESTAMPNS and SO_PASSCRED. A dialled
 * datagram client then receives messages from strangers after its server dies.
 * Returns -1 with EBUSY, and leaves conn as it was, if a unix connection is in
 * the middle of a message or has read bytes ahead, or if a unixpacket
 * connection has a lane, has asked for one, or was offered one.
 */
int unixconn_release(struct unixconn *conn);

/* Returns the descriptor, for poll(2) and socket options. It belongs to
 * conn. */
int unixconn_get_fd(const struct unixconn *conn);

/*
 * Sets a number of your own, which tells the sockets of a service apart, see
 * unixservice_get_tag. At first it is tag of struct unixlisten_options, or 0.
 */
void unixconn_set_tag(struct unixconn *conn, uint64_t tag);

/* Returns "unixgram", "unixpacket" or "unix". */
const char *unixconn_get_network(const struct unixconn *conn);

/*
 * Tells whether messages of a unixpacket connection use a lane: memory that
 * both processes share, with no system call while the receiver is awake.
 *
 * A client asks for a lane by UNIXMSG_DIAL_LANE, a server offers it by
 * unixlistener_set_lane or lane_bytes of its options. They set it up in their
 * calls that send and receive, after 32 messages, so that short connections
 * cost nothing. Without memory, descriptors or Linux 5.14 the connection works
 * as before, and so it does with a peer that does not know lanes. A connection
 * also gets no lane if the client cannot prove that the memory belongs to the
 * server: the server runs as another user than the one who called listen(2)
 * (socket activation, a server that has given up its rights), or that user has
 * no number in the client's user namespace.
 *
 * The calls of unixmsg/lane.h write and read messages there without a copy.
 *
 * All calls keep their promises. poll(2) on the descriptor reports when there
 * is something to receive, and sometimes when there is nothing. Messages with
 * descriptors, and large ones, go by the socket. All messages go by the socket
 * to a side that wants credentials or pidfds (unixconn_want). For a connection
 * that asks for a lane, or comes from a listener that offers one, the following
 * is different:
 *
 * - The kernel does not tell a sender at once that its peer was killed. Sends
 *   may succeed until the memory is full, and those messages are lost. After
 *   an orderly close by the peer, sends fail with EPIPE as ever.
 * - The descriptor is for poll(2) only. The connection is over (EPROTO) when
 *   another program sends or receives on it. So do not pass it on, nor keep it
 *   over an execve(2). After fork(2) only one of the two processes may use the
 *   connection; all that the other one may do is close it.
 * - A peer that spoils the lane, by writing nonsense into it, ends the
 *   connection: EPROTO.
 * - The largest message is 32 KiB smaller, see unixconn_get_size_max.
 */
bool unixconn_is_lane(const struct unixconn *conn);

/* Sets the stop descriptor, see unixmsg/deadline.h. 0 or -1 for none. */
void unixconn_set_stop_fd(struct unixconn *conn, int stop_fd);

/* Sets the time to spin, see unixmsg/deadline.h. 0 switches spinning off. */
void unixconn_set_spin_us(struct unixconn *conn, int64_t spin_us);

/*
 * Sets whether unixconn_close removes the socket file. By default it does,
 * with three exceptions: the options had UNIXMSG_LISTEN_KEEP; the socket was
 * adopted; or this process is a child of fork(2) after bind(2), since the close
 * in the parent removes the file. For an adopted socket this call looks for the
 * file at the socket's address. Returns 0; then it had no effect if the address
 * is no path. For true it may return -1 with
 *
 *   ESTALE  the socket is bound to another file than the one there
 *   ENOENT  there is no file
 *   EINVAL  the path is relative
 *
 * or an error of sock_diag(7). true in a child of fork(2) makes the child the
 * owner of the file, see unixlistener_set_unlink_on_close.
 */
int unixconn_set_unlink_on_close(struct unixconn *conn, bool is_wanted);

/*
 * Sets what conn receives besides the payload: UNIXMSG_WANT_... of
 * unixmsg/msg.h; at first 0. Messages that are already queued may come without
 * it. On unix it applies to messages, not to unixconn_read, and costs two
 * system calls for each message: conn reads nothing ahead, so that all control
 * data belongs to that message. Errors: EINVAL (unknown bits), ENOTSUP
 * (UNIXMSG_WANT_PIDFD before Linux 6.5); nothing has changed then.
 */
int unixconn_want(struct unixconn *conn, unsigned int wants);

/* Stores our address, which is unnamed for a client that has bound no name.
 * Errors: those of getsockname(2). */
int unixconn_get_address(const struct unixconn *conn, struct unixaddr *addr);

/* Stores the peer's address. Errors: ENOTCONN. */
int unixconn_get_peer(const struct unixconn *conn, struct unixaddr *addr);

/*
 * Ends one direction, or both: how is SHUT_WR, SHUT_RD or SHUT_RDWR as for
 * shutdown(2). After SHUT_WR the peer of a connection receives everything that
 * was sent, and then the end. The peer can still send. SHUT_WR in the middle of
 * a message (EINPROGRESS) ends it with EPROTO at the peer. Errors: EINVAL,
 * ENOTCONN.
 */
int unixconn_shutdown(struct unixconn *conn, int how);

/*
 * Stores the size in bytes of the largest message that conn can send. The
 * kernel allows the sender's SO_SNDBUF minus 32 bytes, and never much more than
 * 4 MiB. On unix the length field before a message is the bound: one byte less
 * than 4 GiB. Errors: those of getsockopt(2).
 */
int unixconn_get_size_max(const struct unixconn *conn, size_t *size);

/*
 * Raises the size of the largest message that conn can send to wanted bytes, or
 * as far as the system allows, and never lowers it. Returns 0 in both cases,
 * and stores the new size in *reached. Without CAP_NET_ADMIN the sysctl
 * net.core.wmem_max limits it. Errors: those of getsockopt(2).
 */
int unixconn_raise_size_max(struct unixconn *conn, size_t wanted,
	size_t *reached);

/*
 * Stores how much memory the unread messages of conn occupy, in bytes, as the
 * kernel charges it (SIOCOUTQ): some 768 for a small message. Messages in a
 * lane count with the bytes that they take there. Only the sender can know
 * this; the receiver can see no more than its first message. Errors: those of
 * ioctl(2).
 */
int unixconn_get_unread(const struct unixconn *conn, size_t *bytes);

/*
 * Sends size bytes at data as one message to the peer; size may be 0. Waits
 * while there is no room. Returns 1 if the message was sent; 0 if it was
 * dropped, see UNIXCONN_DROP; -1 with one of the errors below. After
 * EINPROGRESS a part of the message was sent, after all others nothing.
 *
 *   EMSGSIZE      larger than unixconn_get_size_max
 *   EPIPE         the peer of a connection has closed, or SHUT_WR was called
 *   ECONNRESET    the same, and the peer has left messages unread; unixgram:
 *                 once, after a peer that was connected to us has connected
 *                 elsewhere
 *   ECONNREFUSED  unixgram: the peer is gone
 *   ENOTCONN      there is no peer
 *   EAGAIN, ETIMEDOUT, ECANCELED  see unixmsg/deadline.h
 *   EINPROGRESS   unix: the deadline, the stop descriptor or a shortage
 *                 interrupted the message. Call again with the same message to
 *                 send the rest; a message of another size fails with EINVAL.
 *                 If you close instead, the peer gets EPROTO.
 *   EPROTO        unixpacket: the peer has spoiled the lane, see
 *                 unixconn_is_lane
 *
 * or an error of sendmsg(2).
 */
int unixconn_send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us);

/*
 * Sends as unixconn_send does, but to any address, from a datagram socket that
 * is not connected; EISCONN if it is. The sender of a message chooses where its
 * address leads: see unixconn_prove_sender. The kernel resolves a path, and
 * waits for a file system that hangs, whatever the deadline. If the receiver's
 * queue is full, the kernel offers nothing to poll: the call tries again after
 * pauses of 0.25 to 16 ms. It also fails with
 *
 *   EINVAL  the address is unnamed: nobody can be reached by it
 *   ENOENT, EACCES, EPROTOTYPE  the path does not exist, we may not write to
 *           it, or it is a socket of another network
 *   EPERM   the receiver is connected to another socket
 */
int unixconn_send_to(struct unixconn *conn, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us);

/*
 * Receives one message into data, which has room for room bytes, and stores its
 * true size in bytes in *size; size may be NULL. Returns 1 for a message, even
 * an empty one; 0 if the peer of a connection has closed, or has shut down its
 * sending side, and no message will follow; -1 with
 *
 *   EMSGSIZE    the message was larger than room; it is lost, and *size is set
 *   ECONNRESET  the peer has closed and left messages of ours unread. This
 *               error comes once; on unixpacket it comes before the peer's last
 *               messages.
 *   EPROTO      unix: the peer has closed in the middle of a message;
 *               unixpacket: it has spoiled the lane, see unixconn_is_lane
 *   ENOMEM      unix: no memory to read ahead
 *   EMFILE      unixpacket, a client that asks for a lane: no descriptor is
 *               free to receive what seems to be the server's offer. The offer
 *               stays queued.
 *   EAGAIN, ETIMEDOUT, ECANCELED  see unixmsg/deadline.h; the next call
 *               continues with a partly received message
 *   ESHUTDOWN   unixgram: the socket was shut down, see above
 *
 * or an error of recvmsg(2).
 *
 * On unix the call reads ahead, into a buffer of 64 KiB that grows with the
 * received part of a message, up to twice room. If a message of 32 KiB or more
 * follows another of the same size, the kernel writes it straight into data.
 * The call may overwrite the room behind the message, never more than room
 * bytes of data. If it returns no message, it may have overwritten all of that.
 * poll(2) on the descriptor does not report messages that were read ahead, so
 * receive with UNIXMSG_NOW until EAGAIN before you poll.
 */
int unixconn_recv(struct unixconn *conn, void *data, size_t room, size_t *size,
	int64_t deadline_us);

/*
 * Receives as unixconn_recv does, and stores the sender in *from: unnamed for a
 * datagram whose sender is bound to no name, the peer for a connection. It
 * stores *from even if it fails with EMSGSIZE.
 */
int unixconn_recv_from(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us);

/*
 * Like unixconn_send and unixconn_recv, with a struct unixmsg. msg->addr may be
 * NULL. It must be NULL to send on a connection; receiving on a connection
 * stores the peer's address there. Also fails with EINVAL for a message that
 * breaks the rules of unixmsg/msg.h. On unix, repeat an interrupted message
 * (EINPROGRESS) with its descriptors, although they are sent already.
 */
int unixconn_send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us);
int unixconn_recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us);

/* Sends fds_count descriptors with a message, at most UNIXMSG_FDS_MAX. They
 * stay yours and open. Results as for unixconn_send; also EINVAL. */
int unixconn_send_fds(struct unixconn *conn, const void *data, size_t size,
	const int *fds, size_t fds_count, int64_t deadline_us);

/*
 * Receives as unixconn_recv does, with descriptors, on a connection that wants
 * them (UNIXMSG_WANT_FDS, else EINVAL). fds has room for *fds_count of them.
 * The call stores at most that many, close-on-exec and yours, and their number
 * in *fds_count. It closes all others and does not report that;
 * unixconn_recv_msg does. On failure, and at the end of the connection,
 * *fds_count is 0.
 */
int unixconn_recv_fds(struct unixconn *conn, void *data, size_t room,
	size_t *size, int *fds, size_t *fds_count, int64_t deadline_us);

/*
 * Sends a message that unixconn_recv_msg has received: its msg->size bytes and
 * its descriptors, which stay yours. It does not send the sender's identity.
 * Results as for unixconn_send; also EMSGSIZE (the message or its descriptors
 * were truncated), EINVAL.
 */
int unixconn_forward(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us);

/*
 * Returns true if msg is the answer to the request. Other messages are events,
 * or late answers to earlier requests: the matcher may store them in context,
 * or drop them. To keep the descriptors of such a message, set msg->fds_count
 * to 0, and msg->pidfd to -1; else unixconn_ask closes them.
 */
typedef bool unixconn_matcher(struct unixmsg *msg, void *context);

/*
 * Sends request, and receives until matcher finds the answer, which is then in
 * answer. NULL for matcher accepts the first message: use it if the peer sends
 * nothing but answers.
 *
 *	static bool is_answer(struct unixmsg *msg, void *context)
 *	{
 *		return msg->size >= 4 && memcmp(msg->data, context, 4) == 0;
 *	}
 *
 * The matcher gets each message in turn, in answer. If a message is larger than
 * the room, the matcher gets its beginning, with UNIXMSG_CUT. Returns 1 with
 * the answer; 0 if the peer of a connection has closed; -1 with
 *
 *   EMSGSIZE  the answer was larger than the room for it, and is lost (unless
 *             answer->flags has UNIXMSG_PREFIX)
 *   ENOBUFS   the policy has dropped the request
 *   ENOTCONN  unixgram: the socket is not connected, and a message from anybody
 *             could pass for the answer
 *   EINVAL    an impossible request or answer, such as UNIXMSG_PEEK in
 *             answer->flags: nothing was sent
 *   EAGAIN, ETIMEDOUT, ECANCELED  the request was not sent, or the answer may
 *             still arrive later: number the requests, and let the matcher drop
 *             late answers
 *
 * or an error of unixconn_send_msg and unixconn_recv_msg. After EINPROGRESS
 * call again with the same request.
 *
 * The deadline and the stop descriptor bound the whole call, however many other
 * messages arrive. With UNIXMSG_NOW it skips some 1000 of these at most, and
 * then fails with EAGAIN. A client that dialled with UNIXMSG_DIAL_UNNAMED gets
 * no answer, and waits until the deadline. One thread at a time.
 */
int unixconn_ask(struct unixconn *conn, const struct unixmsg *request,
	struct unixmsg *answer, unixconn_matcher *matcher, void *context,
	int64_t deadline_us);

/*
 * Stores the size in bytes of the next message, which stays in the queue.
 * Returns 1; 0 at the end of a connection; or -1 as unixconn_recv, except for
 * EMSGSIZE. On unix it may return before all of the message has arrived,
 * because the size arrives first.
 */
int unixconn_get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us);

/*
 * Receives as unixconn_recv_from does, into a buffer that grows to the message;
 * from may be NULL. Takes two system calls: the first asks for the size. Fails
 * with EMSGSIZE if the message is larger than buffer->room_max: it is lost, and
 * buffer->size is its size. Fails with ENOMEM if there is no memory: the
 * message stays in the queue. One thread at a time.
 */
int unixconn_recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us);

/*
 * Sends count messages. One system call sends up to UNIXMSG_BATCH_MAX of them.
 * On unix one system call sends one message. Returns 1 if all were sent; -1
 * with errno as for unixconn_send_msg. *sent is the number of messages sent
 * before the one that failed. Only that one counts as failed: the call did not
 * try the others. Fails with EINVAL if a message has descriptors. This call
 * does not connect again by itself and does not count in waited. It waits until
 * its deadline, whatever the policy.
 */
int unixconn_send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us);

/*
 * Receives all messages that are there, at most count and at most
 * UNIXMSG_BATCH_MAX, with one system call; waits only for the first. Returns 1
 * and their number in *received; 0 at the end of a connection; -1 as
 * unixconn_recv_msg. A truncated message is no error here: look for UNIXMSG_CUT
 * in the flags of each. A batch receives no descriptors and no pidfds. Fails
 * with EINVAL if fds_room of a message is not 0, or if count is 0.
 */
int unixconn_recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us);

/*
 * Reads the bytes that are there, on unix only: at least one, at most room.
 * Returns 1, and stores their number in *size; 0 if the peer has closed or has
 * shut down its sending side; -1 with ECONNRESET (as unixconn_recv, after the
 * bytes that the peer has sent), EAGAIN, ETIMEDOUT, ECANCELED, or an error of
 * recv(2). With a room of 0 it returns 1 at once, and the size is 0. size may
 * be NULL.
 */
int unixconn_read(struct unixconn *conn, void *data, size_t room, size_t *size,
	int64_t deadline_us);

/*
 * Writes all size bytes, on unix only. Returns 1, or -1 with EPIPE, ECONNRESET,
 * EAGAIN, ETIMEDOUT, ECANCELED, or an error of send(2). Unless written is NULL,
 * *written is always the number of bytes that the kernel has accepted: continue
 * with the byte after them. It waits until its deadline, whatever the policy.
 */
int unixconn_write(struct unixconn *conn, const void *data, size_t size,
	size_t *written, int64_t deadline_us);

/*
 * Sets what later sends do if there is no room. With a policy other than
 * UNIXCONN_WAIT, they do not wait for a server to come back either
 * (UNIXMSG_DIAL_RECONNECT). Fails with EINVAL if there is no such policy.
 */
int unixconn_set_policy(struct unixconn *conn, enum unixconn_policy policy);

/* Stores the counters, each at some moment during the call. They do not count
 * plain bytes (unixconn_read and _write), nor messages that were peeked at. */
void unixconn_get_counters(const struct unixconn *conn,
	struct unixconn_counters *counters);

/*
 * Checks whether the server can answer a client that has dialled, on unixgram
 * only. Returns 0 if it can, or if that cannot be known (abstract names, other
 * namespaces); -1 with
 *
 *   EACCES          only our own user, and root with all its privileges, may
 *                   write to our address or reach it; the server may run as
 *                   another user, and then cannot answer
 *   ENOENT, ESTALE  our file is gone, or another one is there now
 *   ENOTCONN        there is no peer
 *   EMFILE, ENFILE, ENOMEM, ENOBUFS  a shortage: the call could not find out
 */
int unixconn_check_answer(const struct unixconn *conn);

/*
 * Proves that an answer reaches the sender of a message that conn has received.
 * In our process the address of the message may lead to somebody else. On
 * unixgram only. from is that address; writer has the credentials of the
 * message (UNIXMSG_WANT_CRED), or is NULL for a message without them
 * (UNIXMSG_HAS_CRED). Several threads may call it at once.
 *
 * Returns 0 and stores in *to the address for unixconn_send_to. *held_fd is a
 * descriptor that keeps the file, or -1; close(2) it after the last send. A
 * proof takes some ten system calls. Keep both results, as unixservice does,
 * and later messages need no proof. A send to a held file takes some 0.7 us
 * longer than one to a path: the kernel sends a datagram to a name, never to a
 * descriptor, and the one name that stays with a file, /proc/self/fd/N, goes
 * through two links. Returns -1, and leaves to and held_fd alone, with
 *
 *   EPERM   it cannot prove that: do not answer
 *   EINVAL  from is unnamed
 *   ENOENT, ECONNREFUSED  the sender is gone
 *   EMFILE, ENFILE, ENOMEM, ENOBUFS  a shortage: try again later. The call
 *           never takes a shortage for a kernel without sock_diag(7).
 *
 * or an error of open(2), connect(2).
 *
 * The address of a message is the text that the sender gave to bind(2). A
 * symbolic link, a relative name, or a mount namespace of the sender's own
 * makes it lead where the sender wants: to a socket that only we may write to,
 * to a client that is connected to us and trusts all messages, or back to
 * ourselves for ever. The call succeeds for
 *
 * - An absolute path, not our own address, that leads to a socket whose file
 *   belongs to the user who wrote the message. If sock_diag(7) tells the user
 *   of the socket itself, that user must be the writer instead. If the socket
 *   is not connected, its name must be that path.
 * - An abstract name, if the writer is root or our own user, or has a socket of
 *   that name in our network namespace. Without sock_diag(7): any abstract
 *   name, if our own name is abstract, too, since both are then in one
 *   namespace.
 *
 * It fails with EPERM for these; do not answer them:
 *
 * - A message without credentials.
 * - A writer that runs as another user than its socket belongs to: a
 *   set-user-ID client, a client that has dropped its privileges since bind(2),
 *   or one with a socket inherited from another user.
 * - A writer whose user has no number in our user namespace.
 *
 * It cannot tell two sockets of one user apart, nor see that the file of a
 * connected socket was given away by chown(2). So a user who runs two services
 * that answer every message can make them answer each other for ever. The user
 * sends one of them a message in the name of the other (from a mount or network
 * namespace), or in the name of a client, and the other then takes that name.
 * The kernel reports the writer, but not the writer's socket, and an answer has
 * no mark that a service could see. Other users cannot do it. A service that
 * answers answers, too, needs a bound of its own, such as a count.
 *
 * No descriptor can hold an abstract name: if its owner gives it up between
 * message and answer, the next owner gets the answer. Without /proc *held_fd is
 * -1, and others may replace the file at any time.
 *
 * The call does not wait. It looks up files in the kernel's cache of names,
 * which contains those of live sockets. If the file is not in that cache, and a
 * mount on the way may hang (FUSE, NFS and the like), the call fails with
 * EPERM. Before Linux 5.12 it cannot ask the cache, and fails with EPERM for
 * every path on such a mount. Without /proc it does not know the mounts, and
 * may wait. It follows symbolic links in the same way, 40 of them at most
 * (ELOOP). It can still wait for a file system that lets the kernel cache its
 * names, but does not answer a question about permissions. A file system that
 * begins to hang after the proof delays the send.
 */
int unixconn_prove_sender(const struct unixconn *conn,
	const struct unixaddr *from, const struct unixcred *writer,
	struct unixaddr *to, int *held_fd);

#ifdef __cplusplus
}
#endif
#endif
