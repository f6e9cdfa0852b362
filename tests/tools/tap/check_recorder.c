/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"
#include "tools/tap/recorder.h"

enum { QUEUE_SIZE = 1 << 16 };

/* The recorder writes its events to the one, and waits for the other. */
static int output[2];
static int gate[2];
static int stop[2];
static bool is_gated;
static bool is_failing;

static void open_all(void)
{
	ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
	is_gated = is_failing = false;
}

static void close_all(void)
{
	close(output[0]);
	close(output[1]);
	close(gate[0]);
	close(gate[1]);
	close(stop[0]);
	close(stop[1]);
}

/* In the recorder's process. */

static int say(const char *text)
{
	return write(output[1], text, strlen(text)) > 0 ? 0 : -1;
}

/* A slow disk: nothing is written until the test says so. */
static int begin(void *context)
{
	char byte;

	(void)context;
	if (is_gated)
		return read(gate[0], &byte, 1) == 1 ? 0 : -1;
	return 0;
}

static int take(const struct event *event, const void *data, void *context)
{
	char text[64];

	(void)context;
	if (is_failing)
		return -1;
	if (event->kind == EVENT_LEFT_OUT)
		snprintf(text, sizeof(text), "left out %d\n",
			(int)event->left_out);
	else
		snprintf(text, sizeof(text), "%d:%.*s\n",
			(int)event->connection,
			(int)(event->kept < 8 ? event->kept : 8),
			(const char *)data);
	return say(text);
}

static int flush(void *context)
{
	(void)context;
	return 0;
}

static int end(void *context)
{
	(void)context;
	return say("end\n");
}

static const struct recorder_sink sink = {
	.begin = begin,
	.take = take,
	.flush = flush,
	.end = end,
};

/* In the test. */

static struct recorder *start(void)
{
	struct recorder *recorder = recorder_start(&sink, QUEUE_SIZE);

	ck_assert_ptr_nonnull(recorder);
	return recorder;
}

static void put(struct recorder *recorder, int number, const void *data,
	size_t size)
{
	const struct event event = {
		.kind = EVENT_MESSAGE,
		.connection = (uint64_t)number,
		.size = size,
		.kept = size,
	};

	recorder_put(recorder, &event, data);
}

/* All that the recorder has written, to its end: our own end is closed. */
static void read_all(char *text, size_t room)
{
	size_t used = 0;
	ssize_t got;

	close(output[1]);
	output[1] = -1;
	while ((got = read(output[0], text + used, room - 1 - used)) > 0)
		used += (size_t)got;
	ck_assert_int_eq(got, 0);
	text[used] = '\0';
}

START_TEST(events_arrive_in_order_and_before_the_end)
{
	struct recorder *recorder = start();
	char text[256];

	put(recorder, 1, "one", 3);
	put(recorder, 2, NULL, 0);
	put(recorder, 3, "three", 5);
	ck_assert_int_eq(recorder_finish(recorder, stop[0]), 0);
	read_all(text, sizeof(text));
	ck_assert_str_eq(text, "1:one\n2:\n3:three\nend\n");
}
END_TEST

START_TEST(a_queue_that_was_full_and_empty_often_keeps_every_byte)
{
	static char data[9000], text[200000];
	struct recorder *recorder = start();
	int i, last = 0;
	char *at;

	memset(data, 'x', sizeof(data));
	for (i = 1; i <= 2000; i++)
		put(recorder, i, data, (size_t)i * 7 % sizeof(data));
	ck_assert_int_eq(recorder_finish(recorder, stop[0]), 0);
	read_all(text, sizeof(text));
	for (at = strtok(text, "\n"); at != NULL; at = strtok(NULL, "\n")) {
		if (sscanf(at, "left out %d", &i) == 1)
			last += i;
		else if (strcmp(at, "end") != 0)
			ck_assert_int_eq(atoi(at), ++last);
	}
	ck_assert_int_eq(last, 2000);
}
END_TEST

