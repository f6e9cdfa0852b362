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
		require(unixgram_send(gram, &i, sizeof(i), soon()) == 0,
			"unixgram_send");
	return NULL;
}

static void *receive_grams(void *gram)
{
	int i, value;

	for (i = 0; i < MESSAGES; i++)
		require(unixgram_recv(gram, &value, sizeof(value), NULL, NULL,
				soon()) == 1,
			"unixgram_recv");
	return NULL;
}

static void one_sends_while_another_receives(void)
{
	struct unixgram *pair[2];
	pthread_t threads[4];
	int i;

	require(unixgram_pair(pair) == 0, "unixgram_pair");
	for (i = 0; i < 2; i++) {
		threads[2 * i] = start(send_grams, pair[i]);
		threads[2 * i + 1] = start(receive_grams, pair[i]);
	}
	for (i = 0; i < 4; i++)
		join(threads[i]);
	require(unixgram_close(pair[0]) == 0, "unixgram_close");
	require(unixgram_close(pair[1]) == 0, "unixgram_close");
}

static atomic_bool are_done;

static void *look_at_counters(void *gram)
{
	struct unixgram_counters counters;

	while (!are_done)
		unixgram_get_counters(gram, &counters);
	return NULL;
}

static void two_send_and_two_receive_and_one_counts(void)
{
	struct unixgram_counters counters;
	struct unixgram *pair[2];
	pthread_t threads[2 * SENDERS], counter;
	int i;

	require(unixgram_pair(pair) == 0, "unixgram_pair");
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
	unixgram_get_counters(pair[0], &counters);
	require(counters.sent == SENDERS * MESSAGES, "what was sent");
	require(unixgram_close(pair[0]) == 0, "unixgram_close");
	require(unixgram_close(pair[1]) == 0, "unixgram_close");
}

/* A server that comes and goes, while two send to it and one listens. */

enum { RESTARTS = 20 };

static void *send_and_reconnect(void *gram)
{
	while (!are_done)
		if (unixgram_send(gram, "x", 1, unixdeadline_after_us(100000)) <
			0)
			require(errno == ETIMEDOUT, "a send that reconnects");
	return NULL;
}

static void *receive_until_done(void *gram)
{
	char byte;

	while (!are_done)
		if (unixgram_recv(gram, &byte, 1, NULL, NULL,
			    unixdeadline_after_us(10000)) < 0)
			require(errno == ETIMEDOUT || errno == ECONNRESET,
				"a receive meanwhile");
	return NULL;
}

/* The name of the one before may be taken for a moment yet. */
static struct unixgram *open_again(const char *name)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	const int64_t deadline_us = soon();
	struct unixgram *server;

	while ((server = unixgram_open(name, NULL)) == NULL &&
		errno == EADDRINUSE && unixdeadline_now_us() < deadline_us)
		nanosleep(&pause, NULL);
	return server;
}

static void serve_once(const char *name)
{
	struct unixgram *server = open_again(name);
	struct unixaddr from;
	char byte;
	int i;

	require(server != NULL, "unixgram_open");
	for (i = 0; i < 20; i++)
		if (unixgram_recv(server, &byte, 1, NULL, &from, soon()) == 1)
			unixgram_send_to(server, &from, &byte, 1, UNIXMSG_NOW);
	require(unixgram_close(server) == 0, "unixgram_close");
}

static void two_connect_again_while_one_receives(void)
{
	const char *name = make_name("again");
	struct unixgram *first = unixgram_open(name, NULL), *client;
	struct unixdial_options options;
	pthread_t threads[3];
	int i;

	unixdial_options_init(&options);
	options.flags = UNIXMSG_DIAL_RECONNECT;
	client = unixgram_dial(name, &options, soon());
	require(first != NULL && client != NULL, "a client");
	require(unixgram_close(first) == 0, "unixgram_close");
	are_done = false;
	threads[0] = start(send_and_reconnect, client);
	threads[1] = start(send_and_reconnect, client);
	threads[2] = start(receive_until_done, client);
	for (i = 0; i < RESTARTS; i++)
		serve_once(name);
	are_done = true;
	for (i = 0; i < 3; i++)
		join(threads[i]);
	require(unixgram_close(client) == 0, "unixgram_close");
}

/*
 * The same in turn, and nobody waits for another by what the sanitizer takes
 * for an order: so it sees that both have written, whenever that was.
 */
