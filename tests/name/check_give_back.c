/* SPDX-License-Identifier: MIT */
/*
 * A name that is taken over from a running server and given back. The server is
 * a socket without the library, and so is the program that takes the name.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scene.h"

static const char *name;
static int server, type;
static struct stat its_file;
static struct rlimit unlimited;

static const char *get_hidden(void)
{
	return support_path(".unixmsg=name");
}

static void set_up(void)
{
	support_clear_dir();
	name = support_path("name");
	server = -1;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &unlimited), 0);
}

static void tear_down(void)
{
	close(server);
}

static void start(int kind)
{
	type = types[kind];
	server = open_listening(type, name);
	its_file = look_at(name);
}

/* Whether who connects to address gets to fd. */
static bool leads_to(const char *address, int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int client = open_socket(type), got;
	bool is_reached;
	char byte;

	if (connect_to(client, address) < 0) {
		close(client);
		return false;
	}
	if (type == SOCK_DGRAM)
		ck_assert_int_eq(send(client, "x", 1, MSG_DONTWAIT), 1);
	is_reached = poll(&poll_fd, 1, 0) == 1;
	if (is_reached && type == SOCK_DGRAM) {
		ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	} else if (is_reached) {
		got = accept(fd, NULL, NULL);
		ck_assert_int_ge(got, 0);
		close(got);
	}
	close(client);
	return is_reached;
}

static struct unixtakeover *take(void)
{
	struct unixtakeover *takeover = unixtakeover_open(name, UNIXMSG_NOW);

	ck_assert_msg(takeover != NULL, "%s", strerror(errno));
	return takeover;
}

/* Takes the name as UNIXMSG_LISTEN_REPLACE does, without a moment between. */
static int listen_instead(void)
{
	const char *fresh = support_path("fresh");
	int fd = open_listening(type, fresh);

	ck_assert_int_eq(rename(fresh, name), 0);
	return fd;
}

static void expect_given_back(void)
{
	assert_same_file(name, &its_file);
	assert_missing(get_hidden());
	ck_assert(leads_to(name, server));
}

static void refuse_to_take(int error)
{
	ck_assert_null_errno(unixtakeover_open(name, UNIXMSG_NOW), error);
}

/* Taking */

START_TEST(the_server_stays_reachable_and_gets_its_name_back)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i);
	takeover = take();
	ck_assert_str_eq(unixtakeover_get_address(takeover), get_hidden());
	instead = listen_instead();
	ck_assert(leads_to(name, instead));
	ck_assert(leads_to(unixtakeover_get_address(takeover), server));
	errno = EXDEV;
	ck_assert_int_eq(unixtakeover_close(takeover, instead), 1);
	ck_assert_int_eq(errno, EXDEV);
	expect_given_back();
	close(instead);
}
END_TEST

START_TEST(a_listener_of_the_library_takes_the_name)
{
	const struct unixlisten_options options = {
		.flags = UNIXMSG_LISTEN_REPLACE,
	};
	struct unixtakeover *takeover;
	struct unixlistener *listener;

	start(1);
	takeover = take();
	listener = unixlistener_open("unixpacket", name, &options);
	ck_assert_ptr_nonnull(listener);
	ck_assert(leads_to(name, unixlistener_get_fd(listener)));
	ck_assert_int_eq(unixtakeover_close(takeover,
				 unixlistener_get_fd(listener)),
		1);
	ck_assert_int_eq(unixlistener_close(listener), 0);
	expect_given_back();
}
END_TEST

/* "@" begins an abstract name unless something stands before it. */
static const struct {
	const char *dir, *text, *address;
} relatives[] = {
	{ "unused", "name", "./.unixmsg=name" },
	{ "@d", "\\x40d/../name", "./@d/../.unixmsg=name" },
};

