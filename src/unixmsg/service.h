/* SPDX-License-Identifier: MIT */
/*
 * unixservice: a server for many peers at once, written as one handler.
 *
 * The same handler serves datagram sockets, packet connections and streams,
 * even several of them in one service. It gets a message and may answer at
 * once, later, several times, or never. The functions of the service that it
 * calls do not wait, except unixservice_listen, _unlisten and _stop, which may
 * wait a second for each socket file (the lock on its directory, see
 * unixmsg/listen.h), and where a file system hangs on the way to an address.
 *
 * A server in a few lines:
 *
 *	static int echo(struct unixservice *service, uint64_t peer,
 *		struct unixmsg *msg, void *context)
 *	{
 *		unixservice_send(service, peer, msg->data, msg->size);
 *		return UNIXSERVICE_DONE;
 *	}
 *
 *	struct unixservice *service = unixservice_new(echo, NULL, NULL);
 *	unixservice_listen(service, "unixpacket", "/run/echo.sock", NULL);
 *	unixservice_serve(service, unixstop_open(), 5000000);
 *	unixservice_close(service);
 *
 * Peers. A connection is a peer from accept to close. A datagram sender is a
 * peer from its first message until it has been silent for forget_us (ten
 * minutes). The service then forgets the peer. The watcher gets
 * UNIXSERVICE_CLOSED; the peer is not told, and unixservice_push_all no longer
 * reaches it. The service keeps a silent peer for as long as it has unread
 * answers in our send buffer, and looks again after each forget_us.
 * unixservice_keep_peer keeps a peer that only listens. A peer has a
 * number that is never reused. Calls on a closed peer fail with ENOTCONN; only
 * in the watcher, at UNIXSERVICE_CLOSED, its context and figures can still
 * be read. If another user takes over the address of a datagram peer, the
 * service closes that peer (ESTALE) and opens a new one. Peer 0 is a datagram
 * sender without an address.
 *
 * Closed connections. A client may send and close without reading anything. The
 * service can no longer send to a connection when its client has closed it, has
 * died, or has shut down its reading side. It still reads such a connection to
 * its end, so no message sent before is lost. Until that end unixservice_send
 * fails with EPIPE, and the answers count as gone. A client that shuts down
 * only its writing side still receives its answers; the option keep_ended keeps
 * it a peer. The service notices the death of a client at once, also while an
 * answer to it is pending (UNIXSERVICE_LATER) or queued.
 *
 * The service loses unread messages of a connection only when it closes the
 * connection: to protect others (EDQUOT, ENOBUFS), by UNIXSERVICE_DROP_PEER,
 * after a message that was too large, or because the program asks for it. The
 * client then gets ECONNRESET. No counter contains the unread messages.
 * UNIXSERVICE_CLOSED reports such an end. One of the counters evicted,
 * partials_closed, dropped and cut counts it, unless the program asked for it.
 *
 * Proof. The address of a datagram is the text that its sender gave to bind(2),
 * and leads wherever the sender likes. So before its first answer to a peer,
 * the service proves that the answer reaches the user who wrote the message.
 * See unixconn_prove_sender in unixmsg/conn.h for the method, and for what it
 * cannot prove. The handler also gets messages of a peer without proof. But the
 * service sends that peer no answer (EPERM, the counter unproved), and the peer
 * does not replace a peer of another user. The service makes one proof for each
 * peer; later answers cost nothing more. It keeps the files of other users'
 * peers open: at most a quarter of RLIMIT_NOFILE, and at most 1024. For all
 * further peers it repeats the proof when needed. While descriptors or memory
 * for a proof are short, the answer stays queued. The service spends at most a
 * sixth of its time on proofs that list all sockets or follow symbolic links,
 * so answers may wait a moment for these.
 *
 * A socket that was adopted, or opened before the service got it, may hold
 * messages without credentials. The service answers these if no symbolic link
 * is on the way, and cannot see whether somebody in a mount namespace has
 * forged one. To avoid such messages, have the supervisor ask for credentials
 * (PassCredentials=), and open sockets by unixservice_listen, which asks for
 * credentials before the first message.
 *
 * A service never answers itself. If two services answer every message, also
 * answers, then one message between them makes them answer each other for ever.
 * Only the user that they run as can start that.
 *
 * Slow peers. A peer that does not read delays no other peer. The service
 * queues the answers that the peer has no room for, within the bounds of struct
 * unixservice_options, and serves the others meanwhile; beyond the bounds the
 * policy decides. The service does not read from a connection while answers to
 * it are queued, so the policy takes no answer from a client that sends only
 * requests and gets only answers. A datagram socket cannot ignore one sender,
 * and unread answers to all senders fill its one send buffer. So the service
 * raises that buffer (send_buffer_bytes), and queues further messages to a peer
 * that has read none of the earlier ones: the rest of the buffer stays free for
 * the others.
 *
 * This protection has a bound. The service cannot know whether a new peer will
 * read, so it always sends the first answer. The table gives the number of
 * never-reading datagram peers at which the service still answered the others
 * (Linux 6.18; the numbers tried were 1, 20, 50, 100, 200 and 400):
 *
 *	answers of          64 bytes   4 KiB   64 KiB   200 KiB
 *	send buffer 4 MiB        400     400       20         1
 *	425984 bytes             400      20        1         0
 *
 * With 20 such peers and answers of 4 KiB, the others' response times stay the
 * same with a send buffer of 4 MiB, and grow by half with 425984 bytes, the
 * most without privileges. Near the bound they double, and a client with
 * several requests in flight gets one answer at a time. Beyond the bound
 * answers wait until a peer reads or closes, and are late after patience_us.
 * Connections have no such bound: each has its own buffer.
 *
 * Batches. With options.batch above 1, one system call receives up to that many
 * queued datagrams, and the handler gets one after the other. Order, answers,
 * limits, rules and counters are the same as without batches. A process that
 * dies in the handler loses the messages that it has received.
 *
 * The gain depends on the load and the machine, so measure it. With `unixgram-
 * echo --batch 4`, a client with 8 requests in flight had 20 % more answers on
 * one CPU, and as many as without batches when the service had a CPU of its
 * own; 8 clients with one request each had as many on one CPU, and a tenth
 * fewer on two. A batch should be smaller than the queue of a socket (here 11,
 * see net.unix.max_dgram_qlen): with --batch 16 the first client had 29 % more
 * on one CPU, but half as many on two, where the service and the client slept
 * in turn (Linux 6.18). The round-trip time of one client does not change.
 *
 * With options.batch above 1 the service needs batch times size_max bytes of
 * address space, and 18 KiB more. The service never batches connections: a
 * client that sends only requests must lose no answer. So the service reads the
 * next request only when no answer to that client is queued. Nor does it batch
 * on datagram sockets that other processes may read (adopted, or bound before a
 * fork(2)), or if it wants descriptors or pidfds.
 *
 * Forwarding. A service may pass messages on between its peers. For example, it
 * opens one connection to a server for each client, and passes messages on
 * between the two. The options keep_ended and read_while_queued make the two
 * directions of a connection independent; patience_us is best UNIXMSG_FOREVER.
 * The handler passes its message on by unixservice_send_msg. If
 * unixservice_get_queued then returns more than 0, the handler pauses the
 * sender by unixservice_pause_peer, and the watcher resumes it at
 * UNIXSERVICE_FLUSHED. So the service queues one message at most for each peer.
 * At UNIXSERVICE_ENDED the watcher calls unixservice_shutdown_peer on the other
 * connection, and at UNIXSERVICE_CLOSED unixservice_close_peer. A message that
 * is passed on counts as unanswered and as pushed. See examples/26-forward.c.
 *
 * Counters. Every received message has exactly one outcome, see struct
 * unixservice_counters.
 *
 * Threads. A service belongs to one thread at a time. It starts no threads, and
 * uses no signals and none of the process's timers. Either unixservice_run
 * waits, or your own loop polls unixservice_get_fd and calls
 * unixservice_dispatch. In a handler and in the watcher, unixservice_run,
 * _serve, _drain and _dispatch fail with EBUSY. Do not call unixservice_close
 * there, nor any of these five in a filter. All other functions are allowed.
 *
 * fork(2). The child gets a copy of the service, and shares its descriptors
 * with the parent. In the child, unixservice_close only closes descriptors and
 * frees memory: peers, loop and files of the parent stay as they are. The child
 * may also call it in a handler, if that handler does not return. The child
 * gets a loop of its own, under the same descriptor number, when it first calls
 * _run, _dispatch or _get_fd, or sends to a peer that does not read. Then both
 * processes receive messages from the sockets and connections that were open at
 * the fork, but a connection that has a lane, or may get one, stays with the
 * parent. In the child, _stop and _drain leave all of these to the parent: they
 * close the child's descriptors at once, shut no socket down, and remove no
 * file. A program that first listens and then goes into the background, as
 * daemon(3) does, calls unixservice_set_unlink_on_close(service, true) in the
 * child: this makes the child the owner of everything.
 */
