/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection, to its end: what a client has sent is heard
 * whatever it does not read, and who has died keeps nothing.
 */
#include <config.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

enum { TIMES = 10, LARGE = 50000 };

static struct scene scene;
static struct client client;
static char large[LARGE];

static void open_with_client(int kind, scene_act *act,
	const struct unixservice_options *options)
{
	scene_open_with(&scene, &client, kind, act, options);
}

static void say_some(int count)
{
	int i;

	for (i = 0; i < count; i++)
		client_say(&client, "hello");
}

/* Acts: each counts the bytes in number, since streams have no messages. */

static int note(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)peer;
	at->number += (int)msg->size;
	return UNIXSERVICE_DONE;
}

static int acknowledge_first(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	if (at->heard == 1)
		unixservice_send(at->service, peer, "taken", 5);
	return note(at, peer, msg);
}

static int acknowledge(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	unixservice_send(at->service, peer, "taken", 5);
	return note(at, peer, msg);
}

static int owe(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	note(at, peer, msg);
	return UNIXSERVICE_LATER;
}

static int acknowledge_first_and_owe(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	if (at->heard > 1)
		return owe(at, peer, msg);
	return acknowledge(at, peer, msg);
}

static int answer_large(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	unixservice_send(at->service, peer, large, sizeof(large));
	return note(at, peer, msg);
}

static scene_act *const acts[] = { note, acknowledge_first, acknowledge, owe };

static void check_end(void)
{
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	scene_close(&scene);
}

/* Fire and forget */

/* _i: kind, and what the handler does. */
START_TEST(what_a_client_sent_before_it_closed_is_heard)
{
	scene_act *act = acts[_i / (KINDS - PACKET)];

	open_with_client(PACKET + _i % (KINDS - PACKET), act, NULL);
	say_some(TIMES);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 5 * TIMES);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED],
		act == note ? 0 : EPIPE);
	check_end();
}
END_TEST

/* The kernel tells of a reset then, before what was sent. */
START_TEST(what_a_client_sent_is_heard_though_it_left_answers_unread)
{
	open_with_client(PACKET + _i, acknowledge, NULL);
	say_some(1);
	scene_serve(&scene);
	say_some(TIMES - 1);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 5 * TIMES);
	check_end();
}
END_TEST

START_TEST(what_a_client_sent_is_heard_after_an_event_went_to_it_in_vain)
{
	open_with_client(PACKET + _i, note, NULL);
	say_some(1);
	scene_serve(&scene);
	say_some(2);
	client_close(&client);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		EPIPE);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 15);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EPIPE);
	check_end();
}
END_TEST

/* It is not read from while answers to it are kept. */
START_TEST(what_a_client_sent_is_heard_though_its_answers_were_kept)
{
	open_with_client(PACKET + _i, answer_large, NULL);
	say_some(TIMES);
	scene_serve(&scene);
	while (scene_count(&scene).queued == 0) {
		say_some(1);
		scene_serve(&scene);
	}
	scene.number = 0;
	say_some(TIMES);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 0);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_int_ge(scene.number, 5 * TIMES);
	ck_assert_uint_gt(scene_count(&scene).gone, 0);
	check_end();
}
END_TEST

/* As systemd-cat does: shutdown(2) of what it never reads, and then it logs. */
START_TEST(a_client_that_reads_nothing_may_go_on_sending)
{
	int i;

	open_with_client(PACKET + _i, acknowledge, NULL);
	ck_assert_int_eq(shutdown(client_get_fd(&client), SHUT_RD), 0);
	for (i = 0; i < TIMES; i++) {
		say_some(1);
		scene_serve(&scene);
		ck_assert_int_eq(scene_serve(&scene), 0);
	}
	ck_assert_int_eq(scene.number, 5 * TIMES);
	ck_assert_uint_eq(scene_count(&scene).gone, scene.heard);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LOST], scene.heard);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], EPIPE);
	client_close(&client);
	scene_serve(&scene);
	check_end();
}
END_TEST

/* There is nothing that would have to go out first. */
START_TEST(who_can_be_sent_nothing_is_closed_at_once)
{
	open_with_client(PACKET + _i, acknowledge, NULL);
	ck_assert_int_eq(shutdown(client_get_fd(&client), SHUT_RD), 0);
	say_some(1);
	scene_serve(&scene);
	scene.act = scene_put_off;
	say_some(1);
	scene_serve(&scene);
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EPIPE);
	client_hear_end(&client);
	client_close(&client);
	check_end();
}
END_TEST

