/* SPDX-License-Identifier: MIT */
/*
 * Sends the input to the server and prints the server's messages at the same
 * time. Neither waits for the other, and no code has to know which message
 * answers which.
 *
 * Messages: the talk ends when as many messages have arrived as were sent. On a
 * connection the client then shuts down its direction, so that the server can
 * send the rest and close. It does not shut down earlier, because some servers,
 * such as ssh-agent, close at the end without sending an answer that is due.
 *
 * Bytes: a server may wait for the end before it answers. So the client shuts
 * down its direction when a byte has arrived after the last one sent, or after
 * a moment of silence. The talk ends when the server closes.
 *
 * Silence for --timeout ends either talk.
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/cat/cat_leave.h"
#include "tools/cat/cat_options.h"
#include "tools/cat/cat_talk.h"
#include "tools/common/dialling.h"
#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/output.h"
#include "tools/common/source.h"
#include "tools/common/stats.h"
#include "tools/common/tool.h"

/* The time for a server of bytes to answer before it sees the end. */
static const int64_t hold_us = 200000;

/* The time for a server that has answered all to send more or to close. */
static const int64_t linger_us = 500000;

struct talk {
	struct cat_options *cat;
	const struct options *options;
	struct unixconn *conn;
	bool is_bytes; /* a stream without messages */
	struct source source;
	struct output output;
	struct client_stats stats;
	size_t next_done;    /* bytes of it that were sent */
	bool is_blocked;     /* there was no room to send */
	bool is_shut;        /* our direction was shut down */
	bool is_ended;       /* the server has shut down its own */
	bool is_server_gone; /* a send has failed because it closed */
	int64_t moved_us;    /* the last send or receive */
	void *room;
};

enum outcome { GOING_ON, DONE, FAILED };

static bool is_input_sent(const struct talk *talk)
{
	return talk->source.is_over && !talk->source.is_there;
}

static void note_move(struct talk *talk)
{
	talk->moved_us = unixdeadline_now_us();
}

static bool is_silent(const struct talk *talk, int64_t limit_us)
{
	return unixdeadline_now_us() - talk->moved_us >= limit_us;
}

/* True if there is a message to send. */
static bool fetch(struct talk *talk)
{
	struct source *source = &talk->source;

	if (source->is_there || source->is_over)
		return source->is_there;
	/* Silence before the first message to answer does not count. */
	if (source_fetch(source) || source->is_over)
		note_move(talk);
	return source->is_there;
}

/* Only a new connection may wait; other sends are tried at once. */
static int64_t get_patience_to_send(const struct talk *talk)
{
	return talk->cat->is_reconnecting &&
			!talk->options->network->is_connected
		? unixdeadline_after_us(talk->options->timeout_us)
		: UNIXMSG_NOW;
}

static int send_bytes(struct talk *talk)
{
	size_t written;
	int result = unixconn_write(talk->conn,
		(const char *)talk->source.data + talk->next_done,
		talk->source.size - talk->next_done, &written, UNIXMSG_NOW);

	talk->next_done += written;
	if (written > 0)
		note_move(talk);
	return result;
}

/* Descriptors go with the first message. */
static size_t get_fds_count(const struct talk *talk)
{
	return talk->stats.sent == 0 ? talk->cat->send_fds_count : 0;
}

static int send_message(struct talk *talk)
{
	if (talk->is_bytes)
		return send_bytes(talk);
	return unixconn_send_fds(talk->conn, talk->source.data,
		talk->source.size, talk->cat->send_fds, get_fds_count(talk),
		get_patience_to_send(talk));
}

static int complain_of_sending(const struct talk *talk, int error)
{
	return dialling_complain_of_sending(talk->options, talk->stats.sent + 1,
		talk->source.size, error);
}

/*
 * Messages that the server sent before it closed may still be queued. A message
 * that is too large ends the input, because later ones may depend on it.
 */
static int fail_to_send(struct talk *talk, int error)
{
	if (error == EPIPE || error == ECONNRESET) {
		talk->is_server_gone = true;
		return 0;
	}
	complain_of_sending(talk, error);
	if (error != EMSGSIZE)
		return -1;
	source_give_up(&talk->source);
	return 0;
}

/* Returns 1 after a send; 0 without room, or at the end of the input; -1 after
 * a complaint. */
static int send_next(struct talk *talk)
{
	if (send_message(talk) < 0) {
		talk->is_blocked = errno == EAGAIN || errno == EINPROGRESS;
		return talk->is_blocked ? 0 : fail_to_send(talk, errno);
	}
	talk->stats.sent++;
	talk->stats.sent_bytes += talk->source.size;
	talk->next_done = 0;
	source_take(&talk->source);
	note_move(talk);
	return 1;
}

