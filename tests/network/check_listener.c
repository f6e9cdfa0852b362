/* SPDX-License-Identifier: MIT */
/*
 * How connections come to be. That is the same for unixpacket and unixstream,
 * so each test runs on both, on a path and on an abstract name.
 */
#include <config.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"
#include "support/talk.h"

static const int64_t short_us = 60000;

/* What a test's index means: the network, and the kind of name. */
enum { PLACES = 4 };

static const char *net, *other_net;
static char name[128];
static struct unixlistener *listener;
static struct unixconn *client, *server;

static void choose(int i)
{
	net = i % 2 == 0 ? "unixpacket" : "unix";
	other_net = i % 2 == 0 ? "unix" : "unixpacket";
	snprintf(name, sizeof(name), "%s",
		i < 2 ? support_path("server") : support_abstract("server"));
}

static void start_listening(int backlog)
{
	listener = unixlistener_open(net, name,
		&(struct unixlisten_options){ .backlog = backlog });
	ck_assert_msg(listener != NULL, "%s: %s", name, strerror(errno));
}

static void stop_listening(void)
{
	ck_assert_int_eq(unixlistener_close(listener), 0);
	listener = NULL;
}

static void exchange(struct unixconn *a, struct unixconn *b)
{
	send_text(a, "question");
	await_text(b, "question");
	send_text(b, "answer");
	await_text(a, "answer");
}

/* Both ends of a connection. */
static void meet(void)
{
	start_listening(1);
	client = dial_conn(net, name);
	server = accept_conn(listener);
}

static void part(void)
{
	close_conn(client);
	close_conn(server);
	client = server = NULL;
}

static void close_all(void)
{
	part();
	stop_listening();
}

/* Connections and their addresses */

START_TEST(a_client_and_a_server_talk)
{
	choose(_i);
	meet();
	exchange(client, server);
}
END_TEST

static void expect_addresses(const char *own)
{
	struct unixaddr addr;

	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	expect_address(&addr, own);
	ck_assert_int_eq(unixconn_get_peer(client, &addr), 0);
	expect_address(&addr, name);
	ck_assert_int_eq(unixconn_get_address(server, &addr), 0);
	expect_address(&addr, name);
	ck_assert_int_eq(unixconn_get_peer(server, &addr), 0);
	expect_address(&addr, own);
}

/* It must stay so when it has sent something: see SO_PASSCRED in unix(7). */
START_TEST(a_client_stays_unnamed)
{
	struct unixaddr addr;

	choose(_i);
	meet();
	expect_addresses("@");
	exchange(client, server);
	expect_addresses("@");
	ck_assert_int_eq(unixconn_get_peer(server, &addr), 0);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_UNNAMED);
}
END_TEST

static struct unixconn *dial_as(const char *own)
{
	struct unixdial_options options = { .own = own };

	return unixconn_dial(net, name, &options, in_time());
}

static void meet_as(const char *own)
{
	client = dial_as(own);
	ck_assert_msg(client != NULL, "%s: %s", own, strerror(errno));
	server = accept_conn(listener);
	expect_addresses(own);
	exchange(client, server);
	part();
}

START_TEST(a_client_may_choose_its_address)
{
	choose(_i);
	start_listening(1);
	meet_as(support_path("own"));
	ck_assert_errno(access(support_path("own"), F_OK), ENOENT);
	meet_as(support_abstract("own"));
}
END_TEST

START_TEST(an_address_that_is_taken_is_left_to_its_owner)
{
	int before;

	choose(_i);
	start_listening(1);
	before = support_count_fds();
	ck_assert_ptr_null(dial_as(name));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(support_count_fds(), before);
	close_conn(dial_conn(net, name));
}
END_TEST

START_TEST(a_dial_that_fails_takes_its_own_address_away)
{
	int before;

	choose(_i);
	before = support_count_fds();
	ck_assert_ptr_null(dial_as(support_path("own")));
	ck_assert_int_eq(errno, _i < 2 ? ENOENT : ECONNREFUSED);
	ck_assert_errno(access(support_path("own"), F_OK), ENOENT);
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

START_TEST(a_listener_knows_its_address)
{
	struct unixaddr addr;

	choose(_i);
	start_listening(1);
	ck_assert_int_eq(unixlistener_get_address(listener, &addr), 0);
	expect_address(&addr, name);
	ck_assert_int_ge(unixlistener_get_fd(listener), 0);
}
END_TEST

START_TEST(the_kernel_chooses_a_name_for_a_listener)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr;

	choose(_i);
	listener = unixlistener_open(net, "@", NULL);
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_get_address(listener, &addr), 0);
	ck_assert_ptr_nonnull(unixaddr_format(&addr, text, sizeof(text)));
	ck_assert_uint_gt(strlen(text), 1);
	ck_assert_int_eq(text[0], '@');
	client = dial_conn(net, text);
	server = accept_conn(listener);
	exchange(client, server);
}
END_TEST

