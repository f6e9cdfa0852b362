/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/cat/jobs.h"
#include "tools/common/tool.h"
#include "unixmsg.h"

struct process {
	pid_t pid; /* 0: the place is free */
	uint64_t owner;
	int pid_fd;
	int output_fd; /* -1 at its end */
	int64_t deadline_us;
	const char *killed; /* why it was killed, or NULL */
	char *output;
	size_t size;
	size_t room;
};

struct jobs {
	unsigned int most;
	int64_t limit_us;
	size_t output_max;
	jobs_taker *taker;
	void *context;
	int wake_fd; /* an epoll of all descriptors below */
	int timer_fd;
	struct process *processes;
};

static int watch(const struct jobs *jobs, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(jobs->wake_fd, EPOLL_CTL_ADD, fd, &event);
}

struct jobs *jobs_new(unsigned int most, int64_t limit_us, size_t output_max,
	jobs_taker *taker, void *context)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs == NULL)
		return NULL;
	jobs->most = most;
	jobs->limit_us = limit_us;
	jobs->output_max = output_max;
	jobs->taker = taker;
	jobs->context = context;
	jobs->processes = calloc(most, sizeof(*jobs->processes));
	jobs->wake_fd = epoll_create1(EPOLL_CLOEXEC);
	jobs->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (jobs->processes != NULL && jobs->wake_fd >= 0 &&
		jobs->timer_fd >= 0 && watch(jobs, jobs->timer_fd) == 0)
		return jobs;
	jobs_free(jobs);
	return NULL;
}

/* Kills the process and all that it has started. */
static void kill_all_of(const struct process *process)
{
	kill(-process->pid, SIGKILL);
	kill(process->pid, SIGKILL);
}

/* A later job that only forks has a copy, so close(2) alone would leave it in
 * the epoll: wake_fd would stay readable for as long as that job runs. */
static void unwatch(const struct jobs *jobs, int fd)
{
	if (fd < 0)
		return;
	epoll_ctl(jobs->wake_fd, EPOLL_CTL_DEL, fd, NULL);
	close(fd);
}

static void close_output(const struct jobs *jobs, struct process *process)
{
	unwatch(jobs, process->output_fd);
	process->output_fd = -1;
}

static void forget(const struct jobs *jobs, struct process *process)
{
	close_output(jobs, process);
	unwatch(jobs, process->pid_fd);
	free(process->output);
	memset(process, 0, sizeof(*process));
}

