/* SPDX-License-Identifier: MIT */
#include <config.h>
#include <limits.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

/* Rounds for one step of a test: a service that needs more is spinning. */
static const int rounds_most = 2000;

static const int64_t limit_us = 20000000;
static const int64_t wait_us = 10000000;

static const char *const networks[KINDS] = { "unixgram", "unixpacket", "unix",
	"unix" };
static struct scene *scenes;
static struct client *clients;

static const char *const names[KINDS] = { "gram", "packet", "framed", "bytes" };

int scene_echo(struct scene *scene, uint64_t peer, struct unixmsg *msg)
{
	unixservice_send(scene->service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

int scene_be_silent(struct scene *scene, uint64_t peer, struct unixmsg *msg)
{
	(void)scene;
	(void)peer;
	(void)msg;
	return UNIXSERVICE_DONE;
}

int scene_put_off(struct scene *scene, uint64_t peer, struct unixmsg *msg)
{
	(void)scene;
	(void)peer;
	(void)msg;
	return UNIXSERVICE_LATER;
}

int scene_never(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)service;
	(void)peer;
	(void)msg;
	(void)context;
	ck_abort_msg("a message, where none can come");
	return UNIXSERVICE_DONE;
}

int scene_answer_at_length(struct scene *scene, uint64_t peer,
	struct unixmsg *msg)
{
	static char data[20000];

	(void)msg;
	unixservice_send(scene->service, peer, data, sizeof(data));
	return UNIXSERVICE_DONE;
}

static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct scene *scene = context;
	size_t size = msg->size < SCENE_DATA_ROOM - 1 ? msg->size
						      : SCENE_DATA_ROOM - 1;

	ck_assert_ptr_eq(service, scene->service);
	scene->heard++;
	scene->peer = peer;
	scene->size = msg->size;
	memcpy(scene->data, msg->data, size);
	scene->data[size] = '\0';
	return scene->act(scene, peer, msg);
}

static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	struct scene *scene = context;

	(void)service;
	scene->told[event->kind]++;
	scene->error[event->kind] = event->error;
	scene->about[event->kind] = event->peer;
	unixservice_format_event(event, scene->line[event->kind],
		sizeof(scene->line[event->kind]));
	if (scene->react != NULL)
		scene->react(scene, event);
}

struct unixservice_options scene_options(void)
{
	struct unixservice_options options;

	memset(&options, 0, sizeof(options));
	options.watcher = watch;
	options.event_rate = UINT_MAX;
	return options;
}

void scene_open(struct scene *scene, scene_act *act,
	const struct unixservice_options *options)
{
	struct unixservice_options defaults = scene_options();

	memset(scene, 0, sizeof(*scene));
	scene->act = act;
	scene->service = unixservice_new(handle, scene,
		options == NULL ? &defaults : options);
	ck_assert_msg(scene->service != NULL, "%s", strerror(errno));
	scene->next = scenes;
	scenes = scene;
}

const char *scene_address(int kind)
{
	return support_path(names[kind]);
}

void scene_listen_at(struct scene *scene, int kind, const char *address)
{
	struct unixlisten_options options = { 0 };
	int result;

	if (kind == BYTES)
		options.flags = UNIXMSG_LISTEN_BYTES;
	result = unixservice_listen(scene->service, networks[kind], address,
		&options);
	ck_assert_msg(result == 0, "%s: %s", address, strerror(errno));
}

void scene_listen(struct scene *scene, int kind)
{
	scene_listen_at(scene, kind, scene_address(kind));
}

void scene_open_kind(struct scene *scene, int kind, scene_act *act,
	const struct unixservice_options *options)
{
	scene_open(scene, act, options);
	scene_listen(scene, kind);
}

void scene_close(struct scene *scene)
{
	struct scene **at = &scenes;

	while (*at != scene)
		at = &(*at)->next;
	*at = scene->next;
	scene_check_books(scene);
	ck_assert_int_eq(unixservice_close(scene->service), 0);
	scene->service = NULL;
}

static void close_scenes(void)
{
	while (clients != NULL)
		client_close(clients);
	while (scenes != NULL) {
		scene_serve(scenes);
		scene_close(scenes);
	}
}

TCase *make_scene_tcase(const char *name)
{
	return make_tcase_with(name, NULL, close_scenes);
}

struct unixservice_counters scene_count(const struct scene *scene)
{
	struct unixservice_counters counters;

	unixservice_get_counters(scene->service, &counters);
	return counters;
}

void scene_check_books(const struct scene *scene)
{
	const struct unixservice_counters c = scene_count(scene);

	ck_assert_uint_eq(c.received,
		c.answered + c.unanswered + c.refused + c.limited + c.cut +
			c.unnamed + c.dropped + c.late + c.gone + c.failed +
			c.stopped + c.unproved + c.waiting);
}

const char *scene_get_network(int kind)
{
	return networks[kind];
}