START_TEST(who_can_be_sent_nothing_is_silent_though_it_is_owed_something)
{
	struct unixservice_options options = scene_options();

	options.idle_us = 20000;
	open_with_client(PACKET + _i, acknowledge_first_and_owe, &options);
	ck_assert_int_eq(shutdown(client_get_fd(&client), SHUT_RD), 0);
	say_some(2);
	scene_serve_while(&scene, scene.heard < 2);
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	ck_assert_uint_eq(scene_count(&scene).idle, 1);
	client_close(&client);
	check_end();
}
END_TEST

/* The rate has it wait, and its end must not wake the loop meanwhile. */
START_TEST(what_waits_for_its_turn_is_heard_after_the_end)
{
	struct unixservice_options options = scene_options();

	options.user_rate = 50;
	options.user_burst = 1;
	open_with_client(PACKET + _i % 2, acts[_i / 2], &options);
	say_some(3);
	ck_assert_int_le(scene_serve(&scene), 5);
	client_close(&client);
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	ck_assert_int_eq(scene.number, 15);
	check_end();
}
END_TEST

/* The dead */

START_TEST(who_died_while_an_answer_was_owed_is_closed)
{
	open_with_client(PACKET + _i, owe, NULL);
	say_some(1);
	scene_serve(&scene);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EPIPE);
	check_end();
}
END_TEST

/* It has only ended its own direction, and is waited for. */
START_TEST(who_died_after_it_had_sent_all_is_closed)
{
	open_with_client(PACKET + _i, owe, NULL);
	say_some(1);
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	check_end();
}
END_TEST

START_TEST(the_dead_are_not_waited_for_by_a_drain)
{
	open_with_client(PACKET + _i, owe, NULL);
	say_some(1);
	scene_serve(&scene);
	client_close(&client);
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_uint_eq(scene_count(&scene).stopped, 0);
	check_end();
}
END_TEST

static struct unixservice_options make_impatient(void)
{
	struct unixservice_options options = scene_options();

	options.patience_us = 20000;
	options.wants = UNIXMSG_WANT_FDS;
	options.fds_max = 1;
	return options;
}

/* How many messages that took. */
static int have_answers_kept(void)
{
	int count;

	for (count = 0; scene_count(&scene).queued == 0; count++) {
		say_some(1);
		ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	}
	return count;
}

START_TEST(who_takes_nothing_of_what_is_kept_is_closed_in_the_end)
{
	const struct unixservice_options options = make_impatient();

	open_with_client(PACKET + _i, answer_large, &options);
	have_answers_kept();
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	ck_assert_uint_eq(scene_count(&scene).late, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ETIMEDOUT);
	client_close(&client);
	check_end();
}
END_TEST

/* There is nothing left to be read of it. */
START_TEST(who_has_ended_and_takes_nothing_is_closed_in_the_end)
{
	const struct unixservice_options options = make_impatient();

	open_with_client(PACKET + _i, owe, &options);
	say_some(1);
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	while (scene_count(&scene).queued == 0)
		ck_assert_int_eq(unixservice_send(scene.service, scene.peer,
					 large, sizeof(large)),
			1);
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ETIMEDOUT);
	ck_assert_uint_ge(scene_count(&scene).late +
			scene_count(&scene).pushed_lost,
		1);
	client_close(&client);
	check_end();
}
END_TEST

/* It was not read from meanwhile. All that it has sent is there still. */
START_TEST(what_was_sent_by_who_is_late_is_read)
{
	struct unixservice_options options = make_impatient();
	const bool is_idle = _i >= KINDS - PACKET;
	int bytes;

	if (is_idle) {
		options.idle_us = options.patience_us;
		options.patience_us = UNIXMSG_FOREVER;
	}
	open_with_client(PACKET + _i % (KINDS - PACKET), answer_large,
		&options);
	have_answers_kept();
	bytes = scene.number;
	say_some(TIMES);
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	ck_assert_int_eq(scene.number, bytes + 5 * TIMES);
	ck_assert_uint_eq(scene_count(&scene).late, is_idle ? 0 : 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ETIMEDOUT);
	client_close(&client);
	check_end();
}
END_TEST

