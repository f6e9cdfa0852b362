/* SPDX-License-Identifier: 0BSD */
/*
 * A service in a poll(2) loop of our own, beside another descriptor: a timer.
 * The service answers each message when the timer expires.
 *
 * Build:  cc 15-loop-poll.c $(pkg-config --cflags --libs unixmsg) \
 *           -o loop-poll
 * Run:    ./loop-poll, and in another terminal
 *         seqpacket-echo --count 3 loop.sock
 *         Ctrl-C or SIGTERM ends the service.
 * See:    loop-poll: listening on loop.sock
 *         and from the client, with round trips of 100 ms:
 *         seqpacket-echo: 3 sent, 3 received, 0 lost, 0 altered
 *         ...
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these, and the address in main. */
static const struct itimerspec later = { .it_value.tv_nsec = 100000000 };
static const int64_t drain_us = 5000000;
enum { size_max = 4096, waiting_max = 64 };

/* Messages since the timer was set. A peer may close meanwhile: its number is
 * never reused, so the answer cannot reach another peer. */
static struct {
	uint64_t peer;
	size_t size;
	char data[size_max];
} waiting[waiting_max];
static int count, timer_fd;

static int fail(const char *what)
{
	fprintf(stderr, "loop-poll: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Copies the message: it is valid only until the handler returns. */
static int keep(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)service;
	(void)context;
	if (count == waiting_max)
		return UNIXSERVICE_DONE; /* counted as unanswered */
	if (count == 0 && timerfd_settime(timer_fd, 0, &later, NULL) < 0)
		fail("timer");
	waiting[count].peer = peer;
	waiting[count].size = msg->size;
	memcpy(waiting[count].data, msg->data, msg->size);
	count++;
	return UNIXSERVICE_LATER;
}

static void answer_all(struct unixservice *service)
{
	uint64_t expirations;
	int i;

	if (read(timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	for (i = 0; i < count; i++)
		unixservice_send(service, waiting[i].peer, waiting[i].data,
			waiting[i].size);
	count = 0;
}

static void stop(struct unixservice *service)
{
	if (unixservice_stop(service, unixdeadline_after_us(drain_us)) < 0)
		fail("stop");
}

/* Any call may complete the drain, so the loop checks before each wait. */
static int run(struct unixservice *service, int stop_fd)
{
	struct pollfd fds[] = {
		{ .fd = unixservice_get_fd(service), .events = POLLIN },
		{ .fd = timer_fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};

	while (!unixservice_is_drained(service)) {
		if (poll(fds, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail("poll");
		}
		if (fds[0].revents != 0 && unixservice_dispatch(service) < 0)
			return fail("dispatch");
		if (fds[1].revents != 0)
			answer_all(service);
		if (fds[2].revents != 0) {
			fds[2].fd = -1; /* poll(2) ignores it */
			stop(service);
		}
	}
	return 0;
}

int main(void)
{
	const char *const address = "loop.sock";
	const struct unixservice_options options = { .size_max = size_max };
	struct unixservice *service;
	int result = -1, stop_fd = unixstop_open();

	service = unixservice_new(keep, NULL, &options);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (service == NULL || timer_fd < 0 || stop_fd < 0) {
		fail("set-up");
	} else if (unixservice_listen(service, "unixpacket", address, NULL) <
		0) {
		fail(address);
	} else {
		fprintf(stderr, "loop-poll: listening on %s\n", address);
		result = run(service, stop_fd);
	}
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(timer_fd);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
