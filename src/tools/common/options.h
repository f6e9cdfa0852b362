/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_OPTIONS_H
#define UNIXMSG_TOOLS_OPTIONS_H

/* The command line of the echo tools, and the part that unixmsg-cat shares. */

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
	bool is_inherited;     /* --inherit: address is NULL */
	uint64_t messages_max; /* ends after so many; 0: no limit */
	bool is_printing;      /* --format was given */
	/* The users and groups that may send. Without any, and without
	 * is_anyone_allowed, unixservice decides. */
	uid_t users[OPTIONS_IDS_MOST];
	size_t users_count;
	gid_t groups[OPTIONS_IDS_MOST];
	size_t groups_count;
	bool is_anyone_allowed;
	unsigned int clients_max; /* 0: no limit, as in the next */
	unsigned int clients_per_user_max;
	int64_t idle_us;
	unsigned int batch; /* datagrams in one system call; 0: 1 */
	/* Client. */
	char **messages;
	int messages_count;
	const char *own;
	bool is_own_mode_wanted; /* listen.mode is for own */
	int64_t timeout_us;
	int64_t wait_us;
	uint64_t count; /* messages to generate; 0: none */
	size_t made_size;
	int64_t interval_us;
	bool is_server_user_wanted;
	uid_t server_user;
	/* Both. */
	enum record_format format;
	enum record_format input; /* of standard input and MESSAGE */
	size_t input_max;         /* bytes in a record of it */
	const char *tee; /* a file that gets a copy of the output, or NULL */
	bool is_framed;  /* a server's streams carry messages, not bytes */
	size_t size_max;
	bool is_stats_wanted;
	int64_t spin_us; /* see unixmsg/deadline.h */
};

/* The kinds of options, to find options that exclude each other. */
enum options_mark {
	OPTIONS_SERVING,
	OPTIONS_CLIENT,
	OPTIONS_COUNTING,
	OPTIONS_SOCKET_FILE,
	OPTIONS_MODE,
	OPTIONS_SERVER_USER,
	OPTIONS_FORMAT,
	OPTIONS_MESSAGES, /* --max-messages: no client of an echo tool has it */
	OPTIONS_MARKS,    /* here begin a tool's own marks */
};

/* Options that several tools have. They store into a struct options, so that is
 * the first member of the options of a tool. */
extern const struct usage_option options_listening[];
extern const struct usage_option options_socket[];
extern const struct usage_option options_serving[];
extern const struct usage_option options_dialling[];
extern const struct usage_option options_common[];

/* Sets all defaults but those that depend on the network. */
void options_set_defaults(struct options *options);

/* Store what the command line contains: the options that were given, and
 * ADDRESS with the operands behind it. */
void options_take_words(struct options *options,
	const struct usage_words *words);
void options_take_operands(struct options *options, char **operands, int count);

/* Check a server's options, or a client's. Return 0, or -1 after a complaint
 * about options that exclude each other. */
int options_check_server(const struct options *options,
	const struct usage_words *words);
int options_check_client(const struct options *options,
	const struct usage_words *words);

/* Checks the mode of own in the same way, once the network is known. */
int options_check_own_mode(const struct options *options);

/*
 * Reads the command line into options. Returns -1 if the tool shall go on; else
 * the exit status, after it printed the help, the version or a complaint.
 */
int options_read(struct options *options, const struct network *network,
	int argc, char **argv);

#endif
