/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "deadline_private.h"
#include "endpoint.h"
#include "fd.h"
#include "kernel.h"
#include "name_private.h"

/*
 * Of a socket's send buffer the kernel keeps this much for itself when it
 * looks whether a message fits (unix_dgram_sendmsg).
 */
static const size_t send_overhead = 32;

/*
 * However large the buffer, a message is one allocation of the kernel's, and
 * somewhat above 4 MiB (with pages of 4 KiB) that fails with ENOBUFS.
 */
static const size_t size_ceiling = 4 << 20;

/* While a connect sleeps in the kernel it cannot see the stop descriptor. */
static const int64_t connect_slice_us = 20000;

static const int64_t retry_first_us = 1000;
static const int64_t retry_most_us = 64000;
static const int refusals_most = 8;

static int set_option(const struct endpoint *end, int option, bool is_on)
{
	const int value = is_on;

	return setsockopt(end->fd, SOL_SOCKET, option, &value, sizeof(value));
}

/*
 * What tells an empty message from the end of a connection is that every
 * message comes with control data and the end with none. Receive time stamps
 * do that without a side effect; see also listener.c, and for dialled ones,
 * where the name of the peer does it at less cost, below.
 */
int unixendpoint_mark_messages(struct endpoint *end)
{
	if (end->type != SOCK_SEQPACKET)
		return 0;
	if (set_option(end, SO_TIMESTAMPNS, true) < 0)
		return -1;
	end->is_stamped = true;
	return 0;
}

void unixendpoint_set_up(struct endpoint *end, int fd, int type)
{
	end->fd = fd;
	end->stop_fd = -1;
	end->type = type;
	end->name = NULL;
	end->is_connected = false;
	end->is_accepted = false;
	end->is_stamped = false;
	end->is_named = false;
	end->is_refusing_fds = false;
	end->binder = 0;
	end->wants = 0;
	unixspin_set(&end->spin, 0);
}

void unixendpoint_set_stop_fd(struct endpoint *end, int stop_fd)
{
	end->stop_fd = stop_fd == 0 ? -1 : stop_fd;
}

void unixendpoint_set_waits(struct endpoint *end, int stop_fd, int64_t spin_us)
{
	unixendpoint_set_stop_fd(end, stop_fd);
	unixspin_set(&end->spin, spin_us);
}

/* Kernels before 6.16 do not know it: there we throw away what comes. */
static int set_passrights(struct endpoint *end, bool is_on)
{
	int saved = errno;

	/* Those that have come by then stay in the queue. */
	if (is_on)
		end->is_refusing_fds = false;
	if (set_option(end, SO_PASSRIGHTS, is_on) == 0)
		return 0;
	end->is_refusing_fds = false;
	if (errno != ENOPROTOOPT)
		return -1;
	errno = saved;
	return 0;
}

static int set_passpidfd(const struct endpoint *end, bool is_on)
{
	if (!is_on && (end->wants & UNIXMSG_WANT_PIDFD) == 0)
		return 0;
	if (set_option(end, SO_PASSPIDFD, is_on) == 0)
		return 0;
	if (errno == ENOPROTOOPT)
		errno = ENOTSUP;
	return -1;
}

/* Accepted packet connections go on with credentials, see listener.c. */
static int set_passcred(const struct endpoint *end, bool is_on)
{
	if (end->is_accepted && end->type == SOCK_SEQPACKET)
		return 0;
	if (!is_on && (end->wants & UNIXMSG_WANT_CRED) == 0)
		return 0;
	return set_option(end, SO_PASSCRED, is_on);
}

int unixendpoint_want(struct endpoint *end, unsigned int wants)
{
	const unsigned int known =
		UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD;

	if (wants & ~known) {
		errno = EINVAL;
		return -1;
	}
	if (set_passpidfd(end, (wants & UNIXMSG_WANT_PIDFD) != 0) < 0 ||
		set_passcred(end, (wants & UNIXMSG_WANT_CRED) != 0) < 0 ||
		set_passrights(end, (wants & UNIXMSG_WANT_FDS) != 0) < 0)
		return -1;
	end->wants = wants;
	return 0;
}

/* Of a socket that nothing can have come to. */
static int refuse_fds(struct endpoint *end)
{
	end->is_refusing_fds = true;
	return unixendpoint_want(end, 0);
}

int unixendpoint_give_up(struct endpoint *end)
{
	int saved = errno;

	unixendpoint_close(end);
	errno = saved;
	return -1;
}

