/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "message/control.h"

static void put_item(struct msghdr *header, int type, const void *data,
	size_t size)
{
	struct cmsghdr *item = (struct cmsghdr *)((char *)header->msg_control +
		header->msg_controllen);

	memset(item, 0, CMSG_SPACE(size));
	item->cmsg_level = SOL_SOCKET;
	item->cmsg_type = type;
	item->cmsg_len = (socklen_t)CMSG_LEN(size);
	memcpy(CMSG_DATA(item), data, size);
	header->msg_controllen += (socklen_t)CMSG_SPACE(size);
}

void unixcontrol__put(struct msghdr *header, union control_all *control,
	const struct unixmsg *msg)
{
	const struct ucred cred = {
		.pid = msg->cred.pid,
		.uid = msg->cred.uid,
		.gid = msg->cred.gid,
	};

	header->msg_control = control;
	header->msg_controllen = 0;
	if (msg->fds_count > 0)
		put_item(header, SCM_RIGHTS, msg->fds,
			msg->fds_count * sizeof(int));
	if ((msg->flags & UNIXMSG_SEND_CRED) != 0)
		put_item(header, SCM_CREDENTIALS, &cred, sizeof(cred));
}

static int get_fd(const struct cmsghdr *item, size_t index)
{
	int fd;

	memcpy(&fd, CMSG_DATA(item) + index * sizeof(fd), sizeof(fd));
	return fd;
}

/* The receive has succeeded by now, so errno must stay. */
static int lift(int fd)
{
	int saved = errno;

	fd = fd_lift(fd);
	errno = saved;
	return fd;
}

/*
 * Alignment makes the room for one descriptor large enough for two. So a caller
 * that asked for one may get two, and the second must be closed.
 */
static void take_fds(const struct cmsghdr *item, struct unixmsg *msg)
{
	size_t i, count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (i = 0; i < count; i++) {
		if (msg->fds_count == msg->fds_room) {
			close(get_fd(item, i));
			msg->fds_lost++;
			continue;
		}
		msg->fds[msg->fds_count] = lift(get_fd(item, i));
		if (msg->fds[msg->fds_count] < 0)
			msg->fds_lost++;
		else
			msg->fds_count++;
	}
	if (msg->fds_lost > 0)
		msg->flags |= UNIXMSG_CUT_CONTROL;
}

/*
 * A message sent before anybody asked for credentials has these instead: no
 * process, and the user that stands for unknown ones.
 */
static bool is_placeholder(const struct ucred *cred)
{
	const uid_t overflow_id = 65534;

	return cred->pid == 0 && cred->uid == overflow_id &&
		cred->gid == overflow_id;
}

static void take_cred(const struct cmsghdr *item, struct unixmsg *msg)
{
	struct ucred found;

	if (item->cmsg_len < CMSG_LEN(sizeof(found)))
		return;
	memcpy(&found, CMSG_DATA(item), sizeof(found));
	if (is_placeholder(&found))
		return;
	msg->cred.pid = found.pid;
	msg->cred.uid = found.uid;
	msg->cred.gid = found.gid;
	msg->flags |= UNIXMSG_HAS_CRED;
}

/* For a dead process the kernel puts an error number here. */
static void take_pidfd(const struct cmsghdr *item, struct unixmsg *msg,
	bool is_wanted)
{
	int pidfd;

	if (item->cmsg_len < CMSG_LEN(sizeof(pidfd)))
		return;
	pidfd = get_fd(item, 0);
	if (pidfd < 0)
		return;
	if (is_wanted && msg->pidfd < 0)
		msg->pidfd = lift(pidfd);
	else
		close(pidfd);
}

static void take_item(const struct cmsghdr *item, struct unixmsg *msg,
	unsigned int wants)
{
	if (item->cmsg_level != SOL_SOCKET)
		return;
	if (item->cmsg_type == SCM_RIGHTS)
		take_fds(item, msg);
	else if (item->cmsg_type == SCM_PIDFD)
		take_pidfd(item, msg, (wants & UNIXMSG_WANT_PIDFD) != 0);
	else if (item->cmsg_type == SCM_CREDENTIALS &&
		(wants & UNIXMSG_WANT_CRED) != 0)
		take_cred(item, msg);
}

/*
 * Replaces CMSG_FIRSTHDR and CMSG_NXTHDR, which in some libcs look at an item
 * before they know that all of it is there.
 */
static const struct cmsghdr *get_item(const struct msghdr *header, size_t at)
{
	const struct cmsghdr *item;

	if (at > header->msg_controllen ||
		header->msg_controllen - at < CMSG_LEN(0))
		return NULL;
	item = (const struct cmsghdr *)((const char *)header->msg_control + at);
	if (item->cmsg_len < CMSG_LEN(0) ||
		item->cmsg_len > header->msg_controllen - at)
		return NULL;
	return item;
}

void unixcontrol__take(struct msghdr *header, struct unixmsg *msg,
	unsigned int wants)
{
	const struct cmsghdr *item;
	size_t at = 0;

	unixcontrol__clear(msg);
	if (header->msg_control == NULL)
		return;
	while ((item = get_item(header, at)) != NULL) {
		take_item(item, msg, wants);
		at += CMSG_ALIGN(item->cmsg_len);
	}
}
