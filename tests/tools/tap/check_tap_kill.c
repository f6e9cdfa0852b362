/* SPDX-License-Identifier: MIT */
/*
 * A tap that is killed (SIGKILL) at any of its system calls: while it takes the
 * name, serves a client, and gives the name back. This process traces it, and
 * kills it before a call is made. Each time the server answers afterwards, at
 * the latest after --restore or the next tap, and nothing is left behind.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/tap_scene.h"

enum { STEP = 31 };

/* A system call, with PTRACE_O_TRACESYSGOOD. */
static const int call_signal = SIGTRAP | 0x80;

/* A tap that ends by itself after the first message of its client. */
static const char *const taking[] = { "unixmsg-tap", "-c", "1", "name", NULL };
static const char *const listening[] = { "unixmsg-tap", "-c", "1", "--listen",
	"front", "name", NULL };
static const char *const restoring[] = { "unixmsg-tap", "--restore", "name",
	NULL };

static int type;
static pid_t server;
static struct stat its_file;

struct life {
	pid_t tap, client;
	int status; /* of the tap, as waitpid(2) has it */
};

/* --- The server and its client -------------------------------------------- */

static void echo(int fd)
{
	struct sockaddr_un from;
	socklen_t size = sizeof(from);
	char data[8];
	const ssize_t got = recvfrom(fd, data, sizeof(data), 0,
		(struct sockaddr *)&from, &size);

	if (got > 0)
		sendto(fd, data, (size_t)got, MSG_NOSIGNAL,
			type == SOCK_DGRAM ? (struct sockaddr *)&from : NULL,
			type == SOCK_DGRAM ? size : 0);
}

/* Each connection has one request. */
static void serve(int fd)
{
	int client;

	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	for (;;) {
		client = type == SOCK_DGRAM ? fd : accept(fd, NULL, NULL);
		echo(client);
		if (client != fd)
			close(client);
	}
}

static void start_server(void)
{
	int fd = open_listening(type, "name");

	its_file = look_at("name");
	server = support_fork();
	if (server == 0)
		serve(fd);
	close(fd);
}

/* The kernel gives datagram clients a name of their own. */
static int call(const char *name)
{
	const struct sockaddr own = { .sa_family = AF_UNIX };
	int fd = open_socket(type);

	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	if (type == SOCK_DGRAM)
		ck_assert_int_eq(bind(fd, &own, sizeof(own.sa_family)), 0);
	if (connect_to(fd, name) == 0)
		send(fd, "x", 1, MSG_NOSIGNAL);
	return fd;
}

static void expect_answer(const char *name)
{
	int fd = call(name);
	char data[8];

	ck_assert_int_eq(recv(fd, data, sizeof(data), 0), 1);
	ck_assert_int_eq(data[0], 'x');
	close(fd);
}

/* --- A life of the tap ---------------------------------------------------- */

static _Noreturn void become_tap(const char *const *arguments, int errors)
{
	tap_scene_prepare(open("/dev/null", O_WRONLY | O_CLOEXEC), errors);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(98);
	raise(SIGSTOP);
	tap_scene_run(arguments);
}

/* Whether the tap has said so, before its end. */
static bool is_listening(int words)
{
	char text[4096] = "";
	size_t used = 0;
	ssize_t got;

	while (strstr(text, "listening on") == NULL) {
		got = read(words, text + used, sizeof(text) - 1 - used);
		if (got <= 0)
			return false;
		used += (size_t)got;
		text[used] = '\0';
	}
	return true;
}

/* Waits for the answer, or for the end of the tap. */
static void be_client(const char *name, int words)
{
	struct pollfd fds[2] = { { .fd = words, .events = POLLIN },
		{ .events = POLLIN } };
	char data[256];

	if (!is_listening(words))
		_exit(0);
	fds[1].fd = call(name);
	do
		poll(fds, 2, -1);
	while (fds[1].revents == 0 && read(words, data, sizeof(data)) > 0);
	_exit(0);
}

static void begin(struct life *life, const char *const *arguments,
	const char *name)
{
	int words[2];

	ck_assert_int_eq(pipe2(words, O_CLOEXEC), 0);
	life->tap = support_fork();
	if (life->tap == 0) {
		close(words[0]);
		become_tap(arguments, words[1]);
	}
	close(words[1]);
	life->client = support_fork();
	if (life->client == 0)
		be_client(name, words[0]);
	close(words[0]);
}

