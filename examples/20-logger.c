/* SPDX-License-Identifier: 0BSD */
/*
 * A logger like syslogd. It receives datagrams from all users and prints each
 * as one line, with the user and process that the kernel reports. A sender
 * cannot forge them. The logger drops and counts messages above a user's limit.
 *
 * Build:  cc 20-logger.c $(pkg-config --cflags --libs unixmsg) -o logger
 * Run:    ./logger, and in another terminal
 *         ./logger hello "$(printf 'two\nlines')"; ./logger $(seq 10000)
 *         Ctrl-C or SIGTERM ends the logger.
 * See:    logger: listening on log.sock
 *         logger: user 1000, pid 4712: message above the limit (3 bytes): ...
 *         and on standard output:
 *         user 1000, pid 4711: hello
 *         user 1000, pid 4711: two\x0alines
 *         ...
 */
#define _POSIX_C_SOURCE 200809L

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <unixmsg.h>

/* Change this, and the limits in open_service. */
static const char address[] = "log.sock";

static int fail(const char *what)
{
	fprintf(stderr, "logger: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Prints one line, without control characters. A sender in another container
 * may have no user and process here: then the kernel reports none. */
static int log_message(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	const unsigned char *byte = msg->data;
	size_t i;

	(void)service;
	(void)peer;
	(void)context;
	if (msg->flags & UNIXMSG_HAS_CRED)
		printf("user %u, pid %d: ", (unsigned int)msg->cred.uid,
			(int)msg->cred.pid);
	else
		printf("user unknown: ");
	for (i = 0; i < msg->size; i++)
		printf(isprint(byte[i]) && byte[i] != '\\' ? "%c" : "\\x%02x",
			byte[i]);
	puts("");
	return UNIXSERVICE_DONE;
}

/* event_rate limits these lines, or a flood of messages would flood the log. */
static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	char text[640];

	(void)service;
	(void)context;
	if (event->kind == UNIXSERVICE_LIMITED ||
		event->kind == UNIXSERVICE_CUT)
		fprintf(stderr, "logger: %s\n",
			unixservice_format_event(event, text, sizeof(text)));
}

static struct unixservice *open_service(void)
{
	const struct unixservice_options options = {
		.watcher = watch,
		.event_rate = 1,
		.size_max = 2048,
		.user_rate = 100,
		.user_burst = 500,
	};
	const struct unixlisten_options how = { .mode = 0666 };
	struct unixservice *service =
		unixservice_new(log_message, NULL, &options);

	if (service != NULL &&
		unixservice_listen(service, "unixgram", address, &how) == 0)
		return service;
	fail(address);
	unixservice_close(service);
	return NULL;
}

static int serve(void)
{
	struct unixservice *service = open_service();
	struct unixservice_counters counters;
	char text[2048];

	if (service == NULL)
		return -1;
	fprintf(stderr, "logger: listening on %s\n", address);
	if (unixservice_serve(service, unixstop_open(), 5000000) < 0)
		fail("serve");
	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
	return unixservice_close(service) < 0 ? fail(address) : 0;
}

/* The logger does not answer, so the sender needs no address. It waits while
 * the queue is full; a program that must not wait uses UNIXMSG_NOW. */
static int send_all(char **messages)
{
	const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_UNNAMED,
	};
	struct unixconn *gram =
		unixconn_dial("unixgram", address, &options, UNIXMSG_NOW);
	int result = 1;

	if (gram == NULL)
		return fail(address);
	for (; *messages != NULL && result == 1; messages++)
		result = unixconn_send(gram, *messages, strlen(*messages),
			UNIXMSG_FOREVER);
	if (result < 0)
		fail("send");
	unixconn_close(gram);
	return result;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	return (argc < 2 ? serve() : send_all(argv + 1)) < 0;
}
