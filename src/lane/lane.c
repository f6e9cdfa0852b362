/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lane/lane.h"
#include "message/buffer_private.h"
#include "message/msg_private.h"

/* The first byte of each message on the socket. */
enum { BELL = 0, MESSAGE = 1 };

/* The ring or the socket has changed meanwhile: look again. */
enum { AGAIN = 2 };

/* The most looks in one call; after them the caller has to call again. */
static const int tries_most = 64;

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* The peer has broken a rule: ends the connection for both sides. */
static int fail(struct lane *lane)
{
	lane->has_failed = true;
	shutdown(lane->end->fd, SHUT_RDWR);
	return refuse(EPROTO);
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

/*
 * If a peer dies while a sign is unread, the kernel reports ECONNRESET, once.
 * That is no error if the peer has read all of the ring: try again.
 */
static bool try_again(struct lane *lane, ssize_t result)
{
	if (result >= 0)
		return false;
	if (errno != ECONNRESET)
		return errno == EINTR;
	return unixring__get_unread(&lane->out) == 0 &&
		!atomic_exchange(&lane->was_reset, true);
}

/* Sending */

static bool is_shortage(int error)
{
	return error == ENOBUFS || error == ENOMEM;
}

int unixlane__ring_bell(struct lane *lane)
{
	const char kind = BELL;
	const int saved = errno;
	ssize_t sent;

	do
		sent = send(lane->end->fd, &kind, 1,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (try_again(lane, sent));
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

size_t unixlane__add_up(const struct msghdr *header)
{
	const struct iovec *parts = header->msg_iov;
	size_t i, size = 0;

	for (i = 1; i < header->msg_iovlen; i++) {
		size += parts[i].iov_len;
		if (size < parts[i].iov_len)
			return SIZE_MAX;
	}
	return size;
}

static void copy_in(char *place, const struct msghdr *header)
{
	const struct iovec *parts = header->msg_iov;
	size_t i;

	for (i = 1; i < header->msg_iovlen; i++) {
		if (parts[i].iov_len > 0)
			memcpy(place, parts[i].iov_base, parts[i].iov_len);
		place += parts[i].iov_len;
	}
}

/* The kernel takes IOV_MAX parts. A caller may use them all, but the first one
 * is ours. */
static bool has_too_many_parts(const struct msghdr *header)
{
	return header->msg_iovlen > IOV_MAX;
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
	char kind = MESSAGE;
	ssize_t sent;
	int error;

	header->msg_iov[0] = (struct iovec){ .iov_base = &kind, .iov_len = 1 };
	unixring__mark(&lane->out);
	do
		sent = sendmsg(lane->end->fd, header,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (try_again(lane, sent));
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
	return has_too_many_parts(header) ? send_joined(lane, header, size)
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
		return errno == EPROTO ? fail(lane) : -1;
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
		fail(lane);
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

/* Receiving */

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
	while (try_again(lane, got));
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
	while (try_again(lane, got));
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
	char kind = BELL;
	ssize_t got;
	int error, result;

	if (tell_error(lane) < 0 || drop_spent(lane) < 0)
		return -1;
	got = peek_kind(lane, &kind, flags & MSG_DONTWAIT);
	error = errno;
	lane->in.state->is_spent = got > 0 && kind == BELL;
	result = unixring__arm(&lane->in, record);
	if (result != 0)
		return result < 0 ? fail(lane) : result;
	if (got > 0 && kind != BELL)
		return fail(lane);
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
		return result < 0 ? fail(lane) : result;
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
	size_t i, done = 0, some;

	for (i = 1; i < header->msg_iovlen && done < record->size; i++) {
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
		return fail(lane);
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
		return fail(lane);
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
	while (try_again(lane, got));
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
	return has_too_many_parts(header) ? peek_joined(lane, header, kind)
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
 * Gives first the room for what marks each message of the socket. If that is
 * all there is, and the kernel cuts control data, descriptors are lost.
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
	char kind = BELL;
	ssize_t got;

	if (drop_spent(lane) < 0)
		return -1;
	got = peek_message(lane, &first, &kind);
	if (got < 0 && errno == EAGAIN)
		return await_message(lane, flags);
	if (got <= 0)
		return (int)got;
	lane->in.state->is_spent = kind == BELL;
	if (kind == BELL || !unixring__is_marked(&lane->in))
		return AGAIN;
	if (kind != MESSAGE)
		return fail(lane);
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

bool unixlane__is_peer_reading(const struct lane *lane)
{
	return atomic_load_explicit(&lane->theirs.page->is_reading,
		       memory_order_relaxed) != 0;
}

size_t unixlane__get_unread(const struct lane *lane)
{
	return unixring__get_unread(&lane->out);
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

/*
 * If a bell, or a message that was received and stayed as a sign, is unread at
 * the close, the kernel reports a reset to the peer. So drops these. If other
 * messages are unread, leaves them: then the reset is true.
 */
static void drop_signs(struct lane *lane)
{
	struct ring_record record;
	char kind;
	int i;

	if (unixring__arm(&lane->in, &record) != 0 || drop_spent(lane) < 0)
		return;
	for (i = 0; i < tries_most; i++)
		if (peek_kind(lane, &kind, MSG_DONTWAIT) <= 0 || kind != BELL ||
			drop_first(lane) < 0)
			break;
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
		drop_signs(lane);
	}
	unixlane__forget(lane);
	errno = saved;
}
