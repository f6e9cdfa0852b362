/* SPDX-License-Identifier: MIT */
/*
 * What a supervisor hands over has fixed numbers, which Check's own
 * descriptors may have: so each case runs in a child that closes all of them,
 * says what is wrong on standard error, and fails by its exit status.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/kernel.h"
#include "support/scene.h"

enum { FIRST_FD = 3, FDS_MOST = 255 };

static const char more_rights[] = "--more-rights";

#define must(condition) must_be(condition, #condition, __LINE__)
#define must_fail(call, expected) must_be_error((call), expected, __LINE__)

static void must_be(bool is_true, const char *text, int line)
{
	if (is_true)
		return;
	fprintf(stderr, "line %d: not so: %s (%s)\n", line, text,
		strerror(errno));
	_exit(EXIT_FAILURE);
}

static void must_be_error(const void *result, int expected, int line)
{
	const char *found = result == NULL ? strerror(errno) : "a success";

	if (result == NULL && errno == expected)
		return;
	fprintf(stderr, "line %d: %s, not: %s\n", line, found,
		strerror(expected));
	_exit(EXIT_FAILURE);
}

static void close_all(void)
{
	int fd;

	for (fd = FIRST_FD; fd <= FDS_MOST; fd++)
		close(fd);
}

static void set_number(const char *name, unsigned long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", number);
	must(setenv(name, text, 1) == 0);
}

/* What a supervisor does: names may be NULL. */
static void hand_over(int count, const char *names)
{
	set_number("LISTEN_PID", (unsigned long long)getpid());
	set_number("LISTEN_FDS", (unsigned long long)count);
	if (names != NULL)
		must(setenv("LISTEN_FDNAMES", names, 1) == 0);
}

/* The socket at the next free number, inheritable, bound where that counts. */
static int put_socket(int type, bool is_listening)
{
	static int number;
	struct unixaddr addr;
	socklen_t length;
	const struct sockaddr *sa;
	int fd = socket(AF_UNIX, type, 0);
	char name[64];

	snprintf(name, sizeof(name), "@unixmsg-test-%d-%d", (int)getpid(),
		number++);
	must(unixaddr_parse(&addr, name) == 0);
	sa = unixaddr_get_sockaddr(&addr, &length);
	must(fd >= 0 && bind(fd, sa, length) == 0);
	if (is_listening)
		must(listen(fd, 4) == 0);
	return fd;
}

static void put_grams(int count)
{
	while (count-- > 0)
		put_socket(SOCK_DGRAM, false);
}

static void run_in_child(void (*body)(int index), int index)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		close_all();
		body(index);
		_exit(EXIT_SUCCESS);
	}
	support_wait_exit(pid, EXIT_SUCCESS);
}

static bool is_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	must(flags >= 0);
	return (flags & FD_CLOEXEC) == 0;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static struct unixactivation_item get_item(struct unixactivation *activation,
	size_t index)
{
	struct unixactivation_item item;

	must(unixactivation_get_item(activation, index, &item) == 0);
	return item;
}

static void must_have_count(size_t count)
{
	struct unixactivation *activation = unixactivation_new();

	must(activation != NULL);
	must(unixactivation_get_count(activation) == count);
	unixactivation_close(activation);
}

/* Nothing has been touched of one descriptor that was there. */
static void must_be_untouched(void)
{
	must(is_open(FIRST_FD) && is_inherited(FIRST_FD));
	must(getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL);
}

static void do_nothing_there(int index)
{
	(void)index;
	errno = EXDEV;
	must_have_count(0);
	must(errno == EXDEV);
}

START_TEST(without_variables_there_is_nothing)
{
	run_in_child(do_nothing_there, _i);
}
END_TEST

