/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "tools/cat/cat_options.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/common/usage.h"

/* The marks of this tool, behind those of the shared options. */
enum { INPUT = OPTIONS_MARKS, PROGRAMS, TIMEOUT };

static const char *const eaches[] = {
	[CAT_EACH_MESSAGE] = "message",
	[CAT_EACH_CONNECTION] = "connection",
	NULL,
};

#define PLACE(member) .place = offsetof(struct cat_options, member)

/* Checks the descriptor now, before one of ours can get its number. */
static int read_fd(const struct usage_option *option, const char *value,
	void *place)
{
	static const struct usage_option number = {
		.name = "send-fd",
		.most = INT_MAX,
	};
	struct cat_options *options = place;
	uint64_t fd;

	(void)option;
	if (usage_read_count(&number, value, &fd) < 0)
		return -1;
	if (options->send_fds_count == CAT_FDS_MOST)
		return tool_complain("--send-fd: at most %d times",
			CAT_FDS_MOST);
	if (fcntl((int)fd, F_GETFD) < 0)
		return tool_complain("--send-fd: %d is not open", (int)fd);
	options->send_fds[options->send_fds_count++] = (int)fd;
	return 0;
}

static const struct usage_option talking[] = {
	{ 'n', "send-only", NULL, "send, and wait for no answer",
		usage_read_flag, PLACE(is_sending_only),
		.marks = 1U << OPTIONS_CLIENT },
	{ '1', "ask", NULL, "send one request, and print one answer",
		usage_read_flag, PLACE(is_asking),
		.marks = 1U << OPTIONS_CLIENT },
	{ 'f', "follow", NULL, "print all messages until the server ends",
		usage_read_flag, PLACE(is_following),
		.marks = 1U << OPTIONS_CLIENT },
	{ 0, "send-fd", "N",
		"send descriptor N with the first message; may\n"
		"be repeated",
		read_fd, .place = 0, .marks = 1U << OPTIONS_CLIENT },
	{ 0, "reconnect", NULL, "connect again after the server has ended",
		usage_read_flag, PLACE(is_reconnecting),
		.marks = 1U << OPTIONS_CLIENT },
	{ 0 },
};

static const struct usage_option answering[] = {
	{ 'r', "reply", "TEXT", "answer every message with TEXT",
		usage_read_text, PLACE(reply), .marks = 1U << OPTIONS_SERVING },
	{ 'e', "exec", "PROGRAM",
		"run PROGRAM for each message: it reads the\n"
		"message, and prints the answer; without a shell",
		usage_read_text, PLACE(program),
		.marks = 1U << OPTIONS_SERVING },
	{ 0, "exec-each", "WHAT",
		"message, or connection: one PROGRAM for each\n"
		"message, or for all messages of a connection",
		usage_read_word, PLACE(each), .words = eaches,
		.marks = 1U << OPTIONS_SERVING | 1U << PROGRAMS },
	{ 0, "recv-fds", "DIRECTORY",
		"copy the files of descriptors to new files there",
		usage_read_text, PLACE(keep), .marks = 1U << OPTIONS_SERVING },
	{ 0, "exec-timeout", "SECONDS",
		"kill PROGRAM after that time (10; for a\n"
		"connection: never)",
		usage_read_seconds, PLACE(job_us),
		.marks = 1U << OPTIONS_SERVING | 1U << PROGRAMS |
			1U << TIMEOUT },
	{ 0, "max-jobs", "N", "most PROGRAMs at once (8)", usage_read_uint,
		PLACE(jobs_max), .least = 1, .most = 1024,
		.marks = 1U << OPTIONS_SERVING | 1U << PROGRAMS },
	{ 0, "max-fds", "N", "most descriptors in a message to PROGRAM (16)",
		usage_read_uint, PLACE(fds_max), .most = UNIXMSG_FDS_MAX,
		.marks = 1U << OPTIONS_SERVING | 1U << PROGRAMS },
	{ 0 },
};

