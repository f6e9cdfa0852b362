/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tools/cat/cat_exec.h"
#include "tools/cat/cat_options.h"
#include "tools/cat/cat_program.h"
#include "tools/cat/jobs.h"
#include "tools/common/keep.h"
#include "tools/common/serve.h"
#include "tools/common/tool.h"

struct executor {
	const struct cat_options *cat;
	struct unixservice *service; /* set while jobs_look runs */
	struct jobs *jobs;
	struct cat_program program;
};

/* One message that a program is to receive. */
struct call {
	const struct executor *executor;
	struct cat_caller caller;
};

static int run_program(const void *context)
{
	const struct call *call = context;

	return cat_program_run(&call->executor->program, call->executor->cat,
		&call->caller);
}

/* Runs in its own process, because reading a received file may take long. */
static int run_keeper(const void *context)
{
	const struct call *call = context;

	return keep_fds(call->executor->cat->keep, STDERR_FILENO + 1,
		       call->caller.msg->fds_count) == 0
		? 0
		: 1;
}

/* The credentials of a datagram's sender, or of the client that connected. */
static void find_cred(const struct unixservice *service,
	struct cat_caller *caller)
{
	struct unixservice_peer_info info;

	caller->has_cred = (caller->msg->flags & UNIXMSG_HAS_CRED) != 0;
	caller->cred = caller->msg->cred;
	if (caller->has_cred ||
		unixservice_get_peer_info(service, caller->peer, &info) < 0)
		return;
	caller->has_cred = info.has_cred;
	caller->cred = info.cred;
}

static void say_lost(const struct unixmsg *msg)
{
	if ((msg->flags & UNIXMSG_CUT_CONTROL) != 0)
		tool_complain("descriptors of a message were closed: more than "
			      "--max-fds, or none was free");
}

static int answer(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct executor *executor = context;
	struct call call = {
		.executor = executor,
		.caller = { .msg = msg, .peer = peer },
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
	find_cred(service, &call.caller);
	if (jobs_start(executor->jobs, &job) < 0 || peer == 0)
		return UNIXSERVICE_DONE;
	return UNIXSERVICE_LATER;
}

/* Without output there is no answer: many programs print nothing. */
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

static int prepare(struct executor *executor)
{
	const struct cat_options *cat = executor->cat;

	if (cat->program != NULL &&
		cat_program_read(&executor->program, cat->program) < 0)
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

	/* Also finishes the jobs whose senders get no answer. */
	executor->service = NULL;
	jobs_finish(executor->jobs, UNIXMSG_FOREVER);
	return status;
}

int cat_exec(struct cat_options *cat)
{
	struct executor executor = { .cat = cat };
	int status = TOOL_FAILED;

	if (prepare(&executor) == 0)
		status = run(&executor);
	jobs_free(executor.jobs);
	cat_program_free(&executor.program);
	return status;
}
