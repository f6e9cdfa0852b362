/* SPDX-License-Identifier: MIT */
/*
 * Services that a fork(2) has doubled: what the child does with its copy costs
 * the parent's clients nothing, and a child in the background owns it all.
 */
#include <config.h>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

static struct scene scene;
static struct client client;

static int64_t soon(void)
{
	return unixdeadline_after_us(50000);
}

/* In a child: a failed step ends it, and nobody can be told more. */
#define NEED(condition)                           \
	do {                                      \
		if (!(condition))                 \
			_exit(__LINE__ % 99 + 1); \
	} while (0)

/* What a child may do to its copy before it ends. */

static void close_it(void)
{
	NEED(unixservice_close(scene.service) == 0);
}

static void stop_it(void)
{
	NEED(unixservice_stop(scene.service, soon()) == 0);
	close_it();
}

static void drain_it(void)
{
	NEED(unixservice_drain(scene.service, soon()) == 0);
	close_it();
}

static void close_a_peer(void)
{
	NEED(unixservice_close_peer(scene.service, scene.peer) == 0);
	close_it();
}

static void run_it(void)
{
	NEED(unixservice_run(scene.service, soon()) == -1);
	NEED(errno == ETIMEDOUT);
	close_it();
}

static void change_its_stop(void)
{
	int stop[2];

	NEED(pipe(stop) == 0);
	NEED(unixservice_set_stop_fd(scene.service, stop[0]) == 0);
	NEED(unixservice_set_stop_fd(scene.service, -1) == 0);
	close_it();
}

static void do_nothing(void)
{
}

static void (*const deeds[])(void) = {
	close_it,
	stop_it,
	drain_it,
	close_a_peer,
	run_it,
	change_its_stop,
	do_nothing,
};

enum { DEEDS = (int)COUNT(deeds) };

static void in_a_child(void (*deed)(void))
{
	pid_t pid = support_fork();

	if (pid == 0) {
		deed();
		_exit(0);
	}
	support_wait_exit(pid, 0);
}

static void converse(const char *text)
{
	client_ask(&client, &scene, text);
	client_hear(&client, text);
}

START_TEST(what_a_child_does_costs_the_parents_clients_nothing)
{
	struct client next;
	const int kind = _i % KINDS;

	scene_open_with(&scene, &client, kind, scene_echo, NULL);
	converse("before");
	in_a_child(deeds[_i / KINDS]);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	converse("behind");
	converse("again");
	assert_is_socket(scene_address(kind));
	client_dial(&next, kind);
	client_ask(&next, &scene, "new");
	client_hear(&next, "new");
	client_close(&next);
	client_close(&client);
	scene_close(&scene);
	assert_files(0);
}
END_TEST

/* Answers are kept, so that the loop waits for room. */
START_TEST(a_child_that_closes_leaves_kept_answers_to_the_parent)
{
	static char large[8192];
	unsigned int sent = 0, heard = 0;
	size_t size;

	scene_open_with(&scene, &client, PACKET, scene_echo, NULL);
	while (scene_count(&scene).queued == 0) {
		client_send(&client, large, sizeof(large));
		sent++;
		scene_serve(&scene);
	}
	in_a_child(close_it);
	while (heard < sent) {
		if (client_try_recv(&client, large, sizeof(large), &size) == 1)
			heard++;
		else
			scene_serve(&scene);
	}
}
END_TEST

/* A timer of a child's is none of the parent's. */
START_TEST(a_child_sets_no_clock_of_the_parents)
{
	struct unixservice_options options = scene_options();
	struct pollfd ready = { .events = POLLIN };

	options.idle_us = 3600000000;
	scene_open_with(&scene, &client, PACKET, scene_echo, &options);
	converse("hello");
	in_a_child(run_it);
	ready.fd = unixservice_get_fd(scene.service);
	ck_assert_int_eq(support_poll(&ready, 1, 0), 0);
	converse("behind");
}
END_TEST

/* A worker that is forked in the handler */

static int fork_a_worker(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	in_a_child(close_it);
	return scene_echo(at, peer, msg);
}

START_TEST(a_worker_that_is_forked_in_the_handler_closes_its_copy)
{
	scene_open_with(&scene, &client, _i, fork_a_worker, NULL);
	converse("one");
	converse("two");
	client_hear_nothing(&client);
}
END_TEST

/* Children that serve */

