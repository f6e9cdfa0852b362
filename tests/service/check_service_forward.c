/* SPDX-License-Identifier: MIT */
/*
 * What a service needs to pass messages on: each direction of a connection by
 * itself, its end, and room for what is queued.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
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
}
END_TEST

/* A reset */

static int put_off_and_reset(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	(void)msg;
	ck_assert_int_eq(unixservice_reset_peer(at->service, peer), 0);
	ck_assert_errno(unixservice_reset_peer(at->service, peer), ENOTCONN);
	return UNIXSERVICE_LATER;
}

START_TEST(a_reset_loses_what_is_queued_and_counts_it)
{
	open_with_peer(_i, scene_put_off);
	fill_queue();
	fill_queue();
	ck_assert_int_eq(unixservice_reset_peer(scene.service, scene.peer), 0);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 2);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	check_end(ECANCELED);
}
END_TEST

START_TEST(a_reset_in_the_handler_ends_its_turn)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	scene.act = put_off_and_reset;
	client_say(&client, "one");
	client_say(&client, "two");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 2);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	check_end(ECANCELED);
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

/* Pauses of peers */

static void pause_peer(void)
{
	ck_assert_int_eq(unixservice_pause_peer(scene.service, scene.peer), 0);
}

static void resume_peer(void)
{
	ck_assert_int_eq(unixservice_resume_peer(scene.service, scene.peer), 0);
}

/* Of a byte stream one read takes all that is there. */
static int note_and_pause(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	at->number += (int)msg->size;
	ck_assert_int_eq(unixservice_pause_peer(at->service, peer), 0);
	return UNIXSERVICE_DONE;
}

START_TEST(a_pause_in_the_handler_takes_effect_at_once)
{
	const int each = _i == BYTES - PACKET ? TIMES * 5 : 5;
	int i;

	open_with_client(PACKET + _i, note_and_pause);
	for (i = 0; i < TIMES; i++)
		client_say(&client, "hello");
	scene_serve(&scene);
	for (i = each; i < TIMES * 5; i += each) {
		ck_assert_int_eq(scene.number, i);
		resume_peer();
		scene_serve(&scene);
	}
	ck_assert_int_eq(scene.number, TIMES * 5);
	client_close(&client);
	resume_peer();
	scene_serve(&scene);
	check_end(0);
}
END_TEST

START_TEST(a_paused_peer_is_sent_to)
{
	int count;

	open_with_peer(PACKET + _i, scene_be_silent);
	pause_peer();
	client_say(&client, "more");
	count = fill_queue();
	ck_assert_uint_eq(read_large(count), (size_t)count * LARGE);
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	check_end(0);
}
END_TEST

/* What it has sent before is heard later. */
START_TEST(the_death_of_a_paused_peer_is_noticed)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	pause_peer();
	client_say(&client, "last");
	client_close(&client);
	scene_serve(&scene);
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_errno(unixservice_push(scene.service, scene.peer, "x", 1),
		EPIPE);
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(get_peers(), 1);
	resume_peer();
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "last");
	check_end(EPIPE);
}
END_TEST

START_TEST(the_end_of_a_paused_peer_is_told_when_it_is_read)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	pause_peer();
	client_say(&client, "last");
	client_shutdown(&client);
	scene_serve(&scene);
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_ENDED], 0);
	resume_peer();
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "last");
	ck_assert_uint_eq(scene.told[UNIXSERVICE_ENDED], 1);
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	check_end(0);
}
END_TEST

START_TEST(pauses_do_not_nest)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	pause_peer();
	pause_peer();
	resume_peer();
	client_say(&client, "more");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "more");
	client_close(&client);
	scene_serve(&scene);
	check_end(0);
}
END_TEST

static void pause_who_comes(struct scene *at,
	const struct unixservice_event *event)
{
	if (event->kind != UNIXSERVICE_OPENED)
		return;
	ck_assert_int_eq(unixservice_pause_peer(at->service, event->peer), 0);
	at->peer = event->peer;
}

START_TEST(a_peer_is_paused_before_its_first_message)
{
	open_with_client(PACKET + _i, scene_be_silent);
	scene.react = pause_who_comes;
	client_say(&client, "hello");
	scene_serve(&scene);
	ck_assert_uint_eq(get_peers(), 1);
	ck_assert_uint_eq(scene.heard, 0);
	resume_peer();
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 1);
	client_close(&client);
	scene_serve(&scene);
	check_end(0);
}
END_TEST

START_TEST(a_paused_peer_is_not_silent)
{
	struct unixservice_options options = make_options();

	options.idle_us = 20000;
	scene_open_kind(&scene, PACKET + _i, note_and_pause, &options);
	client_dial(&client, PACKET + _i);
	client_say(&client, "hello");
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 5);
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(5 * options.idle_us)),
		ETIMEDOUT);
	ck_assert_uint_eq(get_peers(), 1);
	resume_peer();
	scene_serve_while(&scene, get_peers() > 0);
	ck_assert_uint_eq(scene_count(&scene).idle, 1);
	check_end(ETIMEDOUT);
}
END_TEST

START_TEST(a_stop_waits_for_a_paused_peer)
{
	open_with_peer(PACKET + _i, scene_be_silent);
	pause_peer();
	client_say(&client, "last");
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	scene_serve(&scene);
	ck_assert(!unixservice_is_drained(scene.service));
	ck_assert_uint_eq(scene.heard, 1);
	resume_peer();
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "last");
	ck_assert(unixservice_is_drained(scene.service));
	check_end(0);
}
END_TEST

START_TEST(a_datagram_peer_is_not_paused_alone)
{
	open_with_peer(GRAM, scene_be_silent);
	ck_assert_errno(unixservice_pause_peer(scene.service, scene.peer),
		ENOTSUP);
	ck_assert_errno(unixservice_resume_peer(scene.service, scene.peer),
		ENOTSUP);
	ck_assert_errno(unixservice_pause_peer(scene.service, 0), ENOTCONN);
}
END_TEST

/* Pauses of sockets */

enum { TAG = 7, ZEROS = 10 };

static const char *const networks[KINDS] = { "unixgram", "unixpacket", "unix",
	"unix" };

static void listen_with_tag(int kind, const char *address, uint64_t tag)
{
	const struct unixlisten_options options = {
		.flags = kind == BYTES ? UNIXMSG_LISTEN_BYTES : 0,
		.tag = tag,
	};

	ck_assert_int_eq(unixservice_listen(scene.service, networks[kind],
				 address, &options),
		0);
}

static void pause_socket(uint64_t tag)
{
	ck_assert_int_eq(unixservice_pause_socket(scene.service, tag), 0);
}

