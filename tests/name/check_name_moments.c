/* SPDX-License-Identifier: MIT */
/*
 * What another may do between two calls of ours: it is done in exactly that
 * moment. The library is linked statically here, so that these calls are the
 * ones it makes.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "name/diag.h"
#include "name/file.h"
#include "support/diag_play.h"
#include "support/scene.h"
#include "support/syscall_play.h"

static const char leaf[] = "socket";

static bool is_lying;           /* connect: nobody is there */
static bool is_taken_at_rename; /* by newcomer */
static bool is_swapped_at_open; /* for the file of swapped */
static bool is_removed_at_open;
static bool is_shut_at_rename; /* the file system, by a remount */
static bool is_shut;
static bool is_removed_at_unlink; /* by another, just before us */
static int vain_unlinks;          /* the file was put back, just before us */
static bool is_remote;            /* the file system: FUSE */
static int newcomer;
static const char *swapped;

/* What another does as soon as the name is bound, or just before a probe or a
 * link is made. */
static void (*act_at_bind)(void);
static void (*act_at_connect)(void);
static void (*act_at_link)(void);

static void act(void (**what)(void))
{
	void (*action)(void) = *what;

	*what = NULL;
	if (action != NULL)
		action();
}

static unsigned int binds;

int bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	int result = (int)syscall(SYS_bind, fd, sa, length);

	if (result == 0 && act_at_bind != NULL) {
		act(&act_at_bind);
		binds++;
	}
	return result;
}

/* bind(2) makes the file before it makes the socket to be found there. */
int connect(int fd, const struct sockaddr *sa, socklen_t length)
{
	act(&act_at_connect);
	if (!is_lying)
		return (int)syscall(SYS_connect, fd, sa, length);
	errno = ECONNREFUSED;
	return -1;
}

static void act_at_rename(void)
{
	is_lying = false;
	is_shut |= is_shut_at_rename;
	if (is_taken_at_rename) {
		is_taken_at_rename = false;
		newcomer = open_bound(SOCK_DGRAM, support_path(leaf));
	}
}

/* renameat2(2) is called by number. */
static long play_call(long number, long a, long b, long c, long d, long e)
{
	long result;

	if (number == SYS_renameat2 && is_shut) {
		errno = EROFS;
		return -1;
	}
	result = make_call(number, a, b, c, d, e);
	if (number == SYS_renameat2)
		act_at_rename();
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
	if (is_removed_at_open && strcmp(path, leaf) == 0) {
		is_removed_at_open = false;
		ck_assert_int_eq(unlink(support_path(leaf)), 0);
	}
	return (int)syscall(SYS_openat, fd, path, flags, mode);
}

int unlinkat(int fd, const char *path, int flags)
{
	if (vain_unlinks > 0) {
		vain_unlinks--;
		errno = ENOENT;
		return -1;
	}
	if (is_removed_at_unlink) {
		is_removed_at_unlink = false;
		syscall(SYS_unlinkat, fd, path, flags);
	}
	return (int)syscall(SYS_unlinkat, fd, path, flags);
}

int linkat(int fd, const char *path, int to_fd, const char *to, int flags)
{
	act(&act_at_link);
	if (is_shut) {
		errno = EROFS;
		return -1;
	}
	return (int)syscall(SYS_linkat, fd, path, to_fd, to, flags);
}

int fstatfs(int fd, struct statfs *found)
{
	int result = (int)syscall(SYS_fstatfs, fd, found);

	if (is_remote)
		found->f_type = 0x65735546;
	return result;
}

/* As one does who knows no lock. */
static void take_name(void)
{
	ck_assert_int_eq(unlink(support_path(leaf)), 0);
	newcomer = open_bound(SOCK_DGRAM, support_path(leaf));
	ck_assert_int_eq(chmod(support_path(leaf), 0600), 0);
}

static void assert_newcomer_has_the_name(void)
{
	ck_assert_uint_eq(binds, 1);
	assert_files(1);
	ck_assert_uint_eq(mode_of(support_path(leaf)), 0600);
	send_to(support_path(leaf));
	ck_assert_int_eq(recv(newcomer, &(char){ 0 }, 1, MSG_DONTWAIT), 1);
	close(newcomer);
	ck_assert_int_eq(unlink(support_path(leaf)), 0);
}

/* Our file is gone before we have looked at it: this one is not ours. */
START_TEST(who_takes_the_name_before_we_look_keeps_it)
{
	struct server server;

	act_at_bind = take_name;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_newcomer_has_the_name();
}
END_TEST

