/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "name/holder.h"
#include "support/scene.h"

/* How often a socket was met, at which processes and descriptors. */
struct wanted {
	uint64_t ino;
	pid_t pid;
	int fd;
	size_t found;  /* with that pid and fd */
	size_t others; /* with others */
};

static int take_wanted(void *context, const struct unixholder *holder)
{
	struct wanted *wanted = context;

	if (holder->ino != wanted->ino)
		return 0;
	if (holder->pid == wanted->pid && holder->fd == wanted->fd)
		wanted->found++;
	else
		wanted->others++;
	return 0;
}

static struct wanted look_for(int fd, pid_t pid)
{
	struct wanted wanted = { .pid = pid, .fd = fd };
	struct stat status;
	unsigned int denied;

	ck_assert_int_eq(fstat(fd, &status), 0);
	wanted.ino = status.st_ino;
	ck_assert_int_eq(unixholder__list(take_wanted, &wanted, &denied), 0);
	return wanted;
}

START_TEST(an_own_socket_is_found)
{
	int before, fd = open_socket(SOCK_DGRAM);
	struct wanted wanted;

	before = support_count_fds();
	wanted = look_for(fd, getpid());
	ck_assert_uint_eq(wanted.found, 1);
	ck_assert_uint_eq(wanted.others, 0);
	ck_assert_int_eq(support_count_fds(), before);
	close(fd);
}
END_TEST

START_TEST(each_descriptor_of_a_socket_is_found)
{
	int fd = open_socket(SOCK_DGRAM), copy = dup(fd);
	struct wanted wanted = look_for(copy, getpid());

	ck_assert_uint_eq(wanted.found, 1);
	ck_assert_uint_eq(wanted.others, 1);
	close(copy);
	close(fd);
}
END_TEST

START_TEST(a_child_holds_it_too)
{
	int fd = open_socket(SOCK_DGRAM);
	struct wanted wanted;
	pid_t pid = support_fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	wanted = look_for(fd, pid);
	ck_assert_uint_eq(wanted.found, 1);
	ck_assert_uint_eq(wanted.others, 1);
	kill(pid, SIGKILL);
	support_waitpid(pid, NULL);
	close(fd);
}
END_TEST

static int refuse_all(void *context, const struct unixholder *holder)
{
	(void)holder;
	++*(int *)context;
	errno = E2BIG;
	return -1;
}

START_TEST(who_takes_may_end_the_walk)
{
	int calls = 0, fd = open_socket(SOCK_DGRAM),
	    before = support_count_fds();
	unsigned int denied;

	ck_assert_errno(unixholder__list(refuse_all, &calls, &denied), E2BIG);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(support_count_fds(), before);
	close(fd);
}
END_TEST

START_TEST(errno_is_left_alone)
{
	struct wanted wanted = { 0 };
	unsigned int denied;

	errno = ERANGE;
	ck_assert_int_eq(unixholder__list(take_wanted, &wanted, &denied), 0);
	ck_assert_int_eq(errno, ERANGE);
}
END_TEST

/* With room for one more descriptor, for /proc, and with none. */
START_TEST(running_out_of_descriptors_is_told)
{
	struct wanted wanted = { 0 };
	unsigned int denied;

	support_limit_fds(_i);
	ck_assert_errno(unixholder__list(take_wanted, &wanted, &denied),
		EMFILE);
	support_lift_fds_limit();
}
END_TEST

START_TEST(what_may_not_be_seen_is_counted)
{
	int fd = open_socket(SOCK_DGRAM);
	struct wanted wanted = { .pid = getpid(), .fd = fd };
	struct stat status;
	unsigned int denied;
	pid_t pid;

	ck_assert_int_eq(fstat(fd, &status), 0);
	wanted.ino = status.st_ino;
	ck_assert_int_eq(unixholder__list(take_wanted, &wanted, &denied), 0);
	ck_assert_uint_eq(denied, 0);
	pid = support_fork();
	if (pid == 0) {
		wanted.found = 0;
		support_as_nobody();
		ck_assert_int_eq(unixholder__list(take_wanted, &wanted,
					 &denied),
			0);
		ck_assert_uint_gt(denied, 0);
		ck_assert_uint_eq(wanted.found, 0);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	close(fd);
}
END_TEST

START_TEST(a_process_tells_its_command_and_user)
{
	struct unixholder_process process;

	ck_assert_int_eq(prctl(PR_SET_NAME, "some name"), 0);
	ck_assert_int_eq(unixholder__read_process(getpid(), &process), 0);
	ck_assert_str_eq(process.command, "some name");
	ck_assert_uint_eq(process.user, geteuid());
}
END_TEST

static const struct {
	const char *name;
	const char *shown;
} commands[] = {
	{ "", "" },
	{ "a\nUid:\t9 9\n", "a\\x0aUid:\\x099 9\\x0a" },
	{ "back\\slash", "back\\x5cslash" },
	{ "\xff\xfe\x1b[2J", "\\xff\\xfe\\x1b[2J" },
	/* The last that are printable, and the first that are not. */
	{ " ~\x1f\x7f\x80", " ~\\x1f\\x7f\\x80" },
	{ "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
		"\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01"
		"\\x01\\x01\\x01" },
};

START_TEST(a_command_is_printable_whatever_it_is)
{
	struct unixholder_process process;

	ck_assert_int_eq(prctl(PR_SET_NAME, commands[_i].name), 0);
	ck_assert_int_eq(unixholder__read_process(getpid(), &process), 0);
	ck_assert_str_eq(process.command, commands[_i].shown);
	ck_assert_uint_eq(process.user, geteuid());
}
END_TEST

START_TEST(the_user_is_the_effective_one)
{
	struct unixholder_process process;
	pid_t pid = support_fork();

	if (pid == 0) {
		ck_assert_int_eq(seteuid(12345), 0);
		ck_assert_int_eq(unixholder__read_process(getpid(), &process),
			0);
		ck_assert_uint_eq(process.user, 12345);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_process_that_has_ended_is_not_there)
{
	struct unixholder_process process;
	int before = support_count_fds();
	pid_t pid = support_fork();

	if (pid == 0)
		_exit(0);
	support_wait_exit(pid, 0);
	ck_assert_errno(unixholder__read_process(pid, &process), ENOENT);
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

static TCase *make_walks(void)
{
	TCase *tcase = make_tcase("walks");

	tcase_add_test(tcase, an_own_socket_is_found);
	tcase_add_test(tcase, each_descriptor_of_a_socket_is_found);
	tcase_add_test(tcase, a_child_holds_it_too);
	tcase_add_test(tcase, who_takes_may_end_the_walk);
	tcase_add_test(tcase, errno_is_left_alone);
	tcase_add_loop_test(tcase, running_out_of_descriptors_is_told, 0, 2);
	support_add_root_test(tcase, what_may_not_be_seen_is_counted);
	return tcase;
}

static TCase *make_processes(void)
{
	TCase *tcase = make_tcase("processes");

	tcase_add_test(tcase, a_process_tells_its_command_and_user);
	tcase_add_loop_test(tcase, a_command_is_printable_whatever_it_is, 0,
		COUNT(commands));
	support_add_root_test(tcase, the_user_is_the_effective_one);
	tcase_add_test(tcase, a_process_that_has_ended_is_not_there);
	return tcase;
}

int main(void)
{
	return support_run_cases("holder", make_walks(), make_processes());
}
