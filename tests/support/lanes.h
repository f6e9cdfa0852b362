/* SPDX-License-Identifier: MIT */
/*
 * lanes: with UNIXMSG_LANES in the environment the connections of unixpacket
 * that a test makes get lanes, as far as both sides are in its process, before
 * anything is sent. The linker replaces the library's calls by these.
 */
#ifndef UNIXMSG_TESTS_LANES_H
#define UNIXMSG_TESTS_LANES_H

#include "network/handshake.h"

/* Lets both ends of a connection exchange their offers, and asserts that both
 * have the lane. */
void lanes_settle(struct packet *client, struct packet *server);

#endif
