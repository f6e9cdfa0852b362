/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/aside.h"
#include "name/file.h"
#include "name/name_private.h"
#include "name/probe.h"
#include "name/sweep.h"
#include "unixmsg/deadline.h"

/* The most names to choose a start from, and the most files to look at. */
enum { NAMES_MOST = 1024, LIVES_MOST = 4, DEADS_MOST = 64 };

/* The most names to read at all: in /tmp most belong to others. */
enum { READS_MOST = 16384 };

struct sweep {
	DIR *dir;
	const char *path, *start;
	unsigned int reads;
	int looks, lives, deads;
};

/*
 * The probe comes first and costs nobody anything. We do not wait for the lock:
 * its holder is sweeping already, or wants to keep us from it.
 */
static int remove_dead(const struct sweep *sweep, const char *leaf, int path_fd)
{
	if (unixprobe__is_dead(path_fd, sweep->path, leaf) < 0)
		return -1;
	return unixname__remove_dead(dirfd(sweep->dir), sweep->path, leaf,
		path_fd, UNIXMSG_NOW);
}

/* In /tmp others may make as many files with such names as they like. */
static bool is_ours(const struct sweep *sweep, int path_fd)
{
	struct stat found;

	return sweep->start[0] == '\0' ||
		(fstat(path_fd, &found) == 0 && found.st_uid == geteuid());
}

static void sweep_file(struct sweep *sweep, const char *leaf)
{
	int fd = fd_lift(openat(dirfd(sweep->dir), leaf,
		O_PATH | O_NOFOLLOW | O_CLOEXEC));

	if (fd < 0)
		return;
	if (!is_ours(sweep, fd))
		sweep->looks++;
	else if (remove_dead(sweep, leaf, fd) == 0)
		sweep->deads++;
	else if (errno == EAGAIN)
		sweep->lives = LIVES_MOST;
	else
		sweep->lives++;
	close(fd);
}

/* Settles a file that a killed sweep has left, or another sweep works on. */
static void sweep_aside(struct sweep *sweep, const char *leaf)
{
	int dir_fd = dirfd(sweep->dir);

	sweep->lives++;
	if (unixfile__lock(dir_fd, UNIXMSG_NOW) < 0)
		return;
	unixaside__repair(dir_fd, sweep->path, leaf);
	unixfile__unlock(dir_fd);
}

static void sweep_entry(struct sweep *sweep, const char *entry)
{
	const char *leaf = unixaside__get_leaf(entry);

	if (leaf != NULL)
		sweep_aside(sweep, leaf);
	else
		sweep_file(sweep, entry);
}

/*
 * Skips hidden names of others. In our own directory any file that was set
 * aside is ours.
 */
static bool is_hidden(const struct sweep *sweep, const char *leaf)
{
	return leaf[0] == '.' &&
		(sweep->start[0] != '\0' ||
			strncmp(leaf, UNIXFILE_ASIDE_ANY,
				strlen(UNIXFILE_ASIDE_ANY)) != 0);
}

static bool is_clients(const struct sweep *sweep, const char *entry)
{
	const char *leaf = unixaside__get_leaf(entry);

	if (leaf == NULL)
		leaf = entry;
	return !is_hidden(sweep, leaf) &&
		strncmp(leaf, sweep->start, strlen(sweep->start)) == 0;
}

/* Returns the next name that may be a client's file. */
static const char *read_name(struct sweep *sweep)
{
	const struct dirent *entry;

	while (sweep->reads++ < READS_MOST &&
		(entry = readdir(sweep->dir)) != NULL)
		if (is_clients(sweep, entry->d_name))
			return entry->d_name;
	return NULL;
}

static void go_to_head(struct sweep *sweep)
{
	rewinddir(sweep->dir);
	sweep->reads = 0;
}

static unsigned int count_names(struct sweep *sweep)
{
	unsigned int count = 0;

	while (count < NAMES_MOST && read_name(sweep) != NULL)
		count++;
	return count;
}

/* Looks at the next count files, unless it has seen enough before. */
static void sweep_files(struct sweep *sweep, unsigned int count)
{
	const char *entry;

	while (count-- > 0 && sweep->lives < LIVES_MOST &&
		sweep->deads < DEADS_MOST && sweep->looks < NAMES_MOST &&
		(entry = read_name(sweep)) != NULL)
		sweep_entry(sweep, entry);
}

/*
 * Live files stay at the head of the list as long as they live, and would hide
 * the dead ones behind them. So the sweep starts at a random place, and goes on
 * at the head.
 */
static void sweep_from_anywhere(struct sweep *sweep, unsigned int count)
{
	uint16_t random = 0;
	unsigned int start, i;

	if (getrandom(&random, sizeof(random), 0) < 0)
		return;
	start = random % count;
	go_to_head(sweep);
	for (i = 0; i < start; i++)
		read_name(sweep);
	sweep_files(sweep, UINT32_MAX);
	go_to_head(sweep);
	sweep_files(sweep, start);
}

void unixsweep__directory(int dir_fd, const char *dir, const char *start)
{
	struct sweep sweep = { .path = dir, .start = start };
	int saved = errno;
	unsigned int count;

	sweep.dir = fdopendir(dir_fd);
	if (sweep.dir == NULL) {
		fd_close(dir_fd);
		errno = saved;
		return;
	}
	count = count_names(&sweep);
	if (count > 0)
		sweep_from_anywhere(&sweep, count);
	closedir(sweep.dir);
	errno = saved;
}
