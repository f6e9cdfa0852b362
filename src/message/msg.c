/* SPDX-License-Identifier: MIT */
/*
 * Datagrams go through the routines below, and so do packets without a lane.
 * Their rules: a message is whole or an error; it takes one system call unless
 * it has to wait; and unwanted control data is received into room for one item
 * without descriptors, so that no peer can make us own any.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/wait.h"
#include "message/buffer_private.h"
#include "message/control.h"
#include "message/msg_private.h"

static const unsigned int received_flags =
	UNIXMSG_CUT | UNIXMSG_CUT_CONTROL | UNIXMSG_HAS_CRED;

/* Linux keeps boundaries without MSG_EOR, other systems may not. */
static const int send_flags = MSG_NOSIGNAL | MSG_EOR;

/* MSG_TRUNC returns the true size, whatever the room is. */
static const int receive_flags = MSG_TRUNC | MSG_CMSG_CLOEXEC;

static const int64_t pause_first_us = 250;
static const int64_t pause_most_us = 16000;

void unixmsg_init(struct unixmsg *msg)
{
	memset(msg, 0, sizeof(*msg));
	unixcontrol__clear(msg);
}

void unixmsg_close_fds(struct unixmsg *msg)
{
	while (msg->fds_count > 0)
		fd_close(msg->fds[--msg->fds_count]);
	/* A received pidfd is above 2, see fd.h; 0 is from an all-zero
	 * message. */
	if (msg->pidfd > 0)
		fd_close(msg->pidfd);
	msg->pidfd = -1;
}

/* Returns the payload as parts; a payload in one piece becomes *part. */
static struct iovec *get_parts(const struct unixmsg *msg, struct iovec *part,
	size_t *count)
{
	*count = msg->parts_count;
	if (msg->parts != NULL)
		return msg->parts;
	part->iov_base = msg->data;
	part->iov_len = msg->room;
	*count = 1;
	return part;
}

