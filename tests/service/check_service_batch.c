/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in batches: the promises for single ones hold for them too. The
 * messages lie in the queue of the service before it looks. It takes the first
 * ROUND_FIRST one by one, for only they tell that there is a queue, and the
 * others as one batch.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/service_scene.h"

/* A socket's queue holds these at least, by the kernel's default. */
enum { QUEUE = 10, ROUND_FIRST = 4, CLIENTS = 3 };

static struct scene scene;
static struct client clients[CLIENTS];

static struct unixservice_options make_options(void)
{
	struct unixservice_options options = scene_options();

	options.batch = 16;
	options.patience_us = 600000000;
	return options;
}

static void open_with(scene_act *act, const struct unixservice_options *options)
{
	int i;

	scene_open_kind(&scene, GRAM, act, options);
	for (i = 0; i < CLIENTS; i++)
		client_dial(&clients[i], GRAM);
}

static void open_all(scene_act *act)
{
	const struct unixservice_options options = make_options();

	open_with(act, &options);
}

static void close_all(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	scene_close(&scene);
}

static void say_number(struct client *client, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	client_say(client, text);
}

static void hear_number(struct client *client, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	client_hear(client, text);
}

/* They all lie in the queue then: each client's in turn. */
static void fill_queue(int count)
{
	int i;

	for (i = 0; i < count; i++)
		say_number(&clients[i % CLIENTS], i);
}

static void hear_all(int count)
{
	int i;

	for (i = 0; i < count; i++)
		hear_number(&clients[i % CLIENTS], i);
	for (i = 0; i < CLIENTS; i++)
		client_hear_nothing(&clients[i]);
}

START_TEST(everybody_is_answered_in_order)
{
	int round;

	open_all(scene_echo);
	for (round = 0; round < 20; round++) {
		fill_queue(QUEUE);
		scene_serve(&scene);
		hear_all(QUEUE);
	}
	ck_assert_uint_eq(scene_count(&scene).answered, 20 * QUEUE);
}
END_TEST

/* Looks whether a batch has taken the messages behind the one that is handled
 * out of the queue of the socket. */
static int echo_and_look(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	struct pollfd entry = { unixservice_get_fd(at->service), POLLIN, 0 };

	if (at->heard == ROUND_FIRST + 1)
		at->number = support_poll(&entry, 1, 0);
	return scene_echo(at, peer, msg);
}

static bool come_together(void)
{
	scene.heard = 0;
	fill_queue(QUEUE);
	scene_serve(&scene);
	hear_all(QUEUE);
	return scene.number == 0;
}

static bool do_come_together(const struct unixservice_options *options)
{
	bool is_together;

	open_with(echo_and_look, options);
	is_together = come_together();
	close_all();
	return is_together;
}

START_TEST(queued_messages_come_together)
{
	struct unixservice_options options = make_options();

	ck_assert(do_come_together(&options));
	options.batch = 1;
	ck_assert(!do_come_together(&options));
	options.batch = 0;
	ck_assert(!do_come_together(&options));
}
END_TEST

START_TEST(messages_with_descriptors_come_one_by_one)
{
	struct unixservice_options options = make_options();

	options.wants = UNIXMSG_WANT_FDS;
	options.fds_max = 1;
	ck_assert(!do_come_together(&options));
}
END_TEST

/* The next process must find the messages that this one does not handle. */
START_TEST(a_socket_of_others_is_read_one_by_one)
{
	const struct unixservice_options options = make_options();
	struct unixconn *bound, *adopted;
	int i;

	bound = unixconn_open("unixgram", scene_address(GRAM), NULL);
	ck_assert_ptr_nonnull(bound);
	adopted = unixconn_adopt(dup(unixconn_get_fd(bound)));
	ck_assert_ptr_nonnull(adopted);
	scene_open(&scene, echo_and_look, &options);
	ck_assert_int_eq(unixservice_add_conn(scene.service, adopted, 0, NULL),
		0);
	for (i = 0; i < CLIENTS; i++)
		client_dial(&clients[i], GRAM);
	ck_assert(!come_together());
	close_all();
	unixconn_close(bound);
}
END_TEST

static int echo_and_close(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	scene_echo(at, peer, msg);
	return UNIXSERVICE_CLOSE;
}

/* As one by one: each message of a client comes from a new peer. */
START_TEST(a_client_that_is_closed_has_been_answered)
{
	open_all(echo_and_close);
	fill_queue(QUEUE);
	scene_serve(&scene);
	hear_all(QUEUE);
	ck_assert_uint_eq(scene_count(&scene).answered, QUEUE);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_OPENED], QUEUE);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], QUEUE);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
}
END_TEST

