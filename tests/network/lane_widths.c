/* SPDX-License-Identifier: MIT */
/*
 * One side of a connection that shall get a lane: lane_widths.sh builds it with
 * 32 bits and with 64, and has both talk to each other.
 *
 * usage: lane_widths server|client ADDRESS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unixmsg.h"

enum { LANE_BYTES = 65536, LARGE = 50000, MESSAGES = 400 };

static char data[LARGE];

static void require(int is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "lane_widths: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int64_t soon(void)
{
	return unixdeadline_after_us(30000000);
}

/* Some of them are too large for the ring. */
static size_t get_size(int number)
{
	return number % 7 == 6 ? LARGE : (size_t)number;
}

static void serve(const char *address)
{
	const struct unixlisten_options options = { .lane_bytes = LANE_BYTES };
	struct unixlistener *listener =
		unixlistener_open("unixpacket", address, &options);
	struct unixconn *conn;
	size_t size;

	require(listener != NULL, "unixlistener_open");
	conn = unixlistener_accept(listener, soon());
	require(conn != NULL, "unixlistener_accept");
	while (unixconn_recv(conn, data, sizeof(data), &size, soon()) == 1)
		require(unixconn_send(conn, data, size, soon()) == 1,
			"unixconn_send");
	require(unixconn_is_lane(conn), "no lane");
	unixconn_close(conn);
	unixlistener_close(listener);
}

static void ask(struct unixconn *conn, int number)
{
	const size_t size = get_size(number);
	size_t got;

	memset(data, number, size);
	require(unixconn_send(conn, data, size, soon()) == 1, "unixconn_send");
	memset(data, 0, size);
	require(unixconn_recv(conn, data, sizeof(data), &got, soon()) == 1,
		"unixconn_recv");
	require(got == size, "the size of the answer");
	require(size == 0 ||
			(data[0] == (char)number &&
				data[size - 1] == (char)number),
		"the answer");
}

static void talk(const char *address)
{
	const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_LANE | UNIXMSG_DIAL_WAIT,
	};
	struct unixconn *conn =
		unixconn_dial("unixpacket", address, &options, soon());
	int i;

	require(conn != NULL, "unixconn_dial");
	for (i = 0; i < MESSAGES; i++)
		ask(conn, i);
	require(unixconn_is_lane(conn), "no lane");
	unixconn_close(conn);
}

int main(int argc, char **argv)
{
	require(argc == 3, "usage");
	if (strcmp(argv[1], "server") == 0)
		serve(argv[2]);
	else
		talk(argv[2]);
	return EXIT_SUCCESS;
}
