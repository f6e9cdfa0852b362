/* SPDX-License-Identifier: MIT */
/*
 * service: the inside of a unixservice. A service has sources (datagram
 * sockets, listeners) and peers (datagram senders, connections). Each file
 * calls only those above it in this list, as tests/symbols.sh checks:
 *
 *	access.c           the users and groups that are allowed
 *	users.c            the peers and the rate of each user
 *	outbox.c           the messages that wait for one peer
 *	budget.c           the unread messages that receivers may have
 *	service_text.c     counters and events as text
 *	service_event.c    events for the watcher
 *	service_watch.c    descriptors and timers in the loop
 *	service_source.c   the sockets that peers come from
 *	service_books.c    counters: how each message ends, what is queued
 *	service_peer.c     the places of peers, and their life
 *	service_share.c    limits on memory that peers make the service use
 *	service_queue.c    sends, queues or loses a message to a peer
 *	service_take.c     hands a received message to the handler
 *	service_batch.c    receives many datagrams by one call
 *	service_send.c     messages from the program
 *	service_lane.c     limits on the memory of lanes
 *	service_link_send.c sends to connections
 *	service_link.c     connections
 *	service_listener.c the listeners that accept them
 *	service_unread.c   the unread messages of closed senders
 *	service_proof.c    proofs that an answer reaches its sender
 *	service_sender.c   the senders of a datagram socket
 *	service_open.c     peers that the program opens
 *	service_gram.c     datagram sockets
 *	service_loop.c     the loop and its end
 *	service.c          the life of a service, its options and getters
 */
#ifndef UNIXMSG_SERVICE_PRIVATE_H
#define UNIXMSG_SERVICE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/process.h"
#include "base/spin.h"
#include "base/timers.h"
#include "service/access.h"
#include "service/outbox.h"
#include "service/users.h"
#include "unixmsg/service.h"

/* A descriptor in the loop, and the call to make when it is ready. */
struct watch {
	void (*ready)(struct unixservice *service, struct watch *watch);
	void *owner;
	int fd;
	uint32_t events; /* 0: not in the loop */
	uint32_t seen;   /* the ready events, while ready is called */
};

/*
 * Decides whether to try for another message before asking the loop. The try is
 * in vain if peers wait for each answer, so it is then skipped more and more
 * often.
 */
struct backoff {
	unsigned char skip;  /* skips left */
	unsigned char skips; /* skips in this run; twice as many in the next */
};

bool unixservice__is_try_due(struct backoff *backoff);
void unixservice__note_try(struct backoff *backoff, bool was_there);

struct peer;

/* The operations of one sort of peer. */
struct peer_sort {
	const char *network;
	/* Tells whether it can send what goes beside a payload. NULL: yes. */
	bool (*carries)(const struct peer *peer, const struct unixmsg *msg);
	/* A datagram sender: closing it costs nobody anything. */
	bool is_memory_only;
	/* Sends msg from byte *done on. Returns 0 or -1. EAGAIN, and
	 * EINPROGRESS once part of it is sent, ask for the same call again
	 * later. If it sets is_broken, nothing more can be sent to the peer,
	 * whatever errno is. */
	int (*send)(struct unixservice *service, struct peer *peer,
		const struct unixmsg *msg, size_t *done);
	/* Arranges another try, as the outbox is not empty. Returns 0 or -1. */
	int (*await)(struct unixservice *service, struct peer *peer);
	/* Reads on, or times the silence, once the outbox is empty again.
	 * Returns 0 or -1. */
	int (*resume)(struct unixservice *service, struct peer *peer);
	/* Handles the peer's timer. */
	void (*wake)(struct unixservice *service, struct peer *peer);
	/* Handles that nothing more can be sent, see enum life. NULL: the peer
	 * is closed instead. */
	void (*stop_sending)(struct unixservice *service, struct peer *peer);
	/* Sets the timer anew after the limit of silence has changed. */
	void (*look_at_silence)(struct unixservice *service, struct peer *peer);
	/* Receives nothing for a while, or receives on. Returns 0, or -1 when
	 * the loop cannot watch it. NULL: it shares its queue with others. */
	int (*pause)(struct unixservice *service, struct peer *peer,
		bool is_wanted);
	/* Receives only messages that have already arrived. NULL: nothing to
	 * do. */
	void (*stop)(struct unixservice *service, struct peer *peer);
	/* Tells whether unread messages to the peer may fill our send buffer,
	 * at the cost of others. Its user is accountable for that as long as
	 * the peer exists. NULL: never. */
	bool (*has_unread)(struct unixservice *service, struct peer *peer);
	/* Returns the size of the largest message that can be sent. */
	size_t (*get_size_max)(const struct peer *peer);
	/* Gets the address of the peer. */
	void (*get_address)(const struct peer *peer, struct unixaddr *addr);
	/* Returns the peer's entry in the loop. NULL: it has none. */
	struct watch *(*get_watch)(struct peer *peer);
	/* Closes any connection, and removes the peer from its source. */
	void (*close)(struct unixservice *service, struct peer *peer);
};

