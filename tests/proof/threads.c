/* SPDX-License-Identifier: MIT */
/*
 * What unixmsg.h promises to threads, done by many at once. threads.sh builds
 * it, and the library, with a sanitizer that sees unguarded accesses; without
 * one it only shows that nothing is lost.
 *
 * Each promise is a function, named by a sentence; an argument is the part of
 * a name, and only such are tried.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "unixmsg.h"

enum { MESSAGES = 2000, SENDERS = 2, CLIENTS = 60, ACCEPTORS = 3 };

static void require(bool is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "threads: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int64_t soon(void)
{
	return unixdeadline_after_us(30000000);
}

static pthread_t start(void *(*run)(void *), void *context)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run, context);
	require(errno == 0, "pthread_create");
	return thread;
}

static void join(pthread_t thread)
{
	errno = pthread_join(thread, NULL);
	require(errno == 0, "pthread_join");
}

static const char *make_name(const char *what)
{
	static char name[64];

	snprintf(name, sizeof(name), "@unixmsg-threads-%d-%s", (int)getpid(),
		what);
	return name;
}

/* Datagrams. */

static void *send_grams(void *gram)
{
	int i;

	for (i = 0; i < MESSAGES; i++)
		require(unixconn_send(gram, &i, sizeof(i), soon()) == 1,
			"unixconn_send");
	return NULL;
}

static void *receive_grams(void *gram)
{
	int i, value;

	for (i = 0; i < MESSAGES; i++)
		require(unixconn_recv(gram, &value, sizeof(value), NULL,
				soon()) == 1,
			"unixconn_recv");
	return NULL;
}

static void one_sends_while_another_receives(void)
{
	struct unixconn *pair[2];
	pthread_t threads[4];
	int i;

	require(unixconn_pair("unixgram", pair) == 0, "unixconn_pair");
	for (i = 0; i < 2; i++) {
		threads[2 * i] = start(send_grams, pair[i]);
		threads[2 * i + 1] = start(receive_grams, pair[i]);
	}
	for (i = 0; i < 4; i++)
		join(threads[i]);
	require(unixconn_close(pair[0]) == 0, "unixconn_close");
	require(unixconn_close(pair[1]) == 0, "unixconn_close");
}

static atomic_bool are_done;

static void *look_at_counters(void *gram)
{
	struct unixconn_counters counters;

	while (!are_done)
		unixconn_get_counters(gram, &counters);
	return NULL;
}

static void two_send_and_two_receive_and_one_counts(void)
{
	struct unixconn_counters counters;
	struct unixconn *pair[2];
	pthread_t threads[2 * SENDERS], counter;
	int i;

	require(unixconn_pair("unixgram", pair) == 0, "unixconn_pair");
	are_done = false;
	counter = start(look_at_counters, pair[0]);
	for (i = 0; i < SENDERS; i++) {
		threads[2 * i] = start(send_grams, pair[0]);
		threads[2 * i + 1] = start(receive_grams, pair[1]);
	}
	for (i = 0; i < 2 * SENDERS; i++)
		join(threads[i]);
	are_done = true;
	join(counter);
	unixconn_get_counters(pair[0], &counters);
	require(counters.sent == SENDERS * MESSAGES, "what was sent");
	require(unixconn_close(pair[0]) == 0, "unixconn_close");
	require(unixconn_close(pair[1]) == 0, "unixconn_close");
}

/* A server that comes and goes, while two send to it and one listens. */

enum { RESTARTS = 20 };

static void *send_and_reconnect(void *gram)
{
	while (!are_done)
		if (unixconn_send(gram, "x", 1, unixdeadline_after_us(100000)) <
			0)
			require(errno == ETIMEDOUT, "a send that reconnects");
	return NULL;
}

static void *receive_until_done(void *gram)
{
	char byte;

	while (!are_done)
		if (unixconn_recv(gram, &byte, 1, NULL,
			    unixdeadline_after_us(10000)) < 0)
			require(errno == ETIMEDOUT || errno == ECONNRESET,
				"a receive meanwhile");
	return NULL;
}

/* The name of the one before may be taken for a moment yet. */
static struct unixconn *open_again(const char *name)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	const int64_t deadline_us = soon();
	struct unixconn *server;

	while ((server = unixconn_open("unixgram", name, NULL)) == NULL &&
		errno == EADDRINUSE && unixdeadline_now_us() < deadline_us)
		nanosleep(&pause, NULL);
	return server;
}

