/* SPDX-License-Identifier: MIT */
/*
 * service: its inside. A service has sources (datagram sockets, listeners) and
 * peers (datagram senders, connections). Each of its files calls only those
 * that stand before it:
 *
 *	service_event.c    what the watcher is told
 *	service_watch.c    descriptors and timers in the loop
 *	service_source.c   what peers come from
 *	service_books.c    the ends of messages, and what is kept until then
 *	service_peer.c     the places of peers, and their life
 *	service_share.c    the memory that peers have us hold
 *	service_keep.c     a message to a peer goes, is kept, or is lost
 *	service_take.c     a message that has come gets to the handler
 *	service_batch.c    many datagrams by one system call
 *	service_send.c     what the program sends
 *	service_debt.c, service_proof.c, service_sender.c, service_open.c,
 *	service_gram.c     datagram sockets and their senders
 *	service_link.c, service_listener.c
 *	                   connections, and where they come from
 *	service_loop.c     the loop and its end
 *	service.c          the life of a service, and what is asked of it
 */
#ifndef UNIXMSG_SERVICE_PRIVATE_H
#define UNIXMSG_SERVICE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/spin.h"
#include "base/timers.h"
#include "service/access.h"
#include "service/outbox.h"
#include "service/users.h"
#include "unixmsg/service.h"

/* A descriptor in the loop, and what to do when it is ready. */
struct watch {
	void (*ready)(struct unixservice *service, struct watch *watch);
	void *owner;
	int fd;
	uint32_t events; /* 0: not in the loop */
	uint32_t seen;   /* what it is ready for, when ready is called */
};

/*
 * Whether to try for another message before the loop is asked: a call in vain
 * with peers that wait for each answer, which then is left out more and more
 * often.
 */
struct eagerness {
	unsigned char skip;  /* so many times yet */
	unsigned char skips; /* and so many the next time */
};

bool unixservice__is_eager(struct eagerness *eagerness);
void unixservice__note_another(struct eagerness *eagerness, bool was_there);

struct peer;

/* What peers of one sort can do. */
struct peer_sort {
	const char *network;
	size_t fds_max; /* descriptors in one message */
	/* Its end costs nobody anything: a datagram sender. */
	bool is_memory_only;
	/* Sends msg from *done on: 0, or -1. EAGAIN, and EINPROGRESS when part
	 * of it has gone: the same again, later. Whatever it was: nothing more
	 * can be sent to a peer that is_spoilt. */
	int (*send)(struct unixservice *service, struct peer *peer,
		const struct unixmsg *msg, size_t *done);
	/* Whether a message of size bytes may be sent with others, soon, and
	 * where to: NULL if not. After that settle is told what became of it.
	 * NULL: never. */
	const struct unixaddr *(*reserve)(const struct unixservice *service,
		struct peer *peer, size_t size);
	void (*settle)(struct peer *peer, size_t size, bool is_sent);
	/* Sends all that is gathered, unless that is being done now. */
	void (*send_gathered)(struct unixservice *service);
	/* The outbox is not empty: has it tried again. 0, or -1. */
	int (*await)(struct unixservice *service, struct peer *peer);
	/* It is empty again. 0, or -1. */
	int (*resume)(struct unixservice *service, struct peer *peer);
	/* Its timer. */
	void (*wake)(struct unixservice *service, struct peer *peer);
	/* Nothing more can be sent to it, see enum life. NULL: it is closed. */
	void (*deafen)(struct unixservice *service, struct peer *peer);
	/* How long it may be silent has changed: sets its timer. */
	void (*look_at_silence)(struct unixservice *service, struct peer *peer);
	/* Lets no more messages in than have come. NULL: nothing to do. */
	void (*stop)(struct unixservice *service, struct peer *peer);
	/* Whether it has been sent what it may not have read yet, at the cost
	 * of others: its user answers for that as long as the peer is known.
	 * NULL: never. */
	bool (*is_debtor)(struct unixservice *service, struct peer *peer);
	/* The largest message that can be sent, in bytes. */
	size_t (*get_size_max)(const struct peer *peer);
	/* The address of the peer. */
	void (*get_address)(const struct peer *peer, struct unixaddr *addr);
	/* What is in the loop of it. NULL: nothing is. */
	struct watch *(*get_watch)(struct peer *peer);
	/* Closes what lies below, and takes it out of its source. */
	void (*close)(struct unixservice *service, struct peer *peer);
};

