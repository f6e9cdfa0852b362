/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_EVENT_QUEUE_H
#define UNIXMSG_TOOLS_EVENT_QUEUE_H

/*
 * A queue of events in shared memory: one process puts events, another takes
 * them. Neither waits for the other.
 */

#include <stdbool.h>
#include <stddef.h>

#include "tools/tap/event.h"

struct event_queue;

/* Maps a queue of size bytes, a power of two, for this process and its later
 * children. Returns NULL with an errno of mmap(2). */
struct event_queue *event_queue_new(size_t size);
void event_queue_free(struct event_queue *queue);

/* The largest payload that a queue accepts. */
size_t event_queue_get_most(const struct event_queue *queue);

/* True if there is room for count events with size bytes in all. */
bool event_queue_has_room(const struct event_queue *queue, size_t count,
	size_t size);

/* Puts event and its event->kept bytes. False if there is no room. */
bool event_queue_put(struct event_queue *queue, const struct event *event,
	const void *data);

/* Takes the next event, and its bytes into data, which has room for
 * event_queue_get_most. False if the queue is empty. */
bool event_queue_take(struct event_queue *queue, struct event *event,
	void *data);

/*
 * The process that takes events sets itself asleep, looks once more and sleeps;
 * then it sets itself awake. event_queue_take_asleep is for the process that
 * puts: it returns true, once for each sleep, if that process has to wake the
 * other.
 */
void event_queue_set_asleep(struct event_queue *queue, bool is_asleep);
bool event_queue_take_asleep(struct event_queue *queue);

#endif
