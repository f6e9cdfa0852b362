/* SPDX-License-Identifier: MIT */
/*
 * What the addresses of senders and of servers are worth where the kernel tells
 * less: without sock_diag, without /proc, in another user namespace. The
 * library is linked statically here, so the calls below are those that it
 * makes.
 */
#include <config.h>

#include <dlfcn.h>
#include <limits.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "network/proof.h"
#include "support/diag_play.h"
#include "support/scene.h"

/* Nobody has it. */
enum { STRANGER = 64001 };

/* Of all users that have no number. */
enum { OVERFLOW_USER = 65534 };

static const char *map; /* /proc/self/uid_map, NULL for the true one */
static int map_error;   /* of fopen(3) */
static unsigned int names_told = UINT_MAX; /* by getsockname(2), then none */
static bool is_proc_missing;

FILE *fopen(const char *path, const char *mode)
{
	static FILE *(*real)(const char *path, const char *mode);

	if (real == NULL)
		real = (FILE * (*)(const char *, const char *))
			dlsym(RTLD_NEXT, "fopen");
	if (strcmp(path, "/proc/self/uid_map") != 0 ||
		(map == NULL && map_error == 0))
		return real(path, mode);
	if (map_error == 0 && map[0] == '\0')
		return real("/dev/null", mode);
	if (map_error == 0)
		return fmemopen((char *)map, strlen(map), "r");
	errno = map_error;
	return NULL;
}

int getsockname(int fd, struct sockaddr *sa, socklen_t *length)
{
	if (names_told != 0) {
		names_told--;
		return (int)syscall(SYS_getsockname, fd, sa, length);
	}
	errno = ENOBUFS;
	return -1;
}

int faccessat(int fd, const char *path, int mode, int flags)
{
	(void)flags;
	if (!is_proc_missing || strncmp(path, "/proc/", 6) != 0)
		return (int)syscall(SYS_faccessat, fd, path, mode);
	errno = ENOENT;
	return -1;
}

int connect(int fd, const struct sockaddr *sa, socklen_t length)
{
	const struct sockaddr_un *sun = (const struct sockaddr_un *)(void *)sa;

	if (!is_proc_missing || strncmp(sun->sun_path, "/proc/", 6) != 0)
		return (int)syscall(SYS_connect, fd, sa, length);
	errno = ENOENT;
	return -1;
}

/* UNIX_DIAG_UID: the headers of kernels before Linux 5.3 lack it. */
enum { DIAG_USER = 7 };

static int server = -1;
static struct unixproof proof = { .fd = -1 };

static void set_up(void)
{
	server = open_bound(SOCK_DGRAM, support_path("server"));
	proof = (struct unixproof){ .fd = -1 };
}

static void tear_down(void)
{
	map = NULL;
	map_error = 0;
	names_told = UINT_MAX;
	is_proc_missing = false;
	diag_play_nothing();
	if (server >= 0)
		close(server);
	if (proof.fd >= 0)
		close(proof.fd);
	support_clear_dir();
}

static int open_client(const char *name)
{
	int fd = open_bound(SOCK_DGRAM, name);

	ck_assert_int_eq(connect_to(fd, support_path("server")), 0);
	return fd;
}

static int prove(const char *name, uid_t uid, unsigned int flags)
{
	const struct unixcred writer = { .pid = 1, .uid = uid, .gid = uid };
	const struct unixaddr from = address_of(name);

	return unixproof__find(&proof, server, &from, &writer, flags);
}

static int prove_early(const char *name)
{
	const struct unixaddr from = address_of(name);

	return unixproof__find(&proof, server, &from, NULL, UNIXPROOF_EARLY);
}

/* Users */

static const struct {
	const char *text;
	int is_anybody;
} maps[] = {
	{ "         0          0 4294967295\n", 0 },
	{ "         1          0 4294967295\n", 1 },
	{ "         0       1000 4294967295\n", 1 },
	{ "         0          0      65536\n", 1 },
	{ "         0          0\n", 1 }, { "\n", 1 },
	{ "", 1 }, /* of a namespace that is still to get one */
};

