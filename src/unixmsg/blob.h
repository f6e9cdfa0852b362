/* SPDX-License-Identifier: MIT */
/*
 * unixblob: a message too big for a socket, handed over as a descriptor.
 *
 * The sender puts the bytes into a memfd and seals it, so that nobody, the
 * sender included, can change or shorten it any more; sends the descriptor
 * with a message (fds of struct unixmsg), and closes it. The receiver, who has
 * asked for descriptors, makes sure of seals and size and maps it read-only.
 * Nothing is copied on the way, and a receiver cannot be made to fault (the
 * file cannot shrink) nor to accept more than its bound.
 */
#ifndef UNIXMSG_BLOB_H
#define UNIXMSG_BLOB_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A sealed memfd with size bytes of data: the descriptor, close-on-exec, yours
 * to close, also after it was sent. size may be 0. -1 with errno: ENOSPC or
 * ENOMEM, EFBIG, EMFILE, or those of memfd_create(2), write(2), fcntl(2).
 */
int unixblob_open(const void *data, size_t size);

/*
 * The same in two steps, to fill in the bytes in place: a memfd of size zero
 * bytes to be written or mapped, and its sealing, after all writable mappings
 * are gone: EBUSY otherwise. unixblob_seal leaves fd open on failure.
 */
int unixblob_create(size_t size);
int unixblob_seal(int fd);

struct unixblob {
	const void *data; /* NULL when size is 0 */
	size_t size;      /* bytes */
};

/*
 * Maps what a received descriptor holds, read-only. fd stays yours, and may be
 * closed at once. -1 with errno, and nothing is mapped:
 *   EPERM     it is no memfd of ordinary memory that is sealed against
 *             shrinking, growing, writing and further sealing
 *   EMSGSIZE  it holds more than size_max bytes; blob->size tells how many,
 *             SIZE_MAX if they are more than it can tell
 *   or those of fcntl(2), fstat(2), mmap(2).
 */
int unixblob_map(int fd, size_t size_max, struct unixblob *blob);

/* Ends the mapping. blob is then as if size were 0; twice does no harm. */
void unixblob_unmap(struct unixblob *blob);

#ifdef __cplusplus
}
#endif
#endif
