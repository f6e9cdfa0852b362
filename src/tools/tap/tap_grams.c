/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_carrier.h"
#include "tools/tap/tap_grams.h"
#include "tools/tap/tap_name.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_users.h"

enum { TURN = 16, CLIENTS_MOST = 1024 };

/* The pause between tries to answer: no event reports that a socket to which we
 * are not connected has room again. */
static const int64_t retry_us = 2000;

struct client {
	struct tap_grams *grams;
	struct tap_user *user;
	uint64_t number;
	struct unixconn *conn; /* to the server */
	struct tap_watch watch;
	bool is_named;
	struct unixaddr addr;
	bool has_cred;
	struct unixcred cred;
	/* The address for answers, once there is proof that they reach the
	 * client. */
	bool is_proven;
	bool is_unproven; /* for good */
	bool is_told;     /* the user knows that answers are lost */
	struct unixaddr to;
	int held_fd;
	bool is_holding; /* an answer */
	struct unixmsg held;
	struct client *next;
};

struct tap_grams {
	struct tap *tap;
	struct unixconn *front;
	struct tap_watch watch;
	struct client *clients; /* the last sender comes first */
	size_t count;
	struct tap_user *users;
	struct client *slow; /* the server has no room for its message */
	struct unixmsg held; /* this message */
};

static void note(const struct client *client, enum event_kind kind,
	bool is_answer, const struct unixmsg *msg)
{
	struct event event = {
		.kind = kind,
		.is_answer = is_answer,
		.connection = client->number,
		.size = msg != NULL ? msg->size : 0,
		.fds = msg != NULL ? msg->fds_count : 0,
		.has_cred = client->has_cred,
		.cred = client->cred,
	};

	tap_note(client->grams->tap, &event, msg != NULL ? msg->data : NULL);
}

/* Receives from the front again: the tap does not while a message waits. */
static void end_hold(struct tap_grams *grams)
{
	tap_drop(&grams->held);
	grams->slow = NULL;
	if (tap_watch(grams->tap, &grams->watch, EPOLLIN) < 0)
		tap_stop(grams->tap, "nothing can be received any more");
}

static void close_conn(const struct client *client)
{
	if (unixconn_close(client->conn) == 0)
		return;
	tool_complain("client %ju: our socket for it could not be removed: %s",
		(uintmax_t)client->number, strerror(errno));
	client->grams->tap->has_failed = true;
}

static void free_client(struct client *client)
{
	struct tap_grams *grams = client->grams;

	if (grams->slow == client)
		end_hold(grams);
	tap_unwatch(grams->tap, &client->watch);
	tap_drop(&client->held);
	if (client->held_fd >= 0)
		close(client->held_fd);
	close_conn(client);
	tap_users_leave(&grams->users, client->user);
	grams->count--;
	free(client);
}

static struct client **find_place(struct tap_grams *grams,
	const struct client *client)
{
	struct client **at = &grams->clients;

	while (*at != client)
		at = &(*at)->next;
	return at;
}

static void remove_client(struct client *client)
{
	*find_place(client->grams, client) = client->next;
	free_client(client);
}

/* --- From the server to a client ------------------------------------------ */

static bool is_gone(int error)
{
	return error == ECONNREFUSED || error == ENOENT || error == EPIPE;
}

/* Complains once, because there may be many answers. */
static void tell_unproven(struct client *client)
{
	if (!client->is_told)
		tool_complain("client %ju: answers are lost: %s",
			(uintmax_t)client->number,
			errno == EPERM ? "its address may lead to somebody else"
				       : strerror(errno));
	client->is_told = true;
	client->grams->tap->has_failed = true;
}

/*
 * The sender of a datagram chooses its address, which may lead to another
 * process. Returns 1 if answers reach the client, 0 if they are lost, -1 if the
 * client is gone.
 */
static int prove(struct client *client)
{
	if (client->is_proven)
		return 1;
	if (client->is_unproven || !client->is_named)
		return 0;
	if (unixconn_prove_sender(client->grams->front, &client->addr,
		    &client->cred, &client->to, &client->held_fd) == 0) {
		client->is_proven = true;
		return 1;
	}
	if (is_gone(errno))
		return -1;
	client->is_unproven = errno == EPERM;
	tell_unproven(client);
	return 0;
}

