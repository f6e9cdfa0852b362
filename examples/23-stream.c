/* SPDX-License-Identifier: 0BSD */
/*
 * Byte streams, for peers that cannot use the other networks, with a server and
 * a client in one program. On the first connection the library sends the length
 * before each message, and the server sends each message back. On the second
 * connection the client sends only bytes, and the ends of messages are lost.
 *
 * Build:  cc 23-stream.c $(pkg-config --cflags --libs unixmsg) -o stream
 * Run:    ./stream one "" three
 * See:    client: answer of 3 bytes: one
 *         client: answer of 0 bytes:
 *         client: answer of 5 bytes: three
 *         server: 3 messages
 *         server: 8 bytes: onethree
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the address, and the timeout for all of it. */
static const char address[] = "stream.sock";
static const int64_t timeout_us = 5000000;
static int64_t deadline_us;

static int fail(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	return -1;
}

static int echo_messages(struct unixconn *stream)
{
	char data[4096];
	size_t size;
	int result, count = 0;

	while ((result = unixconn_recv(stream, data, sizeof(data), &size,
			deadline_us)) == 1) {
		if (unixconn_send(stream, data, size, deadline_us) < 0)
			return fail("server: send");
		count++;
	}
	printf("server: %d messages\n", count);
	return result < 0 ? fail("server: receive") : 0;
}

/* One read may return less than one write has sent, or more. */
static int count_bytes(struct unixconn *stream)
{
	char data[4096];
	size_t i, size, total = 0;
	int result;

	while ((result = unixconn_read(stream, data + total,
			sizeof(data) - total, &size, deadline_us)) == 1 &&
		size > 0)
		total += size;
	for (i = 0; i < total; i++)
		if (data[i] < ' ' || data[i] > '~')
			data[i] = '?'; /* no escape sequences */
	printf("server: %zu bytes: %.*s\n", total, (int)total, data);
	return result < 0 ? fail("server: read") : 0;
}

static int serve(struct unixlistener *listener,
	int handle(struct unixconn *stream))
{
	struct unixconn *stream = unixlistener_accept(listener, deadline_us);
	int result = stream == NULL ? fail("accept") : handle(stream);

	unixconn_close(stream);
	return result;
}

static int ask(struct unixconn *stream, const char *message)
{
	char data[4096];
	size_t i, size;

	if (unixconn_send(stream, message, strlen(message), deadline_us) < 0 ||
		unixconn_recv(stream, data, sizeof(data), &size, deadline_us) <
			1)
		return fail("client: message");
	for (i = 0; i < size; i++)
		if (data[i] < ' ' || data[i] > '~')
			data[i] = '?'; /* no escape sequences */
	printf("client: answer of %zu bytes: %.*s\n", size, (int)size, data);
	return 0;
}

static int write_bytes(struct unixconn *stream, const char *message)
{
	if (unixconn_write(stream, message, strlen(message), NULL,
		    deadline_us) < 0)
		return fail("client: bytes");
	return 0;
}

static int run_client(char **messages,
	int handle(struct unixconn *stream, const char *message))
{
	struct unixconn *stream =
		unixconn_dial("unix", address, NULL, deadline_us);
	int result = stream == NULL ? fail(address) : 0;

	for (; *messages != NULL && result == 0; messages++)
		result = handle(stream, *messages);
	unixconn_close(stream);
	return result;
}

int main(int argc, char **argv)
{
	struct unixlistener *listener =
		unixlistener_open("unix", address, NULL);
	int result, status = 0;
	pid_t child;

	(void)argc;
	deadline_us = unixdeadline_after_us(timeout_us);
	if (listener == NULL) {
		fail(address);
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0)
		result = run_client(argv + 1, ask) < 0 ||
			run_client(argv + 1, write_bytes) < 0;
	else
		result = child < 0 || serve(listener, echo_messages) < 0 ||
			serve(listener, count_bytes) < 0;
	/* Only the process that has bound the file removes it. */
	if (unixlistener_close(listener) < 0)
		result = 1;
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = 1;
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
