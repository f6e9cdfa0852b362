/* SPDX-License-Identifier: MIT */
/*
 * What a service needs to pass messages on: each direction of a connection by
 * itself, its end, and room for what is queued.
 */
#include <config.h>

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

enum { LINKS = KINDS - PACKET, LARGE = 50000, TIMES = 5 };

static struct scene scene;
static struct client client;
static char large[LARGE];

static struct unixservice_options make_options(void)
{
	struct unixservice_options options = scene_options();

	options.keep_ended = true;
	options.read_while_queued = true;
	options.patience_us = UNIXMSG_FOREVER;
	return options;
}

static void open_with_client(int kind, scene_act *act)
{
	const struct unixservice_options options = make_options();

	scene_open_kind(&scene, kind, act, &options);
	client_dial(&client, kind);
}

/* The service knows the client by its first message. */
static void open_with_peer(int kind, scene_act *act)
{
	open_with_client(kind, act);
	client_say(&client, "hello");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 1);
}

static uint64_t get_peers(void)
{
	return scene_count(&scene).peers;
}

/* Pushes until a message has no room. Returns the number of messages. */
static int fill_queue(void)
{
	const size_t before = scene_count(&scene).queued;
	int count = 0;

	do {
		ck_assert_int_eq(unixservice_push(scene.service, scene.peer,
					 large, sizeof(large)),
			1);
		count++;
	} while (scene_count(&scene).queued == before);
	return count;
}

/* Reads as many bytes from the client as count messages have, or up to the
 * end if count is -1. Returns the number of bytes. */
static size_t read_large(int count)
{
	static char data[2 * LARGE];
	const size_t most = count < 0 ? SIZE_MAX : (size_t)count * LARGE;
	size_t size, bytes = 0;
	int result;

	while (bytes < most) {
		scene_serve(&scene);
		result = client_try_recv(&client, data, sizeof(data), &size);
		ck_assert_msg(result >= 0, "%s", strerror(errno));
		if (result == 0)
			break;
		bytes += size;
	}
	return bytes;
}

static void shut_down_peer(void)
{
	ck_assert_int_eq(unixservice_shutdown_peer(scene.service, scene.peer),
		0);
}

static void check_end(int error)
{
	ck_assert_uint_eq(get_peers(), 0);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], error);
	client_close(&client);
	scene_close(&scene);
}

/* The end of one direction */

START_TEST(a_client_that_ends_its_direction_stays_a_peer)
{
	open_with_client(PACKET + _i, scene_be_silent);
	client_say(&client, "last");
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "last");
	ck_assert_uint_eq(scene.told[UNIXSERVICE_ENDED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_ENDED], 0);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_ENDED], scene.peer);
	ck_assert_uint_eq(get_peers(), 1);
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "yes", 3),
		1);
	client_hear(&client, "yes");
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	client_hear_end(&client);
	check_end(0);
}
END_TEST

static int count_messages_before_end(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	(void)peer;
	ck_assert_uint_eq(at->told[UNIXSERVICE_ENDED], 0);
	at->number += (int)msg->size;
	return UNIXSERVICE_DONE;
}

/* More messages than one turn takes. */
START_TEST(the_end_is_told_after_the_last_message)
{
	int i;

	open_with_client(PACKET + _i, count_messages_before_end);
	for (i = 0; i < 40; i++)
		client_say(&client, "hello");
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 5 * 40);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_ENDED], 1);
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	check_end(0);
}
END_TEST

START_TEST(without_the_option_a_client_that_ends_is_closed)
{
	scene_open_kind(&scene, PACKET + _i, scene_be_silent, NULL);
	client_dial(&client, PACKET + _i);
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_ENDED], 0);
	client_hear_end(&client);
	check_end(0);
}
END_TEST

START_TEST(who_ended_its_direction_and_closes_is_closed)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	client_shutdown(&client);
	scene_serve(&scene);
	client_close(&client);
	scene_serve(&scene);
	check_end(0);
}
END_TEST

/* The message that is queued is lost, so the end has a reason. */
START_TEST(who_closes_with_messages_queued_after_its_end_has_lost_them)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	client_shutdown(&client);
	scene_serve(&scene);
	fill_queue();
	client_close(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
	check_end(EPIPE);
}
END_TEST

START_TEST(a_peer_that_is_shut_down_reads_the_end_and_is_heard)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "yes", 3),
		1);
	shut_down_peer();
	shut_down_peer();
	client_hear(&client, "yes");
	client_hear_end(&client);
	client_say(&client, "more");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "more");
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_uint_eq(get_peers(), 1);
	client_shutdown(&client);
	scene_serve(&scene);
	check_end(0);
}
END_TEST

START_TEST(a_peer_is_shut_down_after_what_is_queued)
{
	int count;

	open_with_peer(PACKET + _i, scene_be_silent);
	count = fill_queue();
	shut_down_peer();
	ck_assert_uint_eq(scene_count(&scene).queued, 1);
	ck_assert_uint_eq(read_large(-1), (size_t)count * LARGE);
	ck_assert_uint_eq(get_peers(), 1);
	client_say(&client, "more");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "more");
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	check_end(0);
}
END_TEST

/* _i / LINKS: a message is queued, which is sent still. */
START_TEST(nothing_more_is_sent_to_who_was_shut_down)
{
	int count;

	open_with_peer(PACKET + _i % LINKS, scene_put_off);
	count = _i < LINKS ? 0 : fill_queue();
	shut_down_peer();
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		EPIPE);
	ck_assert_errno(unixservice_push(scene.service, scene.peer, "x", 1),
		EPIPE);
	ck_assert_int_eq(scene.error[UNIXSERVICE_LOST], EPIPE);
	ck_assert_uint_eq(read_large(-1), (size_t)count * LARGE);
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
	check_end(EPIPE);
}
END_TEST

