/* SPDX-License-Identifier: MIT */
/* What is kept for peers that do not read: bounds, policies, patience. */
#include <config.h>
#include <limits.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/service_private.h"
#include "support/service_scene.h"

static struct scene scene;
static struct client client, other;

/* Numbered, and large enough for a few of them to fill what there is. */
enum { LARGE = 20000 };

static char *make_large(int number)
{
	static char data[LARGE];

	memset(data, number, sizeof(data));
	memcpy(data, &number, sizeof(number));
	return data;
}

static int push(uint64_t peer, int number)
{
	return unixservice_send(scene.service, peer, make_large(number), LARGE);
}

/* How many answers have gone when the first is kept. */
static int push_until_kept(uint64_t peer)
{
	int number = 0;

	while (scene_count(&scene).queued == 0)
		ck_assert_int_eq(push(peer, number++), 1);
	return number;
}

static void open_with_client(int kind,
	const struct unixservice_options *options)
{
	scene_open_with(&scene, &client, kind, scene_be_silent, options);
	client_ask(&client, &scene, "hello");
}

/* The client reads, the service goes on: the number of the next message. */
static int hear_any_large(void)
{
	int64_t end_us = scene_get_limit();
	char found[LARGE];
	size_t got, size = 0;
	int number;

	while (size < LARGE) {
		if (client_try_recv(&client, found + size, LARGE - size,
			    &got) == 1)
			size += got;
		else
			scene_serve_once(&scene, end_us, "receiving");
	}
	memcpy(&number, found, sizeof(number));
	ck_assert_mem_eq(found, make_large(number), LARGE);
	return number;
}

static void hear_large(int number)
{
	ck_assert_int_eq(hear_any_large(), number);
}

/* Connections. */

START_TEST(who_does_not_read_is_not_read_from)
{
	int i;

	open_with_client(_i, NULL);
	push_until_kept(scene.peer);
	scene.heard = 0;
	client_say(&client, "1");
	client_ask(&client, &scene, "2");
	ck_assert_uint_eq(scene.heard, 0);
	for (i = 0; scene_count(&scene).queued > 0; i++)
		hear_large(i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, _i == BYTES ? 1 : 2);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_FLUSHED], 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_FLUSHED], scene.peer);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 0);
}
END_TEST

/* It asks and asks, and reads at the end: all comes, in order. */
START_TEST(nothing_is_lost_by_who_asks_before_he_reads)
{
	enum { TIMES = 600 };
	int sent = 0, heard = 0, i;
	char data[4000] = "";

	scene_open_with(&scene, &client, PACKET + _i, scene_echo, NULL);
	for (i = 0; sent < TIMES && i < 100000; i++) {
		memcpy(data, &sent, sizeof(sent));
		if (client_try_send(&client, data, sizeof(data)) == 1)
			sent++;
		else if (scene_serve(&scene) == 0)
			break;
	}
	ck_assert_uint_gt(scene_count(&scene).queued, 0);
	for (; heard < sent; heard++) {
		memcpy(data, &heard, sizeof(heard));
		scene_serve(&scene);
		client_expect(&client, data, sizeof(data));
	}
	ck_assert_uint_eq(scene_count(&scene).dropped, 0);
}
END_TEST

START_TEST(a_peer_that_does_not_read_delays_nobody)
{
	open_with_client(_i, NULL);
	push_until_kept(scene.peer);
	client_dial(&other, _i);
	scene.act = scene_echo;
	client_ask(&other, &scene, "hello");
	client_hear(&other, "hello");
}
END_TEST

START_TEST(what_is_kept_comes_in_order)
{
	int i, count;

	open_with_client(_i, NULL);
	count = push_until_kept(scene.peer);
	for (i = 0; i < 20; i++)
		ck_assert_int_eq(push(scene.peer, count++), 1);
	ck_assert_uint_gt(scene_count(&scene).queued, 1);
	/* There is room again, but for those that wait. */
	hear_large(0);
	ck_assert_int_eq(push(scene.peer, count++), 1);
	for (i = 1; i < count; i++)
		hear_large(i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene_count(&scene).queued_bytes, 0);
	ck_assert_uint_eq(scene_count(&scene).pushed, (unsigned int)count);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 0);
	ck_assert_uint_eq(scene_count(&scene).sent_bytes,
		(unsigned int)count * LARGE);
}
END_TEST

