/* SPDX-License-Identifier: MIT */
/*
 * Programs that run with descriptors 0 to 2 closed: nothing of the library may
 * take their places, or what such a program prints reaches a peer.
 */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/support.h"
#include "unixmsg.h"

enum { LOW_FDS = 3 };

static const char *path;

/* In a child: a failed step ends it, and nobody can be told more. */
static void need(bool is_good, int status)
{
	if (!is_good)
		_exit(status);
}

#define NEED(condition) need(condition, __LINE__ & 0x7f)

static void close_low(void)
{
	int fd;

	for (fd = 0; fd < LOW_FDS; fd++)
		close(fd);
}

static bool is_any_low_open(void)
{
	int fd;

	for (fd = 0; fd < LOW_FDS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return true;
	return false;
}

/* Each opens what it can, and leaves it open. */

static void open_grams(void)
{
	struct unixconn *server = unixconn_open("unixgram", path, NULL);
	struct unixconn *client =
		unixconn_dial("unixgram", path, NULL, UNIXMSG_NOW);
	struct unixconn *pair[2];

	NEED(server != NULL && client != NULL &&
		unixconn_pair("unixgram", pair) == 0);
	NEED(!is_any_low_open());
	unixconn_close(client);
	unixconn_close(server);
}

static void open_connections(void)
{
	struct unixlistener *listener =
		unixlistener_open("unixpacket", path, NULL);
	struct unixconn *client =
		unixconn_dial("unixpacket", path, NULL, UNIXMSG_NOW);
	struct unixconn *accepted;
	struct unixconn *pair[2];

	NEED(listener != NULL && client != NULL);
	accepted = unixlistener_accept(listener, UNIXMSG_NOW);
	NEED(accepted != NULL && unixconn_pair("unix", pair) == 0);
	NEED(unixpeer_open_pidfd(unixconn_get_fd(accepted)) >= 0 ||
		errno == ENOTSUP);
	NEED(!is_any_low_open());
	unixlistener_close(listener);
}

static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	NEED(unixservice_send(service, peer, msg->data, msg->size) == 1);
	return UNIXSERVICE_DONE;
}

static void open_service(void)
{
	struct unixservice *service = unixservice_new(echo, NULL, NULL);
	struct unixconn *client;
	char byte;

	NEED(service != NULL);
	NEED(unixservice_listen(service, "unixpacket", path, NULL) == 0);
	client = unixconn_dial("unixpacket", path, NULL, UNIXMSG_NOW);
	NEED(client != NULL);
	NEED(unixconn_send(client, "a", 1, UNIXMSG_NOW) == 1);
	while (unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW) < 0)
		NEED(unixservice_dispatch(service) == 0);
	NEED(!is_any_low_open());
	unixservice_close(service);
}