START_TEST(who_ended_its_direction_is_closed_once_it_is_shut_down)
{
	int count;

	open_with_peer(PACKET + _i % LINKS, scene_be_silent);
	client_shutdown(&client);
	scene_serve(&scene);
	count = _i < LINKS ? 0 : fill_queue();
	shut_down_peer();
	ck_assert_uint_eq(get_peers(), count > 0);
	ck_assert_uint_eq(read_large(-1), (size_t)count * LARGE);
	check_end(0);
}
END_TEST

START_TEST(the_end_is_told_also_while_a_shutdown_waits)
{
	int count;

	open_with_peer(PACKET + _i, scene_be_silent);
	count = fill_queue();
	shut_down_peer();
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_ENDED], 1);
	ck_assert_uint_eq(get_peers(), 1);
	ck_assert_uint_eq(read_large(-1), (size_t)count * LARGE);
	check_end(0);
}
END_TEST

/* Nobody waits for an answer that cannot be sent. */
START_TEST(a_pending_answer_is_gone_when_both_directions_have_ended)
{
	open_with_peer(PACKET + _i, scene_put_off);
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(get_peers(), 1);
	shut_down_peer();
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	check_end(EPIPE);
}
END_TEST

static void end_too(struct scene *at, const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_ENDED)
		ck_assert_int_eq(unixservice_shutdown_peer(at->service,
					 event->peer),
			0);
}

START_TEST(the_watcher_may_shut_down_who_ended)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	scene.react = end_too;
	client_shutdown(&client);
	scene_serve(&scene);
	client_hear_end(&client);
	check_end(0);
}
END_TEST

START_TEST(a_stop_does_not_wait_for_who_ended_its_direction)
{
	open_with_peer(PACKET + _i % LINKS, scene_be_silent);
	if (_i < LINKS)
		client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_ENDED], _i < LINKS);
	check_end(0);
}
END_TEST

START_TEST(a_datagram_peer_has_no_direction_to_end)
{
	open_with_peer(GRAM, scene_be_silent);
	ck_assert_errno(unixservice_shutdown_peer(scene.service, scene.peer),
		ENOTSUP);
	ck_assert_errno(unixservice_shutdown_peer(scene.service, 0), ENOTCONN);
	client_close(&client);
	scene_close(&scene);
}
END_TEST

/* Reading while messages are queued */

/* _i / LINKS: with the option, or without. */
START_TEST(a_client_is_read_while_messages_to_it_are_queued)
{
	struct unixservice_options options = make_options();

	options.read_while_queued = _i < LINKS;
	scene_open_kind(&scene, PACKET + _i % LINKS, scene_be_silent, &options);
	client_dial(&client, PACKET + _i % LINKS);
	client_say(&client, "hello");
	scene_serve(&scene);
	fill_queue();
	client_say(&client, "more");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, _i < LINKS ? "more" : "hello");
	ck_assert_int_eq(scene_serve(&scene), 0);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "more");
	check_end(EPIPE);
}
END_TEST

START_TEST(what_is_queued_is_sent_while_the_client_is_read)
{
	int count;

	open_with_peer(PACKET + _i, scene_be_silent);
	count = fill_queue();
	client_say(&client, "more");
	ck_assert_uint_eq(read_large(count), (size_t)count * LARGE);
	ck_assert_str_eq(scene.data, "more");
	ck_assert_uint_eq(scene.told[UNIXSERVICE_FLUSHED], 1);
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	check_end(0);
}
END_TEST

static TCase *make_end_tests(void)
{
	TCase *tcase = make_tcase("ends");

	tcase_add_loop_test(tcase,
		a_client_that_ends_its_direction_stays_a_peer, 0, LINKS);
	tcase_add_loop_test(tcase, the_end_is_told_after_the_last_message, 0,
		LINKS);
	tcase_add_loop_test(tcase,
		without_the_option_a_client_that_ends_is_closed, 0, LINKS);
	tcase_add_loop_test(tcase, who_ended_its_direction_and_closes_is_closed,
		0, LINKS);
	tcase_add_loop_test(tcase,
		who_closes_with_messages_queued_after_its_end_has_lost_them, 0,
		LINKS);
	tcase_add_loop_test(tcase,
		a_peer_that_is_shut_down_reads_the_end_and_is_heard, 0, LINKS);
	tcase_add_loop_test(tcase, a_peer_is_shut_down_after_what_is_queued, 0,
		LINKS);
	tcase_add_loop_test(tcase, nothing_more_is_sent_to_who_was_shut_down, 0,
		2 * LINKS);
	tcase_add_loop_test(tcase,
		who_ended_its_direction_is_closed_once_it_is_shut_down, 0,
		2 * LINKS);
	tcase_add_loop_test(tcase, the_end_is_told_also_while_a_shutdown_waits,
		0, LINKS);
	tcase_add_loop_test(tcase,
		a_pending_answer_is_gone_when_both_directions_have_ended, 0,
		LINKS);
	tcase_add_loop_test(tcase, the_watcher_may_shut_down_who_ended, 0,
		LINKS);
	tcase_add_loop_test(tcase,
		a_stop_does_not_wait_for_who_ended_its_direction, 0, 2 * LINKS);
	tcase_add_test(tcase, a_datagram_peer_has_no_direction_to_end);
	return tcase;
}

static TCase *make_duplex_tests(void)
{
	TCase *tcase = make_tcase("duplex");

	tcase_add_loop_test(tcase,
		a_client_is_read_while_messages_to_it_are_queued, 0, 2 * LINKS);
	tcase_add_loop_test(tcase,
		what_is_queued_is_sent_while_the_client_is_read, 0, LINKS);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_forward", make_end_tests(),
		make_duplex_tests());
}
