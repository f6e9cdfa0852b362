/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "service/outbox.h"

/* Parts may overlap, and add up to more than memory can hold. */
static const size_t size_most = SIZE_MAX / 4;

void unixoutbox__init(struct outbox *outbox)
{
	memset(outbox, 0, sizeof(*outbox));
	outbox->last = &outbox->first;
}

size_t unixoutbox__get_size(const struct unixmsg *msg)
{
	size_t i, size = 0;

	if (msg->parts == NULL)
		return msg->room;
	for (i = 0; i < msg->parts_count; i++)
		if (__builtin_add_overflow(size, msg->parts[i].iov_len, &size))
			return SIZE_MAX;
	return size;
}

static void copy_parts(char *data, const struct unixmsg *msg)
{
	size_t i;

	if (msg->parts == NULL) {
		if (msg->room > 0)
			memcpy(data, msg->data, msg->room);
		return;
	}
	for (i = 0; i < msg->parts_count; i++) {
		/* An empty part may have no address. */
		if (msg->parts[i].iov_len == 0)
			continue;
		memcpy(data, msg->parts[i].iov_base, msg->parts[i].iov_len);
		data += msg->parts[i].iov_len;
	}
}

void unixoutbox__close_fds(struct queued *queued)
{
	while (queued->fds_count > 0)
		fd_close(queued->fds[--queued->fds_count]);
}

static int copy_fds(struct queued *queued, const struct unixmsg *msg)
{
	int fd;

	while (queued->fds_count < msg->fds_count) {
		fd = fcntl(msg->fds[queued->fds_count], F_DUPFD_CLOEXEC,
			STDERR_FILENO + 1);
		if (fd < 0) {
			unixoutbox__close_fds(queued);
			return -1;
		}
		queued->fds[queued->fds_count++] = fd;
	}
	return 0;
}

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static struct queued *allocate(size_t size, size_t fds_count)
{
	if (size <= size_most && fds_count <= size_most / sizeof(int))
		return malloc(sizeof(struct queued) +
			round_up(size, sizeof(int)) + fds_count * sizeof(int));
	errno = ENOMEM;
	return NULL;
}

static struct queued *copy(const struct unixmsg *msg)
{
	size_t size = unixoutbox__get_size(msg);
	struct queued *queued = allocate(size, msg->fds_count);

	if (queued == NULL)
		return NULL;
	memset(queued, 0, sizeof(*queued));
	queued->size = size;
	queued->has_cred = (msg->flags & UNIXMSG_SEND_CRED) != 0;
	queued->cred = msg->cred;
	queued->fds =
		(int *)(void *)(queued->data + round_up(size, sizeof(int)));
	copy_parts(queued->data, msg);
	if (copy_fds(queued, msg) == 0)
		return queued;
	free(queued);
	return NULL;
}

struct queued *unixoutbox__add(struct outbox *outbox, const struct unixmsg *msg)
{
	struct queued *queued = copy(msg);

	if (queued == NULL)
		return NULL;
	*outbox->last = queued;
	outbox->last = &queued->next;
	outbox->bytes += queued->size + UNIXOUTBOX_OVERHEAD;
	outbox->count++;
	if (outbox->count > outbox->count_most)
		outbox->count_most = outbox->count;
	return queued;
}

void unixoutbox__remove(struct outbox *outbox, struct queued **place)
{
	struct queued *queued = *place;

	*place = queued->next;
	if (queued->next == NULL)
		outbox->last = place;
	outbox->count--;
	outbox->bytes -= queued->size + UNIXOUTBOX_OVERHEAD;
	unixoutbox__close_fds(queued);
	free(queued);
}
