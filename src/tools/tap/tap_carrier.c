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

/* A message with descriptors is sent alone. */
static size_t count_plain(const struct unixmsg *msgs, size_t count)
{
	size_t plain = 0;

	while (plain < count && msgs[plain].fds_count == 0)
		plain++;
	return plain;
}

/* Credentials of one message. */
union writer {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
};

static void put_writer(const struct unixmsg *msg, struct msghdr *head,
	union writer *writer)
{
	const struct ucred cred = { msg->cred.pid, msg->cred.uid,
		msg->cred.gid };

	memset(writer, 0, sizeof(*writer));
	writer->align.cmsg_level = SOL_SOCKET;
	writer->align.cmsg_type = SCM_CREDENTIALS;
	writer->align.cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(&writer->align), &cred, sizeof(cred));
	head->msg_control = writer;
	head->msg_controllen = sizeof(*writer);
}

/* unixconn_send_batch sends no credentials. Returns how many, or -1. */
static int send_plain(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count)
{
	struct mmsghdr heads[TAP_BATCH_MAX];
	struct iovec parts[TAP_BATCH_MAX];
	union writer writers[TAP_BATCH_MAX];
	struct unixmsg out;
	size_t i;

	memset(heads, 0, count * sizeof(*heads));
	for (i = 0; i < count; i++) {
		tap_readdress(&out, &msgs[i]);
		parts[i] = (struct iovec){ out.data, out.room };
		heads[i].msg_hdr.msg_iov = &parts[i];
		heads[i].msg_hdr.msg_iovlen = 1;
		if (out.flags != 0)
			put_writer(&out, &heads[i].msg_hdr, &writers[i]);
	}
	return sendmmsg(unixconn_get_fd(conn), heads, (unsigned int)count,
		MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* What a batch stops at is tried alone: it may only need other means. */
static size_t send_messages(struct unixconn *conn, struct unixmsg *msgs,
	size_t count)
{
	size_t done = 0, plain;
	int sent;

	while (done < count) {
		plain = count_plain(msgs + done, count - done);
		sent = plain > 1 ? send_plain(conn, msgs + done, plain) : -1;
		if (sent > 0) {
			done += (size_t)sent;
			continue;
		}
		if (send_message(conn, &msgs[done]) < 1)
			break;
		done++;
	}
	return done;
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
static int send_some_bytes(struct unixconn *conn, struct unixmsg *msg)
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

static size_t send_bytes(struct unixconn *conn, struct unixmsg *msgs,
	size_t count)
{
	size_t done = 0;

	while (done < count && send_some_bytes(conn, &msgs[done]) == 1)
		done++;
	return done;
}

static const struct tap_carrier messages = {
	.receive = receive_message,
	.send = send_messages,
	.batch = TAP_BATCH_MAX,
};

/* One read takes all that is there. */
static const struct tap_carrier bytes = {
	.receive = receive_bytes,
	.send = send_bytes,
	.batch = 1,
};

const struct tap_carrier *tap_carrier_find(const struct network *network)
{
	return network->is_stream ? &bytes : &messages;
}
