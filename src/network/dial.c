/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/deadline_private.h"
#include "base/fd.h"
#include "name/name_private.h"
#include "network/dial_private.h"

/* A connect that sleeps in the kernel cannot see the stop descriptor. */
static const int64_t connect_slice_us = 20000;

static const int64_t retry_first_us = 1000;
static const int64_t retry_most_us = 64000;
static const int refusals_most = 8;

/* Releases the name first: see unixname__release. */
int unixdial__close(struct endpoint *end)
{
	int result = unixname__release(end->name);

	end->name = NULL;
	end->fd = fd_close(end->fd);
	return result;
}

int unixdial__give_up(struct endpoint *end)
{
	int saved = errno;

	unixdial__close(end);
	errno = saved;
	return -1;
}

int unixdial__bind(struct endpoint *end, const char *text, bool is_answered,
	const struct unixname_options *options, int64_t deadline_us)
{
	end->binder = getpid();
	return unixname__claim(end->fd, text, is_answered, options, deadline_us,
		&end->name);
}

int unixdial__retire(struct endpoint *end, bool *is_shared)
{
	int result = unixname__release(end->name);
	int saved = errno;

	end->name = NULL;
	*is_shared = unixendpoint__is_shared(end);
	if (!*is_shared)
		shutdown(end->fd, SHUT_RD);
	errno = saved;
	return result;
}

static int set_send_timeout(const struct endpoint *end, int64_t timeout_us)
{
	struct timeval timeout = {
		.tv_sec = (time_t)(timeout_us / 1000000),
		.tv_usec = (suseconds_t)(timeout_us % 1000000),
	};

	return setsockopt(end->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
		sizeof(timeout));
}

static int connect_once(const struct endpoint *end, const struct unixaddr *addr)
{
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(addr, &length);

	return connect(end->fd, sa, length);
}