static void resume_socket(uint64_t tag)
{
	ck_assert_int_eq(unixservice_resume_socket(scene.service, tag), 0);
}

START_TEST(a_paused_socket_receives_nothing)
{
	struct client other;

	scene_open(&scene, scene_be_silent, NULL);
	listen_with_tag(_i, scene_address(_i), TAG);
	listen_with_tag(_i, support_path("other"), 0);
	pause_socket(TAG);
	pause_socket(TAG);
	client_dial(&client, _i);
	client_say(&client, "waits");
	client_dial_at(&other, _i, support_path("other"));
	client_say(&other, "comes");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "comes");
	ck_assert_int_eq(scene_serve(&scene), 0);
	resume_socket(TAG);
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "waits");
	ck_assert_uint_eq(scene.heard, 2);
	client_close(&client);
	client_close(&other);
}
END_TEST

START_TEST(a_socket_that_is_not_there_is_not_paused)
{
	scene_open_kind(&scene, _i, scene_be_silent, NULL);
	ck_assert_errno(unixservice_pause_socket(scene.service, TAG), ENOENT);
	ck_assert_errno(unixservice_resume_socket(scene.service, TAG), ENOENT);
}
END_TEST

static void pause_for_who_comes(struct scene *at,
	const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_OPENED)
		ck_assert_int_eq(unixservice_pause_socket(at->service, TAG), 0);
}

START_TEST(a_listener_is_paused_in_the_middle_of_its_turn)
{
	struct client other;

	scene_open(&scene, scene_be_silent, NULL);
	listen_with_tag(PACKET + _i, scene_address(PACKET + _i), TAG);
	scene.react = pause_for_who_comes;
	client_dial(&client, PACKET + _i);
	client_dial(&other, PACKET + _i);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).connections, 1);
	resume_socket(TAG);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).connections, 2);
	client_close(&client);
	client_close(&other);
}
END_TEST

/* Notes the digits that the messages are. */
static int note_digit(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)peer;
	(void)msg;
	at->number = 10 * at->number + (at->data[0] - '0');
	if (at->data[0] == '2' || at->data[0] == '4')
		ck_assert_int_eq(unixservice_pause_socket(at->service, TAG), 0);
	return UNIXSERVICE_DONE;
}

static void say_digits(struct client *at, int first, int last)
{
	char digit[2] = { 0 };

	for (; first <= last; first++) {
		digit[0] = (char)('0' + first);
		client_say(at, digit);
	}
}

/*
 * With batches or without. Zeros that queue up come first: after them the next
 * digits are received by one call.
 */
static void open_with_digits(unsigned int batch)
{
	int i;

	struct unixservice_options options = scene_options();

	options.batch = batch;
	scene_open(&scene, note_digit, &options);
	listen_with_tag(GRAM, scene_address(GRAM), TAG);
	listen_with_tag(GRAM, support_path("other"), TAG + 1);
	client_dial(&client, GRAM);
	for (i = 0; i < ZEROS; i++)
		client_say(&client, "0");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, ZEROS);
}

START_TEST(the_rest_of_a_batch_waits_for_the_end_of_a_pause)
{
	open_with_digits(_i == 0 ? 1 : 8);
	say_digits(&client, 1, 6);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 12);
	ck_assert_uint_eq(scene_count(&scene).received, ZEROS + 2);
	ck_assert_int_eq(scene_serve(&scene), 0);
	say_digits(&client, 7, 9);
	resume_socket(TAG);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 1234);
	resume_socket(TAG);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 123456789);
}
END_TEST

START_TEST(another_socket_is_served_beside_the_rest_of_a_batch)
{
	struct client other;

	open_with_digits(_i == 0 ? 1 : 8);
	client_dial_at(&other, GRAM, support_path("other"));
	say_digits(&client, 1, 6);
	scene_serve(&scene);
	scene.number = 0;
	say_digits(&other, 5, 9);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 56789);
	scene.number = 0;
	resume_socket(TAG);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 34);
	client_close(&client);
	client_close(&other);
}
END_TEST

START_TEST(a_stop_waits_for_a_paused_socket)
{
	open_with_digits(_i == 0 ? 1 : 8);
	say_digits(&client, 1, 3);
	scene_serve(&scene);
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	scene_serve(&scene);
	ck_assert(!unixservice_is_drained(scene.service));
	ck_assert_int_eq(scene.number, 12);
	resume_socket(TAG);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 123);
	ck_assert(unixservice_is_drained(scene.service));
}
END_TEST

/* What is queued */

START_TEST(what_is_queued_is_counted)
{
	int count;

	open_with_peer(_i, scene_be_silent);
	ck_assert_int_eq(unixservice_push(scene.service, scene.peer, "x", 1),
		1);
	ck_assert_uint_eq(unixservice_get_queued(scene.service, scene.peer), 0);
	count = fill_queue();
	ck_assert_uint_eq(unixservice_get_queued(scene.service, scene.peer), 1);
	client_hear(&client, "x");
	read_large(count);
	scene_serve_while(&scene, scene.told[UNIXSERVICE_FLUSHED] == 0);
	ck_assert_uint_eq(unixservice_get_queued(scene.service, scene.peer), 0);
	errno = 0;
	ck_assert_uint_eq(unixservice_get_queued(scene.service, 0), 0);
	ck_assert_int_eq(errno, 0);
}
END_TEST

/* A datagram socket that is connected to its peer */

static struct unixconn *server;

static void open_gram_server(void)
{
	server = unixconn_open("unixgram", support_path("server"), NULL);
	ck_assert_msg(server != NULL, "%s", strerror(errno));
}

static uint64_t add_connected(unsigned int flags)
{
	const struct unixdial_options options = { .flags = flags };
	struct unixconn *conn = unixconn_dial("unixgram",
		support_path("server"), &options, UNIXMSG_NOW);
	uint64_t peer = 0;

	ck_assert_msg(conn != NULL, "%s", strerror(errno));
	ck_assert_int_eq(unixservice_add_conn(scene.service, conn, 0, &peer),
		0);
	ck_assert_uint_ne(peer, 0);
	return peer;
}

static void open_with_server(const struct unixservice_options *options,
	unsigned int flags)
{
	open_gram_server();
	scene_open(&scene, scene_be_silent, options);
	scene.other = add_connected(flags);
}

static void push(const char *text)
{
	ck_assert_int_eq(unixservice_push(scene.service, scene.other, text,
				 strlen(text)),
		1);
}

