/* SPDX-License-Identifier: MIT */
/* How many peers, how often, how long silent, and without descriptors. */
#include <config.h>
#include <limits.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "support/service_scene.h"

static struct scene scene;
enum { CLIENTS = 70, NOBODY = CLIENTS };
static struct client clients[CLIENTS + 1];

static void close_clients(int count)
{
	int i;

	for (i = 0; i < count; i++)
		client_close(&clients[i]);
}

static void say_hello(int kind, int i)
{
	client_dial(&clients[i], kind);
	client_ask(&clients[i], &scene, "hello");
}

/* Places. */

START_TEST(there_are_no_more_peers_than_places)
{
	struct unixservice_options options = scene_options();
	int i;

	options.peers_max = 3;
	scene_open_kind(&scene, PACKET + _i, scene_echo, &options);
	for (i = 0; i < 5; i++)
		client_dial(&clients[i], PACKET + _i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 3);
	ck_assert_uint_eq(scene_count(&scene).peers_most, 3);
	ck_assert_uint_eq(scene_count(&scene).connections, 5);
	ck_assert_uint_eq(scene_count(&scene).connections_limited, 2);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LIMITED], 2);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LIMITED], EDQUOT);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_LIMITED], 0);
	client_hear_end(&clients[4]);
	client_ask(&clients[0], &scene, "hello");
	client_hear(&clients[0], "hello");
}
END_TEST

/* A new one takes that of the longest silent: it costs that one nothing. */
START_TEST(datagram_peers_change_places)
{
	struct unixservice_options options = scene_options();
	uint64_t first;
	int i;

	options.peers_max = _i == 0 ? 3 : 0;
	options.peers_per_user_max = _i == 0 ? 0 : 3;
	scene_open_kind(&scene, GRAM, scene_echo, &options);
	say_hello(GRAM, 0);
	first = scene.peer;
	for (i = 1; i < 5; i++)
		say_hello(GRAM, i);
	ck_assert_uint_eq(scene_count(&scene).peers, 3);
	ck_assert_uint_eq(scene_count(&scene).answered, 5);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 2);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EDQUOT);
	ck_assert_uint_eq(scene_count(&scene).evicted, 0);
	client_ask(&clients[0], &scene, "once more");
	client_hear(&clients[0], "hello");
	client_hear(&clients[0], "once more");
	ck_assert_uint_ne(scene.peer, first);
}
END_TEST

START_TEST(the_most_silent_gives_its_place)
{
	struct unixservice_options options = scene_options();
	uint64_t silent;

	options.peers_max = 3;
	scene_open_kind(&scene, GRAM, scene_echo, &options);
	say_hello(GRAM, 0);
	say_hello(GRAM, 1);
	silent = scene.peer;
	say_hello(GRAM, 2);
	client_ask(&clients[0], &scene, "hello");
	say_hello(GRAM, 3);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], silent);
}
END_TEST

START_TEST(a_peer_we_owe_an_answer_keeps_its_place)
{
	struct unixservice_options options = scene_options();
	uint64_t first;

	options.peers_max = 2;
	scene_open_kind(&scene, GRAM, scene_put_off, &options);
	say_hello(GRAM, 0);
	first = scene.peer;
	say_hello(GRAM, 1);
	say_hello(GRAM, 2);
	ck_assert_uint_eq(scene_count(&scene).limited, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LIMITED], 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	ck_assert_int_eq(unixservice_send(scene.service, first, "x", 1), 1);
	client_hear(&clients[0], "x");
	client_ask(&clients[2], &scene, "hello");
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
}
END_TEST

