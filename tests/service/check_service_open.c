/* SPDX-License-Identifier: MIT */
/* Peers that a service sends to first, by their address. */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

static struct scene asker, far;

static const char *const networks[] = { "unixgram", "unixpacket", "unix",
	"unix" };

static unsigned int get_flags(int kind)
{
	return kind == BYTES ? UNIXMSG_LISTEN_BYTES : 0;
}

/* The asker has a socket for datagrams, which is where it is answered. */
static void open_asker(void)
{
	scene_open(&asker, scene_be_silent, NULL);
	scene_listen_at(&asker, GRAM, support_path("asker"));
}

static void open_both(int kind)
{
	scene_open_kind(&far, kind, scene_echo, NULL);
	open_asker();
}

static void close_both(void)
{
	scene_close(&asker);
	scene_close(&far);
}

static int open_peer(int kind, const char *address, uint64_t *peer)
{
	return unixservice_open_peer(asker.service, networks[kind], address,
		get_flags(kind), peer);
}

static uint64_t must_open(int kind, const char *address)
{
	uint64_t peer = 0;

	errno = ENOTTY;
	ck_assert_int_eq(open_peer(kind, address, &peer), 0);
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_uint_ne(peer, 0);
	return peer;
}

static int push(uint64_t peer, const char *text)
{
	return unixservice_push(asker.service, peer, text, strlen(text));
}

static void serve_both(void)
{
	scene_serve(&far);
	scene_serve(&asker);
}

static void expect_answer(uint64_t peer, const char *text)
{
	ck_assert_int_eq(push(peer, text), 1);
	serve_both();
	ck_assert_str_eq(asker.data, text);
	ck_assert_uint_eq(asker.peer, peer);
}

START_TEST(a_service_sends_first_and_hears_the_answer)
{
	uint64_t peer;

	open_both(_i);
	peer = must_open(_i, scene_address(_i));
	ck_assert_uint_eq(asker.told[UNIXSERVICE_OPENED], 1);
	ck_assert_uint_eq(asker.about[UNIXSERVICE_OPENED], peer);
	expect_answer(peer, "hello");
	expect_answer(peer, "again");
	ck_assert_uint_eq(scene_count(&asker).peers, 1);
	ck_assert_uint_eq(asker.told[UNIXSERVICE_OPENED], 1);
	ck_assert_uint_eq(scene_count(&asker).pushed, 2);
	close_both();
}
END_TEST

START_TEST(it_is_known_whose_it_is_when_it_has_answered)
{
	struct unixservice_peer_info info;
	uint64_t peer;

	open_both(_i);
	peer = must_open(_i, scene_address(_i));
	expect_answer(peer, "hello");
	ck_assert_int_eq(unixservice_get_peer_info(asker.service, peer, &info),
		0);
	ck_assert(info.has_cred);
	ck_assert_uint_eq(info.cred.uid, geteuid());
	ck_assert_str_eq(info.network, networks[_i]);
	ck_assert_uint_eq(info.received, 1);
	close_both();
}
END_TEST

START_TEST(on_an_abstract_name_it_is_the_same)
{
	scene_open(&far, scene_echo, NULL);
	scene_listen_at(&far, _i, support_abstract("far"));
	scene_open(&asker, scene_be_silent, NULL);
	scene_listen_at(&asker, GRAM, "@");
	expect_answer(must_open(_i, support_abstract("far")), "hello");
	close_both();
}
END_TEST

START_TEST(what_it_has_no_room_for_is_kept)
{
	unsigned int sent = 0;
	uint64_t peer;

	open_both(_i);
	far.act = scene_be_silent;
	peer = must_open(_i, scene_address(_i));
	while (scene_count(&asker).queued < 3) {
		ck_assert_int_eq(push(peer, "hello"), 1);
		ck_assert_uint_lt(++sent, 100000);
	}
	scene_serve_while(&asker, (scene_serve(&far), far.heard < sent));
	ck_assert_uint_eq(scene_count(&asker).queued, 0);
	ck_assert_uint_eq(scene_count(&asker).pushed_lost, 0);
	close_both();
}
END_TEST

START_TEST(what_is_kept_before_the_first_answer_goes_with_its_user)
{
	struct unixservice_options options = scene_options();
	unsigned int sent = 0;
	uint64_t peer;

	options.peers_per_user_max = 1;
	scene_open_kind(&far, GRAM, scene_echo, NULL);
	scene_open(&asker, scene_be_silent, &options);
	scene_listen_at(&asker, GRAM, support_path("asker"));
	peer = must_open(GRAM, scene_address(GRAM));
	while (scene_count(&asker).queued < 3) {
		ck_assert_int_eq(push(peer, "hello"), 1);
		ck_assert_uint_lt(++sent, 100000);
	}
	scene_serve_while(&asker, (scene_serve(&far), asker.heard < sent));
	ck_assert_uint_eq(scene_count(&asker).queued_bytes, 0);
	ck_assert_uint_eq(scene_count(&asker).peers, 1);
	close_both();
}
END_TEST

