/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "service/access.h"
#include "unixmsg/peer.h"

static bool is_in(const struct ids *ids, unsigned int id)
{
	size_t i;

	for (i = 0; i < ids->count; i++)
		if (ids->all[i] == id)
			return true;
	return false;
}

int unixaccess__add(struct ids *ids, unsigned int id)
{
	unsigned int *all;

	if (id == (unsigned int)-1) {
		errno = EINVAL;
		return -1;
	}
	if (is_in(ids, id))
		return 0;
	all = reallocarray(ids->all, ids->count + 1, sizeof(*all));
	if (all == NULL)
		return -1;
	all[ids->count++] = id;
	ids->all = all;
	return 0;
}

void unixaccess__free(struct access *access)
{
	free(access->users_allowed.all);
	free(access->groups_allowed.all);
	free(access->users_denied.all);
	free(access->groups_denied.all);
}

static bool is_anything_denied(const struct access *access)
{
	return access->users_denied.count + access->groups_denied.count > 0;
}

static bool is_anybody_allowed(const struct access *access, bool is_abstract)
{
	if (access->is_anyone)
		return true;
	return !is_abstract &&
		access->users_allowed.count + access->groups_allowed.count == 0;
}

/*
 * Tells whether the peer is in a group of ids. is_unknown is the answer when
 * the kernel does not tell the peer's groups.
 */
static bool is_in_groups(const struct ids *ids, const struct unixcred *cred,
	int peer_fd, bool is_unknown)
{
	size_t i;
	int result;

	if (is_in(ids, cred->gid))
		return true;
	for (i = 0; peer_fd >= 0 && i < ids->count; i++) {
		result = unixpeer_is_in_group(peer_fd, ids->all[i]);
		if (result != 0)
			return result > 0 || is_unknown;
	}
	return false;
}

static bool is_denied(const struct access *access, const struct unixcred *cred,
	int peer_fd)
{
	return is_in(&access->users_denied, cred->uid) ||
		is_in_groups(&access->groups_denied, cred, peer_fd, true);
}

void unixaccess__forget_own_user(struct access *access)
{
	access->is_own_user_known = false;
}

/* Asks once, as a system call for each message would cost too much. */
static uid_t get_own_user(struct access *access)
{
	if (!access->is_own_user_known) {
		access->own_user = geteuid();
		access->is_own_user_known = true;
	}
	return access->own_user;
}

/* On an abstract name, without an allowed user or group: us and root. */
static bool is_ours(struct access *access, const struct unixcred *cred)
{
	return access->users_allowed.count + access->groups_allowed.count ==
		0 &&
		(cred->uid == 0 || cred->uid == get_own_user(access));
}

bool unixaccess__is_allowed(struct access *access, bool is_abstract,
	const struct unixcred *cred, int peer_fd)
{
	const bool is_anybody = is_anybody_allowed(access, is_abstract);

	if (cred == NULL)
		return is_anybody && !is_anything_denied(access);
	if (is_denied(access, cred, peer_fd))
		return false;
	return is_anybody || is_ours(access, cred) ||
		is_in(&access->users_allowed, cred->uid) ||
		is_in_groups(&access->groups_allowed, cred, peer_fd, false);
}