/*
 * The life of a peer, and which event leads where:
 *
 *	                              READING   DEAF      ENDED
 *	nothing can be sent to it     DEAF      -         GONE
 *	it has hung up                DEAF      DEAF      GONE
 *	its end was read              ENDED     GONE      -
 *	the program closes it         ENDED     GONE      ENDED
 *	nothing is kept nor owed      -         -         GONE
 *	it is late, or silent         DEAF      GONE      GONE
 *	it cannot be read, was cut,
 *	evicted, or the service ends  GONE      GONE      GONE
 *
 * A client that sends and closes without reading is DEAF by the first answer:
 * all that it has sent is there still, and is read to its end. A datagram
 * sender is never DEAF, it is GONE: what it has sent lies in our own queue.
 */
enum life {
	PEER_READING, /* and it is written to */
	PEER_DEAF,    /* write-dead: what is sent to it fails */
	PEER_ENDED,   /* not read any more: what is kept and owed goes out */
	PEER_GONE,    /* to be freed between two rounds */
};

/* The first member of what holds it, which is freed with it. */
struct peer {
	struct timer timer; /* the first: it leads to the peer */
	const struct peer_sort *sort;
	uint64_t id;
	uint64_t tag; /* of its source, 0 without one */
	struct user *user;
	struct member member; /* of its user's peers */
	struct peer *next_gone;
	void *context;
	struct outbox outbox;
	size_t partial_bytes; /* of a message that has not come whole */
	struct unixcred cred;
	unsigned int owed;     /* messages that are to be answered later */
	unsigned int gathered; /* messages to it, see service_batch.c */
	bool has_cred;
	bool is_opened; /* the watcher knows it */
	enum life life;
	int deaf_error; /* why something was lost since it is DEAF, or 0 */
	/* EPERM of a send says that its address may lead to somebody else. */
	bool is_unproved;
	bool is_spoilt; /* half a message has gone, and the rest never will */
	bool is_kept;   /* whatever its silence */
	bool is_inherited; /* from a process that has forked us */
	uint64_t received;
	uint64_t sent;
	uint64_t lost;
	int64_t opened_us;
	int64_t active_us;
};

/* The peer of a user's list, NULL behind the last. */
static inline struct peer *unixservice__get_peer(struct member *member)
{
	const size_t offset = offsetof(struct peer, member);

	return member == NULL ? NULL : (struct peer *)((char *)member - offset);
}

static inline bool unixservice__is_gone(const struct peer *peer)
{
	return peer->life == PEER_GONE;
}

/* Whether its place is another's for the asking. */
static inline bool unixservice__is_light(const struct peer *peer)
{
	return peer->sort->is_memory_only && !peer->is_kept;
}

/* What a message that is sent is to a message that was taken. */
enum part {
	PART_NOW,    /* the answer to the one that is being handled */
	PART_LATER,  /* the answer to one of before */
	PART_PUSHED, /* none */
};

struct source;

/* What sources of one sort can do. */
struct source_sort {
	int (*get_address)(const struct source *source, struct unixaddr *addr);
	/* Its timer. */
	void (*wake)(struct unixservice *service, struct source *source);
	/* Gives up the name, and lets nothing in but what has come. 0, or -1
	 * when the name is still there. */
	int (*stop)(struct unixservice *service, struct source *source);
	/* Whether _close removes the file, as of the network's own call. */
	int (*set_unlink)(struct source *source, bool is_wanted);
	/* Looks for what was read of what closed peers of user had not. NULL:
	 * that counts nowhere. */
	void (*settle)(struct source *source, const struct user *user);
	/* 0, or -1 when the name is still there. */
	int (*close)(struct source *source);
};

