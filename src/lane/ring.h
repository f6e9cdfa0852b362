/* SPDX-License-Identifier: MIT */
/*
 * ring: records in memory that one process writes and another reads, without a
 * system call. A message that goes by the socket instead keeps its place among
 * them by a marker.
 *
 * The writer:
 *
 *	place = unixring__reserve(out, size);
 *	memcpy(place, data, size);
 *	unixring__commit(out, size);
 *	if (unixring__tell(out))
 *		ring the bell;
 *
 * The reader:
 *
 *	while (unixring__look(in, &record) == 0)
 *		if (unixring__arm(in, &record) == 0)
 *			sleep until the bell rings;
 *	use(record.data, record.size);
 *	unixring__release(in, &record);
 *
 * No wake-up is lost. Each side first writes, then passes a full fence, and
 * then reads what the other side has written. The writer writes its tail and
 * reads the event; the reader writes the event and reads the tail. So at least
 * one of them sees what the other has written. Without the fence, a processor
 * may read before others see its own write, even on x86, and both sides would
 * sleep.
 *
 * One thread writes and one thread reads; several threads have to take turns. A
 * call reads each value of the peer once, and checks it before use. The bytes
 * of a record may change while the reader reads them.
 */
#ifndef UNIXMSG_RING_H
#define UNIXMSG_RING_H

#include <stdbool.h>
#include <string.h>

#include "lane/segment.h"

/* The size of the header before each record. The bytes of a record are padded
 * to a multiple of it. */
enum { RING_HEADER = 8 };

enum { RING_DATA = 1, RING_MARKER = 2 };

/*
 * The header of each record. kind never changes. value is the size of data, or
 * the number of messages of a marker; that number may change.
 */
struct ring_header {
	_Atomic uint32_t kind;
	_Atomic uint32_t value;
};

_Static_assert(sizeof(struct ring_header) == RING_HEADER,
	"it is in the layout");

/* The state of the writing end. */
struct ring_out_state {
	uint32_t tail;
	uint32_t told;   /* the peer was told of all before this */
	uint32_t head;   /* of the peer, when we last looked */
	uint32_t marker; /* the position of the last record, if a marker */
	uint32_t has_marker;
	uint32_t marked; /* the same as in our page */
};

struct ring_out {
	struct segment_page *page;       /* ours */
	const struct segment_page *peer; /* theirs */
	struct ring_out_state *state;    /* in our page */
	char *bytes;
	uint32_t size;
	uint32_t size_max; /* of a message */
};

/* The state of the reading end. */
struct ring_in_state {
	uint32_t head;
	uint32_t tail;         /* of the peer, when we last looked */
	uint32_t taken;        /* messages of the marker at head, received */
	uint32_t taken_ever;   /* the same as taken in our page */
	uint32_t is_at_marker; /* we have seen a marker at head */
	uint32_t event;        /* the same as in our page */
	_Atomic uint32_t end;  /* see unixring__end; 0: there is none */
	/* For lane.c, and here so that a child of fork(2) finds it: the first
	 * entry on the socket is only a sign. */
	uint32_t is_spent;
};

struct ring_in {
	struct segment_page *page;       /* ours */
	const struct segment_page *peer; /* theirs */
	struct ring_in_state *state;     /* in our page */
	const char *bytes;
	uint32_t size;
};

/* The next record. data is NULL if its message is on the socket. */
struct ring_record {
	const char *data;
	uint32_t size;
};

/* Sets up both ends, from our segment and the peer's. The state of the ends is
 * in our segment, and stays as it is. */
void unixring__set_up(struct ring_out *out, struct ring_in *in,
	const struct segment *mine, const struct segment *theirs);

/* Writing */

/* Returns the size of the largest message for the ring. It fits into half of
 * the ring, and is no more than unixring__limit has set. */
static inline size_t unixring__get_size_max(const struct ring_out *out);
void unixring__limit(struct ring_out *out, size_t size_max);

/*
 * Returns room for size bytes; write them, then commit them. Returns NULL with
 * EAGAIN (no room now), EMSGSIZE (never), or EPROTO (the peer lies).
 */
void *unixring__reserve(struct ring_out *out, size_t size);

/* Publishes size bytes, at most as many as were reserved. */
void unixring__commit(struct ring_out *out, size_t size);

