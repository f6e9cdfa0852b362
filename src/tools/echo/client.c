/* SPDX-License-Identifier: MIT */
/*
 * Several messages are under way at once, within bounds that are below those of
 * every queue on the way. A send never waits: if the client waited for room
 * while its server waits to send an answer, both would wait for ever. A receive
 * waits only if there is nothing to send before an answer arrives.
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/dialling.h"
#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/output.h"
#include "tools/common/source.h"
#include "tools/common/stats.h"
#include "tools/common/tool.h"
#include "tools/echo/client.h"

enum { WINDOW = 64 };

static const size_t window_bytes = 1 << 20;

/* A message that was sent and has no answer yet. */
struct sent {
	uint64_t number;
	int64_t deadline_us;
	uint64_t sent_ns;
	void *data;
	size_t size;
	size_t room;
};

struct exchange {
	const struct options *options;
	const struct network *network;
	struct unixconn *conn;
	struct source source;
	struct output output;
	struct client_stats stats;
	/* A ring of count messages from first on, the oldest first. */
	struct sent sent[WINDOW];
	unsigned int first;
	unsigned int count;
	size_t sent_bytes;
	uint64_t next_ns; /* the arrival of the next message to send */
	bool is_blocked;  /* there was no room to send */
	/* The deadline for room to send; 0 while there is room. */
	int64_t blocked_deadline_us;
	bool is_server_gone; /* a send has failed because it closed */
	bool is_output_seen; /* standard output is a terminal */
	void *answer;
	size_t room;
};

static bool is_made_up(const struct exchange *exchange)
{
	return exchange->options->count > 0;
}

static struct sent *get_oldest(struct exchange *exchange)
{
	return &exchange->sent[exchange->first];
}

static void forget_oldest(struct exchange *exchange)
{
	exchange->sent_bytes -= get_oldest(exchange)->size;
	exchange->first = (exchange->first + 1) % WINDOW;
	exchange->count--;
}

/* Generated messages without an interval alternate with their answers. */
static bool is_taking_turns(const struct exchange *exchange)
{
	return is_made_up(exchange) && exchange->options->interval_us == 0;
}

static bool is_window_open(const struct exchange *exchange)
{
	unsigned int most = is_taking_turns(exchange) ? 1 : WINDOW;

	return exchange->count < most && exchange->sent_bytes < window_bytes;
}

/* True if there is a message to send. */
static bool fetch(struct exchange *exchange)
{
	if (exchange->source.is_there)
		return true;
	exchange->next_ns = tool_now_ns();
	return source_fetch(&exchange->source);
}

static bool make_room(struct sent *sent, size_t size)
{
	if (sent->room >= size)
		return true;
	free(sent->data);
	sent->data = malloc(size);
	sent->room = sent->data != NULL ? size : 0;
	return sent->data != NULL;
}

/* Keeps a copy to compare with the answer. */
static int remember(struct exchange *exchange)
{
	unsigned int place = (exchange->first + exchange->count) % WINDOW;
	struct sent *sent = &exchange->sent[place];
	const struct source *source = &exchange->source;

	if (!make_room(sent, source->size))
		return -1;
	if (source->size > 0)
		memcpy(sent->data, source->data, source->size);
	sent->size = source->size;
	sent->number = exchange->stats.sent;
	sent->sent_ns = exchange->next_ns;
	sent->deadline_us =
		unixdeadline_after_us(exchange->options->timeout_us);
	exchange->sent_bytes += sent->size;
	exchange->count++;
	return 0;
}

static int complain_of_sending(const struct exchange *exchange, int error)
{
	return dialling_complain_of_sending(exchange->options,
		exchange->stats.sent + 1, exchange->source.size, error);
}

/*
 * Answers to earlier messages may still arrive, also after the server has
 * closed the connection; its end then shows which are missing.
 */
static int fail_to_send(struct exchange *exchange, int error)
{
	if (error == EPIPE || error == ECONNRESET)
		exchange->is_server_gone = true;
	else
		complain_of_sending(exchange, error);
	if (error != EMSGSIZE && !exchange->is_server_gone)
		return -1;
	source_give_up(&exchange->source);
	return 0;
}