/* A socket that peers come from. The first member of what holds it. */
struct source {
	struct timer timer; /* the first: it leads to the source */
	const struct source_sort *sort;
	struct source *next;
	struct watch watch;
	bool is_abstract;
	bool is_done; /* after _stop: all that has come was taken */
};

/* A place for a peer; generation tells it from those before it. */
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
	struct peer *gone;   /* to be freed between two rounds */
	struct call call;
	char *buffer;        /* what a message is received into */
	struct batch *batch; /* and several; NULL where that is not wanted */
	int *fds;
	int epoll_fd;
	int timer_fd;
	int spare_fd;     /* closed to see who comes when none is left; or -1 */
	int64_t timer_us; /* what timer_fd is set to */
	int64_t now_us;   /* at the beginning of the round */
	struct spin spin;
	struct watch clock;
	struct watch stop;
	int64_t deadline_us; /* of the drain */
	int64_t event_due_ns;
	uint64_t untold;
	bool is_running; /* somebody waits in epoll_wait, or is back from it */
	bool is_telling; /* the watcher is told something */
	bool is_pushing; /* what is sent is no answer */
	bool is_stop_seen;
	bool is_stopping;
	pid_t process; /* that uses it: another than before after fork(2) */
	bool is_loop_shared; /* epoll_fd and timer_fd with the one before */
};

/* service_event.c */

/* An event about peer, which may be NULL. */
void unixservice__event_init(struct unixservice_event *event,
	enum unixservice_event_kind kind, const struct peer *peer, int error);

/* Tells the watcher, within the rate that the kind allows. */
void unixservice__tell(struct unixservice *service,
	struct unixservice_event *event);

/* Both of them, about a peer, with its address. */
void unixservice__tell_of(struct unixservice *service,
	enum unixservice_event_kind kind, const struct peer *peer, int error);

/* service_books.c */

/* A message has come to its end. */
void unixservice__end(struct unixservice *service, uint64_t *counter);

/* Counts one more that goes to peer, or takes that back: what it is. */
enum part unixservice__claim(struct unixservice *service, struct peer *peer);
void unixservice__unclaim(struct unixservice *service, struct peer *peer,
	enum part part);

/* It has gone; or is lost, an answer by counter, which _lose tells as well. */
void unixservice__count_sent(struct unixservice *service, struct peer *peer,
	size_t size, bool is_answer);
void unixservice__count_lost(struct unixservice *service, struct peer *peer,
	bool is_answer, uint64_t *counter);
void unixservice__lose(struct unixservice *service, struct peer *peer,
	bool is_answer, uint64_t *counter, int error);

/* The counter of what will not be sent though peer is there. */
uint64_t *unixservice__get_failure(struct unixservice *service,
	const struct peer *peer, int error);

/* Something of so many bytes, overhead too, is kept for peer, or no more. */
void unixservice__count_kept(struct unixservice *service,
	const struct peer *peer, size_t bytes);
void unixservice__remove_kept(struct unixservice *service, struct peer *peer,
	struct kept **place);

/* Drops what was kept for peer before since_us. */
void unixservice__drop_late(struct unixservice *service, struct peer *peer,
	int64_t since_us);

/* Drops all that is kept, and tells of each why: answers are counted in
 * counter. */
void unixservice__lose_kept(struct unixservice *service, struct peer *peer,
	uint64_t *counter, int error);

/* Drops all that is kept: answers are counted in counter. */
void unixservice__drop_all(struct unixservice *service, struct peer *peer,
	uint64_t *counter);

/* That of peer's message that is not whole so many bytes are held now. */
void unixservice__count_partial(struct unixservice *service, struct peer *peer,
	size_t bytes);

/* service_watch.c */

