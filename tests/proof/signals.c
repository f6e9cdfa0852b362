/* SPDX-License-Identifier: MIT */
/*
 * A library to be preloaded: a signal every millisecond, with a handler that
 * does nothing and without SA_RESTART, in every program that lies below
 * $SIGNALS_BELOW, but for $SIGNALS_SPARED, and in their children. Whatever
 * sleeps there is interrupted a thousand times a second.
 *
 * The library waits for no child. Examples do, when they have said all: that
 * call is made again here, as SA_RESTART would.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Nobody else's: tests have their own SIGALRM, Check too. */
#define NUMBER (SIGRTMIN + 7)

static void do_nothing(int number)
{
	(void)number;
}

/* Timers are not inherited: each child needs its own. */
static void start_timer(void)
{
	const struct itimerspec millisecond = {
		.it_interval.tv_nsec = 1000000,
		.it_value.tv_nsec = 1000000,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = NUMBER,
	};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		timer_settime(timer, 0, &millisecond, NULL);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	pid_t result;

	do
		result = wait4(pid, status, options, NULL);
	while (result < 0 && errno == EINTR);
	return result;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length &&
		strcmp(text + length - end_length, end) == 0;
}

/* The shells and other programs that tests use are not ours to try. */
static bool is_ours(void)
{
	const char *folder = getenv("SIGNALS_BELOW");
	const char *spared = getenv("SIGNALS_SPARED");
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (folder == NULL || size < 0)
		return false;
	path[size] = '\0';
	if (spared != NULL && ends_with(path, spared))
		return false;
	return strncmp(path, folder, strlen(folder)) == 0;
}

static void __attribute__((constructor)) start(void)
{
	struct sigaction action = { .sa_handler = do_nothing };
	int saved = errno;

	if (is_ours() && sigaction(NUMBER, &action, NULL) == 0) {
		pthread_atfork(NULL, NULL, start_timer);
		start_timer();
	}
	errno = saved;
}
