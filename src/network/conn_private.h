/* SPDX-License-Identifier: MIT */
/* conn: what the other rooms of the library use besides unixmsg/conn.h. */
#ifndef UNIXMSG_CONN_PRIVATE_H
#define UNIXMSG_CONN_PRIVATE_H

#include "network/network.h"
#include "unixmsg/conn.h"

/* One on which nothing is open yet: NULL with ENOMEM. */
struct unixconn *unixconn__new(const struct network *network);

/* As unixconn_open; what is wanted is in force before the first message. */
struct unixconn *unixconn__open_wanting(const char *network,
	const char *address, const struct unixlisten_options *options,
	unsigned int wants);

/* See unixendpoint__is_shared and unixdial__retire. */
bool unixconn__is_shared(const struct unixconn *conn);
int unixconn__retire(struct unixconn *conn, bool *is_shared);

unsigned int unixconn__get_wants(const struct unixconn *conn);

/* Streams: see stream.c. */

/* Whether it is in no message, neither sending nor receiving, and nothing was
 * read ahead; whether it is in one that it sends. */
bool unixstream__is_between(const struct unixconn *conn);
bool unixstream__is_sending(const struct unixconn *conn);

/* Whether bytes were read ahead, a whole message perhaps. */
bool unixstream__has_input(const struct unixconn *conn);

/* Frees the memory for reading ahead when there is nothing in it. Gives how
 * many bytes there are. */
size_t unixstream__trim(struct unixconn *conn);

#endif
