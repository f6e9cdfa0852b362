/* SPDX-License-Identifier: MIT */
/*
 * Echo over one datagram socket. Sending never waits. An answer whose receiver
 * has no room is kept and tried again in steps of time, since poll(2) tells
 * nothing about another's queue; meanwhile the others are served. What is kept
 * is bounded, for each client and in total, and so is for how long.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/network.h"
#include "tools/server.h"
#include "tools/tool.h"

enum {
	TURN = 64, /* messages before another look at the rest */
	LAST_TURN = 4096,
	CLIENTS_MOST = 256,         /* that have answers waiting */
	CLIENT_ANSWERS_MOST = 1024, /* that wait for one of them */
};

static const size_t kept_bytes_most = 16 << 20;
static const int64_t patience_us = 5000000;
static const int64_t retry_first_us = 1000;
static const int64_t retry_most_us = 16000;

struct answer {
	struct answer *next;
	int64_t deadline_us;
	size_t size;
	char data[];
};

/* A client with answers waiting, in order. */
struct client {
	struct client *next;
	struct unixaddr addr;
	struct answer *first;
	struct answer **last;
	int answers_count;
};

struct grams {
	struct watcher watcher;
	struct unixgram *gram;
	struct client *clients;
	int clients_count;
	size_t kept_bytes;
	int64_t retry_us;
};

static struct client *find_client(struct grams *grams,
	const struct unixaddr *addr)
{
	struct client *client;

	for (client = grams->clients; client != NULL; client = client->next)
		if (unixaddr_is_equal(&client->addr, addr))
			return client;
	return NULL;
}

static struct client *add_client(struct grams *grams,
	const struct unixaddr *addr)
{
	struct client *client;

	if (grams->clients_count >= CLIENTS_MOST)
		return NULL;
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return NULL;
	client->addr = *addr;
	client->last = &client->first;
	client->next = grams->clients;
	grams->clients = client;
	grams->clients_count++;
	return client;
}

static bool is_room(const struct grams *grams, const struct client *client,
	size_t size)
{
	return client != NULL && client->answers_count < CLIENT_ANSWERS_MOST &&
		size <= kept_bytes_most - grams->kept_bytes;
}

static void say_about(const char *what, const struct unixaddr *addr)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	tool_say(TOOL_VERBOSE, "%s: %s",
		unixaddr_format(addr, text, sizeof(text)), what);
}

static void drop_answer(struct server *server, const struct unixaddr *addr)
{
	server->stats.dropped++;
	say_about("does not read its answers: one was dropped", addr);
}

static void append(struct grams *grams, struct client *client,
	struct answer *answer)
{
	answer->next = NULL;
	*client->last = answer;
	client->last = &answer->next;
	client->answers_count++;
	grams->kept_bytes += answer->size;
}

static void keep_answer(struct server *server, struct grams *grams,
	struct client *client, const struct unixaddr *addr, size_t size)
{
	struct answer *answer = NULL;

	if (client == NULL)
		client = add_client(grams, addr);
	if (is_room(grams, client, size))
		answer = malloc(sizeof(*answer) + size);
	if (answer == NULL) {
		drop_answer(server, addr);
		return;
	}
	memcpy(answer->data, server->buffer, size);
	answer->size = size;
	answer->deadline_us = unixdeadline_after_us(patience_us);
	append(grams, client, answer);
	server_wake_at(server, unixdeadline_after_us(grams->retry_us));
}

static void lose_answer(struct server *server, const struct unixaddr *addr)
{
	server->stats.gone++;
	say_about(strerror(errno), addr);
}

static void answer_sender(struct server *server, struct grams *grams,
	const struct unixaddr *addr, size_t size)
{
	struct client *client = NULL;

	if (grams->clients != NULL)
		client = find_client(grams, addr);
	/* Behind those that wait, or they would change places. */
	if (client != NULL)
		keep_answer(server, grams, client, addr, size);
	else if (unixgram_send_to(grams->gram, addr, server->buffer, size,
			 UNIXMSG_NOW) == 0)
		server_count_answer(server, size);
	else if (errno == EAGAIN)
		keep_answer(server, grams, NULL, addr, size);
	else
		lose_answer(server, addr);
}

static void refuse_sender(struct server *server, const struct unixmsg *msg)
{
	server->stats.refused++;
	if (msg->flags & UNIXMSG_HAS_CRED)
		tool_say(TOOL_VERBOSE, "refused a message of user %jd, pid %jd",
			(intmax_t)msg->cred.uid, (intmax_t)msg->cred.pid);
	else
		tool_say(TOOL_VERBOSE, "refused a message of nobody known");
}

static void refuse_unnamed(struct server *server, size_t size)
{
	server->stats.unnamed++;
	tool_say(TOOL_VERBOSE,
		"a message of %zu bytes from a sender without an address "
		"cannot be answered",
		size);
}