/* There is one place: each client has its answer before it loses that. */
START_TEST(a_client_that_makes_place_has_been_answered)
{
	struct unixservice_options options = make_options();

	options.peers_max = 1;
	open_with(scene_echo, &options);
	fill_queue(QUEUE);
	scene_serve(&scene);
	hear_all(QUEUE);
	ck_assert_uint_eq(scene_count(&scene).answered, QUEUE);
}
END_TEST

START_TEST(rates_hold)
{
	struct unixservice_options options = make_options();

	options.user_rate = 1;
	options.user_burst = QUEUE - 3;
	open_with(scene_echo, &options);
	fill_queue(QUEUE);
	scene_serve(&scene);
	hear_all(QUEUE - 3);
	ck_assert_uint_eq(scene_count(&scene).limited, 3);
}
END_TEST

START_TEST(rules_hold)
{
	open_all(scene_echo);
	ck_assert_int_eq(unixservice_deny_user(scene.service, geteuid()), 0);
	fill_queue(QUEUE);
	scene_serve(&scene);
	hear_all(0);
	ck_assert_uint_eq(scene_count(&scene).refused, QUEUE);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_REFUSED], CLIENTS);
}
END_TEST

static void check_cut(struct scene *at, const struct unixservice_event *event)
{
	(void)at;
	if (event->kind != UNIXSERVICE_CUT)
		return;
	ck_assert_uint_eq(event->msg->size, 100);
	ck_assert_uint_eq(event->msg->room, 2);
}

START_TEST(a_message_that_is_too_large_is_cut_alone)
{
	struct unixservice_options options = make_options();
	char large[100] = { 0 };

	options.size_max = 2;
	open_with(scene_echo, &options);
	scene.react = check_cut;
	fill_queue(QUEUE - 1);
	client_send(&clients[0], large, sizeof(large));
	scene_serve(&scene);
	hear_all(QUEUE - 1);
	ck_assert_uint_eq(scene_count(&scene).cut, 1);
}
END_TEST

static int echo_and_stop(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	if (at->heard == ROUND_FIRST + 2)
		ck_assert_int_eq(unixservice_stop(at->service, UNIXMSG_FOREVER),
			0);
	return scene_echo(at, peer, msg);
}

START_TEST(a_stop_in_a_batch_answers_all_that_has_come)
{
	open_all(echo_and_stop);
	fill_queue(QUEUE);
	ck_assert_int_eq(unixservice_run(scene.service, scene_get_limit()), 0);
	ck_assert(unixservice_is_drained(scene.service));
	hear_all(QUEUE);
	ck_assert_uint_eq(scene_count(&scene).answered, QUEUE);
}
END_TEST

START_TEST(two_sockets_have_batches_in_turn)
{
	const char *address = support_path("second");
	struct client other;
	int i;

	open_all(scene_echo);
	scene_listen_at(&scene, GRAM, address);
	client_dial_at(&other, GRAM, address);
	fill_queue(QUEUE);
	for (i = 0; i < QUEUE; i++)
		say_number(&other, i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 2 * QUEUE);
	hear_all(QUEUE);
	for (i = 0; i < QUEUE; i++)
		hear_number(&other, i);
	client_close(&other);
}
END_TEST

START_TEST(a_batch_has_a_largest_size)
{
	struct unixservice_options options = make_options();

	memset(&scene, 0, sizeof(scene));
	options.batch = UNIXMSG_BATCH_MAX + 1;
	ck_assert_null_errno(unixservice_new((unixservice_handler *)abort, NULL,
				     &options),
		EINVAL);
	options.batch = UNIXMSG_BATCH_MAX;
	open_with(scene_echo, &options);
	fill_queue(QUEUE);
	scene_serve(&scene);
	hear_all(QUEUE);
}
END_TEST

int main(void)
{
	TCase *tcase = make_scene_tcase("batch");

	tcase_add_test(tcase, everybody_is_answered_in_order);
	tcase_add_test(tcase, queued_messages_come_together);
	tcase_add_test(tcase, messages_with_descriptors_come_one_by_one);
	tcase_add_test(tcase, a_socket_of_others_is_read_one_by_one);
	tcase_add_test(tcase, a_client_that_is_closed_has_been_answered);
	tcase_add_test(tcase, a_client_that_makes_place_has_been_answered);
	tcase_add_test(tcase, rates_hold);
	tcase_add_test(tcase, rules_hold);
	tcase_add_test(tcase, a_message_that_is_too_large_is_cut_alone);
	tcase_add_test(tcase, a_stop_in_a_batch_answers_all_that_has_come);
	tcase_add_test(tcase, two_sockets_have_batches_in_turn);
	tcase_add_test(tcase, a_batch_has_a_largest_size);
	return support_run_cases("service_batch", tcase);
}
