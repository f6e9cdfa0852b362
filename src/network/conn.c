/* SPDX-License-Identifier: MIT */
/* Opens a connection or a socket, and asks and sets what it is. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/deadline_private.h"
#include "name/listen_private.h"
#include "name/name_private.h"
#include "network/adopt.h"
#include "network/answer.h"
#include "network/conn_private.h"
#include "network/dial_private.h"
#include "network/proof.h"

static int refuse(int error)
{
	errno = error;
	return -1;
}

struct unixconn *unixconn__new(const struct network *network)
{
	struct unixconn *conn = calloc(1, network->size);

	if (conn == NULL)
		return NULL;
	conn->network = network;
	unixendpoint__set_up(&conn->end, -1, network->type);
	return conn;
}

static struct unixconn *give_up(struct unixconn *conn)
{
	int saved = errno;

	unixconn_close(conn);
	errno = saved;
	return NULL;
}

static int open_at(struct unixconn *conn, const char *address,
	const struct unixlisten_options *options, unsigned int wants)
{
	struct unixname_options name;

	if (options->lane_bytes > 0)
		return refuse(ENOTSUP);
	if (unixlisten__get_name(options, &name) < 0)
		return -1;
	if (unixendpoint__open(&conn->end, SOCK_DGRAM) < 0 ||
		unixendpoint__want(&conn->end, wants | options->wants) < 0)
		return -1;
	unixendpoint__set_waits(&conn->end, options->stop_fd, options->spin_us);
	conn->tag = options->tag;
	return unixdial__bind(&conn->end, address, false, &name,
		UNIXMSG_FOREVER);
}

struct unixconn *unixconn__open_wanting(const char *network_name,
	const char *address, const struct unixlisten_options *options,
	unsigned int wants)
{
	static const struct unixlisten_options defaults = { 0 };
	const struct network *network = unixnetwork__find(network_name);
	struct unixconn *conn;

	if (network == NULL)
		return NULL;
	if (network->type != SOCK_DGRAM) {
		errno = ENOTSUP;
		return NULL;
	}
	conn = unixconn__new(network);
	if (conn == NULL)
		return NULL;
	if (open_at(conn, address, options == NULL ? &defaults : options,
		    wants) < 0)
		return give_up(conn);
	return conn;
}

struct unixconn *unixconn_open(const char *network, const char *address,
	const struct unixlisten_options *options)
{
	return unixconn__open_wanting(network, address, options, 0);
}

struct unixconn *unixconn_dial(const char *network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	const struct network *found = unixnetwork__find(network);

	if (found != NULL && options != NULL &&
		(options->flags & UNIXMSG_DIAL_LANE) != 0)
		found = unixnetwork__find_lane(found);
	return unixconn__dial(found, address, options, deadline_us);
}

struct unixconn *unixconn__dial(const struct network *network,
	const char *address, const struct unixdial_options *options,
	int64_t deadline_us)
{
	static const struct unixdial_options defaults = { 0 };
	struct unixconn *conn;

	if (network == NULL || unixdeadline__check(deadline_us) < 0)
		return NULL;
	if (options == NULL)
		options = &defaults;
	if (unixdial__check(options) < 0)
		return NULL;
	conn = unixconn__new(network);
	if (conn == NULL)
		return NULL;
	if (network->dial(conn, address, options, deadline_us) < 0)
		return give_up(conn);
	return conn;
}

int unixconn_pair(const char *network_name, struct unixconn *pair[2])
{
	const struct network *network = unixnetwork__find(network_name);
	struct unixconn *a, *b;

	if (network == NULL)
		return -1;
	a = unixconn__new(network);
	b = unixconn__new(network);
	if (a == NULL || b == NULL ||
		unixendpoint__open_pair(&a->end, &b->end, network->type) < 0) {
		give_up(a);
		give_up(b);
		return -1;
	}
	pair[0] = a;
	pair[1] = b;
	return 0;
}

static int take_over(struct unixconn *conn, int fd)
{
	if (unixadopt__socket(&conn->end, fd, conn->network->type, false) < 0)
		return -1;
	return conn->network->take_over == NULL
		? 0
		: conn->network->take_over(conn);
}

struct unixconn *unixconn_adopt(int fd)
{
	const struct network *network = unixadopt__find_network(fd);
	struct unixconn *conn;

	if (network == NULL)
		return NULL;
	conn = unixconn__new(network);
	if (conn == NULL)
		return NULL;
	if (take_over(conn, fd) == 0)
		return conn;
	free(conn);
	return NULL;
}

int unixconn_close(struct unixconn *conn)
{
	int result;

	if (conn == NULL)
		return 0;
	if (conn->network->dispose != NULL)
		conn->network->dispose(conn);
	result = unixdial__close(&conn->end);
	free(conn);
	return result;
}

int unixconn_release(struct unixconn *conn)
{
	const int fd = conn->end.fd;

	if (conn->network->is_whole != NULL && !conn->network->is_whole(conn))
		return refuse(EBUSY);
	unixname__set_kept(conn->end.name, true);
	conn->end.fd = -1;
	unixconn_close(conn);
	return fd;
}

int unixconn_get_fd(const struct unixconn *conn)
{
	return conn->end.fd;
}

const char *unixconn_get_network(const struct unixconn *conn)
{
	return conn->network->name;
}

bool unixconn_is_lane(const struct unixconn *conn)
{
	return conn->network->is_lane != NULL && conn->network->is_lane(conn);
}

void unixconn_set_stop_fd(struct unixconn *conn, int stop_fd)
{
	unixendpoint__set_stop_fd(&conn->end, stop_fd);
}

void unixconn_set_spin_us(struct unixconn *conn, int64_t spin_us)
{
	unixspin__set(&conn->end.spin, spin_us);
}

int unixconn_set_unlink_on_close(struct unixconn *conn, bool is_wanted)
{
	return unixadopt__set_unlink(&conn->end, is_wanted);
}

int unixconn_want(struct unixconn *conn, unsigned int wants)
{
	return conn->network->want(conn, wants);
}

void unixconn_set_tag(struct unixconn *conn, uint64_t tag)
{
	conn->tag = tag;
}

unsigned int unixconn__get_wants(const struct unixconn *conn)
{
	return conn->end.wants;
}

bool unixconn__is_shared(const struct unixconn *conn)
{
	return unixendpoint__is_shared(&conn->end);
}

int unixconn__retire(struct unixconn *conn, bool *is_shared)
{
	return unixdial__retire(&conn->end, is_shared);
}

int unixconn_get_address(const struct unixconn *conn, struct unixaddr *addr)
{
	return unixendpoint__get_address(&conn->end, addr);
}

int unixconn_get_peer(const struct unixconn *conn, struct unixaddr *addr)
{
	if (conn->network->check_peer != NULL &&
		conn->network->check_peer(conn) < 0)
		return -1;
	return unixendpoint__get_peer(&conn->end, addr);
}

int unixconn_shutdown(struct unixconn *conn, int how)
{
	if (conn->network->shutdown != NULL)
		return conn->network->shutdown(conn, how);
	return shutdown(conn->end.fd, how);
}

int unixconn_get_size_max(const struct unixconn *conn, size_t *size)
{
	return conn->network->get_size_max(conn, size);
}

int unixconn_raise_size_max(struct unixconn *conn, size_t wanted,
	size_t *reached)
{
	return conn->network->raise_size_max(conn, wanted, reached);
}

int unixconn_get_unread(const struct unixconn *conn, size_t *bytes)
{
	if (conn->network->get_unread != NULL)
		return conn->network->get_unread(conn, bytes);
	return unixendpoint__get_unread(&conn->end, bytes);
}

int unixconn_check_answer(const struct unixconn *conn)
{
	if (conn->end.type != SOCK_DGRAM)
		return refuse(ENOTSUP);
	if (conn->network->check_peer(conn) < 0)
		return -1;
	return unixanswer__check(&conn->end);
}

int unixconn_prove_sender(const struct unixconn *conn,
	const struct unixaddr *from, const struct unixcred *writer,
	struct unixaddr *to, int *held_fd)
{
	struct unixproof proof;

	if (conn->end.type != SOCK_DGRAM)
		return refuse(ENOTSUP);
	if (unixproof__find(&proof, conn->end.fd, from, writer, 0) < 0)
		return -1;
	*to = proof.to;
	*held_fd = proof.fd;
	return 0;
}

int unixconn_set_policy(struct unixconn *conn, enum unixconn_policy policy)
{
	switch (policy) {
	case UNIXCONN_WAIT:
	case UNIXCONN_DROP:
	case UNIXCONN_FAIL:
		conn->policy = policy;
		return 0;
	}
	return refuse(EINVAL);
}
