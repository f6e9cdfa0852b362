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

static void close_fds(struct kept *kept)
{
	while (kept->fds_count > 0)
		fd_close(kept->fds[--kept->fds_count]);
}

static int copy_fds(struct kept *kept, const struct unixmsg *msg)
{
	int fd;

	while (kept->fds_count < msg->fds_count) {
		fd = fcntl(msg->fds[kept->fds_count], F_DUPFD_CLOEXEC,
			STDERR_FILENO + 1);
		if (fd < 0) {
			close_fds(kept);
			return -1;
		}
		kept->fds[kept->fds_count++] = fd;
	}
	return 0;
}

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static struct kept *allocate(size_t size, size_t fds_count)
{
	if (size <= size_most && fds_count <= size_most / sizeof(int))
		return malloc(sizeof(struct kept) +
			round_up(size, sizeof(int)) + fds_count * sizeof(int));
	errno = ENOMEM;
	return NULL;
}

static struct kept *copy(const struct unixmsg *msg)
{
	size_t size = unixoutbox__get_size(msg);
	struct kept *kept = allocate(size, msg->fds_count);

	if (kept == NULL)
		return NULL;
	memset(kept, 0, sizeof(*kept));
	kept->size = size;
	kept->fds = (int *)(void *)(kept->data + round_up(size, sizeof(int)));
	copy_parts(kept->data, msg);
	if (copy_fds(kept, msg) == 0)
		return kept;
	free(kept);
	return NULL;
}

struct kept *unixoutbox__add(struct outbox *outbox, const struct unixmsg *msg)
{
	struct kept *kept = copy(msg);

	if (kept == NULL)
		return NULL;
	*outbox->last = kept;
	outbox->last = &kept->next;
	outbox->bytes += kept->size + UNIXOUTBOX_OVERHEAD;
	outbox->count++;
	if (outbox->count > outbox->count_most)
		outbox->count_most = outbox->count;
	return kept;
}

void unixoutbox__remove(struct outbox *outbox, struct kept **place)
{
	struct kept *kept = *place;

	*place = kept->next;
	if (kept->next == NULL)
		outbox->last = place;
	outbox->count--;
	outbox->bytes -= kept->size + UNIXOUTBOX_OVERHEAD;
	close_fds(kept);
	free(kept);
}
