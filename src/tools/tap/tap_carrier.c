/* SPDX-License-Identifier: MIT */
/*
 * unixconn_read receives no descriptors, and a stream of bytes has no frames
 * that unixconn_recv_msg could find. So this file reads streams by system
 * calls: Wayland and D-Bus pass descriptors on them.
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

/* Room for credentials, aligned for struct cmsghdr. */
union writer {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
};

/* Room for descriptors too. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) +
		CMSG_SPACE(UNIXMSG_FDS_MAX * sizeof(int))];
};

/* Adds a part to the control data of head, which has room for it. */
static void put(struct msghdr *head, int type, const void *data, size_t size)
{
	char *place = (char *)head->msg_control + head->msg_controllen;
	struct cmsghdr *part = (struct cmsghdr *)(void *)place;

	memset(part, 0, CMSG_SPACE(size));
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = type;
	part->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(part), data, size);
	head->msg_controllen += CMSG_SPACE(size);
}

static void put_writer(struct msghdr *head, const struct unixmsg *out)
{
	const struct ucred cred = { out->cred.pid, out->cred.uid,
		out->cred.gid };

	if ((out->flags & UNIXMSG_SEND_CRED) != 0)
		put(head, SCM_CREDENTIALS, &cred, sizeof(cred));
}

static void put_fds(struct msghdr *head, const struct unixmsg *out)
{
	if (out->fds_count > 0)
		put(head, SCM_RIGHTS, out->fds,
			out->fds_count * sizeof(*out->fds));
}

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
	result = tap_send(conn, &out);
	if (result < 0 && errno == EMSGSIZE &&
		unixconn_raise_size_max(conn, msg->size, &reached) == 0)
		result = tap_send(conn, &out);
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
		heads[i].msg_hdr.msg_control = &writers[i];
		put_writer(&heads[i].msg_hdr, &out);
	}
	return sendmmsg(unixconn_get_fd(conn), heads, (unsigned int)count,
		MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* If a batch stops at a message, tries that message alone: it may be too large,
 * or have a writer that is gone. */
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

static void take_fds(struct unixmsg *msg, struct cmsghdr *part)
{
	msg->fds_count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(*msg->fds);
	memcpy(msg->fds, CMSG_DATA(part), msg->fds_count * sizeof(*msg->fds));
}

/* The kernel reports no user for bytes that were sent before we asked. */
static void take_writer(struct unixmsg *msg, struct cmsghdr *part)
{
	struct ucred cred;

	memcpy(&cred, CMSG_DATA(part), sizeof(cred));
	if (cred.pid == 0 && cred.uid == TAP_NOBODY)
		return;
	msg->cred = (struct unixcred){ cred.pid, cred.uid, cred.gid };
	msg->flags |= UNIXMSG_HAS_CRED;
}

static void take_control(struct unixmsg *msg, struct msghdr *head)
{
	struct cmsghdr *part;

	for (part = CMSG_FIRSTHDR(head); part != NULL;
		part = CMSG_NXTHDR(head, part)) {
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_RIGHTS)
			take_fds(msg, part);
		else if (part->cmsg_type == SCM_CREDENTIALS)
			take_writer(msg, part);
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
	take_control(msg, &head);
	if ((head.msg_flags & MSG_CTRUNC) != 0)
		msg->flags |= UNIXMSG_CUT_CONTROL;
	return 1;
}

static ssize_t send_piece(const struct unixconn *conn,
	const struct unixmsg *out)
{
	union control control;
	struct iovec part = { .iov_base = out->data, .iov_len = out->room };
	struct msghdr head = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
	};

	put_writer(&head, out);
	put_fds(&head, out);
	return sendmsg(unixconn_get_fd(conn), &head,
		MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The kernel passes descriptors with the first byte. */
static int send_some_bytes(struct unixconn *conn, struct unixmsg *msg)
{
	struct unixmsg out;
	ssize_t sent;

	tap_readdress(&out, msg);
	do
		sent = send_piece(conn, &out);
	while (sent < 0 && (errno == EINTR || tap_stand_in(&out)));
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
