/* SPDX-License-Identifier: MIT */
/*
 * segment: the memory that one side of a lane writes and the other side reads.
 * No byte is written by both. So neither side can spoil what the other has
 * written, and no dead process can leave a lock behind.
 *
 * A segment is a memfd (memfd_create(2)) with a page and a ring. It disappears
 * with its last user. Nobody can make it smaller, not even its maker, so
 * reading it cannot raise SIGBUS.
 */
#ifndef UNIXMSG_SEGMENT_H
#define UNIXMSG_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SEGMENT_OWN = 64 };

/* The connection that a segment is for. Its maker writes this before anybody
 * else has the segment. */
struct segment_key {
	uint64_t number; /* in the client's name */
	uint64_t space;  /* the network namespace in which that is unique */
	uint64_t secret[2];
};

/*
 * Each value that one side often writes and the other often reads has a cache
 * line of its own. The next line is empty, because processors fetch lines in
 * pairs.
 *
 * Positions count bytes from the beginning and wrap around. They have 32 bits,
 * because some machines can read 64 bits at once only by a write, which a
 * read-only mapping forbids. All values are in the byte order of this machine.
 * A program of 32 bits and one of 64 may share them, so no place may depend on
 * how the compiler aligns 64 bits.
 */
struct segment_page {
	uint32_t magic;
	uint32_t version;
	uint32_t size;
	_Alignas(8) struct segment_key key;
	/* The position up to which this side has read the ring of its peer. */
	_Alignas(128) _Atomic uint32_t head;
	/* The position up to which this side has written its own ring. */
	_Alignas(128) _Atomic uint32_t tail;
	/* The messages that this side has sent by the socket, one marker for
	 * one or more. The peer does not read it. */
	_Atomic uint32_t marked;
	/* The position where this side sleeps: the peer wakes it by the bell
	 * when it writes there. is_ring_shut is 1 if the peer shall send
	 * everything by the socket. taken is the number of messages of markers
	 * that this side has received. is_reading is 1 once this side receives
	 * by the lane. */
	_Alignas(128) _Atomic uint32_t event;
	_Atomic uint32_t is_ring_shut;
	_Atomic uint32_t taken;
	_Atomic uint32_t is_reading;
	/* The state of this side. After fork(2), one process goes on where
	 * another has stopped. The peer does not read it. */
	_Alignas(128) uint32_t own[SEGMENT_OWN];
};

struct segment {
	struct segment_page *page; /* NULL: there is none */
	char *ring; /* size bytes, and the same bytes behind them */
	uint32_t size;
};

/* The size of a ring is a power of two from LEAST to MOST, and at least a
 * page. */
enum {
	SEGMENT_RING_LEAST = 1 << 12,
	SEGMENT_RING_MOST = 1 << 26,
};

bool unixsegment__is_ring_size(uint64_t size);

/* Returns the bytes of memory for a ring of that size, and its page. */
uint64_t unixsegment__get_bytes(uint32_t size);

/*
 * Makes a segment that this process writes. Its name tells unixmsg-inspect the
 * connection that it is for: ino is the inode of our socket. Returns a
 * descriptor of it, which nobody can use to write: send it to the peer, and
 * close it. Returns -1 with EINVAL (no such size, or an old kernel) or an error
 * of memfd_create(2), ftruncate(2) or mmap(2): segment is then as after
 * unixsegment__drop.
 */
int unixsegment__make(struct segment *segment, uint32_t size, uint64_t ino);

/*
 * Maps the peer's segment for reading; fd stays the caller's. Returns 0; -1
 * with EPERM (the peer could still shrink it), EPROTO (it is no segment, or of
 * another version), EMSGSIZE (its ring is larger than size_max), or an error of
 * fcntl(2), fstat(2), fstatfs(2) or mmap(2).
 */
int unixsegment__map(struct segment *segment, int fd, uint32_t size_max);

/*
 * Reads the key of the peer's segment, which need not be mapped. Returns 0; -1
 * with EPERM (it is not memory of owner, or not sealed), EPROTO (it is too
 * short), or an error of fcntl(2), fstat(2), fstatfs(2) or pread(2).
 */
int unixsegment__read_key(int fd, uid_t owner, struct segment_key *key);

/* Unmaps the segment, if there is one. */
void unixsegment__drop(struct segment *segment);

#endif
