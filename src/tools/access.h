/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_ACCESS_H
#define UNIXMSG_TOOLS_ACCESS_H

/*
 * Who may talk to a server, by the credentials that the kernel vouches for. On
 * a path it is whoever the file's mode lets in, on an abstract name, which has
 * no mode, our own user and root; --allow-user, --allow-group and
 * --allow-anyone say otherwise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "unixmsg.h"

enum { ACCESS_MOST = 64 };

struct access {
	bool is_anyone;
	uid_t users[ACCESS_MOST];
	size_t users_count;
	gid_t groups[ACCESS_MOST];
	size_t groups_count;
};

/* 0, or -1 when there are too many. */
int access_allow_user(struct access *access, uid_t user);
int access_allow_group(struct access *access, gid_t group);

/* Fills in the default for address where nothing was said. */
void access_complete(struct access *access, const char *address);

/*
 * Whether the writer of a message may talk: his real user and group, since the
 * kernel tells no supplementary ones here.
 */
bool access_is_writer_allowed(const struct access *access,
	const struct unixmsg *msg);

/*
 * Whether the peer of a connection may: his effective user and group when he
 * connected, and his supplementary groups. Who that is goes to cred.
 */
bool access_is_peer_allowed(const struct access *access, int fd,
	struct unixcred *cred);

#endif
