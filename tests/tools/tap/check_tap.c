/* SPDX-License-Identifier: MIT */
/*
 * A tap between a server and its clients, which are sockets without the
 * library: what the one sends is what the other receives. The tap is a process
 * of its own.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/tap_scene.h"

enum { LINES_SIZE = 8192 };

static const char *name;
static int server, type;
static struct stat its_file;

/* Of the descriptors that the next tap may have, unless it is 0. */
static rlim_t limit;

/* Clients ask for credentials. */
static bool is_asking;

/* The tap, what it says on standard error so far, and where more comes. */
static pid_t tap;
static int words_fd;
static char words[LINES_SIZE];

static const char *get_hidden(void)
{
	return support_path(".unixmsg=name");
}

static void set_up(void)
{
	support_clear_dir();
	name = support_path("name");
	server = words_fd = -1;
	is_asking = false;
	limit = 0;
	tap = 0;
	words[0] = '\0';
}

static void tear_down(void)
{
	if (tap > 0)
		stop_child(tap);
	close(words_fd);
	close(server);
}

static void start_server(int kind)
{
	type = types[kind];
	server = open_listening(type, name);
	its_file = look_at(name);
}

/* --- The process of the tap ----------------------------------------------- */

/* Its lines go to a file. */
static _Noreturn void become_tap(const char *const *arguments, int errors)
{
	const char *lines = support_path("lines");
	const struct rlimit most = { limit, limit };

	if (limit > 0)
		setrlimit(RLIMIT_NOFILE, &most);
	tap_scene_prepare(open(lines, O_WRONLY | O_CREAT | O_APPEND, 0600),
		errors);
	tap_scene_run(arguments);
}

static void start(const char *const *arguments)
{
	int pipe_fds[2];

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	tap = support_fork();
	if (tap == 0)
		become_tap(arguments, pipe_fds[1]);
	close(pipe_fds[1]);
	words_fd = pipe_fds[0];
	words[0] = '\0';
}

/* Waits until the tap has said text, or has ended: false then. */
static bool has_said(const char *text)
{
	size_t used = strlen(words);
	ssize_t got;

	while (strstr(words, text) == NULL) {
		got = TEMP_FAILURE_RETRY(
			read(words_fd, words + used, sizeof(words) - 1 - used));
		if (got <= 0)
			return false;
		used += (size_t)got;
		words[used] = '\0';
	}
	return true;
}

#define expect_said(text) ck_assert_msg(has_said(text), "not said: %s", words)

static void start_tap(void)
{
	const char *const arguments[] = { "unixmsg-tap", name, NULL };

	start(arguments);
	expect_said("listening on ");
}

static void expect_status(int status)
{
	const pid_t ended = tap;

	tap = 0;
	has_said("\xff");
	support_wait_exit(ended, status);
	close(words_fd);
	words_fd = -1;
}

static void stop_tap(int status)
{
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	expect_status(status);
}

static void expect_given_back(void)
{
	assert_same_file(name, &its_file);
	assert_missing(get_hidden());
}

/* --- The two ends --------------------------------------------------------- */

/* Blocking: the tap is between them, and may take its time. */
struct ends {
	int client;
	int server;
};

static void make_blocking(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
}

/* A datagram client has a name, and the server answers to what it sees. */
static void connect_grams(struct ends *ends)
{
	struct sockaddr_un from;
	socklen_t size = sizeof(from);
	char byte;

	ends->client = open_bound(SOCK_DGRAM, support_path("client"));
	make_blocking(ends->client);
	ck_assert_int_eq(connect_to(ends->client, name), 0);
	ck_assert_int_eq(send(ends->client, "?", 1, 0), 1);
	make_blocking(server);
	ck_assert_int_eq(recvfrom(server, &byte, 1, 0, (void *)&from, &size),
		1);
	ends->server = fcntl(server, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(connect(ends->server, (void *)&from, size), 0);
}

static void ask_for_credentials(int fd)
{
	const int on = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on,
				 sizeof(on)),
		0);
}

static void connect_ends(struct ends *ends)
{
	if (type == SOCK_DGRAM) {
		connect_grams(ends);
		return;
	}
	ends->client = open_socket(type);
	if (is_asking)
		ask_for_credentials(ends->client);
	make_blocking(ends->client);
	ck_assert_int_eq(connect_to(ends->client, name), 0);
	make_blocking(server);
	ends->server = accept(server, NULL, NULL);
	ck_assert_int_ge(ends->server, 0);
}

static void close_ends(struct ends *ends)
{
	close(ends->client);
	close(ends->server);
}

static void begin(struct ends *ends, int kind)
{
	start_server(kind);
	start_tap();
	connect_ends(ends);
}

static void finish(struct ends *ends)
{
	close_ends(ends);
	stop_tap(0);
	expect_given_back();
}

static void send_all(int fd, const void *data, size_t size)
{
	size_t done = 0;
	ssize_t sent;

	do {
		sent = TEMP_FAILURE_RETRY(send(fd, (const char *)data + done,
			size - done, MSG_NOSIGNAL));
		ck_assert_int_ge(sent, 0);
		done += (size_t)sent;
	} while (done < size);
}

/* One message, or so many bytes of a stream. */
static void expect_all(int fd, const void *data, size_t size)
{
	static char found[1 << 20];
	const size_t room = type == SOCK_STREAM ? size : sizeof(found);
	size_t done = 0;
	ssize_t got;

	do {
		got = TEMP_FAILURE_RETRY(
			recv(fd, found + done, room - done, 0));
		ck_assert_int_ge(got, 0);
		done += (size_t)got;
	} while (type == SOCK_STREAM && got > 0 && done < size);
	ck_assert_uint_eq(done, size);
	ck_assert_mem_eq(found, data, size);
}

