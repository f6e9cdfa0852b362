/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/random.h>
#include <unistd.h>

#include "aside.h"
#include "fd.h"
#include "file.h"
#include "name_private.h"
#include "probe.h"
#include "sweep.h"
#include "unixmsg/deadline.h"

/* Names that are counted to begin anywhere, and files that are looked at. */
enum { NAMES_MOST = 1024, LIVES_MOST = 4, DEADS_MOST = 64 };

struct sweep {
	DIR *dir;
	const char *path;
	int lives, deads;
};

/*
 * The probe comes first, and costs nobody anything. For the lock we do not
 * wait: who holds it sweeps himself, or wants to keep us from it.
 */
static int remove_dead(const struct sweep *sweep, const char *leaf, int path_fd)
{
	if (unixprobe_is_dead(path_fd, sweep->path, leaf) < 0)
		return -1;
	return unixname_remove_dead(dirfd(sweep->dir), sweep->path, leaf,
		path_fd, UNIXMSG_NOW);
}

static void sweep_file(struct sweep *sweep, const char *leaf)
{
	int fd = fd_lift(openat(dirfd(sweep->dir), leaf,
		O_PATH | O_NOFOLLOW | O_CLOEXEC));

	if (fd >= 0 && fd_close_with(fd, remove_dead(sweep, leaf, fd)) == 0)
		sweep->deads++;
	else if (fd >= 0 && errno == EAGAIN)
		sweep->lives = LIVES_MOST;
	else
		sweep->lives++;
}

/* What a sweep that was killed has left, or another has just in its hands. */
static void sweep_aside(struct sweep *sweep, const char *leaf)
{
	int dir_fd = dirfd(sweep->dir);

	sweep->lives++;
	if (unixfile_lock(dir_fd, UNIXMSG_NOW) < 0)
		return;
	unixaside_settle(dir_fd, sweep->path, leaf);
	unixfile_unlock(dir_fd);
}

static void sweep_entry(struct sweep *sweep, const char *entry)
{
	const char *leaf = unixaside_get_leaf(entry);

	if (leaf != NULL)
		sweep_aside(sweep, leaf);
	else
		sweep_file(sweep, entry);
}

/* The next file that may be one of a client's. */
static const char *read_name(DIR *dir)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' ||
			unixaside_get_leaf(entry->d_name) != NULL)
			return entry->d_name;
	return NULL;
}

static unsigned int count_names(DIR *dir)
{
	unsigned int count = 0;

	while (count < NAMES_MOST && read_name(dir) != NULL)
		count++;
	return count;
}

/* Looks at count files from here on, unless it has seen enough before. */
static void sweep_files(struct sweep *sweep, unsigned int count)
{
	const char *entry;

	while (count-- > 0 && sweep->lives < LIVES_MOST &&
		sweep->deads < DEADS_MOST &&
		(entry = read_name(sweep->dir)) != NULL)
		sweep_entry(sweep, entry);
}

/*
 * Live files would be at the head of the list for as long as they live, and
 * hide the dead ones behind them: so it begins anywhere, and goes on at the
 * head.
 */
static void sweep_from_anywhere(struct sweep *sweep, unsigned int count)
{
	uint16_t random = 0;
	unsigned int start, i;

	if (getrandom(&random, sizeof(random), 0) < 0)
		return;
	start = random % count;
	rewinddir(sweep->dir);
	for (i = 0; i < start; i++)
		read_name(sweep->dir);
	sweep_files(sweep, UINT32_MAX);
	rewinddir(sweep->dir);
	sweep_files(sweep, start);
}

void unixsweep_directory(int dir_fd, const char *dir)
{
	struct sweep sweep = { .path = dir };
	int saved = errno;
	unsigned int count;

	sweep.dir = fdopendir(dir_fd);
	if (sweep.dir == NULL) {
		fd_close(dir_fd);
		errno = saved;
		return;
	}
	count = count_names(sweep.dir);
	if (count > 0)
		sweep_from_anywhere(&sweep, count);
	closedir(sweep.dir);
	errno = saved;
}
