/* SPDX-License-Identifier: MIT */
/*
 * diag_play: what sock_diag(7) tells on another kernel, or at a bad moment. A
 * program that has this file among its own gets the calls of the library, which
 * is linked statically, and alters their answers. The file is no part of
 * libsupport, where it would alter those of all programs.
 */
#ifndef UNIXMSG_TESTS_DIAG_PLAY_H
#define UNIXMSG_TESTS_DIAG_PLAY_H

#include <stdbool.h>
#include <stdint.h>

struct diag_play {
	int error;        /* of a socket for sock_diag; 0: none */
	bool is_list_cut; /* once, for want of room: ENOBUFS */
	/* How many answers to alter from now on, as the rest tells. */
	unsigned int answers;
	bool is_truncated; /* by the room of the reader */
	bool is_malformed;
	uint16_t kind;         /* of messages about sockets, 0: their own */
	uint16_t flags;        /* set in each message */
	uint16_t hidden;       /* an attribute that is not told */
	uint32_t file, device; /* flipped bits in the numbers of a file */
	/* What has happened. */
	unsigned int refusals, numbers;
};

extern struct diag_play diag_play;

/* The kernel's own answers again. */
void diag_play_nothing(void);

#endif
