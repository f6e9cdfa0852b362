/* SPDX-License-Identifier: 0BSD */
/*
 * A datagram client. unixgram_dial gives its socket an address of its own, so
 * that the server can answer, and takes messages from the server alone.
 *
 * Build:  cc 02-gram-client.c $(pkg-config --cflags --libs unixmsg) \
 *           -o gram-client
 * Run:    ./gram-client one two, while 01-gram-server.c runs; and again when
 *         it does not, or is stopped by Ctrl-Z.
 * See:    our address: /run/user/1000/unixmsg-1000/6c0c19b06b2925a3
 *         answer: one
 *         answer: two
 *         and without a server, and with a stopped one:
 *         gram-client: gram.sock: No such file or directory
 *         gram-client: answer: Connection timed out
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "gram-client: %s: %s\n", what, strerror(errno));
	return -1;
}

/*
 * The own address is a file, which only unixgram_close removes. So a client
 * does not let signals kill it either: they become readable instead.
 */
static int open_stop_fd(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -1;
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static int print_address(const struct unixgram *gram)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr;

	if (unixgram_get_address(gram, &addr) < 0)
		return fail("own address");
	printf("our address: %s\n", unixaddr_format(&addr, text, sizeof(text)));
	return 0;
}

/* One deadline for both steps. Nothing else tells that a server has died. */
static int ask(struct unixgram *gram, const char *message, int64_t timeout_us)
{
	const int64_t deadline_us = unixdeadline_after_us(timeout_us);
	char data[4096];
	size_t size;

	if (unixgram_send(gram, message, strlen(message), deadline_us) < 0)
		return fail("send");
	if (unixgram_recv(gram, data, sizeof(data), &size, NULL, deadline_us) <
		0)
		return fail("answer");
	printf("answer: %.*s\n", (int)size, data);
	return 0;
}

int main(int argc, char *argv[])
{
	/* Change these. The timeout is for one question and its answer. */
	const char *const server = "gram.sock";
	const int64_t timeout_us = 5000000;

	struct unixdial_options options;
	struct unixgram *gram;
	int i, result, stop_fd = open_stop_fd();

	if (stop_fd < 0) {
		fail("signals");
		return EXIT_FAILURE;
	}
	unixdial_options_init(&options);
	options.stop_fd = stop_fd;
	gram = unixgram_dial(server, &options, UNIXMSG_NOW);
	if (gram == NULL) {
		fail(server);
		close(stop_fd);
		return EXIT_FAILURE;
	}
	result = print_address(gram);
	for (i = 1; i < argc && result == 0; i++)
		result = ask(gram, argv[i], timeout_us);
	if (unixgram_close(gram) < 0)
		result = fail("own address");
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
