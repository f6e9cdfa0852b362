/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_OPTIONS_H
#define UNIXMSG_TOOLS_RELAY_OPTIONS_H

/* The command line of unixmsg-relay. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "relay/subject.h"
#include "tools/common/options.h"

/* How clients are treated while the engine is down. */
enum relay_on_down {
	RELAY_REFUSE, /* no server, once the grace is over */
	RELAY_BLOCK,  /* they wait, once the grace is over */
	RELAY_DROP,   /* what they send is lost, connections are closed */
};

struct relay_options {
	/* First, for the options that other tools have too. */
	struct options base;
	const char *import;  /* the service, or NULL */
	const char *export;  /* the service, or NULL */
	const char *service; /* the one of them that was given */
	const char *servers; /* of the engine */
	bool is_any_engine_allowed;
	const char *credentials; /* a file, or NULL */
	uid_t engine_user;       /* (uid_t)-1: any */
	const char *host;
	const char *prefix;
	size_t window; /* bytes, for each direction of a session */
	int64_t silence_us;
	int64_t grace_us;
	enum relay_on_down on_down;
	const char *reply_directory; /* or NULL */
	bool is_reply_group_wanted;
	gid_t reply_group;
	const char *metrics; /* a file, or NULL */
	char own_host[SUBJECT_NAME_MAX + 1];
};

/*
 * Reads the command line into options. Returns -1 if the tool shall go on; else
 * the exit status, after it printed the help, the version or a complaint.
 */
int relay_options_read(struct relay_options *options, int argc, char **argv);

#endif
