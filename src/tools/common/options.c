/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/options.h"
#include "tools/common/tool.h"
#include "tools/common/usage.h"

#define PLACE(member) .place = offsetof(struct options, member)
#define MARK(mark) .marks = 1U << OPTIONS_##mark
#define UP_TO(number) .most = (number)

static int complain_of_many(const struct usage_option *option)
{
	return tool_complain("--%s: at most %d times", option->name,
		OPTIONS_IDS_MOST);
}

static int read_allowed_user(const struct usage_option *option,
	const char *value, void *place)
{
	struct options *options = place;

	if (options->users_count == OPTIONS_IDS_MOST)
		return complain_of_many(option);
	return usage_read_user(option, value,
		&options->users[options->users_count++]);
}

static int read_allowed_group(const struct usage_option *option,
	const char *value, void *place)
{
	struct options *options = place;

	if (options->groups_count == OPTIONS_IDS_MOST)
		return complain_of_many(option);
	return usage_read_group(option, value,
		&options->groups[options->groups_count++]);
}

static int read_owner(const struct usage_option *option, const char *value,
	void *place)
{
	struct unixlisten_options *listen = place;

	listen->flags |= UNIXMSG_LISTEN_USER;
	return usage_read_user(option, value, &listen->user);
}

static int read_group(const struct usage_option *option, const char *value,
	void *place)
{
	struct unixlisten_options *listen = place;

	listen->flags |= UNIXMSG_LISTEN_GROUP;
	return usage_read_group(option, value, &listen->group);
}

const struct usage_option options_listening[] = {
	{ 'l', "listen", NULL, "serve at ADDRESS", usage_read_flag,
		PLACE(is_server) },
	{ 'm', "mode", "OCTAL",
		"permissions of the socket file (0600), or of\n"
		"the file at --bind",
		usage_read_mode, PLACE(listen.mode),
		.marks = 1U << OPTIONS_SOCKET_FILE | 1U << OPTIONS_MODE },
	{ 0 },
};

const struct usage_option options_socket[] = {
	{ 'u', "user", "USER", "owner of the socket file, by name or number",
		read_owner, PLACE(listen),
		.marks = 1U << OPTIONS_SERVING | 1U << OPTIONS_SOCKET_FILE },
	{ 'g', "group", "GROUP", "group of the socket file, by name or number",
		read_group, PLACE(listen),
		.marks = 1U << OPTIONS_SERVING | 1U << OPTIONS_SOCKET_FILE },
	{ 0, "replace", NULL, "take the name over from a live owner",
		usage_read_bits, PLACE(listen.flags),
		.least = UNIXMSG_LISTEN_REPLACE, MARK(SERVING) },
	{ 0, "inherit", NULL, "serve a supervisor's sockets, without ADDRESS",
		usage_read_flag, PLACE(is_inherited), MARK(SERVING) },
	{ 0, "allow-user", "USER",
		"user who may send; may be repeated (on a path,\n"
		"the mode decides; on @NAME, our user and root)",
		read_allowed_user, MARK(SERVING) },
	{ 0, "allow-group", "GROUP", "group that may send; may be repeated",
		read_allowed_group, MARK(SERVING) },
	{ 0, "allow-anyone", NULL, "all users may send", usage_read_flag,
		PLACE(is_anyone_allowed), MARK(SERVING) },
	{ 0 },
};

const struct usage_option options_serving[] = {
	{ 0, "max-clients", "N", "most clients at once (1024; 0: no limit)",
		usage_read_uint, PLACE(clients_max), UP_TO(1 << 20),
		MARK(SERVING) },
	{ 0, "max-clients-per-user", "N",
		"most clients of one user at once (no limit)", usage_read_uint,
		PLACE(clients_per_user_max), UP_TO(1 << 20), MARK(SERVING) },
	{ 0, "idle-timeout", "SECONDS",
		"close connections that are silent for this time",
		usage_read_seconds, PLACE(idle_us), MARK(SERVING) },
	{ 0, "batch", "N", "datagrams in one system call (1)", usage_read_uint,
		PLACE(batch), UP_TO(UNIXMSG_BATCH_MAX), MARK(SERVING) },
	{ 0, "backlog", "N", "connections that may wait to be accepted",
		usage_read_uint, PLACE(backlog), UP_TO(1 << 20),
		MARK(SERVING) },
	{ 0, "max-messages", "N", "exit after N messages", usage_read_count,
		PLACE(messages_max), UP_TO(UINT64_MAX / 2), MARK(MESSAGES) },
	{ 0 },
};

