/* SPDX-License-Identifier: MIT */
/* What sock_diag answers, held against a second reading of the attributes. */
#include <config.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fuzz.h"
#include "name/diag.h"

const char fuzz_noun[] = "diag";

enum { TYPES = 16, USER = 7 };

static uint32_t read_number(const uint8_t *bytes, size_t size)
{
	uint32_t number = 0;
	uint16_t half;

	if (size == sizeof(half)) {
		memcpy(&half, bytes, sizeof(half));
		return half;
	}
	memcpy(&number, bytes, sizeof(number));
	return number;
}

/* The last attribute of each kind. */
struct attribute {
	const uint8_t *data;
	size_t size;
};

/* What is read of an attribute must be there. */
static bool is_whole(size_t type, size_t size)
{
	static const size_t least[TYPES] = {
		[UNIX_DIAG_VFS] = 8,
		[UNIX_DIAG_PEER] = 4,
		[UNIX_DIAG_RQLEN] = 8,
		[UNIX_DIAG_MEMINFO] = 16,
		[UNIX_DIAG_SHUTDOWN] = 1,
		[USER] = 4,
	};

	return size >= least[type];
}

static bool find_attributes(struct attribute *found, const uint8_t *data,
	size_t size)
{
	size_t at, length, type;

	for (at = 0; at + 4 <= size; at += (length + 3) / 4 * 4) {
		length = read_number(data + at, 2);
		type = read_number(data + at + 2, 2) % 0x4000;
		if (length < 4 || length > size - at)
			return false;
		if (type >= TYPES)
			continue;
		if (!is_whole(type, length - 4))
			return false;
		/* A name without bytes says nothing. */
		if (type == UNIX_DIAG_NAME && length == 4)
			continue;
		found[type].data = data + at + 4;
		found[type].size = length - 4;
	}
	return true;
}

static bool is_flagged(const struct unixdiag_socket *socket, unsigned int flag,
	const struct attribute *found)
{
	return ((socket->has & flag) != 0) == (found->data != NULL);
}

static void check_name(const struct unixdiag_socket *socket,
	const struct attribute *found)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	const char *name;
	size_t size;

	name = unixaddr_get_name(&socket->addr, &size);
	fuzz_expect(unixaddr_format(&socket->addr, text, sizeof(text)) != NULL);
	fuzz_expect(fuzz_is_printable(text, strlen(text)));
	if (found->data == NULL) {
		fuzz_expect(
			unixaddr_get_kind(&socket->addr) == UNIXADDR_UNNAMED);
		return;
	}
	if (found->data[0] == 0) {
		fuzz_expect(size == found->size - 1);
		fuzz_expect(memcmp(name, found->data + 1, size) == 0);
		return;
	}
	fuzz_expect(size == strnlen((const char *)found->data, found->size));
	fuzz_expect(memcmp(name, found->data, size) == 0);
}

static void check_file(const struct unixdiag_socket *socket,
	const struct attribute *found)
{
	uint32_t dev;

	fuzz_expect(is_flagged(socket, UNIXDIAG_HAS_FILE, found));
	if (found->data == NULL)
		return;
	dev = read_number(found->data + 4, 4);
	fuzz_expect(socket->file.ino == read_number(found->data, 4));
	fuzz_expect(major(socket->file.dev) == dev / 1048576);
	fuzz_expect(minor(socket->file.dev) == dev % 1048576);
}

static void check_pending(const struct unixdiag_socket *socket,
	const struct attribute *found)
{
	size_t i;

	fuzz_expect(is_flagged(socket, UNIXDIAG_HAS_PENDING, found));
	fuzz_expect(socket->pending_count == found->size / 4);
	for (i = 0; i < socket->pending_count; i++)
		fuzz_expect(unixdiag__get_pending(socket, i) ==
			read_number(found->data + 4 * i, 4));
}