START_TEST(who_has_no_number_may_be_anybody_in_another_namespace)
{
	map = maps[_i].text;
	ck_assert_int_eq(unixproof__is_anybody(OVERFLOW_USER),
		maps[_i].is_anybody);
	ck_assert_int_eq(unixproof__is_anybody(STRANGER), 0);
}
END_TEST

START_TEST(who_has_no_number_may_be_anybody_if_the_map_is_hidden)
{
	map_error = EACCES;
	ck_assert_int_eq(unixproof__is_anybody(OVERFLOW_USER), 1);
	map_error = ENOENT;
	ck_assert_int_eq(unixproof__is_anybody(OVERFLOW_USER), 0);
}
END_TEST

START_TEST(a_shortage_says_nothing_about_a_user)
{
	map_error = EMFILE;
	ck_assert_errno(unixproof__is_anybody(OVERFLOW_USER), EMFILE);
}
END_TEST

START_TEST(a_writer_who_may_be_anybody_is_refused)
{
	int fd = open_bound(SOCK_DGRAM, support_path("client"));

	map = "0 1000 1\n";
	ck_assert_errno(prove(support_path("client"), OVERFLOW_USER, 0), EPERM);
	ck_assert_errno(prove_early(support_path("client")), EPERM);
	if (geteuid() != OVERFLOW_USER)
		ck_assert_int_eq(prove(support_path("client"), geteuid(), 0),
			0);
	close(fd);
}
END_TEST

/* Without sock_diag */

START_TEST(without_sock_diag_the_owner_of_the_file_is_proof)
{
	int fd = open_bound(SOCK_DGRAM, support_path("client"));

	diag_play.error = EAFNOSUPPORT;
	ck_assert_int_eq(prove(support_path("client"), geteuid(), 0), 0);
	ck_assert_errno(prove(support_path("client"), STRANGER, 0), EPERM);
	close(fd);
}
END_TEST

START_TEST(without_sock_diag_a_connected_socket_of_another_is_refused)
{
	int fd = open_client(support_path("client"));

	diag_play.error = EAFNOSUPPORT;
	ck_assert_int_eq(prove(support_path("client"), geteuid(), 0), 0);
	ck_assert_errno(prove(support_path("client"), STRANGER, 0), EPERM);
	close(fd);
}
END_TEST

/* It may be from another network namespace: our own name is a path. */
START_TEST(without_sock_diag_an_abstract_name_of_another_is_refused)
{
	int fd = open_bound(SOCK_DGRAM, support_abstract("client"));

	diag_play.error = EAFNOSUPPORT;
	ck_assert_errno(prove(support_abstract("client"), STRANGER, 0), EPERM);
	close(server);
	server = open_bound(SOCK_DGRAM, support_abstract("server"));
	ck_assert_int_eq(prove(support_abstract("client"), STRANGER, 0), 0);
	close(fd);
}
END_TEST

/* Whether our own name is abstract is asked second. */
START_TEST(without_our_own_name_an_abstract_name_of_another_is_refused)
{
	int fd = open_bound(SOCK_DGRAM, support_abstract("client"));

	diag_play.error = EAFNOSUPPORT;
	close(server);
	server = open_bound(SOCK_DGRAM, support_abstract("server"));
	names_told = 1;
	ck_assert_errno(prove(support_abstract("client"), STRANGER, 0), EPERM);
	names_told = 0;
	ck_assert_errno(prove(support_abstract("client"), STRANGER, 0),
		ENOBUFS);
	close(fd);
}
END_TEST