START_TEST(both_ends_of_a_pair_are_unnamed)
{
	struct unixaddr addr;
	struct unixconn *pair[2] = { NULL, NULL };

	choose(_i);
	ck_assert_int_eq(unixconn_pair(net, pair), 0);
	ck_assert_int_eq(unixconn_get_address(pair[0], &addr), 0);
	expect_address(&addr, "@");
	ck_assert_int_eq(unixconn_get_peer(pair[0], &addr), 0);
	expect_address(&addr, "@");
	exchange(pair[0], pair[1]);
	close_conn(pair[0]);
	close_conn(pair[1]);
}
END_TEST

START_TEST(a_path_may_be_longer_than_an_address)
{
	char path[512];
	int i;

	choose(_i);
	snprintf(path, sizeof(path), "%s", support_path("d"));
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(mkdir(path, 0700), 0);
		strcat(path, "/0123456789012345678901234567890123456789");
	}
	listener = unixlistener_open(net, path, NULL);
	ck_assert_ptr_nonnull(listener);
	client = dial_conn(net, path);
	server = accept_conn(listener);
	exchange(client, server);
	part();
	stop_listening();
	ck_assert_errno(access(path, F_OK), ENOENT);
}
END_TEST

/* Errors */

static void expect_dial(const char *address, int expected)
{
	int before = support_count_fds();

	ck_assert_null_errno(unixconn_dial(net, address, NULL, UNIXMSG_NOW),
		expected);
	ck_assert_int_eq(support_count_fds(), before);
}

static void make_dead_socket(const char *path)
{
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_KEEP };
	struct unixlistener *dead;

	dead = unixlistener_open(net, path, &options);
	ck_assert_ptr_nonnull(dead);
	ck_assert_int_eq(unixlistener_close(dead), 0);
}

START_TEST(a_listener_that_cannot_be_reached_is_told)
{
	int fd = open(support_path("file"), O_CREAT | O_CLOEXEC, 0600);

	choose(_i);
	close(fd);
	make_dead_socket(support_path("dead"));
	expect_dial(support_path("nothing"), ENOENT);
	expect_dial(support_path("no/directory"), ENOENT);
	/* A directory; who may not write to it is told that first. */
	expect_dial("//", eaccess("/", W_OK) == 0 ? ECONNREFUSED : EACCES);
	expect_dial(support_path("file"), ECONNREFUSED);
	expect_dial(support_path("dead"), ECONNREFUSED);
	expect_dial(support_abstract("nothing"), ECONNREFUSED);
	expect_dial("@", EINVAL);
	expect_dial("", EINVAL);
}
END_TEST

/* Abstract names are separate for each network, paths are not. */
START_TEST(a_listener_of_another_network_is_told)
{
	struct unixlistener *other;
	struct unixconn *gram;

	choose(_i);
	other = unixlistener_open(other_net, name, NULL);
	ck_assert_ptr_nonnull(other);
	expect_dial(name, _i < 2 ? EPROTOTYPE : ECONNREFUSED);
	ck_assert_int_eq(unixlistener_close(other), 0);
	gram = unixconn_open("unixgram", name, NULL);
	ck_assert_ptr_nonnull(gram);
	expect_dial(name, _i < 2 ? EPROTOTYPE : ECONNREFUSED);
	close_conn(gram);
}
END_TEST

START_TEST(a_connection_has_the_network_of_its_listener)
{
	choose(_i);
	start_listening(1);
	ck_assert_str_eq(unixlistener_get_network(listener), net);
	client = dial_conn(net, name);
	server = accept_conn(listener);
	ck_assert_str_eq(unixconn_get_network(client), net);
	ck_assert_str_eq(unixconn_get_network(server), net);
	exchange(client, server);
}
END_TEST