/*
 * Does both at once for a message in one piece. Returns false if there is no
 * room for it, or if the peer breaks the rules; unixring__reserve tells which.
 * Keeps errno.
 */
static inline bool unixring__put(struct ring_out *out, const void *data,
	size_t size);

/*
 * Returns true if the peer has to be woken for the records published since the
 * last call. Costs one full fence, however many records there are.
 */
static inline bool unixring__tell(struct ring_out *out);

/*
 * unixring__mark announces one more message by the socket, behind everything
 * that was published; there is always room for that. If the message was sent,
 * call unixring__keep_mark: the message has woken the peer. Else call
 * unixring__unmark, to take the mark back. It returns true if the bell has to
 * be rung: the peer may have seen the marker, and sleep behind it.
 */
void unixring__mark(struct ring_out *out);
void unixring__keep_mark(struct ring_out *out);
bool unixring__unmark(struct ring_out *out);

/* Returns the number of bytes that the peer has not read, as the peer reports
 * it, and no more than are in the ring. Any thread may call this. */
uint32_t unixring__get_unread(const struct ring_out *out);

/* Reading */

/*
 * Looks for the next record. Returns 1 if there is one, 0 if there is none; -1
 * with EPROTO if the peer lies: later results then mean nothing.
 */
int unixring__look(struct ring_in *in, struct ring_record *record);

/*
 * Receives a message that is in the ring and fits into room. Returns false
 * otherwise; unixring__look tells why. Keeps errno.
 */
static inline bool unixring__take(struct ring_in *in, void *data, size_t room,
	size_t *size);

/* Returns true if the marker at head still stands for a message that we have
 * not received. The sender may take a message back. */
bool unixring__is_marked(const struct ring_in *in);

/* Gives the room of a record back. For a marker, counts one of its messages as
 * received. */
void unixring__release(struct ring_in *in, const struct ring_record *record);

/*
 * Looks for the next record. If there is none, the peer will ring the bell for
 * it. Returns 1, 0 (armed) or -1 as unixring__look does.
 */
int unixring__arm(struct ring_in *in, struct ring_record *record);

/*
 * Does the same for a message that a marker has announced, if the message is
 * not there yet. Returns 1 if the message was taken back, or if there is more;
 * 0 (armed) if it is on its way, or will be taken back; -1 with EPROTO.
 */
int unixring__arm_behind(struct ring_in *in);

/* Ends the reading behind what is published now; later calls change nothing.
 * Any thread may call this. */
void unixring__end(struct ring_in *in);

/* Returns true if messages of many bytes were there at the last look. */
bool unixring__has_bulk(const struct ring_in *in);

/* Below is what a message in one piece needs. It is here because a call costs
 * as much as some of these functions. */

static inline uint32_t unixring__read_position(const _Atomic uint32_t *position)
{
	return atomic_load_explicit(position, memory_order_acquire);
}

static inline void unixring__write_position(_Atomic uint32_t *position,
	uint32_t value)
{
	atomic_store_explicit(position, value, memory_order_release);
}

/* Returns the length of a record of size bytes, with header and padding. */
static inline uint32_t unixring__get_length(uint32_t size)
{
	return RING_HEADER + ((size + RING_HEADER - 1) & ~(RING_HEADER - 1u));
}

static inline struct ring_header *unixring__at_tail(const struct ring_out *out)
{
	return (struct ring_header *)(out->bytes +
		(out->state->tail & (out->size - 1)));
}

static inline size_t unixring__get_size_max(const struct ring_out *out)
{
	return out->size_max;
}

static inline bool unixring__has_room(const struct ring_out *out,
	uint32_t length)
{
	return length + RING_HEADER <=
		out->size - (out->state->tail - out->state->head);
}

/*
 * Acquire: the peer has read the bytes before it moved its head. Returns false
 * if the head goes back, or ahead of our tail.
 */
static inline bool unixring__learn_head(struct ring_out *out)
{
	uint32_t head = unixring__read_position(&out->peer->head);

	if (head - out->state->head > out->state->tail - out->state->head)
		return false;
	out->state->head = head;
	return true;
}

