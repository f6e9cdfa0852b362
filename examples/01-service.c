/* SPDX-License-Identifier: 0BSD */
/*
 * An echo service for many clients. On Ctrl-C or SIGTERM it answers the
 * messages that have arrived, for five seconds at most, and removes its socket
 * file.
 *
 * Build:  cc 01-service.c $(pkg-config --cflags --libs unixmsg) -o service
 * Run:    ./service, and in another terminal
 *         seqpacket-echo echo.sock hello
 *         The client of ./service unixgram is unixgram-echo, the client of
 *         ./service unix is unixstream-echo.
 * See:    service: listening on echo.sock
 *         and from the client:
 *         hello
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
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

/* Needs no check: the service queues an answer that has no room, and counts an
 * answer that it drops. */
static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

int main(int argc, char **argv)
{
	/* Change these. "@echo" would be a name without a file. */
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
		/* Returns after Ctrl-C or SIGTERM. */
		result = unixservice_serve(service, stop_fd, drain_us);
		if (result < 0)
			fail("serve");
	}
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