/* A message broken in the middle is gone on with, whatever is larger. */
START_TEST(a_stream_goes_on_in_the_middle)
{
	const size_t size = 3 << 20;
	char *data = malloc(size), *found = malloc(size + 8);
	int64_t end_us = scene_get_limit();
	struct unixservice_options options = scene_options();
	size_t i, got = 0, more;

	options.queue_bytes_max = SIZE_MAX;
	for (i = 0; i < size; i++)
		data[i] = (char)(i ^ i >> 8 ^ i >> 16);
	open_with_client(FRAMED + _i, &options);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, data,
				 size),
		1);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "end", 3),
		1);
	ck_assert_uint_eq(scene_count(&scene).queued, 2);
	while (got < size) {
		if (client_try_recv(&client, found + got, size - got, &more) ==
			1)
			got += more;
		else
			scene_serve_once(&scene, end_us, "receiving");
	}
	ck_assert_mem_eq(found, data, size);
	scene_serve(&scene);
	client_hear(&client, "end");
	free(found);
	free(data);
}
END_TEST

START_TEST(parts_behind_what_is_kept_are_put_together)
{
	struct iovec parts[2] = { { (void *)"a", 1 }, { (void *)"bc", 2 } };
	struct unixmsg msg;
	int count, i;

	open_with_client(_i, NULL);
	count = push_until_kept(scene.peer);
	unixmsg_init(&msg);
	msg.parts = parts;
	msg.parts_count = 2;
	ck_assert_int_eq(unixservice_send_msg(scene.service, scene.peer, &msg),
		1);
	for (i = 0; i < count; i++)
		hear_large(i);
	scene_serve_while(&scene, scene_count(&scene).queued > 0);
	client_hear(&client, "abc");
}
END_TEST

/* The caller is told now, not when its turn has come. */
START_TEST(what_can_never_be_sent_is_not_kept)
{
	const size_t size = 8 << 20;
	char *huge = calloc(1, size);
	struct unixservice_counters before, after;
	int count, i;

	ck_assert_ptr_nonnull(huge);
	open_with_client(_i, NULL);
	count = push_until_kept(scene.peer);
	before = scene_count(&scene);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, huge, size),
		EMSGSIZE);
	free(huge);
	after = scene_count(&scene);
	ck_assert_mem_eq(&after, &before, sizeof(before));
	for (i = 0; i < count; i++)
		hear_large(i);
	client_hear_nothing(&client);
}
END_TEST

/* Bounds and policies. */

static void check_queue(uint64_t queued)
{
	struct unixservice_peer_info info;

	ck_assert_uint_eq(scene_count(&scene).queued, queued);
	ck_assert_int_eq(unixservice_get_peer_info(scene.service, scene.peer,
				 &info),
		0);
	ck_assert_uint_eq(info.queued, queued);
}

START_TEST(answers_kept_are_bounded_in_number)
{
	struct unixservice_options options = scene_options();
	int count, i;

	options.queue_messages_max = 3;
	options.queue_bytes_max = SIZE_MAX;
	options.queue_total_bytes_max = SIZE_MAX;
	open_with_client(_i, &options);
	count = push_until_kept(scene.peer);
	ck_assert_int_eq(push(scene.peer, count++), 1);
	ck_assert_int_eq(push(scene.peer, count++), 1);
	ck_assert_int_eq(push(scene.peer, 99), 0);
	check_queue(3);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LOST], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], ENOBUFS);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
	for (i = 0; i < count; i++)
		hear_large(i);
	scene_serve(&scene);
	check_queue(0);
}
END_TEST

START_TEST(answers_kept_are_bounded_in_bytes)
{
	struct unixservice_options options = scene_options();
	int count;

	options.queue_messages_max = UINT_MAX;
	options.queue_bytes_max = 3 * LARGE;
	open_with_client(_i, &options);
	count = push_until_kept(scene.peer);
	ck_assert_int_eq(push(scene.peer, count++), 1);
	ck_assert_int_eq(push(scene.peer, 99), 0);
	check_queue(2);
	ck_assert_uint_le(scene_count(&scene).queued_bytes, 3 * LARGE);
}
END_TEST

