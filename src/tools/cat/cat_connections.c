/* SPDX-License-Identifier: MIT */
/*
 * Each connection has a process, see cat_relay.c. At the limit of --max-jobs
 * further connections wait to be accepted.
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tools/cat/cat_connections.h"
#include "tools/cat/cat_options.h"
#include "tools/cat/cat_relay.h"
#include "tools/cat/jobs.h"
#include "tools/common/explain.h"
#include "tools/common/explain_path.h"
#include "tools/common/network.h"
#include "tools/common/serve.h"
#include "tools/common/stats.h"
#include "tools/common/tool.h"

/* The time for programs to end after a signal to stop. */
static const int64_t drain_us = 5000000;

/* The pause of accepting when no descriptor is free. */
static const int64_t pause_us = 100000;

/* The shortest time between two reports of refusals. */
static const int64_t refusal_pause_us = 50000;

struct server {
	const struct cat_options *cat;
	const struct options *base;
	struct cat_program program;
	struct jobs *jobs;
	struct unixlistener *listener;
	bool is_abstract;
	int64_t resume_us; /* the next time to accept */
	int64_t told_us;   /* the last report of a refusal */
	struct unixservice_counters counters;
};

static bool is_in_groups(const struct options *base,
	const struct unixcred *cred, int fd)
{
	size_t i;

	for (i = 0; i < base->groups_count; i++)
		if (cred->gid == base->groups[i] ||
			unixpeer_is_in_group(fd, base->groups[i]) == 1)
			return true;
	return false;
}

static bool is_in_users(const struct options *base, uid_t uid)
{
	size_t i;

	for (i = 0; i < base->users_count; i++)
		if (uid == base->users[i])
			return true;
	return false;
}

/* The rules of struct unixservice, which applies them to messages. */
static bool is_allowed(const struct server *server, const struct unixcred *cred,
	int fd)
{
	const struct options *base = server->base;

	if (base->is_anyone_allowed)
		return true;
	if (base->users_count + base->groups_count > 0)
		return is_in_users(base, cred->uid) ||
			is_in_groups(base, cred, fd);
	return !server->is_abstract || cred->uid == 0 || cred->uid == geteuid();
}

/* Adds 1, because the owner of a job is not 0, and root is. */
static uint64_t get_owner(const struct unixcred *cred)
{
	return (uint64_t)cred->uid + 1;
}

static bool has_too_many(const struct server *server,
	const struct unixcred *cred)
{
	const unsigned int most = server->base->clients_per_user_max;

	return most > 0 && jobs_count(server->jobs, get_owner(cred)) >= most;
}

struct client {
	const struct server *server;
	struct cat_relay relay;
};

/* Closes the listener here: if the server is killed, its name is free while
 * connections go on. */
static int run_relay(const void *context)
{
	const struct client *client = context;

	close(unixlistener_get_fd(client->server->listener));
	return cat_relay(&client->relay);
}

static void start(struct server *server, struct unixconn *conn,
	const struct unixcred *cred)
{
	const struct client client = {
		.server = server,
		.relay = {
			.options = server->cat,
			.program = &server->program,
			.conn = conn,
			.caller = {
				.peer = server->counters.connections,
				.has_cred = true,
				.cred = *cred,
			},
		},
	};
	const struct job job = {
		.owner = get_owner(cred),
		.input = "",
		.run = run_relay,
		.context = &client,
	};

	jobs_start(server->jobs, &job);
}

/* Reports rarely: other users can cause refusals at any rate. */
static void refuse(struct server *server, const struct unixcred *cred,
	uint64_t *counter, const char *why)
{
	const int64_t now_us = unixdeadline_now_us();
	char text[EXPLAIN_USER_SIZE];

	(*counter)++;
	if (now_us - server->told_us < refusal_pause_us)
		return;
	server->told_us = now_us;
	tool_say(TOOL_VERBOSE, "a connection of user %s was refused%s",
		explain_user(cred->uid, text), why);
}

static void admit(struct server *server, struct unixconn *conn)
{
	struct unixservice_counters *counters = &server->counters;
	struct unixcred cred = { .uid = (uid_t)-1 };
	const int fd = unixconn_get_fd(conn);

	counters->connections++;
	if (unixpeer_get_cred(fd, &cred) < 0 || !is_allowed(server, &cred, fd))
		refuse(server, &cred, &counters->connections_refused, "");
	else if (has_too_many(server, &cred))
		refuse(server, &cred, &counters->connections_limited,
			": more than --max-clients-per-user");
	else
		start(server, conn, &cred);
}

