/* SPDX-License-Identifier: 0BSD */
/*
 * An echo daemon that receives its sockets from the supervisor, or opens them
 * when started by hand. It tells the supervisor that it is ready, that it ends,
 * its status and, if the supervisor asks for it, that it is alive.
 *
 * Build:  cc 19-activated.c $(pkg-config --cflags --libs unixmsg) -o activated
 * Run:    systemd-socket-activate -d -l "$PWD/gram.sock" ./activated
 *         or ./activated alone, and in another terminal
 *         unixgram-echo gram.sock hello
 *         Ctrl-C or SIGTERM ends the daemon. The units are in systemd/.
 * See:    activated: 1 sockets of the supervisor's
 *         activated: 1 messages
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unixmsg.h>

/* Change these: the addresses without a supervisor; the longest wait for a
 * supervisor that does not read; the time to answer at the end. */
static const char gram_address[] = "gram.sock";
static const char packet_address[] = "packet.sock";
static const int64_t patience_us = 100000, drain_us = 5000000;

static unsigned long count;

static int fail(const char *what)
{
	fprintf(stderr, "activated: %s: %s\n", what, strerror(errno));
	return -1;
}

/* The service continues without a supervisor that cannot be reached. */
static void check_told(int result)
{
	if (result < 0)
		fail("supervisor");
}

static int stop_by_signals(struct unixservice *service)
{
	int fd = unixstop_open();

	return fd < 0 ? -1 : unixservice_set_stop_fd(service, fd);
}

static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	char status[64];

	(void)context;
	if (unixservice_send(service, peer, msg->data, msg->size) < 0)
		fail("answer");
	snprintf(status, sizeof(status), "%lu messages", ++count);
	check_told(unixnotify_status(status, UNIXMSG_NOW));
	return UNIXSERVICE_DONE;
}

static int open_sockets(struct unixservice *service)
{
	if (unixservice_listen(service, "unixgram", gram_address, NULL) < 0 ||
		unixservice_listen(service, "unixpacket", packet_address,
			NULL) < 0)
		return fail("sockets of our own");
	return 0;
}

/* Takes one socket of each kind, of any name; one of the two may be missing.
 * Fails when another is left: its clients would wait for ever. */
static int take_sockets(struct unixservice *service,
	struct unixactivation *activation)
{
	struct unixconn *gram =
		unixactivation_take_conn(activation, NULL, "unixgram");
	struct unixlistener *listener =
		unixactivation_take_listener(activation, NULL, "unixpacket");

	if ((gram != NULL &&
		    unixservice_add_conn(service, gram, 0, NULL) < 0) ||
		(listener != NULL &&
			unixservice_add_listener(service, listener, 0) < 0))
		return fail("sockets of the supervisor's");
	if (unixactivation_count_left(activation, NULL, UNIXACTIVATION_ANY,
		    NULL) == 0)
		return 0;
	fprintf(stderr, "activated: there are sockets that we do not serve\n");
	return -1;
}

/* Runs before any thread exists, because it changes the environment. */
static int get_sockets(struct unixservice *service)
{
	struct unixactivation *activation = unixactivation_new();
	size_t sockets;
	int result;

	if (activation == NULL)
		return fail("sockets of the supervisor's");
	sockets = unixactivation_get_count(activation);
	fprintf(stderr, "activated: %zu sockets of the supervisor's\n",
		sockets);
	result = sockets > 0 ? take_sockets(service, activation)
			     : open_sockets(service);
	unixactivation_close(activation);
	return result;
}

/* The loop itself sends the watchdog messages, so a loop that hangs sends
 * none. */
static int serve(struct unixservice *service, int64_t tell_us)
{
	check_told(unixnotify_ready(unixdeadline_after_us(patience_us)));
	while (unixservice_run(service,
		       tell_us > 0 ? unixdeadline_after_us(tell_us)
				   : UNIXMSG_FOREVER) < 0 &&
		errno == ETIMEDOUT)
		check_told(unixnotify_watchdog(UNIXMSG_NOW));
	if (errno != ECANCELED)
		return fail("run");
	check_told(unixnotify_stopping(unixdeadline_after_us(patience_us)));
	return unixservice_drain(service, unixdeadline_after_us(drain_us));
}

int main(void)
{
	struct unixservice *service = unixservice_new(echo, NULL, NULL);
	int64_t period_us = 0;
	int result = -1;

	if (service == NULL || stop_by_signals(service) < 0 ||
		unixnotify_get_watchdog_us(&period_us) < 0)
		fail("set-up");
	else if (get_sockets(service) == 0)
		result = serve(service, period_us / 2);
	fprintf(stderr, "activated: %lu messages\n", count);
	unixservice_close(service);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
