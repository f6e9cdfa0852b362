/* SPDX-License-Identifier: MIT */
/*
 * SIGKILL before each of the calls with which a name is taken, taken over,
 * given up and swept: the library is linked statically, so that these are the
 * calls that it makes. What is left must not cost a live owner its name, nor
 * lie there for ever.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "name/name_private.h"
#include "support/scene.h"
#include "support/syscall_play.h"

enum { STEPS_MOST = 200 };

static bool is_taken_at_exchange, is_put_back_at_unlink;
static int newcomer;

/* The call before which the process dies, from 1 on; 0 for none. */
static int last_step, step;

/* Of the process that dies, for us to see. */
static bool *has_bound;

static void die_perhaps(void)
{
	if (last_step != 0 && ++step == last_step)
		kill(getpid(), SIGKILL);
}

/* What another does just before a call of ours. */
static void meddle(long number, long flags)
{
	if (number == SYS_renameat2 && flags == RENAME_EXCHANGE &&
		is_taken_at_exchange) {
		is_taken_at_exchange = false;
		ck_assert_int_eq(unlink(support_path("socket")), 0);
		newcomer =
			open_listening(SOCK_SEQPACKET, support_path("socket"));
	}
	if (number == SYS_unlinkat && is_put_back_at_unlink) {
		is_put_back_at_unlink = false;
		ck_assert_int_eq(rename(support_path(".unixmsg-socket"),
					 support_path("socket")),
			0);
	}
}

static long play_call(long number, long a, long b, long c, long d, long e)
{
	die_perhaps();
	meddle(number, e);
	return make_call(number, a, b, c, d, e);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return (int)play_call(SYS_renameat2, from_fd, (long)from, to_fd,
		(long)to, 0);
}

int unlinkat(int fd, const char *path, int flags)
{
	return (int)play_call(SYS_unlinkat, fd, (long)path, flags, 0, 0);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	return (int)play_call(SYS_linkat, from_fd, (long)from, to_fd, (long)to,
		flags);
}

int flock(int fd, int operation)
{
	return (int)play_call(SYS_flock, fd, operation, 0, 0, 0);
}

int fchmod(int fd, mode_t mode)
{
	return (int)play_call(SYS_fchmod, fd, mode, 0, 0, 0);
}

int connect(int fd, const struct sockaddr *sa, socklen_t length)
{
	return (int)play_call(SYS_connect, fd, (long)sa, length, 0, 0);
}

int bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	int result = (int)play_call(SYS_bind, fd, (long)sa, length, 0, 0);

	if (result == 0 && has_bound != NULL)
		*has_bound = true;
	return result;
}

static const char *path_of_name(void)
{
	return support_path("socket");
}

static int open_with(struct server *server, unsigned int flags)
{
	return open_as(server, SOCK_SEQPACKET, flags, 0);
}

/* What the process does that is killed. */

static void claim(void)
{
	struct server server;

	ck_assert_int_eq(open_with(&server, 0), 0);
	last_step = 0;
	close_server(&server);
}

static void replace(void)
{
	struct server server;

	ck_assert_int_eq(open_with(&server, UNIXMSG_LISTEN_REPLACE), 0);
	last_step = 0;
	close_server(&server);
}

static void release(void)
{
	struct server server;
	int wanted = last_step;

	last_step = 0;
	ck_assert_int_eq(open_with(&server, 0), 0);
	last_step = wanted;
	close_server(&server);
}

static void dial(void)
{
	struct unixconn *gram = unixconn_dial("unixgram",
		support_path("server"), NULL, UNIXMSG_NOW);

	ck_assert_ptr_nonnull(gram);
	close_gram(gram);
}

/* Whether it was killed: if not there is no such call. */
static bool is_killed(void (*act)(void), int when)
{
	pid_t pid;
	int how;

	*has_bound = false;
	pid = support_fork();
	if (pid == 0) {
		last_step = when;
		act();
		_exit(0);
	}
	support_waitpid(pid, &how);
	ck_assert(WIFSIGNALED(how) || WEXITSTATUS(how) == 0);
	return WIFSIGNALED(how);
}

/* The next who wants the name has it, and leaves nothing behind. */
static void come_and_go(void)
{
	struct server server;

	ck_assert_msg(open_with(&server, 0) == 0, "%s", strerror(errno));
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}

