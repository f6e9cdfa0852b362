/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

#include "base/deadline_private.h"

int64_t unixdeadline_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t unixdeadline_after_us(int64_t timeout_us)
{
	int64_t now_us;

	if (timeout_us <= 0)
		return UNIXMSG_NOW;
	now_us = unixdeadline_now_us();
	if (timeout_us > UNIXMSG_FOREVER - now_us)
		return UNIXMSG_FOREVER;
	return now_us + timeout_us;
}

static int64_t scale(int64_t timeout, int64_t unit_us)
{
	return timeout > UNIXMSG_FOREVER / unit_us ? UNIXMSG_FOREVER
						   : timeout * unit_us;
}

int64_t unixdeadline_after_ms(int64_t timeout_ms)
{
	return timeout_ms <= 0 ? UNIXMSG_NOW
			       : unixdeadline_after_us(scale(timeout_ms, 1000));
}

int64_t unixdeadline_after_s(int64_t timeout_s)
{
	return timeout_s <= 0
		? UNIXMSG_NOW
		: unixdeadline_after_us(scale(timeout_s, 1000000));
}

/* Returns 0 with *left_us, or -1 with the errno of a passed deadline. */
static int get_left(int64_t deadline_us, int64_t *left_us)
{
	if (deadline_us == UNIXMSG_NOW) {
		errno = EAGAIN;
		return -1;
	}
	*left_us = UNIXMSG_FOREVER;
	if (deadline_us == UNIXMSG_FOREVER)
		return 0;
	/* Subtracting from a far negative time would overflow. */
	if (deadline_us > 0)
		*left_us = deadline_us - unixdeadline_now_us();
	if (deadline_us > 0 && *left_us > 0)
		return 0;
	errno = ETIMEDOUT;
	return -1;
}

/* Calls poll(2) with microseconds; UNIXMSG_FOREVER for no limit. */
static int poll_us(struct pollfd *fds, nfds_t count, int64_t left_us)
{
	struct timespec left = {
		.tv_sec = (time_t)(left_us / 1000000),
		.tv_nsec = (long)(left_us % 1000000) * 1000,
	};

	return ppoll(fds, count, left_us == UNIXMSG_FOREVER ? NULL : &left,
		NULL);
}

/*
 * Polls once. Returns 1 if fds[0] is ready, 0 if it is not, -1 on failure and
 * for a stop. poll(2) ignores a descriptor of -1.
 */
static int poll_once(struct pollfd fds[2], int64_t left_us)
{
	int ready = poll_us(fds, 2, left_us);

	if (ready < 0)
		return errno == EINTR ? 0 : -1;
	if (ready > 0 && fds[1].revents != 0) {
		errno = ECANCELED;
		return -1;
	}
	return ready > 0;
}

int unixdeadline__wait(int fd, short events, int stop_fd, int64_t deadline_us)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = events },
		{ .fd = stop_fd, .events = POLLIN },
	};
	int saved = errno, ready;
	int64_t left_us;

	do {
		if (get_left(deadline_us, &left_us) < 0)
			return -1;
		ready = poll_once(fds, left_us);
	} while (ready == 0);
	if (ready < 0)
		return -1;
	errno = saved;
	return 0;
}

int unixdeadline__pause(int64_t pause_us, int stop_fd, int64_t deadline_us)
{
	struct pollfd fds[2] = {
		{ .fd = -1 },
		{ .fd = stop_fd, .events = POLLIN },
	};
	int saved = errno;
	int64_t left_us, end_us;

	if (get_left(deadline_us, &left_us) < 0)
		return -1;
	if (left_us > pause_us)
		left_us = pause_us;
	end_us = unixdeadline_now_us() + left_us;
	/* A signal must not make the pause shorter. */
	do {
		if (poll_once(fds, left_us) < 0)
			return -1;
		left_us = end_us - unixdeadline_now_us();
	} while (left_us > 0);
	errno = saved;
	return 0;
}
