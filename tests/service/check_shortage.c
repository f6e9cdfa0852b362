/* SPDX-License-Identifier: MIT */
/*
 * What becomes of each thing when the kernel has no room for it just then. The
 * torture (check_torture.c) has every call fail in turn; here it is known
 * which, and what has to follow.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "name/diag.h"
#include "name/file.h"
#include "name/holder.h"
#include "proof/fault.h"
#include "support/service_scene.h"

static const uid_t nobody_id = 65534;

static struct scene scene;
static struct client client, other;

static void expect_failure(void)
{
	fault_stop();
	ck_assert_uint_gt(fault_get_hits(), 0);
}

static void turn(void)
{
	ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	scene_check_books(&scene);
}

static void turn_after_us(int64_t time_us)
{
	fault_pass_time(time_us * 1000);
	turn();
}

static void open_with_client(int kind, scene_act *act)
{
	scene_open_with(&scene, &client, kind, act, NULL);
	client_say(&client, "hello");
}

static void close_all(void)
{
	client_close(&client);
	scene_serve(&scene);
	scene_close(&scene);
}

/* Services */

START_TEST(a_socket_that_cannot_be_read_is_looked_at_again)
{
	open_with_client(GRAM, scene_echo);
	fault_fail_one("recvmsg", 0, ENOMEM);
	turn();
	expect_failure();
	ck_assert_uint_eq(scene.heard, 0);
	/* When it is time to look there is no room to watch it. */
	fault_fail_all("epoll_ctl", ENOSPC);
	turn_after_us(20000);
	expect_failure();
	scene_serve_while(&scene, scene.heard == 0);
	client_hear(&client, "hello");
}
END_TEST

START_TEST(a_listener_that_cannot_accept_is_looked_at_again)
{
	open_with_client(_i, scene_echo);
	fault_fail_one("accept4", 0, ENFILE);
	turn();
	expect_failure();
	ck_assert_uint_eq(scene_count(&scene).pauses, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_PAUSED], ENFILE);
	fault_fail_all("epoll_ctl", ENOSPC);
	turn_after_us(200000);
	expect_failure();
	ck_assert_uint_eq(scene.heard, 0);
	scene_serve_while(&scene, scene.heard == 0);
	client_hear(&client, "hello");
}
END_TEST

/* A call fails as those on a listener do that was shut down. */
START_TEST(a_listener_that_is_not_shut_down_is_looked_at_again)
{
	open_with_client(_i, scene_echo);
	fault_fail_one("accept4", 0, EINVAL);
	turn();
	expect_failure();
	ck_assert_uint_eq(scene.told[UNIXSERVICE_SHUT], 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_PAUSED], EINVAL);
	scene_serve_while(&scene, scene.heard == 0);
	client_hear(&client, "hello");
}
END_TEST

/* A pause goes on when the rest is over. */
START_TEST(a_socket_that_rests_may_be_paused)
{
	open_with_client(_i, scene_echo);
	fault_fail_one(_i == GRAM ? "recvmsg" : "accept4", 0, ENFILE);
	turn();
	expect_failure();
	ck_assert_int_eq(unixservice_pause_socket(scene.service, 0), 0);
	fault_start(&(struct fault){ 0 });
	turn_after_us(200000);
	turn_after_us(200000);
	fault_stop();
	ck_assert_uint_eq(scene.heard, 0);
	ck_assert_int_eq(unixservice_resume_socket(scene.service, 0), 0);
	scene_serve_while(&scene, scene.heard == 0);
	client_hear(&client, "hello");
}
END_TEST

/* He who comes could be nobody's: whoever has most keeps them all. */
START_TEST(nobody_is_closed_for_who_cannot_be_accepted_even_so)
{
	static struct client many[12];
	size_t i;

	scene_open_kind(&scene, PACKET, scene_echo, NULL);
	for (i = 0; i < COUNT(many); i++)
		client_dial(&many[i], PACKET);
	scene_serve(&scene);
	client_dial(&client, PACKET);
	support_limit_fds(0);
	fault_fail_all("accept4", EMFILE);
	turn();
	expect_failure();
	support_lift_fds_limit();
	ck_assert_uint_eq(fault_get_hits(), 2);
	ck_assert_int_eq(scene.error[UNIXSERVICE_PAUSED], EMFILE);
	ck_assert_uint_eq(scene_count(&scene).peers, COUNT(many));
	scene_serve_while(&scene, scene_count(&scene).peers == COUNT(many));
}
END_TEST

