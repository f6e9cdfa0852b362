/* SPDX-License-Identifier: MIT */
/*
 * In a test program of ours fault_start says what shall fail. A tool is told
 * by its environment:
 *
 *   FAULT_LOG     a file that gets a line for each call, "NAME SITE", and as
 *                 the last "end HITS BLOCKS FDS". Without it nothing happens.
 *   FAULT_NTH     which call fails, from 1 on; with FAULT_CALL, its name, and
 *   FAULT_ERRNO   a number
 *   FAULT_MODE    once or forever
 *   FAULT_HASTE   how many times faster time goes while it sleeps: 1
 *   FAULT_WHO     child: all of this is for its children instead, which fork(2)
 *                 makes and _exit(2) ends
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proof/fault.h"

/* What a walk over /proc of a busy machine makes is not all recorded. */
enum { RECORDS_MOST = 65536 };

/* Of the linker: where the program begins, wherever it was loaded. */
extern const char __ehdr_start;

static _Thread_local bool is_on;

static struct fault fault;
static struct fault_record records[RECORDS_MOST];
static unsigned int calls_count, hits;
static int64_t passed_ns;
static bool is_tool;
static bool is_for_child;
static struct fault child_fault;
static int haste = 1;
static atomic_long blocks;

void fault_start(const struct fault *what)
{
	fault = *what;
	calls_count = 0;
	hits = 0;
	passed_ns = 0;
	is_on = true;
}

void fault_stop(void)
{
	is_on = false;
}

void fault_continue(void)
{
	is_on = true;
}

void fault_fail_one(const char *call, unsigned int skip, int error)
{
	fault_start(&(struct fault){
		.number = FAULT_NEXT,
		.call = call,
		.error = error,
		.skip = skip,
	});
}

void fault_fail_all(const char *call, int error)
{
	fault_start(&(struct fault){
		.number = FAULT_NEXT,
		.call = call,
		.error = error,
		.is_forever = true,
	});
}

bool fault_is_on(void)
{
	return is_on;
}

unsigned int fault_get_hits(void)
{
	return hits;
}

const struct fault_record *fault_get_records(unsigned int *count)
{
	*count = calls_count < RECORDS_MOST ? calls_count : RECORDS_MOST;
	return records;
}

long fault_get_blocks(void)
{
	return blocks;
}

void fault_count_blocks(long more)
{
	blocks += more;
}

static void record(const char *name, const void *site)
{
	if (fault_find(name) == NULL) {
		fprintf(stderr, "fault: %s is not in the table\n", name);
		abort();
	}
	if (calls_count < RECORDS_MOST)
		records[calls_count] = (struct fault_record){ name, site };
	calls_count++;
}

static bool is_next(void)
{
	if (fault.skip == 0)
		return hits == 0;
	fault.skip--;
	return false;
}

static bool is_struck(const char *name)
{
	if (fault.number == 0 || strcmp(name, fault.call) != 0)
		return false;
	if (fault.is_forever && hits > 0)
		return true;
	if (fault.number == FAULT_NEXT)
		return is_next();
	return calls_count == fault.number;
}

bool fault_strikes(const char *name, const void *site)
{
	if (!is_on)
		return false;
	record(name, site);
	if (!is_struck(name))
		return false;
	hits++;
	errno = fault.error;
	return true;
}

bool fault_is_time_ours(void)
{
	return is_on && !is_tool;
}

int fault_get_haste(void)
{
	return haste;
}

void fault_pass_time(int64_t time_ns)
{
	passed_ns += time_ns;
}

int64_t fault_get_passed_ns(void)
{
	return passed_ns;
}

/* The directory's own is not counted. */
static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int count = -1;

	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void write_log(void)
{
	const char *path = getenv("FAULT_LOG");
	long blocks_left = fault_get_blocks();
	unsigned int i, count;
	int fds;
	FILE *file;

	is_on = false;
	fds = count_fds();
	file = fopen(path, "we");
	if (file == NULL)
		return;
	fault_get_records(&count);
	for (i = 0; i < count; i++)
		fprintf(file, "%s %lx\n", records[i].call,
			(unsigned long)((const char *)records[i].site -
				&__ehdr_start));
	fprintf(file, "end %u %ld %d\n", hits, blocks_left, fds);
	fclose(file);
}

static int get_number(const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? 0 : atoi(value);
}

static void __attribute__((constructor)) start_tool(void)
{
	const char *mode = getenv("FAULT_MODE");
	struct fault what = {
		.number = (unsigned int)get_number("FAULT_NTH"),
		.call = getenv("FAULT_CALL"),
		.error = get_number("FAULT_ERRNO"),
		.is_forever = mode != NULL && strcmp(mode, "forever") == 0,
	};

	if (getenv("FAULT_LOG") == NULL)
		return;
	is_tool = true;
	if (getenv("FAULT_HASTE") != NULL)
		haste = get_number("FAULT_HASTE");
	if (what.call == NULL)
		what.number = 0;
	child_fault = what;
	is_for_child = getenv("FAULT_WHO") != NULL;
	if (is_for_child)
		return;
	atexit(write_log);
	fault_start(&what);
}

void fault_begin_child(void)
{
	if (!is_for_child)
		return;
	blocks = 0;
	fault_start(&child_fault);
}

void fault_end_child(void)
{
	if (is_for_child && is_on)
		write_log();
}
