/* SPDX-License-Identifier: MIT */
/*
 * unixservice: a server for many peers at once, written as one handler.
 *
 * The same handler serves datagram sockets, packet connections and streams,
 * several of them in one service. It gets a message and may answer at once,
 * later, often, or never; nothing it calls waits. A server in a few lines:
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
 * Peers. A connection is a peer from when it is accepted until it is closed, a
 * datagram sender from its first message until it was silent for forget_us (ten
 * minutes): nobody tells it that it is forgotten, and nothing that is sent to
 * all peers reaches it then. One that only listens is kept with
 * unixservice_keep_peer. A peer is told by a number that never comes back: one
 * that is gone is ENOTCONN wherever it is used. An address that another user
 * has now is another peer, and the one before is closed (ESTALE). 0 is a
 * datagram sender without an address.
 *
 * A client may send and close without reading anything. A connection that
 * nothing can be sent to any more (its client has closed it, has died, or has
 * shut down its reading side) is read to its end, so nothing that was sent
 * before is lost. Until then unixservice_send to it fails with EPIPE, and the
 * answers count as gone. A client that shuts down only its writing side still
 * gets its answers. The service notices the death of a client at once, also
 * while an answer to it is owed (UNIXSERVICE_LATER) or kept. What a connection
 * has sent is lost unread only where the service closes it for the sake of
 * others (EDQUOT, ENOBUFS), by UNIXSERVICE_DROP_PEER, after a message that was
 * too large, or the program does: its client gets ECONNRESET then. Messages
 * that were not read are in no counter; that there was such an end is told by
 * UNIXSERVICE_CLOSED, and counted in evicted, partials_closed, dropped or cut.
 *
 * A datagram's address is what its sender has given to bind(2), and leads where
 * the sender likes. So before the first answer the service proves that it gets
 * to the user who wrote the message, see unixconn_prove_sender in
 * unixmsg/conn.h for how, and for what cannot be proved: such a peer is heard
 * and gets no answer (EPERM, the counter unproved), and does not take the place
 * of another user's peer. The proof is made once, and costs nothing later: the
 * file of a peer of another user is held fast by a descriptor, for up to a
 * quarter of RLIMIT_NOFILE of them and 1024; beyond that it is made anew when
 * it is needed. While descriptors or memory for the proof are short the answer
 * is kept. Where all sockets have to be listed, or symbolic links be followed,
 * that takes a sixth of the time at most: such answers may be kept for a moment
 * first. Messages without credentials that were in the queue of a socket when
 * it was added, adopted or opened before, are answered if no symbolic link is
 * on the way; that somebody in a mount namespace has forged such a one cannot
 * be seen: have the supervisor ask for credentials (PassCredentials=), and open
 * sockets by unixservice_listen, which asks for them before the first message.
 * A service never answers itself. Two services that answer every message,
 * answers too, would go on for ever, once one has sent something to the other;
 * nobody but their own user can set them off.
 *
 * A peer that does not read delays nobody. Answers that it has no room for are
 * kept, within the bounds of struct unixservice_options, while the others are
 * served; what happens beyond the bounds is the policy's. A connection is not
 * read from while answers to it are kept, so one that only asks and is only
 * answered loses none. Datagram sockets cannot look away from one sender, and
 * all their answers are charged to one send buffer until they are read: the
 * service raises it (send_buffer_bytes), and holds back what goes to peers
 * that have read nothing of what was sent before, so that the rest of the
 * buffer stays for the others.
 *
 * That has bounds: nobody can tell of a newcomer that he will not read, and his
 * first answer goes. So many datagram peers that never read were borne, with
 * the others still answered (Linux 6.18, one after the other of 1, 20, 50, 100,
 * 200 and 400 was tried):
 *
 *	answers of          64 bytes   4 KiB   64 KiB   200 KiB
 *	send buffer 4 MiB        400     400       20         1
 *	425984 bytes             400      20        1         0
 *
 * With 20 that hold 4 KiB the others' times stay the same in 4 MiB, and grow
 * by half in 425984 bytes, what one gets without rights; near the bound they
 * double, and who has several requests at once gets one answer at a time.
 * Beyond it answers wait until somebody reads or goes, and are late after
 * patience_us. Connections have no such bound, each has a buffer of its own.
 *
 * Batches. With options.batch above 1, and where datagrams have queued up, one
 * system call takes so many of them, and what the handler sends meanwhile is
 * gathered and goes by one as well, when the last of them was handled. Order,
 * limits, rules and books are those of one by one, but
 *
 *	an answer waits for the handling of those behind its message;
 *	unixservice_send gives 1 for what is gathered (up to 2048 bytes, one
 *	part, no descriptors), and what becomes of it then, also that the
 *	policy drops it, is told by the watcher and the counters, as for what
 *	is kept;
 *	a process that dies in the handler takes with it what it has received.
 *
 * A batch should be a part of what the queue of a socket holds
 * (net.unix.max_dgram_qlen and one more): where it takes all, the service and
 * its clients sleep in turn. By `unixgram-echo --batch 4`, with a queue of 11,
 * 0 to 4 % more messages went through on one CPU and 9 to 24 % with the service
 * on a second one. With --batch 16 it was 3 to 7 % on one CPU, and on two 9 to
 * 24 % from 8 clients, but 16 to 32 % fewer from a single one that keeps
 * several requests under way (Linux 6.18). Round trips of one client stay as
 * they are.
 *
 * It takes batch times size_max bytes of address space, and 160 KiB.
 * Connections are served one by one: one that only asks must not lose answers,
 * so no more is read from it than was answered. So are datagram sockets that
 * others may read too (adopted, or bound before a fork(2)), and where
 * descriptors or pidfds are wanted.
 *
 * Every message taken comes to exactly one end, see struct
 * unixservice_counters.
 *
 * A service belongs to one thread at a time. It has threads, signals or timers
 * of nobody: unixservice_run waits, or your own loop polls unixservice_get_fd
 * and calls unixservice_dispatch. From within the handlers every function may
 * be called but unixservice_run, _drain, _dispatch (EBUSY) and _close.
 *
 * fork(2). The child has a copy of the service, and descriptors that it shares
 * with the parent. unixservice_close there, which the child may also call in a
 * handler that does not return, closes descriptors and frees memory: peers,
 * loop and files of the parent stay as they are. A child that serves (_run,
 * _dispatch, _get_fd, _send to a peer that does not read) gets a loop of its
 * own first, under the same descriptor number, and then both processes take
 * messages from the sockets and connections that were open at the fork. For
 * _stop and _drain in the child all of these are the parent's: they are left
 * at once, not shut down, and no file is removed. A program that listens first
 * and goes into the background then, as daemon(3) does, calls
 * unixservice_set_unlink_on_close(service, true) in the child, and the child is
 * the owner of it all.
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

/* What the handler of a message gives back. */
enum unixservice_verdict {
	/* Nothing more is to come for this message. */
	UNIXSERVICE_DONE,
	/* Its answer comes later, by unixservice_send; or unixservice_settle
	 * says that there will be none. */
	UNIXSERVICE_LATER,
	/* The peer has broken the protocol, or said good-bye: close it, once
	 * what is kept for it has gone and what is owed to it
	 * (UNIXSERVICE_LATER) is settled. */
	UNIXSERVICE_CLOSE,
};

