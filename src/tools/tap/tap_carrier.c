/* SPDX-License-Identifier: MIT */
/*
 * unixconn_read receives no descriptors, and a stream of bytes has no frames
 * that unixconn_recv_msg could find. So streams are read here by system calls:
 * Wayland and D-Bus pass descriptors on them.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/common/network.h"
#include "tools/tap/tap.h"
#include "tools/tap/tap_carrier.h"

/* The most bytes of one read. */
enum { PIECE_SIZE = 64 << 10 };

/* Room for descriptors, aligned for struct cmsghdr. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(UNIXMSG_FDS_MAX * sizeof(int))];
};

static int receive_message(struct unixconn *conn, struct unixmsg *msg)
{
	return unixconn_recv_msg(conn, msg, UNIXMSG_NOW);
}

/* A server may accept larger messages than our socket sends by default. */
static int send_message(struct unixconn *conn, struct unixmsg *msg)
{
	struct unixmsg out;
	size_t reached;
	int result;

	tap_readdress(&out, msg);
	result = unixconn_send_msg(conn, &out, UNIXMSG_NOW);
	if (result < 0 && errno == EMSGSIZE &&
		unixconn_raise_size_max(conn, msg->size, &reached) == 0)
		result = unixconn_send_msg(conn, &out, UNIXMSG_NOW);
	/* The writer may be dead, or of another namespace. */
	if (result < 0 && (errno == EPERM || errno == ESRCH) &&
		out.flags != 0) {
		out.flags = 0;
		result = unixconn_send_msg(conn, &out, UNIXMSG_NOW);
	}
	return result;
}

static void take_fds(struct unixmsg *msg, struct msghdr *head)
{
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(head); control != NULL;
		control = CMSG_NXTHDR(head, control)) {
		if (control->cmsg_level != SOL_SOCKET ||
			control->cmsg_type != SCM_RIGHTS)
			continue;
		msg->fds_count =
			(control->cmsg_len - CMSG_LEN(0)) / sizeof(*msg->fds);
		memcpy(msg->fds, CMSG_DATA(control),
			msg->fds_count * sizeof(*msg->fds));
	}
}

static int receive_bytes(struct unixconn *conn, struct unixmsg *msg)
{
	union control control;
	struct iovec part = {
		.iov_base = msg->data,
		.iov_len = msg->room < PIECE_SIZE ? msg->room : PIECE_SIZE,
	};
	struct msghdr head = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	do
		got = recvmsg(unixconn_get_fd(conn), &head,
			MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return (int)got;
	msg->size = (size_t)got;
	take_fds(msg, &head);
	if ((head.msg_flags & MSG_CTRUNC) != 0)
		msg->flags |= UNIXMSG_CUT_CONTROL;
	return 1;
}

static void put_fds(const struct unixmsg *msg, struct msghdr *head,
	union control *control)
{
	struct cmsghdr *rights;

	if (msg->fds_count == 0)
		return;
	memset(control, 0, sizeof(*control));
	head->msg_control = control;
	head->msg_controllen = CMSG_SPACE(msg->fds_count * sizeof(int));
	rights = &control->align;
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(msg->fds_count * sizeof(int));
	memcpy(CMSG_DATA(rights), msg->fds, msg->fds_count * sizeof(int));
}

/* The kernel passes descriptors with the first byte. */
static int send_bytes(struct unixconn *conn, struct unixmsg *msg)
{
	union control control;
	struct iovec part = { .iov_base = msg->data, .iov_len = msg->size };
	struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	put_fds(msg, &head, &control);
	do
		sent = sendmsg(unixconn_get_fd(conn), &head,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -1;
	if ((size_t)sent == msg->size)
		return 1;
	msg->data = (char *)msg->data + sent;
	msg->size -= (size_t)sent;
	unixmsg_close_fds(msg);
	errno = EAGAIN;
	return -1;
}

static const struct tap_carrier messages = {
	.receive = receive_message,
	.send = send_message,
};

static const struct tap_carrier bytes = {
	.receive = receive_bytes,
	.send = send_bytes,
};

const struct tap_carrier *tap_carrier_find(const struct network *network)
{
	return network->is_stream ? &bytes : &messages;
}