#ifndef UNIXMSG_SERVICE_H
#define UNIXMSG_SERVICE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "addr.h"
#include "conn.h"
#include "cred.h"
#include "deadline.h"
#include "listen.h"
#include "listener.h"
#include "msg.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unixservice;

/* The result of a message handler. */
enum unixservice_verdict {
	/* Nothing more follows for this message. */
	UNIXSERVICE_DONE,
	/* The answer follows later, by unixservice_send; or unixservice_settle
	 * says that there will be none. */
	UNIXSERVICE_LATER,
	/* The peer has broken the protocol, or said good-bye. The service
	 * closes it once its queued answers are sent and its pending ones
	 * (UNIXSERVICE_LATER) are settled. */
	UNIXSERVICE_CLOSE,
};

/*
 * Handles one message from peer: msg->size bytes at msg->data. The service owns
 * that memory; the handler may change it, and the memory is invalid after the
 * return. msg->addr is the source address of a datagram, and NULL for
 * connections. Credentials and descriptors are there if the options' wants ask
 * for them. The service closes the descriptors after the return, unless the
 * handler keeps them and sets msg->fds_count to 0 (and msg->pidfd to -1).
 * Messages in frames (on "unix", without UNIXMSG_LISTEN_BYTES) have no
 * credentials and no descriptors: a client could leave descriptors with half of
 * a message, and the service would have to hold them. Since Linux 6.16 the
 * sender of such descriptors gets EPERM. Older kernels close them, and the
 * message arrives without them.
 *
 * A message of a byte stream (UNIXMSG_LISTEN_BYTES) holds the bytes of one
 * read. Its descriptors were sent with one of these bytes, not always with the
 * first.
 *
 * Returns an enum unixservice_verdict.
 */
typedef int unixservice_handler(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context);

