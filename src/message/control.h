/* SPDX-License-Identifier: MIT */
/* control: what travels beside the bytes of a message, see cmsg(3). */
#ifndef UNIXMSG_CONTROL_H
#define UNIXMSG_CONTROL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "message/cred_private.h"
#include "unixmsg/msg.h"

/*
 * Room for one struct ucred or one time stamp. Those that a socket's messages
 * come with stand before descriptors and leave no room for any.
 */
union control_mark {
	struct cmsghdr align;
	char room[CMSG_SPACE(2 * sizeof(uint64_t))];
};

enum { CONTROL_MARKS_MAX = 2 };

/* Room for all that can come at once: the kernel puts a pidfd last. */
union control_all {
	struct cmsghdr align;
	char room[CMSG_SPACE(UNIXMSG_FDS_MAX * sizeof(int)) +
		2 * CMSG_SPACE(2 * sizeof(uint64_t)) + CMSG_SPACE(sizeof(int))];
};

/* Whether anything goes beside the bytes of msg. */
static inline bool unixcontrol__is_needed(const struct unixmsg *msg)
{
	return msg->fds_count > 0 || (msg->flags & UNIXMSG_SEND_CRED) != 0;
}

/* Lets descriptors and credentials of msg travel in header; control is its
 * memory. */
void unixcontrol__put(struct msghdr *header, union control_all *control,
	const struct unixmsg *msg);

/* As if nothing had come with msg: what came with the last is its owner's. */
static inline void unixcontrol__clear(struct unixmsg *msg)
{
	msg->fds_count = 0;
	msg->fds_lost = 0;
	msg->pidfd = -1;
	msg->cred = unixcred__get_unknown();
}

/*
 * Hands what has come in header to msg: descriptors as far as there is room,
 * credentials and pidfd if wants has them (UNIXMSG_WANT_...). Every other
 * descriptor is closed. The kernel's own data is trusted no further than its
 * lengths say.
 */
void unixcontrol__take(struct msghdr *header, struct unixmsg *msg,
	unsigned int wants);

#endif
