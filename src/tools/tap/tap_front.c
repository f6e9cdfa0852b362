/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_as.h"
#include "tools/tap/tap_front.h"
#include "tools/tap/tap_grams.h"
#include "tools/tap/tap_name.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_pair.h"

enum { TURN = 16 };

/* The pause before a server with a full backlog is dialled again. */
static const int64_t retry_us = 5000;

struct tap_front {
	struct tap *tap;
	struct tap_name *name;
	bool has_given_back;
	/* For connections */
	struct unixlistener *listener;
	struct tap_watch watch;
	struct unixconn *waiting; /* accepted, not connected yet */
	struct unixcred cred;     /* of that client */
	int error;                /* why the last client has to wait */
	/* For datagrams */
	struct unixconn *socket;
	struct tap_grams *grams;
};

/* --- Connections ---------------------------------------------------------- */

/* Returns false if the client has to wait. */
static bool admit(struct tap_front *front)
{
	struct unixconn *client = front->waiting;

	front->waiting = NULL;
	if (tap_pair_open(front->tap, client, &front->cred))
		return true;
	front->error = errno;
	front->waiting = client;
	tap_wake_at(front->tap, unixdeadline_after_us(retry_us));
	return false;
}

static struct unixconn *accept_client(struct tap_front *front)
{
	struct unixconn *client =
		unixlistener_accept(front->listener, UNIXMSG_NOW);

	if (client == NULL && errno != EAGAIN) {
		front->error = errno;
		tap_wake_at(front->tap, unixdeadline_after_us(retry_us));
	}
	if (client != NULL &&
		unixpeer_get_cred(unixconn_get_fd(client), &front->cred) < 0)
		front->cred = (struct unixcred){ 0, (uid_t)-1, (gid_t)-1 };
	return client;
}

/* Returns false if no client is left for now. */
static bool accept_one(struct tap_front *front)
{
	if (front->waiting != NULL)
		return admit(front);
	front->waiting = accept_client(front);
	if (front->waiting == NULL)
		return false;
	if (tap_pair_make_room(front->tap, front->cred.uid))
		return admit(front);
	unixconn_close(front->waiting);
	front->waiting = NULL;
	return true;
}

/* Clients that cannot be served yet wait for the next look. */
static void accept_some(struct tap_front *front)
{
	int turns = TURN;

	while (turns-- > 0 && accept_one(front))
		continue;
	if (turns >= 0)
		return;
	tap_wake_at(front->tap, unixdeadline_after_us(1));
}

static void listener_ready(struct tap_watch *watch, uint32_t events)
{
	(void)events;
	accept_some(watch->context);
}

static int listen_at(struct tap_front *front,
	const struct unixlisten_options *options)
{
	struct tap *tap = front->tap;

	front->listener = unixlistener_open(tap->network->name,
		tap_get_address(tap), options);
	if (front->listener == NULL)
		return -1;
	tap_as_listen(tap, options->user, unixlistener_get_fd(front->listener));
	front->watch.fd = unixlistener_get_fd(front->listener);
	front->watch.ready = listener_ready;
	front->watch.context = front;
	return 0;
}

/* --- Both ----------------------------------------------------------------- */

static int bind_at(struct tap_front *front,
	const struct unixlisten_options *options)
{
	struct tap *tap = front->tap;

	if (tap->network->is_connected)
		return listen_at(front, options);
	front->socket = unixconn_open(tap->network->name, tap_get_address(tap),
		options);
	return front->socket == NULL ? -1 : 0;
}

static int open_socket(struct tap_front *front)
{
	const struct tap *tap = front->tap;
	struct unixlisten_options options = {
		.wants = UNIXMSG_WANT_FDS |
			(tap->network->is_stream ? tap_get_wants()
						 : UNIXMSG_WANT_CRED),
	};
	char why[512];

	if (tap_name_set_mode(front->name, &options) < 0)
		return -1;
	if (tap->options->front == NULL)
		options.flags |= UNIXMSG_LISTEN_REPLACE;
	if (bind_at(front, &options) == 0)
		return 0;
	snprintf(why, sizeof(why), "%s",
		explain_listen(tap_get_address(tap), true, errno));
	return tool_complain("%s: %s", explain_text(tap_get_address(tap)), why);
}

