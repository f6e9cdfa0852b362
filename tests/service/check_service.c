/* SPDX-License-Identifier: MIT */
/* The service's loop and its calls: what is served, and how it turns. */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/load.h"
#include "support/service_scene.h"

static struct scene scene;
static struct client client;

/* Echoes. */

START_TEST(a_message_comes_back)
{
	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
}
END_TEST

START_TEST(many_messages_come_back_in_order)
{
	int i, burst;

	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	for (burst = 0; burst < 30; burst++) {
		for (i = 0; i < 10; i++)
			client_send(&client, &i, sizeof(i));
		scene_serve(&scene);
		for (i = 0; i < 10; i++)
			client_expect(&client, &i, sizeof(i));
	}
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
}
END_TEST

/* Beyond what is read of one connection before the others' turn. */
START_TEST(many_messages_at_once_come_back)
{
	int i;

	scene_open_with(&scene, &client, PACKET + _i, scene_echo, NULL);
	for (i = 0; i < 100; i++)
		client_send(&client, &i, sizeof(i));
	scene_serve(&scene);
	for (i = 0; i < 100; i++)
		client_expect(&client, &i, sizeof(i));
}
END_TEST

/* Nobody is told of it, and it is counted all the same. */
START_TEST(a_service_needs_no_watcher)
{
	struct unixservice_options options = scene_options();
	char large[64] = { 0 };

	options.watcher = NULL;
	options.size_max = sizeof(large) - 1;
	scene_open_with(&scene, &client, _i, scene_echo, &options);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	client_send(&client, large, sizeof(large));
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene_count(&scene).cut, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CUT], 0);
}
END_TEST

START_TEST(an_empty_message_is_a_message)
{
	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	client_say(&client, "");
	client_ask(&client, &scene, "then");
	client_hear(&client, "");
	client_hear(&client, "then");
	ck_assert_uint_eq(scene_count(&scene).answered, 2);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
}
END_TEST

static void send_in_pieces(const void *data, size_t size)
{
	int64_t end_us = scene_get_limit();

	while (client_try_send(&client, data, size) < 0) {
		ck_assert(errno == EINPROGRESS || errno == EAGAIN);
		scene_serve_once(&scene, end_us, "sending");
	}
}

static void receive_in_pieces(const char *data, size_t size)
{
	int64_t end_us = scene_get_limit();
	char *found = malloc(size);
	size_t got;

	while (client_try_recv(&client, found, size, &got) < 0) {
		ck_assert_int_eq(errno, EAGAIN);
		scene_serve_once(&scene, end_us, "receiving");
	}
	ck_assert_uint_eq(got, size);
	ck_assert_mem_eq(found, data, size);
	free(found);
}

START_TEST(the_largest_message_comes_back)
{
	struct unixservice_options options = scene_options();
	char *data = malloc(options.size_max);
	size_t i;

	for (i = 0; i < options.size_max; i++)
		data[i] = (char)(i * 7 + i / 251);
	scene_open_with(&scene, &client, _i, scene_echo, &options);
	send_in_pieces(data, options.size_max);
	receive_in_pieces(data, options.size_max);
	ck_assert_uint_eq(scene_count(&scene).cut, 0);
	client_close(&client);
	scene_close(&scene);
	free(data);
}
END_TEST

/* Of a connection the next answer would be taken for that of the lost one. */
START_TEST(a_message_too_large_is_told_and_not_handled)
{
	struct unixservice_options options = scene_options();

	options.size_max = 4;
	scene_open_with(&scene, &client, _i, scene_echo, &options);
	client_say(&client, "four");
	client_ask(&client, &scene, "fives");
	client_hear(&client, "four");
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene_count(&scene).cut, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CUT], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CUT], EMSGSIZE);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CUT], scene.peer);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], _i == GRAM ? 0 : 1);
	if (_i != GRAM)
		client_hear_end(&client);
}
END_TEST

/* What is told of a message that was cut is its own, not what another sent. */
static char cut_text[16];

static void keep_beginning(struct scene *at,
	const struct unixservice_event *event)
{
	(void)at;
	if (event->kind != UNIXSERVICE_CUT)
		return;
	ck_assert_uint_eq(event->msg->size, 10);
	memcpy(cut_text, event->msg->data, event->msg->room);
}

START_TEST(the_beginning_of_a_cut_message_is_its_own)
{
	struct unixservice_options options = scene_options();
	struct client other;

	memset(cut_text, 0, sizeof(cut_text));
	options.size_max = 6;
	scene_open_kind(&scene, _i, scene_be_silent, &options);
	scene.react = keep_beginning;
	client_dial(&client, _i);
	client_dial(&other, _i);
	client_ask(&other, &scene, "secret");
	client_ask(&client, &scene, "0123456789");
	ck_assert_str_eq(cut_text, _i == FRAMED ? "" : "012345");
	client_close(&other);
}
END_TEST

/* What is served. */

START_TEST(one_handler_serves_several_sockets)
{
	struct client clients[KINDS];
	uint64_t peers[KINDS];
	int kind;

	scene_open(&scene, scene_echo, NULL);
	for (kind = 0; kind < KINDS; kind++)
		scene_listen(&scene, kind);
	for (kind = 0; kind < KINDS; kind++) {
		client_dial(&clients[kind], kind);
		client_ask(&clients[kind], &scene, "hello");
		client_hear(&clients[kind], "hello");
		peers[kind] = scene.peer;
	}
	for (kind = 1; kind < KINDS; kind++)
		ck_assert_uint_ne(peers[kind - 1], peers[kind]);
	ck_assert_uint_eq(scene_count(&scene).peers, KINDS);
	for (kind = 0; kind < KINDS; kind++)
		client_close(&clients[kind]);
}
END_TEST