/* The stop has it looked at again, before the rest is over. */
START_TEST(a_socket_that_rests_is_drained_at_once)
{
	open_with_client(GRAM, scene_echo);
	scene_serve_while(&scene, scene.heard == 0);
	client_say(&client, "again");
	fault_fail_one("recvmsg", 0, ENOMEM);
	turn();
	expect_failure();
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	turn();
	ck_assert_uint_eq(scene.heard, 2);
	ck_assert(unixservice_is_drained(scene.service));
}
END_TEST

/* It is left to others, and must not come back when its rest is over. */
START_TEST(a_listener_that_rests_may_be_left_alone)
{
	int fd = open_listening(SOCK_SEQPACKET, scene_address(PACKET));

	scene_open(&scene, scene_put_off, NULL);
	ck_assert_int_eq(unixservice_add_listener(scene.service,
				 unixlistener_adopt(fd), 0),
		0);
	client_dial(&client, PACKET);
	client_ask(&client, &scene, "hello");
	client_dial(&other, PACKET);
	fault_fail_one("accept4", 0, EMFILE);
	turn();
	expect_failure();
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	turn_after_us(200000);
	ck_assert_uint_eq(scene_count(&scene).connections, 1);
	ck_assert_int_eq(unixservice_settle(scene.service, scene.peer), 0);
	ck_assert_int_eq(unixservice_run(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_uint_eq(scene_count(&scene).connections, 1);
	client_close(&other);
	close_all();
	ck_assert_int_eq(unlink(scene_address(PACKET)), 0);
}
END_TEST

/*
 * More than is handled in one round was read ahead, and nothing can be sent to
 * it: for so long it is not in the loop, which would tell of its end again and
 * again.
 */
START_TEST(a_connection_that_cannot_be_watched_is_closed)
{
	enum { TIMES = 20 };
	int i;

	open_with_client(FRAMED, scene_be_silent);
	scene_serve(&scene);
	ck_assert_int_eq(shutdown(client_get_fd(&client), SHUT_RD), 0);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		EPIPE);
	scene.heard = 0;
	for (i = 0; i < TIMES; i++)
		client_say(&client, "hello");
	turn();
	ck_assert_uint_lt(scene.heard, TIMES);
	fault_fail_all("epoll_ctl", ENOSPC);
	turn_after_us(1000);
	expect_failure();
	ck_assert_uint_eq(scene.heard, TIMES);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOSPC);
}
END_TEST

/* A process that was forked off has to make a loop of its own first. */
static void send_without_a_loop(void)
{
	static char large[100000];
	int result;

	fault_fail_all("epoll_ctl", ENOMEM);
	do
		result = unixservice_send(scene.service, scene.peer, large,
			sizeof(large));
	while (result == 1);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, ENOTCONN);
	expect_failure();
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOMEM);
}

START_TEST(a_half_closed_peer_that_cannot_be_watched_is_closed)
{
	pid_t pid;

	open_with_client(_i, scene_put_off);
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	pid = support_fork();
	if (pid == 0) {
		send_without_a_loop();
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

static pid_t forked_pid;

/* The child goes on with the round. */
static int fork_off(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)at;
	(void)peer;
	(void)msg;
	forked_pid = support_fork();
	if (forked_pid == 0)
		fault_fail_all("epoll_ctl", ENOSPC);
	return UNIXSERVICE_DONE;
}

/* Its answer waited for memory, and when it has gone the loop is another's. */
START_TEST(a_peer_that_cannot_be_watched_again_is_closed)
{
	uint64_t peer;

	open_with_client(PACKET, scene_put_off);
	client_dial(&other, PACKET);
	scene_serve(&scene);
	peer = scene.peer;
	fault_fail_one("sendto", 0, ENOBUFS);
	ck_assert_int_eq(unixservice_send(scene.service, peer, "x", 1), 1);
	expect_failure();
	ck_assert_uint_eq(scene_count(&scene).queued, 1);
	scene.act = fork_off;
	client_say(&other, "fork");
	fault_start(&(struct fault){ 0 });
	turn_after_us(20000);
	if (forked_pid == 0) {
		expect_failure();
		ck_assert_uint_eq(scene_count(&scene).answered, 1);
		ck_assert_uint_eq(scene_count(&scene).peers, 1);
		ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], peer);
		ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOSPC);
		_exit(0);
	}
	fault_stop();
	support_wait_exit(forked_pid, 0);
	/* Each process has sent it. */
	client_hear(&client, "x");
	client_hear(&client, "x");
	ck_assert_uint_eq(scene_count(&scene).peers, 2);
}
END_TEST

