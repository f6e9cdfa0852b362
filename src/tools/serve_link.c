/* SPDX-License-Identifier: MIT */
/*
 * Echo over connections. A connection whose peer does not read its answers
 * keeps one of them, and is not read from until it has gone: it delays nobody
 * else and costs the memory of one message.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/network.h"
#include "tools/server.h"
#include "tools/tool.h"

/* Messages of one connection, and connections, before the others' turn; and
 * messages of one connection when we stop. */
enum { TURN = 16, LAST_TURN = 1024 };

/* No more than this of a stream at once. */
static const size_t stream_room = 65536;

/* How long nothing is accepted when descriptors or memory have run out. */
static const int64_t rest_us = 100000;

struct connection {
	struct watcher watcher;
	struct connection *previous;
	struct connection *next;
	struct links *links;
	void *link;
	/* The answer that has not gone yet, from done on. */
	char *answer;
	size_t size;
	size_t done;
};

struct links {
	struct watcher watcher;
	const struct network *network;
	struct unixlistener *listener; /* NULL once we stop */
	struct connection *first;
	int error; /* that closing the listener gave */
};

static void close_connection(struct connection *connection)
{
	struct links *links = connection->links;

	tool_say(TOOL_VERBOSE, "a client has gone");

	if (connection->previous == NULL)
		links->first = connection->next;
	else
		connection->previous->next = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	links->network->close(connection->link);
	free(connection->answer);
	free(connection);
}

/* The peer went away, and with it the answer that it was to get. */
static void lose_connection(struct server *server,
	struct connection *connection)
{
	server->stats.gone++;
	tool_say(TOOL_VERBOSE, "a client went away before its answer: %s",
		strerror(errno));
	close_connection(connection);
}

/* Keeps what did not fit, and waits for room instead of messages. */
static void keep_answer(struct server *server, struct connection *connection,
	size_t size, size_t done)
{
	connection->answer = malloc(size + 1);
	if (connection->answer == NULL) {
		lose_connection(server, connection);
		return;
	}
	memcpy(connection->answer, server->buffer, size);
	connection->size = size;
	connection->done = done;
	if (server_watch(server, &connection->watcher, EPOLLOUT) < 0)
		lose_connection(server, connection);
}

/* Whether the connection is there and may be read from. */
static bool answer(struct server *server, struct connection *connection,
	size_t size)
{
	size_t done = 0;

	if (connection->links->network->give(connection->link, server->buffer,
		    size, &done, UNIXMSG_NOW) == 0) {
		server_count_answer(server, size);
		return true;
	}
	if (errno == EAGAIN)
		keep_answer(server, connection, size, done);
	else
		lose_connection(server, connection);
	return false;
}

static size_t get_room(const struct server *server)
{
	if (!server->options->network->is_stream)
		return server->room;
	return server->room < stream_room ? server->room : stream_room;
}

static void refuse_message(struct server *server, struct connection *connection,
	const struct unixmsg *msg)
{
	server_take(server, msg, NULL);
	/* Its next answer would be taken for this one's. */
	close_connection(connection);
}

/* Whether the connection is there and may have more. */
static bool echo_once(struct server *server, struct connection *connection)
{
	struct unixmsg msg;
	struct iovec part;
	int result;

	server_prepare(server, &msg, &part, NULL);
	part.iov_len = get_room(server);
	result = connection->links->network->take(connection->link, &msg,
		UNIXMSG_NOW);
	if (result == 1) {
		server_take(server, &msg, NULL);
		return answer(server, connection, msg.size);
	}
	if (result < 0 && errno == EAGAIN)
		return false;
	if (result < 0 && errno == EMSGSIZE)
		refuse_message(server, connection, &msg);
	else
		close_connection(connection);
	return false;
}

/* Whether the connection is there and has no answer left to send. */
static bool send_rest(struct server *server, struct connection *connection)
{
	if (connection->answer == NULL)
		return true;
	if (connection->links->network->give(connection->link,
		    connection->answer, connection->size, &connection->done,
		    UNIXMSG_NOW) < 0) {
		if (errno != EAGAIN)
			lose_connection(server, connection);
		return false;
	}
	server_count_answer(server, connection->size);
	free(connection->answer);
	connection->answer = NULL;
	return true;
}

static void connection_ready(struct server *server, struct watcher *watcher)
{
	struct connection *connection = (struct connection *)watcher;
	int turn = TURN;

	if (!send_rest(server, connection))
		return;
	if (server->is_draining || server_watch(server, watcher, EPOLLIN) < 0) {
		close_connection(connection);
		return;
	}
	while (turn > 0 && !server_is_full(server) &&
		echo_once(server, connection))
		turn--;
}

