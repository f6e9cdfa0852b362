/* SPDX-License-Identifier: MIT */
/*
 * Lanes beside real sockets. In which order two processes see what the other
 * has written is tried by check_lane_model.
 */
#include <config.h>

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lane/lane.h"
#include "support/scene.h"

enum { RING = 65536, BIG = RING / 2 + 1 };

static struct lane lanes[2];
static struct endpoint ends[2];
static int fds[2];
static char bytes[1 << 19], got[1 << 19];

static void open_lanes(void)
{
	struct segment segments[2][2];
	int i, fd;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				 fds),
		0);
	for (i = 0; i < 2; i++) {
		fd = unixsegment__make(&segments[i][i], RING, 0);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(unixsegment__map(&segments[!i][i], fd, RING),
			0);
		close(fd);
	}
	for (i = 0; i < 2; i++) {
		unixendpoint__set_up(&ends[i], fds[i], SOCK_SEQPACKET);
		ck_assert_int_eq(unixlane__set_up(&lanes[i], &ends[i],
					 &segments[i][i], &segments[i][!i]),
			0);
		ck_assert_ptr_null(segments[i][i].page);
	}
}

static void close_side(int side)
{
	unixlane__close(&lanes[side]);
	close(fds[side]);
	fds[side] = -1;
}

static void set_up(void)
{
	size_t i;

	open_lanes();
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
}

static void tear_down(void)
{
	int i;

	for (i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close_side(i);
}

/* For loops: an assertion of Check writes to a file each time. */
static void expect(bool is_true, const char *what)
{
	if (!is_true)
		ck_abort_msg("%s: %s", what, strerror(errno));
}

static int send_parts(int side, struct iovec *parts, size_t count)
{
	const struct msghdr header = { .msg_iov = parts, .msg_iovlen = count };
	size_t sent = 12345;
	int result = unixlane__send(&lanes[side], &header, 1, &sent, false);

	ck_assert_uint_eq(sent, result == 0);
	return result;
}

static int send_bytes(int side, const void *data, size_t size)
{
	struct iovec parts[2] = { { 0 }, { (void *)data, size } };

	return send_parts(side, parts, 2);
}

/* What waits for room waits as the library does. */
static void insist_on_sending(int side, const void *data, size_t size)
{
	struct iovec parts[2] = { { 0 }, { (void *)data, size } };
	const struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	struct pollfd room = { .fd = fds[side], .events = POLLOUT };
	size_t sent;

	while (unixlane__send(&lanes[side], &header, 1, &sent, true) < 0) {
		expect(errno == EAGAIN, "send");
		expect(poll(&room, 1, -1) == 1, "poll");
	}
}

static int recv_parts(int side, struct iovec *parts, size_t count, size_t *size,
	int flags)
{
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = count };
	int result = unixlane__recv(&lanes[side], &header, size, flags);

	if (result == 1 && (header.msg_flags & MSG_TRUNC) != 0) {
		errno = EMSGSIZE;
		return -1;
	}
	return result;
}

static int recv_bytes(int side, size_t room, size_t *size, int flags)
{
	struct iovec parts[2] = { { 0 }, { got, room } };

	return recv_parts(side, parts, 2, size, flags);
}

static void put(const void *data, size_t size)
{
	ck_assert_int_eq(send_bytes(0, data, size), 0);
}

static void take(const void *data, size_t size)
{
	size_t got_size = 12345;

	ck_assert_int_eq(recv_bytes(1, sizeof(got), &got_size, MSG_DONTWAIT),
		1);
	ck_assert_uint_eq(got_size, size);
	ck_assert_int_eq(memcmp(got, data, size), 0);
}

static void expect_nothing(int side)
{
	size_t size;

	ck_assert_errno(recv_bytes(side, sizeof(got), &size, MSG_DONTWAIT),
		EAGAIN);
}

static void expect_end(int side)
{
	size_t size;

	ck_assert_int_eq(recv_bytes(side, sizeof(got), &size, MSG_DONTWAIT), 0);
}

/* Small ones until the next would have to go by the socket. */
static unsigned int fill_ring(void)
{
	unsigned int count = 0;

	while (lanes[0].detours == 0) {
		put(bytes, 1000);
		count++;
	}
	return count;
}

