/* SPDX-License-Identifier: MIT */
/* What is told: events, counters, peers; as structures, as text, as JSON. */
/* The library is linked statically here, so this strerror(3) is the one that it
 * calls. */
#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

static struct scene scene;
static struct client client;

START_TEST(a_peer_is_opened_and_closed_once)
{
	struct unixservice_peer_info info;

	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	client_say(&client, "hello");
	client_ask(&client, &scene, "again");
	ck_assert_uint_eq(scene.told[UNIXSERVICE_OPENED], 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_OPENED], scene.peer);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	ck_assert_int_eq(unixservice_get_peer_info(scene.service, scene.peer,
				 &info),
		0);
	ck_assert(info.has_cred);
	ck_assert_int_eq(info.cred.pid, getpid());
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], scene.peer);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], 0);
	client_close(&client);
	scene_close(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
}
END_TEST

/* As long as it is being told of its end it can be asked about. */
static void look_once_more(struct scene *at,
	const struct unixservice_event *event)
{
	struct unixservice_peer_info info;

	if (event->kind != UNIXSERVICE_CLOSED)
		return;
	at->number++;
	ck_assert_int_eq(unixservice_get_peer_info(at->service, event->peer,
				 &info),
		0);
	ck_assert_uint_eq(info.id, event->peer);
	ck_assert_ptr_eq(unixservice_get_context(at->service, event->peer), at);
	ck_assert_errno(unixservice_send(at->service, event->peer, "x", 1),
		ENOTCONN);
	ck_assert_errno(unixservice_close_peer(at->service, event->peer),
		ENOTCONN);
}

START_TEST(a_peer_can_be_asked_about_while_it_ends)
{
	scene_open_kind(&scene, _i, scene_echo, NULL);
	scene.react = look_once_more;
	client_dial(&client, _i);
	client_ask(&client, &scene, "hello");
	unixservice_set_context(scene.service, scene.peer, &scene);
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	ck_assert_int_eq(scene.number, 1);
}
END_TEST

static void close_others(struct scene *at,
	const struct unixservice_event *event)
{
	uint64_t id = 0;

	if (event->kind != UNIXSERVICE_CLOSED)
		return;
	while ((id = unixservice_get_next_peer(at->service, id)) != 0)
		unixservice_close_peer(at->service, id);
}

START_TEST(the_end_of_one_may_be_the_end_of_all)
{
	struct client clients[6];
	int i;

	scene_open_kind(&scene, _i, scene_echo, NULL);
	for (i = 0; i < 6; i++) {
		client_dial(&clients[i], _i);
		client_ask(&clients[i], &scene, "hello");
	}
	scene.react = close_others;
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 6);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	for (i = 0; i < 6; i++)
		client_close(&clients[i]);
}
END_TEST

/* Told so many times a second: the rest is told with the next one. */
START_TEST(events_that_peers_can_cause_are_bounded)
{
	struct unixservice_options options = scene_options();
	struct unixservice_counters counters;
	int i;

	options.event_rate = 5;
	options.size_max = 1;
	scene_open_with(&scene, &client, GRAM, scene_echo, &options);
	for (i = 0; i < 50; i++) {
		client_ask(&client, &scene, "too large");
	}
	counters = scene_count(&scene);
	ck_assert_uint_ge(scene.told[UNIXSERVICE_CUT], 5);
	ck_assert_uint_lt(scene.told[UNIXSERVICE_CUT], 50);
	ck_assert_uint_eq(counters.cut, 50);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CUT] +
			counters.events_suppressed,
		50);
}
END_TEST