static bool is_answered(const struct talk *talk)
{
	if (talk->is_bytes)
		return talk->stats.received_bytes > 0;
	return talk->stats.received >= talk->stats.sent;
}

/* A server of bytes may answer nothing, a server of messages answers. */
static bool is_to_be_shut(const struct talk *talk)
{
	if (talk->is_shut || talk->is_server_gone || talk->cat->is_following ||
		!talk->options->network->is_connected || !is_input_sent(talk))
		return false;
	return talk->cat->is_sending_only || is_answered(talk) ||
		(talk->is_bytes && is_silent(talk, hold_us));
}

/* Shows the server the end of the input; it can still answer. */
static void shut_when_sent(struct talk *talk)
{
	if (!is_to_be_shut(talk))
		return;
	talk->is_shut = true;
	unixconn_shutdown(talk->conn, SHUT_WR);
}

/* Limits one turn, because messages that arrive must be printed. */
static int send_some(struct talk *talk)
{
	int result = 1, turns = 64;

	talk->is_blocked = false;
	while (result == 1 && turns-- > 0 && !talk->is_server_gone &&
		fetch(talk))
		result = send_next(talk);
	return result < 0 ? -1 : 0;
}

static int take(struct talk *talk, const struct unixmsg *msg)
{
	const struct record record = {
		.data = talk->room,
		.size = msg->size,
		.has_writer = (msg->flags & UNIXMSG_HAS_CRED) != 0,
		.pid = msg->cred.pid,
		.uid = msg->cred.uid,
		.fds = msg->fds_lost,
	};

	talk->stats.received++;
	talk->stats.received_bytes += msg->size;
	note_move(talk);
	if (dialling_check_writer(talk->options, msg) < 0)
		return -1;
	return output_print(&talk->output, &record);
}

static int receive(struct talk *talk, struct unixmsg *msg)
{
	if (talk->is_bytes)
		return unixconn_read(talk->conn, msg->data, msg->room,
			&msg->size, UNIXMSG_NOW);
	return unixconn_recv_msg(talk->conn, msg, UNIXMSG_NOW);
}

/* Returns 1 to go on, 0 if there is no more now, -1 after a complaint. */
static int receive_one(struct talk *talk)
{
	struct unixmsg msg = {
		.data = talk->room,
		.room = talk->options->size_max,
		.pidfd = -1,
	};
	int result = receive(talk, &msg);

	if (result == 1)
		return take(talk, &msg) < 0 ? -1 : 1;
	if (result == 0) {
		talk->is_ended = true;
		return 0;
	}
	/* ECONNRESET comes once, before the messages that are queued. */
	if (errno == ECONNRESET) {
		talk->is_server_gone = true;
		return 1;
	}
	/* The socket receives nothing until the next send connects it again. */
	if (errno == EAGAIN || errno == ENOTCONN)
		return 0;
	return dialling_complain_of_receiving(talk->options, msg.size, errno);
}

/* True after --max-messages messages. */
static bool is_full(const struct talk *talk)
{
	const uint64_t most = talk->options->messages_max;

	return most > 0 && talk->stats.received >= most;
}

static int receive_some(struct talk *talk)
{
	int result = 1, turns = 64;

	if (talk->cat->is_sending_only || talk->is_ended)
		return 0;
	while (result == 1 && turns-- > 0 && !is_full(talk))
		result = receive_one(talk);
	return result < 0 ? -1 : 0;
}

/* Lines typed after the server has closed do not count as unsent. */
static bool is_all_sent(struct talk *talk)
{
	bool is_all;

	return talk->source.is_over
		? source_is_empty(&talk->source)
		: source_count_rest(&talk->source, &is_all) == 0;
}

/* The errors of a dial to an address that another network serves. */
static bool is_another_perhaps(const struct options *options, int error)
{
	return error == EPROTOTYPE ||
		(error == ECONNREFUSED && *options->address == '@');
}

static unsigned int get_flags(const struct cat_options *cat,
	const struct network *network)
{
	unsigned int flags = 0;

	if (network->is_connected)
		return 0;
	if (cat->is_sending_only && cat->base.own == NULL)
		flags |= UNIXMSG_DIAL_UNNAMED;
	if (cat->is_reconnecting)
		flags |= UNIXMSG_DIAL_RECONNECT;
	return flags;
}

