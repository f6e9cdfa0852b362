/* SPDX-License-Identifier: MIT */
/*
 * Each way a peer can end, on each network, with and without something of his
 * that is still to be read: what poll(2) says, what receiving and sending say,
 * and that a service neither spins nor keeps him.
 */
#include <config.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/service_scene.h"

enum way {
	CLOSED,        /* by close(2) */
	CLOSED_UNREAD, /* with something of ours unread */
	KILLED,
	KILLED_UNREAD,
	SENDS_NO_MORE, /* shutdown(2) of a half, or of both */
	READS_NO_MORE,
	DOES_NEITHER,
	WAYS,
};

/* Messages of his that wait for us when he ends. */
enum { WAITING_MOST = 2 };

/* Both ends of a link; how it is ended knows nothing of ours. */
static struct client ours, his;

static void connect_both(int kind)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair(scene_get_network(kind), pair), 0);
	client_take(&ours, kind, pair[0]);
	client_take(&his, kind, pair[1]);
}

/* The last that has it open is another process, which is killed. */
static void kill_holder(struct client *client)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		pause();
		_exit(1);
	}
	client_close(client);
	stop_child(pid);
}

static void end(struct client *client, enum way way)
{
	static const int halves[] = { SHUT_WR, SHUT_RD, SHUT_RDWR };

	if (way == KILLED || way == KILLED_UNREAD)
		kill_holder(client);
	else if (way == CLOSED || way == CLOSED_UNREAD)
		client_close(client);
	else
		ck_assert_int_eq(shutdown(client_get_fd(client),
					 halves[way - SENDS_NO_MORE]),
			0);
}

static bool is_unread(enum way way)
{
	return way == CLOSED_UNREAD || way == KILLED_UNREAD;
}

/* He can neither be read from nor written to. */
static bool is_gone(enum way way)
{
	return way != SENDS_NO_MORE && way != READS_NO_MORE;
}

/* What is expected. A datagram peer has no end that could be seen. */

static bool is_end_seen(int kind, enum way way)
{
	return kind != GRAM && way != READS_NO_MORE;
}

static short expected_events(int kind, enum way way, bool has_waiting,
	bool is_reset)
{
	short events = POLLOUT;

	if (has_waiting || is_end_seen(kind, way))
		events |= POLLIN;
	if (!is_end_seen(kind, way))
		return events;
	events |= POLLRDHUP;
	if (is_gone(way))
		events |= POLLHUP;
	if (is_reset)
		events |= POLLERR;
	return events;
}

/* A datagram socket is not connected any more when it has told that once. */
static int expected_send_error(int kind, enum way way, int number)
{
	if (way == SENDS_NO_MORE)
		return 0;
	if (kind == GRAM && way < SENDS_NO_MORE)
		return number == 0 ? ECONNREFUSED : ENOTCONN;
	return EPIPE;
}

static void check_events(short expected)
{
	struct pollfd state = {
		.fd = client_get_fd(&ours),
		.events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI,
	};

	ck_assert_int_eq(poll(&state, 1, 0), 1);
	ck_assert_msg(state.revents == expected, "poll(2) says %#x, not %#x",
		(unsigned int)state.revents, (unsigned int)expected);
}

static int receive(void)
{
	char data[16];
	size_t size;

	return client_try_recv(&ours, data, sizeof(data), &size);
}

static void check_reset(int kind, enum way way, bool has_waiting)
{
	check_events(expected_events(kind, way, has_waiting, true));
	ck_assert_errno(receive(), ECONNRESET);
}

/* The kernel tells of a reset first, and a stream reads ahead of it. */
static void check_receiving(int kind, enum way way, int waiting)
{
	bool is_reset = is_unread(way) && kind != GRAM;
	int i;

	if (is_reset && (kind == PACKET || waiting == 0)) {
		check_reset(kind, way, waiting > 0);
		is_reset = false;
	}
	check_events(expected_events(kind, way, waiting > 0, is_reset));
	for (i = 0; i < waiting; i++)
		client_expect(&ours, "hello", 5);
	if (is_reset)
		check_reset(kind, way, false);
	for (i = 0; i < 3; i++) {
		check_events(expected_events(kind, way, false, false));
		if (is_end_seen(kind, way))
			ck_assert_int_eq(receive(), 0);
		else
			ck_assert_errno(receive(), EAGAIN);
	}
}

