/* SPDX-License-Identifier: MIT */
/*
 * The library is linked statically here, so this getsockopt(2) is the one that
 * it calls: it plays kernels that know less, or have a security module.
 */
#include <config.h>

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/kernel.h"
#include "support/support.h"
#include "unixmsg.h"

static const uid_t nobody_id = 65534;

static int played_error;         /* of the three options below */
static const char *played_label; /* NULL for the kernel's own */

/* Without a NUL behind it, as some modules tell it. */
static int play_label(char *label, socklen_t *length)
{
	const socklen_t size = (socklen_t)strlen(played_label);
	const bool has_room = *length >= size;

	*length = size;
	if (has_room) {
		memcpy(label, played_label, size);
		return 0;
	}
	errno = ERANGE;
	return -1;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	if (option == SO_PEERSEC && played_label != NULL)
		return play_label(value, length);
	if (played_error == 0 ||
		(option != SO_PEERSEC && option != SO_PEERPIDFD &&
			option != SO_PEERGROUPS))
		return (int)syscall(SYS_getsockopt, fd, level, option, value,
			length);
	errno = played_error;
	return -1;
}

/* A pair of connections of both kinds that have a peer, and of datagrams. */
static void make_pair(int i, int fds[2])
{
	static const int types[] = { SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM };

	ck_assert_int_eq(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, fds),
		0);
}

