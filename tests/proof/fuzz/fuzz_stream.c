/* SPDX-License-Identifier: MIT */
/*
 * Framed messages: the input is what a peer writes, in pieces. What is received
 * of it, and when, is held against a plain reading of all the bytes at once.
 * Then the input is sent as one message, and read as bytes.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "unixmsg/conn.h"

const char fuzz_noun[] = "stream";

enum { SIZE_MOST = 4096, PREFIX_SIZE = 4 };

/* What one call of unixconn_recv is to give. */
struct expected {
	const uint8_t *data;
	size_t size;
	size_t needs; /* so many bytes must have arrived before */
	bool is_too_large;
};

struct plain {
	struct expected messages[SIZE_MOST / PREFIX_SIZE];
	size_t count;
	size_t next;
	bool ends_between; /* and not in the middle of a message */
};

static uint32_t read_prefix(const uint8_t *prefix)
{
	return ((prefix[0] * 256u + prefix[1]) * 256u + prefix[2]) * 256u +
		prefix[3];
}

static void read_plainly(struct plain *plain, const uint8_t *data, size_t size,
	size_t room)
{
	size_t at = 0, length;

	plain->count = 0;
	plain->next = 0;
	while (size - at >= PREFIX_SIZE) {
		struct expected *message = &plain->messages[plain->count];

		length = read_prefix(data + at);
		at += PREFIX_SIZE;
		message->data = data + at;
		message->size = length;
		message->is_too_large = length > room;
		message->needs = message->is_too_large ? at : at + length;
		if (message->is_too_large || size - at >= length)
			plain->count++;
		if (size - at < length) {
			plain->ends_between = false;
			return;
		}
		at += length;
	}
	plain->ends_between = at == size;
}

static void check_message(const struct expected *wanted, size_t arrived,
	int result, const uint8_t *got, size_t size)
{
	fuzz_expect(wanted->needs <= arrived);
	fuzz_expect(size == wanted->size);
	if (wanted->is_too_large) {
		fuzz_expect(result == -1);
		return;
	}
	fuzz_expect(result == 1);
	fuzz_expect(size == 0 || memcmp(got, wanted->data, size) == 0);
}

/* Takes what there is; gives what the last call gave, with its errno. */
static int receive(struct unixconn *stream, struct plain *plain, size_t room,
	size_t arrived)
{
	uint8_t *got = malloc(room > 0 ? room : 1);
	size_t size;
	int result;

	fuzz_expect(got != NULL);
	for (;;) {
		result = unixconn_recv(stream, got, room, &size, UNIXMSG_NOW);
		if (result == 0 || (result < 0 && errno != EMSGSIZE))
			break;
		fuzz_expect(plain->next < plain->count);
		check_message(&plain->messages[plain->next++], arrived, result,
			got, size);
	}
	free(got);
	return result;
}

static void send_bytes(int fd, const uint8_t *data, size_t size)
{
	if (size > 0)
		fuzz_expect(
			send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
}

static void feed(struct unixconn *stream, int fd, struct plain *plain,
	const uint8_t *data, size_t size, size_t room, size_t step)
{
	size_t at, piece;

	for (at = 0; at < size; at += piece) {
		piece = size - at < step ? size - at : step;
		send_bytes(fd, data + at, piece);
		fuzz_expect(receive(stream, plain, room, at + piece) == -1);
		fuzz_expect(errno == EAGAIN);
		fuzz_expect(plain->next == plain->count ||
			plain->messages[plain->next].needs > at + piece);
	}
}

static void check_end(struct unixconn *stream, struct plain *plain, size_t room)
{
	int i;

	for (i = 0; i < 2; i++) {
		int result = receive(stream, plain, room, SIZE_MOST);

		fuzz_expect(result == (plain->ends_between ? 0 : -1));
		fuzz_expect(result == 0 || errno == EPROTO);
	}
	fuzz_expect(plain->next == plain->count);
}

static void try_receive(const uint8_t *data, size_t size, size_t room,
	size_t step)
{
	struct unixconn *stream;
	struct plain plain;
	int pair[2];

	read_plainly(&plain, data, size, room);
	fuzz_expect(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	stream = unixconn_adopt(pair[0]);
	fuzz_expect(stream != NULL);
	feed(stream, pair[1], &plain, data, size, room, step);
	close(pair[1]);
	check_end(stream, &plain, room);
	fuzz_expect(unixconn_close(stream) == 0);
}

static void try_send(const uint8_t *data, size_t size)
{
	uint8_t got[PREFIX_SIZE + SIZE_MOST + 1];
	struct unixconn *stream;
	int pair[2];

	fuzz_expect(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	stream = unixconn_adopt(pair[0]);
	fuzz_expect(stream != NULL);
	fuzz_expect(unixconn_send(stream, data, size, UNIXMSG_NOW) == 1);
	fuzz_expect(recv(pair[1], got, sizeof(got), MSG_DONTWAIT) ==
		(ssize_t)(PREFIX_SIZE + size));
	fuzz_expect(read_prefix(got) == size);
	fuzz_expect(size == 0 || memcmp(got + PREFIX_SIZE, data, size) == 0);
	close(pair[1]);
	fuzz_expect(unixconn_close(stream) == 0);
}

/* The first byte is the room for a message, the second the size of a piece. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = fuzz_take_byte(&data, &size);
	size_t step = 1u + fuzz_take_byte(&data, &size);
	int free_fd = fuzz_get_free_fd();
	uint8_t *copy;

	if (size > SIZE_MOST)
		size = SIZE_MOST;
	copy = fuzz_copy(data, size);
	try_receive(copy, size, room, step);
	try_send(copy, size);
	fuzz_expect(fuzz_get_free_fd() == free_fd);
	free(copy);
	return 0;
}
