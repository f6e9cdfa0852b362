/* SPDX-License-Identifier: MIT */
/*
 * Large messages on streams: one that follows another of about its size is read
 * to where it is wanted. Whatever was wrong about the guess, all arrives.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "network/conn_private.h"
#include "support/support.h"
#include "support/talk.h"

enum { PREFIX = 4, LARGE = 40000, ROOM = 65536, MOST = 100000 };

static struct unixconn *near, *far;
static int far_fd;
static unsigned char got[MOST];

static void link_up(void)
{
	make_pair("unix", &near, &far);
	far_fd = unixconn_get_fd(far);
}

static void unlink_all(void)
{
	close_conn(near);
	close_conn(far);
}

static unsigned char byte_at(size_t place, unsigned int seed)
{
	return (unsigned char)(place + place / 251 + seed);
}

/* A message as it stands on the stream. Its size with the prefix is given. */
static size_t make_message(unsigned char *bytes, size_t size, unsigned int seed)
{
	size_t i;

	bytes[0] = 0;
	bytes[1] = (unsigned char)(size >> 16);
	bytes[2] = (unsigned char)(size >> 8);
	bytes[3] = (unsigned char)size;
	for (i = 0; i < size; i++)
		bytes[PREFIX + i] = byte_at(i, seed);
	return PREFIX + size;
}

static void feed(const unsigned char *bytes, size_t size)
{
	ck_assert_int_eq(send(far_fd, bytes, size, MSG_DONTWAIT),
		(ssize_t)size);
}

static void feed_message(size_t size, unsigned int seed)
{
	unsigned char bytes[PREFIX + MOST];

	feed(bytes, make_message(bytes, size, seed));
}

static void assert_payload(size_t size, unsigned int seed)
{
	size_t same = 0;

	while (same < size && got[same] == byte_at(same, seed))
		same++;
	ck_assert_uint_eq(same, size);
}

