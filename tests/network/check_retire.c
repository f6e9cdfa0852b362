/* SPDX-License-Identifier: MIT */
/*
 * Sockets that let nothing more in: what was accepted by the kernel can still
 * be taken, and whoever comes later is told so at once.
 */
#include <config.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/conn_private.h"
#include "network/listener_private.h"
#include "support/scene.h"

enum { KINDS = 2, PATH = 0 };

/* All types, each at a path and at an abstract name: _i. */
static const char *get_address(int i)
{
	return i / TYPES == PATH ? support_path("socket")
				 : support_abstract("retire");
}

static int get_type(int i)
{
	return types[i % TYPES];
}

static int retire(struct server *server, bool *is_shared)
{
	if (server->gram != NULL)
		return unixconn__retire(server->gram, is_shared);
	return unixlistener__retire(server->listener, is_shared);
}

static void open_at(struct server *server, int type, const char *address)
{
	ck_assert_msg(open_server(server, type, address, NULL) == 0, "%s: %s",
		address, strerror(errno));
}

static void retire_alone(struct server *server)
{
	bool is_shared = true;

	ck_assert_int_eq(retire(server, &is_shared), 0);
	ck_assert(!is_shared);
}

/* A client that has said one byte; of datagrams it is connected too. */
static int call(int type, const char *address, const char *byte)
{
	int fd = open_socket(type);

	ck_assert_int_eq(connect_to(fd, address), 0);
	ck_assert_int_eq(send(fd, byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT), 1);
	return fd;
}

static void expect_datagram(struct unixconn *gram, char expected)
{
	char byte;

	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(byte, expected);
}

static void expect_connection(struct unixlistener *listener, char expected)
{
	struct unixconn *conn = unixlistener_accept(listener, UNIXMSG_NOW);
	char byte;

	ck_assert_ptr_nonnull(conn);
	ck_assert_int_eq(recv(unixconn_get_fd(conn), &byte, 1, MSG_DONTWAIT),
		1);
	ck_assert_int_eq(byte, expected);
	ck_assert_int_eq(unixconn_close(conn), 0);
}

static void expect_call(struct server *server, char expected)
{
	if (server->gram != NULL)
		expect_datagram(server->gram, expected);
	else
		expect_connection(server->listener, expected);
}

/* Nothing more can come, and to ask for it does not wait. */
static void expect_nothing(struct server *server)
{
	char byte;

	if (server->gram != NULL)
		ck_assert_errno(unixconn_recv(server->gram, &byte, 1, NULL,
					UNIXMSG_NOW),
			EAGAIN);
	else
		ck_assert_null_errno(unixlistener_accept(server->listener,
					     UNIXMSG_NOW),
			EINVAL);
}

static void expect_service(struct server *server, int type, const char *address)
{
	int fd = call(type, address, "s");

	expect_call(server, 's');
	close(fd);
}

START_TEST(what_has_come_can_be_taken)
{
	const char *address = get_address(_i);
	int fds[3], type = get_type(_i);
	struct server server;
	size_t i;

	open_at(&server, type, address);
	for (i = 0; i < COUNT(fds); i++)
		fds[i] = call(type, address, &"abc"[i]);
	close(fds[2]);
	retire_alone(&server);
	for (i = 0; i < COUNT(fds); i++)
		expect_call(&server, "abc"[i]);
	expect_nothing(&server);
	expect_nothing(&server);
	close(fds[0]);
	close(fds[1]);
	end_server(&server);
}
END_TEST