static void close_pair(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* A client that has come, and does as it likes before and after connecting. */
struct visit {
	pid_t pid;
	int go[2];
	struct unixlistener *listener;
	struct unixconn *server;
	int fd;
};

static void visit_as(struct visit *visit, void (*before)(void),
	void (*after)(void))
{
	const char *name = support_abstract("peer");
	int told[2];

	support_ready_init(visit->go);
	support_ready_init(told);
	visit->listener = unixlistener_open("unixpacket", name,
		&(struct unixlisten_options){ .backlog = 1 });
	ck_assert_ptr_nonnull(visit->listener);
	visit->pid = support_fork();
	if (visit->pid == 0) {
		if (before != NULL)
			before();
		ck_assert_ptr_nonnull(
			unixconn_dial("unixpacket", name, NULL, UNIXMSG_NOW));
		if (after != NULL)
			after();
		support_ready_tell(told);
		support_ready_wait(visit->go);
		_exit(0);
	}
	support_ready_wait(told);
	close_pair(told);
	visit->server = unixlistener_accept(visit->listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(visit->server);
	visit->fd = unixconn_get_fd(visit->server);
}

static void end_visitor(struct visit *visit)
{
	if (visit->pid < 0)
		return;
	support_ready_tell(visit->go);
	support_wait_exit(visit->pid, 0);
	visit->pid = -1;
}

static void end_visit(struct visit *visit)
{
	end_visitor(visit);
	close_pair(visit->go);
	ck_assert_int_eq(unixconn_close(visit->server), 0);
	ck_assert_int_eq(unixlistener_close(visit->listener), 0);
}

static void expect_cred(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	struct unixcred cred = { -7, 7777, 7777 };

	ck_assert_int_eq(unixpeer_get_cred(fd, &cred), 0);
	ck_assert_int_eq(cred.pid, pid);
	ck_assert_uint_eq(cred.uid, uid);
	ck_assert_uint_eq(cred.gid, gid);
}

/* Credentials */

START_TEST(the_peer_of_a_pair_is_who_made_it)
{
	int fds[2];

	make_pair(_i, fds);
	expect_cred(fds[0], getpid(), geteuid(), getegid());
	expect_cred(fds[1], getpid(), geteuid(), getegid());
	close_pair(fds);
}
END_TEST

START_TEST(both_sides_of_a_connection_know_each_other)
{
	const char *name = support_abstract("peer");
	struct unixlistener *listener = unixlistener_open("unixpacket", name,
		&(struct unixlisten_options){ .backlog = 1 });
	int pipe[2];
	pid_t pid;

	support_ready_init(pipe);
	pid = support_fork();
	if (pid == 0) {
		struct unixconn *client =
			unixconn_dial("unixpacket", name, NULL, UNIXMSG_NOW);

		ck_assert_ptr_nonnull(client);
		expect_cred(unixconn_get_fd(client), getppid(), geteuid(),
			getegid());
		support_ready_tell(pipe);
		_exit(0);
	}
	support_ready_wait(pipe);
	{
		struct unixconn *server =
			unixlistener_accept(listener, UNIXMSG_NOW);

		ck_assert_ptr_nonnull(server);
		expect_cred(unixconn_get_fd(server), pid, geteuid(), getegid());
		support_wait_exit(pid, 0);
		/* Dead and reaped, and the answer stays. */
		expect_cred(unixconn_get_fd(server), pid, geteuid(), getegid());
		unixconn_close(server);
	}
	close_pair(pipe);
	unixlistener_close(listener);
}
END_TEST

static void become_effectively_nobody(void)
{
	ck_assert_int_eq(setresgid(0, nobody_id, 0), 0);
	ck_assert_int_eq(setresuid(0, nobody_id, 0), 0);
}

START_TEST(the_peer_is_the_effective_user)
{
	struct visit visit;

	visit_as(&visit, become_effectively_nobody, NULL);
	expect_cred(visit.fd, visit.pid, nobody_id, nobody_id);
	end_visit(&visit);
}
END_TEST

START_TEST(the_peer_stays_who_has_connected)
{
	struct visit visit;

	visit_as(&visit, NULL, support_as_nobody);
	expect_cred(visit.fd, visit.pid, 0, 0);
	end_visit(&visit);
}
END_TEST

/* What has no peer */

static void expect_no_peer(int fd, int error)
{
	struct unixcred cred = { 7, 7, 7 };
	gid_t groups[4];
	size_t count = 7;

	ck_assert_errno(unixpeer_get_cred(fd, &cred), error);
	ck_assert_int_eq(cred.pid, 7);
	ck_assert_uint_eq(cred.uid, 7);
	ck_assert_uint_eq(cred.gid, 7);
	ck_assert_errno(unixpeer_get_groups(fd, groups, 4, &count), error);
	ck_assert_uint_eq(count, 7);
	ck_assert_errno(unixpeer_is_in_group(fd, 0), error);
	ck_assert_errno(unixpeer_open_pidfd(fd), error);
}

START_TEST(datagrams_have_no_peer)
{
	const char *name = support_abstract("gram");
	struct unixconn *server = unixconn_open("unixgram", name, NULL);
	struct unixconn *client =
		unixconn_dial("unixgram", name, NULL, UNIXMSG_NOW);

	expect_no_peer(unixconn_get_fd(server), ENOTSUP);
	expect_no_peer(unixconn_get_fd(client), ENOTSUP);
	unixconn_close(client);
	unixconn_close(server);
}
END_TEST

START_TEST(a_listener_has_no_peer)
{
	struct unixlistener *listener =
		unixlistener_open("unixpacket", support_abstract("listener"),
			&(struct unixlisten_options){ .backlog = 1 });

	ck_assert_ptr_nonnull(listener);
	expect_no_peer(unixlistener_get_fd(listener), ENOTSUP);
	unixlistener_close(listener);
}
END_TEST

START_TEST(nobody_is_the_peer_before_connecting)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	expect_no_peer(fd, ENOTSUP);
	close(fd);
}
END_TEST

START_TEST(what_is_no_socket_has_no_peer)
{
	int pipe[2];

	support_ready_init(pipe);
	expect_no_peer(pipe[0], ENOTSOCK);
	expect_no_peer(-1, EBADF);
	close_pair(pipe);
}
END_TEST

START_TEST(a_socket_of_another_family_has_no_such_peer)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct unixcred cred;

	ck_assert_errno(unixpeer_get_cred(fd, &cred), ENOTSUP);
	close(fd);
}
END_TEST

/* Groups */

enum { GROUPS = 100 };

static void join_groups(void)
{
	gid_t groups[GROUPS];
	size_t i;

	for (i = 0; i < GROUPS; i++)
		groups[i] = (gid_t)(5000 + i);
	ck_assert_int_eq(setgroups(GROUPS, groups), 0);
}

static void leave_groups(void)
{
	ck_assert_int_eq(setgroups(0, NULL), 0);
}

static void expect_groups(int fd)
{
	gid_t groups[GROUPS + 1];
	size_t i, count = 0;

	ck_assert_int_eq(unixpeer_get_groups(fd, groups, GROUPS, &count), 0);
	ck_assert_uint_eq(count, GROUPS);
	for (i = 0; i < GROUPS; i++)
		ck_assert_uint_eq(groups[i], 5000 + i);
	count = 0;
	ck_assert_int_eq(unixpeer_get_groups(fd, groups, COUNT(groups), &count),
		0);
	ck_assert_uint_eq(count, GROUPS);
}

