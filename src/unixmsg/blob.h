/* SPDX-License-Identifier: MIT */
/*
 * unixblob: a message too big for a socket, sent as the descriptor of a memory
 * file.
 *
 * The sender writes the bytes to a memfd (memfd_create(2)) and seals it: from
 * then on nobody can change or shorten it, not even the sender. It sends the
 * descriptor with a message (fds of struct unixmsg), and closes it. The
 * receiver asks for descriptors, checks seals and size, and maps the bytes
 * read-only. Nothing is copied on the way. The receiver is safe from the
 * sender: reading cannot raise SIGBUS, since the file cannot shrink, and the
 * receiver bounds the size that it maps.
 */
#ifndef UNIXMSG_BLOB_H
#define UNIXMSG_BLOB_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a sealed memfd with size bytes of data; size may be 0. Returns the
 * descriptor, which is close-on-exec and yours to close, even after you have
 * sent it; -1 with ENOSPC, ENOMEM, EFBIG, EMFILE, or an error of
 * memfd_create(2), write(2), fcntl(2).
 */
int unixblob_open(const void *data, size_t size);

/*
 * Make a sealed memfd in two steps, to write the bytes in place.
 * unixblob_create makes a memfd of size bytes, all zero, to write or to map.
 * End all writable mappings, then call unixblob_seal; it fails with EBUSY
 * otherwise, and leaves fd open on failure. Other errors as above.
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
 *   EMSGSIZE  it has more than size_max bytes; blob->size is their number, or
 *             SIZE_MAX if that does not fit
 *
 * or an error of fcntl(2), fstat(2), fstatfs(2), mmap(2).
 */
int unixblob_map(int fd, size_t size_max, struct unixblob *blob);

/* Ends the mapping, and sets data to NULL and size to 0. A second call does no
 * harm. */
void unixblob_unmap(struct unixblob *blob);

#ifdef __cplusplus
}
#endif
#endif
