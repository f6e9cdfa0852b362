/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include "relay/credentials.h"
#include "relay/servers.h"
#include "relay/window.h"
#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/relay/relay_options.h"

#define PLACE(member) .place = offsetof(struct relay_options, member)

/* The kinds of options, to refuse those that do not go together. */
enum {
	IMPORTING = OPTIONS_MARKS,
	REPLYING,
	GRAMS,
	REPLY_GROUP,
};

static const char *const on_down[] = {
	[RELAY_REFUSE] = "refuse",
	[RELAY_BLOCK] = "block",
	[RELAY_DROP] = "drop",
	NULL,
};

static int read_network(const struct usage_option *option, const char *value,
	void *place)
{
	const struct network **network = place;

	*network = network_find(value);
	if (*network != NULL)
		return 0;
	return usage_complain(option, value, "unixgram, unixpacket or unix");
}

static int read_name(const struct usage_option *option, const char *value,
	void *place)
{
	const char **name = place;

	*name = value;
	if (subject_is_name(value))
		return 0;
	return usage_complain(option, value,
		"1 to 32 of the characters A-Z a-z 0-9 _ -");
}

static int read_prefix(const struct usage_option *option, const char *value,
	void *place)
{
	const char **prefix = place;

	*prefix = value;
	if (subject_is_prefix(value))
		return 0;
	return usage_complain(option, value,
		"names with dots between them, 64 characters at most");
}

static const struct usage_option roles[] = {
	{ 0, "import", "NAME", "serve clients here for the service NAME",
		read_name, PLACE(import) },
	{ 0, "export", "NAME", "let others reach the service here as NAME",
		read_name, PLACE(export) },
	{ 'n', "network", "NETWORK", "unixgram, unixpacket or unix",
		read_network, PLACE(base.network) },
	{ 0, "window", "BYTES",
		"bytes that may be on their way to this relay\n"
		"in each connection (262144)",
		usage_read_size, PLACE(window), .least = 4096,
		.most = 1 << 26 },
	{ 0, "silence", "SECONDS",
		"forget datagram clients that are silent for this\n"
		"time (600)",
		usage_read_seconds, PLACE(silence_us), .least = 1 },
	{ 0, "max-clients", "N", "most clients at once (1024)", usage_read_uint,
		PLACE(base.clients_max), .least = 1, .most = 1 << 16 },
	{ 0 },
};

static const struct usage_option engine[] = {
	{ 0, "engine", "HOST:PORT,...",
		"the nats-server, or several, on loopback\n"
		"(127.0.0.1:4222)",
		usage_read_text, PLACE(servers) },
	{ 0, "engine-insecure", NULL,
		"use servers on other hosts, too: anybody on the\n"
		"way can read and change everything",
		usage_read_flag, PLACE(is_any_engine_allowed) },
	{ 0, "credentials", "FILE",
		"user and password for the engine; no other user\n"
		"may read FILE",
		usage_read_text, PLACE(credentials) },
	{ 0, "engine-user", "USER",
		"refuse a nats-server of any user but USER, root\n"
		"and our own",
		usage_read_user, PLACE(engine_user) },
	{ 0, "host", "NAME",
		"name of this host in the subjects of the engine\n"
		"(its node name up to the first dot)",
		read_name, PLACE(host) },
	{ 0, "prefix", "PREFIX", "beginning of all subjects (uxg.1)",
		read_prefix, PLACE(prefix) },
	{ 0 },
};

static const struct usage_option importing[] = {
	{ 0, "grace", "SECONDS",
		"time to keep ADDRESS when the service does not\n"
		"answer (2)",
		usage_read_seconds, PLACE(grace_us), .marks = 1U << IMPORTING },
	{ 0, "on-engine-down", "WHAT",
		"refuse clients then, block them, or drop their\n"
		"messages (refuse)",
		usage_read_word, PLACE(on_down), .words = on_down,
		.marks = 1U << IMPORTING },
	{ 'm', "mode", "OCTAL", "permissions of the socket file (0600)",
		usage_read_mode, PLACE(base.listen.mode),
		.marks = 1U << IMPORTING | 1U << OPTIONS_SOCKET_FILE },
	{ 0 },
};

