/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_AS_H
#define UNIXMSG_TOOLS_TAP_AS_H

/* The server sees who has connected: as root, the tap connects as its client
 * has. The process id is the tap's in any case. */

#include "tools/tap/tap.h"

/* Dials the server as the user of client, whom cred describes. NULL with an
 * errno of unixconn_dial. */
struct unixconn *tap_as_dial(const struct tap *tap,
	const struct unixconn *client, const struct unixcred *cred);

/* Clients see who has called listen(2): as root, the tap does that as the
 * server's user, if user, whose the file is, is not root. Nothing changes
 * where that user is not known. */
void tap_as_listen(const struct tap *tap, uid_t user, int fd);

#endif
