/* SPDX-License-Identifier: MIT */
/* Several messages by one call, on both networks that keep boundaries. */
#include <config.h>

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/scene.h"

enum { MOST = 200, ROOM = 64 };

static const int64_t long_us = 60000000;

static struct ends ends;

static struct unixmsg msgs[MOST];
static struct iovec parts[MOST];
static char bytes[MOST][ROOM];

/* So many messages with room for size bytes each. */
static void set_up(size_t count, size_t size)
{
	size_t i;

	for (i = 0; i < count; i++) {
		unixmsg_init(&msgs[i]);
		parts[i] = (struct iovec){ bytes[i], size };
		msgs[i].parts = &parts[i];
		msgs[i].parts_count = 1;
		memset(bytes[i], 0, ROOM);
	}
}

/* Messages that tell their number, from first on. */
static void set_numbers(int first, size_t count)
{
	size_t i;
	int number;

	set_up(count, sizeof(first));
	for (i = 0; i < count; i++) {
		number = first + (int)i;
		memcpy(bytes[i], &number, sizeof(number));
	}
}

static void expect_numbers(int first, size_t count)
{
	size_t i;
	int number;

	for (i = 0; i < count; i++) {
		ck_assert_uint_eq(msgs[i].size, sizeof(number));
		ck_assert_uint_eq(msgs[i].flags, 0);
		memcpy(&number, bytes[i], sizeof(number));
		ck_assert_int_eq(number, first + (int)i);
	}
}

static int send_batch(size_t count, size_t *sent, int64_t until)
{
	return unixconn_send_batch(ends.sender, msgs, count, sent, until);
}

static int receive_batch(size_t count, size_t *received, int64_t until)
{
	return unixconn_recv_batch(ends.receiver, msgs, count, received, until);
}

static void expect_batch(size_t count, size_t expected)
{
	size_t received = SIZE_MAX;

	ck_assert_int_eq(receive_batch(count, &received, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(received, expected);
}

static void close_sender(void)
{
	ck_assert_int_eq(unixconn_close(ends.sender), 0);
	ends.sender = NULL;
}

/* Sizes and counts */

START_TEST(messages_of_every_size_go_in_one_batch)
{
	static const unsigned int fill = 0xa5;
	size_t most, i, done;
	unsigned char *memory;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_get_size_max(ends.sender, &most), 0);
	memory = malloc(2 * most);
	ck_assert_ptr_nonnull(memory);
	memset(memory, (int)fill, most);
	{
		const size_t sizes[] = { 0, 1, most - 1, most };

		/* The send buffer holds one of the largest at a time. */
		for (i = 0; i < COUNT(sizes); i++) {
			set_up(2, 0);
			parts[1] = (struct iovec){ memory, sizes[i] };
			ck_assert_int_eq(send_batch(2, &done, UNIXMSG_NOW), 1);
			ck_assert_uint_eq(done, 2);
			parts[1] = (struct iovec){ memory + most, most };
			memset(memory + most, 0, most);
			expect_batch(2, 2);
			ck_assert_uint_eq(msgs[0].size, 0);
			ck_assert_uint_eq(msgs[1].size, sizes[i]);
			ck_assert_int_eq(memcmp(memory, memory + most,
						 sizes[i]),
				0);
		}
	}
	free(memory);
}
END_TEST

START_TEST(a_message_that_is_too_large_ends_the_batch)
{
	size_t most, sent = SIZE_MAX;
	char *memory;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_get_size_max(ends.sender, &most), 0);
	memory = calloc(1, most + 1);
	ck_assert_ptr_nonnull(memory);
	set_numbers(0, 4);
	parts[2] = (struct iovec){ memory, most + 1 };
	ck_assert_errno(send_batch(4, &sent, UNIXMSG_NOW), EMSGSIZE);
	ck_assert_uint_eq(sent, 2);
	set_up(4, ROOM);
	expect_batch(4, 2);
	expect_numbers(0, 2);
	free(memory);
}
END_TEST

/* A datagram server's queue takes fewer than a batch: somebody must read. */
static void send_from_child(size_t count)
{
	size_t sent;

	set_numbers(0, count);
	_exit(send_batch(count, &sent, unixdeadline_after_us(long_us)) != 1 ||
		sent != count);
}