static const struct usage_option clients_per_user[] = {
	{ 0, "max-clients-per-user", "N",
		"most clients of one user at once (no limit)", usage_read_uint,
		PLACE(base.clients_per_user_max), .most = 1 << 16,
		.marks = 1U << IMPORTING },
	{ 0 },
};

static int read_reply_group(const struct usage_option *option,
	const char *value, void *place)
{
	struct relay_options *options = place;

	options->is_reply_group_wanted = true;
	return usage_read_group(option, value, &options->reply_group);
}

static const struct usage_option exporting[] = {
	{ 0, "reply-directory", "DIR",
		"directory of the sockets that a unixgram service\n"
		"answers to (chosen)",
		usage_read_text, PLACE(reply_directory),
		.marks = 1U << REPLYING },
	{ 0, "reply-group", "GROUP", "group that may answer in that directory",
		read_reply_group, .marks = 1U << REPLYING | 1U << REPLY_GROUP },
	{ 0 },
};

static const struct usage_option watching[] = {
	{ 0, "stats", NULL, "counters as JSON at the end, and on SIGUSR1",
		usage_read_flag, PLACE(base.is_stats_wanted) },
	{ 0, "metrics", "FILE",
		"keep FILE up to date with the counters in the\n"
		"text form of Prometheus",
		usage_read_text, PLACE(metrics) },
	{ 'v', "verbose", NULL, "report more", usage_read_level,
		.least = TOOL_VERBOSE },
	{ 0 },
};

static const struct usage_group groups[] = {
	{ "Relaying", roles },
	{ "Engine", engine },
	{ "With --import", importing },
	{ NULL, options_socket },
	{ NULL, clients_per_user },
	{ "With --export", exporting },
	{ "Both", watching },
	{ 0 },
};

static const char *const synopses[] = {
	"--import NAME --network NETWORK [OPTION]... ADDRESS",
	"--export NAME --network NETWORK [OPTION]... ADDRESS",
	NULL,
};

static const struct usage usage = {
	.synopses = synopses,
	.about =
		"Connect the clients of a service with the service on another "
		"host, through\n"
		"nats-server. One relay imports: it serves ADDRESS for the "
		"clients. Another one\n"
		"exports: it is a client of the service at ADDRESS. ADDRESS is "
		"a path, or @NAME\n"
		"for an abstract name; \\\\, \\xHH and \\{N} are escapes.\n",
	.groups = groups,
	.foot = "Exit status: 0 success; 1 something failed; 2 wrong usage.\n",
	.leading = 1,
};

/* --- Checks --------------------------------------------------------------- */

static int check_role(const struct relay_options *options,
	const struct usage_words *words)
{
	const bool is_import = options->import != NULL;
	const char *const *given = words->given;

	if (is_import == (options->export != NULL))
		return tool_complain("one of --import and --export is needed; "
				     "see --help");
	if (options->base.network == NULL)
		return tool_complain("--network is needed: unixgram, "
				     "unixpacket or unix");
	if (is_import && given[REPLYING] != NULL)
		return tool_complain("--%s: goes with --export",
			given[REPLYING]);
	if (!is_import && given[IMPORTING] != NULL)
		return tool_complain("--%s: goes with --import",
			given[IMPORTING]);
	if (!is_import && given[OPTIONS_SERVING] != NULL)
		return tool_complain("--%s: goes with --import",
			given[OPTIONS_SERVING]);
	if (given[REPLYING] != NULL && options->base.network->is_connected)
		return tool_complain("--%s: only unixgram has it",
			given[REPLYING]);
	if (given[REPLY_GROUP] != NULL && options->reply_directory == NULL)
		return tool_complain("--reply-group: goes with "
				     "--reply-directory");
	return 0;
}

