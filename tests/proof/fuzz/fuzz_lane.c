/* SPDX-License-Identifier: MIT */
/*
 * A lane whose peer breaks the rules: the input is what both sides do, one
 * after the other. As long as both are honest, every message arrives as it was
 * sent. So the lies of the peer begin from valid states: a ring that is half
 * full, a message on its way, a reader that sleeps. After the first lie only
 * some errors may come, EPROTO is final, and nothing else happens.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "lane/lane.h"

const char fuzz_noun[] = "lane";

enum { RING = 4096, SIZE_MOST = 8192, TEXTS = 256 };

/* What one side does: the low bits of a byte. */
enum act {
	SEND,
	RECEIVE,
	PEEK,
	PEER_SENDS,
	PEER_RECEIVES,
	LIE_IN_PAGE,
	LIE_A_LITTLE,
	LIE_IN_RING,
	LIE_ON_SOCKET,
	ACTS,
};

/* Messages on their way, by their numbers. */
struct queue {
	uint32_t sizes[TEXTS];
	uint32_t first, end;
};

struct scene {
	struct endpoint ends[2];
	struct lane lanes[2];   /* ours, and the peer's */
	struct queue queues[2]; /* to each of them */
	bool is_honest;
	bool has_failed;
	uint8_t *bytes;
};

/* The bytes of a message tell its number. */
static void fill(uint8_t *bytes, uint32_t number, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number * 31 + i);
}

static int make(struct segment *mine, struct segment *theirs)
{
	const int fd = unixsegment__make(mine, RING, 0);

	fuzz_expect(fd >= 0);
	fuzz_expect(unixsegment__map(theirs, fd, RING) == 0);
	return close(fd);
}

static void set_up(struct scene *scene)
{
	struct segment mine[2], theirs[2];
	int i;

	memset(scene, 0, sizeof(*scene));
	scene->is_honest = true;
	scene->bytes = malloc(SIZE_MOST);
	fuzz_expect(scene->bytes != NULL);
	for (i = 0; i < 2; i++)
		unixendpoint__set_up(&scene->ends[i], -1, SOCK_SEQPACKET);
	fuzz_expect(unixendpoint__open_pair(&scene->ends[0], &scene->ends[1],
			    SOCK_SEQPACKET) == 0);
	for (i = 0; i < 2; i++)
		fuzz_expect(make(&mine[i], &theirs[!i]) == 0);
	for (i = 0; i < 2; i++)
		fuzz_expect(unixlane__set_up(&scene->lanes[i], &scene->ends[i],
				    &mine[i], &theirs[i]) == 0);
}

static void tear_down(struct scene *scene)
{
	int i;

	for (i = 0; i < 2; i++) {
		unixlane__close(&scene->lanes[i]);
		close(scene->ends[i].fd);
	}
	free(scene->bytes);
}

/* What a call of ours may return after a lie. */
static void check_failure(struct scene *scene, int error)
{
	fuzz_expect(error == EAGAIN || error == EMSGSIZE ||
		(!scene->is_honest &&
			(error == EPROTO || error == EPIPE ||
				error == ECONNRESET)));
	fuzz_expect(!scene->has_failed || error == EPROTO);
	if (error == EPROTO)
		scene->has_failed = true;
}

static void note_sent(struct queue *queue, uint32_t size)
{
	queue->sizes[queue->end++ % TEXTS] = size;
}

static void send_some(struct scene *scene, int from, uint32_t size)
{
	struct queue *queue = &scene->queues[!from];
	struct iovec parts[2] = { { 0 }, { scene->bytes, size } };
	const struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	size_t sent;

	if (queue->end - queue->first == TEXTS)
		return;
	fill(scene->bytes, queue->end, size);
	if (unixlane__send(&scene->lanes[from], &header, 1, &sent, false) == 0)
		note_sent(queue, size);
	else if (from == 0)
		check_failure(scene, errno);
}

/* An honest message is the next one, whole. Nobody sends a larger one than
 * that. */
static void check_message(struct scene *scene, int to, const uint8_t *got,
	size_t size, bool is_peeked)
{
	struct queue *queue = &scene->queues[to];

	fuzz_expect(size <= SIZE_MOST);
	if (!scene->is_honest)
		return;
	fuzz_expect(queue->first != queue->end);
	fuzz_expect(size == queue->sizes[queue->first % TEXTS]);
	fill(scene->bytes, queue->first, size);
	fuzz_expect(size == 0 || memcmp(got, scene->bytes, size) == 0);
	if (!is_peeked)
		queue->first++;
}

static void receive(struct scene *scene, int to, int flags)
{
	uint8_t *got = malloc(SIZE_MOST);
	struct iovec parts[2] = { { 0 }, { got, SIZE_MOST } };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	size_t size;
	int result;

	fuzz_expect(got != NULL);
	result = unixlane__recv(&scene->lanes[to], &header, &size,
		flags | MSG_DONTWAIT);
	if (result == 1)
		check_message(scene, to, got, size, flags != 0);
	else if (to == 0 && result < 0)
		check_failure(scene, errno);
	if (scene->is_honest && result < 0)
		fuzz_expect(scene->queues[to].first == scene->queues[to].end);
	free(got);
}

static _Atomic uint32_t *choose_value(struct segment_page *page,
	uint32_t choice)
{
	switch (choice % 4) {
	case 0:
		return &page->head;
	case 1:
		return &page->tail;
	case 2:
		return &page->event;
	default:
		return &page->is_ring_shut;
	}
}

static void lie(struct scene *scene, enum act act, const uint8_t **data,
	size_t *size)
{
	struct segment *mine = &scene->lanes[1].mine;
	const uint32_t choice = fuzz_take_byte(data, size);
	_Atomic uint32_t *value = choose_value(mine->page, choice);
	uint32_t number;

	scene->is_honest = false;
	fuzz_take(data, size, &number, sizeof(number));
	if (act == LIE_IN_PAGE)
		*value = number;
	else if (act == LIE_A_LITTLE)
		*value += number % 64;
	else if (act == LIE_IN_RING)
		memcpy(mine->ring + (mine->page->tail - 4 * choice) % RING,
			&number, sizeof(number));
	else
		send(scene->ends[1].fd, &number, number % 5,
			MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void do_one(struct scene *scene, const uint8_t **data, size_t *size)
{
	const enum act act = (enum act)(fuzz_take_byte(data, size) % ACTS);
	uint16_t length;

	if (act >= LIE_IN_PAGE) {
		lie(scene, act, data, size);
		return;
	}
	if (act == RECEIVE || act == PEEK || act == PEER_RECEIVES) {
		receive(scene, act == PEER_RECEIVES,
			act == PEEK ? MSG_PEEK : 0);
		return;
	}
	fuzz_take(data, size, &length, sizeof(length));
	send_some(scene, act == PEER_SENDS, length % SIZE_MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int free_fd = fuzz_get_free_fd();
	struct scene scene;

	set_up(&scene);
	while (size > 0)
		do_one(&scene, &data, &size);
	tear_down(&scene);
	fuzz_expect(fuzz_get_free_fd() == free_fd);
	return 0;
}
