/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RECORDER_H
#define UNIXMSG_TOOLS_RECORDER_H

/*
 * A recorder writes events in a process of its own, so that a slow disk or
 * terminal delays nobody. Events pass through a queue of bounded size. When the
 * queue is full, events are left out, and an EVENT_LEFT_OUT has their number.
 * If the tap is killed, the recorder still writes what is in the queue.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/tap/event.h"

struct recorder;

/* Called in the process of the recorder. They return 0; or -1 after a
 * complaint, which ends it. */
struct recorder_sink {
	int (*begin)(void *context);
	int (*take)(const struct event *event, const void *data, void *context);
	/* Called when the queue is empty. */
	int (*flush)(void *context);
	int (*end)(void *context);
	void *context;
};

/*
 * Starts the process of a recorder with a queue of queue_size bytes, a power of
 * two. The process inherits open descriptors: start it before you open sockets.
 * Returns NULL with errno.
 */
struct recorder *recorder_start(const struct recorder_sink *sink,
	size_t queue_size);

/* Hands an event over, or counts it as left out. Never waits. */
void recorder_put(struct recorder *recorder, const struct event *event,
	const void *data);

/* The number of events that were left out so far. */
uint64_t recorder_get_left_out(const struct recorder *recorder);

/* A descriptor that is readable when the process has ended early. */
int recorder_get_fd(const struct recorder *recorder);

/*
 * Waits until the process has written all events, and has ended. Once stop_fd
 * is readable it waits half a second more, and then kills the process. Returns
 * 0; or -1 if the process was killed, or has failed after a complaint. recorder
 * may be NULL.
 */
int recorder_finish(struct recorder *recorder, int stop_fd);

#endif