/* Other events, for logs and for state of your own. */
enum unixservice_event_kind {
	/* A peer is new, or closed. On CLOSED, error is 0 if the peer ended by
	 * itself, was silent for forget_us, or was closed by the program
	 * (UNIXSERVICE_CLOSE, unixservice_close_peer), and nothing was lost;
	 * else it is the reason. */
	UNIXSERVICE_OPENED,
	UNIXSERVICE_CLOSED,
	/* The last queued message to the peer is sent. Or the service has
	 * dropped all of them to make room for other users, and the peer stays
	 * open. */
	UNIXSERVICE_FLUSHED,
	/* The rules of _allow_ and _deny_ refused a message, or a connection
	 * (peer 0, msg NULL). */
	UNIXSERVICE_REFUSED,
	/* A message or a connection was refused: it exceeds the limits
	 * (EDQUOT), or there was no memory for a new peer (ENOMEM). */
	UNIXSERVICE_LIMITED,
	/* A message was larger than size_max: msg->size is its true size, and
	 * msg->data holds its beginning, msg->room bytes; nothing for a stream.
	 * The service closes a connection then, since the client would take the
	 * next answer for the answer to this message. */
	UNIXSERVICE_CUT,
	/* An answer or a pushed message was not delivered; error is the
	 * reason. */
	UNIXSERVICE_LOST,
	/* The service cannot accept connections for the moment; error is the
	 * reason, such as EMFILE. */
	UNIXSERVICE_PAUSED,
	/* All ready peers and sockets have had their turn. Write out now what
	 * your handlers have collected. */
	UNIXSERVICE_ROUND,
	/* The socket at addr receives nothing any more: another process that
	 * shares it has shut it down (EINVAL). The service no longer polls it,
	 * and goes on with its peers and other sockets. */
	UNIXSERVICE_SHUT,
	/* The service cannot prove that the address of a datagram belongs to
	 * its sender (EPERM). It did not send an answer, or a pushed message,
	 * which counts in pushed_lost. If msg is not NULL, it refused that
	 * message, since a peer of another user has the address. */
	UNIXSERVICE_UNPROVED,
	/* The client of this connection has shut down its writing side: all of
	 * its messages were handled. It still receives. Only with the option
	 * keep_ended, and not after unixservice_stop. */
	UNIXSERVICE_ENDED,
};

struct unixservice_event {
	enum unixservice_event_kind kind;
	/* The peer of the event, 0 for none. */
	uint64_t peer;
	/* 0, or an errno. */
	int error;
	/* True if cred is known. cred is the effective user of a connection at
	 * connect, or the writer of a datagram. */
	bool has_cred;
	struct unixcred cred; /* without has_cred no user, see unixcred */
	/* The address, or NULL for a peer that is bound to no name. */
	const struct unixaddr *addr;
	/* The message, or NULL. */
	const struct unixmsg *msg;
	/* The number of events that event_rate suppressed before this one. */
	uint64_t suppressed;
	uint64_t reserved[4];
};

typedef void unixservice_watcher(struct unixservice *service,
	const struct unixservice_event *event, void *context);

/*
 * Writes one line about event to text, printable ASCII whatever the peer's name
 * holds, with a NUL at the end, truncated to room bytes. Returns text. 640
 * bytes are always enough.
 */
char *unixservice_format_event(const struct unixservice_event *event,
	char *text, size_t room);

/* The messages that the service drops when the queue of a peer is full. */
enum unixservice_policy {
	UNIXSERVICE_DROP_NEWEST, /* the new one; the default */
	UNIXSERVICE_DROP_OLDEST, /* the oldest ones, to make room */
	UNIXSERVICE_DROP_PEER,   /* all of them: it closes the peer */
};

/*
 * A structure of zeros has the defaults. UINT_MAX, SIZE_MAX and UNIXMSG_FOREVER
 * mean "no limit" for peers, rates, queued answers and times, and UINT64_MAX
 * for the memory of lanes. EINVAL: a value below zero, above the bound that is
 * given here, or unknown; fds_max without UNIXMSG_WANT_FDS; no handler.
 */
