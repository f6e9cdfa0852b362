/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/explain_path.h"
#include "unixmsg.h"

/* A directory service may return any bytes; a number is safe on a terminal. */
static bool is_printable(const char *name)
{
	const char *end = name;

	while (*end >= ' ' && *end <= '~')
		end++;
	return *end == '\0' && end - name < EXPLAIN_USER_SIZE;
}

const char *explain_user(uid_t user, char text[EXPLAIN_USER_SIZE])
{
	const struct passwd *entry = getpwuid(user);

	if (entry == NULL || !is_printable(entry->pw_name))
		snprintf(text, EXPLAIN_USER_SIZE, "%ju", (uintmax_t)user);
	else
		snprintf(text, EXPLAIN_USER_SIZE, "%s", entry->pw_name);
	return text;
}

/* A path that is too long for a socket address is used as it was typed. */
static bool get_path(const char *address, char path[PATH_MAX])
{
	struct unixaddr addr;
	const char *name = address;
	size_t size = strlen(address);

	if (*address == '@')
		return false;
	if (unixaddr_parse(&addr, address) == 0)
		name = unixaddr_get_name(&addr, &size);
	if (size == 0 || size >= PATH_MAX)
		return false;
	memcpy(path, name, size);
	path[size] = '\0';
	return true;
}

static const char *cut_to_directory(char path[PATH_MAX])
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	slash[slash == path ? 1 : 0] = '\0';
	return path;
}

int explain_path_get_error(const char *address, int mode)
{
	char path[PATH_MAX];

	if (!get_path(address, path) ||
		faccessat(AT_FDCWD, cut_to_directory(path), mode, AT_EACCESS) ==
			0)
		return 0;
	return errno;
}

/* True if we may not write to the socket itself. */
static bool is_socket_closed(const char *address, struct stat *file)
{
	char path[PATH_MAX];

	return get_path(address, path) && stat(path, file) == 0 &&
		S_ISSOCK(file->st_mode) &&
		faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0;
}

bool explain_path_is_directory(const char *address)
{
	size_t size = strlen(address);

	return *address != '@' && size > 0 && address[size - 1] == '/';
}

bool explain_path_is_open(const char *address)
{
	char path[PATH_MAX];

	return get_path(address, path) &&
		faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

static bool look_at_directory(const char *address, struct stat *directory)
{
	char path[PATH_MAX];

	return get_path(address, path) &&
		stat(cut_to_directory(path), directory) == 0;
}

bool explain_path_is_kept(const char *address, char *why, size_t room)
{
	char path[PATH_MAX], owner[EXPLAIN_USER_SIZE];
	struct stat file, directory;
	const uid_t we = geteuid();

	if (we == 0 || !look_at_directory(address, &directory) ||
		!get_path(address, path) || lstat(path, &file) < 0)
		return false;
	if ((directory.st_mode & S_ISVTX) == 0 || directory.st_uid == we ||
		file.st_uid == we)
		return false;
	snprintf(why, room,
		"nobody listens there, but the file belongs to user %s, and "
		"the sticky bit of the directory lets only user %s and root "
		"remove it",
		explain_user(file.st_uid, owner), owner);
	return true;
}

bool explain_path_is_unsafe(const char *address)
{
	struct stat directory;

	return look_at_directory(address, &directory) &&
		(directory.st_mode & S_IWOTH) != 0 &&
		(directory.st_mode & S_ISVTX) == 0;
}

bool explain_path_is_closed(const char *address, char *why, size_t room)
{
	char owner[EXPLAIN_USER_SIZE];
	struct stat file;

	if (!is_socket_closed(address, &file))
		return false;
	snprintf(why, room,
		"address in use: by a socket file of user %s, mode %04o; "
		"nobody in this network namespace is bound to it, and a "
		"further check needs the right to send",
		explain_user(file.st_uid, owner),
		(unsigned int)file.st_mode & 07777);
	return true;
}

void explain_path_denied_dial(const char *address, char *why, size_t room)
{
	char we[EXPLAIN_USER_SIZE], owner[EXPLAIN_USER_SIZE];
	struct stat file;

	explain_user(geteuid(), we);
	if (is_socket_closed(address, &file))
		snprintf(why, room,
			"Permission denied: user %s may not write to this "
			"socket of user %s, mode %04o; the server's --mode, "
			"--user and --group say who may",
			we, explain_user(file.st_uid, owner),
			(unsigned int)file.st_mode & 07777);
	else if (explain_path_get_error(address, X_OK) == EACCES)
		snprintf(why, room,
			"Permission denied: user %s may not enter its "
			"directory",
			we);
	else
		snprintf(why, room, "%s", strerror(EACCES));
}

void explain_path_denied_listen(const char *address, char *why, size_t room)
{
	char we[EXPLAIN_USER_SIZE];

	explain_user(geteuid(), we);
	if (explain_path_get_error(address, X_OK) == EACCES)
		snprintf(why, room,
			"Permission denied: user %s may not enter the "
			"directory",
			we);
	else if (explain_path_get_error(address, W_OK) == EACCES)
		snprintf(why, room,
			"Permission denied: user %s may not write to the "
			"directory; $XDG_RUNTIME_DIR is one's own",
			we);
	else
		snprintf(why, room, "%s", strerror(EACCES));
}