/* Weaker evidence does not count then: the kernel may tell later. */
START_TEST(a_shortage_in_sock_diag_is_told)
{
	const char *name = support_path("client");
	int fd = _i == 0 ? open_bound(SOCK_DGRAM, name) : open_client(name);

	diag_play.error = ENOBUFS;
	ck_assert_errno(prove(name, STRANGER, 0), ENOBUFS);
	close(fd);
}
END_TEST

/* Lists */

START_TEST(no_list_is_made_in_a_hurry)
{
	int fd = open_client(support_path("client"));

	ck_assert_errno(prove(support_path("client"), STRANGER,
				UNIXPROOF_QUICK),
		EAGAIN);
	close(fd);
}
END_TEST

/* The kernel lists it by the name that it was bound to. */
START_TEST(a_connected_socket_whose_file_was_renamed_is_refused)
{
	int fd = open_client(support_path("before"));

	ck_assert_int_eq(rename(support_path("before"), support_path("after")),
		0);
	ck_assert_errno(prove(support_path("after"), STRANGER, 0), EPERM);
	close(fd);
}
END_TEST

/* Behind a link only the list is proof of an early sender, and nothing is in
 * another user namespace. */
static const char *make_linked(void)
{
	map = maps[0].text;
	make_dir(support_path("real"), 0700);
	make_link(support_path("real"), support_path("link"));
	return support_path("link/client");
}

/* Of two sockets of one name, the one at the file. */
START_TEST(a_socket_that_had_the_same_name_before_is_passed_over)
{
	const char *name = make_linked();
	int before = open_bound(SOCK_DGRAM, name), fd;

	ck_assert_int_eq(rename(name, support_path("other")), 0);
	fd = open_client(name);
	ck_assert_int_eq(prove_early(name), 0);
	close(before);
	close(fd);
}
END_TEST

START_TEST(a_socket_is_found_if_the_list_is_begun_anew)
{
	const char *name = make_linked();
	int fd = open_client(name);

	diag_play.is_list_cut = true;
	ck_assert_int_eq(prove_early(name), 0);
	ck_assert(!diag_play.is_list_cut);
	close(fd);
}
END_TEST

/* The name is told, but not of which file. */
START_TEST(a_socket_that_may_have_another_file_is_no_proof)
{
	const char *name = make_linked();
	int fd = open_client(name);

	diag_play.answers = UINT_MAX;
	if (_i == 0)
		diag_play.hidden = UNIX_DIAG_VFS;
	else
		diag_play.device = 0x55555555;
	ck_assert_errno(prove_early(name), EPERM);
	close(fd);
}
END_TEST

START_TEST(without_sock_diag_nothing_behind_a_link_is_proved_early)
{
	const char *name = make_linked();
	int fd = open_client(name);

	diag_play.error = EAFNOSUPPORT;
	ck_assert_errno(prove_early(name), EPERM);
	close(fd);
}
END_TEST

/* Files */

static const char *make_open_way(void)
{
	make_dir(support_path("open"), 0700);
	ck_assert_int_eq(chmod(support_path("open"), 0777), 0);
	return support_path("open/client");
}

START_TEST(without_proc_the_proof_of_an_unsafe_name_does_not_last)
{
	const char *name = make_open_way();
	int fd = open_bound(SOCK_DGRAM, name);

	is_proc_missing = true;
	ck_assert_int_eq(prove(name, geteuid(), 0), 0);
	ck_assert(!proof.is_lasting);
	ck_assert_int_eq(proof.fd, -1);
	close(fd);
}
END_TEST

START_TEST(without_proc_a_chosen_file_has_to_be_safe)
{
	const char *name = make_open_way();
	const struct unixaddr addr = address_of(name);
	int fd = open_bound(SOCK_DGRAM, name);
	struct stat chosen = look_at(name);

	is_proc_missing = true;
	ck_assert_errno(unixproof__find_chosen(&proof, &addr, &chosen), ENOSYS);
	is_proc_missing = false;
	ck_assert_int_eq(unixproof__find_chosen(&proof, &addr, &chosen), 0);
	close(fd);
}
END_TEST

