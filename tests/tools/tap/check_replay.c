/* SPDX-License-Identifier: MIT */
/*
 * --replay of recordings that nobody has recorded: their times are anything.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/tap_scene.h"
#include "tools/tap/pcapng.h"

static const int64_t second_ns = 1000000000;
static const int64_t year_ns = (int64_t)365 * 24 * 3600 * 1000000000;

static const char *name, *file;
static int server;
static int words_fd;

static void set_up(void)
{
	support_clear_dir();
	name = support_path("name");
	file = support_path("file");
	server = open_listening(SOCK_SEQPACKET, name);
	words_fd = -1;
}

static void tear_down(void)
{
	close(words_fd);
	close(server);
}

static void put(struct pcapng_writer *writer, enum event_kind kind,
	int64_t time_ns, const char *data)
{
	const struct event event = {
		.kind = kind,
		.connection = 1,
		.time_ns = time_ns,
		.size = strlen(data),
		.kept = strlen(data),
	};

	ck_assert_int_eq(pcapng_write(writer, &event, data), 0);
}

/* A client that has connected at the first time, and sent at the second. */
static void record(int64_t opened_ns, int64_t sent_ns)
{
	struct pcapng_writer writer = {
		.file = fopen(file, "we"),
		.network = "unixpacket",
		.address = "",
	};

	ck_assert_ptr_nonnull(writer.file);
	ck_assert_int_eq(pcapng_write_begin(&writer), 0);
	put(&writer, EVENT_OPENED, opened_ns, "");
	put(&writer, EVENT_MESSAGE, sent_ns, "x");
	ck_assert_int_eq(fclose(writer.file), 0);
}

static pid_t start_replay(const char *speed)
{
	const char *const arguments[] = { "unixmsg-tap", "--replay", file,
		"--speed", speed, name, NULL };
	int words[2];
	pid_t pid;

	close(words_fd);
	ck_assert_int_eq(pipe2(words, O_CLOEXEC), 0);
	words_fd = words[0];
	pid = support_fork();
	if (pid == 0) {
		tap_scene_prepare(STDOUT_FILENO, words[1]);
		tap_scene_run(arguments);
	}
	close(words[1]);
	return pid;
}

/* All that was said until the end is one line, with that text. */
static void expect_said(const char *text)
{
	char words[1024] = "";
	size_t used = 0;
	ssize_t got;

	while ((got = TEMP_FAILURE_RETRY(read(words_fd, words + used,
			sizeof(words) - 1 - used))) > 0)
		used += (size_t)got;
	ck_assert_msg(strstr(words, text) != NULL, "not said: %s", words);
	ck_assert_ptr_eq(strchr(words, '\n'), words + used - 1);
}

static int accept_client(void)
{
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* The replay has ended: what it has sent is there. */
static void expect_received(const char *text)
{
	char data[8] = "";
	int fd = accept_client();

	ck_assert_int_eq(recv(fd, data, sizeof(data) - 1, 0),
		(ssize_t)strlen(text));
	ck_assert_str_eq(data, text);
	close(fd);
}

static void expect_sent(const char *speed)
{
	pid_t pid = start_replay(speed);

	expect_said("1 messages sent");
	support_wait_exit(pid, 0);
	expect_received("x");
}

static void expect_refused(const char *speed)
{
	pid_t pid = start_replay(speed);

	expect_said("packet 2: it would be sent more than a year after");
	support_wait_exit(pid, 1);
	expect_received("");
}

START_TEST(times_that_go_backwards_make_no_pause)
{
	record(INT64_MAX, INT64_MIN);
	expect_sent("1");
	record(10 * year_ns, 0);
	expect_sent("1");
	record(-1, -year_ns);
	expect_sent("0.001");
}
END_TEST

START_TEST(a_pause_of_more_than_a_year_is_refused)
{
	record(INT64_MIN, INT64_MAX);
	expect_refused("1");
	record(-10 * year_ns, INT64_MAX);
	expect_refused("1");
	record(5, year_ns + second_ns);
	expect_refused("1");
	record(5, 5 + second_ns);
	expect_refused("0.00000001");
}
END_TEST

START_TEST(a_recording_that_begins_at_the_time_0_has_pauses)
{
	record(0, year_ns + second_ns);
	expect_refused("1");
}
END_TEST

START_TEST(without_pauses_all_times_are_good)
{
	record(INT64_MIN, INT64_MAX);
	expect_sent("0");
	record(0, 10 * year_ns);
	expect_sent("0");
}
END_TEST

START_TEST(a_signal_ends_a_long_pause)
{
	pid_t pid;
	int fd;

	record(0, year_ns - second_ns);
	pid = start_replay("1");
	fd = accept_client();
	kill(pid, SIGINT);
	expect_said("packet 2: interrupted");
	support_wait_exit(pid, 1);
	close(fd);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("times", set_up, tear_down);

	tcase_add_test(tcase, times_that_go_backwards_make_no_pause);
	tcase_add_test(tcase, a_pause_of_more_than_a_year_is_refused);
	tcase_add_test(tcase, a_recording_that_begins_at_the_time_0_has_pauses);
	tcase_add_test(tcase, without_pauses_all_times_are_good);
	tcase_add_test(tcase, a_signal_ends_a_long_pause);
	return support_run_cases("replay", tcase);
}
