/* SPDX-License-Identifier: MIT */
/*
 * diag_play: plays the answers of sock_diag(7) on another kernel, or at a bad
 * moment. A program that is linked with this file gets the calls of the
 * library, which is linked statically, and alters their answers. The file is no
 * part of libsupport, where it would alter the answers in all programs.
 */
#ifndef UNIXMSG_TESTS_DIAG_PLAY_H
#define UNIXMSG_TESTS_DIAG_PLAY_H

#include <stdbool.h>
#include <stdint.h>

struct diag_play {
	int error;        /* of opening a socket for sock_diag; 0: none */
	bool is_list_cut; /* once, for want of room: ENOBUFS */
	/* The number of answers to alter from now on, by the members below. */
	unsigned int answers;
	bool is_truncated; /* by the room of the reader */
	bool is_malformed;
	uint16_t kind;         /* of messages about sockets; 0: unchanged */
	uint16_t flags;        /* set in each message */
	uint16_t hidden;       /* an attribute to leave out */
	uint32_t file, device; /* flipped bits in the numbers of a file */
	/* What has happened. */
	unsigned int refusals, numbers;
};

extern struct diag_play diag_play;

/* Restores the kernel's own answers. */
void diag_play_nothing(void);

#endif
