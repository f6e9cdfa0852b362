/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tools/common/explain.h"
#include "tools/common/explain_path.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_as.h"
#include "tools/tap/tap_carrier.h"
#include "tools/tap/tap_pair.h"
#include "tools/tap/tap_users.h"

/* The most reads of one side before the other connections have their turn. */
enum { TURN = 16 };

/* The messages that were received at once, in the room of the tap. */
struct batch {
	struct unixmsg msgs[TAP_BATCH_MAX];
	size_t count;
	/* The last receive; if it has failed, msgs[count] describes its
	 * message. */
	int result;
	int error;
};

/* One of the two connections, and the direction from there to the other. */
struct side {
	struct tap_watch watch;
	struct tap_pair *pair;
	struct side *other;
	struct unixconn *conn;
	/* The credentials of messages for which the kernel reports no
	 * writer. */
	struct unixcred peer;
	bool is_server;
	/* Nothing more arrives here, and nothing is held. */
	bool is_ended;
	bool is_told; /* the other side knows that */
	bool is_deaf; /* it receives nothing more */
	/* A message from here was lost: both connections end once held messages
	 * are sent. */
	bool is_broken;
	/* Messages received here and not sent on yet. */
	struct unixmsg held[TAP_BATCH_MAX];
	size_t held_first, held_count;
	size_t held_fds;
};

struct tap_pair {
	struct tap *tap;
	const struct tap_carrier *carrier;
	uint64_t number;
	struct tap_user *user;
	struct side client, server;
	struct tap_pair *next, **at; /* in the list of the tap */
};

static void note(const struct side *from, enum event_kind kind,
	const struct unixmsg *msg)
{
	const struct tap_pair *pair = from->pair;
	struct event event = {
		.kind = kind,
		.is_answer = from->is_server,
		.connection = pair->number,
		.size = msg != NULL ? msg->size : 0,
		.fds = msg != NULL ? msg->fds_count : 0,
		.has_cred = true,
		.cred = pair->client.peer,
	};

	tap_note(pair->tap, &event, msg != NULL ? msg->data : NULL);
}

static bool is_holding(const struct side *side)
{
	return side->held_count > 0;
}

/* Only the last message of a batch has descriptors. */
static size_t get_held_fds(const struct side *side)
{
	if (!is_holding(side))
		return 0;
	return side->held[side->held_first + side->held_count - 1].fds_count;
}

static void count_held_fds(struct side *side)
{
	struct tap *tap = side->pair->tap;

	tap->fds_held -= side->held_fds;
	side->held_fds = get_held_fds(side);
	tap->fds_held += side->held_fds;
}

/* Forgets the first of the held messages. */
static void forget(struct side *side, size_t count)
{
	for (; count > 0; count--) {
		tap_drop(&side->held[side->held_first++]);
		side->held_count--;
	}
	count_held_fds(side);
}

static void forget_held(struct side *side)
{
	forget(side, side->held_count);
}

/* True if the tap holds many descriptors: peers that do not read could use up
 * the limit. */
static bool is_crowded(const struct tap *tap)
{
	return tap->fds_held > tap->fds_most;
}

static bool has_room(const struct side *side)
{
	struct pollfd fd = { .fd = side->watch.fd, .events = POLLOUT };

	return poll(&fd, 1, 0) == 1;
}

/* A crowded tap receives only when the other side has room, so that it holds no
 * more. */
static bool is_waiting_for_room(const struct side *from)
{
	return is_crowded(from->pair->tap) && !has_room(from->other);
}

static void close_pair(struct tap_pair *pair)
{
	struct tap *tap = pair->tap;

	note(&pair->client, EVENT_CLOSED, NULL);
	tap_unwatch(tap, &pair->client.watch);
	tap_unwatch(tap, &pair->server.watch);
	forget_held(&pair->client);
	forget_held(&pair->server);
	unixconn_close(pair->server.conn);
	unixconn_close(pair->client.conn);
	*pair->at = pair->next;
	if (pair->next != NULL)
		pair->next->at = pair->at;
	tap->pairs_count--;
	tap_users_leave(&tap->users, pair->user);
	free(pair);
}

void tap_pair_close_all(struct tap *tap)
{
	struct tap_pair *pair, *next;

	for (pair = tap->pairs; pair != NULL; pair = next) {
		next = pair->next;
		close_pair(pair);
	}
}

static void end(struct side *side)
{
	if (side->is_ended)
		return;
	side->is_ended = true;
	note(side, EVENT_ENDED, NULL);
}

/* The program of this side is gone. So messages for it are dropped, and further
 * sends of the other side fail as they would without us. */
