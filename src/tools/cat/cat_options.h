/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_CAT_OPTIONS_H
#define UNIXMSG_TOOLS_CAT_OPTIONS_H

/* The command line of unixmsg-cat. */

#include <stdbool.h>
#include <stddef.h>

#include "tools/common/options.h"

struct network;

/* --exec runs a program for each of these. */
enum cat_each { CAT_EACH_MESSAGE, CAT_EACH_CONNECTION };

enum { CAT_FDS_MOST = 16 };

struct cat_options {
	/* First, for the options that the echo tools have too. Its network is
	 * NULL as long as it is to be found. */
	struct options base;
	bool is_sending_only;
	bool is_asking;
	bool is_following;
	bool is_reconnecting;
	size_t block; /* bytes; 0: the input is records */
	bool is_whole;
	bool is_replaying;
	int send_fds[CAT_FDS_MOST]; /* with the first message */
	size_t send_fds_count;
	/* Server. */
	const char *reply;   /* to every message, or NULL */
	const char *program; /* that answers, or NULL */
	const char *keep;    /* where descriptors are kept, or NULL */
	enum cat_each each;
	unsigned int jobs_max;
	int64_t job_us;       /* the longest that a program may take */
	unsigned int fds_max; /* descriptors that a message may bring */
};

/*
 * Reads the command line into options. Returns -1 if the tool shall go on; else
 * the exit status, after it printed the help, the version or a complaint.
 */
int cat_options_read(struct cat_options *options, int argc, char **argv);

/*
 * Completes the options that depend on the network, which is known from now on.
 * Returns 0, or -1 after a complaint about options that do not go together.
 */
int cat_options_complete(struct cat_options *options,
	const struct network *network);

/* True if a stream carries bytes, not messages with their length. */
bool cat_options_is_bytes(const struct cat_options *options);

#endif
