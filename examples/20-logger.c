/* SPDX-License-Identifier: 0BSD */
/*
 * A logger like syslogd: it takes datagrams from everybody, and prints each as
 * one line with the user and process that the kernel names, whatever it says.
 * Of a user who sends too much the rest is lost, and counted.
 *
 * Build:  cc 20-logger.c $(pkg-config --cflags --libs unixmsg) -o logger
 * Run:    ./logger, and in another terminal
 *         ./logger hello "$(printf 'two\nlines')"; ./logger $(seq 10000)
 *         Ctrl-C ends it.
 * See:    logger: listening on log.sock
 *         logger: peer 42 at ...: message above the limit (3 bytes): ...
 *         and on standard output:
 *         user 1000, pid 4711: hello
 *         user 1000, pid 4711: two\x0alines
 *         ...
 */
#define _POSIX_C_SOURCE 200809L

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include <unixmsg.h>

/* Change this, and the limits in open_service. */
static const char address[] = "log.sock";

static int fail(const char *what)
{
	fprintf(stderr, "logger: %s: %s\n", what, strerror(errno));
	return -1;
}

/* One line, and nothing that a terminal would obey. Who writes from another
 * container may have no user and process here: then the fields say nothing. */
static int log_message(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	const unsigned char *byte = msg->parts[0].iov_base;
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

/* Of what is lost only some is told, or the flood would go on in here. */
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

/* Readable signals end the service; there is no handler. */
static struct unixservice *open_service(void)
{
	struct unixservice_options options;
	struct unixservice_listen_options how;
	struct unixname_options name;
	struct unixservice *service;
	sigset_t signals;
	int stop_fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	stop_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	unixservice_options_init(&options);
	options.watcher = watch;
	options.event_rate = 1;
	options.size_max = 2048;
	options.user_rate = 100;
	options.user_burst = 500;
	unixname_options_init(&name);
	name.mode = 0666;
	unixservice_listen_options_init(&how);
	how.name = &name;
	service = unixservice_new(log_message, NULL, &options);
	if (service != NULL && stop_fd >= 0 &&
		unixservice_set_stop_fd(service, stop_fd) == 0 &&
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
	if (unixservice_run(service, UNIXMSG_FOREVER) < 0 && errno != ECANCELED)
		fail("run");
	unixservice_drain(service, unixdeadline_after_us(5000000));
	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
	return unixservice_close(service) < 0 ? fail(address) : 0;
}

/* Waits while the queue is full: who may not says UNIXMSG_NOW. */
static int send_all(char **messages)
{
	struct unixgram *gram = unixgram_dial(address, NULL, UNIXMSG_NOW);
	int result = 0;

	if (gram == NULL)
		return fail(address);
	for (; *messages != NULL && result == 0; messages++)
		result = unixgram_send(gram, *messages, strlen(*messages),
			UNIXMSG_FOREVER);
	if (result < 0)
		fail("send");
	unixgram_close(gram);
	return result;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	return (argc < 2 ? serve() : send_all(argv + 1)) < 0;
}
