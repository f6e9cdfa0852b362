/* SPDX-License-Identifier: 0BSD */
/*
 * Three ways to limit a wait. A call may not wait at all, may wait until a
 * deadline that several calls share, or may wait until a stop descriptor is
 * readable. A child sends a message every 100 ms, and the parent receives in
 * these three ways.
 *
 * Build:  cc 07-deadlines.c $(pkg-config --cflags --libs unixmsg) \
 *           -o deadlines
 * Run:    ./deadlines, and again with Ctrl-C before the alarm.
 * See:    now         0 ms  Resource temporarily unavailable
 *         deadline  100 ms  tick
 *         deadline  200 ms  tick
 *         deadline  250 ms  Connection timed out
 *         stop       50 ms  tick
 *         stop      150 ms  tick
 *         stop      250 ms  tick
 *         stop     1000 ms  Operation canceled
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

static int stop_fd = -1;

static int fail(const char *what)
{
	fprintf(stderr, "deadlines: %s: %s\n", what, strerror(errno));
	return -1;
}

/*
 * A handler needs no more. The descriptor stays readable, so the signal also
 * ends a wait that begins later.
 */
static void stop(int signal_number)
{
	const uint64_t one = 1;
	const int saved = errno;

	(void)signal_number;
	if (write(stop_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		_exit(EXIT_FAILURE);
	errno = saved;
}

static int set_up_stop(void)
{
	struct sigaction act = { .sa_handler = stop, .sa_flags = SA_RESTART };

	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0 || sigaction(SIGALRM, &act, NULL) < 0)
		return -1;
	return sigaction(SIGINT, &act, NULL);
}

/* Receives until a call fails, which must be with the expected errno. */
static int receive_until(int expected, const char *way, struct unixconn *packet,
	int64_t deadline_us)
{
	const int64_t start_us = unixdeadline_now_us();
	char data[64];
	size_t size;
	int result;

	do {
		result = unixconn_recv(packet, data, sizeof(data), &size,
			deadline_us);
		printf("%-8s %4d ms  ", way,
			(int)((unixdeadline_now_us() - start_us) / 1000));
		if (result == 1)
			printf("%.*s\n", (int)size, data);
	} while (result == 1);
	puts(result == 0 ? "the end" : strerror(errno));
	return result < 0 && errno == expected ? 0 : -1;
}

static int receive_in_all_ways(struct unixconn *packet, int64_t timeout_us,
	unsigned int alarm_s)
{
	int64_t deadline_us;

	if (receive_until(EAGAIN, "now", packet, UNIXMSG_NOW) < 0)
		return -1;
	/* All calls share one deadline. With a timeout for each, a peer that
	 * keeps sending could hold the loop for ever. */
	deadline_us = unixdeadline_after_us(timeout_us);
	if (receive_until(ETIMEDOUT, "deadline", packet, deadline_us) < 0)
		return -1;
	unixconn_set_stop_fd(packet, stop_fd);
	alarm(alarm_s);
	return receive_until(ECANCELED, "stop", packet, UNIXMSG_FOREVER);
}

/* Returns 0 when the parent has closed. */
static int send_slowly(struct unixconn *packet)
{
	int i;

	for (i = 0; i < 5; i++) {
		if (unixconn_recv(packet, NULL, 0, NULL,
			    unixdeadline_after_us(100000)) == 0)
			return 0;
		if (unixconn_send(packet, "tick", 4, UNIXMSG_FOREVER) < 0)
			return errno == EPIPE ? 0 : fail("send");
	}
	return unixconn_recv(packet, NULL, 0, NULL, UNIXMSG_FOREVER);
}

int main(void)
{
	/* Change these. */
	const int64_t timeout_us = 250000;
	const unsigned int alarm_s = 1;

	struct unixconn *pair[2];
	int result, status;
	pid_t child;

	if (unixconn_pair("unixpacket", pair) < 0) {
		fail("pair");
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0) {
		signal(SIGINT, SIG_IGN); /* Ctrl-C is meant for the parent */
		unixconn_close(pair[0]);
		result = send_slowly(pair[1]);
		unixconn_close(pair[1]);
		return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	unixconn_close(pair[1]);
	if (child < 0 || set_up_stop() < 0)
		result = fail("set-up");
	else
		result = receive_in_all_ways(pair[0], timeout_us, alarm_s);
	unixconn_close(pair[0]);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
