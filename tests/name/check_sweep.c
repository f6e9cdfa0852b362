/* SPDX-License-Identifier: MIT */
/*
 * The files of datagram clients: what clients that were killed leave behind,
 * and whether a server can write to what a client has.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/talk.h"

/* How many files a dial may remove. */
enum { DEADS_MOST = 64 };

static char run_dir[128], client_dir[256], server_path[128];
static struct unixconn *server;

/* A server, and a directory for its clients. */
static void set_up(void)
{
	strcpy(run_dir, support_path("run"));
	strcpy(server_path, support_path("server"));
	snprintf(client_dir, sizeof(client_dir), "%s/unixmsg-%ju", run_dir,
		(uintmax_t)geteuid());
	make_dir(run_dir, 0711);
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", run_dir, 1), 0);
	ck_assert_int_eq(setenv("TMPDIR", run_dir, 1), 0);
	server = open_gram(server_path);
}

static void tear_down(void)
{
	close_gram(server);
}

static struct unixconn *dial(void)
{
	return dial_conn("unixgram", server_path);
}

static const char *in_client_dir(const char *name)
{
	static char path[2][512];
	static int last;

	last = !last;
	snprintf(path[last], sizeof(path[last]), "%s/%s", client_dir, name);
	return path[last];
}

static const char *numbered(int number)
{
	char name[32];

	snprintf(name, sizeof(name), "%016x", (unsigned int)number);
	return in_client_dir(name);
}

static void make_client_dir(void)
{
	make_dir(client_dir, 0711);
}

static void make_dead_clients(int count)
{
	while (count-- > 0)
		make_dead(SOCK_DGRAM, numbered(count));
}

static bool is_in_client_dir(const struct unixconn *gram)
{
	struct unixaddr addr;
	size_t size;

	ck_assert_int_eq(unixconn_get_address(gram, &addr), 0);
	return strncmp(unixaddr_get_name(&addr, &size), client_dir,
		       strlen(client_dir)) == 0;
}