START_TEST(networks_have_other_names)
{
	static const char *const others[BYTES] = { "dgram", "seqpacket",
		"unixstream" };
	const char *name = support_path("other");

	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixservice_listen(scene.service, others[_i], name,
				 NULL),
		0);
	client_dial_at(&client, _i, name);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
}
END_TEST

static uint64_t seen_tag;

static int see_tag(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	struct unixservice_peer_info info;

	(void)msg;
	seen_tag = unixservice_get_tag(at->service);
	ck_assert_int_eq(unixservice_get_peer_info(at->service, peer, &info),
		0);
	ck_assert_uint_eq(info.tag, seen_tag);
	return UNIXSERVICE_DONE;
}

START_TEST(a_message_tells_which_socket_it_came_by)
{
	static const char *const networks[BYTES] = { "unixgram", "unixpacket",
		"unix" };
	const char *const paths[] = { support_path("users"),
		support_path("admins") };
	struct unixlisten_options options = { 0 };
	int i;

	scene_open(&scene, see_tag, NULL);
	for (i = 0; i < 2; i++) {
		options.tag = (uint64_t)i + 7;
		ck_assert_int_eq(unixservice_listen(scene.service, networks[_i],
					 paths[i], &options),
			0);
	}
	for (i = 1; i >= 0; i--) {
		client_dial_at(&client, _i, paths[i]);
		client_ask(&client, &scene, "hello");
		ck_assert_uint_eq(seen_tag, (uint64_t)i + 7);
		client_close(&client);
	}
	ck_assert_uint_eq(unixservice_get_tag(scene.service), 0);
}
END_TEST

static bool is_wanted(struct unixservice *service, uint64_t peer, void *context)
{
	(void)service;
	return peer != *(uint64_t *)context;
}

START_TEST(all_peers_but_some_are_sent_to)
{
	struct client clients[3];
	uint64_t last;
	int i;

	scene_open_kind(&scene, _i, scene_echo, NULL);
	ck_assert_uint_eq(unixservice_push_all(scene.service, "none", 4, NULL,
				  NULL),
		0);
	for (i = 0; i < 3; i++) {
		client_dial(&clients[i], _i);
		client_ask(&clients[i], &scene, "hello");
		client_hear(&clients[i], "hello");
	}
	last = scene.peer;
	ck_assert_uint_eq(unixservice_push_all(scene.service, "all", 3, NULL,
				  NULL),
		3);
	ck_assert_uint_eq(unixservice_push_all(scene.service, "two", 3,
				  is_wanted, &last),
		2);
	scene_serve(&scene);
	for (i = 0; i < 3; i++)
		client_hear(&clients[i],
			_i == BYTES && i < 2 ? "alltwo" : "all");
	for (i = 0; i < 2 && _i != BYTES; i++)
		client_hear(&clients[i], "two");
	client_hear_nothing(&clients[2]);
	for (i = 0; i < 3; i++)
		client_close(&clients[i]);
}
END_TEST

static int end_service(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	ck_assert_int_eq(unixservice_stop(at->service, UNIXMSG_FOREVER), 0);
	return scene_echo(at, peer, msg);
}

START_TEST(a_handler_may_end_what_is_served)
{
	int stop_fd = eventfd(0, EFD_CLOEXEC);

	scene_open_with(&scene, &client, _i, end_service, NULL);
	client_say(&client, "bye");
	errno = EXDEV;
	ck_assert_int_eq(unixservice_serve(scene.service, stop_fd, 60000000),
		0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert(unixservice_is_drained(scene.service));
	client_hear(&client, "bye");
	close(stop_fd);
}
END_TEST

START_TEST(the_first_file_that_is_gone_is_told)
{
	static const char *const names[] = { "one", "two" };
	struct server server;
	int i, fd;

	scene_open(&scene, scene_echo, NULL);
	for (i = 0; i < 2; i++) {
		fd = open_listening(types[_i], support_path(names[i]));
		ck_assert_int_eq(adopt_server(&server, types[_i], fd), 0);
		ck_assert_int_eq(scene_add_server(&scene, &server), 0);
		ck_assert_int_eq(unlink(support_path(names[i])), 0);
	}
	ck_assert_errno(unixservice_set_unlink_on_close(scene.service, true),
		ENOENT);
}
END_TEST

/* The stop has come before: what is there by then is still answered. */
START_TEST(a_service_is_served_to_its_end)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	scene_open_kind(&scene, _i, scene_echo, NULL);
	ck_assert_errno(unixservice_serve(scene.service, -1, 0), EINVAL);
	ck_assert_errno(unixservice_serve(scene.service, 0, 0), EINVAL);
	ck_assert_errno(unixservice_serve(scene.service, stop_fd, -1), EINVAL);
	client_dial(&client, _i);
	client_say(&client, "hello");
	errno = EXDEV;
	ck_assert_int_eq(unixservice_serve(scene.service, stop_fd, 60000000),
		0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert(unixservice_is_drained(scene.service));
	client_hear(&client, "hello");
	assert_files(0);
	client_close(&client);
	scene_close(&scene);
	close(stop_fd);
}
END_TEST

/* An event in between: who waits for the answer still gets it. */
START_TEST(what_is_pushed_is_no_answer)
{
	scene_open_with(&scene, &client, _i, scene_put_off, NULL);
	client_ask(&client, &scene, "?");
	ck_assert_int_eq(unixservice_push(scene.service, scene.peer, "event",
				 5),
		1);
	ck_assert_uint_eq(unixservice_push_all(scene.service, "all", 3, NULL,
				  NULL),
		1);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	ck_assert_uint_eq(scene_count(&scene).pushed, 2);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "answer",
				 6),
		1);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	if (_i == BYTES) {
		client_hear(&client, "eventallanswer");
	} else {
		client_hear(&client, "event");
		client_hear(&client, "all");
		client_hear(&client, "answer");
	}
}
END_TEST