static void serve_once(const char *name)
{
	struct unixconn *server = open_again(name);
	struct unixaddr from;
	char byte;
	int i;

	require(server != NULL, "unixconn_open");
	for (i = 0; i < 20; i++)
		if (unixconn_recv_from(server, &byte, 1, NULL, &from, soon()) ==
			1)
			unixconn_send_to(server, &from, &byte, 1, UNIXMSG_NOW);
	require(unixconn_close(server) == 0, "unixconn_close");
}

static void two_connect_again_while_one_receives(void)
{
	const char *name = make_name("again");
	struct unixconn *first = unixconn_open("unixgram", name, NULL), *client;
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_RECONNECT };
	pthread_t threads[3];
	int i;

	client = unixconn_dial("unixgram", name, &options, soon());
	require(first != NULL && client != NULL, "a client");
	require(unixconn_close(first) == 0, "unixconn_close");
	are_done = false;
	threads[0] = start(send_and_reconnect, client);
	threads[1] = start(send_and_reconnect, client);
	threads[2] = start(receive_until_done, client);
	for (i = 0; i < RESTARTS; i++)
		serve_once(name);
	are_done = true;
	for (i = 0; i < 3; i++)
		join(threads[i]);
	require(unixconn_close(client) == 0, "unixconn_close");
}

/*
 * The same in turn, and nobody waits for another by what the sanitizer takes
 * for an order: so it sees that both have written, whenever that was.
 */
struct turn {
	struct unixconn *client;
	atomic_bool is_there;
	atomic_bool is_over;
};

static void wait_for(atomic_bool *flag)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	while (!atomic_load_explicit(flag, memory_order_relaxed))
		nanosleep(&pause, NULL);
}

static void tell(atomic_bool *flag)
{
	atomic_store_explicit(flag, true, memory_order_relaxed);
}

static void *connect_again(void *context)
{
	struct turn *turn = context;

	wait_for(&turn->is_there);
	require(unixconn_send(turn->client, "x", 1, soon()) == 1,
		"a send that reconnects");
	tell(&turn->is_over);
	return NULL;
}

static void two_connect_again_in_turn(void)
{
	const char *name = make_name("turns");
	struct unixconn *server = unixconn_open("unixgram", name, NULL),
			*client;
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_RECONNECT };
	struct turn turns[2];
	pthread_t threads[2];
	int i;

	client = unixconn_dial("unixgram", name, &options, soon());
	require(server != NULL && client != NULL, "a client");
	for (i = 0; i < 2; i++) {
		turns[i] = (struct turn){ .client = client };
		threads[i] = start(connect_again, &turns[i]);
	}
	for (i = 0; i < 2; i++) {
		require(unixconn_close(server) == 0, "unixconn_close");
		server = open_again(name);
		require(server != NULL, "unixconn_open");
		tell(&turns[i].is_there);
		wait_for(&turns[i].is_over);
	}
	for (i = 0; i < 2; i++)
		join(threads[i]);
	require(unixconn_close(client) == 0, "unixconn_close");
	require(unixconn_close(server) == 0, "unixconn_close");
}

/* Connections. */

static void *send_numbers(void *conn)
{
	int i;

	for (i = 0; i < MESSAGES; i++)
		require(unixconn_send(conn, &i, sizeof(i), soon()) == 1,
			"unixconn_send");
	return NULL;
}

static void *receive_numbers(void *conn)
{
	int i, value;

	for (i = 0; i < MESSAGES; i++) {
		require(unixconn_recv(conn, &value, sizeof(value), NULL,
				soon()) == 1,
			"unixconn_recv");
		require(value == i, "the order");
	}
	return NULL;
}

static void go_each_way_at_once(const char *network)
{
	struct unixconn *pair[2];
	pthread_t threads[4];
	int i;

	require(unixconn_pair(network, pair) == 0, "unixconn_pair");
	for (i = 0; i < 2; i++) {
		threads[2 * i] = start(send_numbers, pair[i]);
		threads[2 * i + 1] = start(receive_numbers, pair[i]);
	}
	for (i = 0; i < 4; i++)
		join(threads[i]);
	require(unixconn_close(pair[0]) == 0, "unixconn_close");
	require(unixconn_close(pair[1]) == 0, "unixconn_close");
}

