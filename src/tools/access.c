/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "tools/access.h"

int access_allow_user(struct access *access, uid_t user)
{
	if (access->users_count == ACCESS_MOST)
		return -1;
	access->users[access->users_count++] = user;
	return 0;
}

int access_allow_group(struct access *access, gid_t group)
{
	if (access->groups_count == ACCESS_MOST)
		return -1;
	access->groups[access->groups_count++] = group;
	return 0;
}

static bool is_abstract(const char *address)
{
	return *address == '@' || strncmp(address, "\\x00", 4) == 0;
}

void access_complete(struct access *access, const char *address)
{
	if (access->users_count > 0 || access->groups_count > 0)
		return;
	if (!is_abstract(address))
		access->is_anyone = true;
	access_allow_user(access, geteuid());
	access_allow_user(access, 0);
}

static bool is_user_allowed(const struct access *access, uid_t user)
{
	size_t i;

	for (i = 0; i < access->users_count; i++)
		if (access->users[i] == user)
			return true;
	return false;
}

static bool is_group_allowed(const struct access *access, gid_t group)
{
	size_t i;

	for (i = 0; i < access->groups_count; i++)
		if (access->groups[i] == group)
			return true;
	return false;
}

bool access_is_writer_allowed(const struct access *access,
	const struct unixmsg *msg)
{
	if (access->is_anyone)
		return true;
	/* Nobody vouches for him: then he is nobody. */
	if ((msg->flags & UNIXMSG_HAS_CRED) == 0)
		return false;
	return is_user_allowed(access, msg->cred.uid) ||
		is_group_allowed(access, msg->cred.gid);
}

bool access_is_peer_allowed(const struct access *access, int fd,
	struct unixcred *cred)
{
	size_t i;

	cred->pid = 0;
	cred->uid = (uid_t)-1;
	cred->gid = (gid_t)-1;
	if (access->is_anyone)
		return true;
	if (unixpeer_get_cred(fd, cred) < 0)
		return false;
	if (is_user_allowed(access, cred->uid))
		return true;
	for (i = 0; i < access->groups_count; i++)
		if (unixpeer_is_in_group(fd, access->groups[i]) == 1)
			return true;
	return false;
}