/* Returns 1, or -1 with errno. */
static int send_answer(struct client *client, struct unixmsg *msg)
{
	struct unixmsg out;

	tap_readdress(&out, msg);
	out.addr = &client->to;
	return tap_send(client->grams->front, &out);
}

/* Returns false if the client is gone. */
static bool flush_answer(struct client *client)
{
	int result = send_answer(client, &client->held);

	if (result < 0 && errno == EAGAIN) {
		tap_wake_at(client->grams->tap,
			unixdeadline_after_us(retry_us));
		return true;
	}
	if (result < 0 && is_gone(errno))
		return false;
	if (result < 0)
		tap_lose(client->grams->tap, client->number, &client->held);
	tap_drop(&client->held);
	client->is_holding = false;
	return true;
}

static bool pass_answer(struct client *client, struct unixmsg *msg)
{
	const int proof = prove(client);

	if (proof < 1)
		return proof == 0;
	if (send_answer(client, msg) == 1)
		return true;
	if (is_gone(errno))
		return false;
	if (errno == EAGAIN && tap_hold(&client->held, msg) == 0) {
		client->is_holding = true;
		tap_wake_at(client->grams->tap,
			unixdeadline_after_us(retry_us));
		return true;
	}
	tap_lose(client->grams->tap, client->number, msg);
	return true;
}

/* Returns 1 to go on, 0 if there is no more for now, -1 if the client is
 * gone. */
static int receive_answer(struct client *client)
{
	struct unixmsg msg, copy;
	bool is_there;

	tap_prepare(client->grams->tap, &msg, 0);
	if (unixconn_recv_msg(client->conn, &msg, UNIXMSG_NOW) < 0) {
		if (errno == EMSGSIZE)
			tap_lose(client->grams->tap, client->number, &msg);
		return errno == EMSGSIZE ? 1 : 0;
	}
	if ((msg.flags & UNIXMSG_CUT_CONTROL) != 0) {
		unixmsg_close_fds(&msg);
		errno = EMFILE;
		tap_lose(client->grams->tap, client->number, &msg);
		return 1;
	}
	copy = msg;
	is_there = pass_answer(client, &msg);
	note(client, EVENT_MESSAGE, true, &copy);
	unixmsg_close_fds(&msg);
	return is_there ? 1 : -1;
}

static bool is_slow(const struct client *client)
{
	return client->grams->slow == client;
}

static int watch_client(struct client *client)
{
	uint32_t events = 0;

	if (!client->is_holding)
		events |= EPOLLIN;
	if (is_slow(client))
		events |= EPOLLOUT;
	if (events != 0)
		return tap_watch(client->grams->tap, &client->watch, events);
	tap_unwatch(client->grams->tap, &client->watch);
	return 0;
}

/* Removes a client that receives no more. If a message of the client still
 * waits for the server, removes the client later. */
static void lose_client(struct client *client)
{
	if (!is_slow(client)) {
		remove_client(client);
		return;
	}
	tap_drop(&client->held);
	client->is_holding = false;
	if (watch_client(client) < 0)
		remove_client(client);
}

static void flush_request(struct tap_grams *grams);

static void client_ready(struct tap_watch *watch, uint32_t events)
{
	struct client *client = watch->context;
	int turns = TURN, result = 1;

	if ((events & EPOLLOUT) != 0 && is_slow(client))
		flush_request(client->grams);
	while (turns-- > 0 && result == 1 && !client->is_holding)
		result = receive_answer(client);
	if (result < 0)
		lose_client(client);
	else if (watch_client(client) < 0)
		remove_client(client);
}

/* --- From a client to the server ------------------------------------------ */

static bool is_of(const struct client *client, const struct unixmsg *msg)
{
	if (unixaddr_get_kind(msg->addr) == UNIXADDR_UNNAMED)
		return !client->is_named;
	if (!client->is_named ||
		((msg->flags & UNIXMSG_HAS_CRED) != 0 && client->has_cred &&
			msg->cred.uid != client->cred.uid))
		return false;
	return unixaddr_is_equal(&client->addr, msg->addr);
}

