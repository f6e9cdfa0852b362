/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdbool.h>
#include <stdlib.h>

#include "base/timers.h"
#include "unixmsg/deadline.h"

static const size_t room_first = 16;

int unixtimers__reserve(struct timers *timers)
{
	size_t room = timers->room == 0 ? room_first : timers->room * 2;
	struct timer **heap;

	if (timers->promised + 1 >= timers->room) {
		heap = reallocarray(timers->heap, room, sizeof(*heap));
		if (heap == NULL)
			return -1;
		timers->heap = heap;
		timers->room = room;
	}
	timers->promised++;
	return 0;
}

void unixtimers__unreserve(struct timers *timers)
{
	timers->promised--;
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

/* Moves timer from a free place towards the top. */
static void rise(struct timers *timers, size_t place, struct timer *timer)
{
	while (place > 1 && timers->heap[place / 2]->at_us > timer->at_us) {
		put(timers, place, timers->heap[place / 2]);
		place /= 2;
	}
	put(timers, place, timer);
}

static size_t get_earlier_child(const struct timers *timers, size_t place)
{
	size_t child = 2 * place;

	if (child < timers->count &&
		timers->heap[child + 1]->at_us < timers->heap[child]->at_us)
		child++;
	return child;
}

static void sink(struct timers *timers, size_t place, struct timer *timer)
{
	size_t child;

	while (2 * place <= timers->count) {
		child = get_earlier_child(timers, place);
		if (timers->heap[child]->at_us >= timer->at_us)
			break;
		put(timers, place, timers->heap[child]);
		place = child;
	}
	put(timers, place, timer);
}

static bool is_before_parent(const struct timers *timers, size_t place,
	const struct timer *timer)
{
	return place > 1 && timers->heap[place / 2]->at_us > timer->at_us;
}

static void put_in_order(struct timers *timers, size_t place,
	struct timer *timer)
{
	if (is_before_parent(timers, place, timer))
		rise(timers, place, timer);
	else
		sink(timers, place, timer);
}

void unixtimers__set(struct timers *timers, struct timer *timer, int64_t at_us)
{
	timer->at_us = at_us;
	if (timer->place == 0)
		timer->place = ++timers->count;
	put_in_order(timers, timer->place, timer);
}

void unixtimers__clear(struct timers *timers, struct timer *timer)
{
	struct timer *last;
	size_t place = timer->place;

	if (place == 0)
		return;
	timer->place = 0;
	last = timers->heap[timers->count--];
	if (last != timer)
		put_in_order(timers, place, last);
}

int64_t unixtimers__get_next(const struct timers *timers)
{
	return timers->count == 0 ? UNIXMSG_FOREVER : timers->heap[1]->at_us;
}

struct timer *unixtimers__take(struct timers *timers, int64_t now_us)
{
	struct timer *timer;

	if (timers->count == 0 || timers->heap[1]->at_us > now_us)
		return NULL;
	timer = timers->heap[1];
	unixtimers__clear(timers, timer);
	return timer;
}

void unixtimers__free(struct timers *timers)
{
	free(timers->heap);
}