/*
 * Tries one network after the other, and sets *network to the one of the
 * server, or of the error. If no server has the name, all fail alike.
 */
static struct unixconn *dial_any(const struct cat_options *cat,
	const struct network **network)
{
	const int64_t deadline_us = dialling_get_deadline(&cat->base);
	const struct network *const *at;
	struct unixconn *conn = NULL;

	if (*network != NULL)
		return dialling_open(&cat->base, *network,
			get_flags(cat, *network), deadline_us);
	for (at = networks; conn == NULL && *at != NULL; at++) {
		*network = *at;
		conn = dialling_open(&cat->base, *at, get_flags(cat, *at),
			deadline_us);
		if (conn == NULL && !is_another_perhaps(&cat->base, errno))
			break;
	}
	return conn;
}

static int close_conn(struct talk *talk)
{
	struct unixconn *conn = talk->conn;

	talk->conn = NULL;
	return dialling_close(conn);
}

/* The tool closes and counts them, but the server could not send them
 * otherwise. */
static void want_fds(const struct talk *talk)
{
	unsigned int wants = UNIXMSG_WANT_FDS;

	if (talk->options->is_server_user_wanted)
		wants |= UNIXMSG_WANT_CRED;
	if (!talk->options->network->is_stream)
		unixconn_want(talk->conn, wants);
}

/* The next server receives a message that was begun from its start. */
static enum outcome connect_again(struct talk *talk)
{
	close_conn(talk);
	talk->conn = dialling_open(talk->options, talk->options->network,
		UNIXMSG_DIAL_WAIT,
		unixdeadline_after_us(talk->options->timeout_us));
	if (talk->conn == NULL) {
		dialling_complain(talk->options, talk->options->network, errno);
		return FAILED;
	}
	if (dialling_check_server(talk->options, talk->conn) < 0)
		return FAILED;
	want_fds(talk);
	talk->is_ended = false;
	talk->is_server_gone = false;
	talk->is_shut = false;
	talk->next_done = 0;
	tool_say(TOOL_NORMAL, "connected again");
	return GOING_ON;
}

/* True if there is more to send or to print. */
static bool is_to_go_on(const struct talk *talk)
{
	return talk->cat->is_reconnecting &&
		(talk->cat->is_following || !is_input_sent(talk));
}

/* A server of messages answers at least some of them. */
static bool is_good_end(const struct talk *talk)
{
	return talk->is_bytes || talk->cat->is_sending_only ||
		talk->cat->is_following || talk->stats.sent == 0 ||
		talk->stats.received > 0;
}

static enum outcome end_with_server(struct talk *talk)
{
	if (is_to_go_on(talk))
		return connect_again(talk);
	if (!talk->is_server_gone && is_all_sent(talk) && is_good_end(talk)) {
		tool_say(TOOL_VERBOSE, "the server has closed the connection");
		return DONE;
	}
	tool_complain("the server has closed the connection%s",
		!is_all_sent(talk) ? ""
			: talk->is_server_gone
			? ", and left messages of ours unread"
			: " without an answer");
	return FAILED;
}

static const char *explain_silence_of(const struct talk *talk)
{
	if (talk->stats.received > 0)
		return "";
	return dialling_explain_silence(talk->options, talk->options->network,
		talk->conn);
}

static enum outcome end_with_silence(const struct talk *talk)
{
	const struct client_stats *stats = &talk->stats;
	if (stats->sent == 0 || is_answered(talk))
		return DONE;
	tool_complain("no answer within %g seconds%s",
		(double)talk->options->timeout_us / 1e6,
		explain_silence_of(talk));
	return FAILED;
}

static enum outcome end_blocked(const struct talk *talk)
{
	dialling_complain_of_room(talk->options, talk->stats.sent + 1);
	return FAILED;
}

/* The longest silence now. */
static int64_t get_limit_us(const struct talk *talk)
{
	const int64_t timeout_us = talk->options->timeout_us;

	/* The server receives no more, but its messages may still arrive. */
	if (talk->is_server_gone)
		return linger_us < timeout_us ? linger_us : timeout_us;
	if (!is_input_sent(talk))
		return timeout_us;
	if (talk->is_bytes)
		return !talk->is_shut && hold_us < timeout_us ? hold_us
							      : timeout_us;
	return is_answered(talk) && linger_us < timeout_us ? linger_us
							   : timeout_us;
}

static enum outcome judge_sent(const struct talk *talk)
{
	if (talk->cat->is_sending_only)
		return DONE;
	if (talk->cat->is_following)
		return GOING_ON;
	if (is_answered(talk) && !talk->options->network->is_connected)
		return DONE;
	return is_silent(talk, get_limit_us(talk)) ? end_with_silence(talk)
						   : GOING_ON;
}

