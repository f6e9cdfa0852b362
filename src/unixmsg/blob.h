/* SPDX-License-Identifier: MIT */
/*
 * unixblob: a message too big for a socket, handed over as a descriptor.
 *
 * The sender writes the bytes to a memfd and seals it, so that nobody, not even
 * the sender, can change or shorten it any more. It sends the descriptor with a
 * message (fds of struct unixmsg), and closes it. The receiver asks for
 * descriptors, checks seals and size, and maps the bytes read-only. Nothing is
 * copied on the way. A sender can make the receiver neither fault, since the
 * file cannot shrink, nor accept more than its bound.
 */
#ifndef UNIXMSG_BLOB_H
#define UNIXMSG_BLOB_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a sealed memfd with size bytes of data; size may be 0. Returns the
 * descriptor, close-on-exec and yours to close, also after sending it; -1 with
 * ENOSPC, ENOMEM, EFBIG, EMFILE, or an error of memfd_create(2), write(2),
 * fcntl(2).
 */
int unixblob_open(const void *data, size_t size);

/*
 * Makes it in two steps, to fill in the bytes in place. unixblob_create makes a
 * memfd of size zero bytes, to write or to map. unixblob_seal seals it, after
 * you have ended all writable mappings: EBUSY otherwise. It leaves fd open on
 * failure.
 */
int unixblob_create(size_t size);
int unixblob_seal(int fd);

struct unixblob {
	const void *data; /* NULL when size is 0 */
	size_t size;      /* bytes */
};

/*
 * Maps the bytes of a received descriptor, read-only. fd stays yours; you may
 * close it at once. Returns -1, and maps nothing, with
 *
 *   EPERM     fd is no memfd of ordinary memory with seals against shrinking,
 *             growing, writing and further sealing
 *   EMSGSIZE  it has more than size_max bytes: blob->size of them, or SIZE_MAX
 *             if that number does not fit
 *
 * or an error of fcntl(2), fstat(2), mmap(2).
 */
int unixblob_map(int fd, size_t size_max, struct unixblob *blob);

/* Ends the mapping, and makes blob as if size were 0. A second call does no
 * harm. */
void unixblob_unmap(struct unixblob *blob);

#ifdef __cplusplus
}
#endif
#endif
