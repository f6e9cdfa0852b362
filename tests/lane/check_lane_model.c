/* SPDX-License-Identifier: MIT */
/*
 * ring.c and lane.c as they are, in all orders in which two processes may see
 * what the other one writes: see weak.h. The socket is a queue of ours.
 *
 * One side sends what a plan says, and never waits. The other one waits until
 * the socket is readable, and receives, in one of three ways. In the end it
 * must have received all, in order, and sleep: a wake-up that is lost would
 * leave it asleep before.
 */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "lane/lane.h"
#include "support/scene.h"
#include "weak_calls.h"

enum { RING = 64, SLOT = 8, MESSAGES = 6, QUEUE_MOST = 4, BIG = 24 };

/* How messages of a plan go: in the ring, by the socket, or nowhere. */
enum way { END, SMALL, LARGE, LOST };

/*
 * How the receiver goes on when it was woken. BY_SHORT_WAYS is as UNTIL_NOTHING
 * where both sides try the short ways first, IN_PLACE where they write and read
 * in place.
 */
enum manner {
	ONE_EACH,
	UNTIL_NOTHING,
	ASLEEP,
	BY_SHORT_WAYS,
	IN_PLACE,
	MANNERS
};

struct item {
	char bytes[1 + BIG];
	size_t size;
	struct weak_view view;
};

static const enum way *plan;
static enum manner manner;
static unsigned int queue_room;
static struct segment_page pages[2];
static _Alignas(8) char rings[2][2 * RING];
static struct lane lanes[2];
static struct item queue[QUEUE_MOST];
static unsigned int queued;
static const struct endpoint no_end;
static bool may_fail;
static void (*before_message)(void); /* is looked for on the socket */
static unsigned int sent, received;

/* The socket */

static ssize_t give(ssize_t result, int error)
{
	weak_learn((uint64_t)result);
	weak_learn((uint64_t)error);
	if (result < 0)
		errno = error;
	return result;
}

static ssize_t append_item(const char *data, size_t size)
{
	struct item *item = &queue[queued];

	if (queued == queue_room)
		return give(-1, EAGAIN);
	memcpy(item->bytes, data, size);
	item->size = size;
	item->view = weak_give_view();
	queued++;
	return give((ssize_t)size, 0);
}

ssize_t model_send(int fd, const void *data, size_t size, int flags)
{
	(void)fd, (void)flags;
	weak_step();
	return append_item(data, size);
}

ssize_t model_sendmsg(int fd, const struct msghdr *header, int flags)
{
	char data[1 + BIG];

	(void)fd, (void)flags;
	data[0] = *(char *)header->msg_iov[0].iov_base;
	memcpy(data + 1, header->msg_iov[1].iov_base, BIG);
	weak_step();
	if (may_fail)
		return give(-1, ENOBUFS);
	return append_item(data, sizeof(data));
}

int model_shutdown(int fd, int how)
{
	(void)fd, (void)how;
	weak_fail("an honest peer is refused");
	return 0;
}

int model_get_size_max(const struct endpoint *end, size_t *size)
{
	(void)end;
	*size = UNIXLANE_SPARE + BIG;
	return 0;
}

static bool is_readable(void)
{
	return queued > 0;
}

static bool has_queue_room(void)
{
	return queued < queue_room;
}

/* Gives what is first, with what its sender knew; it goes unless peeked at. */
static ssize_t take_item(void *data, size_t room, int flags)
{
	ssize_t size;

	if ((flags & MSG_DONTWAIT) != 0)
		weak_step();
	else
		weak_sleep(is_readable);
	if (queued == 0)
		return give(-1, EAGAIN);
	size = (ssize_t)queue[0].size;
	memcpy(data, queue[0].bytes,
		room < queue[0].size ? room : queue[0].size);
	weak_learn((unsigned char)queue[0].bytes[0]);
	weak_learn((unsigned char)queue[0].bytes[1]);
	weak_take_view(&queue[0].view);
	if ((flags & MSG_PEEK) == 0)
		memmove(queue, queue + 1, --queued * sizeof(queue[0]));
	return give(size, 0);
}

ssize_t model_recv(int fd, void *data, size_t room, int flags)
{
	(void)fd;
	return take_item(data, room, flags);
}

ssize_t model_recvmsg(int fd, struct msghdr *header, int flags)
{
	char data[1 + BIG];
	ssize_t size;

	(void)fd;
	if (before_message != NULL)
		before_message();
	size = take_item(data, sizeof(data), flags);
	if (size > 0)
		*(char *)header->msg_iov[0].iov_base = data[0];
	if (size > 1 && header->msg_iovlen > 1)
		memcpy(header->msg_iov[1].iov_base, data + 1, (size_t)size - 1);
	return size;
}