static void take_name_as_another(void)
{
	take_name();
	ck_assert_int_eq(chown(support_path(leaf), 65534, 65534), 0);
}

START_TEST(another_user_who_takes_the_name_before_we_look_keeps_it)
{
	struct server server;

	act_at_bind = take_name_as_another;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_newcomer_has_the_name();
}
END_TEST

START_TEST(who_takes_the_name_keeps_it_if_the_list_is_begun_anew)
{
	struct server server;

	act_at_bind = take_name;
	diag_play.is_list_cut = true;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	ck_assert(!diag_play.is_list_cut);
	assert_newcomer_has_the_name();
}
END_TEST

/* Neither his file nor ours is there when we want to know whose it is. */
START_TEST(who_takes_the_name_and_goes_has_won)
{
	struct server server;

	act_at_bind = take_name;
	is_removed_at_open = true;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	ck_assert(!is_removed_at_open);
	assert_files(0);
	close(newcomer);
}
END_TEST

static void remove_name(void)
{
	ck_assert_int_eq(unlink(support_path(leaf)), 0);
}

/* He will bind next. */
START_TEST(who_removes_our_file_before_we_look_has_won)
{
	struct server server;

	act_at_bind = remove_name;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	ck_assert_uint_eq(binds, 1);
	assert_files(0);
}
END_TEST

START_TEST(who_removes_our_file_before_we_change_it_has_won)
{
	struct server server;
	mode_t old = umask(077);

	is_removed_at_open = true;
	ck_assert_errno(open_as(&server, types[_i], 0, 0666), EADDRINUSE);
	umask(old);
	ck_assert(!is_removed_at_open);
	assert_files(0);
}
END_TEST

START_TEST(who_takes_the_name_of_a_dead_one_before_we_look_keeps_it)
{
	struct server server;

	make_dead(types[_i], support_path(leaf));
	act_at_bind = take_name;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_newcomer_has_the_name();
}
END_TEST

/* The one whom we wanted to replace cannot have it again either. */
START_TEST(who_takes_the_name_of_a_live_one_before_we_look_keeps_it)
{
	int owner = open_listening(types[_i], support_path(leaf));
	struct server server;

	act_at_bind = take_name;
	ck_assert_errno(open_as(&server, types[_i], UNIXMSG_LISTEN_REPLACE,
				0600),
		EADDRINUSE);
	assert_newcomer_has_the_name();
	assert_hears_nothing(owner, types[_i]);
	close(owner);
}
END_TEST

/* As what bind(2) makes, before there is a socket to be found. */
static void begin_to_take_name(void)
{
	ck_assert_int_eq(unlink(support_path(leaf)), 0);
	make_dead(SOCK_DGRAM, support_path(leaf));
}

START_TEST(whose_bind_is_still_at_work_keeps_the_name)
{
	struct server server;

	act_at_bind = begin_to_take_name;
	is_remote = _i >= TYPES;
	ck_assert_errno(open_as(&server, types[_i % TYPES], 0, 0600),
		EADDRINUSE);
	is_remote = false;
	ck_assert_uint_eq(binds, 1);
	assert_files(1);
	assert_is_socket(support_path(leaf));
	ck_assert_int_eq(unlink(support_path(leaf)), 0);
}
END_TEST

static void assert_name_is_taken_and_given_up(int type)
{
	struct server server;

	errno = ELIBSCN;
	ck_assert_int_eq(open_as(&server, type, 0, 0600), 0);
	ck_assert_int_eq(errno, ELIBSCN);
	ck_assert_uint_eq(mode_of(support_path(leaf)), 0600);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}

START_TEST(where_the_kernel_tells_nothing_a_name_is_taken_too)
{
	diag_play.error = EAFNOSUPPORT;
	assert_name_is_taken_and_given_up(types[_i]);
	ck_assert_uint_gt(diag_play.refusals, 0);
}
END_TEST

/* There are file systems that stat(2) tells other numbers of. No other socket
 * has this one: a file's own could be that of a file of a test beside it. */
START_TEST(where_files_have_two_numbers_a_name_is_taken_too)
{
	if (_i < TYPES)
		diag_play.device = 0x55555555;
	else
		diag_play.file = 0x55555555;
	diag_play.answers = UINT_MAX;
	assert_name_is_taken_and_given_up(types[_i % TYPES]);
	ck_assert_uint_gt(diag_play.numbers, 0);
}
END_TEST

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
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
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

