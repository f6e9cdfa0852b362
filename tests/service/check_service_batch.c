/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in batches: what one by one promises holds for them too. Messages
 * lie in the queue of the service before it looks, so what comes in one batch
 * is the same each time: the first ROUND_FIRST are taken one by one, for only
 * they tell that there is a queue.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/service_scene.h"

/* No more lie in the queue of a datagram socket, where the system has not been
 * told otherwise. */
enum {
	QUEUE = 10,
	ROUND_FIRST = 4,
	CLIENTS = 3,
	LARGE = 20000,
	REPEATS = 8,
	MANY = 300
};

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

/* One that is not connected tells where to. */
static void say(struct client *client, const char *text)
{
	struct unixaddr to;

	if (unixconn_get_peer(client->conn, &to) == 0) {
		client_say(client, text);
		return;
	}
	ck_assert_int_eq(unixaddr_parse(&to, scene_address(GRAM)), 0);
	ck_assert_int_eq(unixconn_send_to(client->conn, &to, text, strlen(text),
				 UNIXMSG_NOW),
		1);
}

static void say_number(struct client *client, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	say(client, text);
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

/* So many that the next ones are a batch. */
static void fill_first(struct client *client)
{
	int i;

	for (i = 0; i < ROUND_FIRST; i++)
		say_number(client, i);
}

static void hear_all(int count)
{
	int i;

	for (i = 0; i < count; i++)
		hear_number(&clients[i % CLIENTS], i);
	for (i = 0; i < CLIENTS; i++)
		client_hear_nothing(&clients[i]);
}

static bool is_there(const struct client *client)
{
	struct pollfd entry = { client_get_fd(client), POLLIN, 0 };

	return support_poll(&entry, 1, 0) == 1;
}

static bool is_in_batch(void)
{
	return scene.heard > ROUND_FIRST;
}

static uint64_t get_id_of(const struct client *client)
{
	struct unixservice_peer_info info;
	struct unixaddr own;
	uint64_t id = 0;

	ck_assert_int_eq(unixconn_get_address(client->conn, &own), 0);
	while ((id = unixservice_get_next_peer(scene.service, id)) != 0) {
		ck_assert_int_eq(unixservice_get_peer_info(scene.service, id,
					 &info),
			0);
		if (unixaddr_is_equal(&info.addr, &own))
			return id;
	}
	ck_abort_msg("no such peer");
	return 0;
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

/* It is the turn of the last in the queue, and the one before is somebody else,
 * who has got nothing before. */
static int echo_and_look(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	int result = scene_echo(at, peer, msg);

	if (at->heard == QUEUE - 1)
		at->number = is_there(&clients[1]);
	return result;
}

/* Whether the answer to him had gone when the handler came back to us. */
static bool has_gone_at_once(void)
{
	int i;

	for (i = 0; i < QUEUE - 2; i++)
		say_number(&clients[0], i);
	say_number(&clients[1], i++);
	say_number(&clients[0], i);
	scene.heard = 0;
	scene_serve(&scene);
	for (i = 0; i < QUEUE; i++)
		hear_number(&clients[i == QUEUE - 2], i);
	return scene.number == 1;
}

static bool goes_at_once(const struct unixservice_options *options)
{
	bool has_gone;

	open_with(echo_and_look, options);
	has_gone = has_gone_at_once();
	close_all();
	return has_gone;
}

START_TEST(answers_go_when_the_last_of_the_batch_was_handled)
{
	struct unixservice_options options = make_options();

	ck_assert(!goes_at_once(&options));
	options.batch = 1;
	ck_assert(goes_at_once(&options));
	options.batch = 0;
	ck_assert(goes_at_once(&options));
}
END_TEST

/* He asks again before we look for more; number is of answers not yet there. */
static int echo_and_ask(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	static unsigned int answers;
	int result = scene_echo(at, peer, msg);

	if (at->heard == 1)
		answers = 0;
	for (; is_there(&clients[0]); answers++)
		client_hear(&clients[0], "again");
	at->number += answers < at->heard;
	if (at->heard < MANY)
		say(&clients[0], "again");
	return result;
}

/* A batch is tried now and then, for what comes one by one. */
START_TEST(a_quick_client_is_served_one_by_one)
{
	open_all(echo_and_ask);
	say(&clients[0], "again");
	scene_serve_while(&scene, scene.heard < MANY);
	ck_assert_int_gt(scene.number, 0);
	ck_assert_int_lt(scene.number, MANY / 10);
}
END_TEST

/* What was set aside of the send buffer is free again. */
START_TEST(the_hundredth_batch_is_as_the_first)
{
	struct unixservice_options options = make_options();
	int round;

	options.send_buffer_bytes = 1;
	open_with(echo_and_look, &options);
	for (round = 0; round < 100; round++)
		ck_assert(!has_gone_at_once());
}
END_TEST

/* The kernel would take much more. */
START_TEST(who_does_not_read_gets_no_more_of_the_send_buffer)
{
	static const char request[1000];
	struct unixservice_options options = make_options();
	int i, round;

	options.send_buffer_bytes = 1;
	open_with(scene_echo, &options);
	for (round = 0; round < 6; round++) {
		for (i = 0; i < QUEUE; i++)
			client_send(&clients[1], request, sizeof(request));
		scene_serve_while(&scene,
			scene.heard < (unsigned int)(round + 1) * QUEUE);
	}
	ck_assert_uint_gt(scene_count(&scene).queued, 3 * QUEUE);
}
END_TEST

START_TEST(messages_with_descriptors_come_one_by_one)
{
	struct unixservice_options options = make_options();

	options.wants = UNIXMSG_WANT_FDS;
	options.fds_max = 1;
	ck_assert(goes_at_once(&options));
}
END_TEST

/* A shared socket is the next one's too. */
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
	ck_assert(has_gone_at_once());
	close_all();
	unixconn_close(bound);
}
END_TEST

START_TEST(who_is_gone_takes_no_answer_of_others_with_him)
{
	int i;

	open_all(scene_echo);
	fill_queue(QUEUE - 1);
	client_close(&clients[1]);
	scene_serve(&scene);
	for (i = 0; i < QUEUE - 1; i++)
		if (i % CLIENTS != 1)
			hear_number(&clients[i % CLIENTS], i);
	ck_assert_uint_eq(scene_count(&scene).answered, QUEUE - 1 - 3);
	/* One was told so as he was, the next would have been another peer. */
	ck_assert_uint_eq(scene_count(&scene).gone +
			scene_count(&scene).unanswered,
		3);
	ck_assert_uint_ge(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOENT);
}
END_TEST

/* There is a bound for what waits at one that is not connected. */
static void bind_anew(struct client *client)
{
	char name[16];

	snprintf(name, sizeof(name), "full%d", (int)(client - clients));
	client_close(client);
	client_take(client, GRAM, open_gram(support_path(name)));
}

/*
 * Until the kernel has no room for one more at that client, and it is kept, or
 * dropped.
 */
static void get_full(struct client *client)
{
	uint64_t id;
	int i, result = 1;

	bind_anew(client);
	say(client, "-1");
	scene_serve(&scene);
	id = get_id_of(client);
	for (i = 0; result == 1 && scene_count(&scene).queued == 0; i++) {
		ck_assert_int_lt(i, 100000);
		result = unixservice_send(scene.service, id, "-1", 2);
		ck_assert_int_ge(result, 0);
	}
}

START_TEST(a_peer_that_does_not_read_delays_nobody)
{
	int i;

	open_all(scene_echo);
	get_full(&clients[1]);
	fill_queue(QUEUE - 1);
	scene_serve_while(&scene, scene.heard < 1 + QUEUE - 1);
	for (i = 0; i < QUEUE - 1; i++)
		if (i % CLIENTS != 1)
			hear_number(&clients[i % CLIENTS], i);
	ck_assert_uint_eq(scene_count(&scene).queued, 1 + 3);
	ck_assert_uint_eq(scene_count(&scene).waiting, 3);
}
END_TEST

/* The first of a batch finds no room, and those behind it are kept as well. */
START_TEST(what_is_kept_goes_in_order)
{
	char data[16];
	size_t size;
	int i, next = 0;

	open_all(scene_echo);
	get_full(&clients[1]);
	for (i = 0; i < QUEUE; i++)
		say_number(&clients[1], i);
	scene_serve_while(&scene, scene.heard < 1 + QUEUE);
	while (next < QUEUE) {
		if (client_try_recv(&clients[1], data, sizeof(data), &size) !=
			1) {
			ck_assert_int_eq(errno, EAGAIN);
			scene_serve_once(&scene, scene_get_limit(), "kept");
			continue;
		}
		data[size] = '\0';
		if (atoi(data) >= 0)
			ck_assert_int_eq(atoi(data), next++);
	}
}
END_TEST

START_TEST(what_the_policy_drops_is_told)
{
	struct unixservice_options options = make_options();

	options.queue_messages_max = 2;
	open_with(scene_echo, &options);
	get_full(&clients[1]);
	fill_queue(QUEUE - 1);
	scene_serve_while(&scene, scene.heard < 1 + QUEUE - 1);
	ck_assert_uint_eq(scene_count(&scene).dropped, 2);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LOST], 2);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], ENOBUFS);
	ck_assert_uint_eq(scene_count(&scene).queued, 2);
}
END_TEST

