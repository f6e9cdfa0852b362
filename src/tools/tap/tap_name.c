/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_name.h"
#include "tools/tap/tap_options.h"

/* The longest wait for the lock of the directory. */
static const int64_t lock_us = 5000000;

struct tap_name {
	struct tap *tap;
	struct unixtakeover *takeover; /* NULL with --listen */
	char *hidden;                  /* the server's address meanwhile */
	int fd;                        /* our socket at the name, or -1 */
	struct stat file;              /* of that socket */
	struct tap_watch watch;        /* changes in its directory */
	bool is_lost;
	bool is_delayed; /* the name could not be given back at once */
};

static const char *explain_take(const char *address, int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "the server has ended: nobody is behind this name";
	case ENOENT:
		return "there is no such name";
	case EBUSY:
		return "another tap of this name is at work";
	case EPERM:
		return "the file belongs to another user, or somebody else has "
		       "made its second name (.unixmsg=...)";
	case ENOTSUP:
		return "it cannot be found out whether the server is alive, on "
		       "this file system or behind an abstract name";
	default:
		return explain_listen(address, false, error);
	}
}

static int complain_of_taking(const char *address)
{
	const char *why = explain_take(address, errno);
	char copy[512];

	/* The text is valid only until the next call of explain.h. */
	snprintf(copy, sizeof(copy), "%s", why);
	return tool_complain("%s: %s", explain_text(address), copy);
}

static int find_network(struct tap *tap)
{
	const char *server = tap->server;

	tap->network = tap->options->network;
	if (tap->network == NULL)
		tap->network = network_find_at(server);
	if (tap->network != NULL)
		return 0;
	return tool_complain("%s: the kernel shows no server there; for one in "
			     "another network namespace, give --network",
		explain_text(tap->options->address));
}

/* A datagram server does not notice a dial. */
static int check_is_open(const struct tap *tap)
{
	const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_UNNAMED,
	};
	struct unixconn *conn;

	if (tap->network->is_connected)
		return 0;
	conn = unixconn_dial(tap->network->name, tap->server, &options,
		UNIXMSG_NOW);
	if (conn != NULL)
		return unixconn_close(conn);
	return tool_complain("%s: %s", explain_text(tap->options->address),
		errno == EPERM ? "the server is connected to one client, and "
				 "receives from nobody else"
			       : strerror(errno));
}

static struct unixtakeover *open_takeover(const char *address)
{
	struct unixtakeover *takeover =
		unixtakeover_open(address, unixdeadline_after_us(lock_us));

	if (takeover == NULL)
		complain_of_taking(address);
	return takeover;
}

static int tell_end(const char *address, int result)
{
	const int error = errno;
	const char *text = explain_text(address);

	if (result == 1)
		tool_say(TOOL_NORMAL, "%s: the server has its name back", text);
	else if (result == 0)
		tool_say(TOOL_NORMAL,
			"%s: the server has ended, its name is free", text);
	else if (error == EADDRINUSE)
		tool_complain("%s: another program has the name now, and not "
			      "the server",
			text);
	else if (error == ESTALE)
		tool_complain("%s: somebody has removed or replaced the second "
			      "name of the server: restart the server",
			text);
	else
		tool_complain("%s: the name could not be given back: %s; try "
			      "--restore",
			text, strerror(error));
	return result < 0 ? -1 : 0;
}

int tap_name_look(struct tap *tap)
{
	struct unixtakeover *takeover = NULL;
	int result = -1;

	tap->server = tap->options->address;
	if (tap->options->front == NULL) {
		takeover = open_takeover(tap->options->address);
		if (takeover == NULL)
			return -1;
		tap->server = unixtakeover_get_address(takeover);
	}
	if (find_network(tap) == 0)
		result = check_is_open(tap);
	tap->server = tap->options->address;
	if (takeover != NULL && unixtakeover_close(takeover, -1) < 0)
		result = tell_end(tap->options->address, -1);
	return result;
}

