/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/common/explain_path.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_as.h"
#include "tools/tap/tap_name.h"

enum { GROUPS_MOST = 1024, USERS_MOST = 16 };

/* The groups of the tap itself. */
struct self {
	gid_t gid;
	gid_t groups[GROUPS_MOST];
	int groups_count;
};

static bool is_named(const struct unixconn *client)
{
	struct unixaddr addr;

	return unixconn_get_peer(client, &addr) == 0 &&
		unixaddr_get_kind(&addr) != UNIXADDR_UNNAMED;
}

/*
 * The kernel gives a name to a socket that asks for credentials: to a stream
 * socket when it connects, to a packet socket also when it sends. The server
 * would see that name. A client without a name did not ask for credentials
 * before it connected, so this socket asks later, or never.
 */
static struct unixconn *dial(const struct tap *tap,
	const struct unixconn *client)
{
	struct unixdial_options options = { .wants = tap_get_wants() };
	struct unixconn *server;

	if (!is_named(client))
		options.wants &= ~UNIXMSG_WANT_CRED;
	server = tap_name_dial(tap, &options);
	if (server == NULL || !tap->network->is_stream ||
		unixconn_want(server, tap_get_wants()) == 0)
		return server;
	unixconn_close(server);
	return NULL;
}

static int become(const struct unixconn *client, const struct unixcred *cred)
{
	gid_t groups[GROUPS_MOST];
	size_t count = 0;

	if (unixpeer_get_groups(unixconn_get_fd(client), groups, GROUPS_MOST,
		    &count) < 0)
		count = 0;
	if (setgroups(count, groups) < 0 || setegid(cred->gid) < 0)
		return -1;
	return seteuid(cred->uid);
}

/* The tap must not go on as another user, not even to clean up. */
static void become_self(const struct self *self)
{
	const int error = errno;

	if (seteuid(0) < 0 || setegid(self->gid) < 0 ||
		setgroups((size_t)self->groups_count, self->groups) < 0)
		_exit(TOOL_FAILED);
	errno = error;
}

static struct unixconn *dial_as(const struct tap *tap,
	const struct unixconn *client, const struct unixcred *cred)
{
	struct self self = { .gid = getegid() };
	struct unixconn *server = NULL;

	self.groups_count = getgroups(GROUPS_MOST, self.groups);
	if (self.groups_count < 0)
		return NULL;
	if (become(client, cred) == 0)
		server = dial(tap, client);
	become_self(&self);
	return server;
}

void tap_as_listen(const struct tap *tap, uid_t user, int fd)
{
	struct unixowner owner;

	if (geteuid() != 0 || user == 0 ||
		unixowner_find(tap->server, 0, &owner) < 0 || owner.user == 0 ||
		owner.user == (uid_t)-1)
		return;
	if (seteuid(owner.user) == 0 && listen(fd, SOMAXCONN) < 0)
		tool_say(TOOL_NORMAL, "clients see root as the server: %s",
			strerror(errno));
	if (seteuid(0) < 0)
		_exit(TOOL_FAILED);
}

/* Reports each user once, and only the first users. */
static void say_other_user(uid_t user)
{
	static uid_t told[USERS_MOST];
	static size_t count;
	char text[EXPLAIN_USER_SIZE];
	size_t i;

	for (i = 0; i < count; i++)
		if (told[i] == user)
			return;
	if (count == USERS_MOST)
		return;
	told[count++] = user;
	tool_say(TOOL_NORMAL,
		"the server takes clients of user %s for ours: only root can "
		"connect as another user",
		explain_user(user, text));
}

struct unixconn *tap_as_dial(const struct tap *tap,
	const struct unixconn *client, const struct unixcred *cred)
{
	if (cred->uid == geteuid() && cred->gid == getegid())
		return dial(tap, client);
	if (geteuid() == 0)
		return dial_as(tap, client, cred);
	if (cred->uid != geteuid() && cred->uid != (uid_t)-1)
		say_other_user(cred->uid);
	return dial(tap, client);
}