START_TEST(the_policy_closes_a_peer_in_the_middle_of_its_answers)
{
	struct unixservice_options options = make_options();
	int i;

	options.queue_messages_max = 1;
	options.policy = UNIXSERVICE_DROP_PEER;
	open_with(scene_echo, &options);
	get_full(&clients[1]);
	fill_queue(QUEUE - 1);
	scene_serve_while(&scene, scene.heard < 1 + QUEUE - 1);
	ck_assert_uint_ge(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
	for (i = 0; i < QUEUE - 1; i++)
		if (i % CLIENTS != 1)
			hear_number(&clients[i % CLIENTS], i);
}
END_TEST

static int echo_and_close(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	scene_echo(at, peer, msg);
	return UNIXSERVICE_CLOSE;
}

/* As one by one: each of his messages comes from a new peer. */
START_TEST(who_is_closed_has_been_answered)
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

/* There is one place, and each has had his answer when he loses it. */
START_TEST(who_makes_place_has_been_answered)
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

static int echo_in_batch(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	return is_in_batch() ? scene_echo(at, peer, msg)
			     : scene_be_silent(at, peer, msg);
}

/* The service does not know of it. */
static void fill_from_outside(const struct client *client)
{
	struct unixconn *other = unixconn_open("unixgram", "@", NULL);
	struct unixaddr to;

	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(unixconn_get_address(client->conn, &to), 0);
	while (unixconn_send_to(other, &to, "full", 4, UNIXMSG_NOW) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
	unixconn_close(other);
}

/* There is one place, and an answer that will have to be kept. */
START_TEST(who_is_still_to_be_answered_keeps_his_place)
{
	struct unixservice_options options = make_options();
	int i;

	options.peers_max = 1;
	open_with(echo_in_batch, &options);
	bind_anew(&clients[1]);
	fill_from_outside(&clients[1]);
	for (i = 0; i < ROUND_FIRST + 1; i++)
		say_number(&clients[1], i);
	say(&clients[2], "limited");
	scene_serve_while(&scene,
		scene_count(&scene).received < ROUND_FIRST + 2);
	ck_assert_uint_eq(scene_count(&scene).limited, 1);
	ck_assert_uint_eq(scene_count(&scene).queued, 1);
	ck_assert_uint_eq(scene_count(&scene).gone, 0);
}
END_TEST

static int answer_all_sizes(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	static char large[LARGE];
	struct unixmsg two;
	char b = 'b', c = 'c';
	struct iovec parts[2] = { { &b, 1 }, { &c, 1 } };

	if (!is_in_batch() || at->number++ > 0)
		return scene_echo(at, peer, msg);
	unixmsg_init(&two);
	two.parts = parts;
	two.parts_count = COUNT(parts);
	ck_assert_int_eq(unixservice_send(at->service, peer, "a", 1), 1);
	ck_assert_int_eq(unixservice_send(at->service, peer, large, LARGE), 1);
	ck_assert_int_eq(unixservice_send(at->service, peer, NULL, 0), 1);
	ck_assert_int_eq(unixservice_send_msg(at->service, peer, &two), 1);
	return UNIXSERVICE_DONE;
}

START_TEST(what_cannot_be_gathered_does_not_overtake)
{
	static char large[LARGE];
	int i;

	open_all(answer_all_sizes);
	for (i = 0; i < ROUND_FIRST + 2; i++)
		say_number(&clients[0], i);
	scene_serve(&scene);
	for (i = 0; i < ROUND_FIRST; i++)
		hear_number(&clients[0], i);
	client_hear(&clients[0], "a");
	client_expect(&clients[0], large, LARGE);
	client_hear(&clients[0], "");
	client_hear(&clients[0], "bc");
	hear_number(&clients[0], ROUND_FIRST + 1);
	ck_assert_uint_eq(scene_count(&scene).pushed, 3);
}
END_TEST

/* To all three, whoever has asked, again and again. */
static int tell_everybody(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	uint64_t id;
	int i;

	if (!is_in_batch())
		return scene_echo(at, peer, msg);
	for (i = 0; i < REPEATS; i++)
		for (id = 0;
			(id = unixservice_get_next_peer(at->service, id)) != 0;)
			ck_assert_int_eq(unixservice_send(at->service, id,
						 msg->data, msg->size),
				1);
	return UNIXSERVICE_DONE;
}

START_TEST(more_may_be_sent_than_has_come)
{
	struct unixservice_options options = make_options();
	int i, k, n;

	options.batch = _i == 0 ? 3 : UNIXMSG_BATCH_MAX;
	open_with(tell_everybody, &options);
	fill_queue(QUEUE - 2);
	scene_serve(&scene);
	for (i = 0; i < ROUND_FIRST; i++)
		hear_number(&clients[i % CLIENTS], i);
	for (k = 0; k < CLIENTS; k++)
		for (i = ROUND_FIRST; i < QUEUE - 2; i++)
			for (n = 0; n < REPEATS; n++)
				hear_number(&clients[k], i);
	ck_assert_uint_eq(scene_count(&scene).pushed,
		(CLIENTS * REPEATS - 1) * (QUEUE - 2 - ROUND_FIRST));
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 0);
}
END_TEST

static int put_off_or_answer_all(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	(void)msg;
	if (at->heard < QUEUE)
		return UNIXSERVICE_LATER;
	while (at->number-- > 0)
		ck_assert_int_eq(unixservice_send(at->service, peer, "later",
					 5),
			1);
	return UNIXSERVICE_DONE;
}

START_TEST(answers_to_those_before_are_counted_as_such)
{
	int i;

	open_all(put_off_or_answer_all);
	scene.number = QUEUE;
	for (i = 0; i < QUEUE; i++)
		say_number(&clients[0], i);
	scene_serve(&scene);
	for (i = 0; i < QUEUE; i++)
		client_hear(&clients[0], "later");
	ck_assert_uint_eq(scene_count(&scene).answered, QUEUE);
	ck_assert_uint_eq(scene_count(&scene).pushed, 0);
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

START_TEST(what_is_too_large_is_cut_alone)
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

START_TEST(who_stops_in_a_batch_answers_all_that_has_come)
{
	open_all(echo_and_stop);
	fill_queue(QUEUE);
	ck_assert_int_eq(unixservice_run(scene.service, scene_get_limit()), 0);
	ck_assert(unixservice_is_drained(scene.service));
	hear_all(QUEUE);
	ck_assert_uint_eq(scene_count(&scene).answered, QUEUE);
}
END_TEST

/*
 * Nothing may be kept, and of what one batch has gathered the first cannot go:
 * the watcher is told while 4 and 5 are still to be sent to client 0.
 */
static void lose_while_sending(scene_react *react)
{
	struct unixservice_options options = make_options();
	int i;

	options.queue_total_bytes_max = 1;
	open_with(scene_echo, &options);
	client_say(&clients[0], "0");
	get_full(&clients[1]);
	client_hear(&clients[0], "0");
	scene.other = get_id_of(&clients[0]);
	scene.react = react;
	fill_first(&clients[0]);
	say(&clients[1], "lost");
	say_number(&clients[0], ROUND_FIRST);
	say_number(&clients[0], ROUND_FIRST + 1);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 2 + ROUND_FIRST + 3);
	ck_assert_int_eq(scene.number, 1);
	for (i = 0; i < ROUND_FIRST + 2; i++)
		hear_number(&clients[0], i);
}

static void send_more(struct scene *at, const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_LOST && at->number++ == 0)
		ck_assert_int_eq(unixservice_send(at->service, at->other,
					 "more", 4),
			1);
}

