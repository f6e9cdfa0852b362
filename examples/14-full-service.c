/* SPDX-License-Identifier: 0BSD */
/*
 * A service with what most need: sockets of all three networks and one handler
 * for them; who may talk, and how much; a log; something of our own for each
 * peer; the counts at the end. Each peer is told how many messages it has sent.
 *
 * Build:  cc 14-full-service.c $(pkg-config --cflags --libs unixmsg) \
 *           -o full-service
 * Run:    ./full-service, and in another terminal
 *         unixgram-echo gram.sock hello hello
 *         seqpacket-echo packet.sock hello hello hello
 *         unixstream-echo stream.sock hello
 *         which add that this is no echo. Ctrl-C or SIGTERM ends it.
 * See:    full-service: listening on gram.sock packet.sock stream.sock
 *         peer 4294967297 at /tmp/unixmsg-0/c7b8, user 0, pid 4711: opened
 *         peer 4294967298, user 0, pid 4712: opened
 *         peer 4294967298, user 0, pid 4712: closed
 *         {"received":6,"received_bytes":30,"answered":6,...
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: where, and who may talk besides ourselves. */
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

static int open_stop_fd(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -1;
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* A datagram without a sender's address is peer 0's, which has no context and
 * can have no answer. */
static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	unsigned long *messages = unixservice_get_context(service, peer);
	char text[32];
	int size;

	(void)context;
	(void)msg;
	if (messages == NULL)
		return UNIXSERVICE_DONE;
	size = snprintf(text, sizeof(text), "%lu", ++*messages);
	unixservice_send(service, peer, text, (size_t)size);
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
	struct unixservice_options options;

	unixservice_options_init(&options);
	options.watcher = watch;
	options.size_max = 4096;
	options.peers_per_user_max = 100;
	options.user_rate = 10000;
	options.user_burst = 1000;
	options.idle_us = 60000000;
	return unixservice_new(handle, NULL, &options);
}

/* The files let everybody in, so that the log tells whom the rules refuse. */
static int listen_all(struct unixservice *service)
{
	struct unixname_options name;
	struct unixservice_listen_options options;
	int i;

	unixname_options_init(&name);
	name.mode = 0666;
	unixservice_listen_options_init(&options);
	options.name = &name;
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

/* A second signal ends the wait for those that do not take their answers. */
static int serve(struct unixservice *service, int stop_fd)
{
	struct signalfd_siginfo info;

	if (unixservice_set_stop_fd(service, stop_fd) < 0 ||
		(unixservice_run(service, UNIXMSG_FOREVER) < 0 &&
			errno != ECANCELED))
		return fail("run");
	if (read(stop_fd, &info, sizeof(info)) < 0 ||
		unixservice_set_stop_fd(service, stop_fd) < 0 ||
		unixservice_drain(service, UNIXMSG_FOREVER) < 0)
		return fail("drain");
	return 0;
}

/* The watcher does not hear of the peers that are there till the end. */
static int finish(struct unixservice *service)
{
	struct unixservice_counters counters;
	char text[2048];
	uint64_t peer = 0;

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
	int result = -1, stop_fd = open_stop_fd();

	if (service == NULL || stop_fd < 0)
		fail("set-up");
	else if (listen_all(service) == 0)
		result = serve(service, stop_fd);
	if (service != NULL && finish(service) < 0)
		result = -1;
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
