/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdlib.h>
#include <unistd.h>

#include "message/buffer_private.h"
#include "support/ends.h"
#include "support/support.h"

static struct ends ends;
static struct unixbuffer buffer;

static void close_all(void)
{
	unixbuffer_free(&buffer);
	ends_close(&ends);
}

static int receive(void)
{
	return unixconn_recv_buffer(ends.receiver, &buffer, NULL, UNIXMSG_NOW);
}

static char *make_letters(size_t size)
{
	char *bytes = malloc(size + 1);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, (int)('a' + size % 26), size);
	return bytes;
}

static void send_size(size_t size)
{
	char *bytes = make_letters(size);

	ck_assert_int_eq(unixconn_send(ends.sender, bytes, size, UNIXMSG_NOW),
		1);
	free(bytes);
}

static void expect_size(size_t size)
{
	char *bytes = make_letters(size);

	ck_assert_int_eq(receive(), 1);
	ck_assert_uint_eq(buffer.size, size);
	ck_assert_uint_ge(buffer.room, size);
	ck_assert_uint_le(buffer.room, buffer.room_max);
	if (size > 0)
		ck_assert_int_eq(memcmp(buffer.data, bytes, size), 0);
	free(bytes);
}

static void expect_empty(size_t room_max)
{
	ck_assert_ptr_null(buffer.data);
	ck_assert_uint_eq(buffer.size, 0);
	ck_assert_uint_eq(buffer.room, 0);
	ck_assert_uint_eq(buffer.room_max, room_max);
}

START_TEST(a_new_buffer_has_nothing_allocated)
{
	memset(&buffer, 0xff, sizeof(buffer));
	unixbuffer_init(&buffer, 17);
	expect_empty(17);
	unixbuffer_free(&buffer);
	expect_empty(17);
}
END_TEST

START_TEST(room_is_made_and_what_is_there_stays)
{
	size_t size;

	unixbuffer_init(&buffer, 1000);
	ck_assert_int_eq(unixbuffer__reserve(&buffer, 0), 0);
	for (size = 1; size <= 1000; size++) {
		ck_assert_int_eq(unixbuffer__reserve(&buffer, size), 0);
		ck_assert_uint_ge(buffer.room, size);
		ck_assert_uint_le(buffer.room, 1000);
		((char *)buffer.data)[size - 1] = (char)size;
	}
	for (size = 1; size <= 1000; size++)
		ck_assert_int_eq(((char *)buffer.data)[size - 1], (char)size);
	unixbuffer_free(&buffer);
	unixbuffer_free(&buffer);
	expect_empty(1000);
}
END_TEST

START_TEST(a_buffer_grows_seldom)
{
	int grown = 0;
	size_t size, room = 0;

	unixbuffer_init(&buffer, SIZE_MAX);
	for (size = 1; size <= 100000; size++) {
		ck_assert_int_eq(unixbuffer__reserve(&buffer, size), 0);
		grown += buffer.room != room;
		room = buffer.room;
	}
	ck_assert_int_le(grown, 20);
}
END_TEST

START_TEST(more_than_the_bound_is_refused_and_nothing_changes)
{
	static const size_t beyond[] = { 11, 12, SIZE_MAX };
	struct unixbuffer before;
	size_t i;

	unixbuffer_init(&buffer, 10);
	ck_assert_int_eq(unixbuffer__reserve(&buffer, 3), 0);
	before = buffer;
	for (i = 0; i < COUNT(beyond); i++) {
		ck_assert_errno(unixbuffer__reserve(&buffer, beyond[i]),
			EMSGSIZE);
		ck_assert_mem_eq(&buffer, &before, sizeof(buffer));
	}
	unixbuffer_free(&buffer);
	unixbuffer_init(&buffer, 0);
	ck_assert_errno(unixbuffer__reserve(&buffer, 1), EMSGSIZE);
	ck_assert_int_eq(unixbuffer__reserve(&buffer, 0), 0);
}
END_TEST

START_TEST(messages_of_all_sizes_fit_into_what_grows)
{
	size_t most, i;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_get_size_max(ends.sender, &most), 0);
	unixbuffer_init(&buffer, most);
	{
		const size_t sizes[] = { 0, 1, 0, 5, 4096, 3, most - 1, most,
			1 };

		for (i = 0; i < COUNT(sizes); i++) {
			send_size(sizes[i]);
			expect_size(sizes[i]);
		}
	}
}
END_TEST

