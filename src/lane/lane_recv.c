/* SPDX-License-Identifier: MIT */
/* The receiving half of a lane: the order of its steps is that of lane.h. */
#include <config.h>

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/uio.h>

#include "lane/lane.h"
#include "message/buffer_private.h"
#include "message/msg_private.h"

/* The ring or the socket has changed meanwhile: look again. */
enum { AGAIN = 2 };

/* The most looks in one call; after them the caller has to call again. */
static const int tries_most = 64;

static int refuse(int error)
{
	errno = error;
	return -1;
}

/*
 * Removes the first entry from the socket. If a bell found no room because of
 * that entry, its record was published before: we see the record after the
 * fence.
 */
static int drop_first(struct lane *lane)
{
	char kind;
	ssize_t got;

	do
		got = recv(lane->end->fd, &kind, 1, MSG_DONTWAIT);
	while (unixlane__try_again(lane, got));
	atomic_thread_fence(memory_order_seq_cst);
	if (got < 0)
		return -1;
	lane->in.state->is_spent = false;
	return 0;
}

static int drop_spent(struct lane *lane)
{
	return lane->in.state->is_spent ? drop_first(lane) : 0;
}

/* Returns the error that the socket reported when there was a message to
 * return. */
static int tell_error(struct lane *lane)
{
	const int error = lane->error;

	lane->error = 0;
	return error == 0 ? 0 : refuse(error);
}

/* Returns the result of recv(2). While it sleeps, other threads do not wait for
 * it, see base/turn.h. */
static ssize_t peek_kind(struct lane *lane, char *kind, int flags)
{
	ssize_t got;

	if ((flags & MSG_DONTWAIT) == 0)
		unixturn__begin_wait(&lane->receiving);
	do
		got = recv(lane->end->fd, kind, 1, flags | MSG_PEEK);
	while (unixlane__try_again(lane, got));
	unixturn__end_wait(&lane->receiving);
	return got;
}

/*
 * The ring is empty, and we are armed. Looks at the socket, and then once more
 * at the ring, because a peer publishes before it rings.
 */
static int look_at_socket(struct lane *lane, struct ring_record *record,
	int flags)
{
	char kind = UNIXLANE_BELL;
	ssize_t got;
	int error, result;

	if (tell_error(lane) < 0 || drop_spent(lane) < 0)
		return -1;
	got = peek_kind(lane, &kind, flags & MSG_DONTWAIT);
	error = errno;
	lane->in.state->is_spent = got > 0 && kind == UNIXLANE_BELL;
	result = unixring__arm(&lane->in, record);
	if (result != 0)
		return result < 0 ? unixlane__fail(lane) : result;
	if (got > 0 && kind != UNIXLANE_BELL)
		return unixlane__fail(lane);
	return got > 0 ? refuse(EAGAIN) : got == 0 ? 0 : refuse(error);
}

/*
 * Returns 1 for a record, 0 at the end of the connection, or -1. Drops old
 * bells, so that the socket is readable only if there is something. Bells may
 * come faster than it drops them, so it gives up after tries_most.
 */
static int find(struct lane *lane, struct ring_record *record, int flags)
{
	int i, result = unixring__look(&lane->in, record);

	if (result == 0)
		result = unixring__arm(&lane->in, record);
	if (result != 0)
		return result < 0 ? unixlane__fail(lane) : result;
	for (i = 0; i < tries_most; i++) {
		result = look_at_socket(lane, record, flags);
		if (result >= 0 || errno != EAGAIN || !lane->in.state->is_spent)
			break;
	}
	return result;
}

static void copy_out(const struct ring_record *record, struct msghdr *header)
{
	const struct iovec *parts = header->msg_iov;
	const size_t count = unixlane__count_parts(header);
	size_t i, done = 0, some;

	for (i = 1; i < count && done < record->size; i++) {
		some = record->size - done;
		if (some > parts[i].iov_len)
			some = parts[i].iov_len;
		if (some > 0)
			memcpy(parts[i].iov_base, record->data + done, some);
		done += some;
	}
	header->msg_controllen = 0;
	header->msg_flags = done < record->size ? MSG_TRUNC : 0;
}

/* Drops the sign at once if there is nothing behind it. */
static int keep_sign(struct lane *lane)
{
	struct ring_record next;
	int result = unixring__arm(&lane->in, &next);

	if (result < 0)
		return unixlane__fail(lane);
	if (result == 0 && drop_spent(lane) < 0)
		lane->error = errno;
	return 1;
}

/* The message of the marker is not there: it is on its way, or was taken
 * back. */
