/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/holder.h"

/* Returns the number in name, or -1: other names in /proc begin with a letter
 * or a dot. */
static int read_number(const char *name)
{
	if (*name < '0' || *name > '9')
		return -1;
	return (int)strtol(name, NULL, 10);
}

/* Returns the inode number in "socket:[N]", or 0 for anything else. */
static uint64_t read_socket_link(int dir_fd, const char *name)
{
	static const char start[] = "socket:[";
	char link[64];
	ssize_t size = readlinkat(dir_fd, name, link, sizeof(link) - 1);

	if (size < 0)
		return 0;
	link[size] = '\0';
	if (strncmp(link, start, sizeof(start) - 1) != 0)
		return 0;
	return strtoull(link + sizeof(start) - 1, NULL, 10);
}

static int walk_descriptors(DIR *dir, pid_t pid, unixholder_take *take,
	void *context)
{
	struct unixholder holder = { .pid = pid };
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		holder.fd = read_number(entry->d_name);
		if (holder.fd < 0)
			continue;
		holder.ino = read_socket_link(dirfd(dir), entry->d_name);
		if (holder.ino != 0 && take(context, &holder) < 0)
			return -1;
	}
	return 0;
}

static int walk_process(pid_t pid, unixholder_take *take, void *context,
	unsigned int *denied)
{
	char path[32];
	int result, saved;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			return -1;
		*denied += errno == EACCES || errno == EPERM;
		return 0;
	}
	result = walk_descriptors(dir, pid, take, context);
	saved = errno;
	closedir(dir);
	errno = saved;
	return result;
}

static int walk_processes(DIR *dir, unixholder_take *take, void *context,
	unsigned int *denied)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		pid_t pid = read_number(entry->d_name);

		if (pid > 0 && walk_process(pid, take, context, denied) < 0)
			return -1;
	}
	return 0;
}

int unixholder__list(unixholder_take *take, void *context, unsigned int *denied)
{
	int result, saved = errno;
	DIR *dir = opendir("/proc");

	*denied = 0;
	if (dir == NULL)
		return -1;
	result = walk_processes(dir, take, context, denied);
	if (result < 0)
		saved = errno;
	closedir(dir);
	errno = saved;
	return result;
}

/* Reads the first bytes of a file of a process, and adds a NUL. */
static ssize_t read_start(pid_t pid, const char *name, char *text, size_t room)
{
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = fd_lift(open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return -1;
	size = read(fd, text, room - 1);
	fd_close(fd);
	if (size >= 0)
		text[size] = '\0';
	return size;
}

/* A process chooses its name, of any bytes. */
static void escape(const char *raw, size_t size, char *text, size_t room)
{
	size_t i, used = 0;

	for (i = 0; i < size && used + 5 <= room; i++) {
		unsigned char byte = (unsigned char)raw[i];

		if (byte >= ' ' && byte <= '~' && byte != '\\')
			text[used++] = raw[i];
		else
			used += (size_t)snprintf(text + used, room - used,
				"\\x%02x", byte);
	}
	text[used] = '\0';
}

static int read_command(pid_t pid, struct unixholder_process *process)
{
	char raw[UNIXHOLDER_COMMAND_SIZE];
	ssize_t size = read_start(pid, "comm", raw, sizeof(raw));

	if (size < 0)
		return -1;
	if (size > 0 && raw[size - 1] == '\n')
		size--;
	escape(raw, (size_t)size, process->command, sizeof(process->command));
	return 0;
}

/*
 * The owner of /proc/PID is simpler to get, but it is root for a process that
 * may not be traced. The line is within the first 256 bytes or so, as the name
 * before it is escaped.
 */
static int read_user(pid_t pid, struct unixholder_process *process)
{
	char status[1024];
	const char *line;
	unsigned int user;

	if (read_start(pid, "status", status, sizeof(status)) < 0)
		return -1;
	line = strstr(status, "\nUid:");
	if (line == NULL || sscanf(line, " Uid: %*u %u", &user) != 1) {
		errno = ESRCH;
		return -1;
	}
	process->user = user;
	return 0;
}

int unixholder__read_process(pid_t pid, struct unixholder_process *process)
{
	if (read_command(pid, process) < 0)
		return -1;
	return read_user(pid, process);
}
