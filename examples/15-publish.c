/* SPDX-License-Identifier: 0BSD */
/*
 * Publish and subscribe. Whoever says "subscribe" gets every message that
 * anybody else sends; whoever sends one is told to how many it goes. Nobody
 * waits for a slow subscriber: the oldest of what is kept for it are lost, and
 * counted.
 *
 * Build:  cc 15-publish.c $(pkg-config --cflags --libs unixmsg) -o publish
 * Run:    ./publish, in other terminals
 *         ./publish subscribe
 *         seqpacket-echo publish.sock one two
 *         Ctrl-Z stops a subscriber, fg has it go on. Ctrl-C or SIGTERM ends
 *         the service.
 * See:    publish: listening on publish.sock
 *         {"received":3,...,"pushed":2,"pushed_lost":0,...
 *         the publisher     1
 *                           1
 *         the subscriber    subscribed
 *                           one
 *                           two
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: where; how many messages are kept for each subscriber beside
 * those that its socket holds; how long the end may take. */
static const char address[] = "publish.sock";
static const unsigned int kept_max = 100;
static const int64_t drain_us = 5000000;

/* What subscribers have for a context. */
static char subscribed[] = "subscribe";

static int fail(const char *what)
{
	fprintf(stderr, "publish: %s: %s\n", what, strerror(errno));
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

static bool is_subscription(const struct unixmsg *msg)
{
	return msg->size == strlen(subscribed) &&
		memcmp(msg->parts[0].iov_base, subscribed, msg->size) == 0;
}

/* Who is slow has nothing to do with how many it goes to: -1 is only who has
 * left just now. */
static int publish(struct unixservice *service, uint64_t from,
	const struct unixmsg *msg)
{
	uint64_t peer = 0;
	int count = 0;

	while ((peer = unixservice_get_next_peer(service, peer)) != 0)
		if (peer != from &&
			unixservice_get_context(service, peer) != NULL &&
			unixservice_send(service, peer, msg->parts[0].iov_base,
				msg->size) >= 0)
			count++;
	return count;
}

static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	char text[32];
	int size;

	(void)context;
	if (is_subscription(msg)) {
		unixservice_set_context(service, peer, subscribed);
		unixservice_send(service, peer, "subscribed", 10);
		return UNIXSERVICE_DONE;
	}
	size = snprintf(text, sizeof(text), "%d", publish(service, peer, msg));
	unixservice_send(service, peer, text, (size_t)size);
	return UNIXSERVICE_DONE;
}

static int serve(struct unixservice *service, int stop_fd)
{
	struct unixservice_counters counters;
	char text[2048];

	if (unixservice_listen(service, "unixpacket", address, NULL) < 0)
		return fail(address);
	fprintf(stderr, "publish: listening on %s\n", address);
	if (unixservice_set_stop_fd(service, stop_fd) < 0 ||
		(unixservice_run(service, UNIXMSG_FOREVER) < 0 &&
			errno != ECANCELED) ||
		unixservice_drain(service, unixdeadline_after_us(drain_us)) < 0)
		return fail("serve");
	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
	return 0;
}

static int run_service(void)
{
	struct unixservice_options options;
	struct unixservice *service;
	int result, stop_fd = open_stop_fd();

	unixservice_options_init(&options);
	options.queue_messages_max = kept_max;
	options.policy = UNIXSERVICE_DROP_OLDEST;
	service = unixservice_new(handle, NULL, &options);
	if (service == NULL || stop_fd < 0)
		result = fail("set-up");
	else
		result = serve(service, stop_fd);
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(stop_fd);
	return result;
}

/* Prints all that comes until the service ends. */
static int subscribe(void)
{
	struct unixpacket *packet = unixpacket_dial(address, NULL, UNIXMSG_NOW);
	char data[4096];
	size_t size;
	int result;

	if (packet == NULL ||
		unixpacket_send(packet, subscribed, strlen(subscribed),
			UNIXMSG_NOW) < 0)
		return fail(address);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	while ((result = unixpacket_recv(packet, data, sizeof(data), &size,
			UNIXMSG_FOREVER)) == 1)
		printf("%.*s\n", (int)size, data);
	unixpacket_close(packet);
	return result < 0 ? fail("receive") : 0;
}

int main(int argc, char **argv)
{
	const bool is_service = argc < 2 || strcmp(argv[1], subscribed) != 0;

	return (is_service ? run_service() : subscribe()) < 0 ? EXIT_FAILURE
							      : EXIT_SUCCESS;
}