/* What has gone is there, and the end behind it. */
static void read_to_the_end(void)
{
	static char data[100000];
	size_t size;
	int result;

	do
		result = client_try_recv(&client, data, sizeof(data), &size);
	while (result == 1);
	ck_assert_int_eq(result, 0);
}

/* Whatever of it cannot be watched: the loop is the parent's until then. */
static void watch_all_again(void)
{
	unsigned int failures;
	int result;

	for (failures = 0; failures < 10; failures++) {
		fault_fail_one("epoll_ctl", failures, ENOSPC);
		result = unixservice_run(scene.service, UNIXMSG_NOW);
		fault_stop();
		if (fault_get_hits() == 0)
			break;
		ck_assert_int_eq(result, -1);
		ck_assert_int_eq(errno, ENOSPC);
	}
	/* A listener, the clock, the stop, and a peer. */
	ck_assert_uint_eq(failures, 4);
	ck_assert_int_eq(result, -1);
	ck_assert_uint_eq(scene.heard, 2);
}

START_TEST(a_child_that_cannot_watch_all_again_serves_nobody)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC);
	pid_t pid;

	open_with_client(PACKET, scene_be_silent);
	scene_serve(&scene);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, stop_fd), 0);
	client_say(&client, "hello");
	pid = support_fork();
	if (pid == 0) {
		watch_all_again();
		_exit(0);
	}
	support_wait_exit(pid, 0);
	close_all();
	close(stop_fd);
}
END_TEST

START_TEST(a_service_that_cannot_wait_is_not_served_on)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC), result;

	open_with_client(GRAM, scene_echo);
	fault_fail_one("epoll_wait", 0, ENOMEM);
	result = unixservice_serve(scene.service, stop_fd, 0);
	expect_failure();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, 0), 0);
	close(stop_fd);
	scene_serve(&scene);
	client_hear(&client, "hello");
	close_all();
}
END_TEST

/* What one is known by is there already, but it cannot be proved now. */
START_TEST(a_peer_that_cannot_be_proved_again_is_not_opened)
{
	const char *far = support_path("far");
	const struct unixaddr to = address_of(scene_address(GRAM));
	struct unixconn *gram = open_gram(far);
	uint64_t peer = 0;
	int result;

	scene_open_kind(&scene, GRAM, scene_be_silent, NULL);
	ck_assert_int_eq(unixconn_send_to(gram, &to, "x", 1, UNIXMSG_NOW), 1);
	scene_serve(&scene);
	/* The first one asks for the name. */
	fault_fail_one("connect", 1, ENOBUFS);
	result =
		unixservice_open_peer(scene.service, "unixgram", far, 0, &peer);
	expect_failure();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(unixservice_open_peer(scene.service, "unixgram", far,
				 0, &peer),
		0);
	ck_assert_uint_eq(peer, scene.peer);
	close_gram(gram);
	scene_close(&scene);
}
END_TEST

