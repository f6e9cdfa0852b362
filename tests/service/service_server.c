/* SPDX-License-Identifier: MIT */
/*
 * service_server: what the tests of load talk to. Each answer is the request,
 * made as long as the request's head (load.h) asks for.
 *
 *	service_server [OPTION=NUMBER]... {NETWORK ADDRESS}...
 *
 * It writes "ready" when it listens, the counters as JSON on SIGUSR1, and once
 * more when it has drained after SIGTERM. Events go to standard error.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "support/load.h"
#include "unixmsg.h"

struct setting {
	const char *name;
	void (*set)(struct unixservice_options *options, uint64_t value);
};

static bool is_later, is_lingering, is_logging;
static int64_t drain_us = 10000000;

/* Peers whose answers come with the next message that arrives. */
static uint64_t owed_peer;
static struct load_head owed_head;

static void set_batch(struct unixservice_options *options, uint64_t value)
{
	options->batch = (unsigned int)value;
}

static void set_send_buffer(struct unixservice_options *options, uint64_t value)
{
	options->send_buffer_bytes = (size_t)value;
}

static void set_peers(struct unixservice_options *options, uint64_t value)
{
	options->peers_max = (unsigned int)value;
}

static void set_peers_per_user(struct unixservice_options *options,
	uint64_t value)
{
	options->peers_per_user_max = (unsigned int)value;
}

static void set_policy(struct unixservice_options *options, uint64_t value)
{
	options->policy = (enum unixservice_policy)value;
}

static void set_patience(struct unixservice_options *options, uint64_t value)
{
	options->patience_us = (int64_t)value;
}

static void set_event_rate(struct unixservice_options *options, uint64_t value)
{
	options->event_rate = (unsigned int)value;
}

static void set_queue_total(struct unixservice_options *options, uint64_t value)
{
	options->queue_total_bytes_max = (size_t)value;
}

static void set_size(struct unixservice_options *options, uint64_t value)
{
	options->size_max = (size_t)value;
}

static void set_fds(struct unixservice_options *options, uint64_t value)
{
	options->wants |= UNIXMSG_WANT_FDS;
	options->fds_max = (unsigned int)value;
}

static void set_user_rate(struct unixservice_options *options, uint64_t value)
{
	options->user_rate = (unsigned int)value;
	options->user_burst = (unsigned int)value;
}

static void set_later(struct unixservice_options *options, uint64_t value)
{
	(void)options;
	is_later = value != 0;
}

/* Drained, it closes its sockets when it is told a second time. */
static void set_linger(struct unixservice_options *options, uint64_t value)
{
	(void)options;
	is_lingering = value != 0;
}

static void set_log(struct unixservice_options *options, uint64_t value)
{
	(void)options;
	is_logging = value != 0;
}

static void set_drain(struct unixservice_options *options, uint64_t value)
{
	(void)options;
	drain_us = (int64_t)value;
}

/* Of this process: how many descriptors it may have. */
static void set_files(struct unixservice_options *options, uint64_t value)
{
	const struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

	(void)options;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		perror("service_server: files");
}

static const struct setting settings[] = {
	{ "batch", set_batch },
	{ "drain", set_drain },
	{ "event_rate", set_event_rate },
	{ "fds", set_fds },
	{ "files", set_files },
	{ "later", set_later },
	{ "linger", set_linger },
	{ "log", set_log },
	{ "patience", set_patience },
	{ "peers", set_peers },
	{ "peers_per_user", set_peers_per_user },
	{ "policy", set_policy },
	{ "queue_total", set_queue_total },
	{ "send_buffer", set_send_buffer },
	{ "size", set_size },
	{ "user_rate", set_user_rate },
};

static void die(const char *what)
{
	fprintf(stderr, "service_server: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void apply(struct unixservice_options *options, const char *argument,
	const char *value)
{
	const size_t length = (size_t)(value - argument);
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strlen(settings[i].name) == length &&
			strncmp(argument, settings[i].name, length) == 0) {
			settings[i].set(options, strtoull(value + 1, NULL, 10));
			return;
		}
	errno = EINVAL;
	die(argument);
}

static void answer(struct unixservice *service, uint64_t peer,
	const void *request, size_t size)
{
	static char room[LOAD_SIZE_MOST];
	struct load_head head = { .answer_bytes = 0 };

	if (size >= sizeof(head))
		memcpy(&head, request, sizeof(head));
	if (head.answer_bytes <= size || head.answer_bytes > sizeof(room)) {
		unixservice_send(service, peer, request, size);
		return;
	}
	memcpy(room, request, size);
	unixservice_send(service, peer, room, head.answer_bytes);
}

/* Each message has the one before it answered. */
static int answer_later(struct unixservice *service, uint64_t peer,
	const struct unixmsg *msg)
{
	if (owed_peer != 0)
		answer(service, owed_peer, &owed_head, sizeof(owed_head));
	owed_peer = peer;
	memset(&owed_head, 0, sizeof(owed_head));
	if (msg->size >= sizeof(owed_head))
		memcpy(&owed_head, msg->data, sizeof(owed_head));
	return UNIXSERVICE_LATER;
}

static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	(void)context;
	if (is_later)
		return answer_later(service, peer, msg);
	answer(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	char text[640];

	(void)service;
	(void)context;
	if (is_logging && event->kind != UNIXSERVICE_ROUND)
		fprintf(stderr, "%s\n",
			unixservice_format_event(event, text, sizeof(text)));
}

static void print_counters(const struct unixservice *service)
{
	struct unixservice_counters counters;
	char text[4096];

	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
	fflush(stdout);
}

static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		die("sigprocmask");
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Whether to go on. */
static bool take_signal(struct unixservice *service, int fd)
{
	struct signalfd_siginfo info;
	ssize_t size;

	do
		size = read(fd, &info, sizeof(info));
	while (size < 0 && errno == EINTR);
	if (size != sizeof(info))
		die("signalfd");
	if (info.ssi_signo == SIGTERM)
		return false;
	print_counters(service);
	return true;
}

static void serve(struct unixservice *service)
{
	const int fd = open_signals();

	puts("ready");
	fflush(stdout);
	do {
		if (unixservice_set_stop_fd(service, fd) < 0)
			die("signalfd");
		if (unixservice_run(service, UNIXMSG_FOREVER) == 0 ||
			errno != ECANCELED)
			die("run");
	} while (take_signal(service, fd));
	if (unixservice_drain(service, unixdeadline_after_us(drain_us)) < 0)
		die("drain");
	print_counters(service);
	while (is_lingering && take_signal(service, fd))
		continue;
	close(fd);
}

int main(int argc, char **argv)
{
	struct unixservice_options options = { .watcher = watch };
	struct unixservice *service;
	int i = 1;

	for (; i < argc && strchr(argv[i], '=') != NULL; i++)
		apply(&options, argv[i], strchr(argv[i], '='));
	service = unixservice_new(handle, NULL, &options);
	if (service == NULL)
		die("new");
	for (; i + 1 < argc; i += 2)
		if (unixservice_listen(service, argv[i], argv[i + 1], NULL) < 0)
			die(argv[i + 1]);
	serve(service);
	return unixservice_close(service) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