/* With --follow only a signal ends the client, so it is no error. */
static enum outcome end_interrupted(const struct talk *talk)
{
	if (talk->cat->is_following)
		return DONE;
	tool_complain("interrupted");
	return FAILED;
}

/* Lines typed after the last message do not count as unsent, a file does. */
static enum outcome end_full(struct talk *talk)
{
	return is_all_sent(talk) ? DONE : FAILED;
}

static enum outcome judge(struct talk *talk)
{
	if (is_full(talk))
		return end_full(talk);
	if (tool_get_stops() > 0)
		return end_interrupted(talk);
	if (talk->is_ended ||
		(talk->is_server_gone &&
			(talk->cat->is_sending_only ||
				is_silent(talk, get_limit_us(talk)))))
		return end_with_server(talk);
	if (is_input_sent(talk))
		return judge_sent(talk);
	return talk->is_blocked && is_silent(talk, get_limit_us(talk))
		? end_blocked(talk)
		: GOING_ON;
}

static int get_patience(const struct talk *talk)
{
	if (!talk->is_blocked && !talk->is_server_gone &&
		(!is_input_sent(talk) || talk->cat->is_following))
		return -1;
	return tool_get_patience_ms(talk->moved_us + get_limit_us(talk));
}

/* Waits until there is something to do. Returns 0, or -1 after a complaint. */
static int wait(struct talk *talk)
{
	struct pollfd fds[3] = {
		{ .fd = tool_get_stop_fd(), .events = POLLIN },
		{ .fd = unixconn_get_fd(talk->conn) },
		{ .fd = -1, .events = POLLIN },
	};

	if (!talk->cat->is_sending_only)
		fds[1].events |= POLLIN;
	if (talk->is_blocked)
		fds[1].events |= POLLOUT;
	if (!talk->source.is_there && !talk->source.is_over &&
		!talk->is_server_gone)
		fds[2].fd = source_get_fd(&talk->source);
	if (output_flush(&talk->output) < 0)
		return -1;
	if (poll(fds, 3, get_patience(talk)) < 0 && errno != EINTR)
		return tool_complain("poll: %s", strerror(errno));
	return 0;
}

/* The reader may hold input already, which poll(2) does not see. */
static bool is_more_to_send(struct talk *talk)
{
	return !talk->is_blocked && !talk->is_server_gone && fetch(talk);
}

static int run(struct talk *talk)
{
	enum outcome outcome;

	note_move(talk);
	for (;;) {
		if (send_some(talk) < 0 || receive_some(talk) < 0)
			return -1;
		shut_when_sent(talk);
		outcome = judge(talk);
		if (outcome != GOING_ON)
			return outcome == DONE && !talk->source.is_bad ? 0 : -1;
		if (!is_more_to_send(talk) && wait(talk) < 0)
			return -1;
	}
}

/* Sends one request, and prints the first message received. */
static int ask(struct talk *talk)
{
	struct unixmsg answer = {
		.data = talk->room,
		.room = talk->options->size_max,
		.pidfd = -1,
	};
	struct unixmsg request = { .pidfd = -1 };
	int result;

	request.data = (void *)talk->source.data;
	request.room = talk->source.size;
	request.fds = talk->cat->send_fds;
	request.fds_count = talk->cat->send_fds_count;
	result = unixconn_ask(talk->conn, &request, &answer, NULL, NULL,
		unixdeadline_after_us(talk->options->timeout_us));
	if (result == 1 || errno != EMSGSIZE || answer.size > 0)
		source_take(&talk->source);
	if (result == 1) {
		talk->stats.sent++;
		talk->stats.sent_bytes += request.room;
		return take(talk, &answer);
	}
	if (result == 0)
		return tool_complain("the server has closed the connection%s",
			explain_silence_of(talk));
	if (errno == ETIMEDOUT)
		return tool_complain("no answer within %g seconds%s",
			(double)talk->options->timeout_us / 1e6,
			explain_silence_of(talk));
	if (errno == ECANCELED)
		return tool_complain("interrupted");
	if (errno == EMSGSIZE && answer.size > 0)
		return dialling_complain_of_receiving(talk->options,
			answer.size, errno);
	return complain_of_sending(talk, errno);
}

static int complain_of_requests(const char *what)
{
	return tool_complain("--ask: %s; one MESSAGE, or one record of "
			     "standard input, is the request",
		what);
}

