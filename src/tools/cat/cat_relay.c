/* SPDX-License-Identifier: MIT */
/*
 * A client that sends and does not read, and a program that prints and does not
 * read, must not block each other. So each direction has a process, which waits
 * for the slow side and keeps no queue. Both exit when the program ends.
 *
 *	client  ->  feeder  ->  standard input of the program
 *	client  <-  relay   <-  standard output
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/cat/cat_leave.h"
#include "tools/cat/cat_options.h"
#include "tools/cat/cat_relay.h"
#include "tools/common/record.h"
#include "tools/common/tool.h"

/* A client may receive nothing for this long: it may write to a pager. */
static const int64_t rest_most_us = 60000000;

struct relay {
	const struct cat_relay *for_whom;
	const struct options *base;
	struct unixconn *conn;
	bool is_bytes;
	int input_fd;  /* writes to the program */
	int output_fd; /* reads from it */
	pid_t program;
	pid_t feeder;
	int64_t *moved_us; /* the last transfer of either process, shared */
};

static void note_move(const struct relay *relay)
{
	__atomic_store_n(relay->moved_us, unixdeadline_now_us(),
		__ATOMIC_RELAXED);
}

/* --- The feeder ----------------------------------------------------------- */

static int receive(const struct relay *relay, struct unixmsg *msg,
	int64_t deadline_us)
{
	return relay->is_bytes
		? unixconn_read(relay->conn, msg->data, msg->room, &msg->size,
			  deadline_us)
		: unixconn_recv_msg(relay->conn, msg, deadline_us);
}

static void complain_of_receiving(const struct relay *relay, size_t size)
{
	if (errno == EMSGSIZE)
		tool_complain("a message of %zu bytes is more than the %zu of "
			      "--max-size: the program gets no more",
			size, relay->base->size_max);
	else if (errno != ECONNRESET && errno != EAGAIN)
		tool_complain("receiving: %s", strerror(errno));
}

/* False at the end of the client or the program. */
static bool feed_one(const struct relay *relay, struct record_writer *writer,
	void *room, int64_t *deadline_us)
{
	struct unixmsg msg;
	struct record record = { .data = room };
	int result;

	unixmsg_init(&msg);
	msg.data = room;
	msg.room = relay->base->size_max;
	result = receive(relay, &msg, *deadline_us);
	/* After a signal to stop there is no more than what has arrived. */
	if (result < 0 && errno == ECANCELED) {
		unixconn_set_stop_fd(relay->conn, -1);
		*deadline_us = UNIXMSG_NOW;
		return true;
	}
	if (result < 0)
		complain_of_receiving(relay, msg.size);
	if (result < 1)
		return false;
	note_move(relay);
	record.size = msg.size;
	return record_write(writer, &record) == 0 && record_flush(writer) == 0;
}

static void feed(const struct relay *relay)
{
	struct record_writer *writer =
		record_writer_new(relay->input_fd, relay->base->format, -1);
	void *room = malloc(relay->base->size_max);
	int64_t deadline_us = UNIXMSG_FOREVER;

	unixconn_set_stop_fd(relay->conn, tool_get_stop_fd());
	if (writer == NULL || room == NULL)
		tool_complain("%s", strerror(errno));
	else
		while (feed_one(relay, writer, room, &deadline_us))
			continue;
	record_writer_free(writer);
	free(room);
}

/* --- The relay ------------------------------------------------------------ */

/* Waits for a client that reads nothing as long as the other servers do. */
static int send_record(const struct relay *relay, const void *data, size_t size)
{
	const int64_t deadline_us = unixdeadline_after_us(rest_most_us);
	int result = relay->is_bytes
		? unixconn_write(relay->conn, data, size, NULL, deadline_us)
		: unixconn_send(relay->conn, data, size, deadline_us);

	if (result == 0)
		note_move(relay);
	else if (errno != EPIPE && errno != ECONNRESET)
		tool_complain("an answer was not sent: %s", strerror(errno));
	return result;
}

static int64_t get_idle_end(const struct relay *relay)
{
	return relay->base->idle_us == 0
		? UNIXMSG_FOREVER
		: __atomic_load_n(relay->moved_us, __ATOMIC_RELAXED) +
			relay->base->idle_us;
}