START_TEST(a_watcher_may_send_behind_what_was_gathered)
{
	lose_while_sending(send_more);
	client_hear(&clients[0], "more");
}
END_TEST

/* So many that the last of them finds as many gathered as there may be. */
static int send_too_many(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	int i;

	if (msg->size != 4)
		return scene_echo(at, peer, msg);
	for (i = 0; i <= UNIXMSG_BATCH_MAX; i++)
		ck_assert_int_eq(unixservice_send(at->service, peer, "a", 1),
			1);
	return UNIXSERVICE_DONE;
}

/* What the watcher sends finds no room there, and behind it lies the message
 * that is handled next. */
START_TEST(a_watcher_may_send_when_no_more_can_be_gathered)
{
	struct unixservice_options options = make_options();
	int i;

	options.batch = UNIXMSG_BATCH_MAX;
	options.size_max = 8;
	options.queue_total_bytes_max = 1;
	open_with(send_too_many, &options);
	say(&clients[0], "0");
	get_full(&clients[1]);
	client_hear(&clients[0], "0");
	scene.other = get_id_of(&clients[0]);
	scene.react = send_more;
	fill_first(&clients[0]);
	say(&clients[1], "lost");
	say_number(&clients[0], ROUND_FIRST);
	scene_serve(&scene);
	ck_assert_int_gt(scene.number, UNIXMSG_BATCH_MAX);
	for (i = 0; i < ROUND_FIRST; i++)
		hear_number(&clients[0], i);
	client_hear(&clients[0], "more");
	hear_number(&clients[0], ROUND_FIRST);
}
END_TEST

