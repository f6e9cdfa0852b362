/* SPDX-License-Identifier: MIT */
/*
 * Who wrote a message: the real user of the moment of writing, as each message
 * tells it, and not whom the connection belongs to.
 */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/kernel.h"
#include "support/ends.h"
#include "support/support.h"

static const uid_t nobody_id = 65534;
static const int64_t long_us = 60000000;

static struct ends ends;

static void want(unsigned int wants)
{
	ck_assert_int_eq(unixconn_want(ends.receiver, wants), 0);
}

static void receive(struct unixmsg *msg)
{
	unixmsg_init(msg);
	msg->flags = UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, msg,
				 unixdeadline_after_us(long_us)),
		1);
	msg->flags &= ~(UNIXMSG_PREFIX | UNIXMSG_CUT);
}

static void expect_writer(pid_t pid, uid_t uid, gid_t gid)
{
	struct unixmsg msg;

	receive(&msg);
	ck_assert_uint_eq(msg.flags, UNIXMSG_HAS_CRED);
	ck_assert_int_eq(msg.cred.pid, pid);
	ck_assert_uint_eq(msg.cred.uid, uid);
	ck_assert_uint_eq(msg.cred.gid, gid);
	ck_assert_int_eq(msg.pidfd, -1);
}

static void expect_no_writer(void)
{
	struct unixmsg msg;

	receive(&msg);
	ck_assert_uint_eq(msg.flags, 0);
	ck_assert_int_eq(msg.pidfd, -1);
}

/* A child does as it likes, and then writes. */
static pid_t write_as(void (*prepare)(void), const char *text)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		if (prepare != NULL)
			prepare();
		send_text(ends.sender, text);
		_exit(0);
	}
	return pid;
}

START_TEST(every_message_tells_who_wrote_it)
{
	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	send_text(ends.sender, "text");
	expect_writer(getpid(), getuid(), getgid());
	send_text(ends.sender, "");
	expect_writer(getpid(), getuid(), getgid());
}
END_TEST

START_TEST(nothing_is_told_that_nobody_asked_for)
{
	ends_make(&ends, _i);
	send_text(ends.sender, "text");
	expect_no_writer();
	want(UNIXMSG_WANT_CRED);
	send_text(ends.sender, "text");
	expect_writer(getpid(), getuid(), getgid());
	want(0);
	send_text(ends.sender, "text");
	expect_no_writer();
}
END_TEST

static void expect_nobody(const struct unixmsg *msg)
{
	ck_assert_uint_eq(msg->flags & UNIXMSG_HAS_CRED, 0);
	ck_assert_int_eq(msg->cred.pid, 0);
	ck_assert_uint_eq(msg->cred.uid, (uid_t)-1);
	ck_assert_uint_eq(msg->cred.gid, (gid_t)-1);
}

/* Above all not root, and not who wrote the message before. */
START_TEST(a_writer_who_is_not_known_is_no_user)
{
	struct unixmsg msg;
	size_t count;
	int i;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	send_text(ends.sender, "known");
	receive(&msg);
	ck_assert_uint_eq(msg.cred.uid, getuid());
	want(0);
	for (i = 0; i < 2; i++)
		send_text(ends.sender, "unknown");
	msg.flags = UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg,
				 unixdeadline_after_us(long_us)),
		1);
	expect_nobody(&msg);
	msg.cred.uid = 0;
	msg.flags = UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_batch(ends.receiver, &msg, 1, &count,
				 unixdeadline_after_us(long_us)),
		1);
	expect_nobody(&msg);
	msg.cred.uid = 0;
	ck_assert_errno(unixconn_recv_msg(ends.receiver, &msg, 0), EAGAIN);
	expect_nobody(&msg);
	unixmsg_init(&msg);
	expect_nobody(&msg);
}
END_TEST

/* The kernel has invented somebody for these, or really knows who it was. */
START_TEST(messages_from_before_the_wish_tell_nothing_wrong)
{
	struct unixmsg msg;

	ends_make(&ends, _i);
	send_text(ends.sender, "before");
	want(UNIXMSG_WANT_CRED);
	receive(&msg);
	if (msg.flags == UNIXMSG_HAS_CRED)
		ck_assert_int_eq(msg.cred.pid, getpid());
	else
		ck_assert_uint_eq(msg.flags, 0);
	send_text(ends.sender, "after");
	expect_writer(getpid(), getuid(), getgid());
}
END_TEST