int unixmsg__check(const struct unixmsg *msg, unsigned int allowed)
{
	size_t i, count = sizeof(msg->reserved) / sizeof(uint64_t);
	uint64_t reserved = 0;

	for (i = 0; i < count; i++)
		reserved |= msg->reserved[i];
	if (msg->parts == NULL && msg->parts_count > 0)
		reserved = 1;
	if (reserved == 0 && msg->parts_count <= IOV_MAX &&
		(msg->flags & ~(allowed | received_flags)) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

static int check_destination(const struct endpoint *end,
	const struct unixaddr *to)
{
	if (to == NULL)
		return 0;
	/* Linux would send it to that address, and not to the peer. */
	if (end->type == SOCK_DGRAM && end->is_connected) {
		errno = EISCONN;
		return -1;
	}
	if (end->type == SOCK_DGRAM &&
		unixaddr_get_kind(to) != UNIXADDR_UNNAMED)
		return 0;
	errno = EINVAL;
	return -1;
}

int unixmsg__check_to_send(const struct endpoint *end,
	const struct unixmsg *msg)
{
	if (unixmsg__check(msg, UNIXMSG_SEND_CRED) < 0)
		return -1;
	if (msg->fds_count > UNIXMSG_FDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	return check_destination(end, msg->addr);
}

static void set_destination(struct msghdr *header, const struct unixaddr *to)
{
	if (to == NULL)
		return;
	/* sendmsg(2) only reads, but its structure also serves recvmsg(2). */
	header->msg_name = (struct sockaddr *)unixaddr_get_sockaddr(to,
		&header->msg_namelen);
}

static void set_parts(struct msghdr *header, struct iovec *parts, size_t count)
{
	memset(header, 0, sizeof(*header));
	header->msg_iov = parts;
	/* The type is int or size_t, by libc; IOV_MAX fits in both. */
	header->msg_iovlen = (unsigned short)count;
}

static void set_payload(struct msghdr *header, const struct unixmsg *msg,
	struct iovec *part)
{
	size_t count;
	struct iovec *parts = get_parts(msg, part, &count);

	set_parts(header, parts, count);
}

int unixmsg__pack(const struct endpoint *end, const struct unixmsg *msg,
	struct msghdr *header, struct iovec *part, union control_all *control)
{
	if (unixmsg__check_to_send(end, msg) < 0)
		return -1;
	set_payload(header, msg, part);
	set_destination(header, msg->addr);
	if (unixcontrol__is_needed(msg))
		unixcontrol__put(header, control, msg);
	return 0;
}

int unixmsg__pack_part(const struct endpoint *end, struct iovec *part,
	const struct unixaddr *to, struct msghdr *header)
{
	if (check_destination(end, to) < 0)
		return -1;
	set_parts(header, part, 1);
	set_destination(header, to);
	return 0;
}

/*
 * poll(2) reports room in our own send buffer, and for a connected socket also
 * room in the peer's queue. It cannot report room in another queue (POLLOUT
 * stays set), so only another try is left.
 */
static int wait_to_send(struct wait *wait, bool is_addressed, int64_t *pause_us)
{
	const bool is_full = errno == EAGAIN;

	if (unixwait__again(wait) < 0)
		return -1;
	if (!is_addressed || !is_full)
		return 0;
	if (unixdeadline__pause(*pause_us, wait->end->stop_fd,
		    wait->deadline_us) < 0)
		return -1;
	if (*pause_us < pause_most_us)
		*pause_us *= 2;
	return 0;
}

/* The kernel takes bytes faster than a structure that points to them. */
static ssize_t transmit(int fd, const struct msghdr *header, int flags)
{
	if (header->msg_iovlen == 1 && header->msg_control == NULL)
		return sendto(fd, header->msg_iov->iov_base,
			header->msg_iov->iov_len, flags, header->msg_name,
			header->msg_namelen);
	return sendmsg(fd, header, flags);
}

int unixmsg__send_packed(struct endpoint *end, const struct msghdr *header,
	int64_t deadline_us)
{
	int64_t pause_us = pause_first_us;
	struct wait wait;
	int saved = errno;

	unixwait__begin(&wait, end, POLLOUT, deadline_us);
	while (transmit(end->fd, header, send_flags | wait.flags) < 0)
		if (wait_to_send(&wait, header->msg_name != NULL, &pause_us) <
			0)
			return -1;
	errno = saved;
	return 0;
}

int unixmsg__send_on(struct endpoint *end, const struct unixmsg *msg,
	int64_t deadline_us)
{
	union control_all control;
	struct msghdr header;
	struct iovec part;

	if (unixmsg__pack(end, msg, &header, &part, &control) < 0)
		return -1;
	return unixmsg__send_packed(end, &header, deadline_us);
}

/*
 * recvmsg(2) returns 0 for an empty message and at the end of file. But control
 * data marks every message of ours, see endpoint.c.
 */
static bool is_end(const struct endpoint *end, const struct msghdr *header,
	ssize_t size)
{
	if (size != 0 || end->type != SOCK_SEQPACKET)
		return false;
	if (end->is_named)
		return header->msg_namelen == 0;
	return header->msg_controllen == 0 &&
		(header->msg_flags & MSG_CTRUNC) == 0;
}

static bool is_marked(const struct endpoint *end)
{
	return end->type == SOCK_SEQPACKET &&
		(end->is_accepted || end->is_stamped);
}

/* The kernel truncates a mark faster than it writes one. */
bool unixmsg__is_mark_cut(const struct endpoint *end)
{
	return end->is_refusing_fds && end->wants == 0 && is_marked(end);
}

/* Turns the result of recvmsg(2) into the caller's: 1, 0 or -1. */
static int complete(const struct endpoint *end, struct unixmsg *msg,
	struct msghdr *header, ssize_t size)
{
	msg->size = (size_t)size;
	msg->flags &= ~received_flags;
	unixcontrol__take(header, msg, end->wants);
	if (msg->addr != NULL)
		unixaddr__correct(msg->addr, header->msg_namelen);
	if (is_end(end, header, size))
		return 0;
	if ((header->msg_flags & MSG_CTRUNC) != 0 && !unixmsg__is_mark_cut(end))
		msg->flags |= UNIXMSG_CUT_CONTROL;
	if ((header->msg_flags & MSG_TRUNC) == 0)
		return 1;
	msg->flags |= UNIXMSG_CUT;
	if (msg->flags & UNIXMSG_PREFIX)
		return 1;
	unixmsg_close_fds(msg);
	errno = EMSGSIZE;
	return -1;
}

/*
 * Asks for the sender's address if the caller wants it. If only its length is
 * needed, as the mark of a message, the kernel returns that without room for
 * the address. It then writes nothing into scratch, but AddressSanitizer
 * assumes that it has written so many bytes.
 */
static void set_source(const struct endpoint *end, struct msghdr *header,
	struct unixaddr *from, struct unixaddr *scratch)
{
	if (from != NULL) {
		header->msg_name = &from->sun;
		header->msg_namelen = UNIXMSG_ADDR_ROOM;
	} else if (end->is_named) {
		header->msg_name = &scratch->sun;
	}
}

static void set_control(struct msghdr *header, void *control, size_t size)
{
	if (size == 0)
		return;
	header->msg_control = control;
	header->msg_controllen = (socklen_t)size;
}

static void prepare(const struct endpoint *end, struct msghdr *header,
	const struct unixmsg *msg, struct iovec *part, struct unixaddr *scratch,
	void *control, size_t control_size)
{
	set_payload(header, msg, part);
	set_source(end, header, msg->addr, scratch);
	set_control(header, control, control_size);
}

/* If no control data is wanted, datagrams have no mark and get no room at all:
 * a descriptor would fit into any. */
size_t unixmsg__get_marks_size(const struct endpoint *end)
{
	const bool has_cred =
		(end->wants & UNIXMSG_WANT_CRED) != 0 || end->is_accepted;

	if (unixmsg__is_mark_cut(end))
		return 0;
	return ((size_t)end->is_stamped + has_cred) *
		sizeof(union control_mark);
}

size_t unixmsg__get_control_size(const struct endpoint *end)
{
	if (end->wants & (UNIXMSG_WANT_FDS | UNIXMSG_WANT_PIDFD))
		return sizeof(union control_all);
	return unixmsg__get_marks_size(end);
}

/* An empty datagram without a known sender may be a phantom, see wait.h. */
static int refuse_phantom(const struct wait *wait, size_t size,
	socklen_t name_length)
{
	if (size != 0 || name_length != 0 ||
		!unixwait__is_woken_by_shutdown(wait))
		return 0;
	errno = ESHUTDOWN;
	return -1;
}

/* Calls recvmsg(2) until it succeeds. Returns its result, or -1. */
static ssize_t fetch(struct endpoint *end, struct msghdr *header, int flags,
	int64_t deadline_us)
{
	struct wait wait;
	ssize_t size;
	int saved = errno;

	flags |= receive_flags;
	unixwait__begin(&wait, end, POLLIN, deadline_us);
	/* A call that fails does not change header. */
	while ((size = recvmsg(end->fd, header, flags | wait.flags)) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	unixwait__end(&wait);
	if (refuse_phantom(&wait, (size_t)size, header->msg_namelen) < 0)
		return -1;
	errno = saved;
	return size;
}

/* Does the same if only the bytes and their sender matter. */
static ssize_t fetch_datagram(struct endpoint *end, struct msghdr *header,
	int64_t deadline_us)
{
	const struct iovec *part = header->msg_iov;
	struct wait wait;
	ssize_t size;
	int saved = errno;

	unixwait__begin(&wait, end, POLLIN, deadline_us);
	while ((size = recvfrom(end->fd, part->iov_base, part->iov_len,
			receive_flags | wait.flags, header->msg_name,
			&header->msg_namelen)) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	unixwait__end(&wait);
	if (refuse_phantom(&wait, (size_t)size, header->msg_namelen) < 0)
		return -1;
	errno = saved;
	return size;
}

static int receive(struct endpoint *end, struct unixmsg *msg, int flags,
	int64_t deadline_us)
{
	union control_all control;
	struct unixaddr scratch;
	struct msghdr header;
	struct iovec part;
	ssize_t size;

	prepare(end, &header, msg, &part, &scratch, &control,
		unixmsg__get_control_size(end));
	size = fetch(end, &header, flags, deadline_us);
	return size < 0 ? -1 : complete(end, msg, &header, size);
}

int unixmsg__check_to_receive(const struct endpoint *end,
	const struct unixmsg *msg)
{
	if (unixmsg__check(msg, UNIXMSG_PREFIX | UNIXMSG_PEEK) < 0)
		return -1;
	if (msg->fds_room == 0 || (end->wants & UNIXMSG_WANT_FDS) != 0)
		return 0;
	errno = EINVAL;
	return -1;
}

void unixmsg__reset(struct unixmsg *msg)
{
	msg->flags &= ~received_flags;
	/* The caller owns the last descriptors, and may have closed them. */
	unixcontrol__clear(msg);
}

int unixmsg__recv_on(struct endpoint *end, struct unixmsg *msg,
	int64_t deadline_us)
{
	if (unixmsg__check_to_receive(end, msg) < 0)
		return -1;
	return receive(end, msg,
		(msg->flags & UNIXMSG_PEEK) != 0 ? MSG_PEEK : 0, deadline_us);
}

int unixmsg__peek_size_on(struct endpoint *end, size_t *size,
	int64_t deadline_us)
{
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.flags = UNIXMSG_PREFIX;
	result = receive(end, &msg, MSG_PEEK, deadline_us);
	/* MSG_PEEK makes copies of descriptors. */
	unixmsg_close_fds(&msg);
	*size = msg.size;
	return result;
}

int unixmsg__send_data_on(struct endpoint *end, const void *data, size_t size,
	int64_t deadline_us)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr header;

	set_parts(&header, &part, 1);
	return unixmsg__send_packed(end, &header, deadline_us);
}

/* Receives when descriptors or a pidfd may arrive, and closes them. */
static int recv_data_and_fds(struct endpoint *end, struct iovec *part,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.parts = part;
	msg.parts_count = 1;
	msg.addr = from;
	result = unixmsg__recv_on(end, &msg, deadline_us);
	unixmsg_close_fds(&msg);
	*size = msg.size;
	return result;
}

/*
 * Receives only bytes, which is all that most messages have. Without room for
 * control data the kernel closes descriptors, and MSG_CTRUNC marks a message.
 * Datagrams need no mark, as they have no end of file, and so no structure that
 * the kernel has to read first: recvmsg(2) takes a tenth longer than recv(2).
 */
static int recv_data_only(struct endpoint *end, struct iovec *part,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct unixaddr scratch;
	struct msghdr header;
	ssize_t got;

	set_parts(&header, part, 1);
	set_source(end, &header, from, &scratch);
	/* recvfrom(2) is cheaper if no flag of recvmsg(2) is needed. */
	if (end->type == SOCK_DGRAM || end->is_named)
		got = fetch_datagram(end, &header, deadline_us);
	else
		got = fetch(end, &header, 0, deadline_us);
	*size = got < 0 ? 0 : (size_t)got;
	if (got < 0)
		return -1;
	if (from != NULL)
		unixaddr__correct(from, header.msg_namelen);
	if (is_end(end, &header, got))
		return 0;
	if ((size_t)got <= part->iov_len)
		return 1;
	errno = EMSGSIZE;
	return -1;
}

int unixmsg__recv_data_on(struct endpoint *end, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct iovec part = { .iov_base = data, .iov_len = room };

	if (end->wants & (UNIXMSG_WANT_FDS | UNIXMSG_WANT_PIDFD))
		return recv_data_and_fds(end, &part, size, from, deadline_us);
	return recv_data_only(end, &part, size, from, deadline_us);
}

/* Grows the buffer for the next message, as far as its bound allows. */
static int fit_buffer(struct endpoint *end, struct unixbuffer *buffer,
	int64_t deadline_us)
{
	size_t size;
	int result = unixmsg__peek_size_on(end, &size, deadline_us);

	if (result < 1)
		return result;
	if (unixbuffer__reserve(buffer, size) < 0 && errno != EMSGSIZE)
		return -1;
	return 1;
}

int unixmsg__recv_buffer_on(struct endpoint *end, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	int saved = errno;
	int result = fit_buffer(end, buffer, deadline_us);

	buffer->size = 0;
	if (result < 1)
		return result;
	errno = saved;
	return unixmsg__recv_data_on(end, buffer->data, buffer->room,
		&buffer->size, from, deadline_us);
}

int unixmsg__check_batch_to_send(const struct endpoint *end,
	const struct unixmsg *msgs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (unixmsg__check_to_send(end, &msgs[i]) < 0)
			return -1;
		if (!unixcontrol__is_needed(&msgs[i]))
			continue;
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static unsigned int get_batch_size(size_t count)
{
	return count < UNIXMSG_BATCH_MAX ? (unsigned int)count
					 : UNIXMSG_BATCH_MAX;
}

/*
 * Sends as many as one system call takes. Returns their number or -1. The flags
 * of sendmmsg(2) and recvmmsg(2) are an int, in some C libraries an unsigned
 * one.
 */
static int send_some(const struct endpoint *end, const struct unixmsg *msgs,
	size_t count, int flags)
{
	struct mmsghdr headers[UNIXMSG_BATCH_MAX];
	struct iovec parts[UNIXMSG_BATCH_MAX];
	unsigned int i, size = get_batch_size(count);

	for (i = 0; i < size; i++) {
		set_payload(&headers[i].msg_hdr, &msgs[i], &parts[i]);
		set_destination(&headers[i].msg_hdr, msgs[i].addr);
	}
	return sendmmsg(end->fd, headers, size, flags & INT_MAX);
}

int unixmsg__send_batch_on(struct endpoint *end, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	int64_t pause_us = pause_first_us;
	struct wait wait;
	int result, saved = errno;

	*sent = 0;
	if (unixmsg__check_batch_to_send(end, msgs, count) < 0)
		return -1;
	unixwait__begin(&wait, end, POLLOUT, deadline_us);
	while (*sent < count) {
		result = send_some(end, msgs + *sent, count - *sent,
			send_flags | wait.flags);
		if (result >= 0) {
			*sent += (size_t)result;
			pause_us = pause_first_us;
			continue;
		}
		if (wait_to_send(&wait, msgs[*sent].addr != NULL, &pause_us) <
			0)
			return -1;
	}
	errno = saved;
	return 0;
}

/*
 * At the end of a connection recvmmsg(2) fills all the remaining headers with
 * messages that nobody sent.
 */
static int complete_batch(const struct endpoint *end, struct unixmsg *msgs,
	struct mmsghdr *headers, int count, size_t *received)
{
	int i, saved = errno;

	for (i = 0; i < count; i++) {
		if (complete(end, &msgs[i], &headers[i].msg_hdr,
			    (ssize_t)headers[i].msg_len) == 0)
			break;
	}
	errno = saved;
	*received = (size_t)i;
	return i > 0;
}

/* Receives as many as are there, in one system call, or fails. */
static int receive_some(const struct endpoint *end, struct unixmsg *msgs,
	size_t count, size_t *received, int flags)
{
	struct mmsghdr headers[UNIXMSG_BATCH_MAX];
	union control_mark controls[UNIXMSG_BATCH_MAX][CONTROL_MARKS_MAX];
	size_t control_size = unixmsg__get_marks_size(end);
	struct iovec parts[UNIXMSG_BATCH_MAX];
	unsigned int i, size = get_batch_size(count);
	struct unixaddr scratch;
	int result;

	for (i = 0; i < size; i++)
		prepare(end, &headers[i].msg_hdr, &msgs[i], &parts[i], &scratch,
			controls[i], control_size);
	result = recvmmsg(end->fd, headers, size, flags & INT_MAX, NULL);
	if (result < 0)
		return -1;
	return complete_batch(end, msgs, headers, result, received);
}

/* The call sleeps for its first message only: no phantom follows one. */
static int refuse_batch_of_phantom(const struct wait *wait,
	const struct unixmsg *msgs, size_t received)
{
	const bool is_named = received > 0 && msgs[0].addr != NULL &&
		unixaddr_get_kind(msgs[0].addr) != UNIXADDR_UNNAMED;

	return received != 1 || is_named
		? 0
		: refuse_phantom(wait, msgs[0].size, 0);
}

int unixmsg__check_batch(const struct unixmsg *msgs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (unixmsg__check(&msgs[i], UNIXMSG_PREFIX) < 0)
			return -1;
		else if (msgs[i].fds_room > 0)
			break;
	if (i == count && count > 0)
		return 0;
	errno = EINVAL;
	return -1;
}

/* The timeout of recvmmsg(2) does not end a wait, but poll(2) does. */
int unixmsg__recv_batch_on(struct endpoint *end, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	const int flags = receive_flags | MSG_WAITFORONE;
	struct wait wait;
	int result, saved = errno;

	*received = 0;
	if (unixmsg__check_batch(msgs, count) < 0)
		return -1;
	unixwait__begin(&wait, end, POLLIN, deadline_us);
	while ((result = receive_some(end, msgs, count, received,
			flags | wait.flags)) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	unixwait__end(&wait);
	if (refuse_batch_of_phantom(&wait, msgs, *received) < 0) {
		*received = 0;
		return -1;
	}
	errno = saved;
	return result;
}
