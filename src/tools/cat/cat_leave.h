/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_LEAVE_H
#define UNIXMSG_TOOLS_CAT_LEAVE_H

struct unixconn;

/*
 * Ends both directions of a connection, which is to be closed then. What the
 * peer has sent is read away: closed unread it would be a reset, which some
 * peers see before the messages that were sent to them.
 */
void cat_leave(struct unixconn *conn);

#endif