static void echo(struct server *server, struct grams *grams,
	const struct unixmsg *msg)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	const char *sender = NULL;

	if (unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED)
		sender = unixaddr_format(msg->addr, text, sizeof(text));
	server_take(server, msg, sender);
	if (msg->size > server->room)
		return;
	if (!access_is_writer_allowed(&server->options->access, msg))
		refuse_sender(server, msg);
	else if (sender == NULL)
		refuse_unnamed(server, msg->size);
	else
		answer_sender(server, grams, msg->addr, msg->size);
}

/* Whether there may be more. */
static bool echo_once(struct server *server, struct grams *grams)
{
	struct unixaddr addr;
	struct unixmsg msg;
	struct iovec part;

	server_prepare(server, &msg, &part, &addr);
	if (unixgram_recv_msg(grams->gram, &msg, UNIXMSG_NOW) == 1 ||
		errno == EMSGSIZE) {
		echo(server, grams, &msg);
		return true;
	}
	if (errno != EAGAIN)
		tool_say(TOOL_VERBOSE, "receiving: %s", strerror(errno));
	return false;
}

static void echo_some(struct server *server, struct grams *grams, int turn)
{
	while (turn > 0 && !server_is_full(server) && echo_once(server, grams))
		turn--;
}

static void gram_ready(struct server *server, struct watcher *watcher)
{
	if (!server->is_draining)
		echo_some(server, (struct grams *)watcher, TURN);
}

static void remove_first(struct grams *grams, struct client *client)
{
	struct answer *answer = client->first;

	client->first = answer->next;
	if (client->first == NULL)
		client->last = &client->first;
	client->answers_count--;
	grams->kept_bytes -= answer->size;
	free(answer);
}

/* Whether the first answer of client has found its end, good or bad. */
static bool try_first(struct server *server, struct grams *grams,
	struct client *client)
{
	const struct answer *answer = client->first;

	if (unixgram_send_to(grams->gram, &client->addr, answer->data,
		    answer->size, UNIXMSG_NOW) == 0)
		server_count_answer(server, answer->size);
	else if (errno != EAGAIN)
		lose_answer(server, &client->addr);
	else if (unixdeadline_now_us() >= answer->deadline_us)
		drop_answer(server, &client->addr);
	else
		return false;
	remove_first(grams, client);
	return true;
}

/* Sends what can be sent. Whether anything could. */
static bool retry(struct server *server, struct grams *grams)
{
	struct client **place = &grams->clients, *client;
	bool is_progress = false;

	while ((client = *place) != NULL) {
		while (client->first != NULL &&
			try_first(server, grams, client))
			is_progress = true;
		if (client->first != NULL) {
			place = &client->next;
			continue;
		}
		*place = client->next;
		grams->clients_count--;
		free(client);
	}
	return is_progress;
}

static void grams_wake(struct server *server, void *service)
{
	struct grams *grams = service;

	if (retry(server, grams))
		grams->retry_us = retry_first_us;
	else if (grams->retry_us < retry_most_us)
		grams->retry_us *= 2;
	if (grams->clients != NULL)
		server_wake_at(server, unixdeadline_after_us(grams->retry_us));
}

static void *grams_open(struct server *server)
{
	const struct options *options = server->options;
	struct grams *grams = calloc(1, sizeof(*grams));

	if (grams == NULL)
		return NULL;
	grams->retry_us = retry_first_us;
	grams->gram = unixgram_open(options->address, &options->name);
	if (grams->gram == NULL) {
		free(grams);
		return NULL;
	}
	grams->watcher.ready = gram_ready;
	grams->watcher.fd = unixgram_get_fd(grams->gram);
	if (unixgram_want(grams->gram, server_get_wants(server)) == 0 &&
		server_watch(server, &grams->watcher, EPOLLIN) == 0)
		return grams;
	unixgram_close(grams->gram);
	free(grams);
	return NULL;
}

static int grams_get_address(const void *service, struct unixaddr *addr)
{
	const struct grams *grams = service;

	return unixgram_get_address(grams->gram, addr);
}

static void grams_drain(struct server *server, void *service)
{
	struct grams *grams = service;

	echo_some(server, grams, LAST_TURN);
	server_watch(server, &grams->watcher, EPOLLET);
}

static bool grams_is_busy(const void *service)
{
	const struct grams *grams = service;

	return grams->clients != NULL;
}

static int grams_close(void *service)
{
	struct grams *grams = service;
	struct client *client;
	int result, saved;

	while ((client = grams->clients) != NULL) {
		grams->clients = client->next;
		while (client->first != NULL)
			remove_first(grams, client);
		free(client);
	}
	result = unixgram_close(grams->gram);
	saved = errno;
	free(grams);
	errno = saved;
	return result;
}

const struct service service_gram = {
	.open = grams_open,
	.get_address = grams_get_address,
	.wake = grams_wake,
	.drain = grams_drain,
	.is_busy = grams_is_busy,
	.close = grams_close,
};