/* Returns the address of the socket that the message came from. */
static struct unixaddr hear_at_server(const char *text)
{
	static char data[2 * LARGE];
	struct unixaddr from;
	size_t size;

	ck_assert_int_eq(unixconn_recv_from(server, data, sizeof(data), &size,
				 &from, UNIXMSG_NOW),
		1);
	if (text != NULL) {
		ck_assert_uint_eq(size, strlen(text));
		ck_assert_mem_eq(data, text, size);
	}
	return from;
}

static void answer_at_server(const struct unixaddr *to, const char *text)
{
	ck_assert_int_eq(unixconn_send_to(server, to, text, strlen(text),
				 UNIXMSG_NOW),
		1);
}

static void close_with_server(void)
{
	unixconn_close(server);
	scene_close(&scene);
}

START_TEST(a_connected_datagram_socket_is_one_peer)
{
	struct unixservice_peer_info info;
	struct unixaddr from, addr;

	open_with_server(NULL, 0);
	ck_assert_int_eq(unixservice_get_peer_info(scene.service, scene.other,
				 &info),
		0);
	ck_assert_str_eq(info.network, "unixgram");
	ck_assert_int_eq(unixconn_get_address(server, &addr), 0);
	ck_assert(unixaddr_is_equal(&info.addr, &addr));
	push("ask");
	from = hear_at_server("ask");
	answer_at_server(&from, "answer");
	answer_at_server(&from, "");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 2);
	ck_assert_uint_eq(scene.size, 0);
	ck_assert_uint_eq(scene.peer, scene.other);
	ck_assert_uint_eq(get_peers(), 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_OPENED], 1);
	close_with_server();
}
END_TEST

START_TEST(an_answer_comes_from_the_socket_that_asked)
{
	struct unixaddr from[2];
	uint64_t first;

	open_with_server(NULL, 0);
	first = scene.other;
	push("one");
	scene.other = add_connected(0);
	push("two");
	from[0] = hear_at_server("one");
	from[1] = hear_at_server("two");
	answer_at_server(&from[1], "to two");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "to two");
	ck_assert_uint_eq(scene.peer, scene.other);
	answer_at_server(&from[0], "to one");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "to one");
	ck_assert_uint_eq(scene.peer, first);
	close_with_server();
}
END_TEST

START_TEST(a_datagram_peer_that_has_closed_is_closed_by_a_send)
{
	open_with_server(NULL, 0);
	unixconn_close(server);
	scene_serve(&scene);
	ck_assert_uint_eq(get_peers(), 1);
	ck_assert_errno(unixservice_push(scene.service, scene.other, "x", 1),
		ENOTCONN);
	ck_assert_uint_eq(get_peers(), 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ECONNREFUSED);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
}
END_TEST

START_TEST(a_datagram_peer_that_comes_again_is_the_same)
{
	struct unixaddr from;

	open_with_server(NULL, UNIXMSG_DIAL_RECONNECT);
	push("one");
	unixconn_close(server);
	open_gram_server();
	push("two");
	from = hear_at_server("two");
	answer_at_server(&from, "answer");
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "answer");
	ck_assert_uint_eq(scene.peer, scene.other);
	close_with_server();
}
END_TEST

/* Unlike a connection it has boundaries that hold. */
START_TEST(a_datagram_that_is_too_large_closes_nothing)
{
	struct unixservice_options options = scene_options();
	struct unixaddr from;

	options.size_max = 4;
	open_with_server(&options, 0);
	push("ask");
	from = hear_at_server("ask");
	answer_at_server(&from, "too large");
	answer_at_server(&from, "fits");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CUT], 1);
	ck_assert_uint_eq(scene_count(&scene).cut, 1);
	ck_assert_str_eq(scene.data, "fits");
	close_with_server();
}
END_TEST

START_TEST(a_connected_datagram_socket_is_paused)
{
	struct unixaddr from;

	open_with_server(NULL, 0);
	ck_assert_int_eq(unixservice_pause_peer(scene.service, scene.other), 0);
	push("ask");
	from = hear_at_server("ask");
	answer_at_server(&from, "answer");
	scene_serve(&scene);
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_uint_eq(scene.heard, 0);
	ck_assert_int_eq(unixservice_resume_peer(scene.service, scene.other),
		0);
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "answer");
	close_with_server();
}
END_TEST

START_TEST(what_a_datagram_peer_has_no_room_for_is_queued)
{
	int i, count;

	open_with_server(NULL, 0);
	scene.peer = scene.other;
	count = fill_queue();
	ck_assert_int_eq(scene_serve(&scene), 0);
	for (i = 0; i < count; i++) {
		hear_at_server(NULL);
		scene_serve(&scene);
	}
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_FLUSHED], 1);
	close_with_server();
}
END_TEST

START_TEST(a_stop_receives_what_a_datagram_peer_has_sent)
{
	struct unixaddr from;

	open_with_server(NULL, 0);
	push("ask");
	from = hear_at_server("ask");
	answer_at_server(&from, "last");
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_str_eq(scene.data, "last");
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], 0);
	ck_assert_uint_eq(get_peers(), 0);
	close_with_server();
}
END_TEST

START_TEST(a_connected_datagram_socket_that_was_shut_down_is_closed)
{
	struct unixconn *pair[2];

	scene_open(&scene, scene_be_silent, NULL);
	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0, NULL),
		0);
	ck_assert_int_eq(unixconn_send(pair[1], "last", 4, UNIXMSG_NOW), 1);
	ck_assert_int_eq(shutdown(unixconn_get_fd(pair[0]), SHUT_RD), 0);
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "last");
	ck_assert_uint_eq(get_peers(), 0);
	unixconn_close(pair[1]);
}
END_TEST

/* The other end of the pair turns to somebody else, with a message unread. _i:
 * while the peer is paused, or not. */
START_TEST(a_datagram_peer_that_drops_messages_is_closed)
{
	struct unixconn *pair[2];
	struct unixaddr addr;
	const struct sockaddr *sa;
	socklen_t length;

	open_gram_server();
	scene_open(&scene, scene_be_silent, NULL);
	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0,
				 &scene.other),
		0);
	push("unread");
	ck_assert_int_eq(unixconn_send(pair[1], "last", 4, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_get_address(server, &addr), 0);
	sa = unixaddr_get_sockaddr(&addr, &length);
	scene.peer = scene.other;
	if (_i > 0)
		pause_peer();
	ck_assert_int_eq(connect(unixconn_get_fd(pair[1]), sa, length), 0);
	scene_serve(&scene);
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_uint_eq(get_peers(), _i > 0);
	if (_i > 0)
		resume_peer();
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "last");
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], ECONNRESET);
	unixconn_close(pair[1]);
	close_with_server();
}
END_TEST

