/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/keep.h"
#include "tools/common/tool.h"

/* A copy gets its name when it is complete: this process may be killed. */
struct copy {
	char name[PATH_MAX];
	char part[PATH_MAX];
};

static bool is_taken(const char *name)
{
	struct stat found;

	return lstat(name, &found) == 0;
}

/* Returns the descriptor; or -1, with EEXIST if the number is taken, perhaps
 * only just now. */
static int make_part(const struct copy *copy)
{
	int fd = -1;

	errno = EEXIST;
	if (is_taken(copy->name))
		return -1;
	fd = open(copy->part,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !is_taken(copy->name))
		return fd;
	close(fd);
	unlink(copy->part);
	errno = EEXIST;
	return -1;
}

/* Uses the first free number, because others may make files there too. */
static int make_file(const char *dir, struct copy *copy)
{
	int number, fd;

	for (number = 1; number <= KEEP_FILES_MOST; number++) {
		snprintf(copy->name, sizeof(copy->name), "%s/fd-%d", dir,
			number);
		if (snprintf(copy->part, sizeof(copy->part), "%s/fd-%d.part",
			    dir, number) >= (int)sizeof(copy->part))
			return tool_complain(
				"--recv-fds: the name is too long");
		fd = make_part(copy);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return tool_complain("%s: %s", explain_text(copy->part),
				strerror(errno));
	}
	return tool_complain("%s: %d descriptors are kept there already",
		explain_text(dir), KEEP_FILES_MOST);
}

/* Replaces no file, even on a file system that does not know the flag. */
static int give_name(const struct copy *copy)
{
	if (syscall(SYS_renameat2, AT_FDCWD, copy->part, AT_FDCWD, copy->name,
		    RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL ||
		linkat(AT_FDCWD, copy->part, AT_FDCWD, copy->name, 0) < 0)
		return -1;
	return unlink(copy->part);
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
	struct copy names;
	int to, result;

	if (!is_file(fd))
		return tool_complain(
			"a descriptor that is no file is not kept");
	to = make_file(dir, &names);
	if (to < 0)
		return -1;
	result = copy(fd, to);
	if (result == 0)
		result = give_name(&names);
	if (result < 0) {
		tool_complain("%s: %s", explain_text(names.name),
			strerror(errno));
		unlink(names.part);
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
