/* SPDX-License-Identifier: MIT */
/* The bytes of streams, and the descriptors and credentials beside them. */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/wait.h"
#include "message/control.h"
#include "network/stream_private.h"

void unixstream__drop_ancillary(struct stream *stream)
{
	if (stream->ancillary == NULL)
		return;
	unixmsg_close_fds(&stream->ancillary->msg);
	unixmsg_init(&stream->ancillary->msg);
	stream->ancillary->msg.fds = stream->ancillary->fds;
}

void unixstream__hand_over(struct stream *stream, struct unixmsg *msg)
{
	struct unixmsg *all;

	if (stream->ancillary == NULL)
		return;
	all = &stream->ancillary->msg;
	while (all->fds_count > msg->fds_room) {
		fd_close(all->fds[--all->fds_count]);
		all->fds_lost++;
	}
	if (all->fds_count > 0)
		memcpy(msg->fds, all->fds, all->fds_count * sizeof(int));
	msg->fds_count = all->fds_count;
	msg->fds_lost = all->fds_lost;
	msg->flags |= all->flags;
	if (all->fds_lost > 0)
		msg->flags |= UNIXMSG_CUT_CONTROL;
	msg->cred = all->cred;
	msg->pidfd = all->pidfd;
	all->fds_count = 0;
	all->pidfd = -1;
	unixstream__drop_ancillary(stream);
}

/* Receives into two parts. A single one needs no structure, see msg.c. */
static ssize_t obtain(int fd, struct iovec parts[2], int flags)
{
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	struct iovec *only = &parts[parts[0].iov_len == 0];

	if (parts[0].iov_len == 0 || parts[1].iov_len == 0)
		return recv(fd, only->iov_base, only->iov_len, flags);
	return recvmsg(fd, &header, flags);
}

int unixstream__read_parts(struct endpoint *end, struct iovec parts[2],
	size_t *size, int64_t deadline_us)
{
	struct wait wait;
	int saved = errno;
	ssize_t got;

	unixwait__begin(&wait, end, POLLIN, deadline_us);
	while ((got = obtain(end->fd, parts, wait.flags)) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	unixwait__end(&wait);
	errno = saved;
	*size = (size_t)got;
	return got > 0;
}

static void advance_part(struct iovec *part, size_t count)
{
	/* An empty part may have no address, and NULL + 0 is undefined. */
	if (count == 0)
		return;
	part->iov_base = (char *)part->iov_base + count;
	part->iov_len -= count;
}

void unixstream__advance(struct iovec *parts, size_t count, size_t bytes)
{
	size_t i, taken;

	for (i = 0; i < count && bytes > 0; i++) {
		taken = bytes < parts[i].iov_len ? bytes : parts[i].iov_len;
		advance_part(&parts[i], taken);
		bytes -= taken;
	}
}

void unixstream__advance_output(struct output *output, size_t bytes)
{
	if (bytes == output->left) {
		output->left = 0;
		return;
	}
	unixstream__advance(output->parts, output->count, bytes);
	output->left -= bytes;
	/* Some part has what is left. */
	while (output->parts->iov_len == 0) {
		output->parts++;
		output->count--;
	}
}

static void set_parts(struct msghdr *header, const struct output *output)
{
	memset(header, 0, sizeof(*header));
	header->msg_iov = output->parts;
	/* The type is int or size_t, by libc; IOV_MAX fits in both. */
	header->msg_iovlen =
		(unsigned short)(output->count < IOV_MAX ? output->count
							 : IOV_MAX);
}

/* Sends the control data with the first byte, and only once. */
static ssize_t transmit_with(int fd, struct output *output, int flags)
{
	union control_all control;
	struct msghdr header;
	ssize_t put;

	set_parts(&header, output);
	unixcontrol__put(&header, &control, output->with);
	put = sendmsg(fd, &header, flags);
	if (put >= 0)
		output->with = NULL;
	return put;
}

/* A single part needs no structure, see msg.c. */
static ssize_t transmit(int fd, struct output *output, int flags)
{
	struct msghdr header;

	if (output->with != NULL)
		return transmit_with(fd, output, flags);
	if (output->count == 1)
		return send(fd, output->parts->iov_base, output->parts->iov_len,
			flags);
	set_parts(&header, output);
	return sendmsg(fd, &header, flags);
}

int unixstream__write_output(struct endpoint *end, struct output *output,
	int64_t deadline_us)
{
	struct wait wait;
	int saved = errno;
	ssize_t put;

	unixwait__begin(&wait, end, POLLOUT, deadline_us);
	while (output->left > 0) {
		put = transmit(end->fd, output, MSG_NOSIGNAL | wait.flags);
		if (put >= 0)
			unixstream__advance_output(output, (size_t)put);
		else if (unixwait__again(&wait) < 0)
			return -1;
	}
	errno = saved;
	return 0;
}

/* Adds the control data in header to what has arrived before. */
static void carry(struct stream *stream, struct msghdr *header)
{
	struct unixmsg *all = &stream->ancillary->msg;
	const unsigned int wants = stream->conn.end.wants;
	struct unixmsg more = { .fds = all->fds + all->fds_count };

	if ((wants & UNIXMSG_WANT_FDS) != 0)
		more.fds_room = UNIXMSG_FDS_MAX - all->fds_count;
	unixcontrol__take(header, &more, wants);
	all->fds_count += more.fds_count;
	all->fds_lost += more.fds_lost;
	all->flags |= more.flags & UNIXMSG_CUT_CONTROL;
	if ((header->msg_flags & MSG_CTRUNC) != 0)
		all->flags |= UNIXMSG_CUT_CONTROL;
	/* If two processes have written one message, the first one counts. */
	if ((all->flags & UNIXMSG_HAS_CRED) == 0) {
		all->flags |= more.flags & UNIXMSG_HAS_CRED;
		all->cred = more.cred;
	}
	if (all->pidfd < 0)
		all->pidfd = more.pidfd;
	else
		fd_close(more.pidfd);
}

static int reserve_ancillary(struct stream *stream)
{
	if (stream->ancillary != NULL)
		return 0;
	stream->ancillary = calloc(1, sizeof(*stream->ancillary));
	if (stream->ancillary == NULL)
		return -1;
	unixstream__drop_ancillary(stream);
	return 0;
}

int unixstream__read_ancillary(struct stream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	struct iovec part = { .iov_base = data, .iov_len = room };
	union control_all control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct wait wait;
	int saved = errno;
	ssize_t got;

	if (reserve_ancillary(stream) < 0)
		return -1;
	unixwait__begin(&wait, &stream->conn.end, POLLIN, deadline_us);
	while ((got = recvmsg(stream->conn.end.fd, &header,
			MSG_CMSG_CLOEXEC | wait.flags)) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	unixwait__end(&wait);
	carry(stream, &header);
	errno = saved;
	*size = (size_t)got;
	return got > 0;
}