static int connect_endlessly(const struct endpoint *end,
	const struct unixaddr *addr)
{
	while (connect_once(end, addr) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

static int connect_at_once(const struct endpoint *end,
	const struct unixaddr *addr)
{
	int result, saved;

	if (fcntl(end->fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	result = connect_endlessly(end, addr);
	saved = errno;
	if (fcntl(end->fd, F_SETFL, 0) < 0)
		return -1;
	errno = saved;
	return result;
}

static int64_t get_slice(int64_t deadline_us)
{
	int64_t now_us = unixdeadline_now_us();

	if (deadline_us <= now_us)
		return 1;
	if (deadline_us - now_us > connect_slice_us)
		return connect_slice_us;
	return deadline_us - now_us;
}

/*
 * A connect to a full backlog waits as long as SO_SNDTIMEO says and then fails
 * with EAGAIN. Nothing else bounds it: a non-blocking connect fails at once and
 * leaves nothing to poll.
 */
static int connect_in_slices(const struct endpoint *end,
	const struct unixaddr *addr, int64_t deadline_us)
{
	for (;;) {
		if (set_send_timeout(end, get_slice(deadline_us)) < 0)
			return -1;
		if (connect_once(end, addr) == 0)
			return set_send_timeout(end, 0);
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		if (unixdeadline__pause(0, end->stop_fd, deadline_us) < 0)
			return -1;
	}
}

static int connect_to(const struct endpoint *end, const struct unixaddr *addr,
	int64_t deadline_us)
{
	if (end->type == SOCK_DGRAM)
		return connect_endlessly(end, addr);
	if (deadline_us == UNIXMSG_NOW)
		return connect_at_once(end, addr);
	if (unixdeadline__is_endless(end->stop_fd, deadline_us))
		return connect_endlessly(end, addr);
	return connect_in_slices(end, addr, deadline_us);
}

int unixdial__connect_to(const struct endpoint *end,
	const struct unixaddr *addr)
{
	return connect_endlessly(end, addr);
}

typedef int target_finder(const char *text, struct unixname_target *target);

static int find_and_connect(const struct endpoint *end, target_finder *find,
	const char *text, int64_t deadline_us)
{
	struct unixname_target target;
	int result;

	if (find(text, &target) < 0)
		return -1;
	result = connect_to(end, &target.addr, deadline_us);
	unixname__target_close(&target);
	return result;
}

/*
 * A name leads nowhere for a moment while another process takes it over from a
 * live owner, and for longer if that process is killed then. Meanwhile the
 * owner still serves, under the name aside.
 */
static int connect_to_name(const struct endpoint *end, const char *text,
	int64_t deadline_us)
{
	if (find_and_connect(end, unixname__find, text, deadline_us) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	if (find_and_connect(end, unixname__find_aside, text, deadline_us) == 0)
		return 0;
	errno = ENOENT;
	return -1;
}

/*
 * EACCES may pass as well: a server may have bound its name but not yet set the
 * owner and mode. That takes no longer than a few of our pauses.
 */
static bool is_server_to_come(unsigned int flags, int *refusals)
{
	if ((flags & UNIXMSG_DIAL_WAIT) == 0)
		return false;
	if (errno == EACCES)
		return ++*refusals < refusals_most;
	*refusals = 0;
	return errno == ENOENT || errno == ECONNREFUSED;
}

int unixdial__connect(struct endpoint *end, const char *text,
	unsigned int flags, int64_t deadline_us)
{
	int64_t pause_us = retry_first_us;
	int refusals = 0, saved = errno;

	while (connect_to_name(end, text, deadline_us) < 0) {
		if (!is_server_to_come(flags, &refusals))
			return -1;
		if (unixdeadline__pause(pause_us, end->stop_fd, deadline_us) <
			0)
			return -1;
		if (pause_us < retry_most_us)
			pause_us *= 2;
	}
	/* A reconnect must not write anything that other threads may read. */
	if (!end->is_connected)
		end->is_connected = true;
	errno = saved;
	return 0;
}

int unixdial__check(const struct unixdial_options *options)
{
	const unsigned int known = UNIXMSG_DIAL_WAIT | UNIXMSG_DIAL_RECONNECT |
		UNIXMSG_DIAL_UNNAMED | UNIXMSG_DIAL_LANE;
	size_t i, count = sizeof(options->reserved) / sizeof(uint64_t);
	uint64_t reserved = 0;

	for (i = 0; i < count; i++)
		reserved |= options->reserved[i];
	/* A client asks for a lane by its address. */
	if (options->own != NULL &&
		(options->flags & (UNIXMSG_DIAL_UNNAMED | UNIXMSG_DIAL_LANE)) !=
			0)
		reserved = 1;
	if (reserved == 0 && options->own_mode <= 0777 &&
		options->stop_fd >= -1 && options->spin_us >= 0 &&
		(options->flags & ~known) == 0 &&
		unixendpoint__knows_wants(options->wants))
		return 0;
	errno = EINVAL;
	return -1;
}

/* Only datagram sockets reconnect, and only their own names need a mode. */
static int check_connection(const struct unixdial_options *options)
{
	const unsigned int grams_own =
		UNIXMSG_DIAL_RECONNECT | UNIXMSG_DIAL_UNNAMED;

	if ((options->flags & grams_own) == 0 && options->own_mode == 0)
		return 0;
	errno = ENOTSUP;
	return -1;
}

int unixdial__bind_and_connect(struct endpoint *end, const char *text,
	const struct unixdial_options *options, int64_t deadline_us)
{
	/*
	 * An accepted socket has the name of its listener. The kernel gives
	 * that name with every message, and no name at the end of file.
	 */
	end->is_named = end->type == SOCK_SEQPACKET;
	if (options->own != NULL &&
		unixdial__bind(end, options->own, false, NULL, deadline_us) < 0)
		return -1;
	return unixdial__connect(end, text, options->flags, deadline_us);
}

int unixdial__prepare(struct endpoint *end,
	const struct unixdial_options *options)
{
	if (check_connection(options) < 0 ||
		unixendpoint__open(end, end->type) < 0 ||
		unixendpoint__want(end, options->wants) < 0)
		return -1;
	unixendpoint__set_waits(end, options->stop_fd, options->spin_us);
	return 0;
}

int unixdial__open(struct endpoint *end, const char *text,
	const struct unixdial_options *options, int64_t deadline_us)
{
	if (unixdial__prepare(end, options) < 0)
		return -1;
	return unixdial__bind_and_connect(end, text, options, deadline_us);
}
