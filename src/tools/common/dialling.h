/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_DIALLING_H
#define UNIXMSG_TOOLS_DIALLING_H

/* How the tools that are clients reach their server. */

#include <stddef.h>
#include <stdint.h>

#include "tools/common/options.h"
#include "tools/common/stats.h"
#include "unixmsg.h"

/* When the patience of options for the server's coming ends. */
int64_t dialling_get_deadline(const struct options *options);

/* Connects by network: NULL with errno. flags are UNIXMSG_DIAL_... */
struct unixconn *dialling_open(const struct options *options,
	const struct network *network, unsigned int flags, int64_t deadline_us);

/* Says why dialling_open has failed. */
void dialling_complain(const struct options *options,
	const struct network *network, int error);

/* 0 when the server is who it shall be, as far as that is known; -1 told. */
int dialling_check_server(const struct options *options, struct unixconn *conn);

/*
 * A datagram socket has no peer that the kernel vouches for: there it is the
 * answers that tell who runs the server. 0, or -1 told.
 */
int dialling_check_writer(const struct options *options,
	const struct unixmsg *msg);

/* For --verbose; and a warning where answers may not reach us. */
void dialling_say_connected(const struct unixconn *conn);
void dialling_warn_of_silence(const struct unixconn *conn);

/* As explain_silence, and that our own address has gone meanwhile. */
const char *dialling_explain_silence(const struct options *options,
	const struct network *network, const struct unixconn *conn);

/* Say why a message could not be sent, or received, and return -1. */
int dialling_complain_of_sending(const struct options *options, uint64_t number,
	size_t size, int error);
int dialling_complain_of_room(const struct options *options, uint64_t number);
int dialling_complain_of_receiving(const struct options *options, size_t size,
	int error);

/* 0, or -1 told: what our own address has left behind is there still. */
int dialling_close(struct unixconn *conn);

/*
 * Says what was sent, and what of the input was not: "64 sent, none answered;
 * 936 records not sent". answered is the word for what came, NULL: it is not
 * told. Of a single message nothing is said: a complaint before has said all.
 */
void dialling_say_sent(const struct client_stats *stats, const char *answered,
	uint64_t rest, bool is_all);

#endif
