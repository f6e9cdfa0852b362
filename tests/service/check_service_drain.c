/* SPDX-License-Identifier: MIT */
/* The end of a service: what has come is answered, and nothing comes later. */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

static struct scene scene;
static struct client client, other;

static int64_t soon(void)
{
	return unixdeadline_after_us(20000000);
}

static void open_with_client(int kind, scene_act *act)
{
	scene_open_with(&scene, &client, kind, act, NULL);
}

START_TEST(a_service_without_work_is_drained_at_once)
{
	scene_open_kind(&scene, _i, scene_echo, NULL);
	ck_assert(!unixservice_is_drained(scene.service));
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert(unixservice_is_drained(scene.service));
	assert_files(0);
}
END_TEST

START_TEST(what_the_kernel_has_taken_is_answered)
{
	int i, count = _i == GRAM ? 11 : 100;

	open_with_client(_i, scene_echo);
	for (i = 0; i < count; i++)
		client_send(&client, &i, sizeof(i));
	ck_assert_int_eq(unixservice_stop(scene.service, soon()), 0);
	ck_assert_int_eq(unixservice_drain(scene.service, soon()), 0);
	for (i = 0; i < count; i++)
		client_expect(&client, &i, sizeof(i));
	ck_assert_uint_eq(scene_count(&scene).answered, scene.heard);
	ck_assert_uint_eq(scene_count(&scene).stopped, 0);
	if (_i != GRAM)
		client_hear_end(&client);
}
END_TEST

START_TEST(who_sends_after_the_stop_is_told_at_once)
{
	open_with_client(_i, scene_echo);
	client_ask(&client, &scene, "in time");
	ck_assert_int_eq(unixservice_stop(scene.service, soon()), 0);
	ck_assert_errno(client_try_send(&client, "late", 4), EPIPE);
	ck_assert_int_eq(unixservice_run(scene.service, soon()), 0);
	ck_assert_uint_eq(scene.heard, 1);
	client_hear(&client, "in time");
}
END_TEST

static int try_to_dial(int kind, const char *address)
{
	struct unixconn *gram = NULL;
	struct unixconn *packet = NULL;
	struct unixconn *stream = NULL;
	int error;

	if (kind == GRAM)
		gram = unixconn_dial("unixgram", address, NULL, UNIXMSG_NOW);
	else if (kind == PACKET)
		packet =
			unixconn_dial("unixpacket", address, NULL, UNIXMSG_NOW);
	else
		stream = unixconn_dial("unix", address, NULL, UNIXMSG_NOW);
	error = gram || packet || stream ? 0 : errno;
	unixconn_close(gram);
	unixconn_close(packet);
	unixconn_close(stream);
	return error;
}

/* A successor may have it while we are still at work. */
START_TEST(the_name_is_gone_at_once)
{
	struct scene successor;

	open_with_client(_i, scene_put_off);
	client_ask(&client, &scene, "a long question");
	ck_assert_int_eq(unixservice_stop(scene.service, soon()), 0);
	assert_missing(scene_address(_i));
	ck_assert_int_eq(try_to_dial(_i, scene_address(_i)), ENOENT);
	ck_assert(!unixservice_is_drained(scene.service));
	scene_open_kind(&successor, _i, scene_echo, NULL);
	client_dial(&other, _i);
	client_say(&other, "hello");
	scene_serve(&successor);
	client_hear(&other, "hello");
	client_close(&other);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "x", 1),
		1);
	ck_assert_int_eq(unixservice_run(scene.service, soon()), 0);
	client_hear(&client, "x");
	client_close(&client);
	scene_close(&scene);
	assert_is_socket(scene_address(_i));
	scene_serve(&successor);
	scene_close(&successor);
}
END_TEST

/* They are bound until the socket is closed: but nobody gets in. */
START_TEST(nobody_gets_in_by_an_abstract_name)
{
	const char *address = support_abstract("s");

	scene_open(&scene, scene_echo, NULL);
	scene_listen_at(&scene, PACKET + _i, address);
	ck_assert_int_eq(unixservice_stop(scene.service, soon()), 0);
	ck_assert_int_eq(try_to_dial(PACKET + _i, address), ECONNREFUSED);
	ck_assert_int_eq(unixservice_run(scene.service, soon()), 0);
}
END_TEST

