/* SPDX-License-Identifier: 0BSD */
/*
 * Watches a running server: takes its name over, prints the size of each
 * message between it and its clients, and gives the name back. The server and
 * its clients are not restarted and notice nothing.
 *
 * Build:  cc 25-watch.c $(pkg-config --cflags --libs unixmsg) -o watch
 * Run:    seqpacket-echo --listen echo.sock in one terminal, ./watch echo.sock
 *         in another, and seqpacket-echo echo.sock hello in a third one.
 *         Ctrl-C or SIGTERM ends it; after kill -9 the next ./watch gives the
 *         name back.
 * See:    5 bytes to the server
 *         5 bytes to the client
 *         and on standard error:
 *         watch: watching echo.sock
 *         watch: the server has its name back
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Passes one message on, or the end of that direction. Returns -1 at the end of
 * both, or on an error. */
static int pass(struct unixconn *from, struct unixconn *to, const char *whom,
	bool *is_open)
{
	static char data[212960];
	size_t size;
	int result =
		unixconn_recv(from, data, sizeof(data), &size, UNIXMSG_FOREVER);

	if (result < 0)
		return fail("receive");
	if (result == 0) {
		*is_open = false;
		return unixconn_shutdown(to, SHUT_WR);
	}
	printf("%zu bytes to the %s\n", size, whom);
	return unixconn_send(to, data, size, UNIXMSG_FOREVER) == 1
		? 0
		: fail("send");
}

/* One client after the other, to stay short: a service serves many at once. */
static void watch_client(struct unixconn *client, struct unixconn *server,
	int stop_fd)
{
	bool asks = true, answers = true;
	int result = 0;

	unixconn_set_stop_fd(client, stop_fd);
	unixconn_set_stop_fd(server, stop_fd);
	while (result == 0 && (asks || answers)) {
		struct pollfd fds[] = {
			{ asks ? unixconn_get_fd(client) : -1, POLLIN, 0 },
			{ answers ? unixconn_get_fd(server) : -1, POLLIN, 0 },
			{ stop_fd, POLLIN, 0 },
		};

		if (poll(fds, 3, -1) < 0 || fds[2].revents != 0)
			return;
		if (fds[0].revents != 0)
			result = pass(client, server, "server", &asks);
		if (result == 0 && fds[1].revents != 0)
			result = pass(server, client, "client", &answers);
	}
}

static int watch(struct unixlistener *listener, const char *server_address,
	int stop_fd)
{
	struct unixconn *client, *server;

	while ((client = unixlistener_accept(listener, UNIXMSG_FOREVER)) !=
		NULL) {
		server = unixconn_dial("unixpacket", server_address, NULL,
			UNIXMSG_NOW);
		if (server != NULL)
			watch_client(client, server, stop_fd);
		else
			fail("the server");
		unixconn_close(server);
		unixconn_close(client);
	}
	return errno == ECANCELED ? 0 : fail("accept");
}

/* The name belongs to the server again before the listener is closed. */
static int take_and_watch(const char *address, int stop_fd)
{
	struct unixlisten_options options = {
		.flags = UNIXMSG_LISTEN_REPLACE,
		.stop_fd = stop_fd,
	};
	struct unixtakeover *takeover =
		unixtakeover_open(address, unixdeadline_after_s(5));
	struct unixlistener *listener;
	struct stat file;
	int result = -1;

	if (takeover == NULL)
		return fail(address);
	/* All who may connect to the server may connect to us. */
	if (stat(unixtakeover_get_address(takeover), &file) == 0)
		options.mode = file.st_mode & 0777;
	listener = unixlistener_open("unixpacket", address, &options);
	if (listener != NULL) {
		fprintf(stderr, "watch: watching %s\n", address);
		result = watch(listener, unixtakeover_get_address(takeover),
			stop_fd);
	} else {
		fail(address);
	}
	switch (unixtakeover_close(takeover,
		listener == NULL ? -1 : unixlistener_get_fd(listener))) {
	case 1:
		fprintf(stderr, "watch: the server has its name back\n");
		break;
	case 0:
		fprintf(stderr, "watch: the server has ended\n");
		break;
	default:
		result = fail("giving the name back");
	}
	unixlistener_close(listener);
	return result;
}

int main(int argc, char **argv)
{
	int stop_fd = unixstop_open();
	int result;

	if (argc != 2 || stop_fd < 0) {
		fprintf(stderr, "usage: watch ADDRESS\n");
		return EXIT_FAILURE;
	}
	result = take_and_watch(argv[1], stop_fd);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
