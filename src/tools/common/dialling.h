/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_DIALLING_H
#define UNIXMSG_TOOLS_DIALLING_H

/* How a client tool connects to its server. */

#include <stddef.h>
#include <stdint.h>

#include "tools/common/options.h"
#include "tools/common/stats.h"
#include "unixmsg.h"

/* Returns the deadline of --wait for the start of the server. */
int64_t dialling_get_deadline(const struct options *options);

/* Connects by network; NULL with errno. flags are UNIXMSG_DIAL_... */
struct unixconn *dialling_open(const struct options *options,
	const struct network *network, unsigned int flags, int64_t deadline_us);

/* Reports why dialling_open has failed. */
void dialling_complain(const struct options *options,
	const struct network *network, int error);

/* Checks the user of the server, if the kernel reports it. Returns 0, or -1
 * after a complaint. */
int dialling_check_server(const struct options *options, struct unixconn *conn);

/*
 * Checks the user of a datagram server by an answer, because the kernel reports
 * no peer of a datagram socket. Returns 0, or -1 after a complaint.
 */
int dialling_check_writer(const struct options *options,
	const struct unixmsg *msg);

/* Prints the addresses for --verbose, and warns if answers may not arrive. */
void dialling_say_connected(const struct unixconn *conn);
void dialling_warn_of_silence(const struct unixconn *conn);

/* Like explain_silence, and reports if our own address was removed. */
const char *dialling_explain_silence(const struct options *options,
	const struct network *network, const struct unixconn *conn);

/* Report why a message could not be sent, or received, and return -1. */
int dialling_complain_of_sending(const struct options *options, uint64_t number,
	size_t size, int error);
int dialling_complain_of_room(const struct options *options, uint64_t number);
int dialling_complain_of_receiving(const struct options *options, size_t size,
	int error);

/* Closes conn. Returns 0, or -1 after a complaint if the file of our own
 * address could not be removed. */
int dialling_close(struct unixconn *conn);

/*
 * Prints how much was sent and how much of the input was not: "64 sent, none
 * answered; 936 records not sent". answered is the word for messages received,
 * or NULL to leave them out. Prints nothing about a single message, because the
 * complaint about it says enough.
 */
void dialling_say_sent(const struct client_stats *stats, const char *answered,
	uint64_t rest, bool is_all);

#endif
