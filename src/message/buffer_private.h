/* SPDX-License-Identifier: MIT */
/* buffer: what the library uses besides unixmsg/buffer.h. */
#ifndef UNIXMSG_BUFFER_PRIVATE_H
#define UNIXMSG_BUFFER_PRIVATE_H

#include "unixmsg/buffer.h"

/*
 * Makes room for size bytes; what is in the buffer stays. -1 with EMSGSIZE
 * (more than room_max) or ENOMEM; nothing has changed then.
 */
int unixbuffer__reserve(struct unixbuffer *buffer, size_t size);

#endif