/* Lets the tap run on to its next stop; false when it has ended. */
static bool go_on(struct life *life, int signal)
{
	ptrace(PTRACE_SYSCALL, life->tap, NULL, (void *)(intptr_t)signal);
	ck_assert_int_eq(TEMP_FAILURE_RETRY(
				 waitpid(life->tap, &life->status, __WALL)),
		life->tap);
	return WIFSTOPPED(life->status);
}

/* Kills the tap before that call. Each stops it twice. */
static void run_until(struct life *life, int number)
{
	int stops = 0, signal = 0;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(
				 waitpid(life->tap, &life->status, __WALL)),
		life->tap);
	ck_assert_msg(WIFSTOPPED(life->status), "it cannot be traced");
	ptrace(PTRACE_SETOPTIONS, life->tap, NULL,
		(void *)PTRACE_O_TRACESYSGOOD);
	while (go_on(life, signal)) {
		signal = WSTOPSIG(life->status);
		if (signal != call_signal)
			continue;
		signal = 0;
		if (stops++ / 2 + 1 == number)
			kill(life->tap, SIGKILL);
	}
}

/* Whether the tap was killed at that call, and has not ended before. */
static bool live(const char *const *arguments, int number)
{
	const char *name = arguments == listening ? "front" : "name";
	struct life life;

	begin(&life, arguments, name);
	run_until(&life, number);
	support_wait_exit(life.client, 0);
	if (WIFSIGNALED(life.status))
		return true;
	ck_assert(WIFEXITED(life.status));
	ck_assert_int_eq(WEXITSTATUS(life.status), 0);
	return false;
}

/* --- What is left --------------------------------------------------------- */

/* Nobody holds the lock of the directory, once the process of the lines, which
 * has it open too, has written them and ended. */
static void expect_no_lock(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)), 0);
	close(fd);
}

static void expect_all_is_well(void)
{
	assert_same_file("name", &its_file);
	ck_assert_int_eq(count_files("."), 1);
	expect_no_lock();
	expect_answer("name");
}

/* A tap that ends removes its own, and those of killed ones before it. */
static void expect_no_addresses(void)
{
	char path[64];

	snprintf(path, sizeof(path), "../addresses/unixmsg-%ju",
		(uintmax_t)geteuid());
	if (type == SOCK_DGRAM)
		ck_assert_int_eq(count_files(path), 0);
}

/* By turns. */
static void repair(const char *const *arguments, int number)
{
	if (arguments == taking && number % 2 == 0)
		ck_assert(!live(restoring, INT_MAX));
	else
		ck_assert(!live(arguments, INT_MAX));
}

/* Every call in make proof-all, else some of them. */
static void kill_at_each_call(const char *const *arguments)
{
	const int step = support_is_full() ? 1 : STEP;
	int number;

	start_server();
	for (number = 1; live(arguments, number); number += step) {
		expect_no_lock();
		repair(arguments, number);
		expect_all_is_well();
	}
	expect_all_is_well();
	expect_no_addresses();
	/* It has done all that: taken the name, served, given it back. */
	ck_assert_int_gt(number, 60);
	printf("killed at %d calls\n", (number - 1) / step);
}

/* The folder for addresses of clients that the other tests do not use: its
 * sweep would make thousands of calls. */
static void set_up(void)
{
	const char *addresses = support_path("addresses");

	support_clear_dir();
	make_dir(addresses, 0711);
	make_dir(support_path("names"), 0711);
	ck_assert_int_eq(chdir(support_path("names")), 0);
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", addresses, 1), 0);
	ck_assert_int_eq(setenv("TMPDIR", addresses, 1), 0);
	server = 0;
}

static void tear_down(void)
{
	if (server > 0)
		stop_child(server);
}

START_TEST(a_tap_that_is_killed_at_any_call_leaves_what_can_be_repaired)
{
	type = types[_i];
	kill_at_each_call(taking);
}
END_TEST

START_TEST(a_tap_at_its_own_name_that_is_killed_harms_nobody)
{
	type = types[_i];
	kill_at_each_call(listening);
}
END_TEST

static bool can_trace(void)
{
	const pid_t child = fork();
	int status;

	if (child == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
	return TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) == child &&
		status == 0;
}

int main(void)
{
	static const char why[] = "this process may trace no other one";
	TCase *tcase = make_tcase_with("kills", set_up, tear_down);

	tcase_set_timeout(tcase, support_is_full() ? 1800 : 120);
	support_add_loop_test_if(tcase,
		a_tap_that_is_killed_at_any_call_leaves_what_can_be_repaired,
		TYPES, can_trace(), why);
	support_add_loop_test_if(tcase,
		a_tap_at_its_own_name_that_is_killed_harms_nobody, TYPES,
		can_trace(), why);
	return support_run_cases("tap_kill", tcase);
}
