/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/common/usage.h"
#include "tools/tap/tap_options.h"

#define PLACE(member) .place = offsetof(struct tap_options, member)

/* The kinds of options, to refuse those that do not go together. */
enum { TAPPING, SHOWING, WRITING, REPLAYING, RESTORING };

static int read_network(const struct usage_option *option, const char *value,
	void *place)
{
	const struct network **network = place;

	*network = network_find(value);
	if (*network != NULL)
		return 0;
	return usage_complain(option, value, "unixgram, unixpacket or unix");
}

static int read_speed(const struct usage_option *option, const char *value,
	void *place)
{
	char *end;
	const double speed = strtod(value, &end);

	if (value[strspn(value, "0123456789.")] != '\0' || end == value ||
		*end != '\0' || speed > 1e6)
		return usage_complain(option, value, "a number from 0 to 1e6");
	*(double *)place = speed;
	return 0;
}

static const struct usage_option showing[] = {
	{ 'w', "write", "FILE",
		"record to a new FILE in the format pcapng, and\n"
		"print nothing without --format",
		usage_read_text, PLACE(file),
		.marks = 1U << TAPPING | 1U << WRITING },
	{ 0, "format", "FORMAT", "print text, hex or json (text)",
		usage_read_word, PLACE(format), .words = show_formats,
		.marks = 1U << TAPPING | 1U << SHOWING },
	{ 0, "decode", "DISSECTOR",
		"have Wireshark decode the messages by DISSECTOR,\n"
		"for example json",
		usage_read_text, PLACE(dissector), .marks = 1U << TAPPING },
	{ 0, "snap", "BYTES",
		"print and record only the first BYTES of each\n"
		"message (all); it is passed on whole",
		usage_read_size, PLACE(snap), .most = SIZE_MAX,
		.marks = 1U << TAPPING },
	{ 'c', "count", "N", "end after N messages", usage_read_count,
		PLACE(messages_max), .least = 1, .most = UINT64_MAX / 2,
		.marks = 1U << TAPPING },
	{ 0, "stats", NULL, "counters as JSON at the end, and on SIGUSR1",
		usage_read_flag, PLACE(is_stats_wanted),
		.marks = 1U << TAPPING },
	{ 0 },
};

static const struct usage_option way[] = {
	{ 'l', "listen", "NEW", "leave the server its name, and serve at NEW",
		usage_read_text, PLACE(front), .marks = 1U << TAPPING },
	{ 0, "max-size", "BYTES", "largest message (4194304)", usage_read_size,
		PLACE(size_max), .least = 1, .most = 1 << 30,
		.marks = 1U << TAPPING },
	{ 0, "network", "NETWORK", "unixgram, unixpacket or unix (found)",
		read_network, PLACE(network) },
	{ 0, "restore", NULL, "give the name back that a killed tap has taken",
		usage_read_flag, PLACE(is_restoring),
		.marks = 1U << RESTORING },
	{ 0 },
};

static const struct usage_option replaying[] = {
	{ 0, "replay", "FILE",
		"send what clients have sent in a recording, and\n"
		"compare the answers",
		usage_read_text, PLACE(replay) },
	{ 0, "speed", "N",
		"send N times as fast as recorded (1; 0: no\npauses)",
		read_speed, PLACE(speed), .marks = 1U << REPLAYING },
	{ 0 },
};

static const struct usage_option all[] = {
	{ 'v', "verbose", NULL, "report more", usage_read_level,
		.least = TOOL_VERBOSE },
	{ 0 },
};

static const struct usage_group groups[] = {
	{ "Showing", showing },
	{ "Taking the place of the server", way },
	{ "Replaying", replaying },
	{ "All", all },
	{ 0 },
};

static const char *const synopses[] = {
	"[OPTION]... ADDRESS",
	"--listen NEW [OPTION]... ADDRESS",
	"--replay FILE [--speed N] ADDRESS",
	"--restore ADDRESS",
	NULL,
};

static const struct usage usage = {
	.synopses = synopses,
	.about = "Show the messages between the running server at ADDRESS and "
		 "its clients: take\n"
		 "its name over, pass everything on, and give the name back "
		 "at the end. The\n"
		 "server is not restarted, and connections that are open stay "
		 "as they are.\n"
		 "ADDRESS is a path; with --listen and --replay also @NAME for "
		 "an abstract name.\n",
	.groups = groups,
	.foot = "A line has the time since the last one, the number of the "
		"connection, the user\n"
		"and process of the client, the direction (> to the server), "
		"the size and the\n"
		"message.\n"
		"The first Ctrl-C gives the name back and serves open "
		"connections to their end;\n"
		"the second one ends them at once.\n"
		"Exit status: 0 success; 1 something failed, the name was "
		"lost, or an answer\n"
		"differs; 2 wrong usage.\n",
	.leading = 1,
};

static int check_ways(const struct tap_options *options,
	const struct usage_words *words)
{
	const bool is_other = options->replay != NULL || options->is_restoring;

	if (options->replay != NULL && options->is_restoring)
		return tool_complain(
			"--replay, --restore: only one of them is possible");
	if (is_other && words->given[TAPPING] != NULL)
		return tool_complain("--%s: not with --%s",
			words->given[TAPPING],
			options->is_restoring ? "restore" : "replay");
	if (words->given[REPLAYING] != NULL && options->replay == NULL)
		return tool_complain("--speed: goes with --replay");
	return 0;
}

static int check(const struct tap_options *options,
	const struct usage_words *words)
{
	if (words->operands_count == 0)
		return tool_complain("an ADDRESS is needed; see --help");
	if (words->operands_count > 1)
		return tool_complain("one ADDRESS only; see --help");
	if (check_ways(options, words) < 0)
		return -1;
	if (options->file != NULL && strcmp(options->file, "-") == 0 &&
		(options->is_showing || options->is_stats_wanted))
		return tool_complain("--write -: --format and --stats have "
				     "standard output, too");
	if (options->dissector != NULL && options->file == NULL)
		return tool_complain("--decode: goes with --write");
	if (*options->address == '@' && options->front == NULL &&
		options->replay == NULL)
		return tool_complain("an abstract name cannot be taken over: "
				     "point the clients at --listen NEW");
	return 0;
}

int tap_options_read(struct tap_options *options, int argc, char **argv)
{
	struct usage_words words;
	int status;

	memset(options, 0, sizeof(*options));
	options->snap = SIZE_MAX;
	options->size_max = 4 << 20;
	options->speed = 1;
	status = usage_read(&usage, options, &words, argc, argv);
	if (status >= 0)
		return status;
	options->address = words.operands_count > 0 ? words.operands[0] : "";
	options->is_showing =
		options->file == NULL || words.given[SHOWING] != NULL;
	return check(options, &words) < 0 ? TOOL_USAGE : -1;
}