START_TEST(a_user_has_no_more_peers_than_his_places)
{
	struct unixservice_options options = scene_options();
	int i;

	options.peers_per_user_max = 2;
	scene_open_kind(&scene, PACKET + _i, scene_echo, &options);
	for (i = 0; i < 4; i++)
		client_dial(&clients[i], PACKET + _i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 2);
	ck_assert_uint_eq(scene_count(&scene).connections_limited, 2);
	close_clients(4);
	scene_serve(&scene);
	client_dial(&clients[0], PACKET + _i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
}
END_TEST

START_TEST(without_limits_all_are_let_in)
{
	struct unixservice_options options = scene_options();
	int i;

	options.peers_max = UINT_MAX;
	scene_open_kind(&scene, _i, scene_echo, &options);
	for (i = 0; i < 32; i++)
		say_hello(_i, i);
	ck_assert_uint_eq(scene_count(&scene).peers, 32);
}
END_TEST

/* A name that falls where those before have fallen, see service_sender.c. */
static void find_name(char name[32], int *number)
{
	struct unixaddr addr;

	do {
		snprintf(name, 32, "@unixmsg-test-%d-%d", (int)getpid(),
			++*number);
		addr = address_of(name);
	} while (unixaddr__hash(&addr) % 64 != 0);
}

static void say_from_one_place(struct client *client, int *number,
	const char *text)
{
	struct unixaddr to = address_of(scene_address(GRAM));
	char name[32];

	find_name(name, number);
	client_take(client, GRAM, open_gram(name));
	ck_assert_int_eq(unixconn_send_to(client->conn, &to, text, strlen(text),
				 UNIXMSG_NOW),
		1);
}

static void ask_from_one_place(int count)
{
	int i, number = 0;

	for (i = 0; i < count; i++) {
		say_from_one_place(&clients[i], &number, "x");
		scene_serve(&scene);
	}
}

/* Whoever chooses the names of his sockets so keeps nobody out. */
START_TEST(names_may_fall_into_one_place)
{
	enum { TIMES = 70 };

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	ask_from_one_place(TIMES);
	ck_assert_uint_eq(scene_count(&scene).answered, TIMES);
	ck_assert_uint_eq(scene_count(&scene).limited, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EDQUOT);
}
END_TEST

/* To whom we owe something stays. */
START_TEST(a_place_that_is_full_of_creditors_lets_nobody_in)
{
	enum { TIMES = 65 };

	scene_open_kind(&scene, GRAM, scene_put_off, NULL);
	ask_from_one_place(TIMES);
	ck_assert_uint_eq(scene_count(&scene).waiting, TIMES - 1);
	ck_assert_uint_eq(scene_count(&scene).limited, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, TIMES - 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
}
END_TEST

static int echo_and_keep(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	ck_assert_int_eq(unixservice_keep_peer(at->service, peer, true), 0);
	return scene_echo(at, peer, msg);
}

START_TEST(a_place_that_is_full_of_kept_peers_lets_nobody_in)
{
	enum { TIMES = 65 };

	scene_open_kind(&scene, GRAM, echo_and_keep, NULL);
	ask_from_one_place(TIMES);
	ck_assert_uint_eq(scene_count(&scene).answered, TIMES - 1);
	ck_assert_uint_eq(scene_count(&scene).limited, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
}
END_TEST

/* Not the first: that one has spoken again. */
START_TEST(the_most_silent_of_a_place_leaves_it)
{
	enum { TIMES = 64 };
	const struct unixaddr to = address_of(scene_address(GRAM));
	uint64_t second = 0;
	int number = 0, i;

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	for (i = 0; i < TIMES; i++) {
		say_from_one_place(&clients[i], &number, "x");
		scene_serve(&scene);
		if (i == 1)
			second = scene.peer;
	}
	ck_assert_int_eq(unixconn_send_to(clients[0].conn, &to, "x", 1,
				 UNIXMSG_NOW),
		1);
	scene_serve(&scene);
	say_from_one_place(&clients[TIMES], &number, "x");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], second);
}
END_TEST

/* For every user. */
static void open_for_all(int kind, scene_act *act,
	const struct unixservice_options *options)
{
	scene_open_kind(&scene, kind, act, options);
	ck_assert_int_eq(chmod(scene_address(kind), 0666), 0);
}

struct user {
	pid_t pid;
	int go[2];
};

static struct user nobody;

/*
 * Another user: a child that says so when it is told, and then waits to be
 * told to go. Make it before the service, or it has copies of its connections.
 */
static void make_user(int kind, void (*say)(int kind))
{
	support_dir();
	support_ready_init(nobody.go);
	nobody.pid = support_fork();
	if (nobody.pid != 0)
		return;
	support_as_nobody();
	support_ready_wait(nobody.go);
	say(kind);
	support_ready_wait(nobody.go);
	_exit(0);
}

static void say_nobody(int kind)
{
	client_dial(&clients[NOBODY], kind);
	client_say(&clients[NOBODY], "nobody");
}

static void make_nobody(int kind)
{
	make_user(kind, say_nobody);
}

static void hear_nobody(void)
{
	support_ready_tell(nobody.go);
	scene_serve_while(&scene, strcmp(scene.data, "nobody") != 0);
}

static void stop_user(struct user *user)
{
	support_ready_tell(user->go);
	support_wait_exit(user->pid, 0);
	close_pipe(user->go);
}

START_TEST(who_has_most_gives_a_place_to_another)
{
	struct unixservice_options options = scene_options();
	uint64_t first;
	int i;

	make_nobody(PACKET + _i);
	options.peers_max = 4;
	open_for_all(PACKET + _i, scene_put_off, &options);
	/* We owe the first one an answer, the second is the most silent. */
	say_hello(PACKET + _i, 0);
	scene.act = scene_echo;
	say_hello(PACKET + _i, 1);
	first = scene.peer;
	for (i = 2; i < 4; i++)
		say_hello(PACKET + _i, i);
	hear_nobody();
	ck_assert_uint_eq(scene_count(&scene).evicted, 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EDQUOT);
	ck_assert_uint_eq(scene_count(&scene).peers, 4);
	client_hear(&clients[1], "hello");
	client_hear_end(&clients[1]);
	stop_user(&nobody);
}
END_TEST

/* What is owed to its peers must not help who takes all places. */
START_TEST(who_has_most_gives_a_place_though_all_are_owed_answers)
{
	struct unixservice_options options = scene_options();
	uint64_t first;
	int i;

	make_nobody(_i);
	options.peers_max = 4;
	open_for_all(_i, scene_put_off, &options);
	say_hello(_i, 0);
	first = scene.peer;
	for (i = 1; i < 4; i++)
		say_hello(_i, i);
	hear_nobody();
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EDQUOT);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 4);
	stop_user(&nobody);
}
END_TEST

