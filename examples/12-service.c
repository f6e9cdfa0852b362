/* SPDX-License-Identifier: 0BSD */
/*
 * A service for many clients at once, which ends well: what has come is
 * answered, up to five seconds long, and the socket file goes. Messages go back
 * as they came.
 *
 * Build:  cc 12-service.c $(pkg-config --cflags --libs unixmsg) -o service
 * Run:    ./service unixpacket (or unixgram, or unix, as Go names them), and
 *         in another terminal
 *         seqpacket-echo echo.sock hello
 *         (or unixgram-echo, or unixstream-echo). Ctrl-C or SIGTERM ends it.
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

/* An answer that cannot go is kept or counted by the service. */
static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

/* Gives 0 when it was stopped, and all is answered. */
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
		/* Until Ctrl-C or SIGTERM; what has come is answered then. */
		result = unixservice_serve(service, stop_fd, drain_us);
		if (result < 0)
			fail("serve");
	}
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
