/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_SERVE_H
#define UNIXMSG_TOOLS_SERVE_H

#include <stdint.h>

#include "unixmsg.h"

struct options;

/* What a server does with messages besides printing and counting them. */
struct serve_way {
	/* Answers msg, or does not: the verdict of a unixservice_handler. */
	unixservice_handler *answer;
	void *context;
	/* The rest may be missing. */

	/* A peer has gone. */
	void (*forget)(uint64_t peer, void *context);
	/* Called when fd is readable, which is of no meaning without it. */
	void (*look)(struct unixservice *service, void *context);
	int fd;
	/* A signal to stop has come: no answer shall wait for anybody else. */
	void (*stop)(struct unixservice *service, void *context);
	/* What messages are received with, see struct unixservice_options. */
	unsigned int wants;
	unsigned int fds_max;
};

/* Sends every message back to whom it came from. */
extern const struct serve_way serve_echo;

/* Says on standard error, and to a supervisor that has asked, what is served:
 * addr, or NULL where that is not known. */
void serve_announce(const struct options *options, const struct unixaddr *addr);

/* Says why the address of options could not be served, and returns -1. */
int serve_complain(const struct options *options, int error);

/* Serves until a signal or --max-messages ends it. The exit status. */
int serve(const struct options *options, const struct serve_way *way);

#endif