static const struct usage_option data[] = {
	{ 0, "format", "FORMAT",
		"text, hex, json, frames or raw\n(text; for a stream raw)",
		usage_read_word, PLACE(base.format), .words = record_formats,
		.marks = 1U << OPTIONS_FORMAT },
	{ 0, "block", "BYTES", "read input in pieces of that size, not records",
		usage_read_size, PLACE(block), .least = 1, .most = 1 << 30,
		.marks = 1U << INPUT },
	{ 0, "whole", NULL, "send all of the input as one message",
		usage_read_flag, PLACE(is_whole), .marks = 1U << INPUT },
	{ 0, "from-json", NULL, "send what --format json has printed",
		usage_read_flag, PLACE(is_replaying), .marks = 1U << INPUT },
	{ 0, "tee", "FILE", "append the output to FILE, too", usage_read_text,
		PLACE(base.tee) },
	{ 0, "max-size", "BYTES", "largest message (what the socket carries)",
		usage_read_size, PLACE(base.size_max), .most = 1 << 30 },
	{ 0 },
};

static const struct usage_group groups[] = {
	{ "Serving", options_listening },
	{ NULL, options_socket },
	{ NULL, options_serving },
	{ NULL, answering },
	{ "Client", talking },
	{ NULL, options_dialling },
	{ "Both", data },
	{ NULL, options_common },
	{ 0 },
};

static const char *const synopses[] = {
	"[OPTION]... [NETWORK] ADDRESS [MESSAGE]...",
	"--listen [OPTION]... [NETWORK] ADDRESS",
	NULL,
};

static bool is_network(const char *operand)
{
	return network_find(operand) != NULL;
}

static const struct usage usage = {
	.synopses = synopses,
	.about =
		"Client: send each MESSAGE, or each record of standard input, "
		"and print the\n"
		"messages received, until the server has answered or closed. "
		"Serve: print the\n"
		"messages received, and answer with records of standard input, "
		"or by an option.\n"
		"NETWORK is unixgram, unixpacket or unix. A client finds it, a "
		"server without it\n"
		"serves unixgram. ADDRESS is a path, or @NAME for an abstract "
		"name; \\\\, \\xHH and\n"
		"\\{N} are escapes.\n",
	.groups = groups,
	.foot = "Exit status: 0 success; 1 something failed, was lost or "
		"refused; 2 wrong usage.\n",
	.leading = 1,
	.is_extra = is_network,
};

static int check_ways(const struct cat_options *options)
{
	if (options->is_sending_only + options->is_asking +
			options->is_following >
		1)
		return tool_complain(
			"--send-only, --ask, --follow: only one of them");
	if ((options->block > 0) + options->is_whole + options->is_replaying >
		1)
		return tool_complain(
			"--block, --whole, --from-json: only one of them");
	return 0;
}

static int check_client(const struct cat_options *options,
	const struct usage_words *words)
{
	if (words->given[INPUT] != NULL && options->base.messages_count > 0 &&
		!options->is_replaying)
		return tool_complain("--%s: is for standard input, so give no "
				     "MESSAGE",
			words->given[INPUT]);
	return options_check_client(&options->base, words);
}

static int check_each(const struct cat_options *options)
{
	const struct options *base = &options->base;
	const char *wrong = NULL;

	if (options->each != CAT_EACH_CONNECTION)
		return 0;
	if (options->program == NULL)
		return tool_complain("--exec-each: goes with --exec");
	if (base->network == NULL || !base->network->is_connected)
		return tool_complain("--exec-each: connections need the "
				     "NETWORK unixpacket or unix");
	if (base->is_inherited)
		wrong = "inherit";
	else if (base->messages_max > 0)
		wrong = "max-messages";
	else if (base->tee != NULL)
		wrong = "tee";
	if (wrong == NULL)
		return 0;
	return tool_complain("--%s: not with --exec-each connection", wrong);
}

