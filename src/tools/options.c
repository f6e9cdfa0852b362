/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/explain.h"
#include "tools/network.h"
#include "tools/options.h"
#include "tools/tool.h"

enum {
	OPTION_MAX_MESSAGES = 256,
	OPTION_BACKLOG,
	OPTION_BATCH,
	OPTION_WAIT,
	OPTION_FORMAT,
	OPTION_MAX_SIZE,
	OPTION_STATS,
	OPTION_REPLACE,
	OPTION_ALLOW_USER,
	OPTION_ALLOW_GROUP,
	OPTION_ALLOW_ANYONE,
	OPTION_SERVER_USER,
	OPTION_MAX_CLIENTS,
	OPTION_MAX_CLIENTS_PER_USER,
	OPTION_IDLE_TIMEOUT,
	OPTION_INHERIT,
	OPTION_SPIN,
};

static const char short_options[] = "+:lm:u:g:b:W:c:s:i:vqhV";

static const struct option long_options[] = {
	{ "allow-anyone", no_argument, NULL, OPTION_ALLOW_ANYONE },
	{ "allow-group", required_argument, NULL, OPTION_ALLOW_GROUP },
	{ "allow-user", required_argument, NULL, OPTION_ALLOW_USER },
	{ "backlog", required_argument, NULL, OPTION_BACKLOG },
	{ "batch", required_argument, NULL, OPTION_BATCH },
	{ "bind", required_argument, NULL, 'b' },
	{ "count", required_argument, NULL, 'c' },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "group", required_argument, NULL, 'g' },
	{ "help", no_argument, NULL, 'h' },
	{ "idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT },
	{ "inherit", no_argument, NULL, OPTION_INHERIT },
	{ "interval", required_argument, NULL, 'i' },
	{ "listen", no_argument, NULL, 'l' },
	{ "max-clients", required_argument, NULL, OPTION_MAX_CLIENTS },
	{ "max-clients-per-user", required_argument, NULL,
		OPTION_MAX_CLIENTS_PER_USER },
	{ "max-messages", required_argument, NULL, OPTION_MAX_MESSAGES },
	{ "max-size", required_argument, NULL, OPTION_MAX_SIZE },
	{ "mode", required_argument, NULL, 'm' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "replace", no_argument, NULL, OPTION_REPLACE },
	{ "server-user", required_argument, NULL, OPTION_SERVER_USER },
	{ "size", required_argument, NULL, 's' },
	{ "spin", required_argument, NULL, OPTION_SPIN },
	{ "stats", no_argument, NULL, OPTION_STATS },
	{ "timeout", required_argument, NULL, 'W' },
	{ "user", required_argument, NULL, 'u' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "wait", required_argument, NULL, OPTION_WAIT },
	{ NULL, 0, NULL, 0 },
};

static const char help_head[] =
	"usage: %s --listen [OPTION]... ADDRESS\n"
	"       %s [OPTION]... ADDRESS [MESSAGE]...\n"
	"\n"
	"Serve: send every message back to whom it came from. Client: send "
	"each MESSAGE,\n"
	"or each record of standard input, and print the answers in order.\n"
	"ADDRESS is a path, or @NAME for an abstract name; \\\\ and \\xHH are "
	"escapes.\n"
	"\n";

static const char help_serve[] =
	"Serving\n"
	"  -l, --listen            serve at ADDRESS\n"
	"  -m, --mode OCTAL        permissions of the socket file (0600)\n"
	"  -u, --user USER; -g, --group GROUP\n"
	"                          its owner and group, by name or number\n"
	"      --allow-user USER; --allow-group GROUP; --allow-anyone\n"
	"                          who may talk (on a path whoever the mode "
	"lets in,\n"
	"                          on @NAME our own user and root)\n"
	"      --max-clients N; --max-clients-per-user N; --idle-timeout "
	"SECONDS\n"
	"                          limits (1024; none; none)\n"
	"      --replace           take the name over from a live owner\n"
	"      --inherit           serve a supervisor's sockets, without "
	"ADDRESS\n"
	"      --backlog N; --batch N; --max-messages N\n"
	"                          connections that wait; datagrams a call; "
	"leave after N\n"
	"\n";

