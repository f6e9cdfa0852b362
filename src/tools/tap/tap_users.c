/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdlib.h>

#include "tools/tap/tap_users.h"

struct tap_user *tap_users_join(struct tap_user **users, uid_t uid)
{
	struct tap_user *user = *users;

	while (user != NULL && user->uid != uid)
		user = user->next;
	if (user == NULL) {
		user = calloc(1, sizeof(*user));
		if (user == NULL)
			return NULL;
		user->uid = uid;
		user->next = *users;
		*users = user;
	}
	user->clients++;
	return user;
}

void tap_users_leave(struct tap_user **users, struct tap_user *user)
{
	if (--user->clients > 0)
		return;
	while (*users != user)
		users = &(*users)->next;
	*users = user->next;
	free(user);
}

const struct tap_user *tap_users_get_most(const struct tap_user *users)
{
	const struct tap_user *most = users;

	for (; users != NULL; users = users->next)
		if (users->clients > most->clients)
			most = users;
	return most;
}