START_TEST(a_connected_datagram_socket_has_no_direction_to_end)
{
	open_with_server(NULL, 0);
	ck_assert_errno(unixservice_shutdown_peer(scene.service, scene.other),
		ENOTSUP);
	close_with_server();
}
END_TEST

/* Names that are given up */

static void unlisten(void)
{
	ck_assert_int_eq(unixservice_unlisten(scene.service), 0);
}

static void check_name_is_free(int kind)
{
	struct unixaddr addr;

	ck_assert_errno(access(scene_address(kind), F_OK), ENOENT);
	ck_assert_errno(unixservice_get_address(scene.service, &addr), ENOENT);
}

START_TEST(peers_outlast_the_name)
{
	open_with_peer(_i, scene_be_silent);
	unlisten();
	scene_serve(&scene);
	check_name_is_free(_i);
	ck_assert_uint_eq(get_peers(), 1);
	ck_assert_int_eq(unixservice_push(scene.service, scene.peer, "yes", 3),
		1);
	client_hear(&client, "yes");
	if (_i == GRAM) {
		ck_assert_errno(client_try_send(&client, "more", 4), EPIPE);
	} else {
		client_say(&client, "more");
		scene_serve(&scene);
		ck_assert_str_eq(scene.data, "more");
	}
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	check_end(0);
}
END_TEST

START_TEST(what_came_before_the_end_of_the_name_is_received)
{
	open_with_client(_i, scene_be_silent);
	client_say(&client, "last");
	unlisten();
	scene_serve(&scene);
	ck_assert_str_eq(scene.data, "last");
	ck_assert_int_eq(scene_serve(&scene), 0);
}
END_TEST

START_TEST(a_service_listens_again)
{
	struct client other;

	open_with_peer(_i, scene_echo);
	client_hear(&client, "hello");
	unlisten();
	unlisten();
	scene_listen(&scene, _i);
	client_dial(&other, _i);
	client_say(&other, "anew");
	scene_serve(&scene);
	client_hear(&other, "anew");
	ck_assert_uint_eq(get_peers(), 2);
	client_close(&other);
	client_close(&client);
	scene_close(&scene);
	ck_assert_errno(access(scene_address(_i), F_OK), ENOENT);
}
END_TEST

static int try_to_listen(int kind, const char *address)
{
	return unixservice_listen(scene.service, networks[kind], address, NULL);
}

/* A datagram peer is sent to by the socket that has the name. */
START_TEST(an_abstract_name_becomes_free)
{
	const char *address = support_abstract("again");

	scene_open(&scene, scene_be_silent, NULL);
	scene_listen_at(&scene, _i, address);
	client_dial_at(&client, _i, address);
	client_say(&client, "hello");
	scene_serve(&scene);
	unlisten();
	scene_serve(&scene);
	if (_i == GRAM) {
		ck_assert_errno(try_to_listen(_i, address), EADDRINUSE);
		ck_assert_int_eq(unixservice_close_peer(scene.service,
					 scene.peer),
			0);
		scene_serve(&scene);
		ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	}
	ck_assert_int_eq(try_to_listen(_i, address), 0);
}
END_TEST

START_TEST(a_file_that_is_kept_outlasts_its_socket)
{
	open_with_client(_i, scene_be_silent);
	ck_assert_int_eq(unixservice_set_unlink_on_close(scene.service, false),
		0);
	unlisten();
	/* It is not ours any more. */
	ck_assert_int_eq(unixservice_set_unlink_on_close(scene.service, true),
		0);
	scene_serve(&scene);
	ck_assert_int_eq(access(scene_address(_i), F_OK), 0);
	client_close(&client);
	scene_close(&scene);
	ck_assert_int_eq(access(scene_address(_i), F_OK), 0);
}
END_TEST

START_TEST(a_paused_socket_is_resumed_without_its_name)
{
	open_with_digits(_i == 0 ? 1 : 8);
	say_digits(&client, 1, 3);
	scene_serve(&scene);
	unlisten();
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 12);
	resume_socket(TAG);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 123);
}
END_TEST

START_TEST(no_peer_is_opened_by_a_socket_without_its_name)
{
	open_gram_server();
	scene_open_kind(&scene, GRAM, scene_be_silent, NULL);
	unlisten();
	ck_assert_errno(unixservice_open_peer(scene.service, "unixgram",
				support_path("server"), 0, NULL),
		EINVAL);
	close_with_server();
}
END_TEST

START_TEST(a_service_that_has_given_up_its_name_is_drained)
{
	open_with_peer(_i, scene_put_off);
	unlisten();
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	scene_serve(&scene);
	ck_assert(!unixservice_is_drained(scene.service));
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "yes", 3),
		1);
	scene_serve(&scene);
	ck_assert(unixservice_is_drained(scene.service));
	client_hear(&client, "yes");
	ck_assert_errno(unixservice_unlisten(scene.service), EINVAL);
}
END_TEST

/* Credentials that are passed on */

/* The user that nobody has, or who we are. */
static struct unixcred make_cred(void)
{
	return (struct unixcred){
		.pid = getpid(),
		.uid = geteuid() == 0 ? 12345 : geteuid(),
		.gid = getegid(),
	};
}

static int send_with_cred(const struct unixcred *cred)
{
	const struct unixmsg msg = {
		.data = (void *)"whose",
		.room = 5,
		.flags = UNIXMSG_SEND_CRED,
		.cred = *cred,
	};

	return unixservice_send_msg(scene.service, scene.peer, &msg);
}

static struct unixconn *get_conn(void)
{
	return client.conn;
}