static unsigned int fill_all(void)
{
	unsigned int count = fill_ring();

	while (send_bytes(0, bytes, 1000) == 0)
		count++;
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

static size_t get_size_max(void)
{
	size_t size;

	ck_assert_int_eq(unixlane__get_size_max(&ends[0], &size), 0);
	return size;
}

/* Messages */

START_TEST(messages_come_out_as_they_went_in)
{
	static const size_t sizes[] = { 0, 1, 8, 1000, BIG - 17, BIG, 100000 };
	unsigned int i;

	errno = EXDEV;
	for (i = 0; i < COUNT(sizes); i++) {
		put(bytes, sizes[i]);
		take(bytes, sizes[i]);
	}
	ck_assert_int_eq(errno, EXDEV);
	expect_nothing(1);
	ck_assert_uint_eq(lanes[0].detours, 2);
}
END_TEST

START_TEST(parts_are_one_message)
{
	struct iovec out[4] = { { 0 }, { bytes, 2 }, { 0 }, { bytes + 2, 3 } };
	struct iovec in[4] = { { 0 }, { got, 1 }, { 0 }, { got + 1, 4 } };
	size_t size;

	ck_assert_int_eq(send_parts(0, out, 4), 0);
	ck_assert_int_eq(recv_parts(1, in, 4, &size, 0), 1);
	ck_assert_uint_eq(size, 5);
	ck_assert_mem_eq(got, bytes, 5);
}
END_TEST

START_TEST(parts_that_add_up_to_too_much_are_refused)
{
	struct iovec parts[3] = { { 0 }, { bytes, 16 }, { bytes, SIZE_MAX } };

	ck_assert_errno(send_parts(0, parts, 3), EMSGSIZE);
	ck_assert_errno(send_bytes(0, bytes, get_size_max() + 1), EMSGSIZE);
	put("next", 4);
	take("next", 4);
}
END_TEST

/* A caller may have IOV_MAX parts, and the lane adds one. */
enum { MOST = IOV_MAX };

static void fill_parts(struct iovec *parts, char *data, size_t size)
{
	size_t i;

	for (i = 1; i <= MOST; i++)
		parts[i] = (struct iovec){ data + (i - 1) * size, size };
}

START_TEST(the_most_parts_go_by_the_socket_too)
{
	struct iovec parts[1 + MOST];
	size_t size;

	fill_parts(parts, bytes, 100);
	ck_assert_int_eq(send_parts(0, parts, 1 + MOST), 0);
	fill_parts(parts, got, 100);
	ck_assert_int_eq(recv_parts(1, parts, 1 + MOST, &size, MSG_PEEK), 1);
	ck_assert_mem_eq(got, bytes, 100 * MOST);
	memset(got, 0, 100 * MOST);
	ck_assert_int_eq(recv_parts(1, parts, 1 + MOST, &size, 0), 1);
	ck_assert_uint_eq(size, 100 * MOST);
	ck_assert_mem_eq(got, bytes, 100 * MOST);
	ck_assert_uint_eq(lanes[0].detours, 1);
	expect_nothing(1);
}
END_TEST

START_TEST(the_most_parts_have_too_little_room_or_too_much)
{
	struct iovec parts[1 + MOST];
	size_t size;

	put(bytes, BIG);
	put(bytes, BIG);
	put("", 0);
	lanes[0].is_mute = true;
	put("", 0);
	fill_parts(parts, got, BIG / MOST);
	ck_assert_errno(recv_parts(1, parts, 1 + MOST, &size, 0), EMSGSIZE);
	ck_assert_uint_eq(size, BIG);
	ck_assert_mem_eq(got, bytes, BIG / MOST * MOST);
	fill_parts(parts, got, BIG / MOST + 1);
	ck_assert_int_eq(recv_parts(1, parts, 1 + MOST, &size, 0), 1);
	ck_assert_uint_eq(size, BIG);
	ck_assert_mem_eq(got, bytes, BIG);
	ck_assert_int_eq(recv_parts(1, parts, 1 + MOST, &size, 0), 1);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(recv_parts(1, parts, 1 + MOST, &size, 0), 1);
	ck_assert_uint_eq(size, 0);
	expect_nothing(1);
}
END_TEST

START_TEST(a_message_that_is_cut_is_told_with_its_size)
{
	const size_t sent = _i == 0 ? 1000 : BIG;
	size_t size;

	put(bytes, sent);
	put("next", 4);
	ck_assert_errno(recv_bytes(1, 10, &size, 0), EMSGSIZE);
	ck_assert_uint_eq(size, sent);
	ck_assert_int_eq(memcmp(got, bytes, 10), 0);
	take("next", 4);
	expect_nothing(1);
}
END_TEST

START_TEST(what_is_peeked_at_stays)
{
	const size_t sent = _i == 0 ? 1000 : BIG;
	size_t size;

	put(bytes, sent);
	ck_assert_int_eq(recv_bytes(1, sizeof(got), &size,
				 MSG_DONTWAIT | MSG_PEEK),
		1);
	ck_assert_uint_eq(size, sent);
	ck_assert_mem_eq(got, bytes, sent);
	ck_assert(support_is_readable(fds[1]));
	take(bytes, sent);
	expect_nothing(1);
}
END_TEST

START_TEST(many_are_told_of_at_once)
{
	struct iovec parts[3][2] = { { { 0 }, { bytes, 1 } },
		{ { 0 }, { bytes, BIG } }, { { 0 }, { bytes + 2, 1 } } };
	struct msghdr headers[3];
	size_t i, sent;

	for (i = 0; i < 3; i++)
		headers[i] =
			(struct msghdr){ .msg_iov = parts[i], .msg_iovlen = 2 };
	ck_assert_int_eq(unixlane__send(&lanes[0], headers, 3, &sent, false),
		0);
	ck_assert_uint_eq(sent, 3);
	take(bytes, 1);
	take(bytes, BIG);
	take(bytes + 2, 1);
	expect_nothing(1);
}
END_TEST

START_TEST(of_many_those_before_a_failure_are_sent)
{
	struct iovec parts[2][2] = { { { 0 }, { bytes, 1 } },
		{ { 0 }, { bytes, SIZE_MAX } } };
	const struct msghdr headers[2] = {
		{ .msg_iov = parts[0], .msg_iovlen = 2 },
		{ .msg_iov = parts[1], .msg_iovlen = 2 },
	};
	size_t sent;

	expect_nothing(1);
	ck_assert_errno(unixlane__send(&lanes[0], headers, 2, &sent, false),
		EMSGSIZE);
	ck_assert_uint_eq(sent, 1);
	ck_assert(support_is_readable(fds[1]));
	take(bytes, 1);
}
END_TEST

START_TEST(descriptors_go_by_the_socket)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec parts[2] = { { 0 }, { got, 8 } };
	struct msghdr header = { .msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *item = CMSG_FIRSTHDR(&header);
	size_t sent, size;
	int fd;

	put("first", 5);
	item->cmsg_level = SOL_SOCKET;
	item->cmsg_type = SCM_RIGHTS;
	item->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(item), &fds[0], sizeof(int));
	ck_assert_int_eq(unixlane__send(&lanes[0], &header, 1, &sent, false),
		0);
	take("first", 5);
	memset(&control, 0, sizeof(control));
	ck_assert_int_eq(unixlane__recv(&lanes[1], &header, &size,
				 MSG_DONTWAIT),
		1);
	ck_assert_uint_eq(size, 8);
	item = CMSG_FIRSTHDR(&header);
	ck_assert_ptr_nonnull(item);
	memcpy(&fd, CMSG_DATA(item), sizeof(int));
	ck_assert_int_eq(close(fd), 0);
	expect_nothing(1);
}
END_TEST

