/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline_private.h"
#include "message/msg_private.h"
#include "name/name_private.h"
#include "network/adopt.h"
#include "network/answer.h"
#include "network/conn_private.h"
#include "network/dial_private.h"
#include "network/listen_private.h"
#include "network/proof.h"
#include "unixmsg/lane.h"

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* Checks that the network has the call, and that the deadline is valid. */
static inline int check(bool is_possible, int64_t deadline_us)
{
	if (!is_possible)
		return refuse(ENOTSUP);
	return unixdeadline__check(deadline_us);
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

	if (network == NULL || check(true, deadline_us) < 0)
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

static uint64_t get_count(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void unixconn_get_counters(const struct unixconn *conn,
	struct unixconn_counters *counters)
{
	const struct conn_counts *counts = &conn->counts;

	memset(counters, 0, sizeof(*counters));
	counters->sent = get_count(&counts->sent);
	counters->dropped = get_count(&counts->dropped);
	counters->failed = get_count(&counts->failed);
	counters->waited = get_count(&counts->waited);
	counters->reconnects = get_count(&counts->reconnects);
	counters->received = get_count(&counts->received);
	counters->cut = get_count(&counts->cut);
}

/* Returns how long a send may wait for room, by the policy. */
static inline int64_t get_patience(const struct unixconn *conn,
	int64_t deadline_us)
{
	if (conn->policy == UNIXCONN_WAIT)
		return deadline_us;
	/* A message that is partly sent must be completed. */
	return conn->end.type == SOCK_STREAM && unixstream__get_sent(conn) > 0
		? deadline_us
		: UNIXMSG_NOW;
}

/* Counts a failed send. Returns 0 if the policy drops the message, or -1. */
static int settle_failed(struct unixconn *conn, int saved)
{
	if (conn->policy != UNIXCONN_DROP || errno != EAGAIN) {
		unixnetwork__note(&conn->counts.failed, 1);
		return -1;
	}
	unixnetwork__note(&conn->counts.dropped, 1);
	errno = saved;
	return 0;
}

/* Counts a send and returns its result. saved is errno from before the send. */
static inline int settle_send(struct unixconn *conn, int result, int saved)
{
	if (result < 0)
		return settle_failed(conn, saved);
	unixnetwork__note(&conn->counts.sent, 1);
	return 1;
}

/* Returns errno to restore after a drop; nothing else needs it. */
static inline int save_errno(const struct unixconn *conn)
{
	return conn->policy == UNIXCONN_DROP ? errno : 0;
}

int unixconn_send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us)
{
	int saved = save_errno(conn);

	if (check(true, deadline_us) < 0)
		return settle_send(conn, -1, saved);
	return settle_send(conn,
		conn->network->send(conn, data, size,
			get_patience(conn, deadline_us)),
		saved);
}

int unixconn_send_to(struct unixconn *conn, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us)
{
	int saved = save_errno(conn);

	if (check(conn->network->send_to != NULL, deadline_us) < 0)
		return settle_send(conn, -1, saved);
	return settle_send(conn,
		conn->network->send_to(conn, to, data, size,
			get_patience(conn, deadline_us)),
		saved);
}

int unixconn_send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	int saved = save_errno(conn);

	if (check(conn->network->send_msg != NULL, deadline_us) < 0)
		return settle_send(conn, -1, saved);
	return settle_send(conn,
		conn->network->send_msg(conn, msg,
			get_patience(conn, deadline_us)),
		saved);
}

int unixconn_send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	int result = -1;

	*sent = 0;
	if (check(conn->network->send_batch != NULL, deadline_us) == 0)
		result = conn->network->send_batch(conn, msgs, count, sent,
			deadline_us);
	unixnetwork__note(&conn->counts.sent, *sent);
	if (result == 0)
		return 1;
	unixnetwork__note(&conn->counts.failed, 1);
	return -1;
}

/* Counts the result of a receive and returns it. */
static inline int count_received(struct unixconn *conn, int result)
{
	if (result == 1)
		unixnetwork__note(&conn->counts.received, 1);
	else if (result < 0 && errno == EMSGSIZE)
		unixnetwork__note(&conn->counts.cut, 1);
	return result;
}

static inline int recv_from(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	size_t unwanted;

	if (size == NULL)
		size = &unwanted;
	if (check(true, deadline_us) < 0)
		return -1;
	return count_received(conn,
		conn->network->recv(conn, data, room, size, from, deadline_us));
}

int unixconn_recv_from(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	return recv_from(conn, data, room, size, from, deadline_us);
}

