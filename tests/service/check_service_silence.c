/* SPDX-License-Identifier: MIT */
/* How long a peer may be silent, and who is kept in any case. */
#include <config.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/service_private.h"
#include "support/service_scene.h"

static struct scene scene;
static struct client client, other;

static const int64_t short_us = 20000;

/* The first that is heard is kept, before any time can pass. */
static int echo_and_keep_the_first(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	scene_echo(at, peer, msg);
	if (at->heard > 1)
		return UNIXSERVICE_DONE;
	at->other = peer;
	errno = 0;
	ck_assert_int_eq(unixservice_keep_peer(at->service, peer, true), 0);
	ck_assert_int_eq(errno, 0);
	return UNIXSERVICE_DONE;
}

static void open_with(scene_act *act, int64_t forget_us, unsigned int peers_max)
{
	struct unixservice_options options = scene_options();

	options.forget_us = forget_us;
	if (peers_max > 0)
		options.peers_max = peers_max;
	scene_open_kind(&scene, GRAM, act, &options);
}

static void greet(struct client *from)
{
	client_dial(from, GRAM);
	client_ask(from, &scene, "hello");
	client_hear(from, "hello");
}

static void end_keeping(void)
{
	ck_assert_int_eq(unixservice_keep_peer(scene.service, scene.other,
				 false),
		0);
}

/* How long scene's service has a silent datagram peer, in microseconds. */
static int64_t get_forget_us(int64_t asked_us)
{
	struct unixservice_options options = scene_options();
	int64_t forget_us;

	options.forget_us = asked_us;
	scene_open(&scene, scene_echo, &options);
	forget_us = scene.service->options.forget_us;
	scene_close(&scene);
	return forget_us;
}

START_TEST(by_default_it_is_ten_minutes)
{
	ck_assert_int_eq(get_forget_us(0), INT64_C(600000000));
	ck_assert_int_eq(get_forget_us(7), 7);
	/* Never. */
	ck_assert_int_eq(get_forget_us(UNIXMSG_FOREVER), 0);
}
END_TEST

START_TEST(a_time_below_zero_is_refused)
{
	struct unixservice_options options = scene_options();

	options.forget_us = -1;
	ck_assert_null_errno(unixservice_new(scene_never, NULL, &options),
		EINVAL);
}
END_TEST

START_TEST(a_silent_datagram_peer_is_forgotten)
{
	open_with(scene_echo, short_us, 0);
	greet(&client);
	scene_serve_while(&scene, scene.told[UNIXSERVICE_CLOSED] == 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], 0);
	ck_assert_errno(unixservice_keep_peer(scene.service, scene.peer, true),
		ENOTCONN);
}
END_TEST

/* Another that is not kept shows that the time has come. */
START_TEST(one_that_is_kept_is_not)
{
	open_with(echo_and_keep_the_first, short_us, 0);
	greet(&client);
	greet(&other);
	scene_serve_while(&scene, scene.told[UNIXSERVICE_CLOSED] == 0);
	ck_assert_uint_ne(scene.about[UNIXSERVICE_CLOSED], scene.other);
	ck_assert_int_eq(unixservice_send(scene.service, scene.other, "event",
				 5),
		1);
	client_hear(&client, "event");
	end_keeping();
	scene_serve_while(&scene, scene.told[UNIXSERVICE_CLOSED] == 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], scene.other);
}
END_TEST

static int64_t get_active_us(void)
{
	struct unixservice_peer_info info;

	ck_assert_int_eq(unixservice_get_peer_info(scene.service, scene.peer,
				 &info),
		0);
	return info.active_us;
}

START_TEST(a_delivery_is_activity_if_that_is_wanted)
{
	struct unixservice_options options = scene_options();
	int64_t before_us;

	options.delivery_is_activity = _i == 1;
	scene_open_kind(&scene, GRAM, scene_echo, &options);
	greet(&client);
	before_us = get_active_us();
	while (unixdeadline_now_us() <= before_us)
		continue;
	ck_assert_int_eq(unixservice_push(scene.service, scene.peer, "news", 4),
		1);
	client_hear(&client, "news");
	ck_assert_int_eq(get_active_us() > before_us, _i == 1);
}
END_TEST