/* Payloads */

static const void *name_slot(const char *byte)
{
	return &rings[0][RING + (byte - rings[0]) % RING / SLOT * SLOT];
}

static bool is_in_ring(const char *byte)
{
	return byte >= rings[0] && byte < rings[0] + sizeof(rings[0]);
}

void *model_memcpy(void *to, const void *from, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += SLOT)
		if (is_in_ring((char *)to + i))
			weak_write_plain(name_slot((char *)to + i));
		else if (is_in_ring((const char *)from + i))
			weak_read_plain(name_slot((const char *)from + i));
	return memcpy(to, from, size);
}

/* Both sides */

static void begin(void)
{
	int i, slot;

	memset(pages, 0, sizeof(pages));
	memset(rings, 0, sizeof(rings));
	memset(queue, 0, sizeof(queue));
	queued = sent = received = 0;
	may_fail = false;
	for (i = 0; i < 2; i++) {
		weak_add_place(&pages[i].head);
		weak_add_place(&pages[i].tail);
		weak_add_place(&pages[i].event);
		weak_add_place(&pages[i].is_ring_shut);
		weak_add_place(&pages[i].marked);
		weak_add_place(&pages[i].taken);
	}
	for (slot = 0; slot < RING / SLOT; slot++) {
		weak_add_place(rings[0] + slot * SLOT);
		weak_add_place(rings[0] + slot * SLOT + 4);
		weak_add_place(rings[0] + RING + slot * SLOT);
		weak_add_place(rings[0] + RING + slot * SLOT + 1);
	}
	for (i = 0; i < 2; i++) {
		const struct segment mine = { &pages[i], rings[i], RING };
		const struct segment theirs = { &pages[!i], rings[!i], RING };

		unixbuffer_free(&lanes[i].spare);
		lanes[i] = (struct lane){ .end = &no_end, .theirs = theirs };
		unixring__set_up(&lanes[i].out, &lanes[i].in, &mine, &theirs);
		lanes[i].size_max = BIG;
		weak_add_place(&lanes[i].in.state->end);
	}
}

/* Judges a failed send; returns false if the message has to be lost. */
static bool may_try_again(enum way way)
{
	if (errno == ENOBUFS && way == LOST)
		return false;
	if (errno != EAGAIN)
		weak_fail("a message could not be sent");
	weak_sleep(has_queue_room);
	return true;
}

static void write_number(const char *data, size_t size, enum way way)
{
	void *place;

	if (unixlane__reserve(&lanes[0], size, &place, false) < 0)
		weak_fail("no room could be reserved");
	model_memcpy(place, data, size);
	while (unixlane__commit(&lanes[0], size) < 0)
		if (!may_try_again(way))
			return;
	sent++;
}

/* One of the plan, until it is sent or has to be lost. */
static void send_number(unsigned int number, enum way way)
{
	char data[BIG] = { (char)number };
	struct iovec parts[2] = { { 0 }, { data, way == SMALL ? 1 : BIG } };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	size_t done;

	may_fail = way == LOST;
	if (manner == IN_PLACE) {
		write_number(data, parts[1].iov_len, way);
		return;
	}
	if (manner == BY_SHORT_WAYS && way == SMALL &&
		model_send_data(&lanes[0], data, 1) == 1) {
		sent++;
		return;
	}
	while (unixlane__send(&lanes[0], &header, 1, &done, false) < 0)
		if (!may_try_again(way))
			return;
	sent++;
}

static void run_sender(void)
{
	unsigned int i, number = 0;

	for (i = 0; plan[i] != END; i++) {
		send_number(number, plan[i]);
		number += plan[i] != LOST;
	}
}

/* Returns 1 with place NULL if the message is on the socket. */
static int read_number(char data[BIG], const void **place, int flags)
{
	size_t size;
	int result = unixlane__peek(&lanes[1], place, &size, flags);

	if (result != 1 || *place == NULL)
		return result;
	model_memcpy(data, *place, size);
	return unixlane__release(&lanes[1]) < 0 ? -1 : 1;
}

static int receive_somehow(char data[BIG], int flags)
{
	struct iovec parts[2] = { { 0 }, { data, BIG } };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	const void *place = NULL;
	size_t size;
	int result;

	if (manner == IN_PLACE) {
		result = read_number(data, &place, flags);
		if (result != 1 || place != NULL)
			return result;
	}
	if (manner == BY_SHORT_WAYS &&
		model_recv_data(&lanes[1], data, BIG, &size))
		return 1;
	return unixlane__recv(&lanes[1], &header, &size, flags);
}