static void a_packet_goes_each_way_at_once(void)
{
	go_each_way_at_once("unixpacket");
}

static void a_framed_stream_goes_each_way_at_once(void)
{
	go_each_way_at_once("unix");
}

static atomic_int accepted;

static void *accept_some(void *listener)
{
	struct unixconn *packet;

	while ((packet = unixlistener_accept(listener, soon())) != NULL) {
		accepted++;
		unixconn_close(packet);
	}
	require(errno == ECANCELED, "unixlistener_accept");
	return NULL;
}

static void *dial_some(void *name)
{
	struct unixconn *packet;
	char byte;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		packet = unixconn_dial("unixpacket", name, NULL, soon());
		require(packet != NULL, "unixconn_dial");
		require(unixconn_recv(packet, &byte, 1, NULL, soon()) == 0,
			"the end");
		unixconn_close(packet);
	}
	return NULL;
}

/* Ended by the stop descriptor that all of them share. */
static void several_accept_on_one_listener(void)
{
	const char *name = make_name("accept");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, NULL);
	pthread_t acceptors[ACCEPTORS], client;
	int i, stop[2];

	require(listener != NULL && pipe(stop) == 0, "a listener");
	unixlistener_set_stop_fd(listener, stop[0]);
	for (i = 0; i < ACCEPTORS; i++)
		acceptors[i] = start(accept_some, listener);
	client = start(dial_some, (void *)name);
	join(client);
	require(write(stop[1], "", 1) == 1, "the stop");
	for (i = 0; i < ACCEPTORS; i++)
		join(acceptors[i]);
	require(accepted == CLIENTS, "how many were accepted");
	require(unixlistener_close(listener) == 0, "unixlistener_close");
	close(stop[0]);
	close(stop[1]);
}

/* Lanes. */

static void talk(struct unixconn *pair[2])
{
	int i, value;

	for (i = 0; i < 80; i++) {
		require(unixconn_send(pair[i % 2], &i, sizeof(i), soon()) == 1,
			"unixconn_send");
		require(unixconn_recv(pair[1 - i % 2], &value, sizeof(value),
				NULL, soon()) == 1,
			"unixconn_recv");
	}
	require(unixconn_is_lane(pair[0]), "no lane");
}

static void connect_by_lane(struct unixconn *pair[2])
{
	const struct unixdial_options asking = { .flags = UNIXMSG_DIAL_LANE };
	const struct unixlisten_options offering = { .lane_bytes = 4096 };
	const char *name = make_name("lane");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, &offering);

	require(listener != NULL, "unixlistener_open");
	pair[0] = unixconn_dial("unixpacket", name, &asking, soon());
	require(pair[0] != NULL, "unixconn_dial");
	pair[1] = unixlistener_accept(listener, soon());
	require(pair[1] != NULL, "unixlistener_accept");
	unixlistener_close(listener);
}

static void open_lane(struct unixconn *pair[2])
{
	connect_by_lane(pair);
	talk(pair);
}

static void close_lane(struct unixconn *pair[2])
{
	require(unixconn_close(pair[0]) == 0, "unixconn_close");
	require(unixconn_close(pair[1]) == 0, "unixconn_close");
}

static void two_send_and_two_receive_by_a_lane(void)
{
	struct unixconn_counters before, after;
	struct unixconn *pair[2];
	pthread_t threads[2 * SENDERS], counter;
	int i;

	open_lane(pair);
	unixconn_get_counters(pair[0], &before);
	are_done = false;
	counter = start(look_at_counters, pair[0]);
	for (i = 0; i < SENDERS; i++) {
		threads[2 * i] = start(send_grams, pair[0]);
		threads[2 * i + 1] = start(receive_grams, pair[1]);
	}
	for (i = 0; i < 2 * SENDERS; i++)
		join(threads[i]);
	are_done = true;
	join(counter);
	unixconn_get_counters(pair[0], &after);
	require(after.sent == before.sent + SENDERS * MESSAGES, "the count");
	close_lane(pair);
}

/* What another thread than the one that gets the lane may do meanwhile. They
 * know of each other by nothing that the sanitizer takes for an order. */