START_TEST(another_file_than_the_chosen_one_is_refused)
{
	const struct unixaddr addr = address_of(support_path("client"));
	int fd = open_bound(SOCK_DGRAM, support_path("client"));
	struct stat chosen = look_at(support_path("server"));

	ck_assert_errno(unixproof__find_chosen(&proof, &addr, &chosen), EPERM);
	close(fd);
}
END_TEST

START_TEST(proofs_hold_the_same_file_or_not)
{
	struct unixproof one = { .fd = open_bound(SOCK_DGRAM,
					 support_path("one")) };
	struct unixproof same = { .fd = dup(one.fd) };
	struct unixproof other = { .fd = open_bound(SOCK_DGRAM,
					   support_path("other")) };
	const struct unixproof none = { .fd = -1 }, wrong = { .fd = 1000000 };

	ck_assert(unixproof__is_same_file(&one, &same));
	ck_assert(!unixproof__is_same_file(&one, &other));
	ck_assert(!unixproof__is_same_file(&one, &none));
	ck_assert(!unixproof__is_same_file(&none, &one));
	ck_assert(!unixproof__is_same_file(&one, &wrong));
	ck_assert(!unixproof__is_same_file(&wrong, &one));
	close(one.fd);
	close(same.fd);
	close(other.fd);
}
END_TEST

/* Answers: the mode of a client's file, and whether it can be reached */

static void become(uid_t user)
{
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(user, user, user), 0);
}

/* Returns a path in a directory that user may write to, and only user. */
static const char *make_own_way(uid_t user)
{
	const char *dir = support_path("own");

	make_dir(dir, 0700);
	ck_assert_int_eq(chmod(support_dir(), 0711), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(dir, user, user), 0);
	return support_path("own/server");
}

/* Returns the mode of a client's file, at the server of its own user. */
static mode_t dial_own(const char *address)
{
	struct unixdial_options options = { .own = support_path("own/client") };
	struct unixconn *client;
	mode_t mode;

	client = unixconn_dial("unixgram", address, &options, UNIXMSG_NOW);
	ck_assert_msg(client != NULL, "dial: %s", strerror(errno));
	mode = mode_of(options.own);
	ck_assert_int_eq(unixconn_close(client), 0);
	return mode;
}

/* As an ordinary user, in a child if we are root. */
static void assert_mode_at_own_server(uid_t user, mode_t mode)
{
	const char *address = make_own_way(user);
	pid_t pid = support_fork();

	if (pid == 0) {
		become(user);
		open_bound(SOCK_DGRAM, address);
		_exit(dial_own(address) == mode ? 0 : 1);
	}
	support_wait_exit(pid, 0);
}

static const char everybody[] = "0 0 4294967295\n";
static const char few[] = "0 0 1000\n";

static const struct {
	int error;
	uint16_t hidden;
} servers[] = {
	{ 0, 0 },
	{ EAFNOSUPPORT, 0 },
	{ 0, DIAG_USER },
};

START_TEST(a_server_of_our_own_user_needs_no_more_permission)
{
	map = everybody;
	diag_play.error = servers[_i].error;
	diag_play.hidden = servers[_i].hidden;
	diag_play.answers = UINT_MAX;
	assert_mode_at_own_server(STRANGER, 0600);
}
END_TEST

START_TEST(a_user_who_may_be_anybody_has_no_server_of_his_own)
{
	map = few;
	assert_mode_at_own_server(OVERFLOW_USER, 0666);
}
END_TEST

/* As daemons do that drop their privileges. */
START_TEST(a_server_that_another_user_has_made_may_be_that_users)
{
	const char *address = make_own_way(STRANGER);
	int fd = open_bound(SOCK_DGRAM, address);
	pid_t pid;

	map = everybody;
	ck_assert_int_eq(chown(address, STRANGER, STRANGER), 0);
	pid = support_fork();
	if (pid == 0) {
		become(STRANGER);
		_exit(dial_own(address) == 0666 ? 0 : 1);
	}
	support_wait_exit(pid, 0);
	close(fd);
}
END_TEST