START_TEST(peers_are_counted_one_by_one)
{
	struct unixservice_peer_info info;
	uint64_t ids[3], id = 0;
	struct client clients[3];
	int i, found = 0;

	scene_open_kind(&scene, _i, scene_put_off, NULL);
	for (i = 0; i < 3; i++) {
		client_dial(&clients[i], _i);
		client_ask(&clients[i], &scene, "hello");
		ids[i] = scene.peer;
	}
	while ((id = unixservice_get_next_peer(scene.service, id)) != 0)
		for (i = 0; i < 3; i++)
			found += ids[i] == id;
	ck_assert_int_eq(found, 3);
	ck_assert_int_eq(unixservice_send(scene.service, ids[0], "x", 1), 1);
	ck_assert_int_eq(unixservice_get_peer_info(scene.service, ids[0],
				 &info),
		0);
	ck_assert_str_eq(info.network,
		_i == GRAM             ? "unixgram"
			: _i == PACKET ? "unixpacket"
				       : "unix");
	ck_assert_uint_eq(info.received, 1);
	ck_assert_uint_eq(info.sent, 1);
	ck_assert_uint_eq(info.waiting, 0);
	ck_assert_int_eq(unixservice_get_peer_info(scene.service, ids[1],
				 &info),
		0);
	ck_assert_uint_eq(info.sent, 0);
	ck_assert_uint_eq(info.waiting, 1);
	ck_assert_int_gt(info.opened_us, 0);
	ck_assert_int_ge(info.active_us, info.opened_us);
	for (i = 0; i < 3; i++)
		client_close(&clients[i]);
}
END_TEST

/* Text. */

/* Every byte of a name, each of which may become four. */
static struct unixaddr make_wild_address(void)
{
	struct unixaddr addr;
	char name[107];
	size_t i;

	for (i = 0; i < sizeof(name); i++)
		name[i] = (char)(i % 2 ? '\n' : 0x80 + (int)i);
	ck_assert_int_eq(unixaddr_set_abstract(&addr, name, sizeof(name)), 0);
	return addr;
}

static struct unixservice_event make_large_event(const struct unixaddr *addr,
	const struct unixmsg *msg)
{
	return (struct unixservice_event){
		.peer = UINT64_MAX,
		.error = EPROTONOSUPPORT,
		.has_cred = true,
		.cred = { .pid = INT32_MAX, .uid = UINT32_MAX - 1 },
		.addr = addr,
		.msg = msg,
		.suppressed = UINT64_MAX,
	};
}

START_TEST(an_event_is_one_line_of_ascii)
{
	struct unixaddr addr = make_wild_address();
	struct unixmsg msg;
	struct unixservice_event event;
	char text[640], whole[640];
	size_t i, room;

	unixmsg_init(&msg);
	msg.size = SIZE_MAX;
	event = make_large_event(&addr, &msg);
	event.kind = (enum unixservice_event_kind)_i;
	memset(whole, 'x', sizeof(whole));
	ck_assert_ptr_eq(unixservice_format_event(&event, whole, sizeof(whole)),
		whole);
	ck_assert_uint_lt(strlen(whole), sizeof(whole) - 1);
	for (i = 0; whole[i] != '\0'; i++)
		ck_assert(whole[i] >= 0x20 && whole[i] < 0x7f);
	for (room = 1; room < sizeof(text); room++) {
		memset(text, 'x', sizeof(text));
		unixservice_format_event(&event, text, room);
		ck_assert_uint_eq(strlen(text), i < room - 1 ? i : room - 1);
		ck_assert_int_eq(strncmp(text, whole, room - 1), 0);
		ck_assert_int_eq(text[room], 'x');
	}
	unixservice_format_event(&event, text, 0);
}
END_TEST

START_TEST(an_event_says_what_is_known)
{
	struct unixaddr addr = address_of("@client");
	struct unixservice_event event = { .kind = UNIXSERVICE_PAUSED };
	char text[640];

	ck_assert_str_eq(unixservice_format_event(&event, text, sizeof(text)),
		"accepting nobody for a while");
	event.kind = UNIXSERVICE_CLOSED;
	event.peer = 7;
	event.addr = &addr;
	ck_assert_str_eq(unixservice_format_event(&event, text, sizeof(text)),
		"peer 7 at @client: closed");
	event.addr = NULL;
	event.has_cred = true;
	event.cred.uid = 1000;
	event.cred.pid = 12;
	event.error = EPIPE;
	event.suppressed = 3;
	ck_assert_str_eq(unixservice_format_event(&event, text, sizeof(text)),
		"peer 7, user 1000, pid 12: closed: Broken pipe (and 3 more)");
}
END_TEST

/* As another locale has it, in one of its older sets of characters. */
static bool is_locale_foreign;

char *strerror(int error)
{
	static char text[] = "Zeit\xfc"
			     "berschreitung\n\x7f~";

	static char *(*real)(int error);

	if (is_locale_foreign)
		return text;
	if (real == NULL)
		real = (char *(*)(int))dlsym(RTLD_NEXT, "strerror");
	return real(error);
}

