/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdint.h>

#include "relay/frame.h"
#include "support/support.h"

static unsigned char bytes[FRAME_HEAD_SIZE + 8];
static struct frame frame;

enum { TYPE = 1, FLAGS = 2, ZERO = 4, SEQUENCE = 8, CREDIT = 16 };

/* A head with nothing but its type. */
static void make(enum frame_type type)
{
	const struct frame plain = { .type = type };

	memset(bytes, 0, sizeof(bytes));
	frame_encode(bytes, &plain);
}

static int decode(size_t data_size)
{
	return frame_decode(&frame, bytes, FRAME_HEAD_SIZE + data_size);
}

START_TEST(the_head_is_big_endian)
{
	static const unsigned char wanted[FRAME_HEAD_SIZE] = { 1, 5, 0, 0, 0, 0,
		0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	const struct frame data = { .type = FRAME_DATA,
		.sequence = 0x0102030405060708,
		.credit = 0x090a0b0c0d0e0f10 };

	frame_encode(bytes, &data);
	ck_assert_mem_eq(bytes, wanted, sizeof(wanted));
}
END_TEST

static const struct {
	enum frame_type type;
	bool has_sequence, has_credit, has_data;
} types[] = {
	{ FRAME_DATAGRAM, false, false, true },
	{ FRAME_OPEN, false, true, false },
	{ FRAME_ACCEPT, false, true, false },
	{ FRAME_REFUSE, false, false, false },
	{ FRAME_DATA, true, false, true },
	{ FRAME_CREDIT, false, true, false },
	{ FRAME_FIN, true, false, false },
	{ FRAME_RESET, false, false, false },
	{ FRAME_PING, true, true, false },
	{ FRAME_PONG, true, true, false },
};

START_TEST(each_type_comes_back_as_it_was)
{
	const struct frame sent = { .type = types[_i].type,
		.sequence = types[_i].has_sequence ? UINT64_MAX : 0,
		.credit = types[_i].has_credit ? UINT64_MAX - 1 : 0 };
	size_t size = types[_i].has_data ? 8 : 0;

	frame_encode(bytes, &sent);
	ck_assert_int_eq(decode(size), 0);
	ck_assert_int_eq(frame.type, sent.type);
	ck_assert_uint_eq(frame.sequence, sent.sequence);
	ck_assert_uint_eq(frame.credit, sent.credit);
	ck_assert_uint_eq(frame.size, size);
	ck_assert_ptr_eq(frame.data, bytes + FRAME_HEAD_SIZE);
}
END_TEST

static void expect_only_if(bool is_right, size_t data_size)
{
	if (is_right)
		ck_assert_int_eq(decode(data_size), 0);
	else
		ck_assert_errno(decode(data_size), EPROTO);
}

START_TEST(a_sequence_stands_only_where_it_has_a_meaning)
{
	make(types[_i].type);
	bytes[SEQUENCE] = 1;
	expect_only_if(types[_i].has_sequence, 0);
}
END_TEST

START_TEST(a_credit_stands_only_where_it_has_a_meaning)
{
	make(types[_i].type);
	bytes[CREDIT + 7] = 1;
	expect_only_if(types[_i].has_credit, 0);
}
END_TEST

START_TEST(data_is_only_behind_what_carries_it)
{
	make(types[_i].type);
	expect_only_if(types[_i].has_data, 1);
}
END_TEST

START_TEST(a_message_may_be_empty)
{
	make(FRAME_DATA);
	ck_assert_int_eq(decode(0), 0);
	ck_assert_uint_eq(frame.size, 0);
}
END_TEST

START_TEST(what_is_shorter_than_a_head_is_refused)
{
	make(FRAME_DATA);
	ck_assert_errno(frame_decode(&frame, bytes, (size_t)_i), EPROTO);
}
END_TEST

START_TEST(another_version_is_refused)
{
	make(FRAME_DATA);
	bytes[0] = (unsigned char)_i;
	expect_only_if(_i == FRAME_VERSION, 0);
}
END_TEST

START_TEST(an_unknown_type_is_refused)
{
	make(FRAME_DATA);
	bytes[TYPE] = (unsigned char)_i;
	expect_only_if(_i >= FRAME_DATAGRAM && _i <= FRAME_PONG, 0);
}
END_TEST

START_TEST(flags_and_what_must_be_zero_are_refused)
{
	int i;

	for (i = FLAGS; i < SEQUENCE; i++) {
		make(FRAME_DATA);
		bytes[i] = (unsigned char)(1 << _i);
		ck_assert_errno(decode(0), EPROTO);
	}
}
END_TEST

START_TEST(a_message_may_stand_at_any_address)
{
	static unsigned char copy[FRAME_HEAD_SIZE + 8];

	make(FRAME_FIN);
	bytes[SEQUENCE + 7] = 42;
	memcpy(copy + _i, bytes, FRAME_HEAD_SIZE);
	ck_assert_int_eq(frame_decode(&frame, copy + _i, FRAME_HEAD_SIZE), 0);
	ck_assert_uint_eq(frame.sequence, 42);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("frame");

	tcase_add_test(tcase, the_head_is_big_endian);
	tcase_add_loop_test(tcase, each_type_comes_back_as_it_was, 0,
		(int)COUNT(types));
	tcase_add_loop_test(tcase,
		a_sequence_stands_only_where_it_has_a_meaning, 0,
		(int)COUNT(types));
	tcase_add_loop_test(tcase, a_credit_stands_only_where_it_has_a_meaning,
		0, (int)COUNT(types));
	tcase_add_loop_test(tcase, data_is_only_behind_what_carries_it, 0,
		(int)COUNT(types));
	tcase_add_test(tcase, a_message_may_be_empty);
	tcase_add_loop_test(tcase, what_is_shorter_than_a_head_is_refused, 0,
		FRAME_HEAD_SIZE);
	tcase_add_loop_test(tcase, another_version_is_refused, 0, 256);
	tcase_add_loop_test(tcase, an_unknown_type_is_refused, 0, 256);
	tcase_add_loop_test(tcase, flags_and_what_must_be_zero_are_refused, 0,
		8);
	tcase_add_loop_test(tcase, a_message_may_stand_at_any_address, 0, 8);
	return support_run_cases("frame", tcase);
}