static const struct kind {
	enum unixactivation_kind kind;
	const char *network;
} all_kinds[] = {
	{ UNIXACTIVATION_CONN, "unixgram" },
	{ UNIXACTIVATION_LISTENER, "unixpacket" },
	{ UNIXACTIVATION_LISTENER, "unix" },
	{ UNIXACTIVATION_CONN, "unixpacket" },
	{ UNIXACTIVATION_OTHER, NULL },
	{ UNIXACTIVATION_CONN, "unix" },
	{ UNIXACTIVATION_OTHER, NULL },
	{ UNIXACTIVATION_OTHER, NULL },
};

static void hand_over_all_kinds(void)
{
	int fds[2];

	put_socket(SOCK_DGRAM, false);
	put_socket(SOCK_SEQPACKET, true);
	put_socket(SOCK_STREAM, true);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	must(dup2(fds[1], 100) == 100 && close(fds[1]) == 0);
	must(socket(AF_INET, SOCK_STREAM, 0) == 7);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	must(dup2(fds[1], 101) == 101 && close(fds[1]) == 0);
	must(open("/dev/null", O_RDONLY) == 9);
	must(open("/dev/null", O_PATH) == 10);
	hand_over(COUNT(all_kinds), NULL);
}

static void must_be_of_kind(const struct unixactivation_item *item,
	const struct kind *wanted)
{
	must(item->kind == wanted->kind);
	must(item->network == NULL
			? wanted->network == NULL
			: strcmp(item->network, wanted->network) == 0);
	must(strcmp(item->name, "unknown") == 0);
	must(!is_inherited(item->fd));
}

static void must_be_left(const struct unixactivation *activation,
	enum unixactivation_kind kind, const char *network, size_t count)
{
	must(unixactivation_count_left(activation, NULL, kind, network) ==
		count);
}

static void do_all_kinds(int index)
{
	struct unixactivation *activation;
	struct unixactivation_item item;
	size_t i;

	(void)index;
	hand_over_all_kinds();
	errno = EXDEV;
	activation = unixactivation_new();
	must(activation != NULL && errno == EXDEV);
	must(unixactivation_get_count(activation) == COUNT(all_kinds));
	for (i = 0; i < COUNT(all_kinds); i++) {
		item = get_item(activation, i);
		must(item.fd == FIRST_FD + (int)i);
		must_be_of_kind(&item, &all_kinds[i]);
	}
	must(unixactivation_get_item(activation, i, &item) == -1);
	must(errno == EINVAL);
	must_be_left(activation, UNIXACTIVATION_ANY, NULL, i);
	must_be_left(activation, UNIXACTIVATION_OTHER, NULL, 3);
	must_be_left(activation, UNIXACTIVATION_CONN, "unixgram", 1);
	unixactivation_close(activation);
	for (i = 0; i < COUNT(all_kinds); i++)
		must(!is_open(FIRST_FD + (int)i));
}

START_TEST(each_kind_is_told)
{
	run_in_child(do_all_kinds, _i);
}
END_TEST

/* Numbers 3 to 8. */
static void hand_over_one_of_each(void)
{
	int fds[2];

	put_socket(SOCK_STREAM, true);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	must(dup2(fds[1], 101) == 101 && close(fds[1]) == 0);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	must(dup2(fds[1], 102) == 102 && close(fds[1]) == 0);
	put_socket(SOCK_SEQPACKET, true);
	must(open("/dev/null", O_RDONLY) == 7);
	put_socket(SOCK_DGRAM, false);
	hand_over(6, "a:b:c:d:e:f");
}

static struct unixconn *take_conn(struct unixactivation *activation,
	const char *name, const char *network, int fd)
{
	struct unixconn *conn =
		unixactivation_take_conn(activation, name, network);

	must(conn != NULL && unixconn_get_fd(conn) == fd);
	return conn;
}

static struct unixlistener *take_listener(struct unixactivation *activation,
	const char *name, const char *network, int fd)
{
	struct unixlistener *listener =
		unixactivation_take_listener(activation, name, network);

	must(listener != NULL && unixlistener_get_fd(listener) == fd);
	return listener;
}

