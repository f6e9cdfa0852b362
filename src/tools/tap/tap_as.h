/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_AS_H
#define UNIXMSG_TOOLS_TAP_AS_H

/* The server sees the user who has connected: as root, the tap connects as the
 * user of its client. The process is always the tap. */

#include "tools/tap/tap.h"

/* Dials the server as the user of client, whom cred describes. Returns NULL
 * with an errno of unixconn_dial. */
struct unixconn *tap_as_dial(const struct tap *tap,
	const struct unixconn *client, const struct unixcred *cred);

/*
 * Clients see the user who has called listen(2). As root, the tap calls it
 * again as the server's user, if that user is known. Does nothing if user, the
 * owner of the file, is root.
 */
void tap_as_listen(const struct tap *tap, uid_t user, int fd);

#endif