static void add_connection(struct server *server, struct links *links,
	void *link)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		links->network->close(link);
		return;
	}
	connection->watcher.ready = connection_ready;
	connection->watcher.fd = links->network->get_fd(link);
	connection->links = links;
	connection->link = link;
	connection->next = links->first;
	if (links->first != NULL)
		links->first->previous = connection;
	links->first = connection;
	server->stats.connections++;
	tool_say(TOOL_VERBOSE, "a client has connected");
	if (server_watch(server, &connection->watcher, EPOLLIN) < 0)
		close_connection(connection);
}

/* Whether the peer may talk; if not, that was his connection. */
static bool admit(struct server *server, const struct links *links, void *link)
{
	struct unixcred cred;

	if (access_is_peer_allowed(&server->options->access,
		    links->network->get_fd(link), &cred))
		return true;
	server->stats.refused_connections++;
	tool_say(TOOL_VERBOSE, "refused a connection of user %jd, pid %jd",
		(intmax_t)cred.uid, (intmax_t)cred.pid);
	links->network->close(link);
	return false;
}

/* The listener stays readable: looking away is what keeps us from spinning. */
static void rest(struct server *server, struct links *links)
{
	tool_say(TOOL_VERBOSE, "accepting nobody for a while: %s",
		strerror(errno));
	server_watch(server, &links->watcher, EPOLLET);
	server_wake_at(server, unixdeadline_after_us(rest_us));
}

static void listener_ready(struct server *server, struct watcher *watcher)
{
	struct links *links = (struct links *)watcher;
	void *link;
	int turn;

	for (turn = TURN; turn > 0; turn--) {
		link = links->network->accept(links->listener, UNIXMSG_NOW);
		if (link == NULL && errno != EAGAIN)
			rest(server, links);
		if (link == NULL)
			return;
		if (admit(server, links, link))
			add_connection(server, links, link);
	}
}

static void *links_open(struct server *server)
{
	const struct options *options = server->options;
	struct links *links = calloc(1, sizeof(*links));

	if (links == NULL)
		return NULL;
	links->network = options->network;
	links->listener = options->network->listen(options->address,
		options->backlog, &options->name);
	if (links->listener == NULL) {
		free(links);
		return NULL;
	}
	if (!options->network->is_stream &&
		unixlistener_want(links->listener, server_get_wants(server)) <
			0) {
		unixlistener_close(links->listener);
		free(links);
		return NULL;
	}
	links->watcher.ready = listener_ready;
	links->watcher.fd = unixlistener_get_fd(links->listener);
	if (server_watch(server, &links->watcher, EPOLLIN) == 0)
		return links;
	unixlistener_close(links->listener);
	free(links);
	return NULL;
}

static int links_get_address(const void *service, struct unixaddr *addr)
{
	const struct links *links = service;

	return unixlistener_get_address(links->listener, addr);
}

static void links_wake(struct server *server, void *service)
{
	struct links *links = service;

	if (!server->is_draining)
		server_watch(server, &links->watcher, EPOLLIN);
}

/* All that a client has sent before we stop is answered. */
static void drain_connection(struct server *server,
	struct connection *connection)
{
	int turn = LAST_TURN;

	if (connection->answer != NULL)
		return;
	while (turn > 0 && !server_is_full(server) &&
		echo_once(server, connection))
		turn--;
}

static void close_listener(struct links *links)
{
	if (unixlistener_close(links->listener) < 0)
		links->error = errno;
	links->listener = NULL;
}

/* Called between two batches of events: connections may be closed. */
static void links_drain(struct server *server, void *service)
{
	struct links *links = service;
	struct connection *connection, *next;

	close_listener(links);
	for (connection = links->first; connection != NULL; connection = next) {
		next = connection->next;
		drain_connection(server, connection);
	}
}

static bool links_is_busy(const void *service)
{
	const struct links *links = service;
	const struct connection *connection;

	for (connection = links->first; connection != NULL;
		connection = connection->next)
		if (connection->answer != NULL)
			return true;
	return false;
}

static int links_close(void *service)
{
	struct links *links = service;
	int error;

	close_listener(links);
	error = links->error;
	while (links->first != NULL)
		close_connection(links->first);
	free(links);
	errno = error;
	return error == 0 ? 0 : -1;
}

const struct service service_link = {
	.open = links_open,
	.get_address = links_get_address,
	.wake = links_wake,
	.drain = links_drain,
	.is_busy = links_is_busy,
	.close = links_close,
};