static void do_take_each(int index)
{
	struct unixactivation *activation;
	struct unixlistener *packets, *streams;
	struct unixconn *packet, *stream, *gram;
	int fd;

	(void)index;
	hand_over_one_of_each();
	activation = unixactivation_new();
	must(activation != NULL);
	gram = take_conn(activation, NULL, "unixgram", 8);
	packets = take_listener(activation, "d", "unixpacket", 6);
	streams = take_listener(activation, NULL, "unix", 3);
	packet = take_conn(activation, NULL, "unixpacket", 5);
	stream = take_conn(activation, "b", "unix", 4);
	must(unixactivation_take_fd(activation, NULL, UNIXACTIVATION_OTHER) ==
		7);
	must_be_left(activation, UNIXACTIVATION_ANY, NULL, 0);
	must(get_item(activation, 5).fd == -1);
	must(strcmp(get_item(activation, 5).name, "f") == 0);
	unixactivation_close(activation);
	for (fd = 3; fd <= 8; fd++)
		must(is_open(fd));
	must(unixconn_close(gram) == 0 && unixlistener_close(packets) == 0 &&
		unixlistener_close(streams) == 0 &&
		unixconn_close(packet) == 0 && unixconn_close(stream) == 0);
}

START_TEST(each_kind_is_taken_and_lives_on)
{
	run_in_child(do_take_each, _i);
}
END_TEST

static void must_not_take_conn(struct unixactivation *activation,
	const char *name, const char *network, int error)
{
	must_fail(unixactivation_take_conn(activation, name, network), error);
}

static void must_not_take_listener(struct unixactivation *activation,
	const char *name, const char *network, int error)
{
	must_fail(unixactivation_take_listener(activation, name, network),
		error);
}

static int take_any(struct unixactivation *activation)
{
	return unixactivation_take_fd(activation, NULL, UNIXACTIVATION_ANY);
}

static void do_wrong_kind(int index)
{
	struct unixactivation *activation;

	(void)index;
	put_socket(SOCK_DGRAM, false);
	put_socket(SOCK_SEQPACKET, true);
	hand_over(2, "gram:packet");
	activation = unixactivation_new();
	must(activation != NULL);
	must_not_take_conn(activation, "packet", "unixgram", EPROTOTYPE);
	must_not_take_conn(activation, "none", "unixgram", ENOENT);
	must_not_take_conn(activation, "", "unixgram", ENOENT);
	must_not_take_listener(activation, "gram", "unixpacket", EPROTOTYPE);
	must_not_take_listener(activation, NULL, "unix", EPROTOTYPE);
	must_not_take_conn(activation, "packet", "unixpacket", EPROTOTYPE);
	must_not_take_conn(activation, NULL, "unix", EPROTOTYPE);
	must(unixactivation_take_fd(activation, NULL, UNIXACTIVATION_OTHER) ==
		-1);
	must(errno == EPROTOTYPE);
	must_be_left(activation, UNIXACTIVATION_ANY, NULL, 2);
	must_not_take_conn(activation, NULL, "tcp", EINVAL);
	must_not_take_listener(activation, NULL, "tcp", EINVAL);
	errno = EXDEV;
	must_be_left(activation, UNIXACTIVATION_ANY, "tcp", 0);
	must(errno == EXDEV);
	must(take_any(activation) == 3);
	must(take_any(activation) == 4);
	must(take_any(activation) == -1 && errno == ENOENT);
	must_not_take_conn(activation, "gram", "unixgram", ENOENT);
	unixactivation_close(activation);
}

START_TEST(another_kind_and_no_such_name_are_told_apart)
{
	run_in_child(do_wrong_kind, _i);
}
END_TEST

