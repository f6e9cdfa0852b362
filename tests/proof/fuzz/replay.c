/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over its corpus, without a fuzzer: over each file as it
 * is, and over the same cut off at each byte, since an end that comes too early
 * is what readers get wrong. Files that are given as arguments are run
 * instead, as they are.
 *
 * A file NAME.hex holds the bytes as hex digits, with # before a comment, so
 * that what is no text can be read and changed too.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "tools/common/hex.h"

enum { SIZE_MAX_OF_SEED = 65536, SECONDS = 60 };

struct seed {
	char bytes[SIZE_MAX_OF_SEED];
	size_t size;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", fuzz_noun, what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Puts blanks over comments and newlines. */
static void clear_comments(struct seed *seed)
{
	bool is_comment = false;
	size_t i;

	for (i = 0; i < seed->size; i++) {
		if (seed->bytes[i] == '#')
			is_comment = true;
		if (seed->bytes[i] == '\n')
			is_comment = false;
		if (is_comment || seed->bytes[i] == '\n')
			seed->bytes[i] = ' ';
	}
}

static void decode(struct seed *seed, const char *path)
{
	const char *why;
	size_t column;

	clear_comments(seed);
	if (hex_decode(seed->bytes, &seed->size, &why, &column) == 0)
		return;
	fprintf(stderr, "%s: byte %zu: %s\n", path, column, why);
	exit(EXIT_FAILURE);
}

static void read_seed(struct seed *seed, const char *path)
{
	const char *end = strrchr(path, '.');
	FILE *file = fopen(path, "re");

	if (file == NULL)
		die(path);
	seed->size = fread(seed->bytes, 1, sizeof(seed->bytes), file);
	if (ferror(file) || fgetc(file) != EOF)
		die(path);
	fclose(file);
	if (end != NULL && strcmp(end, ".hex") == 0)
		decode(seed, path);
}

static void run(const struct seed *seed, size_t size)
{
	LLVMFuzzerTestOneInput((const uint8_t *)seed->bytes, size);
}

/* Signals come in between, where the suite is tried with them. */
static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return status;
}

/* In a process of its own: one failure hides no other. */
static bool run_file(const char *path, bool is_cut_too)
{
	static struct seed seed;
	pid_t pid = fork();
	size_t size;
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		alarm(SECONDS);
		read_seed(&seed, path);
		run(&seed, seed.size);
		for (size = 0; is_cut_too && size < seed.size; size++)
			run(&seed, size);
		exit(EXIT_SUCCESS);
	}
	status = wait_for(pid);
	if (status != 0)
		printf("FAILED: %s\n", path);
	return status == 0;
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

struct counts {
	int passed;
	int failed;
};

static void run_folder(struct counts *counts)
{
	const char *top = getenv("srcdir");
	struct dirent **entries;
	char path[4096];
	int i, count;

	snprintf(path, sizeof(path), "%s/tests/proof/fuzz/corpus/%s",
		top != NULL ? top : ".", fuzz_noun);
	if (chdir(path) < 0)
		die(path);
	count = scandir(".", &entries, is_seed, alphasort);
	if (count <= 0)
		die(path);
	for (i = 0; i < count; i++) {
		if (run_file(entries[i]->d_name, true))
			counts->passed++;
		else
			counts->failed++;
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	struct counts counts = { 0, 0 };
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc; i++) {
		if (run_file(argv[i], false))
			counts.passed++;
		else
			counts.failed++;
	}
	if (argc <= 1)
		run_folder(&counts);
	printf("cases: %d passed, %d failed, 0 skipped\n", counts.passed,
		counts.failed);
	return counts.failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