START_TEST(batches_of_every_count_arrive_in_order)
{
	static const size_t counts[] = { 1, 63, 64, 65, 200 };
	size_t i, received, done;
	pid_t pid;

	ends_make(&ends, _i);
	for (i = 0; i < COUNT(counts); i++) {
		pid = support_fork();
		if (pid == 0)
			send_from_child(counts[i]);
		for (done = 0; done < counts[i]; done += received) {
			set_up(MOST, ROOM);
			ck_assert_int_eq(receive_batch(MOST, &received,
						 unixdeadline_after_us(
							 long_us)),
				1);
			ck_assert_uint_ge(received, 1);
			ck_assert_uint_le(received, UNIXMSG_BATCH_MAX);
			expect_numbers((int)done, received);
		}
		ck_assert_uint_eq(done, counts[i]);
		support_wait_exit(pid, 0);
	}
}
END_TEST

START_TEST(one_call_receives_no_more_than_its_bound)
{
	size_t sent;

	ends_make(&ends, _i);
	set_numbers(0, 100);
	ck_assert_int_eq(send_batch(100, &sent, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(sent, 100);
	set_up(MOST, ROOM);
	expect_batch(MOST, UNIXMSG_BATCH_MAX);
	expect_numbers(0, 64);
	set_up(MOST, ROOM);
	expect_batch(30, 30);
	expect_numbers(64, 30);
	set_up(MOST, ROOM);
	expect_batch(MOST, 6);
	expect_numbers(94, 6);
}
END_TEST

START_TEST(an_empty_batch_is_sent_and_cannot_be_received)
{
	size_t count = 7;

	ends_make(&ends, _i);
	errno = EXDEV;
	ck_assert_int_eq(send_batch(0, &count, UNIXMSG_NOW), 1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_uint_eq(count, 0);
	count = 7;
	ck_assert_errno(receive_batch(0, &count, UNIXMSG_NOW), EINVAL);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(success_keeps_errno)
{
	size_t count;

	ends_make(&ends, _i);
	set_numbers(0, 3);
	errno = EXDEV;
	ck_assert_int_eq(send_batch(3, &count, UNIXMSG_FOREVER), 1);
	ck_assert_int_eq(errno, EXDEV);
	parts[1].iov_len = 0;
	ck_assert_int_eq(receive_batch(3, &count, UNIXMSG_FOREVER), 1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* What was cut */

START_TEST(a_message_that_is_cut_is_flagged_and_the_others_are_whole)
{
	size_t i, sent;

	ends_make(&ends, _i);
	set_numbers(0, 4);
	ck_assert_int_eq(send_batch(4, &sent, UNIXMSG_NOW), 1);
	set_up(4, ROOM);
	parts[1].iov_len = 3;
	parts[2].iov_len = 0;
	msgs[2].flags = UNIXMSG_PREFIX;
	expect_batch(4, 4);
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(msgs[i].size, 4);
	ck_assert_uint_eq(msgs[0].flags, 0);
	ck_assert_uint_eq(msgs[1].flags, UNIXMSG_CUT);
	ck_assert_uint_eq(msgs[2].flags, UNIXMSG_PREFIX | UNIXMSG_CUT);
	ck_assert_uint_eq(msgs[3].flags, 0);
}
END_TEST

/* Ends */

START_TEST(no_message_appears_that_nobody_sent)
{
	size_t sent, received = SIZE_MAX;

	ends_make(&ends, _i);
	set_numbers(0, 2);
	ck_assert_int_eq(send_batch(2, &sent, UNIXMSG_NOW), 1);
	close_sender();
	set_up(6, ROOM);
	expect_batch(6, 2);
	expect_numbers(0, 2);
	ck_assert_int_eq(receive_batch(6, &received, UNIXMSG_NOW), 0);
	ck_assert_uint_eq(received, 0);
	ck_assert_int_eq(receive_batch(6, &received, UNIXMSG_FOREVER), 0);
}
END_TEST

START_TEST(empty_messages_before_the_end_are_messages)
{
	size_t sent, received, i;

	ends_make(&ends, _i);
	set_up(5, 0);
	parts[2].iov_len = 1;
	ck_assert_int_eq(send_batch(5, &sent, UNIXMSG_NOW), 1);
	close_sender();
	set_up(64, ROOM);
	expect_batch(64, 5);
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(msgs[i].size, i == 2);
	ck_assert_int_eq(receive_batch(64, &received, UNIXMSG_NOW), 0);
}
END_TEST

/* Marks take more room when somebody has asked for them, too. */
START_TEST(wishes_do_not_hide_the_end)
{
	size_t sent, received;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_want(ends.receiver,
				 UNIXMSG_WANT_CRED | UNIXMSG_WANT_FDS),
		0);
	set_up(3, 0);
	ck_assert_int_eq(send_batch(3, &sent, UNIXMSG_NOW), 1);
	close_sender();
	set_up(6, ROOM);
	expect_batch(6, 3);
	ck_assert_int_eq(receive_batch(6, &received, UNIXMSG_NOW), 0);
	ck_assert_uint_eq(received, 0);
}
END_TEST

/* And then it has to be told what was cut, the mark or descriptors. */
START_TEST(a_wish_that_is_over_does_not_hide_the_end)
{
	size_t sent, received;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_want(ends.receiver, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_want(ends.receiver, 0), 0);
	set_up(3, 0);
	ck_assert_int_eq(send_batch(3, &sent, UNIXMSG_NOW), 1);
	close_sender();
	set_up(6, ROOM);
	expect_batch(6, 3);
	ck_assert_uint_eq(msgs[0].flags, 0);
	ck_assert_int_eq(receive_batch(6, &received, UNIXMSG_NOW), 0);
	ck_assert_uint_eq(received, 0);
}
END_TEST

START_TEST(a_batch_to_a_peer_that_is_gone_is_told)
{
	size_t sent = SIZE_MAX;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_close(ends.receiver), 0);
	ends.receiver = NULL;
	set_numbers(0, 3);
	ck_assert_errno(send_batch(3, &sent, UNIXMSG_FOREVER),
		ends.is_packet ? EPIPE : ECONNREFUSED);
	ck_assert_uint_eq(sent, 0);
}
END_TEST

/* Deadlines */

START_TEST(receiving_a_batch_keeps_to_its_deadline)
{
	size_t received = SIZE_MAX;
	int64_t deadline_us;

	ends_make(&ends, _i);
	set_up(6, ROOM);
	ck_assert_errno(receive_batch(6, &received, UNIXMSG_NOW), EAGAIN);
	ck_assert_uint_eq(received, 0);
	ck_assert_errno(receive_batch(6, &received, -1), EINVAL);
	ck_assert_errno(receive_batch(6, &received, 1), ETIMEDOUT);
	deadline_us = unixdeadline_after_us(200000);
	ck_assert_errno(receive_batch(6, &received, deadline_us), ETIMEDOUT);
	/* recvmmsg(2) would look at its own only after a message: for ever. */
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
}
END_TEST

START_TEST(a_batch_waits_for_the_first_message_only)
{
	size_t sent;

	ends_make(&ends, _i);
	set_numbers(0, 2);
	ck_assert_int_eq(send_batch(2, &sent, UNIXMSG_NOW), 1);
	set_up(6, ROOM);
	ck_assert_int_eq(receive_batch(6, &sent, UNIXMSG_FOREVER), 1);
	ck_assert_uint_eq(sent, 2);
}
END_TEST

/* Until the queue is full: the number that have gone. */
static size_t fill(int64_t until, int error)
{
	size_t sent, total = 0;

	do {
		set_numbers((int)total, MOST);
		if (send_batch(MOST, &sent, until) == 1) {
			total += sent;
			continue;
		}
		ck_assert_int_eq(errno, error);
		return total + sent;
	} while (total < 10000);
	ck_abort_msg("the queue has no end");
}

static void drain(size_t count)
{
	size_t received, done;

	for (done = 0; done < count; done += received) {
		set_up(MOST, ROOM);
		ck_assert_int_eq(receive_batch(MOST, &received, UNIXMSG_NOW),
			1);
		expect_numbers((int)done, received);
	}
	ck_assert_uint_eq(done, count);
	expect_nothing(ends.receiver);
}

START_TEST(a_batch_into_a_full_queue_tells_how_far_it_came)
{
	int64_t deadline_us;

	ends_make(&ends, _i);
	drain(fill(UNIXMSG_NOW, EAGAIN));
	drain(fill(1, ETIMEDOUT));
	deadline_us = unixdeadline_after_us(50000);
	drain(fill(deadline_us, ETIMEDOUT));
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
}
END_TEST

START_TEST(the_stop_ends_a_wait_for_a_batch)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);
	size_t count, done;

	ends_make(&ends, _i);
	unixconn_set_stop_fd(ends.receiver, stop_fd);
	unixconn_set_stop_fd(ends.sender, stop_fd);
	set_up(6, ROOM);
	ck_assert_errno(receive_batch(6, &count, UNIXMSG_FOREVER), ECANCELED);
	done = fill(UNIXMSG_FOREVER, ECANCELED);
	ck_assert_uint_gt(done, 0);
	drain(done);
	close(stop_fd);
}
END_TEST

/* Signals */

enum { EXCHANGED = 20000 };

static void send_long(void)
{
	size_t sent;
	int done;

	for (done = 0; done < EXCHANGED; done += (int)sent) {
		set_numbers(done, 100);
		ck_assert_int_eq(send_batch(100, &sent,
					 done % 200 == 0 ? UNIXMSG_FOREVER
							 : INT64_MAX - 1),
			1);
		ck_assert_uint_eq(sent, 100);
	}
	_exit(support_alarms == 0);
}

START_TEST(signals_change_nothing_in_a_long_exchange)
{
	size_t received;
	int done, round = 0;
	pid_t pid;

	ends_make(&ends, _i);
	pid = support_fork();
	support_set_alarms(1000, NULL);
	if (pid == 0)
		send_long();
	for (done = 0; done < EXCHANGED; done += (int)received) {
		set_up(MOST, ROOM);
		ck_assert_int_eq(receive_batch(MOST, &received,
					 round++ % 2 == 0 ? UNIXMSG_FOREVER
							  : INT64_MAX - 1),
			1);
		expect_numbers(done, received);
	}
	support_set_alarms(0, NULL);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(signals_do_not_make_a_deadline_come_early)
{
	int64_t deadline_us;
	size_t count;

	ends_make(&ends, _i);
	support_set_alarms(1000, NULL);
	set_up(2, ROOM);
	deadline_us = unixdeadline_after_us(50000);
	ck_assert_errno(receive_batch(2, &count, deadline_us), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	support_set_alarms(0, NULL);
	ck_assert_int_gt(support_alarms, 0);
}
END_TEST

/* What the caller may not ask for */

START_TEST(a_batch_carries_no_descriptors)
{
	size_t count = 7;
	int fd = STDERR_FILENO;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_want(ends.receiver, UNIXMSG_WANT_FDS), 0);
	set_numbers(0, 3);
	msgs[2].fds = &fd;
	msgs[2].fds_count = 1;
	ck_assert_errno(send_batch(3, &count, UNIXMSG_NOW), EINVAL);
	ck_assert_uint_eq(count, 0);
	expect_nothing(ends.receiver);
	send_text(ends.sender, "stays");
	set_up(3, ROOM);
	msgs[2].fds = &fd;
	msgs[2].fds_room = 1;
	count = 7;
	ck_assert_errno(receive_batch(3, &count, UNIXMSG_NOW), EINVAL);
	ck_assert_uint_eq(count, 0);
	expect_text(ends.receiver, "stays");
}
END_TEST

START_TEST(one_bad_message_is_refused_with_all_the_others)
{
	size_t count = 7;

	ends_make(&ends, _i);
	set_numbers(0, 3);
	msgs[2].flags = 0x80000000u;
	ck_assert_errno(send_batch(3, &count, UNIXMSG_NOW), EINVAL);
	ck_assert_uint_eq(count, 0);
	ck_assert_errno(receive_batch(3, &count, UNIXMSG_NOW), EINVAL);
	set_numbers(0, 3);
	msgs[2].reserved[7] = 1;
	ck_assert_errno(send_batch(3, &count, UNIXMSG_NOW), EINVAL);
	ck_assert_errno(receive_batch(3, &count, UNIXMSG_NOW), EINVAL);
	expect_nothing(ends.receiver);
}
END_TEST

/* Addresses */

enum { CLIENTS = 3 };

static void send_to_each(struct unixconn *server,
	struct unixaddr addrs[CLIENTS])
{
	size_t i, count;

	set_numbers(0, CLIENTS);
	for (i = 0; i < CLIENTS; i++)
		msgs[i].addr = &addrs[i];
	ck_assert_int_eq(unixconn_send_batch(server, msgs, CLIENTS, &count,
				 UNIXMSG_NOW),
		1);
}

static void receive_from_each(struct unixconn *server,
	struct unixaddr from[CLIENTS])
{
	size_t i, count;

	set_up(CLIENTS, ROOM);
	for (i = 0; i < CLIENTS; i++)
		msgs[i].addr = &from[i];
	ck_assert_int_eq(unixconn_recv_batch(server, msgs, CLIENTS, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, CLIENTS);
}

START_TEST(a_batch_of_datagrams_goes_to_several_and_tells_its_senders)
{
	struct unixconn *server = open_gram(support_abstract("s"));
	struct unixconn *clients[CLIENTS];
	struct unixaddr addrs[CLIENTS], from[CLIENTS];
	size_t i;

	for (i = 0; i < CLIENTS; i++) {
		clients[i] = open_gram("@");
		ck_assert_int_eq(unixconn_get_address(clients[i], &addrs[i]),
			0);
	}
	send_to_each(server, addrs);
	ck_assert_int_eq(unixconn_get_address(server, &from[0]), 0);
	for (i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(unixconn_recv(clients[i], bytes[i], ROOM, NULL,
					 UNIXMSG_NOW),
			1);
		ck_assert_int_eq(unixconn_send_to(clients[i], &from[0], "", 0,
					 UNIXMSG_NOW),
			1);
	}
	receive_from_each(server, from);
	for (i = 0; i < CLIENTS; i++) {
		ck_assert(unixaddr_is_equal(&from[i], &addrs[i]));
		close_gram(clients[i]);
	}
	close_gram(server);
}
END_TEST

START_TEST(a_batch_tells_that_a_sender_has_no_name)
{
	const char *name = support_abstract("s");
	struct unixconn *server = unixconn_open("unixgram", name, NULL);
	struct unixaddr from = address_of(name);
	int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t count;

	ck_assert_int_eq(connect_to(client, name), 0);
	ck_assert_int_eq(send(client, "", 0, 0), 0);
	close(client);
	set_up(1, ROOM);
	msgs[0].addr = &from;
	ck_assert_int_eq(unixconn_recv_batch(server, msgs, 1, &count,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(unixaddr_get_kind(&from), UNIXADDR_UNNAMED);
	unixconn_close(server);
}
END_TEST

static TCase *make_batches(void)
{
	TCase *tcase = make_ends_tcase("batches");

	ends_add(tcase, messages_of_every_size_go_in_one_batch);
	ends_add(tcase, a_message_that_is_too_large_ends_the_batch);
	/* A lane is one process's: its child cannot send. */
	if (!support_has_lanes())
		ends_add(tcase, batches_of_every_count_arrive_in_order);
	ends_add_packets(tcase, one_call_receives_no_more_than_its_bound);
	ends_add(tcase, an_empty_batch_is_sent_and_cannot_be_received);
	ends_add(tcase, success_keeps_errno);
	ends_add(tcase,
		a_message_that_is_cut_is_flagged_and_the_others_are_whole);
	ends_add_packets(tcase, no_message_appears_that_nobody_sent);
	ends_add_packets(tcase, empty_messages_before_the_end_are_messages);
	ends_add_packets(tcase, wishes_do_not_hide_the_end);
	ends_add_packets(tcase, a_wish_that_is_over_does_not_hide_the_end);
	ends_add(tcase, a_batch_to_a_peer_that_is_gone_is_told);
	ends_add(tcase, receiving_a_batch_keeps_to_its_deadline);
	ends_add(tcase, a_batch_waits_for_the_first_message_only);
	ends_add(tcase, a_batch_into_a_full_queue_tells_how_far_it_came);
	ends_add(tcase, the_stop_ends_a_wait_for_a_batch);
	ends_add(tcase, a_batch_carries_no_descriptors);
	ends_add(tcase, one_bad_message_is_refused_with_all_the_others);
	tcase_add_test(tcase,
		a_batch_of_datagrams_goes_to_several_and_tells_its_senders);
	tcase_add_test(tcase, a_batch_tells_that_a_sender_has_no_name);
	return tcase;
}

static TCase *make_signals(void)
{
	TCase *tcase = make_ends_tcase("signals");

	tcase_set_tags(tcase, SUPPORT_LOAD);
	ends_add(tcase, signals_change_nothing_in_a_long_exchange);
	ends_add(tcase, signals_do_not_make_a_deadline_come_early);
	return tcase;
}

int main(void)
{
	return support_run_cases("batch", make_batches(), make_signals());
}