static int wait_for_end(const struct process *process)
{
	int status = 0;

	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

void jobs_free(struct jobs *jobs)
{
	unsigned int i;

	if (jobs == NULL)
		return;
	for (i = 0; jobs->processes != NULL && i < jobs->most; i++) {
		if (jobs->processes[i].pid == 0)
			continue;
		kill_all_of(&jobs->processes[i]);
		wait_for_end(&jobs->processes[i]);
		forget(jobs, &jobs->processes[i]);
	}
	if (jobs->wake_fd >= 0)
		close(jobs->wake_fd);
	if (jobs->timer_fd >= 0)
		close(jobs->timer_fd);
	free(jobs->processes);
	free(jobs);
}

int jobs_get_fd(const struct jobs *jobs)
{
	return jobs->wake_fd;
}

static int64_t get_moment(const struct jobs *jobs)
{
	int64_t moment_us = UNIXMSG_FOREVER;
	unsigned int i;

	for (i = 0; i < jobs->most; i++)
		if (jobs->processes[i].pid != 0 &&
			jobs->processes[i].killed == NULL &&
			jobs->processes[i].deadline_us < moment_us)
			moment_us = jobs->processes[i].deadline_us;
	return moment_us;
}

/* The timer makes wake_fd readable, and so ends any wait for it. */
static int set_timer(const struct jobs *jobs)
{
	const int64_t moment_us = get_moment(jobs);
	struct itimerspec when = { .it_value = { 0 } };

	if (moment_us != UNIXMSG_FOREVER) {
		when.it_value.tv_sec = moment_us / 1000000;
		when.it_value.tv_nsec = moment_us % 1000000 * 1000;
	}
	return timerfd_settime(jobs->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void jobs_disown(struct jobs *jobs, uint64_t owner)
{
	unsigned int i;

	for (i = 0; i < jobs->most; i++)
		if (jobs->processes[i].owner == owner)
			jobs->processes[i].owner = 0;
}

static void kill_for(const struct jobs *jobs, struct process *process,
	const char *why)
{
	if (process->killed != NULL)
		return;
	process->killed = why;
	kill_all_of(process);
	close_output(jobs, process);
}

static bool make_room(struct process *process)
{
	size_t room = process->room == 0 ? 4096 : 2 * process->room;
	char *output;

	if (process->size < process->room)
		return true;
	output = realloc(process->output, room);
	if (output == NULL)
		return false;
	process->output = output;
	process->room = room;
	return true;
}

/* False if there is no more now. */
static bool read_piece(const struct jobs *jobs, struct process *process)
{
	ssize_t got;

	if (!make_room(process)) {
		kill_for(jobs, process, "no memory for its output");
		return false;
	}
	got = read(process->output_fd, process->output + process->size,
		process->room - process->size);
	if (got > 0)
		process->size += (size_t)got;
	else if (got == 0)
		close_output(jobs, process);
	else if (errno == EAGAIN)
		return false;
	else if (errno != EINTR)
		kill_for(jobs, process, "its output cannot be read");
	return true;
}

static void read_output(const struct jobs *jobs, struct process *process)
{
	while (process->output_fd >= 0 && read_piece(jobs, process))
		if (process->size > jobs->output_max)
			kill_for(jobs, process, "its output is too large");
}

static bool is_well(const struct process *process, int status)
{
	if (process->killed != NULL)
		tool_complain("process %jd: %s", (intmax_t)process->pid,
			process->killed);
	else if (WIFSIGNALED(status))
		tool_complain("process %jd: ended by signal %d",
			(intmax_t)process->pid, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		tool_complain("process %jd: exit status %d",
			(intmax_t)process->pid, WEXITSTATUS(status));
	else
		return true;
	return false;
}

static void finish(struct jobs *jobs, struct process *process, int status)
{
	struct process ended = *process;
	bool is_good = is_well(process, status);

	/* Frees its place before the callback, which may start another. */
	memset(process, 0, sizeof(*process));
	jobs->taker(ended.owner,
		!is_good                 ? NULL
			: ended.size > 0 ? ended.output
					 : "",
		is_good ? ended.size : 0, jobs->context);
	forget(jobs, &ended);
}

static void look_at(struct jobs *jobs, struct process *process)
{
	int status = 0;
	/* Checks the end before the output: then no output can follow. */
	bool is_over = waitpid(process->pid, &status, WNOHANG) == process->pid;

	read_output(jobs, process);
	if (is_over)
		finish(jobs, process, status);
	else if (unixdeadline_now_us() >= process->deadline_us)
		kill_for(jobs, process, "it took too long");
}

void jobs_look(struct jobs *jobs)
{
	unsigned int i;

	for (i = 0; i < jobs->most; i++)
		if (jobs->processes[i].pid != 0)
			look_at(jobs, &jobs->processes[i]);
	set_timer(jobs);
}

static struct process *find_place(const struct jobs *jobs)
{
	unsigned int i;

	for (i = 0; i < jobs->most; i++)
		if (jobs->processes[i].pid == 0)
			return &jobs->processes[i];
	return NULL;
}

bool jobs_has_place(const struct jobs *jobs)
{
	return find_place(jobs) != NULL;
}

unsigned int jobs_count(const struct jobs *jobs, uint64_t owner)
{
	unsigned int i, count = 0;

	for (i = 0; i < jobs->most; i++)
		if (jobs->processes[i].pid != 0 &&
			jobs->processes[i].owner == owner)
			count++;
	return count;
}

/* False without a process to wait for, or after a second signal. */
static bool wait_for_any(struct jobs *jobs, int64_t deadline_us)
{
	struct pollfd fds[] = {
		{ .fd = jobs->wake_fd, .events = POLLIN },
		{ .fd = tool_get_second_stop_fd(), .events = POLLIN },
	};

	if (poll(fds, 2, tool_get_patience_ms(deadline_us)) < 0 &&
		errno != EINTR)
		return false;
	jobs_look(jobs);
	return tool_get_stops() < 2;
}

static struct process *wait_for_place(struct jobs *jobs)
{
	struct process *place;

	while ((place = find_place(jobs)) == NULL)
		if (!wait_for_any(jobs, UNIXMSG_FOREVER))
			return NULL;
	return place;
}

static bool is_any_left(const struct jobs *jobs)
{
	unsigned int i;

	for (i = 0; i < jobs->most; i++)
		if (jobs->processes[i].pid != 0)
			return true;
	return false;
}

void jobs_finish(struct jobs *jobs, int64_t deadline_us)
{
	while (is_any_left(jobs) && unixdeadline_now_us() < deadline_us &&
		wait_for_any(jobs, deadline_us))
		continue;
}

/* The functions below run in the new process. */

static void take_standard(int input_fd, int output_fd)
{
	if (dup2(input_fd, STDIN_FILENO) < 0 ||
		dup2(output_fd, STDOUT_FILENO) < 0)
		_exit(126);
}

/* First moves each descriptor above all targets: it may be in the place of
 * another. */
static void take_fds(const struct job *job)
{
	const int first = STDERR_FILENO + 1;
	int lifted[UNIXMSG_FDS_MAX];
	size_t i;

	for (i = 0; i < job->fds_count; i++)
		lifted[i] = fcntl(job->fds[i], F_DUPFD_CLOEXEC,
			first + (int)job->fds_count);
	for (i = 0; i < job->fds_count; i++)
		if (lifted[i] < 0 || dup2(lifted[i], first + (int)i) < 0)
			_exit(126);
}

static void become(const struct job *job, int input_fd, int output_fd)
{
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	take_standard(input_fd, output_fd);
	take_fds(job);
	_exit(job->run(job->context));
}

/* The functions below run in the parent again. */

/* Returns 0, or -1 with errno after it has killed the process. */
static int take_charge(struct jobs *jobs, struct process *process)
{
	int saved;

	setpgid(process->pid, process->pid);
	process->pid_fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	process->deadline_us = unixdeadline_after_us(jobs->limit_us);
	if (process->pid_fd >= 0 &&
		fcntl(process->output_fd, F_SETFL, O_NONBLOCK) == 0 &&
		watch(jobs, process->pid_fd) == 0 &&
		watch(jobs, process->output_fd) == 0 && set_timer(jobs) == 0)
		return 0;
	saved = errno;
	kill_all_of(process);
	wait_for_end(process);
	forget(jobs, process);
	errno = saved;
	return -1;
}

static int start(struct jobs *jobs, struct process *process,
	const struct job *job, int input_fd)
{
	int output[2];

	if (pipe2(output, O_CLOEXEC) < 0)
		return -1;
	process->pid = fork();
	if (process->pid == 0)
		become(job, input_fd, output[1]);
	close(output[1]);
	if (process->pid < 0) {
		process->pid = 0;
		close(output[0]);
		return -1;
	}
	process->owner = job->owner;
	process->output_fd = output[0];
	return take_charge(jobs, process);
}

/* The input is a file, so a program that does not read it blocks nothing. */
static int open_input(const struct job *job)
{
	int fd = unixblob_open(job->input, job->input_size);

	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static int complain_of_start(void)
{
	return tool_complain("a process cannot be started: %s",
		strerror(errno));
}

int jobs_start(struct jobs *jobs, const struct job *job)
{
	struct process *place = wait_for_place(jobs);
	int input_fd, result;

	if (place == NULL)
		return tool_complain("interrupted");
	input_fd = open_input(job);
	if (input_fd < 0)
		return complain_of_start();
	result = start(jobs, place, job, input_fd);
	if (result < 0)
		complain_of_start();
	close(input_fd);
	return result;
}