START_TEST(connections_that_wait_are_served)
{
	struct client clients[8];
	int i;

	scene_open_kind(&scene, PACKET + _i, scene_echo, NULL);
	for (i = 0; i < 8; i++) {
		client_dial(&clients[i], PACKET + _i);
		client_say(&clients[i], "hello");
	}
	ck_assert_uint_eq(scene_count(&scene).connections, 0);
	ck_assert_int_eq(unixservice_drain(scene.service, soon()), 0);
	ck_assert_uint_eq(scene_count(&scene).answered, 8);
	for (i = 0; i < 8; i++) {
		client_hear(&clients[i], "hello");
		client_hear_end(&clients[i]);
		client_close(&clients[i]);
	}
}
END_TEST

/* It may take its time: what is kept goes before the service does. */
START_TEST(what_is_kept_is_waited_for)
{
	static const char large[50000];
	int count = 0, i;

	open_with_client(_i, scene_be_silent);
	client_ask(&client, &scene, "hello");
	for (; scene_count(&scene).queued < 3; count++)
		ck_assert_int_eq(unixservice_send(scene.service, scene.peer,
					 large, sizeof(large)),
			1);
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(5000)),
		ETIMEDOUT);
	for (i = 0; i < count; i++) {
		scene_serve(&scene);
		client_expect(&client, large, sizeof(large));
		scene_serve_while(&scene,
			i >= count - 3 &&
				!unixservice_is_drained(scene.service) &&
				scene_count(&scene).queued >
					(uint64_t)(count - 1 - i));
	}
	ck_assert_int_eq(unixservice_run(scene.service, soon()), 0);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 0);
}
END_TEST

START_TEST(the_deadline_gives_up_and_counts)
{
	open_with_client(_i, scene_put_off);
	client_dial(&other, _i);
	client_say(&client, "hello");
	client_ask(&other, &scene, "hello");
	ck_assert_int_eq(unixservice_drain(scene.service,
				 unixdeadline_after_us(20000)),
		0);
	ck_assert_uint_eq(scene_count(&scene).stopped, 2);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ECANCELED);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		ENOTCONN);
}
END_TEST

START_TEST(kept_answers_are_given_up_too)
{
	static const char large[50000];

	open_with_client(_i, scene_put_off);
	client_ask(&client, &scene, "hello");
	ck_assert_int_eq(unixservice_settle(scene.service, scene.peer), 0);
	while (scene_count(&scene).queued == 0)
		ck_assert_int_eq(unixservice_send(scene.service, scene.peer,
					 large, sizeof(large)),
			1);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, large,
				 sizeof(large)),
		1);
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_NOW), 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 2);
}
END_TEST

/* The loop of others polls nothing but the one descriptor. */
START_TEST(the_deadline_comes_through_the_descriptor)
{
	open_with_client(_i, scene_put_off);
	client_ask(&client, &scene, "hello");
	ck_assert_int_eq(unixservice_stop(scene.service,
				 unixdeadline_after_us(20000)),
		0);
	scene_serve_while(&scene, !unixservice_is_drained(scene.service));
	ck_assert_uint_eq(scene_count(&scene).stopped, 1);
}
END_TEST

START_TEST(a_second_stop_may_shorten_the_deadline)
{
	open_with_client(_i, scene_put_off);
	client_ask(&client, &scene, "hello");
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	scene_serve(&scene);
	ck_assert(!unixservice_is_drained(scene.service));
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_NOW), 0);
	scene_serve_while(&scene, !unixservice_is_drained(scene.service));
	ck_assert_uint_eq(scene_count(&scene).stopped, 1);
}
END_TEST

START_TEST(a_second_stop_may_lengthen_the_deadline)
{
	open_with_client(_i, scene_put_off);
	client_ask(&client, &scene, "hello");
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_NOW), 0);
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	scene_serve(&scene);
	ck_assert(!unixservice_is_drained(scene.service));
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "x", 1),
		1);
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_NOW), 0);
	ck_assert_uint_eq(scene_count(&scene).stopped, 0);
}
END_TEST

START_TEST(a_refused_deadline_stops_nothing)
{
	open_with_client(_i, scene_put_off);
	ck_assert_errno(unixservice_stop(scene.service, -1), EINVAL);
	client_ask(&client, &scene, "hello");
	ck_assert_uint_eq(scene_count(&scene).received, 1);
	ck_assert(!unixservice_is_drained(scene.service));
}
END_TEST