/* A connection of the program's own, which drops what has no room: kept. */
START_TEST(the_policy_of_an_added_connection_is_the_services)
{
	static char bytes[100000];
	struct unixconn *pair[2];
	uint64_t peer;
	int i;

	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixconn_pair(_i == 0 ? "unixpacket" : "unix", pair),
		0);
	ck_assert_int_eq(unixconn_set_policy(pair[0], UNIXCONN_DROP), 0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0, &peer),
		0);
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(unixservice_send(scene.service, peer, bytes,
					 sizeof(bytes)),
			1);
	ck_assert_uint_gt(scene_count(&scene).queued, 0);
	for (i = 0; i < 10; i++) {
		scene_serve(&scene);
		ck_assert_int_eq(unixconn_recv(pair[1], bytes, sizeof(bytes),
					 NULL, UNIXMSG_NOW),
			1);
	}
	ck_assert_int_eq(unixconn_close(pair[1]), 0);
}
END_TEST

START_TEST(a_stream_in_the_middle_of_a_message_is_not_served)
{
	static char bytes[4000000];
	struct unixconn *pair[2];

	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixconn_pair("unix", pair), 0);
	ck_assert_errno(unixconn_send(pair[0], bytes, sizeof(bytes),
				UNIXMSG_NOW),
		EINPROGRESS);
	ck_assert_errno(unixservice_add_conn(scene.service, pair[0], 0, NULL),
		EBUSY);
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
}
END_TEST

/* A socket of a supervisor's has no options. */
START_TEST(an_adopted_listener_may_have_a_tag)
{
	struct unixlistener *listener =
		unixlistener_open("unixpacket", support_path("s"), NULL);

	scene_open(&scene, see_tag, NULL);
	unixlistener_set_tag(listener, 9);
	ck_assert_int_eq(unixservice_add_listener(scene.service, listener, 0),
		0);
	client_dial_at(&client, PACKET, support_path("s"));
	client_ask(&client, &scene, "hello");
	ck_assert_uint_eq(seen_tag, 9);
}
END_TEST

START_TEST(an_adopted_socket_may_have_a_tag)
{
	struct unixconn *gram =
		unixconn_open("unixgram", support_path("s"), NULL);
	uint64_t peer = 7;

	scene_open(&scene, see_tag, NULL);
	unixconn_set_tag(gram, 9);
	ck_assert_int_eq(unixservice_add_conn(scene.service, gram, 0, &peer),
		0);
	ck_assert_uint_eq(peer, 0);
	client_dial_at(&client, GRAM, support_path("s"));
	client_ask(&client, &scene, "hello");
	ck_assert_uint_eq(seen_tag, 9);
}
END_TEST

static int see_pidfd(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)at;
	(void)peer;
	seen_tag = msg->pidfd >= 0;
	return UNIXSERVICE_DONE;
}

/* What one socket wants more than the service is not forgotten. */
START_TEST(a_socket_may_want_more_than_the_service)
{
	static const char *const networks[] = { "unixgram", "unixpacket" };
	const struct unixlisten_options more = { .wants = UNIXMSG_WANT_PIDFD };
	const struct unixlisten_options fds = { .wants = UNIXMSG_WANT_FDS };
	const char *path = support_path("s");

	scene_open(&scene, see_pidfd, NULL);
	ck_assert_errno(unixservice_listen(scene.service, networks[_i], path,
				&fds),
		EINVAL);
	if (unixservice_listen(scene.service, networks[_i], path, &more) < 0) {
		ck_assert_int_eq(errno, ENOTSUP);
	} else {
		client_dial_at(&client, _i, path);
		client_ask(&client, &scene, "hello");
		ck_assert_uint_eq(seen_tag, 1);
		client_close(&client);
	}
}
END_TEST

static int send_whole(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	ck_assert_int_eq(unixservice_send_msg(at->service, peer, msg), 1);
	return UNIXSERVICE_DONE;
}

/* Address and all, and no more of it than has come: the rest of the room holds
 * what others sent. */
START_TEST(a_handler_sends_on_what_it_has_got)
{
	scene_open_with(&scene, &client, _i, send_whole, NULL);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	client_hear_nothing(&client);
}
END_TEST

START_TEST(other_names_of_networks_are_no_networks)
{
	static const char *const wrong[] = { "", "udp", "unixpackets",
		"Unixgram", "unixstreams", "tcp" };
	size_t i;

	scene_open(&scene, scene_echo, NULL);
	for (i = 0; i < COUNT(wrong); i++)
		ck_assert_errno(unixservice_listen(scene.service, wrong[i],
					support_path("s"), NULL),
			EINVAL);
	assert_files(0);
}
END_TEST

START_TEST(what_is_not_known_of_listening_is_refused)
{
	struct unixlisten_options options;

	scene_open(&scene, scene_echo, NULL);
	memset(&options, 0, sizeof(options));
	options.flags = 0x40;
	ck_assert_errno(unixservice_listen(scene.service, "unix",
				support_path("s"), &options),
		EINVAL);
	options.flags = UNIXMSG_LISTEN_BYTES;
	ck_assert_errno(unixservice_listen(scene.service, "unixpacket",
				support_path("s"), &options),
		EINVAL);
	memset(&options, 0, sizeof(options));
	options.wants = UNIXMSG_WANT_FDS;
	ck_assert_errno(unixservice_listen(scene.service, "unix",
				support_path("s"), &options),
		EINVAL);
	memset(&options, 0, sizeof(options));
	options.reserved[COUNT(options.reserved) - 1] = 1;
	ck_assert_errno(unixservice_listen(scene.service, "unix",
				support_path("s"), &options),
		EINVAL);
	assert_files(0);
}
END_TEST

