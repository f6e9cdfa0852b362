/* SPDX-License-Identifier: MIT */
/*
 * unixbuffer: memory that grows with the messages received, up to a bound. It
 * is for receivers that do not know the size of the next message.
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
	size_t room;     /* the allocated bytes */
	size_t room_max; /* the most bytes to allocate */
};

/* Makes an empty buffer, and allocates nothing yet. */
void unixbuffer_init(struct unixbuffer *buffer, size_t room_max);

/* Frees the memory; the buffer is then as after unixbuffer_init. */
void unixbuffer_free(struct unixbuffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