START_TEST(a_network_without_connections_has_no_listener)
{
	choose(_i);
	ck_assert_null_errno(unixlistener_open("unixgram", name, NULL),
		ENOTSUP);
	ck_assert_null_errno(unixlistener_open("dgram", name, NULL), ENOTSUP);
	ck_assert_null_errno(unixlistener_open("unixpackets", name, NULL),
		EINVAL);
	ck_assert_null_errno(unixconn_open(net, name, NULL), ENOTSUP);
}
END_TEST

START_TEST(an_address_that_cannot_be_bound_is_told)
{
	int before;

	choose(_i);
	start_listening(1);
	before = support_count_fds();
	ck_assert_null_errno(unixlistener_open(net, name, NULL), EADDRINUSE);
	ck_assert_null_errno(unixlistener_open(net, "", NULL), EINVAL);
	ck_assert_null_errno(unixlistener_open(net, support_path("no/dir"),
				     NULL),
		ENOENT);
	ck_assert_null_errno(unixlistener_open(net, "//", NULL), ENOTSOCK);
	ck_assert_int_eq(support_count_fds(), before);
	close_conn(dial_conn(net, name));
}
END_TEST

START_TEST(unknown_dial_options_are_refused)
{
	struct unixdial_options options;
	size_t i;

	choose(_i);
	start_listening(1);
	memset(&options, 0, sizeof(options));
	options.flags = UNIXMSG_DIAL_RECONNECT;
	ck_assert_null_errno(unixconn_dial(net, name, &options, UNIXMSG_NOW),
		ENOTSUP);
	for (options.flags = 16; options.flags != 0; options.flags <<= 1)
		ck_assert_null_errno(unixconn_dial(net, name, &options,
					     UNIXMSG_NOW),
			EINVAL);
	for (i = 0; i < COUNT(options.reserved); i++) {
		memset(&options, 0, sizeof(options));
		options.reserved[i] = 1;
		ck_assert_null_errno(unixconn_dial(net, name, &options,
					     UNIXMSG_NOW),
			EINVAL);
	}
	ck_assert_null_errno(unixlistener_accept(listener, UNIXMSG_NOW),
		EAGAIN);
}
END_TEST

