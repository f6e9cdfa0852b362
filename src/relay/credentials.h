/* SPDX-License-Identifier: MIT */
/*
 * credentials: the user and password of the engine, in a file of lines
 *
 *	user NAME
 *	password WORD
 *
 * Empty lines and those that begin with # are ignored. With the password a user
 * can inject messages into every session, so only the owner may read the file.
 */
#ifndef UNIXMSG_RELAY_CREDENTIALS_H
#define UNIXMSG_RELAY_CREDENTIALS_H

#include "relay/nats_writer.h"

struct credentials {
	char user[NATS_LOGIN_MAX + 1];
	char password[NATS_LOGIN_MAX + 1];
};

/*
 * Returns 0, or -1 with an errno of open(2) or read(2), or with
 *
 *   EPERM     group or others have any right to it, or it is neither ours nor
 *             root's
 *   EINVAL    not a regular file, too long, or not such lines, each once
 */
int credentials_read(struct credentials *credentials, const char *path);

/* Wipes them from memory. */
void credentials_clear(struct credentials *credentials);

#endif
