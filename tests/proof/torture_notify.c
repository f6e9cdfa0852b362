/* SPDX-License-Identifier: MIT */
/* What is told to a supervisor. */
#include <config.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proof/fault.h"
#include "proof/torture.h"

static int tell_ready(void)
{
	return unixnotify_ready(UNIXMSG_NOW);
}

static int tell_reloading(void)
{
	return unixnotify_reloading(unixdeadline_after_us(10000));
}

static int tell_stopping(void)
{
	return unixnotify_stopping(UNIXMSG_NOW);
}

static int tell_watchdog(void)
{
	return unixnotify_watchdog(UNIXMSG_NOW);
}

static int tell_more_time(void)
{
	return unixnotify_extend_us(1, UNIXMSG_NOW);
}

static int tell_status(void)
{
	return unixnotify_status("fine\n", unixdeadline_after_us(10000));
}

static int tell_anything(void)
{
	return unixnotify_send("X=1", UNIXMSG_NOW);
}

static int tell_to_store(void)
{
	static const int fds[] = { STDIN_FILENO, STDOUT_FILENO };

	return unixnotify_store("two", fds, COUNT(fds), UNIXNOTIFY_STORE_CLOSED,
		UNIXMSG_NOW);
}

static int tell_to_unstore(void)
{
	return unixnotify_unstore("two", UNIXMSG_NOW);
}

static const struct {
	int (*tell)(void);
	const char *beginning;
} news[] = {
	{ tell_ready, "READY=1" },
	{ tell_reloading, "RELOADING=1\nMONOTONIC_USEC=" },
	{ tell_stopping, "STOPPING=1" },
	{ tell_watchdog, "WATCHDOG=1" },
	{ tell_more_time, "EXTEND_TIMEOUT_USEC=1" },
	{ tell_status, "STATUS=fine\\x0a" },
	{ tell_anything, "X=1" },
	{ tell_to_store, "FDSTORE=1\nFDNAME=two\nFDPOLL=0" },
	{ tell_to_unstore, "FDSTOREREMOVE=1\nFDNAME=two" },
};

static int open_supervisor(void)
{
	const char *path = support_path("supervisor");

	setenv("NOTIFY_SOCKET", path, 1);
	return open_bound(SOCK_DGRAM, path);
}

static void close_supervisor(int fd)
{
	close(fd);
	unlink(support_path("supervisor"));
	unsetenv("NOTIFY_SOCKET");
}

static void expect(int fd, const char *beginning)
{
	char text[256] = "";

	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	ck_assert_msg(strncmp(text, beginning, strlen(beginning)) == 0,
		"it hears %s", text);
}

/* What was not sent has not come. */
static void a_supervisor_is_told(int kind)
{
	int fd = open_supervisor();

	torture_try(news[kind].tell(), 1);
	expect(fd, news[kind].beginning);
	ck_assert_int_eq(recv(fd, NULL, 0, MSG_DONTWAIT), -1);
	close_supervisor(fd);
}

static pid_t start_to_work_off(int fd)
{
	pid_t pid = support_fork();
	char text[64];

	if (pid != 0)
		return pid;
	while (TEMP_FAILURE_RETRY(recv(fd, text, sizeof(text), 0)) > 0)
		;
	_exit(0);
}

static void a_supervisor_works_off_all(int kind)
{
	int fd = open_supervisor();
	pid_t pid = start_to_work_off(fd);

	(void)kind;
	torture_try(unixnotify_barrier(UNIXMSG_FOREVER), 1);
	stop_child(pid);
	close_supervisor(fd);
}

static void a_supervisor_does_not_read(int kind)
{
	int fd = open_supervisor();

	(void)kind;
	torture_begin();
	torture_end_refused(unixnotify_barrier(unixdeadline_after_us(10000)),
		ETIMEDOUT);
	while (recv(fd, NULL, 0, MSG_DONTWAIT) >= 0)
		;
	ck_assert_int_eq(tell_ready(), 1);
	expect(fd, "READY=1");
	close_supervisor(fd);
}

/* Neither without a supervisor, nor to be told what it wants. */
static void no_supervisor_makes_no_call(int kind)
{
	unsigned int count;
	int64_t period_us;
	size_t i;
	int result = 0;

	(void)kind;
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000", 1);
	torture_begin();
	for (i = 0; i < COUNT(news); i++)
		result += news[i].tell();
	result += unixnotify_get_watchdog_us(&period_us) - 1;
	torture_end(result, 0);
	fault_get_records(&count);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(period_us, 1000);
	unsetenv("WATCHDOG_USEC");
}

const struct scene torture_notify_scenes[] = {
	{ "a supervisor is told", a_supervisor_is_told, COUNT(news) },
	{ "a supervisor works off all", a_supervisor_works_off_all, 1 },
	{ "a supervisor does not read", a_supervisor_does_not_read, 1 },
	{ "no supervisor makes no call", no_supervisor_makes_no_call, 1 },
	{ NULL, NULL, 0 },
};