START_TEST(an_empty_datagram_that_has_come_can_be_taken)
{
	const char *address = get_address(_i * TYPES);
	struct server server;
	size_t size = 1;
	char byte;
	int fd;

	open_at(&server, SOCK_DGRAM, address);
	fd = call(SOCK_DGRAM, address, "a");
	ck_assert_int_eq(send(fd, "", 0, MSG_DONTWAIT), 0);
	retire_alone(&server);
	expect_datagram(server.gram, 'a');
	ck_assert_int_eq(unixconn_recv(server.gram, &byte, 1, &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 0);
	expect_nothing(&server);
	close(fd);
	end_server(&server);
}
END_TEST

START_TEST(a_connected_sender_gets_a_broken_pipe)
{
	const char *address = get_address(_i * TYPES);
	struct server server;
	int i, fd;

	open_at(&server, SOCK_DGRAM, address);
	fd = call(SOCK_DGRAM, address, "a");
	retire_alone(&server);
	for (i = 0; i < 2; i++)
		ck_assert_errno(send(fd, "b", 1, MSG_NOSIGNAL), EPIPE);
	expect_datagram(server.gram, 'a');
	ck_assert_errno(send(fd, "b", 1, MSG_NOSIGNAL), EPIPE);
	expect_nothing(&server);
	close(fd);
	end_server(&server);
}
END_TEST

/* An abstract name goes when the socket is closed. */
static int get_error_of_newcomers(int i)
{
	if (i / TYPES == PATH)
		return ENOENT;
	return get_type(i) == SOCK_DGRAM ? EPIPE : ECONNREFUSED;
}

static ssize_t come(int fd, const char *address)
{
	if (connect_to(fd, address) < 0)
		return -1;
	return send(fd, "x", 1, MSG_NOSIGNAL);
}

START_TEST(newcomers_get_an_error_at_once)
{
	const char *address = get_address(_i);
	struct server server;
	int fd = open_socket(get_type(_i));

	open_at(&server, get_type(_i), address);
	retire_alone(&server);
	ck_assert_errno(come(fd, address), get_error_of_newcomers(_i));
	expect_nothing(&server);
	close(fd);
	end_server(&server);
}
END_TEST

/* Somebody who has opened the file before, or has a link to it. */
START_TEST(another_link_to_the_file_leads_nowhere)
{
	const char *address = support_path("socket");
	const char *other = support_path("other");
	int fd = open_socket(types[_i]);
	struct server server;

	open_at(&server, types[_i], address);
	ck_assert_int_eq(link(address, other), 0);
	retire_alone(&server);
	ck_assert_errno(come(fd, other),
		types[_i] == SOCK_DGRAM ? EPIPE : ECONNREFUSED);
	close(fd);
	end_server(&server);
}
END_TEST

/* A child that has nothing left to do but a system call that waits. */
static void fill(int fd)
{
	while (send(fd, "w", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(a_sender_that_waits_for_room_gets_a_broken_pipe)
{
	const char *address = get_address(_i * TYPES);
	struct server server;
	int fd, ready[2];
	pid_t pid;

	open_at(&server, SOCK_DGRAM, address);
	support_ready_init(ready);
	pid = support_fork();
	if (pid == 0) {
		fd = call(SOCK_DGRAM, address, "w");
		fill(fd);
		support_ready_tell(ready);
		ck_assert_errno(TEMP_FAILURE_RETRY(
					send(fd, "x", 1, MSG_NOSIGNAL)),
			EPIPE);
		_exit(0);
	}
	support_ready_wait(ready);
	support_wait_until_asleep(pid);
	retire_alone(&server);
	while (unixconn_recv(server.gram, NULL, 0, NULL, UNIXMSG_NOW) >= 0 ||
		errno == EMSGSIZE)
		;
	ck_assert_int_eq(errno, EAGAIN);
	support_wait_exit(pid, 0);
	expect_nothing(&server);
	end_server(&server);
	close_pipe(ready);
}
END_TEST

/* Its backlog is full: who waits for a place is refused when one is free. */
START_TEST(who_waits_to_be_let_in_is_refused)
{
	const int type = types[1 + _i % 2];
	const char *address = get_address(_i / 2 * TYPES);
	struct server server = { 0 };
	int fds[2], ready[2];
	pid_t pid;

	support_ready_init(ready);
	server.listener = unixlistener_open(unixnetwork__find_type(type)->name,
		address, &(struct unixlisten_options){ .backlog = 1 });
	ck_assert_ptr_nonnull(server.listener);
	fds[0] = call(type, address, "a");
	fds[1] = call(type, address, "b");
	pid = support_fork();
	if (pid == 0) {
		int fd = open_socket(type);

		support_ready_tell(ready);
		ck_assert_errno(TEMP_FAILURE_RETRY(connect_to(fd, address)),
			_i / 2 == PATH ? ENOENT : ECONNREFUSED);
		_exit(0);
	}
	support_ready_wait(ready);
	support_wait_until_asleep(pid);
	retire_alone(&server);
	expect_call(&server, 'a');
	expect_call(&server, 'b');
	support_wait_exit(pid, 0);
	expect_nothing(&server);
	close(fds[0]);
	close(fds[1]);
	end_server(&server);
	close_pipe(ready);
}
END_TEST

/* The name */

START_TEST(the_file_is_gone_and_another_may_take_the_name)
{
	const char *path = support_path("socket");
	struct server server, next;
	struct stat before;

	open_at(&server, types[_i], path);
	retire_alone(&server);
	assert_files(0);
	open_at(&next, types[_i], path);
	before = look_at(path);
	retire_alone(&server);
	end_server(&server);
	assert_untouched(path, &before);
	expect_service(&next, types[_i], path);
	end_server(&next);
}
END_TEST

START_TEST(an_abstract_name_is_free_when_the_socket_is_closed)
{
	const char *address = support_abstract("retire");
	struct server server, next;

	open_at(&server, types[_i], address);
	retire_alone(&server);
	ck_assert_errno(open_server(&next, types[_i], address, NULL),
		EADDRINUSE);
	end_server(&server);
	open_at(&next, types[_i], address);
	end_server(&next);
}
END_TEST

START_TEST(what_stands_there_instead_stays)
{
	const char *path = support_path("socket");
	struct server server;

	open_at(&server, types[_i], path);
	ck_assert_int_eq(unlink(path), 0);
	make_file(path, "precious");
	retire_alone(&server);
	assert_content(path, "precious");
	end_server(&server);
}
END_TEST

START_TEST(a_file_that_cannot_be_removed_is_told)
{
	const char *dir = support_path("dir");
	const char *path = support_path("dir/socket");
	int ready[2], go[2];
	pid_t pid;

	make_dir(dir, 0777 | S_ISVTX);
	support_ready_init(ready);
	support_ready_init(go);
	pid = support_fork();
	if (pid == 0) {
		int type = types[_i], fd = open_socket(type);
		struct server server;
		bool is_shared = true;

		support_as_nobody();
		open_at(&server, type, path);
		support_ready_tell(ready);
		support_ready_wait(go);
		ck_assert_errno(retire(&server, &is_shared), EACCES);
		ck_assert(!is_shared);
		ck_assert_errno(come(fd, path),
			type == SOCK_DGRAM ? EPIPE : ECONNREFUSED);
		end_server(&server);
		_exit(0);
	}
	support_ready_wait(ready);
	ck_assert_int_eq(chmod(dir, 0555), 0);
	support_ready_tell(go);
	support_wait_exit(pid, 0);
	assert_is_socket(path);
	close_pipe(ready);
	close_pipe(go);
}
END_TEST

START_TEST(retiring_keeps_errno)
{
	const char *address = get_address(_i);
	struct server server;

	open_at(&server, get_type(_i), address);
	errno = EXDEV;
	retire_alone(&server);
	retire_alone(&server);
	ck_assert_int_eq(errno, EXDEV);
	end_server(&server);
}
END_TEST

/* Sockets of several processes */

START_TEST(an_adopted_socket_is_not_shut)
{
	const char *address = get_address(_i);
	int type = get_type(_i), heir = open_listening(type, address);
	int fd = fcntl(heir, F_DUPFD_CLOEXEC, 0);
	struct server server, next;
	bool is_shared = false;

	ck_assert_int_eq(adopt_server(&server, type, fd), 0);
	ck_assert_int_eq(retire(&server, &is_shared), 0);
	ck_assert(is_shared);
	end_server(&server);
	ck_assert_int_eq(adopt_server(&next, type, heir), 0);
	expect_service(&next, type, address);
	end_server(&next);
}
END_TEST

START_TEST(an_adopted_file_goes_only_when_that_was_asked_for)
{
	const char *path = support_path("socket");
	struct server server;
	bool is_shared = false;

	ck_assert_int_eq(adopt_server(&server, types[_i % TYPES],
				 open_listening(types[_i % TYPES], path)),
		0);
	if (_i / TYPES == 1)
		ck_assert_int_eq(server_set_unlink(&server, true), 0);
	ck_assert_int_eq(retire(&server, &is_shared), 0);
	ck_assert(is_shared);
	assert_files(1 - _i / TYPES);
	end_server(&server);
}
END_TEST

START_TEST(a_child_takes_nothing_from_the_one_that_has_bound_it)
{
	const char *address = get_address(_i);
	int type = get_type(_i);
	struct server server;
	pid_t pid;

	open_at(&server, type, address);
	pid = support_fork();
	if (pid == 0) {
		bool is_shared = false;

		ck_assert_int_eq(retire(&server, &is_shared), 0);
		ck_assert(is_shared);
		end_server(&server);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	expect_service(&server, type, address);
	retire_alone(&server);
	assert_files(0);
	end_server(&server);
}
END_TEST

/* The name is gone for the child too. */
START_TEST(the_one_that_has_bound_it_shuts_it_for_its_children)
{
	const char *address = get_address(_i);
	int ready[2], type = get_type(_i);
	struct server server;
	pid_t pid;

	support_ready_init(ready);
	open_at(&server, type, address);
	pid = support_fork();
	if (pid == 0) {
		support_ready_wait(ready);
		expect_nothing(&server);
		_exit(0);
	}
	retire_alone(&server);
	support_ready_tell(ready);
	support_wait_exit(pid, 0);
	end_server(&server);
	close_pipe(ready);
}
END_TEST

static TCase *make_queue(void)
{
	TCase *tcase = make_tcase("queue");

	tcase_add_loop_test(tcase, what_has_come_can_be_taken, 0,
		TYPES * KINDS);
	tcase_add_loop_test(tcase, an_empty_datagram_that_has_come_can_be_taken,
		0, KINDS);
	tcase_add_loop_test(tcase, a_connected_sender_gets_a_broken_pipe, 0,
		KINDS);
	tcase_add_loop_test(tcase, newcomers_get_an_error_at_once, 0,
		TYPES * KINDS);
	tcase_add_loop_test(tcase, another_link_to_the_file_leads_nowhere, 0,
		TYPES);
	tcase_add_loop_test(tcase,
		a_sender_that_waits_for_room_gets_a_broken_pipe, 0, KINDS);
	tcase_add_loop_test(tcase, who_waits_to_be_let_in_is_refused, 0,
		2 * KINDS);
	return tcase;
}

static TCase *make_name(void)
{
	TCase *tcase = make_tcase("name");

	tcase_add_loop_test(tcase,
		the_file_is_gone_and_another_may_take_the_name, 0, TYPES);
	tcase_add_loop_test(tcase,
		an_abstract_name_is_free_when_the_socket_is_closed, 0, TYPES);
	tcase_add_loop_test(tcase, what_stands_there_instead_stays, 0, TYPES);
	support_add_root_loop_test(tcase, a_file_that_cannot_be_removed_is_told,
		TYPES);
	tcase_add_loop_test(tcase, retiring_keeps_errno, 0, TYPES * KINDS);
	return tcase;
}

static TCase *make_shared(void)
{
	TCase *tcase = make_tcase("shared");

	tcase_add_loop_test(tcase, an_adopted_socket_is_not_shut, 0,
		TYPES * KINDS);
	tcase_add_loop_test(tcase,
		an_adopted_file_goes_only_when_that_was_asked_for, 0,
		TYPES * 2);
	tcase_add_loop_test(tcase,
		a_child_takes_nothing_from_the_one_that_has_bound_it, 0,
		TYPES * KINDS);
	tcase_add_loop_test(tcase,
		the_one_that_has_bound_it_shuts_it_for_its_children, 0,
		TYPES * KINDS);
	return tcase;
}

int main(void)
{
	return support_run_cases("retire", make_queue(), make_name(),
		make_shared());
}