/* Release: a peer that sees the tail sees everything before it. */
static inline void unixring__publish(struct ring_out *out, uint32_t kind,
	uint32_t value, uint32_t length)
{
	struct ring_header *header = unixring__at_tail(out);

	atomic_store_explicit(&header->kind, kind, memory_order_relaxed);
	atomic_store_explicit(&header->value, value, memory_order_relaxed);
	out->state->tail += length;
	unixring__write_position(&out->page->tail, out->state->tail);
}

static inline bool unixring__put(struct ring_out *out, const void *data,
	size_t size)
{
	const uint32_t length = unixring__get_length((uint32_t)size);

	if (size > unixring__get_size_max(out))
		return false;
	if (!unixring__has_room(out, length) &&
		(!unixring__learn_head(out) ||
			!unixring__has_room(out, length)))
		return false;
	if (size > 0)
		memcpy(unixring__at_tail(out) + 1, data, size);
	out->state->has_marker = false;
	unixring__publish(out, RING_DATA, (uint32_t)size, length);
	return true;
}

/*
 * The writer's fence: the peer can see our tail before we read its event. The
 * reader does it the other way round, see set_event.
 */
static inline bool unixring__tell(struct ring_out *out)
{
	const uint32_t told = out->state->told;
	uint32_t event;

	if (told == out->state->tail)
		return false;
	out->state->told = out->state->tail;
	atomic_thread_fence(memory_order_seq_cst);
	event = atomic_load_explicit(&out->peer->event, memory_order_relaxed);
	return event - told < out->state->tail - told;
}

static inline const struct ring_header *unixring__at_head(
	const struct ring_in *in)
{
	return (const struct ring_header *)(in->bytes +
		(in->state->head & (in->size - 1)));
}

/* The end was read from the peer, so it may be anything. If it is beyond tail,
 * or before position, nothing more is read. */
static inline uint32_t unixring__bound(const struct ring_in *in, uint32_t tail,
	uint32_t position)
{
	uint32_t end =
		atomic_load_explicit(&in->state->end, memory_order_relaxed);

	if (end == 0)
		return tail;
	end &= ~(RING_HEADER - 1u);
	return end - position <= tail - position ? end : position;
}

/* Returns false if the tail goes back behind position, or too far ahead. */
static inline bool unixring__learn_tail(struct ring_in *in, uint32_t position)
{
	uint32_t tail = unixring__read_position(&in->peer->tail);

	if (tail - in->state->head > in->size ||
		tail - in->state->head < position - in->state->head ||
		tail % RING_HEADER != 0)
		return false;
	in->state->tail = unixring__bound(in, tail, position);
	return true;
}

static inline uint32_t unixring__get_kind(const struct ring_in *in)
{
	return atomic_load_explicit(&unixring__at_head(in)->kind,
		memory_order_relaxed);
}

static inline uint32_t unixring__get_value(const struct ring_in *in)
{
	return atomic_load_explicit(&unixring__at_head(in)->value,
		memory_order_acquire);
}

/* Gives room back. Release: we have read those bytes before the peer sees the
 * head. */
static inline void unixring__advance(struct ring_in *in, uint32_t length)
{
	in->state->head += length;
	in->state->taken = 0;
	in->state->is_at_marker = false;
	unixring__write_position(&in->page->head, in->state->head);
}

/* Finds a published record at head. Returns false if it breaks the rules. */
static inline bool unixring__read_data(const struct ring_in *in,
	struct ring_record *record)
{
	const uint32_t room = in->state->tail - in->state->head - RING_HEADER;
	const uint32_t size = unixring__get_value(in);

	if (unixring__get_kind(in) != RING_DATA || size > room ||
		unixring__get_length(size) - RING_HEADER > room)
		return false;
	record->data = (const char *)(unixring__at_head(in) + 1);
	record->size = size;
	return true;
}

static inline bool unixring__take(struct ring_in *in, void *data, size_t room,
	size_t *size)
{
	const uint32_t head = in->state->head;
	struct ring_record record;

	if (in->state->is_at_marker ||
		(in->state->tail == head && !unixring__learn_tail(in, head)) ||
		in->state->tail == head)
		return false;
	if (!unixring__read_data(in, &record) || record.size > room)
		return false;
	if (record.size > 0)
		memcpy(data, record.data, record.size);
	*size = record.size;
	unixring__advance(in, unixring__get_length(record.size));
	return true;
}

#endif
