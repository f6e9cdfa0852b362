/* SPDX-License-Identifier: MIT */
/*
 * How fast the engine is with a nats-server, without any relay: one process
 * sends messages of 64 bytes, another sends them back.
 *
 *	engine_speed HOST:PORT
 *
 * prints NAME VALUE lines: the median round trip, round trips a second with 64
 * on their way, and the memory that one engine, a session and a datagram client
 * take. growth.sh reads them.
 */
#include <config.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "relay/datagrams.h"
#include "relay/engine.h"
#include "relay/session.h"
#include "unixmsg/deadline.h"

enum { SIZE = 64, WINDOW = 64, SINGLE = 5000, STREAM = 200000 };

static struct engine *engine;
static bool is_up;
static unsigned int returned;

static _Noreturn void die(const char *why)
{
	fprintf(stderr, "engine_speed: %s\n", why);
	exit(1);
}

static void on_change(void *context, enum engine_change change, const char *why)
{
	(void)context;
	if (change != ENGINE_UP)
		die(why);
	is_up = true;
}

static void publish(const char *subject, const char *reply, const void *data,
	size_t size)
{
	struct iovec part = { (void *)data, size };

	if (engine_publish(engine, subject, reply, &part, 1) < 0)
		die("publishing fails");
}

static void send_numbered(unsigned int number)
{
	char data[SIZE] = "";

	memcpy(data, &number, sizeof(number));
	publish("speed.there", "speed.here", data, sizeof(data));
}

static void send_back(void *context, const struct nats_event *event)
{
	(void)context;
	publish(event->reply, NULL, event->data, event->size);
}

static void count(void *context, const struct nats_event *event)
{
	(void)context;
	if (event->status != 0)
		die("nobody sends back");
	/* Each comes back once, and in order. */
	if (event->size != SIZE ||
		memcmp(event->data, &returned, sizeof(returned)) != 0)
		die("another message than the next one comes back");
	returned++;
}

static void step(void)
{
	struct pollfd fd = { .fd = engine_get_fd(engine), .events = POLLIN };

	engine_flush(engine);
	poll(&fd, 1, 100);
	engine_run(engine);
}

static void open_engine(const char *servers, const char *subject,
	void (*on_message)(void *context, const struct nats_event *event))
{
	struct engine_options options;

	engine_options_init(&options);
	options.servers = servers;
	options.on_change = on_change;
	options.on_message = on_message;
	engine = engine_new(&options);
	if (engine == NULL || engine_subscribe(engine, subject, NULL) < 0)
		die("no engine");
	while (!is_up)
		step();
}

static void begin_echo(const char *servers)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		die("no pipe");
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		open_engine(servers, "speed.there", send_back);
		if (write(ready[1], "", 1) != 1)
			die("no pipe");
		for (;;)
			step();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("nobody sends back");
	close(ready[0]);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void measure_single(void)
{
	static int64_t times[SINGLE];
	unsigned int i;

	for (i = 0; i < SINGLE; i++) {
		int64_t begin_us = unixdeadline_now_us();

		returned = 0;
		send_numbered(0);
		while (returned == 0)
			step();
		times[i] = unixdeadline_now_us() - begin_us;
	}
	qsort(times, SINGLE, sizeof(*times), compare);
	printf("round_trip_us %lld\n", (long long)times[SINGLE / 2]);
}

static int64_t get_cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
		INT64_C(1000000) +
		usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void measure_stream(void)
{
	int64_t begin_us = unixdeadline_now_us(), cpu_us = get_cpu_us();
	unsigned int sent = 0;

	for (returned = 0; returned < STREAM; step())
		for (; sent < STREAM && sent - returned < WINDOW; sent++)
			send_numbered(sent);
	printf("round_trips_per_s %lld\n",
		STREAM * INT64_C(1000000) /
			(long long)(unixdeadline_now_us() - begin_us));
	printf("engine_cpu_ns_per_message %lld\n",
		(long long)(get_cpu_us() - cpu_us) * 1000 / (2 * STREAM));
}

static void print_sizes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("engine_rss_kib %ld\n", usage.ru_maxrss);
	printf("session_bytes %zu\n", sizeof(struct session));
	printf("datagram_client_bytes %zu\n", sizeof(struct datagram_client));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		die("usage: engine_speed HOST:PORT");
	begin_echo(argv[1]);
	open_engine(argv[1], "speed.here", count);
	measure_single();
	measure_stream();
	print_sizes();
	engine_close(engine);
	return 0;
}
