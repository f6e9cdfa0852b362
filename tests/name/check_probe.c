/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "name/name_private.h"
#include "name/probe.h"
#include "support/scene.h"

static int open_path(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int probe(const char *path)
{
	int fd = open_path(path), result = unixprobe__is_dead(fd, NULL, NULL);
	int saved = errno;

	close(fd);
	errno = saved;
	return result;
}

START_TEST(a_file_without_an_owner_is_dead)
{
	const char *path = support_path("dead.sock");

	close(open_bound(types[_i], path));
	ck_assert_int_eq(probe(path), 0);
}
END_TEST

START_TEST(a_bound_file_is_alive)
{
	const char *path = support_path("bound.sock");
	int fd = open_bound(types[_i], path);
	int before = support_count_fds();

	ck_assert_errno(probe(path), EADDRINUSE);
	ck_assert_int_eq(support_count_fds(), before);
	close(fd);
}
END_TEST

START_TEST(a_listener_hears_nothing_of_it)
{
	const char *path = support_path("listen.sock");
	int fd = open_bound(_i == 0 ? SOCK_STREAM : SOCK_SEQPACKET, path);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_errno(probe(path), EADDRINUSE);
	ck_assert_int_eq(support_poll(&poll_fd, 1, 0), 0);
	close(fd);
}
END_TEST

START_TEST(a_datagram_owner_hears_nothing_of_it)
{
	const char *path = support_path("gram.sock");
	int fd = open_bound(SOCK_DGRAM, path);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	ck_assert_errno(probe(path), EADDRINUSE);
	ck_assert_int_eq(support_poll(&poll_fd, 1, 0), 0);
	close(fd);
}
END_TEST

START_TEST(who_may_not_ask_takes_it_for_alive)
{
	const char *path = support_path("secret.sock");
	pid_t pid;

	close(open_bound(SOCK_DGRAM, path));
	ck_assert_int_eq(chmod(path, 0600), 0);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		ck_assert_errno(probe(path), EADDRINUSE);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(an_owner_in_another_network_namespace_is_alive)
{
	const char *path = support_path("netns.sock");
	int fd = open_bound(types[_i], path);
	pid_t pid = support_fork();

	if (pid == 0) {
		ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
		ck_assert_errno(probe(path), EADDRINUSE);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	close(fd);
}
END_TEST

START_TEST(without_descriptors_nothing_is_dead)
{
	const char *path = support_path("limit.sock");
	int fd;

	close(open_bound(SOCK_DGRAM, path));
	fd = open_path(path);
	support_limit_fds(0);
	ck_assert_errno(unixprobe__is_dead(fd, NULL, NULL), EMFILE);
	support_lift_fds_limit();
	close(fd);
}
END_TEST

/* The file that is looked at, and the directory it is in. */
static int dir_fd, path_fd;

static void open_both(const char *leaf)
{
	dir_fd = open(support_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
	path_fd = open_path(support_path(leaf));
}

static void close_both(void)
{
	close(path_fd);
	close(dir_fd);
}

START_TEST(a_dead_file_is_removed)
{
	close(open_bound(types[_i], support_path("x")));
	open_both("x");
	ck_assert_int_eq(unixname__remove_dead(dir_fd, support_dir(), "x",
				 path_fd, UNIXMSG_NOW),
		0);
	ck_assert_int_lt(access(support_path("x"), F_OK), 0);
	close_both();
}
END_TEST

START_TEST(a_live_one_is_not_removed)
{
	int fd = open_bound(types[_i], support_path("x"));

	open_both("x");
	ck_assert_errno(unixname__remove_dead(dir_fd, support_dir(), "x",
				path_fd, UNIXMSG_NOW),
		EADDRINUSE);
	ck_assert_int_eq(access(support_path("x"), F_OK), 0);
	close_both();
	close(fd);
}
END_TEST

START_TEST(what_is_no_socket_is_not_removed)
{
	close(open(support_path("x"), O_CREAT | O_WRONLY, 0600));
	open_both("x");
	ck_assert_errno(unixname__remove_dead(dir_fd, support_dir(), "x",
				path_fd, UNIXMSG_NOW),
		ENOTSOCK);
	ck_assert_int_eq(access(support_path("x"), F_OK), 0);
	close_both();
}
END_TEST

/* A server came back between the look and the removal. */
START_TEST(a_live_one_that_has_taken_its_place_is_not_removed)
{
	int fd;

	close(open_bound(SOCK_DGRAM, support_path("x")));
	open_both("x");
	ck_assert_int_eq(unlink(support_path("x")), 0);
	fd = open_bound(SOCK_DGRAM, support_path("x"));
	ck_assert_errno(unixname__remove_dead(dir_fd, support_dir(), "x",
				path_fd, UNIXMSG_NOW),
		EADDRINUSE);
	ck_assert_errno(probe(support_path("x")), EADDRINUSE);
	close_both();
	close(fd);
}
END_TEST

START_TEST(what_has_gone_already_is_gone)
{
	close(open_bound(SOCK_DGRAM, support_path("x")));
	open_both("x");
	ck_assert_int_eq(unlink(support_path("x")), 0);
	ck_assert_int_eq(unixname__remove_dead(dir_fd, support_dir(), "x",
				 path_fd, UNIXMSG_NOW),
		0);
	close_both();
}
END_TEST

static TCase *make_probes(void)
{
	TCase *tcase = make_tcase("probes");

	tcase_add_loop_test(tcase, a_file_without_an_owner_is_dead, 0, TYPES);
	tcase_add_loop_test(tcase, a_bound_file_is_alive, 0, TYPES);
	tcase_add_loop_test(tcase, a_listener_hears_nothing_of_it, 0, 2);
	tcase_add_test(tcase, a_datagram_owner_hears_nothing_of_it);
	support_add_root_test(tcase, who_may_not_ask_takes_it_for_alive);
	tcase_add_test(tcase, without_descriptors_nothing_is_dead);
	support_add_loop_test_if(tcase,
		an_owner_in_another_network_namespace_is_alive, TYPES,
		support_can_unshare(CLONE_NEWNET), "no network namespaces");
	return tcase;
}

static TCase *make_removals(void)
{
	TCase *tcase = make_tcase("removals");

	tcase_add_loop_test(tcase, a_dead_file_is_removed, 0, TYPES);
	tcase_add_loop_test(tcase, a_live_one_is_not_removed, 0, TYPES);
	tcase_add_test(tcase, what_is_no_socket_is_not_removed);
	tcase_add_test(tcase,
		a_live_one_that_has_taken_its_place_is_not_removed);
	tcase_add_test(tcase, what_has_gone_already_is_gone);
	return tcase;
}

int main(void)
{
	return support_run_cases("probe", make_probes(), make_removals());
}