static int note_blocked(struct exchange *exchange)
{
	if (exchange->blocked_deadline_us == 0)
		exchange->blocked_deadline_us =
			unixdeadline_after_us(exchange->options->timeout_us);
	return 0;
}

/* Returns 1 after a send, 0 without room, -1 after a complaint. */
static int send_next(struct exchange *exchange)
{
	struct source *source = &exchange->source;

	if (unixconn_send(exchange->conn, source->data, source->size,
		    UNIXMSG_NOW) < 0) {
		exchange->is_blocked = errno == EAGAIN || errno == EINPROGRESS;
		if (exchange->is_blocked)
			return note_blocked(exchange);
		return fail_to_send(exchange, errno);
	}
	exchange->blocked_deadline_us = 0;
	if (remember(exchange) < 0)
		return complain_of_sending(exchange, errno);
	exchange->stats.sent++;
	exchange->stats.sent_bytes += source->size;
	source_take(source);
	return 1;
}

static int send_some(struct exchange *exchange)
{
	int result = 1;

	exchange->is_blocked = false;
	while (result == 1 && is_window_open(exchange) && fetch(exchange))
		result = send_next(exchange);
	return result < 0 ? -1 : 0;
}

static int print_answer(struct exchange *exchange, size_t size)
{
	const struct record record = {
		.data = exchange->answer,
		.size = size,
	};

	return is_made_up(exchange) ? 0
				    : output_print(&exchange->output, &record);
}

/* Generated messages before this one will get no answer. */
static void lose_up_to(struct exchange *exchange, uint64_t number)
{
	while (exchange->count > 0 && get_oldest(exchange)->number < number) {
		exchange->stats.lost++;
		forget_oldest(exchange);
	}
}

static bool is_same(const struct sent *sent, const void *data, size_t size)
{
	return sent->size == size &&
		(size == 0 || memcmp(sent->data, data, size) == 0);
}

static void count_answer(struct exchange *exchange, size_t size)
{
	const struct sent *sent = get_oldest(exchange);

	exchange->stats.received++;
	exchange->stats.received_bytes += size;
	histogram_add(&exchange->stats.round_trips,
		tool_now_ns() - sent->sent_ns);
	if (is_same(sent, exchange->answer, size))
		return;
	exchange->stats.altered++;
	tool_say(TOOL_VERBOSE, "message %" PRIu64 " came back altered",
		sent->number + 1);
}

/* Returns 0, or -1 after a complaint. */
static int take_answer(struct exchange *exchange, size_t size)
{
	uint64_t number =
		source_identify(&exchange->source, exchange->answer, size);

	if (number != UINT64_MAX) {
		lose_up_to(exchange, number);
		/* It arrived after its message was counted as lost. */
		if (exchange->count == 0 ||
			get_oldest(exchange)->number > number)
			return 0;
	}
	if (exchange->count == 0) {
		tool_complain("a message of %zu bytes came that answers "
			      "nothing",
			size);
		return -1;
	}
	count_answer(exchange, size);
	forget_oldest(exchange);
	return print_answer(exchange, size);
}

/* A server that has answered once does not refuse us. */
static const char *explain_no_answer(const struct exchange *exchange)
{
	if (exchange->stats.received > 0)
		return "";
	return dialling_explain_silence(exchange->options, exchange->network,
		exchange->conn);
}

static int complain_of_receiving(const struct exchange *exchange, int result,
	size_t size)
{
	if (result < 0)
		return dialling_complain_of_receiving(exchange->options, size,
			errno);
	return tool_complain("the server has closed the connection; without an "
			     "answer: %u%s",
		exchange->count, explain_no_answer(exchange));
}

static bool is_over(const struct exchange *exchange)
{
	return exchange->source.is_over && !exchange->source.is_there &&
		exchange->count == 0;
}

/* When messages and answers alternate, only an answer can arrive. */
static int64_t get_patience_to_receive(struct exchange *exchange)
{
	if (is_taking_turns(exchange) && exchange->count > 0)
		return get_oldest(exchange)->deadline_us;
	return UNIXMSG_NOW;
}