static void expect_end(int fd)
{
	char byte;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(recv(fd, &byte, 1, 0)), 0);
}

static void limit_tap(rlim_t most)
{
	struct rlimit now;

	ck_assert_int_eq(prlimit(tap, RLIMIT_NOFILE, NULL, &now), 0);
	now.rlim_cur = most;
	ck_assert_int_eq(prlimit(tap, RLIMIT_NOFILE, &now, NULL), 0);
}

/* The lowest limit that changes nothing for the tap. */
static int count_fds_of_tap(void)
{
	char path[64], file[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)tap);
	for (fd = 1024; fd > 0; fd--) {
		snprintf(file, sizeof(file), "%s/%d", path, fd - 1);
		if (faccessat(AT_FDCWD, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			break;
	}
	return fd;
}

/* --- What passes ---------------------------------------------------------- */

START_TEST(messages_pass_in_both_directions)
{
	static char data[200000];
	static const size_t sizes[] = { 1, 5, 4096, sizeof(data) };
	struct ends ends;
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	begin(&ends, _i);
	for (i = 0; i < COUNT(sizes); i++) {
		send_all(ends.client, data, sizes[i]);
		expect_all(ends.server, data, sizes[i]);
		send_all(ends.server, data + 1, sizes[i] - 1);
		if (sizes[i] > 1 || type != SOCK_STREAM)
			expect_all(ends.client, data + 1, sizes[i] - 1);
	}
	finish(&ends);
}
END_TEST

START_TEST(an_empty_message_is_not_the_end)
{
	struct ends ends;

	begin(&ends, _i);
	send_all(ends.client, "", 0);
	send_all(ends.client, "x", 1);
	expect_all(ends.server, "", 0);
	expect_all(ends.server, "x", 1);
	send_all(ends.server, "", 0);
	send_all(ends.server, "y", 1);
	expect_all(ends.client, "", 0);
	expect_all(ends.client, "y", 1);
	finish(&ends);
}
END_TEST

/* The file behind a descriptor that has come with one byte. */
static struct stat receive_file(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr head = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *rights;
	struct stat file;
	int passed;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(recvmsg(fd, &head, 0)), 1);
	rights = CMSG_FIRSTHDR(&head);
	ck_assert_ptr_nonnull(rights);
	ck_assert_int_eq(rights->cmsg_type, SCM_RIGHTS);
	ck_assert_uint_eq(rights->cmsg_len, CMSG_LEN(sizeof(int)));
	memcpy(&passed, CMSG_DATA(rights), sizeof(passed));
	ck_assert_int_eq(fstat(passed, &file), 0);
	close(passed);
	return file;
}

static void send_file(int to, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(support_send_fds(to, "x", 1, fd, 1), 1);
	close(fd);
}

static void expect_file(int from, int to, int fd)
{
	struct stat sent, found;

	ck_assert_int_eq(fstat(fd, &sent), 0);
	ck_assert_int_eq(support_send_fds(from, "x", 1, fd, 1), 1);
	found = receive_file(to);
	ck_assert_uint_eq(found.st_ino, sent.st_ino);
	ck_assert_uint_eq(found.st_dev, sent.st_dev);
}

START_TEST(descriptors_pass_in_both_directions)
{
	struct ends ends;
	int fd;

	begin(&ends, _i);
	make_file(support_path("file"), "x");
	fd = open(support_path("file"), O_RDONLY | O_CLOEXEC);
	expect_file(ends.client, ends.server, fd);
	expect_file(ends.server, ends.client, fd);
	close(fd);
	finish(&ends);
}
END_TEST

/* The tap finds all of them at once. */
START_TEST(descriptors_stay_with_their_message)
{
	struct stat file;
	struct ends ends;

	begin(&ends, _i);
	make_file(support_path("file"), "x");
	file = look_at(support_path("file"));
	ck_assert_int_eq(kill(tap, SIGSTOP), 0);
	send_all(ends.client, "a", 1);
	send_all(ends.client, "b", 1);
	send_file(ends.client, support_path("file"));
	send_all(ends.client, "c", 1);
	ck_assert_int_eq(kill(tap, SIGCONT), 0);
	expect_all(ends.server, "a", 1);
	expect_all(ends.server, "b", 1);
	ck_assert_uint_eq(receive_file(ends.server).st_ino, file.st_ino);
	expect_all(ends.server, "c", 1);
	finish(&ends);
}
END_TEST

static void start_tap_for_small_messages(void)
{
	const char *const arguments[] = { "unixmsg-tap", "--max-size", "8",
		name, NULL };

	start(arguments);
	expect_said("listening on ");
}

START_TEST(what_comes_before_a_message_that_is_too_large_arrives)
{
	struct ends ends;

	start_server(1);
	start_tap_for_small_messages();
	connect_ends(&ends);
	ck_assert_int_eq(kill(tap, SIGSTOP), 0);
	send_all(ends.client, "a", 1);
	send_all(ends.client, "b", 1);
	send_all(ends.client, "too large", 9);
	ck_assert_int_eq(kill(tap, SIGCONT), 0);
	expect_all(ends.server, "a", 1);
	expect_all(ends.server, "b", 1);
	expect_said("a message of 9 bytes could not be passed on");
	expect_end(ends.server);
	close_ends(&ends);
	stop_tap(1);
	expect_given_back();
}
END_TEST

