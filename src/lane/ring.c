/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "lane/ring.h"

enum { DATA = 1, MARKER = 2 };

/*
 * The header of each record. kind never changes. value is the size of data, or
 * the number of messages of a marker; that number may change.
 */
struct header {
	_Atomic uint32_t kind;
	_Atomic uint32_t value;
};

_Static_assert(sizeof(struct header) == RING_HEADER, "it is in the layout");

/* The state of both ends, in our page. */
struct own {
	struct ring_out_state out;
	_Alignas(128) struct ring_in_state in;
};

_Static_assert(sizeof(struct own) <= sizeof(((struct segment_page *)0)->own),
	"it has room in the page");

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
	};
	*in = (struct ring_in){
		.page = mine->page,
		.peer = theirs->page,
		.state = &own->in,
		.bytes = theirs->ring,
		.size = theirs->size,
	};
}

static inline uint32_t read_position(const _Atomic uint32_t *position)
{
	return atomic_load_explicit(position, memory_order_acquire);
}

static inline void write_position(_Atomic uint32_t *position, uint32_t value)
{
	atomic_store_explicit(position, value, memory_order_release);
}

/* Returns the length of a record of size bytes, with header and padding. */
static inline uint32_t get_length(uint32_t size)
{
	return RING_HEADER + ((size + RING_HEADER - 1) & ~(RING_HEADER - 1u));
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* Writing */

static inline struct header *at_tail(const struct ring_out *out)
{
	return (struct header *)(out->bytes +
		(out->state->tail & (out->size - 1)));
}

/* Leaves room for a marker behind every record. */
size_t unixring__get_size_max(const struct ring_out *out)
{
	return out->size / 2 - 2 * RING_HEADER;
}

static inline bool has_room(const struct ring_out *out, uint32_t length)
{
	return length + RING_HEADER <=
		out->size - (out->state->tail - out->state->head);
}

/*
 * Acquire: the peer has read the bytes before it moved its head. Returns false
 * if the head goes back, or ahead of our tail.
 */
static inline bool learn_head(struct ring_out *out)
{
	uint32_t head = read_position(&out->peer->head);

	if (head - out->state->head > out->state->tail - out->state->head)
		return false;
	out->state->head = head;
	return true;
}

void *unixring__reserve(struct ring_out *out, size_t size)
{
	uint32_t length;

	if (size > unixring__get_size_max(out)) {
		errno = EMSGSIZE;
		return NULL;
	}
	length = get_length((uint32_t)size);
	if (!has_room(out, length) && !learn_head(out)) {
		errno = EPROTO;
		return NULL;
	}
	if (!has_room(out, length)) {
		errno = EAGAIN;
		return NULL;
	}
	return at_tail(out) + 1;
}

/* Release: a peer that sees the tail sees everything before it. */
static inline void publish(struct ring_out *out, uint32_t kind, uint32_t value,
	uint32_t length)
{
	struct header *header = at_tail(out);

	atomic_store_explicit(&header->kind, kind, memory_order_relaxed);
	atomic_store_explicit(&header->value, value, memory_order_relaxed);
	out->state->tail += length;
	write_position(&out->page->tail, out->state->tail);
}

void unixring__commit(struct ring_out *out, size_t size)
{
	out->state->has_marker = false;
	publish(out, DATA, (uint32_t)size, get_length((uint32_t)size));
}

bool unixring__put(struct ring_out *out, const void *data, size_t size)
{
	const uint32_t length = get_length((uint32_t)size);

	if (size > unixring__get_size_max(out))
		return false;
	if (!has_room(out, length) &&
		(!learn_head(out) || !has_room(out, length)))
		return false;
	if (size > 0)
		memcpy(at_tail(out) + 1, data, size);
	out->state->has_marker = false;
	publish(out, DATA, (uint32_t)size, length);
	return true;
}

/*
 * The writer's fence: the peer can see our tail before we read its event. The
 * reader does it the other way round, see set_event.
 */
bool unixring__tell(struct ring_out *out)
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

static struct header *at_marker(const struct ring_out *out)
{
	return (struct header *)(out->bytes +
		(out->state->marker & (out->size - 1)));
}

/* Adds to the value of our own marker, which nobody else writes. */
static void count_marker(const struct ring_out *out, uint32_t more)
{
	_Atomic uint32_t *value = &at_marker(out)->value;

	atomic_store_explicit(value,
		atomic_load_explicit(value, memory_order_relaxed) + more,
		memory_order_release);
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
	publish(out, MARKER, 1, RING_HEADER);
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

static inline const struct header *at_head(const struct ring_in *in)
{
	return (const struct header *)(in->bytes +
		(in->state->head & (in->size - 1)));
}

/* Returns false if the tail goes back behind position, or too far ahead. */
static inline bool learn_tail(struct ring_in *in, uint32_t position)
{
	uint32_t tail = read_position(&in->peer->tail);

	if (tail - in->state->head > in->size ||
		tail - in->state->head < position - in->state->head ||
		tail % RING_HEADER != 0)
		return false;
	in->state->tail = tail;
	return true;
}

/* 1: something is published behind position. 0: nothing is. -1: EPROTO. */
static inline int look_at_tail(struct ring_in *in, uint32_t position)
{
	if (position != in->state->tail)
		return 1;
	if (!learn_tail(in, position))
		return refuse(EPROTO);
	return position != in->state->tail;
}

static inline uint32_t get_kind(const struct ring_in *in)
{
	return atomic_load_explicit(&at_head(in)->kind, memory_order_relaxed);
}

static inline uint32_t get_value(const struct ring_in *in)
{
	return atomic_load_explicit(&at_head(in)->value, memory_order_acquire);
}

bool unixring__is_marked(const struct ring_in *in)
{
	return get_value(in) != in->state->taken;
}

/* Gives room back. Release: we have read those bytes before the peer sees the
 * head. */
static inline void advance(struct ring_in *in, uint32_t length)
{
	in->state->head += length;
	in->state->taken = 0;
	in->state->is_at_marker = false;
	write_position(&in->page->head, in->state->head);
}

/* Reads a published record at head; returns false if it breaks the rules. */
static inline bool is_data(const struct ring_in *in, struct ring_record *record)
{
	const uint32_t room = in->state->tail - in->state->head - RING_HEADER;
	const uint32_t size = get_value(in);

	if (get_kind(in) != DATA || size > room ||
		get_length(size) - RING_HEADER > room)
		return false;
	record->data = (const char *)(at_head(in) + 1);
	record->size = size;
	return true;
}

static inline int judge(const struct ring_in *in, struct ring_record *record)
{
	return is_data(in, record) ? 1 : refuse(EPROTO);
}

static inline int give_marked(struct ring_record *record)
{
	*record = (struct ring_record){ 0 };
	return 1;
}

/*
 * Handles a marker at head. Goes past it when we have received all its messages
 * and another record is published behind it. Only then the sender counts it up
 * no more, so looks at its value once again. The next record is no marker.
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
	advance(in, RING_HEADER);
	return judge(in, record);
}

int unixring__look(struct ring_in *in, struct ring_record *record)
{
	int result = look_at_tail(in, in->state->head);

	if (result <= 0)
		return result;
	if (in->state->is_at_marker || get_kind(in) == MARKER)
		return judge_marker(in, record);
	return judge(in, record);
}

bool unixring__take(struct ring_in *in, void *data, size_t room, size_t *size)
{
	const uint32_t head = in->state->head;
	struct ring_record record;

	if (in->state->is_at_marker ||
		(in->state->tail == head && !learn_tail(in, head)) ||
		in->state->tail == head)
		return false;
	if (!is_data(in, &record) || record.size > room)
		return false;
	if (record.size > 0)
		memcpy(data, record.data, record.size);
	*size = record.size;
	advance(in, get_length(record.size));
	return true;
}

void unixring__release(struct ring_in *in, const struct ring_record *record)
{
	if (record->data == NULL)
		in->state->taken++;
	else
		advance(in, get_length(record->size));
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

uint32_t unixring__get_unread(const struct ring_out *out)
{
	const uint32_t unread = read_position(&out->page->tail) -
		read_position(&out->peer->head);

	return unread < out->size ? unread : out->size;
}

void unixring__settle(struct ring_in *in)
{
	if (in->state->is_at_marker && !unixring__is_marked(in) &&
		look_at_tail(in, get_next(in)) == 0)
		advance(in, RING_HEADER);
}