static int take(struct tap_name *name)
{
	struct tap *tap = name->tap;

	if (tap->options->front != NULL)
		return 0;
	name->takeover = open_takeover(tap->options->address);
	if (name->takeover == NULL)
		return -1;
	name->hidden = strdup(unixtakeover_get_address(name->takeover));
	tap->server = name->hidden;
	return name->hidden != NULL ? 0 : tool_complain("%s", strerror(errno));
}

struct tap_name *tap_name_take(struct tap *tap)
{
	struct tap_name *name = calloc(1, sizeof(*name));

	if (name == NULL) {
		tool_complain("%s", strerror(errno));
		return NULL;
	}
	name->tap = tap;
	name->fd = name->watch.fd = -1;
	if (take(name) == 0)
		return name;
	tap_name_close(name);
	return NULL;
}

/* Copies the path of an address; false if it has none. */
static bool get_path(const char *address, char path[PATH_MAX])
{
	struct unixaddr addr;
	const char *text = address;
	size_t size = strlen(address);

	if (unixaddr_parse(&addr, address) == 0) {
		if (unixaddr_get_kind(&addr) != UNIXADDR_PATH)
			return false;
		text = unixaddr_get_name(&addr, &size);
	}
	if (size == 0 || size >= PATH_MAX)
		return false;
	memcpy(path, text, size);
	path[size] = '\0';
	return true;
}

/* As root, gives the file to the server's user, as before. */
int tap_name_set_mode(const struct tap_name *name,
	struct unixlisten_options *options)
{
	struct tap *tap = name->tap;
	char path[PATH_MAX];
	struct stat file;

	if (!get_path(tap->server, path))
		return 0;
	if (stat(path, &file) < 0)
		return tool_complain("%s: %s", explain_text(tap->server),
			strerror(errno));
	tap->has_file = true;
	tap->file_user = file.st_uid;
	options->mode = file.st_mode & 0777;
	if (options->mode == 0)
		options->mode = 0400;
	if (geteuid() == 0) {
		options->flags |= UNIXMSG_LISTEN_USER;
		options->user = file.st_uid;
	}
	if (geteuid() == 0 || file.st_gid != getegid()) {
		options->flags |= UNIXMSG_LISTEN_GROUP;
		options->group = file.st_gid;
	}
	return 0;
}

/* Users who can write to the directory could put a file there that leads to a
 * socket which only we may reach. So checks the owner of the file. */
static int open_server(const struct tap *tap)
{
	char path[PATH_MAX];
	struct stat file;
	int fd = -1;

	if (get_path(tap->server, path))
		fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || (fstat(fd, &file) == 0 && file.st_uid == tap->file_user))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* Dials the file that was checked, even if its name has changed since. */
static struct unixconn *dial_file(const struct tap *tap, int fd,
	const struct unixdial_options *options)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return unixconn_dial(tap->network->name,
		faccessat(AT_FDCWD, path, F_OK, 0) == 0 ? path : tap->server,
		options, UNIXMSG_NOW);
}

struct unixconn *tap_name_dial(const struct tap *tap,
	const struct unixdial_options *options)
{
	struct unixconn *conn;
	int fd, error;

	if (!tap->has_file)
		return unixconn_dial(tap->network->name, tap->server, options,
			UNIXMSG_NOW);
	fd = open_server(tap);
	if (fd < 0)
		return NULL;
	conn = dial_file(tap, fd, options);
	error = errno;
	close(fd);
	errno = error;
	return conn;
}

/* --- A look at the name: is it still ours? -------------------------------- */

static bool is_ours(const struct tap_name *name)
{
	char path[PATH_MAX];
	struct stat file;

	return get_path(tap_get_address(name->tap), path) &&
		lstat(path, &file) == 0 && file.st_dev == name->file.st_dev &&
		file.st_ino == name->file.st_ino;
}

