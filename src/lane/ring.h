/* SPDX-License-Identifier: MIT */
/*
 * ring: records in memory that one process writes and another reads, without a
 * system call. A message that goes by the socket instead keeps its place among
 * them by a marker.
 *
 * The writer:
 *
 *	place = unixring__reserve(out, size);
 *	memcpy(place, data, size);
 *	unixring__commit(out, size);
 *	if (unixring__tell(out))
 *		ring the bell;
 *
 * The reader:
 *
 *	while (unixring__look(in, &record) == 0)
 *		if (unixring__arm(in, &record) == 0)
 *			sleep until the bell rings;
 *	use(record.data, record.size);
 *	unixring__release(in, &record);
 *
 * No wake-up is lost. Each side first writes, then passes a full fence, and
 * then reads what the other side has written. The writer writes its tail and
 * reads the event; the reader writes the event and reads the tail. So at least
 * one of them sees what the other has written. Without the fence, a processor
 * may read before others see its own write, even on x86, and both sides would
 * sleep.
 *
 * One thread writes and one thread reads; several threads have to take turns. A
 * call reads each value of the peer once, and checks it before use. The bytes
 * of a record may change while the reader reads them.
 */
#ifndef UNIXMSG_RING_H
#define UNIXMSG_RING_H

#include <stdbool.h>

#include "lane/segment.h"

/* The size of the header before each record. The bytes of a record are padded
 * to a multiple of it. */
enum { RING_HEADER = 8 };

/* The state of the writing end. */
struct ring_out_state {
	uint32_t tail;
	uint32_t told;   /* the peer was told of all before this */
	uint32_t head;   /* of the peer, when we last looked */
	uint32_t marker; /* the position of the last record, if a marker */
	uint32_t has_marker;
};

struct ring_out {
	struct segment_page *page;       /* ours */
	const struct segment_page *peer; /* theirs */
	struct ring_out_state *state;    /* in our page */
	char *bytes;
	uint32_t size;
};

/* The state of the reading end. */
struct ring_in_state {
	uint32_t head;
	uint32_t tail;         /* of the peer, when we last looked */
	uint32_t taken;        /* messages of the marker at head, received */
	uint32_t is_at_marker; /* we have seen a marker at head */
	uint32_t event;        /* the same as in our page */
	uint32_t is_spent;     /* for lane.c: the first entry on the socket is
				* only a sign */
};

struct ring_in {
	struct segment_page *page;       /* ours */
	const struct segment_page *peer; /* theirs */
	struct ring_in_state *state;     /* in our page */
	const char *bytes;
	uint32_t size;
};

/* The next record. data is NULL if its message is on the socket. */
struct ring_record {
	const char *data;
	uint32_t size;
};

/* Sets up both ends, from our segment and the peer's. The state of the ends is
 * in our segment, and stays as it is. */
void unixring__set_up(struct ring_out *out, struct ring_in *in,
	const struct segment *mine, const struct segment *theirs);

/* Writing */

/* Returns the size of the largest message for the ring. It fits into half of
 * the ring. */
size_t unixring__get_size_max(const struct ring_out *out);

/*
 * Returns room for size bytes; write them, then commit them. Returns NULL with
 * EAGAIN (no room now), EMSGSIZE (never), or EPROTO (the peer lies).
 */
void *unixring__reserve(struct ring_out *out, size_t size);

/* Publishes size bytes, at most as many as were reserved. */
void unixring__commit(struct ring_out *out, size_t size);

/*
 * Does both at once for a message in one piece. Returns false if there is no
 * room for it, or if the peer breaks the rules; unixring__reserve tells which.
 * Keeps errno.
 */
bool unixring__put(struct ring_out *out, const void *data, size_t size);

/*
 * Returns true if the peer has to be woken for the records published since the
 * last call. Costs one full fence, however many records there are.
 */
bool unixring__tell(struct ring_out *out);

/*
 * unixring__mark announces one more message by the socket, behind everything
 * that was published; there is always room for that. If the message was sent,
 * call unixring__keep_mark: the message has woken the peer. Else call
 * unixring__unmark, to take the mark back. It returns true if the bell has to
 * be rung: the peer may have seen the marker, and sleep behind it.
 */
void unixring__mark(struct ring_out *out);
void unixring__keep_mark(struct ring_out *out);
bool unixring__unmark(struct ring_out *out);

/* Returns the number of bytes that the peer has not read, as the peer reports
 * it, and no more than are in the ring. Any thread may call this. */
uint32_t unixring__get_unread(const struct ring_out *out);

/* Reading */

/*
 * Looks for the next record. Returns 1 if there is one, 0 if there is none; -1
 * with EPROTO if the peer lies: later results then mean nothing.
 */
int unixring__look(struct ring_in *in, struct ring_record *record);

/*
 * Receives a message that is in the ring and fits into room. Returns false
 * otherwise; unixring__look tells why. Keeps errno.
 */
bool unixring__take(struct ring_in *in, void *data, size_t room, size_t *size);

/* Returns true if the marker at head still stands for a message that we have
 * not received. The sender may take a message back. */
bool unixring__is_marked(const struct ring_in *in);

/* Gives the room of a record back. For a marker, counts one of its messages as
 * received. */
void unixring__release(struct ring_in *in, const struct ring_record *record);

/*
 * Looks for the next record. If there is none, the peer will ring the bell for
 * it. Returns 1, 0 (armed) or -1 as unixring__look does.
 */
int unixring__arm(struct ring_in *in, struct ring_record *record);

/*
 * Does the same for a message that a marker has announced, if the message is
 * not there yet. Returns 1 if the message was taken back, or if there is more;
 * 0 (armed) if it is on its way, or will be taken back; -1 with EPROTO.
 */
int unixring__arm_behind(struct ring_in *in);

/* Ends the reading. If the reader has received all messages of the marker at
 * head, and nothing is behind it, the marker counts as read, too. */
void unixring__settle(struct ring_in *in);

#endif