static int get_fd(const struct tap_front *front)
{
	return front->listener != NULL ? unixlistener_get_fd(front->listener)
				       : unixconn_get_fd(front->socket);
}

static int begin(struct tap_front *front)
{
	struct tap *tap = front->tap;

	if (open_socket(front) < 0 ||
		tap_name_watch(front->name, get_fd(front)) < 0)
		return -1;
	if (front->listener != NULL)
		return tap_watch(tap, &front->watch, EPOLLIN | EPOLLET);
	front->grams = tap_grams_open(tap, front->socket);
	return front->grams == NULL ? -1 : 0;
}

static void say_listening(const struct tap *tap)
{
	tool_say(TOOL_NORMAL, "listening on %s, in front of its server (%s)",
		explain_text(tap_get_address(tap)), tap->network->name);
	tool_say(TOOL_VERBOSE,
		"the server sees the user of %s, and our process",
		geteuid() == 0 ? "each client" : "the tap for all clients");
}

struct tap_front *tap_front_open(struct tap *tap, struct tap_name *name)
{
	struct tap_front *front = calloc(1, sizeof(*front));

	if (front == NULL) {
		tool_complain("%s", strerror(errno));
		return NULL;
	}
	front->tap = tap;
	front->name = name;
	if (begin(front) < 0) {
		tap_front_close(front);
		return NULL;
	}
	say_listening(tap);
	return front;
}

void tap_front_look(struct tap_front *front)
{
	if (front->listener != NULL)
		accept_some(front);
	if (front->grams != NULL)
		tap_grams_look(front->grams);
}

/* True if clients wait to be accepted. */
static bool has_backlog(const struct tap_front *front)
{
	struct pollfd fd = { .fd = front->watch.fd, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Returns true if nothing waits any more. */
static bool serve_waiting(struct tap_front *front)
{
	if (front->grams != NULL)
		return tap_grams_finish(front->grams);
	accept_some(front);
	return front->waiting == NULL && !has_backlog(front);
}

static bool give_back(struct tap_front *front, bool is_last)
{
	if (!front->has_given_back)
		front->has_given_back =
			tap_name_give_back(front->name, is_last);
	return front->has_given_back;
}

static void close_listener(struct tap_front *front)
{
	if (front->listener == NULL)
		return;
	tap_unwatch(front->tap, &front->watch);
	unixlistener_close(front->listener);
	front->listener = NULL;
}

static void refuse_waiting(struct tap_front *front)
{
	if (front->waiting == NULL &&
		(front->listener == NULL || !has_backlog(front)))
		return;
	unixconn_close(front->waiting);
	front->waiting = NULL;
	front->tap->refused++;
	front->tap->has_failed = true;
	tool_complain("clients that wait are refused: %s",
		front->error == EAGAIN ? "the server has no room"
				       : strerror(front->error));
}

static bool wait_on(const struct tap_front *front)
{
	tap_wake_at(front->tap, unixdeadline_after_us(retry_us));
	return false;
}

/*
 * Connections that wait here may be served after later ones to the server.
 * Datagrams must stay in order: so the tap keeps the name until their queue is
 * empty.
 */
bool tap_front_finish(struct tap_front *front, bool is_late)
{
	/* While connections are open, descriptors may still become free. */
	const bool is_last = is_late && front->tap->pairs_count == 0;

	if (front->listener == NULL && front->grams == NULL)
		return true;
	if (front->listener != NULL)
		give_back(front, is_last);
	if (!serve_waiting(front) && !is_late)
		return wait_on(front);
	if (!give_back(front, is_last))
		return wait_on(front);
	refuse_waiting(front);
	close_listener(front);
	return true;
}

void tap_front_close(struct tap_front *front)
{
	if (front == NULL)
		return;
	if (!give_back(front, false)) {
		tap_pair_close_all(front->tap);
		give_back(front, true);
	}
	tap_grams_close(front->grams);
	unixconn_close(front->waiting);
	close_listener(front);
	unixconn_close(front->socket);
	free(front);
}
