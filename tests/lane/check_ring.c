/* SPDX-License-Identifier: MIT */
/*
 * One process is both sides here: in which order the two see what the other has
 * written is tried by check_lane_model.
 */
#include <config.h>

#include <stdlib.h>
#include <unistd.h>

#include "lane/ring.h"
#include "support/scene.h"

enum { SIZE = 65536, MOST = SIZE / 2 - 16 };

/* What stands before a record. */
struct words {
	uint32_t kind;
	uint32_t value;
};

enum { DATA = 1, MARKER = 2 };

static struct segment segments[2];
static struct ring_out out, out_of_other;
static struct ring_in in, in_of_other;
static struct ring_record record;

static void set_up(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		int fd = unixsegment__make(&segments[i], SIZE, 0);

		ck_assert_int_ge(fd, 0);
		close(fd);
	}
	unixring__set_up(&out, &in_of_other, &segments[0], &segments[1]);
	unixring__set_up(&out_of_other, &in, &segments[1], &segments[0]);
}

static void tear_down(void)
{
	unixsegment__drop(&segments[0]);
	unixsegment__drop(&segments[1]);
}

/* Both sides have come so far, with nothing between them. */
static void begin_at(uint32_t position)
{
	out.state->tail = out.state->told = out.state->head = position;
	in.state->head = in.state->tail = in.state->event = position;
	segments[0].page->tail = position;
	segments[1].page->head = segments[1].page->event = position;
}

static void put(const char *text)
{
	void *place = unixring__reserve(&out, strlen(text));

	ck_assert_ptr_nonnull(place);
	memcpy(place, text, strlen(text));
	unixring__commit(&out, strlen(text));
}

static void take(const char *text)
{
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert_ptr_nonnull(record.data);
	ck_assert_uint_eq(record.size, strlen(text));
	ck_assert_mem_eq(record.data, text, strlen(text));
	unixring__release(&in, &record);
}

static void take_marked(void)
{
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert_ptr_null(record.data);
	unixring__release(&in, &record);
}

static void expect_nothing(void)
{
	ck_assert_int_eq(unixring__look(&in, &record), 0);
}

static void arm(void)
{
	ck_assert_int_eq(unixring__arm(&in, &record), 0);
}