START_TEST(answers_kept_are_bounded_in_all)
{
	struct unixservice_options options = scene_options();
	uint64_t first;

	options.queue_bytes_max = SIZE_MAX;
	options.queue_total_bytes_max = 2 * LARGE;
	open_with_client(_i, &options);
	first = scene.peer;
	push_until_kept(first);
	client_dial(&other, _i);
	client_ask(&other, &scene, "hello");
	while (push(scene.peer, 1) == 1)
		ck_assert_uint_le(scene_count(&scene).queued,
			_i == GRAM ? 1 : 2);
	ck_assert_uint_ne(scene.peer, first);
	ck_assert_int_eq(push(first, 1), 0);
	/* The first one of a connection is kept beyond that. */
	ck_assert_uint_eq(scene_count(&scene).queued, _i == GRAM ? 1 : 2);
	ck_assert_uint_le(scene_count(&scene).queued_bytes,
		(_i == GRAM ? 2 : 4) * LARGE);
}
END_TEST

/* It would be missing in the middle, and nobody would tell the client. */
START_TEST(a_connection_whose_first_answer_cannot_be_kept_is_closed)
{
	struct unixservice_options options = scene_options();

	options.queue_total_bytes_max = LARGE / 4;
	open_with_client(_i, &options);
	while (push(scene.peer, 1) == 1)
		continue;
	ck_assert_int_eq(errno, ENOTCONN);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
}
END_TEST

START_TEST(without_limits_all_is_kept)
{
	struct unixservice_options options = scene_options();
	int count, i;

	options.queue_messages_max = UINT_MAX;
	options.queue_bytes_max = SIZE_MAX;
	options.queue_total_bytes_max = SIZE_MAX;
	open_with_client(_i, &options);
	count = push_until_kept(scene.peer);
	for (i = 0; i < 2000; i++)
		ck_assert_int_eq(push(scene.peer, count++), 1);
	check_queue(2001);
}
END_TEST

START_TEST(one_answer_is_kept_whatever_its_size)
{
	struct unixservice_options options = scene_options();

	options.queue_bytes_max = 1;
	options.queue_messages_max = 1;
	open_with_client(_i, &options);
	push_until_kept(scene.peer);
	check_queue(1);
	ck_assert_int_eq(push(scene.peer, 1), 0);
}
END_TEST

START_TEST(the_oldest_make_room_for_the_newest)
{
	struct unixservice_options options = scene_options();
	int count, i;

	options.policy = UNIXSERVICE_DROP_OLDEST;
	options.queue_messages_max = 2;
	open_with_client(_i, &options);
	count = push_until_kept(scene.peer) - 1;
	for (i = 100; i < 104; i++)
		ck_assert_int_eq(push(scene.peer, i), 1);
	check_queue(2);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 3);
	for (i = 0; i < count; i++)
		hear_large(i);
	/* What has begun to go cannot be left out. */
	i = hear_any_large();
	ck_assert(i == 102 || (_i >= FRAMED && i == count));
	hear_large(103);
}
END_TEST

/* The kernel takes it in several parts. */
static char in_parts[200000];

static void push_in_parts(void)
{
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, in_parts,
				 sizeof(in_parts)),
		1);
}

static bool is_first_begun(void)
{
	const struct queued *first =
		scene.service->places[0].peer->outbox.first;

	return first != NULL && first->is_begun;
}

/* How many bytes the client has read before the service went on. */
static size_t read_some(void)
{
	static char data[10000];
	size_t got = 0;

	if (client_try_recv(&client, data, sizeof(data), &got) != 1)
		got = 0;
	scene_serve(&scene);
	return got;
}

/* Until a part of the next has gone. */
static size_t read_until_begun(void)
{
	size_t sum = 0;

	while (!is_first_begun()) {
		if (scene_count(&scene).queued == 0)
			push_in_parts();
		else
			sum += read_some();
	}
	return sum;
}

