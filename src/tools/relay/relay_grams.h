/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_GRAMS_H
#define UNIXMSG_TOOLS_RELAY_GRAMS_H

/* relay_grams: the calls that the two ways of datagrams share. */

#include <stdint.h>

struct frame;
struct nats_event;
struct relay;
struct unixservice_event;

/*
 * Publishes a datagram of a peer here, with our own subject of that number as
 * the reply subject. Returns 0, also if it was lost and counted; or -1 with
 * EAGAIN.
 */
int relay_grams_pass(struct relay *relay, const char *subject, uint64_t number,
	const struct frame *frame);

/* Sends a datagram from the engine to a peer here, or counts why it cannot. */
void relay_grams_deliver(struct relay *relay, uint64_t peer,
	const struct frame *frame);

/* Counts a datagram that was lost in the service. */
void relay_grams_note_loss(struct relay *relay,
	const struct unixservice_event *event);

#endif
