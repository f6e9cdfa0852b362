/* SPDX-License-Identifier: 0BSD */
/*
 * Passes messages on between clients and a server, both ways and with their
 * descriptors. Each client has a connection of its own to the server. If one
 * side reads slowly, the other side waits, and no message is lost. The end of
 * one direction is passed on, too.
 *
 * Build:  cc 26-forward.c $(pkg-config --cflags --libs unixmsg) -o forward
 * Run:    seqpacket-echo --listen echo.sock in one terminal, ./forward
 *         front.sock echo.sock in another, and seqpacket-echo front.sock hello
 *         in a third one. Ctrl-C or SIGTERM ends it, after 5 s at most.
 * See:    forward: listening on front.sock
 *         and from the client:
 *         hello
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

/* A client and its connection to the server, 0 once closed. */
struct pair {
	uint64_t peers[2];
};

struct forward {
	const char *server;
	bool is_opening; /* a connection to the server */
	bool is_ending;
};

static int fail(const char *what)
{
	fprintf(stderr, "forward: %s: %s\n", what, strerror(errno));
	return -1;
}

static uint64_t find_other(const struct unixservice *service, uint64_t peer)
{
	const struct pair *pair = unixservice_get_context(service, peer);

	return pair == NULL ? 0 : pair->peers[pair->peers[0] == peer];
}

static void open_pair(struct unixservice *service, uint64_t client,
	struct forward *forward)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	forward->is_opening = true;
	if (pair != NULL &&
		unixservice_open_peer(service, "unixpacket", forward->server, 0,
			&pair->peers[1]) == 0) {
		pair->peers[0] = client;
		unixservice_set_context(service, client, pair);
		unixservice_set_context(service, pair->peers[1], pair);
	} else {
		fail(forward->server);
		free(pair);
		unixservice_reset_peer(service, client);
	}
	forward->is_opening = false;
}

/* The service still sends the messages queued for the other peer. */
static void close_pair(struct unixservice *service, uint64_t peer,
	const struct forward *forward)
{
	struct pair *pair = unixservice_get_context(service, peer);
	const uint64_t other = find_other(service, peer);

	if (pair != NULL)
		pair->peers[pair->peers[1] == peer] = 0;
	if (other != 0)
		unixservice_close_peer(service, other);
	else
		free(pair);
	if (forward->is_ending && unixservice_get_next_peer(service, 0) == 0)
		unixservice_stop(service, UNIXMSG_NOW);
}

static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	const uint64_t other = find_other(service, event->peer);
	struct forward *forward = context;

	if (event->kind == UNIXSERVICE_OPENED && !forward->is_opening)
		open_pair(service, event->peer, forward);
	else if (event->kind == UNIXSERVICE_FLUSHED)
		unixservice_resume_peer(service, other);
	else if (event->kind == UNIXSERVICE_ENDED)
		unixservice_shutdown_peer(service, other);
	else if (event->kind == UNIXSERVICE_CLOSED)
		close_pair(service, event->peer, forward);
}

/* EPIPE: the other peer has closed, but may have sent messages before. */
static int pass(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	const uint64_t other = find_other(service, peer);
	const int result = unixservice_send_msg(service, other, msg);

	(void)context;
	if (result == 0 || (result < 0 && errno != EPIPE))
		unixservice_reset_peer(service, peer);
	else if (unixservice_get_queued(service, other) > 0)
		unixservice_pause_peer(service, peer);
	return UNIXSERVICE_DONE;
}

/* Serves until a signal, and then serves open connections for a while. */
static int serve(struct unixservice *service, const char *address,
	struct forward *forward)
{
	uint64_t peer;

	if (unixservice_listen(service, "unixpacket", address, NULL) < 0)
		return fail(address);
	fprintf(stderr, "forward: listening on %s\n", address);
	unixservice_run(service, UNIXMSG_FOREVER);
	if (unixservice_unlisten(service) < 0)
		fail(address);
	forward->is_ending = true;
	if (unixservice_get_next_peer(service, 0) != 0)
		unixservice_run(service, unixdeadline_after_s(5));
	while ((peer = unixservice_get_next_peer(service, 0)) != 0)
		unixservice_reset_peer(service, peer);
	return 0;
}

int main(int argc, char **argv)
{
	const struct unixservice_options options = {
		.watcher = watch,
		.wants = UNIXMSG_WANT_FDS,
		.patience_us = UNIXMSG_FOREVER,
		.keep_ended = true,
		.read_while_queued = true,
	};
	struct forward forward = { .server = argc == 3 ? argv[2] : "" };
	struct unixservice *service = unixservice_new(pass, &forward, &options);
	int result = -1, stop_fd = unixstop_open();

	if (argc != 3 || service == NULL || stop_fd < 0 ||
		unixservice_set_stop_fd(service, stop_fd) < 0)
		fprintf(stderr, "usage: forward ADDRESS SERVER\n");
	else
		result = serve(service, argv[1], &forward);
	unixservice_close(service);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