/* True if it is our turn: no answer can be there, so do not receive. */
static bool is_turn_over(const struct exchange *exchange)
{
	return is_taking_turns(exchange) && exchange->count == 0 &&
		!exchange->is_server_gone;
}

/* The callers check the deadline and the stop. */
static bool is_none_there(int result)
{
	return result < 0 &&
		(errno == EAGAIN || errno == ETIMEDOUT || errno == ECANCELED);
}

static int receive_some(struct exchange *exchange)
{
	struct iovec part = {
		.iov_base = exchange->answer,
		.iov_len = exchange->room,
	};
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	for (;;) {
		result = unixconn_recv_msg(exchange->conn, &msg,
			get_patience_to_receive(exchange));
		if (is_none_there(result))
			return 0;
		if (result == 0 && exchange->count == 0)
			fetch(exchange);
		/* The server may close after the last answer. */
		if (result == 0 && is_over(exchange) &&
			!exchange->is_server_gone)
			return 0;
		/* ECONNRESET comes once, before the messages queued. */
		if (result < 0 && errno == ECONNRESET)
			continue;
		if (result < 1)
			return complain_of_receiving(exchange, result,
				msg.size);
		if (dialling_check_writer(exchange->options, &msg) < 0 ||
			take_answer(exchange, msg.size) < 0)
			return -1;
		if (is_turn_over(exchange))
			return 0;
	}
}

/* Generated messages go on after a loss. With others, a late answer would
 * count for the wrong message. */
static int expire(struct exchange *exchange)
{
	int64_t now_us = unixdeadline_now_us();

	while (exchange->count > 0 &&
		get_oldest(exchange)->deadline_us <= now_us) {
		if (!is_made_up(exchange))
			return tool_complain("message %" PRIu64
					     ": no answer within %g seconds%s",
				get_oldest(exchange)->number + 1,
				(double)exchange->options->timeout_us / 1e6,
				explain_no_answer(exchange));
		exchange->stats.lost++;
		forget_oldest(exchange);
	}
	return 0;
}

/* Returns 0, or -1 after a complaint: a live server gives no room. */
static int check_progress(struct exchange *exchange)
{
	if (exchange->is_server_gone && exchange->count == 0) {
		tool_complain("the server takes no more messages");
		return -1;
	}
	if (!exchange->is_blocked ||
		unixdeadline_now_us() < exchange->blocked_deadline_us)
		return 0;
	return dialling_complain_of_room(exchange->options,
		exchange->stats.sent + 1);
}

static int get_patience(struct exchange *exchange)
{
	int64_t until_us = UNIXMSG_FOREVER;

	if (is_window_open(exchange) && !exchange->source.is_over)
		until_us = source_get_moment(&exchange->source);
	if (exchange->count > 0 && get_oldest(exchange)->deadline_us < until_us)
		until_us = get_oldest(exchange)->deadline_us;
	if (exchange->is_blocked && exchange->blocked_deadline_us < until_us)
		until_us = exchange->blocked_deadline_us;
	return tool_get_patience_ms(until_us);
}

static bool is_input_wanted(const struct exchange *exchange)
{
	return is_window_open(exchange) && !exchange->source.is_over &&
		!exchange->source.is_there;
}