START_TEST(a_peer_without_memory_is_not_opened)
{
	unsigned int failures;
	uint64_t peer = 0;
	int result = -1, fd;

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	fd = open_bound(SOCK_DGRAM, support_path("far"));
	for (failures = 0; result < 0; failures++) {
		fault_fail_one("calloc", failures, ENOMEM);
		result = unixservice_open_peer(scene.service, "unixgram",
			support_path("far"), 0, &peer);
		fault_stop();
		if (result < 0)
			ck_assert_int_eq(errno, ENOMEM);
		ck_assert_uint_lt(failures, 10);
	}
	ck_assert_uint_gt(failures, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	close(fd);
	scene_close(&scene);
}
END_TEST

/* Half of it has gone: another would be taken for the rest. */
START_TEST(a_stream_that_cannot_go_on_is_closed)
{
	static char large[100001];
	unsigned int times = 0;
	int result, error;

	open_with_client(BYTES, scene_be_silent);
	scene_serve(&scene);
	fault_fail_all("malloc", ENOMEM);
	/* Check allocates too: it must not be asked meanwhile. */
	do
		result = unixservice_send(scene.service, scene.peer, large,
			sizeof(large));
	while (result == 1 && ++times < 1000);
	error = errno;
	expect_failure();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(error, ENOMEM);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		EPIPE);
	read_to_the_end();
	/* What the client has sent is read, as long as it does. */
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOMEM);
}
END_TEST

enum { SENDERS = 130 };

/* Says one byte as a sender of its own, and hears it. */
static void ask_as(int number)
{
	char name[16], byte = '\0';
	int fd;

	snprintf(name, sizeof(name), "sender%d", number);
	fd = open_bound(SOCK_DGRAM, support_abstract(name));
	ck_assert_int_eq(connect_to(fd, scene_address(GRAM)), 0);
	ck_assert_int_eq(send(fd, "?", 1, MSG_NOSIGNAL), 1);
	turn();
	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(byte, '?');
	close(fd);
}

/* What packets would wait for, and why it has ended is told. */
START_TEST(a_stream_that_was_given_up_tells_why)
{
	open_with_client(FRAMED, scene_echo);
	fault_fail_one("send", 0, ENOBUFS);
	turn();
	turn();
	expect_failure();
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], ENOBUFS);
	client_hear_end(&client);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
}
END_TEST

/* First as a user that is not known yet, then as a sender. */
START_TEST(a_sender_without_memory_is_told_as_that)
{
	open_with_client(GRAM, scene_echo);
	fault_fail_one("calloc", (unsigned int)_i, ENOMEM);
	turn();
	expect_failure();
	ck_assert_uint_eq(scene.heard, 0);
	ck_assert_uint_eq(scene_count(&scene).limited, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LIMITED], ENOMEM);
	client_say(&client, "again");
	turn();
	client_hear(&client, "again");
}
END_TEST

/* They are found more slowly, and all of them. */
START_TEST(without_memory_for_more_buckets_all_are_served)
{
	int i;

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	for (i = 0; i < SENDERS - 2; i++)
		ask_as(i);
	fault_fail_one("calloc", 1, ENOMEM);
	ask_as(SENDERS - 2);
	expect_failure();
	for (i = 0; i < SENDERS; i++)
		ask_as(i);
	ck_assert_uint_eq(scene_count(&scene).peers, SENDERS);
	ck_assert_uint_eq(scene_count(&scene).peers_most, SENDERS);
}
END_TEST

/* But for who has to wait for our answer. */
START_TEST(senders_that_are_silent_are_forgotten)
{
	fault_start(&(struct fault){ 0 });
	open_with_client(GRAM, scene_put_off);
	turn();
	scene.act = scene_echo;
	client_dial(&other, GRAM);
	client_say(&other, "hello");
	turn();
	ck_assert_uint_eq(scene_count(&scene).peers, 2);
	turn_after_us(599000000);
	ck_assert_uint_eq(scene_count(&scene).peers, 2);
	turn_after_us(2000000);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], 0);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	fault_stop();
}
END_TEST

/* What it has not read is still charged to our send buffer. */
START_TEST(senders_that_have_not_read_their_answers_are_not_forgotten)
{
	static char data[20000];
	struct unixservice_options options = scene_options();

	fault_start(&(struct fault){ 0 });
	options.send_buffer_bytes = 1;
	scene_open_with(&scene, &client, GRAM, scene_answer_at_length,
		&options);
	client_dial(&other, GRAM);
	client_say(&client, "hello");
	client_say(&other, "hello");
	turn();
	turn_after_us(601000000);
	ck_assert_uint_eq(scene.heard, 2);
	ck_assert_uint_eq(scene_count(&scene).peers, 2);
	client_expect(&client, data, sizeof(data));
	client_expect(&other, data, sizeof(data));
	turn_after_us(601000000);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	fault_stop();
}
END_TEST

