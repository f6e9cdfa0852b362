/* SPDX-License-Identifier: MIT */
/* What sends do without room, what is counted, and how large messages get. */
#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/support.h"

static const int64_t long_us = 60000000;

static struct ends ends;

static struct unixconn_counters get_counters(struct unixconn *gram)
{
	struct unixconn_counters counters;

	memset(&counters, 0xff, sizeof(counters));
	unixconn_get_counters(gram, &counters);
	return counters;
}

static void expect_sends(struct unixconn *gram, uint64_t sent, uint64_t dropped,
	uint64_t failed)
{
	struct unixconn_counters counters = get_counters(gram);

	ck_assert_uint_eq(counters.sent, sent);
	ck_assert_uint_eq(counters.dropped, dropped);
	ck_assert_uint_eq(counters.failed, failed);
}

static int send_until(int64_t until)
{
	return unixconn_send(ends.sender, "x", 1, until);
}

static void set_policy(enum unixconn_policy policy)
{
	ck_assert_int_eq(unixconn_set_policy(ends.sender, policy), 0);
}

/* How many messages went into the queue before it was full. */
static unsigned int fill(void)
{
	unsigned int count = 0;

	while (send_until(UNIXMSG_NOW) == 1)
		count++;
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

static void drain(unsigned int count)
{
	while (count-- > 0)
		expect_text(ends.receiver, "x");
	expect_nothing(ends.receiver);
}

START_TEST(nothing_is_counted_before_anything_happens)
{
	static const struct unixconn_counters zero;
	struct unixconn_counters counters;

	ends_make(&ends, _i);
	counters = get_counters(ends.sender);
	ck_assert_mem_eq(&counters, &zero, sizeof(zero));
}
END_TEST

START_TEST(a_send_that_finds_no_room_waits_by_default)
{
	unsigned int count;
	int64_t deadline_us;

	ends_make(&ends, _i);
	count = fill();
	expect_sends(ends.sender, count, 0, 1);
	ck_assert_uint_eq(get_counters(ends.sender).waited, 0);
	deadline_us = unixdeadline_after_us(30000);
	ck_assert_errno(send_until(deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	expect_sends(ends.sender, count, 0, 2);
	ck_assert_uint_eq(get_counters(ends.sender).waited, 1);
	drain(count);
}
END_TEST

START_TEST(a_message_may_be_dropped_when_there_is_no_room)
{
	static const int64_t deadlines_us[] = { UNIXMSG_NOW, 1, 2,
		UNIXMSG_FOREVER };
	unsigned int count, i;

	ends_make(&ends, _i);
	count = fill();
	set_policy(UNIXCONN_DROP);
	errno = EXDEV;
	for (i = 0; i < COUNT(deadlines_us); i++)
		ck_assert_int_eq(send_until(deadlines_us[i]), 0);
	ck_assert_int_eq(errno, EXDEV);
	expect_sends(ends.sender, count, COUNT(deadlines_us), 1);
	ck_assert_uint_eq(get_counters(ends.sender).waited, 0);
	drain(count);
	ck_assert_int_eq(send_until(UNIXMSG_NOW), 1);
	drain(1);
	expect_sends(ends.sender, count + 1, COUNT(deadlines_us), 1);
}
END_TEST

START_TEST(a_send_may_fail_when_there_is_no_room)
{
	unsigned int count;

	ends_make(&ends, _i);
	count = fill();
	set_policy(UNIXCONN_FAIL);
	ck_assert_errno(send_until(UNIXMSG_FOREVER), EAGAIN);
	ck_assert_errno(send_until(unixdeadline_after_us(long_us)), EAGAIN);
	expect_sends(ends.sender, count, 0, 3);
	set_policy(UNIXCONN_WAIT);
	ck_assert_errno(send_until(1), ETIMEDOUT);
	drain(count);
}
END_TEST

START_TEST(other_errors_are_no_reason_to_drop)
{
	size_t most;
	char *bytes;

	ends_make(&ends, _i);
	set_policy(UNIXCONN_DROP);
	ck_assert_int_eq(unixconn_get_size_max(ends.sender, &most), 0);
	bytes = calloc(1, most + 1);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_errno(unixconn_send(ends.sender, bytes, most + 1,
				UNIXMSG_FOREVER),
		EMSGSIZE);
	free(bytes);
	ck_assert_int_eq(unixconn_close(ends.receiver), 0);
	ends.receiver = NULL;
	ck_assert_errno(send_until(UNIXMSG_FOREVER),
		ends.is_packet ? EPIPE : ECONNREFUSED);
	ck_assert_errno(send_until(UNIXMSG_FOREVER),
		ends.is_packet ? EPIPE : ENOTCONN);
	expect_sends(ends.sender, 0, 0, 3);
}
END_TEST

START_TEST(an_unknown_policy_is_refused)
{
	struct unixmsg msg;

	ends_make(&ends, _i);
	ck_assert_errno(unixconn_set_policy(ends.sender,
				(enum unixconn_policy)(UNIXCONN_FAIL + 1)),
		EINVAL);
	ck_assert_errno(unixconn_set_policy(ends.sender,
				(enum unixconn_policy) - 1),
		EINVAL);
	unixmsg_init(&msg);
	msg.flags = 0x80000000u;
	ck_assert_errno(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW),
		EINVAL);
	expect_sends(ends.sender, 0, 0, 1);
}
END_TEST

START_TEST(what_is_received_and_what_is_cut_is_counted)
{
	struct unixbuffer buffer;
	struct unixmsg msg, msgs[2];
	size_t count;
	char byte;
	int i;

	ends_make(&ends, _i);
	for (i = 0; i < 5; i++)
		send_text(ends.sender, "two");
	expect_text(ends.receiver, "two");
	ck_assert_errno(unixconn_recv(ends.receiver, &byte, 1, NULL,
				UNIXMSG_NOW),
		EMSGSIZE);
	unixmsg_init(&msg);
	ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		EMSGSIZE);
	msgs[0] = msg;
	msgs[1] = msg;
	msgs[1].flags = UNIXMSG_PREFIX;
	send_text(ends.sender, "two");
	send_text(ends.sender, "two");
	unixbuffer_init(&buffer, 2);
	ck_assert_errno(unixconn_recv_buffer(ends.receiver, &buffer, NULL,
				UNIXMSG_NOW),
		EMSGSIZE);
	unixbuffer_free(&buffer);
	expect_text(ends.receiver, "two");
	/* Whoever asks for the beginning has received it. */
	ck_assert_int_eq(unixconn_recv_batch(ends.receiver, msgs, 2, &count,
				 UNIXMSG_NOW),
		1);
	expect_nothing(ends.receiver);
	ck_assert_uint_eq(get_counters(ends.receiver).received, 3);
	ck_assert_uint_eq(get_counters(ends.receiver).cut, 4);
	expect_sends(ends.receiver, 0, 0, 0);
}
END_TEST

START_TEST(batches_are_counted_by_their_messages)
{
	struct unixmsg msgs[5];
	size_t i, count;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(msgs); i++)
		unixmsg_init(&msgs[i]);
	ck_assert_int_eq(unixconn_send_batch(ends.sender, msgs, 5, &count,
				 UNIXMSG_NOW),
		1);
	expect_sends(ends.sender, 5, 0, 0);
	ck_assert_int_eq(unixconn_recv_batch(ends.receiver, msgs, 5, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(get_counters(ends.receiver).received, 5);
	msgs[3].flags = 0x80000000u;
	ck_assert_errno(unixconn_send_batch(ends.sender, msgs, 5, &count,
				UNIXMSG_NOW),
		EINVAL);
	expect_sends(ends.sender, 5, 0, 1);
}
END_TEST

/* One finds room, the next does not, and the last is not tried. They are as
 * large as those before: where the kernel counts bytes more empty ones fit. */
START_TEST(a_batch_that_ends_early_has_failed_once)
{
	char byte = 'x';
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct unixmsg msgs[3];
	unsigned int room;
	size_t i, count;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(msgs); i++) {
		unixmsg_init(&msgs[i]);
		msgs[i].parts = &part;
		msgs[i].parts_count = 1;
	}
	room = fill();
	expect_text(ends.receiver, "x");
	expect_sends(ends.sender, room, 0, 1);
	ck_assert_errno(unixconn_send_batch(ends.sender, msgs, COUNT(msgs),
				&count, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_uint_eq(count, 1);
	expect_sends(ends.sender, room + 1, 0, 2);
}
END_TEST

/* Whatever happens, each send is one of the three. */
START_TEST(the_counters_add_up)
{
	static const enum unixconn_policy policies[] = { UNIXCONN_WAIT,
		UNIXCONN_DROP, UNIXCONN_FAIL };
	uint64_t sent = 0, dropped = 0, failed = 0;
	int i, result;

	ends_make(&ends, _i);
	srand(1);
	for (i = 0; i < 5000; i++) {
		set_policy(policies[rand() % 3]);
		result = send_until(rand() % 2 == 0 ? UNIXMSG_NOW : -1);
		sent += result == 1;
		dropped += result == 0;
		failed += result == -1;
		if (rand() % 3 == 0)
			unixconn_recv(ends.receiver, &result, 1, NULL,
				UNIXMSG_NOW);
	}
	ck_assert_uint_gt(dropped, 0);
	ck_assert_uint_gt(failed, 0);
	expect_sends(ends.sender, sent, dropped, failed);
	ck_assert_uint_eq(sent + dropped + failed, 5000);
}
END_TEST

/* Threads */

enum { EACH = 5000 };

static void *send_many(void *context)
{
	int i;

	(void)context;
	for (i = 0; i < EACH; i++)
		if (unixconn_send(ends.sender, &i, sizeof(i),
			    UNIXMSG_FOREVER) != 1)
			return &ends;
	return NULL;
}

static void *receive_many(void *context)
{
	size_t size;
	int i, got;

	(void)context;
	for (i = 0; i < EACH; i++)
		if (unixconn_recv(ends.receiver, &got, sizeof(got), &size,
			    UNIXMSG_FOREVER) != 1 ||
			size != sizeof(got))
			return &ends;
	return NULL;
}

START_TEST(two_threads_send_and_two_receive_and_all_is_counted)
{
	void *(*const work[])(
		void *) = { send_many, send_many, receive_many, receive_many };
	pthread_t threads[COUNT(work)];
	void *failed;
	size_t i;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(work); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work[i],
					 NULL),
			0);
	for (i = 0; i < COUNT(work); i++) {
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	expect_sends(ends.sender, 2 * EACH, 0, 0);
	ck_assert_uint_eq(get_counters(ends.receiver).received, 2 * EACH);
	ck_assert_uint_le(get_counters(ends.sender).waited, 2 * EACH);
	expect_nothing(ends.receiver);
}
END_TEST

static void *echo_back(void *context)
{
	char byte;
	int i;

	(void)context;
	for (i = 0; i < EACH; i++)
		if (unixconn_recv(ends.receiver, &byte, 1, NULL,
			    unixdeadline_after_us(long_us)) != 1 ||
			unixconn_send(ends.receiver, &byte, 1,
				unixdeadline_after_us(long_us)) != 1)
			return &ends;
	return NULL;
}

static void *take_back(void *context)
{
	char byte;
	int i;

	(void)context;
	for (i = 0; i < EACH; i++)
		if (unixconn_recv(ends.sender, &byte, 1, NULL,
			    unixdeadline_after_us(long_us)) != 1)
			return &ends;
	return NULL;
}

START_TEST(one_endpoint_sends_and_receives_at_once)
{
	pthread_t echo, taker;
	void *failed;
	int i;

	ends_make(&ends, _i);
	ck_assert_int_eq(pthread_create(&echo, NULL, echo_back, NULL), 0);
	ck_assert_int_eq(pthread_create(&taker, NULL, take_back, NULL), 0);
	for (i = 0; i < EACH; i++)
		ck_assert_int_eq(unixconn_send(ends.sender, "x", 1,
					 unixdeadline_after_us(long_us)),
			1);
	ck_assert_int_eq(pthread_join(echo, &failed), 0);
	ck_assert_ptr_null(failed);
	ck_assert_int_eq(pthread_join(taker, &failed), 0);
	ck_assert_ptr_null(failed);
	if (!ends.is_packet) {
		expect_sends(ends.sender, EACH, 0, 0);
		ck_assert_uint_eq(get_counters(ends.sender).received, EACH);
	}
}
END_TEST

/* What has not been read */

START_TEST(the_unread_figure_grows_and_returns_to_nothing)
{
	size_t bytes, before = 0;
	int i;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_get_unread(ends.sender, &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	for (i = 0; i < 5; i++) {
		send_text(ends.sender, "x");
		ck_assert_int_eq(unixconn_get_unread(ends.sender, &bytes), 0);
		ck_assert_uint_gt(bytes, before);
		before = bytes;
	}
	for (i = 0; i < 5; i++) {
		expect_text(ends.receiver, "x");
		ck_assert_int_eq(unixconn_get_unread(ends.sender, &bytes), 0);
		ck_assert_uint_lt(bytes, before);
		before = bytes;
	}
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

/* Sizes */

/* One of exactly that size goes through. */
static void pass(size_t size)
{
	char *bytes = calloc(1, size), *got = malloc(size);
	size_t got_size;

	ck_assert_ptr_nonnull(bytes);
	ck_assert_ptr_nonnull(got);
	bytes[size - 1] = 'e';
	ck_assert_msg(unixconn_send(ends.sender, bytes, size, UNIXMSG_NOW) == 1,
		"%zu bytes: %s", size, strerror(errno));
	ck_assert_int_eq(unixconn_recv(ends.receiver, got, size, &got_size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(got_size, size);
	ck_assert_int_eq(memcmp(bytes, got, size), 0);
	free(bytes);
	free(got);
}

static void raise_and_pass(void)
{
	static const size_t wishes[] = { 212961, 300000, 300001, 1000000,
		4000000, 4263616, 4263617, 8000000, 100000000, SIZE_MAX };
	size_t i, before, reached;

	for (i = 0; i < COUNT(wishes); i++) {
		before = ends_get_size_max(&ends);
		reached = 0;
		errno = EXDEV;
		ck_assert_int_eq(unixconn_raise_size_max(ends.sender, wishes[i],
					 &reached),
			0);
		ck_assert_int_eq(errno, EXDEV);
		ck_assert_uint_ge(reached, before);
		ck_assert_uint_eq(reached, ends_get_size_max(&ends));
		pass(reached);
	}
}

START_TEST(a_raised_size_is_one_that_goes)
{
	ends_make(&ends, _i);
	raise_and_pass();
}
END_TEST

START_TEST(a_size_that_is_allowed_is_reached)
{
	size_t reached;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_raise_size_max(ends.sender, 400000, &reached),
		0);
	ck_assert_uint_ge(reached, 400000);
}
END_TEST

START_TEST(a_size_is_never_lowered)
{
	static const size_t wishes[] = { 0, 1, 4096, 212960 };
	size_t i, before, reached;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_raise_size_max(ends.sender, 300000, &reached),
		0);
	for (i = 0; i < COUNT(wishes); i++) {
		before = ends_get_size_max(&ends);
		ck_assert_int_eq(unixconn_raise_size_max(ends.sender, wishes[i],
					 &reached),
			0);
		ck_assert_uint_eq(reached, before);
		ck_assert_uint_eq(ends_get_size_max(&ends), before);
	}
}
END_TEST

static int get_send_buffer(void)
{
	int bytes;
	socklen_t length = sizeof(bytes);

	ck_assert_int_eq(getsockopt(unixconn_get_fd(ends.sender), SOL_SOCKET,
				 SO_SNDBUF, &bytes, &length),
		0);
	return bytes;
}

static void force_send_buffer(int bytes)
{
	ck_assert_int_eq(setsockopt(unixconn_get_fd(ends.sender), SOL_SOCKET,
				 SO_SNDBUFFORCE, &bytes, sizeof(bytes)),
		0);
}

/* No message is as large as some buffers are. */
START_TEST(the_largest_size_is_one_that_goes_whatever_the_buffer)
{
	static const int buffers[] = { 1 << 20, 2131824, 2200000, 64 << 20 };
	size_t i;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(buffers); i++) {
		force_send_buffer(buffers[i]);
		pass(ends_get_size_max(&ends));
	}
}
END_TEST

static void wish_without_rights(size_t wanted)
{
	int before = get_send_buffer();
	size_t reached, most = ends_get_size_max(&ends);

	support_as_nobody();
	ck_assert_int_eq(unixconn_raise_size_max(ends.sender, wanted, &reached),
		0);
	ck_assert_int_ge(get_send_buffer(), before);
	ck_assert_uint_ge(reached, most);
	_exit(0);
}

/* What root was allowed is not taken away by who is not. */
START_TEST(a_wish_beyond_what_is_allowed_lowers_nothing)
{
	static const int buffers[] = { 512 << 10, 1 << 20, 64 << 20 };
	size_t i;
	pid_t pid;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(buffers); i++) {
		force_send_buffer(buffers[i]);
		pid = support_fork();
		if (pid == 0)
			wish_without_rights(SIZE_MAX);
		support_wait_exit(pid, 0);
	}
}
END_TEST

START_TEST(without_rights_the_size_grows_as_far_as_the_system_allows)
{
	pid_t pid;

	ends_make(&ends, _i);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		raise_and_pass();
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

static TCase *make_policies(void)
{
	TCase *tcase = make_ends_tcase("policies");

	ends_add(tcase, nothing_is_counted_before_anything_happens);
	tcase_add_loop_test(tcase, a_send_that_finds_no_room_waits_by_default,
		0, ENDS_PACKET_PAIR);
	ends_add(tcase, a_message_may_be_dropped_when_there_is_no_room);
	ends_add(tcase, a_send_may_fail_when_there_is_no_room);
	ends_add(tcase, other_errors_are_no_reason_to_drop);
	ends_add(tcase, an_unknown_policy_is_refused);
	ends_add(tcase, what_is_received_and_what_is_cut_is_counted);
	ends_add(tcase, batches_are_counted_by_their_messages);
	ends_add(tcase, a_batch_that_ends_early_has_failed_once);
	ends_add(tcase, the_counters_add_up);
	ends_add(tcase, two_threads_send_and_two_receive_and_all_is_counted);
	tcase_add_test(tcase, one_endpoint_sends_and_receives_at_once);
	tcase_add_loop_test(tcase, one_endpoint_sends_and_receives_at_once,
		ENDS_PACKET_PAIR, ENDS_KINDS);
	return tcase;
}

static TCase *make_sizes(void)
{
	const char *why_not = "not root with the right to force buffers";
	TCase *tcase = make_ends_tcase("sizes");

	ends_add(tcase, the_unread_figure_grows_and_returns_to_nothing);
	ends_add(tcase, a_raised_size_is_one_that_goes);
	ends_add(tcase, a_size_that_is_allowed_is_reached);
	ends_add(tcase, a_size_is_never_lowered);
	support_add_loop_test_if(tcase,
		the_largest_size_is_one_that_goes_whatever_the_buffer,
		ENDS_KINDS, support_can_force_buffers(), why_not);
	support_add_loop_test_if(tcase,
		a_wish_beyond_what_is_allowed_lowers_nothing, ENDS_KINDS,
		support_is_root() && support_can_force_buffers(), why_not);
	support_add_root_loop_test(tcase,
		without_rights_the_size_grows_as_far_as_the_system_allows,
		ENDS_KINDS);
	return tcase;
}

int main(void)
{
	return support_run_cases("policy", make_policies(), make_sizes());
}
