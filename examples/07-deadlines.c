/* SPDX-License-Identifier: 0BSD */
/*
 * Three ways to limit a wait. A call may not wait at all, may wait until a
 * deadline that several calls share, or may wait until a stop descriptor is
 * readable. A child sends a message every 100 ms, and the parent receives in
 * these three ways.
 *
 * Build:  cc 07-deadlines.c $(pkg-config --cflags --libs unixmsg) \
 *           -o deadlines
 * Run:    ./deadlines
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these. */
static const int64_t timeout_us = 250000;
static const struct itimerspec stop_after = { .it_value.tv_sec = 1 };

static int fail(const char *what)
{
	fprintf(stderr, "deadlines: %s: %s\n", what, strerror(errno));
	return -1;
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

static int receive_in_all_ways(struct unixconn *packet, int stop_fd)
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
	if (timerfd_settime(stop_fd, 0, &stop_after, NULL) < 0)
		return fail("timer");
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
	/* Any descriptor that becomes readable can stop a wait: here a timer.
	 * Signals make the descriptor of unixstop_open readable. */
	const int stop_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct unixconn *pair[2];
	int result, status;
	pid_t child;

	if (unixconn_pair("unixpacket", pair) < 0) {
		fail("pair");
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0) {
		unixconn_close(pair[0]);
		result = send_slowly(pair[1]);
		unixconn_close(pair[1]);
		return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	unixconn_close(pair[1]);
	result = child < 0 ? fail("fork")
			   : receive_in_all_ways(pair[0], stop_fd);
	unixconn_close(pair[0]);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