/* He has a name that falls where all of ours have fallen. */
static void say_nobody_from_one_place(int kind)
{
	int number = 0;

	(void)kind;
	say_from_one_place(&clients[NOBODY], &number, "nobody");
}

START_TEST(a_place_that_is_full_of_creditors_lets_another_user_in)
{
	make_user(GRAM, say_nobody_from_one_place);
	open_for_all(GRAM, scene_put_off, NULL);
	ask_from_one_place(64);
	hear_nobody();
	ck_assert_uint_eq(scene_count(&scene).limited, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EDQUOT);
	stop_user(&nobody);
}
END_TEST

/* What it has not read is charged to our send buffer, whoever asks next. */
START_TEST(who_has_not_read_its_answers_keeps_its_place)
{
	static char data[20000];
	struct unixservice_options options = scene_options();

	options.peers_per_user_max = 2;
	options.send_buffer_bytes = 1;
	scene_open_kind(&scene, GRAM, scene_answer_at_length, &options);
	say_hello(GRAM, 0);
	say_hello(GRAM, 1);
	say_hello(GRAM, 2);
	ck_assert_uint_eq(scene_count(&scene).limited, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	client_expect(&clients[0], data, sizeof(data));
	client_expect(&clients[1], data, sizeof(data));
	client_ask(&clients[2], &scene, "hello");
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	client_expect(&clients[2], data, sizeof(data));
}
END_TEST

static int answer_and_close(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	scene_answer_at_length(at, peer, msg);
	return UNIXSERVICE_CLOSE;
}

/* As what a peer holds that is still there. */
START_TEST(what_a_closed_peer_has_not_read_takes_a_place_of_its_user)
{
	enum { TIMES = 4 };
	static char data[20000];
	struct unixservice_options options = scene_options();
	unsigned int i, answered;

	options.peers_per_user_max = 2;
	options.send_buffer_bytes = 1;
	scene_open_kind(&scene, GRAM, answer_and_close, &options);
	for (i = 0; i < TIMES; i++)
		say_hello(GRAM, (int)i);
	answered = (unsigned int)scene_count(&scene).answered;
	/* The first may go where there is plenty of room. */
	ck_assert_uint_ge(answered, 2);
	ck_assert_uint_lt(answered, TIMES);
	ck_assert_uint_eq(scene_count(&scene).limited, TIMES - answered);
	for (i = 0; i < answered; i++)
		client_expect(&clients[i], data, sizeof(data));
	for (i = answered; i < TIMES; i++) {
		client_ask(&clients[i], &scene, "hello");
		client_expect(&clients[i], data, sizeof(data));
	}
}
END_TEST

/* To close it is not to forget what it holds. */
START_TEST(who_was_closed_and_comes_again_has_not_read_still)
{
	enum { TIMES = 4 };
	static char data[20000];
	struct unixservice_options options = scene_options();
	int i;

	options.send_buffer_bytes = 1;
	scene_open_with(&scene, &clients[0], GRAM, answer_and_close, &options);
	for (i = 0; i < TIMES; i++) {
		client_ask(&clients[0], &scene, "hello");
	}
	ck_assert_uint_ge(scene_count(&scene).queued, 2);
	for (i = 0; i < TIMES; i++) {
		client_expect(&clients[0], data, sizeof(data));
		scene_serve_while(&scene,
			scene_count(&scene).answered <
				(i + 2 < TIMES ? (unsigned int)i + 2 : TIMES));
	}
}
END_TEST

/* The answers, the context and the number of the one before are not his. */
START_TEST(another_user_with_the_name_is_another_peer)
{
	const char *name = support_abstract("client");
	struct unixaddr to = address_of(support_abstract("service"));
	struct unixconn *gram = unixconn_open("unixgram", name, NULL);
	uint64_t first;

	scene_open(&scene, scene_put_off, NULL);
	scene_listen_at(&scene, GRAM, support_abstract("service"));
	unixservice_allow_anyone(scene.service);
	ck_assert_int_eq(unixconn_send_to(gram, &to, "hello", 5, UNIXMSG_NOW),
		1);
	scene_serve(&scene);
	first = scene.peer;
	unixconn_close(gram);
	support_ready_init(nobody.go);
	nobody.pid = support_fork();
	if (nobody.pid == 0) {
		support_as_nobody();
		gram = unixconn_open("unixgram", name, NULL);
		ck_assert_int_eq(unixconn_send_to(gram, &to, "nobody", 6,
					 UNIXMSG_NOW),
			1);
		/* The name can be proved as long as it has it. */
		support_ready_wait(nobody.go);
		_exit(0);
	}
	scene_serve_while(&scene, scene.heard < 2);
	stop_user(&nobody);
	ck_assert_str_eq(scene.data, "nobody");
	ck_assert_uint_ne(scene.peer, first);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ESTALE);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
}
END_TEST

