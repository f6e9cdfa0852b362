/* SPDX-License-Identifier: 0BSD */
/*
 * A daemon that takes its sockets from the supervisor, or opens them itself
 * when started by hand. Messages go back to whoever sent them. The supervisor
 * hears when it is ready, when it ends, what it does and, if it wants to, that
 * it is alive.
 *
 * Build:  cc 12-activated.c $(pkg-config --cflags --libs unixmsg) \
 *           -o activated
 * Run:    systemd-socket-activate -d -l "$PWD/gram.sock" ./activated
 *         or ./activated alone, and in another terminal
 *         unixgram-echo ./gram.sock hello
 *         Ctrl-C or SIGTERM ends it. As a service: see systemd/.
 * See:    activated: 1 sockets of the supervisor's
 *         activated: 1 messages
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these. Neither a supervisor that does not read nor
 * a client that does not write holds us up for longer. */
static const char gram_address[] = "gram.sock";
static const char packet_address[] = "packet.sock";
static const int64_t patience_us = 100000;

/* NULL where the supervisor has none for us. */
static struct unixgram *gram;
static struct unixlistener *listener;
static unsigned long count;

static int fail(const char *what)
{
	fprintf(stderr, "activated: %s: %s\n", what, strerror(errno));
	return -1;
}

/* The service goes on when it cannot tell. */
static void check_told(int result)
{
	if (result < 0)
		fail("supervisor");
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

static int open_sockets(void)
{
	gram = unixgram_open(gram_address, NULL);
	if (gram == NULL)
		return fail(gram_address);
	listener = unixpacket_listen(packet_address, 0, NULL);
	return listener == NULL ? fail(packet_address) : 0;
}

/* One of each kind, whatever their names; one of the two may be missing, but
 * what we cannot serve would leave its clients waiting for ever. */
static int take_sockets(struct unixactivation *activation)
{
	gram = unixactivation_take_gram(activation, NULL);
	listener = unixactivation_take_packet_listener(activation, NULL);
	if (unixactivation_count_left(activation, NULL, UNIXACTIVATION_ANY) ==
		0)
		return 0;
	fprintf(stderr, "activated: there are sockets that we do not serve\n");
	return -1;
}

/* First of all and before any thread, for it changes the environment. */
static int get_sockets(void)
{
	struct unixactivation *activation = unixactivation_new();
	size_t sockets;
	int result;

	if (activation == NULL)
		return fail("sockets of the supervisor's");
	sockets = unixactivation_get_count(activation);
	fprintf(stderr, "activated: %zu sockets of the supervisor's\n",
		sockets);
	result = sockets > 0 ? take_sockets(activation) : open_sockets();
	unixactivation_free(activation);
	return result;
}

static void tell_count(void)
{
	char status[64];

	snprintf(status, sizeof(status), "%lu messages", ++count);
	check_told(unixnotify_status(status, UNIXMSG_NOW));
}

static void answer_datagram(void)
{
	char data[4096];
	struct unixaddr from;
	size_t size;

	if (unixgram_recv(gram, data, sizeof(data), &size, &from, UNIXMSG_NOW) <
			0 ||
		unixgram_send_to(gram, &from, data, size, UNIXMSG_NOW) < 0)
		fail("datagram");
	else
		tell_count();
}

/* One message each, and soon: 03-packet-server.c can do more. */
static void answer_connection(void)
{
	struct unixpacket *packet = unixpacket_accept(listener, UNIXMSG_NOW);
	char data[4096];
	size_t size;

	if (packet == NULL ||
		unixpacket_recv(packet, data, sizeof(data), &size,
			unixdeadline_after_us(patience_us)) < 1 ||
		unixpacket_send(packet, data, size, UNIXMSG_NOW) < 0)
		fail("connection");
	else
		tell_count();
	unixpacket_close(packet);
}

/* The loop itself tells that it is alive: when it hangs nobody does. */
static int serve(int stop_fd, int64_t tell_us)
{
	struct pollfd fds[] = {
		{ .events = POLLIN, .fd = stop_fd },
		{ .events = POLLIN, .fd = gram ? unixgram_get_fd(gram) : -1 },
		{ .events = POLLIN,
			.fd = listener ? unixlistener_get_fd(listener) : -1 },
	};

	while (fds[0].revents == 0) {
		if (tell_us > 0)
			check_told(unixnotify_watchdog(UNIXMSG_NOW));
		if (poll(fds, 3, tell_us > 0 ? (int)(tell_us / 1000) : -1) < 0)
			return fail("poll");
		if (fds[1].revents != 0)
			answer_datagram();
		if (fds[2].revents != 0)
			answer_connection();
	}
	return 0;
}

int main(void)
{
	int64_t period_us = 0;
	int result = get_sockets(), stop_fd = open_stop_fd();

	if (stop_fd < 0 || unixnotify_get_watchdog_us(&period_us) < 0)
		result = fail("set-up");
	if (result == 0) {
		check_told(
			unixnotify_ready(unixdeadline_after_us(patience_us)));
		result = serve(stop_fd, period_us / 2);
		check_told(unixnotify_stopping(
			unixdeadline_after_us(patience_us)));
	}
	fprintf(stderr, "activated: %lu messages\n", count);
	unixgram_close(gram);
	unixlistener_close(listener);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
