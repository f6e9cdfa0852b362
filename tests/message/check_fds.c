/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that travel with messages, on both networks: those that were
 * asked for arrive, the others are refused or closed, and after whatever comes
 * the process has open what it was given and nothing more.
 */
#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/support.h"

static struct ends ends;

static void want(unsigned int wants)
{
	ck_assert_int_eq(unixconn_want(ends.receiver, wants), 0);
}

static void link_up(int kind)
{
	ends_make(&ends, kind);
	want(UNIXMSG_WANT_FDS);
}

static ssize_t send_by_lane(const char *text, size_t count)
{
	int fds[UNIXMSG_FDS_MAX];
	size_t i;

	for (i = 0; i < count; i++)
		fds[i] = STDERR_FILENO;
	return unixconn_send_fds(ends.sender, text, strlen(text), fds, count,
		       UNIXMSG_NOW) == 1
		? (ssize_t)strlen(text)
		: -1;
}

static ssize_t send_raw(const char *text, size_t count)
{
	if (support_has_lanes() && ends.is_packet)
		return send_by_lane(text, count);
	return support_send_fds(unixconn_get_fd(ends.sender), text,
		strlen(text), STDERR_FILENO, count);
}

static void send_fds(const char *text, size_t count)
{
	ck_assert_int_eq(send_raw(text, count), (ssize_t)strlen(text));
}

/* A message with room for so many descriptors. */
struct taken {
	struct unixmsg msg;
	struct iovec part;
	char bytes[16];
	int fds[UNIXMSG_FDS_MAX];
};

static void set_up(struct taken *taken, size_t room)
{
	unixmsg_init(&taken->msg);
	taken->part.iov_base = taken->bytes;
	taken->part.iov_len = sizeof(taken->bytes);
	taken->msg.parts = &taken->part;
	taken->msg.parts_count = 1;
	taken->msg.fds = taken->fds;
	taken->msg.fds_room = room;
}

static int receive(struct taken *taken)
{
	return unixconn_recv_msg(ends.receiver, &taken->msg, UNIXMSG_NOW);
}

static void expect_payload(const struct taken *taken, const char *text)
{
	ck_assert_uint_eq(taken->msg.size, strlen(text));
	ck_assert_int_eq(memcmp(taken->bytes, text, strlen(text)), 0);
}