START_TEST(what_comes_through_the_ring_has_nothing_beside_it)
{
	char control[64];
	struct iovec parts[2] = { { 0 }, { got, 8 } };
	struct msghdr header = { .msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control,
		.msg_controllen = sizeof(control),
		.msg_flags = MSG_CTRUNC };
	size_t size;

	put("text", 4);
	ck_assert_int_eq(unixlane__recv(&lanes[1], &header, &size,
				 MSG_DONTWAIT),
		1);
	ck_assert_uint_eq(header.msg_controllen, 0);
	ck_assert_int_eq(header.msg_flags, 0);
}
END_TEST

START_TEST(who_wants_it_gets_all_by_the_socket)
{
	unixlane__shut_ring(&lanes[1]);
	put("text", 4);
	ck_assert_uint_eq(lanes[0].detours, 1);
	take("text", 4);
	expect_nothing(1);
}
END_TEST

START_TEST(what_finds_no_room_in_the_ring_keeps_its_place)
{
	unsigned int count = fill_all(), i;

	ck_assert_uint_gt(count, RING / 1008);
	for (i = 0; i < count; i++)
		take(bytes, 1000);
	expect_nothing(1);
	put("room again", 10);
	take("room again", 10);
}
END_TEST

START_TEST(large_and_small_ones_stay_in_order)
{
	unsigned int i;

	for (i = 0; i < 40; i++) {
		put(bytes + i, i % 3 == 0 ? BIG : i);
		if (i % 2 == 1) {
			take(bytes + i - 1, (i - 1) % 3 == 0 ? BIG : i - 1);
			take(bytes + i, i % 3 == 0 ? BIG : i);
		}
	}
	expect_nothing(1);
}
END_TEST

/* The short ways */

START_TEST(short_ways_are_for_what_the_ring_can_take)
{
	size_t size;

	ck_assert_int_eq(unixlane__send_data(&lanes[0], bytes, BIG), 0);
	ck_assert_int_eq(unixlane__send_data(&lanes[0], "text", 4), 1);
	ck_assert(support_is_readable(fds[1]));
	ck_assert(!unixlane__recv_data(&lanes[1], got, 3, &size));
	ck_assert(unixlane__recv_data(&lanes[1], got, 4, &size));
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(got, "text", 4);
	put(bytes, BIG);
	ck_assert(!unixlane__recv_data(&lanes[1], got, sizeof(got), &size));
	take(bytes, BIG);
	expect_nothing(1);
}
END_TEST

START_TEST(short_ways_wake_who_sleeps)
{
	expect_nothing(1);
	ck_assert(!support_is_readable(fds[1]));
	ck_assert_int_eq(unixlane__send_data(&lanes[0], "text", 4), 1);
	ck_assert(support_is_readable(fds[1]));
	take("text", 4);
}
END_TEST

