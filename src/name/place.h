/* SPDX-License-Identifier: MIT */
/* place: where the socket files of datagram clients are. */
#ifndef UNIXMSG_PLACE_H
#define UNIXMSG_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* A directory that the environment names, or the system's own. */
struct client_place {
	const char *base; /* NULL: there is none */
	bool is_private;  /* it has to be our own */
	bool is_systems;  /* whoever owns it */
};

/*
 * Chooses the path of a client's next file, which nobody else has, in a
 * directory of ours below the base that is made when needed, and sweeps some
 * of what dead clients have left there. -1 with errno: ENOENT (no base), EPERM
 * (others could rename our files there), ENAMETOOLONG, or those of stat(2).
 */
int unixplace__choose(const struct client_place *place, char *path,
	size_t room);

#endif
