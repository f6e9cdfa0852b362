/* SPDX-License-Identifier: 0BSD */
/*
 * Publish and subscribe. A client that sends "subscribe" receives all messages
 * of the others. The answer to any other message is the number of subscribers
 * that it goes to. A slow subscriber delays nobody: the service drops and
 * counts the oldest messages in its queue.
 *
 * Build:  cc 14-publish.c $(pkg-config --cflags --libs unixmsg) -o publish
 * Run:    ./publish, in other terminals ./publish subscribe, and
 *         seqpacket-echo publish.sock one two
 *         Ctrl-C or SIGTERM ends the service.
 * See:    publish: listening on publish.sock
 *         and at its end:
 *         {"received":3,...,"pushed":2,"pushed_lost":0,...
 *         and from seqpacket-echo, which complains that this is no echo:
 *         1
 *         1
 *         and from the subscriber:
 *         subscribed
 *         one
 *         two
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <unixmsg.h>

/* Change these: the address, the messages queued for each subscriber, and the
 * time to send what is queued at the end. */
static const char address[] = "publish.sock";
static const unsigned int queued_max = 100;
static const int64_t drain_us = 5000000;

/* The context of a subscriber. */
static char subscribed[] = "subscribe";

static int fail(const char *what)
{
	fprintf(stderr, "publish: %s: %s\n", what, strerror(errno));
	return -1;
}

static bool is_subscription(const struct unixmsg *msg)
{
	return msg->size == strlen(subscribed) &&
		memcmp(msg->data, subscribed, msg->size) == 0;
}

/* All subscribers except the sender. */
static bool is_wanted(struct unixservice *service, uint64_t peer, void *context)
{
	const uint64_t *from = context;

	return peer != *from && unixservice_get_context(service, peer) != NULL;
}

static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	char text[32] = "subscribed";

	(void)context;
	if (is_subscription(msg))
		unixservice_set_context(service, peer, subscribed);
	else
		snprintf(text, sizeof(text), "%zu",
			unixservice_push_all(service, msg->data, msg->size,
				is_wanted, &peer));
	unixservice_send(service, peer, text, strlen(text));
	return UNIXSERVICE_DONE;
}

static int serve(struct unixservice *service, int stop_fd)
{
	struct unixservice_counters counters;
	char text[2048];

	if (unixservice_listen(service, "unixpacket", address, NULL) < 0)
		return fail(address);
	fprintf(stderr, "publish: listening on %s\n", address);
	if (unixservice_serve(service, stop_fd, drain_us) < 0)
		fail("serve");
	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
	return 0;
}

static int run_service(void)
{
	const struct unixservice_options options = {
		.queue_messages_max = queued_max,
		.policy = UNIXSERVICE_DROP_OLDEST,
	};
	struct unixservice *service = unixservice_new(handle, NULL, &options);
	int result, stop_fd = unixstop_open();

	if (service == NULL || stop_fd < 0)
		result = fail("set-up");
	else
		result = serve(service, stop_fd);
	return unixservice_close(service) < 0 ? fail(address) : result;
}

/* Prints all messages until the service ends. */
static int subscribe(void)
{
	struct unixconn *packet =
		unixconn_dial("unixpacket", address, NULL, UNIXMSG_NOW);
	char data[4096];
	size_t i, size;
	int result;

	if (packet == NULL ||
		unixconn_send(packet, subscribed, strlen(subscribed),
			UNIXMSG_NOW) < 0)
		return fail(address);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	while ((result = unixconn_recv(packet, data, sizeof(data), &size,
			UNIXMSG_FOREVER)) == 1) {
		for (i = 0; i < size; i++)
			if (data[i] < ' ' || data[i] > '~')
				data[i] = '?'; /* no escape sequences */
		printf("%.*s\n", (int)size, data);
	}
	unixconn_close(packet);
	return result < 0 ? fail("receive") : 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	return (argc > 1 ? subscribe() : run_service()) < 0;
}