/* So little that polling does not tell of it. */
START_TEST(who_reads_a_little_is_not_late)
{
	const struct unixservice_options options = make_impatient();
	static char data[LARGE];
	size_t size;

	open_with_client(PACKET + _i, answer_large, &options);
	have_answers_kept();
	ck_assert_int_eq(client_try_recv(&client, data, sizeof(data), &size),
		1);
	scene_serve_while(&scene, scene_count(&scene).queued > 0);
	ck_assert_uint_eq(scene_count(&scene).late, 0);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	client_close(&client);
	scene_serve(&scene);
	check_end();
}
END_TEST

/* Nor of this one, which goes on sending then. */
START_TEST(who_ends_its_reading_while_answers_are_kept_is_heard)
{
	const struct unixservice_options options = make_impatient();
	int count;

	open_with_client(PACKET + _i, answer_large, &options);
	/* Of a stream all is read ahead. */
	say_some(TIMES);
	count = TIMES + have_answers_kept();
	ck_assert_int_eq(shutdown(client_get_fd(&client), SHUT_RD), 0);
	scene_serve_while(&scene, scene_count(&scene).queued > 0);
	ck_assert_uint_eq(scene_count(&scene).late, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], EPIPE);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 5 * count);
	say_some(TIMES);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 5 * (count + TIMES));
	client_close(&client);
	scene_serve(&scene);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EPIPE);
	check_end();
}
END_TEST

/*
 * The unread message holds the client's socket open: it has no end then, though
 * nobody is left who could read.
 */
START_TEST(a_socket_that_is_sent_over_itself_keeps_no_place)
{
	const struct unixservice_options options = make_impatient();
	int fds = support_count_fds();

	open_with_client(PACKET, answer_large, &options);
	have_answers_kept();
	ck_assert_int_eq(support_send_fds(client_get_fd(&client), "me", 2,
				 client_get_fd(&client), 1),
		2);
	client_close(&client);
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	check_end();
	ck_assert_int_eq(support_count_fds(), fds);
}
END_TEST

static TCase *make_fire_tests(void)
{
	TCase *tcase = make_scene_tcase("fire and forget");
	const int links = KINDS - PACKET;

	tcase_add_loop_test(tcase, what_a_client_sent_before_it_closed_is_heard,
		0, links * (int)COUNT(acts));
	tcase_add_loop_test(tcase,
		what_a_client_sent_is_heard_though_it_left_answers_unread, 0,
		links);
	tcase_add_loop_test(tcase,
		what_a_client_sent_is_heard_after_an_event_went_to_it_in_vain,
		0, links);
	tcase_add_loop_test(tcase,
		what_a_client_sent_is_heard_though_its_answers_were_kept, 0,
		links);
	tcase_add_loop_test(tcase,
		a_client_that_reads_nothing_may_go_on_sending, 0, links);
	tcase_add_loop_test(tcase, who_can_be_sent_nothing_is_closed_at_once, 0,
		links);
	tcase_add_loop_test(tcase,
		who_can_be_sent_nothing_is_silent_though_it_is_owed_something,
		0, 2);
	tcase_add_loop_test(tcase,
		what_waits_for_its_turn_is_heard_after_the_end, 0,
		2 * (int)COUNT(acts));
	return tcase;
}

static TCase *make_death_tests(void)
{
	TCase *tcase = make_scene_tcase("deaths");
	const int links = KINDS - PACKET;

	tcase_add_loop_test(tcase, who_died_while_an_answer_was_owed_is_closed,
		0, links);
	tcase_add_loop_test(tcase, who_died_after_it_had_sent_all_is_closed, 0,
		links);
	tcase_add_loop_test(tcase, the_dead_are_not_waited_for_by_a_drain, 0,
		links);
	tcase_add_loop_test(tcase,
		who_takes_nothing_of_what_is_kept_is_closed_in_the_end, 0,
		links);
	tcase_add_loop_test(tcase,
		who_has_ended_and_takes_nothing_is_closed_in_the_end, 0, links);
	tcase_add_loop_test(tcase, what_was_sent_by_who_is_late_is_read, 0,
		2 * (KINDS - PACKET));
	tcase_add_loop_test(tcase, who_reads_a_little_is_not_late, 0, links);
	tcase_add_loop_test(tcase,
		who_ends_its_reading_while_answers_are_kept_is_heard, 0, links);
	tcase_add_test(tcase, a_socket_that_is_sent_over_itself_keeps_no_place);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_life", make_fire_tests(),
		make_death_tests());
}
