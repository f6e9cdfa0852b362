/* SPDX-License-Identifier: MIT */
/* place: chooses where datagram clients have their socket files. */
#ifndef UNIXMSG_PLACE_H
#define UNIXMSG_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* A directory named by the environment, or the system's own. */
struct client_place {
	const char *base; /* NULL: there is none */
	bool is_private;  /* it must be our own */
	bool is_systems;  /* any owner is right */
};

/*
 * Chooses a path for a client's next file that nobody else has, in a directory
 * of ours below the base, which it makes when needed. Sweeps some of the files
 * that dead clients have left there. Returns -1 with errno: ENOENT (no base),
 * EPERM (others could rename our files there), ENAMETOOLONG, or those of
 * stat(2).
 */
int unixplace__choose(const struct client_place *place, char *path,
	size_t room);

#endif