/*
 * A message has come from peer: msg->size bytes at msg->data, which are the
 * service's and may be changed, and are gone when the handler returns.
 * msg->addr is where a datagram came from, and NULL for connections;
 * credentials and descriptors are there as far as the options' wants ask for
 * them, and streams have none; descriptors are closed after the return, unless
 * the handler keeps them and sets msg->fds_count to 0 (and msg->pidfd to -1).
 * A message of a byte stream (UNIXMSG_LISTEN_BYTES) is what one read has given.
 */
typedef int unixservice_handler(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context);

/* What else happens, for logs and for state of your own. */
enum unixservice_event_kind {
	/* A peer is known from now on, and is forgotten. closed: error is 0
	 * when it ended by itself and nothing was lost, else why. */
	UNIXSERVICE_OPENED,
	UNIXSERVICE_CLOSED,
	/* All that was kept for the peer has gone. */
	UNIXSERVICE_FLUSHED,
	/* By the rules of _allow_ and _deny_: a message, or a connection
	 * (peer 0, msg NULL). */
	UNIXSERVICE_REFUSED,
	/* More than the limits allow (EDQUOT), or there was no memory for a
	 * newcomer (ENOMEM): a message, or a connection. */
	UNIXSERVICE_LIMITED,
	/* A message larger than size_max: msg->size is its true size, and
	 * msg->data its beginning, room bytes of it, of streams nothing. A
	 * connection is closed, since its next answer would be taken for that
	 * of this one. */
	UNIXSERVICE_CUT,
	/* An answer was not delivered, error says why. */
	UNIXSERVICE_LOST,
	/* Nobody can be accepted for the moment, error says why (EMFILE). */
	UNIXSERVICE_PAUSED,
	/* What was ready has been handled: time to write out what your
	 * handlers have gathered. */
	UNIXSERVICE_ROUND,
	/* A socket that is served, addr, takes nothing any more: somebody who
	 * shares it has shut it down (EINVAL). The service looks at it no
	 * longer, and serves its peers and other sockets on. */
	UNIXSERVICE_SHUT,
	/* It cannot be proved that the address of a datagram is that of the
	 * sender (EPERM): an answer was not sent, or what was pushed, which is
	 * counted in pushed_lost; or, with msg, a message was not taken, since
	 * another user's peer has that address. */
	UNIXSERVICE_UNPROVED,
};