struct unixservice_options {
	/* The service calls it for all events but messages; NULL for none. */
	unixservice_watcher *watcher;
	/* The most events a second of the kinds REFUSED, LIMITED, CUT, LOST and
	 * UNPROVED that the watcher gets; default 20. After a quiet second that
	 * many may come at once. Of the refused messages of one datagram peer,
	 * only the first is reported. */
	unsigned int event_rate;
	/* The largest message that the service receives, in bytes; default
	 * 212960, the size that a socket carries by default. The service has
	 * one buffer of that size; each framed stream holds its own incomplete
	 * message, see partial_bytes_max. */
	size_t size_max;
	/* wants is what the service receives besides the payload:
	 * UNIXMSG_WANT_..., default 0; messages in frames have nothing else,
	 * whatever a listener or a connection has asked for. fds_max is the
	 * most descriptors in one message; default UNIXMSG_FDS_MAX if wants
	 * has UNIXMSG_WANT_FDS, else 0. */
	unsigned int wants;
	unsigned int fds_max;
	/* The most peers at once, in all and for each user; defaults 1024 and
	 * no limit. When every place is taken, a new peer replaces a datagram
	 * peer of its own user that has no queued and no pending answers. If
	 * there is none, the user with the most peers may lose one. If that
	 * user has at least two peers more than the user of the new peer, it
	 * loses the longest-silent peer that has no such answers, or else the
	 * longest-silent one. Otherwise it loses only a datagram peer without
	 * such answers. If there is none, the service refuses the new peer.
	 * When descriptors run out, and one user has more than a quarter of
	 * them, the service closes the longest-silent connection of that user.
	 *
	 * A new peer never replaces a connection of its own user, even of the
	 * only user: the service refuses it (EDQUOT), since it cannot know
	 * which connection that user needs less. It may replace a datagram peer
	 * of its own user.
	 *
	 * A datagram peer keeps its place while it has unread answers in the
	 * shared send buffer. If the service closes the peer all the same, the
	 * peer counts in peers_per_user_max until it has read them. A user is
	 * a uid: 65536 subordinate uids (subuid(5)) are 65536 users. */
	unsigned int peers_max;
	unsigned int peers_per_user_max;
	/* user_rate is the most messages a second from one user; default no
	 * limit. user_burst is the most at once; 0, the default, stands for
	 * user_rate. Beyond them, connections wait and datagrams are lost. */
	unsigned int user_rate;
	unsigned int user_burst;
	/* The service closes a connection that neither sends nor receives
	 * anything for this time; default none. */
	int64_t idle_us;
	/* The most queued answers for one peer, their bytes, and the bytes for
	 * all peers: defaults 1024, 2 MiB, 16 MiB. Each message counts 64 bytes
	 * more than it has. The service queues one answer whatever its size, if
	 * the total has room. If not, the user with the most queued bytes makes
	 * room for the others: the service closes the connection with the most
	 * of them (ENOBUFS), or drops the answers to the datagram peer with the
	 * most. Connections of that user still queue their first answer, until
	 * all queues hold twice queue_total_bytes_max. Beyond that the service
	 * closes them. In all other cases beyond these bounds, policy decides
	 * what is dropped. */
	unsigned int queue_messages_max;
	size_t queue_bytes_max;
	size_t queue_total_bytes_max;
	enum unixservice_policy policy;
	/* The longest time that the service queues an answer to a datagram
	 * peer; default 5 s. If a connection accepts none of its queued answers
	 * for this time, the service reads everything that the client has sent,
	 * and closes the connection (ETIMEDOUT); its queued answers count as
	 * late. Without this bound a client could keep its place for ever, even
	 * after its death, by a copy of its socket in an unread message. The
	 * kernel does not report that a client has shut down its reading side.
	 * So the service learns it only when it tries to send again, after
	 * patience_us at the latest. It then reads the client to its end. Raise
	 * patience_us for clients that may stop reading for longer. */
	int64_t patience_us;
	/* The send buffer that the service asks for on datagram sockets;
	 * default 4 MiB. Without CAP_NET_ADMIN it is at most twice
	 * net.core.wmem_max. */
	size_t send_buffer_bytes;
	/* The time that unixservice_run polls before it sleeps, see
	 * unixmsg/deadline.h; default 0. */
	int64_t spin_us;
	/* The most datagrams that one system call receives, see Batches
	 * above. 0 and 1, the default, mean no batches. At most
	 * UNIXMSG_BATCH_MAX. */
	unsigned int batch;
	/* The most bytes of incomplete messages on framed streams, of all
	 * users; one user may have half of them. Default 16 MiB. The least is 8
	 * times size_max plus 1 MiB; a smaller value counts as that. Beyond it
	 * the service closes the longest-silent connection of the user with the
	 * most such bytes (ENOBUFS). The memory for them may be twice as large,
	 * and 64 KiB more for each connection in the middle of a message. */
	uint64_t partial_bytes_max;
	/* The service forgets a datagram peer that is silent for this time;
	 * default 600 s. When all places are taken, a new peer may replace a
	 * silent one earlier: see unixservice_keep_peer. */
	int64_t forget_us;
	/* A connection whose client has shut down its writing side remains a
	 * peer, and the watcher gets UNIXSERVICE_ENDED. The service closes it
	 * when the other direction ends too: by unixservice_shutdown_peer or
	 * _close_peer, or because the client closes it. Without this option,
	 * the service closes it once all answers are sent. */
	bool keep_ended;
	/* The service reads from a connection also while messages to it are
	 * queued. Then a client that sends without reading may lose answers, by
	 * the bounds and the policy above. */
	bool read_while_queued;
	/* A message that is delivered to a peer counts as activity of that
	 * peer, for forget_us and idle_us, as one from it does: a subscriber
	 * that only listens is not silent while there is something to hear. */
	bool delivery_is_activity;
	/* The most bytes of memory of lanes (lane_bytes of struct
	 * unixlisten_options), of all connections and of those of one user;
	 * defaults 64 MiB, and half of lane_bytes_max. A lane counts both of
	 * its directions, and a page for each. Beyond it the service offers no
	 * lane: the connection goes on without one, and lanes_limited counts
	 * it. Lanes of connections that the program adds count too, but the
	 * limits stop only those that the service would offer. */
	uint64_t lane_bytes_max;
	uint64_t lane_bytes_per_user_max;
	/* For later versions: 0. */
	uint64_t reserved[11];
};

#define UNIXMSG_SERVICE_OPTIONS_INIT \
	{                            \
		0                    \
	}

/*
 * Makes a service that serves nobody yet. options may be NULL. The handler and
 * the watcher get context, which stays the caller's. Returns NULL with EINVAL,
 * or an error of malloc(3), epoll_create1(2), timerfd_create(2).
 */
struct unixservice *unixservice_new(unixservice_handler *handler, void *context,
	const struct unixservice_options *options);

/*
 * Closes all peers and sockets, removes the names, and frees service, which may
 * be NULL. Call unixservice_drain first: no counter tells what becomes of
 * messages that are unanswered now. The watcher gets no event. May wait a
 * second for each socket file, as unixservice_stop. Returns -1 with errno if it
 * could not remove a file; service is freed all the same.
 */
int unixservice_close(struct unixservice *service);

/*
 * Serves at address. network is "unixgram", "unixpacket" or "unix", see
 * unixmsg/conn.h. Messages on "unix" have the frames of unixconn_send, unless
 * options have UNIXMSG_LISTEN_BYTES. options may be NULL, see unixmsg/listen.h;
 * the service ignores stop_fd and spin_us. On an abstract address with no
 * _allow_ rule yet, only our own user and root may send or connect: the kernel
 * would let everybody in. Returns -1 with
 *
 *   EINVAL   the service was stopped, or options want UNIXMSG_WANT_FDS and the
 *            service's own options do not
 *   ENOTSUP  options have lane_bytes, and network is not "unixpacket"
 *
 * or an error of unixconn_open, unixlistener_open, epoll_ctl(2), malloc(3).
 */