struct turn {
	struct unixgram *client;
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
	require(unixgram_send(turn->client, "x", 1, soon()) == 0,
		"a send that reconnects");
	tell(&turn->is_over);
	return NULL;
}

static void two_connect_again_in_turn(void)
{
	const char *name = make_name("turns");
	struct unixgram *server = unixgram_open(name, NULL), *client;
	struct unixdial_options options;
	struct turn turns[2];
	pthread_t threads[2];
	int i;

	unixdial_options_init(&options);
	options.flags = UNIXMSG_DIAL_RECONNECT;
	client = unixgram_dial(name, &options, soon());
	require(server != NULL && client != NULL, "a client");
	for (i = 0; i < 2; i++) {
		turns[i] = (struct turn){ .client = client };
		threads[i] = start(connect_again, &turns[i]);
	}
	for (i = 0; i < 2; i++) {
		require(unixgram_close(server) == 0, "unixgram_close");
		server = open_again(name);
		require(server != NULL, "unixgram_open");
		tell(&turns[i].is_there);
		wait_for(&turns[i].is_over);
	}
	for (i = 0; i < 2; i++)
		join(threads[i]);
	require(unixgram_close(client) == 0, "unixgram_close");
	require(unixgram_close(server) == 0, "unixgram_close");
}

/* Connections. */

static void *send_packets(void *packet)
{
	int i;

	for (i = 0; i < MESSAGES; i++)
		require(unixpacket_send(packet, &i, sizeof(i), soon()) == 0,
			"unixpacket_send");
	return NULL;
}

static void *receive_packets(void *packet)
{
	int i, value;

	for (i = 0; i < MESSAGES; i++) {
		require(unixpacket_recv(packet, &value, sizeof(value), NULL,
				soon()) == 1,
			"unixpacket_recv");
		require(value == i, "the order");
	}
	return NULL;
}

static void a_packet_goes_each_way_at_once(void)
{
	struct unixpacket *pair[2];
	pthread_t threads[4];
	int i;

	require(unixpacket_pair(pair) == 0, "unixpacket_pair");
	for (i = 0; i < 2; i++) {
		threads[2 * i] = start(send_packets, pair[i]);
		threads[2 * i + 1] = start(receive_packets, pair[i]);
	}
	for (i = 0; i < 4; i++)
		join(threads[i]);
	require(unixpacket_close(pair[0]) == 0, "unixpacket_close");
	require(unixpacket_close(pair[1]) == 0, "unixpacket_close");
}

static void *send_frames(void *stream)
{
	int i;

	for (i = 0; i < MESSAGES; i++)
		require(unixstream_send(stream, &i, sizeof(i), soon()) == 0,
			"unixstream_send");
	return NULL;
}

static void *receive_frames(void *stream)
{
	int i, value;

	for (i = 0; i < MESSAGES; i++) {
		require(unixstream_recv(stream, &value, sizeof(value), NULL,
				soon()) == 1,
			"unixstream_recv");
		require(value == i, "the order");
	}
	return NULL;
}

static void a_framed_stream_goes_each_way_at_once(void)
{
	struct unixstream *pair[2];
	pthread_t threads[4];
	int i;

	require(unixstream_pair(pair) == 0, "unixstream_pair");
	for (i = 0; i < 2; i++) {
		threads[2 * i] = start(send_frames, pair[i]);
		threads[2 * i + 1] = start(receive_frames, pair[i]);
	}
	for (i = 0; i < 4; i++)
		join(threads[i]);
	require(unixstream_close(pair[0]) == 0, "unixstream_close");
	require(unixstream_close(pair[1]) == 0, "unixstream_close");
}

static atomic_int accepted;

static void *accept_some(void *listener)
{
	struct unixpacket *packet;

	while ((packet = unixpacket_accept(listener, soon())) != NULL) {
		accepted++;
		unixpacket_close(packet);
	}
	require(errno == ECANCELED, "unixpacket_accept");
	return NULL;
}

static void *dial_some(void *name)
{
	struct unixpacket *packet;
	char byte;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		packet = unixpacket_dial(name, NULL, soon());
		require(packet != NULL, "unixpacket_dial");
		require(unixpacket_recv(packet, &byte, 1, NULL, soon()) == 0,
			"the end");
		unixpacket_close(packet);
	}
	return NULL;
}

/* Ended by the stop descriptor that all of them share. */
static void several_accept_on_one_listener(void)
{
	const char *name = make_name("accept");
	struct unixlistener *listener = unixpacket_listen(name, 0, NULL);
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
