/* SPDX-License-Identifier: 0BSD */
/*
 * Many datagrams with few system calls. A logger receives up to 16 messages in
 * one call. Its client sends a batch, and only a part of it has room. Then the
 * client sends messages that it can spare, and drops them instead of waiting.
 * At last it waits until the rest of the batch has room.
 *
 * Build:  cc 11-batch.c $(pkg-config --cflags --libs unixmsg) -o batch
 * Run:    ./batch
 * See:    client: 11 of 100 lines: Resource temporarily unavailable
 *         client: 89 more
 *         client: sent 100, dropped 20, failed 89
 *         logger: 100 messages, 10 of them cut, in 10 calls
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the messages that the client sends in one batch, and one by
 * one; the messages that the logger receives in one call, and its room for
 * each; the pause before the logger begins; the timeout of both. */
enum { lines_count = 100, singles_count = 20, batch_size = 16, line_room = 32 };
static const int busy_ms = 100;
static const int64_t timeout_us = 300000;

static int fail(const char *what)
{
	fprintf(stderr, "batch: %s: %s\n", what, strerror(errno));
	return -1;
}

/* UNIXCONN_DROP: a message that has no room is dropped and counted. */
static int send_singles(struct unixconn *gram)
{
	int i;

	if (unixconn_set_policy(gram, UNIXCONN_DROP) < 0)
		return -1;
	for (i = 0; i < singles_count; i++)
		if (unixconn_send(gram, "spare", 5, UNIXMSG_FOREVER) < 0)
			return -1;
	return unixconn_set_policy(gram, UNIXCONN_WAIT);
}

/* The second call continues after the messages that the first has sent. */
static int send_lines(struct unixconn *gram, struct unixmsg *msgs, size_t count)
{
	size_t sent, more;
	int result = unixconn_send_batch(gram, msgs, count, &sent, UNIXMSG_NOW);

	if (result < 0 && errno != EAGAIN)
		return fail("batch");
	printf("client: %zu of %zu lines: %s\n", sent, count,
		strerror(result < 0 ? errno : 0));
	if (send_singles(gram) < 0)
		return fail("single");
	if (unixconn_send_batch(gram, msgs + sent, count - sent, &more,
		    unixdeadline_after_us(timeout_us)) < 0)
		return fail("rest of the batch");
	printf("client: %zu more\n", more);
	return 0;
}

/* Every tenth message is longer than the logger's room. */
static int run_client(const char *address)
{
	struct unixmsg msgs[lines_count];
	char line[2 * line_room] = "line";
	struct unixconn_counters counters;
	struct unixconn *gram =
		unixconn_dial("unixgram", address, NULL, UNIXMSG_NOW);
	int i, result;

	if (gram == NULL)
		return fail(address);
	for (i = 0; i < lines_count; i++) {
		unixmsg_init(&msgs[i]);
		msgs[i].data = line;
		msgs[i].room = i % 10 == 0 ? sizeof(line) : line_room;
	}
	result = send_lines(gram, msgs, lines_count);
	/* Messages that the first call did not send count as failed. */
	unixconn_get_counters(gram, &counters);
	printf("client: sent %d, dropped %d, failed %d\n", (int)counters.sent,
		(int)counters.dropped, (int)counters.failed);
	return unixconn_close(gram) < 0 ? fail(address) : result;
}

/* A message that is too long does not fail the batch: its flags have
 * UNIXMSG_CUT. */
static int run_logger(struct unixconn *gram)
{
	static char lines[batch_size][line_room];
	struct unixmsg msgs[batch_size];
	size_t i, count, calls = 0, total = 0, cut = 0;

	for (i = 0; i < batch_size; i++) {
		unixmsg_init(&msgs[i]);
		msgs[i].data = lines[i];
		msgs[i].room = sizeof(lines[i]);
	}
	poll(NULL, 0, busy_ms);
	while (unixconn_recv_batch(gram, msgs, batch_size, &count,
		       unixdeadline_after_us(timeout_us)) == 1) {
		calls++;
		total += count;
		for (i = 0; i < count; i++)
			cut += (msgs[i].flags & UNIXMSG_CUT) != 0;
	}
	if (errno != ETIMEDOUT)
		return fail("receive");
	printf("logger: %zu messages, %zu of them cut, in %zu calls\n", total,
		cut, calls);
	return 0;
}

int main(void)
{
	const char *const address = "batch.sock"; /* Change this too. */

	struct unixconn *gram = unixconn_open("unixgram", address, NULL);
	int result, status = 0;
	pid_t child;

	if (gram == NULL) {
		fail(address);
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0)
		result = run_client(address);
	else
		result = child < 0 ? fail("fork") : run_logger(gram);
	unixconn_close(gram);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
