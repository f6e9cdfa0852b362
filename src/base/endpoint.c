/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "unixmsg/msg.h"

/*
 * The kernel keeps this much of a send buffer for itself when it checks whether
 * a message fits (unix_dgram_sendmsg).
 */
static const size_t send_overhead = 32;

/*
 * A message is one allocation of the kernel, however large the buffer is.
 * Somewhat above 4 MiB (with pages of 4 KiB) that fails with ENOBUFS.
 */
static const size_t size_ceiling = 4 << 20;

static int set_option(const struct endpoint *end, int option, bool is_on)
{
	const int value = is_on;

	return setsockopt(end->fd, SOL_SOCKET, option, &value, sizeof(value));
}

/*
 * Control data distinguishes an empty message from the end of a connection:
 * every message has some, and the end has none. Receive time stamps do that
 * without a side effect. See also listener.c, and dial.c for dialled sockets,
 * where the name of the peer does it at less cost.
 */
int unixendpoint__mark_messages(struct endpoint *end)
{
	if (end->type != SOCK_SEQPACKET)
		return 0;
	if (set_option(end, SO_TIMESTAMPNS, true) < 0)
		return -1;
	end->is_stamped = true;
	return 0;
}

void unixendpoint__set_up(struct endpoint *end, int fd, int type)
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
	unixspin__set(&end->spin, 0);
}

void unixendpoint__set_stop_fd(struct endpoint *end, int stop_fd)
{
	end->stop_fd = stop_fd == 0 ? -1 : stop_fd;
}

void unixendpoint__set_waits(struct endpoint *end, int stop_fd, int64_t spin_us)
{
	unixendpoint__set_stop_fd(end, stop_fd);
	unixspin__set(&end->spin, spin_us);
}

/* Kernels before 6.16 lack the option: there we close what arrives. */
static int set_passrights(struct endpoint *end, bool is_on)
{
	int saved = errno;

	/* Descriptors that arrived earlier stay queued. */
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

/* Accepted packet connections always keep SO_PASSCRED, see listener.c. */
static int set_passcred(const struct endpoint *end, bool is_on)
{
	if (end->is_accepted && end->type == SOCK_SEQPACKET)
		return 0;
	if (!is_on && (end->wants & UNIXMSG_WANT_CRED) == 0)
		return 0;
	return set_option(end, SO_PASSCRED, is_on);
}

bool unixendpoint__knows_wants(unsigned int wants)
{
	const unsigned int known =
		UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD;

	return (wants & ~known) == 0;
}

int unixendpoint__want(struct endpoint *end, unsigned int wants)
{
	if (!unixendpoint__knows_wants(wants)) {
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

/* Only for a socket that cannot have received anything. */
static int refuse_fds(struct endpoint *end)
{
	end->is_refusing_fds = true;
	return unixendpoint__want(end, 0);
}

static int discard(struct endpoint *end)
{
	int saved = errno;

	end->fd = fd_close(end->fd);
	errno = saved;
	return -1;
}

int unixendpoint__open(struct endpoint *end, int type)
{
	unixendpoint__set_up(end,
		fd_lift(socket(AF_UNIX, type | SOCK_CLOEXEC, 0)), type);
	if (end->fd < 0)
		return -1;
	if (refuse_fds(end) == 0)
		return 0;
	return discard(end);
}

static int prepare_pair(struct endpoint *end)
{
	end->is_connected = true;
	if (refuse_fds(end) < 0)
		return -1;
	return unixendpoint__mark_messages(end);
}

int unixendpoint__open_pair(struct endpoint *a, struct endpoint *b, int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	unixendpoint__set_up(a, fd_lift(fds[0]), type);
	unixendpoint__set_up(b, fd_lift(fds[1]), type);
	if (a->fd >= 0 && b->fd >= 0 && prepare_pair(a) == 0 &&
		prepare_pair(b) == 0)
		return 0;
	discard(a);
	return discard(b);
}

bool unixendpoint__is_shared(const struct endpoint *end)
{
	return end->binder != getpid();
}

int unixendpoint__get_address(const struct endpoint *end, struct unixaddr *addr)
{
	socklen_t length = UNIXMSG_ADDR_ROOM;

	if (getsockname(end->fd, (struct sockaddr *)&addr->sun, &length) < 0)
		return -1;
	unixaddr__correct(addr, length);
	return 0;
}

int unixendpoint__get_peer(const struct endpoint *end, struct unixaddr *addr)
{
	socklen_t length = UNIXMSG_ADDR_ROOM;

	if (getpeername(end->fd, (struct sockaddr *)&addr->sun, &length) < 0)
		return -1;
	unixaddr__correct(addr, length);
	return 0;
}

/* The kernel doubles the value, and the result must fit into an int. */
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

int unixendpoint__get_size_max(const struct endpoint *end, size_t *size)
{
	size_t bytes;

	if (get_buffer(end->fd, &bytes) < 0)
		return -1;
	*size = bytes - send_overhead;
	if (*size > size_ceiling)
		*size = size_ceiling;
	return 0;
}

/* Returns how much of bytes any process may have, 0 when that is unknown. */
static size_t get_free_for_all(size_t bytes)
{
	int fd = fd_lift(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	size_t most = 0;

	if (fd < 0)
		return 0;
	if (set_buffer(fd, SO_SNDBUF, bytes) == 0)
		get_buffer(fd, &most);
	fd_close(fd);
	return most;
}

/*
 * SO_SNDBUFFORCE, with CAP_NET_ADMIN, has no bound. SO_SNDBUF is silently
 * limited to its bound, and could take away room that a process with more
 * rights has given to the socket. So it is tried on another socket first.
 */
static void raise_buffer(int fd, size_t bytes, size_t present)
{
	if (set_buffer(fd, SO_SNDBUFFORCE, bytes) < 0 &&
		get_free_for_all(bytes) > present)
		set_buffer(fd, SO_SNDBUF, bytes);
}

int unixendpoint__raise_buffer(int fd, size_t bytes, size_t *reached)
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

int unixendpoint__raise_size_max(const struct endpoint *end, size_t wanted,
	size_t *reached)
{
	size_t bytes;

	if (wanted > size_ceiling)
		wanted = size_ceiling;
	if (unixendpoint__raise_buffer(end->fd, wanted + send_overhead,
		    &bytes) < 0)
		return -1;
	return unixendpoint__get_size_max(end, reached);
}

int unixendpoint__get_unread(const struct endpoint *end, size_t *bytes)
{
	int charged;

	if (ioctl(end->fd, SIOCOUTQ, &charged) < 0)
		return -1;
	*bytes = (size_t)charged;
	return 0;
}
