/* SPDX-License-Identifier: MIT */
/*
 * All messages go through the two routines below. Their rules: a message is
 * whole or an error; it takes one system call unless it has to wait; control
 * data is received into room for one item without descriptors, so that no
 * peer can make us own a descriptor.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deadline_private.h"
#include "msg_private.h"

static const unsigned int received_flags = UNIXMSG_CUT | UNIXMSG_CUT_CONTROL;

static const int64_t pause_first_us = 250;
static const int64_t pause_most_us = 16000;

/*
 * Room for one struct ucred or one time stamp. Whichever of them marks the
 * messages of a socket stands before descriptors and leaves no room for any.
 */
union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(2 * sizeof(uint64_t))];
};

void unixmsg_init(struct unixmsg *msg)
{
	memset(msg, 0, sizeof(*msg));
}

static int check_msg(const struct unixmsg *msg, unsigned int allowed)
{
	size_t i, count = sizeof(msg->reserved) / sizeof(uint64_t);
	uint64_t reserved = 0;

	for (i = 0; i < count; i++)
		reserved |= msg->reserved[i];
	if (reserved == 0 && msg->parts_count <= IOV_MAX &&
		(msg->flags & ~(allowed | received_flags)) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

static int check_to_send(const struct endpoint *end, const struct unixmsg *msg)
{
	if (check_msg(msg, 0) < 0)
		return -1;
	if (msg->addr == NULL)
		return 0;
	/* Linux would send it there all the same, and not to the peer. */
	if (end->type == SOCK_DGRAM && end->is_connected) {
		errno = EISCONN;
		return -1;
	}
	if (end->type == SOCK_DGRAM &&
		unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED)
		return 0;
	errno = EINVAL;
	return -1;
}

static void set_destination(struct msghdr *header, const struct unixaddr *to)
{
	if (to == NULL)
		return;
	/* sendmsg(2) reads only; its structure serves recvmsg(2) as well. */
	header->msg_name = (struct sockaddr *)unixaddr_get_sockaddr(to,
		&header->msg_namelen);
}

/*
 * Polling tells when our own send buffer has room again, and for a connected
 * socket also when the peer's queue has. When another's queue is full nothing
 * can be polled (POLLOUT stays set): then only trying again is left.
 */
static int wait_to_send(const struct endpoint *end, bool is_addressed,
	int64_t *pause_us, int64_t deadline_us)
{
	if (unixdeadline_wait(end->fd, POLLOUT, end->stop_fd, deadline_us) < 0)
		return -1;
	if (!is_addressed)
		return 0;
	if (unixdeadline_pause(*pause_us, end->stop_fd, deadline_us) < 0)
		return -1;
	if (*pause_us < pause_most_us)
		*pause_us *= 2;
	return 0;
}

int unixmsg_send_on(const struct endpoint *end, const struct unixmsg *msg,
	int64_t deadline_us)
{
	struct msghdr header = {
		.msg_iov = msg->parts,
		.msg_iovlen = msg->parts_count,
	};
	/* Linux keeps boundaries without MSG_EOR, other systems may not. */
	int flags = MSG_NOSIGNAL | MSG_EOR;
	int64_t pause_us = pause_first_us;
	int saved = errno;

	if (check_to_send(end, msg) < 0)
		return -1;
	set_destination(&header, msg->addr);
	if (!unixdeadline_is_endless(end->stop_fd, deadline_us))
		flags |= MSG_DONTWAIT;
	while (sendmsg(end->fd, &header, flags) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -1;
		if (wait_to_send(end, msg->addr != NULL, &pause_us,
			    deadline_us) < 0)
			return -1;
	}
	errno = saved;
	return 0;
}

static void close_descriptors(const struct cmsghdr *item)
{
	const int *fds = (const int *)(const void *)CMSG_DATA(item);
	size_t i, count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (i = 0; i < count; i++)
		close(fds[i]);
}

/* There is no room for any; whatever changes that must not leak them. */
static void drop_descriptors(struct msghdr *header)
{
	struct cmsghdr *item;

	for (item = CMSG_FIRSTHDR(header); item != NULL;
		item = CMSG_NXTHDR(header, item))
		if (item->cmsg_level == SOL_SOCKET &&
			item->cmsg_type == SCM_RIGHTS)
			close_descriptors(item);
}

/*
 * recvmsg(2) gives 0 both for an empty message and for the end. But every
 * message of ours is marked by control data, see endpoint.c.
 */
static bool is_end(const struct endpoint *end, const struct msghdr *header,
	ssize_t size)
{
	return size == 0 && end->type == SOCK_SEQPACKET &&
		header->msg_controllen == 0 &&
		(header->msg_flags & MSG_CTRUNC) == 0;
}

static int settle(const struct endpoint *end, struct unixmsg *msg,
	struct msghdr *header, ssize_t size)
{
	drop_descriptors(header);
	msg->size = (size_t)size;
	msg->flags &= ~received_flags;
	if (msg->addr != NULL)
		unixaddr_settle(msg->addr, header->msg_namelen);
	if (is_end(end, header, size))
		return 0;
	if (header->msg_flags & MSG_CTRUNC)
		msg->flags |= UNIXMSG_CUT_CONTROL;
	if ((header->msg_flags & MSG_TRUNC) == 0)
		return 1;
	msg->flags |= UNIXMSG_CUT;
	if (msg->flags & UNIXMSG_PREFIX)
		return 1;
	errno = EMSGSIZE;
	return -1;
}

static void prepare(struct msghdr *header, const struct endpoint *end,
	const struct unixmsg *msg, union control *control)
{
	memset(header, 0, sizeof(*header));
	header->msg_iov = msg->parts;
	header->msg_iovlen = msg->parts_count;
	if (msg->addr != NULL) {
		header->msg_name = &msg->addr->sun;
		header->msg_namelen = UNIXMSG_ADDR_ROOM;
	}
	/* Datagrams are not marked: no room, or a descriptor would fit. */
	if (end->type != SOCK_SEQPACKET)
		return;
	header->msg_control = control;
	header->msg_controllen = sizeof(*control);
}

static int receive(const struct endpoint *end, struct unixmsg *msg, int flags,
	int64_t deadline_us)
{
	union control control;
	struct msghdr header;
	ssize_t size;
	int saved = errno;

	if (!unixdeadline_is_endless(end->stop_fd, deadline_us))
		flags |= MSG_DONTWAIT;
	for (;;) {
		prepare(&header, end, msg, &control);
		size = recvmsg(end->fd, &header, flags);
		if (size >= 0)
			break;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -1;
		if (unixdeadline_wait(end->fd, POLLIN, end->stop_fd,
			    deadline_us) < 0)
			return -1;
	}
	errno = saved;
	return settle(end, msg, &header, size);
}

int unixmsg_recv_on(const struct endpoint *end, struct unixmsg *msg,
	int64_t deadline_us)
{
	if (check_msg(msg, UNIXMSG_PREFIX) < 0)
		return -1;
	/* MSG_TRUNC: tell the true size, whatever the room is. */
	return receive(end, msg, MSG_TRUNC | MSG_CMSG_CLOEXEC, deadline_us);
}

int unixmsg_peek_size_on(const struct endpoint *end, size_t *size,
	int64_t deadline_us)
{
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.flags = UNIXMSG_PREFIX;
	result = receive(end, &msg, MSG_PEEK | MSG_TRUNC | MSG_CMSG_CLOEXEC,
		deadline_us);
	*size = msg.size;
	return result;
}

int unixmsg_send_data_on(const struct endpoint *end, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = size };
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.addr = (struct unixaddr *)to;
	return unixmsg_send_on(end, &msg, deadline_us);
}

int unixmsg_recv_data_on(const struct endpoint *end, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct iovec part = { .iov_base = data, .iov_len = room };
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.addr = from;
	result = unixmsg_recv_on(end, &msg, deadline_us);
	if (size != NULL)
		*size = msg.size;
	return result;
}