static void do_same_name(int index)
{
	struct unixactivation *activation;
	struct unixconn *first, *second;

	(void)index;
	put_socket(SOCK_DGRAM, false);
	put_socket(SOCK_SEQPACKET, true);
	put_socket(SOCK_DGRAM, false);
	put_socket(SOCK_DGRAM, false);
	hand_over(4, "echo:echo:other:echo");
	activation = unixactivation_new();
	must(activation != NULL);
	must(unixactivation_count_left(activation, "echo", UNIXACTIVATION_CONN,
		     "unixgram") == 2);
	first = unixactivation_take_conn(activation, "echo", "unixgram");
	second = unixactivation_take_conn(activation, "echo", "unixgram");
	must(first != NULL && unixconn_get_fd(first) == 3);
	must(second != NULL && unixconn_get_fd(second) == 6);
	must_fail(unixactivation_take_conn(activation, "echo", "unixgram"),
		EPROTOTYPE);
	must(unixactivation_count_left(activation, "echo", UNIXACTIVATION_ANY,
		     NULL) == 1);
	unixconn_close(first);
	unixconn_close(second);
	unixactivation_close(activation);
}

START_TEST(several_of_one_name_come_in_order)
{
	run_in_child(do_same_name, _i);
}
END_TEST

static void do_adopted(int index)
{
	struct unixactivation *activation;
	struct unixconn *gram, *client;
	struct unixaddr addr;
	char text[UNIXMSG_ADDR_TEXT_SIZE], byte;

	(void)index;
	put_socket(SOCK_DGRAM, false);
	hand_over(1, NULL);
	activation = unixactivation_new();
	must(activation != NULL);
	gram = unixactivation_take_conn(activation, NULL, "unixgram");
	unixactivation_close(activation);
	must(gram != NULL && unixconn_get_address(gram, &addr) == 0);
	unixaddr_format(&addr, text, sizeof(text));
	client = unixconn_dial("unixgram", text, NULL, UNIXMSG_NOW);
	must(client != NULL);
	must(unixconn_send(client, "x", 1, UNIXMSG_NOW) == 1);
	must(unixconn_recv_from(gram, &byte, 1, NULL, &addr, UNIXMSG_NOW) == 1);
	must(unixconn_send_to(gram, &addr, "y", 1, UNIXMSG_NOW) == 1);
	must(unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW) == 1);
	must(byte == 'y');
	unixconn_close(client);
	unixconn_close(gram);
}

START_TEST(what_was_taken_works)
{
	run_in_child(do_adopted, _i);
}
END_TEST

static void do_path_stays(int index)
{
	const char *path = support_path("socket");
	struct unixactivation *activation;
	struct unixlistener *listener;
	int fd, copy;

	(void)index;
	fd = open_listening(SOCK_SEQPACKET, path);
	copy = fcntl(fd, F_DUPFD, 50);
	must(fd == FIRST_FD && copy == 50);
	hand_over(1, NULL);
	activation = unixactivation_new();
	must(activation != NULL);
	listener = unixactivation_take_listener(activation, NULL, "unixpacket");
	must(listener != NULL && unixlistener_close(listener) == 0);
	unixactivation_close(activation);
	must(access(path, F_OK) == 0);
	must(unlink(path) == 0);
}

START_TEST(the_supervisors_file_stays)
{
	support_dir();
	run_in_child(do_path_stays, 0);
}
END_TEST

/* The variables. */

static void do_not_ours(int index)
{
	static const char *const pids[] = { NULL, "", "0", "1", "2147483647" };

	put_grams(1);
	hand_over(1, "name");
	if (pids[index] == NULL)
		unsetenv("LISTEN_PID");
	else
		must(setenv("LISTEN_PID", pids[index], 1) == 0);
	must_have_count(0);
	must_be_untouched();
	must(getenv("LISTEN_FDNAMES") == NULL);
}

START_TEST(variables_for_another_process_are_none)
{
	run_in_child(do_not_ours, _i);
}
END_TEST