/*
 * The states of a peer, and the next state after each event:
 *
 *	                              READING    READ_ONLY  WRITE_ONLY ENDED
 *	sending fails for good        READ_ONLY  -          GONE       GONE
 *	the peer hangs up             READ_ONLY  READ_ONLY  GONE       GONE
 *	end of file is read           ENDED      GONE       -          -
 *	the same, with keep_ended     WRITE_ONLY GONE       -          -
 *	the program shuts it down,
 *	and nothing is queued         READ_ONLY  -          GONE       GONE
 *	and messages are queued       READING    -          ENDED      ENDED
 *	the program closes it         ENDED      GONE       ENDED      ENDED
 *	nothing queued or unanswered  -          -          -          GONE
 *	nothing queued, once shut     READ_ONLY  -          -          GONE
 *	late, or silent for too long  READ_ONLY  GONE       GONE       GONE
 *	the service stops             READING    READ_ONLY  ENDED      ENDED
 *	a read error, a truncated
 *	message, an eviction, or the
 *	end of the service            GONE       GONE       GONE       GONE
 *
 * A client that sends and closes without reading becomes READ_ONLY at the first
 * answer. Its messages are still in the socket, so the service reads them to
 * the end. A datagram sender is never READ_ONLY but GONE at once: its messages
 * wait in the queue of our own socket.
 */
enum life {
	PEER_READING,    /* messages are received and sent */
	PEER_READ_ONLY,  /* messages are received only: sending fails */
	PEER_WRITE_ONLY, /* messages are sent only: end of file was read */
	/* Not read any more: queued messages and due answers are still sent. */
	PEER_ENDED,
	PEER_GONE, /* closed; freed between two rounds */
};

/* The first member of struct sender or struct link, freed with it. */
struct peer {
	struct timer timer; /* first, so that a timer leads to its peer */
	const struct peer_sort *sort;
	uint64_t id;
	uint64_t tag; /* of its source, 0 without one */
	struct user *user;
	struct member member; /* in the list of its user's peers */
	struct peer *next_gone;
	void *context;
	struct outbox outbox;
	size_t partial_bytes; /* received bytes of an incomplete message */
	uint64_t lane_bytes;  /* memory of its lane, 0 for none */
	struct unixcred cred;
	unsigned int owed; /* messages that the handler answers later */
	bool has_cred;
	bool is_opened; /* the watcher was told that it is open */
	enum life life;
	/* Every send fails: it is READ_ONLY, or the program shut it down. */
	bool is_send_shut;
	int send_error; /* why a message was lost since then, or 0 */
	/* A send failed with EPERM: the address may lead to somebody else. */
	bool is_unproved;
	/* Half a message was sent, and the rest never will be. */
	bool is_broken;
	bool is_kept;      /* never closed for its silence */
	bool is_inherited; /* from before fork(2): the parent may use it too */
	uint64_t received;
	uint64_t sent;
	uint64_t lost;
	int64_t opened_us;
	int64_t active_us;
};

