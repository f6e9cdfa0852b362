/* SPDX-License-Identifier: MIT */
/*
 * A hard link keeps the server's inode reachable while another socket has its
 * name: connect(2) looks up inodes, not names. rename(2) gives the name back in
 * one step. SIGKILL may come between any two calls, so everything is found
 * again by the names in the directory. Only the mark, which tells a takeover at
 * work from one that was killed, ends with the process.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "base/deadline_private.h"
#include "base/fd.h"
#include "name/aside.h"
#include "name/diag.h"
#include "name/file.h"
#include "name/mark.h"
#include "name/name_private.h"
#include "name/probe.h"
#include "unixmsg/takeover.h"

static const int64_t lock_us = 1000000;

/* Two files and one socket are open at a time while a name is given back. */
enum { SPARES = 3 };

struct unixtakeover {
	struct unixname *name;           /* of the server; nothing is claimed */
	char hidden[NAME_MAX + 1];       /* its second name */
	char address[2 * PATH_MAX + 16]; /* the same as text, escaped */
	struct stat server;              /* its file */
	/* Kept for the end, when a program may have used up all others. */
	int spares[SPARES];
	bool is_over;
};

/* The file that a name leads to. */
struct look {
	int fd; /* O_PATH; -1: nothing is there */
	struct stat found;
	int error; /* 0: it is dead; EADDRINUSE: it is alive; ENOTSOCK, ... */
};

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* No socket can be bound to a longer name than the one that is cut here. */
static void set_hidden(struct unixtakeover *takeover)
{
	snprintf(takeover->hidden, sizeof(takeover->hidden), ".unixmsg=%.*s",
		UNIXMSG_NAME_SIZE_MAX, takeover->name->leaf);
}

/* Writes a backslash twice, since unixaddr_parse takes one for an escape. */
static char *escape(char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (from[i] == '\\')
			*to++ = '\\';
		*to++ = from[i];
	}
	return to;
}

/* A leading "@" would make an abstract name. */
static void set_address(struct unixtakeover *takeover, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 0 : (size_t)(slash + 1 - path);
	char *to = takeover->address;

	if (size == 0 || path[0] == '@')
		to = stpcpy(to, "./");
	to = escape(to, path, size);
	to = escape(to, takeover->hidden, strlen(takeover->hidden));
	*to = '\0';
}

static int judge(const struct unixtakeover *takeover, const char *leaf,
	const struct look *look)
{
	if (!S_ISSOCK(look->found.st_mode))
		return ENOTSOCK;
	if (unixprobe__is_dead(look->fd, takeover->name->dir, leaf) == 0)
		return 0;
	/* On some file systems nobody can tell whether a server is alive. */
	return errno == EREMOTE ? ENOTSUP : errno;
}

/* Returns 0, or -1 if the file cannot be looked at. */
static int look_at(const struct unixtakeover *takeover, const char *leaf,
	struct look *look)
{
	*look = (struct look){ .fd = -1 };
	look->fd = fd_lift(openat(takeover->name->dir_fd, leaf,
		O_PATH | O_NOFOLLOW | O_CLOEXEC));
	if (look->fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(look->fd, &look->found) < 0) {
		look->fd = fd_close(look->fd);
		return -1;
	}
	look->error = judge(takeover, leaf, look);
	return 0;
}

static bool is_alive(const struct look *look)
{
	return look->fd >= 0 && look->error == EADDRINUSE;
}

static bool is_dead(const struct look *look)
{
	return look->fd >= 0 && look->error == 0;
}

/* Fails unless the look has found out what is there, as only that decides. */
static int check_is_known(const struct look *look)
{
	if (look->fd < 0 || look->error == 0 || look->error == EADDRINUSE ||
		look->error == ENOTSOCK)
		return 0;
	return refuse(look->error);
}

static bool is_file(const struct look *look, const struct stat *file)
{
	return look->fd >= 0 &&
		unixfile__is_same(&look->found, file->st_dev, file->st_ino);
}

/* Checks that the link leads to the server's file: another one may have got the
 * name meanwhile. */