START_TEST(one_whose_server_ends_is_closed)
{
	uint64_t peer;

	open_both(_i);
	peer = must_open(_i, scene_address(_i));
	scene_close(&far);
	ck_assert_int_eq(push(peer, "hello"), -1);
	scene_serve(&asker);
	ck_assert_uint_eq(asker.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_eq(asker.about[UNIXSERVICE_CLOSED], peer);
	ck_assert_errno(push(peer, "hello"), ENOTCONN);
}
END_TEST

START_TEST(limits_of_peers_do_not_keep_it_out)
{
	struct unixservice_options options = scene_options();
	uint64_t first, second;

	options.peers_max = 1;
	options.peers_per_user_max = 1;
	scene_open_kind(&far, _i, scene_echo, NULL);
	scene_listen_at(&far, _i, support_path("second"));
	scene_open(&asker, scene_be_silent, &options);
	scene_listen_at(&asker, GRAM, support_path("asker"));
	first = must_open(_i, scene_address(_i));
	second = must_open(_i, support_path("second"));
	ck_assert_uint_ne(first, second);
	ck_assert_uint_eq(scene_count(&asker).peers, 2);
	expect_answer(first, "one");
	expect_answer(second, "two");
	close_both();
}
END_TEST

START_TEST(a_peer_that_is_open_is_not_opened_twice)
{
	uint64_t peer;

	open_both(GRAM);
	peer = must_open(GRAM, scene_address(GRAM));
	ck_assert_uint_eq(must_open(GRAM, scene_address(GRAM)), peer);
	ck_assert_uint_eq(scene_count(&asker).peers, 1);
	expect_answer(peer, "hello");
	close_both();
}
END_TEST

/* Others may write in its directory: its file is held. */
START_TEST(a_peer_that_is_held_fast_is_not_opened_twice)
{
	uint64_t peer;
	int fd;

	open_asker();
	make_dir(support_path("open"), 0700);
	ck_assert_int_eq(chmod(support_path("open"), 0777), 0);
	fd = open_bound(SOCK_DGRAM, support_path("open/gram"));
	peer = must_open(GRAM, support_path("open/gram"));
	ck_assert_uint_eq(must_open(GRAM, support_path("open/gram")), peer);
	ck_assert_uint_eq(scene_count(&asker).peers, 1);
	close(fd);
}
END_TEST

/* There are more of them than may be held, so each is proved again. */
START_TEST(who_is_held_fast_gives_way_to_others)
{
	enum { TIMES = 20 };
	char name[32], byte;
	int fds[TIMES], i;

	support_limit_fds(52);
	scene_open_kind(&far, GRAM, scene_echo, NULL);
	make_dir(support_path("open"), 0700);
	ck_assert_int_eq(chmod(support_path("open"), 0777), 0);
	for (i = 0; i < TIMES; i++) {
		snprintf(name, sizeof(name), "open/%d", i);
		fds[i] = open_bound(SOCK_DGRAM, support_path(name));
		ck_assert_int_eq(connect_to(fds[i], scene_address(GRAM)), 0);
	}
	for (i = 0; i < 2 * TIMES; i++) {
		ck_assert_int_eq(send(fds[i % TIMES], "x", 1, 0), 1);
		scene_serve(&far);
		ck_assert_int_eq(recv(fds[i % TIMES], &byte, 1, MSG_DONTWAIT),
			1);
	}
	ck_assert_uint_eq(scene_count(&far).peers, TIMES);
	for (i = 0; i < TIMES; i++)
		close(fds[i]);
}
END_TEST

START_TEST(who_has_sent_before_keeps_his_number)
{
	struct unixaddr to = address_of(support_path("asker"));
	struct unixconn *gram;

	open_asker();
	gram = unixconn_open("unixgram", support_path("gram"), NULL);
	ck_assert_ptr_nonnull(gram);
	ck_assert_int_eq(unixconn_send_to(gram, &to, "first", 5, UNIXMSG_NOW),
		1);
	scene_serve(&asker);
	ck_assert_uint_eq(must_open(GRAM, support_path("gram")), asker.peer);
	unixconn_close(gram);
}
END_TEST

START_TEST(a_link_leads_to_the_peer_whose_name_it_is)
{
	open_both(GRAM);
	ck_assert_int_eq(symlink(scene_address(GRAM), support_path("link")), 0);
	expect_answer(must_open(GRAM, support_path("link")), "hello");
	ck_assert_uint_eq(scene_count(&asker).peers, 1);
	close_both();
}
END_TEST

/* Its messages could not be told from those of another. */
START_TEST(a_name_that_does_not_lead_back_is_refused)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX,
		.sun_path = "relative" };
	int fd = open_socket(SOCK_DGRAM), other = open_socket(SOCK_DGRAM);

	open_asker();
	ck_assert_int_eq(chdir(support_dir()), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_errno(open_peer(GRAM, support_path("relative"), NULL), EPERM);
	close(fd);
	ck_assert_int_eq(unlink("relative"), 0);
	fd = open_socket(SOCK_DGRAM);
	ck_assert_int_eq(bind_to(fd, support_path("moved")), 0);
	ck_assert_int_eq(rename(support_path("moved"), support_path("new")), 0);
	ck_assert_errno(open_peer(GRAM, support_path("new"), NULL), EPERM);
	ck_assert_int_eq(bind_to(other, support_path("moved")), 0);
	ck_assert_errno(open_peer(GRAM, support_path("new"), NULL), EPERM);
	ck_assert_uint_eq(scene_count(&asker).peers, 0);
	close(fd);
	close(other);
}
END_TEST

