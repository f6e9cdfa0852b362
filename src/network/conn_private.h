/* SPDX-License-Identifier: MIT */
/* conn: calls for the rest of the library, besides unixmsg/conn.h. */
#ifndef UNIXMSG_CONN_PRIVATE_H
#define UNIXMSG_CONN_PRIVATE_H

#include "network/network.h"
#include "unixmsg/conn.h"

/* Allocates a conn that has no socket yet. Returns NULL with ENOMEM. */
struct unixconn *unixconn__new(const struct network *network);

/* Dials as unixconn_dial. Fails with errno as it is if network is NULL. */
struct unixconn *unixconn__dial(const struct network *network,
	const char *address, const struct unixdial_options *options,
	int64_t deadline_us);

/* Does the same as unixconn_open, with wants set before the first message. */
struct unixconn *unixconn__open_wanting(const char *network,
	const char *address, const struct unixlisten_options *options,
	unsigned int wants);

/* See unixendpoint__is_shared and unixdial__retire. */
bool unixconn__is_shared(const struct unixconn *conn);
int unixconn__retire(struct unixconn *conn, bool *is_shared);

unsigned int unixconn__get_wants(const struct unixconn *conn);

/* Streams: see stream.c. */

/* Returns how many bytes of a partly sent message were sent, its prefix
 * included, or 0 if there is no such message. */
size_t unixstream__get_sent(const struct unixconn *conn);

/* Tells whether bytes were read ahead, perhaps a whole message. */
bool unixstream__has_input(const struct unixconn *conn);

/*
 * Receive and send bytes, and the control data beside them, without waiting.
 * The second sends the bytes of msg from byte *done on, and advances *done. The
 * control data goes with the first byte.
 */
int unixstream__recv_bytes(struct unixconn *conn, struct unixmsg *msg);
int unixstream__send_bytes(struct unixconn *conn, const struct unixmsg *msg,
	size_t *done);

/* Frees the read-ahead buffer if it is empty. Returns the bytes in it. */
size_t unixstream__trim(struct unixconn *conn);

#endif
