/* SPDX-License-Identifier: MIT */
/*
 * Answers messages with --reply, or with records of standard input. Each record
 * answers the message that has waited longest. On a terminal, a line typed
 * while no message waits goes to the peer of the last message.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/cat/cat_connections.h"
#include "tools/cat/cat_exec.h"
#include "tools/cat/cat_options.h"
#include "tools/cat/cat_serve.h"
#include "tools/common/network.h"
#include "tools/common/serve.h"
#include "tools/common/source.h"
#include "tools/common/tool.h"

/* The most messages that wait for a record; more get no answer. */
enum { WAITING_MOST = 4096 };

struct answers {
	struct cat_options *cat;
	struct source source;
	bool is_terminal; /* standard input is one */
	bool is_watched;  /* standard input is in wake_fd */
	int wake_fd;
	/* A ring of the peers whose messages wait, the oldest first. */
	uint64_t waiting[WAITING_MOST];
	unsigned int first;
	unsigned int count;
	uint64_t last; /* the peer of the last message; 0: none */
};

/* A sender without an address takes no record from the others. */
static void say_unanswerable(const struct unixmsg *msg)
{
	tool_say(TOOL_VERBOSE,
		"a message of %zu bytes from a sender without an address "
		"cannot be answered",
		msg->size);
}

static int answer_with_reply(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	const struct source *reply = context;

	unixservice_send(service, peer, reply->data, reply->size);
	if (peer == 0)
		say_unanswerable(msg);
	return UNIXSERVICE_DONE;
}

static bool is_record_wanted(const struct answers *answers)
{
	return answers->count > 0 || answers->is_terminal;
}

/* A read from a terminal would stop a process in the background. */
static bool is_input_ours(const struct answers *answers)
{
	return !answers->is_terminal || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/*
 * Watches standard input only while a message waits for a record, or it would
 * always wake the loop; EPOLLET keeps a line that is typed for another program
 * from doing so. A file cannot be watched, and is always ready.
 */
static void watch_input(struct answers *answers)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	const bool is_wanted =
		!answers->source.is_over && is_record_wanted(answers);

	if (is_wanted == answers->is_watched)
		return;
	if (epoll_ctl(answers->wake_fd,
		    is_wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, STDIN_FILENO,
		    &event) == 0)
		answers->is_watched = is_wanted;
}

static uint64_t take_oldest(struct answers *answers)
{
	uint64_t peer = answers->waiting[answers->first];

	answers->first = (answers->first + 1) % WAITING_MOST;
	answers->count--;
	return peer;
}

static void settle_all(struct unixservice *service, struct answers *answers)
{
	while (answers->count > 0)
		unixservice_settle(service, take_oldest(answers));
}

/* True if there is a record, which is valid until the next one. */
static bool fetch(struct answers *answers)
{
	bool is_there =
		is_input_ours(answers) && source_fetch(&answers->source);

	source_take(&answers->source);
	return is_there;
}

static int wait_for_record(struct answers *answers, uint64_t peer)
{
	unsigned int place = (answers->first + answers->count) % WAITING_MOST;

	if (answers->count == WAITING_MOST) {
		tool_say(TOOL_VERBOSE,
			"%d messages wait for standard input: no answer",
			WAITING_MOST);
		return UNIXSERVICE_DONE;
	}
	answers->waiting[place] = peer;
	answers->count++;
	watch_input(answers);
	return UNIXSERVICE_LATER;
}

static int answer_with_input(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct answers *answers = context;

	if (peer == 0) {
		say_unanswerable(msg);
		return UNIXSERVICE_DONE;
	}
	answers->last = peer;
	if (answers->count == 0 && fetch(answers))
		unixservice_send(service, peer, answers->source.data,
			answers->source.size);
	else if (!answers->source.is_over && is_input_ours(answers))
		return wait_for_record(answers, peer);
	return UNIXSERVICE_DONE;
}

/* Sends a typed line that answers no message. */
static void push(struct unixservice *service, const struct answers *answers)
{
	if (answers->last == 0 ||
		unixservice_send(service, answers->last, answers->source.data,
			answers->source.size) < 0)
		tool_say(TOOL_NORMAL, "nobody is there to get that");
}