static void close_other(struct scene *at, const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_LOST && at->number++ == 0)
		ck_assert_int_eq(unixservice_close_peer(at->service, at->other),
			0);
}

START_TEST(whom_a_watcher_closes_gets_what_was_gathered)
{
	lose_while_sending(close_other);
	client_hear_nothing(&clients[0]);
	scene_serve_while(&scene, scene.told[UNIXSERVICE_CLOSED] == 0);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], scene.other);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], 0);
}
END_TEST

/* Both lose their answers: nothing is left to be done for who is closed. */
START_TEST(whom_a_watcher_closes_need_not_get_what_was_gathered)
{
	struct unixservice_options options = make_options();

	options.queue_total_bytes_max = 1;
	open_with(scene_echo, &options);
	get_full(&clients[1]);
	get_full(&clients[2]);
	scene.other = get_id_of(&clients[2]);
	scene.react = close_other;
	fill_first(&clients[0]);
	say(&clients[1], "lost");
	say(&clients[2], "lost");
	scene_serve_while(&scene, scene.told[UNIXSERVICE_CLOSED] == 0);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], scene.other);
	ck_assert_uint_eq(scene_count(&scene).dropped, 2);
}
END_TEST

/* There is room at him then. */
static void hear_all_of_first(struct scene *at,
	const struct unixservice_event *event)
{
	char data[16];
	size_t size;

	if (event->kind != UNIXSERVICE_LOST || at->number++ > 0)
		return;
	while (client_try_recv(&clients[1], data, sizeof(data), &size) == 1)
		ck_assert_uint_gt(size, 1);
}