/* False after both were silent for the time of --idle-timeout. */
static bool wait_for_output(const struct relay *relay)
{
	struct pollfd fd = { .fd = relay->output_fd, .events = POLLIN };

	if (poll(&fd, 1, tool_get_patience_ms(get_idle_end(relay))) != 0)
		return true;
	return unixdeadline_now_us() < get_idle_end(relay);
}

/* Returns 0 at the end of the program's output, -1 if no more is needed. */
static int pass_on(const struct relay *relay, struct record_reader *reader)
{
	const void *data;
	size_t size;
	int result;

	for (;;) {
		result = record_read(reader, false, &data, &size);
		if (result == 0)
			return 0;
		if (result == 1 && send_record(relay, data, size) < 0)
			return -1;
		if (result == 1)
			continue;
		if (errno != EAGAIN)
			return tool_complain("the program's output: %s",
				errno == EBADMSG || errno == EMSGSIZE
					? record_reader_explain(reader)
					: strerror(errno));
		if (!wait_for_output(relay)) {
			tool_say(TOOL_VERBOSE, "connection %ju was silent",
				(uintmax_t)relay->for_whom->caller.peer);
			kill(relay->program, SIGTERM);
			return -1;
		}
	}
}

static int pass_all_on(const struct relay *relay)
{
	struct record_reader *reader = record_reader_new(relay->output_fd,
		relay->base->input, relay->base->input_max, -1);
	int result;

	if (reader == NULL)
		return tool_complain("%s", strerror(errno));
	result = pass_on(relay, reader);
	record_reader_free(reader);
	return result;
}

/* --- Their processes ------------------------------------------------------ */

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int become_program(const struct cat_relay *whom, const int *input,
	const int *output)
{
	signal(SIGPIPE, SIG_DFL);
	if (dup2(input[0], STDIN_FILENO) < 0 ||
		dup2(output[1], STDOUT_FILENO) < 0)
		return 126;
	return cat_program_run(whom->program, whom->options, &whom->caller);
}

static int start_program(struct relay *relay)
{
	int input[2], output[2];

	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		return -1;
	relay->program = fork();
	if (relay->program == 0)
		_exit(become_program(relay->for_whom, input, output));
	close(input[0]);
	close(output[1]);
	relay->input_fd = input[1];
	relay->output_fd = output[0];
	return relay->program < 0 ? -1 : 0;
}

static int start_feeder(struct relay *relay)
{
	relay->feeder = fork();
	if (relay->feeder == 0) {
		close(relay->output_fd);
		feed(relay);
		_exit(0);
	}
	close(relay->input_fd);
	return relay->feeder < 0 ? -1 : 0;
}

static void end_feeder(const struct relay *relay)
{
	kill(relay->feeder, SIGKILL);
	wait_for(relay->feeder);
}

/* A program that closes its output may still read. After its client has closed,
 * a program reads the end of its input, and gets SIGPIPE when it prints. */
static int run(struct relay *relay)
{
	int result, status;

	if (start_program(relay) < 0 || start_feeder(relay) < 0)
		return tool_complain("a process cannot be started: %s",
			strerror(errno));
	result = pass_all_on(relay);
	close(relay->output_fd);
	if (result < 0)
		kill(relay->feeder, SIGKILL);
	else
		unixconn_shutdown(relay->conn, SHUT_WR);
	status = wait_for(relay->program);
	end_feeder(relay);
	cat_leave(relay->conn);
	return status;
}

int cat_relay(const struct cat_relay *whom)
{
	struct relay relay = {
		.for_whom = whom,
		.base = &whom->options->base,
		.conn = whom->conn,
		.is_bytes = cat_options_is_bytes(whom->options),
	};
	int status;

	signal(SIGPIPE, SIG_IGN);
	relay.moved_us = mmap(NULL, sizeof(*relay.moved_us),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (relay.moved_us == MAP_FAILED) {
		tool_complain("%s", strerror(errno));
		return TOOL_FAILED;
	}
	note_move(&relay);
	status = run(&relay);
	return status < 0 ? TOOL_FAILED : status;
}