START_TEST(success_keeps_errno)
{
	choose(_i);
	errno = EXDEV;
	listener = unixlistener_open(net, name, NULL);
	ck_assert_int_eq(errno, EXDEV);
	client = unixconn_dial(net, name, NULL, UNIXMSG_NOW);
	ck_assert_int_eq(errno, EXDEV);
	server = unixlistener_accept(listener, UNIXMSG_NOW);
	ck_assert_int_eq(errno, EXDEV);
	unixconn_close(client);
	ck_assert_int_eq(errno, EXDEV);
	unixconn_close(server);
	unixlistener_close(listener);
	client = server = NULL;
	listener = NULL;
	ck_assert_int_eq(errno, EXDEV);
	unixlistener_close(NULL);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Waiting to accept */

START_TEST(accepting_keeps_to_its_deadline)
{
	int64_t deadline_us;

	choose(_i);
	start_listening(1);
	ck_assert_null_errno(unixlistener_accept(listener, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_null_errno(unixlistener_accept(listener, 1), ETIMEDOUT);
	ck_assert_null_errno(unixlistener_accept(listener, INT64_MIN), EINVAL);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_null_errno(unixlistener_accept(listener, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
}
END_TEST

START_TEST(a_connection_that_waits_is_accepted_whatever_the_deadline)
{
	static const int64_t deadlines_us[] = { UNIXMSG_NOW, 1, 2,
		UNIXMSG_FOREVER };
	size_t i;

	choose(_i);
	start_listening(8);
	for (i = 0; i < COUNT(deadlines_us); i++) {
		client = dial_conn(net, name);
		server = unixlistener_accept(listener, deadlines_us[i]);
		ck_assert_ptr_nonnull(server);
		part();
	}
}
END_TEST

START_TEST(the_stop_ends_a_wait_to_accept)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	choose(_i);
	start_listening(1);
	unixlistener_set_stop_fd(listener, stop_fd);
	ck_assert_null_errno(unixlistener_accept(listener, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_null_errno(unixlistener_accept(listener, UNIXMSG_NOW),
		EAGAIN);
	unixlistener_set_stop_fd(listener, -1);
	ck_assert_null_errno(unixlistener_accept(listener, 1), ETIMEDOUT);
	stop_listening();
	close(stop_fd);
}
END_TEST

START_TEST(a_connection_begins_with_the_listeners_stop)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	choose(_i);
	start_listening(1);
	unixlistener_set_stop_fd(listener, stop_fd);
	client = dial_conn(net, name);
	server = accept_conn(listener);
	ck_assert_errno(unixconn_recv(server, NULL, 0, NULL, UNIXMSG_FOREVER),
		ECANCELED);
	part();
	stop_listening();
	close(stop_fd);
}
END_TEST

START_TEST(a_client_begins_with_the_stop_of_its_dial)
{
	struct unixdial_options options;
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	choose(_i);
	start_listening(1);
	memset(&options, 0, sizeof(options));
	options.stop_fd = stop_fd;
	client = unixconn_dial(net, name, &options, UNIXMSG_FOREVER);
	ck_assert_ptr_nonnull(client);
	ck_assert_errno(unixconn_recv(client, NULL, 0, NULL, UNIXMSG_FOREVER),
		ECANCELED);
	part();
	stop_listening();
	close(stop_fd);
}
END_TEST

static void accept_late_client(int64_t deadline_us)
{
	pid_t test = getpid(), pid = support_fork();

	if (pid == 0) {
		support_wait_until_asleep(test);
		send_text(dial_conn(net, name), "late");
		_exit(0);
	}
	server = unixlistener_accept(listener, deadline_us);
	ck_assert_ptr_nonnull(server);
	await_text(server, "late");
	support_wait_exit(pid, 0);
	part();
}

START_TEST(a_client_wakes_the_one_who_waits_to_accept)
{
	choose(_i);
	start_listening(1);
	accept_late_client(UNIXMSG_FOREVER);
	accept_late_client(in_time());
}
END_TEST

/* Several accept at once */

enum { ACCEPTORS = 3, CLIENTS = 60 };

struct acceptor {
	pthread_t thread;
	int accepted;
	int failure;
};

static void serve(struct acceptor *acceptor, struct unixconn *end)
{
	char byte;

	if (unixconn_recv(end, &byte, 1, NULL, UNIXMSG_FOREVER) == 1 &&
		unixconn_send(end, &byte, 1, UNIXMSG_FOREVER) == 1)
		acceptor->accepted++;
	unixconn_close(end);
}

static void *run_acceptor(void *data)
{
	struct acceptor *acceptor = data;
	struct unixconn *end;

	while ((end = unixlistener_accept(listener, UNIXMSG_FOREVER)) != NULL)
		serve(acceptor, end);
	acceptor->failure = errno;
	return NULL;
}

static void visit(void)
{
	client = dial_conn(net, name);
	send_text(client, "v");
	await_text(client, "v");
	part();
}

static void start_acceptors(struct acceptor *acceptors)
{
	int i;

	for (i = 0; i < ACCEPTORS; i++)
		ck_assert_int_eq(pthread_create(&acceptors[i].thread, NULL,
					 run_acceptor, &acceptors[i]),
			0);
}

static int join_acceptors(struct acceptor *acceptors)
{
	int i, accepted = 0;

	for (i = 0; i < ACCEPTORS; i++) {
		ck_assert_int_eq(pthread_join(acceptors[i].thread, NULL), 0);
		ck_assert_int_eq(acceptors[i].failure, ECANCELED);
		accepted += acceptors[i].accepted;
	}
	return accepted;
}

START_TEST(several_threads_accept_on_one_listener)
{
	struct acceptor acceptors[ACCEPTORS] = { { .accepted = 0 } };
	const uint64_t one = 1;
	int stop_fd = eventfd(0, EFD_CLOEXEC), i;

	choose(_i);
	start_listening(CLIENTS);
	unixlistener_set_stop_fd(listener, stop_fd);
	start_acceptors(acceptors);
	for (i = 0; i < CLIENTS; i++)
		visit();
	ck_assert_int_eq(write(stop_fd, &one, sizeof(one)), sizeof(one));
	ck_assert_int_eq(join_acceptors(acceptors), CLIENTS);
	stop_listening();
	close(stop_fd);
}
END_TEST

/* A full backlog */

enum { WAITING_MOST = 64 };

static struct unixconn *waiting[WAITING_MOST];
static int waiting_count;

static void fill_backlog(void)
{
	start_listening(1);
	for (waiting_count = 0;; waiting_count++) {
		ck_assert_int_lt(waiting_count, WAITING_MOST);
		waiting[waiting_count] =
			unixconn_dial(net, name, NULL, UNIXMSG_NOW);
		if (waiting[waiting_count] == NULL)
			break;
	}
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_gt(waiting_count, 0);
}

static void empty_backlog(void)
{
	while (waiting_count > 0)
		close_conn(waiting[--waiting_count]);
	stop_listening();
}

START_TEST(dialling_to_a_full_backlog_keeps_to_its_deadline)
{
	int64_t deadline_us;
	int before;

	choose(_i);
	fill_backlog();
	before = support_count_fds();
	ck_assert_null_errno(unixconn_dial(net, name, NULL, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_null_errno(unixconn_dial(net, name, NULL, 1), ETIMEDOUT);
	ck_assert_null_errno(unixconn_dial(net, name, NULL, INT64_MIN), EINVAL);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_null_errno(unixconn_dial(net, name, NULL, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_int_eq(support_count_fds(), before);
	empty_backlog();
}
END_TEST

START_TEST(the_stop_ends_a_wait_for_a_full_backlog)
{
	struct unixdial_options options;
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	choose(_i);
	fill_backlog();
	memset(&options, 0, sizeof(options));
	options.stop_fd = stop_fd;
	ck_assert_null_errno(unixconn_dial(net, name, &options,
				     UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_null_errno(unixconn_dial(net, name, &options, in_time()),
		ECANCELED);
	empty_backlog();
	close(stop_fd);
}
END_TEST

static void accept_all(int count)
{
	while (count-- > 0)
		close_conn(accept_conn(listener));
}

static void dial_until_accepted(int64_t deadline_us, int stop_fd)
{
	pid_t test = getpid(), pid = support_fork();
	struct unixdial_options options;

	if (pid == 0) {
		support_wait_until_asleep(test);
		accept_all(waiting_count + 1);
		_exit(0);
	}
	memset(&options, 0, sizeof(options));
	options.stop_fd = stop_fd;
	client = unixconn_dial(net, name, &options, deadline_us);
	ck_assert_msg(client != NULL, "%s", strerror(errno));
	support_wait_exit(pid, 0);
	part();
	empty_backlog();
}

START_TEST(a_dial_that_waits_goes_on_when_the_server_accepts)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC);

	choose(_i);
	fill_backlog();
	dial_until_accepted(in_time(), -1);
	fill_backlog();
	dial_until_accepted(UNIXMSG_FOREVER, -1);
	fill_backlog();
	dial_until_accepted(UNIXMSG_FOREVER, stop_fd);
	close(stop_fd);
}
END_TEST

START_TEST(a_client_does_not_keep_the_time_limit_of_its_dial)
{
	struct timeval limit = { .tv_sec = 1 };
	socklen_t length = sizeof(limit);

	choose(_i);
	start_listening(1);
	client = dial_conn(net, name);
	ck_assert_int_eq(getsockopt(unixconn_get_fd(client), SOL_SOCKET,
				 SO_SNDTIMEO, &limit, &length),
		0);
	ck_assert_int_eq(limit.tv_sec, 0);
	ck_assert_int_eq(limit.tv_usec, 0);
	ck_assert_int_eq(fcntl(unixconn_get_fd(client), F_GETFL) & O_NONBLOCK,
		0);
}
END_TEST

START_TEST(signals_do_not_end_a_wait)
{
	int64_t deadline_us;

	choose(_i);
	fill_backlog();
	support_set_alarms(1000, NULL);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_null_errno(unixconn_dial(net, name, NULL, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	accept_all(waiting_count);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_null_errno(unixlistener_accept(listener, deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	support_set_alarms(0, NULL);
	ck_assert_int_gt(support_alarms, 0);
	empty_backlog();
}
END_TEST

/* A server that is still on its way */

static void come_late(pid_t test)
{
	support_wait_until_asleep(test);
	start_listening(1);
	server = accept_conn(listener);
	await_text(server, "patience");
	part();
	stop_listening();
	_exit(0);
}

static struct unixconn *dial_waiting(int64_t deadline_us, int stop_fd)
{
	struct unixdial_options options;

	memset(&options, 0, sizeof(options));
	options.flags = UNIXMSG_DIAL_WAIT;
	options.stop_fd = stop_fd;
	return unixconn_dial(net, name, &options, deadline_us);
}

static void meet_late(int64_t deadline_us)
{
	pid_t test = getpid(), pid = support_fork();

	if (pid == 0)
		come_late(test);
	client = dial_waiting(deadline_us, -1);
	ck_assert_msg(client != NULL, "%s", strerror(errno));
	send_text(client, "patience");
	support_wait_exit(pid, 0);
	part();
}

START_TEST(dialling_waits_for_a_server_that_is_late)
{
	choose(_i);
	meet_late(in_time());
	meet_late(UNIXMSG_FOREVER);
	if (_i < 2)
		make_dead_socket(name);
	meet_late(UNIXMSG_FOREVER);
}
END_TEST

START_TEST(dialling_does_not_wait_for_ever)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);
	int64_t deadline_us;

	choose(_i);
	deadline_us = unixdeadline_after_us(short_us);
	ck_assert_null_errno(dial_waiting(deadline_us, -1), ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_null_errno(dial_waiting(UNIXMSG_NOW, -1), EAGAIN);
	ck_assert_null_errno(dial_waiting(UNIXMSG_FOREVER, stop_fd), ECANCELED);
	close(stop_fd);
}
END_TEST

START_TEST(dialling_does_not_wait_for_what_will_not_change)
{
	struct unixlistener *other;

	choose(_i);
	other = unixlistener_open(other_net, name, NULL);
	ck_assert_ptr_nonnull(other);
	ck_assert_null_errno(dial_waiting(UNIXMSG_FOREVER, -1), EPROTOTYPE);
	ck_assert_int_eq(unixlistener_close(other), 0);
}
END_TEST

/* Closing */

START_TEST(accepted_connections_outlive_their_listener)
{
	choose(_i);
	meet();
	stop_listening();
	ck_assert_errno(access(name, F_OK), ENOENT);
	exchange(client, server);
}
END_TEST

START_TEST(connections_that_wait_are_reset_with_their_listener)
{
	char byte;

	choose(_i);
	start_listening(1);
	client = dial_conn(net, name);
	stop_listening();
	ck_assert_errno(unixconn_recv(client, &byte, 1, NULL, UNIXMSG_FOREVER),
		ECONNRESET);
	ck_assert_errno(unixconn_send(client, "x", 1, UNIXMSG_FOREVER), EPIPE);
}
END_TEST

/* Descriptors */

/* Directories that are held open are looked at too. */
START_TEST(descriptors_are_closed_on_exec)
{
	struct unixconn *pair[2];
	bool was_open[SUPPORT_FDS];

	choose(_i);
	support_list_fds(was_open);
	start_listening(1);
	client = dial_as(support_path("own"));
	ck_assert_ptr_nonnull(client);
	server = accept_conn(listener);
	ck_assert_int_eq(unixconn_pair(net, pair), 0);
	support_expect_cloexec(was_open, 6);
	close_conn(pair[0]);
	close_conn(pair[1]);
}
END_TEST

START_TEST(a_connection_waits_while_there_is_no_descriptor_for_it)
{
	int i;

	choose(_i);
	start_listening(1);
	client = dial_conn(net, name);
	support_limit_fds(0);
	for (i = 0; i < 3; i++)
		ck_assert_null_errno(unixlistener_accept(listener, in_time()),
			EMFILE);
	ck_assert(support_is_readable(unixlistener_get_fd(listener)));
	support_lift_fds_limit();
	server = accept_conn(listener);
	exchange(client, server);
}
END_TEST

static struct unixlistener *listen_limited(int more)
{
	struct unixlistener *result;

	support_limit_fds(more);
	result = unixlistener_open(net, name, NULL);
	support_lift_fds_limit();
	return result;
}

START_TEST(listening_without_descriptors_leaves_nothing_behind)
{
	int before, more;

	choose(_i);
	before = support_count_fds();
	for (more = 0; (listener = listen_limited(more)) == NULL; more++) {
		ck_assert_int_eq(errno, EMFILE);
		ck_assert_int_eq(support_count_fds(), before);
		ck_assert_errno(access(name, F_OK), ENOENT);
	}
	ck_assert_int_gt(more, 0);
}
END_TEST

static struct unixconn *dial_limited(int more)
{
	struct unixconn *result;

	support_limit_fds(more);
	result = dial_as(support_path("own"));
	support_lift_fds_limit();
	return result;
}

START_TEST(dialling_without_descriptors_leaves_nothing_behind)
{
	int before, more;

	choose(_i);
	start_listening(1);
	before = support_count_fds();
	for (more = 0; (client = dial_limited(more)) == NULL; more++) {
		ck_assert_int_eq(errno, EMFILE);
		ck_assert_int_eq(support_count_fds(), before);
		ck_assert_errno(access(support_path("own"), F_OK), ENOENT);
	}
	ck_assert_int_gt(more, 0);
}
END_TEST

START_TEST(a_pair_without_descriptors_is_an_error)
{
	struct unixconn *pair[2] = { NULL, NULL };

	choose(_i);
	support_limit_fds(1);
	ck_assert_errno(unixconn_pair(net, pair), EMFILE);
	ck_assert_ptr_null(pair[0]);
	ck_assert_ptr_null(pair[1]);
	support_lift_fds_limit();
}
END_TEST

/* The list of tests */

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, PLACES);
}

/* Once for each network: the test has names of its own. */
static void add_nameless(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, 2);
}

static TCase *make_addresses(void)
{
	TCase *tcase = make_tcase_with("addresses", NULL, close_all);

	add(tcase, a_client_and_a_server_talk);
	/* Who asks for a lane has a name. */
	if (!support_has_lanes())
		add(tcase, a_client_stays_unnamed);
	add(tcase, a_client_may_choose_its_address);
	add(tcase, an_address_that_is_taken_is_left_to_its_owner);
	add(tcase, a_dial_that_fails_takes_its_own_address_away);
	add(tcase, a_listener_knows_its_address);
	add_nameless(tcase, the_kernel_chooses_a_name_for_a_listener);
	if (!support_has_lanes())
		add_nameless(tcase, both_ends_of_a_pair_are_unnamed);
	add_nameless(tcase, a_path_may_be_longer_than_an_address);
	return tcase;
}

static TCase *make_errors(void)
{
	TCase *tcase = make_tcase_with("errors", NULL, close_all);

	add_nameless(tcase, a_listener_that_cannot_be_reached_is_told);
	add(tcase, a_listener_of_another_network_is_told);
	add(tcase, a_connection_has_the_network_of_its_listener);
	add(tcase, a_network_without_connections_has_no_listener);
	add(tcase, an_address_that_cannot_be_bound_is_told);
	add(tcase, unknown_dial_options_are_refused);
	add(tcase, success_keeps_errno);
	return tcase;
}

static TCase *make_accepting(void)
{
	TCase *tcase = make_tcase_with("accepting", NULL, close_all);

	add(tcase, accepting_keeps_to_its_deadline);
	add(tcase, a_connection_that_waits_is_accepted_whatever_the_deadline);
	add(tcase, the_stop_ends_a_wait_to_accept);
	add(tcase, a_connection_begins_with_the_listeners_stop);
	add(tcase, a_client_begins_with_the_stop_of_its_dial);
	add(tcase, a_client_wakes_the_one_who_waits_to_accept);
	add(tcase, several_threads_accept_on_one_listener);
	return tcase;
}

static TCase *make_dialling(void)
{
	TCase *tcase = make_tcase_with("dialling", NULL, close_all);

	add(tcase, dialling_to_a_full_backlog_keeps_to_its_deadline);
	add(tcase, the_stop_ends_a_wait_for_a_full_backlog);
	add(tcase, a_dial_that_waits_goes_on_when_the_server_accepts);
	add(tcase, a_client_does_not_keep_the_time_limit_of_its_dial);
	add(tcase, signals_do_not_end_a_wait);
	add(tcase, dialling_waits_for_a_server_that_is_late);
	add(tcase, dialling_does_not_wait_for_ever);
	/* Abstract names of another network are other names. */
	add_nameless(tcase, dialling_does_not_wait_for_what_will_not_change);
	return tcase;
}

static TCase *make_descriptors(void)
{
	TCase *tcase = make_tcase_with("descriptors", NULL, close_all);

	add(tcase, accepted_connections_outlive_their_listener);
	add(tcase, connections_that_wait_are_reset_with_their_listener);
	add(tcase, descriptors_are_closed_on_exec);
	support_add_limited_test(tcase,
		a_connection_waits_while_there_is_no_descriptor_for_it, 0,
		PLACES);
	add(tcase, listening_without_descriptors_leaves_nothing_behind);
	add(tcase, dialling_without_descriptors_leaves_nothing_behind);
	support_add_limited_test(tcase, a_pair_without_descriptors_is_an_error,
		0, 2);
	return tcase;
}

int main(void)
{
	return support_run_cases("listener", make_addresses(), make_errors(),
		make_accepting(), make_dialling(), make_descriptors());
}