START_TEST(a_datagram_that_is_too_large_is_told)
{
	struct ends ends;

	start_server(0);
	start_tap_for_small_messages();
	connect_ends(&ends);
	send_all(ends.client, "too large", 9);
	expect_said("a message of 9 bytes is more than the 8 of --max-size");
	send_all(ends.client, "small", 5);
	expect_all(ends.server, "small", 5);
	close_ends(&ends);
	stop_tap(1);
	expect_given_back();
}
END_TEST

START_TEST(a_half_close_of_the_client_passes_and_answers_still_come)
{
	struct ends ends;

	begin(&ends, _i);
	send_all(ends.client, "question", 8);
	ck_assert_int_eq(shutdown(ends.client, SHUT_WR), 0);
	expect_all(ends.server, "question", 8);
	expect_end(ends.server);
	send_all(ends.server, "answer", 6);
	expect_all(ends.client, "answer", 6);
	close(ends.server);
	expect_end(ends.client);
	close(ends.client);
	stop_tap(0);
}
END_TEST

START_TEST(a_half_close_of_the_server_passes_and_requests_still_come)
{
	struct ends ends;

	begin(&ends, _i);
	send_all(ends.server, "welcome", 7);
	ck_assert_int_eq(shutdown(ends.server, SHUT_WR), 0);
	expect_all(ends.client, "welcome", 7);
	expect_end(ends.client);
	send_all(ends.client, "thanks", 6);
	expect_all(ends.server, "thanks", 6);
	close(ends.client);
	expect_end(ends.server);
	close(ends.server);
	stop_tap(0);
}
END_TEST

static void expect_hang_up(int fd)
{
	struct pollfd poll_fd = { .fd = fd };

	ck_assert_int_eq(support_poll(&poll_fd, 1, -1), 1);
	ck_assert_int_ne(poll_fd.revents & POLLHUP, 0);
}

/* A server that waits for nothing else has to be told, too. */
START_TEST(the_close_of_one_end_is_a_hang_up_at_the_other)
{
	struct ends ends;

	begin(&ends, _i);
	close(ends.client);
	expect_hang_up(ends.server);
	close(ends.server);
	connect_ends(&ends);
	close(ends.server);
	expect_hang_up(ends.client);
	close(ends.client);
	stop_tap(0);
}
END_TEST

START_TEST(both_ends_may_close_at_once)
{
	struct ends ends;
	int i;

	start_server(_i);
	start_tap();
	for (i = 0; i < 100; i++) {
		connect_ends(&ends);
		send_all(ends.client, "x", 1);
		send_all(ends.server, "y", 1);
		close_ends(&ends);
	}
	stop_tap(0);
	expect_given_back();
}
END_TEST

/* Sends numbers until there is no room; returns how many. */
static int fill(int fd)
{
	int count = 0;

	while (send(fd, &count, sizeof(count), MSG_DONTWAIT | MSG_NOSIGNAL) ==
		sizeof(count))
		count++;
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

static void drain(int fd, int count)
{
	int i;

	for (i = 0; i < count; i++)
		expect_all(fd, &i, sizeof(i));
}

/* Until the tap takes no more either: it holds one message, and its socket to
 * the other end is full. */
static int fill_all(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int count = 0;

	do {
		while (send(fd, &count, sizeof(count),
			       MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(count))
			count++;
	} while (support_poll(&poll_fd, 1, 300) == 1);
	return count;
}

START_TEST(an_end_that_does_not_read_loses_nothing_and_delays_only_itself)
{
	struct ends slow, other;
	int count;

	begin(&slow, _i);
	connect_ends(&other);
	count = fill_all(slow.server);
	ck_assert_int_gt(count, 10);
	send_all(slow.client, "x", 1);
	expect_all(slow.server, "x", 1);
	send_all(other.client, "y", 1);
	expect_all(other.server, "y", 1);
	drain(slow.client, count);
	close_ends(&other);
	finish(&slow);
}
END_TEST

START_TEST(directions_that_are_both_full_go_on)
{
	struct ends ends;
	int requests, answers;

	begin(&ends, _i);
	requests = fill_all(ends.client);
	answers = fill_all(ends.server);
	drain(ends.server, requests);
	drain(ends.client, answers);
	send_all(ends.client, "x", 1);
	expect_all(ends.server, "x", 1);
	finish(&ends);
}
END_TEST

START_TEST(what_was_sent_before_a_close_arrives)
{
	struct ends ends;
	int count;

	begin(&ends, _i);
	count = fill(ends.client);
	close(ends.client);
	drain(ends.server, count);
	expect_end(ends.server);
	close(ends.server);
	stop_tap(0);
}
END_TEST

/* A full queue of a datagram server holds the clients up, and loses nothing. */
START_TEST(datagrams_to_a_busy_server_wait)
{
	struct ends ends;
	int count;

	begin(&ends, 0);
	count = fill_all(ends.client);
	drain(server, count);
	finish(&ends);
}
END_TEST

/* The tap holds a message of the client when it finds out that no answer
 * reaches the client. The server is not connected: the kernel would empty its
 * queue. */
START_TEST(a_datagram_client_that_dies_while_the_server_is_busy_stops_nothing)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_un peer;
	socklen_t size = sizeof(peer);
	struct ends ends;
	int i, count;

	begin(&ends, 0);
	ck_assert_int_eq(getpeername(server, (void *)&peer, &size), 0);
	ck_assert_int_eq(connect(server, &none, sizeof(none)), 0);
	count = fill_all(ends.client);
	close(ends.client);
	/* More than a queue holds: the tap has looked at the first ones. */
	for (i = 0; i < 1000; i++)
		if (sendto(server, "x", 1, 0, (void *)&peer, size) < 0)
			break;
	drain(server, count);
	close(ends.server);
	stop_tap(0);
	expect_given_back();
}
END_TEST

START_TEST(each_datagram_client_gets_its_own_answers)
{
	struct ends first, second;

	begin(&first, 0);
	ck_assert_int_eq(rename(support_path("client"), support_path("one")),
		0);
	connect_ends(&second);
	send_all(second.server, "to the second", 13);
	expect_all(second.client, "to the second", 13);
	close_ends(&first);
	finish(&second);
}
END_TEST

/* The address of a datagram leads wherever its sender likes. */
START_TEST(answers_to_a_datagram_never_reach_somebody_else)
{
	const char *path = support_path("client");
	struct ends ends;
	int victim;

	begin(&ends, 0);
	victim = open_bound(SOCK_DGRAM, support_path("victim"));
	ck_assert_int_eq(unlink(path), 0);
	make_link("victim", path);
	send_all(ends.server, "x", 1);
	expect_said("answers are lost");
	assert_hears_nothing(victim, SOCK_DGRAM);
	close(victim);
	close_ends(&ends);
	stop_tap(1);
	expect_given_back();
}
END_TEST

START_TEST(a_datagram_client_without_a_name_is_heard_without_one)
{
	struct sockaddr_un from;
	socklen_t size = sizeof(from);
	char found[8];
	int client;

	start_server(0);
	start_tap();
	client = open_socket(SOCK_DGRAM);
	ck_assert_int_eq(connect_to(client, name), 0);
	ck_assert_int_eq(send(client, "hello", 5, 0), 5);
	make_blocking(server);
	ck_assert_int_eq(recvfrom(server, found, sizeof(found), 0,
				 (struct sockaddr *)&from, &size),
		5);
	ck_assert_uint_le(size, sizeof(sa_family_t));
	close(client);
	stop_tap(0);
	expect_given_back();
}
END_TEST

/* As root: whom the server sees is who has connected. */
START_TEST(the_server_sees_the_user_of_the_client)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	int fd;
	pid_t client;

	start_server(_i + 1);
	ck_assert_int_eq(chmod(name, 0777), 0);
	start_tap();
	client = support_fork();
	if (client == 0) {
		support_as_nobody();
		fd = open_socket(type);
		make_blocking(fd);
		if (connect_to(fd, name) < 0)
			_exit(1);
		expect_end(fd);
		_exit(0);
	}
	make_blocking(server);
	fd = accept(server, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size),
		0);
	ck_assert_uint_eq(cred.uid, 65534);
	ck_assert_uint_eq(cred.gid, 65534);
	close(fd);
	support_wait_exit(client, 0);
	stop_tap(0);
}
END_TEST

