/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_USERS_H
#define UNIXMSG_TOOLS_TAP_USERS_H

/* The users of clients. When there are too many clients, the user with the most
 * loses one, so that no user can push out the clients of others. */

#include <stddef.h>
#include <sys/types.h>

struct tap_user {
	uid_t uid; /* (uid_t)-1: all unknown users */
	size_t clients;
	struct tap_user *next;
};

/* Counts one more client. Returns NULL without memory. */
struct tap_user *tap_users_join(struct tap_user **users, uid_t uid);

/* Counts one client less; frees user with its last client. */
void tap_users_leave(struct tap_user **users, struct tap_user *user);

/* Returns the user with the most clients; NULL if there are none. */
const struct tap_user *tap_users_get_most(const struct tap_user *users);

#endif