struct unixservice_event {
	enum unixservice_event_kind kind;
	/* What it is about: 0 where it is about no peer. */
	uint64_t peer;
	/* 0, or an errno. */
	int error;
	/* Whether cred is known, and who it is: of a connection the effective
	 * user when he connected, of a datagram who wrote it. */
	bool has_cred;
	struct unixcred cred; /* without has_cred no user, see unixcred */
	/* The address, or NULL for a peer that is bound to no name. */
	const struct unixaddr *addr;
	/* The message, or NULL. */
	const struct unixmsg *msg;
	/* How many events were not told before this one, see event_rate. */
	uint64_t untold;
	uint64_t reserved[4];
};

typedef void unixservice_watcher(struct unixservice *service,
	const struct unixservice_event *event, void *context);

/*
 * One line about event, printable ASCII whatever the peer's name holds, NUL at
 * the end, cut where room ends. Returns text. 640 bytes are always enough.
 */
char *unixservice_format_event(const struct unixservice_event *event,
	char *text, size_t room);

/* What becomes of an answer to a peer for which too much is kept already. */
enum unixservice_policy {
	UNIXSERVICE_DROP_NEWEST, /* it; the default */
	UNIXSERVICE_DROP_OLDEST, /* those before it */
	UNIXSERVICE_DROP_PEER,   /* the peer: it is closed */
};

/*
 * All zero is the defaults. Of limits on peers, rates, kept answers and times
 * "no limit" is UINT_MAX, SIZE_MAX, or UNIXMSG_FOREVER. EINVAL: anything below
 * zero, fds_max without UNIXMSG_WANT_FDS.
 */