int unixendpoint_open(struct endpoint *end, int type)
{
	unixendpoint_set_up(end,
		fd_lift(socket(AF_UNIX, type | SOCK_CLOEXEC, 0)), type);
	if (end->fd < 0)
		return -1;
	if (refuse_fds(end) == 0)
		return 0;
	return unixendpoint_give_up(end);
}

static int prepare_pair(struct endpoint *end)
{
	end->is_connected = true;
	if (refuse_fds(end) < 0)
		return -1;
	return unixendpoint_mark_messages(end);
}

int unixendpoint_open_pair(struct endpoint *a, struct endpoint *b, int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	unixendpoint_set_up(a, fd_lift(fds[0]), type);
	unixendpoint_set_up(b, fd_lift(fds[1]), type);
	if (a->fd >= 0 && b->fd >= 0 && prepare_pair(a) == 0 &&
		prepare_pair(b) == 0)
		return 0;
	unixendpoint_give_up(a);
	return unixendpoint_give_up(b);
}

/* The name goes first: see unixname_release. */
int unixendpoint_close(struct endpoint *end)
{
	int result = unixname_release(end->name);

	end->name = NULL;
	end->fd = fd_close(end->fd);
	return result;
}

int unixendpoint_bind(struct endpoint *end, const char *text, bool is_answered,
	const struct unixname_options *options, int64_t deadline_us)
{
	end->binder = getpid();
	return unixname_claim(end->fd, text, is_answered, options, deadline_us,
		&end->name);
}

bool unixendpoint_is_shared(const struct endpoint *end)
{
	return end->binder != getpid();
}

int unixendpoint_retire(struct endpoint *end, bool *is_shared)
{
	int result = unixname_release(end->name);
	int saved = errno;

	end->name = NULL;
	*is_shared = unixendpoint_is_shared(end);
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
 * with EAGAIN. Nothing else bounds it: a non-blocking one fails at once and
 * leaves nothing that could be polled.
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
		if (unixdeadline_pause(0, end->stop_fd, deadline_us) < 0)
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
	if (unixdeadline_is_endless(end->stop_fd, deadline_us))
		return connect_endlessly(end, addr);
	return connect_in_slices(end, addr, deadline_us);
}

int unixendpoint_connect_to(const struct endpoint *end,
	const struct unixaddr *addr)
{
	return connect_endlessly(end, addr);
}

typedef int find_target(const char *text, struct unixname_target *target);

static int find_and_connect(const struct endpoint *end, find_target *find,
	const char *text, int64_t deadline_us)
{
	struct unixname_target target;
	int result;

	if (find(text, &target) < 0)
		return -1;
	result = connect_to(end, &target.addr, deadline_us);
	unixname_target_close(&target);
	return result;
}

/*
 * A name that is taken over from a live owner leads nowhere for a moment, and
 * for long when the one who takes it is killed then: the owner serves on.
 */
static int connect_to_name(const struct endpoint *end, const char *text,
	int64_t deadline_us)
{
	if (find_and_connect(end, unixname_find, text, deadline_us) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	if (find_and_connect(end, unixname_find_aside, text, deadline_us) == 0)
		return 0;
	errno = ENOENT;
	return -1;
}

/*
 * EACCES may pass too: a server that has bound its name, and has not given it
 * its owner and mode yet. That takes it no longer than a few of our pauses.
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

int unixendpoint_connect(struct endpoint *end, const char *text,
	unsigned int flags, int64_t deadline_us)
{
	int64_t pause_us = retry_first_us;
	int refusals = 0, saved = errno;

	while (connect_to_name(end, text, deadline_us) < 0) {
		if (!is_server_to_come(flags, &refusals))
			return -1;
		if (unixdeadline_pause(pause_us, end->stop_fd, deadline_us) < 0)
			return -1;
		if (pause_us < retry_most_us)
			pause_us *= 2;
	}
	/* Connecting again changes nothing that other threads may read. */
	if (!end->is_connected)
		end->is_connected = true;
	errno = saved;
	return 0;
}

