/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_OPTIONS_H
#define UNIXMSG_TOOLS_OPTIONS_H

/* The command line of the echo tools. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/record.h"
#include "unixmsg.h"

struct network;

enum { OPTIONS_IDS_MOST = 64 };

struct options {
	const struct network *network;
	bool is_server;
	const char *address;
	/* Server. */
	struct unixlisten_options listen;
	unsigned int backlog;
	bool is_inherited;     /* the supervisor's socket: address is NULL */
	uint64_t messages_max; /* 0: no end */
	bool is_printing;      /* --format was given */
	/* Who may talk; nothing: the default of struct unixservice. */
	uid_t users[OPTIONS_IDS_MOST];
	size_t users_count;
	gid_t groups[OPTIONS_IDS_MOST];
	size_t groups_count;
	bool is_anyone_allowed;
	unsigned int clients_max; /* 0: no end, and so with the next */
	unsigned int clients_per_user_max;
	int64_t idle_us;
	unsigned int batch; /* datagrams a system call; 0: one */
	/* Client. */
	char **messages;
	int messages_count;
	const char *own;
	bool is_own_mode_wanted; /* name.mode is of own */
	int64_t timeout_us;
	int64_t wait_us;
	uint64_t count; /* 0: no made up messages */
	size_t made_size;
	int64_t interval_us;
	bool is_server_user_wanted;
	uid_t server_user;
	/* Both. */
	enum record_format format;
	size_t size_max;
	bool is_stats_wanted;
	int64_t spin_us; /* see unixmsg/deadline.h */
};

/*
 * Reads the command line into options. -1: go on. Else the status to exit
 * with: help or version were printed, or the mistake was told.
 */
int options_read(struct options *options, const struct network *network,
	int argc, char **argv);

#endif
