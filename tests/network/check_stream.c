/* SPDX-License-Identifier: MIT */
/*
 * Byte streams, and messages on them. How connections come to be is in
 * check_listener.c.
 */
#include <config.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/conn_private.h"
#include "support/support.h"
#include "support/talk.h"

static const int64_t long_us = 60000000;
static const int64_t short_us = 30000;
static const size_t mib = 1024 * 1024;

enum { PREFIX = 4 };

/* near is what is tested, far its peer: as messages and bytes of ours, or by
 * its descriptor as a foreign program would. */
static struct unixconn *near, *far;
static int far_fd;

static void link_up(void)
{
	make_pair("unix", &near, &far);
	far_fd = unixconn_get_fd(far);
}

static void unlink_all(void)
{
	end_conn(&near);
	end_conn(&far);
}

/* What a foreign program writes. */
static void feed(const void *bytes, size_t size)
{
	ck_assert_int_eq(send(far_fd, bytes, size, MSG_DONTWAIT),
		(ssize_t)size);
}

static void feed_prefix(size_t size)
{
	const unsigned char prefix[PREFIX] = {
		(unsigned char)(size >> 24),
		(unsigned char)(size >> 16),
		(unsigned char)(size >> 8),
		(unsigned char)size,
	};

	feed(prefix, sizeof(prefix));
}

static void feed_message(const char *text)
{
	feed_prefix(strlen(text));
	feed(text, strlen(text));
}

static void end_feed(void)
{
	ck_assert_int_eq(shutdown(far_fd, SHUT_WR), 0);
}

static int receive(void *data, size_t room, size_t *size)
{
	return unixconn_recv(near, data, room, size, UNIXMSG_NOW);
}

static void expect_no_message(void)
{
	char bytes[64];
	size_t size = 7;

	ck_assert_errno(receive(bytes, sizeof(bytes), &size), EAGAIN);
	ck_assert_uint_eq(size, 0);
}

/* The end is told again and again. */
static void expect_end(struct unixconn *stream)
{
	size_t size = 7;
	char byte;
	int i;

	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(unixconn_recv(stream, &byte, 1, &size,
					 UNIXMSG_FOREVER),
			0);
		ck_assert_uint_eq(size, 0);
		ck_assert_int_eq(unixconn_read(stream, &byte, 1, &size,
					 UNIXMSG_FOREVER),
			0);
	}
}

static void expect_broken(struct unixconn *stream)
{
	char bytes[64];
	int i;

	for (i = 0; i < 3; i++)
		ck_assert_errno(unixconn_recv(stream, bytes, sizeof(bytes),
					NULL, UNIXMSG_FOREVER),
			EPROTO);
}

/* Bytes */

