/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_FRONT_H
#define UNIXMSG_TOOLS_RELAY_FRONT_H

/*
 * relay_front: finds out whether the service is there. A relay that imports
 * asks now and then, and serves its address only while a relay that exports
 * answers yes.
 */

#include <stdbool.h>
#include <stdint.h>

struct frame;
struct nats_event;
struct relay;

/* Questions and answers about the service use our own subject with this
 * number. */
#define RELAY_FRONT_NUMBER UINT64_MAX

/* An export's own subject with this number is for the datagrams of clients that
 * stay with it. */
#define RELAY_GRAMS_NUMBER (UINT64_MAX - 1)

/* For an import. Returns 0, or -1 after a complaint. */
int relay_front_open(struct relay *relay);
void relay_front_close(struct relay *relay);

/* Notes that the engine is up, or down. */
void relay_front_engine_up(struct relay *relay);
void relay_front_engine_down(struct relay *relay);

/* Takes an answer to our question. frame is NULL if no relay exports the
 * service. */
void relay_front_take(struct relay *relay, const struct nats_event *event,
	const struct frame *frame);
void relay_front_look(struct relay *relay, int64_t now_us);

/* Stops receiving at the address while a message waits for the engine. */
void relay_front_hold(struct relay *relay, bool is_wanted);

/* True if clients wait at the address until the engine or the service is
 * back. */
bool relay_front_is_waiting(const struct relay *relay);

/* Closes the address for good. */
void relay_front_leave(struct relay *relay);

/* True while clients here, or there, can reach the service. */
bool relay_front_is_service_up(const struct relay *relay);

/* For an export: probes its service. While the service is away, other exports
 * get the new clients. */
void relay_front_probe(struct relay *relay, int64_t now_us);

/* For an export: probes its service soon, because it was not there for a
 * client. */
void relay_front_miss(struct relay *relay);

/* For an export: answers the question of an import. */
void relay_front_answer(struct relay *relay, const struct nats_event *event,
	const struct frame *frame);

#endif