static int check_link(struct unixtakeover *takeover, const struct look *server)
{
	if (fstatat(takeover->name->dir_fd, takeover->hidden, &takeover->server,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return is_file(server, &takeover->server) ? 0 : refuse(EBUSY);
}

static int add_link(struct unixtakeover *takeover, const struct look *server)
{
	const int dir_fd = takeover->name->dir_fd;
	int error;

	if (linkat(dir_fd, takeover->name->leaf, dir_fd, takeover->hidden, 0) <
		0)
		return -1;
	if (check_link(takeover, server) == 0)
		return 0;
	error = errno;
	unlinkat(dir_fd, takeover->hidden, 0);
	return refuse(error);
}

static int take(struct unixtakeover *takeover, const struct look *server)
{
	if (server->fd < 0)
		return refuse(ENOENT);
	if (is_alive(server))
		return add_link(takeover, server);
	return refuse(server->error == 0 ? ECONNREFUSED : server->error);
}

/* An earlier takeover was killed: none is at work. */
static int take_again(struct unixtakeover *takeover, const struct look *hidden,
	const struct look *server)
{
	if (!unixaside__is_trusted(takeover->name->dir_fd, &hidden->found))
		return refuse(EPERM);
	if (is_dead(hidden)) {
		if (unlinkat(takeover->name->dir_fd, takeover->hidden, 0) < 0)
			return -1;
		return take(takeover, server);
	}
	if (!is_alive(hidden))
		return refuse(hidden->error);
	if (is_alive(server) && !is_file(server, &hidden->found))
		return refuse(EBUSY);
	takeover->server = hidden->found;
	return 0;
}

static int take_name(struct unixtakeover *takeover)
{
	struct look server, hidden;
	int result = -1;

	if (look_at(takeover, takeover->hidden, &hidden) < 0)
		return -1;
	if (look_at(takeover, takeover->name->leaf, &server) < 0)
		return fd_close_with(hidden.fd, -1);
	result = hidden.fd < 0 ? take(takeover, &server)
			       : take_again(takeover, &hidden, &server);
	result = fd_close_with(server.fd, result);
	return fd_close_with(hidden.fd, result);
}

static int take_locked(struct unixtakeover *takeover, int64_t deadline_us)
{
	int result;

	if (unixfile__lock(takeover->name->dir_fd, deadline_us) < 0)
		return -1;
	result = unixmark__set(takeover->name->dir_fd, takeover->name->leaf);
	if (result == 0)
		result = take_name(takeover);
	unixfile__unlock(takeover->name->dir_fd);
	return result;
}

static void close_spares(struct unixtakeover *takeover)
{
	size_t i;

	for (i = 0; i < SPARES; i++)
		takeover->spares[i] = fd_close(takeover->spares[i]);
}

static int open_spares(struct unixtakeover *takeover)
{
	size_t i;

	for (i = 0; i < SPARES; i++) {
		takeover->spares[i] = fcntl(takeover->name->dir_fd,
			F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (takeover->spares[i] < 0)
			return -1;
	}
	return 0;
}

static int free_with(struct unixtakeover *takeover, int result)
{
	close_spares(takeover);
	if (takeover->name != NULL)
		result = unixname__close(takeover->name, result);
	free(takeover);
	return result;
}

static struct unixtakeover *give_up(struct unixtakeover *takeover)
{
	free_with(takeover, -1);
	return NULL;
}

static struct unixtakeover *new_takeover(void)
{
	struct unixtakeover *takeover = calloc(1, sizeof(*takeover));
	size_t i;

	for (i = 0; takeover != NULL && i < SPARES; i++)
		takeover->spares[i] = -1;
	return takeover;
}

struct unixtakeover *unixtakeover_open(const char *address, int64_t deadline_us)
{
	char path[PATH_MAX];
	struct unixtakeover *takeover;
	int saved = errno;
	size_t size;

	if (unixdeadline__check(deadline_us) < 0 ||
		unixaddr__decode(address, path, sizeof(path), &size) < 0)
		return NULL;
	if (path[0] == '\0') {
		errno = ENOTSUP;
		return NULL;
	}
	takeover = new_takeover();
	if (takeover == NULL)
		return NULL;
	takeover->name = unixname__open(path, 0);
	if (takeover->name == NULL)
		return give_up(takeover);
	set_hidden(takeover);
	set_address(takeover, path);
	if (open_spares(takeover) < 0 || take_locked(takeover, deadline_us) < 0)
		return give_up(takeover);
	errno = saved;
	return takeover;
}

const char *unixtakeover_get_address(const struct unixtakeover *takeover)
{
	return takeover->address;
}

static int remove_hidden(const struct unixtakeover *takeover)
{
	return unlinkat(takeover->name->dir_fd, takeover->hidden, 0);
}

/*
 * Puts the server's file in the place of the one that was seen there. Not all
 * file systems can exchange: without that a program that knows no lock may lose
 * a file that it puts there at this moment.
 */
static int put_over(const struct unixtakeover *takeover,
	const struct look *present)
{
	const struct unixname *name = takeover->name;

	if (unixfile__put_over(name->dir_fd, takeover->hidden, name->leaf,
		    present->found.st_dev, present->found.st_ino) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return renameat(name->dir_fd, takeover->hidden, name->dir_fd,
		name->leaf);
}

/* Asks the kernel whether the file belongs to the caller's socket. */
static int is_callers(const struct look *present, int fd)
{
	struct unixdiag_file file;

	if (fd < 0)
		return 0;
	if (unixdiag__find_file(fd, &file) < 0)
		return -1;
	return file.ino == (uint32_t)present->found.st_ino;
}

/* Another program has the name for good, so nobody would look for the hidden
 * name. In doubt the hidden name stays: it is the only way to the server. */
static int lose(const struct unixtakeover *takeover, const struct look *present)
{
	const struct unixname *name = takeover->name;

	if (unixprobe__is_alive(present->fd, name->dir, name->leaf) < 0)
		return -1;
	remove_hidden(takeover);
	return refuse(EADDRINUSE);
}

static int give_back_alive(const struct unixtakeover *takeover,
	const struct look *present, int fd)
{
	int is_ours;

	if (present->fd < 0)
		return unixfile__put_back(takeover->name->dir_fd,
			takeover->hidden, takeover->name->leaf);
	if (is_file(present, &takeover->server))
		return remove_hidden(takeover);
	if (is_dead(present))
		return put_over(takeover, present);
	is_ours = is_callers(present, fd);
	if (is_ours < 0)
		return -1;
	return is_ours == 1 ? put_over(takeover, present)
			    : lose(takeover, present);
}

/* The server has ended. */
static int remove_both(const struct unixtakeover *takeover,
	const struct look *present, int fd)
{
	const struct stat *found = &present->found;
	int is_ours;

	if (is_dead(present) &&
		unixfile__remove(takeover->name->dir_fd, takeover->name->leaf,
			found->st_dev, found->st_ino) < 0)
		return -1;
	if (is_alive(present)) {
		is_ours = is_callers(present, fd);
		if (is_ours < 0)
			return -1;
		if (is_ours == 0)
			return lose(takeover, present);
	}
	return remove_hidden(takeover);
}

/* Returns 1 if the server has its name back, 0 if it has ended, or -1. */
static int give_back(const struct unixtakeover *takeover,
	const struct look *hidden, int fd)
{
	const bool has_ended = is_dead(hidden);
	struct look present;
	int result;

	if (!is_file(hidden, &takeover->server))
		return refuse(ESTALE);
	if (check_is_known(hidden) < 0 ||
		look_at(takeover, takeover->name->leaf, &present) < 0)
		return -1;
	result = check_is_known(&present);
	if (result == 0)
		result = has_ended ? remove_both(takeover, &present, fd)
				   : give_back_alive(takeover, &present, fd);
	result = fd_close_with(present.fd, result);
	return result < 0 ? -1 : !has_ended;
}

static int give_back_locked(const struct unixtakeover *takeover, int fd)
{
	const struct unixname *name = takeover->name;
	const int dir_fd = name->dir_fd;
	struct look hidden;
	bool is_locked;
	int result;

	is_locked = unixfile__lock(dir_fd, unixdeadline_after_us(lock_us)) == 0;
	result = look_at(takeover, takeover->hidden, &hidden);
	if (result == 0) {
		result = give_back(takeover, &hidden, fd);
		result = fd_close_with(hidden.fd, result);
	}
	/* A caller killed while it claimed the name has left a file aside. */
	if (is_locked && unixaside__is_there(dir_fd, name->leaf))
		unixaside__repair(dir_fd, name->dir, name->leaf);
	unixfile__unlock(dir_fd);
	return result;
}

/* A descriptor that another thread takes meanwhile is missing next time. */
static int give_back_with_spares(struct unixtakeover *takeover, int fd)
{
	int result, error;

	close_spares(takeover);
	result = give_back_locked(takeover, fd);
	error = errno;
	if (result < 0 && error != EADDRINUSE && error != ESTALE)
		open_spares(takeover);
	else
		takeover->is_over = true;
	errno = error;
	return result;
}

int unixtakeover_give_back(struct unixtakeover *takeover, int fd)
{
	int result, saved = errno;

	if (takeover->is_over)
		return refuse(ESTALE);
	result = give_back_with_spares(takeover, fd);
	if (result >= 0)
		errno = saved;
	return result;
}

int unixtakeover_close(struct unixtakeover *takeover, int fd)
{
	int result = 0, saved = errno;

	if (takeover == NULL)
		return 0;
	if (!takeover->is_over)
		result = give_back_with_spares(takeover, fd);
	result = free_with(takeover, result);
	if (result >= 0)
		errno = saved;
	return result;
}
