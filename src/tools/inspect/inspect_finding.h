/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_FINDING_H
#define UNIXMSG_TOOLS_INSPECT_FINDING_H

/* What was found at an address. */

#include "tools/inspect/inspect_file.h"
#include "tools/inspect/inspect_near.h"
#include "tools/inspect/inspect_snapshot.h"

enum inspect_state {
	INSPECT_LISTENING,
	INSPECT_BOUND, /* takes messages, or does not listen yet */
	INSPECT_CONNECTED,
	INSPECT_DEAD,    /* a socket file that no socket is bound to */
	INSPECT_UNSEEN,  /* somebody is there whom sock_diag does not show */
	INSPECT_UNKNOWN, /* nobody of ours, and there is no way to ask */
	INSPECT_NOBODY,
	INSPECT_NOT_A_SOCKET,
};

/* What the path that a socket was bound to leads to. */
enum inspect_path {
	INSPECT_PATH_UNKNOWN, /* or it has none */
	INSPECT_PATH_IN_PLACE,
	INSPECT_PATH_GONE, /* or in another mount namespace */
	INSPECT_PATH_REPLACED,
};

struct inspect_finding {
	const char *address; /* as text */
	/* Some address was asked for; else it is one of many. */
	bool is_asked;
	enum inspect_state state;
	const struct inspect_socket *socket; /* NULL: none */
	enum inspect_path path;              /* of the socket */
	const struct inspect_file *file;     /* NULL: none */
	/* Why it is unknown, or nobody; NULL where the state says it all. */
	const char *why;
	/* Sockets of other types have the same abstract name. */
	bool is_shared;
	/* Dead: connections that outlive the listener they came through. */
	size_t connections_left;
	const struct inspect_nears *nears; /* NULL: not looked for */
};

/* A word for tables and programs: "listening", "dead", ... */
const char *inspect_finding_get_word(const struct inspect_finding *finding);

/* The same for people. */
const char *inspect_finding_get_phrase(const struct inspect_finding *finding);

/* What has become of its path: "gone", "replaced"; NULL for nothing. */
const char *inspect_finding_get_mark(const struct inspect_finding *finding);

/* Somebody is there. */
bool inspect_finding_is_alive(const struct inspect_finding *finding);

#endif