START_TEST(a_name_with_a_live_owner_is_not_served)
{
	static const char *const networks[] = { "unixgram", "unixpacket",
		"unix" };
	int owner = open_listening(types[_i], support_path("s"));

	scene_open(&scene, scene_echo, NULL);
	ck_assert_errno(unixservice_listen(scene.service, networks[_i],
				support_path("s"), NULL),
		EADDRINUSE);
	ck_assert_errno(unixservice_get_address(scene.service,
				&(struct unixaddr){ 0 }),
		ENOENT);
	close(owner);
}
END_TEST

static void spoil(struct unixservice_options *options, int i)
{
	memset(options, 0, sizeof(*options));
	switch (i) {
	case 0:
		options->wants = 8;
		break;
	case 1:
		options->fds_max = 1; /* without wanting them */
		break;
	case 2:
		options->wants = UNIXMSG_WANT_FDS;
		options->fds_max = UNIXMSG_FDS_MAX + 1;
		break;
	case 3:
		options->forget_us = -1;
		break;
	case 4:
		options->idle_us = -1;
		break;
	case 5:
		options->patience_us = -1;
		break;
	case 6:
		options->spin_us = -1;
		break;
	case 7:
		options->batch = UNIXMSG_BATCH_MAX + 1;
		break;
	case 8:
		options->policy = UNIXSERVICE_DROP_PEER + 1;
		break;
	default:
		options->reserved[COUNT(options->reserved) - 1] = 1;
	}
}

START_TEST(a_buffer_that_there_is_no_memory_for_is_told)
{
	struct unixservice_options options = { .size_max = SIZE_MAX };

	/* It would end the process. */
	if (load_is_memory_kept())
		return;
	ck_assert_null_errno(unixservice_new(scene_never, NULL, &options),
		ENOMEM);
}
END_TEST

START_TEST(senseless_options_are_refused)
{
	struct unixservice_options options;

	spoil(&options, _i);
	ck_assert_null_errno(unixservice_new(scene_never, NULL, &options),
		EINVAL);
}
END_TEST

START_TEST(who_wants_descriptors_may_want_them_of_a_socket)
{
	const struct unixservice_options wants = { .wants = UNIXMSG_WANT_FDS };
	const struct unixlisten_options options = {
		.wants = UNIXMSG_WANT_FDS,
	};

	scene_open(&scene, scene_echo, &wants);
	ck_assert_int_eq(unixservice_listen(scene.service,
				 scene_get_network(_i), scene_address(_i),
				 &options),
		0);
	client_dial(&client, _i);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	client_close(&client);
	scene_close(&scene);
}
END_TEST

START_TEST(a_deadline_that_never_was_is_refused)
{
	scene_open(&scene, scene_echo, NULL);
	ck_assert_errno(unixservice_run(scene.service, -1), EINVAL);
	ck_assert_errno(unixservice_drain(scene.service, -1), EINVAL);
	scene_close(&scene);
}
END_TEST

START_TEST(a_service_needs_a_handler)
{
	ck_assert_null_errno(unixservice_new(NULL, NULL, NULL), EINVAL);
	ck_assert_int_eq(unixservice_close(NULL), 0);
}
END_TEST

START_TEST(what_was_open_already_is_served)
{
	struct server server;

	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(open_server(&server, types[_i], scene_address(_i),
				 NULL),
		0);
	errno = EXDEV;
	ck_assert_int_eq(scene_add_server(&scene, &server), 0);
	ck_assert_int_eq(errno, EXDEV);
	client_dial(&client, _i);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	client_close(&client);
	scene_close(&scene);
	assert_files(0);
}
END_TEST

START_TEST(a_connection_that_is_added_is_served)
{
	struct unixconn *pair[2];
	uint64_t peer = 0;

	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixconn_pair(scene_get_network(_i), pair), 0);
	client_take(&client, _i, pair[1]);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0],
				 _i == BYTES ? UNIXMSG_LISTEN_BYTES : 0, &peer),
		0);
	ck_assert_int_eq(unixservice_send(scene.service, peer, "first", 5), 1);
	client_hear(&client, "first");
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	ck_assert_uint_eq(scene.peer, peer);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
}
END_TEST

/* Messages that were read ahead are nothing that polling tells of. */
START_TEST(what_was_read_ahead_of_an_added_stream_is_served)
{
	struct unixconn *streams[2];
	char byte;

	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixconn_pair("unix", streams), 0);
	client_take(&client, FRAMED, streams[1]);
	client_say(&client, "1");
	client_say(&client, "2");
	ck_assert_int_eq(unixconn_recv(streams[0], &byte, 1, NULL, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixservice_add_conn(scene.service, streams[0], 0,
				 NULL),
		0);
	scene_serve_while(&scene, scene.heard == 0);
	client_hear(&client, "2");
}
END_TEST

/* To itself, by the descriptor. */
static void connect_behind_its_back(const struct unixconn *gram)
{
	const struct sockaddr *sa;
	struct unixaddr addr;
	socklen_t length;

	ck_assert_int_eq(unixconn_get_address(gram, &addr), 0);
	sa = unixaddr_get_sockaddr(&addr, &length);
	ck_assert_int_eq(connect(unixconn_get_fd(gram), sa, length), 0);
}