int unixservice_listen(struct unixservice *service, const char *network,
	const char *address, const struct unixlisten_options *options);

/*
 * Serves an open socket: one with options of your own, inherited, or connected.
 * On success the service owns the socket, and the policy of the service
 * replaces that of unixconn_set_policy. On failure the socket stays yours; what
 * it receives besides the payload (unixconn_want) and its send buffer may have
 * changed already. flags are UNIXMSG_LISTEN_BYTES, for streams, or 0. Rules and
 * limits on peers do not keep out a connection that is added here. *peer is its
 * peer number, or 0 for a datagram socket that is not connected; peer may be
 * NULL. The watcher gets UNIXSERVICE_OPENED before *peer is stored. Returns -1
 * with
 *
 *   EINVAL   unknown flags; the service was stopped
 *   EBUSY    a stream in the middle of a message that it sends
 *
 * or an error of epoll_ctl(2), eventfd(2), setsockopt(2), malloc(3).
 *
 * Datagrams that are already queued in conn have credentials only if the socket
 * asked for them before they came, by UNIXMSG_WANT_CRED or systemd's
 * PassCredentials=. Without credentials the service refuses them if there are
 * rules, and on abstract names. unixservice_listen leaves no such gap.
 *
 * A datagram socket that unixconn_dial has connected is one peer, to which all
 * messages in the socket belong. One such socket for each client lets a
 * forwarder give the answers of a server to the right client. The kernel does
 * not report the end of a datagram receiver: the service closes the peer when a
 * send finds it closed (ECONNREFUSED), unless conn reconnects
 * (UNIXMSG_DIAL_RECONNECT). Messages of the peer that are unread then are lost.
 */
int unixservice_add_listener(struct unixservice *service,
	struct unixlistener *listener, unsigned int flags);
int unixservice_add_conn(struct unixservice *service, struct unixconn *conn,
	unsigned int flags, uint64_t *peer);

/*
 * Opens a peer at an address, for a service that speaks first, for example to
 * another service. unixservice_push sends to it, with queue, policy and
 * counters as for every peer; the handler gets its messages. Limits on peers do
 * not keep it out. The watcher gets UNIXSERVICE_OPENED before the call stores
 * *peer and returns, but no event for a peer that was known already. *peer is
 * its number; peer may be NULL. flags are UNIXMSG_LISTEN_BYTES, for "unix", or
 * 0. Never waits, except for a file system on the way to address that hangs.
 *
 * "unixpacket" and "unix" open a new connection, see unixconn_dial and
 * unixservice_add_conn. EAGAIN while the backlog of the listener is full.
 *
 * On "unixgram" the service sends from the first datagram socket that it
 * serves, and the peer answers to that socket; EINVAL if it serves none. For a
 * socket without a file, call unixservice_listen with "@". If the address
 * belongs to a peer already, the service proves that the name is still that
 * peer's, and returns its number. Without proof it closes that peer (ESTALE),
 * and opens a new one. The service keeps the peer, see unixservice_keep_peer.
 * The peer has no user until its first message. The service then proves the
 * sender of that message as it would for an answer, see above, and applies the
 * rules to it.
 *
 * The service sends to the socket that is at address now. If users other than
 * root and our own could replace the file, the service holds it by a descriptor
 * (EAGAIN: it can hold no more; ENOSYS: that needs /proc), and closes the peer
 * as soon as a message finds the socket closed. EINVAL also for the service's
 * own address. EPERM if the name that the socket gave to bind(2) does not lead
 * back to the socket (a relative name, or one of another mount namespace), or
 * if a file system on the way may hang. The service could not tell which
 * messages come from that socket.
 *
 * Returns -1 with EINVAL (no such network, unknown flags, a stopped service),
 * or an error of unixconn_dial and unixservice_add_conn. For a connection with
 * options of your own, dial and add it.
 */
int unixservice_open_peer(struct unixservice *service, const char *network,
	const char *address, unsigned int flags, uint64_t *peer);

/*
 * Sets whether unixservice_close and _stop remove the files of the sockets that
 * are served now, see unixlistener_set_unlink_on_close. Returns -1 with the
 * errno of the first socket that it could not switch; it switches all others.
 * true in a child of fork(2) makes the child the owner of everything that the
 * service has, see above.
 */
int unixservice_set_unlink_on_close(struct unixservice *service,
	bool is_wanted);

/*
 * Gives up all sockets that the service serves, and keeps its peers. Removes
 * the socket files, within the rules of unixservice_set_unlink_on_close, and
 * may wait for each as unixservice_stop. A later send or connect there fails at
 * once (EPIPE, ECONNREFUSED). The service still receives the messages that came
 * before, and accepts the connections in the backlog. A socket that other
 * processes use too (adopted, or bound before a fork(2)) stays open for them:
 * the service stops using it at once, and neither shuts it down nor empties its
 * queue.
 *
 * unixservice_listen may serve again, also at the same file. An abstract name
 * becomes free after the next rounds, when the backlog is empty; that of a
 * datagram socket only when its last peer is closed, as messages to its peers
 * are sent by that socket.
 *
 * Returns -1 with EINVAL (the service was stopped), or with the errno of the
 * first file that it could not remove; it gives up all sockets all the same.
 */
int unixservice_unlisten(struct unixservice *service);