/*
 * Whether another process than ours, one that has forked us, uses the service
 * too: the peers that we have then are inherited, and the loop is shared until
 * it is used.
 */
void unixservice__notice_fork(struct unixservice *service);

/* A loop of our own after that. 0, or -1: nothing has changed. */
int unixservice__keep_own_loop(struct unixservice *service);

/* Changes what watch is ready for, 0 for nothing. 0, or -1. */
int unixservice__watch(struct unixservice *service, struct watch *watch,
	uint32_t events);

/* Between two rounds the time has gone on. */
void unixservice__look_at_clock(struct unixservice *service);

/* When the next timer or the deadline of the drain is due. */
int64_t unixservice__get_next_us(const struct unixservice *service);

/* Has the loops of others come back in time. */
void unixservice__set_clock(struct unixservice *service);

void unixservice__set_peer_timer(struct unixservice *service, struct peer *peer,
	int64_t at_us);
void unixservice__set_source_timer(struct unixservice *service,
	struct source *source, int64_t at_us);

/* Lets timers come through the loop as well. 0, or -1. */
int unixservice__start_clock(struct unixservice *service);

/* Acts on each peer, which may lead to the end of any. */
void unixservice__for_each_peer(struct unixservice *service,
	void (*act)(struct unixservice *service, struct peer *peer));

/* service_source.c */

/* Makes source one of service's, and watches it. 0, or -1. */
int unixservice__add_source(struct unixservice *service, struct source *source,
	const struct source_sort *sort);

/* EINVAL for what comes to a service that was stopped. */
int unixservice__check_open(const struct unixservice *service);

/* Somebody who shares its socket has shut it down: it is over, and told. */
void unixservice__lose_source(struct unixservice *service,
	struct source *source);

/* service_batch.c */

/* Makes room for batches, unless there is. 0, or -1 with ENOMEM. */
int unixservice__reserve_batch(struct unixservice *service);

/*
 * Receives what is there, count messages at most: how many, with room of their
 * own in *msgs until the next call. None: errno tells why. Until _end_batch
 * messages that go out by gram are gathered.
 */
size_t unixservice__begin_batch(struct unixservice *service,
	struct unixconn *gram, size_t count, struct unixmsg **msgs);
void unixservice__end_batch(struct unixservice *service);

/* What was gathered is never sent: another process does that. */
void unixservice__leave_gathered(struct unixservice *service);

/* The datagram socket that messages are gathered for, or NULL. */
const struct unixconn *unixservice__get_gathering(
	const struct unixservice *service);

/* Whether msg was gathered. If not it can be sent after _send_gathered. */
bool unixservice__gather(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg);

/* Sends what was gathered: each message goes, is kept, or lost; and whether
 * that is being done now. */
bool unixservice__is_sending(const struct unixservice *service);
void unixservice__send_gathered(struct unixservice *service);

/* service_link.c */

/*
 * Serves a connection of user, cred may be NULL. It belongs to service then,
 * not on failure.
 */
int unixservice__open_link(struct unixservice *service, struct unixconn *conn,
	bool is_bytes, struct user *user, const struct unixcred *cred);

/* The same for one that the program has added; peer may be NULL. */
int unixservice__add_link(struct unixservice *service, struct unixconn *conn,
	bool is_bytes, uint64_t *peer);

/* service_gram.c */

/* Serves a socket for datagrams. It belongs to service then, not on failure. */
int unixservice__add_grams(struct unixservice *service, struct unixconn *conn);

/* A peer at address, of the first of these sockets; EINVAL without one. */
int unixservice__open_gram_peer(struct unixservice *service,
	const char *address, uint64_t *id);

/* service_open.c */

struct network;

/* The same by a new connection. */
int unixservice__open_connection(struct unixservice *service,
	const struct network *network, const char *address, unsigned int flags,
	uint64_t *id);

/* service_peer.c */