/* Returns 0 with the only request, or -1 after a complaint. */
static int fetch_request(struct talk *talk)
{
	if (talk->options->messages_count > 1)
		return complain_of_requests("more than one MESSAGE");
	while (!fetch(talk) && !talk->source.is_over && tool_get_stops() == 0 &&
		wait(talk) == 0)
		continue;
	if (talk->source.is_there)
		return 0;
	if (talk->source.is_bad)
		return -1;
	return tool_get_stops() > 0 ? tool_complain("interrupted")
				    : complain_of_requests("no request");
}

static int ask_once(struct talk *talk)
{
	bool is_all;

	if (fetch_request(talk) < 0 || ask(talk) < 0)
		return -1;
	return source_count_rest(&talk->source, &is_all) == 0 ? 0 : -1;
}

static void say_bytes(struct talk *talk, uint64_t rest)
{
	tool_complain("%" PRIu64 " bytes sent, %" PRIu64 " received%s",
		talk->stats.sent_bytes + talk->next_done,
		talk->stats.received_bytes,
		rest > 0 ? "; the rest of the input was not sent" : "");
}

static void say_what_was_sent(struct talk *talk)
{
	bool is_all;
	uint64_t rest = source_count_rest(&talk->source, &is_all);

	if (talk->is_bytes)
		say_bytes(talk, rest);
	else
		dialling_say_sent(&talk->stats,
			talk->cat->is_sending_only ? NULL : "received", rest,
			is_all);
}

static int finish(struct talk *talk, int result)
{
	if (output_flush(&talk->output) < 0)
		result = -1;
	if (result < 0)
		say_what_was_sent(talk);
	else if (talk->options->network->is_connected)
		cat_leave(talk->conn);
	if (close_conn(talk) < 0)
		result = -1;
	if (talk->options->is_stats_wanted &&
		stats_print_client(&talk->stats, talk->options->network) < 0)
		result = tool_complain("standard output: %s", strerror(errno));
	return result == 0 ? TOOL_OK : TOOL_FAILED;
}

/* A client can wait for a server to start on one network only. */
static int check_waiting(const struct options *options)
{
	if (options->network != NULL || options->wait_us == 0 ||
		*options->address != '@')
		return 0;
	return tool_complain("--wait: say which NETWORK, each has abstract "
			     "names of its own");
}

/* For an abstract name all networks were tried, not only the last. */
static void complain_of_dialling(const struct options *options,
	const struct network *network, int error)
{
	if (options->network == NULL && error == ECONNREFUSED &&
		*options->address == '@')
		tool_complain(
			"%s: nobody has that name; unixmsg-inspect shows "
			"similar names, --wait with a NETWORK waits for a "
			"server",
			explain_text(options->address));
	else
		dialling_complain(options, network, error);
}

static int dial(struct talk *talk)
{
	const struct network *network = talk->options->network;

	if (check_waiting(talk->options) < 0)
		return -1;
	talk->conn = dial_any(talk->cat, &network);
	if (talk->conn == NULL) {
		complain_of_dialling(talk->options, network, errno);
		return -1;
	}
	if (cat_options_complete(talk->cat, network) < 0 ||
		dialling_check_server(talk->options, talk->conn) < 0)
		return -1;
	want_fds(talk);
	tool_say(TOOL_VERBOSE, "network %s", network->name);
	dialling_say_connected(talk->conn);
	if (!talk->cat->is_sending_only)
		dialling_warn_of_silence(talk->conn);
	talk->is_bytes = cat_options_is_bytes(talk->cat);
	return 0;
}

static int prepare(struct talk *talk)
{
	histogram_init(&talk->stats.round_trips);
	if (output_open(&talk->output, talk->options, tool_get_stop_fd()) < 0)
		return -1;
	talk->room = malloc(talk->options->size_max + 1);
	if (talk->room == NULL || source_open(&talk->source, talk->options) < 0)
		return tool_complain("%s", strerror(errno));
	return 0;
}

static void clean_up(struct talk *talk)
{
	source_close(&talk->source);
	output_close(&talk->output);
	free(talk->room);
}

int cat_talk(struct cat_options *cat)
{
	struct talk talk = {
		.cat = cat,
		.options = &cat->base,
		.output = { .tee_fd = -1 },
	};
	int status = TOOL_FAILED;

	if (dial(&talk) < 0 || prepare(&talk) < 0)
		close_conn(&talk);
	else
		status = finish(&talk,
			cat->is_asking ? ask_once(&talk) : run(&talk));
	clean_up(&talk);
	return status;
}
