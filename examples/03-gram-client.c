/* SPDX-License-Identifier: 0BSD */
/*
 * A datagram client. unixconn_dial gives its socket an address, so that the
 * server can answer. The client receives from that server only.
 *
 * Build:  cc 03-gram-client.c $(pkg-config --cflags --libs unixmsg) \
 *           -o gram-client
 * Run:    ./gram-client one two, while 02-gram-server.c runs; then without a
 *         server, and with one that Ctrl-Z has stopped.
 * See:    our address: /run/user/1000/unixmsg-1000/6c0c19b06b2925a3
 *         answer: one
 *         answer: two
 *         and without a server, and with a stopped one:
 *         gram-client: gram.sock: No such file or directory
 *         gram-client: answer: Connection timed out
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "gram-client: %s: %s\n", what, strerror(errno));
	return -1;
}

static int print_address(const struct unixconn *gram)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr;

	if (unixconn_get_address(gram, &addr) < 0)
		return fail("own address");
	printf("our address: %s\n", unixaddr_format(&addr, text, sizeof(text)));
	return 0;
}

/* The question and its answer share one deadline. Without it the client would
 * wait for ever for a server that has died. */
static int ask(struct unixconn *gram, const char *message, int64_t timeout_us)
{
	const int64_t deadline_us = unixdeadline_after_us(timeout_us);
	char data[4096];
	size_t i, size;

	if (unixconn_send(gram, message, strlen(message), deadline_us) < 0)
		return fail("send");
	if (unixconn_recv(gram, data, sizeof(data), &size, deadline_us) < 0)
		return fail("answer");
	for (i = 0; i < size; i++)
		if (data[i] < ' ' || data[i] > '~')
			data[i] = '?'; /* no escape sequences */
	printf("answer: %.*s\n", (int)size, data);
	return 0;
}

int main(int argc, char *argv[])
{
	/* Change these. The timeout covers one question and its answer. */
	const char *const server = "gram.sock";
	const int64_t timeout_us = 5000000;

	struct unixconn *gram;
	/* The client's address is a file, and only unixconn_close removes it.
	 * So a signal ends a waiting call instead of the process. */
	int i, result, stop_fd = unixstop_open();
	const struct unixdial_options options = { .stop_fd = stop_fd };

	if (stop_fd < 0) {
		fail("signals");
		return EXIT_FAILURE;
	}
	gram = unixconn_dial("unixgram", server, &options, UNIXMSG_NOW);
	if (gram == NULL) {
		fail(server);
		close(stop_fd);
		return EXIT_FAILURE;
	}
	result = print_address(gram);
	for (i = 1; i < argc && result == 0; i++)
		result = ask(gram, argv[i], timeout_us);
	if (unixconn_close(gram) < 0)
		result = fail("own address");
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