/* Returns the client of msg, and makes it the first of the list; NULL if it is
 * new. */
static struct client *find_client(struct tap_grams *grams,
	const struct unixmsg *msg)
{
	struct client **at = &grams->clients, *client;

	while (*at != NULL && !is_of(*at, msg))
		at = &(*at)->next;
	client = *at;
	if (client == NULL)
		return NULL;
	*at = client->next;
	client->next = grams->clients;
	grams->clients = client;
	return client;
}

/* Makes room: nothing reports the end of a datagram client. */
static void forget_one(struct tap_grams *grams)
{
	const struct tap_user *most = tap_users_get_most(grams->users);
	struct client *client, *oldest = grams->clients;

	for (client = oldest; client != NULL; client = client->next)
		if (client->user == most)
			oldest = client;
	if (oldest != NULL)
		remove_client(oldest);
}

static struct unixconn *dial(const struct tap_grams *grams, bool is_named)
{
	struct unixdial_options options = {
		.wants = tap_get_wants(),
	};

	/* A socket that wants credentials gets a name from the kernel when it
	 * sends. But a client without a name gets no answers. */
	if (!is_named) {
		options.flags = UNIXMSG_DIAL_UNNAMED;
		options.wants &= ~UNIXMSG_WANT_CRED;
	}
	return tap_name_dial(grams->tap, &options);
}

static struct client *give_up(struct client *client)
{
	const int error = errno;

	unixconn_close(client->conn);
	free(client);
	errno = error;
	return NULL;
}

static uid_t get_user(const struct unixmsg *msg)
{
	const bool is_known = (msg->flags & UNIXMSG_HAS_CRED) != 0;

	return is_known ? msg->cred.uid : (uid_t)-1;
}

static struct client *make_client(struct tap_grams *grams,
	const struct unixmsg *msg)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->is_named = unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED;
	client->conn = dial(grams, client->is_named);
	if (client->conn == NULL)
		return give_up(client);
	client->user = tap_users_join(&grams->users, get_user(msg));
	if (client->user == NULL)
		return give_up(client);
	client->grams = grams;
	client->addr = *msg->addr;
	client->held_fd = -1;
	client->watch.fd = unixconn_get_fd(client->conn);
	client->watch.ready = client_ready;
	client->watch.context = client;
	client->number = ++grams->tap->connections;
	client->next = grams->clients;
	grams->clients = client;
	grams->count++;
	return client;
}

/* Several writers may share an address, and all writers without an address
 * share a client. */
static void set_writer(struct client *client, const struct unixmsg *msg)
{
	client->has_cred = (msg->flags & UNIXMSG_HAS_CRED) != 0;
	client->cred = msg->cred;
}

static struct client *add_client(struct tap_grams *grams,
	const struct unixmsg *msg)
{
	struct client *client;

	if (grams->count >= CLIENTS_MOST)
		forget_one(grams);
	client = make_client(grams, msg);
	if (client == NULL)
		return NULL;
	set_writer(client, msg);
	note(client, EVENT_OPENED, false, NULL);
	if (watch_client(client) == 0)
		return client;
	remove_client(client);
	errno = ENOMEM;
	return NULL;
}

static int send_request(const struct client *client, struct unixmsg *msg)
{
	return tap_carrier_find(client->grams->tap->network)
				->send(client->conn, msg, 1) == 1
		? 1
		: -1;
}

static void fail(const struct client *client, const struct unixmsg *msg)
{
	if (errno == ECONNREFUSED || errno == ENOTCONN)
		tap_stop(client->grams->tap, "the server has ended");
	else
		tap_lose(client->grams->tap, client->number, msg);
}

/* All clients share the queue of the server: when it is full, all wait. */
static void hold_request(struct client *client, struct unixmsg *msg)
{
	struct tap_grams *grams = client->grams;

	if (tap_hold(&grams->held, msg) < 0) {
		tap_lose(client->grams->tap, client->number, msg);
		return;
	}
	grams->slow = client;
	tap_unwatch(grams->tap, &grams->watch);
	if (watch_client(client) < 0)
		tap_wake_at(grams->tap, unixdeadline_after_us(retry_us));
}

