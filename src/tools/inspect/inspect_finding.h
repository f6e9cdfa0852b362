/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_FINDING_H
#define UNIXMSG_TOOLS_INSPECT_FINDING_H

/* The result of the search at an address. */

#include "tools/inspect/inspect_file.h"
#include "tools/inspect/inspect_near.h"
#include "tools/inspect/inspect_snapshot.h"

enum inspect_state {
	INSPECT_LISTENING,
	INSPECT_BOUND, /* receives messages, or does not listen yet */
	INSPECT_CONNECTED,
	INSPECT_DEAD,    /* a socket file without a socket */
	INSPECT_UNSEEN,  /* alive, but sock_diag does not show it */
	INSPECT_UNKNOWN, /* no socket here, and we may not probe */
	INSPECT_NOBODY,
	INSPECT_NOT_A_SOCKET,
};

/* The file at the path to which a socket was bound. */
enum inspect_path {
	INSPECT_PATH_UNKNOWN, /* or it has none */
	INSPECT_PATH_IN_PLACE,
	INSPECT_PATH_GONE, /* or in another mount namespace */
	INSPECT_PATH_REPLACED,
};

struct inspect_finding {
	const char *address; /* as text */
	/* The user has named this address; else it is one of many. */
	bool is_asked;
	enum inspect_state state;
	const struct inspect_socket *socket; /* NULL: none */
	enum inspect_path path;              /* of the socket */
	const struct inspect_file *file;     /* NULL: none */
	/* Why it is unknown, or nobody; NULL if the state says all. */
	const char *why;
	/* Sockets of other types have the same abstract name. */
	bool is_shared;
	/* Dead: connections that are left of its listener. */
	size_t connections_left;
	const struct inspect_nears *nears; /* NULL: no search */
};

/* Returns a word for tables and programs: "listening", "dead", ... */
const char *inspect_finding_get_word(const struct inspect_finding *finding);

/* Returns the same in a sentence. */
const char *inspect_finding_get_phrase(const struct inspect_finding *finding);

/* Returns the state of its path: "gone", "replaced", or NULL. */
const char *inspect_finding_get_mark(const struct inspect_finding *finding);

/* True if a socket is there. */
bool inspect_finding_is_alive(const struct inspect_finding *finding);

#endif