START_TEST(the_groups_of_the_peer_are_those_of_the_connect)
{
	struct visit visit;

	visit_as(&visit, join_groups, leave_groups);
	expect_groups(visit.fd);
	end_visitor(&visit);
	expect_groups(visit.fd);
	end_visit(&visit);
}
END_TEST

START_TEST(too_little_room_for_groups_is_told_with_their_number)
{
	gid_t groups[GROUPS] = { 7777 };
	struct visit visit;
	size_t room, count;

	visit_as(&visit, join_groups, NULL);
	for (room = 0; room < GROUPS; room++) {
		count = 0;
		ck_assert_errno(unixpeer_get_groups(visit.fd,
					room == 0 ? NULL : groups, room,
					&count),
			ERANGE);
		ck_assert_uint_eq(count, GROUPS);
	}
	end_visit(&visit);
}
END_TEST

START_TEST(a_room_beyond_all_groups_is_no_mistake)
{
	static gid_t groups[65536];
	struct visit visit;
	size_t count = 0;

	visit_as(&visit, join_groups, NULL);
	ck_assert_int_eq(unixpeer_get_groups(visit.fd, groups,
				 SIZE_MAX / sizeof(gid_t) + 1, &count),
		0);
	ck_assert_uint_eq(count, GROUPS);
	end_visit(&visit);
}
END_TEST

START_TEST(no_groups_need_no_room)
{
	struct visit visit;
	size_t count = 7;

	visit_as(&visit, leave_groups, NULL);
	ck_assert_int_eq(unixpeer_get_groups(visit.fd, NULL, 0, &count), 0);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(unixpeer_is_in_group(visit.fd, 0), 1);
	ck_assert_int_eq(unixpeer_is_in_group(visit.fd, 5000), 0);
	end_visit(&visit);
}
END_TEST

START_TEST(the_peer_is_in_its_own_group_and_the_others)
{
	struct visit visit;

	visit_as(&visit, join_groups, NULL);
	errno = EXDEV;
	ck_assert_int_eq(unixpeer_is_in_group(visit.fd, getegid()), 1);
	ck_assert_int_eq(unixpeer_is_in_group(visit.fd, 5000), 1);
	ck_assert_int_eq(unixpeer_is_in_group(visit.fd, 5000 + GROUPS - 1), 1);
	ck_assert_int_eq(unixpeer_is_in_group(visit.fd, 5000 + GROUPS), 0);
	ck_assert_int_eq(unixpeer_is_in_group(visit.fd, 4999), 0);
	ck_assert_int_eq(errno, EXDEV);
	end_visit(&visit);
}
END_TEST

/* Labels */

static bool has_labels(void)
{
	char label[4096];
	int fds[2];
	bool has;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return false;
	has = unixpeer_get_label(fds[0], label, sizeof(label)) == 0;
	close_pair(fds);
	return has;
}

START_TEST(no_label_is_told)
{
	char label[64];
	int fds[2];

	make_pair(_i, fds);
	ck_assert_errno(unixpeer_get_label(fds[0], label, sizeof(label)),
		ENOTSUP);
	close_pair(fds);
}
END_TEST

START_TEST(a_label_is_whole_or_an_error)
{
	char label[4096], other[4096];
	size_t room, size;
	int fds[2];

	make_pair(_i, fds);
	if (!has_labels())
		played_label = "unconfined";
	ck_assert_int_eq(unixpeer_get_label(fds[0], label, sizeof(label)), 0);
	size = strlen(label);
	for (room = 1; room <= size; room++)
		ck_assert_errno(unixpeer_get_label(fds[0], other, room),
			ERANGE);
	ck_assert_int_eq(unixpeer_get_label(fds[0], other, size + 2), 0);
	ck_assert_str_eq(label, other);
	played_label = NULL;
	close_pair(fds);
}
END_TEST

START_TEST(no_room_for_a_label_is_told)
{
	char label = 7;
	int fds[2];

	make_pair(_i, fds);
	ck_assert_errno(unixpeer_get_label(fds[0], &label, 0), ERANGE);
	ck_assert_errno(unixpeer_get_label(fds[0], NULL, 0), ERANGE);
	ck_assert_int_eq(label, 7);
	close_pair(fds);
	ck_assert_errno(unixpeer_get_label(-1, &label, 1), EBADF);
}
END_TEST

/* Processes */