static int check_address(const struct relay_options *options,
	const struct usage_words *words)
{
	if (options->base.address == NULL && !options->base.is_inherited)
		return tool_complain("an ADDRESS is needed; see --help");
	if (options->import != NULL)
		return options_check_server(&options->base, words);
	if (options->base.messages_count > 0)
		return tool_complain("one ADDRESS only; see --help");
	return 0;
}

static int check_engine(const struct relay_options *options)
{
	struct servers servers;

	if (servers_init(&servers, options->servers,
		    options->is_any_engine_allowed) == 0)
		return 0;
	if (errno == EPERM)
		return tool_complain(
			"--engine: %s: not on loopback, and nothing is "
			"encrypted: use a nats-server here that is a leaf of "
			"the other one, or --engine-insecure",
			options->servers);
	if (errno == E2BIG)
		return tool_complain("--engine: at most %d addresses",
			SERVERS_MAX);
	return tool_complain("--engine: '%s' is not a list of HOST:PORT with "
			     "numeric addresses",
		options->servers);
}

static int check_credentials(const struct relay_options *options)
{
	struct credentials credentials;
	int error = 0;

	if (options->credentials == NULL)
		return 0;
	if (credentials_read(&credentials, options->credentials) < 0)
		error = errno;
	credentials_clear(&credentials);
	if (error == 0)
		return 0;
	return tool_complain("--credentials: %s: %s",
		explain_text(options->credentials),
		error == EPERM ? "others may read or change it, or it is "
				 "another user's (chmod 600)"
			: error == EINVAL
			? "no file with one line 'user NAME' and one "
			  "'password WORD'"
			: strerror(error));
}

/* The name of the host up to its first dot, if that can be in a subject. */
static int find_host(struct relay_options *options)
{
	struct utsname system = { .nodename = "" };

	if (options->host != NULL)
		return 0;
	uname(&system);
	system.nodename[strcspn(system.nodename, ".")] = '\0';
	if (!subject_is_name(system.nodename))
		return tool_complain("--host is needed: the name of this host "
				     "cannot be part of a subject");
	memcpy(options->own_host, system.nodename, strlen(system.nodename) + 1);
	options->host = options->own_host;
	return 0;
}

static int check(struct relay_options *options, const struct usage_words *words)
{
	if (check_role(options, words) < 0 ||
		check_address(options, words) < 0 ||
		check_engine(options) < 0 || find_host(options) < 0)
		return TOOL_USAGE;
	return check_credentials(options) < 0 ? TOOL_FAILED : -1;
}

/* Streams are passed on in pieces that the smallest engine takes. */
static size_t get_size_max(const struct network *network)
{
	return network->is_stream ? 32768 : network_get_size_max(network);
}

static void set_defaults(struct relay_options *options)
{
	memset(options, 0, sizeof(*options));
	options_set_defaults(&options->base);
	options->base.is_server = true;
	options->base.size_max = SIZE_MAX;
	options->servers = "127.0.0.1:4222";
	options->engine_user = (uid_t)-1;
	options->prefix = "uxg.1";
	options->window = 262144;
	options->silence_us = 600000000;
	options->grace_us = 2000000;
}

int relay_options_read(struct relay_options *options, int argc, char **argv)
{
	struct usage_words words;
	int status;

	set_defaults(options);
	status = usage_read(&usage, options, &words, argc, argv);
	if (status >= 0)
		return status;
	options->service =
		options->import != NULL ? options->import : options->export;
	options_take_operands(&options->base, words.operands,
		words.operands_count);
	status = check(options, &words);
	if (status >= 0)
		return status;
	options->base.size_max = get_size_max(options->base.network);
	if (options->base.size_max > 0)
		return -1;
	tool_complain("cannot find the size of the largest message: %s",
		strerror(errno));
	return TOOL_FAILED;
}