static void make_deaf(struct side *side)
{
	if (side->is_deaf)
		return;
	side->is_deaf = true;
	forget_held(side->other);
	side->other->is_ended = true;
	unixconn_shutdown(side->other->conn, SHUT_RD);
}

static void break_both(struct side *side)
{
	make_deaf(side);
	make_deaf(side->other);
}

/*
 * A message that cannot be passed on ends the connection, because none may be
 * missing. If the program is gone, messages that it has sent before are still
 * passed on.
 */
static void break_up(struct side *from, const struct unixmsg *msg)
{
	if (errno == EPIPE || errno == ECONNRESET) {
		make_deaf(from->other);
		return;
	}
	tap_lose(from->pair->tap, from->pair->number, msg);
	break_both(from);
}

/* Returns 0, or -1 with nothing held. */
static int hold(struct side *from, struct unixmsg *msgs, size_t count)
{
	size_t i;

	from->held_first = 0;
	for (i = 0; i < count; i++) {
		if (tap_hold(&from->held[i], &msgs[i]) < 0) {
			forget_held(from);
			return -1;
		}
		from->held_count++;
	}
	count_held_fds(from);
	return 0;
}

static void pass(struct side *from, struct unixmsg *msgs, size_t count)
{
	const struct tap_carrier *carrier = from->pair->carrier;
	size_t sent = carrier->send(from->other->conn, msgs, count);

	if (sent < count &&
		(errno != EAGAIN || hold(from, msgs + sent, count - sent) < 0))
		break_up(from, &msgs[sent]);
}

static void flush(struct side *from)
{
	size_t sent = from->pair->carrier->send(from->other->conn,
		from->held + from->held_first, from->held_count);
	const int error = errno;

	forget(from, sent);
	if (!is_holding(from) || error == EAGAIN)
		return;
	errno = error;
	break_up(from, &from->held[from->held_first]);
}

static int receive_one(const struct side *from, struct unixmsg *msg)
{
	const int result = from->pair->carrier->receive(from->conn, msg);

	if ((msg->flags & UNIXMSG_HAS_CRED) == 0)
		msg->cred = from->peer;
	msg->flags |= UNIXMSG_HAS_CRED;
	return result;
}

/* Receives a batch. Only its last message may have descriptors. */
static void gather(struct side *from, struct batch *batch)
{
	const struct tap_carrier *carrier = from->pair->carrier;
	struct unixmsg *msg = batch->msgs;
	size_t used = 0;

	batch->count = 0;
	for (;;) {
		tap_prepare(from->pair->tap, msg, used);
		batch->result = receive_one(from, msg);
		batch->error = errno;
		if (batch->result < 1)
			return;
		if ((msg->flags & UNIXMSG_CUT_CONTROL) != 0) {
			batch->result = -1;
			batch->error = EMFILE;
			return;
		}
		used += msg->size;
		batch->count++;
		if (batch->count == carrier->batch || used > TAP_GATHERED ||
			msg->fds_count > 0 || is_crowded(from->pair->tap))
			return;
		msg++;
	}
}

static void pass_batch(struct side *from, struct batch *batch)
{
	struct unixmsg copies[TAP_BATCH_MAX];
	size_t i;

	if (batch->count == 0)
		return;
	memcpy(copies, batch->msgs, batch->count * sizeof(*copies));
	pass(from, batch->msgs, batch->count);
	for (i = 0; i < batch->count; i++)
		note(from, EVENT_MESSAGE, &copies[i]);
	unixmsg_close_fds(&batch->msgs[batch->count - 1]);
}

static void fail(struct side *from, struct batch *batch)
{
	struct unixmsg *msg = &batch->msgs[batch->count];

	errno = batch->error;
	tap_lose(from->pair->tap, from->pair->number, msg);
	unixmsg_close_fds(msg);
	from->is_broken = true;
}

/* Returns false if there is no more for now. */
static bool receive_some(struct side *from)
{
	struct batch batch;

	gather(from, &batch);
	pass_batch(from, &batch);
	if (batch.result == 0 && batch.count == 0) {
		end(from);
		return false;
	}
	/* The end is reported again. A reset is reported only once, before the
	 * messages that are there. */
	if (batch.result >= 0 || batch.error == ECONNRESET)
		return true;
	if (batch.error != EAGAIN)
		fail(from, &batch);
	return false;
}

static bool is_open(const struct side *side)
{
	return !side->is_ended && !side->is_broken && !is_holding(side);
}

static bool is_receiving(const struct side *side)
{
	return is_open(side) && !is_waiting_for_room(side);
}

static void receive(struct side *from)
{
	int turns = TURN;

	while (turns-- > 0 && is_receiving(from) && receive_some(from))
		continue;
}

static void break_if(struct side *side)
{
	if (side->is_broken && !is_holding(side))
		break_both(side);
}