static void expect_cred(const struct unixcred *cred)
{
	char data[8];
	struct unixmsg msg = { .data = data, .room = sizeof(data) };

	scene_serve(&scene);
	ck_assert_int_eq(unixconn_recv_msg(get_conn(), &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 5);
	ck_assert(msg.flags & UNIXMSG_HAS_CRED);
	ck_assert_int_eq(msg.cred.pid, cred->pid);
	ck_assert_uint_eq(msg.cred.uid, cred->uid);
	ck_assert_uint_eq(msg.cred.gid, cred->gid);
}

/* _i / 2: they are queued first. */
START_TEST(credentials_are_passed_on)
{
	const struct unixcred cred = make_cred();
	int count = 0;

	open_with_peer(GRAM + _i % 2, scene_be_silent);
	ck_assert_int_eq(unixconn_want(get_conn(), UNIXMSG_WANT_CRED), 0);
	if (_i >= 2)
		count = fill_queue();
	ck_assert_int_eq(send_with_cred(&cred), 1);
	read_large(count);
	if (_i >= 2)
		scene_serve_while(&scene, scene_count(&scene).queued > 0);
	expect_cred(&cred);
}
END_TEST

/* Nor may root send a process that is none. */
START_TEST(credentials_that_may_not_be_sent_are_refused)
{
	struct unixcred cred = make_cred();

	if (geteuid() == 0)
		cred.pid = INT_MAX;
	else
		cred.uid = 0;
	open_with_peer(GRAM + _i, scene_be_silent);
	ck_assert_errno(send_with_cred(&cred), geteuid() == 0 ? ESRCH : EPERM);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
	ck_assert_uint_eq(get_peers(), 1);
}
END_TEST

START_TEST(frames_carry_no_credentials)
{
	const struct unixcred cred = make_cred();

	open_with_peer(FRAMED, scene_be_silent);
	ck_assert_errno(send_with_cred(&cred), EINVAL);
	ck_assert_uint_eq(scene_count(&scene).pushed, 0);
}
END_TEST

/* A forwarder between two ends, as examples/26-forward.c */

enum { MESSAGES = 200, SIZE = 20000 };

/* An end outside of the service: what it has sent and has heard. */
struct end {
	struct unixconn *conn;
	uint64_t peer;
	size_t sent, heard; /* bytes */
	bool has_ended;
};

static struct end ends[2];

static uint64_t get_other(uint64_t peer)
{
	return ends[ends[0].peer == peer].peer;
}

static int pass_on(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	const uint64_t other = get_other(peer);

	ck_assert_int_eq(unixservice_send_msg(at->service, other, msg), 1);
	if (unixservice_get_queued(at->service, other) > 0)
		unixservice_pause_peer(at->service, peer);
	return UNIXSERVICE_DONE;
}

static void react(struct scene *at, const struct unixservice_event *event)
{
	const uint64_t other = get_other(event->peer);

	if (event->kind == UNIXSERVICE_FLUSHED)
		unixservice_resume_peer(at->service, other);
	else if (event->kind == UNIXSERVICE_ENDED)
		unixservice_shutdown_peer(at->service, other);
	else if (event->kind == UNIXSERVICE_CLOSED)
		unixservice_close_peer(at->service, other);
}

static void open_forwarder(int kind)
{
	struct unixservice_options options = make_options();
	const unsigned int flags = kind == BYTES ? UNIXMSG_LISTEN_BYTES : 0;
	struct unixconn *pair[2];
	int i;

	options.wants = UNIXMSG_WANT_FDS;
	scene_open(&scene, pass_on, &options);
	scene.react = react;
	memset(ends, 0, sizeof(ends));
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(unixconn_pair(networks[kind], pair), 0);
		ck_assert_int_eq(unixservice_add_conn(scene.service, pair[1],
					 flags, &ends[i].peer),
			0);
		ends[i].conn = pair[0];
	}
}

/* Each byte tells its place in all that an end sends. */
static void fill_with_places(char *data, size_t size, size_t place)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = (char)((place + i) % 251);
}

static void send_some(struct end *end, int kind)
{
	char data[SIZE];
	size_t written = 0;

	if (end->sent == (size_t)MESSAGES * SIZE)
		return;
	fill_with_places(data, SIZE, end->sent);
	if (kind == BYTES)
		unixconn_write(end->conn, data, SIZE - end->sent % SIZE,
			&written, UNIXMSG_NOW);
	else if (unixconn_send(end->conn, data, SIZE, UNIXMSG_NOW) == 1)
		written = SIZE;
	end->sent += written;
}

static void hear_some(struct end *end, int kind)
{
	char data[SIZE], expected[SIZE];
	size_t size = 0;
	int result = kind == BYTES
		? unixconn_read(end->conn, data, SIZE, &size, UNIXMSG_NOW)
		: unixconn_recv(end->conn, data, SIZE, &size, UNIXMSG_NOW);

	end->has_ended |= result == 0;
	if (result < 0)
		ck_assert_int_eq(errno, EAGAIN);
	if (result != 1)
		return;
	if (kind != BYTES)
		ck_assert_uint_eq(size, SIZE);
	fill_with_places(expected, size, end->heard);
	ck_assert_mem_eq(data, expected, size);
	end->heard += size;
}

static void check_forwarded(int kind)
{
	const struct unixservice_counters books = scene_count(&scene);

	if (kind != BYTES)
		ck_assert_uint_eq(books.received, 2 * MESSAGES);
	ck_assert_uint_eq(books.received_bytes, 2ull * MESSAGES * SIZE);
	ck_assert_uint_eq(books.sent_bytes, books.received_bytes);
	ck_assert_uint_eq(books.unanswered, books.received);
	ck_assert_uint_eq(books.pushed, books.received);
	ck_assert_uint_eq(books.pushed_lost, 0);
	/* One for each direction. */
	ck_assert_uint_ge(books.queued_most, 1);
	ck_assert_uint_le(books.queued_most, 2);
}

/* Both ends send all that they can, and read a little. */
START_TEST(what_is_passed_on_stays_whole_when_both_directions_are_full)
{
	const int kind = PACKET + _i;
	const size_t all = (size_t)MESSAGES * SIZE;
	int i;

	open_forwarder(kind);
	while (ends[0].heard < all || ends[1].heard < all) {
		for (i = 0; i < 6; i++)
			send_some(&ends[i % 2], kind);
		scene_serve(&scene);
		hear_some(&ends[0], kind);
		hear_some(&ends[1], kind);
		scene_serve(&scene);
	}
	check_forwarded(kind);
	unixconn_close(ends[0].conn);
	unixconn_close(ends[1].conn);
	scene_serve(&scene);
	ck_assert_uint_eq(get_peers(), 0);
}
END_TEST

/* _i / LINKS: the end that ends first. */
START_TEST(ends_are_passed_on_one_by_one)
{
	const int kind = PACKET + _i % LINKS;
	struct end *first = &ends[_i / LINKS], *second = &ends[_i < LINKS];

	open_forwarder(kind);
	while (first->sent < 2 * SIZE) {
		send_some(first, kind);
		scene_serve(&scene);
	}
	ck_assert_int_eq(unixconn_shutdown(first->conn, SHUT_WR), 0);
	while (!second->has_ended) {
		scene_serve(&scene);
		hear_some(second, kind);
	}
	ck_assert_uint_eq(second->heard, first->sent);
	ck_assert(!first->has_ended);
	send_some(second, kind);
	ck_assert_int_eq(unixconn_shutdown(second->conn, SHUT_WR), 0);
	while (!first->has_ended) {
		scene_serve(&scene);
		hear_some(first, kind);
	}
	ck_assert_uint_eq(first->heard, second->sent);
	ck_assert_uint_eq(get_peers(), 0);
	unixconn_close(first->conn);
	unixconn_close(second->conn);
}
END_TEST