/* What comes behind would be taken for the rest of it. */
START_TEST(half_a_message_is_not_left_out)
{
	struct unixservice_options options = scene_options();
	uint64_t pushed;
	size_t sum, got = 1;
	int i;

	options.policy = UNIXSERVICE_DROP_OLDEST;
	options.queue_messages_max = 2;
	open_with_client(BYTES, &options);
	sum = read_until_begun();
	for (i = 0; i < 10; i++)
		push_in_parts();
	ck_assert(is_first_begun());
	check_queue(2);
	while (scene_count(&scene).queued > 0 || got > 0) {
		got = read_some();
		sum += got;
	}
	pushed = scene_count(&scene).pushed - scene_count(&scene).pushed_lost;
	ck_assert_uint_eq(sum, pushed * sizeof(in_parts));
}
END_TEST

START_TEST(who_has_too_much_is_closed)
{
	struct unixservice_options options = scene_options();

	options.policy = UNIXSERVICE_DROP_PEER;
	options.queue_messages_max = 2;
	open_with_client(_i, &options);
	push_until_kept(scene.peer);
	ck_assert_int_eq(push(scene.peer, 1), 1);
	ck_assert_errno(push(scene.peer, 2), ENOTCONN);
	ck_assert_errno(push(scene.peer, 2), ENOTCONN);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene_count(&scene).queued_bytes, 0);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 3);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LOST], 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ENOBUFS);
}
END_TEST

/* The answers to questions are counted as such. */
START_TEST(a_dropped_answer_is_counted)
{
	struct unixservice_options options = scene_options();

	options.queue_messages_max = 1;
	scene_open_with(&scene, &client, GRAM, scene_put_off, &options);
	client_ask(&client, &scene, "hello");
	client_ask(&client, &scene, "again");
	scene.number = 0;
	while (scene_count(&scene).queued == 0)
		ck_assert_int_eq(push(scene.peer, scene.number++), 1);
	scene_check_books(&scene);
	client_ask(&client, &scene, "once more");
	ck_assert_int_eq(push(scene.peer, 1), 0);
	ck_assert_uint_eq(scene_count(&scene).dropped, 1);
	scene_check_books(&scene);
}
END_TEST

static void close_loser(struct scene *at, const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_LOST)
		unixservice_close_peer(at->service, event->peer);
}

/* Nothing may be asked of the peer then: its connection is freed. */
START_TEST(a_watcher_may_close_who_has_lost)
{
	struct unixservice_options options = scene_options();
	uint64_t peer;

	options.policy = _i % 3 == 0 ? UNIXSERVICE_DROP_NEWEST
		: _i % 3 == 1        ? UNIXSERVICE_DROP_OLDEST
				     : UNIXSERVICE_DROP_PEER;
	options.queue_total_bytes_max = 3 * LARGE;
	open_with_client(_i / 3, &options);
	peer = scene.peer;
	push_until_kept(peer);
	client_dial(&other, _i / 3);
	client_ask(&other, &scene, "hello");
	scene.react = close_loser;
	while (push(scene.peer, 1) == 1 && scene.told[UNIXSERVICE_LOST] == 0)
		continue;
	while (push(scene.peer, 1) == 1 && scene.told[UNIXSERVICE_LOST] < 2)
		continue;
	while (push(peer, 1) == 1 && scene.told[UNIXSERVICE_LOST] < 5)
		continue;
	scene_serve(&scene);
	scene_check_books(&scene);
	ck_assert_uint_gt(scene.told[UNIXSERVICE_LOST], 0);
}
END_TEST

/* The room in all is another's, and what goes for it is the peer's last. */
START_TEST(a_watcher_may_close_who_has_lost_his_last)
{
	static const char large[3 * LARGE];
	struct unixservice_options options = scene_options();

	options.policy = UNIXSERVICE_DROP_OLDEST;
	options.queue_total_bytes_max = 3 * LARGE;
	open_with_client(_i, &options);
	push_until_kept(scene.peer);
	client_dial(&other, _i);
	client_ask(&other, &scene, "hello");
	while (scene_count(&scene).queued == 1)
		ck_assert_int_eq(push(scene.peer, 1), 1);
	scene.react = close_loser;
	ck_assert_errno(unixservice_send(scene.service, scene.peer, large,
				sizeof(large)),
		ENOTCONN);
	ck_assert_errno(push(scene.peer, 1), ENOTCONN);
	scene_check_books(&scene);
}
END_TEST