START_TEST(a_relative_name_has_a_relative_address)
{
	struct unixtakeover *takeover;

	start(1);
	make_dir(support_path(relatives[_i].dir), 0700);
	ck_assert_int_eq(chdir(support_dir()), 0);
	takeover = unixtakeover_open(relatives[_i].text, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(takeover);
	ck_assert_str_eq(unixtakeover_get_address(takeover),
		relatives[_i].address);
	ck_assert(leads_to(unixtakeover_get_address(takeover), server));
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	ck_assert_int_eq(chdir("/"), 0);
	expect_given_back();
}
END_TEST

/* As text, and the directory that they need. */
static const struct {
	const char *text, *dir;
} odd_names[] = {
	{ "a\\\\b", "unused" },
	{ "c\\\\d/name", "c\\d" },
};

START_TEST(the_address_is_text_whatever_bytes_the_name_has)
{
	const char *text = support_path(odd_names[_i].text);
	struct unixtakeover *takeover;
	struct unixconn *client;

	type = SOCK_SEQPACKET;
	make_dir(support_path(odd_names[_i].dir), 0700);
	server = open_listening(type, text);
	takeover = unixtakeover_open(text, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(takeover);
	client = unixconn_dial("unixpacket", unixtakeover_get_address(takeover),
		NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	ck_assert_int_eq(unixconn_close(client), 0);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
}
END_TEST

static void make_nothing(void)
{
}

static void make_a_file(void)
{
	make_file(name, "text");
}

static void make_a_dead_server(void)
{
	make_dead(SOCK_SEQPACKET, name);
}

static void make_a_link(void)
{
	make_link("other", name);
}

static const struct {
	void (*make)(void);
	int error;
} no_servers[] = {
	{ make_nothing, ENOENT },
	{ make_a_file, ENOTSOCK },
	{ make_a_dead_server, ECONNREFUSED },
	{ make_a_link, ENOTSOCK },
};

START_TEST(without_a_live_server_nothing_is_taken)
{
	no_servers[_i].make();
	refuse_to_take(no_servers[_i].error);
	assert_missing(get_hidden());
}
END_TEST

START_TEST(abstract_names_cannot_be_taken)
{
	ck_assert_null_errno(unixtakeover_open("@name", UNIXMSG_NOW), ENOTSUP);
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused)
{
	ck_assert_null_errno(unixtakeover_open(name, -1), EINVAL);
	ck_assert_null_errno(unixtakeover_open("\\q", UNIXMSG_NOW), EINVAL);
}
END_TEST

START_TEST(one_takeover_at_a_time)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i);
	takeover = take();
	instead = listen_instead();
	refuse_to_take(EBUSY);
	ck_assert(leads_to(name, instead));
	ck_assert_int_eq(unixtakeover_close(takeover, instead), 1);
	close(instead);
	expect_given_back();
}
END_TEST

/* Whether the other one is in this process or in another. */
START_TEST(a_takeover_that_does_not_listen_yet_is_at_work)
{
	struct unixtakeover *takeover;
	pid_t pid;

	start(_i);
	takeover = take();
	refuse_to_take(EBUSY);
	pid = support_fork();
	if (pid == 0) {
		unixtakeover_close(unixtakeover_open(name, UNIXMSG_NOW), -1);
		_exit(errno == EBUSY ? 0 : 1);
	}
	support_wait_exit(pid, 0);
	ck_assert(leads_to(get_hidden(), server));
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(a_refused_takeover_is_in_nobodys_way)
{
	struct unixtakeover *takeover;
	int i;

	start(1);
	takeover = take();
	for (i = 0; i < 3; i++)
		refuse_to_take(EBUSY);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	ck_assert_int_eq(unixtakeover_close(take(), -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(other_names_of_the_directory_may_be_taken_meanwhile)
{
	const char *other_name = support_path("other");
	struct unixtakeover *takeover, *other;
	int other_server;

	start(1);
	other_server = open_listening(type, other_name);
	takeover = take();
	other = unixtakeover_open(other_name, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(unixtakeover_close(other, -1), 1);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	ck_assert(leads_to(other_name, other_server));
	expect_given_back();
	close(other_server);
}
END_TEST

/* Without the mark nobody can know whether another is at work. */
START_TEST(in_a_directory_that_may_not_be_read_nothing_is_taken)
{
	pid_t pid;

	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	pid = support_fork();
	if (pid == 0) {
		if (support_is_root())
			support_as_nobody();
		make_dir(support_path("place"), 0700);
		name = support_path("place/name");
		start(1);
		ck_assert_int_eq(chmod(support_path("place"), 0300), 0);
		refuse_to_take(EACCES);
		ck_assert_int_eq(chmod(support_path("place"), 0700), 0);
		assert_missing(support_path("place/.unixmsg=name"));
		ck_assert(leads_to(name, server));
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_lock_that_others_hold_is_waited_for)
{
	int dir_fd = open(support_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	start(1);
	ck_assert_int_eq(flock(dir_fd, LOCK_EX), 0);
	refuse_to_take(EAGAIN);
	ck_assert_null_errno(unixtakeover_open(name,
				     unixdeadline_after_us(1000)),
		ETIMEDOUT);
	assert_missing(get_hidden());
	close(dir_fd);
	ck_assert_int_eq(unixtakeover_close(take(), -1), 1);
}
END_TEST

START_TEST(a_file_of_another_user_is_no_hidden_name)
{
	int other;

	start(1);
	other = open_listening(type, get_hidden());
	ck_assert_int_eq(chown(get_hidden(), 65534, 65534), 0);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	refuse_to_take(EPERM);
	unlink(name);
	refuse_to_take(EPERM);
	ck_assert(leads_to(get_hidden(), other));
	close(other);
}
END_TEST

/* Giving back */

START_TEST(a_name_that_was_not_used_is_given_back)
{
	start(_i);
	ck_assert_int_eq(unixtakeover_close(take(), -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(a_file_that_has_gone_leaves_its_place)
{
	struct unixtakeover *takeover;

	start(_i);
	takeover = take();
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(a_server_that_has_ended_gets_nothing_back)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i);
	takeover = take();
	instead = listen_instead();
	close(server);
	server = -1;
	ck_assert_int_eq(unixtakeover_close(takeover, instead), 0);
	assert_missing(get_hidden());
	ck_assert(leads_to(name, instead));
	close(instead);
}
END_TEST

/* And a dead file in its place goes as well. */
START_TEST(nothing_of_a_server_that_has_ended_stays)
{
	struct unixtakeover *takeover;

	start(_i);
	takeover = take();
	close(listen_instead());
	close(server);
	server = -1;
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 0);
	assert_missing(name);
	assert_missing(get_hidden());
}
END_TEST

static void end_the_server(void)
{
	close(server);
	server = -1;
}

/* Whether the server lives on or has ended. */
START_TEST(a_name_that_another_has_taken_is_lost)
{
	struct unixtakeover *takeover;
	int instead, third;

	start(_i % TYPES);
	takeover = take();
	instead = listen_instead();
	third = listen_instead();
	if (_i >= TYPES)
		end_the_server();
	ck_assert_errno(unixtakeover_close(takeover, instead), EADDRINUSE);
	ck_assert(leads_to(name, third));
	assert_missing(get_hidden());
	close(third);
	close(instead);
}
END_TEST

/* Nobody is reached by it, so that the hidden name is the only way. */
START_TEST(a_file_that_has_taken_the_name_keeps_it_and_the_hidden_one)
{
	struct unixtakeover *takeover;

	start(_i);
	takeover = take();
	ck_assert_int_eq(unlink(name), 0);
	make_file(name, "precious");
	ck_assert_errno(unixtakeover_close(takeover, -1), ECONNREFUSED);
	assert_content(name, "precious");
	ck_assert(leads_to(get_hidden(), server));
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(unixtakeover_close(take(), -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(a_caller_without_a_socket_has_taken_no_name)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i % TYPES);
	takeover = take();
	instead = listen_instead();
	if (_i >= TYPES)
		end_the_server();
	ck_assert_errno(unixtakeover_close(takeover, -1), EADDRINUSE);
	ck_assert(leads_to(name, instead));
	assert_missing(get_hidden());
	close(instead);
}
END_TEST

START_TEST(a_hidden_name_that_is_anothers_is_left_alone)
{
	struct unixtakeover *takeover;
	int other;

	start(_i);
	takeover = take();
	ck_assert_int_eq(unlink(get_hidden()), 0);
	other = open_listening(type, get_hidden());
	ck_assert_errno(unixtakeover_close(takeover, -1), ESTALE);
	ck_assert(leads_to(get_hidden(), other));
	ck_assert(leads_to(name, server));
	close(other);
}
END_TEST

START_TEST(a_name_is_given_back_when_all_descriptors_are_in_use)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i % TYPES);
	takeover = take();
	instead = listen_instead();
	if (_i >= TYPES) {
		end_the_server();
		/* Its number is in use again. */
		server = fcntl(instead, F_DUPFD_CLOEXEC, 0);
	}
	support_limit_fds(0);
	ck_assert_int_eq(unixtakeover_close(takeover, instead), _i < TYPES);
	support_lift_fds_limit();
	if (_i < TYPES)
		expect_given_back();
	close(instead);
}
END_TEST

/* Not even a descriptor that becomes free can be used. */
static void forbid_all_fds(void)
{
	const struct rlimit none = { 0, unlimited.rlim_max };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void allow_fds(void)
{
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &unlimited), 0);
}

START_TEST(a_name_that_could_not_be_given_back_is_given_back_later)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i);
	takeover = take();
	instead = listen_instead();
	forbid_all_fds();
	ck_assert_errno(unixtakeover_give_back(takeover, instead), EMFILE);
	ck_assert_errno(unixtakeover_give_back(takeover, instead), EMFILE);
	allow_fds();
	ck_assert(leads_to(name, instead));
	ck_assert(leads_to(unixtakeover_get_address(takeover), server));
	refuse_to_take(EBUSY);
	errno = EXDEV;
	ck_assert_int_eq(unixtakeover_give_back(takeover, instead), 1);
	ck_assert_int_eq(errno, EXDEV);
	expect_given_back();
	ck_assert_errno(unixtakeover_give_back(takeover, instead), ESTALE);
	errno = EXDEV;
	ck_assert_int_eq(unixtakeover_close(takeover, instead), 0);
	ck_assert_int_eq(errno, EXDEV);
	expect_given_back();
	close(instead);
}
END_TEST

START_TEST(a_close_that_gives_nothing_back_leaves_it_to_the_next)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i);
	takeover = take();
	instead = listen_instead();
	forbid_all_fds();
	ck_assert_errno(unixtakeover_close(takeover, instead), EMFILE);
	allow_fds();
	ck_assert(leads_to(get_hidden(), server));
	close(instead);
	ck_assert_int_eq(unixtakeover_close(take(), -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(a_name_that_is_lost_is_not_given_back_later)
{
	struct unixtakeover *takeover;
	int instead, third;

	start(_i);
	takeover = take();
	instead = listen_instead();
	third = listen_instead();
	ck_assert_errno(unixtakeover_give_back(takeover, instead), EADDRINUSE);
	ck_assert_errno(unixtakeover_give_back(takeover, instead), ESTALE);
	ck_assert_int_eq(unixtakeover_close(takeover, instead), 0);
	ck_assert(leads_to(name, third));
	close(third);
	close(instead);
}
END_TEST

START_TEST(closing_nothing_gives_nothing_back)
{
	errno = EXDEV;
	ck_assert_int_eq(unixtakeover_close(NULL, -1), 0);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* After a kill */

/* Ends as SIGKILL ends it, after so many steps. */
static void take_and_die(int steps)
{
	pid_t pid = support_fork();
	int status;

	if (pid == 0) {
		close(server);
		take();
		if (steps > 0)
			listen_instead();
		if (steps > 1)
			unlink(name);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(after_a_kill_the_name_is_given_back)
{
	start(_i % TYPES);
	take_and_die(_i / TYPES);
	ck_assert_int_eq(unixtakeover_close(take(), -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(after_a_kill_the_next_takeover_goes_on)
{
	struct unixtakeover *takeover;
	int instead;

	start(_i % TYPES);
	take_and_die(_i / TYPES);
	takeover = take();
	instead = listen_instead();
	ck_assert(leads_to(unixtakeover_get_address(takeover), server));
	ck_assert_int_eq(unixtakeover_close(takeover, instead), 1);
	expect_given_back();
	close(instead);
}
END_TEST

START_TEST(after_a_kill_a_name_that_another_has_taken_stays_with_it)
{
	int third;

	start(_i);
	take_and_die(1);
	third = listen_instead();
	refuse_to_take(EBUSY);
	ck_assert(leads_to(name, third));
	ck_assert(leads_to(get_hidden(), server));
	close(third);
	ck_assert_int_eq(unixtakeover_close(take(), -1), 1);
	expect_given_back();
}
END_TEST

/* The claim of the caller was killed after it had set the file aside. */
START_TEST(a_file_that_a_killed_claim_has_set_aside_does_not_stay)
{
	const char *aside = support_path(".unixmsg-name");
	struct unixtakeover *takeover;

	start(_i);
	takeover = take();
	ck_assert_int_eq(rename(name, aside), 0);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	assert_missing(aside);
	expect_given_back();
}
END_TEST

START_TEST(after_a_kill_and_the_servers_end_nothing_stays)
{
	start(_i % TYPES);
	take_and_die(_i / TYPES);
	close(server);
	server = -1;
	refuse_to_take(_i / TYPES == 2 ? ENOENT : ECONNREFUSED);
	assert_missing(get_hidden());
}
END_TEST

static TCase *make_taking(void)
{
	TCase *tcase = make_tcase_with("taking", set_up, tear_down);

	tcase_add_loop_test(tcase,
		the_server_stays_reachable_and_gets_its_name_back, 0, TYPES);
	tcase_add_test(tcase, a_listener_of_the_library_takes_the_name);
	tcase_add_loop_test(tcase, a_relative_name_has_a_relative_address, 0,
		(int)COUNT(relatives));
	tcase_add_loop_test(tcase,
		the_address_is_text_whatever_bytes_the_name_has, 0,
		(int)COUNT(odd_names));
	tcase_add_loop_test(tcase, without_a_live_server_nothing_is_taken, 0,
		(int)COUNT(no_servers));
	tcase_add_test(tcase, abstract_names_cannot_be_taken);
	tcase_add_test(tcase, what_cannot_be_meant_is_refused);
	tcase_add_loop_test(tcase, one_takeover_at_a_time, 0, TYPES);
	tcase_add_loop_test(tcase,
		a_takeover_that_does_not_listen_yet_is_at_work, 0, TYPES);
	tcase_add_test(tcase, a_refused_takeover_is_in_nobodys_way);
	tcase_add_test(tcase,
		other_names_of_the_directory_may_be_taken_meanwhile);
	tcase_add_test(tcase,
		in_a_directory_that_may_not_be_read_nothing_is_taken);
	tcase_add_test(tcase, a_lock_that_others_hold_is_waited_for);
	support_add_root_test(tcase, a_file_of_another_user_is_no_hidden_name);
	return tcase;
}

static TCase *make_giving_back(void)
{
	TCase *tcase = make_tcase_with("giving back", set_up, tear_down);

	tcase_add_loop_test(tcase, a_name_that_was_not_used_is_given_back, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_file_that_has_gone_leaves_its_place, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_server_that_has_ended_gets_nothing_back, 0,
		TYPES);
	tcase_add_loop_test(tcase, nothing_of_a_server_that_has_ended_stays, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_name_that_another_has_taken_is_lost, 0,
		2 * TYPES);
	tcase_add_loop_test(tcase,
		a_file_that_has_taken_the_name_keeps_it_and_the_hidden_one, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_caller_without_a_socket_has_taken_no_name,
		0, 2 * TYPES);
	tcase_add_loop_test(tcase, a_hidden_name_that_is_anothers_is_left_alone,
		0, TYPES);
	tcase_add_loop_test(tcase,
		a_name_is_given_back_when_all_descriptors_are_in_use, 0,
		2 * TYPES);
	tcase_add_loop_test(tcase,
		a_name_that_could_not_be_given_back_is_given_back_later, 0,
		TYPES);
	tcase_add_loop_test(tcase,
		a_close_that_gives_nothing_back_leaves_it_to_the_next, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_name_that_is_lost_is_not_given_back_later,
		0, TYPES);
	tcase_add_test(tcase, closing_nothing_gives_nothing_back);
	return tcase;
}

static TCase *make_kills(void)
{
	TCase *tcase = make_tcase_with("kills", set_up, tear_down);

	tcase_add_loop_test(tcase, after_a_kill_the_name_is_given_back, 0,
		3 * TYPES);
	tcase_add_loop_test(tcase,
		a_file_that_a_killed_claim_has_set_aside_does_not_stay, 0,
		TYPES);
	tcase_add_loop_test(tcase, after_a_kill_the_next_takeover_goes_on, 0,
		3 * TYPES);
	tcase_add_loop_test(tcase,
		after_a_kill_and_the_servers_end_nothing_stays, 0, 3 * TYPES);
	tcase_add_loop_test(tcase,
		after_a_kill_a_name_that_another_has_taken_stays_with_it, 0,
		TYPES);
	return tcase;
}

int main(void)
{
	return support_run_cases("give_back", make_taking(), make_giving_back(),
		make_kills());
}
