/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "message/buffer_private.h"

void unixbuffer_init(struct unixbuffer *buffer, size_t room_max)
{
	buffer->data = NULL;
	buffer->size = 0;
	buffer->room = 0;
	buffer->room_max = room_max;
}

void unixbuffer_free(struct unixbuffer *buffer)
{
	free(buffer->data);
	unixbuffer_init(buffer, buffer->room_max);
}

/* Doubles the room, so that a series of growing messages seldom grows it. */
static size_t choose_room(const struct unixbuffer *buffer, size_t size)
{
	size_t room = buffer->room;

	if (room > buffer->room_max / 2)
		room = buffer->room_max;
	else
		room *= 2;
	return room > size ? room : size;
}

int unixbuffer__reserve(struct unixbuffer *buffer, size_t size)
{
	size_t room;
	void *data;

	if (size <= buffer->room)
		return 0;
	if (size > buffer->room_max) {
		errno = EMSGSIZE;
		return -1;
	}
	room = choose_room(buffer, size);
	data = realloc(buffer->data, room);
	if (data == NULL)
		return -1;
	buffer->data = data;
	buffer->room = room;
	return 0;
}