START_TEST(short_ways_leave_a_shut_ring_alone)
{
	unixlane__shut_ring(&lanes[1]);
	ck_assert_int_eq(unixlane__send_data(&lanes[0], "text", 4), 0);
	unixlane__shutdown(&lanes[1], SHUT_WR);
	ck_assert_int_eq(unixlane__send_data(&lanes[1], "text", 4), 0);
}
END_TEST

START_TEST(short_ways_tell_of_nobody_there)
{
	expect_nothing(1);
	close(fds[1]);
	fds[1] = -1;
	ck_assert_errno(unixlane__send_data(&lanes[0], "text", 4), EPIPE);
	unixlane__close(&lanes[1]);
}
END_TEST

/* Bells, and what poll says */

START_TEST(who_is_awake_costs_no_system_call)
{
	unsigned int i;

	put("first", 5);
	ck_assert_uint_eq(lanes[0].bells, 1);
	for (i = 0; i < 1000; i++) {
		put("next", 4);
		take(i == 0 ? "first" : "next", i == 0 ? 5 : 4);
	}
	ck_assert_uint_eq(lanes[0].bells, 1);
}
END_TEST

START_TEST(who_sleeps_is_woken_once)
{
	expect_nothing(1);
	put("first", 5);
	put("second", 6);
	ck_assert_uint_eq(lanes[0].bells, 1);
	ck_assert(support_is_readable(fds[1]));
}
END_TEST

START_TEST(it_is_readable_until_all_was_taken)
{
	unsigned int i, count = fill_all();

	for (i = 0; i < count; i++) {
		ck_assert(support_is_readable(fds[1]));
		take(bytes, 1000);
	}
	expect_nothing(1);
	ck_assert(!support_is_readable(fds[1]));
}
END_TEST

START_TEST(a_message_that_was_taken_is_a_sign_for_what_is_behind_it)
{
	put(bytes, BIG);
	put("behind", 6);
	take(bytes, BIG);
	ck_assert(support_is_readable(fds[1]));
	take("behind", 6);
	expect_nothing(1);
	ck_assert(!support_is_readable(fds[1]));
}
END_TEST

/* Another thread waits for a message, or has one in its hands. */
START_TEST(a_look_at_the_ring_keeps_errno)
{
	struct turn *receiving = &lanes[1].receiving;

	ck_assert(unixturn__try(receiving));
	if (_i == 0)
		unixturn__begin_wait(receiving);
	else
		unixturn__hold(receiving);
	errno = EBADMSG;
	ck_assert_int_eq(unixlane__has_record(&lanes[1]), _i == 1);
	ck_assert_int_eq(errno, EBADMSG);
	unixlane__yield_for_news(&lanes[1]);
	ck_assert_int_eq(errno, EBADMSG);
	unixturn__give(receiving);
}
END_TEST

START_TEST(the_last_message_is_no_sign_of_more)
{
	expect_nothing(1);
	put(bytes, BIG);
	ck_assert(support_is_readable(fds[1]));
	take(bytes, BIG);
	ck_assert(!support_is_readable(fds[1]));
}
END_TEST

START_TEST(what_comes_behind_a_message_that_was_taken_rings)
{
	put(bytes, BIG);
	take(bytes, BIG);
	ck_assert(!support_is_readable(fds[1]));
	put("behind", 6);
	ck_assert(support_is_readable(fds[1]));
	take("behind", 6);
}
END_TEST

/* The receiver has seen it announced, and sleeps behind its place. */
START_TEST(what_comes_after_a_message_that_was_not_sent_rings)
{
	expect_nothing(1);
	while (send(fds[0], "", 1, MSG_DONTWAIT) == 1)
		continue;
	ck_assert_errno(send_bytes(0, bytes, BIG), EAGAIN);
	while (support_is_readable(fds[1]))
		expect_nothing(1);
	put("instead", 7);
	ck_assert(support_is_readable(fds[1]));
	take("instead", 7);
	expect_nothing(1);
}
END_TEST

START_TEST(a_bell_has_room_behind_the_largest_message)
{
	put(bytes, get_size_max());
	ck_assert_int_eq(send(fds[0], "", 1, MSG_DONTWAIT), 1);
	take(bytes, get_size_max());
	expect_nothing(1);
}
END_TEST

START_TEST(a_socket_without_room_for_it_gets_no_lane)
{
	struct segment mine = { 0 }, theirs = { 0 };
	struct lane lane;
	struct endpoint none;
	int least = 1;

	ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &least,
				 sizeof(least)),
		0);
	ck_assert_errno(unixlane__set_up(&lane, &ends[0], &mine, &theirs),
		ENOBUFS);
	unixendpoint__set_up(&none, -1, SOCK_SEQPACKET);
	ck_assert_errno(unixlane__set_up(&lane, &none, &mine, &theirs), EBADF);
}
END_TEST

/* Ends */