static int receive(int flags)
{
	char data[BIG];
	int result = receive_somehow(data, flags);

	if (result == 1 && data[0] != (char)received++)
		weak_fail("another message than the next was received");
	if (result != 1 && errno != EAGAIN)
		weak_fail("receiving has failed");
	return result;
}

static void run_receiver(void)
{
	for (;;) {
		if (manner == ASLEEP) {
			receive(0);
			continue;
		}
		weak_sleep(is_readable);
		while (receive(MSG_DONTWAIT) == 1 && manner != ONE_EACH)
			continue;
	}
}

static uint64_t hash(void)
{
	uint64_t number = queued;
	unsigned int i, k;

	for (i = 0; i < queued; i++) {
		number = number * 31 + (unsigned char)queue[i].bytes[0];
		number = number * 31 + (unsigned char)queue[i].bytes[1];
		for (k = 0; k < WEAK_PLACES; k++)
			number = number * 31 + queue[i].view.known[k];
	}
	return number;
}

static const char *judge_end(void)
{
	return received == sent ? NULL : "a wake-up is lost";
}

static const struct weak_world world = {
	.begin = begin,
	.run = { run_sender, run_receiver },
	.hash = hash,
	.judge = judge_end,
};

static const enum way plans[][MESSAGES + 1] = {
	{ SMALL },
	{ LARGE },
	{ LOST, SMALL },
	{ SMALL, SMALL },
	{ SMALL, LARGE },
	{ LARGE, SMALL },
	{ LARGE, LARGE },
	{ LOST, LARGE },
	{ LARGE, LARGE, SMALL },
	{ LARGE, LOST, SMALL },
	{ LOST, SMALL, LARGE },
	/* From here on they take their time. */
	{ SMALL, LOST, SMALL },
	{ LARGE, SMALL, SMALL },
	{ SMALL, SMALL, SMALL, SMALL },
};

enum { QUICK_PLANS = 11 };

static struct weak_result search(int number, unsigned int room)
{
	plan = plans[number / MANNERS];
	manner = (enum manner)(number % MANNERS);
	queue_room = room;
	return weak_search(&world);
}

START_TEST(no_wake_up_is_lost)
{
	struct weak_result result = search(_i, 2);

	if (result.why != NULL)
		ck_abort_msg("%s", result.why);
	ck_assert_uint_gt(result.states, 10);
}
END_TEST

static void send_others(void)
{
	before_message = NULL;
	if (unixring__unmark(&lanes[0].out))
		weak_fail("nobody sleeps");
	send_number(0, SMALL);
	send_number(1, LARGE);
}

/* The receiver is awake, and sees a message announced that is not sent. */
static void run_between(void)
{
	const uint32_t passed = 0u - RING_HEADER;

	weak_set_place(&pages[1].event, passed);
	lanes[1].in.state->event = passed;
	unixring__mark(&lanes[0].out);
	before_message = send_others;
	while (receive(MSG_DONTWAIT) == 1)
		continue;
}

static void run_nothing(void)
{
}

START_TEST(a_message_does_not_pass_for_one_that_was_not_sent)
{
	static const struct weak_world script = {
		.begin = begin,
		.run = { run_nothing, run_between },
		.hash = hash,
		.judge = judge_end,
	};
	struct weak_result result;

	queue_room = 2;
	result = weak_search(&script);
	if (result.why != NULL)
		ck_abort_msg("%s", result.why);
	ck_assert_uint_eq(received, 2);
}
END_TEST

/* Why a message alone may not fill the socket: see lane.h. */
START_TEST(a_socket_that_is_full_with_one_would_lose_some)
{
	struct weak_result result = search(5 * MANNERS, 1);

	ck_assert_ptr_nonnull(result.why);
	ck_assert_str_eq(result.why, "a wake-up is lost");
}
END_TEST

static TCase *make_orders(void)
{
	TCase *tcase = make_tcase("orders");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, no_wake_up_is_lost, 0,
		QUICK_PLANS * MANNERS);
	tcase_add_test(tcase,
		a_message_does_not_pass_for_one_that_was_not_sent);
	tcase_add_test(tcase, a_socket_that_is_full_with_one_would_lose_some);
	return tcase;
}

static TCase *make_more_orders(void)
{
	TCase *tcase = make_tcase("more orders");

	tcase_set_timeout(tcase, 600);
	tcase_set_tags(tcase, SUPPORT_LOAD);
	if (support_is_full())
		tcase_add_loop_test(tcase, no_wake_up_is_lost,
			QUICK_PLANS * MANNERS, COUNT(plans) * MANNERS);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("lane_model");

	suite_add_tcase(suite, make_orders());
	suite_add_tcase(suite, make_more_orders());
	return support_run(suite);
}
