/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "name/diag.h"
#include "name/holder.h"
#include "name/name_private.h"
#include "unixmsg/owner.h"

struct search {
	int type;
	bool is_file;
	struct unixdiag_file file;
	struct unixaddr addr;
	/* The result. */
	bool is_found;
	bool is_sure;
	uint32_t ino;
	uid_t user;
	pid_t pid;
};

/* Turns the text into what sock_diag's answers are compared with. */
static int prepare(struct search *search, const char *address)
{
	struct unixdiag_mount mount = { 0 };
	char path[PATH_MAX];
	size_t size;
	int fd;

	if (unixaddr__decode(address, path, sizeof(path), &size) < 0)
		return -1;
	search->is_file = path[0] != '\0';
	if (!search->is_file)
		return unixaddr_parse(&search->addr, address);
	fd = fd_lift(open(path, O_PATH | O_CLOEXEC));
	if (fd < 0)
		return -1;
	return fd_close_with(fd, unixdiag__identify(fd, &mount, &search->file));
}

static bool is_match(const struct search *search,
	const struct unixdiag_socket *socket)
{
	if (search->type != 0 && search->type != socket->type)
		return false;
	if (!search->is_file)
		return unixaddr_is_equal(&socket->addr, &search->addr);
	return (socket->has & UNIXDIAG_HAS_FILE) != 0 &&
		socket->file.dev == search->file.dev &&
		socket->file.ino == search->file.ino;
}

/* Accepted connections have the name of their listener too, so only a listener
 * or a datagram socket ends the search. */
static int look(void *context, const struct unixdiag_socket *socket)
{
	struct search *search = context;

	if (socket == NULL) {
		search->is_found = search->is_sure = false;
		return 0;
	}
	if (search->is_sure || !is_match(search, socket))
		return 0;
	search->is_found = true;
	search->is_sure = socket->state == UNIXDIAG_LISTENING ||
		socket->type == SOCK_DGRAM;
	search->ino = socket->ino;
	search->user = (uid_t)-1;
	if (socket->has & UNIXDIAG_HAS_USER)
		search->user = socket->user;
	return 0;
}

/* Takes the first: /proc lists processes by their ids, mostly a parent before
 * its children. */
static int look_at_holder(void *context, const struct unixholder *holder)
{
	struct search *search = context;

	if (holder->ino == search->ino && search->pid == 0)
		search->pid = holder->pid;
	return 0;
}

static void find_process(struct search *search)
{
	unsigned int denied;

	if (unixholder__list(look_at_holder, search, &denied) < 0)
		search->pid = 0;
}

static void tell(struct search *search, struct unixowner *owner)
{
	struct unixholder_process process;

	memset(owner, 0, sizeof(*owner));
	owner->user = search->user;
	find_process(search);
	if (search->pid == 0 ||
		unixholder__read_process(search->pid, &process) < 0)
		return;
	owner->pid = search->pid;
	owner->user = process.user;
	snprintf(owner->command, sizeof(owner->command), "%s", process.command);
}

int unixowner_find(const char *address, int type, struct unixowner *owner)
{
	struct search search = { .type = type };
	int saved = errno;

	if (prepare(&search, address) < 0 || unixdiag__list(look, &search) < 0)
		return -1;
	if (!search.is_found) {
		errno = ENOENT;
		return -1;
	}
	if (owner != NULL)
		tell(&search, owner);
	errno = saved;
	return 0;
}
