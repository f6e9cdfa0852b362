/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_POST_H
#define UNIXMSG_TOOLS_RELAY_POST_H

/*
 * relay_post: frames on their way to the engine. Messages have room up to a
 * bound. Frames that only control a session have more room beyond it, so that a
 * flood of messages delays no credit. A message that finds no room is held, one
 * for each peer, and the relay does not read that peer meanwhile.
 */

#include <stddef.h>
#include <stdint.h>

struct frame;
struct relay;

/* Returns the room that an engine needs, in bytes: for messages of size_max,
 * and for the control frames of clients_max clients. */
size_t relay_post_get_room(size_t size_max, unsigned int clients_max);

/*
 * Publishes a message. Returns 0, or -1 with EAGAIN (no room now), EMSGSIZE,
 * ENOTCONN.
 */
int relay_post(struct relay *relay, const char *subject, const char *reply,
	const struct frame *frame);

/*
 * Publishes a frame without a message. A frame that has no room is lost; the
 * other side notices that by the numbers in later frames.
 */
void relay_post_control(struct relay *relay, const char *subject,
	const char *reply, const struct frame *frame);

/* Holds a copy. Returns 0, or -1 with ENOMEM, also if too many datagrams are
 * held. */
int relay_post_hold(struct relay *relay, uint64_t peer, const void *data,
	size_t size);

/* Passes held messages on, as far as there is room. */
void relay_post_flush(struct relay *relay);

/* Drops held messages, and counts them as lost with the engine. */
void relay_post_clear(struct relay *relay);

#endif