/* Waits until there is something to do. Returns 0, or -1 after a complaint. */
static int wait(struct exchange *exchange)
{
	struct pollfd fds[3] = {
		{ .fd = tool_get_stop_fd(), .events = POLLIN },
		{ .fd = unixconn_get_fd(exchange->conn), .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};

	if (exchange->is_blocked)
		fds[1].events |= POLLOUT;
	if (is_input_wanted(exchange))
		fds[2].fd = source_get_fd(&exchange->source);
	if (output_flush(&exchange->output) < 0)
		return -1;
	if (poll(fds, 3, get_patience(exchange)) < 0 && errno != EINTR) {
		tool_complain("poll: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/* No progress if answers go to the same terminal. */
static void show_progress(const struct exchange *exchange)
{
	const struct client_stats *stats = &exchange->stats;

	if (is_made_up(exchange))
		tool_show_progress("%" PRIu64 " of %" PRIu64 " sent, %" PRIu64
				   " received",
			stats->sent, exchange->options->count, stats->received);
	else if (!exchange->is_output_seen)
		tool_show_progress("%" PRIu64 " sent, %" PRIu64 " received",
			stats->sent, stats->received);
}

/* Returns 0 if every message was tried, or -1 after a complaint. */
static int run(struct exchange *exchange)
{
	for (;;) {
		if (send_some(exchange) < 0 || receive_some(exchange) < 0 ||
			expire(exchange) < 0 || check_progress(exchange) < 0)
			return -1;
		show_progress(exchange);
		if (is_window_open(exchange))
			fetch(exchange);
		if (is_over(exchange) && !exchange->is_server_gone)
			return exchange->source.is_bad ? -1 : 0;
		if (tool_get_stops() > 0) {
			tool_complain("interrupted");
			return -1;
		}
		if (exchange->source.is_there && !exchange->is_blocked &&
			is_window_open(exchange))
			continue;
		if (wait(exchange) < 0)
			return -1;
	}
}

static void say_what_was_sent(struct exchange *exchange)
{
	const struct client_stats *stats = &exchange->stats;
	bool is_all;
	uint64_t rest = source_count_rest(&exchange->source, &is_all);

	if (rest > 0 || (stats->lost > 0 && !is_made_up(exchange)))
		dialling_say_sent(stats,
			is_made_up(exchange) ? NULL : "answered", rest, is_all);
}

static int finish(struct exchange *exchange, int result)
{
	const struct client_stats *stats = &exchange->stats;

	tool_wipe_progress();
	if (output_flush(&exchange->output) < 0)
		result = -1;
	if (dialling_close(exchange->conn) < 0)
		result = -1;
	exchange->stats.lost += exchange->count;
	if (result < 0)
		say_what_was_sent(exchange);
	if (is_made_up(exchange))
		stats_say_client(stats);
	else if (stats->altered > 0)
		tool_complain("%" PRIu64 " of %" PRIu64
			      " answers were not what was sent",
			stats->altered, stats->received);
	if (exchange->options->is_stats_wanted &&
		stats_print_client(stats, exchange->network) < 0)
		result = -1;
	if (result == 0 && stats->lost == 0 && stats->altered == 0)
		return TOOL_OK;
	return TOOL_FAILED;
}

static int prepare(struct exchange *exchange, const struct options *options)
{
	exchange->options = options;
	exchange->network = options->network;
	exchange->is_output_seen = isatty(STDOUT_FILENO);
	histogram_init(&exchange->stats.round_trips);
	exchange->room = options->size_max;
	exchange->answer = malloc(exchange->room + 1);
	if (exchange->answer == NULL ||
		source_open(&exchange->source, options) < 0)
		return tool_complain("%s", strerror(errno));
	return output_open(&exchange->output, options, tool_get_stop_fd());
}

static void clean_up(struct exchange *exchange)
{
	int i;

	for (i = 0; i < WINDOW; i++)
		free(exchange->sent[i].data);
	source_close(&exchange->source);
	output_close(&exchange->output);
	free(exchange->answer);
	free(exchange);
}

static int exchange_with(struct exchange *exchange,
	const struct options *options)
{
	if (prepare(exchange, options) < 0)
		return TOOL_FAILED;
	exchange->conn = dialling_open(options, options->network, 0,
		dialling_get_deadline(options));
	if (exchange->conn == NULL) {
		dialling_complain(options, options->network, errno);
		return TOOL_FAILED;
	}
	if (dialling_check_server(options, exchange->conn) < 0)
		return finish(exchange, -1);
	dialling_say_connected(exchange->conn);
	dialling_warn_of_silence(exchange->conn);
	return finish(exchange, run(exchange));
}

int client(const struct options *options)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	int status;

	if (exchange == NULL) {
		tool_complain("%s", strerror(errno));
		return TOOL_FAILED;
	}
	status = exchange_with(exchange, options);
	clean_up(exchange);
	return status;
}