START_TEST(an_empty_message_from_before_the_wish_is_not_the_end)
{
	struct unixmsg msg;

	ends_make(&ends, _i);
	send_text(ends.sender, "");
	want(UNIXMSG_WANT_CRED | UNIXMSG_WANT_FDS);
	send_text(ends.sender, "");
	ck_assert_int_eq(unixconn_close(ends.sender), 0);
	ends.sender = NULL;
	receive(&msg);
	receive(&msg);
	ck_assert_uint_eq(msg.flags, UNIXMSG_HAS_CRED);
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		0);
}
END_TEST

START_TEST(a_child_that_writes_is_told_as_the_child)
{
	pid_t pid;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	pid = write_as(NULL, "child");
	expect_writer(pid, getuid(), getgid());
	support_wait_exit(pid, 0);
	send_text(ends.sender, "parent");
	expect_writer(getpid(), getuid(), getgid());
}
END_TEST

START_TEST(a_message_of_a_dead_writer_tells_him)
{
	pid_t pid;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	pid = write_as(NULL, "last words");
	support_wait_exit(pid, 0);
	expect_writer(pid, getuid(), getgid());
}
END_TEST

static void become_effectively_nobody(void)
{
	ck_assert_int_eq(setresgid(0, nobody_id, 0), 0);
	ck_assert_int_eq(setresuid(0, nobody_id, 0), 0);
}

START_TEST(the_writer_is_the_real_user)
{
	pid_t pid;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	pid = write_as(become_effectively_nobody, "seteuid");
	expect_writer(pid, 0, 0);
	support_wait_exit(pid, 0);
	pid = write_as(support_as_nobody, "setresuid");
	expect_writer(pid, nobody_id, nobody_id);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(the_writer_is_not_whom_the_connection_belongs_to)
{
	struct unixcred cred;
	pid_t pid;

	ends_make(&ends, ENDS_PACKET_PAIR + _i);
	want(UNIXMSG_WANT_CRED);
	pid = write_as(support_as_nobody, "inherited");
	expect_writer(pid, nobody_id, nobody_id);
	support_wait_exit(pid, 0);
	ck_assert_int_eq(unixpeer_get_cred(unixconn_get_fd(ends.receiver),
				 &cred),
		0);
	ck_assert_int_eq(cred.pid, getpid());
	ck_assert_uint_eq(cred.uid, 0);
}
END_TEST

/* The end of a connection goes through another one to a child that uses it. */
START_TEST(the_writer_is_who_was_handed_the_connection)
{
	struct unixconn *way[2];
	struct unixmsg msg;
	int fd;
	pid_t pid;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	ck_assert_int_eq(unixconn_pair("unixpacket", way), 0);
	ck_assert_int_eq(unixconn_want(way[1], UNIXMSG_WANT_FDS), 0);
	unixmsg_init(&msg);
	fd = unixconn_get_fd(ends.sender);
	msg.fds = &fd;
	msg.fds_count = 1;
	pid = support_fork();
	if (pid == 0) {
		msg.fds_room = 1;
		ck_assert_int_eq(unixconn_recv_msg(way[1], &msg,
					 unixdeadline_after_us(long_us)),
			1);
		ck_assert_int_eq(send(fd, "handed", 6, 0), 6);
		_exit(0);
	}
	ck_assert_int_eq(unixconn_send_msg(way[0], &msg, UNIXMSG_NOW), 1);
	expect_writer(pid, getuid(), getgid());
	support_wait_exit(pid, 0);
	unixconn_close(way[0]);
	unixconn_close(way[1]);
}
END_TEST

START_TEST(all_that_can_be_wanted_comes_at_once)
{
	int fds[UNIXMSG_FDS_MAX];
	struct unixmsg msg;
	unsigned int wants = UNIXMSG_WANT_CRED | UNIXMSG_WANT_FDS;

	ends_make(&ends, _i);
	if (unixconn_want(ends.receiver, wants | UNIXMSG_WANT_PIDFD) == 0)
		wants |= UNIXMSG_WANT_PIDFD;
	want(wants);
	ck_assert_int_eq(support_send_fds(unixconn_get_fd(ends.sender), "all",
				 3, STDERR_FILENO, UNIXMSG_FDS_MAX),
		3);
	unixmsg_init(&msg);
	msg.flags = UNIXMSG_PREFIX;
	msg.fds = fds;
	msg.fds_room = UNIXMSG_FDS_MAX;
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(msg.flags,
		UNIXMSG_PREFIX | UNIXMSG_CUT | UNIXMSG_HAS_CRED);
	ck_assert_uint_eq(msg.fds_count, UNIXMSG_FDS_MAX);
	ck_assert_int_eq(msg.cred.pid, getpid());
	ck_assert_int_eq(msg.pidfd >= 0, (wants & UNIXMSG_WANT_PIDFD) != 0);
	unixmsg_close_fds(&msg);
}
END_TEST

START_TEST(a_batch_tells_who_wrote_each)
{
	struct unixmsg msgs[5];
	size_t i, count;
	pid_t pid;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	send_text(ends.sender, "");
	pid = write_as(NULL, "");
	support_wait_exit(pid, 0);
	send_text(ends.sender, "");
	for (i = 0; i < COUNT(msgs); i++)
		unixmsg_init(&msgs[i]);
	ck_assert_int_eq(unixconn_recv_batch(ends.receiver, msgs, COUNT(msgs),
				 &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, 3);
	for (i = 0; i < count; i++) {
		ck_assert_uint_eq(msgs[i].flags, UNIXMSG_HAS_CRED);
		ck_assert_int_eq(msgs[i].cred.pid, i == 1 ? pid : getpid());
	}
}
END_TEST

/* What is promised of the wish: who sends with it gets an abstract name. */
START_TEST(plain_endpoints_stay_unnamed)
{
	struct unixaddr addr;

	ends_make(&ends, ENDS_PACKET_TO_SERVER);
	send_text(ends.sender, "text");
	ck_assert_int_eq(unixconn_get_address(ends.sender, &addr), 0);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_UNNAMED);
}
END_TEST

/* pidfds */

static bool has_pidfds(void)
{
	const int on = 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has =
		setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) == 0;

	close(fd);
	return has;
}