/* Rates. */

START_TEST(connections_wait_and_lose_nothing)
{
	struct unixservice_options options = scene_options();
	int i;

	options.user_rate = 200;
	options.user_burst = 3;
	options.idle_us = 1000; /* waiting for one's turn is not silence */
	scene_open_with(&scene, &clients[0], PACKET + _i, scene_echo, &options);
	for (i = 0; i < 8; i++)
		client_send(&clients[0], &i, sizeof(i));
	ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	while (scene.heard == 0)
		ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	ck_assert_uint_le(scene.heard, 8 - 1);
	scene_serve_while(&scene, scene.heard < 8);
	for (i = 0; i < 8; i++)
		client_expect(&clients[0], &i, sizeof(i));
	ck_assert_uint_eq(scene_count(&scene).limited, 0);
}
END_TEST

START_TEST(datagrams_beyond_the_rate_are_lost_and_counted)
{
	struct unixservice_options options = scene_options();
	int i;

	options.user_rate = 1;
	options.user_burst = 4;
	scene_open_with(&scene, &clients[0], GRAM, scene_echo, &options);
	for (i = 0; i < 10; i++)
		client_send(&clients[0], &i, sizeof(i));
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 4);
	ck_assert_uint_eq(scene_count(&scene).limited, 6);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LIMITED], 6);
	for (i = 0; i < 4; i++)
		client_expect(&clients[0], &i, sizeof(i));
	client_hear_nothing(&clients[0]);
}
END_TEST

START_TEST(one_users_rate_is_not_anothers)
{
	struct unixservice_options options = scene_options();

	make_nobody(_i);
	options.user_rate = 1;
	open_for_all(_i, scene_echo, &options);
	say_hello(_i, 0);
	client_ask(&clients[0], &scene, "too early");
	hear_nobody();
	ck_assert_uint_eq(scene.heard, 2);
	stop_user(&nobody);
}
END_TEST

/* Silence. */

START_TEST(silent_connections_are_closed)
{
	struct unixservice_options options = scene_options();

	options.idle_us = 20000;
	scene_open_with(&scene, &clients[0], PACKET + _i, scene_echo, &options);
	scene_serve_while(&scene, scene_count(&scene).idle == 0);
	client_hear_end(&clients[0]);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ETIMEDOUT);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
}
END_TEST

