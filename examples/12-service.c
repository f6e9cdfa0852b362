/* SPDX-License-Identifier: 0BSD */
/*
 * A service for many clients at once, in ten lines, and what is needed to end
 * it well: what has come is answered, up to five seconds long, and the socket
 * file goes. Messages go back as they came.
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
#include <sys/signalfd.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "service: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Readable when we are to end; there is no handler. */
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

/* An answer that cannot go is kept or counted by the service. */
static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->parts[0].iov_base, msg->size);
	return UNIXSERVICE_DONE;
}

/* Gives 0 when it was stopped, and all is answered. */
static int serve(struct unixservice *service, const char *network,
	const char *address, int64_t drain_us)
{
	if (unixservice_listen(service, network, address, NULL) < 0)
		return fail(address);
	fprintf(stderr, "service: listening on %s\n", address);
	if (unixservice_run(service, UNIXMSG_FOREVER) < 0 && errno != ECANCELED)
		return fail("run");
	if (unixservice_drain(service, unixdeadline_after_us(drain_us)) < 0)
		return fail("drain");
	return 0;
}

int main(int argc, char **argv)
{
	/* Change these: "@echo" is a name without a file. */
	const char *const address = "echo.sock";
	const int64_t drain_us = 5000000;

	const char *network = argc > 1 ? argv[1] : "unixpacket";
	struct unixservice *service = unixservice_new(echo, NULL, NULL);
	int result, stop_fd = open_stop_fd();

	if (service == NULL || stop_fd < 0 ||
		unixservice_set_stop_fd(service, stop_fd) < 0)
		result = fail("set-up");
	else
		result = serve(service, network, address, drain_us);
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