struct unixservice_options {
	/* Called for all but messages; NULL for nobody. */
	unixservice_watcher *watcher;
	/* Events of the kinds REFUSED, LIMITED, CUT, LOST and UNPROVED are told
	 * so many times a second at most; default 20. A datagram peer's refusal
	 * is told once. */
	unsigned int event_rate;
	/* The largest message taken, in bytes; default 212960, what a socket
	 * carries by default. The memory is the service's, once; what has come
	 * of a framed stream's message is the connection's until it is whole,
	 * see partial_bytes_max. */
	size_t size_max;
	/* What connections and datagrams are received with:
	 * UNIXMSG_WANT_..., default 0, which has no effect on streams; and at
	 * most so many descriptors a message, default UNIXMSG_FDS_MAX where
	 * they are wanted, else 0. */
	unsigned int wants;
	unsigned int fds_max;
	/* Peers at once, in all and of one user; defaults 1024 and none. When
	 * all places are taken a newcomer gets that of the most silent peer
	 * of the user who has most, if that is another, or is refused. A peer
	 * with nothing kept for it nor owed to it goes first, but before
	 * another user is refused any goes. The same holds for descriptors,
	 * when they run out and one user has more than a quarter of them. A
	 * user's own newcomer never costs him a connection, be he the only
	 * one: it is refused (EDQUOT), since nobody can tell which of his he
	 * needs less; only a datagram peer of his gives its place. A datagram
	 * peer that has not read its answers keeps its place as long as they
	 * take up the send buffer of others; one that is closed before counts
	 * for peers_per_user_max until it has read them. A user is a uid: 65536
	 * subordinate uids (subuid(5)) are 65536 users. */
	unsigned int peers_max;
	unsigned int peers_per_user_max;
	/* Messages a second of one user, default no limit, and how many of
	 * them at once, default 0: those of a second. Connections wait then,
	 * datagrams are lost. */
	unsigned int user_rate;
	unsigned int user_burst;
	/* A connection that neither sends nor takes anything for so long is
	 * closed; default none. */
	int64_t idle_us;
	/* Answers kept for one peer, and bytes, and bytes in all: defaults
	 * 1024, 2 MiB, 16 MiB. One answer is kept whatever its size, as long
	 * as there is room in all. Where there is none, the user for whom most
	 * is kept makes room for the others: the connection of his that has
	 * most is closed (ENOBUFS), or a datagram peer's answers are dropped.
	 * For his own connections the first answer is kept nevertheless, until
	 * it is twice as much in all; then they are closed. */
	unsigned int queue_messages_max;
	size_t queue_bytes_max;
	size_t queue_total_bytes_max;
	enum unixservice_policy policy;
	/* How long an answer to a datagram peer is kept; default 5 s. A
	 * connection that takes nothing of what is kept for it for so long is
	 * closed (ETIMEDOUT) when what it has sent was read, and what was kept
	 * counts as late: else a client could keep its place for ever, even
	 * after its death, by a copy of its socket that lies unread in a
	 * message. Raise it where clients may stop reading for longer. */
	int64_t patience_us;
	/* The send buffer that datagram sockets shall have; default 4 MiB.
	 * Without CAP_NET_ADMIN it is twice net.core.wmem_max at most. */
	size_t send_buffer_bytes;
	/* How long unixservice_run looks for something to do again and again
	 * before it sleeps, see unixmsg/deadline.h; default 0. */
	int64_t spin_us;
	/* Datagrams that one system call takes where they queue, and answers
	 * that one sends, see above; default 1 (and 0 is 1), at most
	 * UNIXMSG_BATCH_MAX. */
	unsigned int batch;
	/* Bytes of messages of framed streams that have not come whole, in all,
	 * and half of that of one user; default 16 MiB, and never less than
	 * eight messages of size_max and 1 MiB. Beyond it the user who has most
	 * of them loses the connection that was silent for longest (ENOBUFS).
	 * The memory for them may be twice as large, and 64 KiB for each
	 * connection in the middle of a message. */
	uint64_t partial_bytes_max;
	/* A datagram peer that is silent for so long is forgotten; default
	 * 600 s. When places are taken a silent one still gives
	 * its own to a newcomer: see unixservice_keep_peer. */
	int64_t forget_us;
	/* For later versions: 0. */
	uint64_t reserved[14];
};

#define UNIXMSG_SERVICE_OPTIONS_INIT \
	{                            \
		0                    \
	}

