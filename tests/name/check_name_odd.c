/* SPDX-License-Identifier: MIT */
/*
 * Names where not all is as it should be: file systems that show another owner,
 * keep their own modes or cannot tell of owners, and places without /proc. What
 * they say is played here; see filesystems.sh for real ones. The library is
 * linked statically: these calls are the ones it makes.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/kernel.h"
#include "name/name_private.h"
#include "name/probe.h"
#include "support/diag_play.h"
#include "support/scene.h"

enum { FUSE = 0x65735546, SOMEBODY = 65533 };

static bool is_remote;     /* the file system: FUSE */
static bool is_squashed;   /* files in it are shown as another user's */
static bool is_wide;       /* all modes are 0777, whatever is asked */
static bool is_owner_kept; /* chown does nothing */
static bool is_proc_missing;
static bool is_swapped_at_connect;

static bool is_of_proc(const char *path)
{
	return is_proc_missing && strncmp(path, "/proc/", 6) == 0;
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

int fstatfs(int fd, struct statfs *found)
{
	int result = (int)syscall(SYS_fstatfs, fd, found);

	if (is_remote)
		found->f_type = FUSE;
	return result;
}

int fstatat(int fd, const char *path, struct stat *found, int flags)
{
	int path_fd = (int)syscall(SYS_openat, fd, path,
		O_PATH | O_CLOEXEC |
			(flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
	int result;

	if (path_fd < 0)
		return -1;
	result = fstat(path_fd, found);
	close(path_fd);
	if (is_squashed && path[0] != '/')
		found->st_uid = SOMEBODY;
	return result;
}

static const char *get_path(const struct sockaddr *sa)
{
	return ((const struct sockaddr_un *)sa)->sun_path;
}

static void widen(const char *path)
{
	if (is_wide)
		syscall(SYS_fchmodat, AT_FDCWD, path, 0777);
}

int bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	int result;

	if (is_of_proc(get_path(sa)))
		return refuse(ENOENT);
	result = (int)syscall(SYS_bind, fd, sa, length);
	if (result == 0)
		widen(get_path(sa));
	return result;
}

int connect(int fd, const struct sockaddr *sa, socklen_t length)
{
	if (is_of_proc(get_path(sa)))
		return refuse(ENOENT);
	if (is_swapped_at_connect) {
		is_swapped_at_connect = false;
		ck_assert_int_eq(rename(support_path("other"), get_path(sa)),
			0);
	}
	return (int)syscall(SYS_connect, fd, sa, length);
}

int chmod(const char *path, mode_t mode)
{
	if (is_of_proc(path))
		return refuse(ENOENT);
	return is_wide ? 0 : (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

int fchownat(int fd, const char *path, uid_t user, gid_t group, int flags)
{
	if (is_owner_kept)
		return 0;
	return (int)syscall(SYS_fchownat, fd, path, user, group, flags);
}

int faccessat(int fd, const char *path, int mode, int flags)
{
	(void)flags;
	if (is_of_proc(path))
		return refuse(ENOENT);
	return (int)syscall(SYS_faccessat, fd, path, mode);
}

static void assert_is_taken_and_given_up(int type)
{
	struct server server;

	ck_assert_int_eq(open_as(&server, type, 0, 0600), 0);
	ck_assert_int_eq(try_to_reach(support_path("socket")),
		type == SOCK_DGRAM ? 0 : EPROTOTYPE);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}

/* Where a refusal tells nothing. */

START_TEST(a_refusal_proves_nothing_on_some_file_systems)
{
	const char *path = support_path("socket");
	int dir_fd, path_fd;

	make_dead(types[_i], path);
	dir_fd = open(support_dir(), O_PATH | O_CLOEXEC);
	path_fd = open(path, O_PATH | O_CLOEXEC);
	is_remote = true;
	ck_assert_errno(unixprobe__is_dead(path_fd, NULL, NULL), EREMOTE);
	ck_assert_errno(unixname__remove_dead(dir_fd, NULL, "socket", path_fd,
				UNIXMSG_NOW),
		EADDRINUSE);
	assert_is_socket(path);
	is_remote = false;
	ck_assert_int_eq(unixprobe__is_dead(path_fd, NULL, NULL), 0);
	close(path_fd);
	close(dir_fd);
}
END_TEST

START_TEST(a_name_that_may_have_an_owner_is_not_taken)
{
	const char *path = support_path("socket");
	struct server server;
	struct stat before;

	make_dead(types[_i], path);
	before = look_at(path);
	is_remote = true;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_untouched(path, &before);
	ck_assert_int_eq(open_as(&server, types[_i], UNIXMSG_LISTEN_REPLACE,
				 0600),
		0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

/* Whether the file that was set aside has an owner is unknown: he may have. */
START_TEST(who_may_be_alive_gets_back_what_was_set_aside)
{
	const char *path = support_path("socket");
	const char *aside = support_path(".unixmsg-socket");
	struct server server;
	struct stat before;

	make_dead(types[_i], aside);
	before = look_at(aside);
	is_remote = true;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_same_file(path, &before);
	assert_files(1);
}
END_TEST

START_TEST(who_may_be_alive_is_not_taken_over)
{
	const char *path = support_path("socket");

	make_dead(types[_i], path);
	is_remote = true;
	ck_assert_null_errno(unixtakeover_open(path, UNIXMSG_NOW), ENOTSUP);
	assert_files(1);
}
END_TEST

START_TEST(a_free_name_is_taken_there)
{
	is_remote = true;
	assert_is_taken_and_given_up(types[_i]);
}
END_TEST

/* Another's server, about to bind: nobody answers yet. */
START_TEST(who_may_have_put_his_file_there_keeps_it)
{
	struct server server;

	is_remote = is_squashed = true;
	diag_play.error = EAFNOSUPPORT;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_files(1);
}
END_TEST

static void dial_from(const char *run_dir, int times)
{
	struct unixconn *gram;

	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", run_dir, 1), 0);
	while (times-- > 0) {
		gram = unixconn_dial("unixgram", support_path("socket"), NULL,
			UNIXMSG_NOW);
		ck_assert_ptr_nonnull(gram);
		close_gram(gram);
	}
}

/* What a client has left that is gone: its path. */
static const char *make_dead_client(void)
{
	static char path[300];
	char dir[200];

	snprintf(dir, sizeof(dir), "%s/unixmsg-%ju", support_path("run"),
		(uintmax_t)geteuid());
	snprintf(path, sizeof(path), "%s/dead", dir);
	make_dir(support_path("run"), 0711);
	make_dir(dir, 0711);
	make_dead(SOCK_DGRAM, path);
	return path;
}

START_TEST(a_sweep_leaves_what_may_have_an_owner)
{
	struct unixconn *server = open_gram(support_path("socket"));
	const char *path = make_dead_client();

	is_remote = true;
	dial_from(support_path("run"), 3);
	assert_is_socket(path);
	is_remote = false;
	dial_from(support_path("run"), 1);
	assert_missing(path);
	close_gram(server);
}
END_TEST

/* Where files are shown as another user's. */

START_TEST(a_file_is_ours_if_the_kernel_says_so)
{
	is_squashed = true;
	assert_is_taken_and_given_up(types[_i]);
}
END_TEST

START_TEST(a_clients_file_is_ours_if_the_kernel_says_so)
{
	struct unixconn *server = open_gram(support_path("socket"));

	make_dir(support_path("run"), 0711);
	is_squashed = true;
	dial_from(support_path("run"), 1);
	close_gram(server);
}
END_TEST

/* It is bound by then, so that no other directory is tried. */
static void fail_to_dial_own(const char *server)
{
	struct unixconn *gram = open_gram(server);

	is_squashed = true;
	diag_play.error = EAFNOSUPPORT;
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", support_path("run"), 1), 0);
	ck_assert_null_errno(unixconn_dial("unixgram", server, NULL,
				     UNIXMSG_NOW),
		EADDRINUSE);
	is_squashed = false;
	diag_play_nothing();
	close_gram(gram);
}

START_TEST(a_clients_file_that_may_be_anothers_is_none)
{
	const char *run = support_path("run");
	pid_t pid;

	make_dir(run, 0711);
	ck_assert_int_eq(chmod(support_dir(), 0711), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(run, 64001, 64001), 0);
	pid = support_fork();
	if (pid == 0) {
		if (geteuid() == 0)
			ck_assert_int_eq(setresuid(64001, 64001, 64001), 0);
		fail_to_dial_own(support_path("run/server"));
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_file_of_the_user_who_counts_for_files_is_ours)
{
	pid_t pid;

	ck_assert_int_eq(chmod(support_dir(), 0777), 0);
	pid = support_fork();
	if (pid == 0) {
		struct server server;

		diag_play.error = _i == 1 ? EAFNOSUPPORT : 0;
		syscall(SYS_setfsuid, (long)65534);
		ck_assert_int_eq(open_as(&server, SOCK_DGRAM,
					 UNIXMSG_LISTEN_UNSAFE_DIRECTORY, 0600),
			0);
		ck_assert_uint_eq(look_at(support_path("socket")).st_uid,
			65534);
		ck_assert_int_eq(close_server(&server), 0);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_files(0);
}
END_TEST

/* Where modes and owners are accepted and ignored. */

START_TEST(a_mode_that_is_not_in_force_is_a_failure)
{
	const mode_t modes[] = { 0600, 0660, 0000, 0640 };
	struct server server;

	is_wide = true;
	ck_assert_errno(open_as(&server, types[_i % TYPES], 0,
				modes[_i / TYPES]),
		ENOTSUP);
	assert_files(0);
}
END_TEST

START_TEST(only_what_lets_others_in_counts)
{
	const mode_t modes[] = { 0666, 0222, 0777 };
	struct server server;

	is_wide = true;
	ck_assert_int_eq(open_as(&server, SOCK_DGRAM, 0, modes[_i]), 0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

/* There the file has the mode from its birth on. */
START_TEST(an_owner_is_set_where_all_modes_are_the_same)
{
	struct unixlisten_options options = { .mode = 0777 };
	struct server server;

	support_want_owner(&options, geteuid(), getegid());
	is_wide = true;
	ck_assert_int_eq(open_server(&server, types[_i], support_path("socket"),
				 &options),
		0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

START_TEST(an_owner_that_is_not_in_force_is_a_failure)
{
	struct unixlisten_options options = { 0 };
	struct server server;

	if (_i == 0)
		support_want_owner(&options, SOMEBODY, (gid_t)-1);
	else
		support_want_owner(&options, (uid_t)-1, SOMEBODY);
	is_owner_kept = true;
	ck_assert_errno(open_server(&server, SOCK_DGRAM, support_path("socket"),
				&options),
		ENOTSUP);
	assert_files(0);
}
END_TEST

/* He is connected: nobody but his server gets in. */
START_TEST(a_client_does_with_any_mode)
{
	struct unixconn *server = open_gram(support_path("socket")), *client;
	struct unixdial_options options = { .own = support_path("own") };

	is_wide = true;
	client = unixconn_dial("unixgram", support_path("socket"), &options,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	close_gram(client);
	close_gram(server);
	assert_files(0);
}
END_TEST

static const char default_list[] = "system.posix_acl_default";

static bool has_access_lists(void)
{
	const char *dir = getenv("TMPDIR");

	return getxattr(dir == NULL ? "/tmp" : dir, default_list, NULL, 0) >=
		0 ||
		errno == ENODATA;
}

/* What new files in our directory get: user 65534 may do all, see acl(5). */
static void set_default_list(void)
{
	static const unsigned char list[] = {
		2, 0, 0, 0,                      /* version */
		1, 0, 7, 0, 255, 255, 255, 255,  /* owner */
		2, 0, 7, 0, 0xfe, 0xff, 0, 0,    /* user 65534 */
		4, 0, 5, 0, 255, 255, 255, 255,  /* group */
		16, 0, 7, 0, 255, 255, 255, 255, /* mask */
		32, 0, 5, 0, 255, 255, 255, 255, /* others */
	};

	ck_assert_int_eq(setxattr(support_dir(), default_list, list,
				 sizeof(list), 0),
		0);
}

static int reach_as_nobody(void)
{
	pid_t pid = support_fork();
	int how;

	if (pid == 0) {
		support_as_nobody();
		_exit(try_to_reach(support_path("socket")));
	}
	support_waitpid(pid, &how);
	ck_assert(WIFEXITED(how));
	return WEXITSTATUS(how);
}

START_TEST(whom_a_default_list_names_gets_in_where_the_group_does)
{
	static const mode_t modes[] = { 0600, 0620, 0660 };
	struct server server;

	ck_assert_int_eq(chmod(support_dir(), 0711), 0);
	set_default_list();
	ck_assert_int_eq(open_as(&server, SOCK_DGRAM, 0, modes[_i]), 0);
	ck_assert_int_eq(reach_as_nobody(), modes[_i] & 020 ? 0 : EACCES);
	ck_assert_int_eq(close_server(&server), 0);
}
END_TEST

/* Without /proc. */

START_TEST(a_dead_file_is_replaced_without_proc)
{
	make_dead(types[_i], support_path("socket"));
	is_proc_missing = true;
	assert_is_taken_and_given_up(types[_i]);
}
END_TEST

START_TEST(a_live_owner_stays_without_proc)
{
	int owner = open_listening(types[_i], support_path("socket"));
	struct stat before = look_at(support_path("socket"));
	struct server server;

	is_proc_missing = true;
	ck_assert_errno(open_as(&server, types[_i], 0, 0600), EADDRINUSE);
	assert_untouched(support_path("socket"), &before);
	assert_hears_nothing(owner, types[_i]);
	close(owner);
}
END_TEST

/* What answers may not be what was asked about. */
START_TEST(without_proc_a_file_that_is_swapped_tells_nothing)
{
	const char *path = support_path("socket");
	int path_fd, other = open_bound(SOCK_DGRAM, support_path("other"));

	close(other);
	make_dead(SOCK_DGRAM, path);
	path_fd = open(path, O_PATH | O_CLOEXEC);
	is_proc_missing = is_swapped_at_connect = true;
	ck_assert_errno(unixprobe__is_dead(path_fd, support_dir(), "socket"),
		EADDRINUSE);
	ck_assert(!is_swapped_at_connect);
	ck_assert_errno(unixprobe__is_dead(path_fd, support_dir(), "socket"),
		EADDRINUSE);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_errno(unixprobe__is_dead(path_fd, support_dir(), "socket"),
		EADDRINUSE);
	close(path_fd);
}
END_TEST

START_TEST(without_proc_and_a_way_nothing_is_dead)
{
	const char *path = support_path("socket");
	int path_fd;

	make_dead(SOCK_DGRAM, path);
	path_fd = open(path, O_PATH | O_CLOEXEC);
	is_proc_missing = true;
	ck_assert_errno(unixprobe__is_dead(path_fd, NULL, NULL), ENOSYS);
	ck_assert_errno(unixprobe__is_dead(path_fd, make_long_path(200),
				"socket"),
		ENOSYS);
	close(path_fd);
}
END_TEST

START_TEST(a_mode_is_set_without_proc)
{
	mode_t old = umask(077);
	struct server server;

	is_proc_missing = true;
	ck_assert_int_eq(open_as(&server, types[_i], 0, 0666), 0);
	umask(old);
	ck_assert_uint_eq(mode_of(support_path("socket")), 0666);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

START_TEST(a_long_path_takes_proc)
{
	const char *path = make_long_path(200);
	struct server server;

	is_proc_missing = true;
	ck_assert_errno(open_server(&server, types[_i], path, NULL), ENOSYS);
	assert_missing(path);
	ck_assert_null_errno(unixconn_dial("unixgram", path, NULL, UNIXMSG_NOW),
		ENOSYS);
	ck_assert_null_errno(unixconn_dial("unixpacket", path, NULL,
				     UNIXMSG_NOW),
		ENOSYS);
}
END_TEST

/* Its files do: they are named by their directory. */
START_TEST(clients_do_without_proc)
{
	struct unixconn *server = open_gram(support_path("socket"));
	const char *path = make_dead_client();

	is_proc_missing = true;
	dial_from(support_path("run"), 1);
	assert_missing(path);
	close_gram(server);
}
END_TEST

/* The name alone could lead to another file by then. */
START_TEST(what_was_set_aside_is_not_found_without_proc)
{
	struct unixname_target target;
	struct stat found;

	make_dead(SOCK_DGRAM, support_path(".unixmsg-socket"));
	ck_assert_int_eq(unixname__look(support_path("socket"), &found), 0);
	is_proc_missing = true;
	ck_assert_errno(unixname__find_aside(support_path("socket"), &target),
		ENOSYS);
	ck_assert_errno(unixname__look(support_path("socket"), &found), ENOSYS);
}
END_TEST

static const struct {
	const char *text;
	int error;
} nowhere[] = {
	{ "\\q", EINVAL },
	{ "@abstract", ENOENT },
	{ "/", ENOTSOCK },
	{ "/nowhere/name", ENOENT },
};

START_TEST(nothing_was_set_aside_where_no_file_can_be)
{
	struct unixname_target target;

	ck_assert_errno(unixname__find_aside(nowhere[_i].text, &target),
		nowhere[_i].error);
	ck_assert_int_eq(target.fd, -1);
}
END_TEST

START_TEST(what_is_no_address_cannot_be_looked_at)
{
	struct stat found;

	ck_assert_errno(unixname__look("\\q", &found), EINVAL);
}
END_TEST

/* Whether the kernel changes modes through descriptors: Linux 6.6. */
static bool can_change_modes(void)
{
	return syscall(SYS_fchmodat2, -1, "", 0, AT_EMPTY_PATH) == -1 &&
		errno == EBADF;
}

static TCase *make_views(void)
{
	TCase *tcase = make_tcase("views");

	tcase_add_loop_test(tcase,
		a_refusal_proves_nothing_on_some_file_systems, 0, TYPES);
	tcase_add_loop_test(tcase, a_name_that_may_have_an_owner_is_not_taken,
		0, TYPES);
	tcase_add_loop_test(tcase,
		who_may_be_alive_gets_back_what_was_set_aside, 0, TYPES);
	tcase_add_loop_test(tcase, who_may_be_alive_is_not_taken_over, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_free_name_is_taken_there, 0, TYPES);
	tcase_add_loop_test(tcase, who_may_have_put_his_file_there_keeps_it, 0,
		TYPES);
	tcase_add_test(tcase, a_sweep_leaves_what_may_have_an_owner);
	return tcase;
}

/* Without the kernel's list a connect(2) tells. */
START_TEST(without_sock_diag_a_live_owner_is_alive)
{
	const char *path = support_path("socket");
	int owner = open_listening(types[_i], path);
	int fd = open(path, O_PATH | O_CLOEXEC);

	diag_play.error = EAFNOSUPPORT;
	ck_assert_int_eq(unixprobe__is_alive(fd, NULL, "socket"), 0);
	support_limit_fds(0);
	ck_assert_errno(unixprobe__is_alive(fd, NULL, "socket"), EMFILE);
	support_lift_fds_limit();
	close(owner);
	ck_assert_errno(unixprobe__is_alive(fd, NULL, "socket"), ECONNREFUSED);
	close(fd);
}
END_TEST

static TCase *make_owners(void)
{
	TCase *tcase = make_tcase("owners");

	tcase_add_loop_test(tcase, a_file_is_ours_if_the_kernel_says_so, 0,
		TYPES);
	tcase_add_test(tcase, a_clients_file_is_ours_if_the_kernel_says_so);
	tcase_add_test(tcase, a_clients_file_that_may_be_anothers_is_none);
	support_add_limited_test(tcase, without_sock_diag_a_live_owner_is_alive,
		0, TYPES);
	support_add_root_loop_test(tcase,
		a_file_of_the_user_who_counts_for_files_is_ours, 2);
	return tcase;
}

static TCase *make_modes(void)
{
	TCase *tcase = make_tcase("modes");

	tcase_add_loop_test(tcase, a_mode_that_is_not_in_force_is_a_failure, 0,
		4 * TYPES);
	tcase_add_loop_test(tcase, only_what_lets_others_in_counts, 0, 3);
	tcase_add_loop_test(tcase, an_owner_is_set_where_all_modes_are_the_same,
		0, TYPES);
	tcase_add_loop_test(tcase, an_owner_that_is_not_in_force_is_a_failure,
		0, 2);
	tcase_add_test(tcase, a_client_does_with_any_mode);
	support_add_loop_test_if(tcase,
		whom_a_default_list_names_gets_in_where_the_group_does, 3,
		support_is_root() && has_access_lists(),
		"not root, or no access lists");
	return tcase;
}

static TCase *make_bare(void)
{
	TCase *tcase = make_tcase("bare");

	tcase_add_loop_test(tcase, a_dead_file_is_replaced_without_proc, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_live_owner_stays_without_proc, 0, TYPES);
	tcase_add_test(tcase,
		without_proc_a_file_that_is_swapped_tells_nothing);
	tcase_add_test(tcase, without_proc_and_a_way_nothing_is_dead);
	support_add_loop_test_if(tcase, a_mode_is_set_without_proc, TYPES,
		can_change_modes(), "fchmodat2(2) is missing");
	tcase_add_loop_test(tcase, a_long_path_takes_proc, 0, TYPES);
	tcase_add_test(tcase, clients_do_without_proc);
	tcase_add_test(tcase, what_was_set_aside_is_not_found_without_proc);
	tcase_add_loop_test(tcase, nothing_was_set_aside_where_no_file_can_be,
		0, (int)COUNT(nowhere));
	tcase_add_test(tcase, what_is_no_address_cannot_be_looked_at);
	return tcase;
}

int main(void)
{
	return support_run_cases("name_odd", make_views(), make_owners(),
		make_modes(), make_bare());
}
