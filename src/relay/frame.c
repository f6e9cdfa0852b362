/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "relay/frame.h"

/* The parts of a frame, besides its type. */
enum part {
	HAS_SEQUENCE = 1 << 0,
	HAS_CREDIT = 1 << 1,
	HAS_DATA = 1 << 2,
	IS_KNOWN = 1 << 3,
};

static const unsigned int parts[] = {
	[FRAME_DATAGRAM] = IS_KNOWN | HAS_DATA,
	[FRAME_OPEN] = IS_KNOWN | HAS_CREDIT,
	[FRAME_ACCEPT] = IS_KNOWN | HAS_CREDIT,
	[FRAME_REFUSE] = IS_KNOWN,
	[FRAME_DATA] = IS_KNOWN | HAS_SEQUENCE | HAS_DATA,
	[FRAME_CREDIT] = IS_KNOWN | HAS_CREDIT,
	[FRAME_FIN] = IS_KNOWN | HAS_SEQUENCE,
	[FRAME_RESET] = IS_KNOWN,
	[FRAME_PING] = IS_KNOWN | HAS_SEQUENCE | HAS_CREDIT,
	[FRAME_PONG] = IS_KNOWN | HAS_SEQUENCE | HAS_CREDIT,
};

/* Without padding: each member is at a multiple of its size. */
struct head {
	uint8_t version;
	uint8_t type;
	uint16_t flags;
	uint32_t zero;
	uint64_t sequence;
	uint64_t credit;
};
_Static_assert(sizeof(struct head) == FRAME_HEAD_SIZE, "padding in a head");

static int fail(void)
{
	errno = EPROTO;
	return -1;
}

void frame_encode(unsigned char head[FRAME_HEAD_SIZE],
	const struct frame *frame)
{
	const struct head written = {
		.version = FRAME_VERSION,
		.type = (uint8_t)frame->type,
		.sequence = htobe64(frame->sequence),
		.credit = htobe64(frame->credit),
	};

	memcpy(head, &written, sizeof(written));
}

static unsigned int get_parts(uint8_t type)
{
	return type < sizeof(parts) / sizeof(*parts) ? parts[type] : 0;
}

/* Flags are for later versions: a frame with one means more than we know. */
static int check_head(const struct head *head, size_t data_size)
{
	unsigned int has = get_parts(head->type);

	if (head->version != FRAME_VERSION || !(has & IS_KNOWN) ||
		head->flags != 0 || head->zero != 0)
		return fail();
	if ((head->sequence != 0 && !(has & HAS_SEQUENCE)) ||
		(head->credit != 0 && !(has & HAS_CREDIT)) ||
		(data_size != 0 && !(has & HAS_DATA)))
		return fail();
	return 0;
}

int frame_decode(struct frame *frame, const void *message, size_t size)
{
	struct head head;

	if (size < sizeof(head))
		return fail();
	memcpy(&head, message, sizeof(head));
	size -= sizeof(head);
	if (check_head(&head, size) < 0)
		return -1;
	frame->type = (enum frame_type)head.type;
	frame->sequence = be64toh(head.sequence);
	frame->credit = be64toh(head.credit);
	frame->data = (const char *)message + sizeof(head);
	frame->size = size;
	return 0;
}