START_TEST(a_claim_that_is_killed_leaves_nothing_for_ever)
{
	int i;

	for (i = 1; i < STEPS_MOST; i++) {
		if (_i == 1)
			make_dead(SOCK_DGRAM, path_of_name());
		if (!is_killed(claim, i))
			break;
		come_and_go();
	}
	ck_assert_int_gt(i, 3);
	ck_assert_int_lt(i, STEPS_MOST);
}
END_TEST

START_TEST(a_release_that_is_killed_leaves_nothing_for_ever)
{
	int i;

	for (i = 1; is_killed(release, i); i++)
		come_and_go();
	ck_assert_int_gt(i, 3);
}
END_TEST

/* Dialling reaches owner. */
static void assert_leads_to(struct unixlistener *owner)
{
	struct pollfd poll_fd = { .fd = unixlistener_get_fd(owner),
		.events = POLLIN };
	struct unixconn *client =
		unixconn_dial("unixpacket", path_of_name(), NULL, UNIXMSG_NOW);
	struct unixconn *accepted;

	ck_assert_msg(client != NULL, "step %d: %s", step, strerror(errno));
	ck_assert_int_eq(support_poll(&poll_fd, 1, 0), 1);
	accepted = unixlistener_accept(owner, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(accepted);
	unixconn_close(accepted);
	unixconn_close(client);
}

START_TEST(a_live_owner_keeps_the_name_until_another_has_it)
{
	struct server owner;
	int i;

	for (i = 1; i < STEPS_MOST; i++) {
		ck_assert_int_eq(open_with(&owner, 0), 0);
		if (!is_killed(replace, i))
			break;
		if (!*has_bound)
			assert_leads_to(owner.listener);
		ck_assert_int_eq(close_server(&owner), 0);
		come_and_go();
	}
	ck_assert_int_gt(i, 6);
	ck_assert_int_lt(i, STEPS_MOST);
	ck_assert_int_eq(close_server(&owner), 0);
	assert_files(0);
}
END_TEST

/* A client looks whose the server's file is, too. */
static void assert_hears_a_client(struct unixconn *owner)
{
	struct unixdial_options options = { .own = support_path("own") };
	struct unixconn *client;
	char byte;

	client = unixconn_dial("unixgram", path_of_name(), &options,
		UNIXMSG_NOW);
	ck_assert_msg(client != NULL, "%s", strerror(errno));
	ck_assert_int_eq(unixconn_send(client, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(owner, &byte, 1, NULL, UNIXMSG_NOW), 1);
	close_gram(client);
}

START_TEST(a_live_datagram_owner_keeps_its_name_too)
{
	struct unixconn *owner;
	int i;

	for (i = 1; i < STEPS_MOST; i++) {
		owner = open_gram(path_of_name());
		if (!is_killed(replace, i))
			break;
		if (!*has_bound)
			assert_hears_a_client(owner);
		close_gram(owner);
		come_and_go();
	}
	ck_assert_int_gt(i, 6);
	close_gram(owner);
}
END_TEST

/* Whoever wanted to replace him is dead, and he lives. */
START_TEST(the_next_claim_gives_a_live_owner_his_name_back)
{
	struct server owner, other;
	int i;

	for (i = 1; i < STEPS_MOST; i++) {
		ck_assert_int_eq(open_with(&owner, 0), 0);
		if (!is_killed(replace, i))
			break;
		if (open_with(&other, 0) == 0) {
			/* Only where the replacement was complete. */
			ck_assert(*has_bound);
			ck_assert_int_eq(close_server(&other), 0);
		} else {
			ck_assert_int_eq(errno, EADDRINUSE);
			ck_assert_int_eq(try_to_reach(path_of_name()),
				EPROTOTYPE);
			assert_leads_to(owner.listener);
			assert_files(1);
		}
		ck_assert_int_eq(close_server(&owner), 0);
		assert_files(0);
	}
	ck_assert_int_gt(i, 6);
	ck_assert_int_eq(close_server(&owner), 0);
}
END_TEST

/* And who is killed as he gives it back. */
START_TEST(giving_back_a_name_may_be_killed_too)
{
	struct server owner;
	int i, j;

	for (i = 1; i < STEPS_MOST; i++) {
		for (j = 1; j < STEPS_MOST; j++) {
			bool is_over;

			ck_assert_int_eq(open_with(&owner, 0), 0);
			is_over = !is_killed(replace, i);
			if (!is_over && !*has_bound) {
				is_over = !is_killed(replace, j);
				if (!*has_bound)
					assert_leads_to(owner.listener);
			} else {
				is_over = true;
			}
			ck_assert_int_eq(close_server(&owner), 0);
			come_and_go();
			if (is_over)
				break;
		}
		ck_assert_int_eq(open_with(&owner, 0), 0);
		if (!is_killed(replace, i))
			break;
		ck_assert_int_eq(close_server(&owner), 0);
		come_and_go();
	}
	ck_assert_int_eq(close_server(&owner), 0);
}
END_TEST

/* In a sticky directory everybody may make files. */
START_TEST(a_file_of_another_user_gets_nobodys_name)
{
	const char *aside = support_path(".unixmsg-socket");
	struct server server;
	int other = open_listening(SOCK_SEQPACKET, aside);

	ck_assert_int_eq(chown(aside, 65534, 65534), 0);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	if (_i == 1)
		make_dead(SOCK_DGRAM, path_of_name());
	ck_assert_int_eq(open_with(&server, 0), 0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_missing(path_of_name());
	assert_is_socket(aside);
	assert_hears_nothing(other, SOCK_SEQPACKET);
	close(other);
}
END_TEST

/* What is to be dialled has no name at the moment. */
static int dial_packet(void)
{
	struct unixconn *client =
		unixconn_dial("unixpacket", path_of_name(), NULL, UNIXMSG_NOW);
	int saved = errno;

	unixconn_close(client);
	errno = saved;
	return client == NULL ? -1 : 0;
}

START_TEST(a_file_of_another_user_is_not_dialled)
{
	const char *aside = support_path(".unixmsg-socket");
	int other = open_listening(SOCK_SEQPACKET, aside);

	ck_assert_int_eq(chown(aside, 65534, 65534), 0);
	ck_assert_int_eq(dial_packet(), 0);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	ck_assert_errno(dial_packet(), ENOENT);
	ck_assert_int_eq(chown(aside, 0, 0), 0);
	ck_assert_int_eq(dial_packet(), 0);
	unlink(aside);
	close(other);
}
END_TEST

START_TEST(a_file_of_root_is_dialled_by_everybody)
{
	const char *aside = support_path(".unixmsg-socket");
	int other = open_listening(SOCK_SEQPACKET, aside);
	pid_t pid;

	ck_assert_int_eq(chmod(aside, 0666), 0);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		_exit(dial_packet() == 0 ? 0 : 1);
	}
	support_wait_exit(pid, 0);
	unlink(aside);
	close(other);
}
END_TEST

/* It may lead anywhere. */
START_TEST(a_link_in_its_place_is_not_dialled)
{
	int other = open_listening(SOCK_SEQPACKET, support_path("other"));

	make_link("other", support_path(".unixmsg-socket"));
	ck_assert_errno(dial_packet(), ENOENT);
	unlink(support_path(".unixmsg-socket"));
	close(other);
}
END_TEST

START_TEST(what_is_no_socket_of_ours_is_left_alone)
{
	const char *aside = support_path(".unixmsg-socket");
	struct server server;
	struct stat before;

	if (_i == 0)
		make_file(aside, "precious");
	else if (_i == 1)
		make_link("victim", aside);
	else
		make_dir(aside, 0700);
	before = look_at(aside);
	make_dead(SOCK_DGRAM, path_of_name());
	ck_assert_int_eq(open_with(&server, 0), 0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_untouched(aside, &before);
	assert_files(1);
	remove(aside);
}
END_TEST

/* A live owner's file that was set aside, and what has the name since. */

static int open_aside(void)
{
	return open_listening(SOCK_SEQPACKET, support_path(".unixmsg-socket"));
}

START_TEST(what_is_no_socket_keeps_the_name)
{
	int owner = open_aside();
	struct server server;

	make_file(path_of_name(), "precious");
	ck_assert_errno(open_with(&server, 0), ENOTSOCK);
	assert_content(path_of_name(), "precious");
	assert_is_socket(support_path(".unixmsg-socket"));
	close(owner);
}
END_TEST

START_TEST(a_live_owner_who_came_later_keeps_the_name)
{
	int owner = open_aside();
	int other = open_listening(SOCK_SEQPACKET, path_of_name());
	struct stat before = look_at(path_of_name());
	struct server server;

	ck_assert_errno(open_with(&server, 0), EADDRINUSE);
	assert_same_file(path_of_name(), &before);
	assert_files(1);
	close(other);
	close(owner);
}
END_TEST

START_TEST(who_comes_while_a_name_is_given_back_keeps_it)
{
	int owner = open_aside();
	struct server server;

	make_dead(SOCK_DGRAM, path_of_name());
	is_taken_at_exchange = true;
	ck_assert_errno(open_with(&server, 0), EADDRINUSE);
	ck_assert(!is_taken_at_exchange);
	ck_assert_int_eq(try_to_reach(path_of_name()), EPROTOTYPE);
	close(owner);
	ck_assert_int_eq(try_to_reach(path_of_name()), EPROTOTYPE);
	close(newcomer);
	come_and_go();
}
END_TEST

/* As where a file gets its name back by link(2). */
START_TEST(a_file_of_both_names_keeps_one)
{
	int owner = open_aside();
	struct server server;

	ck_assert_int_eq(link(support_path(".unixmsg-socket"), path_of_name()),
		0);
	ck_assert_errno(open_with(&server, 0), EADDRINUSE);
	ck_assert_int_eq(try_to_reach(path_of_name()), EPROTOTYPE);
	assert_files(1);
	close(owner);
}
END_TEST

/* Somebody who has no lock takes the release for one that was killed. */
START_TEST(a_file_that_is_given_back_to_us_goes_too)
{
	struct server server;

	ck_assert_int_eq(open_with(&server, 0), 0);
	is_put_back_at_unlink = true;
	ck_assert_int_eq(close_server(&server), 0);
	ck_assert(!is_put_back_at_unlink);
	assert_files(0);
}
END_TEST

static void set_up_clients(char dir[256])
{
	snprintf(dir, 256, "%s/unixmsg-%ju", support_path("run"),
		(uintmax_t)geteuid());
	make_dir(support_path("run"), 0711);
	make_dir(dir, 0711);
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", support_path("run"), 1), 0);
	ck_assert_int_eq(setenv("TMPDIR", support_path("run"), 1), 0);
}

START_TEST(a_sweep_that_is_killed_leaves_nothing_for_ever)
{
	struct unixconn *server = open_gram(support_path("server"));
	char dir[256], dead[300];
	int i;

	set_up_clients(dir);
	snprintf(dead, sizeof(dead), "%s/0123456789abcdef", dir);
	for (i = 1; i < STEPS_MOST; i++) {
		make_dead(SOCK_DGRAM, dead);
		if (!is_killed(dial, i))
			break;
		dial();
		dial();
		ck_assert_int_eq(count_files(dir), 0);
	}
	ck_assert_int_gt(i, 6);
	close_gram(server);
}
END_TEST

static void share_flag(void)
{
	has_bound = mmap(NULL, sizeof(*has_bound), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (has_bound == MAP_FAILED)
		exit(EXIT_FAILURE);
}

int main(void)
{
	TCase *tcase = make_tcase("kills");

	share_flag();
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase,
		a_claim_that_is_killed_leaves_nothing_for_ever, 0, 2);
	tcase_add_test(tcase, a_release_that_is_killed_leaves_nothing_for_ever);
	tcase_add_test(tcase, a_live_owner_keeps_the_name_until_another_has_it);
	tcase_add_test(tcase, a_live_datagram_owner_keeps_its_name_too);
	tcase_add_test(tcase, the_next_claim_gives_a_live_owner_his_name_back);
	tcase_add_test(tcase, giving_back_a_name_may_be_killed_too);
	support_add_root_loop_test(tcase,
		a_file_of_another_user_gets_nobodys_name, 2);
	support_add_root_test(tcase, a_file_of_another_user_is_not_dialled);
	support_add_root_test(tcase, a_file_of_root_is_dialled_by_everybody);
	tcase_add_test(tcase, a_link_in_its_place_is_not_dialled);
	tcase_add_loop_test(tcase, what_is_no_socket_of_ours_is_left_alone, 0,
		3);
	tcase_add_test(tcase, what_is_no_socket_keeps_the_name);
	tcase_add_test(tcase, a_live_owner_who_came_later_keeps_the_name);
	tcase_add_test(tcase, who_comes_while_a_name_is_given_back_keeps_it);
	tcase_add_test(tcase, a_file_of_both_names_keeps_one);
	tcase_add_test(tcase, a_file_that_is_given_back_to_us_goes_too);
	tcase_add_test(tcase, a_sweep_that_is_killed_leaves_nothing_for_ever);
	return support_run_cases("name_kill", tcase);
}