/* Returns the peer that has this place in its user's list, or NULL. */
static inline struct peer *unixservice__get_peer(struct member *member)
{
	const size_t offset = offsetof(struct peer, member);

	return member == NULL ? NULL : (struct peer *)((char *)member - offset);
}

/* The program may close any peer in its handler and its watcher, and that peer
 * is gone at once. So look after each call that may reach these two. */
static inline bool unixservice__is_gone(const struct peer *peer)
{
	return peer->life == PEER_GONE;
}

/* Tells whether another peer may have its place without harm. */
static inline bool unixservice__is_light(const struct peer *peer)
{
	return peer->sort->is_memory_only && !peer->is_kept;
}

/* How a message to a peer relates to the messages from that peer. */
enum relation {
	ANSWER_NOW,   /* it answers the message that is being handled */
	ANSWER_LATER, /* it answers an earlier message */
	PUSHED,       /* it answers none */
};

struct source;

/* The operations of one sort of source. */
struct source_sort {
	int (*get_address)(const struct source *source, struct unixaddr *addr);
	/* Handles the source's timer. */
	void (*wake)(struct unixservice *service, struct source *source);
	/* Gives up the name and receives only what has already arrived. Returns
	 * 0, or -1 when the name is still there. */
	int (*stop)(struct unixservice *service, struct source *source);
	/* Sets whether close removes the file, like the network's own call. */
	int (*set_unlink)(struct source *source, bool is_wanted);
	/* Tells whether it still has peers that it sends to. NULL: never. */
	bool (*is_used)(const struct source *source);
	/* Finds out which unread messages of closed peers of user were read
	 * meanwhile. NULL: this source does not count them. */
	void (*look_at_unread)(struct source *source, const struct user *user);
	/* Closes the source. Returns 0, or -1 when the name is still there. */
	int (*close)(struct source *source);
};

/* A socket that peers come from; begins struct grams or struct listeners. */
struct source {
	struct timer timer; /* first, so that a timer leads to its source */
	const struct source_sort *sort;
	struct source *next;
	struct watch watch;
	uint64_t tag;
	bool is_abstract;
	bool is_paused;  /* by the program */
	bool is_retired; /* by _stop or _unlisten: nothing more can arrive */
	bool is_done;    /* everything that has arrived was received */
};

/* A place for a peer. The generation distinguishes it from earlier peers. */
struct place {
	struct peer *peer;
	uint32_t generation;
	uint32_t next_free; /* index + 1, 0 for none */
};

/* The message that is being handled. */
struct call {
	struct peer *peer; /* NULL: a sender without an address, or no call */
	uint64_t tag;
	bool is_on;
	bool is_settled;
	bool is_unnamed; /* an answer had no address */
};

struct unixservice {
	unixservice_handler *handler;
	void *context;
	struct unixservice_options options;
	struct unixservice_counters counters;
	struct access access;
	struct users users;
	struct timers peer_timers;
	struct timers source_timers;
	struct source *sources;
	struct place *places;
	uint32_t places_count;
	uint32_t first_free; /* index + 1 */
	struct peer *gone;   /* closed peers, to be freed between two rounds */
	struct call call;
	char *buffer;        /* receives one message */
	struct batch *batch; /* receives several; NULL without batches */
	int *fds;
	int epoll_fd;
	int timer_fd;
	/* Closed to accept one more when none is left; or -1. */
	int spare_fd;
	int64_t timer_us; /* when timer_fd is to expire */
	int64_t now_us;   /* at the beginning of the round */
	struct spin spin;
	struct watch clock;
	struct watch stop;
	int64_t deadline_us; /* of the drain */
	int64_t event_due_ns;
	uint64_t suppressed;
	bool is_running; /* a round is running, or the wait before it */
	bool is_telling; /* the watcher is being called */
	bool is_pushing; /* messages sent now are no answers */
	bool is_stop_seen;
	bool is_stopping;
	pid_t *own_process;  /* see base/process.h */
	pid_t process;       /* the process that uses it: changes by fork(2) */
	bool is_loop_shared; /* epoll_fd and timer_fd are still the parent's */
};

/* service_event.c */