START_TEST(a_message_beyond_the_bound_is_gone_and_its_size_is_told)
{
	ends_make(&ends, _i);
	unixbuffer_init(&buffer, 100);
	send_size(101);
	send_size(100);
	send_size(5000);
	send_size(7);
	ck_assert_errno(receive(), EMSGSIZE);
	ck_assert_uint_eq(buffer.size, 101);
	ck_assert_uint_le(buffer.room, 100);
	expect_size(100);
	ck_assert_errno(receive(), EMSGSIZE);
	ck_assert_uint_eq(buffer.size, 5000);
	expect_size(7);
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(a_buffer_without_a_bound_to_speak_of_takes_empty_messages_only)
{
	ends_make(&ends, _i);
	unixbuffer_init(&buffer, 0);
	send_size(0);
	send_size(1);
	expect_size(0);
	ck_assert_errno(receive(), EMSGSIZE);
	ck_assert_ptr_null(buffer.data);
}
END_TEST

START_TEST(receiving_into_a_buffer_keeps_to_its_deadline)
{
	int64_t deadline_us;

	ends_make(&ends, _i);
	unixbuffer_init(&buffer, 100);
	buffer.size = 7;
	ck_assert_errno(receive(), EAGAIN);
	ck_assert_uint_eq(buffer.size, 0);
	deadline_us = unixdeadline_after_us(30000);
	ck_assert_errno(unixconn_recv_buffer(ends.receiver, &buffer, NULL,
				deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	send_size(3);
	ck_assert_int_eq(unixconn_recv_buffer(ends.receiver, &buffer, NULL, 1),
		1);
}
END_TEST

START_TEST(success_keeps_errno)
{
	ends_make(&ends, _i);
	unixbuffer_init(&buffer, 100);
	send_size(50);
	errno = EXDEV;
	ck_assert_int_eq(receive(), 1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(the_end_is_told_after_an_empty_message)
{
	ends_make(&ends, _i);
	unixbuffer_init(&buffer, 100);
	send_size(0);
	send_size(4);
	send_size(0);
	ck_assert_int_eq(unixconn_close(ends.sender), 0);
	ends.sender = NULL;
	expect_size(0);
	expect_size(4);
	expect_size(0);
	ck_assert_int_eq(receive(), 0);
	ck_assert_uint_eq(buffer.size, 0);
	ck_assert_int_eq(receive(), 0);
}
END_TEST

START_TEST(the_sender_of_a_datagram_is_told)
{
	struct unixaddr own, from;

	ends_make(&ends, ENDS_GRAM_TO_SERVER);
	unixbuffer_init(&buffer, 100);
	send_size(10);
	ck_assert_int_eq(unixconn_get_address(ends.sender, &own), 0);
	ck_assert_int_eq(unixconn_recv_buffer(ends.receiver, &buffer, &from,
				 UNIXMSG_NOW),
		1);
	ck_assert(unixaddr_is_equal(&own, &from));
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("buffer", NULL, close_all);

	tcase_add_test(tcase, a_new_buffer_has_nothing_allocated);
	tcase_add_test(tcase, room_is_made_and_what_is_there_stays);
	tcase_add_test(tcase, a_buffer_grows_seldom);
	tcase_add_test(tcase,
		more_than_the_bound_is_refused_and_nothing_changes);
	ends_add(tcase, messages_of_all_sizes_fit_into_what_grows);
	ends_add(tcase,
		a_message_beyond_the_bound_is_gone_and_its_size_is_told);
	ends_add(tcase,
		a_buffer_without_a_bound_to_speak_of_takes_empty_messages_only);
	ends_add(tcase, receiving_into_a_buffer_keeps_to_its_deadline);
	ends_add(tcase, success_keeps_errno);
	tcase_add_loop_test(tcase, the_end_is_told_after_an_empty_message,
		ENDS_PACKET_PAIR, ENDS_KINDS);
	tcase_add_test(tcase, the_sender_of_a_datagram_is_told);
	return support_run_cases("buffer", tcase);
}