START_TEST(what_cannot_be_added_stays_the_callers)
{
	struct unixlistener *listener =
		unixlistener_open("unix", support_path("s"), NULL);
	struct unixconn *gram =
		unixconn_open("unixgram", support_path("g"), NULL);
	struct unixconn *streams[2];
	uint64_t peer = 7;

	scene_open(&scene, scene_echo, NULL);
	ck_assert_errno(unixservice_add_listener(scene.service, listener, 2),
		EINVAL);
	ck_assert_int_eq(unixconn_pair("unix", streams), 0);
	ck_assert_errno(unixservice_add_conn(scene.service, streams[0], 2,
				&peer),
		EINVAL);
	connect_behind_its_back(gram);
	ck_assert_errno(unixservice_add_conn(scene.service, gram, 0, NULL),
		EINVAL);
	ck_assert_uint_eq(peer, 7);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	scene_close(&scene);
	ck_assert_int_eq(unixconn_write(streams[0], "x", 1, NULL, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixlistener_close(listener), 0);
	unixconn_close(streams[0]);
	unixconn_close(streams[1]);
	unixconn_close(gram);
}
END_TEST

/* epoll_ctl(2) refuses a descriptor that it knows already. */
START_TEST(what_is_there_already_is_not_added_again)
{
	struct unixconn *packets[2], *copy;
	struct unixlistener *listener =
		unixlistener_open("unixpacket", support_path("s"), NULL);

	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixconn_pair("unixpacket", packets), 0);
	copy = packets[0];
	ck_assert_int_eq(unixservice_add_conn(scene.service, packets[0], 0,
				 NULL),
		0);
	ck_assert_errno(unixservice_add_conn(scene.service, copy, 0, NULL),
		EEXIST);
	ck_assert_int_eq(unixservice_add_listener(scene.service, listener, 0),
		0);
	ck_assert_errno(unixservice_add_listener(scene.service, listener, 0),
		EEXIST);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	scene_close(&scene);
	unixconn_close(packets[1]);
}
END_TEST

START_TEST(the_address_is_that_of_the_first_socket)
{
	struct unixaddr addr, expected = address_of(support_path("one"));
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	scene_open(&scene, scene_echo, NULL);
	ck_assert_errno(unixservice_get_address(scene.service, &addr), ENOENT);
	scene_listen_at(&scene, GRAM, support_path("one"));
	scene_listen_at(&scene, PACKET, support_path("two"));
	ck_assert_int_eq(unixservice_get_address(scene.service, &addr), 0);
	ck_assert(unixaddr_is_equal(&addr, &expected));
	scene_close(&scene);
	scene_open(&scene, scene_echo, NULL);
	scene_listen_at(&scene, _i, "@");
	ck_assert_int_eq(unixservice_get_address(scene.service, &addr), 0);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_ABSTRACT);
	client_dial_at(&client, _i, unixaddr_format(&addr, text, sizeof(text)));
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
}
END_TEST

enum { LOOKED_AT = 64 };

/* The test program's own may be what they like. */
START_TEST(all_descriptors_are_close_on_exec)
{
	bool was_open[LOOKED_AT];
	int fd;

	for (fd = 0; fd < LOOKED_AT; fd++)
		was_open[fd] = fcntl(fd, F_GETFD) >= 0;
	scene_open(&scene, scene_echo, NULL);
	for (fd = 0; fd < KINDS; fd++)
		scene_listen(&scene, fd);
	client_dial(&client, PACKET);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	for (fd = 0; fd < LOOKED_AT; fd++)
		if (!was_open[fd] && fcntl(fd, F_GETFD) >= 0)
			ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(nothing_is_allocated_that_is_not_given_back)
{
	int i;

	scene_open(&scene, scene_echo, NULL);
	for (i = 0; i < KINDS; i++)
		scene_listen(&scene, i);
	for (i = 0; i < 100; i++) {
		client_dial(&client, i % KINDS);
		client_ask(&client, &scene, "x");
		client_close(&client);
	}
	/* The connections are gone, the last one perhaps not yet. */
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).connections, 75);
	ck_assert_uint_eq(scene_count(&scene).peers, 25);
}
END_TEST

/* The loop. */

START_TEST(run_ends_when_its_deadline_comes)
{
	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	client_say(&client, "hello");
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_NOW), EAGAIN);
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(2000)),
		ETIMEDOUT);
	client_hear(&client, "hello");
}
END_TEST

START_TEST(a_stop_descriptor_ends_run_and_is_forgotten)
{
	int stop = eventfd(1, EFD_CLOEXEC);

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, stop), 0);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_FOREVER),
		ECANCELED);
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(1000)),
		ETIMEDOUT);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, stop), 0);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, -1), 0);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_NOW), EAGAIN);
	close(stop);
}
END_TEST

/* epoll_ctl(2) knows no more of a descriptor that was closed. */
START_TEST(a_stop_descriptor_may_be_closed_before_the_next_is_set)
{
	int first = eventfd(0, EFD_CLOEXEC), second;

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, first), 0);
	close(first);
	second = eventfd(1, EFD_CLOEXEC);
	errno = EXDEV;
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, second), 0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(5000000)),
		ECANCELED);
	close(second);
}
END_TEST

static int stop_first, stop_second;

static int change_stop(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)peer;
	(void)msg;
	ck_assert_int_eq(unixservice_set_stop_fd(at->service, stop_second), 0);
	return UNIXSERVICE_DONE;
}

/* The round may know already that the first one is readable. */
START_TEST(a_stop_descriptor_that_was_replaced_stops_nothing)
{
	stop_first = eventfd(1, EFD_CLOEXEC);
	stop_second = eventfd(0, EFD_CLOEXEC);
	scene_open_with(&scene, &client, GRAM, change_stop, NULL);
	client_say(&client, "x");
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, stop_first), 0);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_NOW), EAGAIN);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_NOW), EAGAIN);
	ck_assert_uint_eq(scene.heard, 1);
	client_close(&client);
	scene_close(&scene);
	close(stop_first);
	close(stop_second);
}
END_TEST

