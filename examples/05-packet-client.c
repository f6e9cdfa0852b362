/* SPDX-License-Identifier: 0BSD */
/*
 * A client that sends its arguments over one connection, each as one message.
 * Then it shuts down its direction, and receives answers until the server has
 * closed.
 *
 * Build:  cc 05-packet-client.c $(pkg-config --cflags --libs unixmsg) \
 *           -o packet-client
 * Run:    ./packet-client one "" three, and then ./packet-client $(seq 10000).
 *         04-packet-server.c may start later: the client waits ten seconds.
 * See:    answer of 3 bytes: one
 *         answer of 0 bytes:
 *         answer of 5 bytes: three
 *         3 messages, 3 answers
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "packet-client: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Returns 1 for an answer, 0 at the end, -1 on failure. */
static int receive_answer(struct unixconn *packet, int64_t deadline_us)
{
	char data[4096];
	size_t i, size;
	int result =
		unixconn_recv(packet, data, sizeof(data), &size, deadline_us);

	if (result < 0)
		return fail("answer");
	for (i = 0; result == 1 && i < size; i++)
		if (data[i] < ' ' || data[i] > '~')
			data[i] = '?'; /* no escape sequences */
	if (result == 1)
		printf("answer of %zu bytes: %.*s\n", size, (int)size, data);
	return result;
}

/*
 * When both sides wait for room, neither receives, and both wait for ever. So
 * when a message has no room, this client first receives an answer.
 */
static int send_one(struct unixconn *packet, const char *message,
	int64_t deadline_us, int *answers)
{
	while (unixconn_send(packet, message, strlen(message), UNIXMSG_NOW) <
		0) {
		if (errno != EAGAIN)
			return fail("send");
		if (receive_answer(packet, deadline_us) != 1)
			return -1;
		++*answers;
	}
	return 0;
}

static int talk(struct unixconn *packet, int count, char *messages[],
	int64_t deadline_us)
{
	int i, result, answers = 0;

	for (i = 0; i < count; i++)
		if (send_one(packet, messages[i], deadline_us, &answers) < 0)
			return -1;
	/* The server still receives all messages, and then the end. */
	if (unixconn_shutdown(packet, SHUT_WR) < 0)
		return fail("shutdown");
	while ((result = receive_answer(packet, deadline_us)) == 1)
		answers++;
	printf("%d messages, %d answers\n", count, answers);
	return result;
}

int main(int argc, char *argv[])
{
	/* Change these. The timeout covers all messages and answers. */
	const char *const server = "packet.sock";
	const int64_t timeout_us = 10000000;

	const int64_t deadline_us = unixdeadline_after_us(timeout_us);
	const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_WAIT,
	};
	struct unixconn *packet;
	int result;

	packet = unixconn_dial("unixpacket", server, &options, deadline_us);
	if (packet == NULL) {
		fail(server);
		return EXIT_FAILURE;
	}
	result = talk(packet, argc - 1, argv + 1, deadline_us);
	unixconn_close(packet);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
