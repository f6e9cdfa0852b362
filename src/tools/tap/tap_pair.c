/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_as.h"
#include "tools/tap/tap_carrier.h"
#include "tools/tap/tap_pair.h"

/* So many messages of one side before the others have their turn. */
enum { TURN = 16 };

/* One of the two connections, and the way from there to the other. */
struct side {
	struct tap_watch watch;
	struct tap_pair *pair;
	struct side *other;
	struct unixconn *conn;
	bool is_server;
	/* Nothing more is received from here, and nothing is held: the end is
	 * behind the last message. */
	bool is_ended;
	bool is_told; /* the other side knows that */
	bool is_deaf; /* nothing more can be sent to here */
	bool is_holding;
	struct unixmsg held; /* received here, not sent on yet */
};

struct tap_pair {
	struct tap *tap;
	const struct tap_carrier *carrier;
	uint64_t number;
	struct unixcred cred;
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
		.cred = pair->cred,
	};

	tap_note(pair->tap, &event, msg != NULL ? msg->data : NULL);
}

static void close_pair(struct tap_pair *pair)
{
	struct tap *tap = pair->tap;

	note(&pair->client, EVENT_CLOSED, NULL);
	tap_unwatch(tap, &pair->client.watch);
	tap_unwatch(tap, &pair->server.watch);
	tap_drop(&pair->client.held);
	tap_drop(&pair->server.held);
	unixconn_close(pair->server.conn);
	unixconn_close(pair->client.conn);
	*pair->at = pair->next;
	if (pair->next != NULL)
		pair->next->at = pair->at;
	tap->pairs_count--;
	free(pair);
}

void tap_pair_close_all(struct tap *tap)
{
	while (tap->pairs != NULL)
		close_pair(tap->pairs);
}

static void end(struct side *side)
{
	if (side->is_ended)
		return;
	side->is_ended = true;
	note(side, EVENT_ENDED, NULL);
}

static void forget_held(struct side *side)
{
	tap_drop(&side->held);
	side->is_holding = false;
}

/* The program there is gone: nobody would receive what the other side sends,
 * and sends of the other side fail as they would without us. */
static void make_deaf(struct side *side)
{
	if (side->is_deaf)
		return;
	side->is_deaf = true;
	forget_held(side->other);
	side->other->is_ended = true;
	unixconn_shutdown(side->other->conn, SHUT_RD);
}

static void lose(const struct side *from, const struct unixmsg *msg)
{
	tool_complain("connection %ju: a message of %zu bytes could not be "
		      "passed on: %s",
		(uintmax_t)from->pair->number, msg->size, strerror(errno));
	from->pair->tap->has_failed = true;
}

static void break_both(struct side *side)
{
	make_deaf(side);
	make_deaf(side->other);
}

/* What cannot be passed on ends the connection: no message may be missing. A
 * program that is gone may have sent something before. */
static void break_up(struct side *from, const struct unixmsg *msg)
{
	if (errno == EPIPE || errno == ECONNRESET) {
		make_deaf(from->other);
		return;
	}
	lose(from, msg);
	break_both(from);
}

static void pass(struct side *from, struct unixmsg *msg)
{
	const struct tap_carrier *carrier = from->pair->carrier;

	if (carrier->send(from->other->conn, msg) == 1)
		return;
	if (errno == EAGAIN && tap_hold(&from->held, msg) == 0)
		from->is_holding = true;
	else
		break_up(from, msg);
}

static void flush(struct side *from)
{
	if (!from->is_holding ||
		from->pair->carrier->send(from->other->conn, &from->held) ==
			1) {
		forget_held(from);
		return;
	}
	if (errno == EAGAIN)
		return;
	break_up(from, &from->held);
}

/* False: there is no more for now. */
static bool receive_one(struct side *from)
{
	struct tap *tap = from->pair->tap;
	struct unixmsg msg, copy;
	int result;

	tap_prepare(tap, &msg);
	result = from->pair->carrier->receive(from->conn, &msg);
	if (result == 0) {
		end(from);
		return false;
	}
	/* It comes once, and what the peer has sent before follows. */
	if (result < 0 && errno == ECONNRESET)
		return true;
	if (result < 0 && errno == EAGAIN)
		return false;
	if (result < 0 || (msg.flags & UNIXMSG_CUT_CONTROL) != 0) {
		if (result > 0)
			errno = EMFILE;
		lose(from, &msg);
		unixmsg_close_fds(&msg);
		break_both(from);
		return false;
	}
	copy = msg;
	pass(from, &msg);
	note(from, EVENT_MESSAGE, &copy);
	unixmsg_close_fds(&msg);
	return true;
}

static bool is_receiving(const struct side *side)
{
	return !side->is_ended && !side->is_holding;
}

static void receive(struct side *from)
{
	int turns = TURN;

	while (turns-- > 0 && is_receiving(from) && receive_one(from))
		continue;
}

static void tell_end(struct side *side)
{
	if (!side->is_ended || side->is_told)
		return;
	side->is_told = true;
	unixconn_shutdown(side->other->conn, SHUT_WR);
}

/* A hang-up is reported again and again until nothing is watched. */
static int watch_side(struct side *side)
{
	uint32_t events = 0;

	if (is_receiving(side))
		events |= EPOLLIN;
	if (side->other->is_holding)
		events |= EPOLLOUT;
	if (events == 0 && side->is_deaf) {
		tap_unwatch(side->pair->tap, &side->watch);
		return 0;
	}
	return tap_watch(side->pair->tap, &side->watch, events);
}

static void settle(struct tap_pair *pair)
{
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
	if (side->other->is_holding)
		flush(side->other);
	if ((events & EPOLLHUP) != 0)
		make_deaf(side);
	receive(side);
	settle(side->pair);
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
	pair->tap = tap;
	pair->carrier = tap_carrier_find(tap->network);
	pair->number = ++tap->connections;
	pair->cred = *cred;
	pair->server.is_server = true;
	make_side(pair, &pair->client, &pair->server, client);
	make_side(pair, &pair->server, &pair->client, server);
	pair->at = &tap->pairs;
	pair->next = tap->pairs;
	if (pair->next != NULL)
		pair->next->at = &pair->next;
	tap->pairs = pair;
	tap->pairs_count++;
	return pair;
}

static void refuse(struct tap *tap, int error)
{
	tap->refused++;
	if (error == ECONNREFUSED || error == ENOENT) {
		tap_stop(tap, "the server has ended");
		return;
	}
	tap->has_failed = true;
	tool_complain("a client could not be connected to the server: %s",
		explain_error(error));
}

/* The backlog of the server is full, or something is short here. */
static bool is_for_now(int error)
{
	return error == EAGAIN || error == EMFILE || error == ENFILE ||
		error == ENOMEM || error == ENOBUFS;
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
		settle(pair);
		return true;
	}
	error = errno;
	unixconn_close(server);
	if (is_for_now(error))
		return false;
	unixconn_close(client);
	refuse(tap, error);
	return true;
}
