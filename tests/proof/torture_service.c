/* SPDX-License-Identifier: MIT */
/*
 * Services. What fails while one serves is told to nobody but the watcher, so
 * it is the events, the books and the clients that show what became of it: see
 * torture_outcome.h.
 */
#include <config.h>
#include <limits.h>

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proof/fault.h"
#include "proof/torture.h"
#include "proof/torture_outcome.h"
#include "service/service_private.h"

enum { GRAM, PACKET, STREAM, NETWORKS };
enum { FLOOD_BYTES = 20000, FLOOD_MOST = 2000, PROMISES_MOST = 8 };

static const char *const networks[NETWORKS] = { "unixgram", "unixpacket",
	"unix" };

struct stage;

/* What a handler does. */
typedef int stage_act(struct stage *stage, uint64_t peer, struct unixmsg *msg);

struct stage {
	struct unixservice *service;
	stage_act *act;
	unsigned int promises_count;
	uint64_t promises[PROMISES_MOST]; /* who is to be answered later */
	uint64_t peer;                    /* who has spoken last */
	struct outcome outcome;
};

/* The handler, and its acts. */

static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct stage *stage = context;
	struct unixservice_peer_info info;
	char text[1024];

	if (unixservice_get_peer_info(service, peer, &info) == 0)
		unixservice_format_peer(&info, text, sizeof(text));
	stage->peer = peer;
	return stage->act(stage, peer, msg);
}

static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	struct stage *stage = context;
	char text[640];

	(void)service;
	unixservice_format_event(event, text, sizeof(text));
	outcome_note(&stage->outcome, event);
}

