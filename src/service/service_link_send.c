/* SPDX-License-Identifier: MIT */
/* Sends to links. Their order and limits are those of service_queue.c. */
#include <config.h>

#include <errno.h>

#include "message/control.h"
#include "network/conn_private.h"
#include "service/service_link.h"

static int send_to_stream(struct link *link, const struct unixmsg *msg,
	size_t *done)
{
	int result;

	/* The outbox puts the parts together. */
	if (msg->parts != NULL) {
		errno = EAGAIN;
		return -1;
	}
	if (!link->is_bytes) {
		result = link->conn->network->send(link->conn, msg->data,
			msg->room, UNIXMSG_NOW);
		*done = unixstream__get_sent(link->conn);
		return result;
	}
	result = unixstream__send_bytes(link->conn, msg, done);
	if (result < 0 && errno == EAGAIN && *done > 0)
		errno = EINPROGRESS;
	return result;
}

/*
 * After an error part of msg may have been sent. The peer would read any other
 * message as the rest of it, and the same one as a new message.
 */
static int give_up_stream(struct link *link, int result)
{
	link->peer.is_broken = result < 0 && errno != EAGAIN &&
		errno != EINPROGRESS && errno != EINVAL && errno != EMSGSIZE &&
		errno != EBADF;
	return result;
}

/* Bypasses the public calls: the service has its own counters and policy. */
static int send_plainly(struct unixconn *conn, const struct unixmsg *msg)
{
	if (unixservice__is_plain(msg))
		return conn->network->send(conn, msg->data, msg->room,
			UNIXMSG_NOW);
	return conn->network->send_msg(conn, msg, UNIXMSG_NOW);
}

/*
 * The kernel cannot send more than it can allocate at once, however large the
 * buffer is. But poll(2) reports that there is room.
 */
static int refuse_too_large(const struct unixconn *conn,
	const struct unixmsg *msg, int result)
{
	size_t most = SIZE_MAX;

	if (result < 0 && errno == ENOBUFS) {
		unixconn_get_size_max(conn, &most);
		errno = unixoutbox__get_size(msg) > most ? EMSGSIZE : ENOBUFS;
	}
	return result;
}

int unixlink__send_to_stream(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done)
{
	struct link *link = (struct link *)peer;

	(void)service;
	return give_up_stream(link, send_to_stream(link, msg, done));
}

int unixlink__send_to_packet(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done)
{
	struct link *link = (struct link *)peer;
	const int result = refuse_too_large(link->conn, msg,
		send_plainly(link->conn, msg));

	(void)done;
	/* poll(2) would report at once that there is room. The await that
	 * follows sets the timer. */
	if (result < 0 && errno == ENOBUFS)
		link->write_us = service->now_us + UNIXLINK_SHORTAGE_US;
	return result;
}

int unixlink__send_by_lane(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done)
{
	struct link *link = (struct link *)peer;
	int result;

	if (unixlink__is_of_parent(link)) {
		errno = EPIPE;
		return -1;
	}
	result = unixlink__send_to_packet(service, peer, msg, done);
	unixservice__look_at_lane(service, peer, link->conn);
	return result;
}

size_t unixlink__get_size_max(const struct peer *peer)
{
	const struct link *link = (const struct link *)peer;
	size_t size;

	if (!link->is_bytes && unixconn_get_size_max(link->conn, &size) == 0)
		return size;
	return SIZE_MAX;
}

/* Frames carry no control data, see unixservice__choose_wants. A byte stream
 * carries it only with a byte. */
bool unixlink__stream_carries(const struct peer *peer,
	const struct unixmsg *msg)
{
	return !unixcontrol__is_needed(msg) ||
		(((const struct link *)peer)->is_bytes &&
			unixoutbox__get_size(msg) > 0);
}