START_TEST(what_was_sent_comes_before_the_end)
{
	put("first", 5);
	put(bytes, BIG);
	put("last", 4);
	close_side(0);
	take("first", 5);
	take(bytes, BIG);
	take("last", 4);
	expect_end(1);
	expect_end(1);
}
END_TEST

START_TEST(nobody_hears_what_is_sent_to_who_has_closed)
{
	close_side(1);
	ck_assert_errno(send_bytes(0, "text", 4), EPIPE);
	ck_assert_errno(send_bytes(0, bytes, BIG), EPIPE);
}
END_TEST

/* Neither a bell that came late, nor a message that stayed as a sign. */
START_TEST(a_sign_is_no_reset)
{
	struct pollfd ready = { .fd = fds[0], .events = POLLIN };

	if (_i == 0)
		put("text", 4);
	else
		put(bytes, BIG);
	if (_i == 0)
		take("text", 4);
	else
		take(bytes, BIG);
	close_side(1);
	ck_assert_int_eq(poll(&ready, 1, 0), 1);
	ck_assert_int_eq(ready.revents & POLLERR, 0);
	expect_end(0);
}
END_TEST

START_TEST(a_message_that_nobody_took_is_a_reset)
{
	size_t size;

	put("taken", 5);
	put(bytes, _i == 0 ? 4 : BIG);
	take("taken", 5);
	close_side(1);
	ck_assert_errno(recv_bytes(0, 0, &size, MSG_DONTWAIT), ECONNRESET);
	expect_end(0);
}
END_TEST

/* A bell lies there still: its kernel tells of it. */
START_TEST(who_has_died_after_reading_all_is_no_reset)
{
	put("text", 4);
	take("text", 4);
	ck_assert(support_is_readable(fds[1]));
	close(fds[1]);
	fds[1] = -1;
	expect_end(0);
	ck_assert_errno(send_bytes(0, bytes, BIG), EPIPE);
	unixlane__close(&lanes[1]);
}
END_TEST

START_TEST(the_end_of_one_direction_leaves_the_other)
{
	put("last", 4);
	unixlane__shutdown(&lanes[0], SHUT_WR);
	ck_assert_int_eq(shutdown(fds[0], SHUT_WR), 0);
	ck_assert_errno(send_bytes(0, "text", 4), EPIPE);
	take("last", 4);
	expect_end(1);
	ck_assert_int_eq(send_bytes(1, "answer", 6), 0);
	unixlane__shutdown(&lanes[0], SHUT_RD);
	ck_assert_int_eq(shutdown(fds[0], SHUT_RD), 0);
	ck_assert_errno(send_bytes(1, "text", 4), EPIPE);
}
END_TEST

/* A peer may make it a lane after the end. */
START_TEST(who_ended_before_the_lane_reads_nothing_more)
{
	const struct segment mine = lanes[1].mine;

	lanes[1].mine = (struct segment){ 0 };
	unixlane__end_reading(&lanes[1]);
	lanes[1].mine = mine;
	put("before", 6);
	unixlane__begin_reading(&lanes[1]);
	put("after", 5);
	take("before", 6);
	expect_nothing(1);
}
END_TEST

START_TEST(a_child_that_closes_takes_nothing_away)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		close_side(1);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	put("text", 4);
	ck_assert_uint_eq(lanes[0].detours, 0);
	take("text", 4);
}
END_TEST

/* It stays there as a sign, and cannot be taken off: it comes once. */
START_TEST(a_reset_does_not_repeat_a_message)
{
	size_t size;

	put(bytes, BIG);
	put("last", 4);
	ck_assert_int_eq(send_bytes(1, bytes, BIG), 0);
	take(bytes, BIG);
	close_side(0);
	take("last", 4);
	ck_assert_errno(recv_bytes(1, sizeof(got), &size, MSG_DONTWAIT),
		ECONNRESET);
	expect_end(1);
}
END_TEST

START_TEST(who_was_killed_is_noticed)
{
	pid_t pid = support_fork();
	int i;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fds[1]);
	fds[1] = -1;
	stop_child(pid);
	for (i = 0; send_bytes(0, bytes, 1000) == 0; i++)
		ck_assert_int_le(i, RING / 1000);
	ck_assert_int_eq(errno, EPIPE);
	expect_end(0);
	unixlane__close(&lanes[1]);
}
END_TEST

/* Peers that break the rules */

static void expect_over(void)
{
	size_t size;

	ck_assert_errno(recv_bytes(1, 0, &size, MSG_DONTWAIT), EPROTO);
	ck_assert_errno(recv_bytes(1, 0, &size, 0), EPROTO);
	ck_assert_errno(send_bytes(1, "text", 4), EPROTO);
	ck_assert_int_eq(unixlane__send_data(&lanes[1], "text", 4), 0);
	ck_assert(!unixlane__recv_data(&lanes[1], got, sizeof(got), &size));
	ck_assert_int_eq(recv(fds[0], got, 1, MSG_DONTWAIT), 0);
	ck_assert(support_is_readable(fds[1]));
}

