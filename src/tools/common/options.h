/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_OPTIONS_H
#define UNIXMSG_TOOLS_OPTIONS_H

/* The command line of the echo tools, and what unixmsg-cat has of it. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/common/record.h"
#include "tools/common/usage.h"
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
	uint64_t messages_max; /* that come; 0: no end */
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
	enum record_format input; /* of standard input and MESSAGEs */
	size_t input_max;         /* the largest of them */
	const char *tee; /* a file that gets what is printed, or NULL */
	bool is_framed;  /* streams carry messages, not bytes, when serving */
	size_t size_max;
	bool is_stats_wanted;
	int64_t spin_us; /* see unixmsg/deadline.h */
};

/* What an option is about, to tell what does not go together. */
enum options_mark {
	OPTIONS_SERVING,
	OPTIONS_CLIENT,
	OPTIONS_COUNTING,
	OPTIONS_SOCKET_FILE,
	OPTIONS_MODE,
	OPTIONS_SERVER_USER,
	OPTIONS_FORMAT,
	OPTIONS_MESSAGES, /* no client of an echo tool wants to count them */
	OPTIONS_MARKS,    /* from here on a tool's own */
};

/* For the first member of a tool's options, which is a struct options. */
extern const struct usage_option options_serving[];
extern const struct usage_option options_dialling[];
extern const struct usage_option options_common[];

/* All but what is the network's. */
void options_set_defaults(struct options *options);

/* What stands on the command line: which options were given, and ADDRESS and
 * what follows. */
void options_take_words(struct options *options,
	const struct usage_words *words);
void options_take_operands(struct options *options, char **operands, int count);

/* 0, or -1 told what does not go together. */
int options_check_server(const struct options *options,
	const struct usage_words *words);
int options_check_client(const struct options *options,
	const struct usage_words *words);

/* The same, as soon as the network is known. */
int options_check_own_mode(const struct options *options);

/*
 * Reads the command line into options. -1: go on. Else the status to exit
 * with: help or version were printed, or the mistake was told.
 */
int options_read(struct options *options, const struct network *network,
	int argc, char **argv);

#endif
