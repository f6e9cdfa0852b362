/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_SERVE_H
#define UNIXMSG_TOOLS_SERVE_H

#include <stdint.h>

#include "unixmsg.h"

struct options;

/* The handlers of a server, besides printing and counting messages. */
struct serve_way {
	/* Answers msg or not, and returns as a unixservice_handler does. */
	unixservice_handler *answer;
	void *context;
	/* The rest may be NULL or 0. */

	/* A peer has closed. */
	void (*forget)(uint64_t peer, void *context);
	/* The service calls it when fd is readable. If look is NULL, fd has no
	 * meaning. */
	void (*look)(struct unixservice *service, void *context);
	int fd;
	/* A signal to stop has come: send or settle all pending answers. */
	void (*stop)(struct unixservice *service, void *context);
	/* UNIXMSG_WANT_..., see struct unixservice_options. */
	unsigned int wants;
	unsigned int fds_max;
};

/* Sends every message back to its sender. */
extern const struct serve_way serve_echo;

/* Reports on standard error, and to a supervisor that has asked, that the
 * server listens on addr, which is NULL if unknown. */
void serve_announce(const struct options *options, const struct unixaddr *addr);

/* Reports why the address of options cannot be served, and returns -1. */
int serve_complain(const struct options *options, int error);

/* Serves until a signal or --max-messages. Returns the exit status. */
int serve(const struct options *options, const struct serve_way *way);

#endif
