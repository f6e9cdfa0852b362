/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/place.h"
#include "name/sweep.h"
#include "unixmsg/addr.h"

static int refuse(int error)
{
	errno = error;
	return -1;
}

/*
 * A user who may rename our directory there can replace it by another. sudo -E
 * leaves the variables of another user in the environment of root.
 */
static int check_base(const struct client_place *place)
{
	struct stat found;

	if (place->base == NULL || *place->base != '/')
		return refuse(ENOENT);
	if (fstatat(AT_FDCWD, place->base, &found, 0) < 0)
		return -1;
	if ((found.st_mode & S_IWOTH) != 0 && (found.st_mode & S_ISVTX) == 0)
		return refuse(EPERM);
	if (found.st_uid == geteuid() || place->is_systems)
		return 0;
	if (found.st_uid == 0 && !place->is_private)
		return 0;
	return refuse(EPERM);
}

/* Makes sure that the directory is ours, and open for others to pass. */
static int check_directory(int dir_fd)
{
	struct stat found;

	if (fstat(dir_fd, &found) < 0)
		return -1;
	if (found.st_uid != geteuid())
		return refuse(EPERM);
	if ((found.st_mode & 07777) == 0711)
		return 0;
	return fchmod(dir_fd, 0711);
}

static int make_directory(const char *dir)
{
	int fd;

	if (mkdir(dir, 0711) < 0 && errno != EEXIST)
		return -1;
	fd = fd_lift(
		open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (fd < 0)
		return -1;
	if (check_directory(fd) < 0)
		return fd_close_with(fd, -1);
	unixsweep__directory(fd, dir, "");
	return 0;
}

static void sweep_beside(const char *base)
{
	char start[32];
	int fd = fd_lift(open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (fd < 0)
		return;
	snprintf(start, sizeof(start), "unixmsg-%ju.", (uintmax_t)geteuid());
	unixsweep__directory(fd, base, start);
}

/*
 * In our own directory every file is ours, and nobody else can remove a name.
 * Others may pass through but cannot list it. If somebody else owns a directory
 * of that name, our file is put beside it.
 */
int unixplace__choose(const struct client_place *place, char *path, size_t room)
{
	char dir[UNIXMSG_NAME_SIZE_MAX];
	uint64_t random;
	bool is_ours;
	int size;

	if (check_base(place) < 0)
		return -1;
	size = snprintf(dir, sizeof(dir), "%s/unixmsg-%ju", place->base,
		(uintmax_t)geteuid());
	if ((size_t)size >= sizeof(dir))
		return refuse(ENAMETOOLONG);
	if (getrandom(&random, sizeof(random), 0) < 0)
		return -1;
	is_ours = make_directory(dir) == 0;
	if (!is_ours)
		sweep_beside(place->base);
	snprintf(path, room, "%s%c%016" PRIx64, dir, is_ours ? '/' : '.',
		random);
	return 0;
}