START_TEST(a_reason_of_another_locale_is_one_line_of_ascii)
{
	struct unixservice_event event = {
		.kind = UNIXSERVICE_CLOSED,
		.peer = 7,
		.error = ETIMEDOUT,
	};
	char text[640];

	is_locale_foreign = true;
	unixservice_format_event(&event, text, sizeof(text));
	is_locale_foreign = false;
	ck_assert_str_eq(text, "peer 7: closed: Zeit?berschreitung??~");
}
END_TEST

/* A program may know of kinds that this library does not, or the reverse. */
START_TEST(an_event_of_no_known_kind_is_one_still)
{
	struct unixservice_event event = { .peer = 7, .error = EPIPE };
	char text[640];

	event.kind = (enum unixservice_event_kind)4711;
	ck_assert_str_eq(unixservice_format_event(&event, text, sizeof(text)),
		"peer 7: event: Broken pipe");
}
END_TEST

/* A JSON reader that takes objects of numbers, strings and null only. */

static const char *skip_string(const char *text)
{
	ck_assert_int_eq(*text++, '"');
	for (; *text != '"'; text++) {
		ck_assert(*text >= 0x20 && *text < 0x7f);
		if (*text == '\\') {
			text++;
			ck_assert(*text == '\\' || *text == '"');
		}
	}
	return text + 1;
}

static const char *skip_value(const char *text)
{
	if (*text == '"')
		return skip_string(text);
	if (strncmp(text, "null", 4) == 0)
		return text + 4;
	ck_assert(*text >= '0' && *text <= '9');
	return text + strspn(text, "0123456789");
}

static int count_members(const char *text)
{
	int count = 0;

	ck_assert_int_eq(*text, '{');
	do {
		text = skip_string(text + 1);
		ck_assert_int_eq(*text, ':');
		text = skip_value(text + 1);
		count++;
	} while (*text == ',');
	ck_assert_int_eq(*text, '}');
	ck_assert_int_eq(text[1], '\0');
	return count;
}

static void check_member(const char *text, const char *name, uint64_t value)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "\"%s\":%llu", name,
		(unsigned long long)value);
	ck_assert_msg(strstr(text, expected) != NULL, "%s is not in %s",
		expected, text);
}

START_TEST(counters_are_a_json_object)
{
	struct unixservice_counters counters;
	char text[2048], part[64];
	size_t size, room;

	memset(&counters, 0xff, sizeof(counters));
	size = unixservice_format_counters(&counters, text, sizeof(text));
	ck_assert_uint_eq(size, strlen(text));
	/* All of them, but for what is reserved. */
	ck_assert_int_eq(count_members(text),
		sizeof(counters) / sizeof(uint64_t) - COUNT(counters.reserved));
	memset(&counters, 0, sizeof(counters));
	counters.received = 1;
	counters.gone = 2;
	counters.events_suppressed = 3;
	size = unixservice_format_counters(&counters, text, sizeof(text));
	check_member(text, "received", 1);
	check_member(text, "gone", 2);
	check_member(text, "events_suppressed", 3);
	ck_assert_uint_eq(unixservice_format_counters(&counters, NULL, 0),
		size);
	for (room = 1; room < sizeof(part); room++) {
		memset(part, 'x', sizeof(part));
		ck_assert_uint_eq(unixservice_format_counters(&counters, part,
					  room),
			size);
		ck_assert_uint_eq(strlen(part), room - 1);
	}
}
END_TEST

START_TEST(a_peer_is_a_json_object)
{
	struct unixservice_peer_info peer;
	char text[2048], quoted[] = "@\"quoted\\x5c";
	size_t size;

	memset(&peer, 0, sizeof(peer));
	peer.network = "unixgram";
	peer.id = UINT64_MAX;
	unixaddr_set_unnamed(&peer.addr);
	unixservice_format_peer(&peer, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "\"address\":null"));
	ck_assert_ptr_null(strstr(text, "uid"));
	count_members(text);
	peer.has_cred = true;
	peer.cred.uid = 12;
	peer.addr = make_wild_address();
	size = unixservice_format_peer(&peer, text, sizeof(text));
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_int_eq(count_members(text), 15);
	check_member(text, "uid", 12);
	ck_assert_int_eq(unixaddr_set_abstract(&peer.addr, quoted + 1,
				 strlen(quoted) - 1),
		0);
	unixservice_format_peer(&peer, text, sizeof(text));
	count_members(text);
	ck_assert_ptr_nonnull(strstr(text, "\\\"quoted"));
}
END_TEST