static void tell_end(struct side *side)
{
	if (!side->is_ended || side->is_told)
		return;
	side->is_told = true;
	unixconn_shutdown(side->other->conn, SHUT_WR);
}

/* Stops watching a side that has hung up and has nothing to do, because epoll
 * would report the hang-up again and again. */
static int watch_side(struct side *side)
{
	uint32_t events = 0;

	if (is_receiving(side))
		events |= EPOLLIN;
	if (is_holding(side->other) ||
		(is_open(side->other) && is_waiting_for_room(side->other)))
		events |= EPOLLOUT;
	if (events == 0 && side->is_deaf) {
		tap_unwatch(side->pair->tap, &side->watch);
		return 0;
	}
	return tap_watch(side->pair->tap, &side->watch, events);
}

static void update(struct tap_pair *pair)
{
	break_if(&pair->client);
	break_if(&pair->server);
	tell_end(&pair->client);
	tell_end(&pair->server);
	if ((pair->client.is_ended && pair->server.is_ended) ||
		watch_side(&pair->client) < 0 || watch_side(&pair->server) < 0)
		close_pair(pair);
}

static void clear_error(const struct side *side)
{
	int error;
	socklen_t size = sizeof(error);

	getsockopt(side->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size);
}

static void side_ready(struct tap_watch *watch, uint32_t events)
{
	struct side *side = watch->context;

	if ((events & EPOLLERR) != 0)
		clear_error(side);
	if (is_holding(side->other))
		flush(side->other);
	if ((events & EPOLLHUP) != 0)
		make_deaf(side);
	receive(side);
	update(side->pair);
}

static void make_side(struct tap_pair *pair, struct side *side,
	struct side *other, struct unixconn *conn)
{
	side->pair = pair;
	side->other = other;
	side->conn = conn;
	side->watch.fd = unixconn_get_fd(conn);
	side->watch.ready = side_ready;
	side->watch.context = side;
}

static struct tap_pair *make_pair(struct tap *tap, struct unixconn *client,
	struct unixconn *server, const struct unixcred *cred)
{
	struct tap_pair *pair = calloc(1, sizeof(*pair));

	if (pair == NULL)
		return NULL;
	pair->user = tap_users_join(&tap->users, cred->uid);
	if (pair->user == NULL) {
		free(pair);
		return NULL;
	}
	pair->tap = tap;
	pair->carrier = tap_carrier_find(tap->network);
	pair->number = ++tap->connections;
	pair->server.is_server = true;
	make_side(pair, &pair->client, &pair->server, client);
	make_side(pair, &pair->server, &pair->client, server);
	pair->client.peer = *cred;
	if (unixpeer_get_cred(unixconn_get_fd(server), &pair->server.peer) < 0)
		pair->server.peer =
			(struct unixcred){ 0, TAP_NOBODY, TAP_NOBODY };
	pair->at = &tap->pairs;
	pair->next = tap->pairs;
	if (pair->next != NULL)
		pair->next->at = &pair->next;
	tap->pairs = pair;
	tap->pairs_count++;
	return pair;
}

/* Complains once, because a user may connect as often as it likes. */
static void tell_full(struct tap *tap, uid_t uid)
{
	char text[EXPLAIN_USER_SIZE];

	tap->refused++;
	tap->has_failed = true;
	if (tap->is_full_told)
		return;
	tap->is_full_told = true;
	tool_complain("there are %zu connections: user %s, who has the most, "
		      "gets no more",
		tap->pairs_count, explain_user(uid, text));
}

bool tap_pair_make_room(struct tap *tap, uid_t uid)
{
	const struct tap_user *most;
	struct tap_pair *newest = tap->pairs;

	if (tap->pairs_count < tap->pairs_most)
		return true;
	most = tap_users_get_most(tap->users);
	tell_full(tap, most->uid);
	if (most->uid == uid)
		return false;
	while (newest->user != most)
		newest = newest->next;
	close_pair(newest);
	return true;
}

/* The backlog of the server is full, or something is short here. */
static bool is_for_now(int error)
{
	return error == EAGAIN || tap_is_shortage(error);
}

bool tap_pair_open(struct tap *tap, struct unixconn *client,
	const struct unixcred *cred)
{
	struct unixconn *server = tap_as_dial(tap, client, cred);
	struct tap_pair *pair = NULL;
	int error;

	if (server != NULL)
		pair = make_pair(tap, client, server, cred);
	if (pair != NULL) {
		note(&pair->client, EVENT_OPENED, NULL);
		update(pair);
		return true;
	}
	error = errno;
	unixconn_close(server);
	if (is_for_now(error)) {
		errno = error;
		return false;
	}
	unixconn_close(client);
	tap_refuse(tap, error);
	return true;
}