/* Fills the ring until it says no, and gives how many went in. */
static unsigned int fill(size_t size)
{
	unsigned int count = 0;

	for (; unixring__reserve(&out, size) != NULL; count++)
		unixring__commit(&out, size);
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

START_TEST(much_is_told_from_little)
{
	char data[MOST] = { 0 };

	put("little");
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert(!unixring__has_bulk(&in));
	take("little");
	ck_assert(unixring__put(&out, data, SIZE / 64));
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert(unixring__has_bulk(&in));
	unixring__release(&in, &record);
	ck_assert(!unixring__has_bulk(&in));
}
END_TEST

START_TEST(records_come_out_as_they_went_in)
{
	static const char *const texts[] = { "", "a", "seven..", "eight...",
		"nine....." };
	unsigned int i;

	expect_nothing();
	for (i = 0; i < COUNT(texts); i++)
		put(texts[i]);
	for (i = 0; i < COUNT(texts); i++)
		take(texts[i]);
	expect_nothing();
}
END_TEST

START_TEST(errno_is_kept)
{
	errno = EXDEV;
	put("text");
	unixring__tell(&out);
	take("text");
	arm();
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(records_go_over_the_end_in_one_piece)
{
	begin_at(SIZE - 16);
	put("longer than what is left");
	put("next");
	take("longer than what is left");
	take("next");
}
END_TEST

START_TEST(positions_wrap_around)
{
	begin_at((uint32_t)-24);
	put("before, and behind");
	ck_assert_uint_lt(out.state->tail, 1000);
	put("behind");
	take("before, and behind");
	take("behind");
	expect_nothing();
	arm();
	put("rings");
	ck_assert(unixring__tell(&out));
}
END_TEST

START_TEST(data_is_aligned)
{
	put("odd");
	put("next");
	take("odd");
	ck_assert_uint_eq((uintptr_t)record.data % RING_HEADER, 0);
	take("next");
	ck_assert_uint_eq((uintptr_t)record.data % RING_HEADER, 0);
}
END_TEST

START_TEST(fewer_bytes_than_were_reserved_may_be_published)
{
	char *place = unixring__reserve(&out, 1000);

	memcpy(place, "few", 3);
	unixring__commit(&out, 3);
	put("next");
	take("few");
	take("next");
}
END_TEST

START_TEST(what_is_larger_than_half_a_ring_never_fits)
{
	ck_assert_uint_eq(unixring__get_size_max(&out), MOST);
	ck_assert_ptr_nonnull(unixring__reserve(&out, MOST));
	ck_assert_ptr_null(unixring__reserve(&out, MOST + 1));
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_ptr_null(unixring__reserve(&out, SIZE_MAX));
	ck_assert_int_eq(errno, EMSGSIZE);
}
END_TEST

START_TEST(a_full_ring_has_room_again_when_one_was_read)
{
	unsigned int count = fill(1000);

	ck_assert_uint_eq(count, (SIZE - 8) / 1008);
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert_ptr_null(unixring__reserve(&out, 1000));
	unixring__release(&in, &record);
	ck_assert_ptr_nonnull(unixring__reserve(&out, 1000));
}
END_TEST

START_TEST(a_full_ring_has_room_for_one_marker)
{
	unsigned int count = fill(0);

	ck_assert_uint_eq(count, SIZE / 8 - 1);
	unixring__mark(&out);
	ck_assert_uint_eq(out.state->tail - out.state->head, SIZE);
	ck_assert_ptr_null(unixring__reserve(&out, 0));
	ck_assert_int_eq(errno, EAGAIN);
	unixring__mark(&out);
	ck_assert_uint_eq(out.state->tail - out.state->head, SIZE);
	while (count-- > 0)
		take("");
	take_marked();
	take_marked();
	expect_nothing();
	put("room again");
	take("room again");
}
END_TEST

START_TEST(a_marker_keeps_its_place)
{
	put("first");
	unixring__mark(&out);
	unixring__mark(&out);
	put("last");
	take("first");
	take_marked();
	take_marked();
	take("last");
	expect_nothing();
}
END_TEST

START_TEST(a_marker_that_was_read_is_counted_up)
{
	unixring__mark(&out);
	take_marked();
	expect_nothing();
	unixring__mark(&out);
	take_marked();
	put("next");
	take("next");
}
END_TEST

START_TEST(a_message_that_was_taken_back_is_none)
{
	put("first");
	unixring__mark(&out);
	unixring__unmark(&out);
	put("last");
	take("first");
	take("last");
	expect_nothing();
}
END_TEST

START_TEST(a_message_may_be_taken_back_under_the_readers_eyes)
{
	unixring__mark(&out);
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert(unixring__is_marked(&in));
	unixring__unmark(&out);
	ck_assert(!unixring__is_marked(&in));
	expect_nothing();
	put("next");
	take("next");
}
END_TEST

/* Bells */

START_TEST(the_first_record_rings)
{
	put("first");
	ck_assert(unixring__tell(&out));
	put("second");
	ck_assert(!unixring__tell(&out));
}
END_TEST

START_TEST(who_is_awake_is_not_rung_for)
{
	put("first");
	unixring__tell(&out);
	take("first");
	put("second");
	ck_assert(!unixring__tell(&out));
}
END_TEST

START_TEST(who_sleeps_is_rung_for_once)
{
	put("first");
	unixring__tell(&out);
	take("first");
	arm();
	put("second");
	ck_assert(unixring__tell(&out));
	ck_assert(!unixring__tell(&out));
	put("third");
	ck_assert(!unixring__tell(&out));
}
END_TEST

START_TEST(one_bell_serves_many_records)
{
	put("first");
	take("first");
	arm();
	put("second");
	put("third");
	put("fourth");
	ck_assert(unixring__tell(&out));
}
END_TEST

START_TEST(nobody_sleeps_before_a_record)
{
	put("there");
	ck_assert_int_eq(unixring__arm(&in, &record), 1);
	ck_assert_uint_eq(record.size, 5);
}
END_TEST

START_TEST(a_message_wakes_for_itself)
{
	arm();
	unixring__mark(&out);
	unixring__keep_mark(&out);
	put("next");
	ck_assert(!unixring__tell(&out));
}
END_TEST

/* It has passed who sleeps there silently. */
START_TEST(who_sleeps_is_rung_for_when_a_message_is_taken_back)
{
	arm();
	unixring__mark(&out);
	ck_assert(unixring__unmark(&out));
}
END_TEST

/* What was published before it was not told either. */
START_TEST(what_was_not_told_before_a_message_is_told_when_it_is_taken_back)
{
	arm();
	put("first");
	unixring__mark(&out);
	ck_assert(unixring__unmark(&out));
}
END_TEST

START_TEST(one_sleeps_behind_a_marker)
{
	unixring__mark(&out);
	if (_i == 0) {
		unixring__keep_mark(&out);
		take_marked();
	} else
		unixring__unmark(&out);
	arm();
	put("next");
	ck_assert(unixring__tell(&out));
}
END_TEST

START_TEST(one_sleeps_behind_a_message_that_is_not_there_yet)
{
	unixring__mark(&out);
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert_int_eq(unixring__arm_behind(&in), 0);
	unixring__unmark(&out);
	put("instead");
	ck_assert(unixring__tell(&out));
	take("instead");
}
END_TEST

START_TEST(nobody_sleeps_behind_a_message_that_was_taken_back)
{
	unixring__mark(&out);
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	unixring__unmark(&out);
	if (_i == 1)
		put("instead");
	ck_assert_int_eq(unixring__arm_behind(&in), 1);
}
END_TEST

/* The short ways */

static char bytes[SIZE], got[SIZE];
static size_t got_size;

START_TEST(what_is_put_is_what_is_taken)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 1000, MOST };
	unsigned int i, round;

	for (i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 7);
	errno = EXDEV;
	for (round = 0; round < 10; round++)
		for (i = 0; i < COUNT(sizes); i++) {
			ck_assert(unixring__put(&out, bytes, sizes[i]));
			ck_assert(
				unixring__take(&in, got, sizes[i], &got_size));
			ck_assert_uint_eq(got_size, sizes[i]);
			ck_assert_mem_eq(got, bytes, got_size);
		}
	ck_assert(!unixring__take(&in, got, SIZE, &got_size));
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(nothing_is_put_where_there_is_no_room)
{
	ck_assert(!unixring__put(&out, bytes, MOST + 1));
	while (unixring__put(&out, "text", 4))
		continue;
	ck_assert_ptr_null(unixring__reserve(&out, 4));
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(unixring__take(&in, got, SIZE, &got_size));
	ck_assert(unixring__put(&out, "text", 4));
	ck_assert(!unixring__put(&out, "text", 4));
}
END_TEST

START_TEST(what_does_not_fit_is_not_taken)
{
	put("text");
	ck_assert(!unixring__take(&in, got, 3, &got_size));
	take("text");
}
END_TEST

START_TEST(the_short_ways_keep_the_order)
{
	put("first");
	unixring__mark(&out);
	ck_assert(unixring__put(&out, "last", 4));
	ck_assert(unixring__take(&in, got, SIZE, &got_size));
	ck_assert(!unixring__take(&in, got, SIZE, &got_size));
	take_marked();
	ck_assert(!unixring__take(&in, got, SIZE, &got_size));
	take("last");
}
END_TEST

START_TEST(what_is_put_behind_a_marker_is_no_message_of_it)
{
	unixring__mark(&out);
	ck_assert(unixring__put(&out, "text", 4));
	unixring__mark(&out);
	take_marked();
	take("text");
	take_marked();
	expect_nothing();
}
END_TEST

/* The end */

START_TEST(what_was_read_is_told)
{
	ck_assert(0 == unixring__get_unread(&out));
	put("text");
	ck_assert(0 != unixring__get_unread(&out));
	take("text");
	ck_assert(0 == unixring__get_unread(&out));
}
END_TEST

START_TEST(a_marker_is_read_with_its_last_message)
{
	unixring__mark(&out);
	unixring__mark(&out);
	take_marked();
	ck_assert(0 != unixring__get_unread(&out));
	take_marked();
	ck_assert(0 == unixring__get_unread(&out));
	unixring__mark(&out);
	ck_assert(0 != unixring__get_unread(&out));
	unixring__unmark(&out);
	ck_assert(0 == unixring__get_unread(&out));
	put("");
	ck_assert(0 != unixring__get_unread(&out));
	take("");
	ck_assert(0 == unixring__get_unread(&out));
	put("");
	ck_assert(0 != unixring__get_unread(&out));
}
END_TEST

START_TEST(nothing_is_read_behind_the_end)
{
	begin_at((uint32_t)-16);
	put("one");
	unixring__mark(&out);
	put("two");
	unixring__end(&in);
	put("three");
	unixring__end(&in);
	take("one");
	take_marked();
	take("two");
	expect_nothing();
	arm();
	ck_assert(!unixring__take(&in, got, SIZE, &got_size));
}
END_TEST

/* Peers that lie */

START_TEST(an_end_that_cannot_be_lets_in_nothing_more)
{
	static const uint32_t ends[] = { 8, 12, SIZE * 2, (uint32_t)-8 };

	put("one");
	take("one");
	put("two");
	segments[0].page->tail = ends[_i];
	unixring__end(&in);
	segments[0].page->tail = 32;
	expect_nothing();
}
END_TEST

START_TEST(no_more_is_unread_than_the_ring_has)
{
	segments[1].page->head = 12345 * 8;
	ck_assert_uint_eq(unixring__get_unread(&out), SIZE);
}
END_TEST

static struct words *words_at(uint32_t position)
{
	return (struct words *)(void *)(segments[0].ring + position % SIZE);
}

static void expect_lie(void)
{
	ck_assert_errno(unixring__look(&in, &record), EPROTO);
	ck_assert_errno(unixring__arm(&in, &record), EPROTO);
	ck_assert(!unixring__take(&in, got, SIZE, &got_size));
}

START_TEST(a_tail_that_cannot_be_is_refused)
{
	static const uint32_t moves[] = { (uint32_t)-8, SIZE + 8, 4, 1,
		0x80000000 };

	begin_at(0x7ffffff0);
	segments[0].page->tail += moves[_i];
	expect_lie();
}
END_TEST

START_TEST(a_tail_that_goes_back_behind_a_marker_is_refused)
{
	unixring__mark(&out);
	take_marked();
	expect_nothing();
	segments[0].page->tail = 0;
	expect_lie();
	ck_assert_errno(unixring__arm_behind(&in), EPROTO);
}
END_TEST

START_TEST(a_head_that_cannot_be_is_refused)
{
	static const uint32_t moves[] = { 8, 0x80000000, (uint32_t)-SIZE };

	fill(1000);
	segments[1].page->head = out.state->tail + moves[_i];
	ck_assert(!unixring__put(&out, bytes, 1000));
	ck_assert_ptr_null(unixring__reserve(&out, 1000));
	ck_assert_int_eq(errno, EPROTO);
}
END_TEST

START_TEST(a_kind_that_is_none_is_refused)
{
	static const uint32_t kinds[] = { 0, 3, UINT32_MAX };

	put("text");
	words_at(0)->kind = kinds[_i];
	expect_lie();
}
END_TEST

START_TEST(a_size_that_cannot_be_is_refused)
{
	static const uint32_t sizes[] = { 9, SIZE, UINT32_MAX, UINT32_MAX - 7 };

	put("8 bytes.");
	words_at(0)->value = sizes[_i];
	expect_lie();
}
END_TEST

START_TEST(a_marker_behind_a_marker_is_refused)
{
	unixring__mark(&out);
	unixring__unmark(&out);
	put("");
	*words_at(8) = (struct words){ MARKER, 0 };
	ck_assert_errno(unixring__look(&in, &record), EPROTO);
}
END_TEST

/* It was seen there: what becomes of it is no marker's business any more. */
START_TEST(a_marker_that_becomes_something_else_stays_one)
{
	unixring__mark(&out);
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	words_at(0)->kind = DATA;
	ck_assert_int_eq(unixring__look(&in, &record), 1);
	ck_assert_ptr_null(record.data);
}
END_TEST

/* Whatever is there, what is given lies in the ring. */
START_TEST(garbage_gives_no_bytes_outside)
{
	const char *end = segments[0].ring + 2 * SIZE;
	unsigned int given = 0, i;
	size_t byte;

	srandom((unsigned int)_i);
	for (i = 0; i < 20000; i++) {
		for (byte = 0; byte < 64; byte += 4)
			words_at((uint32_t)(in.state->head + byte))->kind =
				(uint32_t)random() % (random() % 4 ? 4 : SIZE);
		segments[0].page->tail = in.state->head +
			(uint32_t)random() % (2 * SIZE) / 8 * 8;
		if (unixring__look(&in, &record) != 1)
			continue;
		given++;
		if (record.data != NULL) {
			ck_assert(record.data >= segments[0].ring);
			ck_assert(record.data + record.size <= end);
			ck_assert_uint_lt(record.size, SIZE);
		}
		unixring__release(&in, &record);
	}
	ck_assert_uint_gt(given, 0);
}
END_TEST

static TCase *make_records(void)
{
	TCase *tcase = make_tcase_with("records", set_up, tear_down);

	tcase_add_test(tcase, records_come_out_as_they_went_in);
	tcase_add_test(tcase, much_is_told_from_little);
	tcase_add_test(tcase, errno_is_kept);
	tcase_add_test(tcase, records_go_over_the_end_in_one_piece);
	tcase_add_test(tcase, positions_wrap_around);
	tcase_add_test(tcase, data_is_aligned);
	tcase_add_test(tcase, fewer_bytes_than_were_reserved_may_be_published);
	tcase_add_test(tcase, what_is_larger_than_half_a_ring_never_fits);
	tcase_add_test(tcase, a_full_ring_has_room_again_when_one_was_read);
	return tcase;
}

static TCase *make_markers(void)
{
	TCase *tcase = make_tcase_with("markers", set_up, tear_down);

	tcase_add_test(tcase, a_full_ring_has_room_for_one_marker);
	tcase_add_test(tcase, a_marker_keeps_its_place);
	tcase_add_test(tcase, a_marker_that_was_read_is_counted_up);
	tcase_add_test(tcase, a_message_that_was_taken_back_is_none);
	tcase_add_test(tcase,
		a_message_may_be_taken_back_under_the_readers_eyes);
	tcase_add_test(tcase, nothing_is_read_behind_the_end);
	tcase_add_test(tcase, what_was_read_is_told);
	tcase_add_test(tcase, a_marker_is_read_with_its_last_message);
	return tcase;
}

static TCase *make_bells(void)
{
	TCase *tcase = make_tcase_with("bells", set_up, tear_down);

	tcase_add_test(tcase, the_first_record_rings);
	tcase_add_test(tcase, who_is_awake_is_not_rung_for);
	tcase_add_test(tcase, who_sleeps_is_rung_for_once);
	tcase_add_test(tcase, one_bell_serves_many_records);
	tcase_add_test(tcase, nobody_sleeps_before_a_record);
	tcase_add_test(tcase, a_message_wakes_for_itself);
	tcase_add_test(tcase,
		who_sleeps_is_rung_for_when_a_message_is_taken_back);
	tcase_add_test(tcase,
		what_was_not_told_before_a_message_is_told_when_it_is_taken_back);
	tcase_add_loop_test(tcase, one_sleeps_behind_a_marker, 0, 2);
	tcase_add_test(tcase,
		one_sleeps_behind_a_message_that_is_not_there_yet);
	tcase_add_loop_test(tcase,
		nobody_sleeps_behind_a_message_that_was_taken_back, 0, 2);
	return tcase;
}

static TCase *make_short_ways(void)
{
	TCase *tcase = make_tcase_with("short ways", set_up, tear_down);

	tcase_add_test(tcase, what_is_put_is_what_is_taken);
	tcase_add_test(tcase, nothing_is_put_where_there_is_no_room);
	tcase_add_test(tcase, what_does_not_fit_is_not_taken);
	tcase_add_test(tcase, the_short_ways_keep_the_order);
	tcase_add_test(tcase, what_is_put_behind_a_marker_is_no_message_of_it);
	return tcase;
}

static TCase *make_lies(void)
{
	TCase *tcase = make_tcase_with("lies", set_up, tear_down);

	tcase_add_loop_test(tcase, a_tail_that_cannot_be_is_refused, 0, 5);
	tcase_add_test(tcase, a_tail_that_goes_back_behind_a_marker_is_refused);
	tcase_add_loop_test(tcase, a_head_that_cannot_be_is_refused, 0, 3);
	tcase_add_loop_test(tcase, a_kind_that_is_none_is_refused, 0, 3);
	tcase_add_loop_test(tcase, a_size_that_cannot_be_is_refused, 0, 4);
	tcase_add_loop_test(tcase, an_end_that_cannot_be_lets_in_nothing_more,
		0, 4);
	tcase_add_test(tcase, no_more_is_unread_than_the_ring_has);
	tcase_add_test(tcase, a_marker_behind_a_marker_is_refused);
	tcase_add_test(tcase, a_marker_that_becomes_something_else_stays_one);
	tcase_add_loop_test(tcase, garbage_gives_no_bytes_outside, 0, 10);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("ring");

	suite_add_tcase(suite, make_records());
	suite_add_tcase(suite, make_markers());
	suite_add_tcase(suite, make_bells());
	suite_add_tcase(suite, make_short_ways());
	suite_add_tcase(suite, make_lies());
	return support_run(suite);
}