START_TEST(a_message_without_its_marker_ends_it)
{
	static const char kinds[] = { 1, 2, (char)0xff };

	ck_assert_int_eq(send(fds[0], &kinds[_i], 1, 0), 1);
	expect_over();
}
END_TEST

START_TEST(a_message_of_a_kind_that_is_none_ends_it)
{
	unixring__mark(&lanes[0].out);
	ck_assert_int_eq(send(fds[0], "xyz", 3, 0), 3);
	expect_over();
}
END_TEST

START_TEST(a_tail_that_cannot_be_ends_it)
{
	lanes[0].mine.page->tail = RING + 8;
	expect_over();
}
END_TEST

/* Its record would reach beyond the ring. */
START_TEST(a_tail_that_is_too_far_ends_it)
{
	const uint32_t header[2] = { 1, 3 * RING };

	memcpy(lanes[0].mine.ring, header, sizeof(header));
	lanes[0].mine.page->tail = 4 * RING;
	expect_over();
}
END_TEST

START_TEST(a_tail_that_goes_back_ends_it)
{
	put(bytes, BIG);
	take(bytes, BIG);
	lanes[0].mine.page->tail = 0;
	expect_over();
}
END_TEST

START_TEST(a_head_that_cannot_be_ends_it)
{
	size_t size;

	fill_ring();
	lanes[1].mine.page->head = 8u * RING;
	ck_assert_errno(send_bytes(0, bytes, 1000), EPROTO);
	ck_assert_errno(recv_bytes(0, 0, &size, 0), EPROTO);
}
END_TEST

/* It is announced, and never comes. */
START_TEST(a_message_that_is_announced_is_waited_for)
{
	unixring__mark(&lanes[0].out);
	expect_nothing(1);
	close_side(0);
	expect_end(1);
}
END_TEST

START_TEST(bells_without_end_do_not_hold_anybody)
{
	int i;

	for (i = 0; i < 1000; i++)
		if (send(fds[0], "", 1, MSG_DONTWAIT) < 0)
			break;
	expect_nothing(1);
	if (_i == 1) {
		unixring__mark(&lanes[0].out);
		expect_nothing(1);
	}
	close_side(1);
}
END_TEST

/* Two processes */

static void pass(int side, unsigned int number, size_t size)
{
	memcpy(bytes, &number, sizeof(number));
	insist_on_sending(side, bytes, size);
}

static void await(int side, unsigned int number, size_t size)
{
	size_t got_size;
	unsigned int got_number;

	expect(recv_bytes(side, sizeof(got), &got_size, 0) == 1, "receive");
	memcpy(&got_number, got, sizeof(got_number));
	expect(got_size == size, "size");
	expect(got_number == number, "number");
}

static size_t get_size(unsigned int number)
{
	return number % 16 == 0 ? BIG : 4 + number % 128;
}

