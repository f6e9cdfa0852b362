/* SPDX-License-Identifier: 0BSD */
/*
 * A service with the parts that most services need: three networks with one
 * handler, rules for users, limits, a log, a context for each peer, and
 * counters. Its answer is the number of messages that the peer has sent.
 *
 * Build:  cc 13-full-service.c $(pkg-config --cflags --libs unixmsg) -o full
 * Run:    ./full, and in another terminal
 *         unixgram-echo gram.sock hello hello; seqpacket-echo packet.sock a
 *         Ctrl-C or SIGTERM ends the service.
 * See:    full-service: listening on gram.sock packet.sock stream.sock
 *         peer 4294967297 at /run/user/1000/unixmsg-1000/6c0c19b06b2925a3,...
 *         peer 4294967298, user 1000, pid 4712: opened
 *         ...
 *         and at its end:
 *         {"received":3,"received_bytes":11,"answered":3,...
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the sockets, and the group that may use them besides us. */
static const char *const sockets[][2] = {
	{ "unixgram", "gram.sock" },
	{ "unixpacket", "packet.sock" },
	{ "unix", "stream.sock" },
};
static const gid_t allowed_group = 4;

static int fail(const char *what)
{
	fprintf(stderr, "full-service: %s: %s\n", what, strerror(errno));
	return -1;
}

/* A datagram whose sender has no address comes from peer 0, which has no
 * context and cannot be answered. */
static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	unsigned long *messages = unixservice_get_context(service, peer);
	char text[32];

	(void)context;
	(void)msg;
	if (messages != NULL) {
		snprintf(text, sizeof(text), "%lu", ++*messages);
		unixservice_send(service, peer, text, strlen(text));
	}
	return UNIXSERVICE_DONE;
}

static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	char text[640];

	(void)context;
	if (event->kind == UNIXSERVICE_ROUND)
		return;
	if (event->kind == UNIXSERVICE_OPENED)
		unixservice_set_context(service, event->peer,
			calloc(1, sizeof(unsigned long)));
	else if (event->kind == UNIXSERVICE_CLOSED)
		free(unixservice_get_context(service, event->peer));
	fprintf(stderr, "%s\n",
		unixservice_format_event(event, text, sizeof(text)));
}

static struct unixservice *make_service(void)
{
	const struct unixservice_options options = {
		.watcher = watch,
		.size_max = 4096,
		.peers_per_user_max = 100,
		.user_rate = 10000,
		.idle_us = 60000000,
	};

	return unixservice_new(handle, NULL, &options);
}

/* The mode lets all users in, so that the log shows the users that the rules
 * refuse. */
static int listen_all(struct unixservice *service)
{
	const struct unixlisten_options options = { .mode = 0666 };
	int i;

	if (unixservice_allow_user(service, geteuid()) < 0 ||
		unixservice_allow_group(service, allowed_group) < 0)
		return fail("rules");
	for (i = 0; i < 3; i++)
		if (unixservice_listen(service, sockets[i][0], sockets[i][1],
			    &options) < 0)
			return fail(sockets[i][1]);
	fprintf(stderr, "full-service: listening on %s %s %s\n", sockets[0][1],
		sockets[1][1], sockets[2][1]);
	return 0;
}

/* unixservice_close reports no UNIXSERVICE_CLOSED for peers that still exist:
 * their contexts are freed here. */
static int finish(struct unixservice *service)
{
	struct unixservice_counters counters;
	char text[2048];
	uint64_t peer = 0;

	unixservice_drain(service, unixdeadline_after_us(5000000));
	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
	while ((peer = unixservice_get_next_peer(service, peer)) != 0)
		free(unixservice_get_context(service, peer));
	return unixservice_close(service) < 0 ? fail("close") : 0;
}

int main(void)
{
	struct unixservice *service = make_service();
	int result = -1, stop_fd;

	stop_fd = unixstop_open();
	if (service == NULL || stop_fd < 0 ||
		unixservice_set_stop_fd(service, stop_fd) < 0) {
		fail("set-up");
		return EXIT_FAILURE;
	}
	if (listen_all(service) == 0 &&
		unixservice_run(service, UNIXMSG_FOREVER) < 0)
		result = errno == ECANCELED ? 0 : fail("run");
	return finish(service) < 0 || result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
