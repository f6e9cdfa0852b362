/* SPDX-License-Identifier: 0BSD */
/*
 * Messages that are written and read in place, in memory that both processes
 * share. The client sends measurements to the server, which adds them up
 * without a copy.
 *
 * Build:  cc 28-in-place.c $(pkg-config --cflags --libs unixmsg) -o in-place
 * Run:    ./in-place
 * See:    100000 messages, most of them read in place; all samples: 1600000
 */
#define _POSIX_C_SOURCE 200809L

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the messages, and the memory for each direction. */
enum { messages_count = 100000, samples_most = 64, lane_bytes = 262144 };

struct measurement {
	uint32_t count; /* of samples */
	uint32_t samples[samples_most];
};

static int fail(const char *what)
{
	perror(what);
	return -1;
}

static size_t write_samples(struct measurement *out)
{
	for (out->count = 0; out->count < 16; out->count++)
		out->samples[out->count] = 1;
	return sizeof(out->count) + out->count * sizeof(out->samples[0]);
}

/* The lane is ready after some messages; until then the socket carries them. */
static int send_one(struct unixconn *conn)
{
	struct measurement own;
	void *place;

	if (!unixconn_is_lane(conn))
		return unixconn_send(conn, &own, write_samples(&own),
			UNIXMSG_FOREVER);
	if (unixlane_reserve(conn, sizeof(own), &place, UNIXMSG_FOREVER) < 0)
		return -1;
	return unixlane_commit(conn, write_samples(place), UNIXMSG_FOREVER);
}

/* The client could change the memory while we read it. So we read the count
 * once, and check it. */
static uint64_t add_up(const volatile struct measurement *in, size_t size)
{
	const uint32_t count = size < sizeof(in->count) ? 0 : in->count;
	uint64_t sum = 0;
	uint32_t i;

	if (count > samples_most ||
		size != sizeof(in->count) + count * sizeof(in->samples[0]))
		return 0;
	for (i = 0; i < count; i++)
		sum += in->samples[i];
	return sum;
}

/* Returns 1, 0 at the end, or -1. */
static int receive_one(struct unixconn *conn, uint64_t *sum, int *in_place)
{
	struct measurement own;
	const void *place = NULL;
	size_t size;
	int result = 1;

	if (unixconn_is_lane(conn))
		result = unixlane_peek(conn, &place, &size, UNIXMSG_FOREVER);
	if (result == 1 && place == NULL)
		result = unixconn_recv(conn, &own, sizeof(own), &size,
			UNIXMSG_FOREVER);
	if (result == 1)
		*sum += add_up(place == NULL ? &own : place, size);
	if (place == NULL)
		return result;
	++*in_place;
	return unixlane_release(conn) < 0 ? -1 : 1;
}

static int run_client(const char *address)
{
	const struct unixdial_options options = { .flags = UNIXMSG_DIAL_LANE };
	struct unixconn *conn =
		unixconn_dial("unixpacket", address, &options, UNIXMSG_FOREVER);
	int i, result = 1;

	if (conn == NULL)
		return fail(address);
	for (i = 0; i < messages_count && result == 1; i++)
		result = send_one(conn) < 0 ? fail("send") : 1;
	unixconn_close(conn);
	return result;
}

static int run_server(struct unixlistener *listener)
{
	struct unixconn *conn = unixlistener_accept(listener, UNIXMSG_FOREVER);
	uint64_t sum = 0;
	int result, count = 0, in_place = 0;

	if (conn == NULL)
		return fail("accept");
	while ((result = receive_one(conn, &sum, &in_place)) == 1)
		count++;
	if (result < 0)
		fail("receive");
	printf("%d messages, %s of them read in place; all samples: %llu\n",
		count, in_place > count / 2 ? "most" : "few",
		(unsigned long long)sum);
	unixconn_close(conn);
	return result;
}

int main(void)
{
	const char *const address = "in-place.sock"; /* Change this too. */
	const struct unixlisten_options options = { .lane_bytes = lane_bytes };
	struct unixlistener *listener =
		unixlistener_open("unixpacket", address, &options);
	int result, status = 0;
	pid_t child;

	if (listener == NULL) {
		fail(address);
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0)
		result = run_client(address);
	else
		result = child < 0 ? fail("fork") : run_server(listener);
	unixlistener_close(listener);
	if (child > 0)
		waitpid(child, &status, 0);
	return result < 0 || status != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
