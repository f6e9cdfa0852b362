/* SPDX-License-Identifier: 0BSD */
/*
 * An echo server for many connections, with poll(2). No call waits, so no
 * client can delay another. An answer that has no room is kept, and the server
 * reads no more from that client until it has sent the answer.
 *
 * Build:  cc 04-packet-server.c $(pkg-config --cflags --libs unixmsg) \
 *           -o packet-server
 * Run:    ./packet-server, and 05-packet-client.c in other terminals. Ctrl-C or
 *         SIGTERM ends the server.
 * See:    1 connections
 *         0 connections
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unixmsg.h>

/* Change these, and the address in main. A longer message ends its
 * connection. */
enum { count_max = 64, message_size_max = 4096 };

static struct connection {
	struct unixconn *packet;
	bool has_answer;
	size_t size;
	char data[message_size_max];
} connections[count_max];
static int count;

static int fail(const char *what)
{
	fprintf(stderr, "packet-server: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Handles one message of a connection that poll(2) has reported. */
static void serve(struct connection *c)
{
	int result = 1;

	if (!c->has_answer)
		result = unixconn_recv(c->packet, c->data, sizeof(c->data),
			&c->size, UNIXMSG_NOW);
	if (result == 1) {
		result =
			unixconn_send(c->packet, c->data, c->size, UNIXMSG_NOW);
		c->has_answer = result < 0;
	}
	if (result == 1 || (result < 0 && errno == EAGAIN))
		return;
	if (result < 0)
		fail("connection");
	unixconn_close(c->packet);
	*c = connections[--count];
	printf("%d connections\n", count);
}

static int accept_one(struct unixlistener *listener)
{
	struct connection *c = &connections[count];

	c->has_answer = false;
	c->packet = unixlistener_accept(listener, UNIXMSG_NOW);
	if (c->packet == NULL)
		return errno == EAGAIN ? 0 : fail("accept");
	printf("%d connections\n", ++count);
	return 0;
}

/*
 * Returns 0 when stopped. accept fails when no descriptor is free, and the
 * connection stays in the queue. poll(2) would then return at once, so the loop
 * ignores the listener for 100 ms.
 */
static int serve_all(struct unixlistener *listener, int stop_fd)
{
	struct pollfd fds[count_max + 2] = {
		{ .fd = stop_fd, .events = POLLIN },
		{ .fd = unixlistener_get_fd(listener) },
	};
	struct connection *c;
	bool is_pausing = false;
	int i;

	for (;;) {
		fds[1].events = is_pausing || count == count_max ? 0 : POLLIN;
		for (i = 0; i < count; i++) {
			c = &connections[i];
			fds[i + 2].fd = unixconn_get_fd(c->packet);
			fds[i + 2].events = c->has_answer ? POLLOUT : POLLIN;
		}
		if (poll(fds, (nfds_t)count + 2, is_pausing ? 100 : -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail("poll");
		}
		if (fds[0].revents != 0)
			return 0;
		/* Backwards: the last connection replaces one that ends. */
		for (i = count - 1; i >= 0; i--)
			if (fds[i + 2].revents != 0)
				serve(&connections[i]);
		is_pausing = fds[1].revents != 0 && accept_one(listener) < 0;
	}
}

int main(void)
{
	const char *const address = "packet.sock";
	struct unixlistener *listener;
	int result, stop_fd = unixstop_open();

	if (stop_fd < 0) {
		fail("signals");
		return EXIT_FAILURE;
	}
	listener = unixlistener_open("unixpacket", address, NULL);
	if (listener == NULL) {
		fail(address);
		return EXIT_FAILURE;
	}
	result = serve_all(listener, stop_fd);
	while (count > 0)
		unixconn_close(connections[--count].packet);
	if (unixlistener_close(listener) < 0)
		result = fail(address);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
