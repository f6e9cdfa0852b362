/* SPDX-License-Identifier: MIT */
/* access: decides who may talk to a service, by the kernel's credentials. */
#ifndef UNIXMSG_ACCESS_H
#define UNIXMSG_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "unixmsg/cred.h"

/* A list of ids; uid_t and gid_t are the same type on Linux. */
struct ids {
	unsigned int *all;
	size_t count;
};

struct access {
	bool is_anyone;
	bool is_own_user_known;
	uid_t own_user; /* the effective one */
	struct ids users_allowed;
	struct ids groups_allowed;
	struct ids users_denied;
	struct ids groups_denied;
};

/* Adds id, once. Returns 0, or -1 with EINVAL for the id -1, or ENOMEM. */
int unixaccess__add(struct ids *ids, unsigned int id);

void unixaccess__free(struct access *access);

/* Has the effective user looked up anew when it is needed next. */
void unixaccess__forget_own_user(struct access *access);

/*
 * Tells whether a peer may talk; is_abstract selects the default. A peer
 * without credentials (cred is NULL) may talk only if everybody may. peer_fd is
 * a connection whose supplementary groups count, or -1.
 */
bool unixaccess__is_allowed(struct access *access, bool is_abstract,
	const struct unixcred *cred, int peer_fd);

#endif