/* Stores the address of the first socket that is served; ENOENT if there is
 * none. */
int unixservice_get_address(const struct unixservice *service,
	struct unixaddr *addr);

/*
 * Adds a rule that says who may send and connect. The kernel vouches for the
 * credentials: of a connection the effective user and group at connect, and the
 * supplementary groups; of a datagram the real user and group of the writer. A
 * denied user or group may not send or connect. If there are rules that allow,
 * only the users and groups in them may send and connect. Without such rules
 * the file's mode decides; on an abstract name only our own user and root may.
 * Our own user is the effective one at the call of _dispatch or _run: if a
 * handler changes it, that takes effect at the next call. Returns -1 with
 * EINVAL (the id -1) or ENOMEM.
 */
int unixservice_allow_user(struct unixservice *service, uid_t user);
int unixservice_allow_group(struct unixservice *service, gid_t group);
int unixservice_deny_user(struct unixservice *service, uid_t user);
int unixservice_deny_group(struct unixservice *service, gid_t group);

/* Allows all users who are not denied, on abstract names, too. */
void unixservice_allow_anyone(struct unixservice *service);

/*
 * Sends size bytes at data to peer; copies them if it cannot send at once.
 * Never waits. Returns 1 if the message was sent or queued; 0 if the policy
 * dropped it; -1 with
 *
 *   ENOTCONN       the peer is closed, or was closed now
 *   EPIPE          this connection can receive nothing any more; the service
 *                  still reads what it has sent, and UNIXSERVICE_CLOSED follows
 *   EINVAL         peer 0, which has no address: the answer counts as unnamed
 *   EMSGSIZE       the message is larger than the socket can send; nothing
 *                  counts it, and the answer is still pending
 *   ENOMEM         no memory to queue the message: it is lost, and counts as
 *                  dropped or pushed_lost
 *   EACCES, EPERM  we may not write to that peer: the message is lost
 *
 * or an error of sendmsg(2), which loses the message, too.
 *
 * In the handler, the first send to the sender answers its message. Every other
 * send answers one of the peer's messages for which the handler returned
 * UNIXSERVICE_LATER, if there is one; else it is a push. A message counts as
 * answered once its answer is delivered.
 */
int unixservice_send(struct unixservice *service, uint64_t peer,
	const void *data, size_t size);

/*
 * Sends as unixservice_send does, in several parts, with descriptors, which
 * stay the caller's, and with credentials (UNIXMSG_SEND_CRED). The call ignores
 * addr, so a handler may pass on the message that it got. To pass on its
 * credentials, too, the handler sets UNIXMSG_SEND_CRED if the message has
 * UNIXMSG_HAS_CRED; those of others need privileges, see unixmsg/msg.h. Also
 * fails with EINVAL for descriptors or credentials with a message in a frame,
 * or with no byte of a byte stream; and with an error of fcntl(2), if the
 * service has to queue descriptors. If the kernel refuses what goes with bytes
 * of a byte stream (EPERM), the service sends the peer no more (EPIPE): those
 * bytes would be missing.
 */
int unixservice_send_msg(struct unixservice *service, uint64_t peer,
	const struct unixmsg *msg);

/* Sends as unixservice_send does, but never answers a message, even if an
 * answer to the peer is pending. Use it for events, for example. */
int unixservice_push(struct unixservice *service, uint64_t peer,
	const void *data, size_t size);

/* Returns true if the message goes to this peer. */
typedef bool unixservice_filter(struct unixservice *service, uint64_t peer,
	void *context);

/*
 * Calls unixservice_push for all peers, or for those that filter accepts;
 * filter may be NULL. Returns the number of peers for which unixservice_push
 * gave 1. The watcher and the counters report the others, but not a message
 * that is larger than the socket can send (EMSGSIZE).
 */
size_t unixservice_push_all(struct unixservice *service, const void *data,
	size_t size, unixservice_filter *filter, void *context);

/* Declares that one message with a pending answer (UNIXSERVICE_LATER) will get
 * none. ENOTCONN; EINVAL if there is none. */
int unixservice_settle(struct unixservice *service, uint64_t peer);

/* Closes peer once its queued messages are sent and its pending answers
 * (UNIXSERVICE_LATER) are sent or settled. ENOTCONN. */
int unixservice_close_peer(struct unixservice *service, uint64_t peer);

/*
 * Closes peer at once. Its queued messages are lost. Queued and pending answers
 * count as gone, all other messages as pushed_lost. UNIXSERVICE_CLOSED has the
 * error ECANCELED. ENOTCONN.
 */
int unixservice_reset_peer(struct unixservice *service, uint64_t peer);

/*
 * Ends the direction to peer, a connection, once its queued messages are sent:
 * the client reads the end after the last message. From now on every send to
 * peer fails with EPIPE, and a pending answer counts as gone. The service still
 * reads what the client sends. If the client has already ended its own
 * direction, the service closes the peer then. A second call does nothing. In a
 * child of fork(2), the service does not shut down connections of the parent.
 * Returns -1 with
 *
 *   ENOTCONN  the peer is closed
 *   ENOTSUP   a datagram peer: its messages have no end
 */
int unixservice_shutdown_peer(struct unixservice *service, uint64_t peer);

