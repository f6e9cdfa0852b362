/* SPDX-License-Identifier: MIT */
/* unixpacket: the kernel keeps message boundaries, and connections too. */
#include <config.h>

#include <errno.h>
#include <sys/socket.h>

#include "message/msg_private.h"
#include "network/dial_private.h"
#include "network/network.h"

static int packet_dial(struct unixconn *conn, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return unixdial__open(&conn->end, address, options, deadline_us);
}

/*
 * A previous owner of the socket may have marked its messages by credentials or
 * time stamps, and may still share it. That mark serves us as well.
 */
static int packet_take_over(struct unixconn *conn)
{
	struct endpoint *end = &conn->end;
	int has_cred, has_stamp;
	socklen_t length = sizeof(int);

	if (getsockopt(end->fd, SOL_SOCKET, SO_PASSCRED, &has_cred, &length) <
			0 ||
		getsockopt(end->fd, SOL_SOCKET, SO_TIMESTAMPNS, &has_stamp,
			&length) < 0)
		return -1;
	end->is_accepted = has_cred != 0;
	end->is_stamped = has_stamp != 0;
	if (has_cred || has_stamp)
		return 0;
	return unixendpoint__mark_messages(end);
}

static int packet_send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us)
{
	return unixmsg__send_data_on(&conn->end, data, size, deadline_us);
}

static int packet_send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	return unixmsg__send_on(&conn->end, msg, deadline_us);
}

static int packet_send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	return unixmsg__send_batch_on(&conn->end, msgs, count, sent,
		deadline_us);
}

static int packet_recv(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	return unixmsg__recv_data_on(&conn->end, data, room, size, from,
		deadline_us);
}

static int packet_recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us)
{
	return unixmsg__recv_on(&conn->end, msg, deadline_us);
}

static int packet_recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	return unixmsg__recv_batch_on(&conn->end, msgs, count, received,
		deadline_us);
}

static int packet_recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	return unixmsg__recv_buffer_on(&conn->end, buffer, from, deadline_us);
}

static int packet_get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us)
{
	return unixmsg__peek_size_on(&conn->end, size, deadline_us);
}

static int packet_want(struct unixconn *conn, unsigned int wants)
{
	return unixendpoint__want(&conn->end, wants);
}

static int packet_get_size_max(const struct unixconn *conn, size_t *size)
{
	return unixendpoint__get_size_max(&conn->end, size);
}

static int packet_raise_size_max(struct unixconn *conn, size_t wanted,
	size_t *reached)
{
	return unixendpoint__raise_size_max(&conn->end, wanted, reached);
}

const struct network unixnetwork__packet = {
	.name = "unixpacket",
	.type = SOCK_SEQPACKET,
	.size = sizeof(struct unixconn),
	.dial = packet_dial,
	.take_over = packet_take_over,
	.send = packet_send,
	.send_msg = packet_send_msg,
	.send_batch = packet_send_batch,
	.recv = packet_recv,
	.recv_msg = packet_recv_msg,
	.recv_batch = packet_recv_batch,
	.recv_buffer = packet_recv_buffer,
	.get_next_size = packet_get_next_size,
	.want = packet_want,
	.get_size_max = packet_get_size_max,
	.raise_size_max = packet_raise_size_max,
};