static const char help_client[] =
	"Client\n"
	"  -W, --timeout SECONDS   longest wait for an answer (5)\n"
	"      --wait SECONDS      longest wait for the server to appear (0)\n"
	"  -b, --bind ADDRESS      own address instead of the automatic one\n"
	"      --server-user USER  refuse a server that is run by anybody "
	"else\n"
	"  -c, --count N           make up N messages, and end with a summary\n"
	"  -s, --size BYTES; -i, --interval SECONDS\n"
	"                          how large (64), how often (0: when "
	"answered)\n"
	"\n";

static const char help_both[] =
	"Both\n"
	"      --format FORMAT     of records: text, hex, json or frames "
	"(text)\n"
	"      --max-size BYTES    largest message taken (what the socket "
	"carries)\n"
	"      --spin MICROSECONDS look for messages so long before sleeping "
	"(0)\n"
	"      --stats             counters as JSON at the end, and on "
	"SIGUSR1\n"
	"  -v, --verbose; -q, --quiet; -h, --help; -V, --version\n"
	"Exit status: 0; 1 something failed, was lost or refused; 2 wrong "
	"usage.\n"
	"See %s(1).\n";

static int print_help(const char *name)
{
	printf(help_head, name, name);
	fputs(help_serve, stdout);
	fputs(help_client, stdout);
	printf(help_both, name);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int print_version(const char *name)
{
	printf("%s (%s) %s\n", name, PACKAGE_NAME, PACKAGE_VERSION);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int complain_of_value(const char *option, const char *value,
	const char *wanted)
{
	tool_complain("%s: '%s' is not %s", option, value, wanted);
	return -1;
}

/* A whole number of base 8 or 10, no sign, no blanks. */
static int read_number(const char *option, const char *value, int base,
	uint64_t most, uint64_t *number)
{
	const char *digits = base == 8 ? "01234567" : "0123456789";
	char wanted[80];

	errno = 0;
	*number = strtoull(value, NULL, base);
	if (*value != '\0' && value[strspn(value, digits)] == '\0' &&
		errno == 0 && *number <= most)
		return 0;
	if (base == 8)
		snprintf(wanted, sizeof(wanted), "an octal number up to %jo",
			(uintmax_t)most);
	else
		snprintf(wanted, sizeof(wanted), "a whole number up to %ju",
			(uintmax_t)most);
	return complain_of_value(option, value, wanted);
}

static int read_count(const char *option, const char *value, uint64_t *number)
{
	return read_number(option, value, 10, UINT64_MAX / 2, number);
}

static int read_made_count(const char *value, uint64_t *number)
{
	if (read_count("--count", value, number) < 0)
		return -1;
	if (*number > 0)
		return 0;
	return complain_of_value("--count", value, "at least 1");
}

static int read_size(const char *option, const char *value, size_t *size)
{
	uint64_t number;

	if (read_number(option, value, 10, 1 << 30, &number) < 0)
		return -1;
	*size = (size_t)number;
	return 0;
}

static int read_seconds(const char *option, const char *value, int64_t *us)
{
	const double most = 1e9;
	char *end;
	double seconds;

	seconds = strtod(value, &end);
	if (value[strspn(value, "0123456789.")] == '\0' && end != value &&
		*end == '\0' && seconds >= 0 && seconds <= most) {
		*us = (int64_t)(seconds * 1e6);
		return 0;
	}
	return complain_of_value(option, value, "a number of seconds");
}

static int read_spin(const char *value, int64_t *us)
{
	uint64_t number;

	if (read_number("--spin", value, 10, 1000000, &number) < 0)
		return -1;
	*us = (int64_t)number;
	return 0;
}

static int read_mode(const char *value, mode_t *mode)
{
	uint64_t number;

	if (read_number("--mode", value, 8, 0777, &number) < 0)
		return -1;
	*mode = (mode_t)number;
	return 0;
}

static bool is_digits(const char *value)
{
	return *value != '\0' && value[strspn(value, "0123456789")] == '\0';
}

/* Names come first: a user may be called 1000. */
static int read_user(const char *option, const char *value, uid_t *user)
{
	const struct passwd *entry = getpwnam(value);
	uint64_t number;

	if (entry != NULL) {
		*user = entry->pw_uid;
		return 0;
	}
	if (!is_digits(value))
		return complain_of_value(option, value, "a known user");
	if (read_number(option, value, 10, UINT32_MAX - 1, &number) < 0)
		return -1;
	*user = (uid_t)number;
	return 0;
}

static int read_group(const char *option, const char *value, gid_t *group)
{
	const struct group *entry = getgrnam(value);
	uint64_t number;

	if (entry != NULL) {
		*group = entry->gr_gid;
		return 0;
	}
	if (!is_digits(value))
		return complain_of_value(option, value, "a known group");
	if (read_number(option, value, 10, UINT32_MAX - 1, &number) < 0)
		return -1;
	*group = (gid_t)number;
	return 0;
}

static int read_backlog(const char *value, int *backlog)
{
	uint64_t number;

	if (read_number("--backlog", value, 10, 1 << 20, &number) < 0)
		return -1;
	*backlog = (int)number;
	return 0;
}

static int read_batch(const char *value, unsigned int *batch)
{
	uint64_t number;

	if (read_number("--batch", value, 10, UNIXMSG_BATCH_MAX, &number) < 0)
		return -1;
	*batch = (unsigned int)number;
	return 0;
}

static int read_clients(const char *option, const char *value,
	unsigned int *clients)
{
	uint64_t number;

	if (read_number(option, value, 10, 1 << 20, &number) < 0)
		return -1;
	*clients = (unsigned int)number;
	return 0;
}

static int read_format(const char *value, enum record_format *format)
{
	if (record_format_parse(value, format) == 0)
		return 0;
	return complain_of_value("--format", value,
		"one of text, hex, json, frames");
}

/* What was given, to tell what does not go together. */
struct given {
	const char *serving; /* the last option that is for serving only */
	const char *client;
	const char *counting; /* that needs --count */
	const char *file;     /* that is about the socket file */
};

static int complain_of_many(const char *option)
{
	tool_complain("%s: no more than %d of them", option, OPTIONS_IDS_MOST);
	return -1;
}

static int read_allowed_user(const char *option, struct options *options)
{
	if (options->users_count == OPTIONS_IDS_MOST)
		return complain_of_many(option);
	return read_user(option, optarg,
		&options->users[options->users_count++]);
}

static int read_allowed_group(const char *option, struct options *options)
{
	if (options->groups_count == OPTIONS_IDS_MOST)
		return complain_of_many(option);
	return read_group(option, optarg,
		&options->groups[options->groups_count++]);
}

static int read_access_option(struct options *options, int option,
	struct given *given)
{
	switch (option) {
	case OPTION_ALLOW_USER:
		given->serving = "--allow-user";
		return read_allowed_user(given->serving, options);
	case OPTION_ALLOW_GROUP:
		given->serving = "--allow-group";
		return read_allowed_group(given->serving, options);
	default:
		given->serving = "--allow-anyone";
		options->is_anyone_allowed = true;
		return 0;
	}
}

static int read_limit_option(struct options *options, int option,
	struct given *given)
{
	switch (option) {
	case OPTION_MAX_CLIENTS:
		given->serving = "--max-clients";
		return read_clients(given->serving, optarg,
			&options->clients_max);
	case OPTION_MAX_CLIENTS_PER_USER:
		given->serving = "--max-clients-per-user";
		return read_clients(given->serving, optarg,
			&options->clients_per_user_max);
	case OPTION_IDLE_TIMEOUT:
		given->serving = "--idle-timeout";
		return read_seconds(given->serving, optarg, &options->idle_us);
	default:
		given->serving = "--max-messages";
		return read_count(given->serving, optarg,
			&options->messages_max);
	}
}

static int read_serving_option(struct options *options, int option,
	struct given *given)
{
	switch (option) {
	case 'm':
		given->serving = given->file = "--mode";
		return read_mode(optarg, &options->name.mode);
	case 'u':
		given->serving = given->file = "--user";
		return read_user(given->serving, optarg, &options->name.user);
	case 'g':
		given->serving = given->file = "--group";
		return read_group(given->serving, optarg, &options->name.group);
	case OPTION_REPLACE:
		given->serving = "--replace";
		options->name.flags |= UNIXMSG_NAME_REPLACE;
		return 0;
	case OPTION_INHERIT:
		given->serving = "--inherit";
		options->is_inherited = true;
		return 0;
	case OPTION_BATCH:
		given->serving = "--batch";
		return read_batch(optarg, &options->batch);
	default:
		given->serving = "--backlog";
		return read_backlog(optarg, &options->backlog);
	}
}

static int read_client_option(struct options *options, int option,
	struct given *given)
{
	switch (option) {
	case 'b':
		given->client = "--bind";
		options->own = optarg;
		return 0;
	case OPTION_SERVER_USER:
		given->client = "--server-user";
		options->is_server_user_wanted = true;
		return read_user(given->client, optarg, &options->server_user);
	case 'W':
		given->client = "--timeout";
		return read_seconds(given->client, optarg,
			&options->timeout_us);
	case OPTION_WAIT:
		given->client = "--wait";
		return read_seconds(given->client, optarg, &options->wait_us);
	case 'c':
		given->client = "--count";
		return read_made_count(optarg, &options->count);
	case 's':
		given->client = given->counting = "--size";
		return read_size(given->client, optarg, &options->made_size);
	default:
		given->client = given->counting = "--interval";
		return read_seconds(given->client, optarg,
			&options->interval_us);
	}
}

static int complain_of_option(int option, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = strncmp(word, "--", 2) == 0;

	if (option == ':')
		tool_complain("%s: needs a value", word);
	else if (is_long && optopt != 0)
		tool_complain("%s: takes no value", word);
	else if (!is_long)
		tool_complain("-%c: no such option; see --help", optopt);
	else
		tool_complain("%s: no such option; see --help", word);
	return -1;
}

static int read_option(struct options *options, int option, struct given *given,
	char **argv)
{
	switch (option) {
	case 'l':
		options->is_server = true;
		return 0;
	case OPTION_FORMAT:
		options->is_printing = true;
		return read_format(optarg, &options->format);
	case OPTION_MAX_SIZE:
		return read_size("--max-size", optarg, &options->size_max);
	case OPTION_SPIN:
		return read_spin(optarg, &options->spin_us);
	case OPTION_STATS:
		options->is_stats_wanted = true;
		return 0;
	case 'v':
		tool_set_level(TOOL_VERBOSE);
		return 0;
	case 'q':
		tool_set_level(TOOL_QUIET);
		return 0;
	case OPTION_ALLOW_USER:
	case OPTION_ALLOW_GROUP:
	case OPTION_ALLOW_ANYONE:
		return read_access_option(options, option, given);
	case 'm':
	case 'u':
	case 'g':
	case OPTION_REPLACE:
	case OPTION_INHERIT:
	case OPTION_BACKLOG:
	case OPTION_BATCH:
		return read_serving_option(options, option, given);
	case OPTION_MAX_CLIENTS:
	case OPTION_MAX_CLIENTS_PER_USER:
	case OPTION_IDLE_TIMEOUT:
	case OPTION_MAX_MESSAGES:
		return read_limit_option(options, option, given);
	case '?':
	case ':':
		return complain_of_option(option, argv);
	default:
		return read_client_option(options, option, given);
	}
}

/* What is about the file wants one, and one of ours. */
static int check_file(const struct options *options, const char *option)
{
	if (option != NULL && options->is_inherited) {
		tool_complain("%s: the file is the supervisor's, with "
			      "--inherit",
			option);
		return -1;
	}
	if (option != NULL && *options->address == '@') {
		tool_complain("%s: %s is no file; --allow-user and "
			      "--allow-group say who may talk",
			option, explain_text(options->address));
		return -1;
	}
	return 0;
}

static int check_server(const struct options *options,
	const struct given *given)
{
	if (given->client != NULL) {
		tool_complain("%s: not for a server", given->client);
		return -1;
	}
	if (options->size_max == 0) {
		tool_complain("--max-size: a server takes at least 1 byte");
		return -1;
	}
	if (check_file(options, given->file) < 0)
		return -1;
	if (options->is_inherited && options->address != NULL) {
		tool_complain("--inherit: the supervisor has the ADDRESS, so "
			      "give none");
		return -1;
	}
	if (options->messages_count > 0) {
		tool_complain("a server takes one ADDRESS and nothing else");
		return -1;
	}
	return 0;
}

/* What comes behind ADDRESS is data, and easily typed for something else. */
static void warn_of_option(const struct options *options)
{
	if (options->messages_count == 0 || *options->messages[0] != '-' ||
		options->messages[0][1] == '\0' || !isatty(STDERR_FILENO))
		return;
	tool_say(TOOL_NORMAL,
		"%s is sent as a message: options go before ADDRESS",
		explain_text(options->messages[0]));
}

static int check_client(const struct options *options,
	const struct given *given)
{
	if (given->serving != NULL) {
		tool_complain("%s: goes with --listen", given->serving);
		return -1;
	}
	if (given->counting != NULL && options->count == 0) {
		tool_complain("%s: goes with --count", given->counting);
		return -1;
	}
	if (options->count > 0 && options->messages_count > 0) {
		tool_complain("--count: makes up messages, so give none");
		return -1;
	}
	warn_of_option(options);
	return 0;
}

static int check(struct options *options, const struct given *given)
{
	if (options->is_inherited)
		options->is_server = true;
	if (options->address == NULL && !options->is_inherited) {
		tool_complain("an ADDRESS is needed; see --help");
		return -1;
	}
	return options->is_server ? check_server(options, given)
				  : check_client(options, given);
}

static void set_defaults(struct options *options, const struct network *network)
{
	memset(options, 0, sizeof(*options));
	options->network = network;
	unixname_options_init(&options->name);
	options->timeout_us = 5000000;
	options->made_size = 64;
	options->format = RECORD_TEXT;
	options->clients_max = 1024;
	options->size_max = network_get_size_max(network);
}

static void take_operands(struct options *options, int argc, char **argv)
{
	if (optind == argc)
		return;
	options->address = argv[optind];
	options->messages = argv + optind + 1;
	options->messages_count = argc - optind - 1;
}

int options_read(struct options *options, const struct network *network,
	int argc, char **argv)
{
	struct given given = { 0 };
	int option;

	set_defaults(options, network);
	if (options->size_max == 0) {
		tool_complain("how large a message may be is not told: %s",
			strerror(errno));
		return TOOL_FAILED;
	}
	opterr = 0;
	while ((option = getopt_long(argc, argv, short_options, long_options,
			NULL)) != -1) {
		if (option == 'h')
			return print_help(program_invocation_short_name);
		if (option == 'V')
			return print_version(program_invocation_short_name);
		if (read_option(options, option, &given, argv) < 0)
			return TOOL_USAGE;
	}
	take_operands(options, argc, argv);
	if (check(options, &given) < 0)
		return TOOL_USAGE;
	return -1;
}
