/* SPDX-License-Identifier: MIT */
/*
 * unixbuffer: memory that grows to the messages that come, up to a bound, for
 * receivers that do not know how large the next one is.
 */
#ifndef UNIXMSG_BUFFER_H
#define UNIXMSG_BUFFER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unixbuffer {
	void *data;      /* the message received last */
	size_t size;     /* its true size in bytes */
	size_t room;     /* how much is allocated */
	size_t room_max; /* and may be at most */
};

/* An empty buffer; nothing is allocated yet. */
void unixbuffer_init(struct unixbuffer *buffer, size_t room_max);

/* Frees the memory; the buffer is then as after unixbuffer_init. */
void unixbuffer_free(struct unixbuffer *buffer);

/*
 * Makes room for size bytes; what is in the buffer stays. -1 with EMSGSIZE
 * (more than room_max) or ENOMEM; nothing has changed then.
 */
int unixbuffer_reserve(struct unixbuffer *buffer, size_t size);

#ifdef __cplusplus
}
#endif
#endif
