/* SPDX-License-Identifier: MIT */
/* control: the control data beside the bytes of a message, see cmsg(3). */
#ifndef UNIXMSG_CONTROL_H
#define UNIXMSG_CONTROL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "message/cred_private.h"
#include "unixmsg/msg.h"

/*
 * Room for one struct ucred or one time stamp. These mark the messages of a
 * socket. They come before descriptors and leave no room for any.
 */
union control_mark {
	struct cmsghdr align;
	char room[CMSG_SPACE(2 * sizeof(uint64_t))];
};

enum { CONTROL_MARKS_MAX = 2 };

/* Room for everything that can arrive at once; the kernel puts a pidfd last. */
union control_all {
	struct cmsghdr align;
	char room[CMSG_SPACE(UNIXMSG_FDS_MAX * sizeof(int)) +
		2 * CMSG_SPACE(2 * sizeof(uint64_t)) + CMSG_SPACE(sizeof(int))];
};

/* Tells whether msg has control data to send. */
static inline bool unixcontrol__is_needed(const struct unixmsg *msg)
{
	return msg->fds_count > 0 || (msg->flags & UNIXMSG_SEND_CRED) != 0;
}

/* Puts the descriptors and credentials of msg into header; control is the
 * memory for them. */
void unixcontrol__put(struct msghdr *header, union control_all *control,
	const struct unixmsg *msg);

/* Clears the control data of msg. Closes nothing, as the caller owns the
 * descriptors of the last message. */
static inline void unixcontrol__clear(struct unixmsg *msg)
{
	msg->fds_count = 0;
	msg->fds_lost = 0;
	msg->pidfd = -1;
	msg->cred = unixcred__get_unknown();
}

/*
 * Gives msg the control data in header: descriptors as far as there is room,
 * credentials and pidfd if wants has them (UNIXMSG_WANT_...). Closes every
 * other descriptor. Trusts the kernel's own data only as far as its lengths
 * say.
 */
void unixcontrol__take(struct msghdr *header, struct unixmsg *msg,
	unsigned int wants);

#endif
