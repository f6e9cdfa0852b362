/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/perf/perf_worker.h"

/* No job takes this long. */
enum { PATIENCE_SECONDS = 60 };

static volatile sig_atomic_t worker_pid;

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

/* True if the worker has complained itself before its end. */
static bool has_told(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status);
}

/* Exits in the handler: nothing else ends a plain system call that blocks. */
static void end_early(int number)
{
	pid_t pid = (pid_t)worker_pid;

	if (number == SIGCHLD && !has_told(pid))
		say("unixmsg-perf: the process of the service was killed\n");
	else if (number == SIGALRM)
		say("unixmsg-perf: nothing has moved for a minute\n");
	else if (number != SIGCHLD)
		say("unixmsg-perf: interrupted\n");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	_exit(TOOL_FAILED);
}

static const int ends[] = { SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGTERM };

static int set_ends(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };
	size_t i;

	action.sa_flags = SA_NOCLDSTOP;
	sigfillset(&action.sa_mask);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (sigaction(ends[i], &action, NULL) < 0)
			return -1;
	action.sa_handler = SIG_IGN;
	return sigaction(SIGPIPE, &action, NULL);
}

static int pin(int cpu)
{
	cpu_set_t cpus;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) == 0)
		return 0;
	tool_complain("--cpus: CPU %d: %s", cpu,
		errno == EINVAL ? "there is none, or we may not run on it"
				: strerror(errno));
	return -1;
}

static int complain(const struct perf_case *it)
{
	tool_complain("%s, %s: %s", perf_network_get_name(it->network),
		it->label,
		errno == EBADMSG ? "a message has come that was not sent"
				 : strerror(errno));
	return TOOL_FAILED;
}

/* Drains before the client begins, which waits for this reply. */
static int prepare_lossy(int control, struct perf_plan *plan,
	const struct perf_job *job)
{
	perf_job_drain(plan, job);
	return send(control, "", 1, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int serve(int control, struct perf_plan *plan)
{
	struct perf_job job;
	size_t received;

	while (recv(control, &job, sizeof(job), 0) == sizeof(job)) {
		if (perf_job_is_lossy(plan, &job) &&
			prepare_lossy(control, plan, &job) < 0)
			return TOOL_FAILED;
		if (perf_job_serve(plan, &job, &received) < 0)
			return complain(&plan->cases[job.index]);
		if (send(control, &received, sizeof(received), MSG_NOSIGNAL) <
			0)
			return TOOL_FAILED;
	}
	return TOOL_OK;
}

static int be_worker(int control, struct perf_plan *plan, pid_t parent)
{
	if (set_ends(SIG_DFL) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return TOOL_FAILED;
	/* The parent may have died before. */
	if (getppid() != parent || pin(plan->options->cpus[1]) < 0)
		return TOOL_FAILED;
	/* Signals of the terminal go to the parent, which ends the worker. */
	setpgid(0, 0);
	return serve(control, plan);
}

static int fail(const char *what)
{
	tool_complain("%s: %s", what, strerror(errno));
	return -1;
}

static void block_ends(int how)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(how, &set, NULL);
}

/* Blocks signals until the number of the worker is known. */
static pid_t fork_worker(int control, struct perf_plan *plan)
{
	pid_t parent = getpid(), pid;

	block_ends(SIG_BLOCK);
	pid = fork();
	worker_pid = pid;
	if (pid != 0) {
		block_ends(SIG_UNBLOCK);
		return pid;
	}
	set_ends(SIG_DFL);
	block_ends(SIG_UNBLOCK);
	_exit(be_worker(control, plan, parent));
}

static int start(struct perf_worker *worker, struct perf_plan *plan,
	int control)
{
	if (pin(plan->options->cpus[0]) < 0)
		return -1;
	if (set_ends(end_early) < 0)
		return fail("sigaction");
	worker->pid = fork_worker(control, plan);
	if (worker->pid < 0)
		return fail("fork");
	return 0;
}

int perf_worker_start(struct perf_worker *worker, struct perf_plan *plan)
{
	int controls[2], result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, controls) < 0)
		return fail("socketpair");
	worker->control = controls[0];
	result = start(worker, plan, controls[1]);
	close(controls[1]);
	if (result < 0)
		close(controls[0]);
	return result;
}

/* Returns 1 if a reply is there, 0, or -1. */
static int look_for_reply(const struct perf_worker *worker)
{
	struct pollfd fd = { .fd = worker->control, .events = POLLIN };
	int ready = poll(&fd, 1, 1);

	return ready < 0 && errno == EINTR ? 0 : ready;
}

static int take_reply(struct perf_worker *worker, struct perf_plan *plan,
	const struct perf_job *job, size_t *received)
{
	int ready = !perf_job_is_lossy(plan, job);

	while (ready == 0) {
		perf_job_tell_end(plan, job);
		ready = look_for_reply(worker);
	}
	if (ready < 0)
		return -1;
	if (recv(worker->control, received, sizeof(*received), 0) ==
		sizeof(*received))
		return 0;
	/* The end of the worker also raises a signal, which complains. */
	return -1;
}

static int run_alone(struct perf_plan *plan, const struct perf_job *job,
	size_t *samples)
{
	alarm(PATIENCE_SECONDS);
	return perf_job_run(plan, job, samples);
}

static int run_both(struct perf_worker *worker, struct perf_plan *plan,
	const struct perf_job *job, size_t *received, size_t *samples)
{
	char ready;

	if (send(worker->control, job, sizeof(*job), MSG_NOSIGNAL) < 0)
		return -1;
	if (perf_job_is_lossy(plan, job) &&
		recv(worker->control, &ready, sizeof(ready), 0) < 0)
		return -1;
	if (run_alone(plan, job, samples) < 0)
		return -1;
	return take_reply(worker, plan, job, received);
}

int perf_worker_run(struct perf_worker *worker, struct perf_plan *plan,
	const struct perf_job *job, uint64_t *duration_ns, size_t *received,
	size_t *samples)
{
	const struct perf_case *it = &plan->cases[job->index];
	uint64_t before_ns = tool_now_ns();
	int result;

	*received = job->count;
	if (it->address != NULL)
		result = run_alone(plan, job, samples);
	else
		result = run_both(worker, plan, job, received, samples);
	*duration_ns = tool_now_ns() - before_ns;
	alarm(0);
	if (result < 0)
		complain(it);
	return result;
}

/* From now on the end of the worker is expected. */
void perf_worker_stop(struct perf_worker *worker)
{
	signal(SIGCHLD, SIG_DFL);
	close(worker->control);
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
}