/* The message is queued, behind others. */
START_TEST(descriptors_are_passed_on)
{
	char data[SIZE];
	int pipe_fds[2], fd;
	size_t size, count = 1, i, sent = 0;

	open_forwarder(PACKET);
	while (scene_count(&scene).queued == 0) {
		send_some(&ends[0], PACKET);
		scene_serve(&scene);
		sent++;
	}
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(unixconn_want(ends[1].conn, UNIXMSG_WANT_FDS), 0);
	ck_assert_int_eq(unixconn_send_fds(ends[0].conn, "take", 4,
				 &pipe_fds[1], 1, UNIXMSG_NOW),
		1);
	close(pipe_fds[1]);
	for (i = 0; i < sent; i++) {
		scene_serve(&scene);
		hear_some(&ends[1], PACKET);
	}
	scene_serve(&scene);
	ck_assert_int_eq(unixconn_recv_fds(ends[1].conn, data, sizeof(data),
				 &size, &fd, &count, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 4);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	/* No copy is left behind. */
	ck_assert_int_eq(read(pipe_fds[0], data, 2), 1);
	ck_assert_int_eq(read(pipe_fds[0], data, 2), 0);
	close(pipe_fds[0]);
	unixconn_close(ends[0].conn);
	unixconn_close(ends[1].conn);
}
END_TEST

/* What comes beside the bytes of a stream */

/* What one read of the bytes brings; its descriptor, or -1. */
struct brought {
	char data[SIZE];
	ssize_t size;
	int fd;
	bool has_cred;
	struct ucred cred;
};

static void take_control(struct brought *brought, struct msghdr *header)
{
	struct cmsghdr *item;

	brought->fd = -1;
	brought->has_cred = false;
	for (item = CMSG_FIRSTHDR(header); item != NULL;
		item = CMSG_NXTHDR(header, item)) {
		if (item->cmsg_type == SCM_RIGHTS)
			memcpy(&brought->fd, CMSG_DATA(item), sizeof(int));
		if (item->cmsg_type != SCM_CREDENTIALS)
			continue;
		brought->has_cred = true;
		memcpy(&brought->cred, CMSG_DATA(item), sizeof(brought->cred));
	}
}

static bool read_beside(int fd, struct brought *brought)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int)) +
			CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec part = { brought->data, sizeof(brought->data) };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	brought->size = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (brought->size < 0) {
		ck_assert_int_eq(errno, EAGAIN);
		return false;
	}
	ck_assert_int_eq(header.msg_flags & MSG_CTRUNC, 0);
	take_control(brought, &header);
	return true;
}

static void open_byte_forwarder(void)
{
	open_forwarder(BYTES);
	ck_assert_int_eq(unixconn_want(ends[1].conn, UNIXMSG_WANT_FDS), 0);
}

static void close_forwarder(void)
{
	unixconn_close(ends[0].conn);
	unixconn_close(ends[1].conn);
	scene_serve(&scene);
	scene_close(&scene);
}

/* Reads all that was sent; returns the descriptor among it. */
static int find_fd(struct end *end, size_t all)
{
	struct brought brought;
	int found = -1;

	while (end->heard < all) {
		scene_serve(&scene);
		if (!read_beside(unixconn_get_fd(end->conn), &brought))
			continue;
		end->heard += (size_t)brought.size;
		if (brought.fd < 0)
			continue;
		ck_assert_int_lt(found, 0);
		found = brought.fd;
	}
	return found;
}

static void open_pipe(int pipe_fds[2])
{
	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
}

/* Nobody else has the end that is written to. */
static void expect_no_writer(int fd)
{
	char byte;

	ck_assert_int_eq(read(fd, &byte, 1), 0);
}

/* _i: it is queued first, behind others. */
START_TEST(descriptors_beside_bytes_are_passed_on)
{
	int pipe_fds[2], fd;

	open_byte_forwarder();
	while (_i == 1 && scene_count(&scene).queued == 0) {
		send_some(&ends[0], BYTES);
		scene_serve(&scene);
	}
	open_pipe(pipe_fds);
	ck_assert_int_eq(support_send_fds(unixconn_get_fd(ends[0].conn), "x", 1,
				 pipe_fds[1], 1),
		1);
	close(pipe_fds[1]);
	fd = find_fd(&ends[1], ends[0].sent + 1);
	ck_assert_int_eq(write(fd, "y", 1), 1);
	close(fd);
	ck_assert_int_eq(read(pipe_fds[0], &(char){ 0 }, 1), 1);
	expect_no_writer(pipe_fds[0]);
	close(pipe_fds[0]);
	close_forwarder();
}
END_TEST

/* The rest of the message is still queued. _i: all of it was. */
START_TEST(a_descriptor_goes_with_the_first_byte)
{
	static char all[1 << 19];
	int pipe_fds[2];
	struct brought brought = { .fd = -1 };
	struct unixmsg msg = {
		.data = all,
		.room = sizeof(all),
		.fds = &pipe_fds[1],
		.fds_count = 1,
	};

	open_byte_forwarder();
	open_pipe(pipe_fds);
	if (_i == 1)
		ck_assert_int_eq(unixservice_send(scene.service, ends[1].peer,
					 all, sizeof(all)),
			1);
	ck_assert_int_eq(unixservice_send_msg(scene.service, ends[1].peer,
				 &msg),
		1);
	close(pipe_fds[1]);
	while (brought.fd < 0) {
		scene_serve(&scene);
		if (!read_beside(unixconn_get_fd(ends[1].conn), &brought))
			brought.fd = -1;
	}
	ck_assert_uint_eq(scene_count(&scene).queued, 1);
	close(brought.fd);
	expect_no_writer(pipe_fds[0]);
	close(pipe_fds[0]);
	close_forwarder();
}
END_TEST

/* They need a byte to go with. */
START_TEST(nothing_goes_beside_no_bytes)
{
	struct unixmsg msg = {
		.data = (void *)"",
		.fds = &(int){ 0 },
		.fds_count = 1,
	};

	open_byte_forwarder();
	ck_assert_errno(unixservice_send_msg(scene.service, ends[1].peer, &msg),
		EINVAL);
	msg.fds_count = 0;
	msg.flags = UNIXMSG_SEND_CRED;
	ck_assert_errno(unixservice_send_msg(scene.service, ends[1].peer, &msg),
		EINVAL);
	ck_assert_uint_eq(scene_count(&scene).pushed, 0);
	close_forwarder();
}
END_TEST