/* The second client is full, and nothing is kept: what is sent closes him. */
static void open_without_room(scene_act *act)
{
	struct unixservice_options options = make_options();

	options.queue_total_bytes_max = 1;
	options.policy = UNIXSERVICE_DROP_PEER;
	open_with(act, &options);
	bind_anew(&clients[1]);
	fill_from_outside(&clients[1]);
}

START_TEST(whom_the_policy_has_closed_gets_nothing_more)
{
	open_without_room(echo_in_batch);
	scene.react = hear_all_of_first;
	fill_first(&clients[0]);
	say(&clients[1], "a");
	say(&clients[1], "b");
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 1);
	client_hear_nothing(&clients[1]);
	ck_assert_uint_eq(scene_count(&scene).dropped, 1);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
}
END_TEST

/*
 * Of the answers a, b and c the first is kept, the second lost, and then there
 * is room for the third, but not before the first.
 */
START_TEST(what_is_kept_meanwhile_is_not_overtaken)
{
	struct unixservice_options options = make_options();

	/* For one of 1 byte, which is 65 with what it costs to keep it. */
	options.queue_total_bytes_max = 65;
	open_with(scene_echo, &options);
	get_full(&clients[1]);
	get_full(&clients[2]);
	scene.react = hear_all_of_first;
	fill_first(&clients[0]);
	say(&clients[1], "a");
	say(&clients[2], "b");
	say(&clients[1], "c");
	scene_serve_while(&scene,
		scene_count(&scene).waiting > 0 ||
			scene.heard < 2 + ROUND_FIRST + 3);
	client_hear(&clients[1], "a");
	client_hear_nothing(&clients[1]);
	ck_assert_uint_eq(scene_count(&scene).dropped, 2);
}
END_TEST