/* The peer, or NULL with ENOTCONN; _find_any also while it is told closed. */
struct peer *unixservice__find(const struct unixservice *service, uint64_t id);
struct peer *unixservice__find_any(const struct unixservice *service,
	uint64_t id);

/*
 * Whether there is a place for one more peer of user; it may be made by closing
 * another, with _make_place.
 */
bool unixservice__has_place(const struct unixservice *service,
	const struct user *user);
bool unixservice__make_place(struct unixservice *service, struct user *user);

/*
 * Whether a connection more of user may be served though there is no descriptor
 * left: who has most connections loses one, if that is another user.
 */
bool unixservice__make_descriptor(struct unixservice *service,
	const struct user *user);

/* Makes a peer known. cred may be NULL. -1 with ENOMEM. */
int unixservice__enter(struct unixservice *service, struct peer *peer,
	const struct peer_sort *sort, struct user *user,
	const struct unixcred *cred);

/* It is user's from now on, with all that is kept for it. */
void unixservice__give_to(struct peer *peer, struct user *user);

/* It has done something. */
void unixservice__enliven(struct unixservice *service, struct peer *peer);

/* Closes peer: error is 0 when it ended by itself. */
void unixservice__part(struct unixservice *service, struct peer *peer,
	int error);

/* Nothing more can be sent to peer: error says why. It may be gone then. */
void unixservice__deafen(struct unixservice *service, struct peer *peer,
	int error);

/* It sends no more, or is not heard any more: it may be gone then. */
void unixservice__finish(struct unixservice *service, struct peer *peer);

/* Closes peer if it has ended and nothing is left to be done for it. */
void unixservice__part_if_done(struct unixservice *service, struct peer *peer);

/* Frees those that are gone. */
void unixservice__bury(struct unixservice *service);

/* service_share.c */

/*
 * Makes room among all that is kept, for user and so many bytes, at the cost of
 * the user who has most: false where that is user, too.
 */
bool unixservice__relieve(struct unixservice *service, const struct user *user,
	size_t bytes);

/*
 * So many bytes have come of a message that is not whole: counts them. It may
 * cost any peer its connection, this one too.
 */
void unixservice__note_partial(struct unixservice *service, struct peer *peer,
	size_t bytes);

/* service_keep.c */

/* Whether the calls for plain messages will do, which are the shortest. */
static inline bool unixservice__is_plain(const struct unixmsg *msg)
{
	return msg->parts == NULL && msg->fds_count == 0;
}

/*
 * What becomes of a message whose part in the books is known already: it was
 * sent; or it was not, errno tells why, and it is kept if that can help.
 */
void unixservice__note_sent(struct unixservice *service, struct peer *peer,
	size_t size, bool is_answer);
void unixservice__note_unsent(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, bool is_answer);

/*
 * Sends msg to a peer for whom nothing is gathered: 1, or -1 as
 * unixservice_send_msg.
 */
int unixservice__send_now(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg);

/* Sends what is kept for peer, as far as it goes; peer may be gone then. */
void unixservice__flush(struct unixservice *service, struct peer *peer);

/* service_take.c */

/* Makes msg ready to receive into the service's buffer; addr may be NULL. */
void unixservice__prepare(const struct unixservice *service,
	struct unixmsg *msg, struct unixaddr *addr);

/* Counts a message that has come, whatever becomes of it. */
void unixservice__count(struct unixservice *service, struct peer *peer,
	struct unixmsg *msg);

/*
 * Ends a message that does not get to the handler: counter is of why, and
 * event is told, unless it is NULL. Its descriptors are closed.
 */
void unixservice__reject(struct unixservice *service, uint64_t *counter,
	struct unixmsg *msg, struct unixservice_event *event);

/*
 * Leads a counted message to the handler, with the tag of its socket; peer is
 * NULL for a sender without an address. Its descriptors are closed then.
 */
void unixservice__take(struct unixservice *service, struct peer *peer,
	uint64_t tag, struct unixmsg *msg);

#endif