static void flush_request(struct tap_grams *grams)
{
	const struct client *client = grams->slow;

	if (send_request(client, &grams->held) < 0) {
		if (errno == EAGAIN)
			return;
		fail(client, &grams->held);
	}
	end_hold(grams);
}

static void pass_request(struct tap_grams *grams, struct unixmsg *msg)
{
	struct client *client = find_client(grams, msg);

	if (client == NULL)
		client = add_client(grams, msg);
	if (client == NULL) {
		tap_refuse(grams->tap, errno);
		return;
	}
	set_writer(client, msg);
	note(client, EVENT_MESSAGE, false, msg);
	if (send_request(client, msg) == 1)
		return;
	if (errno == EAGAIN)
		hold_request(client, msg);
	else
		fail(client, msg);
}

/* Without some of its descriptors a message would have another meaning. */
static void lose_cut(struct tap_grams *grams, const struct unixmsg *msg)
{
	tool_complain("a message of %zu bytes came without some of its "
		      "descriptors, and is not passed on: %s",
		msg->size, strerror(EMFILE));
	grams->tap->has_failed = true;
}

/* Returns false if there is no more for now. */
static bool receive_request(struct tap_grams *grams)
{
	struct unixaddr from;
	struct unixmsg msg;

	tap_prepare(grams->tap, &msg, 0);
	msg.addr = &from;
	if (unixconn_recv_msg(grams->front, &msg, UNIXMSG_NOW) < 0) {
		if (errno != EMSGSIZE)
			return false;
		tool_complain("a message of %zu bytes is more than the %zu of "
			      "--max-size: it is lost",
			msg.size, grams->tap->options->size_max);
		grams->tap->has_failed = true;
		return true;
	}
	if ((msg.flags & UNIXMSG_CUT_CONTROL) != 0)
		lose_cut(grams, &msg);
	else
		pass_request(grams, &msg);
	unixmsg_close_fds(&msg);
	return true;
}

/* Returns false if there is no more for now. */
static bool receive_some(struct tap_grams *grams)
{
	int turns = TURN;

	while (turns > 0 && grams->slow == NULL && receive_request(grams))
		turns--;
	return turns == 0;
}

static void front_ready(struct tap_watch *watch, uint32_t events)
{
	(void)events;
	receive_some(watch->context);
}

struct tap_grams *tap_grams_open(struct tap *tap, struct unixconn *front)
{
	struct tap_grams *grams = calloc(1, sizeof(*grams));

	if (grams == NULL) {
		tool_complain("%s", strerror(errno));
		return NULL;
	}
	grams->tap = tap;
	grams->front = front;
	grams->watch.fd = unixconn_get_fd(front);
	grams->watch.ready = front_ready;
	grams->watch.context = grams;
	if (tap_watch(tap, &grams->watch, EPOLLIN) == 0)
		return grams;
	free(grams);
	return NULL;
}

void tap_grams_close(struct tap_grams *grams)
{
	struct client *client, *next;

	if (grams == NULL)
		return;
	if (grams->slow != NULL) {
		errno = ETIMEDOUT;
		tap_lose(grams->tap, grams->slow->number, &grams->held);
	}
	for (client = grams->clients; client != NULL; client = next) {
		next = client->next;
		free_client(client);
	}
	tap_unwatch(grams->tap, &grams->watch);
	free(grams);
}

/* Tries again if watch_client has failed, so that no event reports the room. */
static void look_at_slow(struct tap_grams *grams)
{
	if (grams->slow == NULL || grams->slow->watch.is_listed)
		return;
	flush_request(grams);
	tap_wake_at(grams->tap, unixdeadline_after_us(retry_us));
}

void tap_grams_look(struct tap_grams *grams)
{
	struct client *client, *next;

	look_at_slow(grams);
	for (client = grams->clients; client != NULL; client = next) {
		next = client->next;
		if (!client->is_holding)
			continue;
		if (!flush_answer(client))
			lose_client(client);
		else if (watch_client(client) < 0)
			remove_client(client);
	}
}

/* Returns after a bounded number of messages, so that senders cannot block the
 * loop. */
bool tap_grams_finish(struct tap_grams *grams)
{
	return !receive_some(grams) && grams->slow == NULL;
}