START_TEST(what_cannot_be_polled_is_no_stop_descriptor)
{
	int file =
		open(support_path("file"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	ck_assert_errno(unixservice_set_stop_fd(scene.service, file), EPERM);
	close(file);
	ck_assert_errno(unixservice_set_stop_fd(scene.service, file), EBADF);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_NOW), EAGAIN);
}
END_TEST

/* More than epoll_wait(2) can be told at once. */
START_TEST(a_deadline_may_be_far)
{
	int stop = eventfd(1, EFD_CLOEXEC);

	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	client_say(&client, "hello");
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, stop), 0);
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(
					(int64_t)INT32_MAX * 2000)),
		ECANCELED);
	close(stop);
}
END_TEST

/* Somebody has closed what was not his, and opened something else. */
START_TEST(a_loop_that_is_broken_is_told)
{
	int fd, other = eventfd(0, EFD_CLOEXEC);

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	fd = unixservice_get_fd(scene.service);
	ck_assert_int_eq(dup3(other, fd, O_CLOEXEC), fd);
	close(other);
	ck_assert_errno(unixservice_dispatch(scene.service), EINVAL);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_FOREVER),
		EINVAL);
	ck_assert_errno(unixservice_set_stop_fd(scene.service, fd), EINVAL);
	scene_close(&scene);
	assert_files(0);
}
END_TEST

static void turn_again(struct scene *at)
{
	ck_assert_errno(unixservice_dispatch(at->service), EBUSY);
	ck_assert_errno(unixservice_run(at->service, UNIXMSG_NOW), EBUSY);
	ck_assert_errno(unixservice_drain(at->service, UNIXMSG_NOW), EBUSY);
	ck_assert(!unixservice_is_drained(at->service));
}

static int handle_and_turn(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	turn_again(at);
	return scene_echo(at, peer, msg);
}

START_TEST(a_handler_cannot_turn_the_loop)
{
	scene_open_with(&scene, &client, _i, handle_and_turn, NULL);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
}
END_TEST

static void watch_and_turn(struct scene *at,
	const struct unixservice_event *event)
{
	(void)event;
	turn_again(at);
}

/* Also when it is told outside of the loop. */
START_TEST(a_watcher_cannot_turn_the_loop)
{
	struct unixconn *packets[2];
	uint64_t peer;

	scene_open(&scene, scene_echo, NULL);
	scene.react = watch_and_turn;
	ck_assert_int_eq(unixconn_pair("unixpacket", packets), 0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, packets[0], 0,
				 &peer),
		0);
	ck_assert_int_eq(unixservice_close_peer(scene.service, peer), 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_OPENED], 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	unixconn_close(packets[1]);
}
END_TEST

static int handle_and_serve(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	ck_assert_errno(unixservice_serve(at->service, at->number, 0), EBUSY);
	return scene_echo(at, peer, msg);
}

START_TEST(a_handler_that_serves_leaves_the_stop_descriptor_alone)
{
	int stop = eventfd(0, EFD_CLOEXEC);

	scene_open_with(&scene, &client, _i, handle_and_serve, NULL);
	scene.number = eventfd(1, EFD_CLOEXEC);
	ck_assert_int_eq(unixservice_set_stop_fd(scene.service, stop), 0);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_NOW), EAGAIN);
	ck_assert_int_eq(eventfd_write(stop, 1), 0);
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_FOREVER),
		ECANCELED);
	close(scene.number);
	close(stop);
}
END_TEST

START_TEST(success_leaves_errno_alone)
{
	struct unixservice_options options = scene_options();
	char *large = calloc(1, 400000);
	uint64_t peer;

	options.queue_messages_max = 1;
	scene_open_with(&scene, &client, PACKET + _i, scene_put_off, &options);
	client_say(&client, "hello");
	errno = EXDEV;
	ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	ck_assert_int_eq(errno, EXDEV);
	scene_serve(&scene);
	peer = scene.peer;
	errno = EXDEV;
	while (scene_count(&scene).queued == 0) {
		ck_assert_int_eq(unixservice_send(scene.service, peer, large,
					 100000),
			1);
		ck_assert_int_eq(errno, EXDEV);
	}
	/* Dropped. */
	ck_assert_int_eq(unixservice_send(scene.service, peer, large, 100000),
		0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(unixservice_close_peer(scene.service, peer), 0);
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_int_eq(errno, EXDEV);
	free(large);
	client_close(&client);
	scene_serve(&scene);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Half-closed peers. */

/* The service has nothing to do until it is asked for something. */
static void check_rest(void)
{
	struct pollfd ready = {
		.fd = unixservice_get_fd(scene.service),
		.events = POLLIN,
	};

	scene_serve(&scene);
	ck_assert_int_eq(support_poll(&ready, 1, 10), 0);
}

START_TEST(a_peer_that_sends_no_more_gets_its_answer)
{
	scene_open_with(&scene, &client, PACKET + _i, scene_put_off, NULL);
	client_say(&client, "hello");
	client_shutdown(&client);
	check_rest();
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	client_hear_nothing(&client);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "answer",
				 6),
		1);
	/* What belongs to it may follow. */
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "more", 4),
		1);
	scene_serve(&scene);
	client_hear(&client, "answer");
	client_hear(&client, "more");
	client_hear_end(&client);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], 0);
}
END_TEST

START_TEST(a_peer_that_sends_no_more_and_gets_no_answer_is_closed)
{
	scene_open_with(&scene, &client, PACKET + _i, scene_put_off, NULL);
	client_say(&client, "hello");
	client_shutdown(&client);
	check_rest();
	ck_assert_int_eq(unixservice_settle(scene.service, scene.peer), 0);
	client_hear_end(&client);
}
END_TEST

static void change_errno(struct scene *at,
	const struct unixservice_event *event)
{
	(void)at;
	(void)event;
	errno = EDOM;
}