static void write_text(struct unixconn *stream, const char *text)
{
	size_t written = SIZE_MAX;

	ck_assert_int_eq(unixconn_write(stream, text, strlen(text), &written,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(written, strlen(text));
}

static void expect_bytes(struct unixconn *stream, size_t room, const char *text)
{
	char bytes[64];
	size_t size = SIZE_MAX;

	ck_assert_uint_le(room, sizeof(bytes));
	ck_assert_int_eq(unixconn_read(stream, bytes, room, &size,
				 unixdeadline_after_us(long_us)),
		1);
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_int_eq(memcmp(bytes, text, size), 0);
}

START_TEST(bytes_come_as_they_are)
{
	write_text(far, "ab");
	write_text(far, "cdef");
	expect_bytes(near, 64, "abcdef");
	write_text(near, "back");
	expect_bytes(far, 2, "ba");
	expect_bytes(far, 64, "ck");
}
END_TEST

START_TEST(reading_keeps_to_its_deadline)
{
	int64_t deadline_us = unixdeadline_after_us(short_us);
	char byte;

	ck_assert_errno(unixconn_read(near, &byte, 1, NULL, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_errno(unixconn_read(near, &byte, 1, NULL, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_errno(unixconn_read(near, &byte, 1, NULL, 1), ETIMEDOUT);
	ck_assert_errno(unixconn_read(near, &byte, 1, NULL, INT64_MIN), EINVAL);
	write_text(far, "x");
	ck_assert_int_eq(unixconn_read(near, &byte, 1, NULL, 1), 1);
}
END_TEST

START_TEST(reading_nothing_takes_nothing_and_does_not_wait)
{
	size_t size = 7;

	ck_assert_int_eq(unixconn_read(near, NULL, 0, &size, UNIXMSG_FOREVER),
		1);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(unixconn_read(far, NULL, 0, NULL, UNIXMSG_NOW), 1);
	write_text(far, "kept");
	ck_assert_int_eq(unixconn_read(near, NULL, 0, &size, UNIXMSG_FOREVER),
		1);
	expect_bytes(near, 64, "kept");
}
END_TEST

START_TEST(writing_nothing_is_no_error)
{
	size_t written = 7;

	ck_assert_int_eq(unixconn_write(near, NULL, 0, &written,
				 UNIXMSG_FOREVER),
		1);
	ck_assert_uint_eq(written, 0);
	ck_assert_errno(unixconn_read(far, &written, 1, NULL, UNIXMSG_NOW),
		EAGAIN);
}
END_TEST

/* Reads all that has come; bytes has room for size. */
static size_t read_all(struct unixconn *stream, unsigned char *bytes,
	size_t size)
{
	size_t filled = 0, got;

	while (filled < size &&
		unixconn_read(stream, bytes + filled, size - filled, &got,
			UNIXMSG_NOW) == 1)
		filled += got;
	return filled;
}

START_TEST(an_unfinished_write_tells_how_far_it_came)
{
	static const int64_t deadlines_us[] = { UNIXMSG_NOW, 1, 1000 };
	const size_t size = 4 * mib;
	unsigned char *bytes = make_payload(size, 0), *got = malloc(size);
	size_t written = 0;

	ck_assert_ptr_nonnull(got);
	ck_assert_errno(unixconn_write(near, bytes, size, &written,
				deadlines_us[_i]),
		deadlines_us[_i] == UNIXMSG_NOW ? EAGAIN : ETIMEDOUT);
	ck_assert_uint_gt(written, 0);
	ck_assert_uint_lt(written, size);
	ck_assert_uint_eq(read_all(far, got, size), written);
	ck_assert_int_eq(memcmp(bytes, got, written), 0);
	write_text(near, "more");
	expect_bytes(far, 64, "more");
	free(bytes);
	free(got);
}
END_TEST

static void read_until_end(struct unixconn *stream, size_t size)
{
	unsigned char *bytes = make_payload(size, 0);
	unsigned char *got = malloc(size + 1);
	size_t filled = 0, count;

	ck_assert_ptr_nonnull(got);
	while (unixconn_read(stream, got + filled, size - filled + 1, &count,
		       UNIXMSG_FOREVER) == 1)
		filled += count;
	ck_assert_uint_eq(filled, size);
	ck_assert_int_eq(memcmp(bytes, got, size), 0);
	_exit(0);
}

START_TEST(a_long_write_waits_for_its_reader)
{
	static const int64_t deadlines_us[] = { INT64_MAX, INT64_MAX - 1 };
	const size_t size = 4 * mib;
	unsigned char *bytes = make_payload(size, 0);
	pid_t pid = support_fork();
	size_t written = 0;

	if (pid == 0) {
		end_conn(&near);
		read_until_end(far, size);
	}
	errno = EXDEV;
	ck_assert_int_eq(unixconn_write(near, bytes, size, &written,
				 deadlines_us[_i]),
		1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_uint_eq(written, size);
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_WR), 0);
	support_wait_exit(pid, 0);
	free(bytes);
}
END_TEST

START_TEST(the_stop_ends_the_waits_of_a_stream)
{
	const size_t size = 4 * mib;
	unsigned char *bytes = make_payload(size, 0), byte;
	int stop_fd = eventfd(1, EFD_CLOEXEC);
	size_t written = 0;

	unixconn_set_stop_fd(near, stop_fd);
	ck_assert_errno(unixconn_read(near, &byte, 1, NULL, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_errno(unixconn_recv(near, &byte, 1, NULL, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_errno(unixconn_write(near, bytes, size, &written,
				UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_uint_gt(written, 0);
	ck_assert_errno(unixconn_send(near, bytes, size, UNIXMSG_FOREVER),
		ECANCELED);
	close(stop_fd);
	free(bytes);
}
END_TEST

/* Ends of connections */

START_TEST(a_stream_closed_to_write_still_reads)
{
	write_text(near, "last");
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_WR), 0);
	ck_assert_errno(unixconn_write(near, "x", 1, NULL, UNIXMSG_FOREVER),
		EPIPE);
	ck_assert_errno(unixconn_send(near, "x", 1, UNIXMSG_FOREVER), EPIPE);
	expect_bytes(far, 64, "last");
	expect_end(far);
	write_text(far, "answer");
	expect_bytes(near, 64, "answer");
}
END_TEST

START_TEST(a_stream_closed_to_read_is_at_its_end)
{
	ck_assert_int_eq(unixconn_shutdown(near, SHUT_RD), 0);
	expect_end(near);
	ck_assert_errno(unixconn_write(far, "x", 1, NULL, UNIXMSG_FOREVER),
		EPIPE);
	write_text(near, "open");
	expect_bytes(far, 64, "open");
	ck_assert_errno(unixconn_shutdown(near, 3), EINVAL);
}
END_TEST

/* The test ends by a signal if one is raised. */
START_TEST(a_closed_peer_is_the_end_and_a_broken_pipe)
{
	struct sigaction action;
	size_t written = 7;

	write_text(far, "last");
	end_conn(&far);
	expect_bytes(near, 64, "last");
	expect_end(near);
	ck_assert_errno(unixconn_write(near, "x", 1, &written, UNIXMSG_FOREVER),
		EPIPE);
	ck_assert_uint_eq(written, 0);
	ck_assert_errno(unixconn_send(near, "", 0, UNIXMSG_NOW), EPIPE);
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
	ck_assert_ptr_eq(action.sa_handler, SIG_DFL);
}
END_TEST

START_TEST(a_peer_that_leaves_bytes_unread_resets_the_stream)
{
	char byte;

	write_text(near, "never read");
	end_conn(&far);
	ck_assert_errno(unixconn_read(near, &byte, 1, NULL, UNIXMSG_FOREVER),
		ECONNRESET);
	expect_end(near);
}
END_TEST

START_TEST(a_reset_comes_once_behind_what_the_peer_has_sent)
{
	char byte;

	write_text(near, "never read");
	write_text(far, "last");
	end_conn(&far);
	expect_bytes(near, 64, "last");
	ck_assert_errno(unixconn_read(near, &byte, 1, NULL, UNIXMSG_FOREVER),
		ECONNRESET);
	expect_end(near);
}
END_TEST

/* Messages: what is on the wire */

START_TEST(a_message_is_preceded_by_its_length)
{
	static const char expected[] = "\0\0\0\3abc\0\0\0\0\0\0\1\1";
	char long_message[257] = { 0 }, bytes[64];

	ck_assert_int_eq(unixconn_send(near, "abc", 3, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(near, NULL, 0, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(near, long_message, sizeof(long_message),
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(recv(far_fd, bytes, sizeof(bytes), 0), 64);
	ck_assert_mem_eq(bytes, expected, sizeof(expected) - 1);
}
END_TEST

START_TEST(foreign_messages_are_received)
{
	feed_message("one");
	feed_message("");
	feed_message("three");
	expect_text(near, "one");
	expect_text(near, "");
	expect_text(near, "three");
	expect_no_message();
}
END_TEST

static void send_sizes(const size_t *sizes, size_t count)
{
	unsigned char *bytes;
	size_t i;

	for (i = 0; i < count; i++) {
		bytes = make_payload(sizes[i], (unsigned int)i);
		ck_assert_int_eq(unixconn_send(far, bytes, sizes[i],
					 UNIXMSG_FOREVER),
			1);
		free(bytes);
	}
	_exit(0);
}

static void expect_size(size_t size, size_t room, unsigned int seed)
{
	unsigned char *expected = make_payload(size, seed);
	unsigned char *got = malloc(room);
	size_t got_size = SIZE_MAX;

	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(unixconn_recv(near, got, room, &got_size,
				 UNIXMSG_FOREVER),
		1);
	ck_assert_uint_eq(got_size, size);
	ck_assert_int_eq(memcmp(expected, got, size), 0);
	free(expected);
	free(got);
}

START_TEST(messages_of_every_size_arrive_whole)
{
	static const size_t sizes[] = { 0, 1, 0, 3, 4, 5, 65531, 65532, 65533,
		65535, 65536, 65537, 131068, 131072, 1, 212960, 212961, 300000,
		1048576, 0, 5 * 1048576 + 3, 0, 7, 8388608 };
	pid_t pid = support_fork();
	size_t i;

	if (pid == 0) {
		end_conn(&near);
		send_sizes(sizes, COUNT(sizes));
	}
	end_conn(&far);
	for (i = 0; i < COUNT(sizes); i++)
		expect_size(sizes[i], _i == 0 ? sizes[i] + 1 : 8388608,
			(unsigned int)i);
	expect_end(near);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_message_may_arrive_byte_by_byte)
{
	static const char bytes[] = "\0\0\0\5hello\0\0\0\0\0\0\0\1x";
	size_t i;

	for (i = 0; i < sizeof(bytes) - 1; i++) {
		if (i != 9 && i != 13)
			expect_no_message();
		feed(bytes + i, 1);
		if (i == 8)
			expect_text(near, "hello");
		if (i == 12)
			expect_text(near, "");
	}
	expect_text(near, "x");
	expect_no_message();
}
END_TEST

START_TEST(many_messages_may_arrive_at_once)
{
	enum { MANY = 1000, EACH = PREFIX + 2 };
	unsigned char *bytes = calloc(MANY, EACH);
	unsigned char got[2];
	size_t i, size;

	ck_assert_ptr_nonnull(bytes);
	for (i = 0; i < MANY; i++) {
		bytes[i * EACH + 3] = 2;
		bytes[i * EACH + 4] = (unsigned char)(i >> 8);
		bytes[i * EACH + 5] = (unsigned char)i;
	}
	feed(bytes, MANY * EACH);
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(receive(got, sizeof(got), &size), 1);
		ck_assert_uint_eq(size, 2);
		ck_assert_uint_eq((size_t)got[0] << 8 | got[1], i);
	}
	expect_no_message();
	free(bytes);
}
END_TEST

START_TEST(what_was_read_ahead_can_be_read_as_bytes)
{
	feed_message("first");
	feed("left over", 9);
	expect_text(near, "first");
	expect_bytes(near, 4, "left");
	expect_bytes(near, 64, " over");
	write_text(far, "new");
	expect_bytes(near, 64, "new");
}
END_TEST

START_TEST(success_keeps_errno)
{
	char byte;

	errno = EXDEV;
	ck_assert_int_eq(unixconn_send(far, "m", 1, UNIXMSG_FOREVER), 1);
	ck_assert_int_eq(unixconn_write(far, "b", 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(near, &byte, 1, NULL, UNIXMSG_FOREVER),
		1);
	ck_assert_int_eq(unixconn_read(near, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Messages that are too large */

START_TEST(a_message_that_is_too_large_is_passed_over)
{
	size_t size = 0;
	char bytes[4];

	feed_message("large");
	feed_message("fits");
	ck_assert_errno(receive(bytes, 4, &size), EMSGSIZE);
	ck_assert_uint_eq(size, 5);
	ck_assert_int_eq(receive(bytes, 4, &size), 1);
	ck_assert_uint_eq(size, 4);
	ck_assert_int_eq(memcmp(bytes, "fits", 4), 0);
	end_feed();
	expect_end(near);
}
END_TEST

START_TEST(a_message_is_too_large_before_it_has_arrived)
{
	static const char thousand[1000];
	size_t size = 0;
	char byte;

	feed_prefix(1000);
	ck_assert_errno(receive(&byte, 1, &size), EMSGSIZE);
	ck_assert_uint_eq(size, 1000);
	expect_no_message();
	feed(thousand, 999);
	expect_no_message();
	feed(thousand, 1);
	expect_no_message();
	feed_message("next");
	expect_text(near, "next");
}
END_TEST

START_TEST(without_room_only_an_empty_message_fits)
{
	size_t size = 7;

	feed_message("");
	feed_message("x");
	feed_message("");
	ck_assert_int_eq(receive(NULL, 0, &size), 1);
	ck_assert_uint_eq(size, 0);
	ck_assert_errno(receive(NULL, 0, &size), EMSGSIZE);
	ck_assert_uint_eq(size, 1);
	ck_assert_int_eq(receive(NULL, 0, NULL), 1);
	expect_no_message();
}
END_TEST

static void send_much(size_t size)
{
	unsigned char *bytes = make_payload(mib, 0);

	feed_prefix(UINT32_MAX);
	for (; size > 0; size -= mib)
		ck_assert_int_eq(unixconn_write(far, bytes, mib, NULL,
					 UNIXMSG_FOREVER),
			1);
	_exit(0);
}

START_TEST(a_claim_of_4_gib_costs_no_memory)
{
	pid_t pid = support_fork();
	size_t before = support_get_address_space(), size = 0;
	char bytes[100];

	if (pid == 0) {
		end_conn(&near);
		send_much(64 * mib);
	}
	end_conn(&far);
	ck_assert_errno(unixconn_recv(near, bytes, sizeof(bytes), &size,
				UNIXMSG_FOREVER),
		EMSGSIZE);
	ck_assert_uint_eq(size, UINT32_MAX);
	expect_broken(near);
	ck_assert_uint_lt(support_get_address_space(), before + 4 * mib);
	support_wait_exit(pid, 0);
}
END_TEST

/* The receiver allows much, and the peer sends little of it. */
START_TEST(a_claim_that_fits_costs_what_has_arrived)
{
	const size_t room = 1024 * mib;
	void *data = mmap(NULL, room, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before = support_get_address_space();

	ck_assert_ptr_ne(data, MAP_FAILED);
	feed_prefix(room);
	feed("little", 6);
	ck_assert_errno(receive(data, room, NULL), EAGAIN);
	ck_assert_uint_lt(support_get_address_space(), before + 4 * mib);
	munmap(data, room);
}
END_TEST

START_TEST(a_message_beyond_the_prefix_cannot_be_sent)
{
	char byte = 'x', got;

	/* Only where a size_t is wider, see make_sizes. */
	ck_assert_errno(unixconn_send(near, &byte, SIZE_MAX, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_errno(unixconn_send(near, &byte, SIZE_MAX / 2, UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_errno(unixconn_read(far, &got, 1, NULL, UNIXMSG_NOW), EAGAIN);
}
END_TEST

/* Ends inside of a message */

START_TEST(an_end_inside_of_a_message_is_an_error)
{
	static const char message[] = "\0\0\0\5hello";
	char bytes[64];

	feed_message("whole");
	feed(message, (size_t)_i);
	end_feed();
	expect_text(near, "whole");
	ck_assert_errno(unixconn_recv(near, bytes, sizeof(bytes), NULL,
				UNIXMSG_FOREVER),
		EPROTO);
	expect_broken(near);
}
END_TEST

START_TEST(an_end_inside_of_what_is_passed_over_is_an_error)
{
	char byte;

	feed_prefix(10);
	feed("half", 4);
	end_conn(&far);
	ck_assert_errno(receive(&byte, 1, NULL), EMSGSIZE);
	expect_broken(near);
}
END_TEST

/* Deadlines inside of a message */

START_TEST(a_deadline_inside_of_a_message_keeps_what_has_arrived)
{
	char bytes[64];
	int64_t deadline_us;

	feed("\0\0", 2);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_errno(unixconn_recv(near, bytes, 64, NULL, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	feed("\0\4", 2);
	ck_assert_errno(unixconn_recv(near, bytes, 64, NULL, 1), ETIMEDOUT);
	feed("ab", 2);
	expect_no_message();
	feed("cd", 2);
	expect_text(near, "abcd");
}
END_TEST

static void fill(struct unixconn *stream)
{
	static char bytes[65536];
	size_t written;

	while (unixconn_write(stream, bytes, sizeof(bytes), &written,
		       UNIXMSG_NOW) == 1)
		;
	while (unixconn_write(stream, bytes, 1, NULL, UNIXMSG_NOW) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
}

static void drain(struct unixconn *stream)
{
	unsigned char *bytes = malloc(8 * mib);

	ck_assert_ptr_nonnull(bytes);
	read_all(stream, bytes, 8 * mib);
	free(bytes);
}

START_TEST(a_deadline_before_the_first_byte_changes_nothing)
{
	int64_t deadline_us;

	fill(far);
	ck_assert_errno(unixconn_send(far, "x", 1, UNIXMSG_NOW), EAGAIN);
	ck_assert_errno(unixconn_send(far, "x", 1, 1), ETIMEDOUT);
	ck_assert_errno(unixconn_send(far, "x", 1, INT64_MIN), EINVAL);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_errno(unixconn_send(far, "x", 1, deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	drain(near);
	ck_assert_int_eq(unixconn_send(far, "whole", 5, UNIXMSG_NOW), 1);
	expect_text(near, "whole");
	expect_no_message();
}
END_TEST

static const int64_t ways_us[] = { UNIXMSG_NOW, 1, 2, 1000 };

/* A message that is too long to go at once. */
static unsigned char *begin_message(size_t size, int64_t deadline_us)
{
	unsigned char *bytes = make_payload(size, 0);

	ck_assert_errno(unixconn_send(far, bytes, size, deadline_us),
		EINPROGRESS);
	return bytes;
}

START_TEST(a_message_that_has_begun_is_gone_on_with)
{
	const size_t size = 4 * mib;
	unsigned char *bytes = begin_message(size, ways_us[_i]);
	unsigned char *got = malloc(size);
	size_t got_size = 0;

	ck_assert_ptr_nonnull(got);
	while (unixconn_send(far, bytes, size, ways_us[_i]) < 0) {
		ck_assert_int_eq(errno, EINPROGRESS);
		ck_assert_errno(receive(got, size, &got_size), EAGAIN);
	}
	ck_assert_int_eq(receive(got, size, &got_size), 1);
	ck_assert_uint_eq(got_size, size);
	ck_assert_int_eq(memcmp(bytes, got, size), 0);
	ck_assert_int_eq(unixconn_send(far, "next", 4, UNIXMSG_NOW), 1);
	expect_text(near, "next");
	free(bytes);
	free(got);
}
END_TEST

START_TEST(a_message_that_has_begun_may_have_empty_parts)
{
	const size_t size = 4 * mib;
	unsigned char *bytes = make_payload(size, 0), *got = malloc(size);
	struct iovec parts[] = { { .iov_base = NULL, .iov_len = 0 },
		{ .iov_base = bytes, .iov_len = size } };
	const struct unixmsg msg = { .parts = parts, .parts_count = 2 };
	size_t got_size = 0;

	ck_assert_ptr_nonnull(got);
	while (unixconn_send_msg(far, &msg, UNIXMSG_NOW) < 0) {
		ck_assert_int_eq(errno, EINPROGRESS);
		ck_assert_errno(receive(got, size, &got_size), EAGAIN);
	}
	ck_assert_int_eq(receive(got, size, &got_size), 1);
	ck_assert_uint_eq(got_size, size);
	ck_assert_int_eq(memcmp(bytes, got, size), 0);
	free(bytes);
	free(got);
}
END_TEST

/* The stream would be of no use without the rest. */
START_TEST(a_message_that_has_begun_waits_whatever_the_policy)
{
	static const enum unixconn_policy policies[] = { UNIXCONN_DROP,
		UNIXCONN_FAIL };
	const size_t size = 4 * mib;
	unsigned char *bytes;
	pid_t pid;

	ck_assert_int_eq(unixconn_set_policy(far, policies[_i]), 0);
	bytes = begin_message(size, UNIXMSG_NOW);
	pid = support_fork();
	if (pid == 0) {
		char *got = malloc(size);

		_exit(unixconn_recv(near, got, size, NULL, UNIXMSG_FOREVER) == 1
				? 0
				: 1);
	}
	ck_assert_int_eq(unixconn_send(far, bytes, size, UNIXMSG_FOREVER), 1);
	support_wait_exit(pid, 0);
	free(bytes);
}
END_TEST

/* The length is one more. */
START_TEST(a_message_may_have_more_parts_than_one_call_takes)
{
	enum { PART = 64 };
	const size_t size = (size_t)IOV_MAX * PART;
	unsigned char *bytes = make_payload(size, 7), *got = malloc(size);
	struct iovec parts[IOV_MAX];
	const struct unixmsg msg = { .parts = parts, .parts_count = IOV_MAX };
	size_t i, got_size;

	for (i = 0; i < IOV_MAX; i++)
		parts[i] = (struct iovec){ bytes + i * PART, PART };
	ck_assert_int_eq(unixconn_send_msg(far, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(receive(got, size, &got_size), 1);
	ck_assert_uint_eq(got_size, size);
	ck_assert_int_eq(memcmp(bytes, got, size), 0);
	free(bytes);
	free(got);
}
END_TEST

START_TEST(a_message_is_received_into_empty_parts_too)
{
	char a[2], b[8];
	struct iovec parts[] = { { a, 2 }, { NULL, 0 }, { b, 8 } };
	struct unixmsg msg = { .parts = parts, .parts_count = 3 };

	feed_message("hello");
	ck_assert_int_eq(unixconn_recv_msg(near, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 5);
	ck_assert_mem_eq(a, "he", 2);
	ck_assert_mem_eq(b, "llo", 3);
}
END_TEST

START_TEST(nothing_else_can_be_sent_inside_of_a_message)
{
	const size_t size = 4 * mib;
	unsigned char *bytes = begin_message(size, UNIXMSG_NOW);

	ck_assert_errno(unixconn_send(far, "x", 1, UNIXMSG_FOREVER), EINVAL);
	ck_assert_errno(unixconn_send(far, "", 0, UNIXMSG_FOREVER), EINVAL);
	ck_assert_errno(unixconn_send(far, bytes, size, UNIXMSG_NOW),
		EINPROGRESS);
	ck_assert_int_eq(unixconn_send(near, "open", 4, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(far, bytes, size, NULL, UNIXMSG_NOW), 1);
	free(bytes);
}
END_TEST

START_TEST(closing_inside_of_a_message_is_told_to_the_peer)
{
	const size_t size = 4 * mib;
	unsigned char *bytes = begin_message(size, UNIXMSG_NOW);

	end_conn(&far);
	ck_assert_errno(unixconn_recv(near, bytes, size, NULL, UNIXMSG_FOREVER),
		EPROTO);
	free(bytes);
}
END_TEST

START_TEST(the_stop_may_come_inside_of_a_message)
{
	const size_t size = 4 * mib;
	unsigned char *bytes = make_payload(size, 0);
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	unixconn_set_stop_fd(far, stop_fd);
	ck_assert_errno(unixconn_send(far, bytes, size, UNIXMSG_FOREVER),
		EINPROGRESS);
	close(stop_fd);
	free(bytes);
}
END_TEST

START_TEST(the_peer_may_close_inside_of_a_message)
{
	const size_t size = 4 * mib;
	unsigned char *bytes = begin_message(size, UNIXMSG_NOW);

	end_conn(&near);
	ck_assert_int_eq(unixconn_send(far, bytes, size, UNIXMSG_FOREVER), -1);
	ck_assert(errno == EPIPE || errno == ECONNRESET);
	ck_assert_errno(unixconn_send(far, bytes, size, UNIXMSG_FOREVER),
		EPIPE);
	free(bytes);
}
END_TEST

/* What was read ahead */

static void wait_for_input(void)
{
	char byte;

	ck_assert_errno(receive(&byte, 1, NULL), EAGAIN);
}

START_TEST(a_stream_knows_whether_bytes_were_read_ahead)
{
	ck_assert(!unixstream__has_input(near));
	feed_message("first");
	ck_assert(!unixstream__has_input(near));
	feed_message("second");
	expect_text(near, "first");
	ck_assert(unixstream__has_input(near));
	expect_text(near, "second");
	ck_assert(!unixstream__has_input(near));
	feed("\0\0", 2);
	wait_for_input();
	ck_assert(unixstream__has_input(near));
	feed("\0\1x", 3);
	expect_text(near, "x");
	ck_assert(!unixstream__has_input(near));
}
END_TEST

START_TEST(bytes_that_are_read_take_nothing_ahead)
{
	feed("bytes", 5);
	expect_bytes(near, 2, "by");
	ck_assert(!unixstream__has_input(near));
	expect_bytes(near, 64, "tes");
}
END_TEST

START_TEST(trimming_loses_nothing)
{
	feed_message("first");
	feed_message("second");
	expect_text(near, "first");
	unixstream__trim(near);
	expect_text(near, "second");
	unixstream__trim(near);
	unixstream__trim(near);
	feed_message("third");
	expect_text(near, "third");
	feed("\0\0\0", 3);
	wait_for_input();
	unixstream__trim(near);
	feed("\4rest", 5);
	expect_text(near, "rest");
}
END_TEST

START_TEST(a_stream_that_has_read_nothing_can_be_trimmed)
{
	unixstream__trim(near);
	feed_message("first");
	expect_text(near, "first");
}
END_TEST

START_TEST(trimming_inside_of_what_is_passed_over_loses_nothing)
{
	char byte;

	feed_prefix(8);
	feed("half", 4);
	ck_assert_errno(receive(&byte, 1, NULL), EMSGSIZE);
	expect_no_message();
	ck_assert(!unixstream__has_input(near));
	unixstream__trim(near);
	feed("half", 4);
	feed_message("next");
	expect_text(near, "next");
}
END_TEST

enum { LARGE = 40 * 1024 * 1024 };

/* Sanitizers keep it for a while; they are told by their huge shadow. */
static bool is_memory_given_back(void)
{
	return support_get_address_space() >> 20 < 1024 * 1024;
}

START_TEST(inside_of_what_is_passed_over_no_stream_is_given_back)
{
	char byte;

	feed_prefix(8);
	feed("half", 4);
	ck_assert_errno(receive(&byte, 1, NULL), EMSGSIZE);
	expect_no_message();
	ck_assert(!unixstream__has_input(near));
	ck_assert_errno(unixconn_release(near), EBUSY);
	feed("half", 4);
	expect_no_message();
	far_fd = unixconn_release(near);
	ck_assert_int_ge(far_fd, 0);
	near = unixconn_adopt(far_fd);
	ck_assert_ptr_nonnull(near);
}
END_TEST

/* A batch waits for no rest, of a length or of a message. */
START_TEST(a_batch_ends_before_a_message_that_is_not_whole)
{
	static const char *const begins[] = { "\0\0", "\0\0\0\4ab" };
	static const size_t sizes[] = { 2, 6 };
	char bytes[2][8];
	struct unixmsg msgs[2] = {
		{ .data = bytes[0], .room = sizeof(bytes[0]) },
		{ .data = bytes[1], .room = sizeof(bytes[1]) },
	};
	size_t count;

	feed_message("one");
	feed(begins[_i], sizes[_i]);
	ck_assert_int_eq(unixconn_recv_batch(near, msgs, 2, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 1);
	ck_assert_mem_eq(bytes[0], "one", 3);
	feed("\0\4abcd" + sizes[_i] - 2, 6 - (sizes[_i] - 2));
	expect_text(near, "abcd");
}
END_TEST

START_TEST(trimming_gives_the_memory_back)
{
	unsigned char *bytes = make_payload(LARGE, 0);
	size_t before = support_get_address_space(), got;

	while (unixconn_send(far, bytes, LARGE, UNIXMSG_NOW) < 0)
		ck_assert_errno(receive(bytes, LARGE, &got), EAGAIN);
	ck_assert_int_eq(receive(bytes, LARGE, &got), 1);
	ck_assert_uint_ge(support_get_address_space(), before + LARGE);
	unixstream__trim(near);
	if (is_memory_given_back())
		ck_assert_uint_lt(support_get_address_space(), before + LARGE);
	else
		fprintf(stderr, "skip: memory: a sanitizer keeps it\n");
	free(bytes);
}
END_TEST

/* Signals */

static int64_t choose_deadline(int i)
{
	return i % 2 == 0 ? UNIXMSG_FOREVER : unixdeadline_after_us(long_us);
}

static void send_large(int count, size_t size)
{
	unsigned char *bytes = make_payload(size, 0);
	int i;

	for (i = 0; i < count; i++) {
		bytes[0] = (unsigned char)i;
		ck_assert_int_eq(unixconn_send(far, bytes, size,
					 choose_deadline(i)),
			1);
	}
	_exit(0);
}

START_TEST(signals_change_nothing_in_a_long_exchange)
{
	enum { MESSAGES = 500, SIZE = 100000 };
	unsigned char *got = malloc(SIZE);
	pid_t pid = support_fork();
	size_t size;
	int i;

	support_set_alarms(1000, NULL);
	if (pid == 0)
		send_large(MESSAGES, SIZE);
	ck_assert_ptr_nonnull(got);
	for (i = 0; i < MESSAGES; i++) {
		ck_assert_int_eq(unixconn_recv(near, got, SIZE, &size,
					 choose_deadline(i / 3)),
			1);
		ck_assert_uint_eq(size, SIZE);
		ck_assert_uint_eq(got[0], (unsigned int)i % 256);
	}
	ck_assert_int_gt(support_alarms, 0);
	support_set_alarms(0, NULL);
	support_wait_exit(pid, 0);
	free(got);
}
END_TEST

/* Descriptors that nobody asked for */

static const size_t floods[] = { 1, 2, 8, 253 };

START_TEST(whoever_sends_descriptors_unasked_is_told)
{
	size_t i;

	for (i = 0; i < COUNT(floods); i++)
		ck_assert_errno(support_send_fds(far_fd, "refused", 7,
					STDERR_FILENO, floods[i]),
			EPERM);
	ck_assert_int_eq(send(far_fd, "bytes", 5, MSG_DONTWAIT), 5);
	expect_bytes(near, 64, "bytes");
}
END_TEST

/* As a foreign program can where the kernel does not refuse them for us. */
static void feed_descriptors(size_t count, const void *bytes, size_t size)
{
	support_let_fds_through(unixconn_get_fd(near));
	ck_assert_int_eq(support_send_fds(far_fd, bytes, size, STDERR_FILENO,
				 count),
		(ssize_t)size);
}

START_TEST(descriptors_sent_unasked_are_never_installed)
{
	int before = support_count_fds();
	size_t i;

	for (i = 0; i < COUNT(floods); i++) {
		feed_descriptors(floods[i], "\0\0\0\3abc", 7);
		expect_text(near, "abc");
		feed_descriptors(floods[i], "bytes", 5);
		expect_bytes(near, 64, "bytes");
		ck_assert_int_eq(support_count_fds(), before);
	}
}
END_TEST

/* The list of tests */

static TCase *make_bytes(void)
{
	TCase *tcase = make_tcase_with("bytes", link_up, unlink_all);

	tcase_add_test(tcase, bytes_come_as_they_are);
	tcase_add_test(tcase, reading_keeps_to_its_deadline);
	tcase_add_test(tcase, reading_nothing_takes_nothing_and_does_not_wait);
	tcase_add_test(tcase, writing_nothing_is_no_error);
	tcase_add_loop_test(tcase, an_unfinished_write_tells_how_far_it_came, 0,
		3);
	tcase_add_loop_test(tcase, a_long_write_waits_for_its_reader, 0, 2);
	tcase_add_test(tcase, the_stop_ends_the_waits_of_a_stream);
	return tcase;
}

static TCase *make_ends(void)
{
	TCase *tcase = make_tcase_with("ends", link_up, unlink_all);

	tcase_add_test(tcase, a_stream_closed_to_write_still_reads);
	tcase_add_test(tcase, a_stream_closed_to_read_is_at_its_end);
	tcase_add_test(tcase, a_closed_peer_is_the_end_and_a_broken_pipe);
	tcase_add_test(tcase,
		a_peer_that_leaves_bytes_unread_resets_the_stream);
	tcase_add_test(tcase, a_reset_comes_once_behind_what_the_peer_has_sent);
	return tcase;
}

static TCase *make_messages(void)
{
	TCase *tcase = make_tcase_with("messages", link_up, unlink_all);

	tcase_add_test(tcase, a_message_is_preceded_by_its_length);
	tcase_add_test(tcase, foreign_messages_are_received);
	tcase_add_loop_test(tcase, messages_of_every_size_arrive_whole, 0, 2);
	tcase_add_test(tcase, a_message_may_arrive_byte_by_byte);
	tcase_add_test(tcase, many_messages_may_arrive_at_once);
	tcase_add_test(tcase, what_was_read_ahead_can_be_read_as_bytes);
	tcase_add_test(tcase, success_keeps_errno);
	support_add_test_if(tcase, whoever_sends_descriptors_unasked_is_told,
		support_can_refuse_fds(), "the kernel cannot refuse them");
	tcase_add_test(tcase, descriptors_sent_unasked_are_never_installed);
	return tcase;
}

static TCase *make_sizes(void)
{
	TCase *tcase = make_tcase_with("sizes", link_up, unlink_all);

	tcase_add_test(tcase, a_message_that_is_too_large_is_passed_over);
	tcase_add_test(tcase, a_message_is_too_large_before_it_has_arrived);
	tcase_add_test(tcase, without_room_only_an_empty_message_fits);
	tcase_add_test(tcase, a_claim_of_4_gib_costs_no_memory);
	tcase_add_test(tcase, a_claim_that_fits_costs_what_has_arrived);
	support_add_test_if(tcase, a_message_beyond_the_prefix_cannot_be_sent,
		SIZE_MAX > UINT32_MAX, "no size is too large here");
	return tcase;
}

static TCase *make_ahead(void)
{
	TCase *tcase = make_tcase_with("read ahead", link_up, unlink_all);

	tcase_add_test(tcase, a_stream_knows_whether_bytes_were_read_ahead);
	tcase_add_test(tcase, bytes_that_are_read_take_nothing_ahead);
	tcase_add_test(tcase, trimming_loses_nothing);
	tcase_add_test(tcase, a_stream_that_has_read_nothing_can_be_trimmed);
	tcase_add_test(tcase,
		trimming_inside_of_what_is_passed_over_loses_nothing);
	tcase_add_test(tcase,
		inside_of_what_is_passed_over_no_stream_is_given_back);
	tcase_add_loop_test(tcase,
		a_batch_ends_before_a_message_that_is_not_whole, 0, 2);
	tcase_add_test(tcase, trimming_gives_the_memory_back);
	return tcase;
}

/* 1 to 8 of the nine bytes of a message. */
static TCase *make_broken(void)
{
	TCase *tcase = make_tcase_with("broken messages", link_up, unlink_all);

	tcase_add_loop_test(tcase, an_end_inside_of_a_message_is_an_error, 1,
		9);
	tcase_add_test(tcase, an_end_inside_of_what_is_passed_over_is_an_error);
	tcase_add_test(tcase,
		a_deadline_inside_of_a_message_keeps_what_has_arrived);
	tcase_add_test(tcase, a_deadline_before_the_first_byte_changes_nothing);
	tcase_add_loop_test(tcase, a_message_that_has_begun_is_gone_on_with, 0,
		(int)COUNT(ways_us));
	tcase_add_test(tcase, a_message_that_has_begun_may_have_empty_parts);
	tcase_add_loop_test(tcase,
		a_message_that_has_begun_waits_whatever_the_policy, 0, 2);
	tcase_add_test(tcase,
		a_message_may_have_more_parts_than_one_call_takes);
	tcase_add_test(tcase, a_message_is_received_into_empty_parts_too);
	tcase_add_test(tcase, nothing_else_can_be_sent_inside_of_a_message);
	tcase_add_test(tcase, closing_inside_of_a_message_is_told_to_the_peer);
	tcase_add_test(tcase, the_stop_may_come_inside_of_a_message);
	tcase_add_test(tcase, the_peer_may_close_inside_of_a_message);
	tcase_add_test(tcase, signals_change_nothing_in_a_long_exchange);
	return tcase;
}

int main(void)
{
	return support_run_cases("stream", make_bytes(), make_ends(),
		make_messages(), make_ahead(), make_sizes(), make_broken());
}