static void expect_message(size_t size, unsigned int seed)
{
	size_t told = SIZE_MAX;

	ck_assert_int_eq(unixconn_recv(near, got, sizeof(got), &told,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(told, size);
	assert_payload(size, seed);
}

static void expect_no_message(void)
{
	size_t told = 7;

	ck_assert_errno(unixconn_recv(near, got, sizeof(got), &told,
				UNIXMSG_NOW),
		EAGAIN);
	ck_assert_uint_eq(told, 0);
}

/* From now on messages of that size are expected. */
static void get_used_to(size_t size)
{
	feed_message(size, 0);
	expect_message(size, 0);
	ck_assert(!unixstream__has_input(near));
}

START_TEST(of_large_messages_only_the_first_is_read_ahead)
{
	get_used_to(LARGE);
	feed_message(LARGE, 1);
	feed_message(LARGE, 2);
	errno = ELIBSCN;
	expect_message(LARGE, 1);
	ck_assert_int_eq(errno, ELIBSCN);
	ck_assert(!unixstream__has_input(near));
	expect_message(LARGE, 2);
	ck_assert(!unixstream__has_input(near));
	expect_no_message();
}
END_TEST

START_TEST(what_is_expected_follows_what_has_come)
{
	get_used_to(50000);
	feed_message(LARGE, 1);
	expect_message(LARGE, 1);
	feed_message(LARGE, 2);
	feed_message(LARGE, 3);
	expect_message(LARGE, 2);
	ck_assert(!unixstream__has_input(near));
	expect_message(LARGE, 3);
}
END_TEST

START_TEST(small_messages_are_read_ahead_as_ever)
{
	get_used_to(LARGE);
	feed_message(100, 1);
	feed_message(100, 2);
	feed_message(100, 3);
	expect_message(100, 1);
	ck_assert(unixstream__has_input(near));
	expect_message(100, 2);
	expect_message(100, 3);
	expect_no_message();
}
END_TEST

static const size_t followers[] = { 0, 1, 100, LARGE - 1, LARGE, LARGE + 1,
	50000, ROOM - PREFIX, ROOM - PREFIX + 1, ROOM };

START_TEST(another_size_than_expected_arrives_whole)
{
	get_used_to(LARGE);
	feed_message(followers[_i], 1);
	feed_message(3, 2);
	expect_message(followers[_i], 1);
	expect_message(3, 2);
	expect_no_message();
}
END_TEST

/* Where it is cut: in the prefix, behind it, in the message. */
static const size_t cuts[] = { 1, 3, 4, 5, 20000, PREFIX + LARGE - 1 };

START_TEST(what_has_arrived_of_a_large_message_is_kept)
{
	unsigned char bytes[PREFIX + LARGE];
	size_t all = make_message(bytes, LARGE, 1);

	get_used_to(LARGE);
	feed(bytes, cuts[_i]);
	expect_no_message();
	expect_no_message();
	feed(bytes + cuts[_i], all - cuts[_i]);
	expect_message(LARGE, 1);
	expect_no_message();
}
END_TEST

/* It is more than there is memory for by then. */
START_TEST(what_has_arrived_of_a_still_larger_message_is_kept)
{
	static unsigned char bytes[PREFIX + MOST];
	size_t all = make_message(bytes, MOST, 1);

	get_used_to(LARGE);
	feed(bytes, all - 1);
	expect_no_message();
	feed(bytes + all - 1, 1);
	expect_message(MOST, 1);
}
END_TEST

START_TEST(what_has_arrived_of_a_large_message_outlives_the_deadline)
{
	unsigned char bytes[PREFIX + LARGE];
	size_t all = make_message(bytes, LARGE, 1);

	get_used_to(LARGE);
	feed(bytes, cuts[_i]);
	ck_assert_errno(unixconn_recv(near, got, ROOM, NULL,
				unixdeadline_after_us(10000)),
		ETIMEDOUT);
	feed(bytes + cuts[_i], all - cuts[_i]);
	expect_message(LARGE, 1);
}
END_TEST

START_TEST(an_end_inside_of_a_large_message_is_an_error)
{
	unsigned char bytes[PREFIX + LARGE];

	make_message(bytes, LARGE, 1);
	get_used_to(LARGE);
	feed(bytes, cuts[_i]);
	ck_assert_int_eq(shutdown(far_fd, SHUT_WR), 0);
	ck_assert_errno(unixconn_recv(near, got, ROOM, NULL, UNIXMSG_FOREVER),
		EPROTO);
	ck_assert_errno(unixconn_recv(near, got, ROOM, NULL, UNIXMSG_FOREVER),
		EPROTO);
}
END_TEST

START_TEST(an_end_behind_a_large_message_is_the_end)
{
	get_used_to(LARGE);
	ck_assert_int_eq(shutdown(far_fd, SHUT_WR), 0);
	ck_assert_int_eq(unixconn_recv(near, got, ROOM, NULL, UNIXMSG_FOREVER),
		0);
}
END_TEST

START_TEST(one_that_is_too_large_after_a_large_one_is_passed_over)
{
	const unsigned int seed = 33;
	size_t told = 0;

	/* With what follows it, its last byte could be a prefix. */
	ck_assert_uint_eq(byte_at(LARGE, seed), 0);
	get_used_to(LARGE);
	feed_message(LARGE + 1, seed);
	feed_message(LARGE, 2);
	ck_assert_errno(unixconn_recv(near, got, LARGE, &told, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(told, LARGE + 1);
	expect_message(LARGE, 2);
	expect_no_message();
}
END_TEST

START_TEST(a_room_smaller_than_what_is_expected_is_kept_to)
{
	get_used_to(LARGE);
	got[10] = 0x5a;
	feed_message(10, 1);
	ck_assert_int_eq(unixconn_recv(near, got, 10, NULL, UNIXMSG_NOW), 1);
	assert_payload(10, 1);
	ck_assert_uint_eq(got[10], 0x5a);
}
END_TEST

START_TEST(what_was_read_too_far_can_be_read_as_bytes)
{
	size_t told = 0;

	get_used_to(LARGE);
	feed_message(10, 1);
	feed((const unsigned char *)"bytes", 5);
	expect_message(10, 1);
	ck_assert_int_eq(unixconn_read(near, got, ROOM, &told, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(told, 5);
	ck_assert_int_eq(memcmp(got, "bytes", 5), 0);
}
END_TEST

/* Sizes, pieces and rooms at random, against what was written. */

enum { ROUNDS = 400, AHEAD = 8 };

struct model {
	uint64_t state;
	size_t sizes[AHEAD]; /* of the messages that are under way */
	unsigned int fed, taken;
	unsigned char bytes[PREFIX + MOST];
	size_t begun, all; /* of the message that is being fed */
};

static size_t choose(struct model *model, size_t count)
{
	model->state = model->state * UINT64_C(6364136223846793005) + 1;
	return (size_t)((model->state >> 33) % count);
}

static size_t choose_size(struct model *model)
{
	switch (choose(model, 4)) {
	case 0:
		return choose(model, 300);
	case 1:
		return LARGE;
	default:
		return LARGE - 5 + choose(model, 10000);
	}
}

/* A piece of the message that is next, as much as there is room for. */
static void feed_piece(struct model *model)
{
	size_t size;
	ssize_t put;

	if (model->begun == model->all) {
		if (model->fed - model->taken == AHEAD)
			return;
		size = choose_size(model);
		model->sizes[model->fed % AHEAD] = size;
		model->all = make_message(model->bytes, size, model->fed++);
		model->begun = 0;
	}
	size = 1 + choose(model, model->all - model->begun);
	if (choose(model, 2) == 0)
		size = model->all - model->begun;
	put = send(far_fd, model->bytes + model->begun, size, MSG_DONTWAIT);
	if (put > 0)
		model->begun += (size_t)put;
}

static bool take_message(struct model *model)
{
	const size_t size = model->sizes[model->taken % AHEAD];
	size_t room = choose(model, 8) == 0 ? LARGE : ROOM, told = 0;
	int result = unixconn_recv(near, got, room, &told, UNIXMSG_NOW);

	if (result < 0 && errno == EAGAIN)
		return false;
	ck_assert_uint_eq(told, size);
	if (size > room) {
		ck_assert_errno(result, EMSGSIZE);
	} else {
		ck_assert_int_eq(result, 1);
		assert_payload(size, model->taken);
	}
	model->taken++;
	return true;
}

START_TEST(whatever_the_sizes_and_pieces_all_arrives)
{
	struct model *model = calloc(1, sizeof(*model));

	ck_assert_ptr_nonnull(model);
	model->state = (uint64_t)_i + 1;
	while (model->taken < ROUNDS) {
		feed_piece(model);
		if (choose(model, 3) == 0)
			take_message(model);
		if (choose(model, 16) == 0)
			while (take_message(model))
				;
	}
	free(model);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("large messages", link_up, unlink_all);

	tcase_add_test(tcase, of_large_messages_only_the_first_is_read_ahead);
	tcase_add_test(tcase, what_is_expected_follows_what_has_come);
	tcase_add_test(tcase, small_messages_are_read_ahead_as_ever);
	tcase_add_loop_test(tcase, another_size_than_expected_arrives_whole, 0,
		COUNT(followers));
	tcase_add_loop_test(tcase, what_has_arrived_of_a_large_message_is_kept,
		0, COUNT(cuts));
	tcase_add_test(tcase,
		what_has_arrived_of_a_still_larger_message_is_kept);
	tcase_add_loop_test(tcase,
		what_has_arrived_of_a_large_message_outlives_the_deadline, 0,
		COUNT(cuts));
	tcase_add_loop_test(tcase, an_end_inside_of_a_large_message_is_an_error,
		0, COUNT(cuts));
	tcase_add_test(tcase, an_end_behind_a_large_message_is_the_end);
	tcase_add_test(tcase,
		one_that_is_too_large_after_a_large_one_is_passed_over);
	tcase_add_test(tcase, a_room_smaller_than_what_is_expected_is_kept_to);
	tcase_add_test(tcase, what_was_read_too_far_can_be_read_as_bytes);
	tcase_add_loop_test(tcase, whatever_the_sizes_and_pieces_all_arrives, 0,
		16);
	return support_run_cases("stream_direct", tcase);
}