START_TEST(who_waits_for_our_answer_is_not_silent)
{
	struct unixservice_options options = scene_options();
	uint64_t first;

	options.idle_us = 20000;
	scene_open_kind(&scene, PACKET + _i, scene_put_off, &options);
	say_hello(PACKET + _i, 0);
	first = scene.peer;
	client_dial(&clients[1], PACKET + _i);
	scene_serve_while(&scene, scene_count(&scene).idle == 0);
	ck_assert_uint_ne(scene.about[UNIXSERVICE_CLOSED], first);
	ck_assert_int_eq(unixservice_send(scene.service, first, "x", 1), 1);
	client_hear(&clients[0], "x");
	scene_serve_while(&scene, scene_count(&scene).idle == 1);
	client_hear_end(&clients[0]);
}
END_TEST

START_TEST(who_takes_no_answers_is_silent)
{
	static const char large[100000];
	struct unixservice_options options = scene_options();

	options.idle_us = 300000;
	scene_open_kind(&scene, PACKET + _i, scene_be_silent, &options);
	say_hello(PACKET + _i, 0);
	while (scene_count(&scene).queued == 0)
		ck_assert_int_eq(unixservice_send(scene.service, scene.peer,
					 large, sizeof(large)),
			1);
	scene_serve_while(&scene, scene_count(&scene).idle == 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
}
END_TEST

static int64_t get_active(uint64_t peer)
{
	struct unixservice_peer_info info;

	ck_assert_int_eq(unixservice_get_peer_info(scene.service, peer, &info),
		0);
	return info.active_us;
}

/* He takes a large answer piece by piece, which is not silence. */
START_TEST(who_takes_a_large_answer_slowly_is_not_silent)
{
	const size_t size = 2 << 20;
	char *data = calloc(1, size), *piece = malloc(size);
	int64_t before;

	scene_open_kind(&scene, FRAMED + _i, scene_be_silent, NULL);
	say_hello(FRAMED + _i, 0);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, data,
				 size),
		1);
	before = get_active(scene.peer);
	ck_assert_int_eq(unixconn_read(clients[0].conn, piece, size, NULL,
				 UNIXMSG_NOW),
		1);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).queued, 1);
	ck_assert_int_gt(get_active(scene.peer), before);
	free(piece);
	free(data);
}
END_TEST

/* So many more answers are kept for peer. */
static void keep_for(uint64_t peer, uint64_t count)
{
	static char data[20000];
	const uint64_t wanted = scene_count(&scene).queued + count;

	while (scene_count(&scene).queued < wanted)
		ck_assert_int_eq(unixservice_send(scene.service, peer, data,
					 sizeof(data)),
			1);
}

START_TEST(an_endless_silence_is_possible)
{
	struct unixservice_options options = scene_options();

	options.idle_us = UNIXMSG_FOREVER - _i / KINDS;
	options.patience_us = UNIXMSG_FOREVER - _i / KINDS;
	scene_open_kind(&scene, _i % KINDS, scene_put_off, &options);
	say_hello(_i % KINDS, 0);
	keep_for(scene.peer, 1);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).idle, 0);
	ck_assert_uint_eq(scene_count(&scene).late, 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 1);
}
END_TEST

/* Descriptors. */

START_TEST(without_descriptors_nobody_is_accepted_for_a_while)
{
	struct unixservice_options options = scene_options();
	int rounds;

	scene_open_kind(&scene, PACKET + _i, scene_echo, &options);
	say_hello(PACKET + _i, 0);
	client_hear(&clients[0], "hello");
	client_dial(&clients[1], PACKET + _i);
	support_limit_fds(0);
	rounds = scene_serve(&scene);
	ck_assert_int_le(rounds, 3);
	ck_assert_uint_eq(scene_count(&scene).pauses, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_PAUSED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_PAUSED], EMFILE);
	/* The others are served. */
	client_ask(&clients[0], &scene, "still here");
	client_hear(&clients[0], "still here");
	scene_serve_while(&scene, scene_count(&scene).pauses == 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_PAUSED], 1);
	support_lift_fds_limit();
	client_say(&clients[1], "let me in");
	scene_serve_while(&scene, scene_count(&scene).peers == 1);
	scene_serve(&scene);
	client_hear(&clients[1], "let me in");
}
END_TEST