static int echo(struct stage *stage, uint64_t peer, struct unixmsg *msg)
{
	unixservice_send(stage->service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

static int promise(struct stage *stage, uint64_t peer, struct unixmsg *msg)
{
	(void)msg;
	if (stage->promises_count == PROMISES_MOST)
		return UNIXSERVICE_DONE;
	stage->promises[stage->promises_count++] = peer;
	return UNIXSERVICE_LATER;
}

static int echo_and_close(struct stage *stage, uint64_t peer,
	struct unixmsg *msg)
{
	echo(stage, peer, msg);
	return UNIXSERVICE_CLOSE;
}

static bool has_descriptors(struct stage *stage, uint64_t peer)
{
	struct unixservice_peer_info info;

	return unixservice_get_peer_info(stage->service, peer, &info) == 0 &&
		strcmp(info.network, networks[STREAM]) != 0;
}

/* In two parts, with two descriptors where there can be any. */
static int echo_in_parts(struct stage *stage, uint64_t peer,
	struct unixmsg *msg)
{
	int fds[2] = { STDIN_FILENO, STDOUT_FILENO };
	struct iovec parts[2] = { { msg->data, msg->room }, { NULL, 0 } };
	struct unixmsg answer;

	unixmsg_init(&answer);
	answer.parts = parts;
	answer.parts_count = COUNT(parts);
	answer.fds = fds;
	answer.fds_count = has_descriptors(stage, peer) ? COUNT(fds) : 0;
	unixservice_send_msg(stage->service, peer, &answer);
	return UNIXSERVICE_DONE;
}

static struct unixservice_counters count(const struct stage *stage)
{
	struct unixservice_counters counters;

	unixservice_get_counters(stage->service, &counters);
	return counters;
}

/* More than can go, so that some of it is kept. */
static int flood(struct stage *stage, uint64_t peer, struct unixmsg *msg)
{
	static char bytes[FLOOD_BYTES];
	int i;

	(void)msg;
	for (i = 0; i < FLOOD_MOST && count(stage).queued < 3; i++)
		if (unixservice_send(stage->service, peer, bytes,
			    sizeof(bytes)) != 1)
			break;
	return UNIXSERVICE_DONE;
}

static int flood_with_descriptors(struct stage *stage, uint64_t peer,
	struct unixmsg *msg)
{
	flood(stage, peer, msg);
	return echo_in_parts(stage, peer, msg);
}

/* The service. */

static struct unixservice_options make_options(void)
{
	struct unixservice_options options;

	memset(&options, 0, sizeof(options));
	options.watcher = watch;
	options.event_rate = UINT_MAX;
	/* A machine that is busy makes no answer late. */
	options.patience_us = 60000000;
	return options;
}

static void open_stage(struct stage *stage, stage_act *act,
	const struct unixservice_options *options)
{
	struct unixservice_options defaults = make_options();

	memset(stage, 0, sizeof(*stage));
	stage->act = act;
	stage->service = unixservice_new(handle, stage,
		options == NULL ? &defaults : options);
	ck_assert_ptr_nonnull(stage->service);
}

static const char *get_name(void)
{
	return support_path("server");
}

static int listen_at(struct stage *stage, int network, const char *name)
{
	return unixservice_listen(stage->service, networks[network], name,
		NULL);
}

static void open_serving(struct stage *stage, int network, stage_act *act)
{
	open_stage(stage, act, NULL);
	ck_assert_int_eq(listen_at(stage, network, get_name()), 0);
}

static uint64_t get_losses(const struct unixservice_counters *books)
{
	return books->unanswered + books->refused + books->limited +
		books->cut + books->unnamed + books->dropped + books->late +
		books->gone + books->failed + books->stopped + books->unproved;
}

static void check_books(const struct stage *stage)
{
	const struct unixservice_counters books = count(stage);

	ck_assert_uint_eq(books.received,
		books.answered + get_losses(&books) + books.waiting);
	ck_assert_uint_le(books.pushed_lost, books.pushed);
}

/* Whether it was told to the caller that something has failed. */
static void judge(struct stage *stage, int network, bool is_told)
{
	check_books(stage);
	outcome_judge(&stage->outcome, stage->service, networks[network],
		is_told);
}

/* The same where each who is answered has got one answer. */
static void judge_answers(struct stage *stage, int network,
	unsigned int answers, bool is_told)
{
	judge(stage, network, is_told);
	ck_assert_uint_eq(answers, count(stage).answered);
}

static void must_close(struct stage *stage)
{
	check_books(stage);
	ck_assert_int_eq(unixservice_close(stage->service), 0);
}

/* A file that could not be removed when it stopped may stay once more. */
static void must_close_after(struct stage *stage, int result)
{
	check_books(stage);
	ck_assert(unixservice_close(stage->service) == 0 || result < 0);
}

/* Clients. */

struct client {
	struct unixconn *conn;
	bool is_done; /* answered, or sent away */
	bool is_answered;
};

static void dial(struct client *client, int network, const char *name)
{
	memset(client, 0, sizeof(*client));
	client->conn =
		unixconn_dial(networks[network], name, NULL, UNIXMSG_NOW);
	ck_assert_msg(client->conn != NULL, "dial: %s", strerror(errno));
	if (network != STREAM)
		unixconn_want(client->conn, UNIXMSG_WANT_FDS);
}

static void hang_up(struct client *client)
{
	ck_assert_int_eq(unixconn_close(client->conn), 0);
}

static int try_to_say(struct client *client, const char *text)
{
	return unixconn_send(client->conn, text, strlen(text), UNIXMSG_NOW);
}

static void say(struct client *client, const char *text)
{
	ck_assert_int_eq(try_to_say(client, text), 1);
}

static int hear(struct client *client, char *data, size_t room, size_t *size)
{
	return unixconn_recv(client->conn, data, room, size, UNIXMSG_NOW);
}

/* Looks whether an answer has come, or never will. */
static void look_for_answer(struct client *client)
{
	char data[16];
	size_t size;
	int result;

	if (client->is_done)
		return;
	result = hear(client, data, sizeof(data), &size);
	if (result < 0 && errno == EAGAIN)
		return;
	client->is_done = true;
	client->is_answered = result == 1;
	if (result == 1) {
		ck_assert_uint_eq(size, 1);
		ck_assert_int_eq(data[0], '?');
	}
}

/* A while, in which nothing fails. */
static void serve_a_while(struct stage *stage)
{
	int result =
		unixservice_run(stage->service, unixdeadline_after_us(1000));

	ck_assert_msg(result == 0 || errno == ETIMEDOUT, "run: %s",
		strerror(errno));
}

/*
 * On a busy machine a while may be one turn of the loop. A listener that rests
 * needs three for the answer: to wake up, to accept, to read.
 */
static void serve_turns(struct stage *stage, struct client *client)
{
	int turn;

	for (turn = 0; turn < 8 && !client->is_done; turn++) {
		serve_a_while(stage);
		look_for_answer(client);
	}
}

static bool are_all_done(const struct stage *stage, struct client *clients,
	size_t clients_count)
{
	const struct unixservice_counters books = count(stage);
	size_t i, waiting = 0;

	for (i = 0; i < clients_count; i++) {
		look_for_answer(&clients[i]);
		waiting += !clients[i].is_done;
	}
	return waiting <= get_losses(&books);
}

/*
 * Has all clients be served to the end: how many got no answer. A listener
 * that rests for a while need not be waited for.
 */
static unsigned int finish(struct stage *stage, struct client *clients,
	size_t clients_count)
{
	unsigned int lost = 0;
	size_t i;
	int round;

	fault_pass_time(300000000);
	serve_a_while(stage);
	for (round = 0; !are_all_done(stage, clients, clients_count); round++) {
		ck_assert_msg(round < 2000, "a client waits for ever");
		serve_a_while(stage);
	}
	for (i = 0; i < clients_count; i++)
		lost += !clients[i].is_answered;
	return lost;
}

/* Whoever comes next is answered. */
static void be_served(struct stage *stage, int network, const char *name)
{
	struct client client;

	stage->act = echo;
	dial(&client, network, name);
	say(&client, "?");
	while (!client.is_done) {
		serve_a_while(stage);
		look_for_answer(&client);
	}
	ck_assert_msg(client.is_answered, "the next is not served");
	hang_up(&client);
}

static void let_be_served(struct stage *stage, int network)
{
	be_served(stage, network, get_name());
	must_close(stage);
}

/* Scenes. */

static void a_service_is_made(int kind)
{
	struct unixservice_options options = make_options();
	struct stage stage;

	(void)kind;
	memset(&stage, 0, sizeof(stage));
	options.wants = UNIXMSG_WANT_FDS;
	options.fds_max = 4;
	torture_begin();
	stage.service = unixservice_new(handle, &stage, &options);
	if (!torture_end_made(stage.service))
		stage.service = unixservice_new(handle, &stage, &options);
	ck_assert_int_eq(listen_at(&stage, GRAM, get_name()), 0);
	let_be_served(&stage, GRAM);
}

static void listen_whatever_fails(int network, const char *name,
	unsigned int batch)
{
	struct unixservice_options options = make_options();
	struct unixaddr addr;
	struct stage stage;

	options.batch = batch;
	open_stage(&stage, echo, &options);
	torture_begin();
	if (!torture_end(listen_at(&stage, network, name), 0)) {
		ck_assert_errno(unixservice_get_address(stage.service, &addr),
			ENOENT);
		ck_assert_int_eq(listen_at(&stage, network, name), 0);
	}
	be_served(&stage, network, name);
	must_close(&stage);
}

static void a_service_listens(int kind)
{
	listen_whatever_fails(kind, get_name(), 1);
}

static void a_service_listens_for_batches(int kind)
{
	listen_whatever_fails(kind, get_name(), 16);
}

static void a_service_listens_on_an_abstract_name(int kind)
{
	listen_whatever_fails(kind, support_abstract("server"), 1);
}

static void the_address_of_a_service_is_told(int kind)
{
	struct unixaddr addr;
	struct stage stage;

	open_serving(&stage, kind, echo);
	torture_try(unixservice_get_address(stage.service, &addr), 0);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_PATH);
	let_be_served(&stage, kind);
}

static void a_socket_is_given_to_a_service(int kind)
{
	static const int socket_types[NETWORKS] = { SOCK_DGRAM, SOCK_SEQPACKET,
		SOCK_STREAM };
	struct server server;
	struct stage stage;
	int result;

	open_stage(&stage, echo, NULL);
	ck_assert_int_eq(open_server(&server, socket_types[kind], get_name(),
				 NULL),
		0);
	torture_begin();
	result = kind == GRAM
		? unixservice_add_conn(stage.service, server.gram, 0, NULL)
		: unixservice_add_listener(stage.service, server.listener, 0);
	if (!torture_end(result, 0)) {
		ck_assert_int_eq(close_server(&server), 0);
		ck_assert_int_eq(listen_at(&stage, kind, get_name()), 0);
	}
	let_be_served(&stage, kind);
}

static void a_connection_is_given_to_a_service(int kind)
{
	struct client client = { 0 };
	struct unixconn *pair[2];
	struct stage stage;
	uint64_t peer = 0;

	open_stage(&stage, echo, NULL);
	ck_assert_int_eq(unixconn_pair(networks[kind], pair), 0);
	client.conn = pair[1];
	torture_try(unixservice_add_conn(stage.service, pair[0], 0, &peer), 0);
	ck_assert_uint_eq(unixservice_get_next_peer(stage.service, 0), peer);
	say(&client, "?");
	ck_assert_uint_eq(finish(&stage, &client, 1), 0);
	hang_up(&client);
	must_close(&stage);
}

/* Two clients ask, and calls fail while they are served. */
static void serve_two(struct stage *stage, int network, bool is_loop_foreign)
{
	struct client clients[2];
	int i, result = 0;

	for (i = 0; i < 2; i++) {
		dial(&clients[i], network, get_name());
		say(&clients[i], "?");
	}
	torture_begin();
	if (is_loop_foreign) {
		for (i = 0; i < 4 && result == 0; i++)
			result = unixservice_dispatch(stage->service);
		torture_end_judged(result, 0);
	} else {
		torture_end_refused(unixservice_run(stage->service,
					    unixdeadline_after_us(20000)),
			ETIMEDOUT);
	}
	check_books(stage);
	judge_answers(stage, network, 2 - finish(stage, clients, 2), false);
	for (i = 0; i < 2; i++)
		hang_up(&clients[i]);
	let_be_served(stage, network);
}

/* Its file is to be held fast. */
static const char *get_name_behind_link(void)
{
	ck_assert_int_eq(symlink(".", support_path("way")), 0);
	return support_path("way/server");
}

/* It listens at its own name, and asks another. */
static void a_peer_is_opened(int kind)
{
	struct stage stage, far;
	uint64_t peer = 0;
	int result;

	open_stage(&far, echo, NULL);
	ck_assert_int_eq(listen_at(&far, kind, get_name_behind_link()), 0);
	open_stage(&stage, echo, NULL);
	ck_assert_int_eq(listen_at(&stage, kind, support_path("asker")), 0);
	torture_begin();
	result = unixservice_open_peer(stage.service, networks[kind],
		get_name(), 0, &peer);
	if (torture_end(result, 0))
		ck_assert_int_eq(unixservice_push(stage.service, peer, "?", 1),
			1);
	else
		ck_assert_uint_eq(count(&stage).peers, 0);
	serve_a_while(&far);
	ck_assert_uint_eq(count(&far).received, result == 0);
	must_close(&stage);
	must_close(&far);
	ck_assert_int_eq(unlink(support_path("way")), 0);
}

static void a_service_serves(int kind)
{
	struct stage stage;

	open_serving(&stage, kind, echo);
	serve_two(&stage, kind, false);
}

static void a_service_serves_in_a_foreign_loop(int kind)
{
	struct stage stage;

	open_serving(&stage, kind, echo);
	serve_two(&stage, kind, true);
}

static void a_service_serves_with_parts_and_descriptors(int kind)
{
	struct stage stage;

	open_serving(&stage, kind, echo_in_parts);
	serve_two(&stage, kind, false);
}

static void a_service_serves_and_closes(int kind)
{
	struct stage stage;

	open_serving(&stage, kind, echo_and_close);
	serve_two(&stage, kind, false);
}

/* It looks again and again before it sleeps, and bounds what users send. */
static void a_service_serves_with_all_options(int kind)
{
	struct unixservice_options options = make_options();
	struct stage stage;

	options.wants =
		UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD;
	options.fds_max = 2;
	options.spin_us = 20;
	options.idle_us = 60000000;
	options.user_rate = 1000;
	options.peers_max = 2;
	options.peers_per_user_max = 2;
	open_stage(&stage, echo, &options);
	ck_assert_int_eq(listen_at(&stage, kind, get_name()), 0);
	serve_two(&stage, kind, false);
}

/*
 * Clients have spoken often enough for a batch: whatever fails while it comes
 * and while its answers go, each failure costs one answer at the most.
 */
static void a_service_serves_in_batches(int kind)
{
	struct unixservice_options options = make_options();
	struct client clients[8];
	struct stage stage;
	size_t i;

	(void)kind;
	options.batch = 16;
	open_stage(&stage, echo, &options);
	ck_assert_int_eq(listen_at(&stage, GRAM, get_name()), 0);
	for (i = 0; i < COUNT(clients); i++) {
		dial(&clients[i], GRAM, get_name());
		say(&clients[i], "?");
	}
	torture_begin();
	torture_end_refused(unixservice_run(stage.service,
				    unixdeadline_after_us(20000)),
		ETIMEDOUT);
	check_books(&stage);
	ck_assert_uint_le(finish(&stage, clients, COUNT(clients)),
		fault_get_hits());
	for (i = 0; i < COUNT(clients); i++)
		hang_up(&clients[i]);
	let_be_served(&stage, GRAM);
}

/* Whether somebody is in a group has to be asked. */
static void a_service_serves_by_its_rules(int kind)
{
	struct stage stage;

	open_serving(&stage, kind, echo);
	ck_assert_int_eq(unixservice_deny_group(stage.service, 12345678), 0);
	serve_two(&stage, kind, false);
}

/* One of two goes before he is answered: that is his loss alone. */
static void a_service_serves_beside_one_that_goes(int kind)
{
	struct client gone, client;
	struct stage stage;

	open_serving(&stage, kind, echo);
	dial(&gone, kind, get_name());
	say(&gone, "?");
	dial(&client, kind, get_name());
	say(&client, "?");
	hang_up(&gone);
	torture_begin();
	torture_end_refused(unixservice_run(stage.service,
				    unixdeadline_after_us(20000)),
		ETIMEDOUT);
	check_books(&stage);
	client.is_done = false;
	fault_pass_time(300000000);
	serve_turns(&stage, &client);
	judge_answers(&stage, kind, client.is_answered, false);
	hang_up(&client);
	let_be_served(&stage, kind);
}

/* What the kernel gave room for, and what was kept, comes; nothing else. */
static unsigned int hear_flood(struct stage *stage, struct client *client)
{
	static char data[FLOOD_BYTES];
	unsigned int messages = 0;
	size_t size;
	int result, quiet;

	/* Who may be sent to is asked more rarely where asking takes long. */
	for (quiet = 0; quiet < 3000; quiet++) {
		while ((result = hear(client, data, sizeof(data), &size)) ==
			1) {
			messages++;
			quiet = 0;
		}
		if (result == 0 || errno != EAGAIN)
			break;
		if (count(stage).queued == 0 && quiet > 1)
			break;
		serve_a_while(stage);
	}
	return messages;
}

static void expect_flood(struct stage *stage, struct client *client)
{
	unsigned int messages = hear_flood(stage, client);
	struct unixservice_counters books;

	check_books(stage);
	books = count(stage);
	ck_assert_uint_eq(books.queued, 0);
	ck_assert_uint_eq(books.queued_bytes, 0);
	/* What a connection had in it when it was closed may be lost. */
	if (books.gone == 0 && books.pushed_lost == 0)
		ck_assert_uint_eq(messages, books.answered + books.pushed);
	else
		ck_assert_uint_le(messages, books.answered + books.pushed);
}

static void serve_who_does_not_read(int kind, stage_act *act)
{
	struct client client;
	struct stage stage;

	open_serving(&stage, kind, act);
	dial(&client, kind, get_name());
	say(&client, "?");
	torture_begin();
	torture_end_refused(unixservice_run(stage.service,
				    unixdeadline_after_us(20000)),
		ETIMEDOUT);
	check_books(&stage);
	fault_pass_time(300000000);
	serve_a_while(&stage);
	expect_flood(&stage, &client);
	judge(&stage, kind, false);
	hang_up(&client);
	let_be_served(&stage, kind);
}

static void a_service_serves_who_does_not_read(int kind)
{
	serve_who_does_not_read(kind, flood);
}

static void a_service_serves_descriptors_to_who_does_not_read(int kind)
{
	serve_who_does_not_read(kind, flood_with_descriptors);
}

/* Somebody who has got more than he had room for, without a failure. */
static void have_kept(struct stage *stage, struct client *client, int network)
{
	int turns;

	open_serving(stage, network, flood_with_descriptors);
	dial(client, network, get_name());
	say(client, "?");
	for (turns = 0; turns < 3000 && count(stage).queued < 3; turns++)
		serve_a_while(stage);
	ck_assert_uint_ge(count(stage).queued, 3);
}

static void a_service_serves_what_was_kept(int kind)
{
	static char data[FLOOD_BYTES];
	struct client client;
	struct stage stage;
	size_t size;

	have_kept(&stage, &client, kind);
	while (hear(&client, data, sizeof(data), &size) == 1)
		;
	torture_begin();
	torture_end_refused(unixservice_run(stage.service,
				    unixdeadline_after_us(20000)),
		ETIMEDOUT);
	check_books(&stage);
	hear_flood(&stage, &client);
	ck_assert_uint_eq(count(&stage).queued, 0);
	judge(&stage, kind, false);
	hang_up(&client);
	let_be_served(&stage, kind);
}

/* A client whose message is to be answered later. */
static void have_promised(struct stage *stage, struct client *client,
	int network)
{
	open_serving(stage, network, promise);
	dial(client, network, get_name());
	say(client, "?");
	while (stage->promises_count == 0)
		serve_a_while(stage);
}

static void an_answer_is_given_later(int kind)
{
	struct client client;
	struct stage stage;

	have_promised(&stage, &client, kind);
	torture_begin();
	torture_end(unixservice_send(stage.service, stage.promises[0], "?", 1),
		1);
	check_books(&stage);
	/* It was as if we had not called. */
	if (count(&stage).waiting == 1 && count(&stage).queued == 0)
		ck_assert_int_eq(unixservice_send(stage.service,
					 stage.promises[0], "?", 1),
			1);
	judge_answers(&stage, kind, 1 - finish(&stage, &client, 1), false);
	hang_up(&client);
	let_be_served(&stage, kind);
}

static void a_promise_is_settled(int kind)
{
	struct client client;
	struct stage stage;

	have_promised(&stage, &client, kind);
	torture_begin();
	torture_end(unixservice_settle(stage.service, stage.promises[0]), 0);
	ck_assert_uint_eq(count(&stage).unanswered, 1);
	ck_assert_uint_eq(count(&stage).waiting, 0);
	hang_up(&client);
	let_be_served(&stage, kind);
}

/* It goes once what is kept for it has gone, or at once. */
static void a_peer_is_closed(int kind)
{
	struct client client;
	struct stage stage;

	have_kept(&stage, &client, kind);
	torture_begin();
	torture_end(unixservice_close_peer(stage.service, stage.peer), 0);
	hear_flood(&stage, &client);
	serve_a_while(&stage);
	ck_assert_uint_eq(unixservice_get_next_peer(stage.service, 0), 0);
	hang_up(&client);
	let_be_served(&stage, kind);
}

static bool is_peer(const struct stage *stage)
{
	return unixservice_get_next_peer(stage->service, 0) != 0;
}

/* The client reads the end whatever fails, and what it sends is heard. */
static void a_peer_is_shut_down(int kind)
{
	const int network = PACKET + kind;
	struct client client;
	struct stage stage;

	have_promised(&stage, &client, network);
	torture_begin();
	torture_end_judged(unixservice_shutdown_peer(stage.service, stage.peer),
		0);
	look_for_answer(&client);
	ck_assert(client.is_done && !client.is_answered);
	hang_up(&client);
	while (is_peer(&stage))
		serve_a_while(&stage);
	ck_assert_uint_eq(count(&stage).gone, 1);
	let_be_served(&stage, network);
}

static void a_peer_is_reset(int kind)
{
	struct client client;
	struct stage stage;

	have_kept(&stage, &client, kind);
	ck_assert_uint_gt(unixservice_get_queued(stage.service, stage.peer), 0);
	torture_begin();
	torture_end(unixservice_reset_peer(stage.service, stage.peer), 0);
	ck_assert(!is_peer(&stage));
	ck_assert_uint_eq(count(&stage).queued, 0);
	check_books(&stage);
	hang_up(&client);
	let_be_served(&stage, kind);
}

/* A client that has closed is out of the loop while it is paused. */
static void a_peer_is_resumed(int kind)
{
	const int network = PACKET + kind;
	struct client client;
	struct stage stage;

	have_promised(&stage, &client, network);
	ck_assert_int_eq(unixservice_pause_peer(stage.service, stage.peer), 0);
	say(&client, "?");
	hang_up(&client);
	serve_a_while(&stage);
	torture_begin();
	if (torture_end(unixservice_resume_peer(stage.service, stage.peer), 0))
		while (stage.promises_count == 1)
			serve_a_while(&stage);
	while (is_peer(&stage))
		serve_a_while(&stage);
	let_be_served(&stage, network);
}

static void a_socket_is_paused(int kind)
{
	struct stage stage;
	int result;

	open_serving(&stage, kind, echo);
	torture_begin();
	result = unixservice_pause_socket(stage.service, 0);
	if (result == 0)
		result = unixservice_resume_socket(stage.service, 0);
	torture_end(result, 0);
	let_be_served(&stage, kind);
}

/* Whoever is kept stays, and whoever is not goes; files stay where they are. */
static void what_is_kept_is_told(int kind)
{
	struct client client;
	struct stage stage;
	int result;

	have_kept(&stage, &client, kind);
	torture_begin();
	result = unixservice_keep_peer(stage.service, stage.peer, true);
	if (result == 0)
		result = unixservice_set_unlink_on_close(stage.service, true);
	torture_end(result, 0);
	hear_flood(&stage, &client);
	hang_up(&client);
	let_be_served(&stage, kind);
}

enum { RULES = 4 };

static int add_rule(struct unixservice *service, int kind)
{
	if (kind == 0)
		return unixservice_allow_user(service, geteuid());
	if (kind == 1)
		return unixservice_allow_group(service, getegid());
	if (kind == 2)
		return unixservice_deny_user(service, 12345678);
	return unixservice_deny_group(service, 12345678);
}

static void a_rule_is_added(int kind)
{
	struct stage stage;

	open_serving(&stage, PACKET, echo);
	torture_try(add_rule(stage.service, kind), 0);
	let_be_served(&stage, PACKET);
}

static int run_until_stopped(struct stage *stage, int stop_fd)
{
	if (unixservice_set_stop_fd(stage->service, stop_fd) < 0)
		return -1;
	return unixservice_run(stage->service, unixdeadline_after_us(20000));
}

/* As fork(2) leaves it: the loop is the parent's. */
static void a_child_makes_a_loop_of_its_own(int kind)
{
	struct stage stage;

	open_serving(&stage, kind, echo);
	stage.service->process = -1;
	torture_begin();
	torture_end_refused(unixservice_run(stage.service, UNIXMSG_NOW),
		EAGAIN);
	let_be_served(&stage, kind);
}

static void a_service_is_told_to_stop(int kind)
{
	struct stage stage;
	int stop[2];

	open_serving(&stage, kind, echo);
	support_ready_init(stop);
	support_ready_tell(stop);
	torture_begin();
	torture_end_refused(run_until_stopped(&stage, stop[0]), ECANCELED);
	ck_assert_int_eq(unixservice_set_stop_fd(stage.service, -1), 0);
	close_pipe(stop);
	let_be_served(&stage, kind);
}

/* The name is free, and the next one takes it: if it could be removed. */
static void take_over(int network, int result)
{
	struct stage next;

	if (result < 0) {
		torture_allow_files(NULL);
		return;
	}
	open_serving(&next, network, echo);
	let_be_served(&next, network);
}

static void ask_twice(struct client clients[2], int network)
{
	int i;

	for (i = 0; i < 2; i++) {
		dial(&clients[i], network, get_name());
		say(&clients[i], "?");
	}
}

/* All that was taken comes to an end, answered or not. */
static void a_service_is_drained(int kind)
{
	struct client clients[2];
	struct stage stage;
	unsigned int served = 0;
	int i, result;

	open_serving(&stage, kind, echo);
	ask_twice(clients, kind);
	torture_begin();
	result = unixservice_drain(stage.service,
		unixdeadline_after_us(3000000));
	torture_end_judged(result, 0);
	ck_assert(unixservice_is_drained(stage.service));
	for (i = 0; i < 2; i++) {
		look_for_answer(&clients[i]);
		served += clients[i].is_answered;
		hang_up(&clients[i]);
	}
	judge_answers(&stage, kind, served, result < 0);
	must_close_after(&stage, result);
	take_over(kind, result);
}

static bool is_known_peer(struct unixservice *service, uint64_t peer,
	void *context)
{
	struct stage *stage = context;

	(void)peer;
	return service == stage->service && unixservice_get_tag(service) == 0;
}

/* Its stop has come already: what was sent before is answered. */
static void a_service_is_served_to_its_end(int kind)
{
	struct client clients[2];
	struct stage stage;
	int i, result, stop_fd = eventfd(1, EFD_CLOEXEC);

	open_serving(&stage, kind, echo);
	ask_twice(clients, kind);
	torture_begin();
	result = unixservice_serve(stage.service, stop_fd, 3000000);
	torture_end_judged(result, 0);
	if (!unixservice_is_drained(stage.service))
		result = unixservice_drain(stage.service,
			unixdeadline_after_s(3));
	for (i = 0; i < 2; i++)
		hang_up(&clients[i]);
	must_close_after(&stage, result);
	take_over(kind, result);
	close(stop_fd);
}

static void all_peers_are_sent_to(int kind)
{
	struct client clients[2];
	struct stage stage;
	size_t reached;
	int i;

	open_serving(&stage, kind, echo);
	ask_twice(clients, kind);
	serve_a_while(&stage);
	torture_begin();
	reached = unixservice_push_all(stage.service, "!", 1, is_known_peer,
		&stage);
	torture_end_judged(0, 0);
	ck_assert_uint_le(reached, 2);
	ck_assert_errno(unixservice_push(stage.service, 1, "!", 1), ENOTCONN);
	for (i = 0; i < 2; i++)
		hang_up(&clients[i]);
	ck_assert_int_eq(unixservice_close(stage.service), 0);
}

/* The deadline is far: to wait for the lock of a name takes time, too. */
static void a_service_stops(int kind)
{
	struct client clients[2];
	struct stage stage;
	int i, result;

	open_serving(&stage, kind, echo);
	ask_twice(clients, kind);
	torture_begin();
	result = unixservice_stop(stage.service,
		unixdeadline_after_us(10000000));
	torture_end(result, 0);
	ck_assert_int_eq(unixservice_run(stage.service, UNIXMSG_FOREVER), 0);
	ck_assert(unixservice_is_drained(stage.service));
	for (i = 0; i < 2; i++) {
		look_for_answer(&clients[i]);
		ck_assert(clients[i].is_answered);
		hang_up(&clients[i]);
	}
	judge_answers(&stage, kind, 2, result < 0);
	must_close_after(&stage, result);
	take_over(kind, result);
}

/* Each name is given up, even if the first could not be. */

static void open_serving_two(struct stage *stage, int kind)
{
	open_serving(stage, kind, echo);
	ck_assert_int_eq(listen_at(stage, kind, support_path("second")), 0);
}

static void a_service_of_two_sockets_ends(int kind)
{
	struct stage stage;
	int result;

	open_serving_two(&stage, kind);
	torture_begin();
	result = unixservice_close(stage.service);
	torture_end(result, 0);
	take_over(kind, result);
}

static void a_service_of_two_sockets_stops(int kind)
{
	struct stage stage;
	int result;

	open_serving_two(&stage, kind);
	torture_begin();
	result = unixservice_stop(stage.service, UNIXMSG_NOW);
	torture_end(result, 0);
	must_close_after(&stage, result);
	take_over(kind, result);
}

/* What cannot go is given up when the time is over. */
static void a_service_is_drained_of_what_was_kept(int kind)
{
	struct client client;
	struct stage stage;
	int result;

	have_kept(&stage, &client, kind);
	torture_begin();
	result = unixservice_drain(stage.service, unixdeadline_after_us(50000));
	torture_end_judged(result, 0);
	ck_assert(unixservice_is_drained(stage.service));
	check_books(&stage);
	ck_assert_uint_eq(count(&stage).queued, 0);
	judge(&stage, kind, result < 0);
	hang_up(&client);
	must_close_after(&stage, result);
	take_over(kind, result);
}

/* A name that could not be given up is that of a dead socket then. */
static void a_service_stops_listening(int kind)
{
	struct stage stage;

	open_serving(&stage, kind, echo);
	torture_begin();
	if (!torture_end(unixservice_unlisten(stage.service), 0))
		torture_allow_files(NULL);
	serve_a_while(&stage);
	ck_assert_int_eq(listen_at(&stage, kind, get_name()), 0);
	let_be_served(&stage, kind);
}

static void a_service_closes(int kind)
{
	struct client client;
	struct stage stage;
	int result;

	have_kept(&stage, &client, kind);
	torture_begin();
	result = unixservice_close(stage.service);
	torture_end(result, 0);
	hang_up(&client);
	take_over(kind, result);
}

static void try_texts(struct stage *stage)
{
	struct unixservice_counters counters;
	char text[4096];

	unixservice_get_counters(stage->service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	unixservice_allow_anyone(stage->service);
	unixservice_set_context(stage->service, stage->peer, stage);
	unixservice_is_drained(stage->service);
	unixservice_get_queued(stage->service, stage->peer);
	unixservice_get_fd(stage->service);
}

static void what_a_service_only_tells_makes_no_call(int kind)
{
	struct client client;
	struct stage stage;
	unsigned int calls;

	have_promised(&stage, &client, kind);
	torture_begin();
	try_texts(&stage);
	torture_end(0, 0);
	fault_get_records(&calls);
	ck_assert_uint_eq(calls, 0);
	ck_assert_ptr_eq(unixservice_get_context(stage.service, stage.peer),
		&stage);
	hang_up(&client);
	let_be_served(&stage, kind);
}

const struct scene torture_service_scenes[] = {
	{ "a service is made", a_service_is_made, 1 },
	{ "a service listens", a_service_listens, NETWORKS },
	{ "a service listens for batches", a_service_listens_for_batches, 1 },
	{ "a service listens on an abstract name",
		a_service_listens_on_an_abstract_name, NETWORKS },
	{ "the address of a service is told", the_address_of_a_service_is_told,
		NETWORKS },
	{ "a socket is given to a service", a_socket_is_given_to_a_service,
		NETWORKS },
	{ "a connection is given to a service",
		a_connection_is_given_to_a_service, NETWORKS },
	{ "a peer is opened", a_peer_is_opened, NETWORKS },
	{ "a service serves", a_service_serves, NETWORKS },
	{ "a service serves in a foreign loop",
		a_service_serves_in_a_foreign_loop, NETWORKS },
	{ "a service serves with parts and descriptors",
		a_service_serves_with_parts_and_descriptors, NETWORKS },
	{ "a service serves and closes", a_service_serves_and_closes,
		NETWORKS },
	{ "a service serves with all options",
		a_service_serves_with_all_options, NETWORKS },
	{ "a service serves in batches", a_service_serves_in_batches, 1 },
	{ "a service serves by its rules", a_service_serves_by_its_rules,
		NETWORKS },
	{ "a service serves beside one that goes",
		a_service_serves_beside_one_that_goes, NETWORKS },
	{ "a service serves who does not read",
		a_service_serves_who_does_not_read, NETWORKS },
	{ "a service serves descriptors to who does not read",
		a_service_serves_descriptors_to_who_does_not_read, NETWORKS },
	{ "a service serves what was kept", a_service_serves_what_was_kept,
		NETWORKS },
	{ "an answer is given later", an_answer_is_given_later, NETWORKS },
	{ "a promise is settled", a_promise_is_settled, NETWORKS },
	{ "a peer is closed", a_peer_is_closed, NETWORKS },
	{ "a peer is shut down", a_peer_is_shut_down, 2 },
	{ "a service resets a peer", a_peer_is_reset, NETWORKS },
	{ "a peer is resumed", a_peer_is_resumed, 2 },
	{ "a socket is paused", a_socket_is_paused, NETWORKS },
	{ "a peer and the files are kept", what_is_kept_is_told, NETWORKS },
	{ "a rule is added", a_rule_is_added, RULES },
	{ "a service is told to stop", a_service_is_told_to_stop, NETWORKS },
	{ "a service is drained", a_service_is_drained, NETWORKS },
	{ "a service is served to its end", a_service_is_served_to_its_end,
		NETWORKS },
	{ "all peers are sent to", all_peers_are_sent_to, NETWORKS },
	{ "a service stops", a_service_stops, NETWORKS },
	{ "a service closes two sockets", a_service_of_two_sockets_ends,
		NETWORKS },
	{ "a service stops with two sockets", a_service_of_two_sockets_stops,
		NETWORKS },
	{ "a child makes a loop of its own", a_child_makes_a_loop_of_its_own,
		NETWORKS },
	{ "a service is drained of what was kept",
		a_service_is_drained_of_what_was_kept, NETWORKS },
	{ "a service stops listening", a_service_stops_listening, NETWORKS },
	{ "a service closes", a_service_closes, NETWORKS },
	{ "what a service only tells makes no call",
		what_a_service_only_tells_makes_no_call, NETWORKS },
	{ NULL, NULL, 0 },
};
