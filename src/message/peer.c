/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "unixmsg/peer.h"

static const uid_t no_uid = (uid_t)-1;

/* Older kernels lack the option, others lack the answer. */
static int fail_unknown(void)
{
	if (errno == ENOPROTOOPT || errno == EINVAL || errno == ENODATA)
		errno = ENOTSUP;
	return -1;
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* For a listener the kernel tells the listener's own process. */
static int refuse_listener(int fd)
{
	int is_listener;
	socklen_t length = sizeof(is_listener);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listener, &length) <
		0)
		return -1;
	return is_listener ? refuse(ENOTSUP) : 0;
}

int unixpeer_get_cred(int fd, struct unixcred *cred)
{
	struct ucred found;
	socklen_t length = sizeof(found);

	if (refuse_listener(fd) < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &length) < 0)
		return fail_unknown();
	/* The kernel gives this when nobody has connected. */
	if (found.uid == no_uid)
		return refuse(ENOTSUP);
	cred->pid = found.pid;
	cred->uid = found.uid;
	cred->gid = found.gid;
	return 0;
}

/* Without credentials an empty list of groups would look like an answer. */
static int check_peer(int fd)
{
	struct unixcred cred;

	return unixpeer_get_cred(fd, &cred);
}

int unixpeer_get_groups(int fd, gid_t *groups, size_t room, size_t *count)
{
	/* There are no more groups: NGROUPS_MAX. */
	size_t most = room < 65536 ? room : 65536;
	socklen_t length = (socklen_t)(most * sizeof(*groups));
	int result;

	if (check_peer(fd) < 0)
		return -1;
	result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length);
	if (result == 0 || errno == ERANGE)
		*count = length / sizeof(*groups);
	return result == 0 ? 0 : fail_unknown();
}

/* Returns all groups, in memory to be freed; NULL with errno. */
static gid_t *read_groups(int fd, size_t *count)
{
	size_t room = 64;
	gid_t *groups = NULL, *more;

	for (;;) {
		more = realloc(groups, room * sizeof(*groups));
		if (more == NULL)
			break;
		groups = more;
		if (unixpeer_get_groups(fd, groups, room, count) == 0)
			return groups;
		/* The groups stay what they were at the connect, so the next
		 * room is enough. */
		if (errno != ERANGE || *count <= room)
			break;
		room = *count;
	}
	free(groups);
	return NULL;
}

int unixpeer_is_in_group(int fd, gid_t group)
{
	struct unixcred cred;
	gid_t *groups;
	size_t i, count = 0;
	int is_in = 0, saved = errno;

	if (unixpeer_get_cred(fd, &cred) < 0)
		return -1;
	if (cred.gid == group)
		return 1;
	groups = read_groups(fd, &count);
	if (groups == NULL)
		return -1;
	for (i = 0; i < count && !is_in; i++)
		is_in = groups[i] == group;
	free(groups);
	errno = saved;
	return is_in;
}

int unixpeer_get_label(int fd, char *label, size_t room)
{
	socklen_t length;

	if (room == 0)
		return refuse(ERANGE);
	length = (socklen_t)(room - 1);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, label, &length) < 0)
		return fail_unknown();
	label[length] = '\0';
	return 0;
}

int unixpeer_open_pidfd(int fd)
{
	int pidfd;
	socklen_t length = sizeof(pidfd);

	if (refuse_listener(fd) < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) < 0)
		return fail_unknown();
	return fd_lift(pidfd);
}

int unixpeer_is_alive(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int result, saved = errno;

	do
		result = poll(&ended, 1, 0);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return -1;
	errno = saved;
	if (ended.revents & POLLNVAL)
		return refuse(EBADF);
	return result == 0;
}