static const char *const no_numbers[] = {
	"-1",
	"+1",
	" 1",
	"1 ",
	"1\n",
	"1x",
	"0x1",
	"1.0",
	"one",
	"-",
	"2147483648",
	"4294967297",
	"18446744073709551616",
	"18446744073709551617",
	"99999999999999999999999999",
};

static void do_malformed_pid(int index)
{
	put_grams(1);
	hand_over(1, NULL);
	must(setenv("LISTEN_PID", no_numbers[index], 1) == 0);
	must_fail(unixactivation_new(), EPROTO);
	must_be_untouched();
}

START_TEST(a_malformed_pid_is_refused)
{
	run_in_child(do_malformed_pid, _i);
}
END_TEST

static void do_malformed_count(int index)
{
	put_grams(1);
	hand_over(1, NULL);
	must(setenv("LISTEN_FDS", no_numbers[index], 1) == 0);
	must_fail(unixactivation_new(), EPROTO);
	must_be_untouched();
}

START_TEST(a_malformed_count_is_refused)
{
	run_in_child(do_malformed_count, _i);
}
END_TEST

static void do_no_count(int index)
{
	static const char *const counts[] = { NULL, "", "0", "00" };

	put_grams(1);
	hand_over(1, "name");
	if (counts[index] == NULL)
		unsetenv("LISTEN_FDS");
	else
		must(setenv("LISTEN_FDS", counts[index], 1) == 0);
	must_have_count(0);
	must_be_untouched();
}

START_TEST(no_count_is_none)
{
	run_in_child(do_no_count, _i);
}
END_TEST

static void do_missing(int index)
{
	static const char *const counts[] = { "2", "1000", "2147483644" };

	put_grams(1);
	hand_over(1, NULL);
	must(setenv("LISTEN_FDS", counts[index], 1) == 0);
	must_fail(unixactivation_new(), EBADF);
	must_be_untouched();
}

START_TEST(a_count_beyond_what_is_open_is_refused)
{
	run_in_child(do_missing, _i);
}
END_TEST

static void do_hole(int index)
{
	put_grams(3);
	must(close(FIRST_FD + index) == 0);
	hand_over(3, NULL);
	must_fail(unixactivation_new(), EBADF);
	must(is_inherited(index == 0 ? 4 : 3) &&
		is_inherited(index == 2 ? 4 : 5));
}

START_TEST(a_hole_is_refused_and_nothing_touched)
{
	run_in_child(do_hole, _i);
}
END_TEST

static void do_wrong_names(int index)
{
	static char too_long[258];
	const char *const names[] = {
		"one",
		"one:two:three",
		"",
		"one:two:",
		"one:t\nwo",
		"one:\x7f",
		"one:\xc3\xa4",
		too_long,
	};

	memset(too_long, 'n', 256);
	strcpy(too_long + 256, ":");
	put_grams(2);
	hand_over(2, names[index]);
	must_fail(unixactivation_new(), EPROTO);
	must_be_untouched();
}

START_TEST(names_that_do_not_fit_are_refused)
{
	run_in_child(do_wrong_names, _i);
}
END_TEST

static void do_names(int index)
{
	static char longest[256 + 8];
	struct unixactivation *activation;

	(void)index;
	memset(longest, 'n', 255);
	strcpy(longest + 255, ":: a~!");
	put_grams(3);
	hand_over(3, longest);
	activation = unixactivation_new();
	must(activation != NULL);
	must(strlen(get_item(activation, 0).name) == 255);
	must(strcmp(get_item(activation, 1).name, "") == 0);
	must(strcmp(get_item(activation, 2).name, " a~!") == 0);
	must(unixactivation_count_left(activation, "", UNIXACTIVATION_ANY,
		     NULL) == 1);
	unixactivation_close(activation);
}

START_TEST(names_may_be_long_or_empty_or_odd)
{
	run_in_child(do_names, _i);
}
END_TEST