/* Who may be anybody cannot be told then. */
START_TEST(a_shortage_is_told_of_an_answer)
{
	const char *path = support_path("server");
	struct unixconn *gram = open_gram(path), *client;

	ck_assert_int_eq(chown(path, OVERFLOW_USER, OVERFLOW_USER), 0);
	client = unixconn_dial("unixgram", path, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	map_error = EMFILE;
	ck_assert_errno(unixconn_check_answer(client), EMFILE);
	close_gram(client);
	close_gram(gram);
}
END_TEST

static TCase *make_users(void)
{
	TCase *tcase = make_tcase_with("users", set_up, tear_down);

	tcase_add_loop_test(tcase,
		who_has_no_number_may_be_anybody_in_another_namespace, 0,
		(int)COUNT(maps));
	tcase_add_test(tcase,
		who_has_no_number_may_be_anybody_if_the_map_is_hidden);
	tcase_add_test(tcase, a_shortage_says_nothing_about_a_user);
	tcase_add_test(tcase, a_writer_who_may_be_anybody_is_refused);
	return tcase;
}

static TCase *make_sockets(void)
{
	TCase *tcase = make_tcase_with("sockets", set_up, tear_down);

	tcase_add_test(tcase, without_sock_diag_the_owner_of_the_file_is_proof);
	tcase_add_test(tcase,
		without_sock_diag_a_connected_socket_of_another_is_refused);
	tcase_add_test(tcase,
		without_sock_diag_an_abstract_name_of_another_is_refused);
	tcase_add_test(tcase,
		without_our_own_name_an_abstract_name_of_another_is_refused);
	tcase_add_loop_test(tcase, a_shortage_in_sock_diag_is_told, 0, 2);
	tcase_add_test(tcase, no_list_is_made_in_a_hurry);
	tcase_add_test(tcase,
		a_connected_socket_whose_file_was_renamed_is_refused);
	tcase_add_test(tcase,
		a_socket_that_had_the_same_name_before_is_passed_over);
	tcase_add_test(tcase, a_socket_is_found_if_the_list_is_begun_anew);
	tcase_add_loop_test(tcase,
		a_socket_that_may_have_another_file_is_no_proof, 0, 2);
	tcase_add_test(tcase,
		without_sock_diag_nothing_behind_a_link_is_proved_early);
	return tcase;
}

static TCase *make_files(void)
{
	TCase *tcase = make_tcase_with("files", set_up, tear_down);

	tcase_add_test(tcase,
		without_proc_the_proof_of_an_unsafe_name_does_not_last);
	tcase_add_test(tcase, without_proc_a_chosen_file_has_to_be_safe);
	tcase_add_test(tcase, another_file_than_the_chosen_one_is_refused);
	tcase_add_test(tcase, proofs_hold_the_same_file_or_not);
	return tcase;
}

static TCase *make_answers(void)
{
	TCase *tcase = make_tcase_with("answers", NULL, tear_down);

	tcase_add_loop_test(tcase,
		a_server_of_our_own_user_needs_no_more_permission, 0,
		(int)COUNT(servers));
	support_add_test_if(tcase,
		a_user_who_may_be_anybody_has_no_server_of_his_own,
		geteuid() == 0 || geteuid() == OVERFLOW_USER,
		"an ordinary user has a number");
	support_add_root_test(tcase, a_shortage_is_told_of_an_answer);
	support_add_root_test(tcase,
		a_server_that_another_user_has_made_may_be_that_users);
	return tcase;
}

int main(void)
{
	return support_run_cases("proof_kernel", make_users(), make_sockets(),
		make_files(), make_answers());
}
