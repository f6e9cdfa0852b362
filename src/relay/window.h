/* SPDX-License-Identifier: MIT */
/*
 * window: how much a relay may send in one direction of a session before the
 * other one has delivered it. Then the sender stops reading from its client, so
 * the client waits as it does with a local peer.
 *
 * Each message is charged its size and WINDOW_OVERHEAD, so that many small ones
 * are bounded, too. Credit is cumulative: the receiver tells the sum of all
 * charges up to which may be sent, and a later credit makes up for one that was
 * lost. The counters may wrap around.
 *
 * A message may be sent while there is any credit left: the sender cannot know
 * its size before it is read. So the receiver holds the window and one message
 * at most.
 */
#ifndef UNIXMSG_RELAY_WINDOW_H
#define UNIXMSG_RELAY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The cost of keeping a message, besides its bytes. */
#define WINDOW_OVERHEAD 768

/* The largest window that a sender takes from the other side. */
#define WINDOW_SIZE_MAX (UINT64_C(1) << 30)

/* The sender's side. */
struct window_out {
	uint64_t sent;
	uint64_t credit;
};

/* The receiver's side. */
struct window_in {
	uint64_t size;
	uint64_t received;
	uint64_t delivered;
	uint64_t credit; /* the last one that was told */
};

/* start is where the counters begin: 0, or anything else in tests. */
void window_out_init(struct window_out *out, uint64_t start);

/*
 * Takes the credit of a frame. One that is not beyond the last is old and
 * changes nothing. Returns 0, or -1 with EPROTO if it is beyond
 * WINDOW_SIZE_MAX.
 */
int window_out_raise(struct window_out *out, uint64_t credit);

bool window_out_is_open(const struct window_out *out);

/* Charges a message that was sent. */
void window_out_charge(struct window_out *out, size_t size);

/* size is 1 to WINDOW_SIZE_MAX bytes. */
void window_in_init(struct window_in *in, uint64_t size, uint64_t start);

/* Charges a message that has arrived. Returns 0, or -1 with EPROTO if the
 * sender had no credit for it. */
int window_in_charge(struct window_in *in, size_t size);

/* The message was delivered, or given up: its room is free. */
void window_in_release(struct window_in *in, size_t size);

/* True if so much became free that it should be told: a quarter. */
bool window_in_is_due(const struct window_in *in);

/* Returns the credit for a frame, which the caller tells. */
uint64_t window_in_tell(struct window_in *in);

#endif