static const int64_t never[] = { 0, UNIXMSG_FOREVER, UNIXMSG_FOREVER - 1 };

START_TEST(never_is_never)
{
	struct pollfd ready = { .events = POLLIN };

	open_with(scene_echo, never[_i], 0);
	greet(&client);
	ready.fd = unixservice_get_fd(scene.service);
	ck_assert_int_eq(support_poll(&ready, 1, 0), 0);
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(short_us)),
		ETIMEDOUT);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
}
END_TEST

START_TEST(a_kept_peer_gives_its_place_to_no_newcomer)
{
	open_with(echo_and_keep_the_first, 0, 1);
	greet(&client);
	client_dial(&other, GRAM);
	client_ask(&other, &scene, "is there a place?");
	ck_assert_uint_eq(scene_count(&scene).limited, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	end_keeping();
	client_ask(&other, &scene, "and now?");
	client_hear(&other, "and now?");
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
}
END_TEST

START_TEST(a_newcomer_gets_the_place_of_one_that_is_not_kept)
{
	struct client third;

	open_with(echo_and_keep_the_first, 0, 2);
	greet(&client);
	greet(&other);
	greet(&third);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_ne(scene.about[UNIXSERVICE_CLOSED], scene.other);
	client_close(&client);
	client_close(&other);
	client_close(&third);
}
END_TEST

START_TEST(a_kept_peer_that_is_dead_is_found_out_by_a_message)
{
	open_with(echo_and_keep_the_first, short_us, 0);
	greet(&client);
	client_close(&client);
	unixservice_send(scene.service, scene.other, "event", 5);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
}
END_TEST

/* As soon as it is there. */
static void keep_the_first(struct scene *at,
	const struct unixservice_event *event)
{
	if (event->kind != UNIXSERVICE_OPENED || at->other != 0)
		return;
	at->other = event->peer;
	ck_assert_int_eq(unixservice_keep_peer(at->service, event->peer, true),
		0);
}

START_TEST(a_kept_connection_is_not_closed_for_its_silence)
{
	struct unixservice_options options = scene_options();

	options.idle_us = short_us;
	scene_open_kind(&scene, PACKET, scene_echo, &options);
	scene.react = keep_the_first;
	client_dial(&client, PACKET);
	client_dial(&other, PACKET);
	scene_serve_while(&scene, scene.told[UNIXSERVICE_CLOSED] == 0);
	ck_assert_uint_ne(scene.about[UNIXSERVICE_CLOSED], scene.other);
	end_keeping();
	scene_serve_while(&scene, scene.told[UNIXSERVICE_CLOSED] == 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], scene.other);
}
END_TEST

int main(void)
{
	TCase *tcase = make_scene_tcase("silence");

	tcase_add_test(tcase, by_default_it_is_ten_minutes);
	tcase_add_test(tcase, a_time_below_zero_is_refused);
	tcase_add_test(tcase, a_silent_datagram_peer_is_forgotten);
	tcase_add_test(tcase, one_that_is_kept_is_not);
	tcase_add_loop_test(tcase, a_delivery_is_activity_if_that_is_wanted, 0,
		2);
	tcase_add_loop_test(tcase, never_is_never, 0, (int)COUNT(never));
	tcase_add_test(tcase, a_kept_peer_gives_its_place_to_no_newcomer);
	tcase_add_test(tcase,
		a_newcomer_gets_the_place_of_one_that_is_not_kept);
	tcase_add_test(tcase,
		a_kept_peer_that_is_dead_is_found_out_by_a_message);
	tcase_add_test(tcase, a_kept_connection_is_not_closed_for_its_silence);
	return support_run_cases("service_silence", tcase);
}
