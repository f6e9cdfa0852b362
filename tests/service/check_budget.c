/* SPDX-License-Identifier: MIT */
/*
 * The budget against the real kernel: one datagram socket that sends to
 * receivers of which some read and some do not. What the kernel charges is
 * asked of it (SIOCOUTQ) and compared.
 */
#include <config.h>

#include <limits.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "service/budget.h"
#include "support/diag_play.h"
#include "support/scene.h"

static const size_t buffer_bytes = 4 << 20;

enum { MOST = 220, SMALL = 1000, MEDIUM = 20000, LARGE = 200000 };

struct receiver {
	int fd;
	struct unixaddr addr;
	struct account account;
};

static struct receiver receivers[MOST];
static size_t receivers_count;

static struct budget budget;
static char bytes[LARGE];
static int lists;

static void set_up(void)
{
	ck_assert_int_eq(unixbudget__init(&budget, open_socket(SOCK_DGRAM),
				 buffer_bytes),
		0);
}

static void close_receiver(struct receiver *receiver)
{
	if (receiver->fd >= 0)
		close(receiver->fd);
	receiver->fd = -1;
}

static void tear_down(void)
{
	diag_play_nothing();
	while (receivers_count > 0)
		close_receiver(&receivers[--receivers_count]);
	close(budget.fd);
	unixbudget__free(&budget);
}

static struct receiver *add_receiver(const char *text)
{
	struct receiver *receiver = &receivers[receivers_count++];

	ck_assert_uint_le(receivers_count, MOST);
	memset(receiver, 0, sizeof(*receiver));
	receiver->fd = open_bound(SOCK_DGRAM, text);
	receiver->addr = address_of(text);
	return receiver;
}

static struct receiver *add_any_receiver(void)
{
	char name[16];

	snprintf(name, sizeof(name), "r%zu", receivers_count);
	return add_receiver(support_path(name));
}

static void note(void *context, const struct unixaddr *addr, uint32_t ino,
	uint64_t cookie)
{
	size_t i;

	(void)context;
	for (i = 0; i < receivers_count; i++)
		if (unixaddr_is_equal(&receivers[i].addr, addr)) {
			receivers[i].account.ino = ino;
			receivers[i].account.cookie = cookie;
		}
}

/* It is time for another list whenever one is wanted. */
static void list(void)
{
	budget.list_us = 0;
	ck_assert_int_eq(unixbudget__list(&budget, note, NULL), 0);
	lists++;
}

/* As a service does it. */
static bool is_within_budget(struct receiver *receiver, size_t size)
{
	bool is_wanted;

	if (unixbudget__allows(&budget, &receiver->account, size, &is_wanted))
		return true;
	if (!is_wanted)
		return false;
	list();
	return unixbudget__allows(&budget, &receiver->account, size,
		&is_wanted);
}

/* Past the budget: whether the kernel has taken it. */
static bool send_to_receiver(struct receiver *receiver, size_t size)
{
	socklen_t length;
	const struct sockaddr *sa =
		unixaddr_get_sockaddr(&receiver->addr, &length);

	if (sendto(budget.fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, sa,
		    length) < 0) {
		ck_assert_int_eq(errno, EAGAIN);
		return false;
	}
	unixbudget__charge(&budget, &receiver->account, size);
	return true;
}

/* false when it is for later, by the budget or for want of room. */
static bool offer(struct receiver *receiver, size_t size)
{
	return is_within_budget(receiver, size) &&
		send_to_receiver(receiver, size);
}

static unsigned int offer_all(struct receiver *receiver, size_t size)
{
	unsigned int count = 0;

	while (offer(receiver, size))
		count++;
	return count;
}

static size_t get_charged(void)
{
	int charged;

	ck_assert_int_eq(ioctl(budget.fd, SIOCOUTQ, &charged), 0);
	return (size_t)charged;
}