/* Fills in an event about peer, which may be NULL. */
void unixservice__event_init(struct unixservice_event *event,
	enum unixservice_event_kind kind, const struct peer *peer, int error);

/* Tells the watcher, within the rate limit of the kind. */
void unixservice__tell(struct unixservice *service,
	struct unixservice_event *event);

/* Fills in an event about peer, with its address, and tells the watcher. */
void unixservice__tell_of(struct unixservice *service,
	enum unixservice_event_kind kind, const struct peer *peer, int error);

/* service_books.c */

/* Counts the end of one message in *counter. */
void unixservice__end(struct unixservice *service, uint64_t *counter);

/* Counts one more message to peer and returns its kind, or takes that back. */
enum relation unixservice__count_message(struct unixservice *service,
	struct peer *peer);
void unixservice__uncount_message(struct unixservice *service,
	struct peer *peer, enum relation relation);

/* Counts a message to peer as sent, or as lost: an answer in *counter, any
 * other in pushed_lost. _lose also tells the watcher. */
void unixservice__count_sent(struct unixservice *service, struct peer *peer,
	size_t size, bool is_answer);
void unixservice__count_lost(struct unixservice *service, struct peer *peer,
	bool is_answer, uint64_t *counter);
void unixservice__lose(struct unixservice *service, struct peer *peer,
	bool is_answer, uint64_t *counter, int error);

/* Returns the counter for a message that cannot be sent to an open peer. */
uint64_t *unixservice__get_failure(struct unixservice *service,
	const struct peer *peer, int error);

/* Counts a message queued for peer; bytes include UNIXOUTBOX_OVERHEAD.
 * _remove_queued removes the message at *place, and its count. */
void unixservice__count_queued(struct unixservice *service,
	const struct peer *peer, size_t bytes);
void unixservice__remove_queued(struct unixservice *service, struct peer *peer,
	struct queued **place);

/* Drops messages that were queued for peer before since_us. */
void unixservice__drop_late(struct unixservice *service, struct peer *peer,
	int64_t since_us);

/* Drops all queued messages and tells the watcher of each why. Counts answers
 * in *counter. */
void unixservice__lose_queued(struct unixservice *service, struct peer *peer,
	uint64_t *counter, int error);

/* Drops all queued messages. Counts answers in *counter. */
void unixservice__drop_all(struct unixservice *service, struct peer *peer,
	uint64_t *counter);

/* Records how many bytes of an incomplete message of peer are in memory. */
void unixservice__count_partial(struct unixservice *service, struct peer *peer,
	size_t bytes);

/* Counts the memory of the lane of peer. */
void unixservice__count_lane(struct unixservice *service, struct peer *peer,
	uint64_t bytes);

/* service_watch.c */

/*
 * Notices when a child of fork(2) uses the service. From then on the peers so
 * far count as inherited, and the loop as shared until the child needs its own.
 */
void unixservice__notice_fork(struct unixservice *service);

/* Makes a loop of our own after that. Returns 0, or -1: nothing has changed. */
int unixservice__keep_own_loop(struct unixservice *service);

/* Sets the events to wait for, 0 for none. Returns 0 or -1. */
int unixservice__watch(struct unixservice *service, struct watch *watch,
	uint32_t events);

/* Updates now_us between two rounds. */
void unixservice__look_at_clock(struct unixservice *service);

/* Returns when the next timer or the deadline of the drain is due. */
int64_t unixservice__get_next_us(const struct unixservice *service);

/* Arms timer_fd, to wake a program that has our loop inside its own. */
void unixservice__set_clock(struct unixservice *service);

/* A peer that is gone has no timer any more: nothing happens. */
void unixservice__set_peer_timer(struct unixservice *service, struct peer *peer,
	int64_t at_us);
void unixservice__set_source_timer(struct unixservice *service,
	struct source *source, int64_t at_us);

/* Creates timer_fd and adds it to the loop. Returns 0 or -1. */
int unixservice__start_clock(struct unixservice *service);