static void do_one_empty_name(int index)
{
	struct unixactivation *activation;

	(void)index;
	put_grams(1);
	hand_over(1, "");
	activation = unixactivation_new();
	must(activation != NULL);
	must(strcmp(get_item(activation, 0).name, "") == 0);
	unixactivation_close(activation);
}

START_TEST(an_empty_list_is_one_empty_name)
{
	run_in_child(do_one_empty_name, _i);
}
END_TEST

static void do_many(int index)
{
	enum { MANY = 200 };
	struct unixactivation *activation;
	struct unixconn *gram;
	int taken = 0;

	(void)index;
	put_grams(MANY);
	hand_over(MANY, NULL);
	activation = unixactivation_new();
	must(activation != NULL);
	while ((gram = unixactivation_take_conn(activation, NULL,
			"unixgram")) != NULL) {
		must(unixconn_get_fd(gram) == FIRST_FD + taken++);
		unixconn_close(gram);
	}
	must(errno == ENOENT && taken == MANY);
	unixactivation_close(activation);
}

START_TEST(many_are_taken_one_by_one)
{
	run_in_child(do_many, _i);
}
END_TEST

static void do_low_limit(int index)
{
	struct rlimit limit = { .rlim_cur = 4, .rlim_max = 4 };

	(void)index;
	put_grams(5);
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	hand_over(5, NULL);
	must_have_count(5);
}

START_TEST(those_above_a_limit_lowered_later_count_too)
{
	run_in_child(do_low_limit, _i);
}
END_TEST

static void do_twice(int index)
{
	struct unixactivation *first, *second;

	(void)index;
	put_grams(1);
	hand_over(1, NULL);
	first = unixactivation_new();
	second = unixactivation_new();
	must(first != NULL && second != NULL);
	must(unixactivation_get_count(first) == 1);
	must(unixactivation_get_count(second) == 0);
	unixactivation_close(second);
	must(is_open(FIRST_FD));
	unixactivation_close(first);
	unixactivation_close(NULL);
}

START_TEST(a_second_call_finds_none)
{
	run_in_child(do_twice, _i);
}
END_TEST

/* A program that is started sees neither descriptors nor variables. */
static void do_exec(int index)
{
	static const char script[] =
		"[ -z \"${LISTEN_FDS+x}${LISTEN_PID+x}${LISTEN_FDNAMES+x}"
		"${LISTEN_PIDFDID+x}\" ] && [ \"$OTHER\" = stays ] &&"
		"! [ -e /proc/$$/fd/3 ] && ! [ -e /proc/$$/fd/4 ]";
	struct unixactivation *activation;

	(void)index;
	put_grams(2);
	hand_over(2, "a:b");
	must(setenv("LISTEN_PIDFDID", "", 1) == 0);
	must(setenv("OTHER", "stays", 1) == 0);
	activation = unixactivation_new();
	must(activation != NULL);
	must(unixactivation_get_count(activation) == 2);
	execl("/bin/sh", "sh", "-c", script, NULL);
	must(false);
}

START_TEST(nothing_leaks_into_programs_that_are_started)
{
	run_in_child(do_exec, _i);
}
END_TEST

static bool is_pidfs_played; /* as missing, see statfs(2) */
static int statfs_error;

int fstatfs(int fd, struct statfs *found)
{
	int result = (int)syscall(SYS_fstatfs, fd, found);

	if (is_pidfs_played)
		found->f_type = 0x09041934;
	if (statfs_error == 0)
		return result;
	errno = statfs_error;
	return -1;
}

static unsigned long long get_own_id(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct statfs system;
	struct stat status;
	unsigned long long id = 0;

	if (fd >= 0 && fstatfs(fd, &system) == 0 &&
		system.f_type == PIDFS_MAGIC && fstat(fd, &status) == 0)
		id = status.st_ino;
	if (fd >= 0)
		close(fd);
	return id;
}

static bool has_pidfs(void)
{
	return get_own_id() != 0;
}

