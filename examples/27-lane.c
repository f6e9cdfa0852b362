/* SPDX-License-Identifier: 0BSD */
/*
 * Many small messages through memory that both processes share. The server
 * offers a lane, the client asks for one; both send and receive as without it,
 * and report at the end whether they had a lane.
 *
 * Build:  cc 27-lane.c $(pkg-config --cflags --libs unixmsg) -o lane
 * Run:    ./lane
 * See:    server: 100000 messages by a lane
 *         client: 100000 messages by a lane
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/*
 * Change these: the messages, and the memory for each direction. Without
 * lane_bytes, or without UNIXMSG_DIAL_LANE below, the socket carries all
 * messages.
 */
enum { messages_count = 100000, lane_bytes = 65536 };

static int fail(const char *what)
{
	fprintf(stderr, "lane: %s: %s\n", what, strerror(errno));
	return -1;
}

static void report(const char *whom, int count, const struct unixconn *conn)
{
	printf("%s: %d messages by %s\n", whom, count,
		unixconn_is_lane(conn) ? "a lane" : "the socket");
}

static int send_all(struct unixconn *conn)
{
	int i;

	for (i = 0; i < messages_count; i++)
		if (unixconn_send(conn, &i, sizeof(i), UNIXMSG_FOREVER) < 0)
			return fail("send");
	return 0;
}

/* Waits for the server's end, so that the server reports first. */
static int run_client(const char *address)
{
	const struct unixdial_options options = { .flags = UNIXMSG_DIAL_LANE };
	struct unixconn *conn =
		unixconn_dial("unixpacket", address, &options, UNIXMSG_FOREVER);
	char last;
	int result;

	if (conn == NULL)
		return fail(address);
	result = send_all(conn);
	if (result == 0 && unixconn_shutdown(conn, SHUT_WR) < 0)
		result = fail("shutdown");
	if (result == 0 &&
		unixconn_recv(conn, &last, 1, NULL, UNIXMSG_FOREVER) < 0)
		result = fail("receive");
	report("client", messages_count, conn);
	unixconn_close(conn);
	return result;
}

static int run_server(struct unixlistener *listener)
{
	struct unixconn *conn = unixlistener_accept(listener, UNIXMSG_FOREVER);
	int number, result, count = 0;

	if (conn == NULL)
		return fail("accept");
	while ((result = unixconn_recv(conn, &number, sizeof(number), NULL,
			UNIXMSG_FOREVER)) == 1)
		count++;
	if (result < 0)
		fail("receive");
	report("server", count, conn);
	fflush(stdout);
	unixconn_close(conn);
	return result;
}

int main(void)
{
	const char *const address = "lane.sock"; /* Change this too. */
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
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