/* Calls act for each peer; act may close any peer. */
void unixservice__for_each_peer(struct unixservice *service,
	void (*act)(struct unixservice *service, struct peer *peer));

/* service_source.c */

/* Adds source to the service and watches it. Returns 0 or -1. */
int unixservice__add_source(struct unixservice *service, struct source *source,
	const struct source_sort *sort);

/* Returns 0, or -1 with EINVAL for a service that was stopped. */
int unixservice__check_open(const struct unixservice *service);

/* Gives up all names. Returns 0, or the errno of the first that is still
 * there. */
int unixservice__retire_sources(struct unixservice *service);

/* Closes the retired sources that have nothing left to do. */
void unixservice__free_sources(struct unixservice *service);

/* Ends a source whose socket another process has shut down, and tells so. */
void unixservice__lose_source(struct unixservice *service,
	struct source *source);

/* service_batch.c */

/* Allocates room for batches, if there is none. Returns 0, or -1 with
 * ENOMEM. */
int unixservice__reserve_batch(struct unixservice *service);

/*
 * Receives up to count messages that are there, unless some are left of the
 * last batch. Returns their number. On 0 errno tells why. _take_next returns
 * the next message, or NULL; its memory stays valid until the next batch.
 */
size_t unixservice__recv_batch(struct unixservice *service,
	struct unixconn *gram, size_t count);
struct unixmsg *unixservice__take_next(struct unixservice *service);

/* Returns the socket whose batch was left before its end, or NULL. */
const struct unixconn *unixservice__get_left(const struct unixservice *service);

/* service_lane.c */

/*
 * Call it after each call that has sent or received by conn, a connection of
 * peer that may get a lane. Offers the lane, within the limits. Keeps errno.
 */
void unixservice__look_at_lane(struct unixservice *service, struct peer *peer,
	struct unixconn *conn);

/*
 * While the service spins, it looks at a lane that has just had messages, but
 * does not arm it: so the sender need not ring the bell. The sign on the socket
 * keeps the loop awake meanwhile. Returns whether to wait for the next round.
 * *spin_until_us is 0 before, and whenever it does not spin.
 */
bool unixservice__spins_on_lane(struct unixservice *service,
	struct unixconn *conn, int64_t *spin_until_us);

/* service_link.c */

/*
 * Serves a connection of user; cred may be NULL. The connection belongs to
 * service on success, to the caller on failure.
 */
int unixservice__open_link(struct unixservice *service, struct unixconn *conn,
	bool is_bytes, struct user *user, const struct unixcred *cred);

/* Does the same for a connection that the program adds; peer may be NULL. */
int unixservice__add_link(struct unixservice *service, struct unixconn *conn,
	bool is_bytes, uint64_t *peer);

/* service_gram.c */

/* Serves a datagram socket. It belongs to service on success only. */
int unixservice__add_grams(struct unixservice *service, struct unixconn *conn);

/* Opens a peer at address on the first datagram socket; EINVAL without one. */
int unixservice__open_gram_peer(struct unixservice *service,
	const char *address, uint64_t *id);

/* service_open.c */

struct network;

/* Opens a peer by a new connection. */
int unixservice__open_connection(struct unixservice *service,
	const struct network *network, const char *address, unsigned int flags,
	uint64_t *id);

/* service_peer.c */

/* Returns the peer, or NULL with ENOTCONN. _find_any also finds a peer while
 * the watcher is told that it is closed. */
struct peer *unixservice__find(const struct unixservice *service, uint64_t id);
struct peer *unixservice__find_any(const struct unixservice *service,
	uint64_t id);

/*
 * Tells whether there is a place for one more peer of user. _make_place may
 * close another peer to make one.
 */
bool unixservice__has_place(const struct unixservice *service,
	const struct user *user);
bool unixservice__make_place(struct unixservice *service, struct user *user);

/*
 * Frees a descriptor for a connection of user when none is left: closes one of
 * the user with the most connections. Returns false unless that user has at
 * least two more than user.
 */
bool unixservice__make_descriptor(struct unixservice *service,
	const struct user *user);