START_TEST(a_slow_recorder_delays_nobody_and_tells_what_is_left_out)
{
	static char data[QUEUE_SIZE / 4];
	struct recorder *recorder;
	char text[256];
	int i;

	is_gated = true;
	memset(data, 'x', sizeof(data));
	recorder = start();
	/* Nothing is taken yet, so a call that waited would wait for ever. */
	for (i = 1; i <= 10; i++)
		put(recorder, i, data, sizeof(data));
	ck_assert_uint_eq(recorder_get_left_out(recorder), 7);
	ck_assert_int_eq(write(gate[1], "", 1), 1);
	ck_assert_int_eq(recorder_finish(recorder, stop[0]), 0);
	read_all(text, sizeof(text));
	ck_assert_str_eq(text,
		"1:xxxxxxxx\n2:xxxxxxxx\n3:xxxxxxxx\nleft out 7\nend\n");
}
END_TEST

START_TEST(a_payload_beyond_the_queue_is_cut)
{
	static char data[4 * QUEUE_SIZE];
	struct recorder *recorder = start();
	char text[256];

	memset(data, 'x', sizeof(data));
	put(recorder, 1, data, sizeof(data));
	ck_assert_uint_eq(recorder_get_left_out(recorder), 0);
	ck_assert_int_eq(recorder_finish(recorder, stop[0]), 0);
	read_all(text, sizeof(text));
	ck_assert_str_eq(text, "1:xxxxxxxx\nend\n");
}
END_TEST

START_TEST(what_a_killed_tap_has_seen_is_written)
{
	char text[256];
	int status;
	pid_t tap = fork();

	if (tap == 0) {
		struct recorder *recorder;

		is_gated = true;
		recorder = recorder_start(&sink, QUEUE_SIZE);
		put(recorder, 1, "one", 3);
		put(recorder, 2, "two", 3);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(tap, &status, 0), tap);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(write(gate[1], "", 1), 1);
	read_all(text, sizeof(text));
	ck_assert_str_eq(text, "1:one\n2:two\nend\n");
}
END_TEST

START_TEST(a_recorder_that_fails_is_noticed_and_told_at_the_end)
{
	struct recorder *recorder;
	struct pollfd fd = { .events = POLLIN };

	is_failing = true;
	recorder = start();
	fd.fd = recorder_get_fd(recorder);
	put(recorder, 1, "one", 3);
	ck_assert_int_eq(poll(&fd, 1, -1), 1);
	put(recorder, 2, "two", 3);
	ck_assert_int_eq(recorder_finish(recorder, stop[0]), -1);
}
END_TEST

START_TEST(a_stuck_recorder_is_killed_when_the_stop_comes)
{
	struct recorder *recorder;

	is_gated = true;
	recorder = start();
	put(recorder, 1, "one", 3);
	ck_assert_int_eq(write(stop[1], "", 1), 1);
	ck_assert_int_eq(recorder_finish(recorder, stop[0]), -1);
}
END_TEST

START_TEST(two_recorders_end_each_on_its_own)
{
	struct recorder *first = start(), *second = start();
	char text[256];

	put(first, 1, "one", 3);
	ck_assert_int_eq(recorder_finish(first, stop[0]), 0);
	put(second, 2, "two", 3);
	ck_assert_int_eq(recorder_finish(second, stop[0]), 0);
	read_all(text, sizeof(text));
	ck_assert_str_eq(text, "1:one\nend\n2:two\nend\n");
}
END_TEST

static TCase *make_recorder(void)
{
	TCase *tcase = make_tcase_with("recorder", open_all, close_all);

	tcase_add_test(tcase, events_arrive_in_order_and_before_the_end);
	tcase_add_test(tcase,
		a_queue_that_was_full_and_empty_often_keeps_every_byte);
	tcase_add_test(tcase,
		a_slow_recorder_delays_nobody_and_tells_what_is_left_out);
	tcase_add_test(tcase, a_payload_beyond_the_queue_is_cut);
	tcase_add_test(tcase, what_a_killed_tap_has_seen_is_written);
	tcase_add_test(tcase,
		a_recorder_that_fails_is_noticed_and_told_at_the_end);
	tcase_add_test(tcase, a_stuck_recorder_is_killed_when_the_stop_comes);
	tcase_add_test(tcase, two_recorders_end_each_on_its_own);
	return tcase;
}

int main(void)
{
	return support_run_cases("recorder", make_recorder());
}
