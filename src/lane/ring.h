/* SPDX-License-Identifier: MIT */
/*
 * ring: records in memory that one process writes and another reads, without a
 * system call. What is on its way by other means, by the socket, keeps its
 * place among them: a marker stands for it.
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
 * No wake-up is lost, since each side first writes, then has a full fence, and
 * then reads what the other one has written: the writer its tail and then the
 * event, the reader the event and then the tail. So one of them sees what the
 * other has written. Without a fence a processor may read before its own write
 * is seen, on x86 as well, and both sleep.
 *
 * One thread writes and one reads: others have to take turns. What the peer
 * writes is looked at once, and judged before it is used; bytes of a record may
 * change under the reader's eyes.
 */
#ifndef UNIXMSG_RING_H
#define UNIXMSG_RING_H

#include <stdbool.h>

#include "lane/segment.h"

/* What stands before each record: its bytes are padded to so many, too. */
enum { RING_HEADER = 8 };

/* The end that writes, and how far it is. */
struct ring_out_state {
	uint32_t tail;
	uint32_t told;   /* who sleeps before here knows of it */
	uint32_t head;   /* how far the peer has read, when we looked */
	uint32_t marker; /* where the last record is, if it is a marker */
	uint32_t has_marker;
};

struct ring_out {
	struct segment_page *page;       /* ours */
	const struct segment_page *peer; /* theirs */
	struct ring_out_state *state;    /* in our page */
	char *bytes;
	uint32_t size;
};

/* The end that reads. */
struct ring_in_state {
	uint32_t head;
	uint32_t tail;  /* how far the peer had written, when we looked */
	uint32_t taken; /* of those that the marker at head stands for */
	uint32_t is_at_marker; /* we have seen it there */
	uint32_t event;        /* as it is in our page */
	uint32_t is_spent;     /* for lane.c: what is first on the socket is
				* but a sign */
};

struct ring_in {
	struct segment_page *page;       /* ours */
	const struct segment_page *peer; /* theirs */
	struct ring_in_state *state;     /* in our page */
	const char *bytes;
	uint32_t size;
};

/* What is next: data, or on the socket, where data is NULL. */
struct ring_record {
	const char *data;
	uint32_t size;
};

/* Rings of ours and of the peer's; what the ends know is where it was left. */
void unixring__set_up(struct ring_out *out, struct ring_in *in,
	const struct segment *mine, const struct segment *theirs);

/* Writing */

/* The largest message that goes into the ring: half of it holds one. */
size_t unixring__get_size_max(const struct ring_out *out);

/*
 * Room for size bytes, which stay to be committed. NULL with EAGAIN (not now),
 * EMSGSIZE (never), or EPROTO (the peer lies).
 */
void *unixring__reserve(struct ring_out *out, size_t size);

/* Publishes so many bytes of what was reserved, or fewer. */
void unixring__commit(struct ring_out *out, size_t size);

/*
 * The two at once, for a message in one piece. False: there is no room for it,
 * or the peer lies; unixring__reserve tells which. errno stays as it is.
 */
bool unixring__put(struct ring_out *out, const void *data, size_t size);

/*
 * Whether the peer has to be woken for what was published since the last time.
 * Costs a full fence, once for as many as there are.
 */
bool unixring__tell(struct ring_out *out);

/*
 * One message more will come by the socket, after all that was published. There
 * is always room to say so. When it was sent the mark is kept: it has woken the
 * peer. Otherwise it is taken back, and true says that the bell has to be rung:
 * he may have seen the marker, and sleeps behind it.
 */
void unixring__mark(struct ring_out *out);
void unixring__keep_mark(struct ring_out *out);
bool unixring__unmark(struct ring_out *out);

/* How many bytes the peer has not read, as it says: no more than there are in
 * the ring. Any thread may ask. */
uint32_t unixring__get_unread(const struct ring_out *out);

/* Reading */

/*
 * 1: there is a record. 0: there is none. -1: EPROTO, the peer lies, and what
 * later calls give means nothing.
 */
int unixring__look(struct ring_in *in, struct ring_record *record);

/*
 * Receives a message of the ring that is there and fits into room. False:
 * unixring__look tells why not. errno stays as it is.
 */
bool unixring__take(struct ring_in *in, void *data, size_t room, size_t *size);

/* Whether the marker still stands for a message that was not taken: the
 * sender may have taken it back. */
bool unixring__is_marked(const struct ring_in *in);

/* Gives the room of a record back, or takes one of a marker's messages. */
void unixring__release(struct ring_in *in, const struct ring_record *record);

/*
 * Looks with the promise that whoever publishes after a look in vain will ring
 * the bell. As unixring__look: 1, 0 (armed), or -1.
 */
int unixring__arm(struct ring_in *in, struct ring_record *record);

/*
 * The same for a message that a marker has announced, and that is not there
 * yet. 1: it was taken back, or there is more. 0: armed, and it is on its way,
 * or will be taken back. -1: EPROTO.
 */
int unixring__arm_behind(struct ring_in *in);

/* Nothing more is read: a marker whose messages were all taken is read, too. */
void unixring__settle(struct ring_in *in);

#endif
