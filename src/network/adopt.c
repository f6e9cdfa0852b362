/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/diag.h"
#include "name/name_private.h"
#include "network/adopt.h"
#include "network/network.h"

static int get_option(int fd, int option, int *value)
{
	socklen_t length = sizeof(*value);

	return getsockopt(fd, SOL_SOCKET, option, value, &length);
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

const struct network *unixadopt__find_network(int fd)
{
	int domain, type;

	if (get_option(fd, SO_DOMAIN, &domain) < 0 ||
		get_option(fd, SO_TYPE, &type) < 0)
		return NULL;
	if (domain == AF_UNIX)
		return unixnetwork__find_type(type);
	errno = EAFNOSUPPORT;
	return NULL;
}

static int look_for_peer(struct endpoint *end)
{
	struct unixaddr peer;

	if (unixendpoint__get_peer(end, &peer) == 0)
		end->is_connected = true;
	else if (errno != ENOTCONN)
		return -1;
	return 0;
}

int unixadopt__socket(struct endpoint *end, int fd, int type, bool is_listening)
{
	int listening, saved = errno;

	if (get_option(fd, SO_ACCEPTCONN, &listening) < 0)
		return -1;
	if ((listening != 0) != is_listening)
		return refuse(EINVAL);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	unixendpoint__set_up(end, fd, type);
	if (unixendpoint__want(end, 0) < 0)
		return -1;
	if (!is_listening && look_for_peer(end) < 0)
		return -1;
	errno = saved;
	return 0;
}

/* The file of a bound socket, as the kernel reports it. */
struct search {
	uint32_t ino;
	bool is_found;
	struct unixdiag_file file;
};

static int look(void *context, const struct unixdiag_socket *socket)
{
	struct search *search = context;

	if (socket == NULL) {
		search->is_found = false;
	} else if (socket->ino == search->ino &&
		(socket->has & UNIXDIAG_HAS_FILE) != 0) {
		search->is_found = true;
		search->file = socket->file;
	}
	return 0;
}

/* Checks that path_fd is the file that the socket is bound to. */
static int check_file(const struct endpoint *end, int path_fd)
{
	struct unixdiag_mount mount = { 0 };
	struct unixdiag_file file;
	struct search search = { 0 };
	struct stat socket;

	if (fstat(end->fd, &socket) < 0 ||
		unixdiag__identify(path_fd, &mount, &file) < 0)
		return -1;
	search.ino = (uint32_t)socket.st_ino;
	if (unixdiag__list(look, &search) < 0)
		return -1;
	if (search.is_found && search.file.dev == file.dev &&
		search.file.ino == file.ino)
		return 0;
	return refuse(ESTALE);
}

static int find_name(struct endpoint *end, const char *path)
{
	int fd = fd_lift(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
	int result;

	if (fd < 0)
		return -1;
	result = check_file(end, fd);
	if (result == 0)
		result = unixname__take_up(path, fd, &end->name);
	return fd_close_with(fd, result);
}

static int look_up_name(struct endpoint *end)
{
	struct unixaddr addr;
	const char *path;
	size_t size;

	if (unixendpoint__get_address(end, &addr) < 0)
		return -1;
	if (unixaddr_get_kind(&addr) != UNIXADDR_PATH)
		return 0;
	path = unixaddr_get_name(&addr, &size);
	if (path[0] != '/')
		return refuse(EINVAL);
	return find_name(end, path);
}

static int take_name(struct endpoint *end)
{
	int saved = errno;

	if (end->name != NULL ? unixname__take_on(end->name) < 0
			      : look_up_name(end) < 0)
		return -1;
	/* Our own parent may have bound it: this process takes its place. */
	if (end->binder != 0)
		end->binder = getpid();
	errno = saved;
	return 0;
}

int unixadopt__set_unlink(struct endpoint *end, bool is_wanted)
{
	if (is_wanted && take_name(end) < 0)
		return -1;
	unixname__set_kept(end->name, !is_wanted);
	return 0;
}