static void tell_loss(struct tap_name *name)
{
	struct unixowner owner;

	name->is_lost = true;
	name->tap->has_failed = true;
	tap_stop(name->tap, NULL);
	if (unixowner_find(tap_get_address(name->tap), 0, &owner) < 0 ||
		owner.pid == 0)
		tool_complain("%s: somebody has removed or replaced the file: "
			      "no more clients come",
			explain_text(tap_get_address(name->tap)));
	else
		tool_complain("%s: pid %jd (%s) has taken the name away: no "
			      "more clients come",
			explain_text(tap_get_address(name->tap)),
			(intmax_t)owner.pid, owner.command);
}

/* Checks the file itself, whatever the events are. */
static void directory_ready(struct tap_watch *watch, uint32_t events)
{
	struct tap_name *name = watch->context;
	char bytes[4096];

	(void)events;
	/* Reads once only: others may make files faster than we read. */
	if (read(watch->fd, bytes, sizeof(bytes)) < 0)
		return;
	if (!is_ours(name) && !name->is_lost)
		tell_loss(name);
}

static int open_watch(const char *path)
{
	char directory[PATH_MAX];
	char *slash;
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (slash != NULL)
		slash[slash == directory] = '\0';
	if (inotify_add_watch(fd, slash == NULL ? "." : directory,
		    IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR) >= 0)
		return fd;
	close(fd);
	return -1;
}

int tap_name_watch(struct tap_name *name, int fd)
{
	char path[PATH_MAX];

	name->fd = fd;
	if (!get_path(tap_get_address(name->tap), path))
		return 0;
	if (lstat(path, &name->file) < 0)
		return tool_complain("%s: %s", explain_text(path),
			strerror(errno));
	name->watch.fd = open_watch(path);
	name->watch.ready = directory_ready;
	name->watch.context = name;
	if (name->watch.fd >= 0)
		return tap_watch(name->tap, &name->watch, EPOLLIN);
	tool_say(TOOL_NORMAL,
		"a loss of the name will be noticed at the end only: %s",
		strerror(errno));
	return 0;
}

/* --- The end -------------------------------------------------------------- */

static void stop_watching(struct tap_name *name)
{
	tap_unwatch(name->tap, &name->watch);
	if (name->watch.fd >= 0)
		close(name->watch.fd);
	name->watch.fd = -1;
}

static void tell_delay(struct tap_name *name)
{
	if (!name->is_delayed)
		tool_say(TOOL_NORMAL,
			"%s: the name cannot be given back yet, and will be "
			"later: %s",
			explain_text(name->tap->options->address),
			strerror(errno));
	name->is_delayed = true;
}

static int end_takeover(struct tap_name *name, int result)
{
	const int error = errno;

	/* With our own socket as argument, the close does not take it for
	 * another program's. */
	unixtakeover_close(name->takeover, name->fd);
	name->takeover = NULL;
	/* On success the hidden name is gone. Otherwise the name may lead to
	 * another program. */
	if (result == 1)
		name->tap->server = name->tap->options->address;
	/* Without our own socket, the server has never lost the name. */
	if (result == 1 && name->fd < 0)
		return 0;
	errno = error;
	return tell_end(name->tap->options->address, result);
}

bool tap_name_give_back(struct tap_name *name, bool is_last)
{
	int result;

	stop_watching(name);
	if (name->takeover == NULL)
		return true;
	result = unixtakeover_give_back(name->takeover, name->fd);
	if (result < 0 && !is_last && tap_is_shortage(errno)) {
		tell_delay(name);
		return false;
	}
	if (end_takeover(name, result) < 0)
		name->tap->has_failed = true;
	return true;
}

void tap_name_close(struct tap_name *name)
{
	if (name == NULL)
		return;
	tap_name_give_back(name, true);
	free(name->hidden);
	free(name);
}

int tap_name_restore(const char *address)
{
	struct unixtakeover *takeover = open_takeover(address);

	if (takeover == NULL)
		return TOOL_FAILED;
	return tell_end(address, unixtakeover_close(takeover, -1)) < 0
		? TOOL_FAILED
		: TOOL_OK;
}
