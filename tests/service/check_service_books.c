/* SPDX-License-Identifier: MIT */
/*
 * The books of a service: whatever peers, handlers and watchers do, every
 * message that was received has come to one end after every single step. The
 * steps are drawn by lot; $UNIXMSG_SEED repeats a run that has failed, which
 * prints its seed.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/service_scene.h"

enum { CLIENTS = 12, STEPS = 1200, SEEDS = 12, LARGEST = 60000 };

static struct scene scene;
static struct client clients[CLIENTS];
static bool is_open[CLIENTS];
static char data[LARGEST];
static uint64_t state;
/* How seldom clients read, and go. */
static unsigned int laziness;
static unsigned int loyalty;

/* xorshift64*: the same everywhere, unlike random(3). */
static unsigned int draw(unsigned int sides)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned int)((state * 0x2545f4914f6cdd1dU) >> 33) % sides;
}

static uint64_t get_seed(int i)
{
	const char *text = getenv("UNIXMSG_SEED");

	if (text != NULL)
		return strtoull(text, NULL, 0);
	return (uint64_t)unixdeadline_now_us() * 64 + (uint64_t)i + 1;
}

static size_t draw_size(void)
{
	static const size_t sizes[] = { 0, 1, 100, 3000, 20000, LARGEST };

	return sizes[draw(COUNT(sizes))];
}

/* A peer, or a number that may be that of one that is gone. */
static uint64_t draw_peer(void)
{
	uint64_t id = 0;
	unsigned int count = draw(CLIENTS);

	if (draw(10) == 0)
		return (uint64_t)(1 + draw(40)) << 32 | (1 + draw(16));
	while (count-- > 0)
		id = unixservice_get_next_peer(scene.service, id);
	return id;
}

static void send_somebody(uint64_t peer)
{
	int result = unixservice_send(scene.service, peer, data, draw_size());

	ck_assert_int_le(result, 1);
	if (result < 0)
		ck_assert(errno == ENOTCONN || errno == EPIPE ||
			errno == EINVAL || errno == ENOMEM || errno == EACCES ||
			errno == EPERM);
}

/* What a handler may do, or a program between two rounds. */
static void do_something(void)
{
	switch (draw(10)) {
	case 0:
		if (draw(loyalty) == 0)
			unixservice_close_peer(scene.service, draw_peer());
		break;
	case 1:
		unixservice_settle(scene.service, draw_peer());
		break;
	case 2:
	case 3:
	case 4:
		send_somebody(draw_peer());
		break;
	default:
		break;
	}
	scene_check_books(&scene);
}

static int act(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	unsigned int answers = draw(4);

	(void)at;
	(void)msg;
	do_something();
	while (answers-- > 1)
		send_somebody(peer);
	do_something();
	return (int)draw(loyalty + 4) == 0 ? UNIXSERVICE_CLOSE : (int)draw(2);
}

static void react(struct scene *at, const struct unixservice_event *event)
{
	(void)at;
	(void)event;
	if (draw(20) == 0)
		do_something();
}

static void open_client(int i)
{
	client_dial(&clients[i], (int)draw(KINDS));
	is_open[i] = true;
}

static void close_client(int i)
{
	client_close(&clients[i]);
	is_open[i] = false;
}

/* Bytes may have gone in part: he does not begin another message then. */
static void say_something(int i)
{
	if (client_try_send(&clients[i], data, draw_size()) < 0 &&
		errno == EINPROGRESS)
		close_client(i);
}

static void read_something(int i)
{
	size_t size;
	unsigned int count = draw(30);

	while (count-- > 0)
		if (client_try_recv(&clients[i], data, sizeof(data), &size) < 1)
			return;
}