/*
 * A service that serves nobody yet. options may be NULL; handler gets context,
 * which is the caller's, as does the watcher. NULL on failure: EINVAL, or those
 * of malloc(3), epoll_create1(2), timerfd_create(2).
 */
struct unixservice *unixservice_new(unixservice_handler *handler, void *context,
	const struct unixservice_options *options);

/*
 * Closes all peers and sockets, removes the names, frees service, which may be
 * NULL. Messages that were still to be answered are counted nowhere any more:
 * unixservice_drain first. The watcher is not called. -1 with errno when a file
 * could not be removed; service is gone all the same.
 */
int unixservice_close(struct unixservice *service);

/*
 * Serves at address. network is Go's name of it: "unixgram", "unixpacket", or
 * "unix", whose messages are framed as unixconn_send frames them unless
 * options, which may be NULL, say UNIXMSG_LISTEN_BYTES; see unixmsg/conn.h for
 * the networks and unixmsg/listen.h for the options, of which the service has
 * no use for stop_fd and spin_us; UNIXMSG_WANT_FDS in wants is EINVAL unless
 * the service's own options want them, too. Where address is abstract and
 * nothing was allowed yet, only our own user and root may talk: the kernel
 * would let in everybody. -1 with EINVAL (the service was stopped), or the
 * errors of unixconn_open and unixlistener_open, of epoll_ctl(2), malloc(3).
 */
int unixservice_listen(struct unixservice *service, const char *network,
	const char *address, const struct unixlisten_options *options);

/*
 * Serves what is open already: opened with options of your own, inherited,
 * or connected. It belongs to the service then, and so does its policy. On
 * failure it stays yours: EINVAL (unknown flags; a connected datagram socket; a
 * socket for a service that was stopped), EBUSY (a stream in the middle of a
 * message that it sends), or those of epoll_ctl(2), eventfd(2), setsockopt(2),
 * malloc(3). flags are UNIXMSG_LISTEN_BYTES, for streams, or 0. Rules, and
 * limits of peers, do not keep out connections that are added so; their peer
 * number is stored in *peer, which may be NULL, and of a socket for datagrams
 * 0.
 *
 * Datagrams that are in the queue of conn already tell who wrote them only if
 * it wanted that before they came: UNIXMSG_WANT_CRED, PassCredentials= of
 * systemd. Else they are refused where rules ask for it, and on abstract names.
 * unixservice_listen leaves no such moment.
 */
int unixservice_add_listener(struct unixservice *service,
	struct unixlistener *listener, unsigned int flags);
int unixservice_add_conn(struct unixservice *service, struct unixconn *conn,
	unsigned int flags, uint64_t *peer);

/*
 * A peer at an address, for a service that speaks first, to another service
 * say: what unixservice_push sends to it goes by the service's queue, policy
 * and counters, and its messages come to the handler. Never waits. *peer is its
 * number; peer may be NULL. flags are UNIXMSG_LISTEN_BYTES, for "unix", or 0.
 *
 * "unixpacket" and "unix": a new connection, see unixconn_dial and
 * unixservice_add_conn; EAGAIN while the backlog of its listener is full.
 *
 * "unixgram": a peer of the first socket for datagrams that the service serves,
 * which is where it answers to: EINVAL without one. unixservice_listen serves
 * one without a file at "@". Who has sent to that socket before keeps his
 * number. The peer is kept, see unixservice_keep_peer, and of no user until its
 * first message has come; that is proved as an answer would be, see above, and
 * rules go for it. EINVAL also for the service's own address, EPERM for a
 * socket whose name, as it has given that to bind(2), does not lead back to it:
 * relative ones, or those of another mount namespace. Its messages could not be
 * told from those of others.
 *
 * Else -1 with EINVAL (no such network, unknown flags, a stopped service), or
 * the errors of unixconn_dial and unixservice_add_conn. For a connection with
 * options of your own, dial and add it.
 */