/* Datagram peers. */

START_TEST(answers_are_tried_again_until_they_are_read)
{
	int i, count;

	open_with_client(GRAM, NULL);
	count = push_until_kept(scene.peer);
	for (i = 0; i < 5; i++)
		push(scene.peer, count++);
	/* Time goes by, and nothing is read. */
	for (i = 0; i < 5; i++)
		scene_serve_once(&scene, scene_get_limit(), "waiting");
	for (i = 0; i < count; i++)
		hear_large(i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene_count(&scene).late, 0);
}
END_TEST

START_TEST(patience_has_an_end)
{
	struct unixservice_options options = scene_options();

	options.patience_us = 20000;
	scene_open_with(&scene, &client, GRAM, scene_put_off, &options);
	client_ask(&client, &scene, "hello");
	/* An answer, and what is not. */
	scene.act = scene_be_silent;
	client_ask(&client, &scene, "hello");
	push_until_kept(scene.peer);
	push(scene.peer, 1);
	scene.act = scene_put_off;
	client_ask(&client, &scene, "a question");
	push(scene.peer, 2);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	scene_serve_while(&scene, scene_count(&scene).queued > 0);
	ck_assert_uint_eq(scene_count(&scene).late, 1);
	ck_assert_uint_ge(scene_count(&scene).pushed_lost, 2);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], ETIMEDOUT);
	/* The peer is there still. */
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
}
END_TEST

static void make_read_only(struct client *of, const char *text)
{
	int fd = open_bound(SOCK_DGRAM, support_path(text));

	client_take(of, GRAM, unixconn_adopt(fd));
	ck_assert_ptr_nonnull(of->conn);
}

static void say_to_service(struct client *from, const char *text)
{
	struct unixaddr to = address_of(scene_address(GRAM));

	ck_assert_int_eq(unixconn_send_to(from->conn, &to, text, strlen(text),
				 UNIXMSG_NOW),
		1);
}

/* Its queue takes eleven messages from whoever sends, and is full then. */
START_TEST(a_full_queue_of_an_unconnected_client_is_waited_for)
{
	int i;

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	make_read_only(&client, "client");
	for (i = 0; i < 40; i++) {
		say_to_service(&client, "hello");
		scene_serve(&scene);
	}
	ck_assert_uint_gt(scene_count(&scene).queued, 10);
	for (i = 0; i < 40; i++) {
		scene_serve_while(&scene,
			unixconn_get_next_size(client.conn, &(size_t){ 0 },
				UNIXMSG_NOW) < 0);
		client_hear(&client, "hello");
	}
	ck_assert_uint_eq(scene_count(&scene).answered, 40);
	unlink(support_path("client"));
}
END_TEST

/* One was killed (ECONNREFUSED), the other has taken its name away. */
START_TEST(answers_kept_for_one_that_went_are_gone)
{
	int i;

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	make_read_only(&client, "client");
	for (i = 0; i < 20; i++) {
		say_to_service(&client, "hello");
		scene_serve(&scene);
	}
	ck_assert_uint_gt(scene_count(&scene).queued, 0);
	client_close(&client);
	if (_i == 1)
		ck_assert_int_eq(unlink(support_path("client")), 0);
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_gt(scene_count(&scene).gone, 0);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED],
		_i == 1 ? ENOENT : ECONNREFUSED);
}
END_TEST

/* What its owner has said of an endpoint's sends is not for the service. */
START_TEST(an_endpoint_that_drops_is_waited_for_as_well)
{
	struct unixconn *gram = open_gram(scene_address(GRAM));
	int i;

	ck_assert_int_eq(unixconn_set_policy(gram, UNIXCONN_DROP), 0);
	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixservice_add_conn(scene.service, gram, 0, NULL), 0);
	make_read_only(&client, "client");
	for (i = 0; i < 20; i++) {
		say_to_service(&client, "hello");
		scene_serve(&scene);
	}
	ck_assert_uint_gt(scene_count(&scene).queued, 0);
	for (i = 0; i < 20; i++) {
		scene_serve_while(&scene,
			unixconn_get_next_size(client.conn, &(size_t){ 0 },
				UNIXMSG_NOW) < 0);
		client_hear(&client, "hello");
	}
	unlink(support_path("client"));
}
END_TEST

