/* SPDX-License-Identifier: MIT */
/*
 * What the library makes of a kernel that tells less of sockets, or other
 * things than now. See diag_play.h.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <unistd.h>

#include "name/diag.h"
#include "support/diag_play.h"
#include "support/scene.h"

/* UNIX_DIAG_UID: the headers of kernels before Linux 5.3 lack it. */
enum { DIAG_USER = 7 };

static void tear_down(void)
{
	diag_play_nothing();
	support_clear_dir();
}

/* Answers */

static struct {
	int sockets, beginnings;
} heard;

static int hear(void *context, const struct unixdiag_socket *socket)
{
	(void)context;
	if (socket == NULL)
		heard.beginnings++;
	else
		heard.sockets++;
	return 0;
}

static int list_names(void)
{
	heard.sockets = heard.beginnings = 0;
	return unixdiag__list_names(hear, NULL);
}

START_TEST(an_answer_that_is_cut_off_is_an_error)
{
	diag_play.answers = 1;
	diag_play.is_truncated = true;
	ck_assert_errno(list_names(), EMSGSIZE);
	ck_assert_int_eq(heard.sockets, 0);
}
END_TEST

START_TEST(an_answer_that_makes_no_sense_is_an_error)
{
	diag_play.answers = 1;
	diag_play.is_malformed = true;
	ck_assert_errno(list_names(), EBADMSG);
	ck_assert_int_eq(heard.sockets, 0);
}
END_TEST

START_TEST(messages_of_an_unknown_kind_are_passed_over)
{
	int fd = open_bound(SOCK_DGRAM, support_path("socket"));

	diag_play.answers = UINT_MAX;
	diag_play.kind = NLMSG_NOOP;
	ck_assert_int_eq(list_names(), 0);
	ck_assert_int_eq(heard.sockets, 0);
	close(fd);
}
END_TEST

START_TEST(a_list_that_has_changed_meanwhile_is_begun_anew)
{
	int fd = open_bound(SOCK_DGRAM, support_path("socket"));

	diag_play.answers = 1;
	diag_play.flags = NLM_F_DUMP_INTR;
	errno = EXDEV;
	ck_assert_int_eq(list_names(), 0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(heard.beginnings, 1);
	ck_assert_int_gt(heard.sockets, 0);
	close(fd);
}
END_TEST

START_TEST(a_list_that_changes_all_the_time_is_given_up)
{
	diag_play.answers = UINT_MAX;
	diag_play.flags = NLM_F_DUMP_INTR;
	ck_assert_errno(list_names(), EINTR);
	ck_assert_int_gt(heard.beginnings, 0);
}
END_TEST

/* Files */

/* Each leaves no socket that is certainly at our file. */
static void lose_file(int how)
{
	diag_play.answers = UINT_MAX;
	if (how == 0)
		diag_play.hidden = UNIX_DIAG_VFS;
	else if (how == 1)
		diag_play.device = 0x55555555;
	else
		diag_play.file = 0x55555555;
}

START_TEST(a_socket_that_may_have_another_file_is_no_owner)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);
	struct unixowner owner;

	ck_assert_int_eq(unixowner_find(path, SOCK_DGRAM, &owner), 0);
	lose_file(_i);
	ck_assert_errno(unixowner_find(path, SOCK_DGRAM, &owner), ENOENT);
	close(fd);
}
END_TEST

START_TEST(a_file_that_no_socket_certainly_has_is_not_bound)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);
	int path_fd = open(path, O_PATH | O_CLOEXEC);

	ck_assert_int_eq(unixdiag__is_bound(path_fd), 1);
	lose_file(_i);
	ck_assert_int_eq(unixdiag__is_bound(path_fd), 0);
	close(path_fd);
	close(fd);
}
END_TEST

START_TEST(a_file_that_may_be_anothers_is_not_to_be_removed)
{
	const char *path = support_path("socket");
	struct unixconn *gram = unixconn_adopt(open_bound(SOCK_DGRAM, path));

	ck_assert_ptr_nonnull(gram);
	lose_file(_i);
	ck_assert_errno(unixconn_set_unlink_on_close(gram, true), ESTALE);
	ck_assert_int_eq(unixconn_close(gram), 0);
	assert_files(1);
}
END_TEST

/* Users */

/* A socket that no process has open: it lies in a queue. */
static void leave_in_flight(const char *path, int fds[2])
{
	int fd = open_bound(SOCK_DGRAM, path);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds),
		0);
	ck_assert_int_eq(support_send_fds(fds[0], "x", 1, fd, 1), 1);
	close(fd);
}

START_TEST(an_owner_without_a_process_is_the_user_who_made_it)
{
	const char *path = support_path("socket");
	struct unixowner owner;
	int fds[2];

	leave_in_flight(path, fds);
	ck_assert_int_eq(unixowner_find(path, SOCK_DGRAM, &owner), 0);
	ck_assert_int_eq(owner.pid, 0);
	ck_assert_uint_eq(owner.user, geteuid());
	diag_play.answers = UINT_MAX;
	diag_play.hidden = DIAG_USER;
	ck_assert_int_eq(unixowner_find(path, SOCK_DGRAM, &owner), 0);
	ck_assert_int_eq(owner.pid, 0);
	ck_assert_uint_eq(owner.user, (uid_t)-1);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static TCase *make_answers(void)
{
	TCase *tcase = make_tcase_with("answers", NULL, tear_down);

	tcase_add_test(tcase, an_answer_that_is_cut_off_is_an_error);
	tcase_add_test(tcase, an_answer_that_makes_no_sense_is_an_error);
	tcase_add_test(tcase, messages_of_an_unknown_kind_are_passed_over);
	tcase_add_test(tcase, a_list_that_has_changed_meanwhile_is_begun_anew);
	tcase_add_test(tcase, a_list_that_changes_all_the_time_is_given_up);
	return tcase;
}

static TCase *make_files(void)
{
	TCase *tcase = make_tcase_with("files", NULL, tear_down);

	tcase_add_loop_test(tcase,
		a_socket_that_may_have_another_file_is_no_owner, 0, 3);
	tcase_add_loop_test(tcase,
		a_file_that_no_socket_certainly_has_is_not_bound, 0, 3);
	tcase_add_loop_test(tcase,
		a_file_that_may_be_anothers_is_not_to_be_removed, 0, 3);
	return tcase;
}

static TCase *make_users(void)
{
	TCase *tcase = make_tcase_with("users", NULL, tear_down);

	tcase_add_test(tcase,
		an_owner_without_a_process_is_the_user_who_made_it);
	return tcase;
}

int main(void)
{
	if (list_names() < 0) {
		fprintf(stderr, "skip: the kernel tells nothing of sockets\n");
		return SUPPORT_EXIT_SKIPPED;
	}
	return support_run_cases("diag_kernel", make_answers(), make_files(),
		make_users());
}