/* No probe can find the network of a supervisor's sockets. */
static int check_server(const struct cat_options *options,
	const struct usage_words *words)
{
	if (options->base.is_inherited && options->base.network == NULL)
		return tool_complain("--inherit: which NETWORK?");
	if ((options->reply != NULL) + (options->program != NULL) +
			(options->keep != NULL) >
		1)
		return tool_complain(
			"--reply, --exec, --recv-fds: only one of them");
	if (words->given[PROGRAMS] != NULL && options->program == NULL &&
		options->keep == NULL)
		return tool_complain("--%s: goes with --exec or --recv-fds",
			words->given[PROGRAMS]);
	if (check_each(options) < 0)
		return -1;
	return options_check_server(&options->base, words);
}

static int check(const struct cat_options *options,
	const struct usage_words *words)
{
	const struct options *base = &options->base;

	if (base->address == NULL && !base->is_inherited)
		return tool_complain("an ADDRESS is needed; see --help");
	if (check_ways(options) < 0)
		return -1;
	return base->is_server ? check_server(options, words)
			       : check_client(options, words);
}

static void take_operands(struct cat_options *options,
	const struct usage_words *words)
{
	const struct network *network = NULL;

	if (words->operands_count > 0)
		network = network_find(words->operands[0]);
	options->base.network = network;
	options_take_operands(&options->base,
		words->operands + (network != NULL),
		words->operands_count - (network != NULL));
}

int cat_options_read(struct cat_options *options, int argc, char **argv)
{
	struct usage_words words;
	int status;

	memset(options, 0, sizeof(*options));
	options_set_defaults(&options->base);
	options->base.size_max = SIZE_MAX;
	options->jobs_max = 8;
	options->job_us = 10000000;
	options->fds_max = 16;
	status = usage_read(&usage, options, &words, argc, argv);
	if (status >= 0)
		return status;
	if (options->base.is_inherited)
		options->base.is_server = true;
	options_take_words(&options->base, &words);
	take_operands(options, &words);
	if (options->each == CAT_EACH_CONNECTION &&
		words.given[TIMEOUT] == NULL)
		options->job_us = UNIXMSG_FOREVER;
	return check(options, &words) < 0 ? TOOL_USAGE : -1;
}

/* --format raw prints raw bytes, even on a terminal. */
static enum record_format get_format(const struct options *base)
{
	if (!base->network->is_stream)
		return base->format;
	if (!base->is_printing)
		return RECORD_SHOWN_BYTES;
	return base->format == RECORD_RAW ? RECORD_BYTES : base->format;
}

static enum record_format get_input(const struct cat_options *options)
{
	if (options->is_replaying)
		return RECORD_JSON;
	if (options->is_whole)
		return RECORD_WHOLE;
	return options->block > 0 ? RECORD_BLOCKS : options->base.format;
}

static int set_size_max(struct options *base)
{
	if (base->size_max != SIZE_MAX)
		return 0;
	base->size_max = network_get_size_max(base->network);
	if (base->size_max > 0)
		return 0;
	return tool_complain("cannot find the size of the largest message: %s",
		strerror(errno));
}

int cat_options_complete(struct cat_options *options,
	const struct network *network)
{
	struct options *base = &options->base;

	base->network = network;
	if (set_size_max(base) < 0)
		return -1;
	base->format = get_format(base);
	base->input = get_input(options);
	base->input_max = options->block > 0 ? options->block : base->size_max;
	base->is_framed = !cat_options_is_bytes(options);
	base->is_printing = true;
	if (options->send_fds_count > 0 && network->is_stream)
		return tool_complain("--send-fd: the network %s carries no "
				     "descriptors",
			network->name);
	if (base->messages_max > 0 && !base->is_server &&
		cat_options_is_bytes(options))
		return tool_complain("--max-messages: a stream of bytes has "
				     "none; give a --format");
	if (options->is_asking && cat_options_is_bytes(options))
		return tool_complain(
			"--ask: a stream of bytes has no single answer; give "
			"--format text, hex, json or frames for messages with "
			"a length");
	return base->is_server ? 0 : options_check_own_mode(base);
}

bool cat_options_is_bytes(const struct cat_options *options)
{
	const struct options *base = &options->base;

	return base->network->is_stream &&
		(base->format == RECORD_BYTES ||
			base->format == RECORD_SHOWN_BYTES);
}
