/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/pcapng.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_replay.h"
#include "unixmsg.h"

/* The longest wait for an answer, and for room to send. */
static const int64_t patience_us = 10000000;

/* The longest replay, because a recording may have any times. */
static const double year_us = 365 * 24 * 3600e6;

/* A client of the recording. */
struct player {
	uint64_t number;
	struct unixconn *conn;
	struct player *next;
};

struct replay {
	const struct tap_options *options;
	const struct network *network;
	struct pcapng_reader reader;
	struct player *players;
	bool has_begun;
	int64_t first_ns; /* the recorded time of the first event */
	int64_t start_us; /* the time when it was sent again */
	uint64_t sent;
	uint64_t answers;
	bool has_told_fds;
	unsigned char *room; /* of one answer */
};

static int complain(const struct replay *replay, const char *what)
{
	return tool_complain("packet %" PRIu64 ": %s", replay->reader.packets,
		what);
}

static int64_t get_deadline(void)
{
	return unixdeadline_after_us(patience_us);
}

static struct player **find_player(struct replay *replay, uint64_t number)
{
	struct player **at = &replay->players;

	while (*at != NULL && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

static void close_player(struct player **at)
{
	struct player *player = *at;

	if (player == NULL)
		return;
	*at = player->next;
	unixconn_close(player->conn);
	free(player);
}

static int complain_of_dial(const struct replay *replay)
{
	char why[512];

	snprintf(why, sizeof(why), "%s",
		explain_dial(replay->network, replay->options->address, NULL,
			errno));
	return tool_complain("%s: %s", explain_text(replay->options->address),
		why);
}

static int open_player(struct replay *replay, uint64_t number)
{
	const struct unixdial_options options = {
		.stop_fd = tool_get_stop_fd(),
	};
	struct player *player = calloc(1, sizeof(*player));

	if (player == NULL)
		return complain(replay, strerror(errno));
	player->conn = unixconn_dial(replay->network->name,
		replay->options->address, &options, get_deadline());
	if (player->conn == NULL) {
		free(player);
		return complain_of_dial(replay);
	}
	player->number = number;
	player->next = replay->players;
	replay->players = player;
	return 0;
}

/* --- The messages of clients ---------------------------------------------- */

static void tell_fds(struct replay *replay, const struct event *event)
{
	if (event->fds == 0 || replay->has_told_fds)
		return;
	replay->has_told_fds = true;
	tool_say(TOOL_NORMAL,
		"a recording has no descriptors: messages are sent without "
		"them");
}

static int send_again(struct replay *replay, struct unixconn *conn,
	const struct event *event, const void *data)
{
	int result;

	if (event->kept < event->size)
		return complain(replay,
			"only its beginning was recorded: it "
			"cannot be sent again");
	tell_fds(replay, event);
	if (replay->network->is_stream)
		result = unixconn_write(conn, data, event->size, NULL,
			get_deadline());
	else
		result = unixconn_send(conn, data, event->size, get_deadline());
	if (result == 1)
		replay->sent++;
	return result == 1 ? 0 : complain(replay, strerror(errno));
}

/* --- The answers of the server -------------------------------------------- */

/* Receives a message, or wanted bytes of a stream. Returns 1 and *size; 0 at
 * the end; or -1. */
static int receive(const struct replay *replay, struct unixconn *conn,
	size_t wanted, size_t *size)
{
	const int64_t deadline_us = get_deadline();
	const size_t room = replay->options->size_max;
	size_t got;
	int result;

	if (!replay->network->is_stream)
		return unixconn_recv(conn, replay->room, room, size,
			deadline_us);
	if (wanted > room)
		wanted = room;
	for (*size = 0; *size < wanted; *size += got) {
		result = unixconn_read(conn, replay->room + *size,
			wanted - *size, &got, deadline_us);
		if (result == 0 && *size > 0)
			break;
		if (result <= 0)
			return result;
	}
	return 1;
}

static size_t find_difference(const unsigned char *a, const unsigned char *b,
	size_t size)
{
	size_t at = 0;

	while (at < size && a[at] == b[at])
		at++;
	return at;
}

static int compare(const struct replay *replay, const struct event *event,
	const void *data, size_t size)
{
	const size_t both = size < event->kept ? size : event->kept;
	const size_t at = find_difference(data, replay->room, both);

	if (at == event->kept && size == event->size)
		return 0;
	return tool_complain("packet %" PRIu64 ": the answer of connection "
			     "%" PRIu64 " differs at byte %zu; it has %zu "
			     "bytes, and had %zu",
		replay->reader.packets, event->connection, at, size,
		event->size);
}

static int expect_answer(struct replay *replay, struct unixconn *conn,
	const struct event *event, const void *data)
{
	size_t size;
	int result = receive(replay, conn, event->size, &size);

	if (result < 0 && errno == ETIMEDOUT)
		return complain(replay, "no answer came in ten seconds");
	if (result < 0)
		return complain(replay, strerror(errno));
	if (result == 0)
		return complain(replay,
			"the server has closed the connection "
			"instead of an answer");
	if (compare(replay, event, data, size) < 0)
		return -1;
	replay->answers++;
	return 0;
}

static int expect_end(struct replay *replay, struct unixconn *conn)
{
	size_t size;
	int result = receive(replay, conn, 1, &size);

	if (result == 0 || (result < 0 && errno == ECONNRESET))
		return 0;
	return complain(replay,
		result == 1 ? "the server has sent more than it had"
			    : strerror(errno));
}

/* --- In the order of the recording ---------------------------------------- */

/* The first event has the time 0. */
static double get_time_us(const struct replay *replay,
	const struct event *event)
{
	if (event->time_ns <= replay->first_ns)
		return 0;
	/* An int64_t may be too small for their difference. */
	return (double)((uint64_t)event->time_ns - (uint64_t)replay->first_ns) /
		1000;
}

static int wait_until(const struct replay *replay, int64_t due_us)
{
	struct pollfd fd = { .fd = tool_get_stop_fd(), .events = POLLIN };

	do {
		if (poll(&fd, 1, tool_get_patience_ms(due_us)) > 0)
			return complain(replay, "interrupted");
	} while (unixdeadline_now_us() < due_us);
	return 0;
}

/* Waits for the time at which the client sent this message in the recording. */
static int wait_for_time(const struct replay *replay, const struct event *event)
{
	const double speed = replay->options->speed;
	double time_us = 0;

	if (speed > 0)
		time_us = get_time_us(replay, event) / speed;
	if (time_us > year_us)
		return complain(replay,
			"it would be sent more than a year after the first "
			"one: --speed 0 makes no pauses");
	return wait_until(replay, replay->start_us + (int64_t)time_us);
}

static int play_on(struct replay *replay, struct player **at,
	const struct event *event, const void *data)
{
	struct unixconn *conn = (*at)->conn;

	switch (event->kind) {
	case EVENT_MESSAGE:
		if (event->is_answer)
			return expect_answer(replay, conn, event, data);
		return send_again(replay, conn, event, data);
	case EVENT_ENDED:
		if (event->is_answer)
			return expect_end(replay, conn);
		unixconn_shutdown(conn, SHUT_WR);
		return 0;
	case EVENT_CLOSED:
		close_player(at);
		return 0;
	case EVENT_OPENED:
	case EVENT_LEFT_OUT:
	default:
		return 0;
	}
}

static int play(struct replay *replay, const struct event *event,
	const void *data)
{
	struct player **at;

	if (!replay->has_begun) {
		replay->has_begun = true;
		replay->first_ns = event->time_ns;
		replay->start_us = unixdeadline_now_us();
	}
	if (event->left_out > 0)
		return complain(replay,
			"packets before this one were left out of the "
			"recording, and cannot be sent again");
	if (!event->is_answer && wait_for_time(replay, event) < 0)
		return -1;
	if (event->kind == EVENT_OPENED)
		return open_player(replay, event->connection);
	at = find_player(replay, event->connection);
	if (*at == NULL)
		return complain(replay, "its connection was not opened");
	return play_on(replay, at, event, data);
}

static int complain_of_file(const struct replay *replay)
{
	const char *why =
		errno == EBADMSG ? replay->reader.why : strerror(errno);

	return tool_complain("%s: %s", explain_text(replay->options->replay),
		why);
}

static int play_all(struct replay *replay)
{
	struct event event;
	const void *data;
	int result;

	while ((result = pcapng_read(&replay->reader, &event, &data)) == 1)
		if (play(replay, &event, data) < 0)
			return -1;
	return result < 0 ? complain_of_file(replay) : 0;
}

static int begin(struct replay *replay, FILE *file)
{
	if (pcapng_read_begin(&replay->reader, file) < 0)
		return complain_of_file(replay);
	replay->network = replay->options->network;
	if (replay->network == NULL)
		replay->network = network_find(replay->reader.network);
	replay->room = malloc(replay->options->size_max);
	if (replay->network != NULL && replay->room != NULL)
		return 0;
	return tool_complain("%s: %s", explain_text(replay->options->replay),
		replay->room == NULL ? strerror(errno)
				     : "is of an unknown network");
}

static int run(struct replay *replay, FILE *file)
{
	int result = begin(replay, file);

	if (result == 0)
		result = play_all(replay);
	while (replay->players != NULL)
		close_player(&replay->players);
	pcapng_read_end(&replay->reader);
	free(replay->room);
	return result;
}

int tap_replay(const struct tap_options *options)
{
	struct replay replay = { .options = options };
	FILE *file = fopen(options->replay, "re");
	int result;

	if (file == NULL) {
		complain_of_file(&replay);
		return TOOL_FAILED;
	}
	result = run(&replay, file);
	fclose(file);
	if (result < 0)
		return TOOL_FAILED;
	tool_say(TOOL_NORMAL,
		"%" PRIu64 " messages sent, and all %" PRIu64
		" answers are as they were",
		replay.sent, replay.answers);
	return TOOL_OK;
}
