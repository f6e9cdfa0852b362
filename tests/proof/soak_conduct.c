/* SPDX-License-Identifier: MIT */
/* Who follows the plan, starts and ends all others, and does the sums. */
#include <config.h>

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proof/soak.h"
#include "support/files.h"

/* Longer than anything takes here. */
static const int64_t limit_us = 100000000;

struct process {
	pid_t pid;   /* 0: none */
	uint32_t id; /* of a server */
	bool is_frozen;
};

struct site {
	struct process server;
	struct process elder;
};

static struct site sites[SOAK_SITES + 1];
static struct process clients[SOAK_CLIENTS];
static bool is_leaving[SOAK_CLIENTS];
static uint32_t last_server, last_life;

static struct {
	uint64_t sent, answered, lost, given, lanes;
	unsigned int kills, stops, takeovers, starts, clients, clients_killed;
} totals;

/* Of the server that stays, and of this process. */
static struct figures {
	size_t memory_kib[2];
	int fds[2];
} first, last;

/* Until the other end is closed. */
static void await_close(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		continue;
	close(fd);
}

/*
 * It dies with us, also when it is stopped then: so it is not stopped before it
 * has asked for that.
 */
pid_t soak_fork(void)
{
	const pid_t parent = getpid();
	pid_t pid;
	int pipe[2];

	SOAK_EXPECT(pipe2(pipe, O_CLOEXEC) == 0);
	pid = fork();
	if (pid < 0)
		soak_fail("fork: %s", strerror(errno));
	if (pid > 0) {
		close(pipe[1]);
		await_close(pipe[0]);
		return pid;
	}
	/* What the terminal sends is for the first of us only. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	close(pipe[0]);
	close(pipe[1]);
	return 0;
}

static void check_others(void)
{
	if (soak_book->has_failed)
		_exit(EXIT_FAILURE);
}

static void pause_until(int64_t until_us)
{
	int64_t left_us;

	while ((left_us = until_us - unixdeadline_now_us()) > 0) {
		check_others();
		poll(NULL, 0, left_us < 20000 ? (int)(left_us / 1000) + 1 : 20);
	}
}

/* Gives its exit status, or minus the signal that has ended it. */
static int await_end(struct process *process, const char *what)
{
	const int64_t until_us = unixdeadline_after_us(limit_us);
	pid_t ended;
	int how;

	while ((ended = waitpid(process->pid, &how, WNOHANG)) == 0) {
		check_others();
		if (unixdeadline_now_us() > until_us)
			soak_fail("expected the end of %s, process %d", what,
				(int)process->pid);
		poll(NULL, 0, 1);
	}
	SOAK_EXPECT(ended == process->pid);
	process->pid = 0;
	return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

static void expect_good_end(struct process *process, const char *what)
{
	const int status = await_end(process, what);

	check_others();
	if (status != 0)
		soak_fail("expected %s to end well, not with %d", what, status);
}

/* Signals */

static void signal_process(const struct process *process, int number)
{
	if (process->pid != 0)
		SOAK_EXPECT(kill(process->pid, number) == 0);
}

static void freeze(struct process *process)
{
	signal_process(process, SIGSTOP);
	process->is_frozen = true;
}

/*
 * Nobody else gets a SIGCONT: it would undo the stop by which LeakSanitizer
 * waits for a process that it looks at, and both would wait for ever.
 */
static void thaw(struct process *process)
{
	if (process->is_frozen)
		signal_process(process, SIGCONT);
	process->is_frozen = false;
}

static void thaw_all(void)
{
	int i;

	for (i = 0; i < SOAK_SITES; i++) {
		thaw(&sites[i].server);
		thaw(&sites[i].elder);
	}
	for (i = 0; i < SOAK_CLIENTS; i++)
		thaw(&clients[i]);
}

/* Servers */

/* What it took it has answered, unless the client has gone. */
static void check_counters(uint32_t id)
{
	const struct unixservice_counters *counters =
		&soak_get_server(id)->counters;

	if (counters->received != counters->answered + counters->gone)
		soak_fail("expected server %u, stopped, to have answered all "
			  "of %" PRIu64 " messages, it was %" PRIu64
			  ": %" PRIu64 " dropped, %" PRIu64 " late, %" PRIu64
			  " failed, %" PRIu64 " stopped",
			id, counters->received, counters->answered,
			counters->dropped, counters->late, counters->failed,
			counters->stopped);
}

static void await_stopped(struct process *server)
{
	expect_good_end(server, "a server that was stopped");
	check_counters(server->id);
}

static void kill_server(int site, struct process *server)
{
	struct soak_server *book = soak_get_server(server->id);

	soak_book->kills[site]++;
	book->is_killed = true;
	signal_process(server, SIGKILL);
	/* It may have been at its end before. */
	if (await_end(server, "a server that was killed") == 0) {
		book->is_killed = false;
		check_counters(server->id);
	}
	soak_book->deaths[site]++;
	totals.kills++;
}

struct start {
	struct process process;
	int ready; /* what it tells is read from here */
};

static struct start begin_start(int site, unsigned int name_flags)
{
	struct start start = { .process.id = ++last_server };
	struct soak_server *book = soak_get_server(last_server);
	int pipe[2];

	SOAK_EXPECT(pipe2(pipe, O_CLOEXEC) == 0);
	book->id = last_server;
	book->is_killed = false;
	start.process.pid = soak_fork();
	if (start.process.pid == 0) {
		close(pipe[0]);
		book->pid = getpid();
		soak_serve(site, start.process.id, name_flags, pipe[1]);
	}
	close(pipe[1]);
	start.ready = pipe[0];
	return start;
}

static void await_ready(const struct start *start)
{
	struct pollfd ready = { .fd = start->ready, .events = POLLIN };
	const int64_t until_us = unixdeadline_after_us(limit_us);

	while (poll(&ready, 1, 20) <= 0) {
		check_others();
		if (unixdeadline_now_us() > until_us)
			soak_fail("expected server %u to serve",
				start->process.id);
	}
}

/* 0, or why it does not serve. Its end of the pipe is closed then. */
static int await_start(struct start *start)
{
	int error = -1;
	char byte;

	await_ready(start);
	if (read(start->ready, &error, sizeof(error)) != sizeof(error))
		soak_fail("expected server %u to serve, it died",
			start->process.id);
	await_ready(start);
	SOAK_EXPECT(read(start->ready, &byte, 1) == 0);
	close(start->ready);
	return error;
}

/* Exactly one gets the name. */
static void start_many(int site, unsigned int count)
{
	struct start starts[8];
	unsigned int i, serving = 0;
	int error;

	for (i = 0; i < count; i++)
		starts[i] = begin_start(site, 0);
	for (i = 0; i < count; i++) {
		error = await_start(&starts[i]);
		if (error == 0) {
			sites[site].server = starts[i].process;
			serving++;
			continue;
		}
		if (error != EADDRINUSE)
			soak_fail("expected %s to be served, or in use: %s",
				soak_get_address(site), strerror(error));
		expect_good_end(&starts[i].process, "a server without a name");
	}
	if (serving != 1)
		soak_fail("expected one server of %u to get %s, %u got it",
			count, soak_get_address(site), serving);
}

static void start_with(int site, unsigned int name_flags)
{
	struct start start = begin_start(site, name_flags);
	const int error = await_start(&start);

	if (error != 0)
		soak_fail("expected site %d to be served: %s", site,
			strerror(error));
	sites[site].server = start.process;
}

static void start_server(int site, unsigned int contenders)
{
	if (contenders == 0)
		start_with(site, UNIXMSG_LISTEN_REPLACE);
	else
		start_many(site, contenders);
	totals.starts++;
}

static void take_over(int site)
{
	sites[site].elder = sites[site].server;
	start_with(site, UNIXMSG_LISTEN_REPLACE);
	totals.takeovers++;
}

static void stop_server(int site)
{
	signal_process(&sites[site].server, SIGTERM);
	sites[site].elder = sites[site].server;
	sites[site].server.pid = 0;
	totals.stops++;
}

static void stop_elder(int site)
{
	signal_process(&sites[site].elder, SIGTERM);
	totals.stops++;
}

/* What it still has to answer has to be taken by those who asked. */
static void await_elder(int site)
{
	thaw_all();
	await_stopped(&sites[site].elder);
}

/* Clients */

static void settle(int client)
{
	struct soak_client *book = &soak_book->clients[client];

	if (book->sent != book->answered + book->lost + book->given)
		soak_fail("expected of %" PRIu64 " messages that client %d has "
			  "sent each to be answered or lost: %" PRIu64
			  " and %" PRIu64,
			book->sent, client, book->answered,
			book->lost + book->given);
	totals.sent += book->sent;
	totals.answered += book->answered;
	totals.lost += book->lost;
	totals.given += book->given;
	totals.lanes += book->lanes;
}

static void await_client(int client)
{
	thaw_all();
	expect_good_end(&clients[client], "a client that was to leave");
	settle(client);
	is_leaving[client] = false;
}

/* What is under way is lost with it. */
static void kill_client(int client)
{
	struct soak_client *book = &soak_book->clients[client];

	signal_process(&clients[client], SIGKILL);
	SOAK_EXPECT(await_end(&clients[client], "a client") == -SIGKILL);
	book->given = book->sent - book->answered - book->lost;
	SOAK_EXPECT(book->given <= book->sent);
	settle(client);
	totals.clients_killed++;
}

static void start_client(int client, int address)
{
	if (is_leaving[client])
		await_client(client);
	memset(&soak_book->clients[client], 0, sizeof(struct soak_client));
	last_life++;
	clients[client].is_frozen = false;
	clients[client].pid = soak_fork();
	if (clients[client].pid == 0)
		soak_talk(client, last_life, address);
	totals.clients++;
}

static void let_leave(int client)
{
	soak_book->clients[client].is_to_leave = true;
	is_leaving[client] = true;
}

static void take_client_step(const struct soak_step *step)
{
	struct soak_client *book = &soak_book->clients[step->target];

	switch (step->action) {
	case SOAK_COME:
		start_client(step->target, (int)step->amount);
		break;
	case SOAK_LEAVE:
		let_leave(step->target);
		break;
	case SOAK_KILL_CLIENT:
		kill_client(step->target);
		break;
	case SOAK_FREEZE_CLIENT:
		freeze(&clients[step->target]);
		break;
	case SOAK_FLOOD:
		book->flood += step->amount;
		break;
	case SOAK_CONNECT_ANEW:
		book->order = step->amount ? ANEW_AT_ONCE : ANEW_POLITELY;
		break;
	default:
		thaw_all();
	}
}

static void take_step(const struct soak_step *step)
{
	struct site *site = &sites[step->target % SOAK_SITES];

	switch (step->action) {
	case SOAK_START:
		start_server(step->target, step->amount);
		break;
	case SOAK_TAKE_OVER:
		take_over(step->target);
		break;
	case SOAK_STOP:
		stop_server(step->target);
		break;
	case SOAK_KILL:
		kill_server(step->target, &site->server);
		break;
	case SOAK_STOP_ELDER:
		stop_elder(step->target);
		break;
	case SOAK_KILL_ELDER:
		kill_server(step->target, &site->elder);
		break;
	case SOAK_AWAIT_ELDER:
		await_elder(step->target);
		break;
	case SOAK_FREEZE:
		freeze(&site->server);
		break;
	default:
		take_client_step(step);
	}
}

/* Figures */

/* Mappings of lanes. */
static int count_lanes(pid_t pid)
{
	char path[64], line[512];
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	SOAK_EXPECT(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, "/memfd:unixlane:") != NULL;
	fclose(file);
	return count;
}

/* Pages of its own: what is shared with others, or a file's, is no leak. */
static size_t get_memory_kib(pid_t pid)
{
	const size_t kib = files_get_kib(pid, "Anonymous");

	SOAK_EXPECT(kib > 0);
	return kib;
}

static int count_fds(pid_t pid)
{
	const int count = files_count_fds(pid);

	SOAK_EXPECT(count >= 0);
	return count;
}

static pid_t get_watched(int which)
{
	return which == 0 ? sites[SOAK_STEADY].server.pid : getpid();
}

static void measure_memory(struct figures *figures)
{
	int i;

	for (i = 0; i < 2; i++)
		figures->memory_kib[i] = get_memory_kib(get_watched(i));
}

static void measure_fds(struct figures *figures)
{
	int i;

	for (i = 0; i < 2; i++)
		figures->fds[i] = count_fds(get_watched(i));
}

/* It is there where the sanitizer is, which keeps what is freed. */
extern void __asan_init(void) __attribute__((weak));

static void compare_memory(int which, const char *whose)
{
	const size_t most_kib =
		first.memory_kib[which] + first.memory_kib[which] / 2 + 2048;

	if (__asan_init == NULL && last.memory_kib[which] > most_kib)
		soak_fail("expected %s to have %zu KiB at most, as at the "
			  "beginning, it has %zu",
			whose, most_kib, last.memory_kib[which]);
}

/*
 * The end of a connection has to be noticed first. When its buffer becomes
 * short a datagram socket asks the kernel who reads, and keeps the descriptor
 * that it asks with.
 */
static void compare_fds(void)
{
	const int most = first.fds[0] + SOAK_SITES / LINK_NETWORKS;
	/* That of a server which keeps them comes in vain. */
	const int64_t until_us = unixdeadline_after_us(
		soak_book->fault == SOAK_SOUND ? limit_us / 10 : 0);

	do {
		pause_until(unixdeadline_after_us(5000));
		measure_fds(&last);
	} while (last.fds[0] > most && unixdeadline_now_us() < until_us);
	if (last.fds[0] < first.fds[0] || last.fds[0] > most ||
		last.fds[1] != first.fds[1])
		soak_fail("expected %d to %d and %d descriptors without "
			  "clients, as at the beginning, there are %d and %d",
			first.fds[0], most, first.fds[1], last.fds[0],
			last.fds[1]);
}

/* Descriptors have told that the connections are closed. */
static void expect_no_lanes(void)
{
	const int count = count_lanes(get_watched(0));

	if (count != 0)
		soak_fail("expected no memory of lanes without clients, there "
			  "are %d mappings",
			count);
}

/* The beginning, the middle and the end */

static void follow_plan(struct soak_plan *plan, int64_t until_us)
{
	struct soak_step step;
	unsigned int place;

	while (unixdeadline_now_us() < until_us) {
		step = soak_plan_next(plan);
		place = soak_book->steps_count % SOAK_STEPS_KEPT;
		soak_format_step(&step, soak_book->steps[place],
			sizeof(soak_book->steps[place]));
		soak_book->steps_count++;
		take_step(&step);
		pause_until(unixdeadline_after_us(step.pause_ms * 1000));
	}
}

/* Clients of a site find out what has become of it when it is there again. */
static void fill_sites(void)
{
	int i;

	thaw_all();
	for (i = 0; i < SOAK_SITES; i++) {
		if (sites[i].elder.pid != 0) {
			signal_process(&sites[i].elder, SIGTERM);
			await_elder(i);
		}
		if (sites[i].server.pid == 0)
			start_server(i, 1);
	}
}

static void let_all_leave(void)
{
	int i;

	for (i = 0; i < SOAK_CLIENTS; i++)
		if (clients[i].pid != 0)
			let_leave(i);
	for (i = 0; i < SOAK_CLIENTS; i++)
		if (clients[i].pid != 0)
			await_client(i);
}

/* A client that dials removes the files of others that were killed. */
static void sweep(void)
{
	const int address = SOAK_SITES + LINK_GRAM;
	struct link link;
	int i;

	for (i = 0; i < 8; i++) {
		SOAK_EXPECT(
			link_dial(&link, LINK_GRAM, soak_get_address(address),
				NULL, UNIXMSG_NOW) == 0);
		SOAK_EXPECT(link_close(&link) == 0);
	}
}

static void stop_all(void)
{
	int i;

	for (i = 0; i <= SOAK_SITES; i++)
		signal_process(&sites[i].server, SIGTERM);
	for (i = 0; i <= SOAK_SITES; i++)
		await_stopped(&sites[i].server);
}

/* The directory of the clients' files stays, empty. */
static void expect_no_files(void)
{
	char path[sizeof(soak_book->dir) + 32];
	int count;

	snprintf(path, sizeof(path), "%s/unixmsg-%u", soak_book->dir,
		(unsigned int)geteuid());
	count = files_count(path);
	if (count != 0)
		soak_fail("expected no files of clients, there are %d", count);
	count = files_count(soak_book->dir);
	if (count != 1)
		soak_fail("expected no files of servers, there are %d",
			count - 1);
}

static void report(int seconds)
{
	snprintf(soak_book->report, sizeof(soak_book->report),
		"soak: %d seconds, seed %" PRIu64 ", %" PRIu64
		" messages, %u kills, %u takeovers, %u stops, %u starts, "
		"%u clients, %u of them killed, %" PRIu64 " lanes, %" PRIu64
		" lost with servers, %" PRIu64
		" with clients, server %zu to %zu KiB and %d to %d "
		"descriptors, conductor %zu to %zu KiB and %d to %d",
		seconds, soak_book->seed, totals.sent, totals.kills,
		totals.takeovers, totals.stops, totals.starts, totals.clients,
		totals.clients_killed, totals.lanes, totals.lost, totals.given,
		first.memory_kib[0], last.memory_kib[0], first.fds[0],
		last.fds[0], first.memory_kib[1], last.memory_kib[1],
		first.fds[1], last.fds[1]);
}

static void begin(struct soak_plan *plan)
{
	int i;

	SOAK_EXPECT(setenv("XDG_RUNTIME_DIR", soak_book->dir, 1) == 0);
	soak_plan_init(plan, soak_book->seed);
	start_many(SOAK_STEADY, 1);
	measure_fds(&first);
	for (i = 0; i < SOAK_STEADY_CLIENTS; i++)
		start_client(i, SOAK_SITES + i);
}

void soak_conduct(int seconds)
{
	const int64_t span_us = seconds * INT64_C(1000000);
	const int64_t begun_us = unixdeadline_now_us();
	struct soak_plan plan;

	begin(&plan);
	follow_plan(&plan, begun_us + span_us / 4);
	measure_memory(&first);
	follow_plan(&plan, begun_us + span_us);
	measure_memory(&last);
	fill_sites();
	let_all_leave();
	compare_fds();
	expect_no_lanes();
	sweep();
	stop_all();
	expect_no_files();
	compare_memory(0, "the server that stays");
	compare_memory(1, "the conductor");
	report(seconds);
	exit(EXIT_SUCCESS);
}