static void read_all(const struct receiver *receiver)
{
	char byte;

	while (recv(receiver->fd, &byte, 1, MSG_DONTWAIT) >= 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
}

/* So many messages to one who reads them: all of them go, and arrive. */
static void serve(struct receiver *reader, size_t size, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		ck_assert_msg(offer(reader, size),
			"message %d of %d: level %zu of %zu, held %zu", i,
			count, budget.level, budget.limit,
			reader->account.bytes);
		ck_assert_int_eq(recv(reader->fd, bytes, sizeof(bytes),
					 MSG_DONTWAIT),
			(ssize_t)size);
	}
}

/* Receivers that read nothing, until the level is above the calm zone. */
static void leave_calm_zone(void)
{
	while (budget.level <= budget.limit / 8)
		ck_assert_uint_gt(offer_all(add_any_receiver(), MEDIUM), 0);
	ck_assert_uint_gt(get_charged(), budget.limit / 16);
}

/* The send buffer */

START_TEST(the_send_buffer_is_raised_as_far_as_it_may)
{
	int value;
	socklen_t length = sizeof(value);

	ck_assert_int_eq(getsockopt(budget.fd, SOL_SOCKET, SO_SNDBUF, &value,
				 &length),
		0);
	ck_assert_uint_eq(budget.limit, (size_t)value);
	ck_assert_uint_eq(budget.level, 0);
	if (support_can_force_buffers())
		ck_assert_uint_eq(budget.limit, buffer_bytes);
}
END_TEST

START_TEST(the_send_buffer_is_never_lowered)
{
	static const size_t sizes[] = { 0, 1, 4096, 212992 };
	size_t before = budget.limit;
	struct budget other;

	ck_assert_int_eq(unixbudget__init(&other, budget.fd, sizes[_i]), 0);
	ck_assert_uint_eq(other.limit, before);
}
END_TEST

static const size_t huge[] = {
	INT32_MAX,
	(size_t)INT32_MAX + 1,
	UINT32_MAX,
	SIZE_MAX / 2,
	SIZE_MAX / 2 + 1,
	SIZE_MAX,
};

START_TEST(a_wish_beyond_all_bounds_gives_what_there_is)
{
	size_t before = budget.limit;
	struct budget other;

	ck_assert_int_eq(unixbudget__init(&other, budget.fd, huge[_i]), 0);
	ck_assert_uint_ge(other.limit, before);
}
END_TEST

static void force_buffer(int fd, int value)
{
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &value,
				 sizeof(value)),
		0);
}