static void step(void)
{
	int i = (int)draw(CLIENTS);

	if (!is_open[i]) {
		open_client(i);
		return;
	}
	switch (draw(16)) {
	case 0:
		if (draw(loyalty) == 0)
			close_client(i);
		break;
	case 1:
		if (clients[i].kind != GRAM && draw(loyalty) == 0)
			client_shutdown(&clients[i]);
		break;
	case 2:
	case 3:
		do_something();
		break;
	case 4:
	case 5:
	case 6:
		if (draw(laziness) == 0)
			read_something(i);
		break;
	case 7:
	case 8:
		ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
		break;
	default:
		say_something(i);
	}
}

static struct unixservice_options draw_options(void)
{
	struct unixservice_options options = scene_options();

	options.policy = (enum unixservice_policy)draw(3);
	options.size_max = draw(2) ? 3000 : LARGEST;
	options.peers_max = draw(3) ? 0 : 6;
	options.peers_per_user_max = draw(3) ? 0 : 8;
	options.user_rate = draw(3) ? 0 : 20000;
	options.user_burst = draw(20);
	options.idle_us = draw(3) ? 0 : 3000;
	options.queue_messages_max = draw(6);
	options.queue_bytes_max = draw(2) ? 0 : 30000;
	options.queue_total_bytes_max = draw(2) ? 0 : 150000;
	options.patience_us = draw(2) ? 300 : 5000000;
	options.event_rate = draw(2) ? 1000 : 0;
	options.batch = draw(2) ? 0 : draw(UNIXMSG_BATCH_MAX + 1);
	return options;
}

static void open_all(void)
{
	struct unixservice_options options = draw_options();
	int kind;

	laziness = 1 + draw(20);
	loyalty = 1 + draw(40);
	scene_open(&scene, act, &options);
	scene.react = react;
	for (kind = 0; kind < KINDS; kind++)
		scene_listen(&scene, kind);
}

/* Whoever reads gets an end; what nobody takes is given up. */
static void end_all(void)
{
	int i;

	scene.act = scene_echo;
	unixservice_stop(scene.service, unixdeadline_after_us(5000));
	scene_serve_while(&scene, !unixservice_is_drained(scene.service));
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene_count(&scene).queued_bytes, 0);
	for (i = 0; i < CLIENTS; i++)
		if (is_open[i])
			close_client(i);
	scene_close(&scene);
}

START_TEST(the_books_are_right_after_every_step)
{
	int i;

	state = get_seed(_i);
	fprintf(stderr, "seed %llu\n", (unsigned long long)state);
	open_all();
	for (i = 0; i < rounds(STEPS); i++) {
		step();
		scene_check_books(&scene);
	}
	end_all();
}
END_TEST

/* Nothing has been lost where nothing limits it, and everybody reads. */
START_TEST(without_limits_all_are_answered)
{
	uint64_t said = 0;
	struct unixservice_options options = scene_options();
	int i, k;

	state = get_seed(_i);
	fprintf(stderr, "seed %llu\n", (unsigned long long)state);
	options.batch = _i % 2 == 0 ? 1 : 16;
	scene_open(&scene, scene_echo, &options);
	for (i = 0; i < KINDS_OF_MESSAGES; i++)
		scene_listen(&scene, i);
	for (i = 0; i < CLIENTS; i++)
		client_dial(&clients[i], i % KINDS_OF_MESSAGES);
	for (i = 0; i < STEPS; i++) {
		k = (int)draw(CLIENTS);
		if (client_try_send(&clients[k], data, draw(2000)) == 1)
			said++;
		if (draw(3) == 0)
			ck_assert_int_eq(unixservice_dispatch(scene.service),
				0);
		read_something(k);
	}
	for (i = 0; scene_count(&scene).answered < said; i++) {
		ck_assert_int_lt(i, 10000);
		scene_serve(&scene);
		read_something(i % CLIENTS);
	}
	ck_assert_uint_eq(scene_count(&scene).received, said);
	for (i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
}
END_TEST

int main(void)
{
	TCase *tcase = make_scene_tcase("books");

	tcase_add_loop_test(tcase, the_books_are_right_after_every_step, 0,
		SEEDS);
	tcase_add_loop_test(tcase, without_limits_all_are_answered, 0, 4);
	return support_run_cases("service_books", tcase);
}