/* SIGTERM drains, the second one ends that. */
START_TEST(a_second_stop_descriptor_ends_the_drain)
{
	int first = eventfd(1, EFD_CLOEXEC), second = eventfd(0, EFD_CLOEXEC);

	open_with_client(_i, scene_put_off);
	client_say(&client, "hello");
	ck_assert_int_eq(unixservice_run(scene.service, UNIXMSG_NOW), -1);
	scene_serve(&scene);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, first), 0);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, second), 0);
	ck_assert_int_eq(eventfd_write(second, 1), 0);
	ck_assert_errno(unixservice_drain(scene.service, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	assert_missing(scene_address(_i));
	close(first);
	close(second);
}
END_TEST

static int stop_from_within(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	ck_assert_int_eq(unixservice_stop(at->service, UNIXMSG_FOREVER), 0);
	return scene_echo(at, peer, msg);
}

START_TEST(a_handler_may_stop_the_service)
{
	open_with_client(_i, stop_from_within);
	client_say(&client, "one");
	client_say(&client, "two");
	ck_assert_int_eq(unixservice_run(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_uint_eq(scene_count(&scene).answered, _i == BYTES ? 1 : 2);
	client_hear(&client, _i == BYTES ? "onetwo" : "one");
}
END_TEST

static int listen_once_more(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	ck_assert_int_eq(unixservice_stop(at->service, UNIXMSG_FOREVER), 0);
	ck_assert_errno(unixservice_listen(at->service, "unixgram",
				support_path("late"), NULL),
		EINVAL);
	ck_assert_errno(unixservice_listen(at->service, "unix",
				support_path("late"), NULL),
		EINVAL);
	assert_missing(support_path("late"));
	return scene_echo(at, peer, msg);
}

START_TEST(nothing_is_served_after_the_stop)
{
	open_with_client(_i, listen_once_more);
	client_say(&client, "one");
	ck_assert_int_eq(unixservice_run(scene.service, UNIXMSG_FOREVER), 0);
}
END_TEST

/* The half-closed one gets what is owed, and the service its end. */
START_TEST(a_half_closed_peer_does_not_hold_up_the_drain)
{
	open_with_client(PACKET + _i, scene_put_off);
	client_say(&client, "hello");
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	scene_serve(&scene);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "x", 1),
		1);
	scene_serve_while(&scene, !unixservice_is_drained(scene.service));
	client_hear(&client, "x");
}
END_TEST

START_TEST(a_drain_outlasts_the_want_of_descriptors)
{
	scene_open_with(&scene, &client, PACKET + _i, scene_echo, NULL);
	client_say(&client, "hello");
	support_limit_fds(0);
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_int_le(scene_serve(&scene), 5);
	ck_assert_uint_eq(scene_count(&scene).pauses, 1);
	support_lift_fds_limit();
	ck_assert_int_eq(unixservice_run(scene.service, soon()), 0);
	client_hear(&client, "hello");
}
END_TEST

/* Sockets that others use too. */

static void add(struct scene *to, int fd, int kind)
{
	if (kind == GRAM)
		ck_assert_int_eq(unixservice_add_conn(to->service,
					 unixconn_adopt(fd), 0, NULL),
			0);
	else
		ck_assert_int_eq(unixservice_add_listener(to->service,
					 unixlistener_adopt(fd),
					 kind == BYTES ? UNIXMSG_LISTEN_BYTES
						       : 0),
			0);
}

static int type_of(int kind)
{
	return kind == BYTES ? SOCK_STREAM : types[kind];
}

/* What waits there is the next owner's, and so is who comes later. */
static void check_successor(int fd, int kind, const char *text)
{
	struct scene successor;

	scene_open(&successor, scene_echo, NULL);
	add(&successor, fd, kind);
	scene_serve(&successor);
	ck_assert_str_eq(successor.data, text);
	client_close(&client);
	client_dial(&client, kind);
	client_say(&client, "later");
	scene_serve(&successor);
	client_hear(&client, "later");
	client_close(&client);
	scene_serve(&successor);
	scene_close(&successor);
}

START_TEST(an_adopted_socket_is_left_as_it_is)
{
	int fd = open_listening(type_of(_i), scene_address(_i));
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	scene_open(&scene, scene_echo, NULL);
	add(&scene, fd, _i);
	client_dial(&client, _i);
	client_say(&client, "for the next");
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_uint_eq(scene.heard, 0);
	scene_close(&scene);
	assert_is_socket(scene_address(_i));
	check_successor(copy, _i, "for the next");
	ck_assert_int_eq(unlink(scene_address(_i)), 0);
}
END_TEST

/* Not even those that the round has seen already. */
START_TEST(a_handler_that_stops_leaves_the_rest_to_the_next)
{
	int fd = open_listening(SOCK_DGRAM, scene_address(GRAM));
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	scene_open(&scene, stop_from_within, NULL);
	add(&scene, fd, GRAM);
	client_dial(&client, GRAM);
	client_say(&client, "for us");
	client_say(&client, "for the next");
	ck_assert_int_eq(unixservice_run(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_uint_eq(scene.heard, 1);
	scene_close(&scene);
	check_successor(copy, GRAM, "for the next");
	ck_assert_int_eq(unlink(scene_address(GRAM)), 0);
}
END_TEST

static void stop_when_accepted(struct scene *at,
	const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_OPENED)
		ck_assert_int_eq(unixservice_stop(at->service, UNIXMSG_NOW), 0);
}

START_TEST(a_watcher_that_stops_leaves_the_rest_to_the_next)
{
	int fd = open_listening(type_of(PACKET + _i),
		scene_address(PACKET + _i));
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	scene_open(&scene, scene_echo, NULL);
	scene.react = stop_when_accepted;
	add(&scene, fd, PACKET + _i);
	client_dial(&other, PACKET + _i);
	client_dial(&client, PACKET + _i);
	client_say(&client, "for the next");
	ck_assert_int_eq(unixservice_run(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_uint_eq(scene_count(&scene).connections, 1);
	client_close(&other);
	scene_close(&scene);
	check_successor(copy, PACKET + _i, "for the next");
	ck_assert_int_eq(unlink(scene_address(PACKET + _i)), 0);
}
END_TEST

/* Bound before fork(2), served by a child: the parent goes on with it. */
START_TEST(a_child_leaves_the_socket_to_its_parent)
{
	struct server server;
	pid_t pid;

	ck_assert_int_eq(open_server(&server, types[_i], scene_address(_i),
				 NULL),
		0);
	/* Who writes without credentials is not answered everywhere. */
	if (_i == GRAM)
		ck_assert_int_eq(unixconn_want(server.gram, UNIXMSG_WANT_CRED),
			0);
	client_dial(&client, _i);
	client_say(&client, "for the parent");
	pid = support_fork();
	if (pid == 0) {
		scene_open(&scene, scene_echo, NULL);
		scene_add_server(&scene, &server);
		ck_assert_int_eq(unixservice_drain(scene.service, soon()), 0);
		ck_assert_uint_eq(scene.heard, 0);
		scene_close(&scene);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_is_socket(scene_address(_i));
	scene_open(&scene, scene_echo, NULL);
	scene_add_server(&scene, &server);
	scene_serve(&scene);
	client_hear(&client, "for the parent");
	client_close(&client);
	ck_assert_int_eq(unixservice_drain(scene.service, soon()), 0);
	scene_close(&scene);
	assert_files(0);
}
END_TEST

/* What comes after the stop */

START_TEST(nothing_can_be_added_after_the_stop)
{
	struct server gram, packet;
	struct unixconn *packets[2];
	struct unixconn *streams[2];

	ck_assert_int_eq(open_server(&gram, SOCK_DGRAM, support_path("g"),
				 NULL),
		0);
	ck_assert_int_eq(open_server(&packet, SOCK_SEQPACKET, support_path("p"),
				 NULL),
		0);
	ck_assert_int_eq(unixconn_pair("unixpacket", packets), 0);
	ck_assert_int_eq(unixconn_pair("unix", streams), 0);
	scene_open_kind(&scene, PACKET, scene_echo, NULL);
	ck_assert_int_eq(unixservice_stop(scene.service, soon()), 0);
	ck_assert_errno(unixservice_add_conn(scene.service, gram.gram, 0, NULL),
		EINVAL);
	ck_assert_errno(unixservice_add_listener(scene.service, packet.listener,
				0),
		EINVAL);
	ck_assert_errno(unixservice_add_conn(scene.service, packets[0], 0,
				NULL),
		EINVAL);
	ck_assert_errno(unixservice_add_conn(scene.service, streams[0], 0,
				NULL),
		EINVAL);
	ck_assert_errno(unixservice_listen(scene.service, "unixpacket",
				support_path("new"), NULL),
		EINVAL);
	assert_missing(support_path("new"));
	ck_assert_int_eq(unixservice_drain(scene.service, soon()), 0);
	scene_close(&scene);
	close_server(&gram);
	close_server(&packet);
	unixconn_close(packets[0]);
	unixconn_close(packets[1]);
	unixconn_close(streams[0]);
	unixconn_close(streams[1]);
}
END_TEST

enum { RECONNECTIONS_MOST = 1000 };

/* A watcher that keeps a connection up. */
static void connect_again(struct scene *at,
	const struct unixservice_event *event)
{
	struct unixconn *pair[2];

	if (event->kind != UNIXSERVICE_CLOSED ||
		at->number == RECONNECTIONS_MOST)
		return;
	at->number++;
	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	if (unixservice_add_conn(at->service, pair[0], 0, NULL) < 0)
		unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}

START_TEST(who_connects_again_and_again_does_not_hold_up_the_drain)
{
	struct unixconn *pair[2];

	scene_open_kind(&scene, PACKET, scene_echo, NULL);
	scene.react = connect_again;
	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0, NULL),
		0);
	ck_assert_int_eq(unixservice_drain(scene.service, soon()), 0);
	ck_assert_int_eq(scene.number, 1);
	unixconn_close(pair[1]);
}
END_TEST

static TCase *make_drain_tests(void)
{
	TCase *tcase = make_scene_tcase("drain");

	tcase_add_loop_test(tcase, a_service_without_work_is_drained_at_once, 0,
		KINDS);
	tcase_add_loop_test(tcase, what_the_kernel_has_taken_is_answered, 0,
		KINDS);
	tcase_add_loop_test(tcase, who_sends_after_the_stop_is_told_at_once, 0,
		KINDS);
	tcase_add_loop_test(tcase, the_name_is_gone_at_once, 0, KINDS);
	tcase_add_loop_test(tcase, nobody_gets_in_by_an_abstract_name, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase, connections_that_wait_are_served, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase, what_is_kept_is_waited_for, 0, KINDS);
	tcase_add_test(tcase, nothing_can_be_added_after_the_stop);
	tcase_add_test(tcase,
		who_connects_again_and_again_does_not_hold_up_the_drain);
	tcase_add_loop_test(tcase, a_handler_may_stop_the_service, 0, KINDS);
	tcase_add_loop_test(tcase, nothing_is_served_after_the_stop, 0, KINDS);
	tcase_add_loop_test(tcase,
		a_half_closed_peer_does_not_hold_up_the_drain, 0, KINDS - 1);
	support_add_limited_test(tcase,
		a_drain_outlasts_the_want_of_descriptors, 0, KINDS - 1);
	return tcase;
}

static TCase *make_deadline_tests(void)
{
	TCase *tcase = make_scene_tcase("deadlines");

	tcase_add_loop_test(tcase, the_deadline_gives_up_and_counts, 0, KINDS);
	tcase_add_loop_test(tcase, kept_answers_are_given_up_too, 0, KINDS);
	tcase_add_loop_test(tcase, the_deadline_comes_through_the_descriptor, 0,
		KINDS);
	tcase_add_loop_test(tcase, a_second_stop_may_shorten_the_deadline, 0,
		KINDS);
	tcase_add_loop_test(tcase, a_second_stop_may_lengthen_the_deadline, 0,
		KINDS);
	tcase_add_loop_test(tcase, a_refused_deadline_stops_nothing, 0, KINDS);
	tcase_add_loop_test(tcase, a_second_stop_descriptor_ends_the_drain, 0,
		KINDS);
	return tcase;
}

static TCase *make_shared_tests(void)
{
	TCase *tcase = make_scene_tcase("shared");

	tcase_add_loop_test(tcase, an_adopted_socket_is_left_as_it_is, 0,
		KINDS);
	tcase_add_test(tcase, a_handler_that_stops_leaves_the_rest_to_the_next);
	tcase_add_loop_test(tcase,
		a_watcher_that_stops_leaves_the_rest_to_the_next, 0, KINDS - 1);
	tcase_add_loop_test(tcase, a_child_leaves_the_socket_to_its_parent, 0,
		TYPES);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_drain", make_drain_tests(),
		make_deadline_tests(), make_shared_tests());
}