/* What is wanted of messages is wanted of all of them, or nobody listens. */
START_TEST(a_listener_that_cannot_have_what_it_wants_is_none)
{
	struct unixservice_options options = scene_options();
	unsigned int skip = 0;
	int result;

	options.wants = UNIXMSG_WANT_CRED;
	scene_open(&scene, scene_echo, &options);
	do {
		fault_fail_one("setsockopt", skip++, ENOMEM);
		errno = 0;
		result = unixservice_listen(scene.service, "unixpacket",
			scene_address(PACKET), NULL);
		fault_stop();
		if (fault_get_hits() > 0) {
			ck_assert_int_eq(result, -1);
			ck_assert_int_eq(errno, ENOMEM);
			assert_files(0);
		}
	} while (result < 0);
	ck_assert_uint_gt(skip, 2);
}
END_TEST

START_TEST(a_connection_that_cannot_have_what_it_wants_is_not_added)
{
	struct unixservice_options options = scene_options();
	struct unixconn *pair[2];

	options.wants = UNIXMSG_WANT_CRED;
	scene_open(&scene, scene_echo, &options);
	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	fault_fail_one("setsockopt", 0, ENOMEM);
	ck_assert_errno(unixservice_add_conn(scene.service, pair[0], 0, NULL),
		ENOMEM);
	expect_failure();
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0, NULL),
		0);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	ck_assert_int_eq(unixconn_close(pair[1]), 0);
}
END_TEST

/* Messages */