/* True if there may be more. */
static bool accept_one(struct server *server)
{
	struct unixconn *conn =
		unixlistener_accept(server->listener, UNIXMSG_NOW);

	if (conn == NULL && errno != EAGAIN && server->resume_us == 0) {
		tool_complain("no client can be accepted for a moment: %s",
			strerror(errno));
		server->counters.pauses++;
	}
	if (conn == NULL) {
		if (errno != EAGAIN)
			server->resume_us = unixdeadline_after_us(pause_us);
		return false;
	}
	server->resume_us = 0;
	admit(server, conn);
	unixconn_close(conn);
	return true;
}

static bool is_open(const struct server *server)
{
	return jobs_has_place(server->jobs) &&
		unixdeadline_now_us() >= server->resume_us;
}

/* Limits one turn, because refused clients never fill the places. */
static void accept_some(struct server *server)
{
	int turns = 64;

	while (turns-- > 0 && is_open(server) && accept_one(server))
		continue;
}

static int report(struct server *server)
{
	if (stats_print_server(&server->counters, server->base->network) == 0)
		return 0;
	return tool_complain("standard output: %s", strerror(errno));
}

static int wait(const struct server *server)
{
	struct pollfd fds[] = {
		{ .fd = tool_get_stop_fd(), .events = POLLIN },
		{ .fd = tool_get_report_fd(), .events = POLLIN },
		{ .fd = jobs_get_fd(server->jobs), .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	int64_t until_us = UNIXMSG_FOREVER;

	if (is_open(server))
		fds[3].fd = unixlistener_get_fd(server->listener);
	else if (jobs_has_place(server->jobs))
		until_us = server->resume_us;
	if (poll(fds, 4, tool_get_patience_ms(until_us)) < 0 && errno != EINTR)
		return tool_complain("poll: %s", strerror(errno));
	return 0;
}

static int run(struct server *server)
{
	while (tool_get_stops() == 0) {
		accept_some(server);
		if (wait(server) < 0)
			return -1;
		jobs_look(server->jobs);
		if (tool_take_report() && report(server) < 0)
			return -1;
	}
	return 0;
}

static int open_address(struct server *server)
{
	struct unixlisten_options how = server->base->listen;
	struct unixaddr addr;

	how.backlog = (int)server->base->backlog;
	/* The tool closes them, but a client could not send them otherwise. */
	if (!server->base->network->is_stream)
		how.wants = UNIXMSG_WANT_FDS;
	server->listener = unixlistener_open(server->base->network->name,
		server->base->address, &how);
	if (server->listener == NULL)
		return serve_complain(server->base, errno);
	if (unixlistener_get_address(server->listener, &addr) < 0)
		return tool_complain("cannot serve: %s", strerror(errno));
	server->is_abstract = unixaddr_get_kind(&addr) == UNIXADDR_ABSTRACT;
	serve_announce(server->base, &addr);
	return 0;
}

/* A job has no output here: the program prints to the client. */
static void take_nothing(uint64_t owner, const void *data, size_t size,
	void *context)
{
	(void)owner;
	(void)data;
	(void)size;
	(void)context;
}

static int prepare(struct server *server)
{
	if (cat_program_read(&server->program, server->cat->program) < 0)
		return -1;
	server->jobs = jobs_new(server->cat->jobs_max, server->cat->job_us, 1,
		take_nothing, server);
	if (server->jobs == NULL)
		return tool_complain("cannot serve: %s", strerror(errno));
	return open_address(server);
}

static int close_address(struct server *server)
{
	struct unixlistener *listener = server->listener;

	server->listener = NULL;
	if (unixlistener_close(listener) == 0)
		return 0;
	return tool_complain("%s: could not be removed: %s",
		explain_text(server->base->address), strerror(errno));
}

static int serve_all(struct server *server)
{
	int result = run(server);

	if (close_address(server) < 0)
		result = -1;
	jobs_finish(server->jobs, unixdeadline_after_us(drain_us));
	if (server->base->is_stats_wanted && report(server) < 0)
		result = -1;
	return result;
}

int cat_connections(const struct cat_options *cat)
{
	struct server server = { .cat = cat, .base = &cat->base };
	int result = prepare(&server);

	if (result == 0)
		result = serve_all(&server);
	unixlistener_close(server.listener);
	jobs_free(server.jobs);
	cat_program_free(&server.program);
	return result == 0 ? TOOL_OK : TOOL_FAILED;
}