static void do_own_id(int index)
{
	(void)index;
	set_number("LISTEN_PIDFDID", get_own_id());
	put_grams(1);
	hand_over(1, NULL);
	must_have_count(1);
}

START_TEST(the_own_pidfd_number_is_ours)
{
	run_in_child(do_own_id, _i);
}
END_TEST

static void do_other_id(int index)
{
	(void)index;
	set_number("LISTEN_PIDFDID", get_own_id() + 1);
	put_grams(1);
	hand_over(1, NULL);
	must_have_count(0);
	must_be_untouched();
	must(getenv("LISTEN_PIDFDID") == NULL);
}

START_TEST(an_earlier_process_of_the_same_pid_is_another)
{
	run_in_child(do_other_id, _i);
}
END_TEST

static void do_without_id(int index)
{
	is_pidfs_played = index == 0;
	statfs_error = index == 1 ? ENOSYS : 0;
	set_number("LISTEN_PIDFDID", 1);
	put_grams(1);
	hand_over(1, NULL);
	must_have_count(1);
}

/* Before Linux 6.9 all pidfds have the same. */
START_TEST(where_processes_have_no_number_the_pid_is_enough)
{
	run_in_child(do_without_id, _i);
}
END_TEST

static void do_malformed_id(int index)
{
	static const char *const ids[] = { "x", "-", "-1",
		"18446744073709551616" };

	put_grams(1);
	hand_over(1, NULL);
	must(setenv("LISTEN_PIDFDID", ids[index], 1) == 0);
	must_fail(unixactivation_new(), EPROTO);
	must_be_untouched();
}

START_TEST(a_malformed_pidfd_number_is_refused)
{
	run_in_child(do_malformed_id, _i);
}
END_TEST

/*
 * Copies of this program that are started with more rights than their user has;
 * main comes here. A leak checker, which looks at the end of main, may not look
 * into such a process.
 */
static void run_with_more_rights(const char *count)
{
	struct unixactivation *activation;

	if (getauxval(AT_SECURE) == 0)
		_exit(SUPPORT_EXIT_SKIPPED);
	activation = unixactivation_new();
	must(activation != NULL);
	must(unixactivation_get_count(activation) == (size_t)atoi(count));
	must(getenv("LISTEN_FDS") == NULL);
	unixactivation_close(activation);
	_exit(EXIT_SUCCESS);
}

static const char *make_copy(void)
{
	const char *path = support_path("copy");
	struct stat status;
	ssize_t sent;
	int from, to;

	from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ck_assert_int_ge(from, 0);
	ck_assert_int_ge(to, 0);
	ck_assert_int_eq(fstat(from, &status), 0);
	while (status.st_size > 0) {
		sent = TEMP_FAILURE_RETRY(
			sendfile(to, from, NULL, (size_t)status.st_size));
		ck_assert_int_gt(sent, 0);
		status.st_size -= sent;
	}
	close(from);
	close(to);
	return path;
}

/* The copy must find so many descriptors. */
static void run_copy(const char *path, bool is_nobody, const char *count)
{
	pid_t pid = support_fork();
	int status;

	if (pid == 0) {
		if (is_nobody)
			support_as_nobody();
		close_all();
		put_grams(1);
		hand_over(1, NULL);
		execl(path, path, more_rights, count, NULL);
		_exit(EXIT_FAILURE);
	}
	ck_assert_int_eq(support_waitpid(pid, &status), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == SUPPORT_EXIT_SKIPPED)
		fprintf(stderr, "/tmp lets nobody have more rights\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
	ck_assert_int_eq(unlink(path), 0);
}

START_TEST(a_set_user_id_program_believes_nothing)
{
	const char *path = make_copy();

	ck_assert_int_eq(chown(path, 65534, (gid_t)-1), 0);
	ck_assert_int_eq(chmod(path, 04755), 0);
	run_copy(path, false, "0");
}
END_TEST

START_TEST(a_set_group_id_program_believes_nothing)
{
	const char *path = make_copy();

	ck_assert_int_eq(chown(path, (uid_t)-1, 65534), 0);
	ck_assert_int_eq(chmod(path, 02755), 0);
	run_copy(path, false, "0");
}
END_TEST

/* Such are services, and secure_getenv(3) finds nothing there. */
START_TEST(a_program_with_file_capabilities_is_a_service)
{
	const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1u << CAP_NET_BIND_SERVICE,
	};
	const char *path = make_copy();

	if (setxattr(path, "security.capability", &data, XATTR_CAPS_SZ_2, 0) ==
		0)
		run_copy(path, true, "1");
	else
		fprintf(stderr, "no file capabilities: %s\n", strerror(errno));
}
END_TEST

