/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_LEAVE_H
#define UNIXMSG_TOOLS_CAT_LEAVE_H

struct unixconn;

/*
 * Shuts down both directions of a connection before the caller closes it, and
 * drops all messages that the peer has sent. A close with unread messages would
 * be a reset, which some peers see before the messages that were sent to them.
 */
void cat_leave(struct unixconn *conn);

#endif
