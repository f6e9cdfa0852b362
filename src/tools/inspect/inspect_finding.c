/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <sys/socket.h>

#include "tools/inspect/inspect_finding.h"

const char *inspect_finding_get_word(const struct inspect_finding *finding)
{
	static const char *const words[] = {
		[INSPECT_LISTENING] = "listening",
		[INSPECT_BOUND] = "bound",
		[INSPECT_CONNECTED] = "connected",
		[INSPECT_DEAD] = "dead",
		[INSPECT_UNSEEN] = "unseen",
		[INSPECT_UNKNOWN] = "unknown",
		[INSPECT_NOBODY] = "nobody",
		[INSPECT_NOT_A_SOCKET] = "not-a-socket",
	};

	if (finding->state == INSPECT_BOUND &&
		finding->socket->told.type != SOCK_DGRAM)
		return "not-listening";
	return words[finding->state];
}

static const char *describe_bound(const struct inspect_socket *it)
{
	return it->told.type == SOCK_DGRAM
		? "bound, takes messages"
		: "bound, does not listen yet: connections are refused";
}

static const char *describe_connected(const struct inspect_socket *it)
{
	return it->told.type == SOCK_DGRAM
		? "bound and connected: takes messages from its peer only"
		: "connected, does not listen";
}

const char *inspect_finding_get_phrase(const struct inspect_finding *finding)
{
	switch (finding->state) {
	case INSPECT_LISTENING:
		return "listening";
	case INSPECT_BOUND:
		return describe_bound(finding->socket);
	case INSPECT_CONNECTED:
		return describe_connected(finding->socket);
	case INSPECT_DEAD:
		return "dead: a socket file that nobody is bound to; --clean "
		       "removes it";
	case INSPECT_UNSEEN:
		return "alive, but its owner cannot be seen from here: it is "
		       "in another network namespace, or has just appeared";
	case INSPECT_NOT_A_SOCKET:
		return inspect_file_get_kind(finding->file);
	default:
		return finding->why;
	}
}

const char *inspect_finding_get_mark(const struct inspect_finding *finding)
{
	switch (finding->path) {
	case INSPECT_PATH_GONE:
		return "gone";
	case INSPECT_PATH_REPLACED:
		return "replaced";
	default:
		return NULL;
	}
}

bool inspect_finding_is_alive(const struct inspect_finding *finding)
{
	return finding->state <= INSPECT_CONNECTED ||
		finding->state == INSPECT_UNSEEN;
}