START_TEST(settling_keeps_errno_whatever_the_watcher_does)
{
	scene_open_with(&scene, &client, PACKET + _i, scene_put_off, NULL);
	client_say(&client, "hello");
	client_shutdown(&client);
	check_rest();
	scene.react = change_errno;
	errno = EXDEV;
	ck_assert_int_eq(unixservice_settle(scene.service, scene.peer), 0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
}
END_TEST

/* Neither its messages nor its end may wake the loop again and again. */
START_TEST(a_peer_that_is_being_closed_does_not_spin)
{
	scene_open_with(&scene, &client, PACKET + _i, scene_put_off, NULL);
	client_ask(&client, &scene, "hello");
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	client_say(&client, "more");
	check_rest();
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "answer",
				 6),
		1);
	scene_serve(&scene);
	/* It has sent what nobody has read. */
	if (PACKET + _i == PACKET)
		ck_assert_errno(client_try_recv(&client, NULL, 0, NULL),
			ECONNRESET);
	client_hear(&client, "answer");
	client_hear_end(&client);
}
END_TEST

START_TEST(a_datagram_peer_that_is_being_closed_gets_its_answer)
{
	scene_open_with(&scene, &client, GRAM, scene_put_off, NULL);
	client_ask(&client, &scene, "hello");
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "answer",
				 6),
		1);
	scene_serve(&scene);
	client_hear(&client, "answer");
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_FLUSHED], 0);
}
END_TEST

START_TEST(a_peer_that_is_gone_while_we_owe_it_does_not_spin)
{
	scene_open_with(&scene, &client, PACKET + _i, scene_put_off, NULL);
	client_ask(&client, &scene, "hello");
	client_close(&client);
	check_rest();
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "answer",
				6),
		ENOTCONN);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
}
END_TEST

/* What handlers do while the loop goes on. */

static int close_all(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	uint64_t id = 0;

	(void)peer;
	(void)msg;
	while ((id = unixservice_get_next_peer(at->service, id)) != 0)
		ck_assert_int_eq(unixservice_close_peer(at->service, id), 0);
	return UNIXSERVICE_DONE;
}

/* All of them are ready in one round, and the first one's message ends them. */
START_TEST(a_handler_may_close_every_peer)
{
	struct client clients[8];
	int i;

	scene_open_kind(&scene, _i, scene_echo, NULL);
	for (i = 0; i < 8; i++) {
		client_dial(&clients[i], _i);
		client_say(&clients[i], "hello");
	}
	scene_serve(&scene);
	scene.act = close_all;
	scene.heard = 0;
	for (i = 0; i < 8; i++)
		client_say(&clients[i], "once more");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, _i == GRAM ? 8 : 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	for (i = 0; i < 8; i++)
		client_close(&clients[i]);
}
END_TEST

static int add_more(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	struct unixconn *pair[2];
	int i;

	for (i = 0; i < 40; i++) {
		ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
		ck_assert_int_eq(unixservice_add_conn(at->service, pair[0], 0,
					 NULL),
			0);
		unixconn_close(pair[1]);
	}
	scene_listen_at(at, GRAM, support_path("another"));
	scene_listen_at(at, PACKET, support_path("third"));
	return scene_echo(at, peer, msg);
}

START_TEST(a_handler_may_add_connections_and_sockets)
{
	struct client other;

	scene_open_with(&scene, &client, _i, add_more, NULL);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	scene.act = scene_echo;
	client_dial_at(&other, GRAM, support_path("another"));
	client_ask(&other, &scene, "there");
	client_hear(&other, "there");
	ck_assert_uint_eq(scene.told[UNIXSERVICE_OPENED], 42);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 40);
	client_close(&other);
}
END_TEST

static void close_newcomer(struct scene *at,
	const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_OPENED)
		ck_assert_int_eq(unixservice_close_peer(at->service,
					 event->peer),
			0);
}

START_TEST(a_watcher_may_close_who_has_just_come)
{
	scene_open_kind(&scene, _i, scene_echo, NULL);
	scene.react = close_newcomer;
	client_dial(&client, _i);
	client_ask(&client, &scene, "hello");
	ck_assert_uint_eq(scene.heard, 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).gone, _i == GRAM ? 1 : 0);
}
END_TEST

static int say_good_bye(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	scene_echo(at, peer, msg);
	return UNIXSERVICE_CLOSE;
}

START_TEST(a_handler_says_good_bye)
{
	scene_open_with(&scene, &client, _i, say_good_bye, NULL);
	client_ask(&client, &scene, "hello");
	client_hear(&client, "hello");
	if (_i != GRAM)
		client_hear_end(&client);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
}
END_TEST

/* Something of the program's own for each peer. */
START_TEST(a_peer_has_a_context)
{
	int mine;

	scene_open_with(&scene, &client, _i, scene_echo, NULL);
	client_ask(&client, &scene, "hello");
	ck_assert_ptr_null(unixservice_get_context(scene.service, scene.peer));
	ck_assert_int_eq(unixservice_set_context(scene.service, scene.peer,
				 &mine),
		0);
	ck_assert_ptr_eq(unixservice_get_context(scene.service, scene.peer),
		&mine);
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	ck_assert_null_errno(unixservice_get_context(scene.service, scene.peer),
		ENOTCONN);
	ck_assert_errno(unixservice_set_context(scene.service, scene.peer,
				&mine),
		ENOTCONN);
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, KINDS);
}

