/* SPDX-License-Identifier: MIT */
/*
 * service_scene: a service and its clients in one process, and what tests ask
 * of them. The kernel hands messages over at once, so a test never waits for
 * its own service: it has it served until there is nothing left to do.
 *
 * As with support.h, a failed step is a failed test.
 */
#ifndef UNIXMSG_TESTS_SERVICE_SCENE_H
#define UNIXMSG_TESTS_SERVICE_SCENE_H

#include "support/scene.h"

/* What a service can serve: three networks, and streams in two ways. */
enum kind { GRAM, PACKET, FRAMED, BYTES, KINDS };

/* The first of them keep the boundaries of messages. */
enum { KINDS_OF_MESSAGES = 3 };

struct scene;

/* What a handler does; it gives what a handler gives. */
typedef int scene_act(struct scene *scene, uint64_t peer, struct unixmsg *msg);
/* What a watcher does. */
typedef void scene_react(struct scene *scene,
	const struct unixservice_event *event);

enum { SCENE_TOLD_KINDS = UNIXSERVICE_ENDED + 1, SCENE_DATA_ROOM = 64 };

struct scene {
	struct scene *next; /* that is open */
	struct unixservice *service;
	scene_act *act;
	scene_react *react; /* NULL: only notes */
	/* Of what the handler was given. */
	unsigned int heard;
	uint64_t peer;
	size_t size;
	char data[SCENE_DATA_ROOM]; /* its beginning, as text */
	/* Of the events of each kind: how many, and the last. */
	unsigned int told[SCENE_TOLD_KINDS];
	int error[SCENE_TOLD_KINDS];
	uint64_t about[SCENE_TOLD_KINDS];
	char line[SCENE_TOLD_KINDS][640];
	/* For tests. */
	uint64_t other;
	int number;
};

/* Acts. */
int scene_echo(struct scene *scene, uint64_t peer, struct unixmsg *msg);
int scene_be_silent(struct scene *scene, uint64_t peer, struct unixmsg *msg);
int scene_put_off(struct scene *scene, uint64_t peer, struct unixmsg *msg);

/* With 20000 bytes of zeros. */
int scene_answer_at_length(struct scene *scene, uint64_t peer,
	struct unixmsg *msg);

/* The handler of a service that has no messages. */
int scene_never(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context);

/* The defaults, with a watcher that notes what it is told. */
struct unixservice_options scene_options(void);

/* A service without sockets; options may be NULL. */
void scene_open(struct scene *scene, scene_act *act,
	const struct unixservice_options *options);

/* The address of all kinds is support_path of their name. */
const char *scene_address(int kind);

/* Has it serve that kind there. */
void scene_listen(struct scene *scene, int kind);
void scene_listen_at(struct scene *scene, int kind, const char *address);

/* All of that: a service of one kind. */
void scene_open_kind(struct scene *scene, int kind, scene_act *act,
	const struct unixservice_options *options);

/* Closes it, after a look at its books. */
void scene_close(struct scene *scene);

/*
 * A tcase whose tests need not close what they have opened: clients that have
 * dialled are closed first, services are served and closed then. What is on a
 * test's stack it closes itself.
 */
TCase *make_scene_tcase(const char *name);

/* Every message that was received has come to one end. */
void scene_check_books(const struct scene *scene);

struct unixservice_counters scene_count(const struct scene *scene);

/*
 * Serves, as a loop of somebody else's would, until there is nothing to do at
 * the moment: gives how many rounds that took. A service that spins fails.
 */
int scene_serve(struct scene *scene);

/* Serves for as long as the condition holds. */
#define scene_serve_while(scene, condition)                                \
	do {                                                               \
		int64_t scene_end_us = scene_get_limit();                  \
		while (condition)                                          \
			scene_serve_once(scene, scene_end_us, #condition); \
	} while (0)
int64_t scene_get_limit(void);
void scene_serve_once(struct scene *scene, int64_t end_us, const char *what);

/* As unixconn_dial calls it. */
const char *scene_get_network(int kind);

/* Gives a server that is open already to the service: 0, or -1 with errno. */
int scene_add_server(const struct scene *scene, const struct server *server);

/* A client of any kind. */
struct client {
	struct client *next; /* that has dialled */
	int kind;
	struct unixconn *conn;
};

void client_dial(struct client *client, int kind);
void client_dial_at(struct client *client, int kind, const char *address);

/* A service of one kind and its first client. */
void scene_open_with(struct scene *scene, struct client *client, int kind,
	scene_act *act, const struct unixservice_options *options);

/* The connection is there already. */
void client_take(struct client *client, int kind, struct unixconn *conn);

void client_close(struct client *client);
int client_get_fd(const struct client *client);

/* As the functions of the network, without waiting. */
int client_try_send(struct client *client, const void *data, size_t size);
int client_try_recv(struct client *client, void *data, size_t room,
	size_t *size);

void client_send(struct client *client, const void *data, size_t size);
void client_say(struct client *client, const char *text);

/* Says so and has it served. */
void client_ask(struct client *client, struct scene *scene, const char *text);

/* The next message is that; of bytes: that is what comes next. */
void client_expect(struct client *client, const void *data, size_t size);
void client_hear(struct client *client, const char *text);
void client_hear_nothing(struct client *client);

/* It has been closed by the other side. */
void client_hear_end(struct client *client);

/* Ends its own direction; not for datagrams. */
void client_shutdown(struct client *client);

#endif