const struct usage_option options_dialling[] = {
	{ 'W', "timeout", "SECONDS", "longest wait for an answer (5)",
		usage_read_seconds, PLACE(timeout_us), MARK(CLIENT) },
	{ 0, "wait", "SECONDS", "longest wait for the server to appear (0)",
		usage_read_seconds, PLACE(wait_us), MARK(CLIENT) },
	{ 'b', "bind", "ADDRESS", "own address instead of the automatic one",
		usage_read_text, PLACE(own), MARK(CLIENT) },
	{ 0, "server-user", "USER", "refuse a server of another user",
		usage_read_user, PLACE(server_user),
		.marks = 1U << OPTIONS_CLIENT | 1U << OPTIONS_SERVER_USER },
	{ 0 },
};

static const struct usage_option counting[] = {
	{ 'c', "count", "N", "generate N messages, and print a summary",
		usage_read_count, PLACE(count), .least = 1,
		UP_TO(UINT64_MAX / 2), MARK(CLIENT) },
	{ 's', "size", "BYTES", "their size (64)", usage_read_size,
		PLACE(made_size), UP_TO(1 << 30),
		.marks = 1U << OPTIONS_CLIENT | 1U << OPTIONS_COUNTING },
	{ 'i', "interval", "SECONDS",
		"time between them (0: next when answered)", usage_read_seconds,
		PLACE(interval_us),
		.marks = 1U << OPTIONS_CLIENT | 1U << OPTIONS_COUNTING },
	{ 0 },
};

static const struct usage_option data[] = {
	{ 0, "format", "FORMAT", "text, hex, json, frames or raw (text)",
		usage_read_word, PLACE(format), .words = record_formats,
		MARK(FORMAT) },
	{ 0, "max-size", "BYTES", "largest message (what the socket carries)",
		usage_read_size, PLACE(size_max), UP_TO(1 << 30) },
	{ 0, "lane", "[=BYTES]",
		"unixpacket: use shared memory if the other side\n"
		"does; server: BYTES for each direction (65536)",
		usage_read_lane, PLACE(listen.lane_bytes), .least = 4096,
		UP_TO(1 << 26) },
	{ 0 },
};

const struct usage_option options_common[] = {
	{ 0, "spin", "MICROSECONDS", "poll for that long before sleeping (0)",
		usage_read_us, PLACE(spin_us), UP_TO(1000000) },
	{ 0, "stats", NULL, "counters as JSON at the end, and on SIGUSR1",
		usage_read_flag, PLACE(is_stats_wanted) },
	{ 'v', "verbose", NULL, "report more", usage_read_level,
		.least = TOOL_VERBOSE },
	{ 0 },
};

static const struct usage_group groups[] = {
	{ "Serving", options_listening },
	{ NULL, options_socket },
	{ NULL, options_serving },
	{ "Client", options_dialling },
	{ NULL, counting },
	{ "Both", data },
	{ NULL, options_common },
	{ 0 },
};

static const char *const synopses[] = {
	"--listen [OPTION]... ADDRESS",
	"[OPTION]... ADDRESS [MESSAGE]...",
	NULL,
};

static const struct usage usage = {
	.synopses = synopses,
	.about = "Serve: send every message back to its sender. Client: send "
		 "each MESSAGE,\n"
		 "or each record of standard input, and print the answers in "
		 "order.\n"
		 "ADDRESS is a path, or @NAME for an abstract name; \\\\, "
		 "\\xHH and \\{N} are escapes.\n",
	.groups = groups,
	.foot = "Exit status: 0 success; 1 something failed, was lost or "
		"refused; 2 wrong usage.\n",
	.leading = 1,
};

/* Options for the socket file need a file that we make. */
static int check_file(const struct options *options, const char *option)
{
	if (option == NULL)
		return 0;
	if (options->is_inherited)
		tool_complain("--%s: the file is the supervisor's, with "
			      "--inherit",
			option);
	else if (*options->address == '@')
		tool_complain("--%s: %s is no file; --allow-user and "
			      "--allow-group say who may send",
			option, explain_text(options->address));
	else
		return 0;
	return -1;
}