/* Each of them is what was sent, and is not inherited. */
static void expect_good(const struct unixmsg *msg)
{
	struct stat sent, got;
	size_t i;

	ck_assert_int_eq(fstat(STDERR_FILENO, &sent), 0);
	for (i = 0; i < msg->fds_count; i++) {
		ck_assert_int_eq(fcntl(msg->fds[i], F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(fstat(msg->fds[i], &got), 0);
		ck_assert_uint_eq(sent.st_dev, got.st_dev);
		ck_assert_uint_eq(sent.st_ino, got.st_ino);
	}
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The table */

enum { PLENTY = 300 };

static const size_t rooms[] = { 0, 1, 2, 16, 253 };

static void take_one(size_t room, size_t sent, size_t slots, const char *text)
{
	size_t arrived = smaller(sent, slots), kept = smaller(arrived, room);
	bool is_cut = kept < sent;
	struct taken taken;
	int before = support_count_fds(), result;

	set_up(&taken, room);
	send_fds(text, sent);
	support_limit_fds((int)slots);
	result = receive(&taken);
	support_lift_fds_limit();
	ck_assert_int_eq(result, 1);
	expect_payload(&taken, text);
	ck_assert_uint_eq(taken.msg.fds_count, kept);
	ck_assert_uint_eq(taken.msg.fds_lost, arrived - kept);
	ck_assert_uint_eq(taken.msg.flags, is_cut ? UNIXMSG_CUT_CONTROL : 0);
	ck_assert_int_eq(support_count_fds(), before + (int)kept);
	if (slots == PLENTY)
		expect_good(&taken.msg);
	unixmsg_close_fds(&taken.msg);
	ck_assert_uint_eq(taken.msg.fds_count, 0);
	ck_assert_int_eq(support_count_fds(), before);
}

static void take_all_ways(size_t room, size_t sent)
{
	size_t slots;

	for (slots = 0; slots <= 17; slots++)
		take_one(room, sent, slots, slots % 2 == 0 ? "payload" : "");
	take_one(room, sent, PLENTY, "payload");
}

START_TEST(what_was_asked_for_arrives_and_the_rest_is_closed)
{
	size_t i, sent;

	link_up(_i);
	for (i = 0; i < COUNT(rooms); i++) {
		for (sent = 0; sent <= 17; sent++)
			take_all_ways(rooms[i], sent);
		take_all_ways(rooms[i], UNIXMSG_FDS_MAX);
	}
}
END_TEST

/* The kernel puts two where, by the alignment, there is room for one. */
START_TEST(of_two_that_fit_where_one_was_asked_for_one_is_closed)
{
	struct taken taken;

	link_up(_i);
	set_up(&taken, 1);
	taken.fds[1] = -7;
	send_fds("two", 2);
	ck_assert_int_eq(receive(&taken), 1);
	ck_assert_uint_eq(taken.msg.fds_count, 1);
	ck_assert_uint_eq(taken.msg.fds_lost, 1);
	ck_assert_uint_eq(taken.msg.flags, UNIXMSG_CUT_CONTROL);
	ck_assert_int_eq(taken.fds[1], -7);
	unixmsg_close_fds(&taken.msg);
}
END_TEST

/* Sending by our own calls */

static int make_pipe_and_send(int pipe[2], const char *text)
{
	struct iovec part = { (char *)text, strlen(text) };
	struct unixmsg msg;

	ck_assert_int_eq(pipe2(pipe, O_CLOEXEC), 0);
	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.fds = pipe;
	msg.fds_count = 2;
	return unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW);
}

START_TEST(what_was_sent_stays_open_and_is_the_same_file)
{
	struct taken taken;
	int pipe[2];
	char byte = 0;

	link_up(_i);
	ck_assert_int_eq(make_pipe_and_send(pipe, "pipe"), 1);
	ck_assert_int_eq(fcntl(pipe[1], F_GETFD), FD_CLOEXEC);
	set_up(&taken, 2);
	ck_assert_int_eq(receive(&taken), 1);
	expect_payload(&taken, "pipe");
	ck_assert_uint_eq(taken.msg.fds_count, 2);
	ck_assert_int_eq(write(taken.fds[1], "x", 1), 1);
	ck_assert_int_eq(read(pipe[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	unixmsg_close_fds(&taken.msg);
	close(pipe[0]);
	close(pipe[1]);
}
END_TEST

START_TEST(an_empty_message_may_bring_descriptors)
{
	struct taken taken;
	int pipe[2];

	link_up(_i);
	ck_assert_int_eq(make_pipe_and_send(pipe, ""), 1);
	close(pipe[0]);
	close(pipe[1]);
	set_up(&taken, 3);
	ck_assert_int_eq(receive(&taken), 1);
	expect_payload(&taken, "");
	ck_assert_uint_eq(taken.msg.fds_count, 2);
	ck_assert_uint_eq(taken.msg.flags, 0);
	unixmsg_close_fds(&taken.msg);
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(what_was_received_can_be_sent_on_with_its_descriptors)
{
	struct taken taken;

	link_up(_i);
	set_up(&taken, 5);
	send_fds("onward", 5);
	ck_assert_int_eq(receive(&taken), 1);
	taken.part.iov_len = taken.msg.size;
	ck_assert_int_eq(unixconn_send_msg(ends.sender, &taken.msg,
				 UNIXMSG_NOW),
		1);
	unixmsg_close_fds(&taken.msg);
	ck_assert_int_eq(receive(&taken), 1);
	expect_payload(&taken, "onward");
	ck_assert_uint_eq(taken.msg.fds_count, 5);
	expect_good(&taken.msg);
	unixmsg_close_fds(&taken.msg);
}
END_TEST

START_TEST(what_cannot_be_sent_is_told_and_nothing_goes)
{
	int fds[UNIXMSG_FDS_MAX + 1];
	struct unixmsg msg;
	size_t i;

	link_up(_i);
	for (i = 0; i < COUNT(fds); i++)
		fds[i] = STDERR_FILENO;
	unixmsg_init(&msg);
	msg.fds = fds;
	msg.fds_count = COUNT(fds);
	ck_assert_errno(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW),
		EINVAL);
	msg.fds_count = SIZE_MAX / sizeof(int) + 2;
	ck_assert_errno(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW),
		EINVAL);
	fds[1] = -1;
	msg.fds_count = 2;
	ck_assert_errno(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW),
		EBADF);
	expect_nothing(ends.receiver);
}
END_TEST

/* Wishes */

START_TEST(unknown_wishes_are_refused_and_nothing_changes)
{
	unsigned int bit;

	link_up(_i);
	for (bit = 8; bit != 0; bit <<= 1)
		ck_assert_errno(unixconn_want(ends.receiver, bit), EINVAL);
	take_one(2, 2, PLENTY, "still");
}
END_TEST

START_TEST(room_without_the_wish_is_refused)
{
	struct taken taken;

	ends_make(&ends, _i);
	send_text(ends.sender, "stays");
	set_up(&taken, 1);
	ck_assert_errno(receive(&taken), EINVAL);
	want(UNIXMSG_WANT_CRED);
	ck_assert_errno(receive(&taken), EINVAL);
	expect_text(ends.receiver, "stays");
}
END_TEST

START_TEST(whoever_sends_where_nobody_asked_is_told)
{
	int pipe[2];

	ends_make(&ends, _i);
	ck_assert_errno(make_pipe_and_send(pipe, "refused"), EPERM);
	want(UNIXMSG_WANT_FDS);
	take_one(2, 2, PLENTY, "taken");
	want(0);
	ck_assert_errno(send_raw("refused", 1), EPERM);
	expect_nothing(ends.receiver);
	send_text(ends.sender, "after");
	expect_text(ends.receiver, "after");
	close(pipe[0]);
	close(pipe[1]);
}
END_TEST

static void make_adopted(struct ends *made, int kind)
{
	int fd;

	ends_make(made, kind);
	fd = dup(unixconn_get_fd(made->receiver));
	support_let_fds_through(fd);
	ck_assert_int_eq(unixconn_close(made->receiver), 0);
	made->receiver = unixconn_adopt(fd);
	ck_assert_ptr_nonnull(made->receiver);
}

START_TEST(an_adopted_endpoint_refuses_them_too)
{
	make_adopted(&ends, _i);
	ck_assert_errno(send_raw("refused", 1), EPERM);
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(an_adopted_endpoint_may_want_them)
{
	make_adopted(&ends, _i);
	want(UNIXMSG_WANT_FDS);
	take_one(16, 3, PLENTY, "adopted");
	take_one(1, 3, PLENTY, "");
}
END_TEST

START_TEST(a_plain_message_to_an_adopted_endpoint_is_not_cut)
{
	struct taken taken;

	make_adopted(&ends, _i);
	set_up(&taken, 0);
	send_text(ends.sender, "plain");
	ck_assert_int_eq(receive(&taken), 1);
	expect_payload(&taken, "plain");
	ck_assert_uint_eq(taken.msg.flags, 0);
}
END_TEST

static struct unixlistener *listen_wanting(const char *name)
{
	struct unixlistener *listener = unixlistener_open("unixpacket", name,
		&(struct unixlisten_options){ .backlog = 1 });

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_want(listener, UNIXMSG_WANT_FDS), 0);
	return listener;
}

static int send_from_client(struct unixconn *client)
{
	return (int)support_send_fds(unixconn_get_fd(client), "first", 5,
		STDERR_FILENO, 3);
}

START_TEST(what_a_listener_wants_its_connections_want)
{
	const char *name = support_abstract("wants");
	struct unixlistener *listener = listen_wanting(name);
	struct unixconn *client =
		unixconn_dial("unixpacket", name, NULL, UNIXMSG_NOW);
	struct unixconn *server;
	struct taken taken;

	ck_assert_ptr_nonnull(client);
	/* Before anybody has accepted it. */
	ck_assert_int_eq(send_from_client(client), 5);
	server = unixlistener_accept(listener, UNIXMSG_NOW);
	set_up(&taken, 3);
	ck_assert_int_eq(unixconn_recv_msg(server, &taken.msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(taken.msg.fds_count, 3);
	unixmsg_close_fds(&taken.msg);
	ck_assert_int_eq(unixconn_want(server, 0), 0);
	set_up(&taken, 1);
	ck_assert_errno(unixconn_recv_msg(server, &taken.msg, UNIXMSG_NOW),
		EINVAL);
	unixconn_close(server);
	unixconn_close(client);
	unixlistener_close(listener);
}
END_TEST

START_TEST(what_a_listener_does_not_want_any_more_is_refused)
{
	const char *name = support_abstract("wants");
	struct unixlistener *listener = listen_wanting(name);
	struct unixconn *client;

	ck_assert_int_eq(unixlistener_want(listener, 0), 0);
	ck_assert_errno(unixlistener_want(listener, 8), EINVAL);
	client = unixconn_dial("unixpacket", name, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	ck_assert_errno(send_from_client(client), EPERM);
	unixconn_close(client);
	unixlistener_close(listener);
}
END_TEST

/* Where they are closed for the caller */

START_TEST(a_message_that_is_too_long_takes_its_descriptors_along)
{
	struct taken taken;

	link_up(_i);
	set_up(&taken, 16);
	taken.part.iov_len = 3;
	send_fds("payload", 8);
	ck_assert_errno(receive(&taken), EMSGSIZE);
	ck_assert_uint_eq(taken.msg.fds_count, 0);
	ck_assert_uint_eq(taken.msg.size, 7);
	ck_assert_uint_eq(taken.msg.flags, UNIXMSG_CUT);
	expect_nothing(ends.receiver);
}
END_TEST

START_TEST(the_beginning_of_a_message_comes_with_all_descriptors)
{
	struct taken taken;

	link_up(_i);
	set_up(&taken, 16);
	taken.part.iov_len = 3;
	taken.msg.flags = UNIXMSG_PREFIX;
	send_fds("payload", 8);
	ck_assert_int_eq(receive(&taken), 1);
	ck_assert_uint_eq(taken.msg.fds_count, 8);
	ck_assert_uint_eq(taken.msg.flags, UNIXMSG_PREFIX | UNIXMSG_CUT);
	unixmsg_close_fds(&taken.msg);
}
END_TEST

START_TEST(plain_calls_close_what_they_cannot_hand_over)
{
	struct unixbuffer buffer;
	int before;

	link_up(_i);
	before = support_count_fds();
	unixbuffer_init(&buffer, 64);
	send_fds("plain", 9);
	send_fds("grown", 9);
	expect_text(ends.receiver, "plain");
	ck_assert_int_eq(support_count_fds(), before);
	ck_assert_int_eq(unixconn_recv_buffer(ends.receiver, &buffer, NULL,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(support_count_fds(), before);
	unixbuffer_free(&buffer);
}
END_TEST

/* Who shares the socket can switch off what leaves no room for them. */
START_TEST(plain_calls_keep_none_where_the_marks_are_gone)
{
	const int off = 0;
	int fd, before;

	ends_make(&ends, _i);
	fd = unixconn_get_fd(ends.receiver);
	support_let_fds_through(fd);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &off,
				 sizeof(off)),
		0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &off,
				 sizeof(off)),
		0);
	before = support_count_fds();
	send_fds("plain", 2);
	expect_text(ends.receiver, "plain");
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

START_TEST(a_batch_closes_them)
{
	struct unixmsg msgs[4];
	size_t i, count;
	int before;

	link_up(_i);
	before = support_count_fds();
	for (i = 0; i < COUNT(msgs); i++) {
		unixmsg_init(&msgs[i]);
		send_fds("", i);
	}
	ck_assert_int_eq(unixconn_recv_batch(ends.receiver, msgs, COUNT(msgs),
				 &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, COUNT(msgs));
	ck_assert_int_eq(support_count_fds(), before);
	for (i = 0; i < COUNT(msgs); i++) {
		ck_assert_uint_eq(msgs[i].fds_count, 0);
		ck_assert_uint_eq(msgs[i].flags,
			i > 0 ? UNIXMSG_CUT_CONTROL : 0);
	}
}
END_TEST

START_TEST(asking_for_the_size_leaves_no_copies)
{
	size_t size = SIZE_MAX;
	int before, i;

	link_up(_i);
	send_fds("payload", 17);
	before = support_count_fds();
	for (i = 0; i < 5; i++) {
		ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
					 UNIXMSG_NOW),
			1);
		ck_assert_uint_eq(size, 7);
		ck_assert_int_eq(support_count_fds(), before);
	}
	expect_text(ends.receiver, "payload");
}
END_TEST

START_TEST(looking_at_the_size_takes_no_descriptor_away)
{
	struct taken taken;
	size_t size;

	link_up(_i);
	send_fds("payload", 17);
	ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
				 UNIXMSG_NOW),
		1);
	set_up(&taken, 17);
	ck_assert_int_eq(receive(&taken), 1);
	ck_assert_uint_eq(taken.msg.fds_count, 17);
	expect_good(&taken.msg);
	unixmsg_close_fds(&taken.msg);
}
END_TEST

START_TEST(those_in_the_queue_go_with_the_endpoint)
{
	int i;

	link_up(_i);
	for (i = 0; i < 5; i++)
		send_fds("queued", 16);
	ends_close(&ends);
	check_fds();
}
END_TEST

START_TEST(a_failed_receive_leaves_nothing_to_close_again)
{
	struct taken taken;

	link_up(_i);
	set_up(&taken, 2);
	send_fds("kept", 2);
	ck_assert_int_eq(receive(&taken), 1);
	ck_assert_errno(receive(&taken), EAGAIN);
	ck_assert_uint_eq(taken.msg.fds_count, 0);
	ck_assert_int_eq(taken.msg.pidfd, -1);
	close(taken.fds[0]);
	close(taken.fds[1]);
}
END_TEST

START_TEST(closing_them_twice_does_no_harm)
{
	struct taken taken;

	link_up(_i);
	set_up(&taken, 2);
	send_fds("twice", 2);
	ck_assert_int_eq(receive(&taken), 1);
	errno = EXDEV;
	unixmsg_close_fds(&taken.msg);
	unixmsg_close_fds(&taken.msg);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Too many */

static void flood(int messages)
{
	struct pollfd entry = {
		.fd = unixconn_get_fd(ends.sender),
		.events = POLLOUT,
	};
	int i;

	support_send_few_at_once(entry.fd);
	for (i = 0; i < messages; i++)
		do
			ck_assert_int_eq(support_poll(&entry, 1, -1), 1);
		while (send_raw("flood", UNIXMSG_FDS_MAX) < 0 &&
			errno == EAGAIN);
	_exit(0);
}

static void survive(int messages)
{
	static const size_t room = 2;
	int before = support_count_fds(), i;
	pid_t pid = support_fork();
	struct taken taken;

	if (pid == 0)
		flood(messages);
	for (i = 0; i < messages; i++) {
		set_up(&taken, i % 2 == 0 ? room : 0);
		ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &taken.msg,
					 unixdeadline_after_us(20000000)),
			1);
		expect_payload(&taken, "flood");
		unixmsg_close_fds(&taken.msg);
		if (i % 100 == 0)
			ck_assert_int_eq(support_count_fds(), before);
	}
	support_wait_exit(pid, 0);
	ck_assert_int_eq(support_count_fds(), before);
}

START_TEST(a_flood_leaves_the_number_of_descriptors_as_it_was)
{
	link_up(_i);
	survive(1500);
}
END_TEST

/* Those in flight are charged to the user who has sent them. */
/* By the library, which tells what the kernel says. */
static int send_one(void)
{
	struct iovec part = { .iov_base = (void *)"x", .iov_len = 1 };
	struct unixmsg msg;
	int fd = STDERR_FILENO;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.fds = &fd;
	msg.fds_count = 1;
	return unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW);
}

static void send_too_many(void)
{
	const struct rlimit limit = { 64, 64 };
	int count = 0, result = 1;

	if (support_is_root())
		support_as_nobody();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* Those of tests beside this one count too, until they are read. */
	while (count < 2 || result == 1) {
		result = send_one();
		ck_assert(result == 1 || errno == ETOOMANYREFS);
		count += result == 1;
		ck_assert_int_lt(count, 100);
	}
	_exit(count);
}

static int get_status(pid_t pid)
{
	int how;

	ck_assert_int_eq(support_waitpid(pid, &how), pid);
	ck_assert(WIFEXITED(how));
	return WEXITSTATUS(how);
}

START_TEST(too_many_in_flight_are_told_to_their_sender)
{
	struct taken taken;
	int count, i;
	pid_t pid;

	link_up(_i);
	pid = support_fork();
	if (pid == 0)
		send_too_many();
	count = get_status(pid);
	ck_assert_int_gt(count, 1);
	for (i = 0; i < count; i++) {
		set_up(&taken, 1);
		ck_assert_int_eq(receive(&taken), 1);
		ck_assert_uint_eq(taken.msg.fds_count, 1);
		unixmsg_close_fds(&taken.msg);
	}
	/* The connection is none the worse for it. */
	take_one(1, 1, PLENTY, "after");
}
END_TEST

/* The list of tests */

static void add_refusal(TCase *tcase, const TTest *test, int times)
{
	support_add_loop_test_if(tcase, test, times, support_can_refuse_fds(),
		"the kernel cannot refuse them");
}

static TCase *make_arrivals(void)
{
	TCase *tcase = make_ends_tcase("arrivals");

	support_add_limited_test(tcase,
		what_was_asked_for_arrives_and_the_rest_is_closed, 0,
		ENDS_KINDS);
	ends_add(tcase, of_two_that_fit_where_one_was_asked_for_one_is_closed);
	ends_add(tcase, what_was_sent_stays_open_and_is_the_same_file);
	ends_add(tcase, an_empty_message_may_bring_descriptors);
	ends_add(tcase, what_was_received_can_be_sent_on_with_its_descriptors);
	ends_add(tcase, what_cannot_be_sent_is_told_and_nothing_goes);
	return tcase;
}

static TCase *make_wishes(void)
{
	TCase *tcase = make_ends_tcase("wishes");

	ends_add(tcase, unknown_wishes_are_refused_and_nothing_changes);
	ends_add(tcase, room_without_the_wish_is_refused);
	add_refusal(tcase, whoever_sends_where_nobody_asked_is_told,
		ENDS_KINDS);
	/* Whoever adopts a connection knows nothing of its lane. */
	if (!support_has_lanes()) {
		add_refusal(tcase, an_adopted_endpoint_refuses_them_too,
			ENDS_KINDS);
		ends_add(tcase, an_adopted_endpoint_may_want_them);
		ends_add(tcase,
			a_plain_message_to_an_adopted_endpoint_is_not_cut);
	}
	tcase_add_test(tcase, what_a_listener_wants_its_connections_want);
	add_refusal(tcase, what_a_listener_does_not_want_any_more_is_refused,
		1);
	return tcase;
}

static TCase *make_closing(void)
{
	TCase *tcase = make_ends_tcase("closing");

	ends_add(tcase, a_message_that_is_too_long_takes_its_descriptors_along);
	ends_add(tcase, the_beginning_of_a_message_comes_with_all_descriptors);
	ends_add(tcase, plain_calls_close_what_they_cannot_hand_over);
	ends_add(tcase, plain_calls_keep_none_where_the_marks_are_gone);
	ends_add(tcase, a_batch_closes_them);
	ends_add(tcase, asking_for_the_size_leaves_no_copies);
	ends_add(tcase, looking_at_the_size_takes_no_descriptor_away);
	ends_add(tcase, those_in_the_queue_go_with_the_endpoint);
	ends_add(tcase, a_failed_receive_leaves_nothing_to_close_again);
	ends_add(tcase, closing_them_twice_does_no_harm);
	return tcase;
}

static TCase *make_floods(void)
{
	TCase *tcase = make_ends_tcase("floods");

	tcase_set_tags(tcase, SUPPORT_LOAD);
	/* A lane needs a send buffer of some size, which lets more descriptors
	 * be in flight than an ordinary user may have. */
	if (!support_has_lanes())
		ends_add(tcase,
			a_flood_leaves_the_number_of_descriptors_as_it_was);
	support_add_limited_test(tcase,
		too_many_in_flight_are_told_to_their_sender, ENDS_PACKET_PAIR,
		ENDS_KINDS);
	return tcase;
}

int main(void)
{
	return support_run_cases("fds", make_arrivals(), make_wishes(),
		make_closing(), make_floods());
}
