/* SPDX-License-Identifier: 0BSD */
/*
 * A datagram server on a path. It sends each message back to its sender. An
 * unbound socket has no address: the server can only count its messages.
 *
 * Build:  cc 02-gram-server.c $(pkg-config --cflags --libs unixmsg) \
 *           -o gram-server
 * Run:    ./gram-server, and 03-gram-client.c in another terminal. A second
 *         ./gram-server fails. Ctrl-C or SIGTERM ends the server and removes
 *         the socket file.
 * See:    3 bytes from /run/user/1000/unixmsg-1000/6c0c19b06b2925a3
 *         3 bytes from /run/user/1000/unixmsg-1000/6c0c19b06b2925a3
 *         0 messages from unnamed senders
 *         and from the second server:
 *         gram-server: gram.sock: Address already in use
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "gram-server: %s: %s\n", what, strerror(errno));
	return -1;
}

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

/* Does not wait: a client that does not read must not delay the others. An
 * answer that has no room is dropped. */
static void answer(struct unixconn *gram, const struct unixaddr *to,
	const void *data, size_t size)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	unixaddr_format(to, text, sizeof(text));
	printf("%zu bytes from %s\n", size, text);
	if (unixconn_send_to(gram, to, data, size, UNIXMSG_NOW) < 0)
		fail(text);
}

/*
 * Returns 0 when stopped. The stop descriptor ends only calls that wait. While
 * senders keep the queue full, no call waits: so the loop polls the descriptor.
 */
static int serve(struct unixconn *gram, int stop_fd, unsigned long *unnamed)
{
	char data[4096];
	struct unixaddr from;
	size_t size;

	while (!is_readable(stop_fd)) {
		if (unixconn_recv_from(gram, data, sizeof(data), &size, &from,
			    UNIXMSG_FOREVER) < 0) {
			if (errno == ECANCELED)
				return 0;
			/* This message was too big, and is lost. */
			if (errno != EMSGSIZE)
				return fail("receive");
			fail("receive");
		} else if (unixaddr_get_kind(&from) == UNIXADDR_UNNAMED) {
			++*unnamed;
		} else {
			answer(gram, &from, data, size);
		}
	}
	return 0;
}

int main(void)
{
	/* Change these. "@gram-example" would be a name without a file; mode
	 * 0666 would let all users send. */
	const char *const address = "gram.sock";
	const mode_t mode = 0600;

	const struct unixlisten_options options = { .mode = mode };
	struct unixconn *gram;
	unsigned long unnamed = 0;
	/* SIGINT and SIGTERM make it readable; they need no handler. */
	int result, stop_fd = unixstop_open();

	if (stop_fd < 0) {
		fail("signals");
		return EXIT_FAILURE;
	}
	gram = unixconn_open("unixgram", address, &options);
	if (gram == NULL) {
		fail(address);
		close(stop_fd);
		return EXIT_FAILURE;
	}
	unixconn_set_stop_fd(gram, stop_fd);
	result = serve(gram, stop_fd, &unnamed);
	printf("%lu messages from unnamed senders\n", unnamed);
	if (unixconn_close(gram) < 0)
		result = fail(address);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