START_TEST(what_is_formatted_is_what_happened)
{
	struct unixservice_counters counters;
	struct unixservice_peer_info info;
	char text[2048];

	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	client_ask(&client, &scene, "hello");
	counters = scene_count(&scene);
	unixservice_format_counters(&counters, text, sizeof(text));
	check_member(text, "received", 1);
	check_member(text, "received_bytes", 5);
	check_member(text, "answered", 1);
	check_member(text, "peers", 1);
	ck_assert_int_eq(unixservice_get_peer_info(scene.service, scene.peer,
				 &info),
		0);
	unixservice_format_peer(&info, text, sizeof(text));
	check_member(text, "peer", scene.peer);
	check_member(text, "pid", (uint64_t)getpid());
}
END_TEST

/* Another holder of the socket: the same descriptor, as after fork(2). */
START_TEST(a_socket_that_another_holder_shuts_down_is_told_and_left)
{
	struct server server;
	int how = _i / TYPES == 0 ? SHUT_RD : SHUT_RDWR, fd;
	uint64_t peer;

	ck_assert_int_eq(open_server(&server, types[_i % TYPES],
				 support_path("shut"), NULL),
		0);
	scene_open_kind(&scene, PACKET, scene_echo, NULL);
	fd = server_get_fd(&server);
	scene_add_server(&scene, &server);
	client_dial(&client, PACKET);
	ck_assert_int_eq(shutdown(fd, how), 0);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_SHUT], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_SHUT], EINVAL);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_SHUT], 0);
	ck_assert_ptr_nonnull(
		strstr(scene.line[UNIXSERVICE_SHUT], support_path("shut")));
	ck_assert_uint_eq(scene.told[UNIXSERVICE_PAUSED], 0);
	ck_assert_errno(unixservice_open_peer(scene.service, "unixgram",
				support_path("other"), 0, &peer),
		EINVAL);
	ck_assert_int_eq(unixservice_pause_socket(scene.service, 0), 0);
	ck_assert_int_eq(unixservice_resume_socket(scene.service, 0), 0);
	client_ask(&client, &scene, "the others are served on");
	client_hear(&client, "the others are served on");
	client_close(&client);
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_FOREVER), 0);
	scene_close(&scene);
	assert_files(0);
}
END_TEST

static TCase *make_event_tests(void)
{
	TCase *tcase = make_scene_tcase("events");

	tcase_add_loop_test(tcase, a_peer_is_opened_and_closed_once, 0, KINDS);
	tcase_add_loop_test(tcase, a_peer_can_be_asked_about_while_it_ends, 0,
		KINDS);
	tcase_add_loop_test(tcase, the_end_of_one_may_be_the_end_of_all, 0,
		KINDS);
	tcase_add_test(tcase, events_that_peers_can_cause_are_bounded);
	tcase_add_loop_test(tcase,
		a_socket_that_another_holder_shuts_down_is_told_and_left, 0,
		2 * TYPES);
	tcase_add_loop_test(tcase, peers_are_counted_one_by_one, 0, KINDS);
	return tcase;
}

static TCase *make_text_tests(void)
{
	TCase *tcase = make_scene_tcase("text");

	tcase_add_loop_test(tcase, an_event_is_one_line_of_ascii, 0,
		SCENE_TOLD_KINDS);
	tcase_add_test(tcase, an_event_says_what_is_known);
	tcase_add_test(tcase, a_reason_of_another_locale_is_one_line_of_ascii);
	tcase_add_test(tcase, an_event_of_no_known_kind_is_one_still);
	tcase_add_test(tcase, counters_are_a_json_object);
	tcase_add_test(tcase, a_peer_is_a_json_object);
	tcase_add_loop_test(tcase, what_is_formatted_is_what_happened, 0,
		KINDS);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_events", make_event_tests(),
		make_text_tests());
}