int unixconn_recv(struct unixconn *conn, void *data, size_t room, size_t *size,
	int64_t deadline_us)
{
	return recv_from(conn, data, room, size, NULL, deadline_us);
}

int unixconn_recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us)
{
	const bool is_peeking = (msg->flags & UNIXMSG_PEEK) != 0;
	int result;

	/* After a failure the caller must not close the last descriptors
	 * again. */
	unixmsg__reset(msg);
	if (check(conn->network->recv_msg != NULL, deadline_us) < 0)
		return -1;
	result = conn->network->recv_msg(conn, msg, deadline_us);
	return is_peeking ? result : count_received(conn, result);
}

int unixconn_recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	if (check(conn->network->recv_buffer != NULL, deadline_us) < 0)
		return -1;
	return count_received(conn,
		conn->network->recv_buffer(conn, buffer, from, deadline_us));
}

/* A truncated message counts as received if the caller set UNIXMSG_PREFIX. */
static size_t count_cut(const struct unixmsg *msgs, size_t count)
{
	const unsigned int mask = UNIXMSG_CUT | UNIXMSG_PREFIX;
	size_t i, cut = 0;

	for (i = 0; i < count; i++)
		cut += (msgs[i].flags & mask) == UNIXMSG_CUT;
	return cut;
}

int unixconn_recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	size_t cut;
	int result;

	*received = 0;
	if (check(conn->network->recv_batch != NULL, deadline_us) < 0)
		return -1;
	result = conn->network->recv_batch(conn, msgs, count, received,
		deadline_us);
	cut = count_cut(msgs, *received);
	unixnetwork__note(&conn->counts.received, *received - cut);
	unixnetwork__note(&conn->counts.cut, cut);
	return result;
}

int unixconn_send_fds(struct unixconn *conn, const void *data, size_t size,
	const int *fds, size_t fds_count, int64_t deadline_us)
{
	const struct unixmsg msg = {
		.data = (void *)data,
		.room = size,
		.fds = (int *)fds,
		.fds_count = fds_count,
	};

	return unixconn_send_msg(conn, &msg, deadline_us);
}

int unixconn_recv_fds(struct unixconn *conn, void *data, size_t room,
	size_t *size, int *fds, size_t *fds_count, int64_t deadline_us)
{
	struct unixmsg msg = {
		.data = data,
		.room = room,
		.fds = fds,
		.fds_room = *fds_count,
	};
	int result;

	*fds_count = 0;
	result = unixconn_recv_msg(conn, &msg, deadline_us);
	if (size != NULL)
		*size = msg.size;
	if (result != 1)
		return result;
	*fds_count = msg.fds_count;
	/* Closes a wanted pidfd, as this call cannot return it. */
	msg.fds_count = 0;
	unixmsg_close_fds(&msg);
	return 1;
}

/* Copies the parts that hold the message, and ends the last one with it.
 * Returns their number. */
static size_t trim_parts(const struct unixmsg *msg, struct iovec *parts)
{
	size_t i, left = msg->size;

	for (i = 0; i < msg->parts_count && left > 0; i++) {
		parts[i] = msg->parts[i];
		if (parts[i].iov_len > left)
			parts[i].iov_len = left;
		left -= parts[i].iov_len;
	}
	return i;
}

int unixconn_forward(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	struct iovec parts[IOV_MAX];
	struct unixmsg onward = {
		.data = msg->data,
		.room = msg->size,
		.fds = msg->fds,
		.fds_count = msg->fds_count,
	};

	if ((msg->flags & (UNIXMSG_CUT | UNIXMSG_CUT_CONTROL)) != 0)
		return settle_send(conn, refuse(EMSGSIZE), 0);
	if (msg->parts_count > IOV_MAX)
		return settle_send(conn, refuse(EINVAL), 0);
	if (msg->parts != NULL) {
		onward.parts = parts;
		onward.parts_count = trim_parts(msg, parts);
	}
	return unixconn_send_msg(conn, &onward, deadline_us);
}

/* Bounds a call with UNIXMSG_NOW, which no deadline ends: no queue holds
 * more. */
enum { PASSED_OVER_MOST = 1024 };

/* Others may send so fast that no receive ever waits. So the deadline and the
 * stop descriptor are checked here too. */
static int check_patience(const struct unixconn *conn, int passed_over,
	int64_t deadline_us)
{
	if (deadline_us != UNIXMSG_NOW)
		return unixdeadline__pause(0, conn->end.stop_fd, deadline_us);
	return passed_over < PASSED_OVER_MOST ? 0 : refuse(EAGAIN);
}

