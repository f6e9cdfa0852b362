/* SPDX-License-Identifier: 0BSD */
/*
 * A logger like syslogd: it takes datagrams from everybody, answers none, and
 * prints each as one line with the user and process that the kernel names,
 * whatever the message says. Of a user who sends too much the rest is lost,
 * and counted; the other users' messages are not.
 *
 * Build:  cc 20-logger.c $(pkg-config --cflags --libs unixmsg) -o logger
 * Run:    ./logger, and in another terminal
 *         ./logger hello "$(printf 'two\nlines')"
 *         ./logger $(seq 10000)
 *         Ctrl-C or SIGTERM ends it.
 * See:    logger: listening on log.sock
 *         user 1000, pid 4711: hello
 *         user 1000, pid 4711: two\x0alines
 *         logger: user 1000, pid 4712: message above the limit (2 bytes): ...
 *         {"received":10002,"received_bytes":38903,"answered":0,...
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

/* Change these: where; how many messages a second of one user, and how many of
 * them at once; how long one may be; how long the end may take. */
static const char address[] = "log.sock";
static const unsigned int user_rate = 100, user_burst = 500;
static const size_t size_max = 2048;
static const int64_t drain_us = 5000000;

static int fail(const char *what)
{
	fprintf(stderr, "logger: %s: %s\n", what, strerror(errno));
	return -1;
}

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

/* One line, and nothing that a terminal or a reader of logs would obey. */
static void print_escaped(const unsigned char *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] < ' ' || bytes[i] > '~' || bytes[i] == '\\')
			printf("\\x%02x", bytes[i]);
		else
			putchar(bytes[i]);
	putchar('\n');
}

/* Of datagrams the kernel always names the writer. pid 0 is a process that we
 * cannot see, of another container, say. */
static int log_message(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	(void)service;
	(void)peer;
	(void)context;
	printf("user %u, pid %d: ", (unsigned int)msg->cred.uid,
		(int)msg->cred.pid);
	print_escaped(msg->parts[0].iov_base, msg->size);
	return UNIXSERVICE_DONE;
}

/* Senders come and go: who they are stands in each line. Of what is lost only
 * some is told, or the flood would go on in here. */
static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	char text[640];

	(void)service;
	(void)context;
	if (event->kind == UNIXSERVICE_ROUND)
		fflush(stdout);
	else if (event->kind == UNIXSERVICE_LIMITED ||
		event->kind == UNIXSERVICE_CUT)
		fprintf(stderr, "logger: %s\n",
			unixservice_format_event(event, text, sizeof(text)));
}

static struct unixservice *make_service(void)
{
	struct unixservice_options options;

	unixservice_options_init(&options);
	options.watcher = watch;
	options.event_rate = 1;
	options.size_max = size_max;
	options.user_rate = user_rate;
	options.user_burst = user_burst;
	return unixservice_new(log_message, NULL, &options);
}

static int serve(struct unixservice *service, int stop_fd)
{
	struct unixname_options name;
	struct unixservice_listen_options options;
	struct unixservice_counters counters;
	char text[2048];

	unixname_options_init(&name);
	name.mode = 0666;
	unixservice_listen_options_init(&options);
	options.name = &name;
	if (unixservice_listen(service, "unixgram", address, &options) < 0)
		return fail(address);
	fprintf(stderr, "logger: listening on %s\n", address);
	if (unixservice_set_stop_fd(service, stop_fd) < 0 ||
		(unixservice_run(service, UNIXMSG_FOREVER) < 0 &&
			errno != ECANCELED) ||
		unixservice_drain(service, unixdeadline_after_us(drain_us)) < 0)
		return fail("serve");
	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
	return 0;
}

static int run_service(void)
{
	struct unixservice *service = make_service();
	int result = -1, stop_fd = open_stop_fd();

	if (service == NULL || stop_fd < 0)
		fail("set-up");
	else
		result = serve(service, stop_fd);
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(stop_fd);
	return result;
}

/* What a program that logs does. It waits while the queue is full: one that
 * may not would say UNIXMSG_NOW. */
static int send_all(char **messages)
{
	struct unixgram *gram = unixgram_dial(address, NULL, UNIXMSG_NOW);
	int result = 0;

	if (gram == NULL)
		return fail(address);
	for (; *messages != NULL && result == 0; messages++)
		if (unixgram_send(gram, *messages, strlen(*messages),
			    UNIXMSG_FOREVER) < 0)
			result = fail("send");
	unixgram_close(gram);
	return result;
}

int main(int argc, char **argv)
{
	const int result = argc < 2 ? run_service() : send_all(argv + 1);

	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