static void check_numbers(const struct unixdiag_socket *socket,
	const struct attribute *found)
{
	const struct attribute *peer = &found[UNIX_DIAG_PEER];
	const struct attribute *queue = &found[UNIX_DIAG_RQLEN];
	const struct attribute *memory = &found[UNIX_DIAG_MEMINFO];

	fuzz_expect(is_flagged(socket, UNIXDIAG_HAS_PEER, peer));
	fuzz_expect(is_flagged(socket, UNIXDIAG_HAS_QUEUE, queue));
	fuzz_expect(is_flagged(socket, UNIXDIAG_HAS_MEMORY, memory));
	if (peer->data != NULL)
		fuzz_expect(socket->peer == read_number(peer->data, 4));
	if (queue->data != NULL) {
		fuzz_expect(
			socket->receive_queue == read_number(queue->data, 4));
		fuzz_expect(
			socket->send_queue == read_number(queue->data + 4, 4));
	}
	if (memory->data != NULL) {
		fuzz_expect(socket->receive_limit_bytes ==
			read_number(memory->data + 4, 4));
		fuzz_expect(socket->send_limit_bytes ==
			read_number(memory->data + 12, 4));
	}
}

static void check_socket(const struct unixdiag_socket *socket,
	const uint8_t *data, size_t size)
{
	struct attribute found[TYPES] = { 0 };
	const struct attribute *user = &found[USER];
	const struct attribute *down = &found[UNIX_DIAG_SHUTDOWN];

	fuzz_expect(size >= 16 && data[0] == AF_UNIX);
	fuzz_expect(socket->type == data[1] && socket->state == data[2]);
	fuzz_expect(socket->ino == read_number(data + 4, 4));
	fuzz_expect((uint32_t)socket->cookie == read_number(data + 8, 4));
	fuzz_expect(socket->cookie >> 32 == read_number(data + 12, 4));
	fuzz_expect(find_attributes(found, data + 16, size - 16));
	check_name(socket, &found[UNIX_DIAG_NAME]);
	check_file(socket, &found[UNIX_DIAG_VFS]);
	check_pending(socket, &found[UNIX_DIAG_ICONS]);
	check_numbers(socket, found);
	fuzz_expect(is_flagged(socket, UNIXDIAG_HAS_USER, user));
	fuzz_expect(is_flagged(socket, UNIXDIAG_HAS_SHUTDOWN, down));
	if (user->data != NULL)
		fuzz_expect(socket->user == read_number(user->data, 4));
	if (down->data != NULL)
		fuzz_expect(socket->shutdown == down->data[0]);
}

static void check_message(const struct unixdiag_message *message,
	const uint8_t *data, size_t size)
{
	size_t length = read_number(data, 4);

	fuzz_expect(length >= 16 && length <= size);
	fuzz_expect(message->sequence == read_number(data + 8, 4));
	fuzz_expect(message->is_interrupted ==
		((read_number(data + 6, 2) & NLM_F_DUMP_INTR) != 0));
	fuzz_expect(message->error >= 0 && message->error < 4096);
	switch (message->kind) {
	case UNIXDIAG_SOCKET:
		fuzz_expect(read_number(data + 4, 2) == SOCK_DIAG_BY_FAMILY);
		check_socket(&message->socket, data + 16, length - 16);
		break;
	case UNIXDIAG_END:
		fuzz_expect(read_number(data + 4, 2) == NLMSG_DONE);
		break;
	case UNIXDIAG_ERROR:
		fuzz_expect(read_number(data + 4, 2) == NLMSG_ERROR);
		fuzz_expect(message->error > 0);
		break;
	case UNIXDIAG_OTHER:
		break;
	}
}

static void parse_all(const uint8_t *data, size_t size)
{
	struct unixdiag_message message;
	ssize_t used;

	while (size > 0) {
		errno = 0;
		used = unixdiag__parse(data, size, &message);
		if (used < 0) {
			fuzz_expect(used == -1 && errno == EBADMSG);
			return;
		}
		fuzz_expect(used > 0 && (size_t)used <= size);
		check_message(&message, data, size);
		data += used;
		size -= (size_t)used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);

	parse_all(copy, size);
	free(copy);
	return 0;
}
