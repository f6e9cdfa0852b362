/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/explain.h"
#include "tools/perf_options.h"

enum {
	OPTION_BASELINE = 256,
	OPTION_CPUS,
	OPTION_JSON,
	OPTION_PLOT,
	OPTION_SERVER,
	OPTION_SPIN,
};

static const char short_options[] = ":b:c:m:n:r:s:w:qhV";

static const struct option long_options[] = {
	{ "baseline", required_argument, NULL, OPTION_BASELINE },
	{ "batch", required_argument, NULL, 'b' },
	{ "clients", required_argument, NULL, 'c' },
	{ "count", required_argument, NULL, 'n' },
	{ "cpus", required_argument, NULL, OPTION_CPUS },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "mode", required_argument, NULL, 'm' },
	{ "plot", required_argument, NULL, OPTION_PLOT },
	{ "quiet", no_argument, NULL, 'q' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "server", required_argument, NULL, OPTION_SERVER },
	{ "size", required_argument, NULL, 's' },
	{ "spin", required_argument, NULL, OPTION_SPIN },
	{ "version", no_argument, NULL, 'V' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

static const char help_use[] =
	"usage: unixmsg-perf [OPTION]... [NETWORK]...\n"
	"\n"
	"Measure how fast messages go by each NETWORK (unixgram, unixpacket, "
	"unix, tcp,\n"
	"udp), and in turn the same job in plain system calls that block.\n"
	"\n";

static const char help_what[] =
	"What is measured\n"
	"  -m, --mode MODE         latency: round trips; throughput: one way; "
	"connect:\n"
	"                          dial, accept, close; fan: clients in turn "
	"(latency)\n"
	"  -s, --size BYTES,...    sizes of messages, K and M understood (64)\n"
	"  -n, --count N           messages in a round\n"
	"  -r, --rounds N          rounds; all take turns in each (40)\n"
	"  -w, --warm-up N         rounds before that, not counted (2)\n"
	"      --baseline KIND     plain, or none (plain)\n"
	"      --server LABEL=ADDRESS\n"
	"                          measure this echo server, beside a plain "
	"one\n"
	"\n"
	"How\n"
	"  -c, --clients N         of --mode fan (1000)\n"
	"  -b, --batch N           one way: messages a call, where there are "
	"batches (1)\n"
	"      --spin US           let the library try that long before it "
	"sleeps (0)\n"
	"      --cpus A[,B]        run the client on CPU A and the service on "
	"B (any)\n"
	"\n";

static const char help_how[] =
	"How it is told\n"
	"      --json              one JSON document instead of a table\n"
	"      --plot FILE         and a picture, .svg or .png, by gnuplot\n"
	"  -q, --quiet             no progress, no remarks\n"
	"  -h, --help; -V, --version\n"
	"\n"
	"RATIO is the median of the rounds' ratios to plain calls, and "
	"between which two\n"
	"half of them lie. Of times less is better, of rates more. Times vary "
	"from run to\n"
	"run, ratios less. Exit status: 0; 1 something failed; 2 wrong "
	"usage.\n";

static const char *const modes[] = {
	[PERF_LATENCY] = "latency",
	[PERF_THROUGHPUT] = "throughput",
	[PERF_CONNECT] = "connect",
	[PERF_FAN] = "fan",
};

enum { MODES = sizeof(modes) / sizeof(modes[0]) };

const char *perf_mode_get_name(enum perf_mode mode)
{
	return modes[mode];
}

bool perf_mode_is_rate(enum perf_mode mode)
{
	return mode == PERF_THROUGHPUT || mode == PERF_FAN;
}

/* So that a round takes some milliseconds, long against what starts it. */
size_t perf_options_get_count(const struct perf_options *options, size_t size)
{
	const size_t bytes =
		options->mode == PERF_THROUGHPUT ? 16 << 20 : 4 << 20;
	const size_t most = options->mode == PERF_THROUGHPUT ? 5000 : 200;

	if (options->count > 0)
		return options->count;
	if (options->mode == PERF_FAN)
		return options->clients > most ? options->clients : most;
	if (size == 0 || bytes / size > most)
		return most;
	return bytes / size < 20 ? 20 : bytes / size;
}

static int print_help(void)
{
	fputs(help_use, stdout);
	fputs(help_what, stdout);
	fputs(help_how, stdout);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int print_version(void)
{
	printf("unixmsg-perf (%s) %s\n", PACKAGE_NAME, PACKAGE_VERSION);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int complain_of_value(const char *option, const char *value,
	const char *why)
{
	tool_complain("%s: %s: %s", option, explain_text(value), why);
	return TOOL_USAGE;
}

/* Digits at text, up to most; *end behind them. False: none, or too many. */
static bool read_digits(const char *text, unsigned long most,
	unsigned long *value, const char **end)
{
	char *behind;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoul(text, &behind, 10);
	*end = behind;
	return errno == 0 && *value <= most;
}

static int read_number(const char *option, const char *text,
	unsigned long least, unsigned long most, size_t *number)
{
	unsigned long value;
	const char *end;
	char why[64];

	if (read_digits(text, most, &value, &end) && *end == '\0' &&
		value >= least) {
		*number = value;
		return -1;
	}
	snprintf(why, sizeof(why), "not a number from %lu to %lu", least, most);
	return complain_of_value(option, text, why);
}

static unsigned int read_unit(const char **text)
{
	switch (**text) {
	case 'k':
	case 'K':
		++*text;
		return 10;
	case 'm':
	case 'M':
		++*text;
		return 20;
	default:
		return 0;
	}
}

static int read_sizes(struct perf_options *options, const char *text)
{
	static const unsigned long most = 64 << 20;
	const char *at = text;
	unsigned long value;

	options->sizes_count = 0;
	while (options->sizes_count < PERF_SIZES_MAX) {
		if (!read_digits(at, most, &value, &at))
			break;
		value <<= read_unit(&at);
		if (value == 0 || value > most)
			break;
		options->sizes[options->sizes_count++] = value;
		if (*at == '\0')
			return -1;
		if (*at++ != ',')
			break;
	}
	return complain_of_value("--size", text,
		"not up to 16 sizes from 1 to 64M with commas between them");
}

static int read_cpus(struct perf_options *options, const char *text)
{
	unsigned long first, second;
	const char *at;

	if (!read_digits(text, CPU_SETSIZE - 1, &first, &at))
		return complain_of_value("--cpus", text, "not A or A,B");
	second = first;
	if (*at == ',' && !read_digits(at + 1, CPU_SETSIZE - 1, &second, &at))
		return complain_of_value("--cpus", text, "not A or A,B");
	if (*at != '\0')
		return complain_of_value("--cpus", text, "not A or A,B");
	options->cpus[0] = (int)first;
	options->cpus[1] = (int)second;
	return -1;
}

static int read_mode(struct perf_options *options, const char *text)
{
	int i;

	for (i = 0; i < MODES; i++)
		if (strcmp(text, modes[i]) == 0) {
			options->mode = (enum perf_mode)i;
			return -1;
		}
	return complain_of_value("--mode", text,
		"not latency, throughput, connect or fan");
}

static int read_baseline(struct perf_options *options, const char *text)
{
	options->has_baseline = strcmp(text, "plain") == 0;
	if (options->has_baseline || strcmp(text, "none") == 0)
		return -1;
	return complain_of_value("--baseline", text, "not plain or none");
}

/* The label is cut off where the address begins. */
static int read_server(struct perf_options *options, char *text)
{
	char *at = strchr(text, '=');
	struct perf_server *server;

	if (at == NULL || at == text || at[1] == '\0')
		return complain_of_value("--server", text, "not LABEL=ADDRESS");
	if (options->servers_count == PERF_SERVERS_MAX)
		return complain_of_value("--server", text, "that is too many");
	*at = '\0';
	server = &options->servers[options->servers_count++];
	server->label = text;
	server->address = at + 1;
	return -1;
}

static int read_spin(struct perf_options *options, const char *text)
{
	size_t value = 0;
	int status = read_number("--spin", text, 0, 1000000, &value);

	options->spin_us = (int64_t)value;
	return status;
}

static bool has_ending(const char *name, const char *ending)
{
	size_t size = strlen(name), wanted = strlen(ending);

	return size > wanted && strcmp(name + size - wanted, ending) == 0;
}

static int read_plot(struct perf_options *options, const char *text)
{
	options->plot = text;
	if (has_ending(text, ".svg") || has_ending(text, ".png"))
		return -1;
	return complain_of_value("--plot", text,
		"ends in neither .svg nor .png");
}

static int complain_of_option(int option, char **argv)
{
	const char *word = argv[optind - 1];

	if (option == ':')
		tool_complain("%s: a value is missing", explain_text(word));
	else if (optopt > 0 && optopt < 256)
		tool_complain("-%c: no such option; see --help", optopt);
	else
		tool_complain("%s: no such option, or it takes no value; see "
			      "--help",
			explain_text(word));
	return TOOL_USAGE;
}

static int read_amount(struct perf_options *options, int option, char *value)
{
	switch (option) {
	case 'b':
		return read_number("--batch", value, 1, UNIXMSG_BATCH_MAX,
			&options->batch);
	case 'c':
		return read_number("--clients", value, 1, PERF_CLIENTS_MAX,
			&options->clients);
	case 'n':
		return read_number("--count", value, 1, PERF_COUNT_MAX,
			&options->count);
	case 'r':
		return read_number("--rounds", value, 1, PERF_ROUNDS_MAX,
			&options->rounds);
	default:
		return read_number("--warm-up", value, 0, PERF_ROUNDS_MAX,
			&options->warm_up);
	}
}

static int read_option(struct perf_options *options, int option, char **argv)
{
	switch (option) {
	case 'b':
	case 'c':
	case 'n':
	case 'r':
	case 'w':
		return read_amount(options, option, optarg);
	case 'm':
		return read_mode(options, optarg);
	case 's':
		return read_sizes(options, optarg);
	case OPTION_BASELINE:
		return read_baseline(options, optarg);
	case OPTION_CPUS:
		return read_cpus(options, optarg);
	case OPTION_JSON:
		options->is_json = true;
		return -1;
	case OPTION_PLOT:
		return read_plot(options, optarg);
	case OPTION_SERVER:
		return read_server(options, optarg);
	case OPTION_SPIN:
		return read_spin(options, optarg);
	case 'q':
		options->level = TOOL_QUIET;
		return -1;
	case 'h':
		return print_help();
	case 'V':
		return print_version();
	default:
		return complain_of_option(option, argv);
	}
}

static bool is_chosen(const struct perf_options *options,
	enum perf_network network)
{
	size_t i;

	for (i = 0; i < options->networks_count; i++)
		if (options->networks[i] == network)
			return true;
	return false;
}

static int read_network(struct perf_options *options, const char *name)
{
	int network = perf_network_find(name);

	if (network < 0)
		return complain_of_value("NETWORK", name,
			"not unixgram, unixpacket, unix, tcp or udp");
	if (is_chosen(options, (enum perf_network)network))
		return -1;
	options->networks[options->networks_count++] =
		(enum perf_network)network;
	if (options->mode != PERF_CONNECT && options->mode != PERF_FAN)
		return -1;
	if (perf_network_is_connected((enum perf_network)network))
		return -1;
	return complain_of_value("NETWORK", name,
		"has no connections, which this --mode is about");
}

/* Where none is named: all that can be measured. */
static void choose_networks(struct perf_options *options)
{
	enum perf_network i;

	for (i = 0; i < PERF_NETWORKS; i++)
		if (options->mode == PERF_FAN ? i == PERF_UNIXPACKET
					      : options->mode != PERF_CONNECT ||
					perf_network_is_connected(i))
			options->networks[options->networks_count++] = i;
}

static int check_servers(const struct perf_options *options)
{
	const char *why = NULL;

	if (options->servers_count == 0)
		return -1;
	if (options->mode != PERF_LATENCY)
		why = "--server: only with --mode latency";
	else if (options->networks_count != 1 ||
		options->networks[0] > PERF_UNIX)
		why = "--server: of which network? Name unixgram, unixpacket "
		      "or unix";
	if (why == NULL)
		return -1;
	tool_complain("%s", why);
	return TOOL_USAGE;
}

static void set_defaults(struct perf_options *options)
{
	memset(options, 0, sizeof(*options));
	options->sizes[0] = 64;
	options->sizes_count = 1;
	options->rounds = 40;
	options->warm_up = 2;
	options->clients = 1000;
	options->batch = 1;
	options->cpus[0] = -1;
	options->cpus[1] = -1;
	options->has_baseline = true;
	options->level = TOOL_NORMAL;
}

int perf_options_read(struct perf_options *options, int argc, char **argv)
{
	int option, status;

	set_defaults(options);
	opterr = 0;
	while ((option = getopt_long(argc, argv, short_options, long_options,
			NULL)) >= 0) {
		status = read_option(options, option, argv);
		if (status >= 0)
			return status;
	}
	for (; optind < argc; optind++) {
		status = read_network(options, argv[optind]);
		if (status >= 0)
			return status;
	}
	if (options->networks_count == 0)
		choose_networks(options);
	return check_servers(options);
}