static void want_credentials(struct unixconn *conn)
{
	require(unixconn_want(conn, UNIXMSG_WANT_CRED) == 0, "unixconn_want");
}

static void shut_down(struct unixconn *conn)
{
	require(unixconn_shutdown(conn, SHUT_RDWR) == 0, "unixconn_shutdown");
}

static void raise_size(struct unixconn *conn)
{
	size_t reached;

	require(unixconn_raise_size_max(conn, 1 << 17, &reached) == 0,
		"unixconn_raise_size_max");
}

static void (*const changes[])(
	struct unixconn *conn) = { want_credentials, shut_down, raise_size };

struct change {
	struct unixconn *conn;
	void (*make)(struct unixconn *conn);
	atomic_bool is_there;
};

static void *make_change(void *context)
{
	struct change *change = context;

	wait_for(&change->is_there);
	change->make(change->conn);
	return NULL;
}

static void send_one_way(struct unixconn *from, struct unixconn *to)
{
	int i, value;

	for (i = 0; i < 100; i++) {
		require(unixconn_send(from, &i, sizeof(i), soon()) == 1,
			"unixconn_send");
		require(unixconn_recv(to, &value, sizeof(value), NULL,
				soon()) == 1,
			"unixconn_recv");
	}
}

static void one_gets_a_lane_while_another_changes_the_connection(void)
{
	struct unixconn *pair[2];
	struct change change;
	pthread_t thread;
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		connect_by_lane(pair);
		change = (struct change){ pair[0], changes[i], false };
		thread = start(make_change, &change);
		send_one_way(pair[0], pair[1]);
		tell(&change.is_there);
		join(thread);
		close_lane(pair);
	}
}

static void *write_in_place(void *conn)
{
	void *place;
	int i;

	for (i = 0; i < MESSAGES; i++) {
		require(unixlane_reserve(conn, sizeof(i), &place, soon()) == 1,
			"unixlane_reserve");
		memcpy(place, &i, sizeof(i));
		require(unixlane_commit(conn, sizeof(i), soon()) == 1,
			"unixlane_commit");
	}
	return NULL;
}

static void *read_in_place(void *conn)
{
	const void *place;
	size_t size;
	int i, value;

	for (i = 0; i < MESSAGES; i++) {
		require(unixlane_peek(conn, &place, &size, soon()) == 1,
			"unixlane_peek");
		if (place == NULL) {
			require(unixconn_recv(conn, &value, sizeof(value), NULL,
					soon()) == 1,
				"unixconn_recv");
		} else {
			memcpy(&value, place, sizeof(value));
			require(unixlane_release(conn) == 0,
				"unixlane_release");
		}
		require(value == i, "the order");
	}
	return NULL;
}

static void one_writes_while_another_reads_in_place(void)
{
	struct unixconn *pair[2];
	pthread_t threads[4];
	int i;

	open_lane(pair);
	for (i = 0; i < 2; i++) {
		threads[2 * i] = start(write_in_place, pair[i]);
		threads[2 * i + 1] = start(read_in_place, pair[i]);
	}
	for (i = 0; i < 4; i++)
		join(threads[i]);
	close_lane(pair);
}

static const struct {
	const char *name;
	void (*run)(void);
} promises[] = {
	{ "one sends while another receives",
		one_sends_while_another_receives },
	{ "two send and two receive and one counts",
		two_send_and_two_receive_and_one_counts },
	{ "two connect again while one receives",
		two_connect_again_while_one_receives },
	{ "two connect again in turn", two_connect_again_in_turn },
	{ "a packet goes each way at once", a_packet_goes_each_way_at_once },
	{ "a framed stream goes each way at once",
		a_framed_stream_goes_each_way_at_once },
	{ "several accept on one listener", several_accept_on_one_listener },
	{ "two send and two receive by a lane",
		two_send_and_two_receive_by_a_lane },
	{ "one gets a lane while another changes the connection",
		one_gets_a_lane_while_another_changes_the_connection },
	{ "one writes while another reads in place",
		one_writes_while_another_reads_in_place },
};

int main(int argc, char **argv)
{
	size_t i;

	alarm(120);
	for (i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		if (argc > 1 && strstr(promises[i].name, argv[1]) == NULL)
			continue;
		promises[i].run();
		printf("ok - %s\n", promises[i].name);
	}
	return EXIT_SUCCESS;
}
