/* SPDX-License-Identifier: MIT */
/* The messages of a conn: checks them, and counts what the network does. */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/deadline_private.h"
#include "message/msg_private.h"
#include "network/conn_private.h"
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
static int count_failed(struct unixconn *conn, int saved)
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
static inline int count_send(struct unixconn *conn, int result, int saved)
{
	if (result < 0)
		return count_failed(conn, saved);
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
		return count_send(conn, -1, saved);
	return count_send(conn,
		conn->network->send(conn, data, size,
			get_patience(conn, deadline_us)),
		saved);
}

int unixconn_send_to(struct unixconn *conn, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us)
{
	int saved = save_errno(conn);

	if (check(conn->network->send_to != NULL, deadline_us) < 0)
		return count_send(conn, -1, saved);
	return count_send(conn,
		conn->network->send_to(conn, to, data, size,
			get_patience(conn, deadline_us)),
		saved);
}

int unixconn_send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	int saved = save_errno(conn);

	if (check(conn->network->send_msg != NULL, deadline_us) < 0)
		return count_send(conn, -1, saved);
	return count_send(conn,
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
		return count_send(conn, refuse(EMSGSIZE), 0);
	if (msg->parts_count > IOV_MAX)
		return count_send(conn, refuse(EINVAL), 0);
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
	const bool is_prefix_wanted = (answer->flags & UNIXMSG_PREFIX) != 0;
	int result;

	answer->flags |= UNIXMSG_PREFIX;
	result = unixconn_recv_msg(conn, answer, deadline_us);
	/* The caller may ask again with the same answer. */
	if (!is_prefix_wanted)
		answer->flags &= ~UNIXMSG_PREFIX;
	return result;
}

static int complete_answer(struct unixmsg *answer)
{
	if ((answer->flags & UNIXMSG_CUT) == 0 ||
		(answer->flags & UNIXMSG_PREFIX) != 0)
		return 1;
	unixmsg_close_fds(answer);
	return refuse(EMSGSIZE);
}

static int await_answer(struct unixconn *conn, struct unixmsg *answer,
	unixconn_matcher *matcher, void *context, int64_t deadline_us)
{
	int result, passed_over = 0;

	while ((result = recv_for_matcher(conn, answer, deadline_us)) == 1) {
		if (matcher == NULL || matcher(answer, context))
			return complete_answer(answer);
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
	int result = -1;

	if (check_to_ask(conn, answer) == 0)
		result = unixconn_send_msg(conn, request, deadline_us);
	if (result == 1)
		return await_answer(conn, answer, matcher, context,
			deadline_us);
	/* The caller must not close the last descriptors again. */
	unixmsg__reset(answer);
	return result == 0 ? refuse(ENOBUFS) : -1;
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
	result = count_send(conn, result, saved);
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
