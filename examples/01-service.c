/* SPDX-License-Identifier: 0BSD */
/*
 * A service for many clients: every message goes back to its sender. Ctrl-C or
 * SIGTERM ends it: it answers what has arrived, within five seconds, and
 * removes its socket file.
 *
 * Build:  cc 01-service.c $(pkg-config --cflags --libs unixmsg) -o service
 * Run:    ./service unixpacket (or unixgram, or unix, as Go names them), and
 *         in another terminal
 *         seqpacket-echo echo.sock hello
 *         (or unixgram-echo, or unixstream-echo).
 * See:    service: listening on echo.sock
 *         and from the client:
 *         hello
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "service: %s: %s\n", what, strerror(errno));
	return -1;
}

/* The service queues an answer that has no room, and counts one it drops. */
static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

int main(int argc, char **argv)
{
	/* Change these: "@echo" is a name without a file. */
	const char *const address = "echo.sock";
	const int64_t drain_us = 5000000;

	const char *network = argc > 1 ? argv[1] : "unixpacket";
	struct unixservice *service = unixservice_new(echo, NULL, NULL);
	int result = -1, stop_fd = unixstop_open();

	if (service == NULL || stop_fd < 0) {
		fail("set-up");
	} else if (unixservice_listen(service, network, address, NULL) < 0) {
		fail(address);
	} else {
		fprintf(stderr, "service: listening on %s\n", address);
		/* Until Ctrl-C or SIGTERM. */
		result = unixservice_serve(service, stop_fd, drain_us);
		if (result < 0)
			fail("serve");
	}
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