static void add_kind_tests(Suite *suite)
{
	TCase *tcase = make_tcase("kinds");

	tcase_add_test(tcase, each_kind_is_told);
	tcase_add_test(tcase, each_kind_is_taken_and_lives_on);
	tcase_add_test(tcase, another_kind_and_no_such_name_are_told_apart);
	tcase_add_test(tcase, several_of_one_name_come_in_order);
	tcase_add_test(tcase, what_was_taken_works);
	tcase_add_test(tcase, the_supervisors_file_stays);
	tcase_add_test(tcase, many_are_taken_one_by_one);
	support_add_limited_test(tcase,
		those_above_a_limit_lowered_later_count_too, 0, 1);
	suite_add_tcase(suite, tcase);
}

static void add_variable_tests(Suite *suite)
{
	TCase *tcase = make_tcase("variables");
	const char *no_pidfs = "before Linux 6.9";

	tcase_add_test(tcase, without_variables_there_is_nothing);
	tcase_add_loop_test(tcase, variables_for_another_process_are_none, 0,
		5);
	tcase_add_loop_test(tcase, a_malformed_pid_is_refused, 0,
		COUNT(no_numbers));
	tcase_add_loop_test(tcase, a_malformed_count_is_refused, 0,
		COUNT(no_numbers));
	tcase_add_loop_test(tcase, no_count_is_none, 0, 4);
	tcase_add_loop_test(tcase, a_count_beyond_what_is_open_is_refused, 0,
		3);
	tcase_add_loop_test(tcase, a_hole_is_refused_and_nothing_touched, 0, 3);
	tcase_add_loop_test(tcase, names_that_do_not_fit_are_refused, 0, 8);
	tcase_add_test(tcase, names_may_be_long_or_empty_or_odd);
	tcase_add_test(tcase, an_empty_list_is_one_empty_name);
	tcase_add_test(tcase, a_second_call_finds_none);
	tcase_add_test(tcase, nothing_leaks_into_programs_that_are_started);
	tcase_add_loop_test(tcase, a_malformed_pidfd_number_is_refused, 0, 4);
	support_add_root_test(tcase, a_set_user_id_program_believes_nothing);
	support_add_root_test(tcase, a_set_group_id_program_believes_nothing);
	support_add_root_test(tcase,
		a_program_with_file_capabilities_is_a_service);
	support_add_test_if(tcase, the_own_pidfd_number_is_ours, has_pidfs(),
		no_pidfs);
	tcase_add_loop_test(tcase,
		where_processes_have_no_number_the_pid_is_enough, 0, 2);
	support_add_test_if(tcase,
		an_earlier_process_of_the_same_pid_is_another, has_pidfs(),
		no_pidfs);
	suite_add_tcase(suite, tcase);
}

int main(int argc, char *argv[])
{
	Suite *suite;

	if (argc == 3 && strcmp(argv[1], more_rights) == 0)
		run_with_more_rights(argv[2]);
	suite = suite_create("activation");
	add_kind_tests(suite);
	add_variable_tests(suite);
	return support_run(suite);
}
