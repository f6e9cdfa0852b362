/* SPDX-License-Identifier: MIT */
/*
 * talk: connections of the library, and the short texts that go over them.
 *
 * As with support.h, a failed step is a failed test.
 */
#ifndef UNIXMSG_TESTS_TALK_H
#define UNIXMSG_TESTS_TALK_H

#include "unixmsg.h"

/* Half a minute from now: what another process or thread does has happened. */
int64_t in_time(void);

void make_pair(const char *network, struct unixconn **near,
	struct unixconn **far);
struct unixconn *dial_conn(const char *network, const char *address);
struct unixconn *accept_conn(struct unixlistener *listener);
void close_conn(struct unixconn *conn);

/* Closes it and leaves NULL. */
void end_conn(struct unixconn **conn);

void send_text(struct unixconn *conn, const char *text);

/* The next message is text, of at most 256 bytes; from may be NULL. */
void receive_text(struct unixconn *conn, const char *text,
	struct unixaddr *from, int64_t until);

/* It is there, or nothing is. */
void expect_text(struct unixconn *conn, const char *text);
void expect_nothing(struct unixconn *conn);

/* It comes in time. */
void await_text(struct unixconn *conn, const char *text);

void pass_text(struct unixconn *from, struct unixconn *to, const char *text);

/* Of unixpacket: the client asks for a lane, the server offers one of so many
 * bytes, or none for 0. They have not talked about it yet. */
void connect_lane(uint64_t lane_bytes, struct unixconn **client,
	struct unixconn **server);

void expect_address(const struct unixaddr *addr, const char *text);

/* Bytes that tell a shifted or repeated part; free them. */
unsigned char *make_payload(size_t size, unsigned int seed);

#endif
