/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tools/common/tool.h"
#include "unixmsg/deadline.h"

static const char *tool_name = "unixmsg";
static enum tool_level tool_level = TOOL_NORMAL;

static volatile sig_atomic_t stops;
static volatile sig_atomic_t is_report_wanted;

/* One pipe for the first signal to stop, one for the second. */
static int stop_pipes[2][2] = { { -1, -1 }, { -1, -1 } };
static int report_pipe[2] = { -1, -1 };

static bool is_closed(int fd)
{
	return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

/*
 * The parent may have closed one of the descriptors 0 to 2. The next one that
 * the tool opens would get its number, and output would go there. So this puts
 * a descriptor in its place that cannot be read or written: EBADF, as if it
 * were closed.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (is_closed(fd) &&
			open("/dev/null",
				fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

void tool_init(const char *name)
{
	tool_name = name;
	fill_standard_descriptors();
}

void tool_set_level(enum tool_level level)
{
	tool_level = level;
}

enum tool_level tool_get_level(void)
{
	return tool_level;
}

/*
 * Progress is one line that is overwritten, on a terminal only. A job shorter
 * than a second needs none.
 */
static const uint64_t progress_pause_ns = 200000000;
static const uint64_t progress_start_ns = 1000000000;
static uint64_t progress_next_ns;
static int progress_width;

static bool is_progress_due(void)
{
	const uint64_t now = tool_now_ns();

	if (progress_next_ns == 0)
		progress_next_ns = now + progress_start_ns;
	if (now < progress_next_ns)
		return false;
	progress_next_ns = now + progress_pause_ns;
	return true;
}

void tool_show_progress(const char *format, ...)
{
	static int is_terminal = -1;
	va_list list;
	int width;

	if (is_terminal < 0)
		is_terminal = isatty(STDERR_FILENO);
	if (!is_terminal || tool_level == TOOL_QUIET || !is_progress_due())
		return;
	va_start(list, format);
	fprintf(stderr, "\r%s: ", tool_name);
	width = vfprintf(stderr, format, list);
	va_end(list);
	/* Blanks overwrite the rest of a longer line. */
	fprintf(stderr, "%*s",
		width < progress_width ? progress_width - width : 0, "");
	if (width > progress_width)
		progress_width = width;
}

void tool_wipe_progress(void)
{
	if (progress_width > 0)
		fprintf(stderr, "\r%*s\r",
			(int)strlen(tool_name) + 2 + progress_width, "");
	progress_width = 0;
}

static bool is_hurried;
static unsigned int unsaid;

void tool_hurry(bool is_so)
{
	is_hurried = is_so;
}

/* If poll(2) fails, let the write report why. */
bool tool_has_room(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	return poll(&poll_fd, 1, 0) != 0;
}

static void print_line(const char *line)
{
	if (is_hurried && !tool_has_room(STDERR_FILENO)) {
		unsaid++;
		return;
	}
	if (unsaid > 0)
		fprintf(stderr, "%s: %u lines before this one are left out\n",
			tool_name, unsaid);
	unsaid = 0;
	fprintf(stderr, "%s: %s\n", tool_name, line);
}

/* Writes in one piece, so lines of several tools on one terminal stay whole. */
static void __attribute__((format(printf, 1, 0)))
say_list(const char *format, va_list list)
{
	char line[2048], *at;
	int size = vsnprintf(line, sizeof(line), format, list);

	/* The text may hold bytes of a peer, which could control a terminal. */
	for (at = line; size >= 0 && *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	tool_wipe_progress();
	if (size >= 0)
		print_line(line);
}

int tool_complain(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say_list(format, list);
	va_end(list);
	return -1;
}

void tool_say(enum tool_level level, const char *format, ...)
{
	va_list list;

	if (level > tool_level)
		return;
	va_start(list, format);
	say_list(format, list);
	va_end(list);
}

static void take_stop(int number)
{
	int saved = errno;

	(void)number;
	/* If the pipe refuses the byte, a closed end also makes it readable. */
	if (stops < 2 && write(stop_pipes[stops][1], "", 1) < 1)
		close(stop_pipes[stops][1]);
	if (stops < 2)
		stops++;
	errno = saved;
}

/* A failed write is harmless: a full pipe is readable, too. */
static void take_report(int number)
{
	int saved = errno;

	(void)number;
	is_report_wanted = 1;
	if (write(report_pipe[1], "", 1) < 0)
		errno = saved;
}

/* SIGHUP stays ignored under nohup(1). */
static bool is_to_be_ignored(int number)
{
	struct sigaction present;

	return number == SIGHUP && sigaction(number, NULL, &present) == 0 &&
		present.sa_handler == SIG_IGN;
}

static int catch_signal(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	if (is_to_be_ignored(number))
		return 0;

	/* No SA_RESTART, because a signal must end a wait. The full mask lets
	 * one signal run at a time. */
	sigfillset(&action.sa_mask);
	return sigaction(number, &action, NULL);
}

int tool_catch_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;

	if (pipe2(stop_pipes[0], O_CLOEXEC) < 0 ||
		pipe2(stop_pipes[1], O_CLOEXEC) < 0 ||
		pipe2(report_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (catch_signal(ends[i], take_stop) < 0)
			return -1;
	if (catch_signal(SIGUSR1, take_report) < 0)
		return -1;
	return catch_signal(SIGPIPE, SIG_IGN);
}

int tool_get_stops(void)
{
	return stops;
}

bool tool_take_report(void)
{
	bool is_wanted;
	char bytes[64];

	/* Empties it first, so a later signal makes it readable again. */
	while (read(report_pipe[0], bytes, sizeof(bytes)) > 0)
		continue;
	is_wanted = is_report_wanted;
	is_report_wanted = 0;
	return is_wanted;
}

int tool_get_stop_fd(void)
{
	return stop_pipes[0][0];
}

int tool_get_second_stop_fd(void)
{
	return stop_pipes[1][0];
}

int tool_get_report_fd(void)
{
	return report_pipe[0];
}

void tool_raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int tool_get_patience_ms(int64_t until_us)
{
	int64_t left_us;

	if (until_us == UNIXMSG_FOREVER)
		return -1;
	left_us = until_us - unixdeadline_now_us();
	if (left_us <= 0)
		return 0;
	return left_us > 1000000000 ? 1000000 : (int)((left_us + 999) / 1000);
}

uint64_t tool_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
