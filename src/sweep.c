/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/random.h>
#include <unistd.h>

#include "fd.h"
#include "name_private.h"
#include "sweep.h"

/* Names passed over before the first look, and files that are looked at. */
enum { SKIPS_MOST = 1024, LIVES_MOST = 4, DEADS_MOST = 64 };

/* Whether the file was dead and is gone. */
static int sweep_file(int dir_fd, const char *leaf)
{
	int fd = openat(dir_fd, leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return 0;
	return fd_close_with(fd, unixname_remove_dead(dir_fd, leaf, fd)) == 0;
}

/*
 * Live files would be at the head of the list for as long as they live, and
 * hide the dead ones behind them: so begin anywhere, and at the head again
 * when that was past the end.
 */
static void skip_some(DIR *dir)
{
	uint16_t count = 0;

	if (getrandom(&count, sizeof(count), 0) < 0)
		return;
	for (count %= SKIPS_MOST; count > 0; count--)
		if (readdir(dir) == NULL) {
			rewinddir(dir);
			return;
		}
}

static void sweep(DIR *dir)
{
	int lives = 0, deads = 0;
	const struct dirent *entry;

	skip_some(dir);
	while (lives < LIVES_MOST && deads < DEADS_MOST &&
		(entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (sweep_file(dirfd(dir), entry->d_name))
			deads++;
		else
			lives++;
	}
}

void unixsweep_directory(int dir_fd)
{
	int saved = errno;
	DIR *dir = fdopendir(dir_fd);

	if (dir == NULL) {
		close(dir_fd);
	} else {
		sweep(dir);
		closedir(dir);
	}
	errno = saved;
}