int unixservice_open_peer(struct unixservice *service, const char *network,
	const char *address, unsigned int flags, uint64_t *peer);

/*
 * Whether unixservice_close and _stop remove the files of the sockets that are
 * served now, see unixlistener_set_unlink_on_close: -1 with its errno for the
 * first that could not be switched, the others are. true in a child of fork(2)
 * makes the child the owner of all that the service has, see below.
 */
int unixservice_set_unlink_on_close(struct unixservice *service,
	bool is_wanted);

/* The address of the first socket that is served; ENOENT when none is. */
int unixservice_get_address(const struct unixservice *service,
	struct unixaddr *addr);

/*
 * Who may talk, by the credentials that the kernel vouches for: of a connection
 * the effective user and group when he connected and his supplementary groups,
 * of a datagram the real user and group of who wrote it. Who is denied may
 * not, in any case; when anything was allowed, only who is allowed may; when
 * nothing was, everybody whom the file's mode lets in, and on an abstract name
 * our own user and root. Ours is the effective one when _dispatch or _run is
 * called: one that a handler changes to counts from the next call on. EINVAL
 * (the id -1), ENOMEM.
 */
int unixservice_allow_user(struct unixservice *service, uid_t user);
int unixservice_allow_group(struct unixservice *service, gid_t group);
int unixservice_deny_user(struct unixservice *service, uid_t user);
int unixservice_deny_group(struct unixservice *service, gid_t group);

/* On abstract names too, everybody who is not denied. */
void unixservice_allow_anyone(struct unixservice *service);

/*
 * Sends size bytes at data, which are copied if they cannot go at once, to
 * peer. Never waits. 1: sent, kept to be sent, or gathered (see Batches above);
 * 0: dropped by the policy; -1 with ENOTCONN (the peer is gone, or went now),
 * EPIPE (nothing can be sent to this connection any more; what it has sent is
 * still read, and UNIXSERVICE_CLOSED follows),
 * EINVAL (peer 0, which has no address), EMSGSIZE, ENOMEM, EACCES and EPERM (we
 * may not write to that peer; of those and others of sendmsg(2) the message is
 * lost).
 *
 * In the handler the first send to the peer whose message it is settles that
 * message, later the first send for each UNIXSERVICE_LATER does: with its
 * delivery the message is answered. What is sent besides is called pushed.
 */
int unixservice_send(struct unixservice *service, uint64_t peer,
	const void *data, size_t size);

/*
 * The same with several parts and descriptors, which stay the caller's; addr
 * does not matter, so that a handler may send on what it has got. Streams carry
 * no descriptors: EINVAL. Also the errors of fcntl(2), when descriptors have to
 * be kept.
 */
int unixservice_send_msg(struct unixservice *service, uint64_t peer,
	const struct unixmsg *msg);

/*
 * As unixservice_send, but it settles nothing: an event, which is no answer to
 * anything, also where one is owed.
 */
int unixservice_push(struct unixservice *service, uint64_t peer,
	const void *data, size_t size);

/* Whether a peer is one of those that something goes to. */
typedef bool unixservice_filter(struct unixservice *service, uint64_t peer,
	void *context);

/*
 * unixservice_push to all peers, or to those for which filter gives true, which
 * may be NULL: for how many it gave 1. What it gave for the others is told by
 * the watcher and the counters.
 */
size_t unixservice_push_all(struct unixservice *service, const void *data,
	size_t size, unixservice_filter *filter, void *context);

/* One message that was to be answered later will not be. ENOTCONN; EINVAL when
 * there is none. */
int unixservice_settle(struct unixservice *service, uint64_t peer);

/* Closes peer once what is kept for it has gone. ENOTCONN. */
int unixservice_close_peer(struct unixservice *service, uint64_t peer);

/*
 * Whether peer is kept though it is silent: one that has subscribed to
 * something and only listens. A kept datagram peer is not forgotten after
 * forget_us, and gives its place to no newcomer that a connection would not
 * give it to; a kept connection is not closed after idle_us. A datagram peer
 * that ends tells nobody: it is closed when something that is sent to it finds
 * nobody (ECONNREFUSED, ENOENT). ENOTCONN.
 */