int options_check_server(const struct options *options,
	const struct usage_words *words)
{
	const char *const *given = words->given;

	if (given[OPTIONS_CLIENT] != NULL)
		return tool_complain("--%s: not for a server",
			given[OPTIONS_CLIENT]);
	if (options->size_max == 0)
		return tool_complain("--max-size: at least 1 for a server");
	if (check_file(options, given[OPTIONS_SOCKET_FILE]) < 0)
		return -1;
	if (options->is_inherited && options->address != NULL)
		return tool_complain(
			"--inherit: the supervisor has the ADDRESS, so "
			"give none");
	if (options->messages_count > 0)
		return tool_complain(
			"a server takes one ADDRESS and nothing else");
	return 0;
}

/* --mode of a client is for its own socket file, which the answers need. */
int options_check_own_mode(const struct options *options)
{
	if (options->is_own_mode_wanted &&
		(options->network->is_connected || options->own == NULL ||
			*options->own == '@'))
		return tool_complain(
			"--mode: goes with --listen, or with a datagram "
			"client's --bind PATH");
	return 0;
}

int options_check_client(const struct options *options,
	const struct usage_words *words)
{
	const char *const *given = words->given;

	if (given[OPTIONS_SERVING] != NULL)
		return tool_complain("--%s: goes with --listen",
			given[OPTIONS_SERVING]);
	if (given[OPTIONS_COUNTING] != NULL && options->count == 0)
		return tool_complain("--%s: goes with --count",
			given[OPTIONS_COUNTING]);
	if (options->count > 0 && options->messages_count > 0)
		return tool_complain(
			"--count: makes up messages, so give none");
	return 0;
}

static int check_lane(const struct options *options)
{
	if (options->listen.lane_bytes == 0)
		return 0;
	if (options->network->type != SOCK_SEQPACKET)
		return tool_complain("--lane: only unixpacket has lanes");
	if (options->own != NULL)
		return tool_complain("--lane: goes without --bind");
	return 0;
}

static int check(struct options *options, const struct usage_words *words)
{
	if (check_lane(options) < 0)
		return -1;
	if (options->is_inherited)
		options->is_server = true;
	if (options->address == NULL && !options->is_inherited) {
		tool_complain("an ADDRESS is needed; see --help");
		return -1;
	}
	if (!options->is_server && words->given[OPTIONS_MESSAGES] != NULL)
		return tool_complain("--max-messages: goes with --listen");
	if (!options->is_server && options_check_own_mode(options) < 0)
		return -1;
	return options->is_server ? options_check_server(options, words)
				  : options_check_client(options, words);
}

void options_set_defaults(struct options *options)
{
	memset(options, 0, sizeof(*options));
	options->timeout_us = 5000000;
	options->made_size = 64;
	options->format = RECORD_TEXT;
	options->clients_max = 1024;
}

void options_take_operands(struct options *options, char **operands, int count)
{
	if (count == 0)
		return;
	options->address = operands[0];
	options->messages = operands + 1;
	options->messages_count = count - 1;
}

void options_take_words(struct options *options,
	const struct usage_words *words)
{
	options->is_printing = words->given[OPTIONS_FORMAT] != NULL;
	options->is_own_mode_wanted =
		words->given[OPTIONS_MODE] != NULL && !options->is_server;
	options->is_server_user_wanted =
		words->given[OPTIONS_SERVER_USER] != NULL;
}

int options_read(struct options *options, const struct network *network,
	int argc, char **argv)
{
	struct usage_words words;
	int status;

	options_set_defaults(options);
	options->network = network;
	options->size_max = network_get_size_max(network);
	if (options->size_max == 0) {
		tool_complain("cannot find the size of the largest message: %s",
			strerror(errno));
		return TOOL_FAILED;
	}
	status = usage_read(&usage, options, &words, argc, argv);
	if (status >= 0)
		return status;
	options_take_words(options, &words);
	options_take_operands(options, words.operands, words.operands_count);
	options->input = options->format;
	options->input_max = options->size_max;
	return check(options, &words) < 0 ? TOOL_USAGE : -1;
}