/* Receives the next message, or its beginning, for matcher to look at. */
static int recv_for_matcher(struct unixconn *conn, struct unixmsg *answer,
	int64_t deadline_us)
{
	answer->flags |= UNIXMSG_PREFIX;
	return unixconn_recv_msg(conn, answer, deadline_us);
}

static int settle_answer(struct unixmsg *answer, bool is_prefix_wanted)
{
	if (is_prefix_wanted)
		return 1;
	answer->flags &= ~UNIXMSG_PREFIX;
	if ((answer->flags & UNIXMSG_CUT) == 0)
		return 1;
	unixmsg_close_fds(answer);
	return refuse(EMSGSIZE);
}

static int await_answer(struct unixconn *conn, struct unixmsg *answer,
	unixconn_matcher *matcher, void *context, int64_t deadline_us)
{
	const bool is_prefix_wanted = (answer->flags & UNIXMSG_PREFIX) != 0;
	int result, passed_over = 0;

	while ((result = recv_for_matcher(conn, answer, deadline_us)) == 1) {
		if (matcher == NULL || matcher(answer, context))
			return settle_answer(answer, is_prefix_wanted);
		unixmsg_close_fds(answer);
		if (check_patience(conn, passed_over++, deadline_us) < 0)
			return -1;
	}
	return result;
}

static int check_to_ask(const struct unixconn *conn,
	const struct unixmsg *answer)
{
	if (conn->end.type == SOCK_DGRAM && !conn->end.is_connected)
		return refuse(ENOTCONN);
	if ((answer->flags & UNIXMSG_PEEK) != 0)
		return refuse(EINVAL);
	return unixmsg__check_to_receive(&conn->end, answer);
}

int unixconn_ask(struct unixconn *conn, const struct unixmsg *request,
	struct unixmsg *answer, unixconn_matcher *matcher, void *context,
	int64_t deadline_us)
{
	int result;

	if (check_to_ask(conn, answer) < 0)
		return -1;
	result = unixconn_send_msg(conn, request, deadline_us);
	if (result == 0)
		return refuse(ENOBUFS);
	if (result < 0)
		return -1;
	return await_answer(conn, answer, matcher, context, deadline_us);
}

int unixconn_get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us)
{
	if (check(conn->network->get_next_size != NULL, deadline_us) < 0)
		return -1;
	return conn->network->get_next_size(conn, size, deadline_us);
}

int unixconn_read(struct unixconn *conn, void *data, size_t room, size_t *size,
	int64_t deadline_us)
{
	size_t unwanted;

	if (check(conn->network->read != NULL, deadline_us) < 0)
		return -1;
	return conn->network->read(conn, data, room,
		size == NULL ? &unwanted : size, deadline_us);
}

int unixconn_write(struct unixconn *conn, const void *data, size_t size,
	size_t *written, int64_t deadline_us)
{
	size_t unwanted;

	if (written == NULL)
		written = &unwanted;
	*written = 0;
	if (check(conn->network->write != NULL, deadline_us) < 0)
		return -1;
	if (conn->network->write(conn, data, size, written, deadline_us) < 0)
		return -1;
	return 1;
}

int unixlane_reserve(struct unixconn *conn, size_t size, void **data,
	int64_t deadline_us)
{
	if (check(conn->network->reserve != NULL, deadline_us) < 0)
		return -1;
	return conn->network->reserve(conn, size, data, deadline_us) < 0 ? -1
									 : 1;
}

int unixlane_commit(struct unixconn *conn, size_t size, int64_t deadline_us)
{
	int saved = save_errno(conn), result = -1;

	if (check(conn->network->commit != NULL, deadline_us) == 0)
		result = conn->network->commit(conn, size,
			get_patience(conn, deadline_us));
	result = settle_send(conn, result, saved);
	if (result == 0)
		conn->network->cancel(conn);
	return result;
}

int unixlane_cancel(struct unixconn *conn)
{
	if (check(conn->network->cancel != NULL, UNIXMSG_NOW) < 0)
		return -1;
	return conn->network->cancel(conn);
}

int unixlane_peek(struct unixconn *conn, const void **data, size_t *size,
	int64_t deadline_us)
{
	if (check(conn->network->peek != NULL, deadline_us) < 0)
		return -1;
	return conn->network->peek(conn, data, size, deadline_us);
}

int unixlane_release(struct unixconn *conn)
{
	if (check(conn->network->release != NULL, UNIXMSG_NOW) < 0 ||
		conn->network->release(conn) < 0)
		return -1;
	unixnetwork__note(&conn->counts.received, 1);
	return 0;
}