/* Whose credentials have come with one byte. */
static struct ucred receive_writer(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr head = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct ucred cred;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(recvmsg(fd, &head, 0)), 1);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&head));
	ck_assert_int_eq(control.align.cmsg_type, SCM_CREDENTIALS);
	memcpy(&cred, CMSG_DATA(&control.align), sizeof(cred));
	return cred;
}

/* Another user sends one byte, and ends unless it stays. */
static pid_t send_as_nobody(bool stays)
{
	pid_t client = support_fork();
	int fd;

	if (client > 0)
		return client;
	support_as_nobody();
	fd = open_socket(type);
	make_blocking(fd);
	if (connect_to(fd, name) < 0 || send(fd, "x", 1, 0) != 1)
		_exit(1);
	if (stays)
		pause();
	_exit(0);
}

/* Of the first byte that the server gets. */
static struct ucred await_writer(void)
{
	struct ucred writer;
	int fd;

	make_blocking(server);
	if (type == SOCK_DGRAM)
		return receive_writer(server);
	fd = accept(server, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	writer = receive_writer(fd);
	close(fd);
	return writer;
}

/* As root: the tap connects as the first of all clients too. */
START_TEST(the_server_sees_the_writer_of_each_message)
{
	struct ucred writer;
	pid_t client;

	start_server(_i);
	ask_for_credentials(server);
	ck_assert_int_eq(chmod(name, 0777), 0);
	start_tap();
	client = send_as_nobody(true);
	writer = await_writer();
	ck_assert_int_eq(writer.pid, client);
	ck_assert_uint_eq(writer.uid, 65534);
	ck_assert_uint_eq(writer.gid, 65534);
	stop_child(client);
	stop_tap(0);
}
END_TEST

/* As root: the tap stands for the process only, never for the user. */
START_TEST(a_message_of_a_dead_client_is_never_one_of_root)
{
	struct ucred writer;

	start_server(_i);
	ask_for_credentials(server);
	ck_assert_int_eq(chmod(name, 0777), 0);
	start_tap();
	ck_assert_int_eq(kill(tap, SIGSTOP), 0);
	support_wait_exit(send_as_nobody(false), 0);
	ck_assert_int_eq(kill(tap, SIGCONT), 0);
	writer = await_writer();
	ck_assert_int_eq(writer.pid, tap);
	ck_assert_uint_eq(writer.uid, 65534);
	ck_assert_uint_eq(writer.gid, 65534);
	stop_tap(0);
}
END_TEST

/* The kernel gives those who ask for credentials a name. */
START_TEST(the_server_sees_a_name_if_the_client_has_one)
{
	struct sockaddr_un peer;
	socklen_t size = sizeof(peer);
	struct ends ends;

	is_asking = _i / 2 == 1;
	begin(&ends, 1 + _i % 2);
	send_all(ends.client, "x", 1);
	expect_all(ends.server, "x", 1);
	ck_assert_int_eq(getpeername(ends.server, (void *)&peer, &size), 0);
	if (is_asking && support_is_root())
		ck_assert_uint_gt(size, sizeof(sa_family_t));
	else
		ck_assert_uint_eq(size, sizeof(sa_family_t));
	finish(&ends);
}
END_TEST

/* As root: it is the server, which is this process, and not the tap. */
START_TEST(a_client_sees_who_has_written_the_answer)
{
	struct ends ends;

	is_asking = _i >= TYPES;
	begin(&ends, _i % TYPES);
	ask_for_credentials(ends.client);
	send_all(ends.server, "x", 1);
	ck_assert_int_eq(receive_writer(ends.client).pid, getpid());
	finish(&ends);
}
END_TEST

/* From the client or from the server. */
START_TEST(a_datagram_without_its_descriptors_is_lost_and_told)
{
	struct ends ends;
	int from, to;

	begin(&ends, 0);
	from = _i == 0 ? ends.client : ends.server;
	to = _i == 0 ? ends.server : ends.client;
	limit_tap((rlim_t)count_fds_of_tap());
	/* More than there are gaps below that. */
	ck_assert_int_eq(support_send_fds(from, "x", 1, server, 8), 1);
	expect_said("Too many open files");
	limit_tap(1024);
	send_all(from, "y", 1);
	expect_all(to, "y", 1);
	close_ends(&ends);
	stop_tap(1);
	expect_given_back();
}
END_TEST

/* More than the tap knows at a time. */
enum { NAMES = 1100 };

static void send_from_many_names(void)
{
	char target[PATH_MAX];
	int fd, i;

	/* support_path has room for some names only. */
	snprintf(target, sizeof(target), "%s", name);
	for (i = 0; i < NAMES; i++) {
		char leaf[16];
		const char *own;

		snprintf(leaf, sizeof(leaf), "n%d", i);
		own = support_path(leaf);
		fd = open_bound(SOCK_DGRAM, own);
		make_blocking(fd);
		if (connect_to(fd, target) < 0 || send(fd, "x", 1, 0) != 1)
			_exit(1);
		close(fd);
		unlink(own);
	}
}

/* As root: the other user is nobody. */
START_TEST(names_of_one_user_push_out_no_other_users_client)
{
	struct sockaddr_un from;
	socklen_t size = sizeof(from);
	int client, i;
	pid_t other;
	char byte;

	start_server(0);
	ck_assert_int_eq(chmod(name, 0777), 0);
	its_file = look_at(name);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	start_tap();
	client = open_bound(SOCK_DGRAM, support_path("client"));
	make_blocking(client);
	make_blocking(server);
	ck_assert_int_eq(connect_to(client, name), 0);
	send_all(client, "?", 1);
	ck_assert_int_eq(recvfrom(server, &byte, 1, 0, (void *)&from, &size),
		1);
	other = support_fork();
	if (other == 0) {
		support_as_nobody();
		send_from_many_names();
		_exit(0);
	}
	for (i = 0; i < NAMES; i++)
		expect_all(server, "x", 1);
	support_wait_exit(other, 0);
	ck_assert_int_eq(sendto(server, "y", 1, 0, (void *)&from, size), 1);
	expect_all(client, "y", 1);
	close(client);
	stop_tap(0);
	expect_given_back();
}
END_TEST

/* The tap takes an eighth of its descriptors. */
enum { LIMITED = 256, PAIRS = LIMITED / 8 };

static void connect_as_nobody(int ready[2], int more[2])
{
	int fd, i;

	support_as_nobody();
	for (i = 0; i <= PAIRS; i++) {
		if (i == PAIRS)
			support_ready_wait(more);
		fd = open_socket(type);
		make_blocking(fd);
		if (connect_to(fd, name) < 0)
			_exit(1);
		if (i < PAIRS)
			send_all(fd, "x", 1);
	}
	expect_end(fd);
	support_ready_tell(ready);
	pause();
}

static int accept_from_tap(const char *first)
{
	int fd = accept(server, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	expect_all(fd, first, 1);
	return fd;
}

/* As root: the other user is nobody. */
START_TEST(connections_of_one_user_keep_out_no_other_user)
{
	int ready[2], more[2], servers[PAIRS], client, fd, i;
	pid_t other;

	start_server(1 + _i);
	make_blocking(server);
	ck_assert_int_eq(chmod(name, 0777), 0);
	its_file = look_at(name);
	limit = LIMITED;
	start_tap();
	support_ready_init(ready);
	support_ready_init(more);
	other = support_fork();
	if (other == 0)
		connect_as_nobody(ready, more);
	for (i = 0; i < PAIRS; i++)
		servers[i] = accept_from_tap("x");
	client = open_socket(type);
	make_blocking(client);
	ck_assert_int_eq(connect_to(client, name), 0);
	send_all(client, "y", 1);
	fd = accept_from_tap("y");
	expect_said("who has the most, gets no more");
	expect_end(servers[PAIRS - 1]);
	support_ready_tell(more);
	support_ready_wait(ready);
	send_all(fd, "z", 1);
	expect_all(client, "z", 1);
	for (i = 0; i < PAIRS; i++)
		close(servers[i]);
	stop_child(other);
	close_pipe(ready);
	close_pipe(more);
	close(fd);
	close(client);
	stop_tap(1);
	expect_given_back();
}
END_TEST

/* More than fit anywhere: of the server, the tap, and both queues. */
static void fill_with_descriptors(int client)
{
	char data[1000] = "";

	ck_assert_int_eq(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	support_send_few_at_once(client);
	while (support_poll(&(struct pollfd){ client, POLLOUT, 0 }, 1, 100) > 0)
		if (support_send_fds(client, data, sizeof(data), server, 100) <
			0)
			break;
}

/* The server does not read from them. As root: the kernel counts descriptors
 * that other users have under way. */
START_TEST(descriptors_that_wait_for_one_peer_are_missing_to_no_other)
{
	struct ends ends, stuck[4];
	int i;

	limit = LIMITED;
	begin(&ends, 1 + _i);
	for (i = 0; i < 4; i++) {
		connect_ends(&stuck[i]);
		fill_with_descriptors(stuck[i].client);
	}
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(support_send_fds(ends.client, "x", 1, server,
					 8),
			1);
		expect_all(ends.server, "x", 1);
	}
	for (i = 0; i < 4; i++)
		close_ends(&stuck[i]);
	finish(&ends);
}
END_TEST

/* As root, which reaches everything; another user has the server. */
START_TEST(a_file_of_another_user_is_not_taken_for_the_server)
{
	const char *other = support_path("other");
	int victim, client;

	start_server(_i);
	ck_assert_int_eq(chown(name, 65534, 65534), 0);
	victim = open_listening(type, other);
	start_tap();
	ck_assert_int_eq(rename(get_hidden(), support_path("aside")), 0);
	make_link(other, get_hidden());
	client = open_socket(type);
	make_blocking(client);
	ck_assert_int_eq(connect_to(client, name), 0);
	send(client, "x", 1, MSG_NOSIGNAL);
	expect_said("client could not be connected to the server: Operation");
	assert_hears_nothing(victim, type);
	close(client);
	close(victim);
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	expect_said("replaced the second name of the server");
	expect_status(1);
}
END_TEST

/* --- The name ------------------------------------------------------------- */

START_TEST(the_file_of_the_tap_is_like_that_of_the_server)
{
	start_server(_i);
	ck_assert_int_eq(chmod(name, 0620), 0);
	its_file = look_at(name);
	start_tap();
	ck_assert_uint_eq(mode_of(name), 0620);
	ck_assert_uint_ne(look_at(name).st_ino, its_file.st_ino);
	stop_tap(0);
	expect_given_back();
}
END_TEST

START_TEST(a_client_that_waits_in_the_backlog_is_served_before_the_name_goes)
{
	struct ends ends;

	begin(&ends, _i);
	ck_assert_int_eq(kill(tap, SIGSTOP), 0);
	close_ends(&ends);
	ends.client = open_socket(type);
	make_blocking(ends.client);
	ck_assert_int_eq(connect_to(ends.client, name), 0);
	send_all(ends.client, "hello", 5);
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	ck_assert_int_eq(kill(tap, SIGCONT), 0);
	make_blocking(server);
	ends.server = accept(server, NULL, NULL);
	expect_all(ends.server, "hello", 5);
	close_ends(&ends);
	expect_status(0);
	expect_given_back();
}
END_TEST

/* One client fits into its backlog; the others wait in the tap. */
START_TEST(a_server_that_accepts_nobody_has_its_name_back_at_once)
{
	int clients[3], fd, i;

	start_server(_i);
	ck_assert_int_eq(listen(server, 0), 0);
	start_tap();
	for (i = 0; i < 3; i++) {
		clients[i] = open_socket(type);
		make_blocking(clients[i]);
		ck_assert_int_eq(connect_to(clients[i], name), 0);
		send_all(clients[i], &i, sizeof(i));
	}
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	expect_said("has its name back");
	expect_given_back();
	make_blocking(server);
	for (i = 0; i < 3; i++) {
		fd = accept(server, NULL, NULL);
		expect_all(fd, &i, sizeof(i));
		close(fd);
		close(clients[i]);
	}
	expect_status(0);
}
END_TEST

START_TEST(open_connections_are_served_after_the_name_was_given_back)
{
	struct ends ends;

	begin(&ends, _i);
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	expect_said("has its name back");
	expect_given_back();
	send_all(ends.client, "still", 5);
	expect_all(ends.server, "still", 5);
	close_ends(&ends);
	expect_status(0);
}
END_TEST

/* Not even descriptors that become free can be used, until that is lifted. */
START_TEST(a_name_that_cannot_be_given_back_is_given_back_later)
{
	struct ends ends;

	begin(&ends, _i);
	limit_tap(0);
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	expect_said("cannot be given back yet");
	ck_assert_uint_eq(look_at(get_hidden()).st_ino, its_file.st_ino);
	limit_tap(1024);
	expect_said("has its name back");
	expect_given_back();
	close_ends(&ends);
	expect_status(0);
}
END_TEST

enum { WAITING = 8 };

/* Clients in the backlog of a tap that is stopped, and then has no descriptor
 * for most of them. */
static void make_waiting(int clients[WAITING])
{
	int i;

	start_tap();
	ck_assert_int_eq(kill(tap, SIGSTOP), 0);
	for (i = 0; i < WAITING; i++) {
		clients[i] = open_socket(type);
		make_blocking(clients[i]);
		ck_assert_int_eq(connect_to(clients[i], name), 0);
		send_all(clients[i], &i, sizeof(i));
	}
	limit_tap((rlim_t)count_fds_of_tap());
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	ck_assert_int_eq(kill(tap, SIGCONT), 0);
	expect_said("has its name back");
	make_blocking(server);
}

START_TEST(clients_that_wait_are_served_when_descriptors_become_free)
{
	int clients[WAITING], fd, i;

	start_server(_i);
	make_waiting(clients);
	for (i = 0; i < WAITING; i++) {
		fd = accept(server, NULL, NULL);
		ck_assert_int_ge(fd, 0);
		expect_all(fd, &i, sizeof(i));
		close(fd);
		close(clients[i]);
	}
	expect_status(0);
	expect_given_back();
}
END_TEST

/* Those who are served stay. */
START_TEST(clients_that_cannot_be_accepted_are_told)
{
	int clients[WAITING], i;

	start_server(_i);
	make_waiting(clients);
	expect_said("clients that wait are refused: Too many open files");
	for (i = 0; i < WAITING; i++)
		close(clients[i]);
	close(server);
	server = -1;
	expect_status(1);
}
END_TEST

START_TEST(a_second_signal_ends_at_once)
{
	struct ends ends;

	begin(&ends, _i);
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	expect_said("has its name back");
	ck_assert_int_eq(kill(tap, SIGINT), 0);
	expect_status(0);
	expect_end(ends.client);
	close_ends(&ends);
}
END_TEST

static void restore(int status)
{
	const char *const arguments[] = { "unixmsg-tap", "--restore", name,
		NULL };

	start(arguments);
	expect_status(status);
}

static void kill_tap(void)
{
	stop_child(tap);
	tap = 0;
	close(words_fd);
	words_fd = -1;
}

START_TEST(restore_repairs_what_a_killed_tap_has_left)
{
	start_server(_i);
	start_tap();
	kill_tap();
	ck_assert_int_eq(try_to_reach(name), ECONNREFUSED);
	restore(0);
	expect_given_back();
}
END_TEST

START_TEST(the_next_tap_goes_on_where_one_was_killed)
{
	struct ends ends;

	start_server(_i);
	start_tap();
	kill_tap();
	start_tap();
	connect_ends(&ends);
	send_all(ends.client, "x", 1);
	expect_all(ends.server, "x", 1);
	finish(&ends);
}
END_TEST

START_TEST(two_taps_of_one_name_do_not_get_into_each_others_way)
{
	const char *const arguments[] = { "unixmsg-tap", name, NULL };
	pid_t first;
	int first_fd;

	start_server(_i);
	start_tap();
	first = tap;
	first_fd = words_fd;
	start(arguments);
	expect_said("another tap of this name is at work");
	expect_status(1);
	restore(1);
	tap = first;
	words_fd = first_fd;
	stop_tap(0);
	expect_given_back();
}
END_TEST

/* Its takeover has begun, and it does not listen yet. */
START_TEST(restore_leaves_a_takeover_alone_that_has_just_begun)
{
	struct unixtakeover *takeover;

	start_server(_i);
	takeover = unixtakeover_open(name, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(takeover);
	restore(1);
	ck_assert_uint_eq(look_at(get_hidden()).st_ino, its_file.st_ino);
	ck_assert_uint_eq(look_at(name).st_ino, its_file.st_ino);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	expect_given_back();
}
END_TEST

START_TEST(a_name_that_is_taken_away_is_told_at_once)
{
	const char *other = support_path("other");
	struct ends ends;
	int thief;

	begin(&ends, _i);
	thief = open_listening(type, other);
	ck_assert_int_eq(rename(other, name), 0);
	expect_said("has taken the name away");
	send_all(ends.client, "x", 1);
	expect_all(ends.server, "x", 1);
	close_ends(&ends);
	expect_status(1);
	ck_assert_int_eq(try_to_reach(name),
		type == SOCK_DGRAM ? 0 : EPROTOTYPE);
	assert_missing(get_hidden());
	close(thief);
}
END_TEST

START_TEST(a_server_that_ends_leaves_no_file)
{
	int client;

	start_server(_i);
	start_tap();
	close(server);
	server = -1;
	client = open_socket(type);
	ck_assert_int_eq(connect_to(client, name), 0);
	if (type == SOCK_DGRAM)
		ck_assert_int_eq(send(client, "x", 1, 0), 1);
	expect_said("the server has ended");
	expect_status(0);
	assert_missing(name);
	assert_missing(get_hidden());
	close(client);
}
END_TEST

START_TEST(what_cannot_be_tapped_is_left_as_it_is)
{
	const char *const arguments[] = { "unixmsg-tap", name, NULL };

	start(arguments);
	expect_said("no such name");
	expect_status(1);
	make_dead(types[_i], name);
	its_file = look_at(name);
	start(arguments);
	expect_said("the server has ended");
	expect_status(1);
	assert_untouched(name, &its_file);
	ck_assert_int_eq(unlink(name), 0);
	make_file(name, "x");
	its_file = look_at(name);
	start(arguments);
	expect_status(1);
	assert_untouched(name, &its_file);
	assert_missing(get_hidden());
}
END_TEST

START_TEST(a_tap_at_a_name_of_its_own_leaves_the_server_alone)
{
	const char *front = support_path("front"), *kept = name;
	const char *const arguments[] = { "unixmsg-tap", "--listen", front,
		name, NULL };
	struct ends ends;

	start_server(_i);
	start(arguments);
	expect_said("listening on ");
	assert_same_file(name, &its_file);
	assert_missing(get_hidden());
	name = front;
	connect_ends(&ends);
	send_all(ends.client, "x", 1);
	expect_all(ends.server, "x", 1);
	close_ends(&ends);
	stop_tap(0);
	assert_missing(front);
	name = kept;
	assert_same_file(name, &its_file);
}
END_TEST

static void add_loop(TCase *tcase, const TTest *test, int first)
{
	tcase_add_loop_test(tcase, test, first, TYPES);
}

static TCase *make_passing(int first)
{
	TCase *tcase = make_tcase_with("passing", set_up, tear_down);

	add_loop(tcase, messages_pass_in_both_directions, 0);
	tcase_add_loop_test(tcase, an_empty_message_is_not_the_end, 0, 2);
	add_loop(tcase, descriptors_pass_in_both_directions, 0);
	tcase_add_loop_test(tcase, descriptors_stay_with_their_message, 0, 2);
	tcase_add_test(tcase,
		what_comes_before_a_message_that_is_too_large_arrives);
	tcase_add_test(tcase, a_datagram_that_is_too_large_is_told);
	add_loop(tcase,
		a_half_close_of_the_client_passes_and_answers_still_come,
		first);
	add_loop(tcase,
		a_half_close_of_the_server_passes_and_requests_still_come,
		first);
	add_loop(tcase, the_close_of_one_end_is_a_hang_up_at_the_other, first);
	add_loop(tcase, both_ends_may_close_at_once, first);
	add_loop(tcase,
		an_end_that_does_not_read_loses_nothing_and_delays_only_itself,
		first);
	add_loop(tcase, directions_that_are_both_full_go_on, first);
	add_loop(tcase, what_was_sent_before_a_close_arrives, first);
	tcase_add_test(tcase, datagrams_to_a_busy_server_wait);
	tcase_add_test(tcase,
		a_datagram_client_that_dies_while_the_server_is_busy_stops_nothing);
	tcase_add_test(tcase, each_datagram_client_gets_its_own_answers);
	tcase_add_test(tcase, answers_to_a_datagram_never_reach_somebody_else);
	tcase_add_loop_test(tcase,
		a_datagram_without_its_descriptors_is_lost_and_told, 0, 2);
	tcase_add_test(tcase,
		a_datagram_client_without_a_name_is_heard_without_one);
	return tcase;
}

static TCase *make_name(int first)
{
	TCase *tcase = make_tcase_with("name", set_up, tear_down);

	add_loop(tcase, the_file_of_the_tap_is_like_that_of_the_server, 0);
	add_loop(tcase,
		a_client_that_waits_in_the_backlog_is_served_before_the_name_goes,
		first);
	add_loop(tcase, a_server_that_accepts_nobody_has_its_name_back_at_once,
		first);
	add_loop(tcase,
		open_connections_are_served_after_the_name_was_given_back,
		first);
	add_loop(tcase, a_name_that_cannot_be_given_back_is_given_back_later,
		0);
	add_loop(tcase,
		clients_that_wait_are_served_when_descriptors_become_free,
		first);
	add_loop(tcase, clients_that_cannot_be_accepted_are_told, first);
	add_loop(tcase, a_second_signal_ends_at_once, first);
	add_loop(tcase, restore_repairs_what_a_killed_tap_has_left, 0);
	add_loop(tcase, restore_leaves_a_takeover_alone_that_has_just_begun, 0);
	add_loop(tcase, the_next_tap_goes_on_where_one_was_killed, 0);
	add_loop(tcase, two_taps_of_one_name_do_not_get_into_each_others_way,
		0);
	add_loop(tcase, a_name_that_is_taken_away_is_told_at_once, 0);
	add_loop(tcase, a_server_that_ends_leaves_no_file, 0);
	add_loop(tcase, what_cannot_be_tapped_is_left_as_it_is, 0);
	add_loop(tcase, a_tap_at_a_name_of_its_own_leaves_the_server_alone, 0);
	return tcase;
}

/* Whom the server and the clients see. */
static TCase *make_users(int first)
{
	static const char only_root_names[] =
		"only root sends credentials of another process";
	TCase *tcase = make_tcase_with("users", set_up, tear_down);

	support_add_loop_test_if(tcase, the_server_sees_the_user_of_the_client,
		2, support_is_root(), "only root connects as another user");
	if (first == 1)
		tcase_add_loop_test(tcase,
			the_server_sees_a_name_if_the_client_has_one, 0, 4);
	support_add_loop_test_if(tcase,
		a_client_sees_who_has_written_the_answer, 2 * TYPES,
		support_is_root(), only_root_names);
	support_add_loop_test_if(tcase,
		the_server_sees_the_writer_of_each_message, TYPES,
		support_is_root(), only_root_names);
	support_add_loop_test_if(tcase,
		a_message_of_a_dead_client_is_never_one_of_root, TYPES,
		support_is_root(), only_root_names);
	support_add_root_loop_test(tcase,
		a_file_of_another_user_is_not_taken_for_the_server, TYPES);
	return tcase;
}

/* Who takes more than its part. */
static TCase *make_floods(void)
{
	TCase *tcase = make_tcase_with("floods", set_up, tear_down);

	support_add_root_test(tcase,
		names_of_one_user_push_out_no_other_users_client);
	support_add_root_loop_test(tcase,
		descriptors_that_wait_for_one_peer_are_missing_to_no_other, 2);
	support_add_root_loop_test(tcase,
		connections_of_one_user_keep_out_no_other_user, 2);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("tap");
	/* Datagrams are no connections. */
	const int first = types[0] == SOCK_DGRAM ? 1 : 0;

	suite_add_tcase(suite, make_passing(first));
	suite_add_tcase(suite, make_name(first));
	suite_add_tcase(suite, make_users(first));
	suite_add_tcase(suite, make_floods());
	return support_run(suite);
}
