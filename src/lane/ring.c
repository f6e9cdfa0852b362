/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "lane/ring.h"

/* A sender works in bulk if this part of the ring is unread: 1/64. */
static const uint32_t bulk_share = 64;

/* The state of both ends, in our page. */
struct own {
	struct ring_out_state out;
	_Alignas(128) struct ring_in_state in;
};

_Static_assert(sizeof(struct own) <= sizeof(((struct segment_page *)0)->own),
	"it has room in the page");

/* Leaves room for a marker behind every record. */
static uint32_t get_room(uint32_t ring_size)
{
	return ring_size / 2 - 2 * RING_HEADER;
}

void unixring__set_up(struct ring_out *out, struct ring_in *in,
	const struct segment *mine, const struct segment *theirs)
{
	struct own *own = (struct own *)mine->page->own;

	*out = (struct ring_out){
		.page = mine->page,
		.peer = theirs->page,
		.state = &own->out,
		.bytes = mine->ring,
		.size = mine->size,
		.size_max = get_room(mine->size),
	};
	*in = (struct ring_in){
		.page = mine->page,
		.peer = theirs->page,
		.state = &own->in,
		.bytes = theirs->ring,
		.size = theirs->size,
	};
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* Writing */

void unixring__limit(struct ring_out *out, size_t size_max)
{
	const uint32_t most = get_room(out->size);

	out->size_max = size_max < most ? (uint32_t)size_max : most;
}

void *unixring__reserve(struct ring_out *out, size_t size)
{
	uint32_t length;

	if (size > unixring__get_size_max(out)) {
		errno = EMSGSIZE;
		return NULL;
	}
	length = unixring__get_length((uint32_t)size);
	if (!unixring__has_room(out, length) && !unixring__learn_head(out)) {
		errno = EPROTO;
		return NULL;
	}
	if (!unixring__has_room(out, length)) {
		errno = EAGAIN;
		return NULL;
	}
	return unixring__at_tail(out) + 1;
}

void unixring__commit(struct ring_out *out, size_t size)
{
	out->state->has_marker = false;
	unixring__publish(out, RING_DATA, (uint32_t)size,
		unixring__get_length((uint32_t)size));
}

static struct ring_header *at_marker(const struct ring_out *out)
{
	return (struct ring_header *)(out->bytes +
		(out->state->marker & (out->size - 1)));
}

static void count_marked(const struct ring_out *out, uint32_t more)
{
	out->state->marked += more;
	atomic_store_explicit(&out->page->marked, out->state->marked,
		memory_order_relaxed);
}

/* Adds to the value of our own marker, which nobody else writes. */
static void count_marker(const struct ring_out *out, uint32_t more)
{
	_Atomic uint32_t *value = &at_marker(out)->value;

	atomic_store_explicit(value,
		atomic_load_explicit(value, memory_order_relaxed) + more,
		memory_order_release);
	count_marked(out, more);
}

/*
 * If the last record is a marker, counts that up: markers in a row could fill
 * the ring. Does not ring the bell, because the message wakes the peer.
 */
void unixring__mark(struct ring_out *out)
{
	if (out->state->has_marker) {
		count_marker(out, 1);
		return;
	}
	out->state->has_marker = true;
	out->state->marker = out->state->tail;
	count_marked(out, 1);
	unixring__publish(out, RING_MARKER, 1, RING_HEADER);
}

void unixring__keep_mark(struct ring_out *out)
{
	out->state->told = out->state->tail;
}

/* Tells the peer now of everything that was published without a bell, since a
 * message was to come. */
bool unixring__unmark(struct ring_out *out)
{
	count_marker(out, (uint32_t)-1);
	return unixring__tell(out);
}

/* Reading */

/* Returns 1 if something is published behind position, 0 if nothing is, or -1
 * with EPROTO. */
static inline int look_at_tail(struct ring_in *in, uint32_t position)
{
	if (position != in->state->tail)
		return 1;
	if (!unixring__learn_tail(in, position))
		return refuse(EPROTO);
	return position != in->state->tail;
}

bool unixring__is_marked(const struct ring_in *in)
{
	return unixring__get_value(in) != in->state->taken;
}

static inline int judge(const struct ring_in *in, struct ring_record *record)
{
	return unixring__read_data(in, record) ? 1 : refuse(EPROTO);
}

static inline int give_marked(struct ring_record *record)
{
	*record = (struct ring_record){ 0 };
	return 1;
}

/*
 * Handles a marker at head. Goes past it when we have received all its messages
 * and another record is published behind it. From then on the sender does not
 * count it up any more, so its value is read once again, and that is final. The
 * next record is no marker.
 */
static int judge_marker(struct ring_in *in, struct ring_record *record)
{
	int result;

	in->state->is_at_marker = true;
	if (unixring__is_marked(in))
		return give_marked(record);
	result = look_at_tail(in, in->state->head + RING_HEADER);
	if (result <= 0)
		return result;
	if (unixring__is_marked(in))
		return give_marked(record);
	unixring__advance(in, RING_HEADER);
	return judge(in, record);
}

int unixring__look(struct ring_in *in, struct ring_record *record)
{
	int result = look_at_tail(in, in->state->head);

	if (result <= 0)
		return result;
	if (in->state->is_at_marker || unixring__get_kind(in) == RING_MARKER)
		return judge_marker(in, record);
	return judge(in, record);
}

static void count_taken(const struct ring_in *in)
{
	in->state->taken++;
	in->state->taken_ever++;
	atomic_store_explicit(&in->page->taken, in->state->taken_ever,
		memory_order_relaxed);
}

void unixring__release(struct ring_in *in, const struct ring_record *record)
{
	if (record->data == NULL)
		count_taken(in);
	else
		unixring__advance(in, unixring__get_length(record->size));
}

/*
 * Returns the position where we wait for the next record. If a marker is at
 * head, that is behind the marker: its messages are on the socket, and wake us
 * themselves. If the sender takes them back, the next record is behind the
 * marker, too.
 */
static inline uint32_t get_next(const struct ring_in *in)
{
	return in->state->is_at_marker ? in->state->head + RING_HEADER
				       : in->state->head;
}

/* The reader's fence: the peer can see our event before we read its tail. */
static void set_event(struct ring_in *in, uint32_t event)
{
	if (in->state->event == event)
		return;
	in->state->event = event;
	atomic_store_explicit(&in->page->event, event, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

/* If a marker has come while we looked, arms once more, behind it. */
int unixring__arm(struct ring_in *in, struct ring_record *record)
{
	int result;

	do {
		set_event(in, get_next(in));
		result = unixring__look(in, record);
	} while (result == 0 && in->state->event != get_next(in));
	return result;
}

int unixring__arm_behind(struct ring_in *in)
{
	const uint32_t next = get_next(in);
	int result;

	set_event(in, next);
	result = look_at_tail(in, next);
	return result == 0 && !unixring__is_marked(in) ? 1 : result;
}

/* The reader goes past a marker only when another record is behind it. */
static bool is_marker_read(const struct ring_out *out, uint32_t tail)
{
	const struct ring_header *last =
		(const struct ring_header *)(out->bytes +
			((tail - RING_HEADER) & (out->size - 1)));

	return atomic_load_explicit(&last->kind, memory_order_relaxed) ==
		RING_MARKER &&
		atomic_load_explicit(&out->page->marked,
			memory_order_relaxed) ==
		atomic_load_explicit(&out->peer->taken, memory_order_relaxed);
}

uint32_t unixring__get_unread(const struct ring_out *out)
{
	const uint32_t tail = unixring__read_position(&out->page->tail);
	const uint32_t unread =
		tail - unixring__read_position(&out->peer->head);

	if (unread == RING_HEADER && is_marker_read(out, tail))
		return 0;
	return unread < out->size ? unread : out->size;
}

/* Positions are multiples of 8, so the lowest bit can mark an end as set. */
void unixring__end(struct ring_in *in)
{
	const uint32_t end = unixring__read_position(&in->peer->tail) | 1;

	if (atomic_load_explicit(&in->state->end, memory_order_relaxed) == 0)
		atomic_store_explicit(&in->state->end, end,
			memory_order_relaxed);
}

bool unixring__has_bulk(const struct ring_in *in)
{
	return in->state->tail - in->state->head >= in->size / bulk_share;
}