static int answer_and_leave(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	scene_echo(at, peer, msg);
	NEED(unixservice_stop(at->service, soon()) == 0);
	return UNIXSERVICE_DONE;
}

/* It listens, forks, and the parent ends: as daemon(3) does. */
START_TEST(a_service_goes_into_the_background)
{
	int ready[2];
	pid_t pid;

	support_ready_init(ready);
	scene_open_kind(&scene, _i, answer_and_leave, NULL);
	pid = support_fork();
	if (pid == 0) {
		NEED(unixservice_set_unlink_on_close(scene.service, true) == 0);
		support_ready_tell(ready);
		NEED(unixservice_run(scene.service,
			     unixdeadline_after_us(20000000)) == 0);
		NEED(access(scene_address(_i), F_OK) < 0);
		close_it();
		_exit(0);
	}
	support_ready_wait(ready);
	ck_assert_int_eq(unixservice_set_unlink_on_close(scene.service, false),
		0);
	scene_close(&scene);
	client_dial(&client, _i);
	client_say(&client, "hello");
	support_wait_exit(pid, 0);
	client_hear(&client, "hello");
	client_close(&client);
	assert_files(0);
	close_pipe(ready);
}
END_TEST

START_TEST(without_being_the_owner_it_leaves_the_file)
{
	scene_open_kind(&scene, _i, scene_echo, NULL);
	in_a_child(drain_it);
	assert_is_socket(scene_address(_i));
	scene_close(&scene);
	assert_files(0);
}
END_TEST

static void fail_to_own_it(void)
{
	NEED(unlink(scene_address(PACKET)) == 0);
	NEED(unixservice_set_unlink_on_close(scene.service, true) == -1);
	NEED(errno == ESTALE);
}

START_TEST(a_file_that_is_gone_has_no_new_owner)
{
	scene_open_kind(&scene, PACKET, scene_echo, NULL);
	in_a_child(fail_to_own_it);
}
END_TEST

/* The loop outside has the descriptor's number. */
static void serve_by_its_number(void)
{
	int fd = unixservice_get_fd(scene.service);
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (scene.heard < 2) {
		NEED(support_poll(&ready, 1, 20000) == 1);
		NEED(unixservice_dispatch(scene.service) == 0);
	}
	NEED(unixservice_get_fd(scene.service) == fd);
	close_it();
}

START_TEST(a_child_serves_by_the_same_number)
{
	scene_open_with(&scene, &client, PACKET, scene_echo, NULL);
	converse("one");
	client_say(&client, "two");
	in_a_child(serve_by_its_number);
	client_hear(&client, "two");
	converse("three");
}
END_TEST

static void fail_to_serve(void)
{
	int fd;

	for (fd = 3; fd < 64; fd++)
		close(fd);
	NEED(unixservice_get_fd(scene.service) == -1);
	NEED(unixservice_run(scene.service, UNIXMSG_NOW) == -1);
	NEED(errno == EBADF);
	NEED(unixservice_dispatch(scene.service) == -1 && errno == EBADF);
}

START_TEST(a_child_that_has_closed_all_is_told)
{
	scene_open_with(&scene, &client, PACKET, scene_echo, NULL);
	converse("one");
	in_a_child(fail_to_serve);
	converse("two");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("service_fork");
	TCase *harm = make_scene_tcase("harm");
	TCase *serving = make_scene_tcase("serving");

	tcase_add_loop_test(harm,
		what_a_child_does_costs_the_parents_clients_nothing, 0,
		DEEDS * KINDS);
	tcase_add_test(harm,
		a_child_that_closes_leaves_kept_answers_to_the_parent);
	tcase_add_test(harm, a_child_sets_no_clock_of_the_parents);
	tcase_add_loop_test(harm,
		a_worker_that_is_forked_in_the_handler_closes_its_copy, 0,
		KINDS);
	suite_add_tcase(suite, harm);
	tcase_add_loop_test(serving, a_service_goes_into_the_background, 0,
		KINDS);
	tcase_add_loop_test(serving, without_being_the_owner_it_leaves_the_file,
		0, KINDS);
	tcase_add_test(serving, a_file_that_is_gone_has_no_new_owner);
	support_add_test_if(serving, a_child_serves_by_the_same_number,
		!support_has_lanes(), "a child leaves lanes to its parent");
	tcase_add_test(serving, a_child_that_has_closed_all_is_told);
	suite_add_tcase(suite, serving);
	return suite;
}

int main(void)
{
	return support_run(make_suite());
}
