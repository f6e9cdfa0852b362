/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/credentials.h"

/* Room for the two lines and for comments. */
enum { FILE_ROOM = 4096 };

static int fail(int error)
{
	errno = error;
	return -1;
}

/* Checks the open file, so nobody can swap it in between. */
static int check_file(int fd)
{
	struct stat file;

	if (fstat(fd, &file) < 0)
		return -1;
	if (!S_ISREG(file.st_mode))
		return fail(EINVAL);
	if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0 ||
		(file.st_uid != geteuid() && file.st_uid != 0))
		return fail(EPERM);
	return 0;
}

/* Reads all of it, and ends it with a NUL. */
static int read_text(int fd, char *text, size_t room)
{
	size_t size = 0;
	ssize_t step;

	do {
		step = read(fd, text + size, room - size);
		if (step < 0 && errno != EINTR)
			return -1;
		if (step > 0)
			size += (size_t)step;
	} while (step != 0 && size < room);
	if (size == room || memchr(text, '\0', size) != NULL)
		return fail(EINVAL);
	text[size] = '\0';
	return 0;
}

/* O_NONBLOCK: to open a FIFO must not wait for a writer. */
static int read_file(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int result, saved;

	if (fd < 0)
		return -1;
	result = check_file(fd);
	if (result == 0)
		result = read_text(fd, text, room);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

/* Returns true, with the value, if the line begins with that word. */
static bool is_value(const char *line, const char *word, const char **value)
{
	size_t size = strlen(word);

	if (strncmp(line, word, size) != 0 || line[size] != ' ')
		return false;
	*value = line + size + 1;
	return true;
}

static int keep(char *place, const char *value)
{
	size_t size = strlen(value);

	if (size == 0 || size > NATS_LOGIN_MAX || *place != '\0')
		return fail(EINVAL);
	memcpy(place, value, size + 1);
	return 0;
}

static int read_line(struct credentials *credentials, const char *line)
{
	const char *value;

	if (*line == '\0' || *line == '#')
		return 0;
	if (is_value(line, "user", &value))
		return keep(credentials->user, value);
	if (is_value(line, "password", &value))
		return keep(credentials->password, value);
	return fail(EINVAL);
}

static int read_lines(struct credentials *credentials, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (read_line(credentials, line) < 0)
			return -1;
	if (*credentials->user == '\0' || *credentials->password == '\0')
		return fail(EINVAL);
	return 0;
}

int credentials_read(struct credentials *credentials, const char *path)
{
	char text[FILE_ROOM];
	int result;

	memset(credentials, 0, sizeof(*credentials));
	result = read_file(path, text, sizeof(text));
	if (result == 0)
		result = read_lines(credentials, text);
	explicit_bzero(text, sizeof(text));
	if (result < 0)
		credentials_clear(credentials);
	return result;
}

void credentials_clear(struct credentials *credentials)
{
	explicit_bzero(credentials, sizeof(*credentials));
}