/* As with places: who comes can be seen though nothing is left for him. */
START_TEST(without_descriptors_who_has_most_gives_one_to_another)
{
	enum { TIMES = 31 };
	int i;

	make_nobody(PACKET + _i);
	open_for_all(PACKET + _i, scene_put_off, NULL);
	for (i = 0; i < TIMES - 1; i++)
		say_hello(PACKET + _i, i);
	client_dial(&clients[TIMES - 1], PACKET + _i);
	support_limit_fds(0);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).connections_limited, 1);
	client_hear_end(&clients[TIMES - 1]);
	hear_nobody();
	ck_assert_uint_eq(scene_count(&scene).evicted, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EDQUOT);
	ck_assert_uint_eq(scene_count(&scene).peers, TIMES - 1);
	ck_assert_uint_eq(scene_count(&scene).pauses, 0);
	support_lift_fds_limit();
	stop_user(&nobody);
}
END_TEST

/* A peer by datagrams has no descriptor to give. */
START_TEST(without_descriptors_who_has_most_gives_up_a_connection)
{
	enum { TIMES = 31 };
	uint64_t first;
	int i;

	make_nobody(PACKET);
	open_for_all(PACKET, scene_put_off, NULL);
	scene_listen_at(&scene, GRAM, support_path("other"));
	client_dial_at(&clients[0], GRAM, support_path("other"));
	client_ask(&clients[0], &scene, "hello");
	say_hello(PACKET, 1);
	first = scene.peer;
	for (i = 2; i < TIMES; i++)
		say_hello(PACKET, i);
	support_limit_fds(0);
	hear_nobody();
	support_lift_fds_limit();
	ck_assert_uint_eq(scene_count(&scene).evicted, 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
	stop_user(&nobody);
}
END_TEST

/* Memory */

/* More than the kernel takes for one that does not read. */
static int answer_in_masses(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	int i;

	for (i = 0; i < 40; i++)
		scene_answer_at_length(at, peer, msg);
	return UNIXSERVICE_DONE;
}

START_TEST(for_whom_most_is_kept_makes_room_for_another)
{
	struct unixservice_options options = scene_options();
	uint64_t first;

	make_nobody(_i);
	options.queue_total_bytes_max = 50000;
	open_for_all(_i, answer_in_masses, &options);
	say_hello(_i, 0);
	first = scene.peer;
	ck_assert_uint_eq(scene_count(&scene).queued, 2);
	hear_nobody();
	ck_assert_uint_eq(scene_count(&scene).evicted, _i != GRAM);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_FLUSHED], _i == GRAM);
	if (_i == GRAM)
		ck_assert_uint_eq(scene.about[UNIXSERVICE_FLUSHED], first);
	if (_i != GRAM) {
		ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
		ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
	}
	ck_assert_uint_eq(scene_count(&scene).queued, 2);
	ck_assert_uint_le(scene_count(&scene).queued_bytes, 50000);
	stop_user(&nobody);
}
END_TEST

START_TEST(of_the_peers_of_one_user_the_one_with_most_makes_room)
{
	static const uint64_t counts[] = { 0, 1, 2, 1 };
	struct unixservice_options options = scene_options();
	uint64_t peers[COUNT(counts)];
	int i;

	make_nobody(PACKET);
	options.queue_total_bytes_max = 90000;
	open_for_all(PACKET, scene_put_off, &options);
	for (i = 0; i < (int)COUNT(counts); i++) {
		say_hello(PACKET, i);
		peers[i] = scene.peer;
		keep_for(peers[i], counts[i]);
	}
	scene.act = answer_in_masses;
	hear_nobody();
	ck_assert_uint_eq(scene_count(&scene).evicted, 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], peers[2]);
	stop_user(&nobody);
}
END_TEST

static int answer_and_send_on(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	answer_in_masses(at, peer, msg);
	return scene_answer_at_length(at, at->other, msg);
}

/* Its answers are not lost in the middle of its own call. */
START_TEST(who_is_being_handled_makes_no_room_for_another)
{
	struct unixservice_options options = scene_options();

	make_nobody(GRAM);
	options.queue_total_bytes_max = 90000;
	open_for_all(GRAM, scene_put_off, &options);
	hear_nobody();
	scene.other = scene.peer;
	keep_for(scene.other, 1);
	scene.act = answer_and_send_on;
	say_hello(GRAM, 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 4);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	stop_user(&nobody);
}
END_TEST

/* Reads to the end: whether it was told that not all was read of it. */
static bool is_told_of_loss(struct client *client)
{
	static char data[100000];
	bool is_reset = false;
	size_t size;
	int result;

	do {
		result = client_try_recv(client, data, sizeof(data), &size);
		is_reset |= result < 0 && errno == ECONNRESET;
	} while (result > 0 || (result < 0 && errno == ECONNRESET));
	ck_assert_int_eq(result, 0);
	return is_reset;
}