int scene_add_server(const struct scene *scene, const struct server *server)
{
	if (server->gram != NULL)
		return unixservice_add_conn(scene->service, server->gram, 0,
			NULL);
	return unixservice_add_listener(scene->service, server->listener, 0);
}

static int dispatch_if_ready(struct scene *scene, int timeout_ms)
{
	struct pollfd ready = {
		.fd = unixservice_get_fd(scene->service),
		.events = POLLIN,
	};
	int result = support_poll(&ready, 1, timeout_ms);

	ck_assert_int_ge(result, 0);
	if (result == 0)
		return 0;
	ck_assert_int_eq(unixservice_dispatch(scene->service), 0);
	scene_check_books(scene);
	return 1;
}

int scene_serve(struct scene *scene)
{
	int count = 0;

	while (dispatch_if_ready(scene, 2))
		ck_assert_int_lt(++count, rounds_most);
	return count;
}

int64_t scene_get_limit(void)
{
	return unixdeadline_after_us(limit_us);
}

void scene_serve_once(struct scene *scene, int64_t end_us, const char *what)
{
	ck_assert_msg(unixdeadline_now_us() < end_us, "still: %s", what);
	dispatch_if_ready(scene, 20);
}

void client_take(struct client *client, int kind, struct unixconn *conn)
{
	client->kind = kind;
	client->conn = conn;
	client->next = clients;
	clients = client;
}

void client_dial_at(struct client *client, int kind, const char *address)
{
	const int64_t end_us = unixdeadline_after_us(wait_us);
	struct unixconn *conn =
		unixconn_dial(networks[kind], address, NULL, end_us);

	ck_assert_msg(conn != NULL, "%s: %s", address, strerror(errno));
	client_take(client, kind, conn);
}

void client_dial(struct client *client, int kind)
{
	client_dial_at(client, kind, scene_address(kind));
}

void scene_open_with(struct scene *scene, struct client *client, int kind,
	scene_act *act, const struct unixservice_options *options)
{
	scene_open_kind(scene, kind, act, options);
	client_dial(client, kind);
}

void client_close(struct client *client)
{
	struct client **at = &clients;

	while (*at != NULL && *at != client)
		at = &(*at)->next;
	if (*at != NULL)
		*at = client->next;
	ck_assert_int_eq(unixconn_close(client->conn), 0);
	memset(client, 0, sizeof(*client));
}

int client_get_fd(const struct client *client)
{
	return unixconn_get_fd(client->conn);
}

int client_try_send(struct client *client, const void *data, size_t size)
{
	if (client->kind == BYTES)
		return unixconn_write(client->conn, data, size, &(size_t){ 0 },
			UNIXMSG_NOW);
	return unixconn_send(client->conn, data, size, UNIXMSG_NOW);
}

int client_try_recv(struct client *client, void *data, size_t room,
	size_t *size)
{
	if (client->kind == BYTES)
		return unixconn_read(client->conn, data, room, size,
			UNIXMSG_NOW);
	return unixconn_recv(client->conn, data, room, size, UNIXMSG_NOW);
}

void client_send(struct client *client, const void *data, size_t size)
{
	int result = client_try_send(client, data, size);

	ck_assert_msg(result == 1, "%s: %s", names[client->kind],
		strerror(errno));
}

void client_say(struct client *client, const char *text)
{
	client_send(client, text, strlen(text));
}

void client_ask(struct client *client, struct scene *scene, const char *text)
{
	client_say(client, text);
	scene_serve(scene);
}

void client_expect(struct client *client, const void *data, size_t size)
{
	char *found = malloc(size + 1);
	size_t got = 0, more;
	int result;

	ck_assert_ptr_nonnull(found);
	do {
		result = client_try_recv(client, found + got,
			size - got + (client->kind != BYTES), &more);
		ck_assert_msg(result == 1, "%s: %d, %s", names[client->kind],
			result, strerror(errno));
		got += more;
	} while (client->kind == BYTES && got < size);
	ck_assert_uint_eq(got, size);
	ck_assert_mem_eq(found, data, size);
	free(found);
}

void client_hear(struct client *client, const char *text)
{
	client_expect(client, text, strlen(text));
}

void client_hear_nothing(struct client *client)
{
	char byte;
	size_t size;

	ck_assert_errno(client_try_recv(client, &byte, 1, &size), EAGAIN);
}

void client_hear_end(struct client *client)
{
	char byte;
	size_t size;
	int result = client_try_recv(client, &byte, 1, &size);

	/* Once, when it had sent what nobody has read. */
	if (result < 0 && errno == ECONNRESET)
		result = client_try_recv(client, &byte, 1, &size);
	ck_assert_msg(result == 0, "%d, not the end", result);
}

void client_shutdown(struct client *client)
{
	ck_assert_int_eq(shutdown(client_get_fd(client), SHUT_WR), 0);
}