static void assert_is_answered(struct unixconn *gram)
{
	struct unixaddr from;
	char byte;

	ck_assert_int_eq(unixconn_send(gram, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_from(server, &byte, 1, NULL, &from,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_send_to(server, &from, "y", 1, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
}

/* Dials until so many files are left, and no longer than is promised. */
static void sweep_down_to(int left, int dials)
{
	struct unixconn *gram;

	while (count_files(client_dir) > left) {
		ck_assert_int_gt(dials--, 0);
		gram = dial();
		close_gram(gram);
	}
	ck_assert_int_eq(count_files(client_dir), left);
}

START_TEST(dead_files_go_with_the_next_dial)
{
	struct unixconn *gram;

	make_client_dir();
	make_dead_clients(10);
	errno = EXDEV;
	gram = dial();
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(count_files(client_dir), 1);
	assert_is_answered(gram);
	close_gram(gram);
	ck_assert_int_eq(count_files(client_dir), 0);
}
END_TEST

START_TEST(files_of_all_types_go)
{
	int i;

	make_client_dir();
	for (i = 0; i < TYPES; i++)
		make_dead(types[i], numbered(i));
	close_gram(dial());
	ck_assert_int_eq(count_files(client_dir), 0);
}
END_TEST

START_TEST(live_ones_stay)
{
	enum { LIVE = 10 };
	struct unixconn *live[LIVE];
	int i;

	make_client_dir();
	for (i = 0; i < LIVE; i++)
		live[i] = dial();
	make_dead_clients(100);
	sweep_down_to(LIVE, 10000);
	for (i = 0; i < LIVE; i++) {
		assert_is_answered(live[i]);
		close_gram(live[i]);
	}
	ck_assert_int_eq(count_files(client_dir), 0);
}
END_TEST

/* Each gives a descriptor to be closed at the end, or -1. */

static int make_dead_inside(const char *path)
{
	char inside[600];

	make_dir(path, 0700);
	snprintf(inside, sizeof(inside), "%s/socket", path);
	make_dead(SOCK_DGRAM, inside);
	return -1;
}

static int make_link_to_dead(const char *path)
{
	const char *target = support_path("target");

	make_dead(SOCK_DGRAM, target);
	make_link(target, path);
	return -1;
}

static int make_regular(const char *path)
{
	make_file(path, "precious");
	return -1;
}

static int make_live(const char *path)
{
	return open_bound(SOCK_STREAM, path);
}

static int (*const makers[])(const char *path) = { make_dead_inside,
	make_link_to_dead, make_regular, make_live };

START_TEST(what_is_no_dead_socket_stays)
{
	const char *path = in_client_dir("thing");
	struct stat before;
	int i, fd;

	make_client_dir();
	fd = makers[_i](path);
	before = look_at(path);
	for (i = 0; i < 20; i++)
		close_gram(dial());
	assert_untouched(path, &before);
	if (makers[_i] == make_regular)
		assert_content(path, "precious");
	close(fd);
}
END_TEST

/* Whoever has put it there did not mean the sweep. */
START_TEST(hidden_names_stay)
{
	const char *path = in_client_dir(".hidden");

	make_client_dir();
	make_dead(SOCK_DGRAM, path);
	close_gram(dial());
	assert_is_socket(path);
}
END_TEST

/* As a process that was killed leaves it, where its first choice was taken. */
START_TEST(what_was_set_aside_under_any_name_goes)
{
	static const char *const names[] = { ".unixmsg.0123456789abcdef",
		".unixmsg-.unixmsg.0123456789abcdef" };
	int live;

	make_client_dir();
	make_dead(SOCK_DGRAM, in_client_dir(names[_i]));
	live = open_bound(SOCK_DGRAM, in_client_dir(".unixmsg.fedc"));
	close_gram(dial());
	ck_assert_errno(access(in_client_dir(names[_i]), F_OK), ENOENT);
	assert_is_socket(in_client_dir(".unixmsg.fedc"));
	close(live);
}
END_TEST

/* The holder of the lock may be just about to settle it. */
START_TEST(what_was_set_aside_stays_while_the_directory_is_locked)
{
	const char *aside = in_client_dir(".unixmsg-0123456789abcdef");
	int dir_fd;

	make_client_dir();
	make_dead(SOCK_DGRAM, aside);
	dir_fd = open(client_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(dir_fd, LOCK_EX), 0);
	close_gram(dial());
	assert_is_socket(aside);
	close(dir_fd);
	close_gram(dial());
	assert_missing(aside);
}
END_TEST

START_TEST(nothing_outside_the_directory_goes)
{
	char beside[256];

	make_client_dir();
	make_dead_clients(3);
	snprintf(beside, sizeof(beside), "%s/socket", run_dir);
	make_dead(SOCK_DGRAM, beside);
	make_dead(SOCK_DGRAM, support_path("socket"));
	close_gram(dial());
	ck_assert_int_eq(count_files(client_dir), 0);
	assert_is_socket(beside);
	assert_is_socket(support_path("socket"));
}
END_TEST

START_TEST(a_dial_removes_no_more_than_it_says)
{
	int dials, before, after = 500;

	make_client_dir();
	make_dead_clients(after);
	for (dials = 0; after > 0; dials++) {
		ck_assert_int_lt(dials, 5000);
		before = after;
		close_gram(dial());
		after = count_files(client_dir);
		ck_assert_int_le(before - after, DEADS_MOST);
	}
}
END_TEST

START_TEST(twenty_thousand_files_are_no_more_work_than_a_few)
{
	int before = 20000, after, i;

	make_client_dir();
	make_dead_clients(before);
	for (i = 0; i < 5; i++) {
		close_gram(dial());
		after = count_files(client_dir);
		ck_assert_int_eq(before - after, DEADS_MOST);
		before = after;
	}
	sweep_down_to(0, 2 * 20000 / DEADS_MOST);
}
END_TEST

/* Links to it do not lead us away. */
START_TEST(a_link_is_no_directory_of_ours)
{
	struct unixconn *gram;

	make_dir(support_path("other"), 0711);
	make_dead(SOCK_DGRAM, support_path("other/socket"));
	make_link(support_path("other"), client_dir);
	gram = dial();
	assert_is_answered(gram);
	ck_assert_int_eq(count_files(support_path("other")), 1);
	close_gram(gram);
	ck_assert_int_eq(count_files(run_dir), 1);
}
END_TEST

START_TEST(a_directory_of_another_user_is_left_alone)
{
	struct unixconn *gram;
	struct stat before;

	make_client_dir();
	make_dead_clients(3);
	ck_assert_int_eq(chown(client_dir, 65534, 65534), 0);
	ck_assert_int_eq(chmod(client_dir, 0777), 0);
	before = look_at(client_dir);
	gram = dial();
	assert_untouched(client_dir, &before);
	ck_assert_int_eq(count_files(client_dir), 3);
	assert_is_answered(gram);
	close_gram(gram);
	ck_assert_int_eq(count_files(run_dir), 1);
}
END_TEST

/* Somebody else was quicker: files of ours are beside his directory. */
START_TEST(dead_files_beside_a_directory_of_another_user_go)
{
	char ours[300], anothers[300];
	struct unixconn *gram;

	make_client_dir();
	ck_assert_int_eq(chown(client_dir, 65534, 65534), 0);
	snprintf(ours, sizeof(ours), "%s.0123456789abcdef", client_dir);
	snprintf(anothers, sizeof(anothers), "%s.another", client_dir);
	make_dead(SOCK_DGRAM, ours);
	make_dead(SOCK_DGRAM, anothers);
	ck_assert_int_eq(chown(anothers, 65534, 65534), 0);
	make_dead(SOCK_DGRAM, support_path("run/unixmsg-x"));
	gram = dial();
	assert_missing(ours);
	assert_is_socket(anothers);
	assert_is_socket(support_path("run/unixmsg-x"));
	ck_assert_int_eq(count_files(run_dir), 4);
	assert_is_answered(gram);
	close_gram(gram);
}
END_TEST

START_TEST(a_base_that_cannot_be_listed_does)
{
	pid_t pid;

	ck_assert_int_eq(chmod(server_path, 0666), 0);
	ck_assert_int_eq(chmod(run_dir, 01733), 0);
	make_dir(support_path("run/unixmsg-65534"), 0700);
	pid = support_fork();
	if (pid == 0) {
		struct unixconn *gram;

		support_as_nobody();
		gram = dial();
		assert_is_answered(gram);
		close_gram(gram);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	ck_assert_int_eq(count_files(run_dir), 1);
}
END_TEST

/* Where our directory could be renamed, and another put in its place. */
struct base {
	const char *variable;
	mode_t mode;
	uid_t user;
};

static const struct base bases[] = {
	{ "XDG_RUNTIME_DIR", 0700, 65534 },
	{ "XDG_RUNTIME_DIR", 01777, 65534 },
	{ "XDG_RUNTIME_DIR", 0777, 0 },
	{ "TMPDIR", 0700, 65534 },
	{ "TMPDIR", 01777, 65534 },
	{ "TMPDIR", 0777, 0 },
};

START_TEST(where_others_could_rename_it_nothing_is_made)
{
	const struct base *base = &bases[_i];
	const char *path = support_path("base");
	struct unixconn *gram;

	make_dir(path, base->mode);
	ck_assert_int_eq(chown(path, base->user, base->user), 0);
	ck_assert_int_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
	ck_assert_int_eq(setenv(base->variable, path, 1), 0);
	gram = dial();
	ck_assert_int_eq(count_files(path), 0);
	ck_assert(is_in_client_dir(gram) ==
		(strcmp(base->variable, "TMPDIR") != 0));
	assert_is_answered(gram);
	close_gram(gram);
}
END_TEST

START_TEST(the_directory_lets_others_pass)
{
	make_dir(client_dir, _i == 0 ? 0700 : 0777);
	close_gram(dial());
	ck_assert_uint_eq(mode_of(client_dir), 0711);
}
END_TEST

/* One sweeps what another is just about to bind. */
static void dial_many(int times)
{
	struct unixconn *gram;
	struct unixaddr addr;
	size_t size;

	while (times-- > 0) {
		gram = dial();
		ck_assert(is_in_client_dir(gram));
		ck_assert_int_eq(unixconn_get_address(gram, &addr), 0);
		assert_is_socket(unixaddr_get_name(&addr, &size));
		close_gram(gram);
	}
}

START_TEST(clients_take_nothing_from_one_another)
{
	enum { CLIENTS = 6 };
	pid_t pids[CLIENTS];
	int i;

	make_client_dir();
	for (i = 0; i < CLIENTS; i++) {
		pids[i] = support_fork();
		if (pids[i] == 0) {
			dial_many(rounds(500));
			_exit(0);
		}
	}
	for (i = 0; i < CLIENTS; i++)
		support_wait_exit(pids[i], 0);
	ck_assert_int_eq(count_files(client_dir), 0);
}
END_TEST

/* Whether the server can answer. */

START_TEST(a_client_can_be_answered_by_default)
{
	struct unixconn *gram = dial();

	errno = EXDEV;
	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	ck_assert_int_eq(errno, EXDEV);
	close_gram(gram);
}
END_TEST

START_TEST(who_has_not_dialled_is_told)
{
	ck_assert_errno(unixconn_check_answer(server), ENOTCONN);
}
END_TEST

START_TEST(of_a_pair_nothing_is_known)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	ck_assert_int_eq(unixconn_check_answer(pair[0]), 0);
	close_gram(pair[0]);
	close_gram(pair[1]);
}
END_TEST

START_TEST(of_abstract_names_nothing_is_known)
{
	const char *name = support_abstract("name");
	struct unixconn *owner = open_gram(name);
	struct unixconn *gram =
		unixconn_dial("unixgram", name, NULL, UNIXMSG_NOW);

	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	close_gram(gram);
	close_gram(owner);
}
END_TEST

static struct unixconn *adopt_client(const char *own)
{
	int fd = open_bound(SOCK_DGRAM, own);
	struct unixconn *gram;

	ck_assert_int_eq(connect_to(fd, server_path), 0);
	gram = unixconn_adopt(fd);
	ck_assert_ptr_nonnull(gram);
	return gram;
}

/* Which file it has made is unknown, but whether others may pass is not. */
START_TEST(an_adopted_socket_can_be_answered_or_not)
{
	const char *own = support_path("own");
	struct unixconn *gram = adopt_client(own);

	ck_assert_int_eq(chmod(support_dir(), 0711), 0);
	ck_assert_int_eq(chmod(own, 0666), 0);
	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	ck_assert_int_eq(unlink(own), 0);
	ck_assert_errno(unixconn_check_answer(gram), ENOENT);
	close_gram(gram);
}
END_TEST

START_TEST(of_relative_names_nothing_is_known)
{
	struct unixconn *gram;

	ck_assert_int_eq(chdir(support_dir()), 0);
	gram = adopt_client("own");
	ck_assert_int_eq(chmod("own", 0), 0);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	close_gram(gram);
	ck_assert_int_eq(unlink(support_path("own")), 0);
}
END_TEST

START_TEST(of_a_server_without_a_file_nothing_is_known)
{
	struct unixconn *gram = dial();

	ck_assert_int_eq(unlink(server_path), 0);
	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	close_gram(gram);
}
END_TEST

/*
 * Who owns the client's directory and file, their modes, and what is said; the
 * server is another user then, and what the kernel says to him is the same.
 */
struct case_of_answers {
	mode_t dir_mode, mode;
	uid_t dir_user, user;
	int error;
};

static const struct case_of_answers answers[] = {
	{ 0711, 0600, 0, 0, EACCES },
	{ 0711, 0666, 0, 0, 0 },
	{ 0711, 0222, 0, 0, 0 },
	{ 0711, 0622, 0, 0, 0 },
	{ 0711, 0644, 0, 0, EACCES },
	{ 0711, 0444, 0, 0, EACCES },
	{ 0700, 0666, 0, 0, EACCES },
	{ 0744, 0666, 0, 0, EACCES },
	{ 0701, 0666, 0, 0, 0 },
	{ 0700, 0666, 65534, 0, 0 },
	{ 0600, 0666, 65534, 0, EACCES },
	{ 0711, 0600, 0, 65534, 0 },
	{ 0711, 0466, 0, 65534, EACCES },
	{ 0711, 0066, 0, 65534, EACCES },
};

/* What the server gets when it answers, as nobody: 0, or an errno. */
static int answer_as_nobody(const struct unixaddr *to)
{
	int pipes[2], error;
	pid_t pid;

	support_ready_init(pipes);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		error = unixconn_send_to(server, to, "y", 1, UNIXMSG_NOW) < 0
			? errno
			: 0;
		_exit(write(pipes[1], &error, sizeof(error)) < 0);
	}
	support_wait_exit(pid, 0);
	ck_assert_int_eq(read(pipes[0], &error, sizeof(error)), sizeof(error));
	close_pipe(pipes);
	return error;
}

START_TEST(what_is_said_is_what_the_kernel_does)
{
	const struct case_of_answers *wanted = &answers[_i];
	struct unixdial_options options = { .own = support_path("own/socket") };
	struct unixaddr own;
	struct unixconn *gram;

	ck_assert_int_eq(chown(server_path, 65534, 65534), 0);
	make_dir(support_path("own"), 0700);
	gram = unixconn_dial("unixgram", server_path, &options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(gram);
	ck_assert_uint_eq(mode_of(options.own), 0666);
	ck_assert_int_eq(chmod(options.own, wanted->mode), 0);
	ck_assert_int_eq(chown(options.own, wanted->user, 0), 0);
	ck_assert_int_eq(chmod(support_path("own"), wanted->dir_mode), 0);
	ck_assert_int_eq(chown(support_path("own"), wanted->dir_user, 0), 0);
	if (wanted->error != 0)
		ck_assert_errno(unixconn_check_answer(gram), wanted->error);
	else
		ck_assert_int_eq(unixconn_check_answer(gram), 0);
	ck_assert_int_eq(unixconn_get_address(gram, &own), 0);
	ck_assert_int_eq(answer_as_nobody(&own), wanted->error);
	close_gram(gram);
}
END_TEST

/* His groups are not known: what a group may do he may be able to do. */
START_TEST(of_groups_nothing_is_known)
{
	struct unixdial_options options = { .own = support_path("own") };
	struct unixconn *gram;

	ck_assert_int_eq(chown(server_path, 65534, 65534), 0);
	gram = unixconn_dial("unixgram", server_path, &options, UNIXMSG_NOW);
	ck_assert_int_eq(chmod(options.own, 0620), 0);
	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	ck_assert_int_eq(chmod(options.own, 0640), 0);
	ck_assert_errno(unixconn_check_answer(gram), EACCES);
	close_gram(gram);
}
END_TEST

/* A private directory would keep a server of another user out. */
START_TEST(another_user_is_given_a_way_where_there_is_one)
{
	struct unixconn *gram;

	ck_assert_int_eq(chmod(run_dir, 0700), 0);
	gram = dial();
	ck_assert(!is_in_client_dir(gram));
	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	close_gram(gram);
	ck_assert_int_eq(chmod(run_dir, 0711), 0);
	gram = dial();
	ck_assert(is_in_client_dir(gram));
	ck_assert_int_eq(unixconn_check_answer(gram), 0);
	close_gram(gram);
}
END_TEST

START_TEST(who_serves_roots_socket_may_have_no_rights)
{
	pid_t pid;

	ck_assert_int_eq(chmod(server_path, 0666), 0);
	ck_assert_int_eq(chmod(run_dir, 01777), 0);
	pid = support_fork();
	if (pid == 0) {
		struct unixconn *gram;
		struct unixaddr own;
		size_t size;

		support_as_nobody();
		gram = dial();
		ck_assert_int_eq(unixconn_get_address(gram, &own), 0);
		ck_assert_int_eq(chmod(unixaddr_get_name(&own, &size), 0), 0);
		ck_assert_errno(unixconn_check_answer(gram), EACCES);
		close_gram(gram);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_file_that_is_gone_cannot_be_answered)
{
	struct unixconn *gram = dial();
	struct unixaddr own;
	size_t size;
	const char *path;

	ck_assert_int_eq(unixconn_get_address(gram, &own), 0);
	path = unixaddr_get_name(&own, &size);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_errno(unixconn_check_answer(gram), ENOENT);
	make_dead(SOCK_DGRAM, path);
	ck_assert_errno(unixconn_check_answer(gram), ESTALE);
	ck_assert_int_eq(unlink(path), 0);
	close_gram(gram);
}
END_TEST

static TCase *make_sweeps(void)
{
	TCase *tcase = make_tcase_with("sweeps", set_up, tear_down);

	tcase_add_test(tcase, dead_files_go_with_the_next_dial);
	tcase_add_test(tcase, files_of_all_types_go);
	tcase_add_test(tcase, live_ones_stay);
	tcase_add_loop_test(tcase, what_is_no_dead_socket_stays, 0,
		COUNT(makers));
	tcase_add_test(tcase, hidden_names_stay);
	tcase_add_loop_test(tcase, what_was_set_aside_under_any_name_goes, 0,
		2);
	tcase_add_test(tcase,
		what_was_set_aside_stays_while_the_directory_is_locked);
	tcase_add_test(tcase, nothing_outside_the_directory_goes);
	tcase_add_test(tcase, a_dial_removes_no_more_than_it_says);
	tcase_add_test(tcase,
		twenty_thousand_files_are_no_more_work_than_a_few);
	tcase_add_test(tcase, a_link_is_no_directory_of_ours);
	support_add_root_test(tcase, a_directory_of_another_user_is_left_alone);
	support_add_root_test(tcase,
		dead_files_beside_a_directory_of_another_user_go);
	support_add_root_test(tcase, a_base_that_cannot_be_listed_does);
	support_add_root_loop_test(tcase,
		where_others_could_rename_it_nothing_is_made, COUNT(bases));
	tcase_add_loop_test(tcase, the_directory_lets_others_pass, 0, 2);
	tcase_add_test(tcase, clients_take_nothing_from_one_another);
	return tcase;
}

static TCase *make_answers(void)
{
	TCase *tcase = make_tcase_with("answers", set_up, tear_down);

	tcase_add_test(tcase, a_client_can_be_answered_by_default);
	tcase_add_test(tcase, who_has_not_dialled_is_told);
	tcase_add_test(tcase, of_a_pair_nothing_is_known);
	tcase_add_test(tcase, of_abstract_names_nothing_is_known);
	tcase_add_test(tcase, an_adopted_socket_can_be_answered_or_not);
	tcase_add_test(tcase, of_relative_names_nothing_is_known);
	tcase_add_test(tcase, of_a_server_without_a_file_nothing_is_known);
	support_add_root_loop_test(tcase, what_is_said_is_what_the_kernel_does,
		COUNT(answers));
	support_add_root_test(tcase, of_groups_nothing_is_known);
	support_add_root_test(tcase,
		another_user_is_given_a_way_where_there_is_one);
	tcase_add_test(tcase, a_file_that_is_gone_cannot_be_answered);
	support_add_root_test(tcase,
		who_serves_roots_socket_may_have_no_rights);
	return tcase;
}

int main(void)
{
	return support_run_cases("sweep", make_sweeps(), make_answers());
}