/* A link of the kernel's leads elsewhere for each process. */
START_TEST(a_name_that_is_relative_in_disguise_is_refused)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX,
		.sun_path = "/proc/self/cwd/gram" };
	int fd = open_socket(SOCK_DGRAM);

	open_asker();
	ck_assert_int_eq(chdir(support_dir()), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_errno(open_peer(GRAM, support_path("gram"), NULL), EPERM);
	close(fd);
}
END_TEST

static int bind_in(const char *directory)
{
	char name[64];
	int fd = open_socket(SOCK_DGRAM);

	snprintf(name, sizeof(name), "%s/gram", directory);
	ck_assert_int_eq(bind_to(fd, support_path(name)), 0);
	return fd;
}

static void make_directory(const char *name)
{
	ck_assert_int_eq(mkdir(support_path(name), 0700), 0);
}

static bool has_message(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
}

/* Who can change the way there could have us write to what only we may. */
START_TEST(what_is_sent_goes_to_the_file_that_was_opened)
{
	uint64_t peer;
	int far_fd, other_fd;

	open_asker();
	make_directory("far");
	make_directory("other");
	make_link("far", support_path("way"));
	far_fd = bind_in("way");
	other_fd = bind_in("other");
	peer = must_open(GRAM, support_path("far/gram"));
	ck_assert_int_eq(unlink(support_path("way")), 0);
	make_link("other", support_path("way"));
	ck_assert_int_eq(push(peer, "x"), 1);
	ck_assert(has_message(far_fd));
	ck_assert(!has_message(other_fd));
	close(far_fd);
	close(other_fd);
}
END_TEST

/* The i-th of those that can be held fast only; 0, or -1. */
static int open_behind_link(int i, uint64_t *peer, int *fd)
{
	char name[32];

	snprintf(name, sizeof(name), "way/%d", i);
	*fd = open_socket(SOCK_DGRAM);
	ck_assert_int_eq(bind_to(*fd, support_path(name)), 0);
	return open_peer(GRAM, support_path(name), peer);
}

/* One that has said nothing could be proved by nothing then. */
START_TEST(others_that_are_held_fast_leave_one_that_is_silent_its_place)
{
	uint64_t first, peer;
	int fds[32], i = 0;

	support_limit_fds(52);
	open_asker();
	make_directory("far");
	make_link("far", support_path("way"));
	ck_assert_int_eq(open_behind_link(i, &first, &fds[i]), 0);
	do
		ck_assert_int_lt(++i, 32);
	while (open_behind_link(i, &peer, &fds[i]) == 0);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq((int)scene_count(&asker).peers, i);
	ck_assert_int_eq(push(first, "x"), 1);
	ck_assert(has_message(fds[0]));
	for (; i >= 0; i--)
		close(fds[i]);
}
END_TEST