int unixendpoint_check_dial(const struct unixdial_options *options)
{
	const unsigned int known = UNIXMSG_DIAL_WAIT | UNIXMSG_DIAL_RECONNECT |
		UNIXMSG_DIAL_UNNAMED;
	size_t i, count = sizeof(options->reserved) / sizeof(uint64_t);
	uint64_t reserved = options->unused;

	for (i = 0; i < count; i++)
		reserved |= options->reserved[i];
	if (options->own != NULL &&
		(options->flags & UNIXMSG_DIAL_UNNAMED) != 0)
		reserved = 1;
	if (reserved == 0 && options->own_mode <= 0777 &&
		options->stop_fd >= -1 && options->spin_us >= 0 &&
		(options->flags & ~known) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

/* Only datagrams connect again, and only their own names need a mode. */
static int check_connection(const struct unixdial_options *options)
{
	const unsigned int grams_own =
		UNIXMSG_DIAL_RECONNECT | UNIXMSG_DIAL_UNNAMED;

	if ((options->flags & grams_own) == 0 && options->own_mode == 0)
		return 0;
	errno = ENOTSUP;
	return -1;
}

static int bind_and_connect(struct endpoint *end, const char *text,
	const struct unixdial_options *options, int64_t deadline_us)
{
	/*
	 * What a listener has accepted has the listener's name, and the kernel
	 * gives the sender's name with every message and none at the end.
	 */
	end->is_named = end->type == SOCK_SEQPACKET;
	if (options->own != NULL &&
		unixendpoint_bind(end, options->own, false, NULL, deadline_us) <
			0)
		return -1;
	return unixendpoint_connect(end, text, options->flags, deadline_us);
}

int unixendpoint_dial(struct endpoint *end, const char *text,
	const struct unixdial_options *options, int64_t deadline_us)
{
	if (check_connection(options) < 0 ||
		unixendpoint_open(end, end->type) < 0)
		return -1;
	unixendpoint_set_waits(end, options->stop_fd, options->spin_us);
	return bind_and_connect(end, text, options, deadline_us);
}

int unixendpoint_get_address(const struct endpoint *end, struct unixaddr *addr)
{
	socklen_t length = UNIXMSG_ADDR_ROOM;

	if (getsockname(end->fd, (struct sockaddr *)&addr->sun, &length) < 0)
		return -1;
	unixaddr_settle(addr, length);
	return 0;
}

int unixendpoint_get_peer(const struct endpoint *end, struct unixaddr *addr)
{
	socklen_t length = UNIXMSG_ADDR_ROOM;

	if (getpeername(end->fd, (struct sockaddr *)&addr->sun, &length) < 0)
		return -1;
	unixaddr_settle(addr, length);
	return 0;
}

/* The kernel doubles it, and takes no more than an int may hold then. */
static int set_buffer(int fd, int option, size_t bytes)
{
	const int value =
		(int)(bytes < INT_MAX ? (bytes + 1) / 2 : INT_MAX / 2);

	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
}

static int get_buffer(int fd, size_t *bytes)
{
	int value;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &length) < 0)
		return -1;
	*bytes = (size_t)value;
	return 0;
}

int unixendpoint_get_size_max(const struct endpoint *end, size_t *size)
{
	size_t bytes;

	if (get_buffer(end->fd, &bytes) < 0)
		return -1;
	*size = bytes - send_overhead;
	if (*size > size_ceiling)
		*size = size_ceiling;
	return 0;
}

/* Of bytes as much as everybody may have, 0 when that is not known. */
static size_t get_free_for_all(size_t bytes)
{
	int fd = fd_lift(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	size_t most = 0;

	if (fd < 0)
		return 0;
	if (set_buffer(fd, SO_SNDBUF, bytes) < 0 || get_buffer(fd, &most) < 0)
		most = 0;
	fd_close(fd);
	return most;
}

/*
 * SO_SNDBUFFORCE, with CAP_NET_ADMIN, is not bounded. SO_SNDBUF is cut to its
 * bound in silence, and would take away what somebody with more rights has
 * given to the socket: so it is tried at another one.
 */
static void raise_buffer(int fd, size_t bytes, size_t present)
{
	if (set_buffer(fd, SO_SNDBUFFORCE, bytes) < 0 &&
		get_free_for_all(bytes) > present)
		set_buffer(fd, SO_SNDBUF, bytes);
}

int unixendpoint_raise_buffer(int fd, size_t bytes, size_t *reached)
{
	int saved = errno;

	if (get_buffer(fd, reached) < 0)
		return -1;
	if (*reached >= bytes)
		return 0;
	raise_buffer(fd, bytes, *reached);
	errno = saved;
	return get_buffer(fd, reached);
}

int unixendpoint_raise_size_max(const struct endpoint *end, size_t wanted,
	size_t *reached)
{
	size_t bytes;

	if (wanted > size_ceiling)
		wanted = size_ceiling;
	if (unixendpoint_raise_buffer(end->fd, wanted + send_overhead, &bytes) <
		0)
		return -1;
	return unixendpoint_get_size_max(end, reached);
}

int unixendpoint_get_unread(const struct endpoint *end, size_t *bytes)
{
	int charged;

	if (ioctl(end->fd, SIOCOUTQ, &charged) < 0)
		return -1;
	*bytes = (size_t)charged;
	return 0;
}