int unixservice_keep_peer(struct unixservice *service, uint64_t peer,
	bool is_wanted);

/* Something of your own for each peer, NULL at the beginning. ENOTCONN. */
int unixservice_set_context(struct unixservice *service, uint64_t peer,
	void *context);
void *unixservice_get_context(const struct unixservice *service, uint64_t peer);

/*
 * For loops of others: readable when there is something to do. Poll it for
 * reading, and call unixservice_dispatch, which does what can be done at once
 * and never waits. 0, or -1 with errno of epoll_wait(2).
 *
 * One call is one round: each peer and socket has its turn, and what is left
 * then keeps the descriptor readable. So the loop has to be level-triggered,
 * as poll(2), and epoll(7) without EPOLLET. An edge-triggered loop is not told
 * of what is left: it calls _dispatch again for as long as poll(2) says that
 * the descriptor is readable.
 *
 * In a child of fork(2) _get_fd makes the child's own loop, see above: -1 with
 * the errors of epoll_create1(2), timerfd_create(2), epoll_ctl(2) (EBADF: the
 * child has closed a descriptor of the service's), as _run and _dispatch then.
 */
int unixservice_get_fd(const struct unixservice *service);
int unixservice_dispatch(struct unixservice *service);

/* Ends unixservice_run and unixservice_drain, see unixmsg/deadline.h; -1, the
 * beginning, for none. -1 with the errors of epoll_ctl(2), EPERM for a file
 * that cannot be polled; there is none then. */
int unixservice_set_stop_fd(struct unixservice *service, int stop_fd);

/*
 * Serves until the service is stopped and drained: 0. -1 with ETIMEDOUT,
 * EAGAIN (UNIXMSG_NOW: one round, and it is not over), ECANCELED (the stop
 * descriptor, which is forgotten then: set another for a second stop), EBUSY,
 * or those of epoll_wait(2).
 */
int unixservice_run(struct unixservice *service, int64_t deadline_us);

/*
 * All of a server's life in one call: serves until stop_fd becomes readable
 * (see unixmsg/deadline.h, and unixstop_open), or the program calls
 * unixservice_stop; then drains for timeout_us microseconds at most, which a
 * second signal does not shorten. 0 is the normal end, also where the time was
 * over before all was answered: counters.stopped tells. -1 with EINVAL (a
 * stop_fd that is 0 or below, a negative timeout_us), and the errors of
 * unixservice_set_stop_fd, _run and _drain.
 */
int unixservice_serve(struct unixservice *service, int stop_fd,
	int64_t timeout_us);

/*
 * Begins to stop: removes the socket files, and lets nothing more in: who sends
 * or connects from then on gets an error at once (EPIPE, ECONNREFUSED). What
 * has come before is taken and answered, connections that wait to be accepted
 * too, until the deadline: then the rest is given up, what was taken is
 * counted, and what was not is lost with its socket. A socket that others use
 * too, adopted or bound before a fork(2), is left as it is at once, for them.
 * Abstract names are free when the service is closed. A second call replaces
 * the deadline, by an earlier or a later one, and does nothing else. -1 with
 * EINVAL (a negative deadline_us, and nothing has changed), or with errno when
 * a file could not be removed; the service stops all the same.
 */
int unixservice_stop(struct unixservice *service, int64_t deadline_us);

/* Whether it was stopped and nothing is left to be done. */
bool unixservice_is_drained(const struct unixservice *service);

/*
 * Calls unixservice_stop, so that deadline_us replaces the deadline of a _stop
 * before, and then unixservice_run until the service is drained: 0, or -1 as
 * these. A message that was promised an answer later (UNIXSERVICE_LATER) is
 * waited for until the deadline.
 *
 * Answers to datagrams lie in the queues of their receivers then. A client that
 * sends to the closed socket before it has read them loses them: the kernel
 * empties its queue, together with ECONNREFUSED.
 */
