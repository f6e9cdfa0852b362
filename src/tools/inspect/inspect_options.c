/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "tools/common/usage.h"
#include "tools/inspect/inspect_options.h"

#define PLACE(member) .place = offsetof(struct inspect_options, member)

/* option->least is the format. */
static int read_format(const struct usage_option *option, const char *value,
	void *place)
{
	enum inspect_format *format = place;

	(void)value;
	if (*format != INSPECT_TEXT && *format != option->least)
		return tool_complain(
			"--json, --dot and --names: only one of them is "
			"possible");
	*format = (enum inspect_format)option->least;
	return 0;
}

static const struct usage_option ways[] = {
	{ 0, "json", NULL, "one JSON document instead of text", read_format,
		PLACE(format), .least = INSPECT_JSON },
	{ 0, "dot", NULL,
		"a picture of the connections, for Graphviz:\n"
		"unixmsg-inspect --dot | dot -Tsvg >sockets.svg",
		read_format, PLACE(format), .least = INSPECT_DOT },
	{ 0, "names", NULL, "only network and address, one line each",
		read_format, PLACE(format), .least = INSPECT_NAMES },
	{ 'v', "verbose", NULL, "name all peers and processes, however many",
		usage_read_level, .least = TOOL_VERBOSE },
	{ 0 },
};

static const struct usage_option cleaning[] = {
	{ 0, "clean", NULL,
		"remove dead socket files, to which no socket is\n"
		"bound, and report what it did with each",
		usage_read_flag, PLACE(is_cleaning) },
	{ 'n', "dry-run", NULL, "only report, and remove nothing",
		usage_read_flag, PLACE(is_dry_run) },
	{ 0 },
};

static const struct usage_option none[] = { { 0 } };

static const struct usage_group groups[] = {
	{ "Looking", ways },
	{ "Cleaning", cleaning },
	{ "Both", none },
	{ 0 },
};

static const char *const synopses[] = {
	"[--json|--dot|--names] [OPTION]... [ADDRESS|DIRECTORY]...",
	"--clean [-n] [OPTION]... ADDRESS|DIRECTORY...",
	NULL,
};

static const struct usage usage = {
	.synopses = synopses,
	.about = "Report the socket at each ADDRESS: its process, the users "
		 "that may send, the\n"
		 "connections and the unread messages; or that no socket is "
		 "there, and similar\n"
		 "names. For a DIRECTORY, report every socket file in it; "
		 "without an operand,\n"
		 "every socket that has a name. It connects to no socket, so "
		 "no owner notices.\n"
		 "\n"
		 "ADDRESS is a path, or @NAME for an abstract name; ./@FILE "
		 "is a file whose name\n"
		 "begins with @; \\\\, \\xHH and \\{N} are escapes.\n",
	.groups = groups,
	.foot = "In tables, WAITING is the number of connections that wait to "
		"be accepted, and\n"
		"the limit. UNREAD is the number of bytes that the owner has "
		"not read yet, N+ if\n"
		"there may be more: the kernel shows only the size of the "
		"first datagram, and\n"
		"not the bytes of connections that wait. STATE shows whether "
		"the file of a socket\n"
		"is gone or replaced. Only root sees the processes of other "
		"users.\n"
		"\n"
		"With --quiet, text shows only what makes the exit status 1; "
		"--json, --dot and\n"
		"--names show everything.\n"
		"\n"
		"Exit status: 0 success; 1 an ADDRESS is missing, dead or no "
		"socket, a DIRECTORY\n"
		"has a dead file, or it could not look at something or remove "
		"it; 2 wrong usage.\n",
	.leading = INT_MAX,
};

static int check(const struct inspect_options *options)
{
	const char *why = NULL;

	if (options->is_cleaning && options->names_count == 0)
		why = "--clean: needs an ADDRESS or a DIRECTORY";
	else if (options->is_cleaning && options->format != INSPECT_TEXT)
		why = "--clean: does not go with --json, --dot and --names";
	else if (options->is_dry_run && !options->is_cleaning)
		why = "--dry-run: only with --clean";
	if (why == NULL)
		return -1;
	tool_complain("%s", why);
	return TOOL_USAGE;
}

int inspect_options_read(struct inspect_options *options, int argc, char **argv)
{
	struct usage_words words;
	int status;

	memset(options, 0, sizeof(*options));
	status = usage_read(&usage, options, &words, argc, argv);
	if (status >= 0)
		return status;
	options->names = words.operands;
	options->names_count = words.operands_count;
	return check(options);
}
