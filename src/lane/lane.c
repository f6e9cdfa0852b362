/* SPDX-License-Identifier: MIT */
/* The beginning and the end of a lane, and its sending half. */
#include <config.h>

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lane/lane.h"
#include "message/buffer_private.h"
#include "message/msg_private.h"

static int refuse(int error)
{
	errno = error;
	return -1;
}

int unixlane__get_size_max(const struct endpoint *end, size_t *size)
{
	if (unixendpoint__get_size_max(end, size) < 0)
		return -1;
	*size -= *size < UNIXLANE_SPARE ? *size : UNIXLANE_SPARE;
	return 0;
}

static void set_size_max(struct lane *lane, size_t size)
{
	lane->size_max = size;
	unixring__limit(&lane->out, size);
}

int unixlane__learn_size_max(struct lane *lane)
{
	size_t size;

	if (unixlane__get_size_max(lane->end, &size) < 0)
		return -1;
	set_size_max(lane, size);
	return 0;
}

int unixlane__set_up(struct lane *lane, const struct endpoint *end,
	struct segment *mine, struct segment *theirs)
{
	size_t size;

	if (unixlane__get_size_max(end, &size) < 0)
		return -1;
	if (size == 0)
		return refuse(ENOBUFS);
	lane->end = end;
	lane->owner = getpid();
	lane->mine = *mine;
	lane->theirs = *theirs;
	unixring__set_up(&lane->out, &lane->in, mine, theirs);
	set_size_max(lane, size);
	*mine = *theirs = (struct segment){ 0 };
	return 0;
}

/* Sending */

static bool is_shortage(int error)
{
	return error == ENOBUFS || error == ENOMEM;
}