int unixservice_drain(struct unixservice *service, int64_t deadline_us);

/*
 * What has happened so far, in messages if nothing else is said. At any moment
 *
 *	received = answered + unanswered + refused + limited + cut + unnamed +
 *		dropped + late + gone + failed + stopped + unproved + waiting
 */
struct unixservice_counters {
	uint64_t received;
	uint64_t received_bytes;
	uint64_t answered;   /* the kernel has taken the answer */
	uint64_t unanswered; /* the handler gave none */
	uint64_t refused;    /* by the rules */
	uint64_t limited;    /* by user_rate, or no place for the peer */
	uint64_t cut;        /* larger than size_max */
	uint64_t unnamed;    /* the answer had no address to go to */
	uint64_t dropped; /* the answer, by the policy or for want of memory */
	uint64_t late;    /* the answer, after patience_us */
	uint64_t gone;    /* the peer went before its answer */
	uint64_t failed;  /* the kernel would not take the answer */
	uint64_t stopped; /* the answer, by the end of the service */
	uint64_t waiting; /* now: for the handler, or the answer is kept */
	/* What was sent besides answers, and how much of it did not arrive. */
	uint64_t pushed;
	uint64_t pushed_lost;
	/* Of answers and what was sent besides. */
	uint64_t sent_bytes;
	/* Peers now and at most; connections accepted; refused by the rules,
	 * by limits; closed for a newcomer, for silence. */
	uint64_t peers;
	uint64_t peers_most;
	uint64_t connections;
	uint64_t connections_refused;
	uint64_t connections_limited;
	uint64_t evicted;
	uint64_t idle;
	/* Kept answers: now and at most, in messages and bytes. */
	uint64_t queued;
	uint64_t queued_most;
	uint64_t queued_bytes;
	uint64_t queued_bytes_most;
	/* How often nobody could be accepted for want of descriptors. */
	uint64_t pauses;
	/* Descriptors that came and were not wanted, or had no room. */
	uint64_t fds_lost;
	uint64_t events_untold;
	/* Bytes of messages that have not come whole, now and at most, and
	 * connections closed because there were too many. */
	uint64_t partial_bytes;
	uint64_t partial_bytes_most;
	uint64_t partials_closed;
	/* Datagrams: the answer might have gone to somebody else, see above;
	 * or the message came from the address of another user's peer. */
	uint64_t unproved;
	uint64_t reserved[12];
};

void unixservice_get_counters(const struct unixservice *service,
	struct unixservice_counters *counters);

/* Of one peer. The counts are as above. */
struct unixservice_peer_info {
	uint64_t id;
	const char *network; /* "unixgram", "unixpacket", "unix" */
	uint64_t
		tag; /* of the socket that it came by, see unixlisten_options */
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
	int64_t opened_us;
	int64_t active_us;
	uint64_t reserved[7];
};

/* ENOTCONN. */
int unixservice_get_peer_info(const struct unixservice *service, uint64_t peer,
	struct unixservice_peer_info *info);

/* The tag of the socket by which the message has come that is being handled,
 * see struct unixlisten_options; 0 outside of the handler. */
uint64_t unixservice_get_tag(const struct unixservice *service);

/* The next peer behind that one, in no order that means something; 0 for the
 * first, and it gives 0 behind the last. */
uint64_t unixservice_get_next_peer(const struct unixservice *service,
	uint64_t peer);

/*
 * One JSON object (RFC 8259) in one line: as snprintf(3) they return how long
 * it is, write what fits into room, and a NUL. Names of peers are as text of
 * unixaddr_format.
 */
size_t unixservice_format_counters(const struct unixservice_counters *counters,
	char *text, size_t room);
size_t unixservice_format_peer(const struct unixservice_peer_info *info,
	char *text, size_t room);

#ifdef __cplusplus
}
#endif
#endif