/* Adds peer to the service. cred may be NULL. Returns 0, or -1 with ENOMEM. */
int unixservice__enter(struct unixservice *service, struct peer *peer,
	const struct peer_sort *sort, struct user *user,
	const struct unixcred *cred);

/* Moves peer, with its queued messages, to user. */
void unixservice__give_to(struct peer *peer, struct user *user);

/* Records that peer is active now. */
void unixservice__note_activity(struct unixservice *service, struct peer *peer);

/*
 * These, and unixservice__flush, do nothing to a peer that is gone, and any of
 * them may end it. The caller checks only before it uses the peer's connection.
 */

/* Closes peer; error is 0 when it ended by itself. */
void unixservice__disconnect(struct unixservice *service, struct peer *peer,
	int error);

/* Records that nothing more can be sent to peer, error says why. */
void unixservice__stop_sending(struct unixservice *service, struct peer *peer,
	int error);

/* The peer has closed its socket, or has died. */
void unixservice__hang_up(struct unixservice *service, struct peer *peer);

/* Receives no more from peer. */
void unixservice__finish(struct unixservice *service, struct peer *peer);

/* Does the same at end of file, but with keep_ended it may still be sent to. */
void unixservice__note_end(struct unixservice *service, struct peer *peer);

/* Closes peer if it has ended and nothing is left to do for it. */
void unixservice__disconnect_if_done(struct unixservice *service,
	struct peer *peer);

/* Shuts peer down if the program wants that and nothing is queued. */
void unixservice__shut_if_done(struct unixservice *service, struct peer *peer);

/* Frees the peers that are gone. */
void unixservice__free_gone(struct unixservice *service);

/* service_share.c */

/*
 * Makes some room among all queued messages for one of user, of that many
 * bytes, at the cost of the user with the most. Returns false if user would
 * then have as much as that one.
 */
bool unixservice__relieve(struct unixservice *service, const struct user *user,
	size_t bytes);

/*
 * Counts bytes of an incomplete message from peer. This may close any peer,
 * even this one.
 */
void unixservice__note_partial(struct unixservice *service, struct peer *peer,
	size_t bytes);

/* service_queue.c */

/* Tells whether the calls for plain messages suffice: they are the shortest. */
static inline bool unixservice__is_plain(const struct unixmsg *msg)
{
	return msg->parts == NULL && msg->fds_count == 0 &&
		(msg->flags & UNIXMSG_SEND_CRED) == 0;
}

/* Sends msg to a peer. Returns 1, or -1 like unixservice_send_msg. */
int unixservice__send_now(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg);

/* Sends messages queued for peer while it has room. It may be gone then. */
void unixservice__flush(struct unixservice *service, struct peer *peer);

/* service_take.c */

/* Prepares msg to receive into the service's buffer; addr may be NULL. */
void unixservice__prepare(const struct unixservice *service,
	struct unixmsg *msg, struct unixaddr *addr);

/* Fails with EINVAL unless flags are 0, or UNIXMSG_LISTEN_BYTES for a stream:
 * only that can be read as bytes rather than in frames. */
int unixservice__check_bytes(int type, unsigned int flags);

/*
 * Returns what a connection that has asked for wants is to receive beside the
 * payload. Frames get nothing: a client could send descriptors with each of
 * many half messages, and the service would have to hold them all.
 */
unsigned int unixservice__choose_wants(const struct unixservice *service,
	int type, bool is_bytes, unsigned int wants);

/* Counts a received message, whatever happens to it next. */
void unixservice__count(struct unixservice *service, struct peer *peer,
	struct unixmsg *msg);

/*
 * Ends a message that the handler does not get: counts it in *counter, tells
 * the watcher unless event is NULL, and closes its descriptors.
 */
void unixservice__reject(struct unixservice *service, uint64_t *counter,
	struct unixmsg *msg, struct unixservice_event *event);

/* Hands a counted message to the handler, with the tag of its socket, and then
 * closes its descriptors. peer is NULL for a sender without an address. */
void unixservice__take(struct unixservice *service, struct peer *peer,
	uint64_t tag, struct unixmsg *msg);

#endif
