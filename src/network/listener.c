/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/deadline_private.h"
#include "base/fd.h"
#include "name/listen_private.h"
#include "network/adopt.h"
#include "network/conn_private.h"
#include "network/dial_private.h"
#include "network/handshake.h"
#include "network/listener_private.h"

/* The longest wait of accept4(2) if another process made the socket
 * blocking. */
static const suseconds_t accept_most_us = 1000;

struct unixlistener {
	struct endpoint end;
	const struct network *network; /* of its connections */
	uint64_t tag;                  /* of its connections */
	_Atomic uint32_t lane_bytes;   /* 0: they get no lane */
	bool is_lane_held;
	bool is_adopted;
	/* The process that has bounded the kernel's wait, or 0. */
	atomic_int bounded_by;
};

/*
 * Marks the messages of accepted connections, see endpoint.c. The mark is
 * credentials, because connections inherit them from the listener, which saves
 * a system call for each. Credentials have a side effect, an abstract name for
 * an unnamed socket, but accepted sockets have the listener's name.
 */
static int mark_accepted_messages(const struct endpoint *listener)
{
	const int on = 1;

	if (listener->type != SOCK_SEQPACKET)
		return 0;
	return setsockopt(listener->fd, SOL_SOCKET, SO_PASSCRED, &on,
		sizeof(on));
}