/*
 * Stops reading from peer until _resume_peer. peer is a connection, or a
 * datagram peer with a socket of its own (unixservice_add_conn). Its messages
 * wait in the kernel, and then the client waits. Messages to the peer are sent
 * meanwhile. A pause takes effect at once, also in the handler; a second one
 * does nothing. The service notices that the client of a connection has closed
 * or has died: sends fail with EPIPE then. But it closes the peer, or reports
 * UNIXSERVICE_ENDED, only when the peer is resumed and read to its end. idle_us
 * does not close a paused peer, unless messages to it are queued. After
 * unixservice_stop the peer stays paused, and the service waits for it until
 * the deadline of that call. Both return -1 with
 *
 *   ENOTCONN  the peer is closed, or was closed now, as the loop cannot watch
 *             it
 *   ENOTSUP   a datagram peer that shares a socket with others, see
 *             unixservice_pause_socket
 */
int unixservice_pause_peer(struct unixservice *service, uint64_t peer);
int unixservice_resume_peer(struct unixservice *service, uint64_t peer);

/*
 * Pauses or resumes the sockets with this tag, see struct unixlisten_options; 0
 * stands for those without one. Nothing is received from a datagram socket
 * meanwhile, and no connection is accepted from a listener: they wait in the
 * kernel, and then the clients wait. A pause takes effect at once, also in the
 * handler; the rest of a batch waits in the service. Messages to all peers are
 * sent meanwhile, and those of connections are received. After unixservice_stop
 * the sockets stay paused, and the service waits for them until the deadline of
 * that call. Both return -1 with ENOENT if no socket has this tag.
 */
int unixservice_pause_socket(struct unixservice *service, uint64_t tag);
int unixservice_resume_socket(struct unixservice *service, uint64_t tag);

/*
 * Keeps a silent peer, if is_wanted: for example a subscriber that only
 * listens. The service does not forget a kept datagram peer after forget_us,
 * and a new peer replaces it only where it may replace a connection, see
 * peers_max. It does not close a kept connection after idle_us. The end of a
 * datagram peer is silent: the service closes it when a message to it finds no
 * receiver (ECONNREFUSED, ENOENT). ENOTCONN.
 */
int unixservice_keep_peer(struct unixservice *service, uint64_t peer,
	bool is_wanted);

/* A pointer of your own for each peer, NULL at the beginning. ENOTCONN. */
int unixservice_set_context(struct unixservice *service, uint64_t peer,
	void *context);
void *unixservice_get_context(const struct unixservice *service, uint64_t peer);

/*
 * For a loop of your own: poll the descriptor, which belongs to the service,
 * for reading, and call unixservice_dispatch when it is readable. That does
 * what is possible at once, and never waits. It returns 0, or -1 with EBUSY in
 * a handler, or with the errno of epoll_wait(2).
 *
 * One call is one round: each peer and socket has its turn, and the descriptor
 * stays readable while work is left. So the loop has to be level-triggered,
 * like poll(2), or epoll(7) without EPOLLET. An edge-triggered loop gets no
 * event for the work that is left: it calls _dispatch again for as long as
 * poll(2) reports the descriptor as readable.
 *
 * In a child of fork(2), _get_fd makes the child's own loop, see above. It may
 * then return -1 with the errors of epoll_create1(2), timerfd_create(2),
 * epoll_ctl(2) (EBADF: the child has closed a descriptor of the service), and
 * so do _run and _dispatch.
 */
int unixservice_get_fd(const struct unixservice *service);
int unixservice_dispatch(struct unixservice *service);

/*
 * Sets the descriptor that ends unixservice_run and unixservice_drain, see
 * unixmsg/deadline.h; 0 or -1, the initial value, for none. Returns -1 with the
 * errors of epoll_ctl(2), EPERM for a file that cannot be polled. After an
 * error the service has no stop descriptor.
 */
int unixservice_set_stop_fd(struct unixservice *service, int stop_fd);

/*
 * Serves until the service is stopped and drained, and returns 0 then. Returns
 * -1 with
 *
 *   ETIMEDOUT  the deadline came
 *   EAGAIN     UNIXMSG_NOW: after one round there is more to do
 *   ECANCELED  the stop descriptor became readable; the service forgets it, so
 *              set another one for a second stop
 *   EBUSY      it was called in a handler
 *
 * or an error of epoll_wait(2).
 */
int unixservice_run(struct unixservice *service, int64_t deadline_us);

/*
 * Runs the whole life of a server. Serves until stop_fd becomes readable (see
 * unixmsg/deadline.h, and unixstop_open) and then drains for timeout_us
 * microseconds at most, which a second signal does not shorten. If the program
 * calls unixservice_stop instead, the deadline of that call counts. Returns 0
 * at the normal end, also if the time was too short to answer all: see
 * counters.stopped. Returns -1 with EINVAL (a stop_fd of 0 or below, a negative
 * timeout_us), or an error of unixservice_set_stop_fd, _run and _drain.
 */
int unixservice_serve(struct unixservice *service, int stop_fd,
	int64_t timeout_us);

/*
 * Begins to stop. Removes the socket files, for each of which it may wait a
 * second for the lock on the directory, and accepts nothing new: a later send
 * or connect fails at once (EPIPE, ECONNREFUSED). Until the deadline the
 * service still receives and answers everything that came before, and accepts
 * the connections in the backlog. At the deadline it gives up: it counts the
 * messages that it has received as stopped, and the others are lost with their
 * sockets. A socket that other processes use too (adopted, or bound before a
 * fork(2)) stays open for them, as in unixservice_unlisten. Abstract names
 * become free when the service is closed.
 *
 * A second call replaces the deadline by an earlier or later one, and does
 * nothing else. Returns -1 with EINVAL (a negative deadline_us; nothing has
 * changed), or with the errno of a file that it could not remove; the service
 * stops all the same.
 */
int unixservice_stop(struct unixservice *service, int64_t deadline_us);

/* Returns true if the service was stopped and nothing is left to do. */
bool unixservice_is_drained(const struct unixservice *service);