int unixlane__ring_bell(struct lane *lane)
{
	const char kind = UNIXLANE_BELL;
	const int saved = errno;
	ssize_t sent;

	do
		sent = send(lane->end->fd, &kind, 1,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (unixlane__try_again(lane, sent));
	lane->bells++;
	lane->is_bell_due = sent < 0 && is_shortage(errno);
	if (sent < 0 && errno != EAGAIN && !lane->is_bell_due)
		return -1;
	errno = saved;
	return 0;
}

/* Rings the bell if the peer sleeps and has to know of what was published. */
static int tell(struct lane *lane)
{
	return unixring__tell(&lane->out) ? unixlane__ring_bell(lane) : 0;
}

static void copy_in(char *place, const struct msghdr *header)
{
	const struct iovec *parts = header->msg_iov;
	const size_t count = unixlane__count_parts(header);
	size_t i;

	for (i = 1; i < count; i++) {
		if (parts[i].iov_len > 0)
			memcpy(place, parts[i].iov_base, parts[i].iov_len);
		place += parts[i].iov_len;
	}
}

static bool is_half_free(const struct lane *lane)
{
	return unixring__get_unread(&lane->out) <= lane->out.size / 2;
}

/*
 * Waits until half of the ring is free: with less room, the two would wake each
 * other for each message. The reader can make room only if it knows of the
 * records.
 */
static int yield_for_room(struct lane *lane)
{
	const int64_t since_us = unixyield__begin(&lane->for_room);

	if (tell(lane) < 0)
		return -1;
	if (since_us == 0)
		return 0;
	do
		sched_yield();
	while (!is_half_free(lane) && !unixyield__is_late(since_us));
	if (!is_half_free(lane))
		unixyield__rest(&lane->for_room, since_us);
	return 0;
}

/* A detour by the socket costs more than a short wait for the reader. */
static char *find_room(struct lane *lane, size_t size, bool is_patient)
{
	char *place = unixring__reserve(&lane->out, size);

	if (place != NULL || !is_patient || errno != EAGAIN)
		return place;
	return yield_for_room(lane) < 0 ? NULL
					: unixring__reserve(&lane->out, size);
}

/*
 * Sends a message by the socket. First a marker gives it its place behind all
 * records in the ring. If the send fails, takes the marker back.
 */
static int send_marked(struct lane *lane, const struct msghdr *header)
{
	char kind = UNIXLANE_MESSAGE;
	ssize_t sent;
	int error;

	header->msg_iov[0] = (struct iovec){ .iov_base = &kind, .iov_len = 1 };
	unixring__mark(&lane->out);
	do
		sent = sendmsg(lane->end->fd, header,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (unixlane__try_again(lane, sent));
	if (sent >= 0) {
		unixring__keep_mark(&lane->out);
		lane->detours++;
		return 0;
	}
	error = errno;
	if (unixring__unmark(&lane->out))
		unixlane__ring_bell(lane);
	return refuse(error);
}

/* Private memory for what goes by the socket. */
static char *find_spare(struct lane *lane, size_t size)
{
	if (unixlane__learn_size_max(lane) < 0)
		return NULL;
	lane->spare.room_max = lane->size_max;
	return unixbuffer__reserve(&lane->spare, size == 0 ? 1 : size) < 0
		? NULL
		: lane->spare.data;
}

/* Joins the parts of a message. */
static int send_joined(struct lane *lane, const struct msghdr *header,
	size_t size)
{
	struct iovec parts[2] = { { 0 }, { find_spare(lane, size), size } };
	struct msghdr joined = *header;

	if (parts[1].iov_base == NULL)
		return -1;
	copy_in(parts[1].iov_base, header);
	joined.msg_iov = parts;
	joined.msg_iovlen = 2;
	return send_marked(lane, &joined);
}

static int send_by_socket(struct lane *lane, const struct msghdr *header,
	size_t size)
{
	if (unixlane__learn_size_max(lane) < 0)
		return -1;
	if (size > lane->size_max)
		return refuse(EMSGSIZE);
	return unixlane__has_too_many_parts(header)
		? send_joined(lane, header, size)
		: send_marked(lane, header);
}

static int send_one(struct lane *lane, const struct msghdr *header,
	bool is_patient)
{
	const size_t size = unixlane__add_up(header);
	char *place;

	if (header->msg_controllen > 0 || unixlane__is_ring_shut(lane))
		return send_by_socket(lane, header, size);
	place = find_room(lane, size, is_patient);
	if (place == NULL && errno != EAGAIN && errno != EMSGSIZE)
		return errno == EPROTO ? unixlane__fail(lane) : -1;
	if (place == NULL)
		return send_by_socket(lane, header, size);
	copy_in(place, header);
	unixring__commit(&lane->out, size);
	return 0;
}

/*
 * Tells the peer of the messages before a failed one, too. If the bell fails,
 * the last message counts as failed.
 */
static int send_all(struct lane *lane, const struct msghdr *headers,
	size_t count, size_t *sent, bool is_patient)
{
	int error;

	for (*sent = 0; *sent < count; ++*sent)
		if (send_one(lane, &headers[*sent], is_patient) < 0)
			break;
	error = errno;
	if (tell(lane) == 0 && *sent == count)
		return 0;
	if (*sent < count)
		return refuse(error);
	--*sent;
	return -1;
}

int unixlane__send(struct lane *lane, const struct msghdr *headers,
	size_t count, size_t *sent, bool is_patient)
{
	const int saved = errno;
	int result = -1;

	*sent = 0;
	if (lane->has_failed)
		return refuse(EPROTO);
	if (unixturn__take(&lane->sending) < 0)
		return -1;
	if (!lane->is_bell_due || unixlane__ring_bell(lane) == 0)
		result = send_all(lane, headers, count, sent, is_patient);
	unixturn__give(&lane->sending);
	if (result == 0)
		errno = saved;
	return result;
}

static char *find_place(struct lane *lane, size_t size, bool is_patient)
{
	char *place;

	if (unixlane__is_ring_shut(lane))
		return find_spare(lane, size);
	place = find_room(lane, size, is_patient);
	if (place != NULL)
		return place;
	if (errno == EPROTO)
		unixlane__fail(lane);
	return errno == EAGAIN || errno == EMSGSIZE ? find_spare(lane, size)
						    : NULL;
}

int unixlane__reserve(struct lane *lane, size_t size, void **data,
	bool is_patient)
{
	const int saved = errno;

	if (lane->has_failed)
		return refuse(EPROTO);
	if (unixturn__take(&lane->sending) < 0)
		return -1;
	lane->reserved = find_place(lane, size, is_patient);
	if (lane->reserved == NULL) {
		unixturn__give(&lane->sending);
		return -1;
	}
	lane->reserved_size = size;
	*data = lane->reserved;
	unixturn__hold(&lane->sending);
	errno = saved;
	return 0;
}

/* If a marker was tried meanwhile, the place is no longer at the tail. Nobody
 * else writes there, so it still holds the message. */
static int commit(struct lane *lane, size_t size)
{
	struct iovec parts[2] = { { 0 }, { lane->reserved, size } };
	const struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };

	if (lane->has_failed)
		return refuse(EPROTO);
	if (lane->is_bell_due && unixlane__ring_bell(lane) < 0)
		return -1;
	if (lane->reserved != (char *)(unixring__at_tail(&lane->out) + 1) ||
		unixlane__is_ring_shut(lane))
		return send_by_socket(lane, &header, size);
	unixring__commit(&lane->out, size);
	return tell(lane);
}

int unixlane__commit(struct lane *lane, size_t size)
{
	const int saved = errno;
	int result;

	if (!unixturn__resume(&lane->sending))
		return refuse(EINVAL);
	if (size > lane->reserved_size) {
		unixturn__hold(&lane->sending);
		return refuse(EINVAL);
	}
	result = commit(lane, size);
	if (result < 0 && errno == EAGAIN)
		unixturn__hold(&lane->sending);
	else
		unixturn__give(&lane->sending);
	if (result == 0)
		errno = saved;
	return result;
}

int unixlane__cancel(struct lane *lane)
{
	if (!unixturn__resume(&lane->sending))
		return refuse(EINVAL);
	unixturn__give(&lane->sending);
	return 0;
}

bool unixlane__is_peer_reading(const struct lane *lane)
{
	return atomic_load_explicit(&lane->theirs.page->is_reading,
		       memory_order_relaxed) != 0;
}

size_t unixlane__get_unread(const struct lane *lane)
{
	return unixring__get_unread(&lane->out);
}

/* The end */

void unixlane__shut_ring(struct lane *lane)
{
	atomic_store_explicit(&lane->mine.page->is_ring_shut, 1,
		memory_order_release);
}

void unixlane__shutdown(struct lane *lane, int how)
{
	if (how != SHUT_RD)
		lane->is_mute = true;
	if (how != SHUT_WR)
		unixlane__shut_ring(lane);
}

void unixlane__forget(struct lane *lane)
{
	unixbuffer_free(&lane->spare);
	unixsegment__drop(&lane->mine);
	unixsegment__drop(&lane->theirs);
}

void unixlane__close(struct lane *lane)
{
	const int saved = errno;

	if (lane->owner == getpid()) {
		unixlane__shut_ring(lane);
		unixlane__drop_signs(lane);
	}
	unixlane__forget(lane);
	errno = saved;
}