/* Affects every process that shares the socket. */
static void set_receive_timeout(int fd, suseconds_t timeout_us)
{
	const struct timeval timeout = { .tv_usec = timeout_us };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

/*
 * accept4(2) has no flag for a call that does not wait, and O_NONBLOCK belongs
 * to all processes that share the socket. Another one may clear it, as systemd
 * does whenever it starts a unit. So each call checks the flag first. A process
 * that has cleared it once may do so again between the check and the call. From
 * then on SO_RCVTIMEO bounds the wait of the call.
 */
static int keep_nonblocking(struct unixlistener *listener)
{
	const int fd = listener->end.fd;
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	if ((flags & O_NONBLOCK) != 0)
		return 0;
	set_receive_timeout(fd, accept_most_us);
	atomic_store(&listener->bounded_by, getpid());
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static int prepare_to_accept(struct endpoint *end)
{
	const int flags = fcntl(end->fd, F_GETFL);

	end->is_accepted = true;
	if (flags < 0 || mark_accepted_messages(end) < 0)
		return -1;
	return fcntl(end->fd, F_SETFL, flags | O_NONBLOCK);
}

static int start_listening(struct endpoint *end, const char *address,
	const struct unixlisten_options *options,
	const struct unixname_options *name, unsigned int wants)
{
	if (prepare_to_accept(end) < 0)
		return -1;
	if (wants != 0 && unixendpoint__want(end, wants) < 0)
		return -1;
	if (unixdial__bind(end, address, false, name, UNIXMSG_FOREVER) < 0)
		return -1;
	return listen(end->fd,
		options->backlog > 0 ? options->backlog : SOMAXCONN);
}

static struct unixlistener *listener_new(const struct network *network)
{
	struct unixlistener *listener = malloc(sizeof(*listener));

	if (listener == NULL)
		return NULL;
	unixendpoint__set_up(&listener->end, -1, network->type);
	listener->network = network;
	listener->tag = 0;
	listener->lane_bytes = 0;
	listener->is_lane_held = false;
	listener->is_adopted = false;
	atomic_init(&listener->bounded_by, 0);
	return listener;
}

void unixlistener__hold_lanes(struct unixlistener *listener)
{
	listener->is_lane_held = true;
}

int unixlistener_set_lane(struct unixlistener *listener, uint64_t bytes)
{
	if (listener->end.type != SOCK_SEQPACKET) {
		errno = ENOTSUP;
		return -1;
	}
	if (bytes > 0 && !unixsegment__is_ring_size(bytes)) {
		errno = EINVAL;
		return -1;
	}
	listener->lane_bytes = (uint32_t)bytes;
	return 0;
}

static int open_at(struct unixlistener *listener, const char *address,
	const struct unixlisten_options *options, unsigned int wants)
{
	struct endpoint *end = &listener->end;
	struct unixname_options name;

	if (unixlisten__get_name(options, &name) < 0 ||
		unixendpoint__open(end, listener->network->type) < 0)
		return -1;
	unixendpoint__set_waits(end, options->stop_fd, options->spin_us);
	listener->tag = options->tag;
	if (options->lane_bytes > 0 &&
		unixlistener_set_lane(listener, options->lane_bytes) < 0)
		return -1;
	return start_listening(end, address, options, &name,
		options->wants | wants);
}

static const struct network *find_network(const char *name)
{
	const struct network *network = unixnetwork__find(name);

	if (network == NULL || network->type != SOCK_DGRAM)
		return network;
	errno = ENOTSUP;
	return NULL;
}

struct unixlistener *unixlistener__open_wanting(const char *network_name,
	const char *address, const struct unixlisten_options *options,
	unsigned int wants)
{
	static const struct unixlisten_options defaults = { 0 };
	const struct network *network = find_network(network_name);
	struct unixlistener *listener;

	if (network == NULL)
		return NULL;
	listener = listener_new(network);
	if (listener == NULL)
		return NULL;
	if (open_at(listener, address, options == NULL ? &defaults : options,
		    wants) == 0)
		return listener;
	unixdial__give_up(&listener->end);
	free(listener);
	return NULL;
}

struct unixlistener *unixlistener_open(const char *network, const char *address,
	const struct unixlisten_options *options)
{
	return unixlistener__open_wanting(network, address, options, 0);
}

struct unixlistener *unixlistener_adopt(int fd)
{
	const struct network *network = unixadopt__find_network(fd);
	struct unixlistener *listener;

	if (network == NULL)
		return NULL;
	if (network->type == SOCK_DGRAM) {
		errno = EPROTOTYPE;
		return NULL;
	}
	listener = listener_new(network);
	if (listener == NULL)
		return NULL;
	listener->is_adopted = true;
	if (unixadopt__socket(&listener->end, fd, network->type, true) == 0 &&
		prepare_to_accept(&listener->end) == 0)
		return listener;
	free(listener);
	return NULL;
}

int unixlistener_close(struct unixlistener *listener)
{
	int result;

	if (listener == NULL)
		return 0;
	/* The next owner of the socket may want to wait. */
	if (listener->bounded_by == getpid())
		set_receive_timeout(listener->end.fd, 0);
	result = unixdial__close(&listener->end);
	free(listener);
	return result;
}

int unixlistener__get_type(const struct unixlistener *listener)
{
	return listener->end.type;
}

const char *unixlistener_get_network(const struct unixlistener *listener)
{
	return listener->network->name;
}

int unixlistener__retire(struct unixlistener *listener, bool *is_shared)
{
	return unixdial__retire(&listener->end, is_shared);
}

int unixlistener_get_fd(const struct unixlistener *listener)
{
	return listener->end.fd;
}

void unixlistener_set_stop_fd(struct unixlistener *listener, int stop_fd)
{
	unixendpoint__set_stop_fd(&listener->end, stop_fd);
}

int unixlistener_set_unlink_on_close(struct unixlistener *listener,
	bool is_wanted)
{
	return unixadopt__set_unlink(&listener->end, is_wanted);
}

void unixlistener_set_tag(struct unixlistener *listener, uint64_t tag)
{
	listener->tag = tag;
}

uint64_t unixlistener__get_tag(const struct unixlistener *listener)
{
	return listener->tag;
}

unsigned int unixlistener__get_wants(const struct unixlistener *listener)
{
	return listener->end.wants;
}

int unixlistener_want(struct unixlistener *listener, unsigned int wants)
{
	return unixendpoint__want(&listener->end, wants);
}

int unixlistener_get_address(const struct unixlistener *listener,
	struct unixaddr *addr)
{
	return unixendpoint__get_address(&listener->end, addr);
}

/* A process that shares a listener can shut it down to all clients. */
static int refuse_shut(short events)
{
	errno = (events & POLLRDHUP) != 0 ? EINVAL : EAGAIN;
	return -1;
}

/*
 * Polls first. If the flag is cleared between the check and the call, the call
 * waits only if another process accepts the connection in that moment too.
 */
static int accept_now(struct unixlistener *listener, bool *is_named)
{
	struct sockaddr client; /* only its length counts */
	socklen_t length = 0;
	struct pollfd ready = {
		.fd = listener->end.fd,
		.events = POLLIN | POLLRDHUP,
	};
	int count = poll(&ready, 1, 0), fd;

	if (count < 0)
		return -1;
	if (count == 0)
		return refuse_shut(0);
	if (keep_nonblocking(listener) < 0)
		return -1;
	fd = accept4(ready.fd, &client, &length, SOCK_CLOEXEC);
	*is_named = length > sizeof(sa_family_t);
	if (fd < 0 && errno == EAGAIN)
		return refuse_shut(ready.revents);
	return fd_lift(fd);
}

static int accept_once(struct unixlistener *listener, bool *is_named,
	int64_t deadline_us)
{
	int fd = accept_now(listener, is_named);

	if (fd >= 0 || errno != EAGAIN)
		return fd;
	if (unixdeadline__wait(listener->end.fd, POLLIN, listener->end.stop_fd,
		    deadline_us) < 0)
		return -1;
	errno = EINTR;
	return -1;
}

/*
 * The kernel copies options from the listener when a client connects (before
 * Linux 6.16, when it is accepted). That may have been before the listener was
 * adopted.
 */
static int prepare_accepted(struct endpoint *end)
{
	if (unixendpoint__want(end, end->wants) < 0)
		return -1;
	return unixendpoint__mark_messages(end);
}

/* Returns the user that the kernel tells to clients: the one that called
 * listen(2). */
static uid_t get_user(const struct unixlistener *listener)
{
	struct ucred cred;
	socklen_t length = sizeof(cred);

	if (getsockopt(listener->end.fd, SOL_SOCKET, SO_PEERCRED, &cred,
		    &length) < 0)
		return (uid_t)-1;
	return cred.uid;
}

static void await_lane(const struct unixlistener *listener,
	struct packet *packet)
{
	unixhandshake__await(packet, listener->lane_bytes, get_user(listener));
	if (listener->is_lane_held)
		unixhandshake__hold(packet);
}

static int accept_into(struct unixlistener *listener, struct unixconn *conn,
	int64_t deadline_us)
{
	struct endpoint *end = &conn->end;
	int fd, saved = errno;
	bool is_named;

	do {
		fd = accept_once(listener, &is_named, deadline_us);
		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return -1;
	} while (fd < 0);
	conn->tag = listener->tag;
	end->fd = fd;
	end->stop_fd = listener->end.stop_fd;
	end->wants = listener->end.wants;
	unixspin__set(&end->spin, unixspin__get(&listener->end.spin));
	end->is_accepted = !listener->is_adopted;
	/* A socket keeps its name for life: see unixdial__bind_and_connect. */
	end->is_named = is_named && end->type == SOCK_SEQPACKET;
	/* The kernel has copied it, see prepare_accepted. */
	end->is_refusing_fds = listener->end.is_refusing_fds;
	if (listener->is_adopted && prepare_accepted(end) < 0)
		return -1;
	if (conn->network != listener->network)
		await_lane(listener, unixhandshake__get(conn));
	errno = saved;
	return 0;
}

/* Returns the network of connections to come. */
static const struct network *get_network(const struct unixlistener *listener)
{
	return listener->lane_bytes > 0
		? unixnetwork__find_lane(listener->network)
		: listener->network;
}

struct unixconn *unixlistener_accept(struct unixlistener *listener,
	int64_t deadline_us)
{
	struct unixconn *conn;
	int saved;

	if (unixdeadline__check(deadline_us) < 0)
		return NULL;
	conn = unixconn__new(get_network(listener));
	if (conn == NULL)
		return NULL;
	if (accept_into(listener, conn, deadline_us) == 0)
		return conn;
	saved = errno;
	unixconn_close(conn);
	errno = saved;
	return NULL;
}