/*
 * Calls unixservice_stop, and then unixservice_run until the service is
 * drained. deadline_us replaces the deadline of an earlier _stop. Until the
 * deadline it waits for pending answers (UNIXSERVICE_LATER). Returns 0, also if
 * the time was too short to answer all (see counters.stopped), or -1 with an
 * error of these two.
 *
 * After the return, answers to datagrams may still lie in the queues of their
 * receivers. A client that sends to the closed socket before it reads them
 * loses them: the kernel empties its queue, and the send fails with
 * ECONNREFUSED.
 */
int unixservice_drain(struct unixservice *service, int64_t deadline_us);

/*
 * The figures so far, in messages unless stated otherwise. At any moment
 *
 *	received = answered + unanswered + refused + limited + cut + unnamed +
 *		dropped + late + gone + failed + stopped + unproved + waiting
 */
struct unixservice_counters {
	uint64_t received;
	uint64_t received_bytes;
	uint64_t answered;   /* the kernel has accepted the answer */
	uint64_t unanswered; /* the handler sent no answer */
	uint64_t refused;    /* by the rules */
	uint64_t limited;    /* by user_rate, or no place for the peer */
	uint64_t cut;        /* larger than size_max */
	uint64_t unnamed;    /* the answer had no address to go to */
	uint64_t dropped;    /* the answer, by the policy or lack of memory */
	uint64_t late;       /* the answer, after patience_us */
	uint64_t gone;       /* the peer closed before its answer */
	uint64_t failed;     /* the kernel refused the answer */
	uint64_t stopped;    /* the answer, by the end of the service */
	uint64_t waiting;    /* now: in the handler, or the answer is queued */
	/* Pushed messages, and those of them that were not delivered. */
	uint64_t pushed;
	uint64_t pushed_lost;
	/* The bytes of answers and pushed messages. */
	uint64_t sent_bytes;
	uint64_t peers; /* now */
	uint64_t peers_most;
	uint64_t connections;         /* accepted */
	uint64_t connections_refused; /* by the rules */
	uint64_t connections_limited; /* refused by limits */
	/* Connections and kept datagram peers closed to make room: for a new
	 * peer, or for queued answers. */
	uint64_t evicted;
	uint64_t idle; /* connections closed for silence */
	/* Queued messages now and at most, and their bytes now and at most,
	 * with 64 more for each message. */
	uint64_t queued;
	uint64_t queued_most;
	uint64_t queued_bytes;
	uint64_t queued_bytes_most;
	/* The number of times that no connection could be accepted for lack of
	 * descriptors or memory. */
	uint64_t pauses;
	/* Received descriptors that the service did not want, or had no room
	 * for. */
	uint64_t fds_lost;
	uint64_t events_suppressed;
	/* The bytes of incomplete messages, now and at most, and the
	 * connections closed because there were too many. */
	uint64_t partial_bytes;
	uint64_t partial_bytes_most;
	uint64_t partials_closed;
	/* Datagrams: the answer might have reached another user, see above; or
	 * the message came from the address of another user's peer. */
	uint64_t unproved;
	/* Connections that have a lane now, or were offered one; the bytes of
	 * memory for them, now and at most; and the connections that got no
	 * offer because of the limits. */
	uint64_t lanes;
	uint64_t lane_bytes;
	uint64_t lane_bytes_most;
	uint64_t lanes_limited;
	uint64_t reserved[8];
};

void unixservice_get_counters(const struct unixservice *service,
	struct unixservice_counters *counters);

/* The figures of one peer. sent and lost count answers and pushed messages; the
 * other counts are as above. */
struct unixservice_peer_info {
	uint64_t id;
	const char *network; /* "unixgram", "unixpacket", "unix"; static */
	uint64_t tag;        /* of its socket, see unixlisten_options */
	bool has_cred;
	struct unixcred cred;
	struct unixaddr addr; /* unnamed for most connections */
	uint64_t received;
	uint64_t sent;
	uint64_t lost;
	uint64_t waiting;
	uint64_t queued;
	uint64_t queued_bytes;
	uint64_t queued_most;
	int64_t opened_us; /* times of CLOCK_MONOTONIC */
	int64_t active_us;
	uint64_t reserved[7];
};

/*
 * Returns the number of messages that are queued until peer has room for them;
 * 0 also for a closed peer. After a send this tells whether the message was
 * sent or queued. When the last queued message is sent, UNIXSERVICE_FLUSHED
 * follows; UNIXSERVICE_LOST reports those that are dropped, within event_rate,
 * but not those that a closed peer loses.
 */
size_t unixservice_get_queued(const struct unixservice *service, uint64_t peer);

/* Stores the figures of peer. ENOTCONN. */
int unixservice_get_peer_info(const struct unixservice *service, uint64_t peer,
	struct unixservice_peer_info *info);

/* Returns the tag of the socket that received the message in the handler, see
 * struct unixlisten_options; 0 outside of the handler. */
uint64_t unixservice_get_tag(const struct unixservice *service);

/* Returns the peer that follows peer, in no particular order: for 0 the first
 * one, and after the last one 0. Peers may open and close between two calls,
 * also peer itself. */
uint64_t unixservice_get_next_peer(const struct unixservice *service,
	uint64_t peer);

/*
 * Writes one JSON object (RFC 8259) in one line. Both return its length, like
 * snprintf(3), and write the part that fits into room, with a NUL. Names of
 * peers are text of unixaddr_format.
 */
size_t unixservice_format_counters(const struct unixservice_counters *counters,
	char *text, size_t room);
size_t unixservice_format_peer(const struct unixservice_peer_info *info,
	char *text, size_t room);

#ifdef __cplusplus
}
#endif
#endif
