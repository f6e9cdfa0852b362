/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_POST_H
#define UNIXMSG_TOOLS_RELAY_POST_H

/*
 * relay_post: frames on their way to the engine. There is room for messages up
 * to a bound, and beyond it for frames that only control a session: so a flood
 * of messages delays no credit. A message that finds no room is held, one for
 * each peer, and its peer is not read meanwhile.
 */

#include <stddef.h>
#include <stdint.h>

struct frame;
struct relay;

/* Bytes that an engine must have room for: messages of size_max, and the
 * control frames of so many clients. */
size_t relay_post_get_room(size_t size_max, unsigned int clients_max);

/*
 * Publishes a message. Returns 0, or -1 with EAGAIN (no room now), EMSGSIZE,
 * ENOTCONN.
 */
int relay_post(struct relay *relay, const char *subject, const char *reply,
	const struct frame *frame);

/*
 * Publishes a frame without a message. If even that has no room, the frame is
 * lost: the numbers in later frames tell the other side of it.
 */
void relay_post_control(struct relay *relay, const char *subject,
	const char *reply, const struct frame *frame);

/* Holds a copy. Returns 0, or -1 with ENOMEM, also if too many datagrams are
 * held. */
int relay_post_hold(struct relay *relay, uint64_t peer, const void *data,
	size_t size);

/* Passes on what is held, as far as there is room. */
void relay_post_flush(struct relay *relay);

/* Forgets what is held: it is lost with the engine. */
void relay_post_clear(struct relay *relay);

#endif