static int await_message(struct lane *lane, int flags)
{
	char kind;
	int result = unixring__arm_behind(&lane->in);

	if (result < 0)
		return unixlane__fail(lane);
	if (result > 0)
		return AGAIN;
	if ((flags & MSG_DONTWAIT) != 0)
		return refuse(EAGAIN);
	result = (int)peek_kind(lane, &kind, 0);
	return result > 0 ? AGAIN : result;
}

/* Peeks at the first entry on the socket by recvmsg(2). Its first byte goes to
 * *kind. */
static ssize_t peek_parts(struct lane *lane, struct msghdr *header, char *kind)
{
	ssize_t got;

	header->msg_iov[0] = (struct iovec){ .iov_base = kind, .iov_len = 1 };
	do
		got = recvmsg(lane->end->fd, header,
			MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	while (unixlane__try_again(lane, got));
	return got;
}

/* Makes room for a message of got bytes, no more than the caller has. */
static int make_room(struct unixbuffer *whole, const struct msghdr *header,
	ssize_t got)
{
	const size_t room = unixlane__add_up(header);

	whole->size = got < 2 ? 0 : (size_t)got - 1;
	if (whole->size > room)
		whole->size = room;
	whole->room_max = whole->size;
	return unixbuffer__reserve(whole, whole->size);
}

/* Peeks into one part, and fills the parts of header from that. */
static ssize_t peek_joined(struct lane *lane, struct msghdr *header, char *kind)
{
	struct unixbuffer whole = { 0 };
	struct iovec parts[2];
	struct msghdr joined = { .msg_iov = parts, .msg_iovlen = 1 };
	struct ring_record record;
	ssize_t got = peek_parts(lane, &joined, kind);

	if (got <= 0 || make_room(&whole, header, got) < 0)
		return got <= 0 ? got : -1;
	parts[1] = (struct iovec){ whole.data, whole.size };
	joined.msg_iovlen = 2;
	joined.msg_control = header->msg_control;
	joined.msg_controllen = header->msg_controllen;
	got = peek_parts(lane, &joined, kind);
	if (got > 0) {
		record.data = whole.data;
		record.size = (uint32_t)whole.size;
		copy_out(&record, header);
		header->msg_controllen = joined.msg_controllen;
		header->msg_flags = joined.msg_flags;
	}
	unixbuffer_free(&whole);
	return got;
}

static ssize_t peek_message(struct lane *lane, struct msghdr *header,
	char *kind)
{
	return unixlane__has_too_many_parts(header)
		? peek_joined(lane, header, kind)
		: peek_parts(lane, header, kind);
}

/* Receives descriptors only when this is surely the next message, whose bytes
 * are there already. */
static int peek_beside(struct lane *lane, struct msghdr *header, int flags)
{
	struct msghdr beside = *header;
	char kind;

	beside.msg_iovlen = 1;
	if (peek_parts(lane, &beside, &kind) <= 0)
		return -1;
	header->msg_controllen = beside.msg_controllen;
	header->msg_flags =
		(flags & MSG_TRUNC) | (beside.msg_flags & ~MSG_TRUNC);
	return 0;
}

/*
 * Limits the room of first to what marks each message of the socket, so that no
 * descriptor arrives. Returns false if first has no more room: then descriptors
 * that the kernel cuts off are lost.
 */
static bool has_more_room(const struct lane *lane, struct msghdr *first)
{
	const size_t marks = unixmsg__get_marks_size(lane->end);

	if (first->msg_controllen <= marks)
		return false;
	first->msg_controllen = (socklen_t)marks;
	return true;
}

/*
 * Receives the message of a marker, and leaves it on the socket as a sign.
 * After the peek it looks at the marker once more: if the sender has taken the
 * marker's message back, this one belongs to a later marker.
 */
static int recv_by_socket(struct lane *lane, const struct ring_record *record,
	struct msghdr *header, size_t *size, int flags)
{
	struct msghdr first = *header;
	const bool has_more = has_more_room(lane, &first);
	char kind = UNIXLANE_BELL;
	ssize_t got;

	if (drop_spent(lane) < 0)
		return -1;
	got = peek_message(lane, &first, &kind);
	if (got < 0 && errno == EAGAIN)
		return await_message(lane, flags);
	if (got <= 0)
		return (int)got;
	lane->in.state->is_spent = kind == UNIXLANE_BELL;
	if (kind == UNIXLANE_BELL || !unixring__is_marked(&lane->in))
		return AGAIN;
	if (kind != UNIXLANE_MESSAGE)
		return unixlane__fail(lane);
	*size = (size_t)got - 1;
	if (!has_more)
		*header = first;
	else if (peek_beside(lane, header, first.msg_flags) < 0)
		return -1;
	if ((flags & MSG_PEEK) != 0)
		return 1;
	unixring__release(&lane->in, record);
	lane->in.state->is_spent = true;
	return keep_sign(lane);
}

static int recv_once(struct lane *lane, struct msghdr *header, size_t *size,
	int flags)
{
	struct ring_record record;
	int result = find(lane, &record, flags);

	if (result <= 0)
		return result;
	if ((flags & MSG_PEEK) != 0)
		lane->peeked = record;
	if (record.data == NULL)
		return recv_by_socket(lane, &record, header, size, flags);
	*size = record.size;
	copy_out(&record, header);
	if ((flags & MSG_PEEK) == 0)
		unixring__release(&lane->in, &record);
	return 1;
}

static bool is_over(int result, int flags)
{
	if (result == AGAIN)
		return false;
	return result >= 0 || errno != EAGAIN || (flags & MSG_DONTWAIT) != 0;
}

static int recv_in_turn(struct lane *lane, struct msghdr *header, size_t *size,
	int flags)
{
	int tries = 0, result;

	do {
		if (++tries > tries_most && (flags & MSG_DONTWAIT) != 0)
			return refuse(EAGAIN);
		result = recv_once(lane, header, size, flags);
	} while (!is_over(result, flags));
	return result;
}

int unixlane__recv(struct lane *lane, struct msghdr *header, size_t *size,
	int flags)
{
	const int saved = errno;
	int result;

	if (lane->has_failed)
		return refuse(EPROTO);
	if (unixturn__take(&lane->receiving) < 0)
		return -1;
	result = recv_in_turn(lane, header, size, flags);
	unixturn__give(&lane->receiving);
	if (result >= 0)
		errno = saved;
	return result;
}

int unixlane__peek(struct lane *lane, const void **data, size_t *size,
	int flags)
{
	struct iovec first;
	struct msghdr header = { .msg_iov = &first, .msg_iovlen = 1 };
	const int saved = errno;
	int result;

	*data = NULL;
	if (lane->has_failed)
		return refuse(EPROTO);
	if (unixturn__take(&lane->receiving) < 0)
		return -1;
	result = recv_in_turn(lane, &header, size, flags | MSG_PEEK);
	if (result == 1)
		*data = lane->peeked.data;
	if (*data != NULL)
		unixturn__hold(&lane->receiving);
	else
		unixturn__give(&lane->receiving);
	if (result >= 0)
		errno = saved;
	return result;
}

int unixlane__release(struct lane *lane)
{
	if (!unixturn__resume(&lane->receiving))
		return refuse(EINVAL);
	unixring__release(&lane->in, &lane->peeked);
	unixturn__give(&lane->receiving);
	return 0;
}

static bool has_bulk(struct lane *lane)
{
	const int saved = errno;
	bool result = false;

	if (unixturn__take(&lane->receiving) == 0) {
		result = unixring__has_bulk(&lane->in);
		unixturn__give(&lane->receiving);
	}
	errno = saved;
	return result;
}

/* A late yield is no loss if the peer has sent in bulk meanwhile. Otherwise one
 * message has waited, which would have woken us sooner. */
void unixlane__yield_for_news(struct lane *lane)
{
	const int64_t since_us = unixyield__begin(&lane->for_news);

	if (since_us == 0)
		return;
	sched_yield();
	if (!unixlane__has_record(lane) ||
		(unixyield__is_late(since_us) && !has_bulk(lane)))
		unixyield__rest(&lane->for_news, since_us);
}

void unixlane__begin_reading(struct lane *lane)
{
	atomic_store_explicit(&lane->mine.page->is_reading, 1,
		memory_order_relaxed);
	if (lane->is_deaf)
		unixring__end(&lane->in);
}

void unixlane__end_reading(struct lane *lane)
{
	lane->is_deaf = true;
	if (lane->mine.page != NULL)
		unixring__end(&lane->in);
}

bool unixlane__has_record(struct lane *lane)
{
	const int saved = errno;
	struct ring_record record;
	bool has_one;

	if (unixturn__take(&lane->receiving) < 0) {
		has_one = errno == EINVAL;
	} else {
		has_one = unixring__look(&lane->in, &record) != 0;
		unixturn__give(&lane->receiving);
	}
	errno = saved;
	return has_one;
}

void unixlane__drop_signs(struct lane *lane)
{
	struct ring_record record;
	char kind;
	int i;

	if (unixring__arm(&lane->in, &record) != 0 || drop_spent(lane) < 0)
		return;
	for (i = 0; i < tries_most; i++)
		if (peek_kind(lane, &kind, MSG_DONTWAIT) <= 0 ||
			kind != UNIXLANE_BELL || drop_first(lane) < 0)
			break;
}