/* We may not write to him: his own is no reason to close him. */
START_TEST(an_answer_to_who_is_connected_elsewhere_fails)
{
	struct unixaddr to = address_of(scene_address(GRAM));
	int fd, elsewhere;

	scene_open_kind(&scene, GRAM, scene_put_off, NULL);
	elsewhere = open_bound(SOCK_DGRAM, support_path("elsewhere"));
	make_read_only(&client, "client");
	fd = client_get_fd(&client);
	ck_assert_int_eq(unixconn_send_to(client.conn, &to, "hello", 5,
				 UNIXMSG_NOW),
		1);
	scene_serve(&scene);
	ck_assert_int_eq(connect_to(fd, support_path("elsewhere")), 0);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		EPERM);
	ck_assert_uint_eq(scene_count(&scene).failed, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], EPERM);
	close(elsewhere);
	unlink(support_path("client"));
	unlink(support_path("elsewhere"));
}
END_TEST

static TCase *make_pressure_tests(void)
{
	TCase *tcase = make_scene_tcase("pressure");

	tcase_add_loop_test(tcase, who_does_not_read_is_not_read_from, PACKET,
		KINDS);
	tcase_add_loop_test(tcase, nothing_is_lost_by_who_asks_before_he_reads,
		0, KINDS - 1);
	tcase_add_loop_test(tcase, a_peer_that_does_not_read_delays_nobody, 0,
		KINDS);
	tcase_add_loop_test(tcase, what_is_kept_comes_in_order, 0, KINDS);
	tcase_add_loop_test(tcase, a_stream_goes_on_in_the_middle, 0,
		KINDS - FRAMED);
	tcase_add_loop_test(tcase, parts_behind_what_is_kept_are_put_together,
		0, KINDS);
	tcase_add_loop_test(tcase, what_can_never_be_sent_is_not_kept, 0,
		FRAMED);
	return tcase;
}

static TCase *make_bound_tests(void)
{
	TCase *tcase = make_scene_tcase("bounds");

	tcase_add_loop_test(tcase, answers_kept_are_bounded_in_number, 0,
		KINDS);
	tcase_add_loop_test(tcase, answers_kept_are_bounded_in_bytes, 0, KINDS);
	tcase_add_loop_test(tcase, answers_kept_are_bounded_in_all, 0, KINDS);
	tcase_add_loop_test(tcase,
		a_connection_whose_first_answer_cannot_be_kept_is_closed,
		PACKET, FRAMED);
	tcase_add_loop_test(tcase, without_limits_all_is_kept, 0, KINDS);
	tcase_add_loop_test(tcase, one_answer_is_kept_whatever_its_size, 0,
		KINDS);
	tcase_add_loop_test(tcase, the_oldest_make_room_for_the_newest, 0,
		KINDS);
	tcase_add_test(tcase, half_a_message_is_not_left_out);
	tcase_add_loop_test(tcase, who_has_too_much_is_closed, 0, KINDS);
	tcase_add_test(tcase, a_dropped_answer_is_counted);
	tcase_add_loop_test(tcase, a_watcher_may_close_who_has_lost, 0,
		3 * KINDS);
	tcase_add_loop_test(tcase, a_watcher_may_close_who_has_lost_his_last, 0,
		KINDS_OF_MESSAGES - 1);
	return tcase;
}

static TCase *make_gram_tests(void)
{
	TCase *tcase = make_scene_tcase("datagrams");

	tcase_add_test(tcase, answers_are_tried_again_until_they_are_read);
	tcase_add_test(tcase, patience_has_an_end);
	tcase_add_test(tcase,
		a_full_queue_of_an_unconnected_client_is_waited_for);
	tcase_add_loop_test(tcase, answers_kept_for_one_that_went_are_gone, 0,
		2);
	tcase_add_test(tcase, an_endpoint_that_drops_is_waited_for_as_well);
	tcase_add_test(tcase, an_answer_to_who_is_connected_elsewhere_fails);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_queue", make_pressure_tests(),
		make_bound_tests(), make_gram_tests());
}