static void check_sending(int kind, enum way way)
{
	int i, error;

	for (i = 0; i < 3; i++) {
		error = expected_send_error(kind, way, i);
		if (error == 0)
			client_say(&ours, "x");
		else
			ck_assert_errno(client_try_send(&ours, "x", 1), error);
	}
}

/* _i: network, way, and how many messages wait. */
START_TEST(every_end_is_told_and_nothing_that_came_before_is_lost)
{
	const int kind = _i % KINDS_OF_MESSAGES;
	const enum way way = (enum way)(_i / KINDS_OF_MESSAGES % WAYS);
	const int waiting = _i / KINDS_OF_MESSAGES / WAYS;
	int i;

	connect_both(kind);
	for (i = 0; i < waiting; i++)
		client_say(&his, "hello");
	if (is_unread(way))
		client_say(&ours, "unread");
	end(&his, way);
	check_receiving(kind, way, waiting);
	check_sending(kind, way);
}
END_TEST

static int receive_until(int64_t deadline_us)
{
	char data[16];

	return unixconn_recv(ours.conn, data, 1, NULL, deadline_us);
}

/* Nobody waits for ever for somebody whose end can be seen. */
START_TEST(a_wait_ends_with_the_peer)
{
	const int kind = _i % KINDS_OF_MESSAGES;
	const enum way way = (enum way)(_i / KINDS_OF_MESSAGES);

	connect_both(kind);
	if (is_unread(way))
		client_say(&ours, "unread");
	end(&his, way);
	if (!is_end_seen(kind, way))
		ck_assert_errno(receive_until(unixdeadline_after_us(1000)),
			ETIMEDOUT);
	else if (is_unread(way))
		ck_assert_errno(receive_until(UNIXMSG_FOREVER), ECONNRESET);
	else
		ck_assert_int_eq(receive_until(UNIXMSG_FOREVER), 0);
}
END_TEST

/* Services */

static struct scene scene;

/* A round for each step, and none because of an end that was seen before. */
static const int rounds_most = 10;

static void talk(int waiting, enum way way)
{
	int i;

	client_say(&his, "hello");
	ck_assert_int_le(scene_serve(&scene), rounds_most);
	if (!is_unread(way))
		client_hear(&his, "hello");
	for (i = 0; i < waiting; i++)
		client_say(&his, "hello");
}

/* _i: kind, way, and how many messages wait. */
START_TEST(a_service_is_idle_after_every_end)
{
	const int kind = PACKET + _i % (KINDS - PACKET);
	const enum way way = (enum way)(_i / (KINDS - PACKET) % WAYS);
	const int waiting = _i / (KINDS - PACKET) / WAYS;

	scene_open_with(&scene, &his, kind, scene_echo, NULL);
	talk(waiting, way);
	end(&his, way);
	ck_assert_int_le(scene_serve(&scene), rounds_most);
	ck_assert_int_eq(scene_serve(&scene), 0);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], way != READS_NO_MORE);
	ck_assert_uint_eq(scene_count(&scene).peers, way == READS_NO_MORE);
	client_close(&his);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
}
END_TEST

int main(void)
{
	TCase *tcase = make_scene_tcase("ends");

	tcase_add_loop_test(tcase,
		every_end_is_told_and_nothing_that_came_before_is_lost, 0,
		KINDS_OF_MESSAGES * WAYS * (WAITING_MOST + 1));
	tcase_add_loop_test(tcase, a_wait_ends_with_the_peer, 0,
		KINDS_OF_MESSAGES * WAYS);
	tcase_add_loop_test(tcase, a_service_is_idle_after_every_end, 0,
		(KINDS - PACKET) * WAYS * (WAITING_MOST + 1));
	return support_run_cases("hangup", tcase);
}
