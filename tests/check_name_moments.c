/* SPDX-License-Identifier: MIT */
/*
 * What another may do between two calls of ours: it is done in exactly that
 * moment. The library is linked statically here, so that these calls are the
 * ones it makes.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scene.h"

static const char leaf[] = "socket";

static bool is_lying;           /* connect: nobody is there */
static bool is_taken_at_rename; /* by newcomer */
static bool is_swapped_at_open; /* for the file of swapped */
static int newcomer;
static const char *swapped;

/* bind(2) makes the file before it makes the socket to be found there. */
int connect(int fd, const struct sockaddr *sa, socklen_t length)
{
	if (!is_lying)
		return (int)syscall(SYS_connect, fd, sa, length);
	errno = ECONNREFUSED;
	return -1;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	int result = (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);

	is_lying = false;
	if (is_taken_at_rename) {
		is_taken_at_rename = false;
		newcomer = open_bound(SOCK_DGRAM, support_path(leaf));
	}
	return result;
}

int openat(int fd, const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	va_start(list, flags);
	mode = va_arg(list, mode_t);
	va_end(list);
	if (is_swapped_at_open && strcmp(path, leaf) == 0) {
		is_swapped_at_open = false;
		ck_assert_int_eq(rename(swapped, support_path(leaf)), 0);
	}
	return (int)syscall(SYS_openat, fd, path, flags, mode);
}

static int open_with(struct server *server, int type, unsigned int flags,
	mode_t mode)
{
	struct unixname_options options;

	unixname_options_init(&options);
	options.flags = flags;
	options.mode = mode;
	return open_server(server, type, support_path(leaf), &options);
}

/*
 * An owner who seemed dead was set aside, is alive, and cannot come back: the
 * name has a new owner, who must not lose it.
 */
START_TEST(who_comes_while_a_live_owner_is_set_aside_keeps_the_name)
{
	int owner = open_listening(types[_i], support_path(leaf));
	struct server server;
	struct stat found;

	is_lying = true;
	is_taken_at_rename = true;
	ck_assert_errno(open_with(&server, types[_i], 0, 0600), EADDRINUSE);
	ck_assert(!is_taken_at_rename);
	assert_files(1);
	found = look_at(support_path(leaf));
	ck_assert_int_eq(try_to_reach(support_path(leaf)), 0);
	send_to(support_path(leaf));
	ck_assert_int_eq(recv(newcomer, &(char){ 0 }, 1, MSG_DONTWAIT), 1);
	assert_same_file(support_path(leaf), &found);
	assert_hears_nothing(owner, types[_i]);
	close(newcomer);
	close(owner);
	unlink(support_path(leaf));
}
END_TEST

/* The name is wanted whoever has it: neither of both keeps a file. */
START_TEST(who_comes_while_a_name_is_taken_over_is_replaced_too)
{
	int owner = open_listening(types[_i], support_path(leaf));
	struct server server;

	is_taken_at_rename = true;
	ck_assert_int_eq(open_with(&server, types[_i], UNIXMSG_NAME_REPLACE,
				 0600),
		0);
	ck_assert(!is_taken_at_rename);
	assert_files(1);
	assert_hears_nothing(newcomer, SOCK_DGRAM);
	ck_assert_int_eq(try_to_reach(support_path(leaf)),
		types[_i] == SOCK_DGRAM ? 0 : EPROTOTYPE);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
	close(newcomer);
	close(owner);
}
END_TEST

/* Only the file that we have made gets the mode that we want. */
START_TEST(a_file_that_is_swapped_for_ours_keeps_its_mode)
{
	int other = open_bound(SOCK_DGRAM, support_path("other"));
	struct server server;
	struct stat before;
	mode_t old;

	swapped = support_path("other");
	ck_assert_int_eq(chmod(swapped, 0600), 0);
	before = look_at(swapped);
	is_swapped_at_open = true;
	old = umask(077);
	ck_assert_errno(open_with(&server, types[_i], 0, 0666), EADDRINUSE);
	umask(old);
	ck_assert(!is_swapped_at_open);
	assert_files(1);
	assert_same_file(support_path(leaf), &before);
	close(other);
	unlink(support_path(leaf));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("name_moments");
	TCase *tcase = make_tcase("moments");

	tcase_add_loop_test(tcase,
		who_comes_while_a_live_owner_is_set_aside_keeps_the_name, 0,
		TYPES);
	tcase_add_loop_test(tcase,
		who_comes_while_a_name_is_taken_over_is_replaced_too, 0, TYPES);
	tcase_add_loop_test(tcase,
		a_file_that_is_swapped_for_ours_keeps_its_mode, 0, TYPES);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