/* He was answered, and gives the name away. */
static void be_answered_and_leave(int left[2], int go[2])
{
	struct unixaddr to = address_of(support_path("asker"));
	struct unixconn *gram;
	char text[8];

	support_as_nobody();
	gram = unixconn_open("unixgram", support_path("gram"), NULL);
	if (gram == NULL || chmod(support_path("gram"), 0666) < 0 ||
		unixconn_send_to(gram, &to, "mine", 4, UNIXMSG_NOW) != 1 ||
		unixconn_recv(gram, text, sizeof(text), NULL,
			unixdeadline_after_s(10)) != 1 ||
		unlink(support_path("gram")) < 0)
		_exit(1);
	support_ready_tell(left);
	support_ready_wait(go);
	_exit(unixconn_recv(gram, text, sizeof(text), NULL, UNIXMSG_NOW) == 1);
}

START_TEST(who_had_the_name_before_is_not_sent_to)
{
	int left[2], go[2], fd;
	uint64_t before, peer;
	pid_t pid;

	scene_open(&asker, scene_echo, NULL);
	scene_listen_at(&asker, GRAM, support_path("asker"));
	ck_assert_int_eq(chmod(support_path("asker"), 0666), 0);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	support_ready_init(left);
	support_ready_init(go);
	pid = support_fork();
	if (pid == 0)
		be_answered_and_leave(left, go);
	scene_serve_while(&asker, asker.heard == 0);
	before = asker.peer;
	support_ready_wait(left);
	fd = open_socket(SOCK_DGRAM);
	ck_assert_int_eq(bind_to(fd, support_path("gram")), 0);
	peer = must_open(GRAM, support_path("gram"));
	ck_assert_uint_ne(peer, before);
	ck_assert_int_eq(asker.error[UNIXSERVICE_CLOSED], ESTALE);
	ck_assert_int_eq(push(peer, "x"), 1);
	ck_assert(has_message(fd));
	support_ready_tell(go);
	support_wait_exit(pid, 0);
	close_pipe(left);
	close_pipe(go);
	close(fd);
}
END_TEST

/* The socket is root's, and who writes by it is not. */
static void answer_as_nobody(int ready[2], int go[2])
{
	struct unixconn *gram =
		unixconn_open("unixgram", support_path("gram"), NULL);
	struct unixaddr to = address_of(support_path("asker"));

	if (gram == NULL)
		_exit(1);
	support_as_nobody();
	support_ready_tell(ready);
	support_ready_wait(go);
	_exit(unixconn_send_to(gram, &to, "false", 5, UNIXMSG_NOW) != 1);
}

START_TEST(what_cannot_be_proved_to_be_its_is_not_heard)
{
	int ready[2], go[2];
	uint64_t peer;
	pid_t pid;

	open_asker();
	ck_assert_int_eq(chmod(support_path("asker"), 0666), 0);
	support_ready_init(ready);
	support_ready_init(go);
	pid = support_fork();
	if (pid == 0)
		answer_as_nobody(ready, go);
	support_ready_wait(ready);
	peer = must_open(GRAM, support_path("gram"));
	support_ready_tell(go);
	support_wait_exit(pid, 0);
	close_pipe(ready);
	close_pipe(go);
	scene_serve(&asker);
	ck_assert_uint_eq(asker.heard, 0);
	ck_assert_uint_eq(scene_count(&asker).unproved, 1);
	ck_assert_uint_eq(scene_count(&asker).peers, 1);
	ck_assert_errno(push(peer, "x"), ENOTCONN);
}
END_TEST

/* Servers that send a descriptor as soon as somebody has connected. */
struct eager {
	struct unixlistener *listener;
	int refused;
};

enum { EAGER_ROUNDS = 1000 };

static void *send_at_once(void *context)
{
	struct eager *eager = context;
	const int fd = STDERR_FILENO;
	struct unixconn *conn;
	int i;

	for (i = 0; i < EAGER_ROUNDS; i++) {
		conn = unixlistener_accept(eager->listener,
			unixdeadline_after_s(10));
		eager->refused += unixconn_send_fds(conn, "x", 1, &fd, 1,
					  UNIXMSG_NOW) != 1;
		unixconn_close(conn);
	}
	return NULL;
}

static int take_descriptor(struct scene *scene, uint64_t peer,
	struct unixmsg *msg)
{
	(void)peer;
	scene->number += msg->fds_count == 1;
	return UNIXSERVICE_CLOSE;
}