/* SO_SNDBUF would cut it to what everybody may have. */
START_TEST(what_somebody_with_more_rights_has_set_stays)
{
	struct budget other;
	pid_t pid;

	force_buffer(budget.fd, 256 << 20);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		ck_assert_int_eq(unixbudget__init(&other, budget.fd,
					 (size_t)1 << 30),
			0);
		ck_assert_uint_eq(other.limit, 512 << 20);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(without_rights_it_is_raised_to_what_everybody_may_have)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		struct budget small, large;
		int fd = open_socket(SOCK_DGRAM);

		support_as_nobody();
		ck_assert_int_eq(unixbudget__init(&small, fd, 1), 0);
		ck_assert_int_eq(unixbudget__init(&large, fd, (size_t)1 << 30),
			0);
		ck_assert_uint_ge(large.limit, small.limit);
		ck_assert_uint_lt(large.limit, (size_t)1 << 30);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

/* What everybody may have is found out with another socket. */
START_TEST(without_descriptors_the_send_buffer_stays)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		struct budget before, after;
		int fd = open_socket(SOCK_DGRAM);

		support_as_nobody();
		ck_assert_int_eq(unixbudget__init(&before, fd, 1), 0);
		support_limit_fds(0);
		errno = EXDEV;
		ck_assert_int_eq(unixbudget__init(&after, fd, (size_t)1 << 30),
			0);
		ck_assert_int_eq(errno, EXDEV);
		support_lift_fds_limit();
		ck_assert_uint_eq(after.limit, before.limit);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(what_is_no_socket_has_no_budget)
{
	struct budget none;

	ck_assert_errno(unixbudget__init(&none, -1, buffer_bytes), EBADF);
}
END_TEST

START_TEST(a_budget_keeps_errno)
{
	struct receiver *receiver = add_any_receiver();
	struct budget other;

	errno = EXDEV;
	ck_assert_int_eq(unixbudget__init(&other, budget.fd, 2 * buffer_bytes),
		0);
	leave_calm_zone();
	offer_all(receiver, MEDIUM);
	errno = EXDEV;
	is_within_budget(receiver, MEDIUM);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* The estimate */

static const size_t sizes[] = { 0, 1, 64, 191, 192, 193, 448, 449, 1000, 1400,
	3776, 3777, 4096, 8000, 8192, 12000, 16064, 16065, 16384, 20000, 32768,
	50000, 65536, 100000, 131072, 200000, 212960, 262144 };

/* What the estimate is, in percent of what the kernel charges. */
static size_t compare(const struct receiver *receiver, size_t size)
{
	struct budget fresh = { .round = 1 };
	struct account account = { 0 };
	socklen_t length;
	const struct sockaddr *sa =
		unixaddr_get_sockaddr(&receiver->addr, &length);
	char *data = calloc(1, size + 1);
	size_t charged;

	ck_assert_ptr_nonnull(data);
	ck_assert_int_eq(sendto(budget.fd, data, size, 0, sa, length),
		(ssize_t)size);
	charged = get_charged();
	read_all(receiver);
	free(data);
	unixbudget__charge(&fresh, &account, size);
	ck_assert_uint_eq(fresh.level, account.bytes);
	printf("%7zu bytes: the kernel charges %7zu, estimated %7zu, %3zu %%\n",
		size, charged, fresh.level, fresh.level * 100 / charged);
	return fresh.level * 100 / charged;
}

/* Where a cache line has 256 bytes, on s390x, the kernel adds more. */
START_TEST(the_estimate_is_near_to_what_the_kernel_charges)
{
	const struct receiver *receiver = add_any_receiver();
	size_t i, percent;

	for (i = 0; i < COUNT(sizes); i++) {
		if (sizes[i] + 32 > budget.limit)
			break;
		percent = compare(receiver, sizes[i]);
		ck_assert_uint_ge(percent, 50);
		ck_assert_uint_le(percent, 250);
	}
}
END_TEST

/* The calm zone */

START_TEST(in_the_calm_zone_nobody_is_asked_anything)
{
	lists = 0;
	while (budget.level + 4 * MEDIUM <= budget.limit / 8) {
		struct receiver *receiver = add_any_receiver();
		int i;

		for (i = 0; i < 2; i++)
			ck_assert(offer(receiver, MEDIUM));
	}
	ck_assert_int_eq(lists, 0);
	ck_assert_uint_gt(receivers_count, 1);
}
END_TEST

/* The estimate has risen above the zone, and the truth is far below it. */
START_TEST(who_reads_all_is_always_in_the_calm_zone)
{
	struct receiver *reader = add_any_receiver();

	lists = 0;
	serve(reader, MEDIUM, 2000);
	serve(reader, LARGE, 50);
	ck_assert_int_eq(lists, 0);
	ck_assert_uint_gt(budget.round, 1);
}
END_TEST

START_TEST(when_everything_was_read_all_begin_anew)
{
	struct receiver *receiver = add_any_receiver();
	size_t i;

	leave_calm_zone();
	offer_all(receiver, MEDIUM);
	ck_assert(!is_within_budget(receiver, MEDIUM));
	for (i = 0; i < receivers_count; i++)
		read_all(&receivers[i]);
	ck_assert(offer(receiver, MEDIUM));
	ck_assert(receiver->account.bytes < 2 * MEDIUM);
}
END_TEST

/* Shares */

START_TEST(who_never_read_gets_one_message)
{
	struct receiver *receiver;
	size_t before;

	leave_calm_zone();
	before = get_charged();
	receiver = add_any_receiver();
	ck_assert_uint_eq(offer_all(receiver, MEDIUM), 1);
	ck_assert_uint_lt(get_charged() - before, 2 * 2 * MEDIUM);
	ck_assert(!offer(receiver, MEDIUM));
}
END_TEST

START_TEST(who_has_read_gets_a_share_of_what_is_left)
{
	struct receiver *receiver;
	size_t before;

	leave_calm_zone();
	receiver = add_any_receiver();
	offer_all(receiver, MEDIUM);
	list();
	read_all(receiver);
	before = get_charged();
	ck_assert_uint_gt(offer_all(receiver, MEDIUM), 1);
	ck_assert_uint_le(get_charged() - before,
		(budget.limit / 4 * 3 - before) / 4 + 2 * 2 * MEDIUM);
	ck_assert(!offer(receiver, MEDIUM));
}
END_TEST

START_TEST(nothing_is_shared_of_what_is_kept_for_first_messages)
{
	struct receiver *reader;

	leave_calm_zone();
	reader = add_any_receiver();
	ck_assert(offer(reader, SMALL));
	while (get_charged() <= budget.limit / 4 * 3)
		ck_assert(send_to_receiver(add_any_receiver(), LARGE));
	reader->account.is_reader = true;
	ck_assert(!is_within_budget(reader, SMALL));
	ck_assert(offer(add_any_receiver(), SMALL));
}
END_TEST

START_TEST(one_message_may_go_whatever_others_hold)
{
	leave_calm_zone();
	while (receivers_count < 100)
		ck_assert_uint_ge(offer_all(add_any_receiver(), SMALL), 1);
}
END_TEST

START_TEST(who_reads_is_served_while_another_does_not)
{
	struct receiver *reader = add_any_receiver();

	leave_calm_zone();
	serve(reader, SMALL, 2000);
	serve(reader, MEDIUM, 500);
	serve(reader, LARGE, 50);
}
END_TEST

START_TEST(who_reads_is_served_while_many_do_not)
{
	struct receiver *reader = add_any_receiver();
	size_t i;

	for (i = 0; i < 60; i++) {
		offer_all(add_any_receiver(), MEDIUM);
		ck_assert_uint_lt(get_charged(), budget.limit);
		serve(reader, SMALL, 20);
	}
	printf("%zu that read nothing hold %zu of %zu bytes\n", i,
		get_charged(), budget.limit);
	serve(reader, SMALL, 1000);
	serve(reader, MEDIUM, 200);
}
END_TEST

/* One of each may go, but they do not take the rest. */
START_TEST(large_messages_leave_room_for_small_ones)
{
	struct receiver *reader = add_any_receiver();
	unsigned int taken = 0, i;

	for (i = 0; i < 60; i++)
		taken += offer_all(add_any_receiver(), LARGE);
	printf("%u large messages of %u hold %zu of %zu bytes\n", taken, i,
		get_charged(), budget.limit);
	ck_assert_uint_gt(taken, 0);
	ck_assert_uint_le(get_charged(), budget.limit / 4 * 3 + 2 * LARGE);
	serve(reader, SMALL, 1000);
	serve(reader, MEDIUM, 200);
}
END_TEST

/* Forgiveness */

/* A receiver that has his share, unread, in a world that is not calm. */
static struct receiver *make_holder(size_t first)
{
	struct receiver *holder;

	leave_calm_zone();
	holder = add_any_receiver();
	ck_assert(offer(holder, first));
	offer_all(holder, MEDIUM);
	list();
	ck_assert_uint_ne(holder->account.ino, 0);
	/* Where an empty message came first there are probes now. */
	offer_all(holder, MEDIUM);
	return holder;
}

START_TEST(who_has_read_all_is_forgiven)
{
	struct receiver *holder = make_holder(MEDIUM);

	read_all(holder);
	ck_assert(offer(holder, MEDIUM));
	ck_assert_uint_lt(holder->account.bytes, 2 * MEDIUM);
}
END_TEST

START_TEST(who_has_read_some_is_not_forgiven)
{
	struct receiver *holder = make_holder(MEDIUM);
	char byte;

	read_all(holder);
	ck_assert_uint_gt(offer_all(holder, MEDIUM), 1);
	/* As if it had used up its share: the queue is too short for that. */
	holder->account.is_reader = false;
	ck_assert_int_eq(recv(holder->fd, &byte, 1, 0), 1);
	ck_assert(!is_within_budget(holder, MEDIUM));
}
END_TEST

START_TEST(an_empty_message_does_not_hide_what_is_behind_it)
{
	struct receiver *holder = make_holder(0);

	ck_assert(!offer(holder, MEDIUM));
	ck_assert(holder->account.has_empty);
}
END_TEST

/* What the kernel tells is the same whether he has read it or not. */

/* Beyond one half of the buffer; without a queue that ends it sooner. */
START_TEST(who_got_an_empty_message_and_does_not_read_gets_few_probes)
{
	struct receiver *holder = make_holder(0);
	unsigned int probes = 0;
	bool is_wanted;

	while (get_charged() <= budget.limit / 2)
		ck_assert(offer(add_any_receiver(), MEDIUM));
	while (unixbudget__allows(&budget, &holder->account, MEDIUM,
		&is_wanted)) {
		unixbudget__charge(&budget, &holder->account, MEDIUM);
		ck_assert_uint_le(++probes, 16);
	}
	ck_assert(!is_wanted);
}
END_TEST

/* Each probe that is seen to wait tells that all before it was read. */
START_TEST(who_got_an_empty_message_and_reads_goes_on)
{
	struct receiver *reader;

	leave_calm_zone();
	reader = add_any_receiver();
	ck_assert(offer(reader, 0));
	read_all(reader);
	serve(reader, MEDIUM, 500);
	ck_assert(offer(reader, 0));
	read_all(reader);
	serve(reader, SMALL, 500);
}
END_TEST

START_TEST(who_got_an_empty_message_and_does_not_read_gets_a_half)
{
	struct receiver *holder = make_holder(0);
	const size_t held = holder->account.bytes;

	ck_assert_uint_le(held, budget.limit / 2 + 20 * 2 * MEDIUM);
	ck_assert_uint_eq(offer_all(holder, MEDIUM), 0);
	ck_assert_uint_eq(holder->account.bytes, held);
}
END_TEST

START_TEST(who_got_an_empty_message_is_forgiven_when_all_have_read)
{
	struct receiver *holder = make_holder(0);
	size_t i;

	for (i = 0; i < receivers_count; i++)
		read_all(&receivers[i]);
	ck_assert(offer(holder, MEDIUM));
	ck_assert(!holder->account.has_empty);
}
END_TEST

START_TEST(what_a_closed_receiver_held_is_forgotten)
{
	struct receiver *holder = make_holder(_i == 0 ? MEDIUM : 0);
	bool is_wanted;

	close_receiver(holder);
	ck_assert(unixbudget__allows(&budget, &holder->account, MEDIUM,
		&is_wanted));
	ck_assert_uint_eq(holder->account.bytes, 0);
	ck_assert_uint_eq(holder->account.ino, 0);
	ck_assert(!holder->account.has_empty);
}
END_TEST

/* The inode number may be given away again, the cookie never. */
START_TEST(a_socket_of_another_cookie_is_another_one)
{
	struct receiver *holder = make_holder(MEDIUM);
	bool is_wanted;

	holder->account.cookie++;
	ck_assert(unixbudget__allows(&budget, &holder->account, MEDIUM,
		&is_wanted));
	ck_assert_uint_eq(holder->account.ino, 0);
}
END_TEST

START_TEST(the_next_socket_of_the_name_is_looked_up_anew)
{
	struct receiver *holder = make_holder(MEDIUM);
	uint64_t cookie = holder->account.cookie;
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	unixaddr_format(&holder->addr, text, sizeof(text));
	close_receiver(holder);
	if (text[0] == '/')
		ck_assert_int_eq(unlink(text), 0);
	holder->fd = open_bound(SOCK_DGRAM, text);
	ck_assert_uint_gt(offer_all(holder, MEDIUM), 0);
	ck_assert_uint_ne(holder->account.ino, 0);
	ck_assert_uint_ne(holder->account.cookie, cookie);
	ck_assert(!is_within_budget(holder, MEDIUM));
	read_all(holder);
	ck_assert(offer(holder, MEDIUM));
}
END_TEST

/* Abstract names are separate for each type. */
START_TEST(a_stream_of_the_same_name_does_not_speak_for_a_receiver)
{
	static const int other_types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	const char *name = support_abstract("twin");
	struct receiver *holder;
	int fds[COUNT(other_types)];
	size_t i;

	for (i = 0; i < COUNT(other_types); i++)
		fds[i] = open_listening(other_types[i], name);
	holder = add_receiver(name);
	leave_calm_zone();
	offer_all(holder, MEDIUM);
	for (i = 0; i < 3; i++) {
		ck_assert(!is_within_budget(holder, MEDIUM));
		list();
	}
	for (i = 0; i < COUNT(other_types); i++)
		close(fds[i]);
}
END_TEST

/* The list */

static bool is_held(struct receiver *receiver)
{
	bool is_wanted = true;
	bool is_held =
		unixbudget__is_held(&budget, &receiver->account, &is_wanted);

	ck_assert(!is_wanted);
	return is_held;
}

START_TEST(who_does_not_read_holds_what_he_got)
{
	struct receiver *holder = make_holder(MEDIUM);

	ck_assert(is_held(holder));
	read_all(holder);
	ck_assert(!is_held(holder));
	ck_assert_uint_eq(holder->account.bytes, 0);
}
END_TEST

START_TEST(who_got_an_empty_message_may_hold_what_is_behind_it)
{
	struct receiver *holder = make_holder(0);

	ck_assert(is_held(holder));
	read_all(holder);
	ck_assert(is_held(holder));
}
END_TEST

START_TEST(where_the_kernel_tells_no_queues_nobody_is_forgiven)
{
	struct receiver *holder = make_holder(MEDIUM);

	read_all(holder);
	diag_play.answers = UINT_MAX;
	diag_play.hidden = UNIX_DIAG_RQLEN;
	ck_assert(!is_within_budget(holder, MEDIUM));
	ck_assert(is_held(holder));
	diag_play_nothing();
	ck_assert(!is_held(holder));
}
END_TEST

/* As where the module of the kernel is missing: it is not tried again. */
START_TEST(where_there_is_no_list_none_is_wanted)
{
	static const int errors[] = { ENOENT, EPROTONOSUPPORT };
	struct receiver *holder = make_holder(MEDIUM);
	bool is_wanted = true;

	holder->account.ino = 0;
	diag_play.error = errors[_i];
	budget.list_us = 0;
	errno = EXDEV;
	ck_assert_int_eq(unixbudget__list(&budget, note, NULL), -1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert(is_held(holder));
	ck_assert(!unixbudget__allows(&budget, &holder->account, MEDIUM,
		&is_wanted));
	ck_assert(!is_wanted);
}
END_TEST

START_TEST(a_list_is_not_made_again_at_once)
{
	struct receiver *receiver = add_any_receiver();
	int64_t now_us = unixdeadline_now_us();

	ck_assert_int_eq(unixbudget__list(&budget, note, NULL), 0);
	ck_assert_uint_ne(receiver->account.ino, 0);
	ck_assert_int_gt(budget.list_us, now_us + 1000);
	budget.list_us = INT64_MAX;
	ck_assert_int_eq(unixbudget__list(&budget, note, NULL), -1);
	budget.list_us = unixdeadline_now_us();
	ck_assert_int_eq(unixbudget__list(&budget, note, NULL), 0);
}
END_TEST

START_TEST(without_descriptors_nobody_is_forgiven_until_there_are_some)
{
	struct receiver *holder = make_holder(MEDIUM);
	struct receiver *unknown = add_any_receiver();
	bool is_wanted;

	offer(unknown, MEDIUM);
	unknown->account.ino = 0;
	read_all(holder);
	/* As if nobody had been looked up before. */
	close(budget.diag_fd);
	budget.diag_fd = -1;
	support_limit_fds(0);
	budget.list_us = 0;
	ck_assert_int_eq(unixbudget__list(&budget, note, NULL), -1);
	ck_assert(!budget.is_list_missing);
	ck_assert(!unixbudget__allows(&budget, &holder->account, MEDIUM,
		&is_wanted));
	ck_assert(!is_wanted);
	support_lift_fds_limit();
	ck_assert(offer(holder, MEDIUM));
}
END_TEST

/* Shares of a small buffer are smaller than our messages. */
static bool is_buffer_raised(void)
{
	struct budget probe;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_raised = unixbudget__init(&probe, fd, buffer_bytes) == 0 &&
		probe.limit >= buffer_bytes;

	close(fd);
	return is_raised;
}

static void add(TCase *tcase, const TTest *test)
{
	support_add_test_if(tcase, test, is_buffer_raised(),
		"the send buffer cannot be raised");
}

static TCase *make_buffer(void)
{
	TCase *tcase = make_tcase_with("buffer", set_up, tear_down);

	tcase_add_test(tcase, the_send_buffer_is_raised_as_far_as_it_may);
	tcase_add_loop_test(tcase, the_send_buffer_is_never_lowered, 0, 4);
	tcase_add_loop_test(tcase, a_wish_beyond_all_bounds_gives_what_there_is,
		0, (int)COUNT(huge));
	support_add_test_if(tcase, what_somebody_with_more_rights_has_set_stays,
		support_is_root() && support_can_force_buffers(),
		"not root with the right to force buffers");
	support_add_root_test(tcase,
		without_rights_it_is_raised_to_what_everybody_may_have);
	support_add_root_test(tcase, without_descriptors_the_send_buffer_stays);
	tcase_add_test(tcase, what_is_no_socket_has_no_budget);
	add(tcase, a_budget_keeps_errno);
	tcase_add_test(tcase, the_estimate_is_near_to_what_the_kernel_charges);
	return tcase;
}

static TCase *make_shares(void)
{
	TCase *tcase = make_tcase_with("shares", set_up, tear_down);

	add(tcase, in_the_calm_zone_nobody_is_asked_anything);
	add(tcase, who_reads_all_is_always_in_the_calm_zone);
	add(tcase, when_everything_was_read_all_begin_anew);
	add(tcase, who_never_read_gets_one_message);
	add(tcase, who_has_read_gets_a_share_of_what_is_left);
	add(tcase, nothing_is_shared_of_what_is_kept_for_first_messages);
	add(tcase, one_message_may_go_whatever_others_hold);
	add(tcase, who_reads_is_served_while_another_does_not);
	add(tcase, who_reads_is_served_while_many_do_not);
	add(tcase, large_messages_leave_room_for_small_ones);
	return tcase;
}

static TCase *make_forgiveness(void)
{
	TCase *tcase = make_tcase_with("forgiveness", set_up, tear_down);

	add(tcase, who_has_read_all_is_forgiven);
	add(tcase, who_has_read_some_is_not_forgiven);
	add(tcase, an_empty_message_does_not_hide_what_is_behind_it);
	add(tcase, who_got_an_empty_message_and_reads_goes_on);
	add(tcase, who_got_an_empty_message_and_does_not_read_gets_a_half);
	add(tcase, who_got_an_empty_message_and_does_not_read_gets_few_probes);
	add(tcase, who_got_an_empty_message_is_forgiven_when_all_have_read);
	support_add_loop_test_if(tcase,
		what_a_closed_receiver_held_is_forgotten, 2, is_buffer_raised(),
		"the send buffer cannot be raised");
	add(tcase, a_socket_of_another_cookie_is_another_one);
	add(tcase, the_next_socket_of_the_name_is_looked_up_anew);
	add(tcase, a_stream_of_the_same_name_does_not_speak_for_a_receiver);
	add(tcase, who_does_not_read_holds_what_he_got);
	add(tcase, who_got_an_empty_message_may_hold_what_is_behind_it);
	add(tcase, where_the_kernel_tells_no_queues_nobody_is_forgiven);
	support_add_loop_test_if(tcase, where_there_is_no_list_none_is_wanted,
		2, is_buffer_raised(), "the send buffer cannot be raised");
	add(tcase, a_list_is_not_made_again_at_once);
	add(tcase, without_descriptors_nobody_is_forgiven_until_there_are_some);
	return tcase;
}

int main(void)
{
	return support_run_cases("budget", make_buffer(), make_shares(),
		make_forgiveness());
}
