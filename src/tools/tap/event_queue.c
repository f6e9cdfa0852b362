/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "tools/tap/event_queue.h"

/* put and taken only grow; the queue holds their difference. */
struct event_queue {
	size_t size;
	_Atomic size_t put;
	_Atomic size_t taken;
	_Atomic bool is_asleep;
	_Alignas(64) unsigned char bytes[];
};

struct event_queue *event_queue_new(size_t size)
{
	struct event_queue *queue = mmap(NULL, sizeof(*queue) + size,
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (queue == MAP_FAILED)
		return NULL;
	queue->size = size;
	return queue;
}

void event_queue_free(struct event_queue *queue)
{
	if (queue != NULL)
		munmap(queue, sizeof(*queue) + queue->size);
}

size_t event_queue_get_most(const struct event_queue *queue)
{
	return queue->size / 2 - sizeof(struct event);
}

static size_t get_first_part(const struct event_queue *queue, size_t at,
	size_t size)
{
	const size_t room = queue->size - (at & (queue->size - 1));

	return size < room ? size : room;
}

static void copy_in(struct event_queue *queue, size_t at, const void *data,
	size_t size)
{
	const size_t first = get_first_part(queue, at, size);

	if (size == 0)
		return;
	memcpy(queue->bytes + (at & (queue->size - 1)), data, first);
	memcpy(queue->bytes, (const unsigned char *)data + first, size - first);
}

static void copy_out(const struct event_queue *queue, size_t at, void *data,
	size_t size)
{
	const size_t first = get_first_part(queue, at, size);

	memcpy(data, queue->bytes + (at & (queue->size - 1)), first);
	memcpy((unsigned char *)data + first, queue->bytes, size - first);
}

static size_t get_held(const struct event_queue *queue)
{
	return atomic_load(&queue->put) - atomic_load(&queue->taken);
}

bool event_queue_has_room(const struct event_queue *queue, size_t count,
	size_t size)
{
	return count * sizeof(struct event) + size <=
		queue->size - get_held(queue);
}

bool event_queue_put(struct event_queue *queue, const struct event *event,
	const void *data)
{
	const size_t put = atomic_load(&queue->put);
	const size_t size = sizeof(*event) + event->kept;

	if (!event_queue_has_room(queue, 1, event->kept))
		return false;
	copy_in(queue, put, event, sizeof(*event));
	copy_in(queue, put + sizeof(*event), data, event->kept);
	atomic_store(&queue->put, put + size);
	return true;
}

bool event_queue_take(struct event_queue *queue, struct event *event,
	void *data)
{
	const size_t taken = atomic_load(&queue->taken);

	if (taken == atomic_load(&queue->put))
		return false;
	copy_out(queue, taken, event, sizeof(*event));
	copy_out(queue, taken + sizeof(*event), data, event->kept);
	atomic_store(&queue->taken, taken + sizeof(*event) + event->kept);
	return true;
}

void event_queue_set_asleep(struct event_queue *queue, bool is_asleep)
{
	atomic_store(&queue->is_asleep, is_asleep);
}

bool event_queue_take_asleep(struct event_queue *queue)
{
	return atomic_load(&queue->is_asleep) &&
		atomic_exchange(&queue->is_asleep, false);
}
