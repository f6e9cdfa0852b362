/* SPDX-License-Identifier: MIT */
/* access: who may talk to a service, by the credentials the kernel gives. */
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

/* EINVAL (-1 is nobody), ENOMEM. One that is there already is not doubled. */
int unixaccess__add(struct ids *ids, unsigned int id);

void unixaccess__free(struct access *access);

/* Our own user may be another by now: it is asked for when it is needed. */
void unixaccess__forget_own_user(struct access *access);

/*
 * Whether somebody may talk; is_abstract tells the default. cred is NULL when
 * nobody vouches for him: then he may only where everybody may. peer_fd is a
 * connection whose supplementary groups count, or -1.
 */
bool unixaccess__is_allowed(struct access *access, bool is_abstract,
	const struct unixcred *cred, int peer_fd);

#endif
