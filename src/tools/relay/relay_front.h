/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_FRONT_H
#define UNIXMSG_TOOLS_RELAY_FRONT_H

/*
 * relay_front: is the service there? A relay that imports asks now and then,
 * and serves its address only while a relay that exports says yes.
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

/* Of an import. Return 0, or -1 after a complaint. */
int relay_front_open(struct relay *relay);
void relay_front_close(struct relay *relay);

/* The engine is up, or down. */
void relay_front_engine_up(struct relay *relay);
void relay_front_engine_down(struct relay *relay);

/* An answer to our question. frame is NULL if nobody is there. */
void relay_front_take(struct relay *relay, const struct nats_event *event,
	const struct frame *frame);
void relay_front_look(struct relay *relay, int64_t now_us);

/* Stops receiving at the address because a message waits for the engine. */
void relay_front_hold(struct relay *relay, bool is_wanted);

/* True if clients wait there until the engine or the service is back. */
bool relay_front_is_waiting(const struct relay *relay);

/* Gives the address up for good. */
void relay_front_leave(struct relay *relay);

/* True while clients here, or there, can reach the service. */
bool relay_front_is_service_up(const struct relay *relay);

/* An export asks for its service. Others get new clients while it is away. */
void relay_front_probe(struct relay *relay, int64_t now_us);

/* An export has not found its service, for a client. */
void relay_front_miss(struct relay *relay);

/* An export answers such a question. */
void relay_front_answer(struct relay *relay, const struct nats_event *event,
	const struct frame *frame);

#endif