START_TEST(the_pidfd_of_the_writer_tells_when_he_ends)
{
	struct unixmsg msg;
	int go[2];
	pid_t pid;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_PIDFD);
	support_ready_init(go);
	pid = support_fork();
	if (pid == 0) {
		send_text(ends.sender, "alive");
		support_ready_wait(go);
		_exit(0);
	}
	receive(&msg);
	ck_assert_uint_eq(msg.flags, 0);
	ck_assert_int_ge(msg.pidfd, 0);
	ck_assert_int_eq(fcntl(msg.pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(unixpeer_is_alive(msg.pidfd), 1);
	support_ready_tell(go);
	support_wait_exit(pid, 0);
	ck_assert_int_eq(unixpeer_is_alive(msg.pidfd), 0);
	unixmsg_close_fds(&msg);
	ck_assert_int_eq(msg.pidfd, -1);
	close(go[0]);
	close(go[1]);
}
END_TEST

START_TEST(a_writer_who_is_reaped_is_seen_as_dead)
{
	struct unixmsg msg;
	pid_t pid;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_PIDFD);
	pid = write_as(NULL, "last words");
	support_wait_exit(pid, 0);
	receive(&msg);
	if (msg.pidfd >= 0)
		ck_assert_int_eq(unixpeer_is_alive(msg.pidfd), 0);
	unixmsg_close_fds(&msg);
}
END_TEST

START_TEST(a_pidfd_nobody_wants_any_more_does_not_come)
{
	ends_make(&ends, _i);
	want(UNIXMSG_WANT_PIDFD);
	send_text(ends.sender, "queued");
	want(UNIXMSG_WANT_CRED);
	expect_writer(getpid(), getuid(), getgid());
	want(UNIXMSG_WANT_FDS);
	send_text(ends.sender, "later");
	expect_no_writer();
}
END_TEST