START_TEST(two_processes_answer_each_other)
{
	unsigned int i, most = (unsigned int)rounds(4000);
	pid_t pid = support_fork();

	if (pid == 0) {
		for (i = 0; i < most; i++) {
			await(1, i, get_size(i));
			pass(1, i, get_size(i + 1));
		}
		_exit(0);
	}
	for (i = 0; i < most; i++) {
		pass(0, i, get_size(i));
		await(0, i, get_size(i + 1));
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_fast_sender_is_followed)
{
	unsigned int i, most = (unsigned int)rounds(40000);
	pid_t pid = support_fork();

	if (pid == 0) {
		for (i = 0; i < most; i++)
			pass(0, i, get_size(i));
		_exit(0);
	}
	for (i = 0; i < most; i++)
		await(1, i, get_size(i));
	support_wait_exit(pid, 0);
	expect_nothing(1);
}
END_TEST

/* What a user of poll sees of a peer that raises a count when a send is done:
 * if nothing is readable, nothing more was sent than was received. */
START_TEST(poll_tells_the_truth)
{
	unsigned int i = 0, known, most = (unsigned int)rounds(40000);
	size_t size;
	_Atomic unsigned int *sent = mmap(NULL, sizeof(*sent),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	ck_assert_ptr_ne((void *)sent, MAP_FAILED);
	pid = support_fork();
	if (pid == 0) {
		while (i < most)
			if (send_bytes(0, bytes, get_size(i)) == 0)
				atomic_store(sent, ++i);
		_exit(0);
	}
	while (i < most) {
		known = atomic_load(sent);
		if (!support_is_readable(fds[1])) {
			expect(known <= i, "readable");
			continue;
		}
		if (recv_bytes(1, sizeof(got), &size, MSG_DONTWAIT) != 1) {
			expect(errno == EAGAIN, "receive");
			continue;
		}
		expect(size == get_size(i), "size");
		i++;
	}
	support_wait_exit(pid, 0);
	munmap((void *)sent, sizeof(*sent));
}
END_TEST

/* A peer that writes anything, anywhere, at any time */

static uint32_t random_state;

static uint32_t choose(uint32_t count)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % count;
}

/* A position that may be valid, or anything. */
static uint32_t make_number(void)
{
	const struct segment_page *victim = lanes[0].theirs.page;

	switch (choose(4)) {
	case 0:
		return victim->head + choose(64) * 8;
	case 1:
		return victim->tail - choose(64) * 8;
	case 2:
		return choose(4 * RING);
	default:
		return choose(UINT32_MAX);
	}
}

static void spoil_page(struct segment_page *page)
{
	_Atomic uint32_t *const places[] = { &page->head, &page->tail,
		&page->event, &page->is_ring_shut };

	atomic_store(places[choose(COUNT(places))], make_number());
}

/* Writes a header, mostly where the victim reads next. */
static void spoil_ring(struct segment *segment)
{
	const struct segment_page *victim = lanes[0].theirs.page;
	uint32_t place = choose(4) > 0 ? victim->head : choose(RING);
	_Atomic uint32_t *words = (_Atomic uint32_t *)(segment->ring +
		(place & (RING - 1) & ~7u));

	atomic_store(&words[0], choose(4));
	atomic_store(&words[1], choose(2) ? choose(RING) : choose(UINT32_MAX));
}

static void spoil_socket(void)
{
	const char message[40] = { (char)choose(3) };
	char any[40];

	if (choose(4) == 0)
		recv(fds[0], any, sizeof(any), MSG_DONTWAIT);
	else
		send(fds[0], message, choose(sizeof(message)),
			MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int try_to_send(int side, size_t size, bool is_patient)
{
	struct iovec parts[2] = { { 0 }, { bytes, size } };
	const struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	size_t sent;

	return unixlane__send(&lanes[side], &header, 1, &sent, is_patient);
}

static void spoil_something(void)
{
	switch (choose(8)) {
	case 0:
		spoil_page(lanes[0].mine.page);
		break;
	case 1:
	case 2:
		spoil_ring(&lanes[0].mine);
		break;
	case 3:
		spoil_socket();
		break;
	default:
		try_to_send(0, choose(200), false);
	}
}

/* Nothing is asserted here: the process is killed at any time. */
static void spoil_for_ever(uint32_t seed, int ready[2])
{
	uint32_t i;

	random_state = seed;
	for (i = 0;; i++) {
		if (i == seed % 64 && write(ready[1], "", 1) != 1)
			_exit(1);
		spoil_something();
	}
}

static bool is_answer(int result)
{
	return result >= 0 || errno == EAGAIN || errno == EPROTO ||
		errno == EPIPE || errno == ECONNRESET;
}

/* The bytes behind the room stay as they are. */
static int recv_within(size_t room)
{
	static const char guard[16] = "0123456789abcde";
	size_t size = 0;
	int result = 1;

	memcpy(got + room, guard, sizeof(guard));
	if (choose(2) == 0 || !unixlane__recv_data(&lanes[1], got, room, &size))
		result = recv_bytes(1, room, &size, MSG_DONTWAIT);
	expect(memcmp(got + room, guard, sizeof(guard)) == 0, "guard");
	expect(result != 1 || size <= room, "size");
	return result < 0 && errno == EMSGSIZE ? 1 : result;
}

static void endure(int calls)
{
	int result;

	while (calls-- > 0) {
		result = recv_within(choose(2000));
		expect(is_answer(result), "receive");
		if (result < 0 && errno == EPROTO)
			return;
		result = unixlane__send_data(&lanes[1], bytes, choose(2000));
		expect(is_answer(result), "short send");
		result = try_to_send(1, choose(2000), choose(2) == 1);
		expect(is_answer(result), "send");
		expect(unixlane__get_unread(&lanes[1]) <= RING, "unread");
	}
}

/* It begins from a state that is valid. */
static void meet_garbage(uint32_t seed)
{
	int ready[2];
	pid_t pid;

	support_ready_init(ready);
	pid = support_fork();
	if (pid == 0)
		spoil_for_ever(seed, ready);
	support_ready_wait(ready);
	random_state = ~seed;
	endure(2000);
	stop_child(pid);
	close_pipe(ready);
}

START_TEST(garbage_is_refused_and_does_no_harm)
{
	int i, most = rounds(400);

	for (i = 0; i < most; i++) {
		meet_garbage((uint32_t)i);
		close_side(0);
		close_side(1);
		memset(lanes, 0, sizeof(lanes));
		open_lanes();
	}
}
END_TEST

static TCase *make_messages(void)
{
	TCase *tcase = make_tcase_with("messages", set_up, tear_down);

	tcase_add_test(tcase, messages_come_out_as_they_went_in);
	tcase_add_test(tcase, parts_are_one_message);
	tcase_add_test(tcase, parts_that_add_up_to_too_much_are_refused);
	tcase_add_test(tcase, the_most_parts_go_by_the_socket_too);
	tcase_add_test(tcase, the_most_parts_have_too_little_room_or_too_much);
	tcase_add_loop_test(tcase, a_message_that_is_cut_is_told_with_its_size,
		0, 2);
	tcase_add_loop_test(tcase, what_is_peeked_at_stays, 0, 2);
	tcase_add_test(tcase, many_are_told_of_at_once);
	tcase_add_test(tcase, of_many_those_before_a_failure_are_sent);
	tcase_add_test(tcase, descriptors_go_by_the_socket);
	tcase_add_test(tcase,
		what_comes_through_the_ring_has_nothing_beside_it);
	tcase_add_test(tcase, who_wants_it_gets_all_by_the_socket);
	tcase_add_test(tcase, what_finds_no_room_in_the_ring_keeps_its_place);
	tcase_add_test(tcase, large_and_small_ones_stay_in_order);
	return tcase;
}

static TCase *make_short_ways(void)
{
	TCase *tcase = make_tcase_with("short ways", set_up, tear_down);

	tcase_add_test(tcase, short_ways_are_for_what_the_ring_can_take);
	tcase_add_test(tcase, short_ways_wake_who_sleeps);
	tcase_add_test(tcase, short_ways_leave_a_shut_ring_alone);
	tcase_add_test(tcase, short_ways_tell_of_nobody_there);
	return tcase;
}

static TCase *make_bells(void)
{
	TCase *tcase = make_tcase_with("bells", set_up, tear_down);

	tcase_add_test(tcase, who_is_awake_costs_no_system_call);
	tcase_add_test(tcase, who_sleeps_is_woken_once);
	tcase_add_test(tcase, it_is_readable_until_all_was_taken);
	tcase_add_test(tcase,
		a_message_that_was_taken_is_a_sign_for_what_is_behind_it);
	tcase_add_loop_test(tcase, a_look_at_the_ring_keeps_errno, 0, 2);
	tcase_add_test(tcase, the_last_message_is_no_sign_of_more);
	tcase_add_test(tcase, what_comes_behind_a_message_that_was_taken_rings);
	tcase_add_test(tcase,
		what_comes_after_a_message_that_was_not_sent_rings);
	tcase_add_test(tcase, a_bell_has_room_behind_the_largest_message);
	tcase_add_test(tcase, a_socket_without_room_for_it_gets_no_lane);
	return tcase;
}

static TCase *make_ends(void)
{
	TCase *tcase = make_tcase_with("ends", set_up, tear_down);

	tcase_add_test(tcase, what_was_sent_comes_before_the_end);
	tcase_add_test(tcase, nobody_hears_what_is_sent_to_who_has_closed);
	tcase_add_loop_test(tcase, a_sign_is_no_reset, 0, 2);
	tcase_add_loop_test(tcase, a_message_that_nobody_took_is_a_reset, 0, 2);
	tcase_add_test(tcase, who_has_died_after_reading_all_is_no_reset);
	tcase_add_test(tcase, the_end_of_one_direction_leaves_the_other);
	tcase_add_test(tcase, who_ended_before_the_lane_reads_nothing_more);
	tcase_add_test(tcase, a_child_that_closes_takes_nothing_away);
	tcase_add_test(tcase, a_reset_does_not_repeat_a_message);
	tcase_add_test(tcase, who_was_killed_is_noticed);
	return tcase;
}

static TCase *make_lies(void)
{
	TCase *tcase = make_tcase_with("lies", set_up, tear_down);

	tcase_add_loop_test(tcase, a_message_without_its_marker_ends_it, 0, 3);
	tcase_add_test(tcase, a_message_of_a_kind_that_is_none_ends_it);
	tcase_add_test(tcase, a_tail_that_cannot_be_ends_it);
	tcase_add_test(tcase, a_tail_that_is_too_far_ends_it);
	tcase_add_test(tcase, a_tail_that_goes_back_ends_it);
	tcase_add_test(tcase, a_head_that_cannot_be_ends_it);
	tcase_add_test(tcase, a_message_that_is_announced_is_waited_for);
	tcase_add_loop_test(tcase, bells_without_end_do_not_hold_anybody, 0, 2);
	return tcase;
}

static TCase *make_processes(void)
{
	TCase *tcase = make_tcase_with("processes", set_up, tear_down);

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, two_processes_answer_each_other);
	tcase_add_test(tcase, a_fast_sender_is_followed);
	tcase_add_test(tcase, poll_tells_the_truth);
	return tcase;
}

static TCase *make_garbage(void)
{
	TCase *tcase = make_tcase_with("garbage", set_up, tear_down);

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, garbage_is_refused_and_does_no_harm);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("lane");

	suite_add_tcase(suite, make_messages());
	suite_add_tcase(suite, make_short_ways());
	suite_add_tcase(suite, make_bells());
	suite_add_tcase(suite, make_ends());
	suite_add_tcase(suite, make_lies());
	suite_add_tcase(suite, make_processes());
	suite_add_tcase(suite, make_garbage());
	return support_run(suite);
}
