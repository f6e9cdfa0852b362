/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/tap/event_queue.h"
#include "tools/tap/recorder.h"

/* The pause between two looks at the queue. People do not notice it, and the
 * queue has room for the events of that time. */
static const int nap_ms = 5;

/* The time after the stop in which a process that is not stuck can still
 * end. */
static const int grace_ms = 500;

struct recorder {
	struct event_queue *queue;
	pid_t pid;
	/* Our end of a pair. A byte wakes the process, whose own end closes
	 * when it ends. */
	int fd;
	uint64_t left_out; /* not reported yet */
	uint64_t left_out_all;
	struct recorder *next;
};

/* All recorders. A new process closes its copies of their descriptors: with
 * these open, no other recorder would notice the end of the tap. */
static struct recorder *recorders;

/* The state of the process of a recorder. */
struct scribe {
	struct event_queue *queue;
	const struct recorder_sink *sink;
	int fd;
	void *data;
};

static int take_all(const struct scribe *scribe, size_t *taken)
{
	const struct recorder_sink *sink = scribe->sink;
	struct event event;

	for (*taken = 0; event_queue_take(scribe->queue, &event, scribe->data);
		++*taken)
		if (sink->take(&event, scribe->data, sink->context) < 0)
			return -1;
	return *taken > 0 ? sink->flush(sink->context) : 0;
}

/* True if a byte, or the end, arrives within timeout_ms; -1 means no limit. */
static bool is_called(const struct scribe *scribe, int timeout_ms)
{
	struct pollfd fd = { .fd = scribe->fd, .events = POLLIN };

	return poll(&fd, 1, timeout_ms) == 1;
}

/* False at the end of the tap. */
static bool sleep_until_woken(const struct scribe *scribe)
{
	char byte;
	ssize_t got;

	do
		got = read(scribe->fd, &byte, 1);
	while (got < 0 && errno == EINTR);
	return got == 1;
}

/*
 * Waking this process for each message would cost more than passing the message
 * on. So while messages arrive, the process itself looks at the queue now and
 * then.
 */
static int take_while_they_come(const struct scribe *scribe)
{
	size_t taken;

	do {
		if (take_all(scribe, &taken) < 0)
			return -1;
	} while (taken > 0 && !is_called(scribe, nap_ms));
	return 0;
}

static int write_all(const struct scribe *scribe)
{
	const struct recorder_sink *sink = scribe->sink;
	bool is_tapping = true;
	size_t taken;

	if (sink->begin(sink->context) < 0)
		return -1;
	while (is_tapping) {
		if (take_while_they_come(scribe) < 0)
			return -1;
		event_queue_set_asleep(scribe->queue, true);
		if (take_all(scribe, &taken) < 0)
			return -1;
		is_tapping = sleep_until_woken(scribe);
		event_queue_set_asleep(scribe->queue, false);
	}
	if (take_all(scribe, &taken) < 0)
		return -1;
	return sink->end(sink->context);
}

/* The terminal sends its signals to this process, too, which has to end after
 * the tap. */
static void ignore_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE,
		SIGUSR1 };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
}

static void close_others(void)
{
	const struct recorder *other;

	for (other = recorders; other != NULL; other = other->next)
		close(other->fd);
}

static void run(struct event_queue *queue, const struct recorder_sink *sink,
	int fd)
{
	const struct scribe scribe = {
		.queue = queue,
		.sink = sink,
		.fd = fd,
		.data = malloc(event_queue_get_most(queue)),
	};
	int result = -1;

	ignore_signals();
	close_others();
	if (scribe.data != NULL)
		result = write_all(&scribe);
	free(scribe.data);
	_exit(result < 0 ? 1 : 0);
}

static int fork_scribe(struct recorder *recorder,
	const struct recorder_sink *sink)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	recorder->pid = fork();
	if (recorder->pid == 0) {
		close(pair[0]);
		run(recorder->queue, sink, pair[1]);
	}
	close(pair[1]);
	recorder->fd = pair[0];
	return recorder->pid < 0 ? -1 : 0;
}

static struct recorder *give_up(struct recorder *recorder)
{
	const int error = errno;

	if (recorder->fd >= 0)
		close(recorder->fd);
	event_queue_free(recorder->queue);
	free(recorder);
	errno = error;
	return NULL;
}

struct recorder *recorder_start(const struct recorder_sink *sink,
	size_t queue_size)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (recorder == NULL)
		return NULL;
	recorder->fd = -1;
	recorder->queue = event_queue_new(queue_size);
	if (recorder->queue == NULL || fork_scribe(recorder, sink) < 0)
		return give_up(recorder);
	recorder->next = recorders;
	recorders = recorder;
	return recorder;
}

static void wake(const struct recorder *recorder)
{
	if (event_queue_take_asleep(recorder->queue))
		send(recorder->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool tell_left_out(struct recorder *recorder)
{
	const struct event event = {
		.kind = EVENT_LEFT_OUT,
		.left_out = recorder->left_out,
	};

	if (recorder->left_out > 0 &&
		!event_queue_put(recorder->queue, &event, NULL))
		return false;
	recorder->left_out = 0;
	return true;
}

void recorder_put(struct recorder *recorder, const struct event *event,
	const void *data)
{
	const size_t most = event_queue_get_most(recorder->queue);
	struct event copy = *event;

	if (copy.kept > most)
		copy.kept = most;
	/* Puts both events or none: otherwise each event of a flood could get
	 * its own report. */
	if (event_queue_has_room(recorder->queue, 2, copy.kept) &&
		tell_left_out(recorder) &&
		event_queue_put(recorder->queue, &copy, data)) {
		wake(recorder);
		return;
	}
	recorder->left_out++;
	recorder->left_out_all++;
}

uint64_t recorder_get_left_out(const struct recorder *recorder)
{
	return recorder->left_out_all;
}

int recorder_get_fd(const struct recorder *recorder)
{
	return recorder->fd;
}

/* True if the process has ended, false if stop_fd is readable first, or at the
 * timeout. */
static bool wait_for_end(const struct recorder *recorder, int timeout_ms,
	int stop_fd)
{
	struct pollfd fds[] = {
		{ .fd = recorder->fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};
	int ready;

	do
		ready = poll(fds, 2, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && fds[0].revents != 0;
}

static bool is_stopped(int stop_fd)
{
	struct pollfd fd = { .fd = stop_fd, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Reports the last events that were left out, once the process has made room in
 * the queue. */
static void tell_last(struct recorder *recorder, int stop_fd)
{
	while (!tell_left_out(recorder) && !is_stopped(stop_fd))
		if (wait_for_end(recorder, 10, stop_fd))
			return;
}

static void unlist(const struct recorder *recorder)
{
	struct recorder **at = &recorders;

	while (*at != NULL && *at != recorder)
		at = &(*at)->next;
	if (*at != NULL)
		*at = recorder->next;
}

static int reap(const struct recorder *recorder)
{
	int status;

	while (waitpid(recorder->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int recorder_finish(struct recorder *recorder, int stop_fd)
{
	int result;

	if (recorder == NULL)
		return 0;
	tell_last(recorder, stop_fd);
	shutdown(recorder->fd, SHUT_WR);
	if (!wait_for_end(recorder, -1, stop_fd) &&
		!wait_for_end(recorder, grace_ms, -1))
		kill(recorder->pid, SIGKILL);
	result = reap(recorder);
	unlist(recorder);
	give_up(recorder);
	return result;
}