START_TEST(messages_from_before_the_wish_bring_no_wrong_pidfd)
{
	struct unixmsg msg;

	ends_make(&ends, _i);
	send_text(ends.sender, "before");
	want(UNIXMSG_WANT_PIDFD);
	receive(&msg);
	/* Of a socket that knew the writer already it is he. */
	if (msg.pidfd >= 0)
		ck_assert_int_eq(unixpeer_is_alive(msg.pidfd), 1);
	unixmsg_close_fds(&msg);
}
END_TEST

START_TEST(plain_calls_and_batches_keep_no_pidfd)
{
	struct unixmsg msgs[3];
	size_t i, count;
	int before;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_PIDFD);
	before = support_count_fds();
	for (i = 0; i < 1 + COUNT(msgs); i++)
		send_text(ends.sender, "");
	expect_text(ends.receiver, "");
	ck_assert_int_eq(support_count_fds(), before);
	for (i = 0; i < COUNT(msgs); i++)
		unixmsg_init(&msgs[i]);
	ck_assert_int_eq(unixconn_recv_batch(ends.receiver, msgs, COUNT(msgs),
				 &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(count, COUNT(msgs));
	for (i = 0; i < count; i++)
		ck_assert_int_eq(msgs[i].pidfd, -1);
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

START_TEST(asking_for_the_size_leaves_no_pidfd)
{
	size_t size;
	int before;

	ends_make(&ends, _i);
	want(UNIXMSG_WANT_PIDFD);
	before = support_count_fds();
	send_text(ends.sender, "text");
	ck_assert_int_eq(unixconn_get_next_size(ends.receiver, &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

START_TEST(a_kernel_without_pidfds_is_told_and_nothing_changes)
{
	ends_make(&ends, _i);
	want(UNIXMSG_WANT_CRED);
	ck_assert_errno(unixconn_want(ends.receiver, UNIXMSG_WANT_PIDFD),
		ENOTSUP);
	send_text(ends.sender, "text");
	expect_writer(getpid(), getuid(), getgid());
}
END_TEST

static void add_pidfd(TCase *tcase, const TTest *test)
{
	support_add_loop_test_if(tcase, test, ENDS_KINDS, has_pidfds(),
		"the kernel has no SO_PASSPIDFD");
}

int main(void)
{
	TCase *tcase = make_ends_tcase("cred");

	ends_add(tcase, every_message_tells_who_wrote_it);
	ends_add(tcase, nothing_is_told_that_nobody_asked_for);
	ends_add(tcase, a_writer_who_is_not_known_is_no_user);
	ends_add(tcase, messages_from_before_the_wish_tell_nothing_wrong);
	ends_add_packets(tcase,
		an_empty_message_from_before_the_wish_is_not_the_end);
	ends_add(tcase, a_child_that_writes_is_told_as_the_child);
	ends_add(tcase, a_message_of_a_dead_writer_tells_him);
	support_add_root_loop_test(tcase, the_writer_is_the_real_user,
		ENDS_KINDS);
	support_add_root_loop_test(tcase,
		the_writer_is_not_whom_the_connection_belongs_to,
		ENDS_KINDS - ENDS_PACKET_PAIR);
	ends_add(tcase, the_writer_is_who_was_handed_the_connection);
	ends_add(tcase, all_that_can_be_wanted_comes_at_once);
	ends_add(tcase, a_batch_tells_who_wrote_each);
	tcase_add_test(tcase, plain_endpoints_stay_unnamed);
	add_pidfd(tcase, the_pidfd_of_the_writer_tells_when_he_ends);
	add_pidfd(tcase, a_writer_who_is_reaped_is_seen_as_dead);
	add_pidfd(tcase, a_pidfd_nobody_wants_any_more_does_not_come);
	add_pidfd(tcase, messages_from_before_the_wish_bring_no_wrong_pidfd);
	add_pidfd(tcase, plain_calls_and_batches_keep_no_pidfd);
	add_pidfd(tcase, asking_for_the_size_leaves_no_pidfd);
	support_add_loop_test_if(tcase,
		a_kernel_without_pidfds_is_told_and_nothing_changes, ENDS_KINDS,
		!has_pidfds(), "the kernel has SO_PASSPIDFD");
	return support_run_cases("cred", tcase);
}