/* Time is ours: it passes as fast as somebody waits. */
START_TEST(a_wait_for_a_full_queue_tells_why_it_failed)
{
	int fd = open_bound(SOCK_DGRAM, support_path("full"));
	struct unixconn *gram = open_gram(support_path("sender"));
	struct unixaddr to = address_of(support_path("full"));
	unsigned int skip;

	while (unixconn_send_to(gram, &to, "x", 1, UNIXMSG_NOW) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
	for (skip = 0; skip < 6; skip++) {
		fault_fail_one("ppoll", skip, ENOMEM);
		ck_assert_errno(unixconn_send_to(gram, &to, "x", 1,
					unixdeadline_after_us(10000000)),
			ENOMEM);
		expect_failure();
	}
	close_gram(gram);
	close(fd);
	unlink(support_path("full"));
}
END_TEST

/* Files */

static int open_dir(void)
{
	int fd = open(support_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Not every file system knows RENAME_NOREPLACE. */
START_TEST(a_file_is_put_back_by_a_link)
{
	struct stat before;
	int fd = open_dir();

	make_file(support_path("aside"), "ours");
	before = look_at(support_path("aside"));
	fault_fail_one("syscall", 0, EINVAL);
	errno = EXDEV;
	ck_assert_int_eq(unixfile__put_back(fd, "aside", "leaf"), 0);
	ck_assert_int_eq(errno, EXDEV);
	expect_failure();
	assert_missing(support_path("aside"));
	assert_same_file(support_path("leaf"), &before);
	close(fd);
	unlink(support_path("leaf"));
}
END_TEST

START_TEST(a_file_that_is_put_back_replaces_nothing)
{
	int fd = open_dir();

	make_file(support_path("aside"), "ours");
	make_file(support_path("leaf"), "another's");
	if (_i == 1)
		fault_fail_one("syscall", 0, EINVAL);
	ck_assert_errno(unixfile__put_back(fd, "aside", "leaf"), EEXIST);
	fault_stop();
	ck_assert_uint_eq(fault_get_hits(), (unsigned int)_i);
	assert_content(support_path("aside"), "ours");
	assert_content(support_path("leaf"), "another's");
	close(fd);
	support_clear_dir();
}
END_TEST

/* What is asked of the kernel */

struct listing {
	int begun; /* how often anew */
	int sockets;
	bool is_once;
};

static int take(void *context, const struct unixdiag_socket *socket)
{
	struct listing *listing = context;

	if (socket != NULL) {
		listing->sockets++;
		return 0;
	}
	listing->begun++;
	listing->sockets = 0;
	errno = ECANCELED;
	return listing->is_once ? -1 : 0;
}

START_TEST(a_list_that_was_cut_begins_anew)
{
	struct listing listing = { .is_once = _i == 1 };
	int fd = open_socket(SOCK_DGRAM), result;

	fault_fail_one("diag_recvmsg", 1, ENOBUFS);
	result = unixdiag__list(take, &listing);
	expect_failure();
	ck_assert_int_eq(listing.begun, 1);
	if (listing.is_once) {
		ck_assert_int_eq(result, -1);
		ck_assert_int_eq(errno, ECANCELED);
	} else {
		ck_assert_int_eq(result, 0);
		ck_assert_int_gt(listing.sockets, 0);
	}
	close(fd);
}
END_TEST

/* It may end between two looks at it. */
START_TEST(a_process_is_told_whole_or_not_at_all)
{
	struct unixholder_process process;

	fault_fail_one("open", (unsigned int)_i, ENOENT);
	ck_assert_errno(unixholder__read_process(getpid(), &process), ENOENT);
	expect_failure();
	fault_fail_one("read", (unsigned int)_i, ESRCH);
	ck_assert_errno(unixholder__read_process(getpid(), &process), ESRCH);
	expect_failure();
}
END_TEST

/* The only thing left to go by is the process id, as on older kernels. */
static void take_over_without_pidfd(void)
{
	struct unixactivation *activation;
	char pid[16];

	ck_assert_int_eq(dup2(open_socket(SOCK_DGRAM), 3), 3);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PIDFDID", "1", 1);
	fault_fail_one("syscall", 0, ENOSYS);
	activation = unixactivation_new();
	expect_failure();
	ck_assert_ptr_nonnull(activation);
	ck_assert_uint_eq(unixactivation_get_count(activation), 1);
	unixactivation_close(activation);
}

START_TEST(without_pidfds_the_process_id_counts)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		take_over_without_pidfd();
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

static void dial_without(const char *call)
{
	struct unixconn *server, *dialled;

	support_as_nobody();
	server = unixconn_open("unixgram", support_path("nobody/s"), NULL);
	ck_assert_ptr_nonnull(server);
	fault_fail_all(call, EMFILE);
	ck_assert_null_errno(unixconn_dial("unixgram", support_path("nobody/s"),
				     NULL, UNIXMSG_NOW),
		EMFILE);
	expect_failure();
	dialled = unixconn_dial("unixgram", support_path("nobody/s"), NULL,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(dialled);
	fault_fail_all(call, EMFILE);
	ck_assert_errno(unixconn_check_answer(dialled), EMFILE);
	expect_failure();
	ck_assert_int_eq(unixconn_check_answer(dialled), 0);
	ck_assert_int_eq(unixconn_close(dialled), 0);
	ck_assert_int_eq(unixconn_close(server), 0);
}

/* Who serves decides who has to get to the client's file: not a guess. */
START_TEST(who_cannot_find_out_who_serves_is_told)
{
	static const char *const calls[] = { "fopen", "diag_socket" };
	const char *dir = support_path("nobody");
	pid_t pid;

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chown(dir, nobody_id, nobody_id), 0);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	pid = support_fork();
	if (pid == 0) {
		dial_without(calls[_i]);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

static void add_sockets(TCase *tcase)
{
	tcase_add_test(tcase, a_socket_that_cannot_be_read_is_looked_at_again);
	tcase_add_loop_test(tcase, a_socket_that_rests_may_be_paused, GRAM,
		PACKET + 1);
	support_add_limited_test(tcase,
		nobody_is_closed_for_who_cannot_be_accepted_even_so, 0, 1);
	tcase_add_test(tcase, a_socket_that_rests_is_drained_at_once);
	tcase_add_loop_test(tcase,
		a_listener_that_cannot_accept_is_looked_at_again, PACKET,
		KINDS);
	tcase_add_loop_test(tcase,
		a_listener_that_is_not_shut_down_is_looked_at_again, PACKET,
		KINDS);
	tcase_add_test(tcase, a_listener_that_rests_may_be_left_alone);
}

static TCase *make_services(void)
{
	TCase *tcase = make_scene_tcase("services");

	add_sockets(tcase);
	tcase_add_test(tcase, a_connection_that_cannot_be_watched_is_closed);
	tcase_add_loop_test(tcase,
		a_half_closed_peer_that_cannot_be_watched_is_closed, PACKET,
		FRAMED);
	tcase_add_test(tcase, a_peer_that_cannot_be_watched_again_is_closed);
	tcase_add_test(tcase,
		a_child_that_cannot_watch_all_again_serves_nobody);
	tcase_add_test(tcase, a_service_that_cannot_wait_is_not_served_on);
	tcase_add_test(tcase, a_peer_that_cannot_be_proved_again_is_not_opened);
	tcase_add_test(tcase, a_peer_without_memory_is_not_opened);
	tcase_add_test(tcase, a_stream_that_cannot_go_on_is_closed);
	tcase_add_test(tcase, a_stream_that_was_given_up_tells_why);
	tcase_add_loop_test(tcase, a_sender_without_memory_is_told_as_that, 0,
		2);
	tcase_add_test(tcase, without_memory_for_more_buckets_all_are_served);
	tcase_add_test(tcase, senders_that_are_silent_are_forgotten);
	tcase_add_test(tcase,
		senders_that_have_not_read_their_answers_are_not_forgotten);
	tcase_add_test(tcase,
		a_listener_that_cannot_have_what_it_wants_is_none);
	tcase_add_test(tcase,
		a_connection_that_cannot_have_what_it_wants_is_not_added);
	return tcase;
}

/* The kernel tells once that a peer has left before: this one has gone. */
START_TEST(what_fails_for_an_earlier_end_is_sent_again)
{
	const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_RECONNECT,
	};
	struct unixconn *server = open_gram(support_path("server"));
	struct unixconn *gram = unixconn_dial("unixgram",
		support_path("server"), &options, UNIXMSG_NOW);
	struct unixconn_counters counters;
	int result;
	char byte;

	ck_assert_ptr_nonnull(gram);
	fault_fail_one("sendto", 0, ECONNRESET);
	result = unixconn_send(gram, "x", 1, UNIXMSG_NOW);
	expect_failure();
	ck_assert_int_eq(result, 1);
	ck_assert_int_eq(unixconn_recv(server, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_errno(unixconn_recv(server, &byte, 1, NULL, UNIXMSG_NOW),
		EAGAIN);
	/* Whoever is still connected does not connect again. */
	fault_fail_all("sendto", ECONNRESET);
	result = unixconn_send(gram, "x", 1, UNIXMSG_NOW);
	expect_failure();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, ECONNRESET);
	unixconn_get_counters(gram, &counters);
	ck_assert_uint_eq(counters.reconnects, 0);
	close_gram(gram);
	close_gram(server);
}
END_TEST

static TCase *make_others(void)
{
	TCase *tcase = make_scene_tcase("others");

	tcase_add_test(tcase, what_fails_for_an_earlier_end_is_sent_again);
	tcase_add_test(tcase, a_wait_for_a_full_queue_tells_why_it_failed);
	tcase_add_test(tcase, a_file_is_put_back_by_a_link);
	tcase_add_loop_test(tcase, a_file_that_is_put_back_replaces_nothing, 0,
		2);
	tcase_add_loop_test(tcase, a_list_that_was_cut_begins_anew, 0, 2);
	tcase_add_loop_test(tcase, a_process_is_told_whole_or_not_at_all, 0, 2);
	tcase_add_test(tcase, without_pidfds_the_process_id_counts);
	support_add_root_loop_test(tcase,
		who_cannot_find_out_who_serves_is_told, 2);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("shortage");

	if (!fault_is_able()) {
		fprintf(stderr, "skip: calls have other names here\n");
		return SUPPORT_EXIT_SKIPPED;
	}
	suite_add_tcase(suite, make_services());
	suite_add_tcase(suite, make_others());
	return support_run(suite);
}
