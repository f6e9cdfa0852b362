/* SPDX-License-Identifier: MIT */
/*
 * lanes: with UNIXMSG_LANES in the environment the connections of unixpacket
 * that a test makes get lanes, as far as both sides are in its process, before
 * anything is sent. The linker puts these calls in the place of the library's.
 */
#ifndef UNIXMSG_TESTS_LANES_H
#define UNIXMSG_TESTS_LANES_H

#include "network/handshake.h"

/* Has both ends of a connection say what they have to say. */
void lanes_settle(struct packet *client, struct packet *server);

#endif