START_TEST(who_is_closed_for_another_is_told_that_not_all_was_read)
{
	struct unixservice_options options = scene_options();

	make_nobody(PACKET + _i);
	options.queue_total_bytes_max = 50000;
	open_for_all(PACKET + _i, answer_in_masses, &options);
	say_hello(PACKET + _i, 0);
	/* It is not read from while answers are kept for it. */
	client_say(&clients[0], "unread");
	hear_nobody();
	ck_assert_uint_eq(scene_count(&scene).evicted, 1);
	ck_assert_uint_eq(scene_count(&scene).received, 2);
	ck_assert(is_told_of_loss(&clients[0]));
	stop_user(&nobody);
}
END_TEST

enum { HALF = 99000, WHOLE = 100000 };

/* The beginning of a framed message, or the rest. */
static void write_part(int i, bool is_rest)
{
	static char data[4 + WHOLE] = { 0, 1, (char)0x86, (char)0xa0 };
	const int fd = client_get_fd(&clients[i]);
	const size_t begin = is_rest ? HALF : 0;
	const size_t size = is_rest ? sizeof(data) - HALF : HALF;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(write(fd, data + begin, size)),
		(ssize_t)size);
}

static void open_for_halves(void)
{
	struct unixservice_options options = scene_options();

	options.size_max = WHOLE;
	options.partial_bytes_max = 1;
	open_for_all(FRAMED, scene_be_silent, &options);
}

static void send_half(int i)
{
	client_dial(&clients[i], FRAMED);
	write_part(i, false);
}

START_TEST(what_has_come_of_a_message_is_counted)
{
	open_for_halves();
	send_half(0);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).partial_bytes, HALF);
	ck_assert_uint_eq(scene.heard, 0);
	write_part(0, true);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene.size, WHOLE);
	ck_assert_uint_eq(scene_count(&scene).partial_bytes, 0);
	ck_assert_uint_eq(scene_count(&scene).partial_bytes_most, HALF);
	send_half(1);
	scene_serve(&scene);
	close_clients(2);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).partial_bytes, 0);
}
END_TEST

/* The bound is 1848576, and half of it for one user. */
START_TEST(a_user_has_no_more_half_messages_than_his_part)
{
	enum { TIMES = 10 };
	uint64_t first;
	int i;

	open_for_halves();
	send_half(0);
	scene_serve(&scene);
	first = scene.about[UNIXSERVICE_OPENED];
	for (i = 1; i < TIMES; i++) {
		send_half(i);
		scene_serve(&scene);
	}
	ck_assert_uint_eq(scene_count(&scene).partials_closed, 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
	ck_assert_uint_eq(scene_count(&scene).partial_bytes,
		(TIMES - 1) * HALF);
	write_part(TIMES - 1, true);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 1);
}
END_TEST

/* The most silent pays, but for one that has no half message. */
START_TEST(who_sends_whole_messages_pays_for_no_half_ones)
{
	enum { TIMES = 11 };
	uint64_t first;
	int i;

	open_for_halves();
	client_dial(&clients[0], FRAMED);
	client_ask(&clients[0], &scene, "whole");
	send_half(1);
	scene_serve(&scene);
	first = scene.about[UNIXSERVICE_OPENED];
	for (i = 2; i < TIMES; i++) {
		send_half(i);
		scene_serve(&scene);
	}
	ck_assert_uint_eq(scene_count(&scene).partials_closed, 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], first);
}
END_TEST

static void make_half_sender(struct user *user, uid_t uid, int count)
{
	int i;

	support_ready_init(user->go);
	user->pid = support_fork();
	if (user->pid != 0)
		return;
	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
	support_ready_wait(user->go);
	for (i = 0; i < count; i++)
		send_half(i);
	support_ready_wait(user->go);
	_exit(0);
}