START_TEST(what_it_sends_at_once_brings_what_is_wanted)
{
	struct unixservice_options options = scene_options();
	struct eager eager = { 0 };
	pthread_t thread;
	uint64_t peer;
	int i;

	options.wants = UNIXMSG_WANT_FDS;
	scene_open(&asker, take_descriptor, &options);
	eager.listener =
		unixlistener_open("unixpacket", support_path("eager"), NULL);
	ck_assert_ptr_nonnull(eager.listener);
	ck_assert_int_eq(pthread_create(&thread, NULL, send_at_once, &eager),
		0);
	for (i = 0; i < EAGER_ROUNDS; i++) {
		peer = must_open(PACKET, support_path("eager"));
		scene_serve_while(&asker,
			unixservice_set_context(asker.service, peer, NULL) ==
				0);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(eager.refused, 0);
	ck_assert_int_eq(asker.number, EAGER_ROUNDS);
	ck_assert_int_eq(unixlistener_close(eager.listener), 0);
}
END_TEST

START_TEST(an_impossible_peer_is_refused)
{
	struct unixservice *service;
	uint64_t peer = 7;
	int fd = open_socket(SOCK_DGRAM);

	open_asker();
	service = asker.service;
	ck_assert_errno(unixservice_open_peer(service, "tcp", "@x", 0, &peer),
		EINVAL);
	ck_assert_errno(unixservice_open_peer(service, "unix", "@x", 1, &peer),
		EINVAL);
	ck_assert_errno(unixservice_open_peer(service, "unixpacket", "@x",
				UNIXMSG_LISTEN_BYTES, &peer),
		EINVAL);
	ck_assert_errno(open_peer(GRAM, support_path("asker"), &peer), EINVAL);
	ck_assert_errno(open_peer(GRAM, "", &peer), EINVAL);
	ck_assert_errno(open_peer(_i, support_path("none"), &peer), ENOENT);
	ck_assert_int_eq(bind_to(fd, support_path("dead")), 0);
	close(fd);
	ck_assert_errno(open_peer(GRAM, support_path("dead"), &peer),
		ECONNREFUSED);
	ck_assert_int_eq(unixservice_stop(service, UNIXMSG_FOREVER), 0);
	ck_assert_errno(open_peer(_i, support_path("none"), &peer), EINVAL);
	ck_assert_uint_eq(peer, 7);
	ck_assert_uint_eq(scene_count(&asker).peers, 0);
}
END_TEST

START_TEST(without_a_socket_for_datagrams_there_is_no_such_peer)
{
	scene_open_kind(&far, GRAM, scene_echo, NULL);
	scene_open_kind(&asker, PACKET, scene_be_silent, NULL);
	ck_assert_errno(open_peer(GRAM, scene_address(GRAM), NULL), EINVAL);
	close_both();
}
END_TEST

int main(void)
{
	TCase *tcase = make_scene_tcase("open");

	tcase_add_loop_test(tcase, a_service_sends_first_and_hears_the_answer,
		0, KINDS);
	tcase_add_loop_test(tcase, it_is_known_whose_it_is_when_it_has_answered,
		0, KINDS);
	tcase_add_loop_test(tcase, on_an_abstract_name_it_is_the_same, 0,
		KINDS);
	tcase_add_loop_test(tcase, what_it_has_no_room_for_is_kept, 0,
		KINDS_OF_MESSAGES);
	tcase_add_test(tcase,
		what_is_kept_before_the_first_answer_goes_with_its_user);
	tcase_add_loop_test(tcase, one_whose_server_ends_is_closed, 0, KINDS);
	tcase_add_loop_test(tcase, limits_of_peers_do_not_keep_it_out, 0,
		KINDS);
	tcase_add_test(tcase, a_peer_that_is_open_is_not_opened_twice);
	tcase_add_test(tcase, a_peer_that_is_held_fast_is_not_opened_twice);
	support_add_limited_test(tcase, who_is_held_fast_gives_way_to_others, 0,
		1);
	tcase_add_test(tcase, who_has_sent_before_keeps_his_number);
	tcase_add_test(tcase, a_link_leads_to_the_peer_whose_name_it_is);
	tcase_add_test(tcase, a_name_that_does_not_lead_back_is_refused);
	tcase_add_test(tcase, a_name_that_is_relative_in_disguise_is_refused);
	tcase_add_test(tcase, what_is_sent_goes_to_the_file_that_was_opened);
	tcase_add_test(tcase,
		others_that_are_held_fast_leave_one_that_is_silent_its_place);
	support_add_root_test(tcase, who_had_the_name_before_is_not_sent_to);
	support_add_root_test(tcase,
		what_cannot_be_proved_to_be_its_is_not_heard);
	tcase_add_test(tcase, what_it_sends_at_once_brings_what_is_wanted);
	tcase_add_loop_test(tcase, an_impossible_peer_is_refused, 0, KINDS);
	tcase_add_test(tcase,
		without_a_socket_for_datagrams_there_is_no_such_peer);
	return support_run_cases("service_open", tcase);
}