static void open_received(void)
{
	struct unixmsg out, in;
	struct iovec part = { .iov_base = (char[1]){ 0 }, .iov_len = 1 };
	struct unixconn *pair[2];
	int fds[2], i;

	NEED(unixconn_pair("unixpacket", pair) == 0);
	NEED(unixconn_want(pair[1], UNIXMSG_WANT_FDS) == 0);
	unixmsg_init(&out);
	out.parts = &part;
	out.parts_count = 1;
	out.fds =
		(int[2]){ unixconn_get_fd(pair[0]), unixconn_get_fd(pair[1]) };
	out.fds_count = 2;
	NEED(unixconn_send_msg(pair[0], &out, UNIXMSG_NOW) == 1);
	unixmsg_init(&in);
	in.parts = &part;
	in.parts_count = 1;
	in.fds = fds;
	in.fds_room = 2;
	NEED(unixconn_recv_msg(pair[1], &in, UNIXMSG_NOW) == 1);
	NEED(in.fds_count == 2 && in.fds_lost == 0);
	for (i = 0; i < 2; i++)
		NEED((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0);
	NEED(!is_any_low_open());
}

static void open_pidfd_of_writer(void)
{
	struct unixmsg in;
	struct iovec part = { .iov_base = (char[1]){ 0 }, .iov_len = 1 };
	struct unixconn *pair[2];

	NEED(unixconn_pair("unixgram", pair) == 0);
	if (unixconn_want(pair[1], UNIXMSG_WANT_PIDFD) < 0)
		return;
	NEED(unixconn_send(pair[0], "a", 1, UNIXMSG_NOW) == 1);
	unixmsg_init(&in);
	in.parts = &part;
	in.parts_count = 1;
	NEED(unixconn_recv_msg(pair[1], &in, UNIXMSG_NOW) == 1);
	NEED(in.pidfd >= LOW_FDS);
	NEED(!is_any_low_open());
}

static void open_memory(void)
{
	NEED(unixblob_create(10) >= LOW_FDS);
	NEED(!is_any_low_open());
}

static void (*const openers[])(void) = {
	open_grams,
	open_connections,
	open_service,
	open_received,
	open_pidfd_of_writer,
	open_memory,
};

START_TEST(the_first_three_numbers_are_left_free)
{
	pid_t pid;

	path = support_path("socket");
	pid = support_fork();
	if (pid == 0) {
		close_low();
		openers[_i]();
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

enum { FDS_MOST = 32 };

static void fill_table(void)
{
	struct rlimit limit = { FDS_MOST, FDS_MOST };

	NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		continue;
	NEED(errno == EMFILE);
}

START_TEST(where_only_they_are_left_there_is_no_descriptor)
{
	pid_t pid;

	path = support_path("socket");
	pid = support_fork();
	if (pid == 0) {
		struct unixconn *packets[2];

		fill_table();
		close_low();
		NEED(unixconn_open("unixgram", path, NULL) == NULL &&
			errno == EMFILE);
		NEED(unixconn_pair("unixpacket", packets) < 0 &&
			errno == EMFILE);
		NEED(unixservice_new(echo, NULL, NULL) == NULL &&
			errno == EMFILE);
		NEED(unixblob_create(10) < 0 && errno == EMFILE);
		NEED(unixnotify_barrier(UNIXMSG_NOW) < 0 && errno == EMFILE);
		NEED(!is_any_low_open());
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(where_one_is_left_beside_them_there_is_no_pair)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		struct unixconn *packets[2];

		fill_table();
		close_low();
		close(FDS_MOST - 1);
		NEED(unixconn_pair("unixpacket", packets) < 0 &&
			errno == EMFILE);
		NEED(unixnotify_barrier(UNIXMSG_NOW) < 0 && errno == EMFILE);
		NEED(!is_any_low_open());
		NEED(dup(FDS_MOST - 2) == 0 && dup(0) == 1 && dup(0) == 2 &&
			dup(0) == FDS_MOST - 1);
		/* Who measures what was run needs some. */
		close_low();
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(one_that_is_received_there_is_lost_and_told)
{
	struct unixconn *pair[2];
	pid_t pid;

	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	ck_assert_int_eq(unixconn_want(pair[1], UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(support_send_fds(unixconn_get_fd(pair[0]), "a", 1,
				 unixconn_get_fd(pair[0]), 1),
		1);
	pid = support_fork();
	if (pid == 0) {
		struct iovec part = { .iov_base = (char[1]){ 0 }, 1 };
		struct unixmsg in;
		int fd = -1;

		unixmsg_init(&in);
		in.parts = &part;
		in.parts_count = 1;
		in.fds = &fd;
		in.fds_room = 1;
		fill_table();
		close_low();
		errno = 0;
		NEED(unixconn_recv_msg(pair[1], &in, UNIXMSG_NOW) == 1);
		NEED(errno == 0 && in.size == 1);
		NEED(in.fds_count == 0 && in.fds_lost == 1);
		NEED((in.flags & UNIXMSG_CUT_CONTROL) != 0);
		NEED(!is_any_low_open());
		_exit(0);
	}
	support_wait_exit(pid, 0);
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("low");

	tcase_add_loop_test(tcase, the_first_three_numbers_are_left_free, 0,
		(int)COUNT(openers));
	support_add_limited_test(tcase,
		where_only_they_are_left_there_is_no_descriptor, 0, 1);
	support_add_limited_test(tcase,
		where_one_is_left_beside_them_there_is_no_pair, 0, 1);
	support_add_limited_test(tcase,
		one_that_is_received_there_is_lost_and_told, 0, 1);
	return support_run_cases("low_fds", tcase);
}