START_TEST(who_has_most_half_messages_loses_one_when_there_are_too_many)
{
	static const int counts[] = { 5, 6, 8 };
	static const unsigned int sums[] = { 5, 11, 18 };
	static const uid_t uids[] = { 65533, 65534, 65532 };
	struct user users[COUNT(counts)];
	int i;

	support_dir();
	for (i = 0; i < (int)COUNT(counts); i++)
		make_half_sender(&users[i], uids[i], counts[i]);
	open_for_halves();
	for (i = 0; i < (int)COUNT(counts); i++) {
		support_ready_tell(users[i].go);
		scene_serve_while(&scene,
			scene_count(&scene).partial_bytes_most <
				sums[i] * HALF);
	}
	scene_serve_while(&scene, scene_count(&scene).partials_closed == 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
	ck_assert_uint_eq(scene_count(&scene).partial_bytes, 18 * HALF);
	for (i = 0; i < (int)COUNT(counts); i++)
		stop_user(&users[i]);
}
END_TEST

static TCase *make_memory_tests(void)
{
	TCase *tcase = make_scene_tcase("memory");

	support_add_root_loop_test(tcase,
		for_whom_most_is_kept_makes_room_for_another, KINDS);
	support_add_root_test(tcase,
		of_the_peers_of_one_user_the_one_with_most_makes_room);
	support_add_root_test(tcase,
		who_is_being_handled_makes_no_room_for_another);
	support_add_root_loop_test(tcase,
		who_is_closed_for_another_is_told_that_not_all_was_read,
		KINDS - 1);
	tcase_add_test(tcase, what_has_come_of_a_message_is_counted);
	tcase_add_test(tcase, a_user_has_no_more_half_messages_than_his_part);
	tcase_add_test(tcase, who_sends_whole_messages_pays_for_no_half_ones);
	support_add_root_test(tcase,
		who_has_most_half_messages_loses_one_when_there_are_too_many);
	return tcase;
}

static TCase *make_place_tests(void)
{
	TCase *tcase = make_scene_tcase("places");

	tcase_add_loop_test(tcase, there_are_no_more_peers_than_places, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase, datagram_peers_change_places, 0, 2);
	tcase_add_test(tcase, the_most_silent_gives_its_place);
	tcase_add_test(tcase, a_peer_we_owe_an_answer_keeps_its_place);
	tcase_add_loop_test(tcase, a_user_has_no_more_peers_than_his_places, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase, without_limits_all_are_let_in, 0, KINDS);
	tcase_add_test(tcase, names_may_fall_into_one_place);
	tcase_add_test(tcase, a_place_that_is_full_of_creditors_lets_nobody_in);
	tcase_add_test(tcase,
		a_place_that_is_full_of_kept_peers_lets_nobody_in);
	tcase_add_test(tcase, the_most_silent_of_a_place_leaves_it);
	support_add_root_loop_test(tcase, who_has_most_gives_a_place_to_another,
		KINDS - 1);
	support_add_root_loop_test(tcase,
		who_has_most_gives_a_place_though_all_are_owed_answers, KINDS);
	support_add_root_test(tcase,
		a_place_that_is_full_of_creditors_lets_another_user_in);
	tcase_add_test(tcase, who_has_not_read_its_answers_keeps_its_place);
	tcase_add_test(tcase,
		what_a_closed_peer_has_not_read_takes_a_place_of_its_user);
	tcase_add_test(tcase,
		who_was_closed_and_comes_again_has_not_read_still);
	support_add_root_test(tcase,
		another_user_with_the_name_is_another_peer);
	return tcase;
}

static TCase *make_rate_tests(void)
{
	TCase *tcase = make_scene_tcase("rates");

	tcase_add_loop_test(tcase, connections_wait_and_lose_nothing, 0,
		KINDS_OF_MESSAGES - 1);
	tcase_add_test(tcase, datagrams_beyond_the_rate_are_lost_and_counted);
	support_add_root_loop_test(tcase, one_users_rate_is_not_anothers,
		KINDS);
	return tcase;
}

static TCase *make_silence_tests(void)
{
	TCase *tcase = make_scene_tcase("silence");

	tcase_add_loop_test(tcase, silent_connections_are_closed, 0, KINDS - 1);
	tcase_add_loop_test(tcase, who_waits_for_our_answer_is_not_silent, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase, who_takes_no_answers_is_silent, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase,
		who_takes_a_large_answer_slowly_is_not_silent, 0,
		KINDS - FRAMED);
	tcase_add_loop_test(tcase, an_endless_silence_is_possible, 0,
		2 * KINDS);
	support_add_limited_test(tcase,
		without_descriptors_nobody_is_accepted_for_a_while, 0,
		KINDS - 1);
	support_add_root_test(tcase,
		without_descriptors_who_has_most_gives_up_a_connection);
	if (support_is_root())
		support_add_limited_test(tcase,
			without_descriptors_who_has_most_gives_one_to_another,
			0, KINDS - 1);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_limits", make_place_tests(),
		make_rate_tests(), make_silence_tests(), make_memory_tests());
}
