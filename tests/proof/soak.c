/* SPDX-License-Identifier: MIT */
/*
 *	soak [SECONDS [SEED]]
 *	soak plan SEED STEPS
 *
 * Has servers and clients come, go and be killed for so long, 120 seconds by
 * default, and says what it came to; or prints the plan for that seed, which
 * is the same every time. How long each step takes is not.
 *
 *	SOAK_RESULT=FILE   where the report is written to, besides
 *	SOAK_FAULT=NAME    what servers do wrong: alters, drops, doubles,
 *	                   keeps-fds, keeps-file
 *
 * It fails when anything was lost that nobody has killed, altered, out of
 * order or answered twice, when memory or descriptors grow, or files stay.
 */
#include <config.h>

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proof/soak.h"
#include "support/files.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

/* Those that the conductor leaves behind die with it, and are ours then. */
static void await_all(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
}

/* A signal that comes while nobody waits is seen with the next look. */
static bool await_conductor(pid_t pid)
{
	pid_t ended;
	int how = 0;

	while ((ended = waitpid(pid, &how, WNOHANG)) == 0) {
		if (interrupted != 0)
			kill(pid, SIGKILL);
		poll(NULL, 0, 10);
	}
	return ended == pid && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static void tell_failure(void)
{
	const unsigned int count = soak_book->steps_count;
	unsigned int i = count > SOAK_STEPS_KEPT ? count - SOAK_STEPS_KEPT : 0;

	printf("soak: FAILED: %s\n",
		soak_book->has_failed ? soak_book->failure : "it died");
	for (; i < count; i++)
		printf("  step %u: %s\n", i + 1,
			soak_book->steps[i % SOAK_STEPS_KEPT]);
	printf("soak: SEED=%" PRIu64 " has the same plan\n", soak_book->seed);
}

static void tell_result(bool is_good)
{
	const char *path = getenv("SOAK_RESULT");
	FILE *file;

	if (is_good)
		puts(soak_book->report);
	else
		tell_failure();
	if (path == NULL || (file = fopen(path, "we")) == NULL)
		return;
	if (is_good)
		fprintf(file, "%s\n", soak_book->report);
	else
		fprintf(file, "soak: FAILED with seed %" PRIu64 ": %s\n",
			soak_book->seed, soak_book->failure);
	fclose(file);
}

static int run(int seconds)
{
	const struct sigaction action = { .sa_handler = interrupt };
	bool is_good;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	printf("soak: %d seconds, SEED=%" PRIu64 "\n", seconds,
		soak_book->seed);
	fflush(stdout);
	pid = soak_fork();
	if (pid == 0)
		soak_conduct(seconds);
	is_good = await_conductor(pid);
	await_all();
	files_remove(soak_book->dir);
	if (interrupted != 0) {
		puts("soak: interrupted");
		return 128 + interrupted;
	}
	tell_result(is_good);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print_plan(const char *seed, const char *steps)
{
	struct soak_plan plan;
	struct soak_step step;
	long i, count = strtol(steps, NULL, 10);
	char text[80];

	soak_plan_init(&plan, strtoull(seed, NULL, 10));
	for (i = 0; i < count; i++) {
		step = soak_plan_next(&plan);
		soak_format_step(&step, text, sizeof(text));
		puts(text);
	}
	return EXIT_SUCCESS;
}

/* Any, but short enough to be typed. */
static uint64_t make_seed(void)
{
	uint32_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)getpid();
	return seed;
}

static enum soak_fault get_fault(void)
{
	static const char *const names[SOAK_FAULTS] = {
		[SOAK_ALTERS] = "alters",
		[SOAK_DROPS] = "drops",
		[SOAK_DOUBLES] = "doubles",
		[SOAK_KEEPS_FDS] = "keeps-fds",
		[SOAK_KEEPS_FILE] = "keeps-file",
	};
	const char *name = getenv("SOAK_FAULT");
	int i;

	for (i = SOAK_SOUND + 1; name != NULL && i < SOAK_FAULTS; i++)
		if (strcmp(names[i], name) == 0)
			return (enum soak_fault)i;
	return SOAK_SOUND;
}

int main(int argc, char **argv)
{
	const char *seconds = argc > 1 && argv[1][0] != '\0' ? argv[1] : "120";
	const char *seed = argc > 2 ? argv[2] : "";

	if (argc == 4 && strcmp(argv[1], "plan") == 0)
		return print_plan(argv[2], argv[3]);
	if (soak_book_open(seed[0] != '\0' ? strtoull(seed, NULL, 10)
					   : make_seed()) < 0) {
		perror("soak");
		return EXIT_FAILURE;
	}
	soak_book->fault = get_fault();
	return run(atoi(seconds));
}