/* Nothing was sent: the caller may try again. */
START_TEST(a_mistake_beside_bytes_breaks_no_stream)
{
	struct unixmsg msg = {
		.data = (void *)"x",
		.room = 1,
		.fds = &(int){ -1 },
		.fds_count = 1,
	};

	open_byte_forwarder();
	ck_assert_errno(unixservice_send_msg(scene.service, ends[1].peer, &msg),
		EBADF);
	msg.fds_count = 0;
	ck_assert_int_eq(unixservice_send_msg(scene.service, ends[1].peer,
				 &msg),
		1);
	ck_assert_int_eq(find_fd(&ends[1], 1), -1);
	close_forwarder();
}
END_TEST

/* Without the bytes that it has refused the rest would make no sense. */
START_TEST(who_refuses_what_is_beside_bytes_gets_no_more)
{
	struct unixmsg msg = {
		.data = (void *)"x",
		.room = 1,
		.fds = &(int){ 0 },
		.fds_count = 1,
	};

	if (!support_can_refuse_fds())
		return;
	open_with_peer(BYTES, scene_be_silent);
	ck_assert_errno(unixservice_send_msg(scene.service, scene.peer, &msg),
		EPIPE);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 1);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "y", 1),
		EPIPE);
	ck_assert_uint_eq(read_large(-1), 0);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(get_peers(), 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EPERM);
}
END_TEST

START_TEST(credentials_beside_bytes_are_passed_on)
{
	const struct unixcred cred = make_cred();
	const int on = 1;
	struct brought brought;
	int fd;

	open_with_peer(BYTES, scene_be_silent);
	fd = unixconn_get_fd(client.conn);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on,
				 sizeof(on)),
		0);
	ck_assert_int_eq(send_with_cred(&cred), 1);
	scene_serve(&scene);
	ck_assert(read_beside(fd, &brought));
	ck_assert_int_eq(brought.size, 5);
	ck_assert(brought.has_cred);
	ck_assert_int_eq(brought.cred.pid, cred.pid);
	ck_assert_uint_eq(brought.cred.uid, cred.uid);
	ck_assert_uint_eq(brought.cred.gid, cred.gid);
}
END_TEST

/* Looks at who has written; other is what came beside it. */
static int note_beside(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)peer;
	at->number = (msg->flags & UNIXMSG_HAS_CRED) != 0 ? msg->cred.pid : 0;
	at->other = msg->fds_count +
		((msg->flags & UNIXMSG_CUT_CONTROL) != 0 ? 1000 : 0);
	return UNIXSERVICE_DONE;
}

static void open_with_wants(int kind, unsigned int fds_max)
{
	struct unixservice_options options = make_options();

	options.wants = UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED;
	options.fds_max = fds_max;
	scene_open_kind(&scene, kind, note_beside, &options);
	client_dial(&client, kind);
}

START_TEST(the_handler_sees_what_is_beside_bytes)
{
	open_with_wants(BYTES, 0);
	ck_assert_int_eq(support_send_fds(client_get_fd(&client), "xyz", 3, 0,
				 5),
		3);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, getpid());
	ck_assert_uint_eq(scene.other, 5);
}
END_TEST

START_TEST(a_flood_of_descriptors_beside_bytes_is_closed)
{
	int before, i;

	open_with_wants(BYTES, 2);
	client_say(&client, "x");
	scene_serve(&scene);
	before = support_count_fds();
	for (i = 0; i < 50; i++) {
		ck_assert_int_eq(support_send_fds(client_get_fd(&client), "x",
					 1, 0, UNIXMSG_FDS_MAX),
			1);
		scene_serve(&scene);
		ck_assert_uint_eq(scene.other, 1002);
		ck_assert_int_eq(support_count_fds(), before);
	}
	ck_assert_uint_eq(scene_count(&scene).fds_lost,
		50 * (UNIXMSG_FDS_MAX - 2));
}
END_TEST

START_TEST(descriptors_beside_bytes_without_room_are_told)
{
	open_with_wants(BYTES, 0);
	client_say(&client, "x");
	scene_serve(&scene);
	support_limit_fds(3);
	ck_assert_int_eq(support_send_fds(client_get_fd(&client), "x", 1, 0, 8),
		1);
	scene_serve(&scene);
	support_lift_fds_limit();
	ck_assert_uint_eq(scene.other, 1003);
	ck_assert_uint_eq(get_peers(), 1);
}
END_TEST

/* Whatever the program has asked for: each client could leave some there. */
START_TEST(half_a_frame_holds_no_descriptors)
{
	const struct unixlisten_options wanting = { .wants = UNIXMSG_WANT_FDS };
	struct unixservice_options options = make_options();
	struct unixlistener *listener =
		unixlistener_open("unix", scene_address(FRAMED), &wanting);
	int before, fd;

	options.wants = UNIXMSG_WANT_FDS;
	scene_open(&scene, note_beside, &options);
	ck_assert_int_eq(unixservice_add_listener(scene.service, listener, 0),
		0);
	support_let_fds_through(unixlistener_get_fd(listener));
	client_dial(&client, FRAMED);
	scene_serve(&scene);
	fd = client_get_fd(&client);
	before = support_count_fds();
	ck_assert_int_eq(support_send_fds(fd, "\0\0\0", 3, 0, UNIXMSG_FDS_MAX),
		3);
	scene_serve(&scene);
	ck_assert_int_eq(support_count_fds(), before);
	ck_assert_int_eq(support_send_fds(fd, "\1x", 2, 0, 1), 2);
	scene_serve(&scene);
	ck_assert_int_eq(support_count_fds(), before);
	ck_assert_uint_eq(scene_count(&scene).received, 1);
	ck_assert_uint_eq(scene.other, 0);
}
END_TEST

/* Since Linux 6.16 the sender learns it. */
START_TEST(the_kernel_refuses_descriptors_beside_frames)
{
	if (!support_can_refuse_fds())
		return;
	open_with_wants(FRAMED, 0);
	client_say(&client, "x");
	scene_serve(&scene);
	ck_assert_errno((int)support_send_fds(client_get_fd(&client), "x", 1, 0,
				1),
		EPERM);
}
END_TEST