static TCase *make_echo_tests(void)
{
	TCase *tcase = make_scene_tcase("echo");

	add(tcase, a_message_comes_back);
	add(tcase, many_messages_come_back_in_order);
	tcase_add_loop_test(tcase, many_messages_at_once_come_back, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase, a_service_needs_no_watcher, 0,
		KINDS_OF_MESSAGES);
	tcase_add_loop_test(tcase, an_empty_message_is_a_message, 0,
		KINDS_OF_MESSAGES);
	tcase_add_loop_test(tcase, the_largest_message_comes_back, 0,
		KINDS_OF_MESSAGES);
	tcase_add_loop_test(tcase, a_message_too_large_is_told_and_not_handled,
		0, KINDS_OF_MESSAGES);
	tcase_add_loop_test(tcase, the_beginning_of_a_cut_message_is_its_own, 0,
		KINDS_OF_MESSAGES);
	return tcase;
}

static void add_refusals(TCase *tcase)
{
	tcase_add_test(tcase, other_names_of_networks_are_no_networks);
	tcase_add_test(tcase, what_is_not_known_of_listening_is_refused);
	tcase_add_loop_test(tcase, a_name_with_a_live_owner_is_not_served, 0,
		TYPES);
	tcase_add_test(tcase, a_buffer_that_there_is_no_memory_for_is_told);
	tcase_add_loop_test(tcase, senseless_options_are_refused, 0, 10);
	tcase_add_loop_test(tcase,
		who_wants_descriptors_may_want_them_of_a_socket, 0,
		KINDS_OF_MESSAGES);
	tcase_add_test(tcase, a_deadline_that_never_was_is_refused);
	tcase_add_test(tcase, a_service_needs_a_handler);
}

static TCase *make_source_tests(void)
{
	TCase *tcase = make_scene_tcase("sources");

	tcase_add_test(tcase, one_handler_serves_several_sockets);
	tcase_add_loop_test(tcase, networks_have_other_names, 0, BYTES);
	tcase_add_loop_test(tcase, a_message_tells_which_socket_it_came_by, 0,
		BYTES);
	add(tcase, all_peers_but_some_are_sent_to);
	add(tcase, a_service_is_served_to_its_end);
	add(tcase, a_handler_may_end_what_is_served);
	tcase_add_loop_test(tcase, the_first_file_that_is_gone_is_told, 0,
		TYPES);
	add(tcase, a_handler_sends_on_what_it_has_got);
	add(tcase, what_is_pushed_is_no_answer);
	tcase_add_loop_test(tcase,
		the_policy_of_an_added_connection_is_the_services, 0, 2);
	tcase_add_test(tcase,
		a_stream_in_the_middle_of_a_message_is_not_served);
	tcase_add_test(tcase, an_adopted_listener_may_have_a_tag);
	tcase_add_test(tcase, an_adopted_socket_may_have_a_tag);
	tcase_add_loop_test(tcase, a_socket_may_want_more_than_the_service, 0,
		2);
	add_refusals(tcase);
	tcase_add_loop_test(tcase, what_was_open_already_is_served, 0, TYPES);
	tcase_add_loop_test(tcase, a_connection_that_is_added_is_served, PACKET,
		KINDS);
	tcase_add_test(tcase, what_was_read_ahead_of_an_added_stream_is_served);
	tcase_add_test(tcase, what_cannot_be_added_stays_the_callers);
	tcase_add_test(tcase, what_is_there_already_is_not_added_again);
	add(tcase, the_address_is_that_of_the_first_socket);
	tcase_add_test(tcase, all_descriptors_are_close_on_exec);
	tcase_add_test(tcase, nothing_is_allocated_that_is_not_given_back);
	return tcase;
}

static TCase *make_loop_tests(void)
{
	TCase *tcase = make_scene_tcase("loop");

	add(tcase, run_ends_when_its_deadline_comes);
	tcase_add_test(tcase, a_stop_descriptor_ends_run_and_is_forgotten);
	tcase_add_test(tcase,
		a_stop_descriptor_may_be_closed_before_the_next_is_set);
	tcase_add_test(tcase,
		a_stop_descriptor_that_was_replaced_stops_nothing);
	tcase_add_test(tcase, what_cannot_be_polled_is_no_stop_descriptor);
	add(tcase, a_deadline_may_be_far);
	tcase_add_test(tcase, a_loop_that_is_broken_is_told);
	add(tcase, a_handler_cannot_turn_the_loop);
	tcase_add_test(tcase, a_watcher_cannot_turn_the_loop);
	tcase_add_test(tcase,
		a_handler_that_serves_leaves_the_stop_descriptor_alone);
	tcase_add_loop_test(tcase, success_leaves_errno_alone, 0, KINDS - 1);
	return tcase;
}

static TCase *make_half_closed_tests(void)
{
	TCase *tcase = make_scene_tcase("half-closed");

	tcase_add_loop_test(tcase, a_peer_that_sends_no_more_gets_its_answer, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase,
		a_peer_that_sends_no_more_and_gets_no_answer_is_closed, 0,
		KINDS - 1);
	tcase_add_loop_test(tcase,
		settling_keeps_errno_whatever_the_watcher_does, 0, KINDS - 1);
	tcase_add_loop_test(tcase, a_peer_that_is_being_closed_does_not_spin, 0,
		KINDS - 1);
	tcase_add_test(tcase,
		a_datagram_peer_that_is_being_closed_gets_its_answer);
	tcase_add_loop_test(tcase,
		a_peer_that_is_gone_while_we_owe_it_does_not_spin, 0,
		KINDS - 1);
	return tcase;
}

static TCase *make_handler_tests(void)
{
	TCase *tcase = make_scene_tcase("handlers");

	add(tcase, a_handler_may_close_every_peer);
	add(tcase, a_handler_may_add_connections_and_sockets);
	add(tcase, a_watcher_may_close_who_has_just_come);
	add(tcase, a_handler_says_good_bye);
	add(tcase, a_peer_has_a_context);
	return tcase;
}

int main(void)
{
	return support_run_cases("service", make_echo_tests(),
		make_source_tests(), make_loop_tests(),
		make_half_closed_tests(), make_handler_tests());
}
