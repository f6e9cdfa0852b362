/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/explain.h"
#include "tools/inspect_options.h"

enum {
	OPTION_CLEAN = 256,
	OPTION_DOT,
	OPTION_JSON,
};

static const char short_options[] = ":nvqhV";

static const struct option long_options[] = {
	{ "clean", no_argument, NULL, OPTION_CLEAN },
	{ "dot", no_argument, NULL, OPTION_DOT },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char help_use[] =
	"usage: unixmsg-inspect [--json|--dot] [OPTION]... "
	"[ADDRESS|DIRECTORY]...\n"
	"       unixmsg-inspect --clean [-n] [OPTION]... "
	"ADDRESS|DIRECTORY...\n"
	"\n"
	"Tell what is at each ADDRESS: who listens there, who may send, "
	"who is\n"
	"connected, what waits; or that nobody is there, and which name "
	"may be meant.\n"
	"Of a DIRECTORY tell every socket file in it, without an operand "
	"every socket\n"
	"that has a name. Nothing is connected to: no owner notices.\n"
	"\n"
	"ADDRESS is a path, or @NAME for an abstract name; ./@FILE is a "
	"file whose name\n"
	"begins with @; \\\\ and \\xHH are escapes.\n"
	"\n";

static const char help_options[] =
	"      --json              one JSON document instead of text\n"
	"      --dot               a picture of who talks to whom, for "
	"Graphviz:\n"
	"                          unixmsg-inspect --dot | dot -Tsvg "
	">sockets.svg\n"
	"      --clean             remove the dead socket files, those "
	"that no socket\n"
	"                          is bound to, and say what became of "
	"each file\n"
	"  -n, --dry-run           with --clean: say it, and remove nothing\n"
	"  -v, --verbose           name all peers and processes, however "
	"many\n"
	"  -q, --quiet             say only what went wrong, beside the "
	"data\n"
	"  -h, --help              this text\n"
	"  -V, --version           the version\n"
	"\n";

static const char help_end[] =
	"In tables, WAITING is the connections that wait to be accepted, "
	"and the limit;\n"
	"UNREAD the bytes that the owner has not read, N+ for a datagram "
	"socket, where\n"
	"the kernel tells the size of the first message only. To see other "
	"users'\n"
	"processes takes root.\n"
	"\n"
	"Exit status: 0 all is well; 1 an ADDRESS is not there, dead or no "
	"socket, a\n"
	"DIRECTORY has a dead file, or something could not be looked at or "
	"removed; 2\n"
	"wrong usage.\n";

static int print_help(void)
{
	fputs(help_use, stdout);
	fputs(help_options, stdout);
	fputs(help_end, stdout);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int print_version(void)
{
	printf("unixmsg-inspect (%s) %s\n", PACKAGE_NAME, PACKAGE_VERSION);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int set_format(struct inspect_options *options,
	enum inspect_format format)
{
	if (options->format != INSPECT_TEXT && options->format != format) {
		tool_complain("--json and --dot: only one of them is possible");
		return TOOL_USAGE;
	}
	options->format = format;
	return -1;
}

static int complain_of_option(char **argv)
{
	const char *word = argv[optind - 1];

	if (optopt > 0 && optopt < 256)
		tool_complain("-%c: no such option; see --help", optopt);
	else
		tool_complain("%s: no such option, or it takes no value; see "
			      "--help",
			explain_text(word));
	return TOOL_USAGE;
}

static int read_option(struct inspect_options *options, int option, char **argv)
{
	switch (option) {
	case OPTION_CLEAN:
		options->is_cleaning = true;
		return -1;
	case OPTION_DOT:
		return set_format(options, INSPECT_DOT);
	case OPTION_JSON:
		return set_format(options, INSPECT_JSON);
	case 'n':
		options->is_dry_run = true;
		return -1;
	case 'v':
		options->level = TOOL_VERBOSE;
		return -1;
	case 'q':
		options->level = TOOL_QUIET;
		return -1;
	case 'h':
		return print_help();
	case 'V':
		return print_version();
	default:
		return complain_of_option(argv);
	}
}

static int check(const struct inspect_options *options)
{
	const char *why = NULL;

	if (options->is_cleaning && options->names_count == 0)
		why = "--clean: of which ADDRESS or DIRECTORY?";
	else if (options->is_cleaning && options->format != INSPECT_TEXT)
		why = "--clean: does not go with --json and --dot";
	else if (options->is_dry_run && !options->is_cleaning)
		why = "--dry-run: only with --clean";
	if (why == NULL)
		return -1;
	tool_complain("%s", why);
	return TOOL_USAGE;
}

int inspect_options_read(struct inspect_options *options, int argc, char **argv)
{
	int option, status;

	memset(options, 0, sizeof(*options));
	options->level = TOOL_NORMAL;
	opterr = 0;
	while ((option = getopt_long(argc, argv, short_options, long_options,
			NULL)) >= 0) {
		status = read_option(options, option, argv);
		if (status >= 0)
			return status;
	}
	options->names = argv + optind;
	options->names_count = argc - optind;
	return check(options);
}
