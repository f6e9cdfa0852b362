/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "tools/tap/ring.h"

/* put and taken only grow; their difference is what the ring holds. */
struct ring {
	size_t size;
	_Atomic size_t put;
	_Atomic size_t taken;
	_Atomic bool is_asleep;
	_Alignas(64) unsigned char bytes[];
};

struct ring *ring_new(size_t size)
{
	struct ring *ring = mmap(NULL, sizeof(*ring) + size,
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ring == MAP_FAILED)
		return NULL;
	ring->size = size;
	return ring;
}

void ring_free(struct ring *ring)
{
	if (ring != NULL)
		munmap(ring, sizeof(*ring) + ring->size);
}

size_t ring_get_most(const struct ring *ring)
{
	return ring->size / 2 - sizeof(struct event);
}

static size_t get_first_part(const struct ring *ring, size_t at, size_t size)
{
	const size_t room = ring->size - (at & (ring->size - 1));

	return size < room ? size : room;
}

static void copy_in(struct ring *ring, size_t at, const void *data, size_t size)
{
	const size_t first = get_first_part(ring, at, size);

	if (size == 0)
		return;
	memcpy(ring->bytes + (at & (ring->size - 1)), data, first);
	memcpy(ring->bytes, (const unsigned char *)data + first, size - first);
}

static void copy_out(const struct ring *ring, size_t at, void *data,
	size_t size)
{
	const size_t first = get_first_part(ring, at, size);

	memcpy(data, ring->bytes + (at & (ring->size - 1)), first);
	memcpy((unsigned char *)data + first, ring->bytes, size - first);
}

static size_t get_held(const struct ring *ring)
{
	return atomic_load(&ring->put) - atomic_load(&ring->taken);
}

bool ring_has_room(const struct ring *ring, size_t count, size_t size)
{
	return count * sizeof(struct event) + size <=
		ring->size - get_held(ring);
}

bool ring_put(struct ring *ring, const struct event *event, const void *data)
{
	const size_t put = atomic_load(&ring->put);
	const size_t size = sizeof(*event) + event->kept;

	if (!ring_has_room(ring, 1, event->kept))
		return false;
	copy_in(ring, put, event, sizeof(*event));
	copy_in(ring, put + sizeof(*event), data, event->kept);
	atomic_store(&ring->put, put + size);
	return true;
}

bool ring_take(struct ring *ring, struct event *event, void *data)
{
	const size_t taken = atomic_load(&ring->taken);

	if (taken == atomic_load(&ring->put))
		return false;
	copy_out(ring, taken, event, sizeof(*event));
	copy_out(ring, taken + sizeof(*event), data, event->kept);
	atomic_store(&ring->taken, taken + sizeof(*event) + event->kept);
	return true;
}

void ring_set_asleep(struct ring *ring, bool is_asleep)
{
	atomic_store(&ring->is_asleep, is_asleep);
}

bool ring_take_asleep(struct ring *ring)
{
	return atomic_load(&ring->is_asleep) &&
		atomic_exchange(&ring->is_asleep, false);
}