static void look(struct unixservice *service, void *context)
{
	struct answers *answers = context;
	const struct source *source = &answers->source;
	struct epoll_event event;

	epoll_wait(answers->wake_fd, &event, 1, 0);
	while (is_record_wanted(answers) && fetch(answers))
		if (answers->count > 0)
			unixservice_send(service, take_oldest(answers),
				source->data, source->size);
		else
			push(service, answers);
	if (source->is_over)
		settle_all(service, answers);
	watch_input(answers);
}

/* Leaves the records to the other peers. */
static void forget(uint64_t peer, void *context)
{
	struct answers *answers = context;
	unsigned int i, count = answers->count;
	uint64_t waiting;

	for (i = 0; i < count; i++) {
		waiting = take_oldest(answers);
		if (waiting != peer)
			answers->waiting[(answers->first + answers->count++) %
				WAITING_MOST] = waiting;
	}
	if (answers->last == peer)
		answers->last = 0;
	watch_input(answers);
}

static void stop(struct unixservice *service, void *context)
{
	struct answers *answers = context;

	answers->source.is_over = true;
	settle_all(service, answers);
	watch_input(answers);
}

static int open_input(struct answers *answers)
{
	if (source_open(&answers->source, &answers->cat->base) < 0)
		return tool_complain("%s", strerror(errno));
	answers->wake_fd = epoll_create1(EPOLL_CLOEXEC);
	if (answers->wake_fd < 0)
		return tool_complain("cannot serve: %s", strerror(errno));
	answers->is_terminal = isatty(STDIN_FILENO);
	watch_input(answers);
	return 0;
}

/* Reads the reply like a MESSAGE of a client, in the chosen format. */
static bool read_reply(struct source *source, struct cat_options *cat)
{
	cat->base.messages = (char **)&cat->reply;
	cat->base.messages_count = 1;
	source_open(source, &cat->base);
	source->name = "--reply";
	return source_fetch(source);
}

/*
 * Both servers want descriptors and close them: some programs, such as
 * systemd-notify(1), send one, and could not send to a server that wants none.
 */
static int serve_replies(struct cat_options *cat)
{
	struct source reply;
	const struct serve_way way = {
		.answer = answer_with_reply,
		.context = &reply,
		.wants = UNIXMSG_WANT_FDS,
	};
	int status = TOOL_USAGE;

	if (read_reply(&reply, cat))
		status = serve(&cat->base, &way);
	source_close(&reply);
	return status;
}

static int serve_records(struct answers *answers)
{
	struct serve_way way = {
		.answer = answer_with_input,
		.context = answers,
		.wants = UNIXMSG_WANT_FDS,
		.forget = forget,
		.look = look,
		.stop = stop,
	};
	int status;

	if (open_input(answers) < 0)
		return TOOL_FAILED;
	way.fd = answers->wake_fd;
	status = serve(&answers->cat->base, &way);
	return answers->source.is_bad ? TOOL_FAILED : status;
}

static int serve_input(struct cat_options *cat)
{
	struct answers *answers = calloc(1, sizeof(*answers));
	int status;

	if (answers == NULL) {
		tool_complain("%s", strerror(errno));
		return TOOL_FAILED;
	}
	answers->cat = cat;
	answers->wake_fd = -1;
	status = serve_records(answers);
	source_close(&answers->source);
	if (answers->wake_fd >= 0)
		close(answers->wake_fd);
	free(answers);
	return status;
}

int cat_serve(struct cat_options *cat)
{
	const struct network *network = cat->base.network;

	if (cat_options_complete(cat,
		    network == NULL ? &network_unixgram : network) < 0)
		return TOOL_FAILED;
	if (cat->each == CAT_EACH_CONNECTION)
		return cat_connections(cat);
	if (cat->program != NULL || cat->keep != NULL)
		return cat_exec(cat);
	return cat->reply != NULL ? serve_replies(cat) : serve_input(cat);
}
