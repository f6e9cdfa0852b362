/* SPDX-License-Identifier: MIT */
/*
 * segment: the memory of one side of a lane. One process writes it, its peer
 * reads it: no byte may be written by both, so that nobody can spoil what the
 * other has written, and no lock can be left behind by the dead.
 *
 * It is a memory file without a name, a page and a ring. It vanishes with its
 * last user. Nobody can make it smaller, its maker included, so that reading it
 * cannot raise SIGBUS.
 */
#ifndef UNIXMSG_SEGMENT_H
#define UNIXMSG_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEGMENT_OWN = 64 };

/*
 * What is written often by one side, and read often by the other, lies in a
 * cache line of its own, and the next one is empty: processors fetch them in
 * pairs.
 *
 * Positions count bytes from the beginning and wrap around. They have 32 bits
 * since some machines can read 64 at once only by writing, which a mapping for
 * reading forbids. All of it is in the byte order of this machine.
 */
struct segment_page {
	uint32_t magic;
	uint32_t version;
	uint32_t size;
	/* How far this side has read the ring of its peer. */
	_Alignas(128) _Atomic uint32_t head;
	/* How far it has written its own. */
	_Alignas(128) _Atomic uint32_t tail;
	/* Where it sleeps: the peer wakes it when he writes there. And whether
	 * it wants all by the socket from now on. */
	_Alignas(128) _Atomic uint32_t event;
	_Atomic uint32_t is_ring_shut;
	/* What the side keeps for itself: processes that fork(2) has made go on
	 * where another has stopped. The peer does not read it. */
	_Alignas(128) uint32_t own[SEGMENT_OWN];
};

struct segment {
	struct segment_page *page; /* NULL: there is none */
	char *ring; /* of size bytes, and once more behind them */
	uint32_t size;
};

/* Sizes of rings are powers of two within these, and no less than a page. */
enum {
	SEGMENT_RING_LEAST = 1 << 12,
	SEGMENT_RING_MOST = 1 << 26,
};

bool unixsegment__is_ring_size(uint64_t size);

/*
 * Makes one that this process writes. Returns a descriptor of it, to be sent to
 * the peer and closed, which cannot be used to write. -1 with EINVAL (no such
 * size, or an old kernel) and those of memfd_create(2), ftruncate(2) and
 * mmap(2): segment is then as after unixsegment__drop.
 */
int unixsegment__make(struct segment *segment, uint32_t size);

/*
 * Maps the peer's for reading; fd stays the caller's. 0, or -1 with EPERM (he
 * can take it away from under us), EPROTO (it is none, or of another version),
 * EMSGSIZE (its ring is larger than size_max), or those of mmap(2).
 */
int unixsegment__map(struct segment *segment, int fd, uint32_t size_max);

/* Unmaps it, if there is one. */
void unixsegment__drop(struct segment *segment);

#endif
