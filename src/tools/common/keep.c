/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/keep.h"
#include "tools/common/tool.h"

/* Uses the first free name, because others may make files there too. */
static int make_file(const char *dir, char *path, size_t room)
{
	int number, fd;

	for (number = 1; number <= KEEP_FILES_MOST; number++) {
		if (snprintf(path, room, "%s/fd-%d", dir, number) >= (int)room)
			return tool_complain(
				"--recv-fds: the name is too long");
		fd = open(path,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return tool_complain("%s: %s", explain_text(path),
				strerror(errno));
	}
	return tool_complain("%s: %d descriptors are kept there already",
		explain_text(dir), KEEP_FILES_MOST);
}

static int write_all(int fd, const char *data, size_t size)
{
	ssize_t written;

	while (size > 0) {
		written = write(fd, data, size);
		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			data += written;
			size -= (size_t)written;
		}
	}
	return 0;
}

/* Begins at offset 0, wherever the sender has read or written last. */
static int copy(int from, int to)
{
	static char buffer[64 * 1024];
	off_t done = 0;
	ssize_t got;

	while ((got = pread(from, buffer, sizeof(buffer), done)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || write_all(to, buffer, (size_t)got) < 0)
			return -1;
		done += got;
		if (done > KEEP_SIZE_MOST) {
			errno = EFBIG;
			return -1;
		}
	}
	return 0;
}

static bool is_file(int fd)
{
	struct stat found;

	return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

/* Skips all but regular files: a pipe or a device may have no end, and reading
 * a socket would take its messages. */
static int keep(const char *dir, int fd)
{
	char path[PATH_MAX];
	int to, result;

	if (!is_file(fd))
		return tool_complain(
			"a descriptor that is no file is not kept");
	to = make_file(dir, path, sizeof(path));
	if (to < 0)
		return -1;
	result = copy(fd, to);
	if (result < 0) {
		tool_complain("%s: %s", explain_text(path), strerror(errno));
		unlink(path);
	}
	close(to);
	return result;
}

int keep_fds(const char *dir, int first, size_t count)
{
	int result = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (keep(dir, first + (int)i) < 0)
			result = -1;
	return result;
}
