/* SPDX-License-Identifier: MIT */
/*
 * The program is what the user of this tool has typed. Of a peer come only
 * bytes: the message on standard input, and values of variables that a library
 * has formatted. No shell sees any of it.
 */
#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cat/cat_exec.h"
#include "tools/cat/cat_options.h"
#include "tools/cat/jobs.h"
#include "tools/common/explain.h"
#include "tools/common/keep.h"
#include "tools/common/network.h"
#include "tools/common/serve.h"
#include "tools/common/tool.h"

enum { WORDS_MOST = 64 };

struct executor {
	const struct cat_options *cat;
	struct unixservice *service; /* while it looks at its jobs */
	struct jobs *jobs;
	char *text;
	char *words[WORDS_MOST + 1];
};

/* One message on its way to a program. */
struct call {
	const struct executor *executor;
	const struct unixmsg *msg;
	uint64_t peer;
	bool has_cred;
	struct unixcred cred;
};

static void set_number(const char *name, bool is_known, intmax_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%jd", number);
	if (is_known)
		setenv(name, text, 1);
	else
		unsetenv(name);
}

static void set_sender(const struct unixmsg *msg)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	unsetenv("UNIXMSG_SENDER");
	if (msg->addr != NULL &&
		unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED)
		setenv("UNIXMSG_SENDER",
			unixaddr_format(msg->addr, text, sizeof(text)), 1);
}

static void set_environment(const struct call *call)
{
	const struct options *base = &call->executor->cat->base;

	setenv("UNIXMSG_NETWORK", base->network->name, 1);
	unsetenv("UNIXMSG_ADDRESS");
	if (base->address != NULL)
		setenv("UNIXMSG_ADDRESS", base->address, 1);
	set_sender(call->msg);
	set_number("UNIXMSG_PEER", call->peer != 0, (intmax_t)call->peer);
	set_number("UNIXMSG_SIZE", true, (intmax_t)call->msg->size);
	set_number("UNIXMSG_FDS", true, (intmax_t)call->msg->fds_count);
	set_number("UNIXMSG_UID", call->has_cred, call->cred.uid);
	set_number("UNIXMSG_GID", call->has_cred, call->cred.gid);
	set_number("UNIXMSG_PID", call->has_cred, call->cred.pid);
}

static int run_program(const void *context)
{
	const struct call *call = context;
	char *const *words = call->executor->words;

	set_environment(call);
	execvp(words[0], words);
	tool_complain("--exec: %s: %s", explain_text(words[0]),
		strerror(errno));
	return 127;
}

/* In a process of its own: what is behind a descriptor may have no hurry. */
static int run_keeper(const void *context)
{
	const struct call *call = context;

	return keep_fds(call->executor->cat->keep, STDERR_FILENO + 1,
		       call->msg->fds_count) == 0
		? 0
		: 1;
}

/* Who wrote a datagram, or who connected. */
static void find_cred(struct call *call)
{
	struct unixservice_peer_info info;

	call->has_cred = (call->msg->flags & UNIXMSG_HAS_CRED) != 0;
	call->cred = call->msg->cred;
	if (call->has_cred ||
		unixservice_get_peer_info(call->executor->service, call->peer,
			&info) < 0)
		return;
	call->has_cred = info.has_cred;
	call->cred = info.cred;
}

static void say_lost(const struct unixmsg *msg)
{
	if ((msg->flags & UNIXMSG_CUT_CONTROL) != 0)
		tool_complain("descriptors of a message were closed: more than "
			      "--max-fds, or none could be had");
}

static int answer(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct executor *executor = context;
	struct call call = {
		.executor = executor,
		.msg = msg,
		.peer = peer,
	};
	const struct job job = {
		.owner = peer,
		.input = msg->data,
		.input_size = msg->size,
		.fds = msg->fds,
		.fds_count = msg->fds_count,
		.run = executor->cat->keep != NULL ? run_keeper : run_program,
		.context = &call,
	};

	executor->service = service;
	say_lost(msg);
	if (executor->cat->keep != NULL && msg->fds_count == 0)
		return UNIXSERVICE_DONE;
	find_cred(&call);
	if (jobs_start(executor->jobs, &job) < 0 || peer == 0)
		return UNIXSERVICE_DONE;
	return UNIXSERVICE_LATER;
}

/* No output is no answer: many programs have nothing to say. */
static void take_output(uint64_t owner, const void *data, size_t size,
	void *context)
{
	const struct executor *executor = context;

	if (owner == 0 || executor->service == NULL)
		return;
	if (data == NULL || size == 0)
		unixservice_settle(executor->service, owner);
	else
		unixservice_send(executor->service, owner, data, size);
}

static void look(struct unixservice *service, void *context)
{
	struct executor *executor = context;

	executor->service = service;
	jobs_look(executor->jobs);
}

static void forget(uint64_t peer, void *context)
{
	const struct executor *executor = context;

	jobs_disown(executor->jobs, peer);
}

static int split(struct executor *executor)
{
	char *rest, *word;
	int count = 0;

	executor->text = strdup(executor->cat->program);
	if (executor->text == NULL)
		return tool_complain("%s", strerror(errno));
	rest = executor->text;
	while ((word = strsep(&rest, " \t\n")) != NULL && count < WORDS_MOST)
		if (*word != '\0')
			executor->words[count++] = word;
	if (count > 0 && word == NULL)
		return 0;
	return tool_complain("--exec: a program and at most %d arguments",
		WORDS_MOST - 1);
}

static int prepare(struct executor *executor)
{
	const struct cat_options *cat = executor->cat;

	if (cat->program != NULL && split(executor) < 0)
		return -1;
	executor->jobs = jobs_new(cat->jobs_max, cat->job_us,
		cat->base.size_max, take_output, executor);
	if (executor->jobs == NULL)
		return tool_complain("cannot serve: %s", strerror(errno));
	return 0;
}

static int run(struct executor *executor)
{
	const struct serve_way way = {
		.answer = answer,
		.context = executor,
		.forget = forget,
		.look = look,
		.fd = jobs_get_fd(executor->jobs),
		.wants = UNIXMSG_WANT_CRED | UNIXMSG_WANT_FDS,
		.fds_max = executor->cat->fds_max,
	};

	int status = serve(&executor->cat->base, &way);

	/* What they do for senders that get no answer is done as well. */
	executor->service = NULL;
	jobs_finish(executor->jobs);
	return status;
}

int cat_exec(struct cat_options *cat)
{
	struct executor executor = { .cat = cat };
	int status = TOOL_FAILED;

	if (prepare(&executor) == 0)
		status = run(&executor);
	jobs_free(executor.jobs);
	free(executor.text);
	return status;
}
