/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RING_H
#define UNIXMSG_TOOLS_RING_H

/*
 * A queue of events in memory that two processes share: one puts, one takes.
 * Neither waits for the other.
 */

#include <stdbool.h>
#include <stddef.h>

#include "tools/tap/event.h"

struct ring;

/* Maps a ring of that size, a power of two, for this process and its later
 * children. NULL with an errno of mmap(2). */
struct ring *ring_new(size_t size);
void ring_free(struct ring *ring);

/* The largest payload that a ring accepts. */
size_t ring_get_most(const struct ring *ring);

/* True if there is room for count events with size bytes in all. */
bool ring_has_room(const struct ring *ring, size_t count, size_t size);

/* Puts event and its event->kept bytes. False if there is no room. */
bool ring_put(struct ring *ring, const struct event *event, const void *data);

/* Takes the next event, and its bytes into data, which has room for
 * ring_get_most. False if the ring is empty. */
bool ring_take(struct ring *ring, struct event *event, void *data);

/*
 * Before it sleeps, the process that takes says so, looks once more, and says
 * afterwards that it is awake. True if the other one has to wake it, which is
 * told once.
 */
void ring_set_asleep(struct ring *ring, bool is_asleep);
bool ring_take_asleep(struct ring *ring);

#endif