/* What was gathered closes him: for what cannot be gathered that is told. */
static int answer_small_and_large(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	static const char large[LARGE];

	if (!is_in_batch())
		return scene_be_silent(at, peer, msg);
	ck_assert_int_eq(unixservice_send(at->service, peer, "a", 1), 1);
	ck_assert_errno(unixservice_send(at->service, peer, large, LARGE),
		ENOTCONN);
	at->number++;
	return UNIXSERVICE_DONE;
}

START_TEST(who_is_closed_by_what_was_gathered_gets_nothing_more)
{
	open_without_room(answer_small_and_large);
	fill_first(&clients[0]);
	say(&clients[1], "?");
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
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

static int answer_and_tell_other(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	ck_assert_int_eq(unixservice_push(at->service, at->other, msg->data,
				 msg->size),
		1);
	return scene_echo(at, peer, msg);
}

/* Only answers of the socket with the batch are gathered. */
START_TEST(a_peer_of_another_socket_is_told_at_once)
{
	const struct unixservice_options options = make_options();
	struct client other;
	int i;

	open_with(scene_put_off, &options);
	scene_listen_at(&scene, _i, support_path("other"));
	client_dial_at(&other, _i, support_path("other"));
	client_ask(&other, &scene, "here");
	scene.other = scene.peer;
	scene.act = answer_and_tell_other;
	for (i = 0; i < QUEUE; i++)
		client_say(&clients[0], "hello");
	scene_serve(&scene);
	for (i = 0; i < QUEUE; i++) {
		client_hear(&clients[0], "hello");
		client_hear(&other, "hello");
	}
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
	tcase_add_test(tcase,
		answers_go_when_the_last_of_the_batch_was_handled);
	tcase_add_test(tcase, a_quick_client_is_served_one_by_one);
	tcase_add_test(tcase, the_hundredth_batch_is_as_the_first);
	tcase_add_test(tcase,
		who_does_not_read_gets_no_more_of_the_send_buffer);
	tcase_add_test(tcase, messages_with_descriptors_come_one_by_one);
	tcase_add_test(tcase, a_socket_of_others_is_read_one_by_one);
	tcase_add_test(tcase, who_is_gone_takes_no_answer_of_others_with_him);
	tcase_add_test(tcase, a_peer_that_does_not_read_delays_nobody);
	tcase_add_test(tcase, what_is_kept_goes_in_order);
	tcase_add_test(tcase, what_the_policy_drops_is_told);
	tcase_add_test(tcase,
		the_policy_closes_a_peer_in_the_middle_of_its_answers);
	tcase_add_test(tcase, who_is_closed_has_been_answered);
	tcase_add_test(tcase, who_makes_place_has_been_answered);
	tcase_add_test(tcase, who_is_still_to_be_answered_keeps_his_place);
	tcase_add_test(tcase, what_cannot_be_gathered_does_not_overtake);
	tcase_add_loop_test(tcase, more_may_be_sent_than_has_come, 0, 2);
	tcase_add_test(tcase, answers_to_those_before_are_counted_as_such);
	tcase_add_test(tcase, rates_hold);
	tcase_add_test(tcase, rules_hold);
	tcase_add_test(tcase, what_is_too_large_is_cut_alone);
	tcase_add_test(tcase, who_stops_in_a_batch_answers_all_that_has_come);
	tcase_add_test(tcase, a_watcher_may_send_behind_what_was_gathered);
	tcase_add_test(tcase, a_watcher_may_send_when_no_more_can_be_gathered);
	tcase_add_test(tcase, whom_a_watcher_closes_gets_what_was_gathered);
	tcase_add_test(tcase,
		whom_a_watcher_closes_need_not_get_what_was_gathered);
	tcase_add_test(tcase, whom_the_policy_has_closed_gets_nothing_more);
	tcase_add_test(tcase, what_is_kept_meanwhile_is_not_overtaken);
	tcase_add_test(tcase,
		who_is_closed_by_what_was_gathered_gets_nothing_more);
	tcase_add_test(tcase, two_sockets_have_batches_in_turn);
	tcase_add_loop_test(tcase, a_peer_of_another_socket_is_told_at_once, 0,
		KINDS);
	tcase_add_test(tcase, a_batch_has_a_largest_size);
	return support_run_cases("service_batch", tcase);
}