static bool has_pidfds(void)
{
	int fds[2], pidfd;
	socklen_t length = sizeof(pidfd);
	bool has;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return false;
	has = getsockopt(fds[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) ==
		0;
	if (has)
		close(pidfd);
	close_pair(fds);
	return has;
}

START_TEST(the_pidfd_of_a_peer_tells_when_it_ends)
{
	struct visit visit;
	int pidfd;

	visit_as(&visit, NULL, NULL);
	pidfd = unixpeer_open_pidfd(visit.fd);
	ck_assert_int_ge(pidfd, 0);
	ck_assert_int_eq(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(unixpeer_is_alive(pidfd), 1);
	end_visitor(&visit);
	ck_assert_int_eq(unixpeer_is_alive(pidfd), 0);
	close(pidfd);
	end_visit(&visit);
}
END_TEST

START_TEST(a_peer_that_is_dead_is_not_taken_for_another)
{
	struct visit visit;
	int pidfd;

	visit_as(&visit, NULL, NULL);
	end_visitor(&visit);
	pidfd = unixpeer_open_pidfd(visit.fd);
	/* Newer kernels keep what is known of it. */
	if (pidfd >= 0) {
		ck_assert_int_eq(unixpeer_is_alive(pidfd), 0);
		close(pidfd);
	} else {
		ck_assert(errno == ENOTSUP || errno == ESRCH);
	}
	end_visit(&visit);
}
END_TEST

START_TEST(a_kernel_without_pidfds_is_told)
{
	int fds[2];

	make_pair(_i, fds);
	ck_assert_errno(unixpeer_open_pidfd(fds[0]), ENOTSUP);
	close_pair(fds);
}
END_TEST

/* Of another version, or whose peer has left nothing to be told. */
START_TEST(what_the_kernel_does_not_know_is_told)
{
	static const int errors[] = { ENOPROTOOPT, EINVAL, ENODATA };
	char label[64];
	size_t count;
	int fds[2];

	make_pair(0, fds);
	played_error = errors[_i];
	ck_assert_errno(unixpeer_get_label(fds[0], label, sizeof(label)),
		ENOTSUP);
	ck_assert_errno(unixpeer_get_groups(fds[0], NULL, 0, &count), ENOTSUP);
	ck_assert_errno(unixpeer_open_pidfd(fds[0]), ENOTSUP);
	played_error = EPERM;
	ck_assert_errno(unixpeer_open_pidfd(fds[0]), EPERM);
	played_error = 0;
	close_pair(fds);
}
END_TEST

START_TEST(a_bad_descriptor_is_neither_alive_nor_dead)
{
	ck_assert_errno(unixpeer_is_alive(1000), EBADF);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("peer");

	tcase_add_loop_test(tcase, the_peer_of_a_pair_is_who_made_it, 0, 3);
	tcase_add_test(tcase, both_sides_of_a_connection_know_each_other);
	support_add_root_test(tcase, the_peer_is_the_effective_user);
	support_add_root_test(tcase, the_peer_stays_who_has_connected);
	tcase_add_test(tcase, datagrams_have_no_peer);
	tcase_add_test(tcase, a_listener_has_no_peer);
	tcase_add_test(tcase, nobody_is_the_peer_before_connecting);
	tcase_add_test(tcase, what_is_no_socket_has_no_peer);
	tcase_add_test(tcase, a_socket_of_another_family_has_no_such_peer);
	support_add_root_test(tcase,
		the_groups_of_the_peer_are_those_of_the_connect);
	support_add_root_test(tcase,
		too_little_room_for_groups_is_told_with_their_number);
	support_add_root_test(tcase, a_room_beyond_all_groups_is_no_mistake);
	support_add_root_test(tcase, no_groups_need_no_room);
	support_add_root_test(tcase,
		the_peer_is_in_its_own_group_and_the_others);
	support_add_loop_test_if(tcase, no_label_is_told, 2, !has_labels(),
		"a security module gives labels");
	tcase_add_loop_test(tcase, a_label_is_whole_or_an_error, 0, 2);
	tcase_add_test(tcase, no_room_for_a_label_is_told);
	support_add_test_if(tcase, the_pidfd_of_a_peer_tells_when_it_ends,
		has_pidfds(), "the kernel has no SO_PEERPIDFD");
	support_add_test_if(tcase, a_peer_that_is_dead_is_not_taken_for_another,
		has_pidfds(), "the kernel has no SO_PEERPIDFD");
	support_add_test_if(tcase, a_kernel_without_pidfds_is_told,
		!has_pidfds(), "the kernel has SO_PEERPIDFD");
	tcase_add_loop_test(tcase, what_the_kernel_does_not_know_is_told, 0, 3);
	tcase_add_test(tcase, a_bad_descriptor_is_neither_alive_nor_dead);
	return support_run_cases("peer", tcase);
}