static TCase *make_beside_tests(void)
{
	TCase *tcase = make_scene_tcase("beside bytes");

	tcase_add_loop_test(tcase, descriptors_beside_bytes_are_passed_on, 0,
		2);
	tcase_add_loop_test(tcase, a_descriptor_goes_with_the_first_byte, 0, 2);
	tcase_add_test(tcase, nothing_goes_beside_no_bytes);
	tcase_add_test(tcase, a_mistake_beside_bytes_breaks_no_stream);
	tcase_add_test(tcase, who_refuses_what_is_beside_bytes_gets_no_more);
	tcase_add_test(tcase, credentials_beside_bytes_are_passed_on);
	tcase_add_test(tcase, the_handler_sees_what_is_beside_bytes);
	tcase_add_test(tcase, a_flood_of_descriptors_beside_bytes_is_closed);
	tcase_add_test(tcase, descriptors_beside_bytes_without_room_are_told);
	tcase_add_test(tcase, half_a_frame_holds_no_descriptors);
	tcase_add_test(tcase, the_kernel_refuses_descriptors_beside_frames);
	return tcase;
}

static TCase *make_forward_tests(void)
{
	TCase *tcase = make_scene_tcase("forwarding");

	tcase_add_loop_test(tcase,
		what_is_passed_on_stays_whole_when_both_directions_are_full, 0,
		LINKS);
	tcase_add_loop_test(tcase, ends_are_passed_on_one_by_one, 0, 2 * LINKS);
	tcase_add_test(tcase, descriptors_are_passed_on);
	return tcase;
}

static TCase *make_cred_tests(void)
{
	TCase *tcase = make_scene_tcase("credentials");

	tcase_add_loop_test(tcase, credentials_are_passed_on, 0, 4);
	tcase_add_loop_test(tcase, credentials_that_may_not_be_sent_are_refused,
		0, 2);
	tcase_add_test(tcase, frames_carry_no_credentials);
	return tcase;
}

static TCase *make_name_tests(void)
{
	TCase *tcase = make_scene_tcase("names");

	tcase_add_loop_test(tcase, peers_outlast_the_name, 0, KINDS);
	tcase_add_loop_test(tcase,
		what_came_before_the_end_of_the_name_is_received, 0, KINDS);
	tcase_add_loop_test(tcase, a_service_listens_again, 0, KINDS);
	tcase_add_loop_test(tcase, an_abstract_name_becomes_free, 0, KINDS);
	tcase_add_loop_test(tcase, a_file_that_is_kept_outlasts_its_socket, 0,
		KINDS);
	tcase_add_loop_test(tcase, a_paused_socket_is_resumed_without_its_name,
		0, 2);
	tcase_add_test(tcase, no_peer_is_opened_by_a_socket_without_its_name);
	tcase_add_loop_test(tcase,
		a_service_that_has_given_up_its_name_is_drained, 0, KINDS);
	return tcase;
}

static TCase *make_datagram_tests(void)
{
	TCase *tcase = make_scene_tcase("datagrams");

	tcase_add_test(tcase, a_connected_datagram_socket_is_one_peer);
	tcase_add_test(tcase, an_answer_comes_from_the_socket_that_asked);
	tcase_add_test(tcase,
		a_datagram_peer_that_has_closed_is_closed_by_a_send);
	tcase_add_test(tcase, a_datagram_peer_that_comes_again_is_the_same);
	tcase_add_test(tcase, a_datagram_that_is_too_large_closes_nothing);
	tcase_add_test(tcase, a_connected_datagram_socket_is_paused);
	tcase_add_test(tcase, what_a_datagram_peer_has_no_room_for_is_queued);
	tcase_add_test(tcase, a_stop_receives_what_a_datagram_peer_has_sent);
	tcase_add_test(tcase,
		a_connected_datagram_socket_that_was_shut_down_is_closed);
	tcase_add_loop_test(tcase,
		a_datagram_peer_that_drops_messages_is_closed, 0, 2);
	tcase_add_test(tcase,
		a_connected_datagram_socket_has_no_direction_to_end);
	return tcase;
}

static TCase *make_pause_tests(void)
{
	TCase *tcase = make_scene_tcase("pauses");

	tcase_add_loop_test(tcase, a_pause_in_the_handler_takes_effect_at_once,
		0, LINKS);
	tcase_add_loop_test(tcase, a_paused_peer_is_sent_to, 0, LINKS);
	tcase_add_loop_test(tcase, the_death_of_a_paused_peer_is_noticed, 0,
		LINKS);
	tcase_add_loop_test(tcase,
		the_end_of_a_paused_peer_is_told_when_it_is_read, 0, LINKS);
	tcase_add_loop_test(tcase, pauses_do_not_nest, 0, LINKS);
	tcase_add_loop_test(tcase, a_peer_is_paused_before_its_first_message, 0,
		LINKS);
	tcase_add_loop_test(tcase, a_paused_peer_is_not_silent, 0, LINKS);
	tcase_add_loop_test(tcase, a_stop_waits_for_a_paused_peer, 0, LINKS);
	tcase_add_test(tcase, a_datagram_peer_is_not_paused_alone);
	tcase_add_loop_test(tcase, a_paused_socket_receives_nothing, 0, KINDS);
	tcase_add_loop_test(tcase, a_socket_that_is_not_there_is_not_paused, 0,
		KINDS);
	tcase_add_loop_test(tcase,
		a_listener_is_paused_in_the_middle_of_its_turn, 0, LINKS);
	tcase_add_loop_test(tcase,
		the_rest_of_a_batch_waits_for_the_end_of_a_pause, 0, 2);
	tcase_add_loop_test(tcase,
		another_socket_is_served_beside_the_rest_of_a_batch, 0, 2);
	tcase_add_loop_test(tcase, a_stop_waits_for_a_paused_socket, 0, 2);
	tcase_add_loop_test(tcase, what_is_queued_is_counted, 0, KINDS);
	return tcase;
}

static TCase *make_end_tests(void)
{
	TCase *tcase = make_scene_tcase("ends");

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
	tcase_add_loop_test(tcase, a_reset_loses_what_is_queued_and_counts_it,
		0, KINDS);
	tcase_add_loop_test(tcase, a_reset_in_the_handler_ends_its_turn, 0,
		LINKS);
	return tcase;
}

static TCase *make_duplex_tests(void)
{
	TCase *tcase = make_scene_tcase("duplex");

	tcase_add_loop_test(tcase,
		a_client_is_read_while_messages_to_it_are_queued, 0, 2 * LINKS);
	tcase_add_loop_test(tcase,
		what_is_queued_is_sent_while_the_client_is_read, 0, LINKS);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_forward", make_end_tests(),
		make_duplex_tests(), make_pause_tests(), make_datagram_tests(),
		make_name_tests(), make_cred_tests(), make_beside_tests(),
		make_forward_tests());
}