START_TEST(a_live_owner_who_cannot_come_back_does_so_later)
{
	const char *path = support_path(leaf);
	int owner = open_listening(types[_i], path);
	struct stat before = look_at(path);
	struct server server;

	is_lying = is_shut_at_rename = true;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_missing(path);
	assert_same_file(support_path(".unixmsg-socket"), &before);
	is_shut_at_rename = is_shut = false;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_same_file(path, &before);
	assert_files(1);
	close(owner);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* The name is wanted whoever has it: neither of both keeps a file. */
START_TEST(who_comes_while_a_name_is_taken_over_is_replaced_too)
{
	int owner = open_listening(types[_i], support_path(leaf));
	struct server server;

	is_taken_at_rename = true;
	ck_assert_int_eq(open_as(&server, types[_i], UNIXMSG_LISTEN_REPLACE,
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
	ck_assert_errno(open_as(&server, types[_i], 0, 0666), EADDRINUSE);
	umask(old);
	ck_assert(!is_swapped_at_open);
	assert_files(1);
	assert_same_file(support_path(leaf), &before);
	close(other);
	unlink(support_path(leaf));
}
END_TEST

/* Other processes that settle the same files. */

static void put_other_aside(void)
{
	ck_assert_int_eq(rename(support_path("other"),
				 support_path(".unixmsg-socket")),
		0);
}

START_TEST(what_comes_under_a_hidden_name_meanwhile_stays)
{
	const char *aside = support_path(".unixmsg-socket");
	struct server server;
	struct stat before;

	make_dead(types[_i], aside);
	make_file(support_path("other"), "precious");
	before = look_at(support_path("other"));
	act_at_connect = put_other_aside;
	ck_assert_int_eq(open_as(&server, types[_i], 0, 0600), 0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_same_file(aside, &before);
	assert_files(1);
	ck_assert_int_eq(unlink(aside), 0);
}
END_TEST

static void remove_aside(void)
{
	ck_assert_int_eq(unlink(support_path(".unixmsg-socket")), 0);
}

START_TEST(what_goes_from_a_hidden_name_meanwhile_is_gone)
{
	struct server server;

	make_dead(types[_i], support_path(".unixmsg-socket"));
	act_at_connect = remove_aside;
	ck_assert_int_eq(open_as(&server, types[_i], 0, 0600), 0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

START_TEST(a_dead_file_that_another_removes_first_is_gone)
{
	struct server server;

	make_dead(types[_i], support_path(leaf));
	is_removed_at_unlink = true;
	ck_assert_int_eq(open_as(&server, types[_i], 0, 0600), 0);
	ck_assert(!is_removed_at_unlink);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

START_TEST(a_file_that_is_put_back_again_and_again_stays)
{
	const char *path = support_path(leaf);
	int dir_fd = open(support_dir(), O_PATH | O_CLOEXEC);
	struct stat found;

	make_file(path, "");
	found = look_at(path);
	vain_unlinks = 1;
	ck_assert_int_eq(unixfile__remove(dir_fd, leaf, found.st_dev,
				 found.st_ino),
		0);
	assert_files(0);
	make_file(path, "");
	found = look_at(path);
	vain_unlinks = 100;
	ck_assert_errno(unixfile__remove(dir_fd, leaf, found.st_dev,
				found.st_ino),
		ENOENT);
	vain_unlinks = 0;
	assert_same_file(path, &found);
	assert_files(1);
	ck_assert_int_eq(unlink(path), 0);
	close(dir_fd);
}
END_TEST

START_TEST(a_file_of_the_same_number_on_another_device_is_another)
{
	const char *path = support_path(leaf);
	int dir_fd = open(support_dir(), O_PATH | O_CLOEXEC);
	struct stat found;

	make_file(path, "");
	found = look_at(path);
	ck_assert_errno(unixfile__remove(dir_fd, leaf, found.st_dev + 1,
				found.st_ino),
		EADDRINUSE);
	assert_files(1);
	ck_assert_int_eq(unlink(path), 0);
	close(dir_fd);
}
END_TEST

/* He was alive when he was asked first, without the lock. */
static void wait_for_the_next_connect(void)
{
	act_at_connect = remove_name;
}

START_TEST(who_goes_before_he_is_replaced_is_in_nobodys_way)
{
	int owner = open_listening(types[_i], support_path(leaf));
	struct server server;

	act_at_connect = wait_for_the_next_connect;
	ck_assert_int_eq(open_as(&server, types[_i], UNIXMSG_LISTEN_REPLACE,
				 0600),
		0);
	ck_assert_ptr_null(act_at_connect);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
	close(owner);
}
END_TEST

static void replace_owner(void)
{
	newcomer = open_bound(SOCK_DGRAM, support_path("other"));
	ck_assert_int_eq(rename(support_path("other"), support_path(leaf)), 0);
}

START_TEST(who_comes_before_a_name_is_taken_over_keeps_it)
{
	int owner = open_listening(types[_i], support_path(leaf));

	act_at_link = replace_owner;
	ck_assert_null_errno(unixtakeover_open(support_path(leaf), UNIXMSG_NOW),
		EBUSY);
	assert_files(1);
	send_to(support_path(leaf));
	ck_assert_int_eq(recv(newcomer, &(char){ 0 }, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(unlink(support_path(leaf)), 0);
	close(newcomer);
	close(owner);
}
END_TEST

static int pass_over(void *context, const struct unixdiag_socket *told)
{
	(void)context;
	(void)told;
	return 0;
}

static struct unixconn *receiver;
static int error_meanwhile;

static void receive_meanwhile(void)
{
	char byte;

	ck_assert_int_eq(unixconn_recv(receiver, &byte, 1, NULL, UNIXMSG_NOW),
		-1);
	error_meanwhile = errno;
}

/* It is about to be connected to a name of nobody's. */
START_TEST(who_receives_while_a_send_finds_no_server_may_wait)
{
	const char *address = support_abstract("server");
	struct unixconn *server = unixconn_open("unixgram", address, NULL);

	receiver = unixconn_dial("unixgram", address, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(receiver);
	ck_assert_int_eq(unixconn_close(server), 0);
	act_at_bind = receive_meanwhile;
	ck_assert_errno(unixconn_send(receiver, "x", 1, UNIXMSG_NOW),
		ECONNREFUSED);
	ck_assert_int_eq(error_meanwhile, EAGAIN);
	ck_assert_int_eq(unixconn_close(receiver), 0);
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, TYPES);
}

static void add_if(TCase *tcase, const TTest *test, int times, bool is_told)
{
	support_add_loop_test_if(tcase, test, times, is_told,
		"the kernel tells nothing of sockets");
}

static void add_what_is_told(TCase *tcase)
{
	bool is_told = unixdiag__list_names(pass_over, NULL) == 0;

	add_if(tcase, who_takes_the_name_before_we_look_keeps_it, TYPES,
		is_told);
	add_if(tcase, who_takes_the_name_keeps_it_if_the_list_is_begun_anew,
		TYPES, is_told);
	add_if(tcase, who_takes_the_name_and_goes_has_won, TYPES, is_told);
	add_if(tcase, who_takes_the_name_of_a_dead_one_before_we_look_keeps_it,
		TYPES, is_told);
	add_if(tcase, who_takes_the_name_of_a_live_one_before_we_look_keeps_it,
		TYPES, is_told);
	add_if(tcase, whose_bind_is_still_at_work_keeps_the_name, 2 * TYPES,
		is_told);
	add_if(tcase, where_files_have_two_numbers_a_name_is_taken_too,
		2 * TYPES, is_told);
	support_add_loop_test_if(tcase,
		another_user_who_takes_the_name_before_we_look_keeps_it, TYPES,
		is_told && support_is_root(), "not root, or nothing is told");
}

int main(void)
{
	TCase *tcase = make_tcase("moments");

	add(tcase, who_comes_while_a_live_owner_is_set_aside_keeps_the_name);
	add(tcase, a_live_owner_who_cannot_come_back_does_so_later);
	add(tcase, who_comes_while_a_name_is_taken_over_is_replaced_too);
	add(tcase, a_file_that_is_swapped_for_ours_keeps_its_mode);
	add(tcase, who_removes_our_file_before_we_look_has_won);
	add(tcase, who_removes_our_file_before_we_change_it_has_won);
	add(tcase, where_the_kernel_tells_nothing_a_name_is_taken_too);
	add(tcase, what_comes_under_a_hidden_name_meanwhile_stays);
	add(tcase, what_goes_from_a_hidden_name_meanwhile_is_gone);
	add(tcase, a_dead_file_that_another_removes_first_is_gone);
	tcase_add_test(tcase, a_file_that_is_put_back_again_and_again_stays);
	tcase_add_test(tcase,
		a_file_of_the_same_number_on_another_device_is_another);
	add(tcase, who_goes_before_he_is_replaced_is_in_nobodys_way);
	add(tcase, who_comes_before_a_name_is_taken_over_keeps_it);
	tcase_add_test(tcase,
		who_receives_while_a_send_finds_no_server_may_wait);
	add_what_is_told(tcase);
	return support_run_cases("name_moments", tcase);
}
